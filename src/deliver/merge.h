// SPDX-License-Identifier: Apache-2.0
// Merging as byte pair encoding is defined, over a short window: rank by rank, each from left to
// right. It is how bpe.c guesses the next tokens of a long piece. Near the window's right edge,
// what lies behind would have changed the outcome, so a guess is no more than that: the caller
// checks it.
#pragma once

#include "base/bytes.h"

enum { MERGE_BYTES_MAX = 512 };

// The parts that are left: part i is starts[i] up to starts[i + 1], counted from the window's
// start. The memory is the caller's and needs no initialisation.
struct merge {
    size_t count;
    uint16_t starts[MERGE_BYTES_MAX + 1];
    uint32_t ranks[MERGE_BYTES_MAX + 1]; // of parts i and i + 1 together, VOCAB_NONE for no token
};

// Merges a window of 1 to MERGE_BYTES_MAX bytes. Time is proportional to the window times the
// number of different ranks that are merged in it.
void merge_window(struct merge *merge, struct bytes window);
