// SPDX-License-Identifier: Apache-2.0
// The first 64 bytes of a segment, and of the index beside it, which holds the same values under
// its own magic: so each of the two can stand in for the other.
//
//    0 u32 magic            24 u64 first live          48 u32 content
//    4 u32 format version   32 u64 durable bytes       52 zeros
//    8 u64 generation       40 u64 number              60 u32 checksum of the 60 bytes before
//   16 u64 next sequence
#pragma once

#include "base/bytes.h"

enum { SEGHEADER_BYTES = 64, SEGHEADER_VERSION = 1 };

struct segheader {
    // Counts the rewrites of this segment. An index whose header is not the same is worthless.
    uint64_t generation;
    // Above every sequence given before this segment was made, so that none is given again when
    // all before it is gone.
    uint64_t next_seq;
    uint64_t first_live;
    // Up to here everything was synced before the segment took its name; damage below is damage,
    // never a torn write.
    uint64_t durable_bytes;
    uint64_t number; // that of the file's name
    // A checksum of what a rewrite put into the segment, 0 without one: two attempts at the same
    // generation, with a crash between them, need not be the same.
    uint32_t content;
};

enum segheader_kind { SEGHEADER_SEGMENT, SEGHEADER_INDEX };

enum segheader_result {
    SEGHEADER_VALID,
    SEGHEADER_DAMAGED,
    SEGHEADER_NEWER, // whole, and of a format version this program does not know
};

// What binds the groups of an index to its header: those of an earlier one may still be in the
// file.
uint32_t segheader_mark(const struct segheader *header);

bool segheader_equal(const struct segheader *a, const struct segheader *b);

void segheader_encode(char to[SEGHEADER_BYTES], enum segheader_kind kind,
                      const struct segheader *header);

// Takes the whole file or its beginning; version is set for SEGHEADER_NEWER only, header for
// SEGHEADER_VALID only.
enum segheader_result segheader_decode(struct segheader *header, uint32_t *version,
                                       enum segheader_kind kind, struct bytes from);
