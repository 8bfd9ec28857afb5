// SPDX-License-Identifier: Apache-2.0
// One segment of a log: its two files, and in memory what its messages are. Shared by the parts of
// the log; not for use outside of the store.
//
// Invariants
//   slots are in rising order of sequence; the first `published` of them are committed, the rest
//   staged or under way.
//   end >= written: records from written to end are staged or under way.
//   The subjects of slots point into `loaded` or `chunks`, which live as long as the segment.
#pragma once

#include "base/buf.h"
#include "base/errinfo.h"
#include "store/host.h"
#include "store/segheader.h"
#include "store/segindex.h"

enum { SEGMENT_NAME_SIZE = 32, SEGMENT_DIGITS = 16 };

// A message of the segment.
struct slot {
    uint64_t seq;
    int64_t time_ns;
    uint64_t offset;
    const char *subject;
    uint32_t headers_bytes;
    uint32_t body_bytes;
    uint16_t subject_bytes;
    bool dead;   // removed; its record is still there
    bool erased; // and its bytes are overwritten
};

// A removal record of the segment.
struct removal {
    uint64_t first;
    uint64_t last;
    bool erase;
};

// A stretch that could not be read as records when the log was opened.
struct segment_hole {
    uint64_t from;
    uint64_t to;
};

struct segment_chunk; // memory for subjects

struct segment {
    uint64_t number;
    struct segheader header;
    struct host_file *file;       // NULL when it is missing
    struct host_file *index_file; // NULL when it could not be made
    uint64_t end;
    uint64_t written;
    uint64_t reserved; // the file's size
    uint64_t index_end;

    bool sealed;         // takes no more records
    bool needs_trim;     // bytes behind `end` are not known to be zero
    bool index_broken;   // nothing is appended to the index any more; the next open mends it
    bool header_damaged; // the index's copy is in use, or none
    bool has_records;
    bool unmovable;     // a rewrite met damage in it
    uint64_t mended_at; // where the index was found damaged and was made anew; 0 when nowhere
    unsigned pins;      // batches, staged or under way, that write to it

    struct slot *slots;
    size_t count;
    size_t published;
    size_t capacity;
    struct removal *removals;
    size_t removal_count;
    size_t removal_capacity;
    struct segment_hole *holes;
    size_t hole_count;
    size_t hole_capacity;

    uint64_t seq_first; // of the messages whose records are there, dead or alive; 0 when none
    uint64_t seq_last;
    uint64_t live;       // published
    uint64_t live_bytes; // of their records
    uint64_t dead_bytes; // of the records of removed messages
    uint64_t first_live; // the highest that its header or a committed record says
    uint64_t last_given; // the highest sequence that it proves to have been given
    int64_t time_max;
    uint64_t kill_serial; // of the last batch that removes something here
    uint64_t erasures;    // regions overwritten so far, for whoever copies meanwhile

    struct buf loaded; // the index as it was read
    struct segment_chunk *chunks;
};

// "0000000000000001.seg", of `suffix` ".seg", ".idx" or one of these with ".tmp".
void segment_name(char out[SEGMENT_NAME_SIZE], uint64_t number, const char *suffix);

// "<directory>/<name>" in *out; false without memory.
bool segment_path(struct buf *out, const char *directory, const char *name);

struct segment *segment_new(uint64_t number); // NULL without memory
void segment_free(struct segment *segment, const struct host *host);

// Makes the files of a new segment: reserved, its header synced. The caller syncs the directory.
// Nothing stays behind when it fails.
enum status segment_create(struct segment *segment, const struct host *host, const char *directory,
                           const struct segheader *header, uint64_t reserve, struct errinfo *err);

// Begins the index file anew with the segment's header. Failing only marks it as broken.
void segment_index_start(struct segment *segment, const struct host *host, const char *directory);

// Appends whole groups at the index's end.
void segment_index_append(struct segment *segment, const struct host *host, struct bytes groups);

// Room for one more of each, so that adding cannot fail later.
bool segment_grow_slots(struct segment *segment);
bool segment_grow_removals(struct segment *segment);

// Keeps a copy of a subject; NULL without memory.
const char *segment_keep(struct segment *segment, struct bytes subject);

// The record's size of a slot, and the size it counts for in limits.
uint64_t slot_record_bytes(const struct slot *slot);
uint64_t slot_message_bytes(const struct slot *slot);

// Index of the first slot whose sequence is at or above seq (count when there is none).
size_t segment_find(const struct segment *segment, uint64_t seq);

// Adds a committed message, removal or erased record as an index entry describes it. The subject is
// copied when copy is set, else it must live as long as the segment. STATUS_CORRUPT when the entry
// contradicts what is there.
enum status segment_add(struct segment *segment, const struct segindex_entry *entry, bool copy);

// Notes that a message's record lies in the segment.
void segment_note_seq(struct segment *segment, uint64_t seq);

bool segment_add_hole(struct segment *segment, uint64_t from, uint64_t to);

// Marks a slot dead; the counts of published ones follow.
void segment_kill(struct segment *segment, struct slot *slot);

// Forgets dead slots when they are most of what is there.
void segment_compact(struct segment *segment);
