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
    int64_t made;       // the making of the file that was brought up to date; 0 before
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

enum { CATALOG_BATCH_REPORTS = 1000 };

// What is known of a stream: its row in the table.
struct catalog_row {
    int64_t created_ns;
    uint64_t last_seq;
    uint64_t first_seq;
    uint64_t holes; // sequences between the first and the last message that were gone then
    bool known;
};

// One stream on its way up to date.
struct catalog_progress {
    struct catalog *catalog;
    const char *stream;
    struct stream_info info;
    struct catalog_row row;
    struct catalog_update update;
    int64_t batch[CATALOG_BATCH_REPORTS]; // ids of the reports that were added
    size_t batch_reports;
    uint64_t batch_bytes;
    int64_t batch_sections;
    uint64_t until_seq; // where this update ends; 0 before the first batch
    bool bus_failed;    // the failure is the bus's, whatever its status
    bool done;          // the end of the stream was met
};

// Whether the stream is another one by now than the one that was indexed under its name.
bool catalog_is_other_stream(const struct catalog_progress *progress);
// Whether nothing has come and nothing has gone since the row was written.
bool catalog_is_current(const struct catalog_progress *progress);

// Takes out the reports whose messages are gone, everything of a stream that is another one by now,
// and makes the row say so. Within a transaction.
enum status catalog_remove_gone(struct catalog_progress *progress, struct errinfo *err);
enum status catalog_remove_all(struct catalog_progress *progress, struct errinfo *err);

void catalog_copy_text(char *to, size_t size,
                       struct bytes from); // with a NUL, cut where it must be
