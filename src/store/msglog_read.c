// SPDX-License-Identifier: Apache-2.0
// Checked reads: nothing is handed out whose checksum was not found right.
#include "store/msglog_inside.h"

#include <inttypes.h>

// A message that is being read.
struct reading {
    struct msglog *log;
    struct segment *segment;
    const struct slot *slot;
    struct record record; // once the head was checked
    size_t prefix_bytes;
};

static enum status damaged(const struct reading *reading, const char *what, struct errinfo *err)
{
    return errinfo_set(err, STATUS_CORRUPT,
                       "message %" PRIu64 " is damaged: %s of the record at offset %" PRIu64
                       " of segment %016" PRIu64 " in %s; the other messages are not affected",
                       reading->slot->seq, what, reading->slot->offset, reading->segment->number,
                       reading->log->directory);
}

static enum status start(struct reading *reading, struct msglog *log, uint64_t seq,
                         struct errinfo *err)
{
    struct segment *segment = NULL;
    *reading = (struct reading){.log = log};
    reading->slot = msglog_find(log, seq, &segment);
    reading->segment = segment;
    if (reading->slot == NULL)
        return errinfo_set(err, STATUS_NOT_FOUND, "no message %" PRIu64 " in %s", seq,
                           log->directory);
    if (segment->file == NULL)
        return damaged(reading, "the file is missing", err);
    return STATUS_OK;
}

// Appends `size` bytes of the record, from `from` on, to storage.
static enum status fetch(const struct reading *reading, uint64_t from, size_t size,
                         struct buf *storage, struct errinfo *err)
{
    const struct host *host = reading->log->host;
    char *to = buf_reserve(storage, size);
    size_t got = 0;
    if (to == NULL)
        return errinfo_set(err, buf_status(storage),
                           "no room to read %zu bytes of message %" PRIu64 " of %s", size,
                           reading->slot->seq, reading->log->directory);
    int failure = host->read_at(host->context, reading->segment->file, to, size,
                                reading->slot->offset + from, &got);
    if (failure != 0)
        return msglog_file_error(reading->log, failure, "read", reading->segment, err);
    if (got < size)
        return damaged(reading, "the file ends inside", err);
    storage->size += size;
    return STATUS_OK;
}

// Checks what stands before the body, at the beginning of storage.
static enum status check_prefix(struct reading *reading, const struct buf *storage,
                                struct errinfo *err)
{
    const struct slot *slot = reading->slot;
    struct record *record = &reading->record;
    uint64_t place = record_place(reading->segment->number, slot->offset);
    if (!record_decode(record, storage->data) || record->type != RECORD_MESSAGE ||
        record->seq != slot->seq || record->subject_bytes != slot->subject_bytes ||
        record->headers_bytes != slot->headers_bytes || record->body_bytes != slot->body_bytes ||
        !record_prefix_valid(record, place, storage->data))
        return damaged(reading, "the head", err);
    return STATUS_OK;
}

// What stands before the body of the slot's record, as the index tells its parts.
static size_t prefix_of(const struct slot *slot)
{
    const struct record record = {.subject_bytes = slot->subject_bytes,
                                  .headers_bytes = slot->headers_bytes,
                                  .body_bytes = slot->body_bytes};
    return record_prefix_bytes(&record);
}

static void describe(const struct reading *reading, const struct buf *storage, bool with_body,
                     struct msglog_message *message)
{
    const struct record *record = &reading->record;
    const char *at = storage->data + RECORD_HEAD_BYTES;
    *message = (struct msglog_message){
        .seq = record->seq,
        .time_ns = record->time_ns,
        .subject = bytes_of(at, record->subject_bytes),
        .headers = bytes_of(at + record->subject_bytes, record->headers_bytes),
    };
    if (with_body)
        message->body = bytes_of(storage->data + reading->prefix_bytes, record->body_bytes);
}

enum status msglog_read(struct msglog *log, uint64_t seq, enum msglog_part part,
                        struct buf *storage, struct msglog_message *message, struct errinfo *err)
{
    struct reading reading;
    enum status status = start(&reading, log, seq, err);
    if (status != STATUS_OK)
        return status;
    bool whole = part == MSGLOG_ALL;
    reading.prefix_bytes = prefix_of(reading.slot);
    buf_clear(storage);
    size_t size = reading.prefix_bytes + (whole ? reading.slot->body_bytes : 0);
    status = fetch(&reading, 0, size, storage, err);
    if (status == STATUS_OK)
        status = check_prefix(&reading, storage, err);
    if (status != STATUS_OK)
        return status;
    struct bytes body = bytes_from(buf_bytes(storage), reading.prefix_bytes);
    if (!record_body_valid(&reading.record, storage->data, 0, body))
        return damaged(&reading, "the body", err);
    describe(&reading, storage, whole, message);
    return STATUS_OK;
}

enum status msglog_read_range(struct msglog *log, uint64_t seq, struct msglog_range range,
                              struct buf *storage, struct bytes *bytes, struct errinfo *err)
{
    struct reading reading;
    enum status status = start(&reading, log, seq, err);
    if (status != STATUS_OK)
        return status;
    uint64_t body_bytes = reading.slot->body_bytes;
    uint64_t offset = range.offset < body_bytes ? range.offset : body_bytes;
    uint64_t size = range.size < body_bytes - offset ? range.size : body_bytes - offset;
    uint64_t from = offset / RECORD_BLOCK_BYTES * RECORD_BLOCK_BYTES;
    uint64_t to = (offset + size + RECORD_BLOCK_BYTES - 1) / RECORD_BLOCK_BYTES *
                  RECORD_BLOCK_BYTES;
    to = to < body_bytes ? to : body_bytes;
    if (size == 0)
        to = from;

    reading.prefix_bytes = prefix_of(reading.slot);
    buf_clear(storage);
    status = fetch(&reading, 0, reading.prefix_bytes, storage, err);
    if (status == STATUS_OK)
        status = check_prefix(&reading, storage, err);
    if (status == STATUS_OK)
        status = fetch(&reading, reading.prefix_bytes + from, (size_t)(to - from), storage, err);
    if (status != STATUS_OK)
        return status;
    struct bytes blocks = bytes_from(buf_bytes(storage), reading.prefix_bytes);
    if (!record_body_valid(&reading.record, storage->data, (size_t)from, blocks))
        return damaged(&reading, "a block of the body", err);
    *bytes = bytes_slice(blocks, (size_t)(offset - from), (size_t)size);
    return STATUS_OK;
}
