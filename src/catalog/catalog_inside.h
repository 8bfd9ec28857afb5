// SPDX-License-Identifier: Apache-2.0
// What the files of this room share of an open catalog.
#pragma once

#include "catalog/catalog.h"
#include "catalog/database.h"
#include "deliver/outline.h"

struct catalog {
    struct database database;
    struct read_source source;
    struct buf storage; // of the message that is looked at
    int64_t last_id;    // of the report indexed last of the same stream; 0 for none
};

// Appends the title of a section behind those of the sections above it: "Caching > Redis".
void catalog_title_path(const struct outline *outline, uint32_t index, struct buf *out);

struct catalog_added {
    int64_t id;
    uint32_t sections;
};

// Indexes one report: a row in report, one in section_index for each section. What it changes of
// other rows is the caller's: an update that SQLite may have to undo makes FTS5 write out what it
// has gathered, and halves the speed when it comes with every report.
enum status catalog_add(struct catalog *catalog, const struct report *report,
                        struct catalog_added *added, struct errinfo *err);
