// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/msglog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// A directory of its own for each test, and the path of a log in it.
struct place {
    char directory[64];
    char log[80];
};

static int make_place(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    strcpy(place->directory, "/tmp/agog-msglog-XXXXXX");
    assert_non_null(mkdtemp(place->directory));
    snprintf(place->log, sizeof place->log, "%s/log", place->directory);
    *state = place;
    return 0;
}

static void remove_name(void *context, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", (const char *)context, name);
    unlink(path);
}

static int remove_place(void **state)
{
    struct place *place = *state;
    host_posix()->list(NULL, place->log, remove_name, place->log);
    rmdir(place->log);
    rmdir(place->directory);
    free(place);
    return 0;
}

static struct msglog *open_log(const struct place *place, uint64_t segment_bytes)
{
    struct errinfo err = {0};
    struct msglog *log = NULL;
    struct msglog_options options = {.segment_bytes = segment_bytes};
    enum status status = msglog_open(&log, host_posix(), place->log, &options, &err);
    if (status != STATUS_OK)
        fail_msg("open: %s", err.text);
    return log;
}

static struct msglog *new_log(const struct place *place, uint64_t segment_bytes)
{
    struct errinfo err = {0};
    if (msglog_create(host_posix(), place->log, 1, &err) != STATUS_OK)
        fail_msg("create: %s", err.text);
    return open_log(place, segment_bytes);
}

static void append(struct msglog *log, uint64_t seq, const char *body)
{
    struct errinfo err = {0};
    struct msglog_message message = {.seq = seq,
                                     .time_ns = (int64_t)seq * 1000,
                                     .subject = BYTES("a.b"),
                                     .headers = BYTES("NATS/1.0\r\nA: b\r\n\r\n"),
                                     .body = bytes_of_string(body)};
    if (msglog_append(log, &message, &err) != STATUS_OK)
        fail_msg("append: %s", err.text);
}

static void commit(struct msglog *log)
{
    struct errinfo err = {0};
    if (msglog_commit(log, &err) != STATUS_OK)
        fail_msg("commit: %s", err.text);
}

static void expect(struct msglog *log, uint64_t seq, const char *body)
{
    struct errinfo err = {0};
    struct buf storage;
    struct msglog_message message;
    buf_init(&storage, SIZE_MAX);
    if (msglog_read(log, seq, MSGLOG_ALL, &storage, &message, &err) != STATUS_OK)
        fail_msg("read %d: %s", (int)seq, err.text);
    assert_true(bytes_equal(message.body, bytes_of_string(body)));
    assert_true(bytes_equal(message.subject, BYTES("a.b")));
    assert_true(bytes_equal(message.headers, BYTES("NATS/1.0\r\nA: b\r\n\r\n")));
    assert_true(message.seq == seq && message.time_ns == (int64_t)seq * 1000);
    buf_fini(&storage);
}

static enum status read_status(struct msglog *log, uint64_t seq)
{
    struct buf storage;
    struct msglog_message message;
    buf_init(&storage, SIZE_MAX);
    enum status status = msglog_read(log, seq, MSGLOG_ALL, &storage, &message, NULL);
    buf_fini(&storage);
    return status;
}

static struct msglog_state state_of(const struct msglog *log)
{
    struct msglog_state state;
    msglog_state_get(log, &state);
    return state;
}

static void a_new_log_begins_at_the_sequence_it_was_given(void **state)
{
    const struct place *place = *state;
    assert_int_equal(msglog_create(host_posix(), place->log, 41, NULL), STATUS_OK);
    assert_int_equal(msglog_create(host_posix(), place->log, 41, NULL), STATUS_EXISTS);
    struct msglog *log = open_log(place, 0);
    assert_int_equal(state_of(log).first_seq, 41);
    assert_int_equal(state_of(log).last_seq, 40);
    msglog_close(log);
}

static void what_was_committed_is_read_back_and_survives_a_reopen(void **state)
{
    struct msglog *log = new_log(*state, 0);
    append(log, 1, "one");
    append(log, 2, "");
    append(log, 7, "seven");
    assert_int_equal(read_status(log, 1), STATUS_NOT_FOUND);
    commit(log);
    for (int round = 0; round < 3; round++) {
        expect(log, 1, "one");
        expect(log, 2, "");
        expect(log, 7, "seven");
        assert_int_equal(read_status(log, 3), STATUS_NOT_FOUND);
        assert_int_equal(state_of(log).messages, 3);
        assert_int_equal(state_of(log).last_seq, 7);
        msglog_close(log);
        log = open_log(*state, 0);
    }
    msglog_close(log);
}

static void what_was_not_committed_is_gone_after_a_reopen(void **state)
{
    struct msglog *log = new_log(*state, 0);
    append(log, 1, "one");
    commit(log);
    append(log, 2, "two");
    msglog_close(log);
    log = open_log(*state, 0);
    assert_int_equal(state_of(log).last_seq, 1);
    append(log, 2, "another two");
    commit(log);
    expect(log, 2, "another two");
    msglog_close(log);
}

static void an_index_that_is_missing_is_rebuilt(void **state)
{
    const struct place *place = *state;
    struct msglog *log = new_log(place, 0);
    append(log, 1, "one");
    append(log, 2, "two");
    commit(log);
    msglog_close(log);
    char path[128];
    snprintf(path, sizeof path, "%s/0000000000000001.idx", place->log);
    assert_int_equal(unlink(path), 0);
    log = open_log(place, 0);
    expect(log, 1, "one");
    expect(log, 2, "two");
    msglog_close(log);
    assert_int_equal(access(path, F_OK), 0);
}

static void a_full_segment_is_followed_by_another(void **state)
{
    struct msglog *log = new_log(*state, 4096);
    static char body[1001];
    memset(body, 'x', sizeof body - 1);
    for (uint64_t seq = 1; seq <= 40; seq++) {
        append(log, seq, body);
        if (seq % 7 == 0)
            commit(log);
    }
    commit(log);
    assert_true(state_of(log).segments > 10);
    for (int round = 0; round < 2; round++) {
        for (uint64_t seq = 1; seq <= 40; seq++)
            expect(log, seq, body);
        msglog_close(log);
        log = open_log(*state, 4096);
    }
    msglog_close(log);
}

static void a_removed_message_stays_removed_wherever_it_was(void **state)
{
    struct msglog *log = new_log(*state, 0);
    for (uint64_t seq = 1; seq <= 10; seq++)
        append(log, seq, "body");
    commit(log);
    assert_int_equal(msglog_remove(log, 4, 5, false, NULL), STATUS_OK);
    assert_int_equal(msglog_remove(log, 1, 1, false, NULL), STATUS_OK);
    append(log, 11, "body");
    assert_int_equal(msglog_remove(log, 2, 2, false, NULL), STATUS_OK);
    assert_int_equal(msglog_remove(log, 10, UINT64_MAX, false, NULL), STATUS_OK);
    commit(log);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(state_of(log).messages, 5);
        assert_int_equal(state_of(log).first_seq, 3);
        assert_int_equal(state_of(log).last_seq, 11);
        assert_int_equal(read_status(log, 4), STATUS_NOT_FOUND);
        assert_int_equal(read_status(log, 11), STATUS_NOT_FOUND);
        expect(log, 3, "body");
        expect(log, 9, "body");
        msglog_close(log);
        log = open_log(*state, 0);
    }
    msglog_close(log);
}

static void a_range_of_a_large_body_is_read_alone(void **state)
{
    struct msglog *log = new_log(*state, 0);
    size_t size = 300 * 1000;
    char *body = malloc(size + 1);
    for (size_t i = 0; i < size; i++)
        body[i] = (char)('a' + i * 7 % 26);
    body[size] = '\0';
    append(log, 1, body);
    commit(log);
    struct buf storage;
    struct bytes part;
    buf_init(&storage, SIZE_MAX);
    for (size_t from = 0; from <= size + 5000; from += 9973) {
        assert_int_equal(
            msglog_read_range(log, 1, (struct msglog_range){from, 70000}, &storage, &part, NULL),
            STATUS_OK);
        assert_true(bytes_equal(part, bytes_slice(bytes_of(body, size), from, 70000)));
    }
    buf_fini(&storage);
    free(body);
    msglog_close(log);
}

static void a_sequence_that_does_not_rise_is_refused(void **state)
{
    struct msglog *log = new_log(*state, 0);
    struct msglog_message message = {.seq = 5, .subject = BYTES("s")};
    assert_int_equal(msglog_append(log, &message, NULL), STATUS_OK);
    assert_int_equal(msglog_append(log, &message, NULL), STATUS_INVALID);
    commit(log);
    message.seq = 4;
    assert_int_equal(msglog_append(log, &message, NULL), STATUS_INVALID);
    msglog_close(log);
}

static void messages_are_found_by_sequence_and_by_time(void **state)
{
    struct msglog *log = new_log(*state, 4096);
    struct msglog_entry entry;
    for (uint64_t seq = 10; seq <= 100; seq += 10)
        append(log, seq, "x");
    assert_false(msglog_entry_next(log, 0, &entry));
    commit(log);
    assert_true(msglog_entry_next(log, 11, &entry) && entry.seq == 20);
    assert_true(msglog_entry_since(log, 30001, &entry) && entry.seq == 40);
    assert_false(msglog_entry_since(log, 100001, &entry));
    assert_false(msglog_entry_next(log, 101, &entry));
    assert_true(msglog_entry_get(log, 50, &entry) && entry.body_bytes == 1);
    assert_true(bytes_equal(entry.subject, BYTES("a.b")));
    assert_false(msglog_entry_get(log, 51, &entry));
    msglog_close(log);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)
    const struct CMUnitTest tests[] = {
        TEST(a_new_log_begins_at_the_sequence_it_was_given),
        TEST(what_was_committed_is_read_back_and_survives_a_reopen),
        TEST(what_was_not_committed_is_gone_after_a_reopen),
        TEST(an_index_that_is_missing_is_rebuilt),
        TEST(a_full_segment_is_followed_by_another),
        TEST(a_removed_message_stays_removed_wherever_it_was),
        TEST(a_range_of_a_large_body_is_read_alone),
        TEST(a_sequence_that_does_not_rise_is_refused),
        TEST(messages_are_found_by_sequence_and_by_time),
    };
    return cmocka_run_group_tests_name("msglog", tests, NULL, NULL);
}
