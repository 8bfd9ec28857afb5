// SPDX-License-Identifier: Apache-2.0
// Finding and reading stored reports.
#pragma once

#include "deliver/report.h"

// Where reports are read from.
struct read_source {
    struct bus *bus;
    const struct registry *registry;
};

// Resolves a ref (its agent and type are checked against the registry) and reads the report into
// storage. Errors: STATUS_NOT_FOUND with the nearest names, or what has been published instead;
// STATUS_EXPIRED when the revision was there and retention took it, saying when and why.
enum status read_report(const struct read_source *source, const struct ref *ref, enum bus_part part,
                        struct buf *storage, struct report *report, struct errinfo *err);

// The report of a message that was just read from a stream. A message that nobody numbered (plain
// `nats pub`, or the first system) gets its place among its subject's messages as its revision, and
// is measured: for that it is read again, whole, into storage.
struct read_message {
    const char *stream;
    const struct bus_message *message;
    enum bus_part part; // that was read
};
enum status read_of_message(struct bus *bus, const struct read_message *read, struct buf *storage,
                            struct report *report, struct errinfo *err);

// Reads the body of a report whose head was read, into the same storage: the report's views then
// borrow from there anew.
enum status read_body(struct bus *bus, struct report *report, struct buf *storage,
                      struct errinfo *err);

// Called with each report's head; views are borrowed for the call.
typedef enum status (*read_visit)(void *context, const struct report *report);

// What to list: empty parts take everything.
struct read_filter {
    struct bytes agent;
    struct bytes type;
    struct bytes feature;
};

// The latest revision of every deliverable that matches, stream by stream, oldest first in each.
enum status read_list(const struct read_source *source, const struct read_filter *filter,
                      read_visit visit, void *context, struct errinfo *err);

// Every kept revision of one deliverable, oldest first.
enum status read_history(const struct read_source *source, const struct ref *ref, read_visit visit,
                         void *context, struct errinfo *err);

// The notice of a report that was read, within LIMIT_NOTICE_TOKENS. out is an initialised buf.
enum status read_notice(const struct report *report, enum notice_form form, struct buf *out,
                        struct errinfo *err);
