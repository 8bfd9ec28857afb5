// SPDX-License-Identifier: Apache-2.0
#include "store/record.h"

#include "base/assert.h"
#include "base/crc32c.h"
#include "base/le.h"
#include "base/limits.h"

#include <string.h>

#define RECORD_MAGIC UINT32_C(0x52474F41) // "AOGR"

enum {
    CHECKSUM_AT = 20,
    FIRST_LIVE_AT = 40,
    BATCH_START_AT = 48,
    // An erased record has no subject and a body that is longer by it.
    ERASED_EXTRA = 2 * LIMIT_RECORD_SUBJECT_BYTES,
};

static size_t block_count(size_t body_bytes)
{
    return (body_bytes + RECORD_BLOCK_BYTES - 1) / RECORD_BLOCK_BYTES;
}

uint64_t record_place(uint64_t segment_number, uint64_t offset)
{
    return segment_number << 40 ^ offset;
}

uint64_t record_size(size_t subject_bytes, size_t headers_bytes, size_t body_bytes)
{
    const size_t max = LIMIT_RECORD_BYTES + ERASED_EXTRA;
    if (subject_bytes > LIMIT_RECORD_SUBJECT_BYTES || headers_bytes > max || body_bytes > max ||
        headers_bytes + body_bytes > max)
        return 0;
    uint64_t size = RECORD_HEAD_BYTES + subject_bytes + headers_bytes +
                    4 * block_count(body_bytes) + body_bytes;
    return (size + RECORD_ALIGN - 1) / RECORD_ALIGN * RECORD_ALIGN;
}

static void put_head(char *to, const struct record *record)
{
    memset(to, 0, RECORD_HEAD_BYTES);
    le_put32(to, RECORD_MAGIC);
    to[4] = (char)record->type;
    to[5] = (char)record->flags;
    le_put16(to + 6, record->subject_bytes);
    le_put32(to + 8, record->record_bytes);
    le_put32(to + 12, record->headers_bytes);
    le_put32(to + 16, record->body_bytes);
    le_put64(to + 24, record->seq);
    le_put64(to + 32, (uint64_t)record->time_ns);
    le_put64(to + FIRST_LIVE_AT, record->first_live);
    le_put64(to + BATCH_START_AT, record->batch_start);
    le_put64(to + 56, record->last_seq);
}

// The checksum of a prefix, as if its own place held zeros.
static uint32_t prefix_checksum(uint64_t place, const char *encoded, size_t size)
{
    static const char zeros[4];
    char where[8];
    le_put64(where, place);
    uint32_t crc = crc32c(crc32c(0, where, sizeof where), encoded, CHECKSUM_AT);
    crc = crc32c(crc, zeros, sizeof zeros);
    return crc32c(crc, encoded + CHECKSUM_AT + 4, size - CHECKSUM_AT - 4);
}

void record_encode(struct buf *to, const struct record *record, uint64_t place,
                   struct bytes subject, struct bytes headers, struct bytes body)
{
    uint64_t size = record_size(subject.size, headers.size, body.size);
    ASSERT(size != 0);
    char *start = buf_reserve(to, (size_t)size);
    if (start == NULL)
        return;
    struct record head = *record;
    head.subject_bytes = (uint16_t)subject.size;
    head.headers_bytes = (uint32_t)headers.size;
    head.body_bytes = (uint32_t)body.size;
    head.record_bytes = (uint32_t)size;
    put_head(start, &head);
    char *at = start + RECORD_HEAD_BYTES;
    if (subject.size > 0)
        memcpy(at, subject.data, subject.size);
    at += subject.size;
    if (headers.size > 0)
        memcpy(at, headers.data, headers.size);
    at += headers.size;
    for (size_t from = 0; from < body.size; from += RECORD_BLOCK_BYTES, at += 4) {
        struct bytes block = bytes_slice(body, from, RECORD_BLOCK_BYTES);
        le_put32(at, crc32c(0, block.data, block.size));
    }
    le_put32(start + CHECKSUM_AT, prefix_checksum(place, start, (size_t)(at - start)));
    if (body.size > 0)
        memcpy(at, body.data, body.size);
    at += body.size;
    memset(at, 0, (size_t)(start + size - at));
    to->size += (size_t)size;
}

void record_set_first_live(char *encoded, uint64_t place, uint64_t first_live)
{
    record_move(encoded, place, le_get64(encoded + BATCH_START_AT), first_live);
}

void record_move(char *encoded, uint64_t place, uint64_t batch_start, uint64_t first_live)
{
    struct record record;
    bool valid = record_decode(&record, encoded);
    ASSERT(valid);
    le_put64(encoded + FIRST_LIVE_AT, first_live);
    le_put64(encoded + BATCH_START_AT, batch_start);
    le_put32(encoded + CHECKSUM_AT, prefix_checksum(place, encoded, record_prefix_bytes(&record)));
}

void record_encode_erased(char *to, size_t size, uint64_t place, uint64_t seq, uint64_t offset)
{
    // The largest body that fits: its block checksums take room too, so a few bytes may be over,
    // which go to the subject.
    size_t body = size - RECORD_HEAD_BYTES;
    while (RECORD_HEAD_BYTES + 4 * block_count(body) + body > size)
        body--;
    size_t over = size - RECORD_HEAD_BYTES - 4 * block_count(body) - body;
    struct record head = {.type = RECORD_ERASED,
                          .subject_bytes = (uint16_t)over,
                          .record_bytes = (uint32_t)size,
                          .body_bytes = (uint32_t)body,
                          .seq = seq,
                          .batch_start = offset,
                          .last_seq = seq};
    memset(to, 0, size);
    put_head(to, &head);
    char *at = to + RECORD_HEAD_BYTES + over;
    const char *content = at + 4 * block_count(body);
    for (size_t from = 0; from < body; from += RECORD_BLOCK_BYTES, at += 4) {
        size_t block = body - from < RECORD_BLOCK_BYTES ? body - from : RECORD_BLOCK_BYTES;
        le_put32(at, crc32c(0, content + from, block));
    }
    le_put32(to + CHECKSUM_AT, prefix_checksum(place, to, record_prefix_bytes(&head)));
}

bool record_decode(struct record *record, const char *head)
{
    if (le_get32(head) != RECORD_MAGIC)
        return false;
    struct record decoded = {
        .type = (uint8_t)head[4],
        .flags = (uint8_t)head[5],
        .subject_bytes = le_get16(head + 6),
        .record_bytes = le_get32(head + 8),
        .headers_bytes = le_get32(head + 12),
        .body_bytes = le_get32(head + 16),
        .checksum = le_get32(head + CHECKSUM_AT),
        .seq = le_get64(head + 24),
        .time_ns = (int64_t)le_get64(head + 32),
        .first_live = le_get64(head + FIRST_LIVE_AT),
        .batch_start = le_get64(head + BATCH_START_AT),
        .last_seq = le_get64(head + 56),
    };
    if (decoded.type < RECORD_MESSAGE || decoded.type > RECORD_ERASED)
        return false;
    uint64_t expected = record_size(decoded.subject_bytes, decoded.headers_bytes,
                                    decoded.body_bytes);
    if (expected == 0 || decoded.record_bytes != expected)
        return false;
    *record = decoded;
    return true;
}

size_t record_prefix_bytes(const struct record *record)
{
    return RECORD_HEAD_BYTES + (size_t)record->subject_bytes + record->headers_bytes +
           4 * block_count(record->body_bytes);
}

bool record_prefix_valid(const struct record *record, uint64_t place, const char *encoded)
{
    return prefix_checksum(place, encoded, record_prefix_bytes(record)) == record->checksum;
}

bool record_body_valid(const struct record *record, const char *prefix, size_t from,
                       struct bytes body)
{
    const char *sums = prefix + record_prefix_bytes(record) - 4 * block_count(record->body_bytes) +
                       4 * (from / RECORD_BLOCK_BYTES);
    for (size_t at = 0; at < body.size; at += RECORD_BLOCK_BYTES, sums += 4) {
        struct bytes block = bytes_slice(body, at, RECORD_BLOCK_BYTES);
        if (crc32c(0, block.data, block.size) != le_get32(sums))
            return false;
    }
    return true;
}

bool record_valid(const struct record *record, uint64_t place, const char *encoded)
{
    if (!record_prefix_valid(record, place, encoded))
        return false;
    const char *body = encoded + record_prefix_bytes(record);
    return record_body_valid(record, encoded, 0, bytes_of(body, record->body_bytes));
}

bool record_padding_valid(const struct record *record, const char *encoded)
{
    size_t at = record_prefix_bytes(record) + record->body_bytes;
    for (; at < record->record_bytes; at++) {
        if (encoded[at] != 0)
            return false;
    }
    return true;
}
