// SPDX-License-Identifier: Apache-2.0
// Making the sections of an outline out of a list of headings or keys: the half that a report and a
// stored outline have in common. Used by outline.c and outline_json.c only.
#pragma once

#include "base/buf.h"
#include "deliver/outline.h"

struct outline_entry {
    unsigned level;
    size_t from;
    size_t title_at; // in titles
    size_t title_size;
};

struct outline_entries {
    struct outline_entry *list;
    size_t count;
    size_t capacity;
    struct buf titles;
    bool truncated;
    bool no_memory;
};

void outline_make_init(struct outline_entries *entries);
void outline_make_fini(struct outline_entries *entries);

// Adds an entry whose title is what the caller appended to titles since title_at. False when the
// list is full or memory ran out.
bool outline_make_add(struct outline_entries *entries, struct outline_entry entry);

// What section "0" is made of.
enum outline_head {
    OUTLINE_HEAD_NONE,     // there is no section "0"
    OUTLINE_HEAD_PREAMBLE, // text without a heading
    OUTLINE_HEAD_TITLE,    // the first entry
};

// Fills everything of the outline but kind, lines and counts. bytes is the size of the report.
enum status outline_make(const struct outline_entries *entries, enum outline_head head,
                         size_t bytes, struct outline *outline);
