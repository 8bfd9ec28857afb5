// SPDX-License-Identifier: Apache-2.0
// Clients that wait for messages: who comes next, and how each is told that there is nothing more.
#include "engine/consumer_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATUS_LINE_BYTES = 1024 };

void consumer_send_status(struct consumer *consumer, struct bytes reply, const char *status)
{
    char text[STATUS_LINE_BYTES];
    int size = snprintf(text, sizeof text, "NATS/1.0 %s\r\n\r\n", status);
    if (reply.size > 0)
        consumer_add_notice(consumer, reply, (struct bytes){NULL, 0}, bytes_of(text, (size_t)size));
}

static struct bytes reply_of(const struct waiting *waiting)
{
    return bytes_of(waiting->reply, waiting->reply_bytes);
}

void consumer_finish_waiting(struct consumer *consumer, struct waiting *waiting)
{
    list_take_out(&waiting->link);
    consumer->waiting_count--;
    free(waiting);
}

void consumer_end_waiting(struct consumer *consumer, struct waiting *waiting, const char *status)
{
    char text[STATUS_LINE_BYTES];
    int64_t bytes = waiting->request.max_bytes > 0 ? waiting->bytes_left : 0;
    snprintf(text, sizeof text,
             "%s\r\nNats-Pending-Messages: %" PRId64 "\r\nNats-Pending-Bytes: %" PRId64, status,
             waiting->left, bytes);
    consumer_send_status(consumer, reply_of(waiting), text);
    consumer_finish_waiting(consumer, waiting);
}

// What the consumer's own limits and groups say against a request; NULL when nothing.
static const char *refusal(const struct consumer *consumer, const struct pull_request *request,
                           char text[STATUS_LINE_BYTES])
{
    const struct consumer_config *config = &consumer->config;
    if (config->max_batch > 0 && request->batch > config->max_batch) {
        snprintf(text, STATUS_LINE_BYTES, "409 Exceeded MaxRequestBatch of %" PRId64,
                 config->max_batch);
        return text;
    }
    if (config->max_expires_ns > 0 &&
        (request->expires_ns == 0 || request->expires_ns > config->max_expires_ns)) {
        double seconds = (double)config->max_expires_ns / 1e9;
        if (seconds < 1)
            snprintf(text, STATUS_LINE_BYTES, "409 Exceeded MaxRequestExpires of %gms",
                     seconds * 1000);
        else
            snprintf(text, STATUS_LINE_BYTES, "409 Exceeded MaxRequestExpires of %gs", seconds);
        return text;
    }
    if (config->max_bytes > 0 && request->max_bytes > config->max_bytes) {
        snprintf(text, STATUS_LINE_BYTES, "409 Exceeded MaxRequestMaxBytes of %" PRId64,
                 config->max_bytes);
        return text;
    }
    if (config->priority == PRIORITY_NONE)
        return NULL;
    if (request->group[0] == '\0')
        return "400 Bad Request - Priority Group missing";
    for (size_t i = 0; i < config->priority_groups.count; i++)
        if (strcmp(config->priority_groups.items[i], request->group) == 0)
            return NULL;
    return "400 Bad Request - Invalid Priority Group";
}

// A client that comes with the id of somebody else's turn is told so; with the id of nobody's, he
// may get it.
static bool has_wrong_pin(const struct consumer *consumer, const struct pull_request *request)
{
    return consumer->config.priority == PRIORITY_PINNED && request->id[0] != '\0' &&
           strcmp(request->id, consumer->pinned_id) != 0;
}

static void add_waiting(struct consumer *consumer, const struct pull_request *request,
                        struct bytes reply, int64_t now_ns)
{
    struct waiting *waiting = malloc(sizeof *waiting + reply.size);
    if (waiting == NULL) {
        consumer_send_status(consumer, reply, "409 Exceeded MaxWaiting");
        return;
    }
    *waiting = (struct waiting){
        .request = *request,
        .since_ns = now_ns,
        .expires_ns = request->expires_ns > 0 ? now_ns + request->expires_ns : INT64_MAX,
        .heartbeat_due_ns = request->heartbeat_ns > 0 ? now_ns + request->heartbeat_ns : INT64_MAX,
        .left = request->batch,
        .bytes_left = request->max_bytes,
        .reply_bytes = (uint32_t)reply.size,
    };
    memcpy(waiting->reply, reply.data, reply.size);
    // Prioritized requests stand in order of their priority; all others in the order they came.
    struct list *before = &consumer->waiting;
    if (consumer->config.priority == PRIORITY_PRIORITIZED) {
        before = consumer->waiting.next;
        while (before != &consumer->waiting &&
               LIST_ELEMENT(before, struct waiting, link)->request.priority <= request->priority)
            before = before->next;
    }
    list_append(before, &waiting->link);
    consumer->waiting_count++;
}

void consumer_take_pull(struct consumer *consumer, const struct pull_request *request,
                        struct bytes reply, int64_t now_ns)
{
    char text[STATUS_LINE_BYTES];
    const char *refused = refusal(consumer, request, text);
    bool nothing = consumer_left(consumer) == 0 && !pending_has_queued(&consumer->pending);
    consumer->active_ns = now_ns;
    if (refused == NULL && has_wrong_pin(consumer, request))
        refused = "423 Nats-Wrong-Pin-Id";
    if (refused == NULL && request->no_wait && nothing && request->expires_ns == 0)
        refused = "404 No Messages";
    if (refused == NULL && (int64_t)consumer->waiting_count >= consumer->config.max_waiting)
        consumer_expire_waiting(consumer, now_ns, false);
    if (refused == NULL && (int64_t)consumer->waiting_count >= consumer->config.max_waiting)
        refused = "409 Exceeded MaxWaiting";
    if (refused != NULL)
        consumer_send_status(consumer, reply, refused);
    else
        add_waiting(consumer, request, reply, now_ns);
}

void consumer_pull(struct consumer *consumer, struct bytes body, struct bytes reply, int64_t now_ns)
{
    struct pull_request request;
    struct errinfo err;
    char text[STATUS_LINE_BYTES];
    if (reply.size == 0)
        return;
    if (consumer->config.deliver_subject != NULL) {
        consumer_send_status(consumer, reply, "409 Consumer is push based");
        return;
    }
    if (pull_request_read(body, &request, &err) != STATUS_OK) {
        snprintf(text, sizeof text, "400 Bad Request - %.200s", err.text);
        consumer_send_status(consumer, reply, text);
        return;
    }
    consumer_take_pull(consumer, &request, reply, now_ns);
}

static bool is_expired(const struct waiting *waiting, int64_t now_ns, bool nothing_left)
{
    return waiting->expires_ns <= now_ns ||
           (nothing_left && waiting->request.no_wait && waiting->delivered > 0);
}

static void send_heartbeat(struct consumer *consumer, struct waiting *waiting, int64_t now_ns)
{
    char text[STATUS_LINE_BYTES];
    snprintf(text, sizeof text,
             "100 Idle Heartbeat\r\nNats-Last-Consumer: %" PRIu64 "\r\nNats-Last-Stream: %" PRIu64,
             consumer->delivered_consumer_seq, consumer->delivered_seq);
    consumer_send_status(consumer, reply_of(waiting), text);
    waiting->heartbeat_due_ns = now_ns + waiting->request.heartbeat_ns;
}

void consumer_expire_waiting(struct consumer *consumer, int64_t now_ns, bool nothing_left)
{
    struct list *next;
    for (struct list *at = consumer->waiting.next; at != &consumer->waiting; at = next) {
        struct waiting *waiting = LIST_ELEMENT(at, struct waiting, link);
        next = at->next;
        if (is_expired(waiting, now_ns, nothing_left)) {
            consumer->active_ns = now_ns;
            consumer_end_waiting(consumer, waiting, "408 Request Timeout");
        } else if (waiting->heartbeat_due_ns <= now_ns) {
            send_heartbeat(consumer, waiting, now_ns);
        }
    }
}

// Whether a request may have the next message, by the rules of its group.
static bool may_have(struct consumer *consumer, const struct waiting *waiting, int64_t now_ns)
{
    const struct pull_request *request = &waiting->request;
    switch (consumer->config.priority) {
    case PRIORITY_OVERFLOW:
        if (request->min_pending == 0 && request->min_ack_pending == 0)
            return true;
        return (request->min_pending > 0 && consumer_left(consumer) >= request->min_pending) ||
               (request->min_ack_pending > 0 &&
                pending_count(&consumer->pending) >= request->min_ack_pending);
    case PRIORITY_PINNED:
        if (consumer->pinned_id[0] != '\0' && consumer->pinned_until_ns <= now_ns)
            consumer->pinned_id[0] = '\0';
        return consumer->pinned_id[0] == '\0' || strcmp(request->id, consumer->pinned_id) == 0;
    default: return true;
    }
}

void consumer_pin(struct consumer *consumer, struct waiting *waiting, int64_t now_ns)
{
    if (consumer->config.priority != PRIORITY_PINNED)
        return;
    if (consumer->pinned_id[0] == '\0') {
        consumer_make_id(consumer->world, consumer->pinned_id);
        consumer->pinned_ns = now_ns;
        snprintf(waiting->request.id, sizeof waiting->request.id, "%s", consumer->pinned_id);
    }
    consumer->pinned_until_ns = now_ns + consumer->config.pinned_ttl_ns;
}

struct waiting *consumer_next_waiting(struct consumer *consumer, int64_t now_ns)
{
    struct list *next;
    for (struct list *at = consumer->waiting.next; at != &consumer->waiting; at = next) {
        struct waiting *waiting = LIST_ELEMENT(at, struct waiting, link);
        next = at->next;
        // A client that has gone away takes nothing with it.
        if (!consumer->world->interest(consumer->world->context, reply_of(waiting))) {
            consumer_finish_waiting(consumer, waiting);
            continue;
        }
        if (may_have(consumer, waiting, now_ns))
            return waiting;
    }
    return NULL;
}

void consumer_end_all_waiting(struct consumer *consumer, const char *status)
{
    while (!list_is_empty(&consumer->waiting))
        consumer_end_waiting(consumer, LIST_ELEMENT(consumer->waiting.next, struct waiting, link),
                             status);
}
