// SPDX-License-Identifier: Apache-2.0
// A workload in which memory runs out at every point, once and for good; and one in which every
// write, sync and reservation of the host fails. Whatever fails says so, nothing that was told to
// be stored is lost, and what the index says is what the log holds.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "alloc_faults.h"
#include "engine/engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SUBJECTS = 6, ACKED_MAX = 64, SECOND = 1000000000 };

// The host of the system, with one call that fails in turn.
struct faulty {
    struct host host;
    long left; // calls that still succeed; negative: all do
    bool failed;
};

struct work {
    struct faulty faulty;
    char home[64];
    struct storedir *store;
    struct engine *engine;
    uint64_t acked[ACKED_MAX]; // committed and not removed since
    size_t acked_count;
    int64_t now_ns;
};

static int fault(struct faulty *faulty)
{
    if (faulty->left < 0 || faulty->left-- > 0)
        return 0;
    faulty->left = 0;
    faulty->failed = true;
    return EIO;
}

static int faulty_write(void *context, struct host_file *file, const void *from, size_t size,
                        uint64_t offset)
{
    int failure = fault(context);
    return failure != 0 ? failure : host_posix()->write_at(NULL, file, from, size, offset);
}

static int faulty_sync(void *context, struct host_file *file)
{
    (void)file; // the machine keeps running: what was written is there
    return fault(context);
}

static int faulty_sync_directory(void *context, const char *path)
{
    (void)path;
    return fault(context);
}

static int faulty_reserve(void *context, struct host_file *file, uint64_t bytes)
{
    int failure = fault(context);
    return failure != 0 ? failure : host_posix()->reserve(NULL, file, bytes);
}

static int faulty_rename(void *context, const char *from, const char *to)
{
    int failure = fault(context);
    return failure != 0 ? failure : host_posix()->rename(NULL, from, to);
}

static void remove_tree(const char *path)
{
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", path);
    assert_int_equal(system(command), 0);
}

static enum status open_engine(struct work *work)
{
    struct storedir_options options = {.create = true, .holder = "pid 1, a test\n"};
    enum status status = storedir_open(&work->store, &work->faulty.host, work->home, &options,
                                       NULL);
    if (status == STATUS_OK)
        status = engine_open(&work->engine, &work->faulty.host, work->store, NULL);
    return status;
}

static void close_engine(struct work *work)
{
    engine_close(work->engine);
    storedir_close(work->store);
    work->engine = NULL;
    work->store = NULL;
}

static struct work *begin(void)
{
    struct work *work = calloc(1, sizeof *work);
    assert_non_null(work);
    work->faulty.host = *host_posix();
    work->faulty.host.context = &work->faulty;
    work->faulty.host.write_at = faulty_write;
    work->faulty.host.sync_data = faulty_sync;
    work->faulty.host.sync_directory = faulty_sync_directory;
    work->faulty.host.reserve = faulty_reserve;
    work->faulty.host.rename = faulty_rename;
    work->faulty.left = -1;
    work->now_ns = INT64_C(1000) * SECOND;
    // In memory where there is such a place: no power fails here, and disks are slow.
    strcpy(work->home, access("/dev/shm", W_OK) == 0 ? "/dev/shm/agog-faults-XXXXXX"
                                                     : "/tmp/agog-faults-XXXXXX");
    assert_non_null(mkdtemp(work->home));
    return work;
}

static void end(struct work *work)
{
    close_engine(work);
    remove_tree(work->home);
    free(work);
}

static enum status create(struct work *work, const char *name, const char *subject, int64_t max)
{
    struct stream_config config;
    bool created;
    stream_config_init(&config);
    enum status status = stream_config_set_string(&config.name, bytes_of_string(name));
    if (status == STATUS_OK)
        status = stream_config_add_subject(&config, bytes_of_string(subject), NULL);
    config.max_msgs_per_subject = max;
    config.allow_rollup = true;
    if (status == STATUS_OK)
        status = engine_create(work->engine, &config, work->now_ns, &created, NULL);
    if (status == STATUS_OK)
        config.max_msgs = 100;
    if (status == STATUS_OK)
        status = engine_update(work->engine, &config, work->now_ns, NULL);
    stream_config_fini(&config);
    return status;
}

static enum status get(struct work *work, struct stream **stream)
{
    return engine_stream(work->engine, BYTES("S"), work->now_ns, stream, NULL);
}

static enum status put(struct work *work, int n, bool roll_up)
{
    struct stream *stream;
    struct stream_ack ack;
    char subject[16], headers[128];
    snprintf(subject, sizeof subject, "s.%d", n % SUBJECTS);
    snprintf(headers, sizeof headers, "NATS/1.0\r\nNats-Msg-Id: %d\r\n%s\r\n", n,
             roll_up ? "Nats-Rollup: sub\r\n" : "");
    struct stream_input input = {.subject = bytes_of_string(subject),
                                 .headers = bytes_of_string(headers),
                                 .body = BYTES("a body"),
                                 .now_ns = work->now_ns};
    enum status status = engine_stream_for(work->engine, input.subject, work->now_ns, &stream,
                                           NULL);
    if (status == STATUS_OK)
        status = stream_publish(stream, &input, &ack, NULL);
    if (status == STATUS_OK)
        status = stream_commit(stream, NULL);
    if (status == STATUS_OK && !roll_up && work->acked_count < ACKED_MAX)
        work->acked[work->acked_count++] = ack.seq;
    return status;
}

static enum status count_one(void *context, struct bytes subject, uint64_t count)
{
    (void)subject;
    *(uint64_t *)context += count;
    return STATUS_OK;
}

static enum status search(struct work *work)
{
    struct stream *stream;
    struct buf storage;
    struct msglog_message message;
    struct stream_last *lasts = NULL;
    uint64_t counted = 0;
    size_t count;
    buf_init(&storage, 1 << 20);
    enum status status = get(work, &stream);
    if (status == STATUS_OK)
        status = stream_get_last(stream, BYTES("s.*"), MSGLOG_ALL, &storage, &message, NULL);
    if (status == STATUS_OK)
        status = stream_find_last_each(stream, BYTES(">"), &lasts, &count, NULL);
    if (status == STATUS_OK)
        status = stream_subjects(stream, BYTES(">"), count_one, &counted, NULL);
    free(lasts);
    buf_fini(&storage);
    return status;
}

static enum status remove_some(struct work *work)
{
    struct stream *stream;
    struct stream_purge purge = {.filter = BYTES("s.5")};
    uint64_t purged;
    enum status status = get(work, &stream);
    // Sequences 1 and 6, which the reader of acks is told to expect no more.
    work->acked_count = 0;
    if (status == STATUS_OK)
        status = stream_delete_message(stream, 1, true, NULL);
    if (status == STATUS_OK)
        status = stream_purge(stream, &purge, &purged, NULL);
    if (status == STATUS_OK)
        status = stream_commit(stream, NULL);
    if (status == STATUS_OK)
        status = msglog_erase_pending(stream_get_log(stream), NULL);
    return status;
}

// The whole workload; what fails ends it.
static enum status run(struct work *work)
{
    enum status status = open_engine(work);
    if (status == STATUS_OK)
        status = create(work, "S", "s.>", 3);
    if (status == STATUS_OK)
        status = create(work, "T", "t.>", -1);
    for (int n = 0; n < 12 && status == STATUS_OK; n++)
        status = put(work, n, false);
    if (status == STATUS_OK)
        status = search(work);
    if (status == STATUS_OK)
        status = remove_some(work);
    if (status == STATUS_OK) {
        close_engine(work);
        status = open_engine(work);
    }
    for (int n = 12; n < 18 && status == STATUS_OK; n++)
        status = put(work, n, false);
    // The roll-up of the first of them.
    if (status == STATUS_OK)
        work->acked[0] = work->acked[--work->acked_count];
    if (status == STATUS_OK)
        status = put(work, 18, true);
    return status == STATUS_OK ? engine_delete(work->engine, BYTES("T"), NULL) : status;
}

// What the index knows and what can be read must be the same, and hold what was acknowledged.
static void expect_sound(struct work *work)
{
    struct stream *stream;
    struct stream_state state;
    struct buf storage;
    uint64_t counted = 0;
    uint64_t readable = 0;
    if (get(work, &stream) != STATUS_OK)
        return;
    stream_state_get(stream, &state);
    buf_init(&storage, 1 << 20);
    for (uint64_t seq = 1; seq <= state.last_seq; seq++) {
        struct msglog_message message;
        if (stream_get(stream, seq, MSGLOG_ALL, &storage, &message, NULL) == STATUS_OK) {
            assert_int_equal(stream_find_next(stream, seq, message.subject), seq);
            readable++;
        }
    }
    assert_int_equal(stream_subjects(stream, BYTES(">"), count_one, &counted, NULL), STATUS_OK);
    assert_int_equal(readable, state.messages);
    assert_int_equal(counted, state.messages);
    for (size_t i = 0; i < work->acked_count; i++) {
        struct msglog_message message;
        assert_int_equal(stream_get(stream, work->acked[i], MSGLOG_ALL, &storage, &message, NULL),
                         STATUS_OK);
    }
    buf_fini(&storage);
}

static void go_on(struct work *work)
{
    if (work->engine != NULL)
        expect_sound(work);
    close_engine(work);
    assert_int_equal(open_engine(work), STATUS_OK);
    enum status status = create(work, "S", "s.>", 3);
    assert_true(status == STATUS_OK || status == STATUS_EXISTS);
    expect_sound(work);
    assert_int_equal(put(work, 100, false), STATUS_OK);
    assert_int_equal(put(work, 101, true), STATUS_OK);
    work->acked_count = 0;
    expect_sound(work);
}

static void walk_memory(size_t in_a_row)
{
    bool failed = true;
    size_t n = 0;
    for (; failed; n++) {
        struct work *work = begin();
        alloc_faults_start(n, in_a_row);
        enum status status = run(work);
        failed = alloc_faults_stop();
        // Some failures are made up for: limits are applied next time, rubbish is removed later.
        if (status != STATUS_NO_MEMORY && status != STATUS_OK)
            fail_msg("allocation %zu: %s", n, status_name(status));
        go_on(work);
        end(work);
    }
    assert_true(n > 100);
}

static void memory_may_run_out_at_every_point(void **state)
{
    (void)state;
    walk_memory(SIZE_MAX);
}

static void every_allocation_may_fail_alone(void **state)
{
    (void)state;
    walk_memory(1);
}

static void every_change_of_the_disk_may_fail(void **state)
{
    (void)state;
    bool failed = true;
    long n = 0;
    for (; failed; n++) {
        struct work *work = begin();
        work->faulty.left = n;
        enum status status = run(work);
        failed = work->faulty.failed;
        work->faulty.left = -1;
        if (status != STATUS_OK && status != STATUS_IO && status != STATUS_READ_ONLY)
            fail_msg("call %ld: %s", n, status_name(status));
        go_on(work);
        end(work);
    }
    assert_true(n > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_may_run_out_at_every_point),
        cmocka_unit_test(every_allocation_may_fail_alone),
        cmocka_unit_test(every_change_of_the_disk_may_fail),
    };
    return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
