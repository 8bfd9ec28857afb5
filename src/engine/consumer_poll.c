// SPDX-License-Identifier: Apache-2.0
// What a consumer has to send now: what was made before, then a message for whoever may have one,
// then signs of life.
#include "engine/consumer_private.h"
#include "wire/headers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATUS_LINE_BYTES = 1024 };

static const uint64_t flow_window_max = UINT64_C(32) << 20;
static const int64_t again_after_ns = 10000000; // when memory or disk was wanting

// A message that may be sent next.
struct candidate {
    uint64_t seq;
    struct pending *pending; // one that is delivered again; NULL for a new one
    bool is_last;            // of the list of last messages
};

// What comes next

// A message that was delivered as often as it may be is not pending any more; it stays in the
// stream, for whoever was told of it. Without memory to remember it, an interest stream does not
// keep it longer than its other consumers do.
void consumer_give_up(struct consumer *consumer, struct pending *pending)
{
    uint64_t seq = pending->seq;
    consumer_advise_exceeded(consumer, seq, pending->deliveries);
    consumer_forget_pending(consumer, pending);
    if (consumer->stream->config.retention == STREAM_RETAIN_INTEREST)
        pending_add_spent(&consumer->pending, seq);
    consumer_log_removed(consumer, seq, CONSUMER_SPENT);
    consumer_update_floor(consumer);
}

bool consumer_is_spent(const struct consumer *consumer, const struct pending *pending)
{
    int64_t most = consumer->config.max_deliver;
    return most > 0 && (int64_t)pending->deliveries >= most;
}

// Moves what was not acknowledged in time into the queue.
static void queue_due(struct consumer *consumer, int64_t now_ns)
{
    struct pending *pending;
    while ((pending = pending_due_now(&consumer->pending, now_ns)) != NULL) {
        if (consumer_is_spent(consumer, pending))
            consumer_give_up(consumer, pending);
        else if (pending_enqueue(&consumer->pending, pending) != STATUS_OK)
            return;
    }
}

static bool choose_again(struct consumer *consumer, struct candidate *candidate)
{
    struct pending *pending;
    while ((pending = pending_dequeue(&consumer->pending)) != NULL) {
        // The limit has become lower meanwhile.
        if (consumer_is_spent(consumer, pending)) {
            consumer_give_up(consumer, pending);
            continue;
        }
        *candidate = (struct candidate){pending->seq, pending, false};
        return true;
    }
    return false;
}

static bool has_enough_pending(const struct consumer *consumer)
{
    const struct consumer_config *config = &consumer->config;
    return config->ack != ACK_NONE && config->max_ack_pending > 0 &&
           (int64_t)pending_count(&consumer->pending) >= config->max_ack_pending;
}

static bool choose_new(struct consumer *consumer, struct candidate *candidate)
{
    for (; consumer->last_at < consumer->last_count; consumer->last_at++) {
        uint64_t seq = consumer->lasts[consumer->last_at];
        if (subject_index_get(&consumer->stream->index, seq) == NULL)
            continue;
        *candidate = (struct candidate){seq, NULL, true};
        return true;
    }
    uint64_t seq = consumer_find_new(consumer);
    *candidate = (struct candidate){seq, NULL, false};
    return seq != 0;
}

// With the replay policy "original" old messages come as far apart as they came in.
static bool is_too_early(struct consumer *consumer, const struct candidate *candidate,
                         int64_t now_ns)
{
    struct msglog_entry entry;
    if (consumer->config.replay != REPLAY_ORIGINAL || candidate->pending != NULL ||
        candidate->seq > consumer->replay_until_seq || consumer->replay_sent_ns == 0 ||
        !msglog_entry_get(consumer->stream->log, candidate->seq, &entry))
        return false;
    consumer->replay_free_ns = consumer->replay_sent_ns +
                               (entry.time_ns - consumer->replay_last_ns);
    return consumer->replay_free_ns > now_ns;
}

// Puts a message that cannot be sent now back where it came from.
static void put_back(struct consumer *consumer, const struct candidate *candidate)
{
    if (candidate->pending != NULL)
        pending_enqueue(&consumer->pending, candidate->pending);
}

// Sending

// A new message is behind the consumer now.
static void pass(struct consumer *consumer, const struct candidate *candidate)
{
    if (candidate->is_last) {
        consumer->last_at++;
        consumer->last_left--;
        return;
    }
    consumer->next_seq = candidate->seq + 1;
    consumer->matching--;
}

// A message that is damaged is passed over: it cannot be had by asking again.
static void pass_over(struct consumer *consumer, const struct candidate *candidate)
{
    if (candidate->pending != NULL)
        consumer_forget_pending(consumer, candidate->pending);
    else
        pass(consumer, candidate);
    consumer_update_floor(consumer);
}

// What is not acknowledged in time comes again.
static enum status note_pending(struct consumer *consumer, const struct candidate *candidate,
                                int64_t now_ns, struct pending **noted)
{
    struct pending *pending = candidate->pending;
    enum status status = STATUS_OK;
    if (pending == NULL)
        status = pending_add(&consumer->pending, candidate->seq, &pending);
    if (status != STATUS_OK)
        return status;
    int64_t wait_ns = consumer_wait_ns(consumer, pending->deliveries + 1);
    status = pending_set_due(&consumer->pending, pending, now_ns + wait_ns);
    if (status != STATUS_OK) {
        if (candidate->pending == NULL)
            pending_remove(&consumer->pending, pending);
        return status;
    }
    if (pending->deliveries == 0)
        pending->consumer_seq = consumer->delivered_consumer_seq + 1;
    pending->sent_ns = now_ns;
    pending->deliveries++;
    consumer->redelivered += pending->deliveries == 2;
    *noted = pending;
    return STATUS_OK;
}

static enum status note_delivery(struct consumer *consumer, const struct candidate *candidate,
                                 int64_t now_ns)
{
    struct pending *pending = NULL;
    enum status status = STATUS_OK;
    if (consumer->config.ack != ACK_NONE)
        status = note_pending(consumer, candidate, now_ns, &pending);
    if (status != STATUS_OK)
        return status;
    consumer->delivered_consumer_seq++;
    consumer->delivered_ns = now_ns;
    consumer->active_ns = now_ns;
    if (candidate->pending == NULL) {
        pass(consumer, candidate);
        if (candidate->seq > consumer->delivered_seq)
            consumer->delivered_seq = candidate->seq;
    }
    consumer_log_delivered(consumer, pending, candidate->seq);
    if (consumer->config.ack == ACK_NONE) {
        consumer_update_floor(consumer);
        consumer_release(consumer, candidate->seq);
    }
    return STATUS_OK;
}

// The ack subject, as it will be once the delivery is noted.
static void put_reply(struct consumer *consumer, const struct candidate *candidate,
                      const struct msglog_message *message)
{
    const struct pending *pending = candidate->pending;
    uint64_t left = consumer_left(consumer) - (pending == NULL);
    buf_clear(&consumer->reply);
    buf_printf(&consumer->reply,
               "$JS.ACK.%s.%s.%" PRIu32 ".%" PRIu64 ".%" PRIu64 ".%" PRId64 ".%" PRIu64,
               consumer->stream->config.name, consumer->name,
               pending == NULL ? 1 : pending->deliveries + 1, message->seq,
               consumer->delivered_consumer_seq + 1, message->time_ns, left);
}

// The message's headers, with what the consumer adds.
static struct bytes headers_of(struct consumer *consumer, const struct msglog_message *message,
                               uint64_t body_bytes)
{
    struct buf *out = &consumer->headers;
    bool pinned = consumer->pinned_id[0] != '\0';
    if (!consumer->config.headers_only && !pinned)
        return message->headers;
    buf_clear(out);
    if (message->headers.size > 2)
        buf_append(out, bytes_slice(message->headers, 0, message->headers.size - 2));
    else
        headers_begin(out);
    if (consumer->config.headers_only)
        buf_printf(out, "Nats-Msg-Size: %" PRIu64 "\r\n", body_bytes);
    if (pinned)
        buf_printf(out, "Nats-Pin-Id: %s\r\n", consumer->pinned_id);
    headers_end(out);
    return buf_bytes(out);
}

static enum status read_message(struct consumer *consumer, uint64_t seq, struct buf *storage,
                                struct msglog_message *message, uint64_t *body_bytes)
{
    struct msglog_entry entry;
    enum msglog_part part = consumer->config.headers_only ? MSGLOG_HEAD : MSGLOG_ALL;
    enum status status = stream_get(consumer->stream, seq, part, storage, message, NULL);
    *body_bytes = msglog_entry_get(consumer->stream->log, seq, &entry) ? entry.body_bytes : 0;
    if (consumer->config.headers_only)
        message->body = (struct bytes){NULL, 0};
    return status;
}

// The way of a message to somebody who pulls counts for his limit of bytes as in nats-server: with
// its ack subject, without where it goes.
static bool fits(const struct waiting *waiting, uint64_t bytes)
{
    return waiting == NULL || waiting->request.max_bytes == 0 ||
           bytes <= (uint64_t)waiting->bytes_left;
}

static void account_push(struct consumer *consumer, uint64_t bytes, int64_t now_ns)
{
    const struct consumer_config *config = &consumer->config;
    consumer->heartbeat_due_ns = now_ns + config->heartbeat_ns;
    if (config->rate_limit_bps > 0) {
        int64_t from = consumer->rate_free_ns > now_ns ? consumer->rate_free_ns : now_ns;
        consumer->rate_free_ns = from +
                                 (int64_t)((double)bytes * 8e9 / (double)config->rate_limit_bps);
    }
    if (!config->flow_control)
        return;
    consumer->flow_unconfirmed += bytes;
    if (consumer->flow_asked > 0 || consumer->flow_unconfirmed < consumer->flow_window / 2)
        return;
    // The client says with its answer that it has taken everything up to here.
    consumer->flow_asked = consumer->flow_unconfirmed;
    snprintf(consumer->flow_subject, sizeof consumer->flow_subject, "$JS.FC.%s.%s.%08" PRIx32,
             consumer->stream->config.name, consumer->name,
             (uint32_t)consumer->world->random(consumer->world->context));
    consumer_add_notice(consumer, bytes_of_string(config->deliver_subject),
                        bytes_of_string(consumer->flow_subject),
                        BYTES("NATS/1.0 100 FlowControl Request\r\n\r\n"));
}

void consumer_flow_reply(struct consumer *consumer, struct bytes subject)
{
    if (consumer->flow_asked == 0 || !bytes_equal(bytes_of_string(consumer->flow_subject), subject))
        return;
    consumer->flow_unconfirmed -= consumer->flow_asked;
    consumer->flow_asked = 0;
    if (consumer->flow_window < flow_window_max)
        consumer->flow_window *= 2;
}

enum sent { SENT, NOTHING, AGAIN };

static enum sent not_read(struct consumer *consumer, const struct candidate *candidate,
                          enum status status)
{
    if (status == STATUS_CORRUPT || status == STATUS_NOT_FOUND) {
        pass_over(consumer, candidate);
        return AGAIN;
    }
    // Without memory, or where the disk does not answer, it is tried again later.
    put_back(consumer, candidate);
    return NOTHING;
}

static enum sent send_candidate(struct consumer *consumer, const struct candidate *candidate,
                                struct waiting *waiting, int64_t now_ns, struct buf *storage,
                                struct consumer_out *out)
{
    struct msglog_message message;
    uint64_t body_bytes;
    enum status status = read_message(consumer, candidate->seq, storage, &message, &body_bytes);
    if (status != STATUS_OK)
        return not_read(consumer, candidate, status);
    if (waiting != NULL)
        consumer_pin(consumer, waiting, now_ns);
    *out = (struct consumer_out){
        .kind = CONSUMER_SEND,
        .subject = message.subject,
        .headers = headers_of(consumer, &message, body_bytes),
        .body = message.body,
    };
    put_reply(consumer, candidate, &message);
    uint64_t bytes = message.subject.size + consumer->reply.size + out->headers.size +
                     message.body.size;
    if (!fits(waiting, bytes)) {
        put_back(consumer, candidate);
        consumer_end_waiting(consumer, waiting, "409 Message Size Exceeds MaxBytes");
        return AGAIN;
    }
    // The request may be gone with its last message: where it goes is kept behind the reply.
    size_t at = consumer->reply.size;
    buf_append(&consumer->reply, waiting == NULL ? bytes_of_string(consumer->config.deliver_subject)
                                                 : bytes_of(waiting->reply, waiting->reply_bytes));
    if (buf_status(&consumer->reply) != STATUS_OK || buf_status(&consumer->headers) != STATUS_OK ||
        note_delivery(consumer, candidate, now_ns) != STATUS_OK) {
        put_back(consumer, candidate);
        return NOTHING;
    }
    out->reply = bytes_slice(buf_bytes(&consumer->reply), 0, at);
    out->to = bytes_from(buf_bytes(&consumer->reply), at);
    consumer->replay_last_ns = message.time_ns;
    consumer->replay_sent_ns = now_ns;
    if (waiting == NULL)
        account_push(consumer, bytes, now_ns);
    else
        consumer_count_waiting(consumer, waiting, bytes, now_ns);
    return SENT;
}

static bool may_push(const struct consumer *consumer, int64_t now_ns)
{
    return consumer->has_interest && consumer->rate_free_ns <= now_ns &&
           (!consumer->config.flow_control || consumer->flow_unconfirmed < consumer->flow_window);
}

static bool is_paused(const struct consumer *consumer, int64_t now_ns)
{
    return consumer->config.pause_until_ns > now_ns;
}

// Sends one message when somebody may have one. *stalled says that there may be new ones, but that
// too many wait to be acknowledged.
static bool deliver(struct consumer *consumer, int64_t now_ns, struct buf *storage,
                    struct consumer_out *out, bool *stalled)
{
    bool push = consumer->config.deliver_subject != NULL;
    for (;;) {
        struct candidate candidate;
        struct waiting *waiting = push ? NULL : consumer_next_waiting(consumer, now_ns);
        if (push ? !may_push(consumer, now_ns) : waiting == NULL)
            return false;
        if (!choose_again(consumer, &candidate)) {
            *stalled = has_enough_pending(consumer);
            if (*stalled || !choose_new(consumer, &candidate))
                return false;
        }
        if (is_too_early(consumer, &candidate, now_ns))
            return false;
        switch (send_candidate(consumer, &candidate, waiting, now_ns, storage, out)) {
        case SENT: return true;
        case NOTHING: consumer->again_ns = now_ns + again_after_ns; return false;
        case AGAIN: break;
        }
    }
}

// Signs of life

static void push_heartbeat(struct consumer *consumer, int64_t now_ns)
{
    char text[STATUS_LINE_BYTES];
    const struct consumer_config *config = &consumer->config;
    bool stalled = consumer->flow_asked > 0;
    if (config->heartbeat_ns == 0 || config->deliver_subject == NULL || !consumer->has_interest ||
        consumer->heartbeat_due_ns > now_ns)
        return;
    consumer->heartbeat_due_ns = now_ns + config->heartbeat_ns;
    snprintf(text, sizeof text,
             "100 Idle Heartbeat\r\nNats-Last-Consumer: %" PRIu64 "\r\nNats-Last-Stream: %" PRIu64
             "%s%s",
             consumer->delivered_consumer_seq, consumer->delivered_seq,
             stalled ? "\r\nNats-Consumer-Stalled: " : "", stalled ? consumer->flow_subject : "");
    consumer_send_status(consumer, bytes_of_string(config->deliver_subject), text);
}

static void tell_pause(struct consumer *consumer, int64_t now_ns)
{
    bool paused = is_paused(consumer, now_ns);
    if (consumer->is_paused == paused && !consumer->pause_changed)
        return;
    consumer->is_paused = paused;
    consumer->pause_changed = false;
    consumer_advise_pause(consumer, paused);
}

// When a consumer that nobody uses goes. Whoever pulled may still be at work on what he has got.
static int64_t gone_at(const struct consumer *consumer)
{
    int64_t threshold_ns = consumer_inactive_ns(consumer);
    int64_t from_ns = consumer->active_ns;
    if (threshold_ns == INT64_MAX || consumer->has_interest)
        return INT64_MAX;
    if (consumer->config.deliver_subject == NULL && pending_count(&consumer->pending) > 0)
        from_ns += consumer->config.ack_wait_ns;
    return from_ns + threshold_ns;
}

// Whether it goes now. Clients that wait and are still there keep it.
static bool is_gone(struct consumer *consumer, int64_t now_ns)
{
    if (gone_at(consumer) > now_ns)
        return false;
    consumer_expire_waiting(consumer, now_ns, false);
    if (consumer->waiting_count > 0)
        consumer->active_ns = now_ns;
    return consumer->waiting_count == 0 && list_is_empty(&consumer->notices);
}

bool consumer_poll(struct consumer *consumer, int64_t now_ns, struct buf *storage,
                   struct consumer_out *out)
{
    bool stalled = false;
    consumer->again_ns = INT64_MAX;
    if (consumer_take_notice(consumer, storage, out))
        return true;
    if (is_gone(consumer, now_ns)) {
        *out = (struct consumer_out){.kind = CONSUMER_GONE};
        return true;
    }
    tell_pause(consumer, now_ns);
    consumer_check_pin(consumer, now_ns);
    queue_due(consumer, now_ns);
    // What was just said goes before the next message.
    if (consumer_take_notice(consumer, storage, out))
        return true;
    if (!is_paused(consumer, now_ns) && deliver(consumer, now_ns, storage, out, &stalled))
        return true;
    consumer_expire_waiting(consumer, now_ns, !stalled);
    push_heartbeat(consumer, now_ns);
    return consumer_take_notice(consumer, storage, out);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t consumer_deadline(struct consumer *consumer, int64_t now_ns)
{
    const struct consumer_config *config = &consumer->config;
    int64_t at = earlier(pending_next_due(&consumer->pending), gone_at(consumer));
    at = earlier(at, consumer->again_ns);
    for (struct list *link = consumer->waiting.next; link != &consumer->waiting;
         link = link->next) {
        const struct waiting *waiting = LIST_ELEMENT(link, struct waiting, link);
        at = earlier(at, earlier(waiting->expires_ns, waiting->heartbeat_due_ns));
    }
    if (config->deliver_subject != NULL && config->heartbeat_ns > 0 && consumer->has_interest)
        at = earlier(at, consumer->heartbeat_due_ns);
    if (is_paused(consumer, now_ns))
        at = earlier(at, config->pause_until_ns);
    if (consumer->rate_free_ns > now_ns)
        at = earlier(at, consumer->rate_free_ns);
    if (consumer->replay_free_ns > now_ns)
        at = earlier(at, consumer->replay_free_ns);
    if (consumer->pinned_id[0] != '\0')
        at = earlier(at, consumer->pinned_until_ns);
    return at;
}
