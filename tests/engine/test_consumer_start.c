// SPDX-License-Identifier: Apache-2.0
// Where a consumer begins, what it takes, and how many messages it says are left.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "consumerkit.h"

#include <stdio.h>

// Messages 1 to 6 on a.x a.y a.x a.z a.y a.x, a second apart, each with its number as the body.
static void fill(struct consumerkit *kit)
{
    static const char *const subjects[] = {"a.x", "a.y", "a.x", "a.z", "a.y", "a.x"};
    consumerkit_create(kit, "{\"name\":\"S\",\"subjects\":[\"a.>\"]}");
    for (int i = 0; i < 6; i++) {
        char body[8];
        snprintf(body, sizeof body, "%d", i + 1);
        consumerkit_put(kit, subjects[i], body);
        consumerkit_wait(kit, 1000);
    }
}

// Expects a consumer with these settings to deliver this, having said how much it is.
static void expect(struct consumerkit *kit, const char *settings, uint64_t left, const char *lines)
{
    char json[512];
    snprintf(json, sizeof json, "{\"ack_policy\":\"none\",%s}", settings);
    struct consumer *consumer = consumerkit_make(kit, json);
    assert_int_equal(consumerkit_info(kit, consumer).pending, left);
    consumerkit_pull(kit, consumer, "99", "in");
    consumerkit_expect(kit, consumer, lines);
    assert_int_equal(consumerkit_info(kit, consumer).pending, 0);
    assert_int_equal(consumer_delete(consumer, &kit->err), STATUS_OK);
}

static void each_policy_begins_where_it_says(void **state)
{
    struct consumerkit *kit = *state;
    fill(kit);
    expect(kit, "\"deliver_policy\":\"all\",\"filter_subject\":\"a.z\"", 1, "in a.z 4/1 x1 +0 4\n");
    expect(kit, "\"deliver_policy\":\"last\"", 1, "in a.x 6/1 x1 +0 6\n");
    expect(kit, "\"deliver_policy\":\"last\",\"filter_subject\":\"a.y\"", 1,
           "in a.y 5/1 x1 +0 5\n");
    expect(kit, "\"deliver_policy\":\"last\",\"filter_subjects\":[\"a.y\",\"a.z\"]", 1,
           "in a.y 5/1 x1 +0 5\n");
    expect(kit, "\"deliver_policy\":\"new\"", 0, "");
    expect(kit, "\"deliver_policy\":\"by_start_sequence\",\"opt_start_seq\":5", 2,
           "in a.y 5/1 x1 +1 5\nin a.x 6/2 x1 +0 6\n");
    expect(kit, "\"deliver_policy\":\"by_start_sequence\",\"opt_start_seq\":50", 0, "");
    expect(kit, "\"deliver_policy\":\"by_start_time\",\"opt_start_time\":\"1970-01-01T00:16:44Z\"",
           2, "in a.y 5/1 x1 +1 5\nin a.x 6/2 x1 +0 6\n");
    expect(kit, "\"deliver_policy\":\"by_start_time\",\"opt_start_time\":\"1970-01-01T01:16:44Z\"",
           0, "");
}

static void the_last_of_each_subject_comes_first_and_then_what_is_new(void **state)
{
    struct consumerkit *kit = *state;
    fill(kit);
    struct consumer *consumer = consumerkit_make(
        kit, "{\"durable_name\":\"C\",\"ack_policy\":\"explicit\","
             "\"deliver_policy\":\"last_per_subject\",\"filter_subject\":\"a.*\"}");
    assert_int_equal(consumerkit_info(kit, consumer).pending, 3);
    consumerkit_put(kit, "a.x", "7");
    assert_int_equal(consumerkit_info(kit, consumer).pending, 4);
    // One of them goes before it is delivered.
    assert_int_equal(stream_delete_message(kit->stream->stream, 5, false, &kit->err), STATUS_OK);
    consumerkit_commit(kit);
    assert_int_equal(consumerkit_info(kit, consumer).pending, 3);
    consumerkit_pull(kit, consumer, "1", "in");
    consumerkit_expect(kit, consumer, "in a.z 4/1 x1 +2 4\n");
    // The rest of the list outlives the process.
    consumerkit_commit(kit);
    consumerkit_reopen(kit);
    consumer = consumerkit_find(kit, "C");
    assert_int_equal(consumerkit_info(kit, consumer).pending, 2);
    consumerkit_pull(kit, consumer, "9", "in");
    consumerkit_expect(kit, consumer, "in a.x 6/2 x1 +1 6\nin a.x 7/3 x1 +0 7\n");
}

static void what_is_only_staged_comes_once(void **state)
{
    struct consumerkit *kit = *state;
    struct stream_ack ack;
    fill(kit);
    assert_int_equal(streamkit_try(kit->stream, "a.new", "7", NULL, &ack), STATUS_OK);
    struct consumer_made made;
    assert_int_equal(consumerkit_try(kit,
                                     "{\"ack_policy\":\"none\",\"filter_subject\":\"a.new\","
                                     "\"deliver_policy\":\"last_per_subject\"}",
                                     CONSUMER_CREATE, &made),
                     STATUS_OK);
    assert_int_equal(consumerkit_info(kit, made.consumer).pending, 0);
    consumerkit_commit(kit);
    consumerkit_pull(kit, made.consumer, "9", "in");
    consumerkit_expect(kit, made.consumer, "in a.new 7/1 x1 +0 7\n");
}

static void several_filters_are_one_selection(void **state)
{
    struct consumerkit *kit = *state;
    fill(kit);
    expect(kit, "\"filter_subjects\":[\"a.z\",\"a.y\"]", 3,
           "in a.y 2/1 x1 +2 2\nin a.z 4/2 x1 +1 4\nin a.y 5/3 x1 +0 5\n");
}

static void a_changed_filter_counts_anew(void **state)
{
    struct consumerkit *kit = *state;
    fill(kit);
    struct consumer *consumer = consumerkit_make(
        kit, "{\"durable_name\":\"C\",\"ack_policy\":\"explicit\",\"filter_subject\":\"a.x\"}");
    consumerkit_pull(kit, consumer, "1", "in");
    consumerkit_expect(kit, consumer, "in a.x 1/1 x1 +2 1\n");
    consumerkit_make(
        kit, "{\"durable_name\":\"C\",\"ack_policy\":\"explicit\",\"filter_subject\":\"a.y\"}");
    consumerkit_pull(kit, consumer, "9", "in");
    consumerkit_expect(kit, consumer, "in a.y 2/2 x1 +1 2\nin a.y 5/3 x1 +0 5\n");
}

static void what_goes_from_the_stream_is_not_counted_any_more(void **state)
{
    struct consumerkit *kit = *state;
    uint64_t purged;
    fill(kit);
    struct consumer *consumer = consumerkit_make(
        kit, "{\"durable_name\":\"C\",\"ack_policy\":\"explicit\",\"filter_subject\":\"a.*\"}");
    consumerkit_pull(kit, consumer, "1", "in");
    consumerkit_expect(kit, consumer, "in a.x 1/1 x1 +5 1\n");
    struct stream_purge purge = {.filter = BYTES("a.y")};
    assert_int_equal(stream_purge(kit->stream->stream, &purge, &purged, &kit->err), STATUS_OK);
    consumerkit_commit(kit);
    assert_int_equal(consumerkit_info(kit, consumer).pending, 3);
    purge = (struct stream_purge){.up_to_seq = 6};
    assert_int_equal(stream_purge(kit->stream->stream, &purge, &purged, &kit->err), STATUS_OK);
    consumerkit_commit(kit);
    assert_int_equal(consumerkit_info(kit, consumer).pending, 1);
    assert_int_equal(consumerkit_info(kit, consumer).ack_pending, 0);
}

// Sequences that no client ever asked about do not make a consumer look at them one by one: the
// counts stay right whichever way is taken.
static void few_messages_are_found_among_many(void **state)
{
    struct consumerkit *kit = *state;
    struct stream_ack ack;
    consumerkit_create(kit, "{\"name\":\"S\",\"subjects\":[\"a.>\"]}");
    for (int i = 1; i <= 3000; i++)
        assert_int_equal(streamkit_try(kit->stream,
                                       i % 1000 == 0  ? "a.rare.1"
                                       : i % 700 == 0 ? "a.rare.2"
                                                      : "a.much",
                                       "", NULL, &ack),
                         STATUS_OK);
    consumerkit_commit(kit);
    expect(kit, "\"filter_subject\":\"a.rare.*\"", 7,
           "in a.rare.2 700/1 x1 +6 \nin a.rare.1 1000/2 x1 +5 \nin a.rare.2 1400/3 x1 +4 \n"
           "in a.rare.1 2000/4 x1 +3 \nin a.rare.2 2100/5 x1 +2 \nin a.rare.2 2800/6 x1 +1 \n"
           "in a.rare.1 3000/7 x1 +0 \n");
    expect(kit,
           "\"deliver_policy\":\"by_start_sequence\",\"opt_start_seq\":1500,"
           "\"filter_subject\":\"a.rare.*\"",
           4,
           "in a.rare.1 2000/1 x1 +3 \nin a.rare.2 2100/2 x1 +2 \nin a.rare.2 2800/3 x1 +1 \n"
           "in a.rare.1 3000/4 x1 +0 \n");
    expect(kit,
           "\"deliver_policy\":\"by_start_sequence\",\"opt_start_seq\":1001,"
           "\"filter_subject\":\"a.rare.1\"",
           2, "in a.rare.1 2000/1 x1 +1 \nin a.rare.1 3000/2 x1 +0 \n");
}

static void an_info_says_what_was_delivered_and_what_is_left(void **state)
{
    struct consumerkit *kit = *state;
    uint64_t purged;
    fill(kit);
    struct stream_purge purge = {.up_to_seq = 3};
    assert_int_equal(stream_purge(kit->stream->stream, &purge, &purged, &kit->err), STATUS_OK);
    consumerkit_commit(kit);
    struct consumer *consumer = consumerkit_make(
        kit, "{\"durable_name\":\"C\",\"ack_policy\":\"explicit\"}");
    struct consumer_info info = consumerkit_info(kit, consumer);
    assert_int_equal(info.delivered.stream_seq, 2);
    assert_int_equal(info.delivered.consumer_seq, 0);
    assert_int_equal(info.ack_floor.stream_seq, 2);
    assert_int_equal(info.pending, 4);
    consumerkit_pull(kit, consumer, "2", "in");
    consumerkit_expect(kit, consumer, "in a.x 3/1 x1 +3 3\nin a.z 4/2 x1 +2 4\n");
    info = consumerkit_info(kit, consumer);
    assert_int_equal(info.delivered.stream_seq, 4);
    assert_int_equal(info.delivered.consumer_seq, 2);
    assert_true(info.delivered.active_ns == kit->stream->now_ns);
    assert_int_equal(info.ack_floor.stream_seq, 2);
    assert_int_equal(info.ack_pending, 2);
    assert_int_equal(info.pending, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONSUMER_TEST(each_policy_begins_where_it_says),
        CONSUMER_TEST(the_last_of_each_subject_comes_first_and_then_what_is_new),
        CONSUMER_TEST(what_is_only_staged_comes_once),
        CONSUMER_TEST(several_filters_are_one_selection),
        CONSUMER_TEST(a_changed_filter_counts_anew),
        CONSUMER_TEST(what_goes_from_the_stream_is_not_counted_any_more),
        CONSUMER_TEST(few_messages_are_found_among_many),
        CONSUMER_TEST(an_info_says_what_was_delivered_and_what_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
