// SPDX-License-Identifier: Apache-2.0
// The catalog's SQLite file and its statements. Inside this room only.
//
// Tables
//   stream         name, created_ns, last_seq up to which it is indexed, first_seq and the holes
//                  (sequences that were gone between first and last) as they were then
//   report         id (the millisecond it was published, or the next that is free), where its
//                  message is, its names, rev, time, title, how many sections it has, whether it is
//                  its deliverable's latest
//   gone           ids of reports that went while the index still has their sections
//   section_index  FTS5 without contents or sizes, one row a section (catalog/rowid.h), columns
//                  body, report, section, context; the first one costs least to store
//   total          one row: sections of reports that are there, and of those that are gone but
//                  still indexed; a random number that tells one making of the file from the next
//
// Rows of section_index cannot be taken out without the text that was indexed. A row without a
// report is passed over; when they are more than the others, the catalog is built anew.
#pragma once

#include "base/errinfo.h"

#include <sqlite3.h>

enum statement {
    STATEMENT_BEGIN_READ,
    STATEMENT_BEGIN_WRITE,
    STATEMENT_COMMIT,
    STATEMENT_ROLLBACK,
    STATEMENT_STREAM_GET,
    STATEMENT_STREAM_PUT,
    STATEMENT_STREAM_DELETE,
    STATEMENT_STREAM_AFTER,
    STATEMENT_REPORT_TAKEN,
    STATEMENT_REPORT_ADD,
    STATEMENT_REPORT_SUPERSEDE,
    STATEMENT_REPORT_PROMOTE,
    STATEMENT_REPORT_BURY,
    STATEMENT_REPORT_DELETE,
    STATEMENT_REPORT_SEQS,
    STATEMENT_REPORT_GET,
    STATEMENT_SECTION_ADD,
    STATEMENT_SECTION_COUNT,
    STATEMENT_SECTION_MATCH,
    STATEMENT_TOTAL_GET,
    STATEMENT_TOTAL_MADE,
    STATEMENT_TOTAL_ADD,
    STATEMENT_TOTAL_REMOVE,
    STATEMENT_COUNT,
};

enum database_kind {
    DATABASE_FILE,
    DATABASE_READ_ONLY, // the file as it is
    DATABASE_MEMORY,    // nothing could be opened
};

// Called before it is waited for another process that writes the file.
struct database_wait {
    void (*begins)(void *context);
    void *context;
};

struct database {
    sqlite3 *sqlite;
    struct database_wait wait;
    enum database_kind kind;
    int64_t made;    // the number of the making that database_made saw last; 0 before
    bool waited_out; // for other processes, for as long as it is done
    bool mended;     // the file was damaged, and was emptied or left alone, since the open
    sqlite3_stmt *statements[STATEMENT_COUNT];
};

// Opens <home>/catalog/catalog.db, makes it when it is not there, resets it when it is not ours;
// falls back as the kinds say. The database stays at its address until the close.
enum status database_open(struct database *database, const char *home,
                          const struct database_wait *wait, struct errinfo *err);
void database_close(struct database *database); // safe on zeroed memory and when repeated

// Takes everything out, in place: other processes that have it open see an empty one. Where the
// file cannot be written, one in memory takes its place.
enum status database_reset(struct database *database, struct errinfo *err);

// The same for a damaged one, unless another process has done so since database_made.
enum status database_mend(struct database *database, struct errinfo *err);

// The number of this making of the file: another one means that it was emptied in between.
enum status database_made(struct database *database, int64_t *made, struct errinfo *err);

// The statement, reset and without values. Borrowed until the close or a reset.
enum status database_statement(struct database *database, enum statement which,
                               sqlite3_stmt **statement, struct errinfo *err);

// Runs a statement to its end and resets it. Rows are passed over.
enum status database_run(struct database *database, sqlite3_stmt *statement, struct errinfo *err);

// The next row. *row false at the end and after a failure, when the statement is reset.
enum status database_next(struct database *database, sqlite3_stmt *statement, bool *row,
                          struct errinfo *err);

// Runs a statement that takes no values.
enum status database_do(struct database *database, enum statement which, struct errinfo *err);

void database_bind_text(sqlite3_stmt *statement, int at, struct bytes text); // borrowed
struct bytes database_text(sqlite3_stmt *statement, int column); // until the statement goes on
