// SPDX-License-Identifier: Apache-2.0
// Streams that keep messages for their consumers: interest and work queue.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "consumerkit.h"

static const char interest[] = "{\"name\":\"S\",\"subjects\":[\"a.>\"],\"retention\":\"interest\"}";
static const char queue[] = "{\"name\":\"S\",\"subjects\":[\"a.>\"],\"retention\":\"workqueue\"}";

static uint64_t messages(struct consumerkit *kit)
{
    consumerkit_commit(kit);
    return streamkit_state(kit->stream).messages;
}

static void nothing_is_kept_that_nobody_wants(void **state)
{
    struct consumerkit *kit = *state;
    consumerkit_create(kit, interest);
    consumerkit_put(kit, "a.x", "one");
    assert_int_equal(messages(kit), 0);
    consumerkit_make(
        kit, "{\"durable_name\":\"C\",\"ack_policy\":\"explicit\",\"filter_subject\":\"a.x\"}");
    consumerkit_put(kit, "a.y", "two");
    assert_int_equal(messages(kit), 0);
    consumerkit_put(kit, "a.x", "three");
    assert_int_equal(messages(kit), 1);
    assert_int_equal(streamkit_state(kit->stream).last_seq, 3);
}

static void a_message_goes_when_all_have_acknowledged_it(void **state)
{
    struct consumerkit *kit = *state;
    consumerkit_create(kit, interest);
    struct consumer *c = consumerkit_make(kit,
                                          "{\"durable_name\":\"C\",\"ack_policy\":\"explicit\"}");
    struct consumer *d = consumerkit_make(kit, "{\"durable_name\":\"D\",\"ack_policy\":\"all\"}");
    struct consumer *e = consumerkit_make(
        kit, "{\"durable_name\":\"E\",\"ack_policy\":\"none\",\"filter_subject\":\"a.y\"}");
    consumerkit_put(kit, "a.x", "one");
    consumerkit_put(kit, "a.y", "two");
    consumerkit_pull(kit, c, "9", "in");
    consumerkit_pull(kit, d, "9", "in");
    consumerkit_expect(kit, c, "in a.x 1/1 x1 +1 one\nin a.y 2/2 x1 +0 two\n");
    consumerkit_expect(kit, d, "in a.x 1/1 x1 +1 one\nin a.y 2/2 x1 +0 two\n");
    consumerkit_ack(kit, c, 1, "");
    consumerkit_ack(kit, c, 2, "");
    assert_int_equal(messages(kit), 2);
    consumerkit_ack(kit, d, 2, "");
    // The second waits for who asks for no acknowledgement, until it was delivered there.
    assert_int_equal(messages(kit), 1);
    consumerkit_pull(kit, e, "9", "in");
    consumerkit_expect(kit, e, "in a.y 2/1 x1 +0 two\n");
    assert_int_equal(messages(kit), 0);
    consumerkit_wait(kit, 60000);
    consumerkit_expect(kit, c, "");
    consumerkit_expect(kit, d, "");
}

static void a_consumer_that_goes_keeps_nothing(void **state)
{
    struct consumerkit *kit = *state;
    consumerkit_create(kit, interest);
    struct consumer *c = consumerkit_make(
        kit, "{\"durable_name\":\"C\",\"ack_policy\":\"explicit\",\"filter_subject\":\"a.x\"}");
    struct consumer *d = consumerkit_make(kit,
                                          "{\"durable_name\":\"D\",\"ack_policy\":\"explicit\"}");
    consumerkit_put(kit, "a.x", "one");
    consumerkit_put(kit, "a.y", "two");
    assert_int_equal(consumer_delete(d, &kit->err), STATUS_OK);
    assert_int_equal(messages(kit), 1);
    assert_int_equal(consumer_delete(c, &kit->err), STATUS_OK);
    assert_int_equal(messages(kit), 0);
}

static void a_narrower_filter_lets_messages_go(void **state)
{
    struct consumerkit *kit = *state;
    consumerkit_create(kit, interest);
    consumerkit_make(kit, "{\"durable_name\":\"C\",\"ack_policy\":\"explicit\"}");
    consumerkit_put(kit, "a.x", "one");
    consumerkit_put(kit, "a.y", "two");
    consumerkit_make(
        kit, "{\"durable_name\":\"C\",\"ack_policy\":\"explicit\",\"filter_subject\":\"a.x\"}");
    assert_int_equal(messages(kit), 1);
}

static void what_was_delivered_too_often_stays_for_who_was_told(void **state)
{
    struct consumerkit *kit = *state;
    consumerkit_create(kit, interest);
    struct consumer *c = consumerkit_make(
        kit, "{\"durable_name\":\"C\",\"ack_policy\":\"explicit\",\"max_deliver\":1,"
             "\"ack_wait\":1000000000}");
    struct consumer *d = consumerkit_make(kit,
                                          "{\"durable_name\":\"D\",\"ack_policy\":\"explicit\"}");
    consumerkit_put(kit, "a.x", "one");
    consumerkit_pull(kit, c, "1", "in");
    consumerkit_pull(kit, d, "1", "in");
    consumerkit_expect(kit, c, "in a.x 1/1 x1 +0 one\n");
    consumerkit_expect(kit, d, "in a.x 1/1 x1 +0 one\n");
    consumerkit_wait(kit, 1000);
    consumerkit_expect(kit, c, "! advisory.v1.max_deliver {\"stream_seq\":1,\"deliveries\":1}\n");
    consumerkit_ack(kit, d, 1, "");
    assert_int_equal(messages(kit), 1);
    consumerkit_reopen(kit);
    assert_int_equal(consumer_delete(consumerkit_find(kit, "D"), &kit->err), STATUS_OK);
    assert_int_equal(messages(kit), 1);
    assert_int_equal(consumer_delete(consumerkit_find(kit, "C"), &kit->err), STATUS_OK);
    assert_int_equal(messages(kit), 0);
}

static void a_work_queue_gives_each_message_to_one_and_forgets_it(void **state)
{
    struct consumerkit *kit = *state;
    consumerkit_create(kit, queue);
    consumerkit_put(kit, "a.x", "one");
    consumerkit_put(kit, "a.y", "two");
    assert_int_equal(messages(kit), 2);
    struct consumer *c = consumerkit_make(
        kit, "{\"durable_name\":\"C\",\"ack_policy\":\"explicit\",\"filter_subject\":\"a.x\"}");
    consumerkit_pull(kit, c, "9", "in");
    consumerkit_expect(kit, c, "in a.x 1/1 x1 +0 one\n");
    consumerkit_ack(kit, c, 1, "");
    assert_int_equal(messages(kit), 1);
    // What was not acknowledged is there for whoever comes next.
    assert_int_equal(consumer_delete(c, &kit->err), STATUS_OK);
    assert_int_equal(messages(kit), 1);
    struct consumer *d = consumerkit_make(kit,
                                          "{\"durable_name\":\"D\",\"ack_policy\":\"explicit\"}");
    consumerkit_pull(kit, d, "9", "in");
    consumerkit_expect(kit, d, "in a.y 2/1 x1 +0 two\n");
}

static void a_work_queue_belongs_to_one_consumer_a_subject(void **state)
{
    struct consumerkit *kit = *state;
    consumerkit_create(kit, queue);
    consumerkit_refused(kit, "{\"durable_name\":\"C\",\"ack_policy\":\"none\"}", 10084,
                        "consumer in pull mode requires explicit ack policy on workqueue stream");
    consumerkit_refused(kit, "{\"durable_name\":\"C\",\"ack_policy\":\"all\"}", 10098,
                        "workqueue stream requires explicit ack");
    consumerkit_refused(
        kit, "{\"durable_name\":\"C\",\"ack_policy\":\"explicit\",\"deliver_policy\":\"new\"}",
        10101, "consumer must be deliver all on workqueue stream");
    consumerkit_make(
        kit, "{\"durable_name\":\"C\",\"ack_policy\":\"explicit\",\"filter_subject\":\"a.x.*\"}");
    consumerkit_refused(kit, "{\"durable_name\":\"D\",\"ack_policy\":\"explicit\"}", 10099,
                        "multiple non-filtered consumers not allowed on workqueue stream");
    consumerkit_refused(
        kit, "{\"durable_name\":\"D\",\"ack_policy\":\"explicit\",\"filter_subject\":\"a.*.y\"}",
        10100, "filtered consumer not unique on workqueue stream");
    consumerkit_make(
        kit, "{\"durable_name\":\"D\",\"ack_policy\":\"explicit\",\"filter_subject\":\"a.y.*\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONSUMER_TEST(nothing_is_kept_that_nobody_wants),
        CONSUMER_TEST(a_message_goes_when_all_have_acknowledged_it),
        CONSUMER_TEST(a_consumer_that_goes_keeps_nothing),
        CONSUMER_TEST(a_narrower_filter_lets_messages_go),
        CONSUMER_TEST(what_was_delivered_too_often_stays_for_who_was_told),
        CONSUMER_TEST(a_work_queue_gives_each_message_to_one_and_forgets_it),
        CONSUMER_TEST(a_work_queue_belongs_to_one_consumer_a_subject),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
