// SPDX-License-Identifier: Apache-2.0
#include "engine/stream_ttl.h"

#include "engine/consumer.h"
#include "engine/jserror.h"
#include "engine/stream_private.h"
#include "wire/headers.h"

#include <inttypes.h>
#include <stdlib.h>

enum { FIRST_CAPACITY = 16, SECOND_NS = 1000000000 };

// The heap

void ttl_fini(struct ttl_heap *heap)
{
    free(heap->entries);
    *heap = (struct ttl_heap){NULL, 0, 0};
}

static void swap(struct ttl_entry *a, struct ttl_entry *b)
{
    struct ttl_entry kept = *a;
    *a = *b;
    *b = kept;
}

enum status ttl_add(struct ttl_heap *heap, uint64_t seq, int64_t at_ns)
{
    if (heap->count == heap->capacity) {
        size_t capacity = heap->capacity == 0 ? FIRST_CAPACITY : heap->capacity * 2;
        struct ttl_entry *entries = realloc(heap->entries, capacity * sizeof *entries);
        if (entries == NULL)
            return STATUS_NO_MEMORY;
        heap->entries = entries;
        heap->capacity = capacity;
    }
    size_t at = heap->count++;
    heap->entries[at] = (struct ttl_entry){at_ns, seq};
    for (; at > 0 && heap->entries[(at - 1) / 2].at_ns > heap->entries[at].at_ns; at = (at - 1) / 2)
        swap(&heap->entries[(at - 1) / 2], &heap->entries[at]);
    return STATUS_OK;
}

int64_t ttl_next(const struct ttl_heap *heap)
{
    return heap->count > 0 ? heap->entries[0].at_ns : INT64_MAX;
}

uint64_t ttl_take(struct ttl_heap *heap)
{
    uint64_t seq = heap->entries[0].seq;
    size_t at = 0;
    heap->entries[0] = heap->entries[--heap->count];
    for (;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < heap->count; child++)
            if (heap->entries[child].at_ns < heap->entries[least].at_ns)
                least = child;
        if (least == at)
            return seq;
        swap(&heap->entries[at], &heap->entries[least]);
        at = least;
    }
}

// Headers

static bool parse_span(struct bytes text, int64_t *span_ns)
{
    static const struct {
        struct bytes unit;
        uint64_t ns;
    } units[] = {
        {{"ns", 2}, 1},
        {{"us", 2}, 1000},
        {{"ms", 2}, 1000000},
        {{"s", 1}, SECOND_NS},
        {{"m", 1}, UINT64_C(60000000000)},
        {{"h", 1}, UINT64_C(3600000000000)},
    };
    uint64_t sum = 0;
    while (text.size > 0) {
        size_t digits = 0;
        uint64_t number;
        uint64_t unit_ns = 0;
        while (digits < text.size && text.data[digits] >= '0' && text.data[digits] <= '9')
            digits++;
        if (!bytes_to_u64(bytes_slice(text, 0, digits), &number))
            return false;
        text = bytes_from(text, digits);
        for (size_t i = 0; unit_ns == 0 && i < sizeof units / sizeof units[0]; i++) {
            if (!bytes_start_with(text, units[i].unit))
                continue;
            unit_ns = units[i].ns;
            text = bytes_from(text, units[i].unit.size);
        }
        if (unit_ns == 0 || number > (uint64_t)INT64_MAX / unit_ns ||
            sum > (uint64_t)INT64_MAX - number * unit_ns)
            return false;
        sum += number * unit_ns;
    }
    *span_ns = (int64_t)sum;
    return true;
}

enum status ttl_parse(struct bytes text, int64_t *ttl_ns, struct errinfo *err)
{
    uint64_t seconds;
    int64_t span_ns = 0;
    bool good = false;
    if (bytes_equal_nocase(text, BYTES("never"))) {
        *ttl_ns = 0;
        return STATUS_OK;
    }
    if (bytes_to_u64(text, &seconds)) {
        good = seconds > 0 && seconds <= (uint64_t)INT64_MAX / SECOND_NS;
        span_ns = good ? (int64_t)seconds * SECOND_NS : 0;
    } else if (text.size > 0) {
        good = parse_span(text, &span_ns) && span_ns >= SECOND_NS;
    }
    if (!good)
        return errinfo_set_code(err, STATUS_INVALID, 10165, "invalid per-message TTL");
    *ttl_ns = span_ns;
    return STATUS_OK;
}

static const struct bytes ttl_name = {"Nats-TTL", 8};

enum status stream_ttl_check(const struct stream *stream, struct bytes headers, int64_t *ttl_ns,
                             struct errinfo *err)
{
    struct bytes value;
    *ttl_ns = 0;
    if (!headers_find(headers, ttl_name, &value) || value.size == 0)
        return STATUS_OK;
    if (!stream->config.allow_msg_ttl)
        return errinfo_set_code(err, STATUS_INVALID, 10166, "per-message TTL is disabled");
    enum status status = ttl_parse(value, ttl_ns, err);
    // A message that goes before the marker of the one before it would be missed by who follows
    // markers; with one message a subject there is no such marker.
    int64_t least_ns = stream->config.delete_marker_ttl_ns;
    if (status == STATUS_OK && *ttl_ns > 0 && *ttl_ns < least_ns &&
        stream->config.max_msgs_per_subject != 1)
        *ttl_ns = least_ns;
    return status;
}

enum status stream_ttl_open(struct stream *stream)
{
    struct buf storage;
    struct msglog_entry entry;
    enum status status = STATUS_OK;
    uint64_t seq = 1;
    if (!stream->config.allow_msg_ttl)
        return STATUS_OK;
    buf_init(&storage, LIMIT_RECORD_BYTES);
    while (status == STATUS_OK && msglog_entry_next(stream->log, seq, &entry)) {
        struct msglog_message message;
        int64_t ttl_ns;
        seq = entry.seq + 1;
        if (entry.headers_bytes == 0 ||
            msglog_read(stream->log, entry.seq, MSGLOG_HEAD, &storage, &message, NULL) !=
                STATUS_OK ||
            stream_ttl_check(stream, message.headers, &ttl_ns, NULL) != STATUS_OK || ttl_ns == 0)
            continue;
        status = ttl_add(&stream->ttl, entry.seq, entry.time_ns + ttl_ns);
    }
    buf_fini(&storage);
    return status;
}

// As parse_span reads it: 1h0m0s, 1m30s, 5s.
static void put_span(struct buf *out, int64_t span_ns)
{
    int64_t seconds = span_ns / SECOND_NS;
    if (seconds >= 3600)
        buf_printf(out, "%" PRId64 "h", seconds / 3600);
    if (seconds >= 60)
        buf_printf(out, "%" PRId64 "m", seconds / 60 % 60);
    buf_printf(out, "%" PRId64 "s", seconds % 60);
}

// A marker leaves no marker; key-value clients have one of their own.
static bool is_marker(struct bytes headers)
{
    struct bytes value;
    return headers_find(headers, BYTES("Nats-Marker-Reason"), &value) ||
           (headers_find(headers, BYTES("KV-Operation"), &value) &&
            bytes_equal(value, BYTES("PURGE")));
}

// Where the last message of a subject was, a marker says so for a while.
static void put_marker(struct stream *stream, struct bytes subject, int64_t now_ns)
{
    struct buf headers;
    struct stream_ack ack;
    if (stream->config.delete_marker_ttl_ns == 0 ||
        subject_index_find(&stream->index, subject) != NULL)
        return;
    buf_init(&headers, LIMIT_HEADER_BYTES);
    buf_append_string(&headers, "NATS/1.0\r\nNats-Marker-Reason: MaxAge\r\nNats-TTL: ");
    put_span(&headers, stream->config.delete_marker_ttl_ns);
    buf_append_string(&headers, "\r\nNats-Rollup: sub\r\n\r\n");
    struct stream_input input = {subject, buf_bytes(&headers), {NULL, 0}, now_ns};
    // Without room for it the subject is gone all the same.
    if (buf_status(&headers) == STATUS_OK)
        stream_publish(stream, &input, &ack, NULL);
    buf_fini(&headers);
}

enum status stream_drop_expired(struct stream *stream, uint64_t seq, int64_t now_ns,
                                struct errinfo *err)
{
    struct buf subject;
    struct buf storage;
    struct msglog_message message;
    const struct subject_node *node = subject_index_get(&stream->index, seq);
    if (node == NULL)
        return STATUS_OK;
    if (stream->config.delete_marker_ttl_ns == 0)
        return stream_drop(stream, seq, false, err);
    buf_init(&subject, LIMIT_RECORD_SUBJECT_BYTES);
    buf_init(&storage, LIMIT_RECORD_BYTES);
    buf_append(&subject, node->subject->text);
    bool marker = msglog_read(stream->log, seq, MSGLOG_HEAD, &storage, &message, NULL) ==
                      STATUS_OK &&
                  is_marker(message.headers);
    enum status status = stream_drop(stream, seq, false, err);
    if (status == STATUS_OK && !marker)
        put_marker(stream, buf_bytes(&subject), now_ns);
    buf_fini(&subject);
    buf_fini(&storage);
    return status;
}

enum status stream_ttl_tick(struct stream *stream, int64_t now_ns, struct errinfo *err)
{
    enum status status = STATUS_OK;
    while (status == STATUS_OK && ttl_next(&stream->ttl) <= now_ns)
        status = stream_drop_expired(stream, ttl_take(&stream->ttl), now_ns, err);
    return status;
}
