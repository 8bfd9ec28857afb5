// SPDX-License-Identifier: Apache-2.0
// Direct gets (ADR-31): a message as it is stored, with headers that say where it was; no JSON.
// Only streams with allow_direct answer.
#include "base/clock.h"
#include "base/limits.h"
#include "server/get_request.h"
#include "server/jetstream.h"
#include "server/server_private.h"
#include "wire/headers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MULTI_MAX = 1024 };

struct direct {
    struct js_stream *stream;
    struct bytes reply;
    struct get_request request;
    struct buf storage;
    struct buf headers;
    uint64_t last_seq; // of what was sent before
    uint64_t sent_bytes;
};

static void send_status(struct js_stream *stream, struct bytes reply, const char *line)
{
    char headers[256];
    int size = snprintf(headers, sizeof headers, "NATS/1.0 %s\r\n\r\n", line);
    struct message message = {.subject = reply, .headers = bytes_of(headers, (size_t)size)};
    account_publish(stream->js->account, &message);
}

// The stored headers and, behind them, where the message was.
static void put_place(struct direct *direct, const struct msglog_message *stored)
{
    char time[CLOCK_RFC3339_SIZE];
    struct buf *out = &direct->headers;
    buf_clear(out);
    if (stored->headers.size > 2)
        buf_append(out, bytes_slice(stored->headers, 0, stored->headers.size - 2));
    else
        buf_append_string(out, "NATS/1.0\r\n");
    buf_printf(out, "Nats-Stream: %s\r\nNats-Subject: %.*s\r\n", direct->stream->name,
               BYTES_ARG(stored->subject));
    buf_printf(out, "Nats-Sequence: %" PRIu64 "\r\nNats-Time-Stamp: %s\r\n", stored->seq,
               clock_format(stored->time_ns, time));
}

static void send_stored(struct direct *direct, const struct msglog_message *stored)
{
    struct message message = {.subject = direct->reply, .body = stored->body};
    if (!direct->request.no_headers) {
        buf_append_string(&direct->headers, "\r\n");
        message.headers = buf_bytes(&direct->headers);
    }
    direct->last_seq = stored->seq;
    direct->sent_bytes += stored->subject.size + stored->headers.size + stored->body.size;
    if (buf_status(&direct->headers) == STATUS_OK)
        account_publish(direct->stream->js->account, &message);
}

// One message of a batch, with how many follow.
static void send_of_batch(struct direct *direct, const struct msglog_message *stored,
                          uint64_t pending)
{
    uint64_t before = direct->last_seq;
    put_place(direct, stored);
    buf_printf(&direct->headers,
               "Nats-Num-Pending: %" PRIu64 "\r\nNats-Last-Sequence: %" PRIu64 "\r\n", pending,
               before);
    send_stored(direct, stored);
}

static uint64_t count_from(struct direct *direct, uint64_t seq)
{
    struct bytes pattern = direct->request.next_by_subject;
    return stream_count_from(direct->stream->stream, seq, pattern.size == 0 ? BYTES(">") : pattern);
}

static void send_end(struct direct *direct, uint64_t pending, uint64_t up_to)
{
    char line[200];
    int size = snprintf(line, sizeof line,
                        "204 EOB\r\nNats-Num-Pending: %" PRIu64 "\r\nNats-Last-Sequence: %" PRIu64,
                        pending, direct->last_seq);
    if (up_to > 0)
        snprintf(line + size, sizeof line - (size_t)size, "\r\nNats-UpTo-Sequence: %" PRIu64,
                 up_to);
    send_status(direct->stream, direct->reply, line);
}

static uint64_t most_bytes(const struct direct *direct)
{
    return direct->request.max_bytes > 0
               ? direct->request.max_bytes
               : (uint64_t)direct->stream->js->server->options->max_pending;
}

static void send_batch(struct direct *direct)
{
    struct stream *stream = direct->stream->stream;
    struct bytes pattern = direct->request.next_by_subject;
    uint64_t seq = get_request_start(&direct->request, stream);
    uint64_t pending = count_from(direct, seq);
    uint64_t most = most_bytes(direct);
    uint64_t sent = 0;
    while (sent < direct->request.batch && direct->sent_bytes < most) {
        struct msglog_message stored;
        seq = stream_find_next(stream, seq, pattern.size == 0 ? BYTES(">") : pattern);
        if (seq == 0)
            break;
        if (stream_get(stream, seq, MSGLOG_ALL, &direct->storage, &stored, NULL) == STATUS_OK) {
            pending -= pending > 0;
            send_of_batch(direct, &stored, pending);
            sent++;
        }
        seq++;
    }
    if (sent == 0)
        send_status(direct->stream, direct->reply, "404 Message Not Found");
    else
        send_end(direct, pending, 0);
}

static int compare_seqs(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

// The sequences of the last messages of all patterns, rising, each once. SIZE_MAX when there are
// more than may be asked for at once.
static size_t collect_last(struct direct *direct, uint64_t up_to, uint64_t seqs[MULTI_MAX])
{
    const json_t *patterns = direct->request.multi_last;
    struct stream *stream = direct->stream->stream;
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(patterns); i++) {
        const json_t *pattern = json_array_get(patterns, i);
        struct stream_last *list;
        size_t found;
        struct bytes text = bytes_of(json_string_value(pattern), json_string_length(pattern));
        if (stream_find_last_each(stream, text, &list, &found, NULL) != STATUS_OK)
            continue;
        for (size_t j = 0; j < found && count <= MULTI_MAX; j++) {
            uint64_t seq = list[j].seq;
            if (seq > up_to)
                seq = stream_find_last_up_to(stream, list[j].subject, up_to);
            if (seq == 0 || seq < direct->request.seq)
                continue;
            if (count < MULTI_MAX)
                seqs[count] = seq;
            count++;
        }
        free(list);
        if (count > MULTI_MAX)
            return SIZE_MAX;
    }
    qsort(seqs, count, sizeof *seqs, compare_seqs);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || seqs[kept - 1] != seqs[i])
            seqs[kept++] = seqs[i];
    return kept;
}

// The last sequence that a multi-last may give; 0 when there is none.
static uint64_t ceiling(const struct direct *direct)
{
    struct msglog_entry entry;
    struct stream_state state;
    stream_state_get(direct->stream->stream, &state);
    if (direct->request.up_to_seq > 0)
        return direct->request.up_to_seq;
    if (direct->request.has_up_to_time && msglog_entry_since(stream_get_log(direct->stream->stream),
                                                             direct->request.up_to_time_ns, &entry))
        return entry.seq <= state.first_seq ? 0 : entry.seq - 1;
    return state.last_seq;
}

static void send_multi(struct direct *direct)
{
    uint64_t up_to = ceiling(direct);
    uint64_t most = most_bytes(direct);
    uint64_t *seqs = malloc(MULTI_MAX * sizeof *seqs);
    if (seqs == NULL) {
        send_status(direct->stream, direct->reply, "500 insufficient resources");
        return;
    }
    size_t count = up_to == 0 ? 0 : collect_last(direct, up_to, seqs);
    if (count == SIZE_MAX) {
        send_status(direct->stream, direct->reply, "413 Too Many Results");
    } else if (count == 0) {
        send_status(direct->stream, direct->reply, "404 No Results");
    } else {
        size_t sent = 0;
        while (sent < count && direct->sent_bytes < most &&
               (direct->request.batch == 0 || sent < direct->request.batch)) {
            struct msglog_message stored;
            if (stream_get(direct->stream->stream, seqs[sent], MSGLOG_ALL, &direct->storage,
                           &stored, NULL) == STATUS_OK)
                send_of_batch(direct, &stored, count - sent - 1);
            sent++;
        }
        send_end(direct, count - sent, up_to);
    }
    free(seqs);
}

static void retry(struct jetstream *js, const struct message *message);

static void send_one(struct direct *direct, const struct message *message)
{
    struct msglog_message stored;
    struct errinfo err;
    enum status status = get_request_find(&direct->request, direct->stream->stream,
                                          &direct->storage, &stored, &err);
    // What replaces it may be staged: that is looked for once it is committed.
    if (status == STATUS_NOT_FOUND && js_stream_has_staged(direct->stream)) {
        if (js_stream_defer(direct->stream, retry, message))
            return;
        status = get_request_find(&direct->request, direct->stream->stream, &direct->storage,
                                  &stored, &err);
    }
    if (status == STATUS_OK) {
        put_place(direct, &stored);
        send_stored(direct, &stored);
        return;
    }
    send_status(direct->stream, direct->reply, "404 Message Not Found");
}

static void answer(struct direct *direct, const struct message *message)
{
    buf_init(&direct->storage, LIMIT_RECORD_BYTES);
    buf_init(&direct->headers, LIMIT_RECORD_BYTES);
    if (get_request_is_empty(&direct->request))
        send_status(direct->stream, direct->reply, "408 Empty Request");
    else if (get_request_conflicts(&direct->request))
        send_status(direct->stream, direct->reply, "408 Bad Request");
    else if (direct->request.multi_last != NULL)
        send_multi(direct);
    else if (direct->request.batch > 0)
        send_batch(direct);
    else
        send_one(direct, message);
    buf_fini(&direct->storage);
    buf_fini(&direct->headers);
}

static bool handle(struct jetstream *js, const struct message *message)
{
    struct errinfo ignored;
    struct bytes subject;
    struct bytes rest = bytes_from(jetstream_api_rest(js, message->subject), strlen("DIRECT.GET."));
    struct direct direct = {.reply = message->reply};
    direct.stream = js_stream_find(js, bytes_cut(rest, '.', &subject));
    if (direct.stream == NULL || !stream_get_config(direct.stream->stream)->allow_direct)
        return false;
    if (message->reply.size == 0)
        return true;
    if (subject.size > 0) {
        direct.request.last_by_subject = subject;
        answer(&direct, message);
        return true;
    }
    if (message->body.size == 0) {
        send_status(direct.stream, message->reply, "408 Empty Request");
        return true;
    }
    json_t *json = json_loadb(message->body.data, message->body.size, 0, NULL);
    if (!json_is_object(json) || get_request_read(json, &direct.request, &ignored) != STATUS_OK)
        send_status(direct.stream, message->reply, "408 Malformed Request");
    else
        answer(&direct, message);
    json_decref(json);
    return true;
}

static void retry(struct jetstream *js, const struct message *message)
{
    handle(js, message);
}

static bool on_request(struct service *service, const struct message *message,
                       struct connection *from)
{
    (void)from;
    return handle(service->context, message);
}

enum status jetstream_serve_direct(struct jetstream *js, struct errinfo *err)
{
    return jetstream_serve_api_subject(js, "DIRECT.GET.>", on_request, err);
}
