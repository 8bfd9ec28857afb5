// SPDX-License-Identifier: Apache-2.0
// One stream on a host in memory, with a clock that the test moves.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/jserror.h"
#include "engine/stream.h"
#include "simhost.h"
#include "wire/headers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND INT64_C(1000000000)

struct fixture {
    struct simhost *sim;
    struct stream *stream;
    int64_t now_ns;
    struct errinfo err;
    struct stream_ack ack; // of the last publish
    struct buf storage;
    struct msglog_message message; // the last one read
};

static const char fixture_directory[] = "/stream";

// Small segments, so that a few messages fill several.
static inline void fixture_open(struct fixture *at)
{
    if (stream_open(&at->stream, simhost_host(at->sim), fixture_directory, 4096, at->now_ns,
                    &at->err) != STATUS_OK)
        fail_msg("open: %s", at->err.text);
}

static inline void fixture_reopen(struct fixture *at)
{
    stream_close(at->stream);
    at->stream = NULL;
    fixture_open(at);
}

static inline struct stream_config config_of(const char *json)
{
    struct stream_config config;
    struct errinfo err = {.text = ""};
    stream_config_init(&config);
    if (stream_config_from_json(&config, bytes_of_string(json), &err) != STATUS_OK)
        fail_msg("%s", err.text);
    return config;
}

// `json` is the stream's configuration as the JetStream API has it.
static inline struct fixture *fixture_new(const char *json)
{
    struct fixture *at = calloc(1, sizeof *at);
    assert_non_null(at);
    at->sim = simhost_new();
    at->now_ns = 1000 * SECOND;
    buf_init(&at->storage, SIZE_MAX);
    struct stream_config config = config_of(json);
    if (stream_create(simhost_host(at->sim), fixture_directory, &config, at->now_ns, &at->err) !=
        STATUS_OK)
        fail_msg("create: %s", at->err.text);
    stream_config_fini(&config);
    fixture_open(at);
    return at;
}

static inline void fixture_free(struct fixture *at)
{
    stream_close(at->stream);
    simhost_free(at->sim);
    buf_fini(&at->storage);
    free(at);
}

// `headers` are lines without the version and the end, as "A: b\r\n"; NULL for none. Staged only.
static inline enum status stage_with(struct fixture *at, const char *subject, const char *headers,
                                     struct bytes body)
{
    struct buf block;
    buf_init(&block, SIZE_MAX);
    if (headers != NULL) {
        headers_begin(&block);
        buf_append_string(&block, headers);
        headers_end(&block);
    }
    struct stream_input input = {bytes_of_string(subject), buf_bytes(&block), body, at->now_ns};
    errinfo_clear(&at->err);
    enum status status = stream_publish(at->stream, &input, &at->ack, &at->err);
    buf_fini(&block);
    return status;
}

static inline void commit_all(struct fixture *at)
{
    if (stream_commit(at->stream, &at->err) != STATUS_OK)
        fail_msg("commit: %s", at->err.text);
}

// Publishes and commits; returns the sequence.
static inline uint64_t put_with(struct fixture *at, const char *subject, const char *headers,
                                const char *body)
{
    if (stage_with(at, subject, headers, bytes_of_string(body)) != STATUS_OK)
        fail_msg("publish to %s: %s", subject, at->err.text);
    commit_all(at);
    return at->ack.seq;
}

static inline uint64_t put(struct fixture *at, const char *subject, const char *body)
{
    return put_with(at, subject, NULL, body);
}

static inline void expect_error(const struct fixture *at, int code, const char *text)
{
    assert_int_equal(at->err.protocol_code, code);
    assert_string_equal(at->err.text, text);
}

static inline enum status get(struct fixture *at, uint64_t seq)
{
    errinfo_clear(&at->err);
    return stream_get(at->stream, seq, MSGLOG_ALL, &at->storage, &at->message, &at->err);
}

static inline enum status get_last(struct fixture *at, const char *pattern)
{
    errinfo_clear(&at->err);
    return stream_get_last(at->stream, bytes_of_string(pattern), MSGLOG_ALL, &at->storage,
                           &at->message, &at->err);
}

static inline void expect_body(struct fixture *at, uint64_t seq, const char *body)
{
    if (get(at, seq) != STATUS_OK)
        fail_msg("get %d: %s", (int)seq, at->err.text);
    assert_true(bytes_equal(at->message.body, bytes_of_string(body)));
}

static inline void expect_gone(struct fixture *at, uint64_t seq)
{
    assert_int_equal(get(at, seq), STATUS_NOT_FOUND);
    expect_error(at, JSERROR_NO_MESSAGE, "no message found");
}

static inline struct stream_state state_of(struct fixture *at)
{
    struct stream_state state;
    stream_state_get(at->stream, &state);
    return state;
}
