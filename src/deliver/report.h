// SPDX-License-Identifier: Apache-2.0
// A stored report: what its headers say of it, and its text. The body of the message is the report
// itself; everything about it stands in headers, written by deliver/publish.c:
//
//   Nats-Msg-Id     idempotency key: the publisher's, else a digest (see publish.c)
//   Agog-Rev        revision, counting up from 1 for each deliverable, never reused
//   Agog-Digest     "sha256:" and 64 hex digits of the report
//   Agog-Bytes      its size, Agog-Tokens its exact o200k_base count, Agog-Sections its sections
//   Agog-Title      one line, Agog-Summary one line
//   Agog-Status     complete, failed or blocked
//   Agog-Author     who published it
//   Agog-Inputs     refs it was made from, separated by blanks
//   Agog-Run        the run it belongs to
//   Agog-Form       "envelope" when the body is the first system's envelope around the report
//   Agog-Meta       a JSON object: complexity, blockers, ready_for_next_stage, files_modified and
//                   whatever else the publisher said
//
// A message without these headers is a report too (the first system's, or plain `nats pub`): what
// is missing is counted from the body, and its revision is its place among the subject's messages.
#pragma once

#include "base/buf.h"
#include "base/errinfo.h"
#include "bus/bus.h"
#include "deliver/notice.h"
#include "deliver/ref.h"
#include "deliver/registry.h"

enum { REPORT_DIGEST_SIZE = 72 }; // "sha256:", 64 digits, NUL

struct report {
    struct ref ref; // of the deliverable with its revision
    char stream[BUS_STREAM_NAME_SIZE];
    struct bytes subject; // these views borrow from the storage the report was read into
    struct bytes title;
    struct bytes summary;
    struct bytes author;
    struct bytes inputs;
    struct bytes run;
    struct bytes meta; // JSON object, empty when there is none
    struct bytes body; // empty when only the head was read
    char digest[REPORT_DIGEST_SIZE];
    enum notice_status status;
    uint64_t seq;
    int64_t time_ns;
    int64_t expires_ns; // 0: kept without limit of age
    uint64_t bytes;
    uint64_t tokens;
    uint64_t sections;
    bool enveloped; // the body was the first system's JSON envelope; body is its content
};

// Makes a report of a message that was read; part says whether its body was. The views borrow from
// the message's storage. Without Agog-Rev, ref.rev is 0 and the caller finds it
// (report_is_numbered). STATUS_INVALID when the subject is no deliverable's.
enum status report_of_message(const char *stream, const struct bus_message *message,
                              enum bus_part part, struct report *report, struct errinfo *err);

// "sha256:" and the hex digest of a report.
void report_digest(struct bytes body, char digest[REPORT_DIGEST_SIZE]);
bool report_is_numbered(const struct bus_message *message);

// Fills in what the headers of a foreign message do not say: size, digest, tokens, from its body.
enum status report_measure(struct report *report, struct errinfo *err);
