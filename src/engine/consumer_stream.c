// SPDX-License-Identifier: Apache-2.0
// A stream and its consumers: which messages an interest or work queue stream still has to keep,
// and what consumers learn when messages go.
#include "engine/consumer_private.h"
#include "engine/jserror.h"

#include <stdlib.h>

static bool nobody(void *context, struct bytes subject)
{
    (void)context;
    (void)subject;
    return false;
}

static uint64_t zero(void *context)
{
    (void)context;
    return 0;
}

enum status stream_open_consumers(struct stream *stream, const struct consumer_world *world,
                                  struct errinfo *err)
{
    struct consumer *consumer = NULL;
    stream->world = world;
    while ((consumer = consumer_next_of(stream, consumer)) != NULL)
        consumer->world = world;
    if (stream->consumers_open)
        return STATUS_OK;
    list_init(&stream->consumers);
    stream->consumers_open = true;
    enum status status = consumer_log_open(stream, err);
    if (status != STATUS_OK)
        stream_consumers_close(stream);
    return status;
}

enum status stream_consumers_needed(struct stream *stream, struct errinfo *err)
{
    static const struct consumer_world empty = {NULL, nobody, zero};
    return stream->consumers_open ? STATUS_OK : stream_open_consumers(stream, &empty, err);
}

void stream_consumers_close(struct stream *stream)
{
    struct consumer *consumer;
    while ((consumer = consumer_next_of(stream, NULL)) != NULL)
        consumer_free(consumer);
    stream->consumers_open = false;
    msglog_close(stream->consumer_log);
    stream->consumer_log = NULL;
}

struct msglog *stream_get_consumer_log(struct stream *stream)
{
    return stream->consumer_log;
}

// A message that is pending, and goes without having been acknowledged.
static void terminate(struct consumer *consumer, struct pending *pending)
{
    struct consumer_message message = {pending->seq, pending->consumer_seq, pending->deliveries};
    consumer_advise_terminated(consumer, &message, BYTES("Unacknowledged message was deleted"));
    consumer_forget_pending(consumer, pending);
    consumer_update_floor(consumer);
}

void stream_consumers_dropped(struct stream *stream, uint64_t seq)
{
    struct consumer *consumer = NULL;
    const struct subject_node *node = subject_index_get(&stream->index, seq);
    while (node != NULL && (consumer = consumer_next_of(stream, consumer)) != NULL) {
        struct pending *pending = pending_find(&consumer->pending, seq);
        if (pending != NULL)
            terminate(consumer, pending);
        pending_forget_spent(&consumer->pending, seq);
        consumer_uncount(consumer, seq, node->subject->text);
    }
}

bool stream_consumers_want(const struct stream *stream, struct bytes subject)
{
    for (struct list *at = stream->consumers.next; at != &stream->consumers; at = at->next)
        if (consumer_matches(LIST_ELEMENT(at, struct consumer, link), subject))
            return true;
    return false;
}

// Whether a consumer has still to deliver a message, or waits for its acknowledgement.
static bool needs(struct consumer *consumer, uint64_t seq, struct bytes subject)
{
    return consumer_matches(consumer, subject) &&
           (seq >= consumer->next_seq || pending_find(&consumer->pending, seq) != NULL ||
            pending_is_spent(&consumer->pending, seq));
}

static bool is_needed(struct stream *stream, uint64_t seq, struct bytes subject)
{
    struct consumer *consumer = NULL;
    while ((consumer = consumer_next_of(stream, consumer)) != NULL)
        if (needs(consumer, seq, subject))
            return true;
    return false;
}

void consumer_release(struct consumer *consumer, uint64_t seq)
{
    struct stream *stream = consumer->stream;
    const struct subject_node *node = subject_index_get(&stream->index, seq);
    if (stream->config.retention == STREAM_RETAIN_LIMITS || node == NULL)
        return;
    // Without memory or disk it stays, and goes with the next message that is acknowledged after
    // it.
    if (!is_needed(stream, seq, node->subject->text))
        stream_drop(stream, seq, false, NULL);
}

void consumer_release_all(struct stream *stream)
{
    uint64_t seq = 1;
    const struct subject_node *node;
    if (stream->config.retention != STREAM_RETAIN_INTEREST)
        return;
    while ((node = subject_index_next(&stream->index, seq)) != NULL) {
        seq = node->seq + 1;
        if (!is_needed(stream, node->seq, node->subject->text) &&
            stream_drop(stream, node->seq, false, NULL) != STATUS_OK)
            return;
    }
}

enum status consumer_delete(struct consumer *consumer, struct errinfo *err)
{
    struct stream *stream = consumer->stream;
    enum status status = consumer_log_delete(consumer, err);
    if (status != STATUS_OK)
        return status;
    consumer_free(consumer);
    consumer_release_all(stream);
    return STATUS_OK;
}
