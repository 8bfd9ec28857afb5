// SPDX-License-Identifier: Apache-2.0
// One record of a segment: a fixed head of 64 bytes, the subject, the headers, one CRC-32C for
// every 64 KiB block of the body, the body, and zeros up to a multiple of 8. All numbers are
// little-endian; every record begins at a multiple of 8.
//
//    0 u32 magic            20 u32 head checksum       48 u64 batch start
//    4 u8  type             24 u64 sequence            56 u64 last sequence
//    5 u8  flags            32 i64 time
//    6 u16 subject bytes    40 u64 first live
//    8 u32 record bytes
//   12 u32 headers bytes
//   16 u32 body bytes
//
// The head checksum covers the record's place (segment number and offset), the fixed head (with
// zeros where it stands itself), subject, headers and block checksums. So a part of a large body
// can be read and checked without the rest of it, and the image of a record inside of a body, or
// one written to a wrong place, is none.
#pragma once

#include "base/buf.h"

enum {
    RECORD_HEAD_BYTES = 64,
    RECORD_BLOCK_BYTES = 64 * 1024,
    RECORD_ALIGN = 8,
};

enum record_type {
    RECORD_MESSAGE = 1,
    RECORD_REMOVAL = 2, // of the messages from seq to last_seq
    RECORD_ERASED = 3,  // in the place of a message whose bytes were overwritten
};

enum { RECORD_ERASE = 1 }; // flag of a removal: the removed bytes are to be overwritten

// A decoded fixed head. The lengths agree with each other and with the limits.
struct record {
    uint8_t type;
    uint8_t flags;
    uint16_t subject_bytes;
    uint32_t record_bytes; // all of it, padding included
    uint32_t headers_bytes;
    uint32_t body_bytes;
    uint32_t checksum;
    uint64_t seq;
    int64_t time_ns;
    uint64_t first_live; // of the log when the record was written; lower sequences are gone
    // Where the batch that wrote it begins in this segment: everything before it was synced when
    // this record was written.
    uint64_t batch_start;
    uint64_t last_seq; // of a removal; of a message the same as seq
};

// The place of a record, which its checksum covers.
uint64_t record_place(uint64_t segment_number, uint64_t offset);

// The size of a whole record; 0 when a part is larger than any that was ever written.
uint64_t record_size(size_t subject_bytes, size_t headers_bytes, size_t body_bytes);

// Appends a record. record_bytes, the lengths and the checksum are worked out here.
void record_encode(struct buf *to, const struct record *record, uint64_t place,
                   struct bytes subject, struct bytes headers, struct bytes body);

// Sets first_live of an encoded record and its head checksum anew.
void record_set_first_live(char *encoded, uint64_t place, uint64_t first_live);

// Fills `size` bytes with an erased record that is valid and otherwise zero; offset is where it is
// in the segment of that place.
void record_encode_erased(char *to, size_t size, uint64_t place, uint64_t seq, uint64_t offset);

// The record of an encoded one under another place, batch start and first live.
void record_move(char *encoded, uint64_t place, uint64_t batch_start, uint64_t first_live);

// Decodes a fixed head from its RECORD_HEAD_BYTES; false when magic or lengths make no sense. The
// checksum is not looked at.
bool record_decode(struct record *record, const char *head);

// What stands before the body: head, subject, headers and block checksums.
size_t record_prefix_bytes(const struct record *record);

// Checks the head's checksum over those bytes.
bool record_prefix_valid(const struct record *record, uint64_t place, const char *encoded);

// Checks the blocks of a body from `from` (a multiple of RECORD_BLOCK_BYTES) on; body are the bytes
// from there to the end of a block or of the body. prefix is the record's prefix.
bool record_body_valid(const struct record *record, const char *prefix, size_t from,
                       struct bytes body);

// All of the above over a whole record of record->record_bytes.
bool record_valid(const struct record *record, uint64_t place, const char *encoded);

// Whether the padding behind the body is zero, as it was written.
bool record_padding_valid(const struct record *record, const char *encoded);
