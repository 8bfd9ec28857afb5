// SPDX-License-Identifier: Apache-2.0
// The duplicate window: which Nats-Msg-Id was seen with which sequence, forgotten after the window.
#pragma once

#include "base/map.h"

struct dedup_entry {
    struct dedup_entry *newer;
    int64_t time_ns;
    uint64_t seq;
    struct bytes id; // owned, behind the entry
};

struct dedup {
    struct map ids;
    struct dedup_entry *oldest; // in order of time
    struct dedup_entry *newest;
};

void dedup_init(struct dedup *dedup, uint64_t seed);
void dedup_fini(struct dedup *dedup);

uint64_t dedup_find(const struct dedup *dedup, struct bytes id); // sequence, 0 when unknown
enum status dedup_add(struct dedup *dedup, struct bytes id, uint64_t seq, int64_t time_ns);
void dedup_forget_before(struct dedup *dedup, int64_t time_ns);
