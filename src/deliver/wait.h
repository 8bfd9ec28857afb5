// SPDX-License-Identifier: Apache-2.0
// Waiting for deliverables: look first, then follow from where was looked. What was published
// before or during the wait, by whatever process, is never missed.
#pragma once

#include "deliver/read.h"

enum { WAIT_REFS_MAX = 64 };

struct wait_request {
    const struct ref *refs;
    size_t count;
    size_t quorum;      // how many must be there: count for all, 1 for any
    uint64_t after_rev; // only revisions above this one
    bool any_status;    // else only `status`
    enum notice_status status;
    int64_t timeout_ms; // -1 without end
};

// Called once for each ref that is there, as soon as it is; views are borrowed for the call.
typedef enum status (*wait_visit)(void *context, size_t index, const struct report *report);

// STATUS_OK when the quorum is there; STATUS_TIMEOUT names what is missing.
enum status wait_for(const struct read_source *source, const struct wait_request *request,
                     wait_visit visit, void *context, struct errinfo *err);

// Following all deliverables that match, from now on or from a cursor ("stream=seq,..."), which
// names the last message seen of each stream.
struct wait_watch;
enum status wait_watch_open(const struct read_source *source, const struct read_filter *filter,
                            struct bytes cursor, struct wait_watch **out, struct errinfo *err);
enum status wait_watch_next(struct wait_watch *watch, int64_t timeout_ms, struct buf *storage,
                            struct report *report, struct errinfo *err);
// The cursor behind everything that was given. Borrowed until the next call.
const char *wait_watch_cursor(struct wait_watch *watch);
void wait_watch_close(struct wait_watch *watch);
