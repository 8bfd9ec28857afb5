// SPDX-License-Identifier: Apache-2.0
// Receipts: every read of a report leaves an event that says who read which parts of which revision
// and how many tokens that was. They stand in the stream agog_receipts, one subject a deliverable
// ("agog.receipts.<agent>.<type>.<feature>"), and are what lineage and the ledger are made from.
#pragma once

#include "bus/bus.h"
#include "deliver/ref.h"

struct receipt {
    struct ref ref; // with the revision that was read
    struct bytes reader;
    struct bytes what; // "whole", "outline", "#2.1 #3", ...
    struct bytes run;  // of the reader, "" without one
    uint64_t tokens;
    int64_t time_ns;
};

// The configuration of the stream; initialised by the call.
enum status receipt_stream_config(struct stream_config *config, struct errinfo *err);

// What fails here never fails the read: the caller ignores the status, or tells it.
enum status receipt_write(struct bus *bus, const struct receipt *receipt, struct errinfo *err);

typedef enum status (*receipt_visit)(void *context, const struct receipt *receipt);

// The receipts of one deliverable, oldest first; a ref without a revision takes all of them.
enum status receipt_walk(struct bus *bus, const struct ref *ref, receipt_visit visit, void *context,
                         struct errinfo *err);
