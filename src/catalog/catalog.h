// SPDX-License-Identifier: Apache-2.0
// Search over all stored reports, section by section.
//
// The catalog is a projection of the agents' streams: one SQLite file, <home>/catalog/catalog.db,
// that holds nothing of its own. It can be deleted at any time. What is missing is indexed at the
// next update; a file that is damaged or of another version is emptied and filled again, without an
// error. It keeps words, not texts: a hit's text is read from its stream.
//
// While it works on its file for long, or waits for others who do, it lets go of the bus
// (bus_rest), so that nobody who publishes waits for an index.
//
// Several processes may update and search at once: an update holds SQLite's write lock for a batch
// at a time, and searching goes on beside it. One catalog is used by one thread at a time. Every
// call may block on the disk.
#pragma once

#include "deliver/read.h"

struct catalog;

// Opens, or makes, the catalog of a home; the source is borrowed until the close. Where nothing can
// be written, what is there is used as it is; where nothing is there either, the index is made in
// memory and forgotten at the close. STATUS_NO_MEMORY.
enum status catalog_open(const char *home, const struct read_source *source, struct catalog **out,
                         struct errinfo *err);
void catalog_close(struct catalog *catalog); // takes NULL

struct catalog_update {
    uint64_t added;   // reports
    uint64_t removed; // whose message is gone
    uint64_t damaged; // messages that cannot be read, and are left out
    bool in_memory;   // the index could not be kept: it was made anew and is forgotten
};

// Brings the catalog up to the streams. Costs next to nothing when nothing is new. When it fails,
// what was indexed stays, searching works on that, and err says what is missing: STATUS_BUSY (other
// processes are writing), STATUS_NO_SPACE, STATUS_READ_ONLY, STATUS_IO, or the bus's own. update
// may be NULL; it is filled in also on failure.
enum status catalog_update(struct catalog *catalog, struct catalog_update *update,
                           struct errinfo *err);

enum {
    CATALOG_LIMIT_DEFAULT = 10,
    CATALOG_LIMIT_MAX = 1000,
    // Of a query that matches more sections than this, the newest so many are ranked.
    CATALOG_RANKED_MAX = 10000,
    CATALOG_SNIPPET_BYTES = 200,
};

// Empty parts and zeroes take everything.
struct catalog_query {
    struct bytes text; // words, "phrases", word*, a OR b, -word (catalog/query.h)
    struct bytes agent;
    struct bytes type;
    struct bytes feature; // exact, or its beginning with a '*' at the end
    int64_t since_ns;     // published at or after
    int64_t until_ns;     // published before
    bool all_revisions;   // not only the latest of each deliverable
    size_t limit;         // 0 is CATALOG_LIMIT_DEFAULT
    size_t offset;        // hits to pass over
};

struct catalog_hit {
    struct ref ref; // with its revision and the section's number
    double score;   // higher is better; comparable within one answer
    struct bytes report_title;
    struct bytes section_title; // with the titles above it: "Caching > Redis"; may be ""
    struct bytes snippet;       // one line, what matched in *asterisks*; "" for an empty section
    size_t tokens;              // of the section with everything below it
    int64_t time_ns;
    bool latest; // no newer revision is published
};

// Best first; equal ones newest first. Views are borrowed for the call.
typedef enum status (*catalog_visit)(void *context, const struct catalog_hit *hit);

struct catalog_found {
    uint64_t matches; // sections that match and pass the filters
    bool more;        // there are more than CATALOG_RANKED_MAX: matches is that number
    uint64_t gone;    // hits that retention took since the last update; they are not shown
    uint64_t damaged; // hits whose report cannot be read; they are not shown
    bool mended;      // the file was damaged since the open, and was made anew
    bool incomplete;  // other processes were making the file anew all the time: sections may lack
};

// STATUS_USAGE for a query without words (catalog/query.h), or what visit returns.
enum status catalog_search(struct catalog *catalog, const struct catalog_query *query,
                           catalog_visit visit, void *context, struct catalog_found *found,
                           struct errinfo *err);
