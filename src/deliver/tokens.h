// SPDX-License-Identifier: Apache-2.0
// Exact o200k_base tokens of text, for budgets, sizes and the ledger. What looks like a special
// token ("<|endoftext|>") is ordinary text. A part that is not valid UTF-8 counts as U+FFFD, one
// for each maximal ill-formed part (see base/utf8.h); NULs are text like any other.
//
// Every function may be called by any thread, blocks on nothing and keeps nothing between calls.
// Memory while a call lasts: up to half a megabyte for speed, which it does without when there is
// none; a quarter of the size of the longest piece (a word, a run of blanks or of punctuation) when
// that has more than BPE_INLINE_BYTES; and for text that is not valid UTF-8 a corrected copy, up to
// 4.5 times as large (all of it replaced, and the room that a buf keeps ahead). The only failure is
// STATUS_NO_MEMORY. Time is linear in the text.
//
// Counts are not additive: a range's exact count is the count of just that range, because a cut
// inside a word or a run changes what is around it. tokens_count is cheap enough to ask for every
// section of a report.
#pragma once

#include "base/buf.h"
#include "base/bytes.h"
#include "base/status.h"

enum status tokens_count(struct bytes text, size_t *count);

struct tokens_token {
    uint32_t id;
    uint32_t size; // bytes of the text, as corrected when it is not valid UTF-8
};

// Called for the tokens in order; anything but STATUS_OK ends the walk and is passed on.
typedef enum status (*tokens_visitor)(void *context, struct tokens_token token);

enum status tokens_encode(struct bytes text, tokens_visitor visit, void *context);

// The longest prefix that cuts no code point (nor ill-formed part) and whose own exact count is at
// most `max`. Merging more bytes can give fewer tokens, so every candidate is counted. Only where
// the limit falls into a single piece of more than 1024 bytes, which is no word of any language,
// does it look no further than 128 bytes behind the last token end that fits.
enum status tokens_prefix(struct bytes text, size_t max, struct bytes *prefix);

// The text as it is counted: itself when it is valid UTF-8, else a copy with every ill-formed part
// replaced, which borrows from `copy`, an initialised buf of the caller's.
enum status tokens_correct(struct bytes text, struct buf *copy, struct bytes *corrected);
