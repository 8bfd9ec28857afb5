// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "streamkit.h"

#include <stdlib.h>
#include <string.h>

static const char directory[] = "/s";

int streamkit_setup(void **state)
{
    struct streamkit *kit = calloc(1, sizeof *kit);
    assert_non_null(kit);
    kit->sim = simhost_new();
    buf_init(&kit->storage, SIZE_MAX);
    buf_init(&kit->headers, SIZE_MAX);
    kit->now_ns = INT64_C(1000) * SECOND;
    *state = kit;
    return 0;
}

int streamkit_teardown(void **state)
{
    struct streamkit *kit = *state;
    stream_close(kit->stream);
    simhost_free(kit->sim);
    buf_fini(&kit->storage);
    buf_fini(&kit->headers);
    free(kit);
    return 0;
}

void streamkit_config(struct stream_config *config, const char *json)
{
    struct errinfo err = {.text = ""};
    stream_config_init(config);
    if (stream_config_from_json(config, bytes_of_string(json), &err) != STATUS_OK)
        fail_msg("%s: %s", json, err.text);
}

static void open_stream(struct streamkit *kit)
{
    enum status status = stream_open(&kit->stream, simhost_host(kit->sim), directory, 0,
                                     kit->now_ns, &kit->err);
    if (status != STATUS_OK)
        fail_msg("open: %s", kit->err.text);
}

void streamkit_create(struct streamkit *kit, const char *json)
{
    struct stream_config config;
    streamkit_config(&config, json);
    enum status status = stream_create(simhost_host(kit->sim), directory, &config, kit->now_ns,
                                       &kit->err);
    stream_config_fini(&config);
    if (status != STATUS_OK)
        fail_msg("create %s: %s", json, kit->err.text);
    open_stream(kit);
}

void streamkit_reopen(struct streamkit *kit)
{
    stream_close(kit->stream);
    kit->stream = NULL;
    open_stream(kit);
}

void streamkit_update(struct streamkit *kit, const char *json)
{
    struct stream_config config;
    streamkit_config(&config, json);
    enum status status = stream_update(kit->stream, &config, kit->now_ns, &kit->err);
    stream_config_fini(&config);
    if (status != STATUS_OK)
        fail_msg("update %s: %s", json, kit->err.text);
    streamkit_commit(kit);
}

enum status streamkit_try(struct streamkit *kit, const char *subject, const char *body,
                          const char *header, struct stream_ack *ack)
{
    buf_clear(&kit->headers);
    if (header != NULL)
        buf_printf(&kit->headers, "NATS/1.0\r\n%s\r\n\r\n", header);
    assert_int_equal(buf_status(&kit->headers), STATUS_OK);
    struct stream_input input = {
        .subject = bytes_of_string(subject),
        .headers = buf_bytes(&kit->headers),
        .body = bytes_of_string(body),
        .now_ns = kit->now_ns,
    };
    errinfo_clear(&kit->err);
    return stream_publish(kit->stream, &input, ack, &kit->err);
}

uint64_t streamkit_put(struct streamkit *kit, const char *subject, const char *body)
{
    struct stream_ack ack;
    if (streamkit_try(kit, subject, body, NULL, &ack) != STATUS_OK)
        fail_msg("publish to %s: %s", subject, kit->err.text);
    assert_false(ack.duplicate);
    streamkit_commit(kit);
    return ack.seq;
}

void streamkit_expect_error(const struct streamkit *kit, int code, const char *text)
{
    assert_string_equal(kit->err.text, text);
    assert_int_equal(kit->err.protocol_code, code);
}

static void expect_body(struct streamkit *kit, enum status status,
                        const struct msglog_message *message, const char *body)
{
    if (body == NULL) {
        assert_int_equal(status, STATUS_NOT_FOUND);
        streamkit_expect_error(kit, 10037, "no message found");
        return;
    }
    if (status != STATUS_OK)
        fail_msg("read %s: %s", body, kit->err.text);
    if (!bytes_equal(message->body, bytes_of_string(body)))
        fail_msg("%.*s in place of %s", BYTES_ARG(message->body), body);
}

void streamkit_expect(struct streamkit *kit, uint64_t seq, const char *body)
{
    struct msglog_message message;
    enum status status = stream_get(kit->stream, seq, MSGLOG_ALL, &kit->storage, &message,
                                    &kit->err);
    expect_body(kit, status, &message, body);
    if (status == STATUS_OK)
        assert_true(message.seq == seq);
}

void streamkit_expect_last(struct streamkit *kit, const char *pattern, const char *body)
{
    struct msglog_message message;
    enum status status = stream_get_last(kit->stream, bytes_of_string(pattern), MSGLOG_ALL,
                                         &kit->storage, &message, &kit->err);
    expect_body(kit, status, &message, body);
}

struct stream_state streamkit_state(const struct streamkit *kit)
{
    struct stream_state state;
    stream_state_get(kit->stream, &state);
    return state;
}

void streamkit_commit(struct streamkit *kit)
{
    if (stream_commit(kit->stream, &kit->err) != STATUS_OK)
        fail_msg("commit: %s", kit->err.text);
}
