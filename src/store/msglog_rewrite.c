// SPDX-License-Identifier: Apache-2.0
// Rewriting a segment: what lives in it is copied into a new file, which is synced under a
// temporary name. Runs beside the owner of the log and touches nothing but the work.
#include "store/msglog.h"

#include "base/crc32c.h"
#include "store/reclaim_work.h"

#include <errno.h>

enum { COPY_BYTES = 1024 * 1024 };

// What a rewrite has at hand while it copies.
struct copying {
    struct msglog_reclaim *work;
    struct buf out;   // records not yet written
    uint64_t written; // offset behind what was written
    struct buf index;
    uint32_t entries;
};

static int flush(struct copying *copying)
{
    struct msglog_reclaim *work = copying->work;
    if (copying->out.size == 0)
        return 0;
    int failure = work->host->write_at(work->host->context, work->made->file, copying->out.data,
                                       copying->out.size, copying->written);
    copying->written += copying->out.size;
    buf_clear(&copying->out);
    return failure;
}

static void list_entry(struct copying *copying, const struct record *record, uint64_t offset,
                       struct bytes subject)
{
    struct segindex_entry entry = {.kind = record->type,
                                   .flags = record->flags,
                                   .headers_bytes = record->headers_bytes,
                                   .body_bytes = record->body_bytes,
                                   .record_bytes = record->record_bytes,
                                   .offset = offset,
                                   .seq = record->seq,
                                   .time_ns = record->time_ns,
                                   .last_seq = record->last_seq,
                                   .subject = subject};
    segindex_put(&copying->index, &entry);
    copying->entries++;
}

static int copy_message(struct copying *copying, const struct copied *from)
{
    struct msglog_reclaim *work = copying->work;
    struct record record;
    size_t got = 0;
    char *to = buf_reserve(&copying->out, from->record_bytes);
    if (to == NULL)
        return ENOMEM;
    int failure = work->host->read_at(work->host->context, work->file, to, from->record_bytes,
                                      from->offset, &got);
    if (failure != 0)
        return failure;
    if (got < from->record_bytes || !record_decode(&record, to) || record.seq != from->seq ||
        record.record_bytes != from->record_bytes ||
        !record_valid(&record, record_place(work->number, from->offset), to)) {
        work->result = RECLAIM_DAMAGED;
        work->damaged_seq = from->seq;
        return EIO;
    }
    uint64_t offset = copying->written + copying->out.size;
    record_move(to, record_place(work->number, offset), offset, work->header.first_live);
    copying->out.size += from->record_bytes;
    list_entry(copying, &record, offset, bytes_of(to + RECORD_HEAD_BYTES, record.subject_bytes));
    return copying->out.size >= COPY_BYTES ? flush(copying) : 0;
}

static int copy_removal(struct copying *copying, const struct removal *removal)
{
    struct msglog_reclaim *work = copying->work;
    uint64_t offset = copying->written + copying->out.size;
    struct record record = {.type = RECORD_REMOVAL,
                            .flags = removal->erase ? RECORD_ERASE : 0,
                            .record_bytes = (uint32_t)record_size(0, 0, 0),
                            .seq = removal->first,
                            .first_live = work->header.first_live,
                            .batch_start = offset,
                            .last_seq = removal->last};
    const struct bytes none = {NULL, 0};
    record_encode(&copying->out, &record, record_place(work->number, offset), none, none, none);
    list_entry(copying, &record, offset, none);
    if (buf_status(&copying->out) != STATUS_OK)
        return ENOMEM;
    return copying->out.size >= COPY_BYTES ? flush(copying) : 0;
}

static uint32_t checksum_of_content(const struct msglog_reclaim *work)
{
    uint32_t crc = 0;
    for (size_t i = 0; i < work->copy_count; i++) {
        uint64_t facts[] = {work->copies[i].seq, work->copies[i].record_bytes};
        crc = crc32c(crc, facts, sizeof facts);
    }
    for (size_t i = 0; i < work->removal_count; i++) {
        const struct removal *removal = &work->removals[i];
        uint64_t facts[] = {removal->first, removal->last, removal->erase};
        crc = crc32c(crc, facts, sizeof facts);
    }
    return crc;
}

static uint64_t rewritten_bytes(const struct msglog_reclaim *work)
{
    uint64_t size = SEGHEADER_BYTES + work->removal_count * record_size(0, 0, 0);
    for (size_t i = 0; i < work->copy_count; i++)
        size += work->copies[i].record_bytes;
    return size;
}

static int copy_all(struct copying *copying)
{
    const struct msglog_reclaim *work = copying->work;
    int failure = 0;
    for (size_t i = 0; i < work->copy_count && failure == 0; i++)
        failure = copy_message(copying, &work->copies[i]);
    for (size_t i = 0; i < work->removal_count && failure == 0; i++)
        failure = copy_removal(copying, &work->removals[i]);
    if (failure == 0)
        failure = flush(copying);
    return failure;
}

// Makes the new segment file, whole and synced, under its temporary name.
static int make_segment_file(struct copying *copying, uint64_t size)
{
    struct msglog_reclaim *work = copying->work;
    const struct host *host = work->host;
    char header[SEGHEADER_BYTES];
    struct host_file *file;
    int failure = host->open(host->context, work->temporary.data, HOST_WRITE | HOST_CREATE, &file);
    if (failure != 0)
        return failure;
    work->made->file = file;
    segheader_encode(header, SEGHEADER_SEGMENT, &work->header);
    failure = host->truncate(host->context, file, 0);
    if (failure == 0)
        failure = host->reserve(host->context, file, size);
    if (failure == 0)
        failure = host->write_at(host->context, file, header, sizeof header, 0);
    if (failure == 0)
        failure = copy_all(copying);
    if (failure == 0)
        failure = host->sync_data(host->context, file);
    return failure;
}

// The index is a help only: without it the next open makes one.
static void make_index_file(struct copying *copying, uint64_t size)
{
    struct msglog_reclaim *work = copying->work;
    struct segment *made = work->made;
    const struct host *host = work->host;
    char header[SEGHEADER_BYTES];
    struct host_file *file;
    made->index_broken = true;
    segindex_end(&copying->index, 0, segheader_mark(&work->header),
                 &(struct segindex_group){.from = SEGHEADER_BYTES,
                                          .covered = size,
                                          .first_live = work->header.first_live,
                                          .count = copying->entries});
    if (buf_status(&copying->index) != STATUS_OK ||
        host->open(host->context, work->index_temporary.data, HOST_WRITE | HOST_CREATE, &file) != 0)
        return;
    made->index_file = file;
    segheader_encode(header, SEGHEADER_INDEX, &work->header);
    if (host->truncate(host->context, file, 0) != 0 ||
        host->write_at(host->context, file, header, sizeof header, 0) != 0 ||
        host->write_at(host->context, file, copying->index.data, copying->index.size,
                       SEGHEADER_BYTES) != 0)
        return;
    made->index_end = SEGHEADER_BYTES + copying->index.size;
    made->index_broken = false;
}

void msglog_reclaim_run(struct msglog_reclaim *work)
{
    if (!work->rewrite)
        return;
    struct copying copying = {.work = work, .written = SEGHEADER_BYTES};
    uint64_t size = rewritten_bytes(work);
    work->header.durable_bytes = size;
    work->header.content = checksum_of_content(work);
    buf_init(&copying.out, SIZE_MAX);
    buf_init(&copying.index, SIZE_MAX);
    segindex_begin(&copying.index);
    work->failure = ENOMEM;
    work->made = segment_new(work->number);
    if (work->made != NULL)
        work->failure = make_segment_file(&copying, size);
    if (work->failure == 0)
        make_index_file(&copying, size);
    else if (work->result == RECLAIM_DONE)
        work->result = RECLAIM_FAILED;
    buf_fini(&copying.out);
    buf_fini(&copying.index);
}
