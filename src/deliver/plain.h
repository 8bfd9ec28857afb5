// SPDX-License-Identifier: Apache-2.0
// Plain text for titles, summaries and snippets: one line, without Markdown marks, raw HTML,
// control and direction characters; white space and line ends become single blanks, invalid UTF-8
// becomes U+FFFD. What goes in may be anything; only so many bytes of it are looked at that cmark's
// inline parser, which is not linear, cannot be made slow.
#pragma once

#include "base/buf.h"

enum {
    PLAIN_LINE_BYTES = 2048,  // of one line of Markdown that are looked at
    PLAIN_PIECE_BYTES = 8192, // of a piece of a report that are looked at
};

// Appends text that is not Markdown, cleaned.
void plain_clean(struct bytes text, struct buf *out);

// Appends the plain text of one line of Markdown, such as a heading without its marks.
void plain_line(struct bytes source, struct buf *out);

// Appends the plain text of the first running text in a piece of Markdown: its first paragraph that
// is more than labels ("Agent: Roy"), ids and links, and, when that ends in a colon or when there
// is none, the list that follows, items divided by "; ". Headings, code, tables and HTML are passed
// over. Appends nothing when there is no such text.
void plain_first_text(struct bytes piece, struct buf *out);

// Cuts one line of text to at most bytes_max bytes: after the last whole sentence when that keeps
// at least a third, else after the last word, with "…" to say so. Text that fits is not changed.
// The result is written to out (bytes_max + 1 bytes) with a NUL; returns its size.
size_t plain_shorten(struct bytes text, size_t bytes_max, char *out);

// The first sentences of one line of text that fit in bytes_max bytes, whole; the first one is
// shortened when it alone does not fit. Written as by plain_shorten.
size_t plain_sentences(struct bytes text, size_t bytes_max, char *out);
