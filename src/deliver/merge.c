// SPDX-License-Identifier: Apache-2.0
// One pass a rank instead of one search a merge: a merge only makes pairs of higher ranks than its
// own (a lower one would have been merged already), so all pairs of the lowest rank can go at once.
// A run of one character, the slowest text for one merge at a time, takes a handful of passes.
#include "deliver/merge.h"

#include "base/assert.h"
#include "deliver/vocab.h"

// A pair that changed and was not looked up since. VOCAB_NONE is the only greater value.
static const uint32_t changed = VOCAB_NONE - 1;

// Looks up what changed and returns the lowest rank of all pairs.
static uint32_t lowest_rank(struct merge *merge, const char *data)
{
    uint32_t lowest = VOCAB_NONE;
    for (size_t i = 0; i + 1 < merge->count; i++) {
        uint32_t rank = merge->ranks[i];
        if (rank == changed) {
            size_t from = merge->starts[i];
            size_t size = merge->starts[i + 2] - from;
            rank = size > VOCAB_TOKEN_BYTES_MAX ? VOCAB_NONE : vocab_find(data + from, size);
            merge->ranks[i] = rank;
        }
        if (rank < lowest)
            lowest = rank;
    }
    return lowest;
}

// Merges the pairs of this rank from left to right, and closes the gaps.
static void merge_rank(struct merge *merge, uint32_t rank)
{
    size_t from = 0;
    while (merge->ranks[from] != rank)
        from++;
    size_t to = from;
    while (from < merge->count) {
        bool merges = from + 1 < merge->count && merge->ranks[from] == rank;
        merge->starts[to] = merge->starts[from];
        merge->ranks[to] = merges ? changed : merge->ranks[from];
        if (merges) {
            // The pair of the part before with this one is another one now.
            if (to > 0)
                merge->ranks[to - 1] = changed;
            // The merged part takes its right half's pair along, which changed as well.
            from++;
        }
        from++;
        to++;
    }
    merge->starts[to] = merge->starts[merge->count];
    merge->count = to;
}

void merge_window(struct merge *merge, struct bytes window)
{
    ASSERT(window.size > 0 && window.size <= MERGE_BYTES_MAX);
    merge->count = window.size;
    for (size_t i = 0; i <= window.size; i++) {
        merge->starts[i] = (uint16_t)i;
        merge->ranks[i] = changed;
    }
    for (;;) {
        uint32_t rank = lowest_rank(merge, window.data);
        if (rank == VOCAB_NONE)
            return;
        merge_rank(merge, rank);
    }
}
