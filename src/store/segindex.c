// SPDX-License-Identifier: Apache-2.0
#include "store/segindex.h"

#include "base/crc32c.h"
#include "base/le.h"
#include "base/limits.h"

#include <string.h>

#define GROUP_MAGIC UINT32_C(0x47474F41) // "AOGG"

enum { CHECKED_FROM = 12 };

size_t segindex_begin(struct buf *to)
{
    static const char zeros[SEGINDEX_GROUP_BYTES];
    size_t start = to->size;
    buf_append(to, bytes_of(zeros, sizeof zeros));
    return start;
}

void segindex_put(struct buf *to, const struct segindex_entry *entry)
{
    char *at = buf_reserve(to, SEGINDEX_ENTRY_BYTES + entry->subject.size);
    if (at == NULL)
        return;
    at[0] = (char)entry->kind;
    at[1] = (char)entry->flags;
    le_put16(at + 2, (uint16_t)entry->subject.size);
    le_put32(at + 4, entry->headers_bytes);
    le_put32(at + 8, entry->body_bytes);
    le_put32(at + 12, entry->record_bytes);
    le_put64(at + 16, entry->offset);
    le_put64(at + 24, entry->seq);
    le_put64(at + 32, entry->kind == RECORD_REMOVAL ? entry->last_seq : (uint64_t)entry->time_ns);
    if (entry->subject.size > 0)
        memcpy(at + SEGINDEX_ENTRY_BYTES, entry->subject.data, entry->subject.size);
    to->size += SEGINDEX_ENTRY_BYTES + entry->subject.size;
}

void segindex_end(struct buf *to, size_t start, uint32_t mark, const struct segindex_group *group)
{
    if (buf_status(to) != STATUS_OK)
        return;
    char *at = to->data + start;
    size_t size = to->size - start;
    le_put32(at, GROUP_MAGIC);
    le_put32(at + 4, (uint32_t)size);
    le_put32(at + 12, group->count);
    le_put64(at + 16, group->covered);
    le_put64(at + 24, group->first_live);
    le_put64(at + 32, group->from);
    le_put32(at + 8, crc32c(mark, at + CHECKED_FROM, size - CHECKED_FROM));
}

bool segindex_next_group(struct bytes *rest, uint32_t mark, struct segindex_group *group)
{
    if (rest->size < SEGINDEX_GROUP_BYTES || le_get32(rest->data) != GROUP_MAGIC)
        return false;
    const char *at = rest->data;
    size_t size = le_get32(at + 4);
    if (size < SEGINDEX_GROUP_BYTES || size > rest->size ||
        crc32c(mark, at + CHECKED_FROM, size - CHECKED_FROM) != le_get32(at + 8))
        return false;
    *group = (struct segindex_group){
        .from = le_get64(at + 32),
        .covered = le_get64(at + 16),
        .first_live = le_get64(at + 24),
        .count = le_get32(at + 12),
        .entries = bytes_of(at + SEGINDEX_GROUP_BYTES, size - SEGINDEX_GROUP_BYTES),
    };
    *rest = bytes_from(*rest, size);
    return true;
}

bool segindex_next_entry(struct bytes *entries, struct segindex_entry *entry)
{
    const char *at = entries->data;
    if (entries->size < SEGINDEX_ENTRY_BYTES)
        return false;
    size_t subject = le_get16(at + 2);
    if (subject > LIMIT_RECORD_SUBJECT_BYTES || entries->size < SEGINDEX_ENTRY_BYTES + subject)
        return false;
    struct segindex_entry found = {
        .kind = (uint8_t)at[0],
        .flags = (uint8_t)at[1],
        .headers_bytes = le_get32(at + 4),
        .body_bytes = le_get32(at + 8),
        .record_bytes = le_get32(at + 12),
        .offset = le_get64(at + 16),
        .seq = le_get64(at + 24),
        .subject = bytes_of(at + SEGINDEX_ENTRY_BYTES, subject),
    };
    if (found.kind < RECORD_MESSAGE || found.kind > RECORD_ERASED)
        return false;
    uint64_t expected = record_size(subject, found.headers_bytes, found.body_bytes);
    if (found.kind == RECORD_MESSAGE && (expected == 0 || found.record_bytes != expected))
        return false;
    if (found.kind == RECORD_REMOVAL)
        found.last_seq = le_get64(at + 32);
    else
        found.time_ns = (int64_t)le_get64(at + 32);
    *entry = found;
    *entries = bytes_from(*entries, SEGINDEX_ENTRY_BYTES + subject);
    return true;
}

bool segindex_blank(char *groups, size_t size, uint32_t mark, uint64_t offset)
{
    struct bytes rest = bytes_of(groups, size);
    struct segindex_group group;
    bool found = false;
    while (segindex_next_group(&rest, mark, &group)) {
        struct segindex_entry entry;
        char *entries = groups + (group.entries.data - groups);
        char *head = entries - SEGINDEX_GROUP_BYTES;
        size_t group_size = SEGINDEX_GROUP_BYTES + group.entries.size;
        bool here = false;
        while (segindex_next_entry(&group.entries, &entry)) {
            if (entry.kind != RECORD_MESSAGE || entry.offset != offset)
                continue;
            memset(groups + (entry.subject.data - groups), 0, entry.subject.size);
            here = true;
        }
        if (here)
            le_put32(head + 8, crc32c(mark, head + CHECKED_FROM, group_size - CHECKED_FROM));
        found = found || here;
    }
    return found;
}
