// SPDX-License-Identifier: Apache-2.0
// Pulls: who gets what, and how each request ends.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "consumerkit.h"

static const char stream[] = "{\"name\":\"S\",\"subjects\":[\"a.>\"]}";

// A stream with messages 1 to 3 and a consumer.
static struct consumer *fill(struct consumerkit *kit, const char *json)
{
    consumerkit_create(kit, stream);
    consumerkit_put(kit, "a.x", "one");
    consumerkit_put(kit, "a.y", "two");
    consumerkit_put(kit, "a.x", "three");
    return consumerkit_make(kit, json);
}

static struct consumer *plain(struct consumerkit *kit)
{
    return fill(kit, "{\"durable_name\":\"C\",\"ack_policy\":\"explicit\"}");
}

static void a_batch_gets_messages_with_all_that_their_ack_subjects_say(void **state)
{
    struct consumerkit *kit = *state;
    struct consumer *consumer = plain(kit);
    consumerkit_expect(kit, consumer, "");
    consumerkit_pull(kit, consumer, "2", "in");
    consumerkit_expect(kit, consumer, "in a.x 1/1 x1 +2 one\nin a.y 2/2 x1 +1 two\n");
    consumerkit_pull(kit, consumer, "", "other");
    consumerkit_expect(kit, consumer, "other a.x 3/3 x1 +0 three\n");
}

static void a_pull_waits_for_what_is_committed_only(void **state)
{
    struct consumerkit *kit = *state;
    struct stream_ack ack;
    struct consumer *consumer = plain(kit);
    consumerkit_pull(kit, consumer, "{\"batch\":9,\"expires\":1000000000}", "in");
    consumerkit_expect(kit, consumer,
                       "in a.x 1/1 x1 +2 one\nin a.y 2/2 x1 +1 two\nin a.x 3/3 x1 +0 three\n");
    assert_int_equal(streamkit_try(kit->stream, "a.z", "four", NULL, &ack), STATUS_OK);
    consumerkit_expect(kit, consumer, "");
    consumerkit_commit(kit);
    consumerkit_expect(kit, consumer, "in a.z 4/4 x1 +0 four\n");
    consumerkit_wait(kit, 1000);
    consumerkit_expect(
        kit, consumer,
        "in 408 Request Timeout | Nats-Pending-Messages: 5 | Nats-Pending-Bytes: 0\n");
    consumerkit_put(kit, "a.z", "five");
    consumerkit_expect(kit, consumer, "");
}

static void one_shot_requests_end_where_the_stream_ends(void **state)
{
    struct consumerkit *kit = *state;
    struct consumer *consumer = plain(kit);
    consumerkit_pull(kit, consumer, "{\"batch\":5,\"no_wait\":true}", "in");
    consumerkit_expect(kit, consumer,
                       "in a.x 1/1 x1 +2 one\nin a.y 2/2 x1 +1 two\nin a.x 3/3 x1 +0 three\n"
                       "in 404 No Messages\n");
    consumerkit_pull(kit, consumer, "{\"batch\":5,\"no_wait\":true}", "in");
    consumerkit_expect(kit, consumer, "in 404 No Messages\n");
    assert_int_equal(consumerkit_info(kit, consumer).waiting, 0);
}

static void a_one_shot_request_with_a_time_waits_for_its_first_message(void **state)
{
    struct consumerkit *kit = *state;
    struct consumer *consumer = plain(kit);
    consumerkit_pull(kit, consumer, "3", "other");
    consumerkit_expect(
        kit, consumer,
        "other a.x 1/1 x1 +2 one\nother a.y 2/2 x1 +1 two\nother a.x 3/3 x1 +0 three\n");
    consumerkit_pull(kit, consumer, "{\"batch\":5,\"no_wait\":true,\"expires\":1000000000}", "in");
    consumerkit_expect(kit, consumer, "");
    consumerkit_put(kit, "a.x", "four");
    consumerkit_expect(kit, consumer, "in a.x 4/4 x1 +0 four\nin 404 No Messages\n");
}

static void a_one_shot_request_that_others_are_ahead_of_is_told_so(void **state)
{
    struct consumerkit *kit = *state;
    struct consumer *consumer = plain(kit);
    consumerkit_pull(kit, consumer, "9", "in");
    consumerkit_pull(kit, consumer, "{\"batch\":5,\"no_wait\":true}", "late");
    consumerkit_expect(kit, consumer,
                       "late 408 Requests Pending\n"
                       "in a.x 1/1 x1 +2 one\nin a.y 2/2 x1 +1 two\nin a.x 3/3 x1 +0 three\n");
}

static void clients_that_wait_share_what_comes(void **state)
{
    struct consumerkit *kit = *state;
    struct consumer *consumer = plain(kit);
    consumerkit_pull(kit, consumer, "2", "p");
    consumerkit_pull(kit, consumer, "2", "q");
    consumerkit_expect(kit, consumer,
                       "p a.x 1/1 x1 +2 one\nq a.y 2/2 x1 +1 two\np a.x 3/3 x1 +0 three\n");
    assert_int_equal(consumerkit_info(kit, consumer).waiting, 1);
}

static void a_client_that_is_gone_takes_nothing_with_it(void **state)
{
    struct consumerkit *kit = *state;
    struct consumer *consumer = plain(kit);
    consumerkit_pull(kit, consumer, "2", "p");
    consumerkit_pull(kit, consumer, "1", "q");
    kit->deaf[0] = "p";
    consumerkit_expect(kit, consumer, "q a.x 1/1 x1 +2 one\n");
    assert_int_equal(consumerkit_info(kit, consumer).waiting, 0);
}

static void a_limit_of_bytes_ends_a_request_with_what_is_left(void **state)
{
    struct consumerkit *kit = *state;
    // Subject, ack subject and body of the first message have 3 + 33 + 3 bytes.
    struct consumer *consumer = plain(kit);
    consumerkit_pull(kit, consumer, "{\"batch\":5,\"max_bytes\":20,\"expires\":1000000000}", "in");
    consumerkit_expect(kit, consumer,
                       "in 409 Message Size Exceeds MaxBytes | Nats-Pending-Messages: 5 | "
                       "Nats-Pending-Bytes: 20\n");
    consumerkit_pull(kit, consumer, "{\"batch\":1,\"max_bytes\":1000}", "in");
    consumerkit_expect(kit, consumer,
                       "in a.x 1/1 x1 +2 one\n"
                       "in 409 Batch Completed | Nats-Pending-Messages: 0 | Nats-Pending-Bytes: "
                       "961\n");
}

static void heartbeats_come_while_a_request_waits(void **state)
{
    struct consumerkit *kit = *state;
    struct consumer *consumer = plain(kit);
    consumerkit_pull(kit, consumer,
                     "{\"batch\":4,\"expires\":1000000000,\"idle_heartbeat\":400000000}", "in");
    consumerkit_wait(kit, 300);
    consumerkit_expect(kit, consumer,
                       "in a.x 1/1 x1 +2 one\nin a.y 2/2 x1 +1 two\nin a.x 3/3 x1 +0 three\n");
    consumerkit_wait(kit, 399);
    consumerkit_expect(kit, consumer, "");
    assert_true(consumer_deadline(consumer, kit->stream->now_ns) ==
                kit->stream->now_ns + MILLISECOND);
    consumerkit_wait(kit, 1);
    consumerkit_expect(kit, consumer,
                       "in 100 Idle Heartbeat | Nats-Last-Consumer: 3 | Nats-Last-Stream: 3\n");
}

static void what_a_request_may_not_ask_is_answered_as_nats_server_does(void **state)
{
    struct consumerkit *kit = *state;
    struct consumer *consumer = fill(
        kit, "{\"durable_name\":\"C\",\"ack_policy\":\"explicit\",\"max_batch\":2,"
             "\"max_expires\":90000000000,\"max_bytes\":100,\"max_waiting\":1}");
    consumerkit_pull(kit, consumer, "3", "in");
    consumerkit_pull(kit, consumer, "{\"batch\":1,\"expires\":90000000001}", "in");
    consumerkit_pull(kit, consumer, "{\"batch\":1,\"max_bytes\":101}", "in");
    consumerkit_pull(kit, consumer, "{\"batch\":1,\"expires\":9,\"idle_heartbeat\":5}", "in");
    consumerkit_pull(kit, consumer, "{\"batch\":1,\"min_pending\":5}", "in");
    consumerkit_pull(kit, consumer, "{\"batch\":1,\"id\":\"x\"}", "in");
    consumerkit_pull(kit, consumer, "{\"batch\":1,\"priority\":10}", "in");
    consumerkit_expect(kit, consumer,
                       "in 409 Exceeded MaxRequestBatch of 2\n"
                       "in 409 Exceeded MaxRequestExpires of 1m30s\n"
                       "in 409 Exceeded MaxRequestMaxBytes of 100\n"
                       "in 400 Bad Request - heartbeat value too large\n"
                       "in 400 Bad Request - Not a Overflow Priority consumer\n"
                       "in 400 Bad Request - Not a Pinned Client Priority consumer\n"
                       "in 400 Bad Request - Priority must be between 0 and 9\n");
    consumerkit_pull(kit, consumer, "1", "p");
    consumerkit_pull(kit, consumer, "1", "q");
    // Who awaits heartbeats is left to miss them.
    consumerkit_pull(kit, consumer, "{\"batch\":1,\"expires\":100,\"idle_heartbeat\":50}", "r");
    consumerkit_expect(kit, consumer, "q 409 Exceeded MaxWaiting\np a.x 1/1 x1 +2 one\n");
}

static void a_consumer_that_pushes_is_not_pulled_from(void **state)
{
    struct consumerkit *kit = *state;
    struct consumer *consumer = fill(
        kit, "{\"durable_name\":\"C\",\"deliver_subject\":\"d\",\"deliver_policy\":\"new\"}");
    consumerkit_pull(kit, consumer, "1", "in");
    consumerkit_expect(kit, consumer, "in 409 Consumer is push based\n");
}

static void nothing_comes_while_too_many_wait_for_their_acknowledgement(void **state)
{
    struct consumerkit *kit = *state;
    struct consumer *consumer = fill(
        kit, "{\"durable_name\":\"C\",\"ack_policy\":\"explicit\",\"max_ack_pending\":2}");
    consumerkit_pull(kit, consumer, "{\"batch\":9,\"no_wait\":true}", "in");
    // A one-shot request is not at the end of the stream then.
    consumerkit_expect(kit, consumer, "in a.x 1/1 x1 +2 one\nin a.y 2/2 x1 +1 two\n");
    assert_int_equal(consumerkit_info(kit, consumer).waiting, 1);
    consumerkit_ack(kit, consumer, 1, "");
    consumerkit_expect(kit, consumer, "in a.x 3/3 x1 +0 three\n");
}

static void a_pause_holds_messages_back_until_it_ends(void **state)
{
    struct consumerkit *kit = *state;
    struct consumer *consumer = plain(kit);
    int64_t until_ns = kit->stream->now_ns + SECOND;
    assert_int_equal(consumer_pause(consumer, until_ns, &kit->err), STATUS_OK);
    consumerkit_pull(kit, consumer, "1", "in");
    consumerkit_expect(kit, consumer,
                       "! advisory.v1.consumer_pause "
                       "{\"paused\":true,\"pause_until\":\"1970-01-01T00:16:41Z\"}\n");
    assert_true(consumer_deadline(consumer, kit->stream->now_ns) == until_ns);
    assert_true(consumerkit_info(kit, consumer).pause_remaining_ns == SECOND);
    consumerkit_wait(kit, 1000);
    consumerkit_expect(kit, consumer,
                       "! advisory.v1.consumer_pause "
                       "{\"paused\":false,\"pause_until\":\"1970-01-01T00:16:41Z\"}\n"
                       "in a.x 1/1 x1 +2 one\n");
}

static void a_consumer_that_nobody_uses_goes(void **state)
{
    struct consumerkit *kit = *state;
    struct consumer *consumer = fill(kit, "{\"ack_policy\":\"explicit\"}");
    int64_t start_ns = kit->stream->now_ns;
    assert_true(consumer_deadline(consumer, start_ns) == start_ns + 5 * INT64_C(1000000000));
    consumerkit_wait(kit, 4000);
    consumerkit_pull(kit, consumer, "{\"batch\":4,\"expires\":20000000000}", "in");
    consumerkit_expect(kit, consumer,
                       "in a.x 1/1 x1 +2 one\nin a.y 2/2 x1 +1 two\nin a.x 3/3 x1 +0 three\n");
    // Somebody waits, and then is still at work.
    consumerkit_wait(kit, 5000);
    consumerkit_expect(kit, consumer, "");
    kit->deaf[0] = "in";
    for (uint64_t seq = 1; seq <= 3; seq++)
        consumerkit_ack(kit, consumer, seq, "");
    consumerkit_wait(kit, 4999);
    consumerkit_expect(kit, consumer, "");
    consumerkit_wait(kit, 1);
    consumerkit_expect(kit, consumer, "gone\n");
}

static void a_consumer_stays_while_somebody_may_be_at_work(void **state)
{
    struct consumerkit *kit = *state;
    struct consumer *consumer = fill(kit, "{\"ack_policy\":\"explicit\",\"ack_wait\":10000000000}");
    consumerkit_pull(kit, consumer, "1", "in");
    consumerkit_expect(kit, consumer, "in a.x 1/1 x1 +2 one\n");
    kit->deaf[0] = "in";
    consumerkit_wait(kit, 14999);
    consumerkit_expect(kit, consumer, "");
    consumerkit_wait(kit, 1);
    consumerkit_expect(kit, consumer, "gone\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONSUMER_TEST(a_batch_gets_messages_with_all_that_their_ack_subjects_say),
        CONSUMER_TEST(a_pull_waits_for_what_is_committed_only),
        CONSUMER_TEST(one_shot_requests_end_where_the_stream_ends),
        CONSUMER_TEST(a_one_shot_request_with_a_time_waits_for_its_first_message),
        CONSUMER_TEST(a_one_shot_request_that_others_are_ahead_of_is_told_so),
        CONSUMER_TEST(clients_that_wait_share_what_comes),
        CONSUMER_TEST(a_client_that_is_gone_takes_nothing_with_it),
        CONSUMER_TEST(a_limit_of_bytes_ends_a_request_with_what_is_left),
        CONSUMER_TEST(heartbeats_come_while_a_request_waits),
        CONSUMER_TEST(what_a_request_may_not_ask_is_answered_as_nats_server_does),
        CONSUMER_TEST(a_consumer_that_pushes_is_not_pulled_from),
        CONSUMER_TEST(nothing_comes_while_too_many_wait_for_their_acknowledgement),
        CONSUMER_TEST(a_pause_holds_messages_back_until_it_ends),
        CONSUMER_TEST(a_consumer_that_nobody_uses_goes),
        CONSUMER_TEST(a_consumer_stays_while_somebody_may_be_at_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
