// SPDX-License-Identifier: Apache-2.0
// Reads every byte of a log and names what is not as it was written.
#include "store/msglog_inside.h"

#include "store/segscan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct checking {
    const struct msglog *log;
    struct segment *segment;
    struct segscan scan;
    msglog_report report;
    void *context;
};

static void tell(const struct checking *checking, const char *suffix, uint64_t seq, uint64_t offset,
                 const char *text)
{
    char name[SEGMENT_NAME_SIZE];
    segment_name(name, checking->segment->number, suffix);
    struct msglog_damage damage = {.seq = seq, .file = name, .offset = offset, .text = text};
    checking->report(checking->context, &damage);
}

static void tell_lost(const struct checking *checking, const struct slot *slot, const char *why)
{
    char text[128];
    snprintf(text, sizeof text, "message %" PRIu64 " is lost: %s", slot->seq, why);
    tell(checking, ".seg", slot->seq, slot->offset, text);
}

static void check_header(const struct checking *checking)
{
    const struct host *host = checking->log->host;
    char bytes[SEGHEADER_BYTES];
    size_t got = 0;
    uint32_t version;
    struct segheader header;
    int failure = host->read_at(host->context, checking->segment->file, bytes, sizeof bytes, 0,
                                &got);
    if (failure != 0 || segheader_decode(&header, &version, SEGHEADER_SEGMENT,
                                         bytes_of(bytes, got)) != SEGHEADER_VALID)
        tell(checking, ".seg", 0, 0,
             "the segment's header is damaged; the copy in the index is used");
}

// Index of the first slot at or behind an offset: records lie in the order of their sequences.
static size_t slot_from(const struct segment *segment, uint64_t offset)
{
    size_t low = 0;
    size_t high = segment->published;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (segment->slots[middle].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// The living slot whose record begins there, or NULL.
static const struct slot *living_at(const struct segment *segment, uint64_t offset)
{
    size_t at = slot_from(segment, offset);
    if (at == segment->published || segment->slots[at].offset != offset || segment->slots[at].dead)
        return NULL;
    return &segment->slots[at];
}

// The overwriting of a removed record that is still to be done, or to be done again; what is in its
// place until then does not matter.
static const struct erasure *erasure_at(const struct checking *checking, uint64_t offset)
{
    const struct msglog *log = checking->log;
    for (size_t i = 0; i < log->erasure_count; i++) {
        if (log->erasures[i].segment_number == checking->segment->number &&
            log->erasures[i].offset == offset)
            return &log->erasures[i];
    }
    return NULL;
}

// Names what is lost in a stretch that holds no record.
static void tell_stretch(const struct checking *checking, uint64_t from, uint64_t to)
{
    const struct segment *segment = checking->segment;
    bool any = false;
    for (size_t i = slot_from(segment, from); i < segment->published; i++) {
        const struct slot *slot = &segment->slots[i];
        if (slot->offset >= to)
            break;
        if (slot->dead)
            continue;
        tell_lost(checking, slot, "its record is damaged");
        any = true;
    }
    if (!any)
        tell(checking, ".seg", 0, from,
             "a damaged record that is a removal, or a message that was removed or cannot be told");
}

// Where the walk goes on behind a record that is none: the index knows the living ones, the others
// are found by the next record that is whole.
static uint64_t behind_damage(struct checking *checking, uint64_t offset)
{
    const struct segment *segment = checking->segment;
    const struct slot *slot = living_at(segment, offset);
    uint64_t found;
    if (slot != NULL)
        return offset + slot_record_bytes(slot);
    if (!segscan_find(&checking->scan, offset + RECORD_ALIGN, 0, &found))
        return segment->written;
    return found;
}

// A whole record in a place where the index has another, or with a body or padding that is damaged.
static void check_record(const struct checking *checking, uint64_t offset,
                         const struct record *record, const char *encoded)
{
    const struct slot *slot = living_at(checking->segment, offset);
    const char *body = encoded + record_prefix_bytes(record);
    bool whole = record_body_valid(record, encoded, 0, bytes_of(body, record->body_bytes));
    if (slot != NULL && (record->type != RECORD_MESSAGE || record->seq != slot->seq))
        tell_lost(checking, slot, "another record is in its place");
    else if (slot != NULL && !whole)
        tell_lost(checking, slot, "its body is damaged");
    else if (!whole && erasure_at(checking, offset) == NULL)
        tell(checking, ".seg", 0, offset, "the body of a removed message is damaged");
    if (!record_padding_valid(record, encoded) && erasure_at(checking, offset) == NULL)
        tell(checking, ".seg", 0, offset, "bytes between records are damaged; no message is lost");
}

static void check_records(struct checking *checking)
{
    const struct segment *segment = checking->segment;
    uint64_t offset = SEGHEADER_BYTES;
    while (offset < segment->written && checking->scan.failure == 0) {
        struct record record;
        const char *encoded;
        if (segscan_prefix(&checking->scan, offset, &record, &encoded) &&
            offset + record.record_bytes <= segment->written) {
            check_record(checking, offset, &record, encoded);
            offset += record.record_bytes;
            continue;
        }
        if (checking->scan.failure != 0)
            break;
        const struct erasure *erasure = erasure_at(checking, offset);
        if (erasure != NULL) {
            offset += erasure->record_bytes;
            continue;
        }
        uint64_t next = behind_damage(checking, offset);
        next = next < segment->written ? next : segment->written;
        tell_stretch(checking, offset, next);
        offset = next;
    }
}

static void check_rest(struct checking *checking)
{
    const struct segment *segment = checking->segment;
    // What a torn batch left is cut off before the next one; while one is under way the rest is
    // being written.
    if (segment->needs_trim || segment->pins > 0 || checking->scan.failure != 0)
        return;
    uint64_t found = segscan_nonzero(&checking->scan, segment->written);
    if (found < checking->scan.size)
        tell(checking, ".seg", 0, found, "bytes behind the last record; no message is lost");
}

static void check_missing(const struct checking *checking)
{
    const struct segment *segment = checking->segment;
    for (size_t i = 0; i < segment->published; i++) {
        if (!segment->slots[i].dead)
            tell_lost(checking, &segment->slots[i], "the segment's file is missing");
    }
}

static enum status index_bytes(const struct checking *checking, struct buf *bytes)
{
    const struct host *host = checking->log->host;
    const struct segment *segment = checking->segment;
    size_t got = 0;
    if (buf_reserve(bytes, (size_t)segment->index_end + 1) == NULL)
        return STATUS_NO_MEMORY;
    if (host->read_at(host->context, segment->index_file, bytes->data, (size_t)segment->index_end,
                      0, &got) == 0)
        bytes->size = got;
    return STATUS_OK;
}

static enum status check_index(const struct checking *checking)
{
    const struct segment *segment = checking->segment;
    struct buf bytes;
    struct segheader header;
    struct segindex_group group;
    uint32_t version;
    if (segment->mended_at != 0)
        tell(checking, ".idx", 0, segment->mended_at,
             "the index was damaged here and was made anew from the segment; nothing is lost");
    if (segment->index_file == NULL || segment->index_broken || segment->pins > 0)
        return STATUS_OK;
    buf_init(&bytes, SIZE_MAX);
    enum status status = index_bytes(checking, &bytes);
    struct bytes rest = bytes_from(buf_bytes(&bytes), SEGHEADER_BYTES);
    bool whole = segheader_decode(&header, &version, SEGHEADER_INDEX, buf_bytes(&bytes)) ==
                 SEGHEADER_VALID;
    while (whole && segindex_next_group(&rest, segheader_mark(&header), &group))
        ;
    if (status == STATUS_OK && (!whole || rest.size > 0 || bytes.size < segment->index_end))
        tell(checking, ".idx", 0, whole ? bytes.size - rest.size : 0,
             "the index is damaged; the next open makes it anew, nothing is lost");
    buf_fini(&bytes);
    return status;
}

static enum status check_segment(struct checking *checking, struct errinfo *err)
{
    enum status status = check_index(checking);
    if (status == STATUS_OK && checking->segment->file == NULL) {
        check_missing(checking);
        return STATUS_OK;
    }
    if (status == STATUS_OK) {
        check_header(checking);
        segscan_init(&checking->scan, checking->log->host, checking->segment);
        check_records(checking);
        check_rest(checking);
        int failure = checking->scan.failure;
        char text[128];
        snprintf(text, sizeof text, "the rest of the file cannot be read (error %d)", failure);
        if (failure == ENOMEM)
            status = STATUS_NO_MEMORY;
        else if (failure != 0)
            tell(checking, ".seg", 0, checking->scan.window_from, text);
        segscan_fini(&checking->scan);
    }
    if (status != STATUS_OK)
        errinfo_set(err, status, "no memory to check segment %016" PRIu64 " of %s",
                    checking->segment->number, checking->log->directory);
    return status;
}

enum status msglog_check(struct msglog *log, msglog_report report, void *context,
                         struct errinfo *err)
{
    for (size_t i = 0; i < log->count; i++) {
        struct checking checking = {
            .log = log, .segment = log->segments[i], .report = report, .context = context};
        enum status status = check_segment(&checking, err);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}
