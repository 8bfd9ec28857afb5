// SPDX-License-Identifier: Apache-2.0
// The inside of a log, shared by the msglog_*.c files and by nothing else.
#pragma once

#include "store/msglog.h"
#include "store/segment.h"

enum {
    SEGMENT_BYTES_DEFAULT = 64 * 1024 * 1024,
    // Space is reserved in growing steps, so that an empty log is small and a busy one asks rarely.
    RESERVE_FIRST = 256 * 1024,
    RESERVE_STEP_MAX = 16 * 1024 * 1024,
    // What messages leave free, so that removals still find room on a full disk.
    RESERVE_FOR_REMOVALS = 4096,
};

// What a batch writes to one segment.
struct batch_part {
    struct segment *segment;
    struct host_file *file;
    struct host_file *index_file; // NULL when the index is not kept
    uint64_t offset;
    uint64_t index_offset;
    struct buf bytes;
    struct buf index;
    size_t last_at; // of the last record in bytes
    uint32_t records;
    size_t slots_after; // the segment's slots that are committed with it
    bool index_failed;
};

struct msglog_batch {
    const struct host *host;
    uint64_t serial;
    uint64_t first_live;
    uint64_t last_seq;
    struct batch_part *parts;
    size_t count;
    size_t capacity;
    int failure; // errno of the write
    const char *failed_call;
};

// A record whose bytes are to be overwritten, once the batch that removes it is done.
struct erasure {
    uint64_t segment_number;
    uint64_t generation;
    uint64_t offset;
    uint64_t seq;
    uint64_t serial;
    uint32_t record_bytes;
};

struct msglog {
    const struct host *host;
    char *directory;
    uint64_t segment_bytes;

    struct segment **segments; // in rising order of number
    size_t count;
    size_t capacity;

    uint64_t first_live;    // the oldest message alive, staged ones and removals counted
    uint64_t first_durable; // the same as committed
    uint64_t last_staged;
    uint64_t last_seq;
    uint64_t messages;
    uint64_t bytes;

    struct msglog_batch *staged;
    struct msglog_batch *under_way;
    struct msglog_batch *spare; // kept for its memory
    uint64_t batches_taken;
    uint64_t batches_done;

    struct erasure *erasures;
    size_t erasure_count;
    size_t erasure_capacity;

    struct msglog_reclaim *reclaim; // the one that was taken
    bool read_only;
    struct errinfo reason;
};

// Makes the log read-only with the text of err as reason; returns STATUS_READ_ONLY with it.
enum status msglog_fail(struct msglog *log, struct errinfo *err);

// STATUS_READ_ONLY with the reason when it is.
enum status msglog_writable(const struct msglog *log, struct errinfo *err);

bool msglog_add_segment(struct msglog *log, struct segment *segment);
struct segment *msglog_segment(const struct msglog *log, uint64_t number);

// Begins a new segment behind the others.
enum status msglog_roll(struct msglog *log, struct errinfo *err);

// The committed, living slot of a message and its segment; NULL when there is none.
struct slot *msglog_find(const struct msglog *log, uint64_t seq, struct segment **segment);

// Moves first_live to the first living message at or after it.
void msglog_advance(struct msglog *log);

// Marks what lies in the range dead, which becomes durable with the batch of that serial; with
// erase notes what is to be overwritten then.
enum status msglog_kill(struct msglog *log, uint64_t first, uint64_t last, bool erase,
                        uint64_t serial);

void msglog_batch_free(struct msglog_batch *batch);

// Frees a piece of work that was taken and will not be done.
void msglog_reclaim_abandon(struct msglog *log);

// "cannot <what> <file> of <directory>: <reason>".
enum status msglog_file_error(const struct msglog *log, int failure, const char *what,
                              const struct segment *segment, struct errinfo *err);
