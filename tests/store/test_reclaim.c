// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "simhost.h"
#include "store/msglog.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEGMENT_BYTES = 8192 };

static struct msglog *open_log(struct simhost *sim)
{
    struct errinfo err = {0};
    struct msglog *log = NULL;
    struct msglog_options options = {.segment_bytes = SEGMENT_BYTES};
    if (msglog_open(&log, simhost_host(sim), "log", &options, &err) != STATUS_OK)
        fail_msg("open: %s", err.text);
    return log;
}

static struct msglog *new_log(struct simhost *sim)
{
    assert_int_equal(msglog_create(simhost_host(sim), "log", 1, NULL), STATUS_OK);
    return open_log(sim);
}

static void append(struct msglog *log, uint64_t seq)
{
    char body[600];
    memset(body, '.', sizeof body);
    snprintf(body, sizeof body, "<%d>", (int)seq);
    struct msglog_message message = {
        .seq = seq, .subject = BYTES("s"), .body = bytes_of(body, sizeof body)};
    assert_int_equal(msglog_append(log, &message, NULL), STATUS_OK);
}

static void commit(struct msglog *log)
{
    assert_int_equal(msglog_commit(log, NULL), STATUS_OK);
}

static void reclaim_all(struct msglog *log)
{
    struct msglog_reclaim *work;
    while ((work = msglog_reclaim_take(log)) != NULL) {
        msglog_reclaim_run(work);
        assert_int_equal(msglog_reclaim_done(log, work, NULL), STATUS_OK);
    }
}

static struct msglog_state state_of(const struct msglog *log)
{
    struct msglog_state state;
    msglog_state_get(log, &state);
    return state;
}

static bool is_there(struct msglog *log, uint64_t seq)
{
    char mark[16];
    struct buf storage;
    struct msglog_message message;
    struct errinfo err = {0};
    buf_init(&storage, SIZE_MAX);
    enum status status = msglog_read(log, seq, MSGLOG_ALL, &storage, &message, &err);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        fail_msg("%s", err.text);
    snprintf(mark, sizeof mark, "<%d>", (int)seq);
    if (status == STATUS_OK)
        assert_true(bytes_start_with(message.body, bytes_of_string(mark)));
    buf_fini(&storage);
    return status == STATUS_OK;
}

static void everything_removed_gives_all_segments_back_and_no_sequence_returns(void **state)
{
    (void)state;
    struct simhost *sim = simhost_new();
    struct msglog *log = new_log(sim);
    for (uint64_t seq = 1; seq <= 100; seq++)
        append(log, seq);
    commit(log);
    assert_true(state_of(log).segments > 5);
    assert_int_equal(msglog_remove(log, 1, UINT64_MAX, false, NULL), STATUS_OK);
    assert_null(msglog_reclaim_take(log)); // not before the removal is committed
    commit(log);
    reclaim_all(log);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(state_of(log).segments, 1);
        assert_int_equal(state_of(log).messages, 0);
        assert_int_equal(state_of(log).last_seq, 100);
        assert_int_equal(state_of(log).first_seq, 101);
        assert_int_equal(state_of(log).dead_bytes, 0);
        msglog_close(log);
        log = open_log(sim);
    }
    msglog_close(log);
    simhost_free(sim);
}

static void a_mostly_dead_segment_is_rewritten_with_what_lives_in_it(void **state)
{
    (void)state;
    struct simhost *sim = simhost_new();
    struct msglog *log = new_log(sim);
    for (uint64_t seq = 1; seq <= 100; seq++)
        append(log, seq);
    commit(log);
    uint64_t before = state_of(log).disk_bytes;
    for (uint64_t seq = 1; seq <= 100; seq++) {
        if (seq % 10 != 5)
            assert_int_equal(msglog_remove(log, seq, seq, false, NULL), STATUS_OK);
    }
    commit(log);
    struct msglog_entry borrowed;
    assert_true(msglog_entry_get(log, 5, &borrowed));
    reclaim_all(log);
    assert_true(state_of(log).disk_bytes < before / 2);
    assert_true(bytes_equal(borrowed.subject, BYTES("s")));
    for (int round = 0; round < 2; round++) {
        for (uint64_t seq = 1; seq <= 100; seq++)
            assert_int_equal(is_there(log, seq), seq % 10 == 5);
        msglog_close(log);
        log = open_log(sim);
    }
    msglog_close(log);
    simhost_free(sim);
}

static void what_is_removed_while_a_segment_is_copied_stays_removed(void **state)
{
    (void)state;
    struct simhost *sim = simhost_new();
    struct msglog *log = new_log(sim);
    for (uint64_t seq = 1; seq <= 30; seq++)
        append(log, seq);
    commit(log);
    assert_int_equal(msglog_remove(log, 2, 9, false, NULL), STATUS_OK);
    commit(log);
    struct msglog_reclaim *work = msglog_reclaim_take(log);
    assert_non_null(work);
    assert_int_equal(msglog_remove(log, 1, 1, false, NULL), STATUS_OK);
    msglog_reclaim_run(work);
    commit(log);
    assert_int_equal(msglog_reclaim_done(log, work, NULL), STATUS_OK);
    for (int round = 0; round < 2; round++) {
        assert_false(is_there(log, 1));
        assert_true(is_there(log, 10));
        assert_int_equal(state_of(log).messages, 21);
        msglog_close(log);
        log = open_log(sim);
    }
    msglog_close(log);
    simhost_free(sim);
}

static void erased_bytes_are_in_no_file_any_more_also_when_it_was_being_copied(void **state)
{
    (void)state;
    struct simhost *sim = simhost_new();
    struct msglog *log = new_log(sim);
    for (uint64_t seq = 1; seq <= 30; seq++)
        append(log, seq);
    commit(log);
    assert_int_equal(msglog_remove(log, 2, 9, false, NULL), STATUS_OK);
    commit(log);
    struct msglog_reclaim *work = msglog_reclaim_take(log);
    assert_non_null(work);
    msglog_reclaim_run(work);
    assert_int_equal(msglog_remove(log, 1, 1, true, NULL), STATUS_OK);
    assert_true(simhost_contains(sim, BYTES("<1>")));
    commit(log);
    assert_int_equal(msglog_erase_pending(log, NULL), STATUS_OK);
    assert_int_equal(msglog_reclaim_done(log, work, NULL), STATUS_OK);
    assert_false(simhost_contains(sim, BYTES("<1>")));
    assert_true(simhost_contains(sim, BYTES("<10>")));
    assert_true(is_there(log, 10));
    msglog_close(log);
    simhost_free(sim);
}

static void an_erasure_that_a_crash_forestalled_is_made_up_for(void **state)
{
    (void)state;
    struct simhost *sim = simhost_new();
    struct msglog *log = new_log(sim);
    for (uint64_t seq = 1; seq <= 5; seq++)
        append(log, seq);
    commit(log);
    assert_int_equal(msglog_remove(log, 3, 3, true, NULL), STATUS_OK);
    commit(log);
    struct simhost *left = simhost_copy(sim);
    assert_true(simhost_contains(left, BYTES("<3>")));
    msglog_close(log);
    log = open_log(left);
    assert_int_equal(msglog_erase_pending(log, NULL), STATUS_OK);
    assert_false(simhost_contains(left, BYTES("<3>")));
    assert_true(is_there(log, 4));
    msglog_close(log);
    simhost_free(left);
    simhost_free(sim);
}

static void *write_batch(void *batch)
{
    msglog_batch_write(batch);
    return NULL;
}

static void *run_reclaim(void *work)
{
    msglog_reclaim_run(work);
    return NULL;
}

static void the_owner_appends_reads_and_removes_while_another_thread_writes(void **state)
{
    (void)state;
    char root[64] = "/tmp/agog-threads-XXXXXX";
    char path[80];
    char command[256];
    struct msglog *log = NULL;
    struct msglog_options options = {.segment_bytes = SEGMENT_BYTES};
    assert_non_null(mkdtemp(root));
    snprintf(path, sizeof path, "%s/log", root);
    assert_int_equal(msglog_create(host_posix(), path, 1, NULL), STATUS_OK);
    assert_int_equal(msglog_open(&log, host_posix(), path, &options, NULL), STATUS_OK);
    uint64_t seq = 1;
    uint64_t committed = 0;
    for (int round = 0; round < 60; round++) {
        pthread_t writer, cleaner;
        for (int i = 0; i < 6; i++)
            append(log, seq++);
        uint64_t taken = seq - 1;
        struct msglog_batch *batch = msglog_batch_take(log);
        struct msglog_reclaim *work = msglog_reclaim_take(log);
        assert_non_null(batch);
        assert_int_equal(pthread_create(&writer, NULL, write_batch, batch), 0);
        if (work != NULL)
            assert_int_equal(pthread_create(&cleaner, NULL, run_reclaim, work), 0);
        append(log, seq++);
        for (uint64_t old = committed > 20 ? committed - 20 : 1; old <= committed; old++)
            is_there(log, old);
        assert_false(is_there(log, taken));
        assert_int_equal(msglog_remove(log, 1, taken - 4, false, NULL), STATUS_OK);
        assert_int_equal(msglog_remove(log, taken, taken, round % 3 == 0, NULL), STATUS_OK);
        assert_int_equal(pthread_join(writer, NULL), 0);
        assert_int_equal(msglog_batch_done(log, batch, NULL), STATUS_OK);
        if (work != NULL) {
            assert_int_equal(pthread_join(cleaner, NULL), 0);
            assert_int_equal(msglog_reclaim_done(log, work, NULL), STATUS_OK);
        }
        assert_false(is_there(log, taken));
        assert_true(is_there(log, taken - 1));
        assert_int_equal(msglog_erase_pending(log, NULL), STATUS_OK);
        committed = taken;
    }
    commit(log);
    assert_int_equal(msglog_erase_pending(log, NULL), STATUS_OK);
    reclaim_all(log);
    assert_true(state_of(log).segments < 5);
    msglog_close(log);
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    assert_int_equal(system(command), 0);
}

static void a_removal_staged_during_a_rewrite_drops_nothing_before_its_commit(void **state)
{
    (void)state;
    struct simhost *sim = simhost_new();
    struct msglog *log = new_log(sim);
    for (uint64_t seq = 1; seq <= 40; seq++)
        append(log, seq);
    commit(log);
    assert_int_equal(msglog_remove(log, 1, 10, false, NULL), STATUS_OK);
    commit(log);
    struct msglog_reclaim *work = msglog_reclaim_take(log);
    assert_non_null(work);
    msglog_reclaim_run(work);
    assert_int_equal(msglog_remove(log, 11, 40, false, NULL), STATUS_OK);
    assert_int_equal(msglog_reclaim_done(log, work, NULL), STATUS_OK);
    reclaim_all(log);
    // Closing without a commit takes the removal back.
    msglog_close(log);
    log = open_log(sim);
    assert_int_equal(state_of(log).messages, 30);
    assert_int_equal(state_of(log).first_seq, 11);
    msglog_close(log);
    simhost_free(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_removal_staged_during_a_rewrite_drops_nothing_before_its_commit),
        cmocka_unit_test(everything_removed_gives_all_segments_back_and_no_sequence_returns),
        cmocka_unit_test(a_mostly_dead_segment_is_rewritten_with_what_lives_in_it),
        cmocka_unit_test(what_is_removed_while_a_segment_is_copied_stays_removed),
        cmocka_unit_test(erased_bytes_are_in_no_file_any_more_also_when_it_was_being_copied),
        cmocka_unit_test(an_erasure_that_a_crash_forestalled_is_made_up_for),
        cmocka_unit_test(the_owner_appends_reads_and_removes_while_another_thread_writes),
    };
    return cmocka_run_group_tests_name("reclaim", tests, NULL, NULL);
}
