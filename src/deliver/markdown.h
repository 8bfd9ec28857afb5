// SPDX-License-Identifier: Apache-2.0
// Where the headings of a report stand, as cmark-gfm sees it.
//
// Structure comes from cmark's block phase with the table extension, fed line by line; inlines are
// never parsed for it. cmark's time and memory are not linear on hostile input, so five things are
// bounded before cmark sees a line, none of which makes or hides a heading of an honest report:
//   - the run of blanks and container marks ("> - 1.") that begins a line counts up to 64 columns,
//     which bounds nesting, the factor that cmark pays for every line;
//   - of a run of blank lines the first three are fed;
//   - finished blocks are harvested and freed while the report is fed, so that memory is that of
//     the block in progress;
//   - one paragraph may try 8 table delimiter rows of up to 128 columns within 64 KiB;
//   - tables may have a million cells in all; from then on they are paragraphs.
// Time is then linear in the report. Line numbers are our own, so that CR LF, lone CR, a byte order
// mark, NUL and invalid UTF-8 cannot shift an offset.
#pragma once

#include "base/bytes.h"

// A heading at the top level of the report: not one in a quote, a list, code, HTML or front matter.
struct markdown_heading {
    unsigned level;      // 1 to 6
    size_t from;         // offset of the first byte of its first line
    struct bytes source; // its text as Markdown; borrowed for the call
};

// Returns false to stop the walk.
typedef bool markdown_on_heading(void *context, const struct markdown_heading *heading);

// Registers cmark's extensions, once in a process, from any thread. The functions of this file do
// it by themselves.
void markdown_ready(void);

// Calls on_heading for each heading in order. cmark ends the process when memory runs out.
void markdown_walk_headings(struct bytes report, markdown_on_heading *on_heading, void *context);

// The size of the YAML front matter, its closing line included, at the start of the report (after a
// byte order mark); 0 without one.
size_t markdown_front_matter(struct bytes report);
