// SPDX-License-Identifier: Apache-2.0
// Acknowledgements (ADR-13, ADR-15): what the payload says, and what becomes of the message.
#include "engine/consumer_private.h"
#include "wire/jsontext.h"

#include <inttypes.h>

enum { TOKENS_MAX = 12, TOKENS = 9, TOKENS_WITH_DOMAIN = 11 };

struct place {
    uint64_t seq;
    uint64_t consumer_seq;
    uint64_t deliveries;
};

static bool read_place(struct bytes subject, struct place *place)
{
    struct bytes tokens[TOKENS_MAX];
    size_t count = 0;
    while (subject.data != NULL && count < TOKENS_MAX)
        tokens[count++] = bytes_cut(subject, '.', &subject);
    size_t at = count >= TOKENS_WITH_DOMAIN ? 6 : 4;
    return count >= TOKENS && bytes_to_u64(tokens[at], &place->deliveries) &&
           bytes_to_u64(tokens[at + 1], &place->seq) &&
           bytes_to_u64(tokens[at + 2], &place->consumer_seq);
}

static void put_advisory(struct consumer *consumer, const struct place *place, const char *kind,
                         const char *type, struct bytes reason)
{
    struct buf members;
    buf_init(&members, LIMIT_JSON_BYTES);
    buf_printf(&members, ",\"stream\":\"%s\",\"consumer\":\"%s\"", consumer->stream->config.name,
               consumer->name);
    buf_printf(&members,
               ",\"consumer_seq\":%" PRIu64 ",\"stream_seq\":%" PRIu64 ",\"deliveries\":%" PRIu64,
               place->consumer_seq, place->seq, place->deliveries);
    if (reason.size > 0) {
        buf_append_string(&members, ",\"reason\":");
        jsontext_put_string(&members, reason);
    }
    consumer_add_advisory(consumer, kind, type, buf_bytes(&members));
    buf_fini(&members);
}

static void sample(struct consumer *consumer, const struct place *place,
                   const struct pending *pending, int64_t now_ns)
{
    struct buf members;
    if (consumer->sample_percent == 0 ||
        consumer->world->random(consumer->world->context) % 100 >= consumer->sample_percent)
        return;
    buf_init(&members, LIMIT_JSON_BYTES);
    buf_printf(&members, ",\"stream\":\"%s\",\"consumer\":\"%s\"", consumer->stream->config.name,
               consumer->name);
    buf_printf(&members,
               ",\"consumer_seq\":%" PRIu64 ",\"stream_seq\":%" PRIu64 ",\"ack_time\":%" PRId64
               ",\"deliveries\":%" PRIu64,
               place->consumer_seq, place->seq, now_ns - pending->first_ns, place->deliveries);
    consumer_add_advisory(consumer, "METRIC.CONSUMER.ACK", "metric.v1.consumer_ack",
                          buf_bytes(&members));
    buf_fini(&members);
}

// Forgets one message, or everything up to it.
static enum status remove_pending(struct consumer *consumer, uint64_t seq, bool all_below)
{
    struct pending *pending;
    enum status status = consumer_log_removed(consumer, seq, all_below);
    if (status != STATUS_OK)
        return status;
    if (!all_below) {
        pending = pending_find(&consumer->pending, seq);
        consumer->redelivered -= pending->deliveries > 1;
        pending_remove(&consumer->pending, pending);
        consumer_release(consumer, seq);
    }
    while (all_below && (pending = pending_first(&consumer->pending)) != NULL &&
           pending->seq <= seq) {
        uint64_t removed = pending->seq;
        consumer->redelivered -= pending->deliveries > 1;
        pending_remove(&consumer->pending, pending);
        consumer_release(consumer, removed);
    }
    consumer_update_floor(consumer);
    return STATUS_OK;
}

static enum status acknowledge(struct consumer *consumer, const struct place *place, int64_t now_ns)
{
    bool all = consumer->config.ack == ACK_ALL;
    const struct pending *pending = pending_find(&consumer->pending, place->seq);
    consumer->acked_ns = now_ns;
    // Acknowledged twice, or after its time was up and somebody else's copy was: that is well.
    if (pending == NULL && !all)
        return STATUS_OK;
    if (pending != NULL)
        sample(consumer, place, pending, now_ns);
    return remove_pending(consumer, place->seq, all);
}

static enum status refuse(struct consumer *consumer, const struct place *place,
                          struct bytes argument, int64_t now_ns)
{
    struct pending *pending = pending_find(&consumer->pending, place->seq);
    int64_t delay_ns = pull_request_nak_delay(argument);
    if (pending == NULL)
        return STATUS_OK;
    put_advisory(consumer, place, "ADVISORY.CONSUMER.MSG_NAKED", "advisory.v1.nak",
                 (struct bytes){NULL, 0});
    if (delay_ns == 0)
        return pending_enqueue(&consumer->pending, pending);
    return pending_set_due(&consumer->pending, pending, now_ns + delay_ns);
}

static enum status terminate(struct consumer *consumer, const struct place *place,
                             struct bytes reason)
{
    if (pending_find(&consumer->pending, place->seq) == NULL)
        return STATUS_OK;
    put_advisory(consumer, place, "ADVISORY.CONSUMER.MSG_TERMINATED", "advisory.v1.terminated",
                 bytes_trim(reason));
    return remove_pending(consumer, place->seq, false);
}

static enum status prolong(struct consumer *consumer, const struct place *place, int64_t now_ns)
{
    struct pending *pending = pending_find(&consumer->pending, place->seq);
    if (pending == NULL || pending->queued)
        return STATUS_OK;
    return pending_set_due(&consumer->pending, pending, now_ns + consumer->config.ack_wait_ns);
}

enum status consumer_ack(struct consumer *consumer, struct bytes subject, struct bytes payload,
                         struct bytes reply, int64_t now_ns)
{
    struct place place;
    if (!read_place(subject, &place))
        return STATUS_NOT_FOUND;
    consumer->active_ns = now_ns;
    if (consumer->config.ack == ACK_NONE)
        return STATUS_OK;
    if (payload.size == 0 || bytes_start_with(payload, BYTES("+ACK")) ||
        bytes_equal(payload, BYTES("+OK")))
        return acknowledge(consumer, &place, now_ns);
    if (bytes_start_with(payload, BYTES("+NXT"))) {
        enum status status = acknowledge(consumer, &place, now_ns);
        if (status == STATUS_OK)
            consumer_pull(consumer, bytes_from(payload, 4), reply, now_ns);
        return status;
    }
    if (bytes_start_with(payload, BYTES("-NAK")))
        return refuse(consumer, &place, bytes_from(payload, 4), now_ns);
    if (bytes_start_with(payload, BYTES("+WPI")))
        return prolong(consumer, &place, now_ns);
    if (bytes_start_with(payload, BYTES("+TERM")))
        return terminate(consumer, &place, bytes_from(payload, 5));
    return STATUS_NOT_FOUND;
}
