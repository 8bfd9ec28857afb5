// SPDX-License-Identifier: Apache-2.0
#include "server/advisory.h"

#include "base/limits.h"
#include "server/server_private.h"
#include "wire/jsontext.h"

// Twenty-two letters and digits, as the ids of NATS look; unique is all that they are.
static void put_id(struct jetstream *js, struct buf *out)
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    buf_append_byte(out, '"');
    for (int i = 0; i < 22; i++)
        buf_append_byte(out, digits[js->world.random(js->world.context) % (sizeof digits - 1)]);
    buf_append_byte(out, '"');
}

void advisory_send(struct jetstream *js, struct bytes subject, const char *type,
                   struct bytes members)
{
    struct buf text;
    if (!account_has_interest(js->account, subject))
        return;
    buf_init(&text, LIMIT_API_ANSWER_BYTES);
    buf_printf(&text, "{\"type\":\"io.nats.jetstream.%s\",\"id\":", type);
    put_id(js, &text);
    buf_append_string(&text, ",\"timestamp\":");
    jsontext_put_time(&text, server_now_ns());
    buf_append(&text, members);
    if (js->domain != NULL) {
        buf_append_string(&text, ",\"domain\":");
        jsontext_put_string(&text, bytes_of_string(js->domain));
    }
    buf_append_byte(&text, '}');
    if (buf_status(&text) == STATUS_OK)
        account_publish(js->account,
                        &(struct message){.subject = subject, .body = buf_bytes(&text)});
    buf_fini(&text);
}

static void put_member(struct buf *out, const char *key, const char *value)
{
    buf_printf(out, ",\"%s\":", key);
    jsontext_put_string(out, bytes_of_string(value));
}

void advisory_stream(struct jetstream *js, const char *stream, const char *kind, const char *action)
{
    struct buf subject;
    struct buf members;
    buf_init(&subject, LIMIT_RECORD_SUBJECT_BYTES);
    buf_init(&members, LIMIT_API_ANSWER_BYTES);
    buf_printf(&subject, "$JS.EVENT.ADVISORY.STREAM.%s.%s", kind, stream);
    put_member(&members, "stream", stream);
    put_member(&members, "action", action);
    advisory_send(js, buf_bytes(&subject), "advisory.v1.stream_action", buf_bytes(&members));
    buf_fini(&subject);
    buf_fini(&members);
}

void advisory_consumer(struct jetstream *js, const char *stream, const char *consumer,
                       const char *kind, const char *action)
{
    struct buf subject;
    struct buf members;
    buf_init(&subject, LIMIT_RECORD_SUBJECT_BYTES);
    buf_init(&members, LIMIT_API_ANSWER_BYTES);
    buf_printf(&subject, "$JS.EVENT.ADVISORY.CONSUMER.%s.%s.%s", kind, stream, consumer);
    put_member(&members, "stream", stream);
    put_member(&members, "consumer", consumer);
    put_member(&members, "action", action);
    advisory_send(js, buf_bytes(&subject), "advisory.v1.consumer_action", buf_bytes(&members));
    buf_fini(&subject);
    buf_fini(&members);
}
