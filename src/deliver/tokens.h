// SPDX-License-Identifier: Apache-2.0
// Exact o200k_base tokens of text, for budgets, sizes and the ledger. What looks like a special
// token ("<|endoftext|>") is ordinary text. A part that is not valid UTF-8 counts as U+FFFD, one
// for each maximal ill-formed part (see base/utf8.h); NULs are text like any other.
//
// Every function may be called by any thread, blocks on nothing and keeps nothing between calls.
// None needs memory for valid text whose pieces (words, runs of blanks or of punctuation) have at
// most BPE_INLINE_BYTES; a longer piece needs a quarter of its size while the call lasts, and text
// that is not valid UTF-8 a corrected copy, at most three times as large. The only failure is
// STATUS_NO_MEMORY.
//
// Counts are not additive: a range's exact count is the count of just that range, because a cut
// inside a word or a run changes what is around it. tokens_count is cheap enough to ask for every
// section of a report.
#pragma once

#include "base/bytes.h"
#include "base/status.h"

enum status tokens_count(struct bytes text, size_t *count);

struct tokens_token {
    uint32_t id;
    uint32_t size; // bytes of the text, corrected where it was not valid UTF-8
};

// Called for the tokens in order; anything but STATUS_OK ends the walk and is passed on.
typedef enum status (*tokens_visitor)(void *context, struct tokens_token token);

enum status tokens_encode(struct bytes text, tokens_visitor visit, void *context);

// The longest prefix that cuts no code point (nor ill-formed part) and whose own exact count is at
// most `max`. Behind a cut in the middle of a piece longer than 256 bytes a still longer prefix
// could exist in theory, since merging more bytes can give fewer tokens: there the search stops 256
// bytes behind the last token end that fits.
enum status tokens_prefix(struct bytes text, size_t max, struct bytes *prefix);
