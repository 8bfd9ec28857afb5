// SPDX-License-Identifier: Apache-2.0
#include "server/js_source.h"

#include "base/limits.h"
#include "server/server_private.h"
#include "wire/headers.h"
#include "wire/jsontext.h"
#include "wire/subject.h"
#include "wire/transform.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { TURN_MESSAGES = 256, TURN_BYTES = 4 * 1024 * 1024 };

static const struct bytes source_header = {"Nats-Stream-Source", 18};

struct js_source {
    struct stream_source config;
    bool is_mirror;
    uint64_t next_seq; // of the origin
    int64_t active_ns; // when something came last, 0 for never
};

// Which messages, under which name

// The rename that takes a subject; NULL when none does. A source without renames takes what its
// filter takes.
static const struct subject_mapping *mapping_of(const struct stream_source *config,
                                                struct bytes subject)
{
    for (size_t i = 0; i < config->transform_count; i++) {
        struct bytes source = bytes_of_string(config->transforms[i].source);
        if (source.size == 0 || subject_matches(source, subject))
            return &config->transforms[i];
    }
    return NULL;
}

static bool takes(const struct stream_source *config, struct bytes subject)
{
    if (config->transform_count > 0)
        return mapping_of(config, subject) != NULL;
    return config->filter == NULL || subject_matches(bytes_of_string(config->filter), subject);
}

static uint64_t next_of(const struct js_source *source, struct stream *origin)
{
    struct msglog_entry entry;
    uint64_t seq = source->next_seq;
    if (source->config.transform_count == 0)
        return stream_find_next(
            origin, seq,
            source->config.filter == NULL ? BYTES(">") : bytes_of_string(source->config.filter));
    while (msglog_entry_next(stream_get_log(origin), seq, &entry)) {
        if (takes(&source->config, entry.subject))
            return entry.seq;
        seq = entry.seq + 1;
    }
    return 0;
}

static void put_subject(const struct stream_source *config, struct bytes subject, struct buf *out)
{
    const struct subject_mapping *mapping = mapping_of(config, subject);
    buf_clear(out);
    if (mapping == NULL || mapping->destination == NULL || mapping->destination[0] == '\0' ||
        !transform_apply(bytes_of_string(mapping->source), bytes_of_string(mapping->destination),
                         subject, out))
        buf_append(out, subject);
}

// The stored headers and, behind them, where the message came from: "stream seq filter rename
// subject".
static struct bytes put_origin(const struct js_source *source, const struct msglog_message *message,
                               struct buf *out)
{
    const struct stream_source *config = &source->config;
    const struct subject_mapping *mapping = mapping_of(config, message->subject);
    const char *filter = mapping != NULL ? mapping->source : config->filter;
    const char *renamed = mapping != NULL ? mapping->destination : NULL;
    buf_clear(out);
    if (message->headers.size > 2)
        buf_append(out, bytes_slice(message->headers, 0, message->headers.size - 2));
    else
        headers_begin(out);
    buf_printf(out, "Nats-Stream-Source: %s %" PRIu64 " %s %s %.*s\r\n", config->name, message->seq,
               filter == NULL || filter[0] == '\0' ? ">" : filter,
               renamed == NULL || renamed[0] == '\0' ? ">" : renamed, BYTES_ARG(message->subject));
    headers_end(out);
    return buf_bytes(out);
}

// Taking

struct copying {
    struct js_stream *stream;
    struct buf storage;
    struct buf subject;
    struct buf headers;
    size_t messages;
    size_t bytes;
};

static enum status copy_one(struct copying *copying, struct js_source *source,
                            struct stream *origin, uint64_t seq)
{
    struct msglog_message message;
    struct errinfo err;
    enum status status = stream_get(origin, seq, MSGLOG_ALL, &copying->storage, &message, &err);
    // What is damaged there is not brought here.
    if (status == STATUS_OK) {
        struct msglog_message copy = message;
        put_subject(&source->config, message.subject, &copying->subject);
        copy.subject = buf_bytes(&copying->subject);
        if (!source->is_mirror) {
            copy.seq = 0;
            copy.time_ns = server_now_ns();
            copy.headers = put_origin(source, &message, &copying->headers);
        }
        status = stream_copy(copying->stream->stream, &copy, &err);
        if (status != STATUS_OK) {
            serverlog_write(copying->stream->js->server->log, SERVERLOG_ERROR, "stream %s: %s",
                            copying->stream->name, err.text);
            return status;
        }
        copying->messages++;
        copying->bytes += message.body.size;
        source->active_ns = server_now_ns();
    }
    source->next_seq = seq + 1;
    return STATUS_OK;
}

void js_source_pull(struct js_stream *stream)
{
    struct copying copying = {.stream = stream};
    if (stream->source_count == 0 || stream->gone || js_stream_has_staged(stream))
        return;
    buf_init(&copying.storage, LIMIT_RECORD_BYTES);
    buf_init(&copying.subject, LIMIT_RECORD_SUBJECT_BYTES);
    buf_init(&copying.headers, LIMIT_RECORD_BYTES);
    for (size_t i = 0; i < stream->source_count; i++) {
        struct js_source *source = &stream->sources[i];
        struct js_stream *origin = js_stream_find(stream->js, bytes_of_string(source->config.name));
        uint64_t seq;
        while (origin != NULL && origin != stream && copying.messages < TURN_MESSAGES &&
               copying.bytes < TURN_BYTES && (seq = next_of(source, origin->stream)) != 0)
            if (copy_one(&copying, source, origin->stream, seq) != STATUS_OK)
                break;
    }
    if (copying.messages > 0)
        js_stream_touch(stream);
    buf_fini(&copying.storage);
    buf_fini(&copying.subject);
    buf_fini(&copying.headers);
}

void js_source_wake_readers(struct js_stream *origin)
{
    struct js_stream *stream;
    size_t at = 0;
    while (origin->js->taking > 0 && (stream = map_next(&origin->js->streams, &at)) != NULL)
        for (size_t i = 0; i < stream->source_count; i++)
            if (strcmp(stream->sources[i].config.name, origin->name) == 0)
                js_source_pull(stream);
}

// Where to go on

static uint64_t first_wanted(struct js_stream *stream, const struct stream_source *config)
{
    struct js_stream *origin = js_stream_find(stream->js, bytes_of_string(config->name));
    struct msglog_entry entry;
    struct stream_state state;
    if (config->start_seq > 0)
        return config->start_seq;
    if (config->start_time_ns == 0 || origin == NULL)
        return 1;
    if (msglog_entry_since(stream_get_log(origin->stream), config->start_time_ns, &entry))
        return entry.seq;
    stream_state_get(origin->stream, &state);
    return state.last_seq + 1;
}

// The sequence that a stored message had in a source; 0 when it came from elsewhere.
static uint64_t sequence_there(const struct js_source *source, struct bytes headers)
{
    struct bytes value;
    uint64_t seq;
    if (!headers_find(headers, source_header, &value))
        return 0;
    struct bytes name = bytes_cut(value, ' ', &value);
    struct bytes number = bytes_cut(value, ' ', &value);
    struct bytes filter = bytes_cut(value, ' ', &value);
    const char *wanted = source->config.filter == NULL ? ">" : source->config.filter;
    if (!bytes_equal(name, bytes_of_string(source->config.name)) || !bytes_to_u64(number, &seq) ||
        (source->config.transform_count == 0 && !bytes_equal(filter, bytes_of_string(wanted))))
        return 0;
    return seq;
}

// Backwards through what is stored, until each source has said how far it had come.
static void find_places(struct js_stream *stream)
{
    struct buf storage;
    struct msglog_message message;
    struct stream_state state;
    size_t open = stream->source_count;
    stream_state_get(stream->stream, &state);
    buf_init(&storage, LIMIT_RECORD_BYTES);
    for (uint64_t seq = state.last_seq; open > 0 && seq >= state.first_seq && seq > 0; seq--) {
        if (stream_get(stream->stream, seq, MSGLOG_HEAD, &storage, &message, NULL) != STATUS_OK)
            continue;
        for (size_t i = 0; i < stream->source_count; i++) {
            struct js_source *source = &stream->sources[i];
            uint64_t there = sequence_there(source, message.headers);
            if (there == 0 || source->next_seq != 0)
                continue;
            source->next_seq = there + 1;
            open--;
        }
    }
    buf_fini(&storage);
}

static enum status add(struct js_stream *stream, const struct stream_source *config, bool is_mirror,
                       struct errinfo *err)
{
    struct js_source *source = &stream->sources[stream->source_count];
    enum status status = stream_source_copy(&source->config, config);
    if (status != STATUS_OK)
        return errinfo_set(err, status, "no memory for the sources of stream %s", stream->name);
    source->is_mirror = is_mirror;
    stream->source_count++;
    return STATUS_OK;
}

enum status js_source_start(struct js_stream *stream, struct errinfo *err)
{
    const struct stream_config *config = stream_get_config(stream->stream);
    size_t count = config->mirror != NULL ? 1 : config->source_count;
    struct stream_state state;
    enum status status = STATUS_OK;
    if (count == 0)
        return STATUS_OK;
    stream->sources = calloc(count, sizeof *stream->sources);
    if (stream->sources == NULL)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory for the sources of stream %s",
                           stream->name);
    if (config->mirror != NULL)
        status = add(stream, config->mirror, true, err);
    for (size_t i = 0; status == STATUS_OK && config->mirror == NULL && i < count; i++)
        status = add(stream, &config->sources[i], false, err);
    if (status != STATUS_OK)
        return status;
    stream->js->taking++;
    stream_state_get(stream->stream, &state);
    if (config->mirror != NULL && state.last_seq > 0)
        stream->sources[0].next_seq = state.last_seq + 1;
    else if (config->mirror == NULL)
        find_places(stream);
    for (size_t i = 0; i < count; i++)
        if (stream->sources[i].next_seq == 0)
            stream->sources[i].next_seq = first_wanted(stream, &stream->sources[i].config);
    js_source_pull(stream);
    return STATUS_OK;
}

void js_source_stop(struct js_stream *stream)
{
    stream->js->taking -= stream->source_count > 0;
    for (size_t i = 0; i < stream->source_count; i++)
        stream_source_fini(&stream->sources[i].config);
    free(stream->sources);
    stream->sources = NULL;
    stream->source_count = 0;
}

enum status js_source_restart(struct js_stream *stream, struct errinfo *err)
{
    js_source_stop(stream);
    return js_source_start(stream, err);
}

// Info

static void put_one(struct js_stream *stream, const struct js_source *source, struct buf *out)
{
    struct js_stream *origin = js_stream_find(stream->js, bytes_of_string(source->config.name));
    uint64_t lag = origin == NULL ? 0
                                  : stream_count_from(origin->stream, source->next_seq,
                                                      bytes_of_string(source->config.filter));
    int64_t idle_ns = source->active_ns == 0 ? -1 : server_now_ns() - source->active_ns;
    buf_append_string(out, "{\"name\":");
    jsontext_put_string(out, bytes_of_string(source->config.name));
    buf_printf(out, ",\"lag\":%" PRIu64 ",\"active\":%" PRId64, lag, idle_ns);
    if (source->config.filter != NULL) {
        buf_append_string(out, ",\"filter_subject\":");
        jsontext_put_string(out, bytes_of_string(source->config.filter));
    }
    buf_append_byte(out, '}');
}

void js_source_put_info(struct js_stream *stream, struct buf *out)
{
    if (stream->source_count == 0)
        return;
    if (stream->sources[0].is_mirror) {
        buf_append_string(out, ",\"mirror\":");
        put_one(stream, &stream->sources[0], out);
        return;
    }
    for (size_t i = 0; i < stream->source_count; i++) {
        buf_append_string(out, i == 0 ? ",\"sources\":[" : ",");
        put_one(stream, &stream->sources[i], out);
    }
    buf_append_byte(out, ']');
}
