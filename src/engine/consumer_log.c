// SPDX-License-Identifier: Apache-2.0
// What durable consumers have delivered and what was acknowledged, as records of a log beside the
// stream (DISK_FORMAT.md): one log for all consumers of a stream, so that one sync serves all of
// them. A record's subject is the consumer's name; its body begins with a letter for its kind:
//    C  created (8 bytes), configuration (JSON)
//    S  the whole state
//    E  events since the record before
//    X  deleted
// Events are gathered, and become a record when the next batch is taken. Each is a letter and
// numbers of 7 bits a byte, the lowest first:
//    D  delivered: sequence, consumer sequence, time, deliveries
//    A  not pending any more: sequence; 0, 1 with everything below, 2 delivered too often
//    T  due again: sequence, time
// When the log has much more than it needs, all consumers are written anew behind it, and the older
// records are removed.
#include "base/le.h"
#include "engine/consumer_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COMPACT_BYTES_MIN = 256 * 1024, STATE_FIELDS = 8, PENDING_BYTES = 40, RECORD_BYTES = 128 };

static enum status stage(struct stream *stream, const char *name, struct buf *body,
                         struct errinfo *err)
{
    enum status status = buf_status(body);
    uint64_t bytes = RECORD_BYTES + body->size;
    if (status == STATUS_OK) {
        struct msglog_message record = {
            .seq = stream->consumer_seq + 1,
            .time_ns = stream->last_time_ns,
            .subject = bytes_of_string(name),
            .body = buf_bytes(body),
        };
        status = msglog_append(stream->consumer_log, &record, err);
    } else {
        errinfo_set(err, status, "no memory for the state of consumer %s", name);
    }
    buf_fini(body);
    if (status == STATUS_OK) {
        stream->consumer_seq++;
        stream->consumer_bytes += bytes;
    }
    return status;
}

static struct buf record(char kind)
{
    struct buf body;
    buf_init(&body, LIMIT_RECORD_BYTES);
    buf_append_byte(&body, kind);
    return body;
}

static enum status log_path(const struct stream *stream, struct buf *path)
{
    buf_init(path, LIMIT_PATH_BYTES);
    buf_printf(path, "%s/consumers", stream->directory);
    return buf_string(path) == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

static enum status open_log(struct stream *stream, bool create, struct errinfo *err)
{
    struct buf path;
    struct msglog_state state;
    enum status status = log_path(stream, &path);
    if (status == STATUS_OK && create) {
        status = msglog_create(stream->host, path.data, 1, err);
        status = status == STATUS_EXISTS ? STATUS_OK : status;
    }
    if (status == STATUS_OK)
        status = msglog_open(&stream->consumer_log, stream->host, path.data, NULL, err);
    buf_fini(&path);
    if (status != STATUS_OK)
        return status;
    msglog_state_get(stream->consumer_log, &state);
    stream->consumer_seq = state.last_seq;
    stream->consumer_bytes = state.bytes;
    return STATUS_OK;
}

// Writing

static enum status put_config(const struct consumer *consumer, struct errinfo *err)
{
    struct buf body = record('C');
    buf_append_le64(&body, (uint64_t)consumer->created_ns);
    if (consumer_config_write(&consumer->config, &body) == STATUS_INVALID) {
        buf_fini(&body);
        return errinfo_set(err, STATUS_INVALID,
                           "consumer %s cannot be stored: its configuration is not UTF-8",
                           consumer->name);
    }
    return stage(consumer->stream, consumer->name, &body, err);
}

static enum status put_state(struct consumer *consumer, struct errinfo *err)
{
    struct buf body = record('S');
    const uint64_t numbers[STATE_FIELDS] = {
        consumer->next_seq,
        consumer->delivered_seq,
        consumer->delivered_consumer_seq,
        (uint64_t)consumer->delivered_ns,
        consumer->floor_seq,
        consumer->floor_consumer_seq,
        (uint64_t)consumer->acked_ns,
        consumer->replay_until_seq,
    };
    for (size_t i = 0; i < STATE_FIELDS; i++)
        buf_append_le64(&body, numbers[i]);
    buf_append_le64(&body, consumer->last_count - consumer->last_at);
    for (size_t i = consumer->last_at; i < consumer->last_count; i++)
        buf_append_le64(&body, consumer->lasts[i]);
    buf_append_le64(&body, pending_count(&consumer->pending));
    const struct pending *pending = pending_first(&consumer->pending);
    for (; pending != NULL; pending = pending_after(&consumer->pending, pending->seq)) {
        buf_append_le64(&body, pending->seq);
        buf_append_le64(&body, pending->consumer_seq);
        buf_append_le64(&body, (uint64_t)pending->sent_ns);
        buf_append_le64(&body, (uint64_t)(pending->queued ? 0 : pending->due_ns));
        buf_append_le64(&body, pending->deliveries);
    }
    buf_append_le64(&body, consumer->pending.spent_count);
    for (size_t i = 0; i < consumer->pending.spent_count; i++)
        buf_append_le64(&body, consumer->pending.spent[i]);
    enum status status = stage(consumer->stream, consumer->name, &body, err);
    if (status == STATUS_OK) {
        buf_clear(&consumer->events);
        consumer->state_due = false;
    }
    return status;
}

// What the log holds at least: a guess is enough.
static uint64_t bytes_needed(struct stream *stream)
{
    struct consumer *consumer = NULL;
    uint64_t bytes = 0;
    while ((consumer = consumer_next_of(stream, consumer)) != NULL)
        bytes += 8 * RECORD_BYTES + PENDING_BYTES * pending_count(&consumer->pending);
    return bytes;
}

static void compact(struct stream *stream)
{
    struct consumer *consumer = NULL;
    uint64_t before = stream->consumer_seq;
    enum status status = STATUS_OK;
    if (stream->consumer_bytes < COMPACT_BYTES_MIN + 4 * bytes_needed(stream))
        return;
    uint64_t bytes = stream->consumer_bytes;
    while (status == STATUS_OK && (consumer = consumer_next_of(stream, consumer)) != NULL) {
        if (!consumer->durable)
            continue;
        status = put_config(consumer, NULL);
        if (status == STATUS_OK)
            status = put_state(consumer, NULL);
    }
    // Removed last: a crash in between leaves both, and the later ones count.
    if (status == STATUS_OK &&
        msglog_remove(stream->consumer_log, 1, before, false, NULL) == STATUS_OK)
        stream->consumer_bytes -= bytes;
}

enum status consumer_log_make(struct consumer *consumer, struct errinfo *err)
{
    struct stream *stream = consumer->stream;
    enum status status = STATUS_OK;
    if (!consumer->durable)
        return STATUS_OK;
    if (stream->consumer_log == NULL)
        status = open_log(stream, true, err);
    if (status == STATUS_OK)
        status = put_config(consumer, err);
    return status == STATUS_OK ? put_state(consumer, err) : status;
}

enum status consumer_log_state(struct consumer *consumer, struct errinfo *err)
{
    return consumer->durable ? put_state(consumer, err) : STATUS_OK;
}

enum status consumer_log_delete(struct consumer *consumer, struct errinfo *err)
{
    struct buf body;
    if (!consumer->durable)
        return STATUS_OK;
    body = record('X');
    return stage(consumer->stream, consumer->name, &body, err);
}

// Events

static void put_number(struct buf *events, uint64_t number)
{
    for (; number >= 0x80; number >>= 7)
        buf_append_byte(events, (char)(unsigned char)(number | 0x80));
    buf_append_byte(events, (char)(unsigned char)number);
}

static void add_event(struct consumer *consumer, char kind, const uint64_t *numbers, size_t count)
{
    struct buf *events = &consumer->events;
    if (!consumer->durable || consumer->state_due)
        return;
    buf_append_byte(events, kind);
    for (size_t i = 0; i < count; i++)
        put_number(events, numbers[i]);
    // Where there is no room for what happened, there is for what has become of it.
    if (buf_status(events) != STATUS_OK) {
        buf_clear(events);
        consumer->state_due = true;
    }
}

void consumer_log_delivered(struct consumer *consumer, const struct pending *pending, uint64_t seq)
{
    const uint64_t numbers[] = {seq, consumer->delivered_consumer_seq,
                                (uint64_t)consumer->delivered_ns,
                                pending == NULL ? 0 : pending->deliveries};
    // Where nothing is acknowledged, only the last one counts.
    if (pending == NULL && consumer->last_count == 0)
        buf_clear(&consumer->events);
    add_event(consumer, 'D', numbers, 4);
}

void consumer_log_removed(struct consumer *consumer, uint64_t seq, enum consumer_removal removal)
{
    const uint64_t numbers[] = {seq, removal};
    add_event(consumer, 'A', numbers, 2);
}

void consumer_log_due(struct consumer *consumer, const struct pending *pending)
{
    const uint64_t numbers[] = {pending->seq, (uint64_t)pending->due_ns};
    add_event(consumer, 'T', numbers, 2);
}

static enum status stage_events(struct consumer *consumer, struct errinfo *err)
{
    if (consumer->state_due)
        return put_state(consumer, err);
    if (consumer->events.size == 0)
        return STATUS_OK;
    struct buf body = record('E');
    buf_append(&body, buf_bytes(&consumer->events));
    enum status status = stage(consumer->stream, consumer->name, &body, err);
    if (status == STATUS_OK)
        buf_clear(&consumer->events);
    return status;
}

enum status stream_stage_consumers(struct stream *stream, struct errinfo *err)
{
    struct consumer *consumer = NULL;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && (consumer = consumer_next_of(stream, consumer)) != NULL)
        status = consumer->durable ? stage_events(consumer, err) : STATUS_OK;
    if (status == STATUS_OK && stream->consumer_log != NULL)
        compact(stream);
    return status;
}

// Reading

struct reader {
    struct bytes rest;
    bool good;
};

static uint64_t take(struct reader *reader)
{
    if (reader->rest.size < 8) {
        reader->good = false;
        return 0;
    }
    uint64_t number = le_get64(reader->rest.data);
    reader->rest = bytes_from(reader->rest, 8);
    return number;
}

static uint64_t take_number(struct reader *reader)
{
    uint64_t number = 0;
    for (unsigned shift = 0; shift < 64 && reader->rest.size > 0; shift += 7) {
        unsigned char byte = (unsigned char)reader->rest.data[0];
        reader->rest = bytes_from(reader->rest, 1);
        number |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80)
            return number;
    }
    reader->good = false;
    return 0;
}

static enum status read_config(struct stream *stream, struct consumer *found,
                               const struct msglog_message *message, struct reader *reader)
{
    struct consumer_config config;
    int64_t created_ns = (int64_t)take(reader);
    consumer_config_init(&config);
    enum status status = consumer_config_read(&config, reader->rest, NULL);
    if (status != STATUS_OK)
        return status;
    if (found != NULL) {
        consumer_config_fini(&found->config);
        found->config = config;
        return STATUS_OK;
    }
    struct consumer *made = consumer_new(stream, message->subject, &config, created_ns);
    consumer_config_fini(&config);
    if (made == NULL)
        return STATUS_NO_MEMORY;
    list_append(&stream->consumers, &made->link);
    return STATUS_OK;
}

static enum status read_lasts(struct consumer *consumer, struct reader *reader)
{
    uint64_t count = take(reader);
    if (count > reader->rest.size / 8)
        return STATUS_CORRUPT;
    uint64_t *lasts = calloc((size_t)count + 1, sizeof *lasts);
    if (lasts == NULL)
        return STATUS_NO_MEMORY;
    for (uint64_t i = 0; i < count; i++)
        lasts[i] = take(reader);
    free(consumer->lasts);
    consumer->lasts = lasts;
    consumer->last_count = (size_t)count;
    consumer->last_at = 0;
    return STATUS_OK;
}

static enum status read_state(struct consumer *consumer, struct reader *reader)
{
    consumer->next_seq = take(reader);
    consumer->delivered_seq = take(reader);
    consumer->delivered_consumer_seq = take(reader);
    consumer->delivered_ns = (int64_t)take(reader);
    consumer->floor_seq = take(reader);
    consumer->floor_consumer_seq = take(reader);
    consumer->acked_ns = (int64_t)take(reader);
    consumer->replay_until_seq = take(reader);
    pending_clear(&consumer->pending);
    enum status status = read_lasts(consumer, reader);
    uint64_t count = take(reader);
    for (uint64_t i = 0; status == STATUS_OK && reader->good && i < count; i++) {
        struct pending *pending;
        status = pending_add(&consumer->pending, take(reader), &pending);
        if (status != STATUS_OK)
            break;
        pending->consumer_seq = take(reader);
        pending->sent_ns = (int64_t)take(reader);
        int64_t due_ns = (int64_t)take(reader);
        pending->deliveries = (uint32_t)take(reader);
        status = pending_set_due(&consumer->pending, pending, due_ns);
    }
    count = take(reader);
    for (uint64_t i = 0; status == STATUS_OK && reader->good && i < count; i++)
        status = pending_add_spent(&consumer->pending, take(reader));
    return status;
}

static enum status read_delivered(struct consumer *consumer, struct reader *reader)
{
    uint64_t seq = take_number(reader);
    uint64_t consumer_seq = take_number(reader);
    int64_t time_ns = (int64_t)take_number(reader);
    uint64_t deliveries = take_number(reader);
    struct pending *pending;
    consumer->delivered_consumer_seq = consumer_seq;
    consumer->delivered_ns = time_ns;
    if (seq > consumer->delivered_seq)
        consumer->delivered_seq = seq;
    if (consumer->last_at < consumer->last_count && deliveries <= 1 &&
        seq == consumer->lasts[consumer->last_at])
        consumer->last_at++;
    else if (seq >= consumer->next_seq)
        consumer->next_seq = seq + 1;
    if (deliveries == 0)
        return STATUS_OK;
    enum status status = pending_add(&consumer->pending, seq, &pending);
    if (status != STATUS_OK)
        return status;
    if (pending->deliveries == 0)
        pending->consumer_seq = consumer_seq;
    pending->sent_ns = time_ns;
    pending->deliveries = (uint32_t)deliveries;
    return pending_set_due(&consumer->pending, pending,
                           time_ns + consumer_wait_ns(consumer, deliveries));
}

static enum status read_due(struct consumer *consumer, struct reader *reader)
{
    struct pending *pending = pending_find(&consumer->pending, take_number(reader));
    int64_t due_ns = (int64_t)take_number(reader);
    return pending == NULL ? STATUS_OK : pending_set_due(&consumer->pending, pending, due_ns);
}

static bool keeps_spent(const struct consumer *consumer)
{
    return consumer->stream->config.retention == STREAM_RETAIN_INTEREST;
}

static enum status read_removed(struct consumer *consumer, struct reader *reader)
{
    uint64_t seq = take_number(reader);
    uint64_t removal = take_number(reader);
    bool all_below = removal == CONSUMER_ALL_BELOW;
    struct pending *pending = pending_find(&consumer->pending, seq);
    if (pending != NULL)
        pending_remove(&consumer->pending, pending);
    while (all_below && (pending = pending_first(&consumer->pending)) != NULL &&
           pending->seq <= seq)
        pending_remove(&consumer->pending, pending);
    return removal == CONSUMER_SPENT && keeps_spent(consumer)
               ? pending_add_spent(&consumer->pending, seq)
               : STATUS_OK;
}

static enum status read_events(struct consumer *consumer, struct reader *reader)
{
    enum status status = STATUS_OK;
    while (status == STATUS_OK && reader->good && reader->rest.size > 0) {
        char kind = reader->rest.data[0];
        reader->rest = bytes_from(reader->rest, 1);
        if (kind == 'D')
            status = read_delivered(consumer, reader);
        else if (kind == 'A')
            status = read_removed(consumer, reader);
        else if (kind == 'T')
            status = read_due(consumer, reader);
        else
            reader->good = false;
    }
    return status;
}

static enum status read_record(struct stream *stream, const struct msglog_message *message)
{
    struct consumer *consumer = consumer_find(stream, message->subject);
    struct reader reader = {bytes_from(message->body, 1), true};
    char kind = message->body.size > 0 ? message->body.data[0] : '\0';
    enum status status = STATUS_OK;
    if (kind == 'C')
        status = read_config(stream, consumer, message, &reader);
    else if (consumer == NULL)
        return STATUS_OK;
    else if (kind == 'S')
        status = read_state(consumer, &reader);
    else if (kind == 'E')
        status = read_events(consumer, &reader);
    else if (kind == 'X')
        consumer_free(consumer);
    return status;
}

// What the log does not say: counts, and messages that went while it was closed.
static void complete(struct consumer *consumer)
{
    struct pending *pending = pending_first(&consumer->pending);
    while (pending != NULL) {
        uint64_t seq = pending->seq;
        if (subject_index_get(&consumer->stream->index, seq) == NULL)
            pending_remove(&consumer->pending, pending);
        else
            consumer->redelivered += pending->deliveries > 1;
        pending = pending_after(&consumer->pending, seq);
    }
    for (size_t i = consumer->pending.spent_count; i-- > 0;) {
        uint64_t seq = consumer->pending.spent[i];
        if (subject_index_get(&consumer->stream->index, seq) == NULL)
            pending_forget_spent(&consumer->pending, seq);
    }
    // The end of a stream that was damaged may be lost, and its sequences are given again.
    uint64_t last = consumer_last_committed(consumer);
    if (consumer->delivered_consumer_seq > 0 && consumer->delivered_seq > last) {
        consumer->delivered_seq = last;
        consumer->next_seq = last + 1;
    }
    consumer_recount(consumer);
    consumer_update_floor(consumer);
    consumer_take_config(consumer);
}

// A record that is damaged is skipped: at worst something is delivered once more.
static enum status replay(struct stream *stream)
{
    struct buf storage;
    struct msglog_entry entry;
    enum status status = STATUS_OK;
    uint64_t seq = 1;
    buf_init(&storage, LIMIT_RECORD_BYTES);
    while (status != STATUS_NO_MEMORY && msglog_entry_next(stream->consumer_log, seq, &entry)) {
        struct msglog_message message;
        seq = entry.seq + 1;
        status = msglog_read(stream->consumer_log, entry.seq, MSGLOG_ALL, &storage, &message, NULL);
        if (status == STATUS_OK)
            status = read_record(stream, &message);
    }
    buf_fini(&storage);
    return status == STATUS_NO_MEMORY ? status : STATUS_OK;
}

enum status consumer_log_open(struct stream *stream, struct errinfo *err)
{
    struct consumer *consumer = NULL;
    enum status status = open_log(stream, false, err);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    if (status == STATUS_OK)
        status = replay(stream);
    if (status == STATUS_NO_MEMORY)
        return errinfo_set(err, status, "no memory for the consumers of stream %s",
                           stream->config.name);
    while (status == STATUS_OK && (consumer = consumer_next_of(stream, consumer)) != NULL)
        complete(consumer);
    return status;
}
