// SPDX-License-Identifier: Apache-2.0
// What of consumers outlives the process, and what need not.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "consumerkit.h"

#include <stdio.h>
#include <string.h>

static const char stream[] = "{\"name\":\"S\",\"subjects\":[\"a.>\"]}";
static const char plain[] =
    "{\"durable_name\":\"C\",\"ack_policy\":\"explicit\",\"ack_wait\":1000000000}";

static struct consumer *fill(struct consumerkit *kit, const char *json)
{
    consumerkit_create(kit, stream);
    consumerkit_put(kit, "a.x", "one");
    consumerkit_put(kit, "a.y", "two");
    consumerkit_put(kit, "a.x", "three");
    struct consumer *consumer = consumerkit_make(kit, json);
    consumerkit_pull(kit, consumer, "3", "in");
    consumerkit_expect(kit, consumer,
                       "in a.x 1/1 x1 +2 one\nin a.y 2/2 x1 +1 two\nin a.x 3/3 x1 +0 three\n");
    return consumer;
}

static struct consumer *reopen(struct consumerkit *kit)
{
    consumerkit_reopen(kit);
    return consumerkit_find(kit, "C");
}

static void committed_acknowledgements_and_deliveries_outlive_a_crash(void **state)
{
    struct consumerkit *kit = *state;
    struct consumer *consumer = fill(kit, plain);
    consumerkit_ack(kit, consumer, 1, "");
    consumerkit_ack(kit, consumer, 3, "");
    consumerkit_commit(kit);
    consumer = reopen(kit);
    struct consumer_info info = consumerkit_info(kit, consumer);
    assert_int_equal(info.delivered.stream_seq, 3);
    assert_int_equal(info.delivered.consumer_seq, 3);
    assert_int_equal(info.ack_floor.stream_seq, 1);
    assert_int_equal(info.ack_pending, 1);
    assert_int_equal(info.pending, 0);
    consumerkit_pull(kit, consumer, "9", "in");
    consumerkit_expect(kit, consumer, "");
    consumerkit_wait(kit, 1000);
    consumerkit_expect(kit, consumer, "in a.y 2/4 x2 +0 two\n");
}

static void what_was_not_committed_happens_again(void **state)
{
    struct consumerkit *kit = *state;
    struct consumer *consumer = fill(kit, plain);
    consumerkit_ack(kit, consumer, 1, "");
    consumer = reopen(kit);
    assert_int_equal(consumerkit_info(kit, consumer).pending, 3);
    consumerkit_pull(kit, consumer, "1", "in");
    consumerkit_expect(kit, consumer, "in a.x 1/1 x1 +2 one\n");
}

static void times_and_counts_of_deliveries_outlive_a_restart(void **state)
{
    struct consumerkit *kit = *state;
    struct consumer *consumer = fill(kit, "{\"durable_name\":\"C\",\"ack_policy\":\"explicit\","
                                          "\"backoff\":[1000000000,5000000000],\"max_deliver\":3}");
    consumerkit_ack(kit, consumer, 1, "-NAK 30s");
    consumerkit_ack(kit, consumer, 2, "");
    consumerkit_wait(kit, 1000);
    consumerkit_pull(kit, consumer, "1", "in");
    consumerkit_expect(kit, consumer,
                       "! advisory.v1.nak {\"consumer_seq\":1,\"stream_seq\":1,\"deliveries\":1}\n"
                       "in a.x 3/4 x2 +0 three\n");
    consumerkit_commit(kit);
    consumer = reopen(kit);
    assert_int_equal(consumerkit_info(kit, consumer).redelivered, 1);
    consumerkit_pull(kit, consumer, "9", "in");
    consumerkit_wait(kit, 4999);
    consumerkit_expect(kit, consumer, "");
    consumerkit_wait(kit, 1);
    consumerkit_expect(kit, consumer, "in a.x 3/5 x3 +0 three\n");
    consumerkit_wait(kit, 23999);
    consumerkit_expect(kit, consumer,
                       "! advisory.v1.max_deliver {\"stream_seq\":3,\"deliveries\":3}\n");
    consumerkit_wait(kit, 1);
    consumerkit_expect(kit, consumer, "in a.x 1/6 x2 +0 one\n");
}

static void ephemeral_consumers_do_not_outlive_a_restart(void **state)
{
    struct consumerkit *kit = *state;
    consumerkit_create(kit, stream);
    consumerkit_make(kit, "{\"ack_policy\":\"explicit\"}");
    consumerkit_make(kit, "{\"durable_name\":\"M\",\"mem_storage\":true}");
    assert_null(stream_get_consumer_log(kit->stream->stream));
    consumerkit_make(kit, plain);
    assert_int_equal(consumer_count_of(kit->stream->stream), 3);
    reopen(kit);
    assert_int_equal(consumer_count_of(kit->stream->stream), 1);
}

static void a_deleted_consumer_stays_deleted_and_its_name_is_free(void **state)
{
    struct consumerkit *kit = *state;
    struct consumer *consumer = fill(kit, plain);
    consumerkit_ack(kit, consumer, 2, "");
    assert_int_equal(consumer_delete(consumer, &kit->err), STATUS_OK);
    consumerkit_commit(kit);
    consumerkit_reopen(kit);
    assert_int_equal(consumer_count_of(kit->stream->stream), 0);
    consumer = consumerkit_make(kit, plain);
    consumerkit_reopen(kit);
    consumer = consumerkit_find(kit, "C");
    assert_int_equal(consumerkit_info(kit, consumer).pending, 3);
}

static void changes_pauses_and_resets_outlive_a_restart(void **state)
{
    struct consumerkit *kit = *state;
    struct consumer *consumer = fill(kit, plain);
    consumerkit_make(kit, "{\"durable_name\":\"C\",\"ack_policy\":\"explicit\","
                          "\"description\":\"new\",\"ack_wait\":1000000000}");
    assert_int_equal(consumer_pause(consumer, kit->stream->now_ns + SECOND, &kit->err), STATUS_OK);
    assert_int_equal(consumer_reset(consumer, 3, &kit->err), STATUS_OK);
    consumerkit_commit(kit);
    consumer = reopen(kit);
    assert_string_equal(consumer_get_config(consumer)->description, "new");
    struct consumer_info info = consumerkit_info(kit, consumer);
    assert_true(info.pause_remaining_ns == SECOND);
    assert_int_equal(info.pending, 1);
    assert_int_equal(info.delivered.consumer_seq, 0);
}

static void what_went_from_the_stream_meanwhile_is_not_pending(void **state)
{
    struct consumerkit *kit = *state;
    fill(kit, plain);
    consumerkit_commit(kit);
    // The stream is used without its consumers.
    streamkit_reopen(kit->stream);
    assert_int_equal(stream_delete_message(kit->stream->stream, 2, false, &kit->err), STATUS_OK);
    streamkit_commit(kit->stream);
    struct consumer *consumer = reopen(kit);
    assert_int_equal(consumerkit_info(kit, consumer).ack_pending, 2);
    assert_int_equal(consumerkit_info(kit, consumer).ack_floor.stream_seq, 0);
}

// The log holds what counts, not all that ever happened.
static void the_log_is_made_short_when_it_grows(void **state)
{
    struct consumerkit *kit = *state;
    struct msglog_state log;
    struct consumer_out out;
    consumerkit_create(kit, stream);
    struct consumer *consumer = consumerkit_make(
        kit, "{\"durable_name\":\"C\",\"ack_policy\":\"explicit\",\"max_ack_pending\":10}");
    for (uint64_t seq = 1; seq <= 12000; seq++) {
        struct stream_ack ack;
        assert_int_equal(streamkit_try(kit->stream, "a.x", "", NULL, &ack), STATUS_OK);
        if (seq % 100 == 0)
            consumerkit_commit(kit);
    }
    for (uint64_t seq = 1; seq <= 12000; seq++) {
        consumerkit_pull(kit, consumer, "1", "in");
        while (consumer_poll(consumer, kit->stream->now_ns, &kit->storage, &out))
            ;
        assert_int_equal(consumerkit_ack(kit, consumer, seq, ""), STATUS_OK);
        if (seq % 100 == 0)
            consumerkit_commit(kit);
    }
    msglog_state_get(stream_get_consumer_log(kit->stream->stream), &log);
    // Without that it would be of 500 KB.
    assert_in_range(log.bytes, 1, 300000);
    consumer = reopen(kit);
    assert_int_equal(consumerkit_info(kit, consumer).ack_floor.stream_seq, 12000);
    assert_int_equal(consumerkit_info(kit, consumer).pending, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONSUMER_TEST(committed_acknowledgements_and_deliveries_outlive_a_crash),
        CONSUMER_TEST(what_was_not_committed_happens_again),
        CONSUMER_TEST(times_and_counts_of_deliveries_outlive_a_restart),
        CONSUMER_TEST(ephemeral_consumers_do_not_outlive_a_restart),
        CONSUMER_TEST(a_deleted_consumer_stays_deleted_and_its_name_is_free),
        CONSUMER_TEST(changes_pauses_and_resets_outlive_a_restart),
        CONSUMER_TEST(what_went_from_the_stream_meanwhile_is_not_pending),
        CONSUMER_TEST(the_log_is_made_short_when_it_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
