// SPDX-License-Identifier: Apache-2.0
#include "server/js_consumer.h"

#include "base/limits.h"
#include "server/advisory.h"
#include "server/js_metadata.h"
#include "server/server_private.h"
#include "wire/subject.h"

#include <stdlib.h>
#include <string.h>

enum { TURN_MESSAGES = 256, TURN_BYTES = 1024 * 1024 };

// Life

static void on_timer(uv_timer_t *timer)
{
    js_consumer_wake(timer->data);
}

enum status js_consumer_attach(struct js_stream *stream, struct consumer *consumer,
                               struct js_consumer **out, struct errinfo *err)
{
    struct js_consumer *made = calloc(1, sizeof *made);
    if (made == NULL)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory for a consumer");
    made->stream = stream;
    made->consumer = consumer;
    made->pushes = consumer_get_config(consumer)->deliver_subject != NULL;
    stream->js->pushing += made->pushes;
    list_init(&made->ready);
    list_append(&stream->consumers, &made->link);
    uv_timer_init(&stream->js->server->loop, &made->timer);
    made->timer.data = made;
    stream->js->held++;
    js_consumer_wake(made);
    *out = made;
    return STATUS_OK;
}

static void on_closed(uv_handle_t *handle)
{
    struct js_consumer *consumer = handle->data;
    consumer->stream->js->held--;
    js_stream_release(consumer->stream);
    free(consumer);
}

void js_consumer_detach(struct js_consumer *consumer)
{
    list_take_out(&consumer->link);
    list_take_out(&consumer->ready);
    consumer->consumer = NULL;
    consumer->stream->js->pushing -= consumer->pushes;
    consumer->stream->holds++;
    uv_close((uv_handle_t *)&consumer->timer, on_closed);
}

struct js_consumer *js_consumer_find(struct js_stream *stream, struct bytes name)
{
    for (struct list *at = stream->consumers.next; at != &stream->consumers; at = at->next) {
        struct js_consumer *consumer = LIST_ELEMENT(at, struct js_consumer, link);
        if (bytes_equal(bytes_of_string(consumer_name(consumer->consumer)), name))
            return consumer;
    }
    return NULL;
}

enum status js_consumer_delete(struct js_consumer *consumer, struct errinfo *err)
{
    struct js_stream *stream = consumer->stream;
    struct jetstream *js = stream->js;
    char name[LIMIT_STREAM_NAME_BYTES + 1];
    snprintf(name, sizeof name, "%s", consumer_name(consumer->consumer));
    consumer_end_all_waiting(consumer->consumer, "409 Consumer Deleted");
    js_consumer_send(consumer);
    enum status status = consumer_delete(consumer->consumer, err);
    if (status != STATUS_OK)
        return status;
    js_consumer_detach(consumer);
    js_stream_touch(stream);
    advisory_consumer(js, stream->name, name, "DELETED", "delete");
    return STATUS_OK;
}

enum status js_consumer_put_info(struct js_consumer *consumer, bool with_config, struct buf *out)
{
    struct consumer_info info;
    consumer_info_get(consumer->consumer, server_now_ns(), &info);
    struct consumer_config config = *info.config;
    config.metadata = js_metadata_of_consumer(info.config);
    info.config = with_config ? &config : NULL;
    enum status status = consumer_info_put_members(&info, out);
    free(config.metadata);
    return status;
}

// Turns

void js_consumer_wake(struct js_consumer *consumer)
{
    struct jetstream *js = consumer->stream->js;
    if (!list_is_empty(&consumer->ready))
        return;
    list_append(&js->ready, &consumer->ready);
    server_more(js->server);
}

void js_stream_wake_consumers(struct js_stream *stream)
{
    for (struct list *at = stream->consumers.next; at != &stream->consumers; at = at->next)
        js_consumer_wake(LIST_ELEMENT(at, struct js_consumer, link));
}

enum turn { TURN_DONE, TURN_MORE, TURN_STALLED, TURN_GONE };

static enum turn poll_some(struct js_consumer *consumer)
{
    struct jetstream *js = consumer->stream->js;
    struct consumer_out out;
    size_t bytes = 0;
    for (int i = 0; i < TURN_MESSAGES && bytes < TURN_BYTES; i++) {
        if (!consumer_poll(consumer->consumer, server_now_ns(), &js->storage, &out))
            return TURN_DONE;
        if (out.kind == CONSUMER_GONE)
            return TURN_GONE;
        if (out.kind == CONSUMER_ADVISORY) {
            advisory_send(js, out.subject, out.type, out.body);
            continue;
        }
        struct message message = {out.subject, out.reply, out.headers, out.body};
        struct route route = account_send(js->account, out.to, &message, NULL);
        bytes += out.headers.size + out.body.size;
        if (route.congested)
            return TURN_STALLED;
    }
    return TURN_MORE;
}

void js_consumer_send(struct js_consumer *consumer)
{
    poll_some(consumer);
}

static void take_turn(struct js_consumer *consumer)
{
    struct js_stream *stream = consumer->stream;
    struct jetstream *js = stream->js;
    struct errinfo err;
    enum turn turn = poll_some(consumer);
    // What was delivered is noted with the next commit.
    if (consumer_is_durable(consumer->consumer))
        js_stream_touch(stream);
    if (turn == TURN_GONE) {
        if (js_consumer_delete(consumer, &err) != STATUS_OK)
            serverlog_write(js->server->log, SERVERLOG_ERROR, "stream %s: %s", stream->name,
                            err.text);
        return;
    }
    if (turn == TURN_MORE)
        js_consumer_wake(consumer);
    else if (turn == TURN_STALLED)
        list_append(&js->stalled, &consumer->ready);
    int64_t deadline_ns = consumer_deadline(consumer->consumer, server_now_ns());
    server_timer_at(&consumer->timer, on_timer, deadline_ns);
}

void jetstream_deliver_ready(struct jetstream *js)
{
    struct list ready;
    list_move(&ready, &js->ready);
    while (!list_is_empty(&ready)) {
        struct js_consumer *consumer = LIST_ELEMENT(ready.next, struct js_consumer, ready);
        list_take_out(&consumer->ready);
        take_turn(consumer);
    }
}

void jetstream_interest_changed(void *context, struct bytes subject)
{
    struct jetstream *js = context;
    struct js_stream *stream;
    size_t at = 0;
    while (js->pushing > 0 && (stream = map_next(&js->streams, &at)) != NULL) {
        for (struct list *link = stream->consumers.next; link != &stream->consumers;
             link = link->next) {
            struct js_consumer *consumer = LIST_ELEMENT(link, struct js_consumer, link);
            const char *to = consumer_get_config(consumer->consumer)->deliver_subject;
            if (to == NULL || !subject_matches(subject, bytes_of_string(to)))
                continue;
            consumer_interest_changed(consumer->consumer, server_now_ns());
            js_consumer_wake(consumer);
        }
    }
}

// Requests

static struct js_consumer *consumer_of(struct jetstream *js, struct bytes stream_name,
                                       struct bytes name)
{
    struct js_stream *stream = js_stream_find(js, stream_name);
    return stream == NULL ? NULL : js_consumer_find(stream, name);
}

static bool on_pull(struct service *service, const struct message *message, struct connection *from)
{
    struct jetstream *js = service->context;
    struct bytes rest = bytes_from(jetstream_api_rest(js, message->subject),
                                   strlen("CONSUMER.MSG.NEXT."));
    struct bytes stream = bytes_cut(rest, '.', &rest);
    struct js_consumer *consumer = consumer_of(js, stream, rest);
    (void)from;
    if (consumer == NULL)
        return false;
    consumer_pull(consumer->consumer, message->body, message->reply, server_now_ns());
    js_consumer_wake(consumer);
    return true;
}

// "$JS.ACK.<stream>.<consumer>....", or with the domain and a hash before the stream.
static struct js_consumer *acknowledged(struct jetstream *js, struct bytes subject)
{
    struct bytes tokens[12];
    size_t count = 0;
    while (subject.data != NULL && count < 12)
        tokens[count++] = bytes_cut(subject, '.', &subject);
    if (count < 9)
        return NULL;
    size_t at = count >= 11 ? 4 : 2;
    return consumer_of(js, tokens[at], tokens[at + 1]);
}

static bool on_ack(struct service *service, const struct message *message, struct connection *from)
{
    struct jetstream *js = service->context;
    struct js_consumer *consumer = acknowledged(js, message->subject);
    (void)from;
    if (consumer == NULL)
        return false;
    bool next = bytes_start_with(message->body, BYTES("+NXT"));
    enum status status = consumer_ack(consumer->consumer, message->subject, message->body,
                                      message->reply, server_now_ns());
    if (status == STATUS_OK) {
        js_stream_touch(consumer->stream);
        if (!next)
            js_stream_reply(consumer->stream, message->reply, (struct bytes){"", 0}, false);
    }
    js_consumer_wake(consumer);
    return true;
}

// "$JS.FC.<stream>.<consumer>.<random>"
static bool on_flow(struct service *service, const struct message *message, struct connection *from)
{
    struct jetstream *js = service->context;
    struct bytes rest = bytes_from(message->subject, strlen("$JS.FC."));
    struct bytes stream = bytes_cut(rest, '.', &rest);
    struct js_consumer *consumer = consumer_of(js, stream, bytes_cut(rest, '.', &rest));
    (void)from;
    if (consumer == NULL)
        return false;
    consumer_flow_reply(consumer->consumer, message->subject);
    js_consumer_wake(consumer);
    return true;
}

enum status jetstream_serve_consumers(struct jetstream *js, struct errinfo *err)
{
    enum status status = jetstream_serve_api_subject(js, "CONSUMER.MSG.NEXT.*.*", on_pull, err);
    if (status == STATUS_OK)
        status = jetstream_serve(js, "$JS.ACK.>", on_ack, err);
    if (status == STATUS_OK)
        status = jetstream_serve(js, "$JS.FC.>", on_flow, err);
    return status;
}
