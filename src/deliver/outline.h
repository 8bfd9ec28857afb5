// SPDX-License-Identifier: Apache-2.0
// The structure of a report: its sections, each with a number, a slug and a title by which it is
// asked for, and the bytes and lines where it stands.
//
// Sections tile the report: the own ranges of all sections, joined in order, are the report to the
// byte. A section's own range ends where the next section begins, whichever it is; asked for by
// name, a section is its own range and those of the sections below it.
//
// Markdown: a section is a heading at the top level of the document (deliver/markdown.h). Numbers
// count by nesting: "2", "2.1", "2.1.3". Section "0" is what stands before section "1": the front
// matter, the text before the first heading, and, in a report whose first heading is its only one
// of level 1, that title and the text under it. So "2" is the second chapter of an ordinary report,
// and the title is not a section that holds everything.
// JSON (an object or array): a section is a key whose value may have sections below, or an element
// of an array that is an object or array, to a nesting of six. "0" is what stands before the first.
// Anything else is one section, "0".
//
// Slugs are made as GitHub makes anchors: lower case, blanks to '-', punctuation left out; the
// second of the same name ends in "-1". A slug of digits only would look like a number and gets
// "s-" before it. All text here is one line of UTF-8 without control characters.
#pragma once

#include "base/bytes.h"
#include "base/errinfo.h"
#include "deliver/counter.h"

enum outline_kind { OUTLINE_TEXT, OUTLINE_MARKDOWN, OUTLINE_JSON };

enum {
    OUTLINE_LEVEL_MAX = 6,
    OUTLINE_SECTIONS_MAX = 100001, // 100,000 headings and what stands before them
    OUTLINE_SLUG_BYTES = 100,      // before "-1"
};

#define OUTLINE_NO_PARENT UINT32_MAX

struct outline_section {
    struct bytes number;
    struct bytes slug;
    struct bytes title;  // "" for text without a heading
    unsigned level;      // of the heading, or the nesting of the key, from 1; 0 without either
    uint32_t parent;     // index of the section above, or OUTLINE_NO_PARENT
    uint32_t end;        // index after the last section below; its own index + 1 without any
    size_t from, to;     // own bytes, to is after the last
    size_t line;         // where the first byte stands, from 1
    size_t tokens;       // of the own range
    size_t tokens_whole; // with the sections below
};

struct outline {
    enum outline_kind kind;
    size_t bytes;
    size_t lines;
    size_t tokens;  // of the whole report
    bool counted;   // the token counts are set
    bool truncated; // more headings than OUTLINE_SECTIONS_MAX: the last section has the rest
    uint32_t count;
    struct outline_section *sections;
    char *text; // owns every number, slug and title
};

// A report beside its outline, for the functions that read by structure.
struct outlined {
    const struct outline *outline;
    struct bytes report;
};

// Time and memory linear in the report. STATUS_LIMIT above LIMIT_REPORT_BYTES, STATUS_NO_MEMORY.
enum status outline_build(struct bytes report, struct outline *out, struct errinfo *err);
void outline_fini(struct outline *outline); // safe on zeroed memory and when repeated

// Counts every section, its whole range, and the report. Exact also for whole ranges: counts are
// added only where o200k's splitting of the joined text cannot differ.
enum status outline_count(struct outline *outline, struct bytes report, token_counter *counter);

// The bytes of a section with everything below it: *to is after the last.
void outline_whole(const struct outline *outline, uint32_t index, size_t *from, size_t *to);

// The section in whose own range the byte stands (the last one for offsets past the end); count
// must not be 0.
uint32_t outline_at(const struct outline *outline, size_t offset);
