// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "streamkit.h"

#include <stdio.h>
#include <string.h>

static const char plain[] = "{\"name\":\"S\",\"subjects\":[\"a.>\"]}";

// Sequences 1 to 9: a.x a.y a.z and again.
static void fill(struct streamkit *kit, const char *json)
{
    static const char *const subjects[] = {"a.x", "a.y", "a.z"};
    streamkit_create(kit, json);
    for (size_t i = 0; i < 9; i++) {
        char body[32];
        snprintf(body, sizeof body, "the body of %zu", i + 1);
        streamkit_put(kit, subjects[i % 3], body);
    }
}

// Expects just these sequences to be left, before and after a reopen.
static void expect_left(struct streamkit *kit, const char *digits)
{
    for (int round = 0; round < 2; round++) {
        char left[16] = "";
        struct msglog_message message;
        for (uint64_t seq = 1; seq <= 9; seq++) {
            if (stream_get(kit->stream, seq, MSGLOG_HEAD, &kit->storage, &message, NULL) ==
                STATUS_OK)
                snprintf(left + strlen(left), 2, "%d", (int)seq);
        }
        assert_string_equal(left, digits);
        assert_int_equal(streamkit_state(kit).messages, strlen(digits));
        assert_int_equal(streamkit_state(kit).last_seq, 9);
        streamkit_commit(kit);
        streamkit_reopen(kit);
    }
}

static uint64_t purge(struct streamkit *kit, struct stream_purge what)
{
    uint64_t purged;
    if (stream_purge(kit->stream, &what, &purged, &kit->err) != STATUS_OK)
        fail_msg("purge: %s", kit->err.text);
    return purged;
}

static void a_deleted_message_is_gone_at_once_and_for_good(void **state)
{
    struct streamkit *kit = *state;
    fill(kit, plain);
    assert_int_equal(stream_delete_message(kit->stream, 4, false, NULL), STATUS_OK);
    streamkit_expect(kit, 4, NULL);
    expect_left(kit, "12356789");
    assert_int_equal(stream_delete_message(kit->stream, 4, false, &kit->err), STATUS_NOT_FOUND);
    streamkit_expect_error(kit, 10043, "sequence 4 not found");
    assert_int_equal(stream_delete_message(kit->stream, 0, false, &kit->err), STATUS_NOT_FOUND);
    streamkit_expect_error(kit, 10043, "sequence 0 not found");
}

static void a_deletion_that_was_not_committed_is_undone_by_a_crash(void **state)
{
    struct streamkit *kit = *state;
    fill(kit, plain);
    assert_int_equal(stream_delete_message(kit->stream, 4, false, NULL), STATUS_OK);
    streamkit_reopen(kit);
    expect_left(kit, "123456789");
}

static void an_erased_message_leaves_no_bytes_on_disk(void **state)
{
    struct streamkit *kit = *state;
    fill(kit, plain);
    assert_true(simhost_contains(kit->sim, BYTES("the body of 4")));
    assert_int_equal(stream_delete_message(kit->stream, 4, true, NULL), STATUS_OK);
    streamkit_commit(kit);
    assert_int_equal(msglog_erase_pending(stream_get_log(kit->stream), NULL), STATUS_OK);
    assert_false(simhost_contains(kit->sim, BYTES("the body of 4")));
    assert_true(simhost_contains(kit->sim, BYTES("the body of 5")));
    expect_left(kit, "12356789");
}

static void deleting_and_purging_can_be_denied(void **state)
{
    struct streamkit *kit = *state;
    uint64_t purged = 77;
    fill(kit, "{\"name\":\"S\",\"subjects\":[\"a.>\"],\"deny_delete\":true,\"deny_purge\":true}");
    assert_int_equal(stream_delete_message(kit->stream, 4, false, &kit->err), STATUS_DENIED);
    streamkit_expect_error(kit, 10057, "message delete not permitted");
    assert_int_equal(
        stream_purge(kit->stream, &(struct stream_purge){.keep = 0}, &purged, &kit->err),
        STATUS_DENIED);
    streamkit_expect_error(kit, 10110, "stream purge not permitted");
    assert_int_equal(purged, 77);
    expect_left(kit, "123456789");
}

static void limits_remove_where_deleting_is_denied(void **state)
{
    struct streamkit *kit = *state;
    fill(kit, "{\"name\":\"S\",\"subjects\":[\"a.>\"],\"deny_delete\":true,\"deny_purge\":true,"
              "\"max_msgs\":2}");
    expect_left(kit, "89");
}

static void nothing_leaves_a_sealed_stream(void **state)
{
    struct streamkit *kit = *state;
    uint64_t purged;
    fill(kit, "{\"name\":\"S\",\"subjects\":[\"a.>\"],\"max_age\":1000000000,"
              "\"duplicate_window\":1000000000}");
    streamkit_update(kit, "{\"name\":\"S\",\"subjects\":[\"a.>\"],\"max_age\":1000000000,"
                          "\"duplicate_window\":1000000000,\"sealed\":true}");
    assert_int_equal(stream_delete_message(kit->stream, 4, false, &kit->err), STATUS_DENIED);
    streamkit_expect_error(kit, 10109, "invalid operation on sealed stream");
    assert_int_equal(
        stream_purge(kit->stream, &(struct stream_purge){.keep = 0}, &purged, &kit->err),
        STATUS_DENIED);
    streamkit_expect_error(kit, 10109, "invalid operation on sealed stream");
    kit->now_ns += 10 * (int64_t)SECOND;
    assert_int_equal(stream_expire(kit->stream, kit->now_ns, NULL), STATUS_OK);
    expect_left(kit, "123456789");
}

static void a_purge_takes_everything_and_keeps_the_sequence(void **state)
{
    struct streamkit *kit = *state;
    fill(kit, plain);
    assert_int_equal(purge(kit, (struct stream_purge){.keep = 0}), 9);
    assert_int_equal(streamkit_state(kit).first_seq, 10);
    assert_int_equal(streamkit_state(kit).bytes, 0);
    assert_int_equal(streamkit_state(kit).num_subjects, 0);
    expect_left(kit, "");
    assert_int_equal(purge(kit, (struct stream_purge){.keep = 0}), 0);
    assert_int_equal(streamkit_put(kit, "a.x", "ten"), 10);
}

static void a_purge_up_to_a_sequence_spares_that_sequence(void **state)
{
    struct streamkit *kit = *state;
    fill(kit, plain);
    assert_int_equal(purge(kit, (struct stream_purge){.up_to_seq = 1}), 0);
    assert_int_equal(purge(kit, (struct stream_purge){.up_to_seq = 4}), 3);
    expect_left(kit, "456789");
    assert_int_equal(purge(kit, (struct stream_purge){.filter = BYTES(">"), .up_to_seq = 6}), 2);
    expect_left(kit, "6789");
    assert_int_equal(purge(kit, (struct stream_purge){.up_to_seq = 100}), 4);
    expect_left(kit, "");
}

static void a_purge_keeps_the_newest_it_is_told_to(void **state)
{
    struct streamkit *kit = *state;
    fill(kit, plain);
    assert_int_equal(stream_delete_message(kit->stream, 8, false, NULL), STATUS_OK);
    assert_int_equal(purge(kit, (struct stream_purge){.keep = 3}), 5);
    expect_left(kit, "679");
    assert_int_equal(purge(kit, (struct stream_purge){.keep = 3}), 0);
    assert_int_equal(purge(kit, (struct stream_purge){.keep = 100}), 0);
    expect_left(kit, "679");
}

static void a_filter_limits_a_purge_to_its_subjects(void **state)
{
    struct streamkit *kit = *state;
    fill(kit, plain);
    assert_int_equal(purge(kit, (struct stream_purge){.filter = BYTES("a.y"), .up_to_seq = 8}), 2);
    expect_left(kit, "1346789");
    assert_int_equal(purge(kit, (struct stream_purge){.filter = BYTES("a.x"), .keep = 1}), 2);
    expect_left(kit, "36789");
    assert_int_equal(purge(kit, (struct stream_purge){.filter = BYTES("a.*"), .keep = 3}), 2);
    expect_left(kit, "789");
    assert_int_equal(purge(kit, (struct stream_purge){.filter = BYTES("a.nothing")}), 0);
    assert_int_equal(purge(kit, (struct stream_purge){.filter = BYTES("b.>")}), 0);
    assert_int_equal(purge(kit, (struct stream_purge){.filter = BYTES("*.z")}), 1);
    expect_left(kit, "78");
}

static void a_sequence_and_a_number_to_keep_exclude_each_other(void **state)
{
    struct streamkit *kit = *state;
    uint64_t purged;
    struct stream_purge both = {.up_to_seq = 3, .keep = 1};
    fill(kit, plain);
    assert_int_equal(stream_purge(kit->stream, &both, &purged, &kit->err), STATUS_INVALID);
    streamkit_expect_error(kit, 10003,
                           "bad request: a purge takes a sequence or a number to keep, not both");
    expect_left(kit, "123456789");
}

static void a_purge_takes_what_is_only_staged_too(void **state)
{
    struct streamkit *kit = *state;
    struct stream_ack ack;
    streamkit_create(kit, plain);
    streamkit_put(kit, "a.x", "one");
    assert_int_equal(streamkit_try(kit, "a.x", "two", NULL, &ack), STATUS_OK);
    assert_int_equal(purge(kit, (struct stream_purge){.keep = 0}), 2);
    streamkit_commit(kit);
    streamkit_expect(kit, 2, NULL);
    assert_int_equal(streamkit_put(kit, "a.x", "three"), 3);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, streamkit_setup, streamkit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_deleted_message_is_gone_at_once_and_for_good),
        TEST(a_deletion_that_was_not_committed_is_undone_by_a_crash),
        TEST(an_erased_message_leaves_no_bytes_on_disk),
        TEST(deleting_and_purging_can_be_denied),
        TEST(limits_remove_where_deleting_is_denied),
        TEST(nothing_leaves_a_sealed_stream),
        TEST(a_purge_takes_everything_and_keeps_the_sequence),
        TEST(a_purge_up_to_a_sequence_spares_that_sequence),
        TEST(a_purge_keeps_the_newest_it_is_told_to),
        TEST(a_filter_limits_a_purge_to_its_subjects),
        TEST(a_sequence_and_a_number_to_keep_exclude_each_other),
        TEST(a_purge_takes_what_is_only_staged_too),
    };
    return cmocka_run_group_tests_name("remove", tests, NULL, NULL);
}
