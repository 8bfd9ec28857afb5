// SPDX-License-Identifier: Apache-2.0
// A stream at work: it takes the messages of its subjects and stages them, keeps its own times, and
// gives disk space back. Commits are js_commit.c's.
#include "base/limits.h"
#include "engine/stream_batch.h"
#include "server/api_error.h"
#include "server/jetstream.h"
#include "server/js_consumer.h"
#include "server/js_source.h"
#include "server/js_work.h"
#include "server/server_private.h"
#include "wire/jsontext.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct js_stream *js_stream_find(struct jetstream *js, struct bytes name)
{
    return map_find(&js->streams, name);
}

// Publishing

static void put_ack(struct buf *out, const struct js_stream *stream, const struct stream_ack *ack,
                    struct bytes headers)
{
    buf_printf(out, "{\"stream\":\"%s\"", stream->name);
    if (stream->js->domain != NULL)
        buf_printf(out, ",\"domain\":\"%s\"", stream->js->domain);
    buf_printf(out, ",\"seq\":%" PRIu64, ack->seq);
    if (ack->duplicate)
        buf_append_string(out, ",\"duplicate\":true");
    if (ack->batch_count > 0) {
        struct bytes id = {NULL, 0};
        stream_batch_is_part(headers, &id);
        buf_append_string(out, ",\"batch\":");
        jsontext_put_string(out, id);
        buf_printf(out, ",\"count\":%zu", ack->batch_count);
    }
    buf_append_byte(out, '}');
}

static bool on_message(struct service *service, const struct message *message,
                       struct connection *from)
{
    struct js_stream *stream = service->context;
    (void)from;
    js_stream_take(stream, message);
    return true;
}

static void refuse(struct js_stream *stream, struct bytes reply, enum status status,
                   const struct errinfo *err)
{
    struct buf text;
    if (reply.size == 0)
        return;
    buf_init(&text, LIMIT_JSON_BYTES);
    api_error_put_reply(&text, stream->name, status, err);
    account_publish(stream->js->account,
                    &(struct message){.subject = reply, .body = buf_bytes(&text)});
    buf_fini(&text);
}

void js_stream_take(struct js_stream *stream, const struct message *message)
{
    struct stream_ack ack = {0};
    struct errinfo err = {.protocol_code = 0};
    struct stream_input input = {message->subject, message->headers, message->body,
                                 server_now_ns()};
    enum status status = stream_publish(stream->stream, &input, &ack, &err);
    // A roll-up that failed half way has staged something all the same.
    js_stream_touch(stream);
    if (status != STATUS_OK) {
        refuse(stream, message->reply, status, &err);
        return;
    }
    if (message->reply.size == 0 || stream_get_config(stream->stream)->no_ack)
        return;
    if (ack.pending) {
        account_publish(stream->js->account, &(struct message){.subject = message->reply});
        return;
    }
    struct buf text;
    buf_init(&text, LIMIT_JSON_BYTES);
    put_ack(&text, stream, &ack, message->headers);
    js_stream_reply(stream, message->reply, buf_bytes(&text), true);
    buf_fini(&text);
}

// After a commit

static void republish(struct js_stream *stream)
{
    struct msglog_entry entry;
    struct msglog *log = stream_get_log(stream->stream);
    struct buf storage;
    struct buf headers;
    struct buf subject;
    buf_init(&storage, LIMIT_RECORD_BYTES);
    buf_init(&headers, LIMIT_RECORD_BYTES);
    buf_init(&subject, LIMIT_RECORD_SUBJECT_BYTES);
    while (msglog_entry_next(log, stream->republished_seq + 1, &entry)) {
        struct msglog_message stored;
        stream->republished_seq = entry.seq;
        if (stream_get(stream->stream, entry.seq, MSGLOG_ALL, &storage, &stored, NULL) != STATUS_OK)
            continue;
        uint64_t last = stream_previous_of(stream->stream, entry.seq);
        if (!stream_republish(stream->stream, &stored, last, &subject, &headers))
            continue;
        struct message message = {.subject = buf_bytes(&subject), .headers = buf_bytes(&headers)};
        if (!stream_get_config(stream->stream)->republish_headers_only)
            message.body = stored.body;
        account_publish(stream->js->account, &message);
    }
    buf_fini(&storage);
    buf_fini(&headers);
    buf_fini(&subject);
}

struct js_reclaim {
    struct js_work work;
    struct msglog *log; // the stream's, or its consumers'
    struct msglog_reclaim *piece;
};

static void reclaim_run(struct js_work *work)
{
    msglog_reclaim_run(((struct js_reclaim *)work)->piece);
}

static void reclaim_some(struct js_stream *stream);

static void reclaim_done(struct js_work *work)
{
    struct js_stream *stream = work->stream;
    struct js_reclaim *reclaim = (struct js_reclaim *)work;
    struct errinfo err;
    stream->reclaim = NULL;
    if (msglog_reclaim_done(reclaim->log, reclaim->piece, &err) != STATUS_OK)
        serverlog_write(stream->js->server->log, SERVERLOG_ERROR, "stream %s: %s", stream->name,
                        err.text);
    if (!stream->gone)
        reclaim_some(stream);
}

// One piece at a time: whatever the messages that are gone have left behind.
static void reclaim_some(struct js_stream *stream)
{
    if (stream->reclaim != NULL)
        return;
    struct js_reclaim *reclaim = calloc(1, sizeof *reclaim);
    if (reclaim == NULL)
        return;
    reclaim->log = stream_get_log(stream->stream);
    reclaim->piece = msglog_reclaim_take(reclaim->log);
    if (reclaim->piece == NULL && stream_get_consumer_log(stream->stream) != NULL) {
        reclaim->log = stream_get_consumer_log(stream->stream);
        reclaim->piece = msglog_reclaim_take(reclaim->log);
    }
    if (reclaim->piece == NULL) {
        free(reclaim);
        return;
    }
    stream->reclaim = reclaim;
    js_work_start(&reclaim->work, stream, reclaim_run, reclaim_done);
}

static void on_timer(uv_timer_t *timer)
{
    struct js_stream *stream = timer->data;
    struct errinfo err;
    if (stream_tick(stream->stream, server_now_ns(), &err) != STATUS_OK)
        serverlog_write(stream->js->server->log, SERVERLOG_ERROR, "stream %s: %s", stream->name,
                        err.text);
    js_stream_touch(stream);
}

static void reset_timer(struct js_stream *stream)
{
    server_timer_at(&stream->timer, on_timer, stream_deadline(stream->stream));
}

void js_stream_committed(struct js_stream *stream)
{
    if (stream_get_config(stream->stream)->republish.destination != NULL)
        republish(stream);
    js_source_pull(stream);
    js_source_wake_readers(stream);
    js_stream_wake_consumers(stream);
    reset_timer(stream);
    reclaim_some(stream);
}

// Attaching

void js_stream_deafen(struct js_stream *stream)
{
    for (size_t i = 0; i < stream->service_count; i++)
        account_unserve(&stream->services[i]);
    free(stream->services);
    stream->services = NULL;
    stream->service_count = 0;
}

enum status js_stream_listen(struct js_stream *stream, struct errinfo *err)
{
    const struct stream_config *config = stream_get_config(stream->stream);
    js_stream_deafen(stream);
    if (config->subject_count == 0)
        return STATUS_OK;
    stream->services = calloc(config->subject_count, sizeof *stream->services);
    if (stream->services == NULL)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory to listen for stream %s",
                           stream->name);
    for (size_t i = 0; i < config->subject_count; i++) {
        enum status status = account_serve(stream->js->account, &stream->services[i],
                                           config->subjects[i], on_message, stream);
        if (status != STATUS_OK)
            return errinfo_set(err, status, "no memory to listen for stream %s", stream->name);
        stream->service_count++;
    }
    return STATUS_OK;
}

static void stream_free(struct js_stream *stream)
{
    uv_mutex_destroy(&stream->work_lock);
    uv_cond_destroy(&stream->work_ran);
    free(stream->name);
    free(stream);
}

void js_stream_release(struct js_stream *stream)
{
    if (--stream->holds > 0)
        return;
    stream->js->held--;
    stream_free(stream);
}

static void on_timer_closed(uv_handle_t *handle)
{
    js_stream_release(handle->data);
}

static struct js_stream *make(struct jetstream *js, struct bytes name, struct stream *stream)
{
    struct js_stream *made = calloc(1, sizeof *made);
    if (made == NULL)
        return NULL;
    made->name = strndup(name.data, name.size);
    if (made->name == NULL || uv_mutex_init(&made->work_lock) != 0) {
        free(made->name);
        free(made);
        return NULL;
    }
    if (uv_cond_init(&made->work_ran) != 0) {
        uv_mutex_destroy(&made->work_lock);
        free(made->name);
        free(made);
        return NULL;
    }
    made->js = js;
    made->stream = stream;
    list_init(&made->dirty);
    list_init(&made->consumers);
    js_reply_queue_init(&made->staged);
    js_reply_queue_init(&made->waiting);
    uv_timer_init(&js->server->loop, &made->timer);
    made->timer.data = made;
    made->holds = 1; // the timer's
    js->held++;
    return made;
}

static enum status attach_consumers(struct js_stream *stream, struct errinfo *err)
{
    enum status status = STATUS_OK;
    struct consumer *consumer = NULL;
    while (status == STATUS_OK && (consumer = consumer_next_of(stream->stream, consumer)) != NULL) {
        struct js_consumer *attached;
        status = js_consumer_attach(stream, consumer, &attached, err);
    }
    return status;
}

enum status js_stream_attach(struct jetstream *js, struct bytes name, struct js_stream **out,
                             struct errinfo *err)
{
    struct stream *stream;
    struct msglog_state state;
    enum status status = engine_stream(js->engine, name, server_now_ns(), &stream, err);
    if (status != STATUS_OK)
        return status;
    struct js_stream *made = make(js, name, stream);
    if (made == NULL)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory for stream %.*s", BYTES_ARG(name));
    msglog_state_get(stream_get_log(stream), &state);
    made->republished_seq = state.last_seq;
    status = map_add(&js->streams, bytes_of_string(made->name), made);
    if (status != STATUS_OK) {
        made->gone = true;
        uv_close((uv_handle_t *)&made->timer, on_timer_closed);
        return errinfo_set(err, status, "no memory for stream %s", made->name);
    }
    status = js_stream_listen(made, err);
    if (status == STATUS_OK)
        status = stream_open_consumers(stream, &js->world, err);
    if (status == STATUS_OK)
        status = attach_consumers(made, err);
    if (status == STATUS_OK)
        status = js_source_start(made, err);
    if (status != STATUS_OK) {
        js_stream_detach(made);
        return status;
    }
    reset_timer(made);
    js_source_wake_readers(made);
    *out = made;
    return STATUS_OK;
}

void js_stream_detach(struct js_stream *stream)
{
    js_stream_settle(stream);
    if (stream->reclaim != NULL)
        js_work_wait(&stream->reclaim->work);
    stream->gone = true;
    js_source_stop(stream);
    js_stream_deafen(stream);
    while (!list_is_empty(&stream->consumers))
        js_consumer_detach(LIST_ELEMENT(stream->consumers.next, struct js_consumer, link));
    list_take_out(&stream->dirty);
    map_take(&stream->js->streams, bytes_of_string(stream->name));
    uv_close((uv_handle_t *)&stream->timer, on_timer_closed);
}
