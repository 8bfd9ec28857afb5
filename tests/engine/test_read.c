// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "streamkit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char plain[] = "{\"name\":\"S\",\"subjects\":[\"a.>\"]}";

// Six messages of three subjects; the body is the sequence.
static void fill(struct streamkit *kit)
{
    static const char *const subjects[] = {"a.x", "a.y", "a.x", "a.z.1", "a.x", "a.y"};
    streamkit_create(kit, plain);
    for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++) {
        char body[16];
        snprintf(body, sizeof body, "%zu", i + 1);
        streamkit_put(kit, subjects[i], body);
    }
}

static uint64_t next(struct streamkit *kit, uint64_t seq, const char *pattern)
{
    return stream_find_next(kit->stream, seq, bytes_of_string(pattern));
}

static void the_last_of_a_subject_or_pattern_is_found(void **state)
{
    struct streamkit *kit = *state;
    fill(kit);
    streamkit_expect_last(kit, "a.x", "5");
    streamkit_expect_last(kit, "a.y", "6");
    streamkit_expect_last(kit, "a.z.1", "4");
    streamkit_expect_last(kit, "a.*", "6");
    streamkit_expect_last(kit, "a.z.*", "4");
    streamkit_expect_last(kit, ">", "6");
    streamkit_expect_last(kit, "a.nothing", NULL);
    streamkit_expect_last(kit, "b.>", NULL);
    streamkit_expect_last(kit, "", NULL);
}

static void the_next_of_a_subject_or_pattern_is_found_from_any_sequence(void **state)
{
    struct streamkit *kit = *state;
    fill(kit);
    assert_int_equal(next(kit, 0, "a.x"), 1);
    assert_int_equal(next(kit, 1, "a.x"), 1);
    assert_int_equal(next(kit, 2, "a.x"), 3);
    assert_int_equal(next(kit, 4, "a.x"), 5);
    assert_int_equal(next(kit, 5, "a.x"), 5);
    assert_int_equal(next(kit, 6, "a.x"), 0);
    assert_int_equal(next(kit, 4, "a.y"), 6);
    assert_int_equal(next(kit, 0, "a.z.>"), 4);
    assert_int_equal(next(kit, 5, "a.z.>"), 0);
    assert_int_equal(next(kit, 4, "a.*"), 5);
    assert_int_equal(next(kit, 3, ">"), 3);
    assert_int_equal(next(kit, 3, ""), 3);
    assert_int_equal(next(kit, 7, ">"), 0);
    assert_int_equal(next(kit, UINT64_MAX, ">"), 0);
    assert_int_equal(next(kit, 0, "a.nothing"), 0);
}

static void what_is_only_staged_is_neither_last_nor_next_nor_counted(void **state)
{
    struct streamkit *kit = *state;
    struct stream_ack ack;
    struct stream_state before, after;
    fill(kit);
    before = streamkit_state(kit);
    assert_int_equal(streamkit_try(kit, "a.x", "7", NULL, &ack), STATUS_OK);
    assert_int_equal(streamkit_try(kit, "a.new", "8", NULL, &ack), STATUS_OK);
    after = streamkit_state(kit);
    assert_memory_equal(&before, &after, sizeof before);
    streamkit_expect_last(kit, "a.x", "5");
    streamkit_expect_last(kit, "a.new", NULL);
    assert_int_equal(next(kit, 6, "a.x"), 0);
    assert_int_equal(next(kit, 7, ">"), 0);
    streamkit_commit(kit);
    assert_int_equal(next(kit, 6, "a.x"), 7);
    assert_int_equal(streamkit_state(kit).num_subjects, 4);
}

static void removed_messages_are_passed_over(void **state)
{
    struct streamkit *kit = *state;
    fill(kit);
    assert_int_equal(stream_delete_message(kit->stream, 5, false, NULL), STATUS_OK);
    assert_int_equal(stream_delete_message(kit->stream, 3, false, NULL), STATUS_OK);
    streamkit_commit(kit);
    streamkit_expect_last(kit, "a.x", "1");
    assert_int_equal(next(kit, 2, "a.x"), 0);
    assert_int_equal(next(kit, 3, ">"), 4);
    assert_int_equal(streamkit_state(kit).num_deleted, 2);
}

static void the_last_of_each_subject_comes_in_rising_order(void **state)
{
    struct streamkit *kit = *state;
    struct stream_ack ack;
    struct stream_last *list;
    size_t count;
    fill(kit);
    assert_int_equal(streamkit_try(kit, "a.x", "7", NULL, &ack), STATUS_OK);
    assert_int_equal(stream_find_last_each(kit->stream, BYTES(">"), &list, &count, NULL),
                     STATUS_OK);
    assert_int_equal(count, 3);
    assert_true(list[0].seq == 4 && list[1].seq == 5 && list[2].seq == 6);
    free(list);
    assert_int_equal(stream_find_last_each(kit->stream, BYTES("a.y"), &list, &count, NULL),
                     STATUS_OK);
    assert_true(count == 1 && list[0].seq == 6);
    free(list);
    assert_int_equal(stream_find_last_each(kit->stream, BYTES("b"), &list, &count, NULL),
                     STATUS_OK);
    assert_int_equal(count, 0);
    free(list);
}

static enum status write_down(void *context, struct bytes subject, uint64_t count)
{
    buf_printf(context, "%.*s=%d ", BYTES_ARG(subject), (int)count);
    return STATUS_OK;
}

static enum status refuse(void *context, struct bytes subject, uint64_t count)
{
    (void)subject;
    (void)count;
    ++*(int *)context;
    return STATUS_LIMIT;
}

static void subjects_are_counted_in_byte_order(void **state)
{
    struct streamkit *kit = *state;
    struct stream_ack ack;
    struct buf out;
    int visits = 0;
    fill(kit);
    assert_int_equal(streamkit_try(kit, "a.x", "7", NULL, &ack), STATUS_OK);
    assert_int_equal(streamkit_try(kit, "a.a", "8", NULL, &ack), STATUS_OK);
    buf_init(&out, 1000);
    assert_int_equal(stream_subjects(kit->stream, BYTES(">"), write_down, &out, NULL), STATUS_OK);
    assert_int_equal(stream_subjects(kit->stream, BYTES("a.*"), write_down, &out, NULL), STATUS_OK);
    assert_string_equal(buf_string(&out), "a.x=3 a.y=2 a.z.1=1 a.x=3 a.y=2 ");
    buf_fini(&out);
    assert_int_equal(stream_subjects(kit->stream, BYTES(">"), refuse, &visits, NULL), STATUS_LIMIT);
    assert_int_equal(visits, 1);
}

static void what_is_gone_between_first_and_last_is_listed(void **state)
{
    struct streamkit *kit = *state;
    struct stream_ack ack;
    uint64_t seqs[8];
    fill(kit);
    assert_int_equal(stream_deleted(kit->stream, seqs, 8), 0);
    for (uint64_t seq = 1; seq <= 6; seq++) {
        if (seq != 2 && seq != 4)
            assert_int_equal(stream_delete_message(kit->stream, seq, false, NULL), STATUS_OK);
    }
    assert_int_equal(streamkit_try(kit, "a.x", "7", NULL, &ack), STATUS_OK);
    assert_int_equal(stream_deleted(kit->stream, seqs, 8), 3);
    assert_true(seqs[0] == 3 && seqs[1] == 5 && seqs[2] == 6);
    assert_int_equal(stream_deleted(kit->stream, seqs, 2), 2);
    assert_int_equal(streamkit_state(kit).num_deleted, 3);
    assert_int_equal(streamkit_state(kit).first_seq, 2);
}

static void a_head_comes_without_the_body(void **state)
{
    struct streamkit *kit = *state;
    struct stream_ack ack;
    struct msglog_message message;
    streamkit_create(kit, plain);
    assert_int_equal(streamkit_try(kit, "a.x", "body", "A: b", &ack), STATUS_OK);
    streamkit_commit(kit);
    assert_int_equal(
        stream_get_last(kit->stream, BYTES("a.x"), MSGLOG_HEAD, &kit->storage, &message, NULL),
        STATUS_OK);
    assert_true(bytes_equal(message.subject, BYTES("a.x")));
    assert_true(bytes_equal(message.headers, BYTES("NATS/1.0\r\nA: b\r\n\r\n")));
    assert_true(message.seq == 1 && message.time_ns == kit->now_ns);
    assert_int_equal(message.body.size, 0);
}

static void a_range_of_a_body_is_cut_at_its_end(void **state)
{
    struct streamkit *kit = *state;
    struct bytes range;
    streamkit_create(kit, plain);
    streamkit_put(kit, "a.x", "0123456789");
    struct stream_range wanted = {.seq = 1, .from = 7, .size = 100};
    assert_int_equal(stream_get_range(kit->stream, &wanted, &kit->storage, &range, NULL),
                     STATUS_OK);
    assert_true(bytes_equal(range, BYTES("789")));
    wanted.seq = 2;
    assert_int_equal(stream_get_range(kit->stream, &wanted, &kit->storage, &range, &kit->err),
                     STATUS_NOT_FOUND);
    streamkit_expect_error(kit, 10037, "no message found");
}

static void the_state_counts_from_the_first_message_to_the_last(void **state)
{
    struct streamkit *kit = *state;
    streamkit_create(kit, plain);
    struct stream_state empty = streamkit_state(kit);
    assert_true(empty.messages == 0 && empty.first_seq == 0 && empty.last_seq == 0);
    assert_true(empty.first_time_ns == 0 && empty.last_time_ns == 0 && empty.num_deleted == 0);
    int64_t first_ns = kit->now_ns;
    streamkit_put(kit, "a.x", "1");
    kit->now_ns += SECOND;
    streamkit_put(kit, "a.y", "2");
    struct stream_state two = streamkit_state(kit);
    assert_true(two.messages == 2 && two.first_seq == 1 && two.last_seq == 2);
    assert_true(two.first_time_ns == first_ns && two.last_time_ns == kit->now_ns);
    assert_true(two.num_subjects == 2 && two.bytes == 2 * (22 + 3 + 1 + 8));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, streamkit_setup, streamkit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_last_of_a_subject_or_pattern_is_found),
        TEST(the_next_of_a_subject_or_pattern_is_found_from_any_sequence),
        TEST(what_is_only_staged_is_neither_last_nor_next_nor_counted),
        TEST(removed_messages_are_passed_over),
        TEST(the_last_of_each_subject_comes_in_rising_order),
        TEST(subjects_are_counted_in_byte_order),
        TEST(what_is_gone_between_first_and_last_is_listed),
        TEST(a_head_comes_without_the_body),
        TEST(a_range_of_a_body_is_cut_at_its_end),
        TEST(the_state_counts_from_the_first_message_to_the_last),
    };
    return cmocka_run_group_tests_name("read", tests, NULL, NULL);
}
