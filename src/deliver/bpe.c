// SPDX-License-Identifier: Apache-2.0
// The encoder that steps back; bpe.h says what it computes and why that is right. The path is kept
// as one bit a token end: the token before a place is found again by its bytes, which costs a
// lookup only when a step back happens.
#include "deliver/bpe.h"

#include "base/assert.h"
#include "deliver/vocab.h"

#include <stdlib.h>
#include <string.h>

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

enum status bpe_encode(struct bpe *bpe, struct bytes piece, size_t *count)
{
    enum status status = make_room(bpe, piece.size / 64 + 1);
    if (status != STATUS_OK)
        return status;
    bit_set(bpe->ends, 0);
    size_t tokens = 0;
    struct part before = {0, 0, VOCAB_NONE};
    size_t longest = vocab_reach(piece.data, piece.size);
    while (before.to < piece.size) {
        struct part next;
        if (next_part(bpe, piece, before, longest, &next)) {
            bit_set(bpe->ends, next.to);
            tokens++;
            before = next;
            longest = vocab_reach(piece.data + before.to, piece.size - before.to);
            continue;
        }
        // Nothing can follow: this place is no token end. Go on with what is shorter than the token
        // that led here; what is longer was refused before.
        ASSERT(before.to > 0);
        bit_set(bpe->dead, before.to);
        bit_clear(bpe->ends, before.to);
        tokens--;
        longest = before.to - before.from - 1;
        before = path_part(bpe, piece, before.from);
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
