// SPDX-License-Identifier: Apache-2.0
// Finding the part of a report that somebody asks for: a section by number, slug or title, a range
// of lines or bytes, a page. Everything is answered as a range of the report's bytes.
#pragma once

#include "deliver/outline.h"

struct section_range {
    size_t from, to; // to is after the last byte
};

// The section that `wanted` names: its number; its slug; its title, whatever the letter case; its
// title without the author's own numbering, when only one has it. STATUS_NOT_FOUND with the nearest
// ones otherwise, or with those that share the name.
enum status section_find(const struct outline *outline, struct bytes wanted, uint32_t *index,
                         struct errinfo *err);

// "A:B" with lines from 1, both included; "A" is one line, "A:" goes to the end, ":B" from the
// start. A range that begins past the end is STATUS_NOT_FOUND and says how many lines there are;
// one that ends past it is cut.
enum status section_lines(struct bytes report, struct bytes text, struct section_range *out,
                          struct errinfo *err);

// The same with byte offsets from 0; B is the offset after the last byte; a single "A" goes to the
// end.
enum status section_bytes(struct bytes report, struct bytes text, struct section_range *out,
                          struct errinfo *err);

// The page of at most tokens_max tokens that begins at offset `from`: whole sections as long as
// they fit, else the beginning of one section, cut at a line where possible. Pages asked for one
// after another, each from the end of the one before, are the report to the byte. STATUS_LIMIT when
// not even one character fits; *out is empty at the end of the report.
enum status section_page(const struct outlined *source, size_t from, size_t tokens_max,
                         token_counter *counter, struct section_range *out, struct errinfo *err);
