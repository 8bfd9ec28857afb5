// SPDX-License-Identifier: Apache-2.0
// What waits for a commit, and the commit itself: batches are written and synced in libuv's pool
// while the loop goes on. After it publishers are answered, requests that found nothing look again,
// and whoever reads the stream is woken.
#include "base/clock.h"
#include "base/limits.h"
#include "server/api_error.h"
#include "server/jetstream.h"
#include "server/js_work.h"
#include "server/server_private.h"

#include <stdlib.h>
#include <string.h>

struct js_deferred {
    struct js_deferred *next;
    js_retry retry;
    struct message message;
    char bytes[];
};

enum { QUICK_NS = 250000 };

// One batch of a stream and of its consumers' state.
struct js_commit {
    struct js_work work;
    int64_t spent_ns;           // writing and syncing
    struct msglog_batch *batch; // NULL when there is none, as the next
    struct msglog_batch *consumer_batch;
    enum status staged; // whether what consumers did could be put into their batch
    struct errinfo why;
};

// Replies

void js_reply_queue_init(struct js_reply_queue *queue)
{
    queue->first = NULL;
    queue->last = &queue->first;
}

static void queue_move(struct js_reply_queue *to, struct js_reply_queue *from)
{
    js_reply_queue_init(to);
    if (from->first == NULL)
        return;
    to->first = from->first;
    to->last = from->last;
    js_reply_queue_init(from);
}

static void send_reply(struct jetstream *js, struct bytes to, struct bytes text)
{
    struct message message = {.subject = to, .body = text};
    account_publish(js->account, &message);
}

void js_stream_reply(struct js_stream *stream, struct bytes to, struct bytes text, bool is_ack)
{
    if (to.size == 0)
        return;
    struct js_reply *reply = malloc(sizeof *reply + to.size + text.size);
    if (reply == NULL) {
        // Unanswered, it is asked again, and found to be a duplicate.
        serverlog_write(stream->js->server->log, SERVERLOG_ERROR, "no memory for an answer");
        return;
    }
    reply->next = NULL;
    reply->is_ack = is_ack;
    reply->to_bytes = (uint32_t)to.size;
    reply->text_bytes = (uint32_t)text.size;
    memcpy(reply->bytes, to.data, to.size);
    memcpy(reply->bytes + to.size, text.data, text.size);
    *stream->staged.last = reply;
    stream->staged.last = &reply->next;
    js_stream_touch(stream);
}

static void send_replies(struct js_stream *stream, enum status outcome, const struct errinfo *err)
{
    struct js_reply *reply = stream->waiting.first;
    js_reply_queue_init(&stream->waiting);
    while (reply != NULL) {
        struct js_reply *next = reply->next;
        struct bytes to = bytes_of(reply->bytes, reply->to_bytes);
        struct bytes text = bytes_of(reply->bytes + reply->to_bytes, reply->text_bytes);
        struct buf failure;
        buf_init(&failure, LIMIT_JSON_BYTES);
        if (outcome != STATUS_OK) {
            api_error_put_reply(&failure, reply->is_ack ? stream->name : NULL, outcome, err);
            text = buf_bytes(&failure);
        }
        send_reply(stream->js, to, text);
        buf_fini(&failure);
        free(reply);
        reply = next;
    }
}

// Requests that look again

bool js_stream_defer(struct js_stream *stream, js_retry retry, const struct message *message)
{
    // Whoever replaces something all the time would hide it for ever: the second time what is
    // staged is committed on the spot.
    if (stream->js->retrying) {
        js_stream_settle(stream);
        return false;
    }
    size_t size = message->subject.size + message->reply.size + message->headers.size +
                  message->body.size;
    struct js_deferred *deferred = malloc(sizeof *deferred + size);
    if (deferred == NULL)
        return false;
    const struct bytes parts[] = {message->subject, message->reply, message->headers,
                                  message->body};
    struct bytes copies[4];
    char *at = deferred->bytes;
    for (size_t i = 0; i < 4; i++) {
        if (parts[i].size > 0)
            memcpy(at, parts[i].data, parts[i].size);
        copies[i] = bytes_of(at, parts[i].size);
        at += parts[i].size;
    }
    deferred->message = (struct message){copies[0], copies[1], copies[2], copies[3]};
    deferred->retry = retry;
    deferred->next = stream->deferred;
    stream->deferred = deferred;
    return true;
}

static void retry_deferred(struct js_stream *stream)
{
    struct js_deferred *deferred = stream->deferred;
    struct jetstream *js = stream->js;
    stream->deferred = NULL;
    bool before = js->retrying;
    js->retrying = true;
    while (deferred != NULL) {
        struct js_deferred *next = deferred->next;
        deferred->retry(js, &deferred->message);
        free(deferred);
        deferred = next;
    }
    js->retrying = before;
}

// Commits

bool js_stream_has_staged(const struct js_stream *stream)
{
    return stream->commit != NULL || !list_is_empty(&stream->dirty);
}

void js_stream_touch(struct js_stream *stream)
{
    if (list_is_empty(&stream->dirty) && !stream->gone)
        list_append(&stream->js->dirty, &stream->dirty);
}

static void write_batches(struct js_work *work)
{
    struct js_commit *commit = (struct js_commit *)work;
    int64_t begun_ns = clock_monotonic_ns();
    if (commit->batch != NULL)
        msglog_batch_write(commit->batch);
    if (commit->consumer_batch != NULL)
        msglog_batch_write(commit->consumer_batch);
    commit->spent_ns = clock_monotonic_ns() - begun_ns;
}

// Takes the result of a batch that is written, then does everything that waited for it.
static void finish(struct js_work *work)
{
    struct js_commit *commit = (struct js_commit *)work;
    struct js_stream *stream = work->stream;
    struct errinfo err = {.protocol_code = 0};
    struct errinfo why;
    enum status outcome = STATUS_OK;
    enum status status = STATUS_OK;
    if (commit->batch != NULL)
        outcome = msglog_batch_done(stream_get_log(stream->stream), commit->batch, &err);
    if (commit->consumer_batch != NULL)
        status = msglog_batch_done(stream_get_consumer_log(stream->stream), commit->consumer_batch,
                                   &why);
    if (status == STATUS_OK && commit->staged != STATUS_OK) {
        status = commit->staged;
        why = commit->why;
    }
    if (outcome == STATUS_OK && status != STATUS_OK) {
        outcome = status;
        err = why;
    }
    stream->commit = NULL;
    stream->js->commit_ns += (commit->spent_ns - stream->js->commit_ns) / 8;
    if (outcome != STATUS_OK)
        serverlog_write(stream->js->server->log, SERVERLOG_ERROR, "stream %s: %s", stream->name,
                        err.text);
    send_replies(stream, outcome, &err);
    retry_deferred(stream);
    js_stream_committed(stream);
}

// A single message on a disk that syncs faster than two threads hand work to each other and back is
// written on the spot. Anything more goes to the pool, so that what comes meanwhile shares a sync.
static bool is_quick(const struct js_stream *stream)
{
    const struct js_reply *first = stream->waiting.first;
    return first != NULL && first->next == NULL && list_is_empty(&stream->js->dirty) &&
           stream->js->commit_ns < QUICK_NS;
}

void js_stream_commit(struct js_stream *stream)
{
    struct msglog *consumer_log = stream_get_consumer_log(stream->stream);
    struct js_commit *commit = calloc(1, sizeof *commit);
    if (commit == NULL)
        return; // it stays in the list, and the next turn tries again
    list_take_out(&stream->dirty);
    commit->staged = stream_stage_consumers(stream->stream, &commit->why);
    commit->batch = msglog_batch_take(stream_get_log(stream->stream));
    commit->consumer_batch = consumer_log == NULL ? NULL : msglog_batch_take(consumer_log);
    queue_move(&stream->waiting, &stream->staged);
    stream->commit = commit;
    if ((commit->batch != NULL || commit->consumer_batch != NULL) && !is_quick(stream)) {
        js_work_start(&commit->work, stream, write_batches, finish);
        return;
    }
    commit->work.stream = stream;
    write_batches(&commit->work);
    finish(&commit->work);
    free(commit);
}

void js_stream_settle(struct js_stream *stream)
{
    while (js_stream_has_staged(stream)) {
        if (stream->commit == NULL)
            js_stream_commit(stream);
        if (stream->commit != NULL)
            js_work_wait(&stream->commit->work);
    }
}
