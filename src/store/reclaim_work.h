// SPDX-License-Identifier: Apache-2.0
// A piece of reclaiming work, shared by the file that takes and finishes it on the owner's thread
// and the one that rewrites a segment on any thread.
#pragma once

#include "store/segment.h"

enum reclaim_result { RECLAIM_DONE, RECLAIM_FAILED, RECLAIM_DAMAGED };

// A record on its way to the new file.
struct copied {
    uint64_t seq;
    uint64_t offset;
    uint32_t record_bytes;
};

struct msglog_reclaim {
    const struct host *host;
    bool rewrite; // else the segment is dropped
    struct host_file *file;
    uint64_t number;
    uint64_t erasures; // of the segment when the work was taken
    struct segheader header;
    struct copied *copies;
    size_t copy_count;
    struct removal *removals;
    size_t removal_count;
    struct buf path; // of the two files and of what they are made as
    struct buf temporary;
    struct buf index_path;
    struct buf index_temporary;
    // What run gives.
    enum reclaim_result result;
    int failure;
    uint64_t damaged_seq;
    struct segment *made; // its slots have no subjects yet
};
