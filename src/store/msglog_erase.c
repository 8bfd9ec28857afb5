// SPDX-License-Identifier: Apache-2.0
// Overwriting the bytes of removed messages in their place.
//
// The index is synced first, and its name with it: it then lists every record that is about to be
// overwritten, so that after a crash in the middle the next open neither takes a half-written one
// for damage nor forgets to finish.
#include "store/msglog_inside.h"

#include <errno.h>

static bool is_ready(const struct msglog *log, const struct erasure *erasure)
{
    return erasure->serial <= log->batches_done;
}

static int overwrite(struct msglog *log, struct segment *segment, const struct erasure *erasure,
                     struct buf *groups)
{
    struct buf record;
    buf_init(&record, SIZE_MAX);
    char *to = buf_reserve(&record, erasure->record_bytes);
    int failure = ENOMEM;
    if (to != NULL) {
        uint64_t place = record_place(segment->number, erasure->offset);
        record_encode_erased(to, erasure->record_bytes, place, erasure->seq, erasure->offset);
        failure = log->host->write_at(log->host->context, segment->file, to, erasure->record_bytes,
                                      erasure->offset);
    }
    buf_fini(&record);
    struct segindex_entry entry = {.kind = RECORD_ERASED,
                                   .record_bytes = erasure->record_bytes,
                                   .offset = erasure->offset,
                                   .seq = erasure->seq};
    segindex_put(groups, &entry);
    return failure;
}

// The index has the subjects of the erased messages too: they are blanked in their place, before
// the index says that the erasing is done.
static int blank_index(struct msglog *log, struct segment *segment)
{
    const struct host *host = log->host;
    struct buf groups;
    size_t got = 0;
    bool changed = false;
    if (segment->index_file == NULL || segment->index_broken)
        return 0;
    size_t size = (size_t)segment->index_end - SEGHEADER_BYTES;
    buf_init(&groups, SIZE_MAX);
    int failure = buf_reserve(&groups, size + 1) == NULL ? ENOMEM : 0;
    if (failure == 0)
        failure = host->read_at(host->context, segment->index_file, groups.data, size,
                                SEGHEADER_BYTES, &got);
    for (size_t i = 0; i < log->erasure_count && failure == 0; i++) {
        const struct erasure *erasure = &log->erasures[i];
        if (erasure->segment_number == segment->number && is_ready(log, erasure))
            changed = segindex_blank(groups.data, got, segheader_mark(&segment->header),
                                     erasure->offset) ||
                      changed;
    }
    if (failure == 0 && changed)
        failure = host->write_at(host->context, segment->index_file, groups.data, got,
                                 SEGHEADER_BYTES);
    if (failure == 0 && changed)
        failure = host->sync_data(host->context, segment->index_file);
    buf_fini(&groups);
    return failure;
}

// Overwrites what is ready in one segment.
static enum status erase_in(struct msglog *log, struct segment *segment, struct errinfo *err)
{
    const struct host *host = log->host;
    struct buf group;
    uint32_t count = 0;
    int failure = 0;
    if (segment->index_file != NULL && !segment->index_broken)
        failure = host->sync_data(host->context, segment->index_file);
    if (failure == 0)
        failure = host->sync_directory(host->context, log->directory);
    buf_init(&group, SIZE_MAX);
    size_t start = segindex_begin(&group);
    segment->erasures++;
    for (size_t i = 0; i < log->erasure_count && failure == 0; i++) {
        const struct erasure *erasure = &log->erasures[i];
        if (erasure->segment_number != segment->number || !is_ready(log, erasure))
            continue;
        failure = overwrite(log, segment, erasure, &group);
        count++;
    }
    if (failure == 0)
        failure = host->sync_data(host->context, segment->file);
    if (failure == 0)
        failure = blank_index(log, segment);
    if (failure == 0) {
        segindex_end(&group, start, segheader_mark(&segment->header),
                     &(struct segindex_group){.first_live = log->first_durable, .count = count});
        if (buf_status(&group) == STATUS_OK)
            segment_index_append(segment, host, buf_bytes(&group));
    }
    buf_fini(&group);
    if (failure == 0)
        return STATUS_OK;
    msglog_file_error(log, failure, "erase messages in", segment, err);
    return failure == ENOMEM ? STATUS_NO_MEMORY : msglog_fail(log, err);
}

// Drops what is done with, or lies in a segment that is not there any more.
static void forget(struct msglog *log, uint64_t segment_number)
{
    size_t kept = 0;
    for (size_t i = 0; i < log->erasure_count; i++) {
        if (log->erasures[i].segment_number != segment_number || !is_ready(log, &log->erasures[i]))
            log->erasures[kept++] = log->erasures[i];
    }
    log->erasure_count = kept;
}

static const struct erasure *first_ready(const struct msglog *log)
{
    for (size_t i = 0; i < log->erasure_count; i++) {
        if (is_ready(log, &log->erasures[i]))
            return &log->erasures[i];
    }
    return NULL;
}

enum status msglog_erase_pending(struct msglog *log, struct errinfo *err)
{
    const struct erasure *erasure = first_ready(log);
    if (erasure == NULL)
        return STATUS_OK;
    struct errinfo reason = {0};
    enum status status = msglog_writable(log, &reason);
    while (status == STATUS_OK && erasure != NULL) {
        uint64_t number = erasure->segment_number;
        struct segment *segment = msglog_segment(log, number);
        if (segment != NULL && segment->file != NULL &&
            segment->header.generation == erasure->generation)
            status = erase_in(log, segment, &reason);
        if (status == STATUS_OK)
            forget(log, number);
        erasure = first_ready(log);
    }
    if (status != STATUS_OK && err != NULL)
        *err = reason;
    return status;
}
