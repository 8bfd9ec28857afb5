// SPDX-License-Identifier: Apache-2.0
// The longest beginning of a text that costs no more than so many tokens, ending at a line where
// possible, else at a word, else at a code point.
#pragma once

#include "base/bytes.h"
#include "deliver/counter.h"

// *size is set to the size of that beginning, counted exactly; 0 when not even one code point fits.
enum status cut_to_tokens(struct bytes text, size_t tokens_max, token_counter *counter,
                          size_t *size);
