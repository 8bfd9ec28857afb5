// SPDX-License-Identifier: Apache-2.0
// How well each section of a report answers a question: BM25 over the sections, words of headings
// weighing more than those of the text, headings of the sections above counting a little. Words are
// split and stemmed by deliver/words.h; a name such as reorderPoint or reorder_point is found by
// its parts too. A few words that reports use for one another (next steps, recommendations) find
// each other, with less weight. Common English words in the question are left out unless it has no
// others.
#pragma once

#include "deliver/outline.h"

enum { RANK_TERMS_MAX = 96, RANK_QUERY_BYTES = 2000 };

struct rank {
    uint32_t count;  // as many as the outline has sections
    double *scores;  // 0 for a section with none of the words
    uint32_t *order; // sections, best first; equal ones as they stand in the report
    uint32_t found;  // how many have a score above 0
};

// Linear in the report. STATUS_USAGE when the question has no word at all.
enum status rank_sections(const struct outlined *source, struct bytes query, struct rank *out,
                          struct errinfo *err);
void rank_fini(struct rank *rank);
