// SPDX-License-Identifier: Apache-2.0
// Packing the best sections of a report under a budget of tokens. What is printed is counted as
// printed and never costs more. Sections stand in the order of the report; where some between them
// are left out, a line says so: "[... #2.1 to #2.4 left out, 812 tokens ...]".
//
// Sections are taken best first. One that does not fit into what is left is passed over for a
// smaller one further down; one that is larger than the whole budget is given in pieces. The cursor
// of an answer continues exactly there, with the same question and whatever budget: following
// cursors to the end gives every byte of the report once. With a question, an answer stops where
// only sections without any of its words are left; the cursor still reaches those.
//
// The cursor is one word and means nothing to its reader. It holds a check of report and question,
// so that it is refused for another revision.
#pragma once

#include "base/buf.h"
#include "deliver/outline.h"

enum {
    BUDGET_TOKENS_MIN = 40, // for one line of report and one that says what was left out
    BUDGET_CURSOR_SIZE = 256,
    BUDGET_SKIPPED_MAX = 24, // sections that one chain of answers may pass over
};

struct budget_options {
    size_t tokens_max;
    struct bytes query;  // "" takes sections as they stand
    struct bytes cursor; // of the answer before, or ""
    token_counter *counter;
};

struct budget_answer {
    size_t tokens;                   // of what was appended, exactly
    uint32_t sections;               // that were given, whole or in part
    uint32_t sections_left;          // that were not given yet, by this answer or those before
    size_t tokens_left;              // of them, by the outline's counts
    bool relevant_left;              // one of them has a word of the question
    char cursor[BUDGET_CURSOR_SIZE]; // for the rest; "" when nothing is left
};

// Appends the text. STATUS_USAGE for a budget below the minimum or a question without words,
// STATUS_CONFLICT for a cursor of another report or question. outline must be counted.
enum status budget_pack(const struct outlined *source, const struct budget_options *options,
                        struct buf *out, struct budget_answer *answer, struct errinfo *err);
