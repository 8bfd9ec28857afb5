// SPDX-License-Identifier: Apache-2.0
// Fault walk: the n-th call of each kind that the store makes to its host fails, and the n-th
// allocation finds no memory, for every n. Whatever comes of it, what was acknowledged is there
// afterwards and what is said to have failed says why.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "simhost.h"
#include "store/metafile.h"
#include "store/msglog.h"
#include "store/storedir.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// The linker sends the program's allocations here; the one that is counted down to zero fails.
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static uint64_t allocation_to_fail;

static bool allocation_fails(void)
{
    return allocation_to_fail > 0 && --allocation_to_fail == 0;
}

void *__wrap_malloc(size_t size)
{
    return allocation_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return allocation_fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return allocation_fails() ? NULL : __real_realloc(memory, size);
}

enum { MESSAGES = 40, SEGMENT_BYTES = 2048 };

// What the user of a store was told.
struct told {
    bool stored[MESSAGES + 1];
    bool staged[MESSAGES + 1];
    bool removed[MESSAGES + 1];
    bool removal_staged[MESSAGES + 1];
    size_t failures;
};

struct trial {
    const struct host *host;
    char home[128];
    char log[192];
    struct told told;
};

// Counts a failure, which must have a text.
static bool failed(struct trial *trial, enum status status, const struct errinfo *err)
{
    if (status == STATUS_OK)
        return false;
    trial->told.failures++;
    if (err->text[0] == '\0')
        fail_msg("a failure of status %s has no text", status_name(status));
    return true;
}

static struct bytes body_of(uint64_t seq, char out[400])
{
    memset(out, (int)('a' + seq % 26), 400);
    return bytes_of(out, 40 + seq * 7);
}

static void append(struct trial *trial, struct msglog *log, uint64_t seq)
{
    char body[400];
    struct errinfo err = {0};
    struct msglog_message message = {
        .seq = seq, .time_ns = 5, .subject = BYTES("s.t"), .body = body_of(seq, body)};
    if (!failed(trial, msglog_append(log, &message, &err), &err))
        trial->told.staged[seq] = true;
}

static void commit(struct trial *trial, struct msglog *log)
{
    struct errinfo err = {0};
    struct told *told = &trial->told;
    if (failed(trial, msglog_commit(log, &err), &err))
        return;
    for (int i = 0; i <= MESSAGES; i++) {
        told->stored[i] |= told->staged[i];
        told->removed[i] |= told->removal_staged[i];
    }
}

static void remove_range(struct trial *trial, struct msglog *log, uint64_t first, uint64_t last,
                         bool erase)
{
    struct errinfo err = {0};
    bool refused = failed(trial, msglog_remove(log, first, last, erase, &err), &err);
    for (uint64_t seq = first; seq <= last && !refused; seq++)
        trial->told.removal_staged[seq] = true;
}

static void work_on_log(struct trial *trial, struct msglog *log)
{
    struct errinfo err = {0};
    struct buf storage;
    struct msglog_message message;
    buf_init(&storage, SIZE_MAX);
    for (uint64_t seq = 1; seq <= MESSAGES; seq++) {
        append(trial, log, seq);
        if (seq == 10)
            remove_range(trial, log, 1, 6, false);
        if (seq == 20)
            remove_range(trial, log, 12, 12, true);
        if (seq == 30)
            remove_range(trial, log, 7, 24, false);
        if (seq % 4 == 0)
            commit(trial, log);
        if (seq % 10 == 5) {
            failed(trial, msglog_erase_pending(log, &err), &err);
            struct msglog_reclaim *work = msglog_reclaim_take(log);
            if (work != NULL) {
                msglog_reclaim_run(work);
                failed(trial, msglog_reclaim_done(log, work, &err), &err);
            }
        }
        if (trial->told.stored[seq] && !trial->told.removal_staged[seq])
            failed(trial, msglog_read(log, seq, MSGLOG_ALL, &storage, &message, &err), &err);
    }
    commit(trial, log);
    buf_fini(&storage);
}

static void use_log(struct trial *trial)
{
    struct errinfo err = {0};
    struct msglog *log = NULL;
    struct msglog_options options = {.segment_bytes = SEGMENT_BYTES};
    failed(trial, msglog_create(trial->host, trial->log, 1, &err), &err);
    if (failed(trial, msglog_open(&log, trial->host, trial->log, &options, &err), &err)) {
        errinfo_clear(&err);
        return;
    }
    work_on_log(trial, log);
    msglog_close(log);
}

static enum status ignore_name(void *context, struct bytes name)
{
    (void)context;
    (void)name;
    return STATUS_OK;
}

// Everything that a process does with its store.
static void use_store(struct trial *trial)
{
    struct errinfo err = {0};
    struct storedir *dir = NULL;
    struct buf path;
    struct storedir_options options = {.create = true, .holder = "a test\n"};
    buf_init(&path, 4096);
    if (failed(trial, storedir_open(&dir, trial->host, trial->home, &options, &err), &err))
        return;
    failed(trial, storedir_stream_create(dir, BYTES("gone"), &err), &err);
    failed(trial, storedir_stream_delete(dir, BYTES("gone"), &err), &err);
    failed(trial, metafile_write(trial->host, trial->home, "config", BYTES("one"), &err), &err);
    failed(trial, storedir_list(dir, ignore_name, NULL, &err), &err);
    if (!failed(trial, storedir_stream_path(dir, BYTES("log"), &path, &err), &err))
        use_log(trial);
    storedir_close(dir);
    buf_fini(&path);
}

// After the fault has gone: what was acknowledged is there, what was removed is not.
static void verify(struct trial *trial, const char *what, uint64_t n)
{
    struct errinfo err = {0};
    struct msglog *log = NULL;
    struct buf storage;
    const struct told *told = &trial->told;
    enum status status = msglog_open(&log, trial->host, trial->log, NULL, &err);
    if (status == STATUS_NOT_FOUND && told->failures > 0) {
        for (int i = 1; i <= MESSAGES; i++)
            assert_false(told->stored[i]);
        return;
    }
    if (status != STATUS_OK)
        fail_msg("%s %d: open: %s", what, (int)n, err.text);
    buf_init(&storage, SIZE_MAX);
    for (uint64_t seq = 1; seq <= MESSAGES; seq++) {
        char body[400];
        struct msglog_message message;
        status = msglog_read(log, seq, MSGLOG_ALL, &storage, &message, &err);
        if (status == STATUS_OK && !bytes_equal(message.body, body_of(seq, body)))
            fail_msg("%s %d: message %d has a wrong body", what, (int)n, (int)seq);
        if (status != STATUS_OK && told->stored[seq] && !told->removal_staged[seq])
            fail_msg("%s %d: message %d is lost: %s", what, (int)n, (int)seq, err.text);
        if (status == STATUS_OK && told->removed[seq])
            fail_msg("%s %d: message %d is back", what, (int)n, (int)seq);
        if (status == STATUS_OK && !told->staged[seq])
            fail_msg("%s %d: message %d was refused and is there", what, (int)n, (int)seq);
    }
    struct msglog_message next = {.seq = 1000, .subject = BYTES("s")};
    assert_int_equal(msglog_append(log, &next, NULL), STATUS_OK);
    assert_int_equal(msglog_commit(log, NULL), STATUS_OK);
    buf_fini(&storage);
    msglog_close(log);
}

static void a_failing_call_of_any_kind_loses_nothing_that_was_acknowledged(void **state)
{
    (void)state;
    static const int errors[] = {EIO, ENOSPC};
    for (int call = 0; call < SIM_CALLS; call++) {
        uint64_t calls = 1;
        for (uint64_t n = 1; n <= calls; n++) {
            struct simhost *sim = simhost_new();
            struct trial trial = {
                .host = simhost_host(sim), .home = "home", .log = "home/streams/log"};
            simhost_fail(sim, (enum simhost_call)call, n, errors[n % 2]);
            use_store(&trial);
            calls = simhost_calls(sim, (enum simhost_call)call);
            simhost_fail(sim, (enum simhost_call)call, 0, 0);
            char what[32];
            snprintf(what, sizeof what, "call %d, number", call);
            verify(&trial, what, n);
            simhost_free(sim);
        }
    }
}

static int no_sync_data(void *context, struct host_file *file)
{
    (void)context;
    (void)file;
    return 0;
}

static int no_sync_directory(void *context, const char *path)
{
    (void)context;
    (void)path;
    return 0;
}

static void a_missing_allocation_anywhere_is_said_and_loses_nothing(void **state)
{
    (void)state;
    char root[64] = "/tmp/agog-fault-XXXXXX";
    char command[256];
    bool reached = true;
    // Nothing fails but memory here, and waiting for the disk would take most of the time.
    struct host host = *host_posix();
    host.sync_data = no_sync_data;
    host.sync_directory = no_sync_directory;
    assert_non_null(mkdtemp(root));
    for (uint64_t n = 1; reached; n++) {
        struct trial trial = {.host = &host};
        snprintf(trial.home, sizeof trial.home, "%s/%d", root, (int)n);
        snprintf(trial.log, sizeof trial.log, "%s/streams/log", trial.home);
        allocation_to_fail = n;
        use_store(&trial);
        reached = allocation_to_fail == 0;
        allocation_to_fail = 0;
        verify(&trial, "allocation", n);
        snprintf(command, sizeof command, "rm -rf '%s'", trial.home);
        assert_int_equal(system(command), 0);
        assert_true(n < 10000);
    }
    assert_int_equal(rmdir(root), 0);
}

static void a_failed_sync_makes_the_log_read_only_and_says_why(void **state)
{
    (void)state;
    struct errinfo err = {0};
    struct simhost *sim = simhost_new();
    struct trial trial = {.host = simhost_host(sim), .log = "log"};
    struct msglog *log = NULL;
    assert_int_equal(msglog_create(trial.host, "log", 1, NULL), STATUS_OK);
    assert_int_equal(msglog_open(&log, trial.host, "log", NULL, NULL), STATUS_OK);
    append(&trial, log, 1);
    commit(&trial, log);
    append(&trial, log, 2);
    simhost_fail(sim, SIM_SYNC, 1, EIO);
    assert_int_equal(msglog_commit(log, &err), STATUS_READ_ONLY);
    assert_non_null(strstr(err.text, "cannot sync segment"));
    struct msglog_message message = {.seq = 3, .subject = BYTES("s")};
    assert_int_equal(msglog_append(log, &message, &err), STATUS_READ_ONLY);
    assert_non_null(strstr(err.text, "cannot sync segment"));
    assert_int_equal(msglog_remove(log, 1, 1, false, NULL), STATUS_READ_ONLY);
    assert_int_equal(msglog_commit(log, NULL), STATUS_READ_ONLY);
    struct msglog_entry entry;
    assert_true(msglog_entry_get(log, 1, &entry));
    assert_false(msglog_entry_get(log, 2, &entry));
    struct msglog_state about;
    msglog_state_get(log, &about);
    assert_true(about.read_only);
    msglog_close(log);
    simhost_free(sim);
}

static void a_full_disk_refuses_the_message_and_work_goes_on_when_space_is_back(void **state)
{
    (void)state;
    struct simhost *sim = simhost_new();
    struct msglog *log = NULL;
    struct msglog_options options = {.segment_bytes = 64 * 1024};
    static char body[3000];
    assert_int_equal(msglog_create(simhost_host(sim), "log", 1, NULL), STATUS_OK);
    assert_int_equal(msglog_open(&log, simhost_host(sim), "log", &options, NULL), STATUS_OK);
    simhost_quota(sim, 600 * 1024);
    struct msglog_message message = {.subject = BYTES("s"), .body = bytes_of(body, sizeof body)};
    enum status status = STATUS_OK;
    uint64_t accepted = 0;
    for (uint64_t seq = 1; status == STATUS_OK && seq < 1000; seq++) {
        message.seq = seq;
        status = msglog_append(log, &message, NULL);
        if (status == STATUS_OK)
            accepted = seq;
        assert_int_equal(msglog_commit(log, NULL), STATUS_OK);
    }
    assert_int_equal(status, STATUS_NO_SPACE);
    assert_true(accepted > 10);
    // Removing needs no new space, and makes some.
    assert_int_equal(msglog_remove(log, 1, accepted, false, NULL), STATUS_OK);
    assert_int_equal(msglog_commit(log, NULL), STATUS_OK);
    struct msglog_reclaim *work;
    while ((work = msglog_reclaim_take(log)) != NULL) {
        msglog_reclaim_run(work);
        assert_int_equal(msglog_reclaim_done(log, work, NULL), STATUS_OK);
    }
    message.seq = accepted + 1;
    assert_int_equal(msglog_append(log, &message, NULL), STATUS_OK);
    assert_int_equal(msglog_commit(log, NULL), STATUS_OK);
    msglog_close(log);
    simhost_free(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failing_call_of_any_kind_loses_nothing_that_was_acknowledged),
        cmocka_unit_test(a_missing_allocation_anywhere_is_said_and_loses_nothing),
        cmocka_unit_test(a_failed_sync_makes_the_log_read_only_and_says_why),
        cmocka_unit_test(a_full_disk_refuses_the_message_and_work_goes_on_when_space_is_back),
    };
    return cmocka_run_group_tests_name("fault", tests, NULL, NULL);
}
