// SPDX-License-Identifier: Apache-2.0
// Walking a text by lines. A line ends with LF, CR LF or a lone CR, as CommonMark has it; the last
// one may end with the text. Joined, content and ending of all lines are the text to the byte. A
// walk takes time linear in the text, whatever the mixture of endings.
#pragma once

#include "base/bytes.h"

struct line {
    size_t from;   // offset of the first byte in the text
    size_t size;   // without the ending
    size_t ending; // bytes of the ending: 0 (only at the end of the text), 1 or 2
};

struct lines {
    struct bytes text;
    size_t at;
    size_t next_lf; // offset of the first LF not before at, or text.size
};

void lines_init(struct lines *lines, struct bytes text);

// The next line; false at the end. A text that ends with a line ending has no empty line after it.
bool lines_next(struct lines *lines, struct line *line);

size_t lines_count(struct bytes text);

// The bytes of the lines first to last (from 1, clamped to what there is): *from and *to are
// offsets. False when first is past the last line or 0, or last is before first.
bool lines_range(struct bytes text, size_t first, size_t last, size_t *from, size_t *to);
