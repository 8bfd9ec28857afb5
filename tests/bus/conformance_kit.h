// SPDX-License-Identifier: Apache-2.0
// What the files of the conformance suite share: one client of a fresh bus, and short forms of its
// calls that fail the test when something unexpected comes back.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conformance.h"

#include "base/limits.h"
#include "bus/kv.h"
#include "bus_fixture.h"

enum { WAIT_MS = 30000 }; // far longer than anything takes

struct fixture {
    const struct conformance_bus *implementation;
    void *place;
    struct bus *bus;
    const struct bus_operations *does;
    struct errinfo err;
    struct bus_ack ack;
    struct buf storage;
    struct bus_message message;
    struct kv_entry entry;
};

static inline struct bus *open_bus(struct fixture *at)
{
    return at->implementation->open(at->implementation->address(at->place));
}

// The test's initial state is the implementation.
static inline int set_up(void **state)
{
    struct fixture *at = calloc(1, sizeof *at);
    at->implementation = *state;
    at->place = at->implementation->make();
    at->bus = open_bus(at);
    if (at->bus == NULL)
        return -1;
    at->does = at->bus->operations;
    buf_init(&at->storage, LIMIT_MESSAGE_BYTES);
    *state = at;
    return 0;
}

static inline int tear_down(void **state)
{
    struct fixture *at = *state;
    bus_close(at->bus);
    at->implementation->remove(at->place);
    buf_fini(&at->storage);
    free(at);
    return 0;
}

static inline void must(const struct fixture *at, enum status status)
{
    if (status != STATUS_OK)
        fail_msg("%s: %s", status_name(status), at->err.text);
}

static inline enum status try_create(struct fixture *at, const char *json, bool *created)
{
    return bus_create_replicated(at->bus, json, at->implementation->replicas, created, &at->err);
}

static inline void create(struct fixture *at, const char *json)
{
    bool created = false;
    must(at, try_create(at, json, &created));
    assert_true(created);
}

static inline uint64_t put_with(struct fixture *at, const char *subject, const char *lines,
                                const char *body)
{
    must(at, bus_put(at->bus, subject, lines, bytes_of_string(body), &at->ack, &at->err));
    return at->ack.seq;
}

static inline uint64_t put(struct fixture *at, const char *subject, const char *body)
{
    return put_with(at, subject, NULL, body);
}

static inline enum status try_put(struct fixture *at, const char *subject, const char *lines)
{
    errinfo_clear(&at->err);
    return bus_put(at->bus, subject, lines, BYTES("refused"), &at->ack, &at->err);
}

static inline enum status get(struct fixture *at, uint64_t seq, const char *subject,
                              enum bus_part part)
{
    struct bus_get wanted = {.seq = seq, .subject = bytes_of_string(subject), .part = part};
    errinfo_clear(&at->err);
    return at->does->get(at->bus, "S", &wanted, &at->storage, &at->message, &at->err);
}

static inline void expect_body(struct fixture *at, uint64_t seq, const char *body)
{
    must(at, get(at, seq, "", BUS_ALL));
    assert_true(bytes_equal(at->message.body, bytes_of_string(body)));
}

static inline void expect_gone(struct fixture *at, uint64_t seq)
{
    assert_int_equal(get(at, seq, "", BUS_ALL), STATUS_NOT_FOUND);
    assert_int_equal(at->err.protocol_code, 10037);
}

static inline struct stream_state state_of(struct fixture *at)
{
    struct stream_info info;
    must(at, at->does->stream_info(at->bus, "S", &info, &at->err));
    stream_config_fini(&info.config);
    return info.state;
}

static const char plain[] = "{\"name\":\"S\",\"subjects\":[\"s.>\"]}";

// Appends "subject=seq " for each, and publishes once from inside the walk.
struct collected {
    struct fixture *at;
    char text[1000];
    const char *publish_to; // NULL: nothing
    enum status answer;
};

static inline enum status collect_message(void *context, const struct bus_message *message)
{
    struct collected *list = context;
    size_t size = strlen(list->text);
    snprintf(list->text + size, sizeof list->text - size, "%.*s=%d:%.*s ",
             BYTES_ARG(message->subject), (int)message->seq, BYTES_ARG(message->body));
    if (list->publish_to != NULL)
        put(list->at, list->publish_to, "inside");
    return list->answer;
}

static inline enum status collect_name(void *context, struct bytes name, uint64_t count)
{
    struct collected *list = context;
    size_t size = strlen(list->text);
    snprintf(list->text + size, sizeof list->text - size, "%.*s=%d ", BYTES_ARG(name), (int)count);
    if (list->publish_to != NULL)
        put(list->at, list->publish_to, "inside");
    return list->answer;
}

static inline struct bus_follow *follow(struct fixture *at, const struct bus_source *sources,
                                        size_t count)
{
    struct bus_follow *follow = NULL;
    must(at, at->does->follow_open(at->bus, sources, count, BUS_ALL, &follow, &at->err));
    return follow;
}

static inline enum status next(struct fixture *at, struct bus_follow *follow, int64_t timeout_ms,
                               size_t *source)
{
    return at->does->follow_next(follow, timeout_ms, &at->storage, &at->message, source, &at->err);
}

static inline void expect_next(struct fixture *at, struct bus_follow *follow, uint64_t seq)
{
    size_t source;
    must(at, next(at, follow, WAIT_MS, &source));
    assert_int_equal(at->message.seq, seq);
}

// A test of a suite: its initial state is the implementation.
#define CASE(name)                                                                                 \
    {                                                                                              \
#name, name, set_up, tear_down, (void *)(uintptr_t)implementation                          \
    }
