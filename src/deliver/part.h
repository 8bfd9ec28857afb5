// SPDX-License-Identifier: Apache-2.0
// Reading a part of a stored report: what `agog fetch` prints. An answer always says what it cost
// in tokens, exactly as printed, and what is left; no more of the report is read from the store
// than the part takes, where that can be known from the outline.
#pragma once

#include "deliver/budget.h"
#include "deliver/grep.h"
#include "deliver/read.h"

enum part_kind {
    PART_WHOLE,
    PART_OUTLINE,
    PART_SUMMARY,
    PART_SECTIONS,
    PART_LINES,
    PART_BYTES,
    PART_GREP,
    PART_BUDGET,
    PART_PAGE,
    PART_SINCE,
};

enum {
    PART_SECTIONS_MAX = 64,
    PART_WHAT_SIZE = 512,
    PART_DEPTH_DEFAULT = 2,
    PART_PAGE_TOKENS = 2000
};

struct part_request {
    enum part_kind kind;
    unsigned depth;               // PART_OUTLINE: levels shown
    const struct bytes *sections; // PART_SECTIONS
    size_t section_count;
    struct bytes range;       // PART_LINES, PART_BYTES: "A:B"
    struct grep_options grep; // PART_GREP
    struct bytes query;       // PART_BUDGET: the question, or ""
    struct bytes cursor;      // PART_BUDGET: of the answer before, or ""
    size_t tokens_max;        // PART_BUDGET, PART_PAGE
    uint64_t page;            // PART_PAGE: from 1
    uint64_t since_rev;       // PART_SINCE
};

struct part_answer {
    struct buf text;
    size_t tokens;             // of text, exactly
    size_t tokens_left;        // of the report, that this answer does not give
    bool complete;             // nothing is left out
    char what[PART_WHAT_SIZE]; // which part, for the receipt: "whole", "outline", "#2.1 #3"
    char rest[PART_WHAT_SIZE]; // options of the command that goes on; "" when nothing does
};

void part_answer_fini(struct part_answer *answer);

// Reads a part of a report whose head has been read into storage. Errors name what was asked for
// and what there is: STATUS_NOT_FOUND for a section or range, STATUS_USAGE for a bad pattern or
// budget, STATUS_CONFLICT for a cursor of another revision.
enum status part_read(const struct read_source *source, struct report *report, struct buf *storage,
                      const struct part_request *request, struct part_answer *answer,
                      struct errinfo *err);
