// SPDX-License-Identifier: Apache-2.0
// Several threads of one client, and several processes.
#include "conformance_kit.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

// A child publishes `count` messages to a subject with a bus of its own, and ends.
static pid_t publish_in_child(struct fixture *at, const char *subject, int count)
{
    char number[16];
    snprintf(number, sizeof number, "%d", count);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child > 0)
        return child;
    execl("/proc/self/exe", "child", at->implementation->address(at->place), subject, number,
          (char *)NULL);
    _exit(127);
}

static int publish_as_child(const struct conformance_bus *implementation, char **arguments)
{
    struct bus_ack ack;
    struct errinfo err = {.text = ""};
    const char *subject = arguments[1];
    int count = atoi(arguments[2]);
    struct bus *bus = implementation->open(arguments[0]);
    int failed = bus == NULL;
    for (int i = 0; !failed && i < count; i++)
        failed = bus_put(bus, subject, NULL, bytes_of_string(subject), &ack, &err) != STATUS_OK;
    if (failed)
        fprintf(stderr, "publishing in another process: %s\n", err.text);
    bus_close(bus);
    return failed;
}

static void expect_end(pid_t child)
{
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void a_follow_wakes_when_another_process_publishes(void **state)
{
    struct fixture *at = *state;
    create(at, plain);
    bus_close(at->bus);
    enum { ROUNDS = 5, EACH = 3 };
    // The child comes first or in the middle, as it happens: it finds the store free in any case.
    pid_t children[ROUNDS];
    for (int i = 0; i < ROUNDS; i++)
        children[i] = publish_in_child(at, "s.child", EACH);
    at->bus = open_bus(at);
    struct bus_source all = {"S", BYTES(""), 1};
    struct bus_follow *one = follow(at, &all, 1);
    for (uint64_t seq = 1; seq <= ROUNDS * EACH; seq++)
        expect_next(at, one, seq);
    for (int i = 0; i < ROUNDS; i++)
        expect_end(children[i]);
    bus_follow_close(one);
}

struct publisher {
    struct fixture *at;
    char subject[16];
    int count;
    int failures;
    struct errinfo err;
    pthread_t thread;
};

static void *publish_in_thread(void *context)
{
    struct publisher *self = context;
    for (int i = 0; i < self->count; i++) {
        struct bus_ack ack;
        char body[16];
        snprintf(body, sizeof body, "%d", i);
        self->failures += bus_put(self->at->bus, self->subject, NULL, bytes_of_string(body), &ack,
                                  &self->err) != STATUS_OK;
    }
    return NULL;
}

static void start(struct publisher *self, struct fixture *at, int number, int count)
{
    *self = (struct publisher){.at = at, .count = count};
    snprintf(self->subject, sizeof self->subject, "s.%d", number);
    assert_int_equal(pthread_create(&self->thread, NULL, publish_in_thread, self), 0);
}

static void finish(struct publisher *self)
{
    pthread_join(self->thread, NULL);
    if (self->failures > 0)
        fail_msg("%d publishes failed: %s", self->failures, self->err.text);
}

static void a_follow_wakes_when_another_thread_publishes(void **state)
{
    struct fixture *at = *state;
    enum { COUNT = 50 };
    struct publisher publisher;
    create(at, plain);
    struct bus_source all = {"S", BYTES(""), 1};
    struct bus_follow *one = follow(at, &all, 1);
    start(&publisher, at, 1, COUNT);
    for (uint64_t seq = 1; seq <= COUNT; seq++)
        expect_next(at, one, seq);
    finish(&publisher);
    bus_follow_close(one);
}

static void threads_that_publish_at_once_lose_nothing_and_keep_their_order(void **state)
{
    struct fixture *at = *state;
    enum { THREADS = 16, EACH = 25 };
    struct publisher publishers[THREADS];
    create(at, plain);
    for (int i = 0; i < THREADS; i++)
        start(&publishers[i], at, i, EACH);
    for (int i = 0; i < THREADS; i++)
        finish(&publishers[i]);
    assert_int_equal(state_of(at).messages, THREADS * EACH);
    for (int i = 0; i < THREADS; i++) {
        uint64_t seq = 0;
        for (int n = 0; n < EACH; n++) {
            char body[16];
            snprintf(body, sizeof body, "%d", n);
            must(at, get(at, seq + 1, publishers[i].subject, BUS_ALL));
            assert_true(bytes_equal(at->message.body, bytes_of_string(body)));
            seq = at->message.seq;
        }
    }
}

// Whoever rests is still there: his reads and his follow go on, on what others wrote meanwhile.
static void another_process_publishes_while_a_bus_rests(void **state)
{
    struct fixture *at = *state;
    create(at, plain);
    put(at, "s.own", "mine");
    struct bus_source all = {"S", BYTES(""), 1};
    struct bus_follow *one = follow(at, &all, 1);
    expect_next(at, one, 1);
    bus_rest(at->bus);
    expect_end(publish_in_child(at, "s.child", 2));
    expect_body(at, 3, "s.child");
    bus_rest(at->bus);
    bus_rest(at->bus);
    assert_int_equal(put(at, "s.own", "again"), 4);
    expect_next(at, one, 2);
    bus_follow_close(one);
}

static void a_key_that_is_replaced_again_and_again_is_never_missed(void **state)
{
    struct fixture *at = *state;
    enum { COUNT = 200 };
    struct publisher publisher;
    create(at, "{\"name\":\"S\",\"subjects\":[\"s.>\"],\"max_msgs_per_subject\":1}");
    put(at, "s.1", "first");
    start(&publisher, at, 1, COUNT);
    uint64_t last = 0;
    while (last <= COUNT) {
        must(at, get(at, 0, "s.1", BUS_ALL));
        assert_true(at->message.seq >= last);
        last = at->message.seq;
        struct collected list = {.at = at};
        struct bus_get filter = {.subject = BYTES(">"), .part = BUS_HEAD};
        must(at, at->does->last_each(at->bus, "S", &filter, collect_message, &list, &at->err));
        assert_true(bytes_start_with(bytes_of_string(list.text), BYTES("s.1=")));
        list.text[0] = '\0';
        must(at, at->does->subjects(at->bus, "S", BYTES(">"), collect_name, &list, &at->err));
        assert_true(bytes_start_with(bytes_of_string(list.text), BYTES("s.1=")));
    }
    finish(&publisher);
}

static void streams_come_and_go_beside_publishers_and_followers(void **state)
{
    struct fixture *at = *state;
    enum { THREADS = 4, EACH = 40 };
    int rounds = at->implementation->replicas > 1 ? 5 : 20;
    struct publisher publishers[THREADS];
    size_t source;
    create(at, plain);
    struct bus_source all = {"S", BYTES(""), 1};
    struct bus_follow *one = follow(at, &all, 1);
    for (int i = 0; i < THREADS; i++)
        start(&publishers[i], at, i, EACH);
    for (int i = 0; i < rounds; i++) {
        uint64_t purged;
        struct bus_purge what = {.filter = BYTES("s.none")};
        create(at, "{\"name\":\"T\",\"subjects\":[\"t.>\"]}");
        put(at, "t.a", "x");
        must(at, at->does->stream_purge(at->bus, "S", &what, &purged, &at->err));
        must(at, next(at, one, WAIT_MS, &source));
        must(at, at->does->stream_delete(at->bus, "T", &at->err));
    }
    for (int i = 0; i < THREADS; i++)
        finish(&publishers[i]);
    assert_int_equal(state_of(at).messages, THREADS * EACH);
    bus_follow_close(one);
}

static void publishers_to_a_stream_that_is_deleted_are_told(void **state)
{
    struct fixture *at = *state;
    enum { EACH = 10 };
    // A cluster may swallow what is published while it deletes: that takes as long as a request
    // may.
    int rounds = at->implementation->replicas > 1 ? 2 : 10;
    for (int i = 0; i < rounds; i++) {
        struct publisher publishers[2];
        create(at, plain);
        start(&publishers[0], at, 0, EACH);
        start(&publishers[1], at, 1, EACH);
        must(at, at->does->stream_delete(at->bus, "S", &at->err));
        for (int k = 0; k < 2; k++) {
            pthread_join(publishers[k].thread, NULL);
            if (publishers[k].failures > 0)
                assert_int_equal(publishers[k].err.protocol_code, 10059);
        }
    }
}

static void sixteen_processes_that_publish_at_once_lose_nothing(void **state)
{
    struct fixture *at = *state;
    enum { PROCESSES = 16, EACH = 20 };
    pid_t children[PROCESSES];
    create(at, plain);
    bus_close(at->bus);
    for (int i = 0; i < PROCESSES; i++) {
        char subject[16];
        snprintf(subject, sizeof subject, "s.%d", i);
        children[i] = publish_in_child(at, subject, EACH);
    }
    for (int i = 0; i < PROCESSES; i++)
        expect_end(children[i]);
    at->bus = open_bus(at);
    assert_int_equal(state_of(at).messages, PROCESSES * EACH);
    assert_int_equal(state_of(at).last_seq, PROCESSES * EACH);
    struct collected list = {.at = at};
    must(at, at->does->subjects(at->bus, "S", BYTES("s.7"), collect_name, &list, &at->err));
    assert_string_equal(list.text, "s.7=20 ");
}

int conformance_together_run(const struct conformance_bus *implementation, int argc, char **argv)
{
    if (argc == 4)
        return publish_as_child(implementation, argv + 1);
    const struct CMUnitTest tests[] = {
        CASE(a_follow_wakes_when_another_process_publishes),
        CASE(another_process_publishes_while_a_bus_rests),
        CASE(a_follow_wakes_when_another_thread_publishes),
        CASE(threads_that_publish_at_once_lose_nothing_and_keep_their_order),
        CASE(a_key_that_is_replaced_again_and_again_is_never_missed),
        CASE(streams_come_and_go_beside_publishers_and_followers),
        CASE(publishers_to_a_stream_that_is_deleted_are_told),
        CASE(sixteen_processes_that_publish_at_once_lose_nothing),
    };
    return cmocka_run_group_tests_name(implementation->name, tests, NULL, NULL);
}
