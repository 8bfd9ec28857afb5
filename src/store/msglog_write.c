// SPDX-License-Identifier: Apache-2.0
// Staging: what is appended and removed becomes records of the next batch, for which space is
// reserved before it is accepted.
#include "store/msglog_inside.h"

#include "base/assert.h"
#include "base/limits.h"

#include <inttypes.h>
#include <stdlib.h>

// Cuts off what lies behind the end of segments whose last batch was torn, so that it can never
// be taken for something that was written later.
static enum status trim_torn(struct msglog *log, struct errinfo *err)
{
    for (size_t i = 0; i < log->count; i++) {
        struct segment *segment = log->segments[i];
        if (!segment->needs_trim || segment->header_damaged)
            continue;
        int failure = log->host->truncate(log->host->context, segment->file, segment->end);
        if (failure == 0) {
            segment->reserved = segment->end;
            failure = log->host->sync_data(log->host->context, segment->file);
        }
        if (failure != 0) {
            msglog_file_error(log, failure, "trim", segment, err);
            return msglog_fail(log, err);
        }
        segment->needs_trim = false;
    }
    return STATUS_OK;
}

enum status msglog_roll(struct msglog *log, struct errinfo *err)
{
    const struct host *host = log->host;
    struct segment *last = log->count > 0 ? log->segments[log->count - 1] : NULL;
    struct segheader header = {.generation = 1,
                               .next_seq = log->last_staged + 1,
                               .first_live = log->first_durable,
                               .durable_bytes = SEGHEADER_BYTES,
                               .number = last != NULL ? last->number + 1 : 1};
    uint64_t reserve = log->segment_bytes < RESERVE_FIRST ? log->segment_bytes : RESERVE_FIRST;
    struct segment *segment = segment_new(header.number);
    if (segment == NULL || !msglog_add_segment(log, segment)) {
        segment_free(segment, host);
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory for a new segment of %s",
                           log->directory);
    }
    enum status status = segment_create(segment, host, log->directory, &header,
                                        reserve + RESERVE_FOR_REMOVALS, err);
    if (status != STATUS_OK) {
        log->count--;
        segment_free(segment, host);
        return status;
    }
    int failure = host->sync_directory(host->context, log->directory);
    if (failure != 0) {
        errinfo_set_errno(err, failure, "cannot sync the directory %s", log->directory);
        return msglog_fail(log, err);
    }
    segment_index_start(segment, host, log->directory);
    // The one before gives back what it reserved and did not need. When that fails it stays longer
    // than it need be, which is harmless.
    if (last != NULL && !last->sealed && last->reserved > last->end &&
        host->truncate(host->context, last->file, last->end) == 0)
        last->reserved = last->end;
    if (last != NULL)
        last->sealed = true;
    return STATUS_OK;
}

static uint64_t next_step(const struct msglog *log, const struct segment *segment, uint64_t need)
{
    uint64_t step = segment->reserved < RESERVE_FIRST ? RESERVE_FIRST : segment->reserved;
    uint64_t wanted = segment->reserved + (step < RESERVE_STEP_MAX ? step : RESERVE_STEP_MAX);
    uint64_t most = log->segment_bytes + RESERVE_FOR_REMOVALS;
    wanted = wanted < most ? wanted : most;
    return wanted > need ? wanted : need;
}

// Finds room for a record of that size in the last segment, or begins a new one. Removals may use
// what messages leave free for them.
static enum status make_room(struct msglog *log, uint64_t size, bool removal, struct errinfo *err)
{
    struct segment *segment = log->segments[log->count - 1];
    bool full = segment->end + size > log->segment_bytes && segment->end > SEGHEADER_BYTES;
    if (segment->sealed || (full && !removal)) {
        enum status status = msglog_roll(log, err);
        if (status != STATUS_OK)
            return status;
        segment = log->segments[log->count - 1];
    }
    uint64_t need = segment->end + size + (removal ? 0 : RESERVE_FOR_REMOVALS);
    if (need <= segment->reserved)
        return STATUS_OK;
    uint64_t wanted = next_step(log, segment, need);
    int failure = log->host->reserve(log->host->context, segment->file, wanted);
    if (failure != 0 && wanted > need) {
        wanted = need;
        failure = log->host->reserve(log->host->context, segment->file, wanted);
    }
    if (failure != 0)
        return msglog_file_error(log, failure, "find room in", segment, err);
    segment->reserved = wanted;
    return STATUS_OK;
}

static void part_fini(struct batch_part *part)
{
    buf_fini(&part->bytes);
    buf_fini(&part->index);
}

void msglog_batch_free(struct msglog_batch *batch)
{
    if (batch == NULL)
        return;
    for (size_t i = 0; i < batch->capacity; i++)
        part_fini(&batch->parts[i]);
    free(batch->parts);
    free(batch);
}

static struct msglog_batch *new_batch(struct msglog *log)
{
    struct msglog_batch *batch = log->spare;
    log->spare = NULL;
    if (batch == NULL)
        batch = calloc(1, sizeof *batch);
    if (batch == NULL)
        return NULL;
    batch->host = log->host;
    batch->failure = 0;
    batch->failed_call = NULL;
    batch->count = 0;
    return batch;
}

// The part of the staged batch that goes to the segment, which is the last one.
static struct batch_part *part_for(struct msglog *log, struct segment *segment)
{
    if (log->staged == NULL)
        log->staged = new_batch(log);
    struct msglog_batch *batch = log->staged;
    if (batch == NULL)
        return NULL;
    if (batch->count > 0 && batch->parts[batch->count - 1].segment == segment)
        return &batch->parts[batch->count - 1];
    if (batch->count == batch->capacity) {
        struct batch_part *grown = realloc(batch->parts,
                                           (batch->capacity + 1) * sizeof *batch->parts);
        if (grown == NULL)
            return NULL;
        batch->parts = grown;
        batch->parts[batch->capacity++] = (struct batch_part){.segment = NULL};
    }
    struct batch_part *part = &batch->parts[batch->count++];
    struct buf bytes = part->bytes;
    struct buf index = part->index;
    *part = (struct batch_part){.segment = segment,
                                .file = segment->file,
                                .offset = segment->end,
                                .bytes = bytes,
                                .index = index};
    part->bytes.max = SIZE_MAX;
    part->index.max = SIZE_MAX;
    buf_clear(&part->bytes);
    buf_clear(&part->index);
    segindex_begin(&part->index);
    segment->pins++;
    return part;
}

// Adds a record to the part and its entry to the part's index; all or nothing.
static bool stage_record(struct batch_part *part, struct record *record,
                         const struct msglog_message *message)
{
    const struct segment *segment = part->segment;
    size_t bytes_before = part->bytes.size;
    size_t index_before = part->index.size;
    record->batch_start = part->offset;
    struct segindex_entry entry = {
        .kind = record->type,
        .flags = record->flags,
        .headers_bytes = (uint32_t)message->headers.size,
        .body_bytes = (uint32_t)message->body.size,
        .record_bytes = (uint32_t)record_size(message->subject.size, message->headers.size,
                                              message->body.size),
        .offset = segment->end,
        .seq = record->seq,
        .time_ns = record->time_ns,
        .last_seq = record->last_seq,
        .subject = message->subject,
    };
    record_encode(&part->bytes, record, record_place(segment->number, segment->end),
                  message->subject, message->headers, message->body);
    segindex_put(&part->index, &entry);
    if (buf_status(&part->bytes) != STATUS_OK || buf_status(&part->index) != STATUS_OK) {
        part->bytes.size = bytes_before;
        part->index.size = index_before;
        part->bytes.failure = STATUS_OK;
        part->index.failure = STATUS_OK;
        return false;
    }
    part->last_at = bytes_before;
    part->records++;
    part->segment->end += entry.record_bytes;
    return true;
}

static enum status no_memory(const struct msglog *log, struct errinfo *err)
{
    return errinfo_set(err, STATUS_NO_MEMORY, "no memory to write to the log %s", log->directory);
}

static enum status check_message(const struct msglog *log, const struct msglog_message *message,
                                 struct errinfo *err)
{
    if (message->seq <= log->last_staged)
        return errinfo_set(err, STATUS_INVALID,
                           "sequence %" PRIu64 " is not above %" PRIu64 ", the last of %s",
                           message->seq, log->last_staged, log->directory);
    if (message->subject.size == 0 || message->subject.size > LIMIT_RECORD_SUBJECT_BYTES)
        return errinfo_set(err, STATUS_LIMIT,
                           "a subject of %zu bytes cannot be stored; 1 to %d can be",
                           message->subject.size, LIMIT_RECORD_SUBJECT_BYTES);
    if (message->headers.size > LIMIT_RECORD_BYTES ||
        message->body.size > LIMIT_RECORD_BYTES - message->headers.size)
        return errinfo_set(err, STATUS_LIMIT,
                           "a message of %zu bytes with %zu bytes of headers cannot be stored; "
                           "together they may have %d",
                           message->body.size, message->headers.size, LIMIT_RECORD_BYTES);
    return STATUS_OK;
}

static enum status prepare(struct msglog *log, uint64_t size, bool removal, struct errinfo *err)
{
    enum status status = msglog_writable(log, err);
    if (status == STATUS_OK)
        status = trim_torn(log, err);
    if (status == STATUS_OK)
        status = make_room(log, size, removal, err);
    return status;
}

enum status msglog_append(struct msglog *log, const struct msglog_message *message,
                          struct errinfo *err)
{
    enum status status = check_message(log, message, err);
    if (status != STATUS_OK)
        return status;
    uint64_t size = record_size(message->subject.size, message->headers.size, message->body.size);
    status = prepare(log, size, false, err);
    if (status != STATUS_OK)
        return status;
    struct segment *segment = log->segments[log->count - 1];
    struct batch_part *part = part_for(log, segment);
    const char *subject = segment_keep(segment, message->subject);
    uint64_t offset = segment->end;
    struct record record = {.type = RECORD_MESSAGE,
                            .seq = message->seq,
                            .time_ns = message->time_ns,
                            .first_live = log->first_durable,
                            .last_seq = message->seq};
    if (part == NULL || subject == NULL || !segment_grow_slots(segment) ||
        !stage_record(part, &record, message))
        return no_memory(log, err);
    segment->slots[segment->count++] = (struct slot){
        .seq = message->seq,
        .time_ns = message->time_ns,
        .offset = offset,
        .subject = subject,
        .headers_bytes = (uint32_t)message->headers.size,
        .body_bytes = (uint32_t)message->body.size,
        .subject_bytes = (uint16_t)message->subject.size,
    };
    segment_note_seq(segment, message->seq);
    if (message->time_ns > segment->time_max)
        segment->time_max = message->time_ns;
    log->last_staged = message->seq;
    msglog_advance(log);
    return STATUS_OK;
}

static bool note_erasure(struct msglog *log, const struct segment *segment, struct slot *slot,
                         uint64_t serial)
{
    if (slot->erased)
        return true;
    if (log->erasure_count == log->erasure_capacity) {
        size_t wanted = log->erasure_capacity * 2 + 16;
        struct erasure *grown = realloc(log->erasures, wanted * sizeof *grown);
        if (grown == NULL)
            return false;
        log->erasures = grown;
        log->erasure_capacity = wanted;
    }
    log->erasures[log->erasure_count++] = (struct erasure){
        .segment_number = segment->number,
        .generation = segment->header.generation,
        .offset = slot->offset,
        .seq = slot->seq,
        .serial = serial,
        .record_bytes = (uint32_t)slot_record_bytes(slot),
    };
    slot->erased = true;
    return true;
}

enum status msglog_kill(struct msglog *log, uint64_t first, uint64_t last, bool erase,
                        uint64_t serial)
{
    for (size_t i = 0; i < log->count; i++) {
        struct segment *segment = log->segments[i];
        if (segment->seq_first == 0 || segment->seq_last < first || segment->seq_first > last)
            continue;
        for (size_t k = segment_find(segment, first); k < segment->count; k++) {
            struct slot *slot = &segment->slots[k];
            if (slot->seq > last)
                break;
            if (erase && !note_erasure(log, segment, slot, serial))
                return STATUS_NO_MEMORY;
            if (!slot->dead && k < segment->published) {
                log->messages--;
                log->bytes -= slot_message_bytes(slot);
            }
            segment_kill(segment, slot);
            segment->kill_serial = serial;
        }
    }
    return STATUS_OK;
}

// Whether any message, committed or staged, lives in the range.
static bool any_living(const struct msglog *log, uint64_t first, uint64_t last)
{
    for (size_t i = 0; i < log->count; i++) {
        const struct segment *segment = log->segments[i];
        if (segment->seq_first == 0 || segment->seq_last < first || segment->seq_first > last)
            continue;
        for (size_t k = segment_find(segment, first); k < segment->count; k++) {
            if (segment->slots[k].seq > last)
                break;
            if (!segment->slots[k].dead)
                return true;
        }
    }
    return false;
}

static enum status stage_removal(struct msglog *log, const struct removal *removal,
                                 struct errinfo *err)
{
    enum status status = prepare(log, record_size(0, 0, 0), true, err);
    if (status != STATUS_OK)
        return status;
    struct segment *segment = log->segments[log->count - 1];
    struct batch_part *part = part_for(log, segment);
    const struct msglog_message nothing = {.seq = 0};
    struct record record = {.type = RECORD_REMOVAL,
                            .flags = removal->erase ? RECORD_ERASE : 0,
                            .seq = removal->first,
                            .first_live = log->first_durable,
                            .last_seq = removal->last};
    if (part == NULL || !segment_grow_removals(segment) || !stage_record(part, &record, &nothing))
        return no_memory(log, err);
    segment->removals[segment->removal_count++] = *removal;
    return STATUS_OK;
}

// Whether the removal needs no record of its own: it takes the oldest messages, and a record that
// is staged already will say which is the oldest then.
static bool goes_without_record(const struct msglog *log, const struct removal *removal)
{
    return !removal->erase && log->staged != NULL && log->staged->count > 0 &&
           log->staged->parts[log->staged->count - 1].records > 0 &&
           removal->first <= log->first_live;
}

enum status msglog_remove(struct msglog *log, uint64_t first, uint64_t last, bool erase,
                          struct errinfo *err)
{
    struct removal removal = {first, last < log->last_staged ? last : log->last_staged, erase};
    enum status status = msglog_writable(log, err);
    if (status != STATUS_OK || removal.first > removal.last)
        return status;
    if (!any_living(log, removal.first, removal.last))
        return STATUS_OK;
    if (!goes_without_record(log, &removal))
        status = stage_removal(log, &removal, err);
    if (status != STATUS_OK)
        return status;
    // Without memory the erasure is made up for at the next open, as after a crash.
    uint64_t serial = log->batches_taken + 1;
    if (msglog_kill(log, removal.first, removal.last, erase, serial) != STATUS_OK)
        msglog_kill(log, removal.first, removal.last, false, serial);
    msglog_advance(log);
    return STATUS_OK;
}
