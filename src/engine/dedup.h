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

// In two steps, so that a message is never stored whose id could not be kept: prepare may find no
// memory, put cannot. An entry that is not put is freed with free. Of two entries with one id (the
// window was shorter once) the later counts.
enum status dedup_prepare(struct dedup *dedup, struct bytes id, struct dedup_entry **entry);
void dedup_put(struct dedup *dedup, struct dedup_entry *entry, uint64_t seq, int64_t time_ns);

void dedup_forget_before(struct dedup *dedup, int64_t time_ns);
