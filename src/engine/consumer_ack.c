// SPDX-License-Identifier: Apache-2.0
// Acknowledgements (ADR-13, ADR-15): what the payload says, and what becomes of the message.
#include "engine/consumer_private.h"

enum { TOKENS_MAX = 12, TOKENS = 9, TOKENS_WITH_DOMAIN = 11 };

static bool read_message(struct bytes subject, struct consumer_message *message)
{
    struct bytes tokens[TOKENS_MAX];
    size_t count = 0;
    while (subject.data != NULL && count < TOKENS_MAX)
        tokens[count++] = bytes_cut(subject, '.', &subject);
    size_t at = count >= TOKENS_WITH_DOMAIN ? 6 : 4;
    return count >= TOKENS && bytes_to_u64(tokens[at], &message->deliveries) &&
           bytes_to_u64(tokens[at + 1], &message->seq) &&
           bytes_to_u64(tokens[at + 2], &message->consumer_seq);
}

static void sample(struct consumer *consumer, const struct consumer_message *message,
                   const struct pending *pending, int64_t now_ns)
{
    if (consumer->sample_percent > 0 &&
        (consumer->sample_percent >= 100 ||
         consumer->world->random(consumer->world->context) % 100 < consumer->sample_percent))
        consumer_advise_sample(consumer, message, now_ns - pending->sent_ns);
}

// Forgets one message, or everything up to it.
static void remove_pending(struct consumer *consumer, uint64_t seq, bool all_below)
{
    struct pending *pending;
    consumer_log_removed(consumer, seq, all_below ? CONSUMER_ALL_BELOW : CONSUMER_ONE);
    if (!all_below) {
        consumer_forget_pending(consumer, pending_find(&consumer->pending, seq));
        consumer_release(consumer, seq);
    }
    while (all_below && (pending = pending_first(&consumer->pending)) != NULL &&
           pending->seq <= seq) {
        uint64_t removed = pending->seq;
        consumer_forget_pending(consumer, pending);
        consumer_release(consumer, removed);
    }
    consumer_update_floor(consumer);
}

// With the policy "all", whatever was delivered up to there is acknowledged; a termination is no
// different.
static void settle(struct consumer *consumer, const struct consumer_message *message)
{
    bool all = consumer->config.ack == ACK_ALL;
    // Acknowledged twice, or after its time was up and somebody else's copy was: that is well.
    if (all || pending_find(&consumer->pending, message->seq) != NULL)
        remove_pending(consumer, message->seq, all);
}

static void acknowledge(struct consumer *consumer, const struct consumer_message *message,
                        int64_t now_ns)
{
    const struct pending *pending = pending_find(&consumer->pending, message->seq);
    consumer->acked_ns = now_ns;
    if (pending != NULL)
        sample(consumer, message, pending, now_ns);
    settle(consumer, message);
}

static enum status refuse(struct consumer *consumer, const struct consumer_message *message,
                          struct bytes argument, int64_t now_ns)
{
    struct pending *pending = pending_find(&consumer->pending, message->seq);
    int64_t delay_ns = pull_request_nak_delay(argument);
    if (pending == NULL)
        return STATUS_OK;
    consumer_advise_naked(consumer, message);
    if (delay_ns == 0 && consumer_is_spent(consumer, pending)) {
        consumer_give_up(consumer, pending);
        return STATUS_OK;
    }
    if (delay_ns == 0)
        return pending_enqueue(&consumer->pending, pending);
    if (delay_ns > INT64_MAX - now_ns)
        delay_ns = INT64_MAX - 1 - now_ns;
    enum status status = pending_set_due(&consumer->pending, pending, now_ns + delay_ns);
    if (status == STATUS_OK)
        consumer_log_due(consumer, pending);
    return status;
}

static void terminate(struct consumer *consumer, const struct consumer_message *message,
                      struct bytes reason)
{
    if (pending_find(&consumer->pending, message->seq) != NULL)
        consumer_advise_terminated(consumer, message, bytes_trim(reason));
    settle(consumer, message);
}

static enum status prolong(struct consumer *consumer, const struct consumer_message *message,
                           int64_t now_ns)
{
    struct pending *pending = pending_find(&consumer->pending, message->seq);
    if (pending == NULL || pending->queued)
        return STATUS_OK;
    int64_t wait_ns = consumer_wait_ns(consumer, pending->deliveries);
    enum status status = pending_set_due(&consumer->pending, pending, now_ns + wait_ns);
    if (status == STATUS_OK)
        consumer_log_due(consumer, pending);
    return status;
}

enum status consumer_ack(struct consumer *consumer, struct bytes subject, struct bytes payload,
                         struct bytes reply, int64_t now_ns)
{
    struct consumer_message message;
    // What was not delivered yet is nobody's to acknowledge.
    if (!read_message(subject, &message) || message.seq > consumer->delivered_seq)
        return STATUS_NOT_FOUND;
    consumer->active_ns = now_ns;
    if (consumer->config.ack == ACK_NONE)
        return STATUS_OK;
    if (bytes_start_with(payload, BYTES("-NAK")))
        return refuse(consumer, &message, bytes_from(payload, 4), now_ns);
    if (bytes_equal(payload, BYTES("+WPI")))
        return prolong(consumer, &message, now_ns);
    if (bytes_start_with(payload, BYTES("+TERM"))) {
        terminate(consumer, &message, bytes_from(payload, 5));
    } else if (bytes_start_with(payload, BYTES("+NXT"))) {
        acknowledge(consumer, &message, now_ns);
        consumer_pull(consumer, bytes_from(payload, 4), reply, now_ns);
    } else if (payload.size == 0 || bytes_equal(payload, BYTES("+ACK")) ||
               bytes_equal(payload, BYTES("+OK"))) {
        acknowledge(consumer, &message, now_ns);
    }
    return STATUS_OK; // anything else is answered, as nats-server does, and nothing more
}
