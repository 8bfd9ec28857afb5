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

// A message that may be sent next.
struct candidate {
    uint64_t seq;
    struct pending *pending; // one that is delivered again; NULL for a new one
    bool is_last;            // of the list of last messages
};

static bool take_notice(struct consumer *consumer, struct buf *storage, struct consumer_out *out)
{
    if (list_is_empty(&consumer->notices))
        return false;
    struct notice *notice = LIST_ELEMENT(consumer->notices.next, struct notice, link);
    list_take_out(&notice->link);
    size_t size = (size_t)notice->to_bytes + notice->reply_bytes + notice->text_bytes;
    buf_clear(storage);
    buf_append(storage, bytes_of(notice->bytes, size));
    struct bytes to = bytes_of(storage->data, notice->to_bytes);
    struct bytes reply = bytes_of(storage->data + notice->to_bytes, notice->reply_bytes);
    struct bytes text = bytes_of(storage->data + notice->to_bytes + notice->reply_bytes,
                                 notice->text_bytes);
    *out = (struct consumer_out){.kind = notice->kind, .to = to, .subject = to, .reply = reply};
    if (notice->kind == CONSUMER_ADVISORY) {
        out->type = notice->type;
        out->body = text;
    } else {
        out->headers = text;
    }
    free(notice);
    return buf_status(storage) == STATUS_OK;
}

// What comes next

static void give_up(struct consumer *consumer, struct pending *pending)
{
    struct buf members;
    uint64_t seq = pending->seq;
    buf_init(&members, LIMIT_JSON_BYTES);
    buf_printf(&members,
               ",\"stream\":\"%s\",\"consumer\":\"%s\",\"stream_seq\":%" PRIu64
               ",\"deliveries\":%" PRIu32,
               consumer->stream->config.name, consumer->name, seq, pending->deliveries);
    consumer_add_advisory(consumer, "ADVISORY.CONSUMER.MAX_DELIVERIES", "advisory.v1.max_deliver",
                          buf_bytes(&members));
    buf_fini(&members);
    consumer->redelivered -= pending->deliveries > 1;
    pending_remove(&consumer->pending, pending);
    consumer_log_removed(consumer, seq, false);
}

static bool choose_again(struct consumer *consumer, struct candidate *candidate)
{
    struct pending *pending;
    while ((pending = pending_dequeue(&consumer->pending)) != NULL) {
        int64_t most = consumer->config.max_deliver;
        if (subject_index_get(&consumer->stream->index, pending->seq) == NULL) {
            consumer->redelivered -= pending->deliveries > 1;
            pending_remove(&consumer->pending, pending);
            continue;
        }
        if (most > 0 && (int64_t)pending->deliveries >= most) {
            give_up(consumer, pending);
            continue;
        }
        *candidate = (struct candidate){pending->seq, pending, false};
        return true;
    }
    return false;
}

static uint64_t next_matching(struct consumer *consumer)
{
    struct stream *stream = consumer->stream;
    size_t filters = consumer_config_filters(&consumer->config);
    if (filters <= 1) {
        struct bytes filter = filters == 0 ? BYTES(">")
                                           : consumer_config_filter(&consumer->config, 0);
        return stream_find_next(stream, consumer->next_seq, filter);
    }
    uint64_t seq = consumer->next_seq;
    while ((seq = stream_find_next(stream, seq, BYTES(">"))) != 0) {
        if (consumer_matches(consumer, subject_index_get(&stream->index, seq)->subject->text))
            return seq;
        seq++;
    }
    return 0;
}

static bool choose_new(struct consumer *consumer, struct candidate *candidate)
{
    const struct consumer_config *config = &consumer->config;
    if (config->ack != ACK_NONE && config->max_ack_pending > 0 &&
        (int64_t)pending_count(&consumer->pending) >= config->max_ack_pending)
        return false;
    while (consumer->last_at < consumer->last_count) {
        uint64_t seq = consumer->lasts[consumer->last_at];
        if (subject_index_get(&consumer->stream->index, seq) != NULL) {
            *candidate = (struct candidate){seq, NULL, true};
            return true;
        }
        consumer->last_at++;
    }
    // Counted first, so that what is delivered was counted before.
    consumer_count(consumer);
    uint64_t seq = next_matching(consumer);
    if (seq == 0) {
        // What does not match is never looked at again.
        if (consumer->counted_seq >= consumer->next_seq)
            consumer->next_seq = consumer->counted_seq + 1;
        return false;
    }
    *candidate = (struct candidate){seq, NULL, false};
    return true;
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

static int64_t wait_of(const struct consumer_config *config, uint32_t deliveries)
{
    if (config->backoff_ns.count == 0)
        return config->ack_wait_ns;
    size_t at = deliveries - 1 < config->backoff_ns.count ? deliveries - 1
                                                          : config->backoff_ns.count - 1;
    return config->backoff_ns.items[at];
}

// Notes the delivery; *deliveries says how often it was delivered now.
static enum status note_delivery(struct consumer *consumer, const struct candidate *candidate,
                                 int64_t now_ns, uint32_t *deliveries)
{
    struct pending *pending = candidate->pending;
    enum status status = STATUS_OK;
    *deliveries = 1;
    if (consumer->config.ack != ACK_NONE) {
        if (pending == NULL)
            status = pending_add(&consumer->pending, candidate->seq, &pending);
        if (status != STATUS_OK)
            return status;
        if (pending->deliveries == 0) {
            pending->first_ns = now_ns;
            pending->consumer_seq = consumer->delivered_consumer_seq + 1;
        }
        *deliveries = ++pending->deliveries;
        consumer->redelivered += pending->deliveries == 2;
        pending_set_due(&consumer->pending, pending,
                        now_ns + wait_of(&consumer->config, pending->deliveries));
    }
    consumer->delivered_consumer_seq++;
    consumer->delivered_ns = now_ns;
    consumer->active_ns = now_ns;
    if (candidate->pending == NULL) {
        if (candidate->is_last)
            consumer->last_at++;
        else
            consumer->next_seq = candidate->seq + 1;
        if (!candidate->is_last && consumer->matching > 0)
            consumer->matching--;
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

static void put_reply(struct consumer *consumer, const struct msglog_message *message,
                      uint32_t deliveries)
{
    buf_clear(&consumer->reply);
    buf_printf(&consumer->reply,
               "$JS.ACK.%s.%s.%" PRIu32 ".%" PRIu64 ".%" PRIu64 ".%" PRId64 ".%" PRIu64,
               consumer->stream->config.name, consumer->name, deliveries, message->seq,
               consumer->delivered_consumer_seq, message->time_ns, consumer_left(consumer));
}

// The message's headers, with what the consumer adds.
static struct bytes headers_of(struct consumer *consumer, const struct msglog_message *message,
                               uint64_t body_bytes)
{
    struct buf *out = &consumer->headers;
    bool pinned = consumer->config.priority == PRIORITY_PINNED;
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

// A message that is gone or damaged is passed over.
static void pass_over(struct consumer *consumer, const struct candidate *candidate)
{
    if (candidate->pending != NULL) {
        consumer->redelivered -= candidate->pending->deliveries > 1;
        pending_remove(&consumer->pending, candidate->pending);
        return;
    }
    if (candidate->is_last) {
        consumer->last_at++;
        return;
    }
    consumer->next_seq = candidate->seq + 1;
    consumer->matching -= consumer->matching > 0;
}

static bool fits(const struct waiting *waiting, const struct msglog_message *message)
{
    if (waiting == NULL || waiting->request.max_bytes == 0)
        return true;
    size_t size = message->subject.size + message->headers.size + message->body.size +
                  waiting->reply_bytes;
    return (int64_t)size <= waiting->bytes_left;
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

static void account_pull(struct consumer *consumer, struct waiting *waiting, uint64_t bytes,
                         int64_t now_ns)
{
    waiting->left--;
    waiting->delivered++;
    waiting->bytes_left -= (int64_t)bytes;
    if (waiting->request.heartbeat_ns > 0)
        waiting->heartbeat_due_ns = now_ns + waiting->request.heartbeat_ns;
    if (waiting->left == 0) {
        consumer_finish_waiting(consumer, waiting);
        return;
    }
    // Clients that wait share what comes: whoever was served goes to the end.
    if (consumer->config.priority == PRIORITY_NONE && !waiting->request.no_wait) {
        list_take_out(&waiting->link);
        list_append(&consumer->waiting, &waiting->link);
    }
}

enum sent { SENT, NOTHING, AGAIN };

static enum sent send_candidate(struct consumer *consumer, const struct candidate *candidate,
                                struct waiting *waiting, int64_t now_ns, struct buf *storage,
                                struct consumer_out *out)
{
    struct msglog_message message;
    uint64_t body_bytes;
    uint32_t deliveries;
    if (read_message(consumer, candidate->seq, storage, &message, &body_bytes) != STATUS_OK) {
        pass_over(consumer, candidate);
        return AGAIN;
    }
    if (!fits(waiting, &message)) {
        put_back(consumer, candidate);
        consumer_end_waiting(consumer, waiting, "409 Message Size Exceeds MaxBytes");
        return AGAIN;
    }
    if (note_delivery(consumer, candidate, now_ns, &deliveries) != STATUS_OK) {
        put_back(consumer, candidate);
        return NOTHING;
    }
    if (waiting != NULL)
        consumer_pin(consumer, waiting, now_ns);
    put_reply(consumer, &message, deliveries);
    *out = (struct consumer_out){
        .kind = CONSUMER_SEND,
        .subject = message.subject,
        .reply = buf_bytes(&consumer->reply),
        .headers = headers_of(consumer, &message, body_bytes),
        .body = message.body,
    };
    consumer->replay_last_ns = message.time_ns;
    consumer->replay_sent_ns = now_ns;
    uint64_t bytes = message.subject.size + message.headers.size + message.body.size;
    if (waiting == NULL) {
        out->to = bytes_of_string(consumer->config.deliver_subject);
        account_push(consumer, bytes, now_ns);
        return SENT;
    }
    // The request may be gone with its last message: where it goes is kept behind the reply.
    size_t at = consumer->reply.size;
    buf_append(&consumer->reply, bytes_of(waiting->reply, waiting->reply_bytes));
    out->to = bytes_of(consumer->reply.data + at, waiting->reply_bytes);
    out->reply = bytes_of(consumer->reply.data, at);
    account_pull(consumer, waiting, bytes + waiting->reply_bytes, now_ns);
    return buf_status(&consumer->reply) == STATUS_OK ? SENT : NOTHING;
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

// Sends one message when somebody may have one. *nothing says that there is none to be had.
static bool deliver(struct consumer *consumer, int64_t now_ns, struct buf *storage,
                    struct consumer_out *out, bool *nothing)
{
    bool push = consumer->config.deliver_subject != NULL;
    for (;;) {
        struct candidate candidate;
        struct waiting *waiting = push ? NULL : consumer_next_waiting(consumer, now_ns);
        if (push ? !may_push(consumer, now_ns) : waiting == NULL)
            return false;
        if (!choose_again(consumer, &candidate) && !choose_new(consumer, &candidate)) {
            *nothing = true;
            return false;
        }
        if (is_too_early(consumer, &candidate, now_ns))
            return false;
        switch (send_candidate(consumer, &candidate, waiting, now_ns, storage, out)) {
        case SENT: return true;
        case NOTHING: return false;
        case AGAIN: break;
        }
    }
}

// Signs of life

static void push_heartbeat(struct consumer *consumer, int64_t now_ns)
{
    char text[STATUS_LINE_BYTES];
    const struct consumer_config *config = &consumer->config;
    bool stalled = config->flow_control && consumer->flow_asked > 0 &&
                   consumer->flow_unconfirmed >= consumer->flow_window;
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
    struct buf members;
    if (consumer->pause_told == paused || (!paused && consumer->config.pause_until_ns == 0))
        return;
    consumer->pause_told = paused;
    buf_init(&members, LIMIT_JSON_BYTES);
    buf_printf(&members, ",\"stream\":\"%s\",\"consumer\":\"%s\",\"paused\":%s",
               consumer->stream->config.name, consumer->name, paused ? "true" : "false");
    consumer_add_advisory(consumer, "ADVISORY.CONSUMER.PAUSE", "advisory.v1.consumer_pause",
                          buf_bytes(&members));
    buf_fini(&members);
}

// Whether nobody has been there for so long that the consumer goes.
static int64_t gone_at(const struct consumer *consumer)
{
    int64_t threshold_ns = consumer_inactive_ns(consumer);
    bool somebody = consumer->config.deliver_subject != NULL ? consumer->has_interest
                                                             : consumer->waiting_count > 0;
    return somebody || threshold_ns == INT64_MAX ? INT64_MAX : consumer->active_ns + threshold_ns;
}

bool consumer_poll(struct consumer *consumer, int64_t now_ns, struct buf *storage,
                   struct consumer_out *out)
{
    bool nothing = false;
    if (take_notice(consumer, storage, out))
        return true;
    if (gone_at(consumer) <= now_ns) {
        *out = (struct consumer_out){.kind = CONSUMER_GONE};
        return true;
    }
    tell_pause(consumer, now_ns);
    pending_queue_due(&consumer->pending, now_ns);
    if (!is_paused(consumer, now_ns) && deliver(consumer, now_ns, storage, out, &nothing))
        return true;
    consumer_expire_waiting(consumer, now_ns, nothing);
    push_heartbeat(consumer, now_ns);
    return take_notice(consumer, storage, out);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t consumer_deadline(struct consumer *consumer, int64_t now_ns)
{
    const struct consumer_config *config = &consumer->config;
    int64_t at = earlier(pending_next_due(&consumer->pending), gone_at(consumer));
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
    if (consumer->pinned_id[0] != '\0' && consumer->waiting_count > 0)
        at = earlier(at, consumer->pinned_until_ns);
    return at;
}
