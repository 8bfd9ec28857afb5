// SPDX-License-Identifier: Apache-2.0
// The notice: what travels on when a report is committed. One JSON object on one line (or indented
// for people), fields in a fixed order, made from the acknowledged publish and never from a claim:
//
//   status agent task nats_channel ref rev seq summary complexity blockers ready_for_next_stage
//   completion_time files_modified metadata more digest bytes tokens sections expires
//
// The text never costs more than LIMIT_NOTICE_TOKENS, counted exactly as printed, with and without
// a line feed behind it. What does not fit gives way in this order: the summary is shortened at the
// end of a sentence or word and ends in "…"; metadata loses keys from the end; blockers are
// shortened, complexity and completion_time go; task and nats_channel go and ref becomes the
// message id "<stream>.<seq>"; blockers and summary go; the agent goes. "more":true says that
// anything but the summary was cut: the report's headers have all of it.
// digest is the first 16 hex digits of the SHA-256: whole it would cost a quarter of the notice.
//
// Reading is tolerant: the seed's form, ours, and the form that the first system grew later
// (req_number, deliverable, next_agent, blockers as an array, status in capitals).
#pragma once

#include "base/buf.h"
#include "base/errinfo.h"
#include "deliver/counter.h"
#include "deliver/ref.h"

enum notice_status { NOTICE_COMPLETE, NOTICE_FAILED, NOTICE_BLOCKED };

enum { NOTICE_DIGEST_DIGITS = 16 };

struct notice {
    enum notice_status status;
    struct ref ref; // with its revision; REF_MESSAGE when a read notice names no deliverable
    struct bytes stream;
    uint64_t seq;
    struct bytes agent;
    struct bytes task;
    struct bytes summary;
    struct bytes complexity;      // "" is left out
    struct bytes blockers;        // "" is "None"
    struct bytes completion_time; // "" is left out
    struct bytes metadata;        // a JSON object as text, or ""
    struct bytes digest;          // hex
    bool ready_for_next_stage;
    bool has_files_modified;
    uint64_t files_modified;
    uint64_t bytes;
    uint64_t tokens;
    uint64_t sections;
    int64_t expires_ns; // 0 is never
    char *owned;        // the texts of a notice that was read; NULL otherwise
};

enum notice_form { NOTICE_COMPACT, NOTICE_PRETTY };

// Appends the text, without a line feed at its end. STATUS_INVALID when metadata is no JSON object,
// STATUS_LIMIT when the stream's name alone costs too much.
enum status notice_write(const struct notice *notice, enum notice_form form, token_counter *counter,
                         struct buf *out, struct errinfo *err);

// Fails with STATUS_INVALID when the text is no JSON object, has no status that is known, or names
// no deliverable. Fields that are absent stay empty.
enum status notice_read(struct bytes text, struct notice *out, struct errinfo *err);
void notice_fini(struct notice *notice); // only for a notice that was read

// The word in a notice: "complete", "failed", "blocked".
const char *notice_status_name(enum notice_status status);

// The status of a word in any of the forms that agents use, whatever its letter case.
enum status notice_status_parse(struct bytes word, enum notice_status *out, struct errinfo *err);
