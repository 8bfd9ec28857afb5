// SPDX-License-Identifier: Apache-2.0
// Group commit: many staged records, one write and one sync for each segment they go to.
#include "store/msglog_inside.h"

#include "base/assert.h"

enum { SPARE_BYTES_MAX = 32 * 1024 * 1024 };

// The last record of a batch says what the oldest message is when all of the batch is done, so that
// the removal of old messages needs no record of its own.
static void finish_records(struct msglog *log, struct msglog_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct batch_part *part = &batch->parts[i];
        struct segment *segment = part->segment;
        uint64_t first_live = log->first_durable;
        if (i + 1 == batch->count) {
            first_live = batch->first_live;
            record_set_first_live(part->bytes.data + part->last_at,
                                  record_place(segment->number, part->offset + part->last_at),
                                  first_live);
        }
        segindex_end(&part->index, 0, segheader_mark(&segment->header),
                     &(struct segindex_group){.from = part->offset,
                                              .covered = part->offset + part->bytes.size,
                                              .first_live = first_live,
                                              .count = part->records});
        part->slots_after = segment->count;
        part->index_offset = segment->index_end;
        part->index_file = segment->index_broken ? NULL : segment->index_file;
        segment->index_end += part->index.size;
    }
}

struct msglog_batch *msglog_batch_take(struct msglog *log)
{
    struct msglog_batch *batch = log->staged;
    if (batch == NULL || log->under_way != NULL || log->read_only)
        return NULL;
    // A part is empty when there was no memory for its first record.
    while (batch->count > 0 && batch->parts[batch->count - 1].records == 0) {
        batch->count--;
        batch->parts[batch->count].segment->pins--;
    }
    if (batch->count == 0)
        return NULL;
    log->staged = NULL;
    log->under_way = batch;
    batch->serial = ++log->batches_taken;
    batch->first_live = log->first_live;
    batch->last_seq = log->last_staged;
    finish_records(log, batch);
    return batch;
}

void msglog_batch_write(struct msglog_batch *batch)
{
    const struct host *host = batch->host;
    for (size_t i = 0; i < batch->count; i++) {
        struct batch_part *part = &batch->parts[i];
        batch->failed_call = "write to";
        batch->failure = host->write_at(host->context, part->file, part->bytes.data,
                                        part->bytes.size, part->offset);
        if (batch->failure != 0)
            return;
        batch->failed_call = "sync";
        batch->failure = host->sync_data(host->context, part->file);
        if (batch->failure != 0)
            return;
        // The index comes after the sync, for it may only describe what is there to stay. Without
        // it the next open scans the segment instead.
        part->index_failed = part->index_file != NULL &&
                             host->write_at(host->context, part->index_file, part->index.data,
                                            part->index.size, part->index_offset) != 0;
    }
}

// The slots of a part, now committed, join the counts; some were removed while it was under way.
static void publish(struct msglog *log, const struct batch_part *part)
{
    struct segment *segment = part->segment;
    for (size_t i = segment->published; i < part->slots_after; i++) {
        const struct slot *slot = &segment->slots[i];
        if (slot->dead) {
            segment->dead_bytes += slot_record_bytes(slot);
            continue;
        }
        segment->live++;
        segment->live_bytes += slot_record_bytes(slot);
        log->messages++;
        log->bytes += slot_message_bytes(slot);
    }
    segment->published = part->slots_after;
    segment->written = part->offset + part->bytes.size;
    segment->has_records = true;
    segment->index_broken |= part->index_failed;
    segment_compact(segment);
}

static void recycle(struct msglog *log, struct msglog_batch *batch)
{
    size_t held = 0;
    for (size_t i = 0; i < batch->capacity; i++)
        held += batch->parts[i].bytes.capacity;
    if (log->spare != NULL || held > SPARE_BYTES_MAX)
        msglog_batch_free(batch);
    else
        log->spare = batch;
}

enum status msglog_batch_done(struct msglog *log, struct msglog_batch *batch, struct errinfo *err)
{
    ASSERT(log->under_way == batch);
    enum status status = STATUS_OK;
    log->under_way = NULL;
    for (size_t i = 0; i < batch->count; i++)
        batch->parts[i].segment->pins--;
    if (batch->failure != 0) {
        struct errinfo reason;
        const struct segment *segment = batch->parts[0].segment;
        msglog_file_error(log, batch->failure, batch->failed_call, segment, &reason);
        status = msglog_fail(log, &reason);
        if (err != NULL)
            *err = reason;
    } else {
        for (size_t i = 0; i < batch->count; i++)
            publish(log, &batch->parts[i]);
        struct segment *last = batch->parts[batch->count - 1].segment;
        if (batch->first_live > last->first_live)
            last->first_live = batch->first_live;
        log->first_durable = batch->first_live;
        log->last_seq = batch->last_seq;
        log->batches_done = batch->serial;
    }
    recycle(log, batch);
    return status;
}

enum status msglog_commit(struct msglog *log, struct errinfo *err)
{
    enum status status = msglog_writable(log, err);
    if (status != STATUS_OK)
        return status;
    ASSERT(log->under_way == NULL);
    struct msglog_batch *batch = msglog_batch_take(log);
    if (batch == NULL)
        return STATUS_OK;
    msglog_batch_write(batch);
    return msglog_batch_done(log, batch, err);
}
