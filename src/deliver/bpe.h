// SPDX-License-Identifier: Apache-2.0
// Byte pair encoding of one piece: the tokens that remain when, again and again, the leftmost of
// the neighbouring pairs whose bytes make the token of lowest rank is merged into that token.
//
// It is not computed by merging, which takes more than linear time or a heap of many times the
// piece. What merging leaves has two properties that decide it: any two neighbours are compatible
// (merging the bytes of the two alone leaves just these two), and a sequence of tokens whose
// neighbours are all compatible is the only one of its text. So the encoder walks from the left,
// takes a token that is compatible with the one before it, the longest first, and steps back when
// it finds none; a place that it stepped back from is never tried again. That is the method of the
// bpe library in github/rust-gems; the tests hold it against plain merging.
//
// The order in which tokens are tried decides nothing but the time. Longest first is right at once
// in nearly all text, and wrong nearly everywhere in a run of dashes: there are tokens of most
// lengths up to 128, but merging makes 64s. So where long tokens may start, what merging a window
// (deliver/merge.h) makes of the next bytes is tried before all others.
//
// Time is proportional to the piece (times at most the length of the longest token), memory is two
// bits for each byte of the piece.
#pragma once

#include "base/bytes.h"
#include "base/status.h"
#include "deliver/merge.h"

enum { BPE_INLINE_BYTES = 1000, BPE_INLINE_WORDS = BPE_INLINE_BYTES / 64 + 1 };

// What merging a window of the piece makes likely.
struct guess {
    size_t from; // of the window in the piece
    size_t to;   // end of the tokens that count as guessed
    size_t next; // the one that was looked at last
    size_t used; // end of the last token that came from a guess, in this encoding
    struct merge merge;
};

// The memory of encodings, made anew or grown by each. After a successful encoding, `ends` has a
// bit for each byte of the piece behind which a token ends (bit 0 stands for no bytes).
struct bpe {
    uint64_t *ends;
    uint64_t *dead;
    size_t heap_words; // of each of the two when they are on the heap, else 0
    struct guess guess;
    uint64_t small[2 * BPE_INLINE_WORDS];
};

void bpe_init(struct bpe *bpe); // allocates nothing
void bpe_fini(struct bpe *bpe);

// Encodes a piece, which is not empty, and says how many tokens it has. Fails only with
// STATUS_NO_MEMORY, and never for a piece of up to BPE_INLINE_BYTES.
enum status bpe_encode(struct bpe *bpe, struct bytes piece, size_t *count);

// The end of the token that starts at `at` in the piece encoded last.
size_t bpe_token_end(const struct bpe *bpe, size_t at);
