// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "consumerkit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static bool interest(void *context, struct bytes subject)
{
    const struct consumerkit *kit = context;
    for (size_t i = 0; i < DEAF_MAX; i++)
        if (kit->deaf[i] != NULL && bytes_equal(bytes_of_string(kit->deaf[i]), subject))
            return false;
    return true;
}

static uint64_t next_random(void *context)
{
    struct consumerkit *kit = context;
    return simhost_random(&kit->random);
}

int consumerkit_setup(void **state)
{
    struct consumerkit *kit = calloc(1, sizeof *kit);
    void *stream;
    assert_non_null(kit);
    assert_int_equal(streamkit_setup(&stream), 0);
    kit->stream = stream;
    kit->random = 1;
    kit->world = (struct consumer_world){kit, interest, next_random};
    buf_init(&kit->storage, SIZE_MAX);
    buf_init(&kit->sent, SIZE_MAX);
    *state = kit;
    return 0;
}

int consumerkit_teardown(void **state)
{
    struct consumerkit *kit = *state;
    void *stream = kit->stream;
    streamkit_teardown(&stream);
    buf_fini(&kit->storage);
    buf_fini(&kit->sent);
    free(kit);
    return 0;
}

static void open_consumers(struct consumerkit *kit)
{
    if (stream_open_consumers(kit->stream->stream, &kit->world, &kit->err) != STATUS_OK)
        fail_msg("open consumers: %s", kit->err.text);
}

void consumerkit_create(struct consumerkit *kit, const char *json)
{
    streamkit_create(kit->stream, json);
    open_consumers(kit);
}

void consumerkit_reopen(struct consumerkit *kit)
{
    streamkit_reopen(kit->stream);
    open_consumers(kit);
}

void consumerkit_commit(struct consumerkit *kit)
{
    struct msglog *log = stream_get_consumer_log(kit->stream->stream);
    streamkit_commit(kit->stream);
    if (stream_stage_consumers(kit->stream->stream, &kit->err) != STATUS_OK)
        fail_msg("stage: %s", kit->err.text);
    if (log != NULL && msglog_commit(log, &kit->err) != STATUS_OK)
        fail_msg("commit: %s", kit->err.text);
}

void consumerkit_wait(struct consumerkit *kit, int64_t ms)
{
    kit->stream->now_ns += ms * MILLISECOND;
}

void consumerkit_put(struct consumerkit *kit, const char *subject, const char *body)
{
    streamkit_put(kit->stream, subject, body);
}

enum status consumerkit_try(struct consumerkit *kit, const char *json, enum consumer_action action,
                            struct consumer_made *made)
{
    struct consumer_config config;
    consumer_config_init(&config);
    errinfo_clear(&kit->err);
    if (consumer_config_read(&config, bytes_of_string(json), &kit->err) != STATUS_OK)
        fail_msg("%s: %s", json, kit->err.text);
    enum status status = consumer_make(kit->stream->stream, &config, action, kit->stream->now_ns,
                                       made, &kit->err);
    consumer_config_fini(&config);
    return status;
}

struct consumer *consumerkit_make(struct consumerkit *kit, const char *json)
{
    struct consumer_made made;
    if (consumerkit_try(kit, json, CONSUMER_CREATE_OR_UPDATE, &made) != STATUS_OK)
        fail_msg("make %s: %s", json, kit->err.text);
    consumerkit_commit(kit);
    return made.consumer;
}

struct consumer *consumerkit_find(struct consumerkit *kit, const char *name)
{
    struct consumer *consumer = consumer_find(kit->stream->stream, bytes_of_string(name));
    if (consumer == NULL)
        fail_msg("no consumer %s", name);
    return consumer;
}

void consumerkit_refused(struct consumerkit *kit, const char *json, int code, const char *text)
{
    struct consumer_made made;
    size_t before = consumer_count_of(kit->stream->stream);
    enum status status = consumerkit_try(kit, json, CONSUMER_CREATE_OR_UPDATE, &made);
    if (status == STATUS_OK)
        fail_msg("%s was accepted", json);
    if (strcmp(kit->err.text, text) != 0 || kit->err.protocol_code != code)
        fail_msg("%s: %d %s", json, kit->err.protocol_code, kit->err.text);
    assert_int_equal(consumer_count_of(kit->stream->stream), before);
}

void consumerkit_pull(struct consumerkit *kit, struct consumer *consumer, const char *body,
                      const char *reply)
{
    consumer_pull(consumer, bytes_of_string(body), bytes_of_string(reply), kit->stream->now_ns);
}

enum status consumerkit_ack(struct consumerkit *kit, struct consumer *consumer, uint64_t seq,
                            const char *payload)
{
    struct buf subject;
    buf_init(&subject, SIZE_MAX);
    buf_printf(&subject, "$JS.ACK.S.C.1.%" PRIu64 ".%" PRIu64 ".1000.0", seq, seq);
    enum status status = consumer_ack(consumer, buf_bytes(&subject), bytes_of_string(payload),
                                      BYTES("again"), kit->stream->now_ns);
    buf_fini(&subject);
    return status;
}

static void put_message(struct consumerkit *kit, const struct consumer_out *out)
{
    struct bytes tokens[12] = {{NULL, 0}};
    struct bytes rest = out->reply;
    size_t count = 0;
    while (rest.data != NULL && count < 12)
        tokens[count++] = bytes_cut(rest, '.', &rest);
    assert_int_equal(count, 9);
    buf_append(&kit->sent, out->subject);
    buf_printf(&kit->sent, " %.*s/%.*s x%.*s +%.*s ", BYTES_ARG(tokens[5]), BYTES_ARG(tokens[6]),
               BYTES_ARG(tokens[4]), BYTES_ARG(tokens[8]));
    buf_append(&kit->sent, out->body);
    if (out->headers.size > 0)
        buf_append_string(&kit->sent, " |");
}

// The lines of a header block behind "NATS/1.0 ".
static void put_headers(struct consumerkit *kit, struct bytes headers)
{
    struct bytes rest = bytes_from(headers, strlen("NATS/1.0"));
    bool first = true;
    while (rest.size > 4) {
        struct bytes line = bytes_trim(bytes_cut(rest, '\n', &rest));
        if (!first)
            buf_append_string(&kit->sent, " | ");
        buf_append(&kit->sent, line);
        first = false;
    }
}

static void put_advisory(struct consumerkit *kit, const struct consumer_out *out)
{
    // ,"stream":"S","consumer":"C" stand in front of each.
    struct bytes rest = out->body;
    for (int i = 0; i < 3; i++)
        bytes_cut(rest, ',', &rest);
    buf_printf(&kit->sent, "! %s {%.*s}", out->type, BYTES_ARG(rest));
}

static void put_out(struct consumerkit *kit, const struct consumer_out *out)
{
    if (out->kind == CONSUMER_GONE) {
        buf_append_string(&kit->sent, "gone\n");
        return;
    }
    if (out->kind == CONSUMER_ADVISORY) {
        put_advisory(kit, out);
    } else {
        buf_append(&kit->sent, out->to);
        buf_append_byte(&kit->sent, ' ');
        if (bytes_start_with(out->reply, BYTES("$JS.ACK.")))
            put_message(kit, out);
        if (out->headers.size > 0)
            put_headers(kit, out->headers);
        if (bytes_start_with(out->reply, BYTES("$JS.FC.")))
            buf_append_string(&kit->sent, " ->");
    }
    buf_append_byte(&kit->sent, '\n');
}

void consumerkit_expect(struct consumerkit *kit, struct consumer *consumer, const char *lines)
{
    struct consumer_out out = {.kind = CONSUMER_SEND};
    buf_clear(&kit->sent);
    while (out.kind != CONSUMER_GONE &&
           consumer_poll(consumer, kit->stream->now_ns, &kit->storage, &out))
        put_out(kit, &out);
    const char *sent = buf_string(&kit->sent);
    assert_non_null(sent);
    assert_string_equal(sent, lines);
}

struct consumer_info consumerkit_info(struct consumerkit *kit, struct consumer *consumer)
{
    struct consumer_info info;
    consumer_info_get(consumer, kit->stream->now_ns, &info);
    return info;
}
