// SPDX-License-Identifier: Apache-2.0
// Memory that is given back all at once: many small pieces with one life, such as a request or a
// configuration. Like a buf it has a hard maximum given at init, so that what grows with somebody
// else's input is bounded in one place. A piece is aligned for every type and filled with zeros.
#pragma once

#include "base/bytes.h"

struct arena_block;

struct arena {
    struct arena_block *blocks; // the newest first
    size_t used;                // handed out so far, with what alignment took
    size_t max;
};

void arena_init(struct arena *arena, size_t max); // allocates nothing
void arena_fini(struct arena *arena);             // safe on zeroed memory and when repeated

// NULL when memory runs out or the maximum is met; arena_full tells the two apart.
void *arena_alloc(struct arena *arena, size_t size);
bool arena_full(const struct arena *arena, size_t size);

// A copy with a NUL behind it, which size does not count; data is NULL when there is no room.
struct bytes arena_copy(struct arena *arena, struct bytes text);
