// SPDX-License-Identifier: Apache-2.0
// What only a server can do to a bus: restart, lose an answer, forget a consumer, have settings
// that we do not know.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bus/bus_nats_private.h"
#include "bus_fixture.h"
#include "nats_fixture.h"
#include "swallower.h"

#include "base/limits.h"

#include <pthread.h>

enum { WAIT_MS = 60000 };

struct fixture {
    struct nats_place *place;
    struct bus *bus;
    struct errinfo err;
    struct bus_ack ack;
    struct buf storage;
    struct bus_message message;
};

static int set_up(void **state)
{
    struct fixture *at = calloc(1, sizeof *at);
    at->place = nats_make_place();
    at->bus = nats_open_url(at->place->url);
    buf_init(&at->storage, LIMIT_MESSAGE_BYTES);
    *state = at;
    return at->bus == NULL;
}

static int tear_down(void **state)
{
    struct fixture *at = *state;
    bus_close(at->bus);
    nats_remove_place(at->place);
    buf_fini(&at->storage);
    free(at);
    return 0;
}

static void must(const struct fixture *at, enum status status)
{
    if (status != STATUS_OK)
        fail_msg("%s: %s", status_name(status), at->err.text);
}

static void create(struct fixture *at, const char *json)
{
    bool created;
    must(at, bus_create(at->bus, json, &created, &at->err));
}

static void put(struct fixture *at, const char *subject)
{
    must(at, bus_put(at->bus, subject, NULL, BYTES("x"), &at->ack, &at->err));
}

static uint64_t count_of(struct fixture *at)
{
    struct stream_info info;
    must(at, at->bus->operations->stream_info(at->bus, "S", &info, &at->err));
    stream_config_fini(&info.config);
    return info.state.messages;
}

static enum status next(struct fixture *at, struct bus_follow *follow, int64_t timeout_ms,
                        size_t *source)
{
    return at->bus->operations->follow_next(follow, timeout_ms, &at->storage, &at->message, source,
                                            &at->err);
}

static struct bus_follow *follow_streams(struct fixture *at, const struct bus_source *sources,
                                         size_t count)
{
    struct bus_follow *follow = NULL;
    must(at, at->bus->operations->follow_open(at->bus, sources, count, BUS_ALL, &follow, &at->err));
    return follow;
}

static json_t *ask(struct fixture *at, const char *verb, const char *body)
{
    struct nats_bus *self = nats_of(at->bus);
    json_t *answer = NULL;
    struct nats_api api = {verb, json_loads(body, 0, NULL),
                           bus_nats_call_of(self, "asking", NATS_ONCE)};
    must(at, bus_nats_api(self, &api, &answer, &at->err));
    return answer;
}

// Publishes to S and T in turn, each message with an id, whatever happens to the server.
struct publisher {
    struct bus *bus;
    pthread_t thread;
    int number;
    int count;
    int failures;
    struct errinfo err;
};

static void *publish(void *context)
{
    struct publisher *self = context;
    for (int i = 0; i < self->count; i++) {
        struct bus_ack ack;
        char id[64];
        snprintf(id, sizeof id, "Nats-Msg-Id: %d-%d\r\n", self->number, i);
        self->failures += bus_put(self->bus, i % 2 == 0 ? "s.a" : "t.a", id, BYTES("x"), &ack,
                                  &self->err) != STATUS_OK;
    }
    return NULL;
}

static void start(struct publisher *self, struct bus *bus, int number, int count)
{
    *self = (struct publisher){.bus = bus, .number = number, .count = count};
    assert_int_equal(pthread_create(&self->thread, NULL, publish, self), 0);
}

static void finish(struct publisher *self)
{
    pthread_join(self->thread, NULL);
    if (self->failures > 0)
        fail_msg("%d publishes failed: %s", self->failures, self->err.text);
}

static void restart(struct fixture *at)
{
    nats_stop(at->place, SIGKILL);
    nats_start(at->place);
}

static void follows_and_publishers_go_on_when_the_server_is_killed_and_started_again(void **state)
{
    struct fixture *at = *state;
    enum { THREADS = 4, EACH = 200, KILLS = 3, ALL = THREADS * EACH };
    struct publisher publishers[THREADS];
    uint64_t wanted[] = {1, 1};
    create(at, "{\"name\":\"S\",\"subjects\":[\"s.>\"]}");
    create(at, "{\"name\":\"T\",\"subjects\":[\"t.>\"]}");
    const struct bus_source sources[] = {{"S", BYTES(""), 1}, {"T", BYTES("t.*"), 1}};
    struct bus_follow *follow = follow_streams(at, sources, 2);
    for (int i = 0; i < THREADS; i++)
        start(&publishers[i], at->bus, i, EACH);
    for (int got = 0; got < ALL; got++) {
        size_t source = 0;
        must(at, next(at, follow, WAIT_MS, &source));
        assert_int_equal(at->message.seq, wanted[source]++);
        if (got > 0 && got % (ALL / (KILLS + 1)) == 0)
            restart(at);
    }
    for (int i = 0; i < THREADS; i++)
        finish(&publishers[i]);
    assert_int_equal(wanted[0] + wanted[1], ALL + 2);
    assert_int_equal(count_of(at), ALL / 2);
    bus_follow_close(follow);
}

static void delete_consumers(struct fixture *at)
{
    size_t index;
    const json_t *name;
    json_t *list = ask(at, "CONSUMER.NAMES.S", "{}");
    const json_t *names = json_object_get(list, "consumers");
    assert_true(json_array_size(names) > 0);
    json_array_foreach(names, index, name)
    {
        char verb[256];
        snprintf(verb, sizeof verb, "CONSUMER.DELETE.S.%s", json_string_value(name));
        json_decref(ask(at, verb, "{}"));
    }
    json_decref(list);
}

static void a_follow_whose_consumer_was_deleted_makes_a_new_one(void **state)
{
    struct fixture *at = *state;
    size_t source;
    create(at, "{\"name\":\"S\",\"subjects\":[\"s.>\"]}");
    const struct bus_source all = {"S", BYTES(""), 1};
    struct bus_follow *follow = follow_streams(at, &all, 1);
    for (uint64_t seq = 1; seq <= 6; seq++) {
        put(at, "s.a");
        must(at, next(at, follow, WAIT_MS, &source));
        assert_int_equal(at->message.seq, seq);
        if (seq % 2 == 0)
            delete_consumers(at);
    }
    bus_follow_close(follow);
}

static void a_closed_follow_leaves_no_consumer_behind(void **state)
{
    struct fixture *at = *state;
    create(at, "{\"name\":\"S\",\"subjects\":[\"s.>\"]}");
    const struct bus_source all = {"S", BYTES(""), 1};
    struct bus_follow *follow = follow_streams(at, &all, 1);
    bus_follow_close(follow);
    json_t *list = ask(at, "CONSUMER.NAMES.S", "{}");
    assert_int_equal(json_array_size(json_object_get(list, "consumers")), 0);
    json_decref(list);
}

static void more_than_one_request_holds_is_followed_in_order(void **state)
{
    struct fixture *at = *state;
    enum { COUNT = 1203 };
    struct publisher publisher;
    size_t source;
    create(at, "{\"name\":\"S\",\"subjects\":[\"s.>\",\"t.>\"]}");
    start(&publisher, at->bus, 0, COUNT);
    finish(&publisher);
    const struct bus_source both[] = {{"S", BYTES("s.a"), 1}, {"S", BYTES("t.a"), 1}};
    struct bus_follow *follow = follow_streams(at, both, 2);
    uint64_t wanted[] = {1, 2};
    // They are there already: no waiting is needed to get all of them.
    for (int i = 0; i < COUNT; i++) {
        must(at, next(at, follow, 0, &source));
        assert_int_equal(at->message.seq, wanted[source]);
        wanted[source] += 2;
    }
    assert_int_equal(next(at, follow, 0, &source), STATUS_TIMEOUT);
    bus_follow_close(follow);
}

static enum status put_through(struct fixture *at, struct swallower *between, struct bus *bus,
                               const char *lines)
{
    swallower_take_next_answer(between);
    errinfo_clear(&at->err);
    return bus_put(bus, "s.a", lines, BYTES("x"), &at->ack, &at->err);
}

static void an_answer_that_is_lost_is_asked_for_again_when_the_message_has_an_id(void **state)
{
    struct fixture *at = *state;
    struct swallower between;
    create(at, "{\"name\":\"S\",\"subjects\":[\"s.>\"]}");
    swallower_start(&between, at->place->port);
    struct bus *bus = nats_open_url(between.url);
    assert_non_null(bus);
    must(at, put_through(at, &between, bus, "Nats-Msg-Id: one\r\n"));
    assert_int_equal(at->ack.seq, 1);
    assert_true(at->ack.duplicate);
    assert_int_equal(count_of(at), 1);
    bus_close(bus);
    swallower_stop(&between);
}

static void an_answer_that_is_lost_is_told_when_the_message_has_no_id(void **state)
{
    struct fixture *at = *state;
    struct swallower between;
    create(at, "{\"name\":\"S\",\"subjects\":[\"s.>\"]}");
    swallower_start(&between, at->place->port);
    struct bus *bus = nats_open_url(between.url);
    assert_non_null(bus);
    assert_int_equal(put_through(at, &between, bus, NULL), STATUS_UNAVAILABLE);
    assert_non_null(strstr(at->err.text, "may be done or not"));
    assert_int_equal(count_of(at), 1);
    // The connection is back for the next one.
    must(at, bus_put(bus, "s.a", NULL, BYTES("x"), &at->ack, &at->err));
    assert_int_equal(at->ack.seq, 2);
    bus_close(bus);
    swallower_stop(&between);
}

static void a_server_that_does_not_come_back_is_told(void **state)
{
    struct fixture *at = *state;
    struct bus *bus = NULL;
    struct stream_info info;
    struct bus_nats_options options = {.urls = at->place->url, .request_timeout_ms = 300};
    must(at, bus_nats_open(&options, &bus, &at->err));
    nats_stop(at->place, SIGKILL);
    assert_int_equal(bus->operations->stream_info(bus, "S", &info, &at->err), STATUS_UNAVAILABLE);
    assert_non_null(strstr(at->err.text, at->place->url));
    bus_close(bus);
    nats_start(at->place);
}

static void an_update_keeps_settings_that_we_do_not_know(void **state)
{
    struct fixture *at = *state;
    struct stream_info info;
    json_decref(ask(at, "STREAM.CREATE.S",
                    "{\"name\":\"S\",\"subjects\":[\"s.>\"],"
                    "\"republish\":{\"src\":\"s.>\",\"dest\":\"r.>\"}}"));
    must(at, at->bus->operations->stream_info(at->bus, "S", &info, &at->err));
    info.config.max_msgs = 7;
    must(at, at->bus->operations->stream_update(at->bus, &info.config, &at->err));
    stream_config_fini(&info.config);
    json_t *answer = ask(at, "STREAM.INFO.S", "{}");
    const json_t *config = json_object_get(answer, "config");
    assert_int_equal(json_integer_value(json_object_get(config, "max_msgs")), 7);
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(config, "republish"), "dest")), "r.>");
    json_decref(answer);
}

static void values_of_one_header_come_back_in_their_order(void **state)
{
    struct fixture *at = *state;
    struct bus_get get = {.seq = 1, .part = BUS_ALL};
    size_t source;
    create(at, "{\"name\":\"S\",\"subjects\":[\"s.>\"]}");
    must(at, bus_put(at->bus, "s.a", "A: 1\r\nA: 2\r\nA: 3\r\n", BYTES(""), &at->ack, &at->err));
    must(at, at->bus->operations->get(at->bus, "S", &get, &at->storage, &at->message, &at->err));
    assert_true(
        bytes_equal(at->message.headers, BYTES("NATS/1.0\r\nA: 1\r\nA: 2\r\nA: 3\r\n\r\n")));
    const struct bus_source all = {"S", BYTES(""), 1};
    struct bus_follow *follow = follow_streams(at, &all, 1);
    must(at, next(at, follow, WAIT_MS, &source));
    assert_true(
        bytes_equal(at->message.headers, BYTES("NATS/1.0\r\nA: 1\r\nA: 2\r\nA: 3\r\n\r\n")));
    bus_follow_close(follow);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(follows_and_publishers_go_on_when_the_server_is_killed_and_started_again),
        CASE(a_follow_whose_consumer_was_deleted_makes_a_new_one),
        CASE(a_closed_follow_leaves_no_consumer_behind),
        CASE(more_than_one_request_holds_is_followed_in_order),
        CASE(an_answer_that_is_lost_is_asked_for_again_when_the_message_has_an_id),
        CASE(an_answer_that_is_lost_is_told_when_the_message_has_no_id),
        CASE(a_server_that_does_not_come_back_is_told),
        CASE(an_update_keeps_settings_that_we_do_not_know),
        CASE(values_of_one_header_come_back_in_their_order),
    };
#undef CASE
    return nats_is_missing() ? NATS_SKIPPED
                             : cmocka_run_group_tests_name("bus on NATS", tests, NULL, NULL);
}
