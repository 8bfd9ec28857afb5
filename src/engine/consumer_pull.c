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

static void finish_waiting(struct consumer *consumer, struct waiting *waiting)
{
    list_take_out(&waiting->link);
    consumer->waiting_count--;
    free(waiting);
}

static void send_rest(struct consumer *consumer, const struct waiting *waiting, const char *status)
{
    char text[STATUS_LINE_BYTES];
    int64_t bytes = waiting->request.max_bytes > 0 ? waiting->bytes_left : 0;
    snprintf(text, sizeof text,
             "%s\r\nNats-Pending-Messages: %" PRId64 "\r\nNats-Pending-Bytes: %" PRId64, status,
             waiting->left, bytes);
    consumer_send_status(consumer, reply_of(waiting), text);
}

void consumer_end_waiting(struct consumer *consumer, struct waiting *waiting, const char *status)
{
    send_rest(consumer, waiting, status);
    finish_waiting(consumer, waiting);
}

void consumer_end_all_waiting(struct consumer *consumer, const char *status)
{
    while (!list_is_empty(&consumer->waiting)) {
        struct waiting *waiting = LIST_ELEMENT(consumer->waiting.next, struct waiting, link);
        consumer_send_status(consumer, reply_of(waiting), status);
        finish_waiting(consumer, waiting);
    }
}

// Taking a request

// A length of time as Go prints it: "50ms", "1.5s", "2m0s", "1h0m0s".
static void put_duration(char *text, size_t size, int64_t ns)
{
    static const struct {
        int64_t ns;
        const char *unit;
    } small[] = {{1000000, "ms"}, {1000, "\302\265s"}, {1, "ns"}};
    const int64_t second = 1000000000;
    int64_t minutes = ns / second / 60;
    double seconds = (double)(ns - minutes * 60 * second) / 1e9;
    size_t at = 0;
    while (at < 2 && ns < small[at].ns)
        at++;
    if (ns < second)
        snprintf(text, size, "%.12g%s", (double)ns / (double)small[at].ns, small[at].unit);
    else if (minutes == 0)
        snprintf(text, size, "%.12gs", seconds);
    else if (minutes < 60)
        snprintf(text, size, "%" PRId64 "m%.12gs", minutes, seconds);
    else
        snprintf(text, size, "%" PRId64 "h%" PRId64 "m%.12gs", minutes / 60, minutes % 60, seconds);
}

// What the consumer's own limits say against a request; false when nothing.
static bool over_limits(const struct consumer_config *config, const struct pull_request *request,
                        char text[STATUS_LINE_BYTES])
{
    char duration[64];
    if (config->max_batch > 0 && request->batch > config->max_batch) {
        snprintf(text, STATUS_LINE_BYTES, "409 Exceeded MaxRequestBatch of %" PRId64,
                 config->max_batch);
        return true;
    }
    if (config->max_expires_ns > 0 && request->expires_ns > config->max_expires_ns) {
        put_duration(duration, sizeof duration, config->max_expires_ns);
        snprintf(text, STATUS_LINE_BYTES, "409 Exceeded MaxRequestExpires of %s", duration);
        return true;
    }
    if (config->max_bytes > 0 && request->max_bytes > config->max_bytes) {
        snprintf(text, STATUS_LINE_BYTES, "409 Exceeded MaxRequestMaxBytes of %" PRId64,
                 config->max_bytes);
        return true;
    }
    return false;
}

static bool knows_group(const struct consumer_config *config, const char *group)
{
    for (size_t i = 0; i < config->priority_groups.count; i++)
        if (strcmp(config->priority_groups.items[i], group) == 0)
            return true;
    return false;
}

// What the priority policy says against a request (ADR-42); NULL when nothing. Only a request that
// is an object can name a group, and need name one.
static const char *against_policy(const struct consumer *consumer,
                                  const struct pull_request *request)
{
    const struct consumer_config *config = &consumer->config;
    if (!request->is_object)
        return NULL;
    if ((request->min_pending != 0 || request->min_ack_pending != 0) &&
        config->priority != PRIORITY_OVERFLOW)
        return "400 Bad Request - Not a Overflow Priority consumer";
    if (request->id[0] != '\0' && config->priority != PRIORITY_PINNED)
        return "400 Bad Request - Not a Pinned Client Priority consumer";
    if (request->priority < 0 || request->priority > 9)
        return "400 Bad Request - Priority must be between 0 and 9";
    if (config->priority == PRIORITY_NONE)
        return NULL;
    if (request->group[0] == '\0')
        return "400 Bad Request - Priority Group missing";
    if (!knows_group(config, request->group))
        return "400 Bad Request - Invalid Priority Group";
    if (consumer->pinned_id[0] != '\0' && request->id[0] != '\0' &&
        strcmp(request->id, consumer->pinned_id) != 0)
        return "423 Nats-Pin-Id mismatch";
    return NULL;
}

// Where a request goes: by priority, and behind those of its own.
static struct list *place_of(struct consumer *consumer, const struct pull_request *request)
{
    struct list *before = &consumer->waiting;
    if (consumer->config.priority != PRIORITY_PRIORITIZED)
        return before;
    before = consumer->waiting.next;
    while (before != &consumer->waiting &&
           LIST_ELEMENT(before, struct waiting, link)->request.priority <= request->priority)
        before = before->next;
    return before;
}

static void add_waiting(struct consumer *consumer, const struct pull_request *request,
                        struct bytes reply, int64_t now_ns)
{
    struct waiting *waiting = malloc(sizeof *waiting + reply.size);
    if (waiting == NULL) {
        consumer_send_status(consumer, reply, "409 Exceeded MaxWaiting");
        return;
    }
    bool ends = request->expires_ns > 0 && request->expires_ns < INT64_MAX - now_ns;
    *waiting = (struct waiting){
        .request = *request,
        .expires_ns = ends ? now_ns + request->expires_ns : INT64_MAX,
        .heartbeat_due_ns = request->heartbeat_ns > 0 ? now_ns + request->heartbeat_ns : INT64_MAX,
        .left = request->batch,
        .bytes_left = request->max_bytes,
        .reply_bytes = (uint32_t)reply.size,
    };
    memcpy(waiting->reply, reply.data, reply.size);
    list_append(place_of(consumer, request), &waiting->link);
    consumer->waiting_count++;
}

// How many messages those who wait may still get.
static uint64_t owed(const struct consumer *consumer)
{
    uint64_t sum = 0;
    for (struct list *at = consumer->waiting.next; at != &consumer->waiting; at = at->next)
        sum += (uint64_t)LIST_ELEMENT(at, struct waiting, link)->left;
    return sum;
}

// A request that does not wait is refused when there is nothing for it; NULL when there is.
static const char *nothing_for(struct consumer *consumer, const struct pull_request *request,
                               int64_t now_ns)
{
    uint64_t there = consumer_left(consumer) + pending_queued(&consumer->pending);
    if (there == 0)
        return request->expires_ns == 0 ? "404 No Messages" : NULL;
    consumer_expire_waiting(consumer, now_ns, false);
    return there < owed(consumer) ? "408 Requests Pending" : NULL;
}

void consumer_take_pull(struct consumer *consumer, const struct pull_request *request,
                        struct bytes reply, int64_t now_ns)
{
    char text[STATUS_LINE_BYTES];
    const char *refused = NULL;
    if (over_limits(&consumer->config, request, text))
        refused = text;
    if (refused == NULL)
        refused = against_policy(consumer, request);
    if (refused != NULL) {
        consumer_send_status(consumer, reply, refused);
        return;
    }
    consumer->active_ns = now_ns;
    if (request->id[0] != '\0' && strcmp(request->id, consumer->pinned_id) == 0)
        consumer->pinned_until_ns = now_ns + consumer->config.pinned_ttl_ns;
    if ((int64_t)consumer->waiting_count >= consumer->config.max_waiting)
        consumer_expire_waiting(consumer, now_ns, false);
    if (request->no_wait)
        refused = nothing_for(consumer, request, now_ns);
    // A client that awaits heartbeats finds out by itself, and does not ask again at once.
    if (refused == NULL && (int64_t)consumer->waiting_count >= consumer->config.max_waiting) {
        if (request->heartbeat_ns > 0)
            return;
        refused = "409 Exceeded MaxWaiting";
    }
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

// Waiting

static bool has_interest(const struct consumer *consumer, const struct waiting *waiting)
{
    return consumer->world->interest(consumer->world->context, reply_of(waiting));
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

// One that does not wait, when the end was reached: at once, or once it got something.
static bool is_done(const struct waiting *waiting)
{
    return waiting->request.no_wait && (waiting->expires_ns == INT64_MAX || waiting->delivered > 0);
}

void consumer_expire_waiting(struct consumer *consumer, int64_t now_ns, bool at_end)
{
    struct list *next;
    for (struct list *at = consumer->waiting.next; at != &consumer->waiting; at = next) {
        struct waiting *waiting = LIST_ELEMENT(at, struct waiting, link);
        next = at->next;
        if (waiting->expires_ns <= now_ns) {
            consumer_end_waiting(consumer, waiting, "408 Request Timeout");
        } else if (at_end && is_done(waiting)) {
            consumer_send_status(consumer, reply_of(waiting), "404 No Messages");
            finish_waiting(consumer, waiting);
        } else if (!has_interest(consumer, waiting)) {
            finish_waiting(consumer, waiting);
        } else if (waiting->heartbeat_due_ns <= now_ns) {
            send_heartbeat(consumer, waiting, now_ns);
        }
    }
}

// Pins

static const char *group_of(const struct consumer *consumer)
{
    return consumer->config.priority_groups.items[0];
}

void consumer_forget_pin(struct consumer *consumer, const char *reason)
{
    if (consumer->pinned_id[0] == '\0')
        return;
    consumer->pinned_id[0] = '\0';
    consumer_advise_unpinned(consumer, group_of(consumer), reason);
}

void consumer_check_pin(struct consumer *consumer, int64_t now_ns)
{
    if (consumer->pinned_id[0] != '\0' && consumer->pinned_until_ns <= now_ns)
        consumer_forget_pin(consumer, "timeout");
}

void consumer_pin(struct consumer *consumer, struct waiting *waiting, int64_t now_ns)
{
    if (consumer->config.priority != PRIORITY_PINNED || consumer->pinned_id[0] != '\0' ||
        waiting->request.group[0] == '\0')
        return;
    consumer_make_id(consumer->world, consumer->pinned_id);
    consumer->pinned_ns = now_ns;
    consumer->pinned_until_ns = now_ns + consumer->config.pinned_ttl_ns;
    snprintf(waiting->request.id, sizeof waiting->request.id, "%s", consumer->pinned_id);
    consumer_advise_pinned(consumer, waiting->request.group);
}

// Who comes next

enum turn { TURN_NOW, TURN_LATER, TURN_NEVER };

// Whether a request may have the next message, by the rules of its group.
static enum turn turn_of(struct consumer *consumer, const struct waiting *waiting)
{
    const struct pull_request *request = &waiting->request;
    bool may;
    switch (consumer->config.priority) {
    case PRIORITY_OVERFLOW:
        may = (request->min_pending == 0 && request->min_ack_pending == 0) ||
              (request->min_pending > 0 && consumer_left(consumer) >= request->min_pending) ||
              (request->min_ack_pending > 0 &&
               pending_count(&consumer->pending) >= request->min_ack_pending);
        return may ? TURN_NOW : TURN_LATER;
    case PRIORITY_PINNED:
        if (request->id[0] == '\0')
            return consumer->pinned_id[0] == '\0' ? TURN_NOW : TURN_LATER;
        // Ids are given once: who comes with another one had the turn before.
        return strcmp(request->id, consumer->pinned_id) == 0 ? TURN_NOW : TURN_NEVER;
    default: return TURN_NOW;
    }
}

struct waiting *consumer_next_waiting(struct consumer *consumer, int64_t now_ns)
{
    struct list *next;
    for (struct list *at = consumer->waiting.next; at != &consumer->waiting; at = next) {
        struct waiting *waiting = LIST_ELEMENT(at, struct waiting, link);
        next = at->next;
        if (waiting->expires_ns <= now_ns) {
            consumer_end_waiting(consumer, waiting, "408 Request Timeout");
            continue;
        }
        enum turn turn = turn_of(consumer, waiting);
        if (turn == TURN_NEVER)
            consumer_end_waiting(consumer, waiting, "423 Nats-Wrong-Pin-Id");
        // A client that has gone away takes nothing with it.
        else if (turn == TURN_NOW && !has_interest(consumer, waiting))
            finish_waiting(consumer, waiting);
        else if (turn == TURN_NOW)
            return waiting;
    }
    return NULL;
}

void consumer_count_waiting(struct consumer *consumer, struct waiting *waiting, uint64_t bytes,
                            int64_t now_ns)
{
    bool limited = waiting->request.max_bytes > 0;
    waiting->delivered++;
    waiting->left--;
    if (limited)
        waiting->bytes_left -= (int64_t)bytes;
    if (waiting->request.heartbeat_ns > 0)
        waiting->heartbeat_due_ns = now_ns + waiting->request.heartbeat_ns;
    if (limited && waiting->bytes_left == 0) {
        finish_waiting(consumer, waiting);
        return;
    }
    if (waiting->left <= 0) {
        if (limited)
            send_rest(consumer, waiting, "409 Batch Completed");
        finish_waiting(consumer, waiting);
        return;
    }
    // Clients that wait share what comes: whoever was served goes behind his equals.
    list_take_out(&waiting->link);
    list_append(place_of(consumer, &waiting->request), &waiting->link);
}
