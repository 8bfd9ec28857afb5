// SPDX-License-Identifier: Apache-2.0
// Messages that expire on their own (Nats-TTL, ADR-43): when which one does, as a heap. It is kept
// in memory alone, and made from the messages' headers when a stream that allows it is opened.
#pragma once

#include "base/bytes.h"
#include "base/errinfo.h"

struct ttl_entry {
    int64_t at_ns;
    uint64_t seq;
};

struct ttl_heap {
    struct ttl_entry *entries;
    size_t count;
    size_t capacity;
};

void ttl_fini(struct ttl_heap *heap);
enum status ttl_add(struct ttl_heap *heap, uint64_t seq, int64_t at_ns);
int64_t ttl_next(const struct ttl_heap *heap); // INT64_MAX when nothing expires
uint64_t ttl_take(struct ttl_heap *heap);      // the one that expires first; there is one

// What a Nats-TTL header says: whole seconds, or a length of time as "1h30m" or "90s", at least one
// second; "never" is 0. STATUS_INVALID (10165) for anything else.
enum status ttl_parse(struct bytes text, int64_t *ttl_ns, struct errinfo *err);
