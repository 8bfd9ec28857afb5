// SPDX-License-Identifier: Apache-2.0
// What a consumer says beside messages: statuses to those who pull, and advisories. They wait in
// the order they were made, and go before the next message.
#include "engine/consumer_private.h"
#include "wire/jsontext.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void add_notice(struct consumer *consumer, enum consumer_output kind, const char *type,
                       const struct bytes parts[3])
{
    struct notice *notice = malloc(sizeof *notice + parts[0].size + parts[1].size + parts[2].size);
    if (notice == NULL)
        return; // whoever waits for it runs into his own time limit
    notice->kind = kind;
    notice->type = type;
    notice->to_bytes = (uint32_t)parts[0].size;
    notice->reply_bytes = (uint32_t)parts[1].size;
    notice->text_bytes = (uint32_t)parts[2].size;
    char *at = notice->bytes;
    for (int i = 0; i < 3; i++) {
        if (parts[i].size > 0)
            memcpy(at, parts[i].data, parts[i].size);
        at += parts[i].size;
    }
    list_append(&consumer->notices, &notice->link);
}

void consumer_add_notice(struct consumer *consumer, struct bytes to, struct bytes reply,
                         struct bytes headers)
{
    const struct bytes parts[3] = {to, reply, headers};
    add_notice(consumer, CONSUMER_SEND, NULL, parts);
}

bool consumer_take_notice(struct consumer *consumer, struct buf *storage, struct consumer_out *out)
{
    if (list_is_empty(&consumer->notices))
        return false;
    struct notice *notice = LIST_ELEMENT(consumer->notices.next, struct notice, link);
    list_take_out(&notice->link);
    size_t size = (size_t)notice->to_bytes + notice->reply_bytes + notice->text_bytes;
    buf_clear(storage);
    buf_append(storage, bytes_of(notice->bytes, size));
    struct bytes all = buf_bytes(storage);
    struct bytes to = bytes_slice(all, 0, notice->to_bytes);
    struct bytes reply = bytes_slice(all, notice->to_bytes, notice->reply_bytes);
    struct bytes text = bytes_from(all, (size_t)notice->to_bytes + notice->reply_bytes);
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

// Advisories. Their members begin with the stream and the consumer.

static struct buf begin(const struct consumer *consumer)
{
    struct buf members;
    buf_init(&members, LIMIT_JSON_BYTES);
    buf_append_string(&members, ",\"stream\":");
    jsontext_put_string(&members, bytes_of_string(consumer->stream->config.name));
    buf_append_string(&members, ",\"consumer\":");
    jsontext_put_string(&members, bytes_of_string(consumer->name));
    return members;
}

static void put_text(struct buf *members, const char *key, struct bytes text)
{
    buf_printf(members, ",\"%s\":", key);
    jsontext_put_string(members, text);
}

static void put_number(struct buf *members, const char *key, uint64_t number)
{
    buf_printf(members, ",\"%s\":%" PRIu64, key, number);
}

// Ends the members and adds the advisory.
static void finish(struct consumer *consumer, const char *kind, const char *type,
                   struct buf *members)
{
    struct buf subject;
    buf_init(&subject, LIMIT_RECORD_SUBJECT_BYTES);
    buf_printf(&subject, "$JS.EVENT.%s.%s.%s", kind, consumer->stream->config.name, consumer->name);
    const struct bytes parts[3] = {buf_bytes(&subject), {NULL, 0}, buf_bytes(members)};
    if (buf_status(&subject) == STATUS_OK && buf_status(members) == STATUS_OK)
        add_notice(consumer, CONSUMER_ADVISORY, type, parts);
    buf_fini(&subject);
    buf_fini(members);
}

static struct buf begin_message(const struct consumer *consumer, const struct consumer_message *of)
{
    struct buf members = begin(consumer);
    put_number(&members, "consumer_seq", of->consumer_seq);
    put_number(&members, "stream_seq", of->seq);
    return members;
}

void consumer_advise_exceeded(struct consumer *consumer, uint64_t seq, uint64_t deliveries)
{
    struct buf members = begin(consumer);
    put_number(&members, "stream_seq", seq);
    put_number(&members, "deliveries", deliveries);
    finish(consumer, "ADVISORY.CONSUMER.MAX_DELIVERIES", "advisory.v1.max_deliver", &members);
}

void consumer_advise_naked(struct consumer *consumer, const struct consumer_message *of)
{
    struct buf members = begin_message(consumer, of);
    put_number(&members, "deliveries", of->deliveries);
    finish(consumer, "ADVISORY.CONSUMER.MSG_NAKED", "advisory.v1.nak", &members);
}

void consumer_advise_terminated(struct consumer *consumer, const struct consumer_message *of,
                                struct bytes reason)
{
    struct buf members = begin_message(consumer, of);
    put_number(&members, "deliveries", of->deliveries);
    if (reason.size > 0)
        put_text(&members, "reason", reason);
    finish(consumer, "ADVISORY.CONSUMER.MSG_TERMINATED", "advisory.v1.terminated", &members);
}

void consumer_advise_sample(struct consumer *consumer, const struct consumer_message *of,
                            int64_t delay_ns)
{
    struct buf members = begin_message(consumer, of);
    buf_printf(&members, ",\"ack_time\":%" PRId64, delay_ns);
    put_number(&members, "deliveries", of->deliveries);
    finish(consumer, "METRIC.CONSUMER.ACK", "metric.v1.consumer_ack", &members);
}

void consumer_advise_pause(struct consumer *consumer, bool paused)
{
    struct buf members = begin(consumer);
    buf_printf(&members, ",\"paused\":%s,\"pause_until\":", paused ? "true" : "false");
    jsontext_put_time(&members, consumer->config.pause_until_ns);
    finish(consumer, "ADVISORY.CONSUMER.PAUSE", "advisory.v1.consumer_pause", &members);
}

void consumer_advise_pinned(struct consumer *consumer, const char *group)
{
    struct buf members = begin(consumer);
    put_text(&members, "group", bytes_of_string(group));
    put_text(&members, "pinned_id", bytes_of_string(consumer->pinned_id));
    finish(consumer, "ADVISORY.CONSUMER.PINNED", "advisory.v1.consumer_group_pinned", &members);
}

void consumer_advise_unpinned(struct consumer *consumer, const char *group, const char *reason)
{
    struct buf members = begin(consumer);
    put_text(&members, "group", bytes_of_string(group));
    put_text(&members, "reason", bytes_of_string(reason));
    finish(consumer, "ADVISORY.CONSUMER.UNPINNED", "advisory.v1.consumer_group_unpinned", &members);
}
