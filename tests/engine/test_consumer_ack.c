// SPDX-License-Identifier: Apache-2.0
// Acknowledgements, and what becomes of messages that get none.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "consumerkit.h"

#include <stdio.h>

// A stream with messages 1 to 3 and a consumer with a pull that waits for many.
static struct consumer *fill(struct consumerkit *kit, const char *json)
{
    consumerkit_create(kit, "{\"name\":\"S\",\"subjects\":[\"a.>\"]}");
    consumerkit_put(kit, "a.x", "one");
    consumerkit_put(kit, "a.y", "two");
    consumerkit_put(kit, "a.x", "three");
    struct consumer *consumer = consumerkit_make(kit, json);
    consumerkit_pull(kit, consumer, "99", "in");
    consumerkit_expect(kit, consumer,
                       "in a.x 1/1 x1 +2 one\nin a.y 2/2 x1 +1 two\nin a.x 3/3 x1 +0 three\n");
    return consumer;
}

static struct consumer *plain(struct consumerkit *kit)
{
    return fill(kit,
                "{\"durable_name\":\"C\",\"ack_policy\":\"explicit\",\"ack_wait\":1000000000}");
}

static void expect_floor(struct consumerkit *kit, struct consumer *consumer, uint64_t floor,
                         uint64_t pending)
{
    struct consumer_info info = consumerkit_info(kit, consumer);
    assert_int_equal(info.ack_floor.stream_seq, floor);
    assert_int_equal(info.ack_floor.consumer_seq, floor);
    assert_int_equal(info.ack_pending, pending);
}

static void what_is_acknowledged_never_comes_again(void **state)
{
    struct consumerkit *kit = *state;
    struct consumer *consumer = plain(kit);
    assert_int_equal(consumerkit_ack(kit, consumer, 1, ""), STATUS_OK);
    assert_int_equal(consumerkit_ack(kit, consumer, 3, "+ACK"), STATUS_OK);
    expect_floor(kit, consumer, 1, 1);
    consumerkit_wait(kit, 999);
    consumerkit_expect(kit, consumer, "");
    consumerkit_wait(kit, 1);
    consumerkit_expect(kit, consumer, "in a.y 2/4 x2 +0 two\n");
    assert_int_equal(consumerkit_info(kit, consumer).redelivered, 1);
    assert_int_equal(consumerkit_ack(kit, consumer, 2, "+OK"), STATUS_OK);
    struct consumer_info info = consumerkit_info(kit, consumer);
    assert_int_equal(info.ack_floor.stream_seq, 3);
    assert_int_equal(info.ack_floor.consumer_seq, 4);
    assert_int_equal(info.redelivered, 0);
    consumerkit_wait(kit, 5000);
    consumerkit_expect(kit, consumer, "");
}

static void what_is_due_together_comes_in_the_order_of_the_stream(void **state)
{
    struct consumerkit *kit = *state;
    struct consumer *consumer = plain(kit);
    consumerkit_wait(kit, 1000);
    consumerkit_expect(kit, consumer,
                       "in a.x 1/4 x2 +0 one\nin a.y 2/5 x2 +0 two\nin a.x 3/6 x2 +0 three\n");
}

static void redelivered_messages_come_before_new_ones(void **state)
{
    struct consumerkit *kit = *state;
    struct consumer *consumer = plain(kit);
    consumerkit_put(kit, "a.z", "four");
    consumerkit_ack(kit, consumer, 2, "-NAK");
    consumerkit_expect(kit, consumer,
                       "! advisory.v1.nak {\"consumer_seq\":2,\"stream_seq\":2,\"deliveries\":1}\n"
                       "in a.y 2/4 x2 +1 two\nin a.z 4/5 x1 +0 four\n");
}

static void a_refusal_can_name_a_delay(void **state)
{
    struct consumerkit *kit = *state;
    struct consumer *consumer = plain(kit);
    consumerkit_ack(kit, consumer, 1, "");
    consumerkit_ack(kit, consumer, 2, "-NAK {\"delay\": 2000000000}");
    consumerkit_ack(kit, consumer, 3, "-NAK 3s");
    consumerkit_expect(
        kit, consumer,
        "! advisory.v1.nak {\"consumer_seq\":2,\"stream_seq\":2,\"deliveries\":1}\n"
        "! advisory.v1.nak {\"consumer_seq\":3,\"stream_seq\":3,\"deliveries\":1}\n");
    consumerkit_wait(kit, 1999);
    consumerkit_expect(kit, consumer, "");
    consumerkit_wait(kit, 1);
    consumerkit_expect(kit, consumer, "in a.y 2/4 x2 +0 two\n");
    consumerkit_wait(kit, 999);
    consumerkit_expect(kit, consumer, "");
    consumerkit_wait(kit, 1);
    consumerkit_expect(kit, consumer, "in a.y 2/5 x3 +0 two\nin a.x 3/6 x2 +0 three\n");
}

static void a_delay_takes_a_message_out_of_the_queue(void **state)
{
    struct consumerkit *kit = *state;
    struct consumer *consumer = plain(kit);
    consumerkit_ack(kit, consumer, 1, "-NAK");
    consumerkit_ack(kit, consumer, 1, "-NAK 1h");
    consumerkit_expect(
        kit, consumer,
        "! advisory.v1.nak {\"consumer_seq\":1,\"stream_seq\":1,\"deliveries\":1}\n"
        "! advisory.v1.nak {\"consumer_seq\":1,\"stream_seq\":1,\"deliveries\":1}\n");
}

static void work_in_progress_prolongs_the_time(void **state)
{
    struct consumerkit *kit = *state;
    struct consumer *consumer = plain(kit);
    consumerkit_wait(kit, 900);
    consumerkit_ack(kit, consumer, 2, "+WPI");
    consumerkit_wait(kit, 100);
    consumerkit_expect(kit, consumer, "in a.x 1/4 x2 +0 one\nin a.x 3/5 x2 +0 three\n");
    consumerkit_wait(kit, 899);
    consumerkit_expect(kit, consumer, "");
    consumerkit_wait(kit, 1);
    consumerkit_expect(kit, consumer, "in a.y 2/6 x2 +0 two\n");
}

static void what_is_terminated_never_comes_again(void **state)
{
    struct consumerkit *kit = *state;
    struct consumer *consumer = plain(kit);
    consumerkit_ack(kit, consumer, 1, "+TERM no \"good\"");
    consumerkit_ack(kit, consumer, 1, "+TERM");
    consumerkit_ack(kit, consumer, 2, "+TERM");
    consumerkit_expect(
        kit, consumer,
        "! advisory.v1.terminated "
        "{\"consumer_seq\":1,\"stream_seq\":1,\"deliveries\":1,\"reason\":\"no \\\"good\\\"\"}\n"
        "! advisory.v1.terminated {\"consumer_seq\":2,\"stream_seq\":2,\"deliveries\":1}\n");
    expect_floor(kit, consumer, 2, 1);
}

static void an_acknowledgement_can_ask_for_more(void **state)
{
    struct consumerkit *kit = *state;
    struct consumer *consumer = plain(kit);
    consumerkit_ack(kit, consumer, 1, "+NXT {\"batch\":1,\"no_wait\":true}");
    consumerkit_expect(kit, consumer, "again 404 No Messages\n");
    expect_floor(kit, consumer, 1, 2);
}

static void an_acknowledgement_of_all_covers_what_is_below(void **state)
{
    struct consumerkit *kit = *state;
    struct consumer *consumer = fill(
        kit, "{\"durable_name\":\"C\",\"ack_policy\":\"all\",\"ack_wait\":1000000000}");
    assert_int_equal(consumerkit_ack(kit, consumer, 2, ""), STATUS_OK);
    expect_floor(kit, consumer, 2, 1);
    assert_int_equal(consumerkit_ack(kit, consumer, 1, ""), STATUS_OK);
    expect_floor(kit, consumer, 2, 1);
    consumerkit_wait(kit, 1000);
    consumerkit_expect(kit, consumer, "in a.x 3/4 x2 +0 three\n");
}

static void what_was_not_delivered_is_nobodys_to_acknowledge(void **state)
{
    struct consumerkit *kit = *state;
    struct consumer *consumer = fill(kit, "{\"durable_name\":\"C\",\"ack_policy\":\"all\"}");
    consumerkit_put(kit, "a.x", "four");
    assert_int_equal(consumerkit_ack(kit, consumer, 4, ""), STATUS_NOT_FOUND);
    expect_floor(kit, consumer, 0, 3);
    static const char *const bad[] = {"", "$JS.ACK.S.C.1.1.1.1", "$JS.ACK.S.C.x.1.1.1.1",
                                      "$JS.ACK.S.C.1.-1.1.1.1"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(consumer_ack(consumer, bytes_of_string(bad[i]), BYTES(""), BYTES(""),
                                      kit->stream->now_ns),
                         STATUS_NOT_FOUND);
    // With a domain and an account in front.
    assert_int_equal(consumer_ack(consumer, BYTES("$JS.ACK._.hash.S.C.1.3.3.1000.0.x"), BYTES(""),
                                  BYTES(""), kit->stream->now_ns),
                     STATUS_OK);
    expect_floor(kit, consumer, 3, 0);
}

static void a_message_is_given_up_after_its_last_delivery(void **state)
{
    struct consumerkit *kit = *state;
    struct consumer *consumer = fill(kit,
                                     "{\"durable_name\":\"C\",\"ack_policy\":\"explicit\",\"ack_"
                                     "wait\":1000000000,\"max_deliver\":2}");
    consumerkit_ack(kit, consumer, 1, "");
    consumerkit_ack(kit, consumer, 2, "");
    consumerkit_wait(kit, 1000);
    consumerkit_expect(kit, consumer, "in a.x 3/4 x2 +0 three\n");
    expect_floor(kit, consumer, 2, 1);
    consumerkit_wait(kit, 1000);
    consumerkit_expect(kit, consumer,
                       "! advisory.v1.max_deliver {\"stream_seq\":3,\"deliveries\":2}\n");
    assert_int_equal(consumerkit_info(kit, consumer).ack_pending, 0);
    consumerkit_wait(kit, 9000);
    consumerkit_expect(kit, consumer, "");
    streamkit_expect(kit->stream, 3, "three");
}

static void a_message_that_is_refused_for_the_last_time_is_given_up(void **state)
{
    struct consumerkit *kit = *state;
    struct consumer *consumer = fill(
        kit, "{\"durable_name\":\"C\",\"ack_policy\":\"explicit\",\"max_deliver\":1}");
    consumerkit_ack(kit, consumer, 2, "-NAK");
    consumerkit_expect(kit, consumer,
                       "! advisory.v1.nak {\"consumer_seq\":2,\"stream_seq\":2,\"deliveries\":1}\n"
                       "! advisory.v1.max_deliver {\"stream_seq\":2,\"deliveries\":1}\n");
}

static void a_backoff_stretches_the_time_with_each_delivery(void **state)
{
    struct consumerkit *kit = *state;
    struct consumer *consumer = fill(
        kit, "{\"durable_name\":\"C\",\"ack_policy\":\"explicit\",\"max_deliver\":4,"
             "\"backoff\":[1000000000,2000000000,3000000000]}");
    consumerkit_ack(kit, consumer, 1, "");
    consumerkit_ack(kit, consumer, 2, "");
    static const int waits_ms[] = {1000, 2000, 3000};
    for (int i = 0; i < 3; i++) {
        char line[64];
        consumerkit_wait(kit, waits_ms[i] - 1);
        consumerkit_expect(kit, consumer, "");
        consumerkit_wait(kit, 1);
        snprintf(line, sizeof line, "in a.x 3/%d x%d +0 three\n", 4 + i, 2 + i);
        consumerkit_expect(kit, consumer, line);
    }
    consumerkit_wait(kit, 3000);
    consumerkit_expect(kit, consumer,
                       "! advisory.v1.max_deliver {\"stream_seq\":3,\"deliveries\":4}\n");
}

static void sampled_acknowledgements_tell_how_long_they_took(void **state)
{
    struct consumerkit *kit = *state;
    struct consumer *consumer = fill(
        kit, "{\"durable_name\":\"C\",\"ack_policy\":\"explicit\",\"sample_freq\":\"100%\"}");
    consumerkit_wait(kit, 250);
    consumerkit_ack(kit, consumer, 2, "");
    consumerkit_expect(kit, consumer,
                       "! metric.v1.consumer_ack {\"consumer_seq\":2,\"stream_seq\":2,"
                       "\"ack_time\":250000000,\"deliveries\":1}\n");
}

static void a_reset_begins_again_behind_what_is_acknowledged(void **state)
{
    struct consumerkit *kit = *state;
    struct consumer *consumer = plain(kit);
    consumerkit_ack(kit, consumer, 1, "");
    assert_int_equal(consumer_reset(consumer, 0, &kit->err), STATUS_OK);
    assert_int_equal(consumerkit_info(kit, consumer).pending, 2);
    consumerkit_expect(kit, consumer, "in a.y 2/1 x1 +1 two\nin a.x 3/2 x1 +0 three\n");
    assert_int_equal(consumer_reset(consumer, 3, &kit->err), STATUS_OK);
    consumerkit_expect(kit, consumer, "in a.x 3/1 x1 +0 three\n");
}

static void a_reset_stays_where_the_consumer_may_begin(void **state)
{
    struct consumerkit *kit = *state;
    consumerkit_create(kit, "{\"name\":\"S\",\"subjects\":[\"a.>\"]}");
    struct consumer *later = consumerkit_make(
        kit, "{\"durable_name\":\"C\",\"ack_policy\":\"explicit\","
             "\"deliver_policy\":\"by_start_sequence\",\"opt_start_seq\":5}");
    struct consumer *new = consumerkit_make(
        kit, "{\"durable_name\":\"D\",\"ack_policy\":\"explicit\",\"deliver_policy\":\"new\"}");
    assert_int_equal(consumer_reset(later, 4, &kit->err), STATUS_INVALID);
    assert_string_equal(kit->err.text, "invalid reset: below start seq");
    assert_int_equal(consumer_reset(later, 5, &kit->err), STATUS_OK);
    assert_int_equal(consumer_reset(new, 1, &kit->err), STATUS_INVALID);
    assert_string_equal(kit->err.text, "invalid reset: not allowed");
    assert_int_equal(kit->err.protocol_code, 10204);
}

static void a_message_that_goes_while_it_is_pending_is_terminated(void **state)
{
    struct consumerkit *kit = *state;
    struct consumer *consumer = plain(kit);
    assert_int_equal(stream_delete_message(kit->stream->stream, 1, false, &kit->err), STATUS_OK);
    consumerkit_commit(kit);
    consumerkit_expect(kit, consumer,
                       "! advisory.v1.terminated {\"consumer_seq\":1,\"stream_seq\":1,"
                       "\"deliveries\":1,\"reason\":\"Unacknowledged message was deleted\"}\n");
    expect_floor(kit, consumer, 1, 2);
    consumerkit_wait(kit, 1000);
    consumerkit_expect(kit, consumer, "in a.y 2/4 x2 +0 two\nin a.x 3/5 x2 +0 three\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONSUMER_TEST(what_is_acknowledged_never_comes_again),
        CONSUMER_TEST(what_is_due_together_comes_in_the_order_of_the_stream),
        CONSUMER_TEST(redelivered_messages_come_before_new_ones),
        CONSUMER_TEST(a_refusal_can_name_a_delay),
        CONSUMER_TEST(a_delay_takes_a_message_out_of_the_queue),
        CONSUMER_TEST(work_in_progress_prolongs_the_time),
        CONSUMER_TEST(what_is_terminated_never_comes_again),
        CONSUMER_TEST(an_acknowledgement_can_ask_for_more),
        CONSUMER_TEST(an_acknowledgement_of_all_covers_what_is_below),
        CONSUMER_TEST(what_was_not_delivered_is_nobodys_to_acknowledge),
        CONSUMER_TEST(a_message_is_given_up_after_its_last_delivery),
        CONSUMER_TEST(a_message_that_is_refused_for_the_last_time_is_given_up),
        CONSUMER_TEST(a_backoff_stretches_the_time_with_each_delivery),
        CONSUMER_TEST(sampled_acknowledgements_tell_how_long_they_took),
        CONSUMER_TEST(a_reset_begins_again_behind_what_is_acknowledged),
        CONSUMER_TEST(a_reset_stays_where_the_consumer_may_begin),
        CONSUMER_TEST(a_message_that_goes_while_it_is_pending_is_terminated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
