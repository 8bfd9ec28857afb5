// SPDX-License-Identifier: Apache-2.0
// Seeded random numbers and texts for property tests. A failing test prints the seed of the round.
#pragma once

#include "base/bytes.h"
#include "base/utf8.h"

struct rnd {
    uint64_t state;
};

static inline uint64_t rnd_next(struct rnd *rnd)
{
    rnd->state += 0x9e3779b97f4a7c15U;
    uint64_t z = rnd->state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

static inline size_t rnd_below(struct rnd *rnd, size_t bound)
{
    return (size_t)(rnd_next(rnd) % bound);
}

// Mostly ASCII punctuation and letters, now and then any code point at all.
static inline uint32_t rnd_code(struct rnd *rnd)
{
    switch (rnd_below(rnd, 4)) {
    case 0: return (uint32_t) "%/@#.*> \\'\"-_~"[rnd_below(rnd, 14)];
    case 1: return 0x20 + (uint32_t)rnd_below(rnd, 0x5F);
    case 2: return 0xA0 + (uint32_t)rnd_below(rnd, 0x3000);
    default: return 0xE000 + (uint32_t)rnd_below(rnd, 0x110000 - 0xE000);
    }
}

// Writes valid UTF-8 without control characters of at most size_max bytes; returns its size.
static inline size_t rnd_text(struct rnd *rnd, char *out, size_t size_max)
{
    size_t wanted = 1 + rnd_below(rnd, size_max);
    size_t size = 0;
    while (size + 4 <= wanted || size == 0)
        size += utf8_encode(rnd_code(rnd), out + size);
    return size;
}
