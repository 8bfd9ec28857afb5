// SPDX-License-Identifier: Apache-2.0
// The index beside a segment: a header (see segheader.h) and groups of entries, one group for each
// batch, appended after the segment was synced. It is never synced itself: what is missing at its
// end is found by scanning the segment from where the last whole group ends.
//
// A group: 40 bytes of head and its entries.
//    0 u32 magic                  16 u64 covered: the segment is described up to here
//    4 u32 group bytes            24 u64 first live
//    8 u32 checksum of what       32 u64 from: what it describes begins here
//      follows it in the group
//   12 u32 entries
//
// An entry: 40 bytes and the subject of a message.
//    0 u8  kind (a record_type)    8 u32 body bytes      24 u64 sequence
//    1 u8  flags of the record    12 u32 record bytes    32 i64 time; of a removal u64 last
//    2 u16 subject bytes          16 u64 offset
//    4 u32 headers bytes
#pragma once

#include "store/record.h"

enum { SEGINDEX_GROUP_BYTES = 40, SEGINDEX_ENTRY_BYTES = 40 };

// A group counts only when it begins where the one before it ends: what was not synced may be lost
// in the middle, and older groups may stand in its place. One that only marks what was erased has 0
// for both ends.
struct segindex_group {
    uint64_t from;
    uint64_t covered;
    uint64_t first_live;
    uint32_t count;
    struct bytes entries;
};

struct segindex_entry {
    uint8_t kind;
    uint8_t flags;
    uint32_t headers_bytes;
    uint32_t body_bytes;
    uint32_t record_bytes;
    uint64_t offset;
    uint64_t seq;
    int64_t time_ns;   // of a message
    uint64_t last_seq; // of a removal
    struct bytes subject;
};

// The checksum of a group covers `mark` too, the segheader_mark of the index it is in.
//
// Begins a group at the end of the buf; segindex_end finishes the one that begins at `start`.
size_t segindex_begin(struct buf *to);
void segindex_put(struct buf *to, const struct segindex_entry *entry);
void segindex_end(struct buf *to, size_t start, uint32_t mark, const struct segindex_group *group);

// Takes the first group off *rest; false when there is none that is whole and undamaged.
bool segindex_next_group(struct bytes *rest, uint32_t mark, struct segindex_group *group);

// Takes the first entry off *entries; false at the end or when it makes no sense.
bool segindex_next_entry(struct bytes *entries, struct segindex_entry *entry);

// Overwrites the subject of the message whose record stands at `offset` with zeros, in groups that
// lie in `groups`, and mends the checksum of the group it is in. False when it is not listed.
bool segindex_blank(char *groups, size_t size, uint32_t mark, uint64_t offset);
