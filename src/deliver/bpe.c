// SPDX-License-Identifier: Apache-2.0
// The encoder that steps back; bpe.h says what it computes and why that is right. The path is kept
// as one bit a token end: the token before a place is found again by its bytes, which costs a
// lookup only when a step back happens.
#include "deliver/bpe.h"

#include "base/assert.h"
#include "deliver/vocab.h"

#include <stdlib.h>
#include <string.h>

enum {
    // Where a token of this length or more may start, the tokens are guessed.
    GUESS_REACH = 32,
    GUESS_EDGE_BYTES = VOCAB_TOKEN_BYTES_MAX, // at the right edge, merging may not see enough
};

// Part of the piece that is a token.
struct part {
    size_t from;
    size_t to;
    uint32_t rank;
};

static bool bit_get(const uint64_t *bits, size_t at)
{
    return (bits[at / 64] >> at % 64 & 1) != 0;
}

static void bit_set(uint64_t *bits, size_t at)
{
    bits[at / 64] |= (uint64_t)1 << at % 64;
}

static void bit_clear(uint64_t *bits, size_t at)
{
    bits[at / 64] &= ~((uint64_t)1 << at % 64);
}

void bpe_init(struct bpe *bpe)
{
    bpe->ends = bpe->small;
    bpe->dead = bpe->small + BPE_INLINE_WORDS;
    bpe->heap_words = 0;
}

void bpe_fini(struct bpe *bpe)
{
    if (bpe->heap_words > 0)
        free(bpe->ends);
    bpe_init(bpe);
}

static enum status make_room(struct bpe *bpe, size_t words)
{
    size_t have = bpe->heap_words > 0 ? bpe->heap_words : BPE_INLINE_WORDS;
    if (words > have) {
        if (words > SIZE_MAX / (2 * sizeof(uint64_t)))
            return STATUS_NO_MEMORY;
        uint64_t *bits = malloc(words * 2 * sizeof *bits);
        if (bits == NULL)
            return STATUS_NO_MEMORY;
        bpe_fini(bpe);
        bpe->ends = bits;
        bpe->dead = bits + words;
        bpe->heap_words = words;
    }
    memset(bpe->ends, 0, words * sizeof *bpe->ends);
    memset(bpe->dead, 0, words * sizeof *bpe->dead);
    return STATUS_OK;
}

static uint32_t find(const char *data, size_t from, size_t to)
{
    return vocab_find(data + from, to - from);
}

// Whether merging the bytes of two neighbouring tokens leaves these two. It takes their merges back
// one by one, latest first, and looks each time whether a merge across the border would have come
// before the one taken back: of a lower rank, or of the same rank but further left.
static bool compatible(const char *data, struct part left, struct part right)
{
    uint32_t limit = VOCAB_NONE;
    for (;;) {
        if (right.to - left.from <= VOCAB_TOKEN_BYTES_MAX &&
            find(data, left.from, right.to) < limit)
            return false;
        if (left.rank > right.rank) {
            size_t split = vocab_split(left.rank);
            if (split == 0) // both are single bytes, whose ranks are the lowest
                return true;
            limit = left.rank;
            left.from += split;
            left.rank = find(data, left.from, left.to);
        } else {
            size_t split = vocab_split(right.rank);
            if (split == 0)
                return true;
            limit = right.rank + 1;
            right.to = right.from + split;
            right.rank = find(data, right.from, right.to);
        }
    }
}

// Guesses the tokens from `at` on.
static void guess_at(struct guess *guess, struct bytes piece, size_t at)
{
    struct bytes window = bytes_slice(piece, at, MERGE_BYTES_MAX);
    merge_window(&guess->merge, window);
    size_t end = window.size;
    if (at + end < piece.size)
        end -= GUESS_EDGE_BYTES;
    size_t kept = 1;
    while (kept < guess->merge.count && guess->merge.starts[kept + 1] <= end)
        kept++;
    guess->from = at;
    guess->to = at + guess->merge.starts[kept];
    guess->next = 0;
}

// The guessed token at this place, if there is one that can follow.
static bool next_guessed(struct bpe *bpe, struct bytes piece, struct part before, struct part *next)
{
    struct guess *guess = &bpe->guess;
    if (before.to < guess->from || before.to >= guess->to)
        return false;
    const uint16_t *starts = guess->merge.starts;
    size_t at = before.to - guess->from;
    while (starts[guess->next] > at)
        guess->next--;
    while (starts[guess->next] < at)
        guess->next++;
    if (starts[guess->next] != at)
        return false;
    size_t end = guess->from + starts[guess->next + 1];
    if (bit_get(bpe->dead, end))
        return false;
    *next = (struct part){before.to, end, find(piece.data, before.to, end)};
    if (before.rank != VOCAB_NONE && !compatible(piece.data, before, *next))
        return false;
    if (guess->used < end)
        guess->used = end;
    return true;
}

// No token that starts at this place is longer.
static size_t reach_at(struct bytes piece, size_t at)
{
    return vocab_reach(piece.data + at, piece.size - at);
}

// The longest token of at most `size` bytes which can follow `before` (rank VOCAB_NONE: nothing is
// before) and whose end is not dead.
static bool next_part(const struct bpe *bpe, struct bytes piece, struct part before, size_t size,
                      struct part *next)
{
    for (; size > 0; size--) {
        size_t end = before.to + size;
        if (bit_get(bpe->dead, end))
            continue;
        struct part part = {before.to, end, find(piece.data, before.to, end)};
        if (part.rank == VOCAB_NONE)
            continue;
        if (before.rank == VOCAB_NONE || compatible(piece.data, before, part)) {
            *next = part;
            return true;
        }
    }
    return false;
}

// The part of the path that ends at `end`; an empty part without rank at the front.
static struct part path_part(const struct bpe *bpe, struct bytes piece, size_t end)
{
    if (end == 0)
        return (struct part){0, 0, VOCAB_NONE};
    size_t from = end - 1;
    while (!bit_get(bpe->ends, from))
        from--;
    return (struct part){from, end, find(piece.data, from, end)};
}

// Nothing can follow the part: where it ends, no token ends. Returns the part before it, and how
// long a token behind that may be.
static struct part step_back(struct bpe *bpe, struct bytes piece, struct part part, size_t *longest)
{
    ASSERT(part.to > 0);
    bit_set(bpe->dead, part.to);
    bit_clear(bpe->ends, part.to);
    struct part before = path_part(bpe, piece, part.from);
    // Of what was searched for, not guessed, all that is longer was refused before it was taken.
    *longest = part.from >= bpe->guess.used ? part.to - part.from - 1 : reach_at(piece, part.from);
    return before;
}

enum status bpe_encode(struct bpe *bpe, struct bytes piece, size_t *count)
{
    enum status status = make_room(bpe, piece.size / 64 + 1);
    if (status != STATUS_OK)
        return status;
    bit_set(bpe->ends, 0);
    bpe->guess.to = 0;
    bpe->guess.used = 0;
    size_t tokens = 0;
    struct part before = {0, 0, VOCAB_NONE};
    size_t longest = reach_at(piece, 0);
    while (before.to < piece.size) {
        struct part next;
        if (longest >= GUESS_REACH && before.to >= bpe->guess.to)
            guess_at(&bpe->guess, piece, before.to);
        if (next_guessed(bpe, piece, before, &next) ||
            next_part(bpe, piece, before, longest, &next)) {
            bit_set(bpe->ends, next.to);
            tokens++;
            before = next;
            longest = reach_at(piece, before.to);
        } else {
            before = step_back(bpe, piece, before, &longest);
            tokens--;
        }
    }
    *count = tokens;
    return STATUS_OK;
}

size_t bpe_token_end(const struct bpe *bpe, size_t at)
{
    do
        at++;
    while (!bit_get(bpe->ends, at));
    return at;
}
