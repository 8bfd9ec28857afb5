// SPDX-License-Identifier: Apache-2.0
// Brings one segment from its files into memory: the index as far as it is whole, then a scan of
// what the index does not cover, then the index mended.
//
// The rule for bytes that are no record, at X behind what the index covers: X was durable, and is
// damaged, when a later segment has records, when the header says that X lies in what was synced at
// once, or when a whole record follows whose batch begins behind X (its batch was begun after
// everything before it was synced). Then it becomes a hole and what follows is kept. Otherwise X is
// where a batch that was never acknowledged was torn: the segment ends at X.
#pragma once

#include "store/segment.h"

struct segload {
    const struct host *host;
    const char *directory;
    uint64_t number;
    bool later_durable; // a later segment has records
};

// *out is NULL when the files are what was left of a segment that was never used; they are removed.
enum status segload(struct segment **out, const struct segload *load, struct errinfo *err);
