// SPDX-License-Identifier: Apache-2.0
// Byte pair encoding as it is defined, by merging: slow and obvious, to hold src/deliver/bpe.c
// against. Shared by the unit test and the fuzz target.
#pragma once

#include "base/assert.h"
#include "deliver/vocab.h"

enum { PLAIN_MERGE_BYTES_MAX = 4096 };

struct plain_merge {
    size_t count;
    size_t starts[PLAIN_MERGE_BYTES_MAX + 1]; // of the parts, and behind them the end
};

static inline uint32_t plain_merge_rank(const struct plain_merge *parts, struct bytes piece,
                                        size_t i)
{
    size_t from = parts->starts[i];
    return vocab_find(piece.data + from, parts->starts[i + 2] - from);
}

static inline void plain_merge(struct plain_merge *parts, struct bytes piece)
{
    ASSERT(piece.size <= PLAIN_MERGE_BYTES_MAX);
    parts->count = piece.size;
    for (size_t i = 0; i <= piece.size; i++)
        parts->starts[i] = i;
    for (;;) {
        size_t best = 0;
        uint32_t best_rank = VOCAB_NONE;
        for (size_t i = 0; i + 1 < parts->count; i++) {
            uint32_t rank = plain_merge_rank(parts, piece, i);
            if (rank < best_rank) {
                best = i;
                best_rank = rank;
            }
        }
        if (best_rank == VOCAB_NONE)
            return;
        parts->count--;
        for (size_t i = best + 1; i <= parts->count; i++)
            parts->starts[i] = parts->starts[i + 1];
    }
}
