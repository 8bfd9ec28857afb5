// SPDX-License-Identifier: Apache-2.0
// Cuts text into the pieces that are merged into tokens one by one, as o200k_base's regular
// expression does:
//
//     [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:CONTRACTION)?
//     [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:CONTRACTION)?
//     \p{N}{1,3}
//      ?[^\s\p{L}\p{N}]+[\r\n/]*
//     \s*[\r\n]+
//     \s+(?!\S)
//     \s+
//
// where CONTRACTION is one of 's 't 're 've 'm 'll 'd and the first alternative that matches wins.
// Classes are those of Unicode 16.0, and case folds as Unicode says (U+017F is an s), because that
// is what the reference implementation's regular expressions do.
//
// Every alternative starts at the front and nothing looks behind, so the pieces of a text from a
// piece's start on are those of the whole text.
#pragma once

#include "base/bytes.h"

// The size of the piece at the front of text, which is valid UTF-8 and not empty. Takes time
// proportional to the piece and the one behind it.
size_t pretoken_next(struct bytes text);
