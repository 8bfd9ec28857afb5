// SPDX-License-Identifier: Apache-2.0
// Consumers that push: interest, heartbeats, flow control, rates, replay.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "consumerkit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char stream[] = "{\"name\":\"S\",\"subjects\":[\"a.>\"]}";

static void messages_come_while_somebody_listens(void **state)
{
    struct consumerkit *kit = *state;
    consumerkit_create(kit, stream);
    kit->deaf[0] = "d";
    struct consumer *consumer = consumerkit_make(
        kit, "{\"durable_name\":\"C\",\"deliver_subject\":\"d\",\"ack_policy\":\"none\"}");
    consumerkit_put(kit, "a.x", "one");
    consumerkit_expect(kit, consumer, "");
    assert_false(consumerkit_info(kit, consumer).push_bound);
    kit->deaf[0] = NULL;
    consumer_interest_changed(consumer, kit->stream->now_ns);
    assert_true(consumerkit_info(kit, consumer).push_bound);
    consumerkit_expect(kit, consumer, "d a.x 1/1 x1 +0 one\n");
    assert_int_equal(consumerkit_info(kit, consumer).ack_floor.stream_seq, 1);
    kit->deaf[0] = "d";
    consumer_interest_changed(consumer, kit->stream->now_ns);
    consumerkit_put(kit, "a.x", "two");
    consumerkit_expect(kit, consumer, "");
}

static void an_ephemeral_consumer_goes_when_nobody_listens(void **state)
{
    struct consumerkit *kit = *state;
    consumerkit_create(kit, stream);
    struct consumer *consumer = consumerkit_make(
        kit, "{\"deliver_subject\":\"d\",\"ack_policy\":\"none\","
             "\"inactive_threshold\":2000000000}");
    consumerkit_wait(kit, 9000);
    consumerkit_expect(kit, consumer, "");
    kit->deaf[0] = "d";
    consumer_interest_changed(consumer, kit->stream->now_ns);
    consumerkit_wait(kit, 1999);
    consumerkit_expect(kit, consumer, "");
    assert_true(consumer_deadline(consumer, kit->stream->now_ns) ==
                kit->stream->now_ns + MILLISECOND);
    consumerkit_wait(kit, 1);
    consumerkit_expect(kit, consumer, "gone\n");
}

static void heartbeats_come_when_nothing_else_does(void **state)
{
    struct consumerkit *kit = *state;
    consumerkit_create(kit, stream);
    struct consumer *consumer = consumerkit_make(
        kit, "{\"durable_name\":\"C\",\"deliver_subject\":\"d\",\"ack_policy\":\"none\","
             "\"idle_heartbeat\":1000000000}");
    consumerkit_expect(kit, consumer, "");
    consumerkit_wait(kit, 600);
    consumerkit_put(kit, "a.x", "one");
    consumerkit_expect(kit, consumer, "d a.x 1/1 x1 +0 one\n");
    consumerkit_wait(kit, 999);
    consumerkit_expect(kit, consumer, "");
    consumerkit_wait(kit, 1);
    consumerkit_expect(kit, consumer,
                       "d 100 Idle Heartbeat | Nats-Last-Consumer: 1 | Nats-Last-Stream: 1\n");
    consumerkit_expect(kit, consumer, "");
    assert_true(consumer_deadline(consumer, kit->stream->now_ns) == kit->stream->now_ns + SECOND);
}

static void headers_alone_say_how_large_the_body_is(void **state)
{
    struct consumerkit *kit = *state;
    struct stream_ack ack;
    consumerkit_create(kit, stream);
    consumerkit_put(kit, "a.x", "eleven byte");
    assert_int_equal(streamkit_try(kit->stream, "a.y", "", "K: v", &ack), STATUS_OK);
    consumerkit_commit(kit);
    struct consumer *consumer = consumerkit_make(
        kit, "{\"durable_name\":\"C\",\"deliver_subject\":\"d\",\"ack_policy\":\"none\","
             "\"headers_only\":true}");
    consumerkit_expect(kit, consumer,
                       "d a.x 1/1 x1 +1  | | Nats-Msg-Size: 11\n"
                       "d a.y 2/2 x1 +0  | | K: v | Nats-Msg-Size: 0\n");
}

static void flow_control_waits_for_its_answer(void **state)
{
    struct consumerkit *kit = *state;
    struct consumer_out out;
    char *body = malloc((1 << 20) + 1);
    char flow[64] = "";
    int sent = 0;
    consumerkit_create(kit, stream);
    struct consumer *consumer = consumerkit_make(
        kit, "{\"durable_name\":\"C\",\"deliver_subject\":\"d\",\"ack_policy\":\"none\","
             "\"flow_control\":true,\"idle_heartbeat\":1000000000}");
    assert_non_null(body);
    memset(body, 'b', 1 << 20);
    body[1 << 20] = '\0';
    for (int i = 0; i < 4; i++)
        consumerkit_put(kit, "a.x", body);
    free(body);
    while (consumer_poll(consumer, kit->stream->now_ns, &kit->storage, &out)) {
        sent += out.body.size > 0;
        if (bytes_start_with(out.reply, BYTES("$JS.FC.S.C.")))
            snprintf(flow, sizeof flow, "%.*s", BYTES_ARG(out.reply));
    }
    // The first window is of two megabytes, and half of it is what it waits for.
    assert_int_equal(sent, 2);
    assert_string_not_equal(flow, "");
    char stalled[256];
    snprintf(stalled, sizeof stalled,
             "d 100 Idle Heartbeat | Nats-Last-Consumer: 2 | Nats-Last-Stream: 2 | "
             "Nats-Consumer-Stalled: %s\n",
             flow);
    consumerkit_wait(kit, 1000);
    consumerkit_expect(kit, consumer, stalled);
    consumer_flow_reply(consumer, BYTES("$JS.FC.S.C.other"));
    assert_false(consumer_poll(consumer, kit->stream->now_ns, &kit->storage, &out));
    consumer_flow_reply(consumer, bytes_of_string(flow));
    sent = 0;
    while (consumer_poll(consumer, kit->stream->now_ns, &kit->storage, &out))
        sent += out.body.size > 0;
    assert_int_equal(sent, 2);
}

static void a_limit_of_the_rate_spreads_messages_over_time(void **state)
{
    struct consumerkit *kit = *state;
    consumerkit_create(kit, stream);
    // Subject, ack subject and body have 3 + 33 + 4 bytes: 320 bits.
    struct consumer *consumer = consumerkit_make(
        kit, "{\"durable_name\":\"C\",\"deliver_subject\":\"d\",\"ack_policy\":\"none\","
             "\"rate_limit_bps\":320}");
    consumerkit_put(kit, "a.x", "1234");
    consumerkit_put(kit, "a.x", "1234");
    consumerkit_expect(kit, consumer, "d a.x 1/1 x1 +1 1234\n");
    assert_true(consumer_deadline(consumer, kit->stream->now_ns) == kit->stream->now_ns + SECOND);
    consumerkit_wait(kit, 999);
    consumerkit_expect(kit, consumer, "");
    consumerkit_wait(kit, 1);
    consumerkit_expect(kit, consumer, "d a.x 2/2 x1 +0 1234\n");
}

static void an_original_replay_keeps_the_times_between_messages(void **state)
{
    struct consumerkit *kit = *state;
    consumerkit_create(kit, stream);
    consumerkit_put(kit, "a.x", "one");
    consumerkit_wait(kit, 300);
    consumerkit_put(kit, "a.x", "two");
    consumerkit_wait(kit, 60000);
    struct consumer *consumer = consumerkit_make(
        kit, "{\"durable_name\":\"C\",\"deliver_subject\":\"d\",\"ack_policy\":\"none\","
             "\"replay_policy\":\"original\"}");
    consumerkit_expect(kit, consumer, "d a.x 1/1 x1 +1 one\n");
    assert_true(consumer_deadline(consumer, kit->stream->now_ns) ==
                kit->stream->now_ns + 300 * INT64_C(1000000));
    consumerkit_wait(kit, 299);
    consumerkit_expect(kit, consumer, "");
    consumerkit_wait(kit, 1);
    consumerkit_expect(kit, consumer, "d a.x 2/2 x1 +0 two\n");
    // What comes after it was made comes at once.
    consumerkit_put(kit, "a.x", "three");
    consumerkit_expect(kit, consumer, "d a.x 3/3 x1 +0 three\n");
}

static void a_new_deliver_subject_gets_what_the_old_one_left(void **state)
{
    struct consumerkit *kit = *state;
    consumerkit_create(kit, stream);
    consumerkit_put(kit, "a.x", "one");
    struct consumer *consumer = consumerkit_make(
        kit, "{\"durable_name\":\"C\",\"deliver_subject\":\"d\",\"ack_policy\":\"explicit\"}");
    consumerkit_expect(kit, consumer, "d a.x 1/1 x1 +0 one\n");
    static const char moved[] =
        "{\"durable_name\":\"C\",\"deliver_subject\":\"e\",\"ack_policy\":\"explicit\"}";
    consumerkit_refused(kit, moved, 10013, "consumer name already in use");
    kit->deaf[0] = "d";
    consumer_interest_changed(consumer, kit->stream->now_ns);
    assert_ptr_equal(consumerkit_make(kit, moved), consumer);
    consumerkit_expect(kit, consumer, "e a.x 1/2 x2 +0 one\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONSUMER_TEST(messages_come_while_somebody_listens),
        CONSUMER_TEST(an_ephemeral_consumer_goes_when_nobody_listens),
        CONSUMER_TEST(heartbeats_come_when_nothing_else_does),
        CONSUMER_TEST(headers_alone_say_how_large_the_body_is),
        CONSUMER_TEST(flow_control_waits_for_its_answer),
        CONSUMER_TEST(a_limit_of_the_rate_spreads_messages_over_time),
        CONSUMER_TEST(an_original_replay_keeps_the_times_between_messages),
        CONSUMER_TEST(a_new_deliver_subject_gets_what_the_old_one_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
