// SPDX-License-Identifier: Apache-2.0
// What changed between two revisions of a report, section by section. Sections are the same one
// when they have the same slug; else when their text is the same to the byte; else when all but
// their first line is. Own ranges are compared, so a change in one section is one entry, not one
// for every section above it.
#pragma once

#include "deliver/outline.h"

enum delta_kind {
    DELTA_SAME,
    DELTA_ADDED,
    DELTA_REMOVED,
    DELTA_CHANGED,
    DELTA_MOVED, // the same text at another place among those that stayed
};

struct delta_entry {
    enum delta_kind kind;
    uint32_t before; // section of the older report; not set for DELTA_ADDED
    uint32_t after;  // section of the newer one; not set for DELTA_REMOVED
};

struct delta {
    struct delta_entry *entries; // as they stand in the newer report, removed ones after the one
    uint32_t count;              // they followed
    uint32_t counts[5];          // of each kind
    size_t tokens[5];            // of the newer sections (the older for DELTA_REMOVED)
};

// Time n log n in the sections. Token sums are 0 for outlines without counts.
enum status delta_sections(const struct outlined *before, const struct outlined *after,
                           struct delta *out, struct errinfo *err);
void delta_fini(struct delta *delta);

// "same", "added", "removed", "changed", "moved".
const char *delta_kind_name(enum delta_kind kind);
