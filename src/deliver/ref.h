// SPDX-License-Identifier: Apache-2.0
// A ref says which deliverable, which revision of it and which part. Its text form:
//
//     agent/type/feature[@rev][#section]     cynthia/research/customer-search@3#2.1
//     stream.seq[#section]                   agog_features_research.17
//
// The first two '/' end agent and type. As printed, a ref is one word that no shell takes apart and
// that fits into a URI of non-ASCII letters: in feature and section everything but letters, digits
// and "-._~+,:=" is written as %XX, byte by byte, and non-ASCII text that can be seen stands as it
// is. Every legal name comes back from its text form unchanged.
//
// Reading is more generous. %XX is decoded whatever it stands for; blanks, '/', a '%' that no two
// hex digits follow, and an '@' that no digit follows may stand raw in a feature; '#' always begins
// the section. "@latest" is no revision, "@v3" is "@3". Also read as refs: agog://<text form>, the
// subject agog.deliverables.<agent>.<type>.<feature> with or without nats:// before it, and a whole
// notice in JSON (its ref, nats_channel or deliverable, and its rev).
#pragma once

#include "base/bytes.h"
#include "base/errinfo.h"
#include "base/limits.h"

#define REF_SUBJECT_PREFIX "agog.deliverables."

enum ref_kind {
    REF_DELIVERABLE, // agent, type and feature are set
    REF_MESSAGE,     // stream and seq are set
};

struct ref {
    enum ref_kind kind;
    char agent[LIMIT_AGENT_BYTES + 1];
    char type[LIMIT_TYPE_BYTES + 1];
    char feature[LIMIT_FEATURE_BYTES + 1];
    char stream[LIMIT_STREAM_NAME_BYTES + 1];
    uint64_t seq;
    uint64_t rev;                          // 0 is the latest
    char section[LIMIT_SECTION_BYTES + 1]; // number, slug or title; "" is the whole report
};

enum ref_form {
    REF_FORM_TEXT,
    REF_FORM_URI,     // agog://..., ASCII only
    REF_FORM_SUBJECT, // without revision and section; REF_DELIVERABLE only
};

// The longest form: a URI whose feature and section are all escapes.
enum { REF_TEXT_SIZE = 1792 };

// STATUS_INVALID or STATUS_LIMIT with the reason and the right form in err.
enum status ref_parse(struct bytes text, struct ref *out, struct errinfo *err);

// A ref to the latest revision of the deliverable with these three names, checked.
enum status ref_of_names(struct bytes agent, struct bytes type, struct bytes feature,
                         struct ref *out, struct errinfo *err);

// The deliverable that a stored message's subject stands for.
enum status ref_of_subject(struct bytes subject, struct ref *out, struct errinfo *err);

// Writes the form with a NUL and returns its size.
size_t ref_format(const struct ref *ref, enum ref_form form, char out[REF_TEXT_SIZE]);

// The same deliverable or message, whatever revision and section.
bool ref_same_deliverable(const struct ref *a, const struct ref *b);
