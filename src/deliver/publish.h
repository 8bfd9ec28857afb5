// SPDX-License-Identifier: Apache-2.0
// Publishing a report: names are checked against the registry, the text is measured, a revision is
// reserved, the report is committed, and only then is there a notice.
#pragma once

#include "deliver/read.h"

#define PUBLISH_ANY_BASE UINT64_MAX

struct publish_request {
    struct bytes agent;
    struct bytes type;
    struct bytes feature;
    struct bytes body;
    struct bytes title; // empty: derived from the report, as is the summary
    struct bytes summary;
    struct bytes author;
    struct bytes run;
    struct bytes key;           // idempotency key; empty: derived
    struct bytes meta;          // JSON object, empty for none
    const struct bytes *inputs; // refs as given; each is resolved and pinned to a revision
    size_t input_count;
    uint64_t base; // the revision this one follows, 0 for none, or PUBLISH_ANY_BASE
    enum notice_status status;
    bool allow_empty;
    bool envelope; // store the first system's JSON envelope instead of the raw report
    int64_t now_ns;

    // Called for an input that retention takes within a day; may be NULL.
    void (*on_expiring)(void *context, const char *ref, int64_t left_ns);
    void *context;
};

struct publish_outcome {
    uint64_t rev;
    uint64_t seq;
    bool unchanged; // the same bytes are the latest revision already: nothing was stored
};

// STATUS_OK means that the report is on disk. The report can then be read by its ref. Errors:
// STATUS_INVALID (names, empty body), STATUS_NOT_FOUND (agent, type, input), STATUS_LIMIT,
// STATUS_CONFLICT (base is not the latest revision any more, or the key was used for other bytes).
enum status publish_report(const struct read_source *source, const struct publish_request *request,
                           struct publish_outcome *outcome, struct errinfo *err);
