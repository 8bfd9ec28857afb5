// SPDX-License-Identifier: Apache-2.0
// The n-th allocation fails, for every n, in a workload of all that an engine does: each call gives
// a clear status, nothing leaks (under the address sanitizer), and what was committed is there when
// the store is opened again.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../tempdir.h"
#include "engine/engine.h"
#include "wire/headers.h"

#define NOW INT64_C(1000000000000)

// Linked with --wrap: see meson.build.
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static uint64_t until_failure; // 0: none fails
static uint64_t failures;

static bool fails(void)
{
    if (until_failure == 0 || --until_failure > 0)
        return false;
    failures++;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fails() ? NULL : __real_realloc(memory, size);
}

enum { PUBLISHED = 7 };

struct world {
    char home[TEMPDIR_SIZE];
    struct storedir *store;
    struct engine *engine;
    uint64_t committed[PUBLISHED]; // sequences whose commit succeeded, by number; 0 for none
    uint64_t perhaps[PUBLISHED];   // staged, and nothing more is known
    bool purged;                   // or perhaps
    struct errinfo err;
};

static void close_world(struct world *world)
{
    engine_close(world->engine);
    storedir_close(world->store);
    world->engine = NULL;
    world->store = NULL;
}

static enum status open_world(struct world *world)
{
    struct storedir_options options = {.create = true, .holder = "test"};
    enum status status = storedir_open(&world->store, host_posix(), world->home, &options,
                                       &world->err);
    if (status == STATUS_OK)
        status = engine_open(&world->engine, host_posix(), world->store, &world->err);
    return status;
}

static enum status create(struct world *world)
{
    static const char json[] = "{\"name\":\"S\",\"subjects\":[\"s.*\"],\"allow_rollup_hdrs\":true,"
                               "\"description\":\"d\",\"metadata\":{\"a\":\"b\"}}";
    struct stream_config config;
    bool created;
    stream_config_init(&config);
    enum status status = stream_config_from_json(&config, BYTES(json), &world->err);
    if (status == STATUS_OK)
        status = engine_create(world->engine, &config, NOW, &created, &world->err);
    stream_config_fini(&config);
    return status;
}

static enum status publish(struct world *world, struct stream *stream, int number)
{
    char subject[16], block[64], body[2000];
    struct stream_ack ack;
    snprintf(subject, sizeof subject, "s.%d", number % 5);
    snprintf(block, sizeof block, "NATS/1.0\r\nNats-Msg-Id: %d\r\n\r\n", number);
    memset(body, 'a' + number, sizeof body);
    struct stream_input input = {bytes_of_string(subject), bytes_of_string(block),
                                 bytes_of(body, sizeof body), NOW};
    enum status status = stream_publish(stream, &input, &ack, &world->err);
    if (status != STATUS_OK)
        return status;
    world->perhaps[number] = ack.seq;
    status = stream_commit(stream, &world->err);
    if (status == STATUS_OK)
        world->committed[number] = ack.seq;
    return status;
}

static enum status ignore_subject(void *context, struct bytes subject, uint64_t count)
{
    (void)context;
    (void)subject;
    (void)count;
    return STATUS_OK;
}

static enum status read_some(struct world *world, struct stream *stream)
{
    struct buf storage;
    struct msglog_message message;
    struct stream_last *list;
    size_t count;
    buf_init(&storage, 1 << 20);
    enum status status = stream_get_last(stream, BYTES("s.*"), MSGLOG_ALL, &storage, &message,
                                         &world->err);
    if (status == STATUS_OK)
        status = stream_find_last_each(stream, BYTES(""), &list, &count, &world->err);
    if (status == STATUS_OK) {
        free(list);
        status = stream_subjects(stream, BYTES(""), ignore_subject, NULL, &world->err);
    }
    buf_fini(&storage);
    return status;
}

static enum status remove_some(struct world *world, struct stream *stream)
{
    struct stream_purge purge = {.filter = BYTES("s.0")};
    uint64_t purged;
    world->purged = true;
    enum status status = stream_purge(stream, &purge, &purged, &world->err);
    if (status == STATUS_OK)
        status = stream_delete_message(stream, 2, false, &world->err);
    return status == STATUS_OK ? stream_commit(stream, &world->err) : status;
}

static enum status change(struct world *world)
{
    struct stream_config config;
    stream_config_init(&config);
    enum status status = stream_config_copy(&config, engine_config(world->engine, 0));
    if (status != STATUS_OK)
        return errinfo_set(&world->err, status, "the test's own copy");
    config.max_msgs = 1000;
    status = engine_update(world->engine, &config, NOW, &world->err);
    stream_config_fini(&config);
    return status;
}

// Goes on after a call that failed, as a server would.
static void note(const struct world *world, enum status status)
{
    if (status == STATUS_OK)
        return;
    // A log that could not note its own change for want of memory may be read-only from then on.
    if (status != STATUS_NO_MEMORY && status != STATUS_READ_ONLY && status != STATUS_NOT_FOUND)
        fail_msg("%s: %s", status_name(status), world->err.text);
    if (status != STATUS_NOT_FOUND && world->err.text[0] == '\0')
        fail_msg("%s without a reason", status_name(status));
}

static void work(struct world *world)
{
    struct stream *stream;
    enum status status = open_world(world);
    note(world, status);
    if (status == STATUS_OK)
        note(world, create(world));
    if (status == STATUS_OK) {
        status = engine_stream(world->engine, BYTES("S"), NOW, &stream, &world->err);
        note(world, status);
    }
    if (status != STATUS_OK)
        return;
    for (int i = 0; i < PUBLISHED; i++) {
        note(world, publish(world, stream, i));
        if (i == PUBLISHED / 2)
            note(world, remove_some(world, stream));
    }
    note(world, read_some(world, stream));
    note(world, change(world));
    close_world(world);
    status = open_world(world);
    note(world, status);
    if (status == STATUS_OK)
        note(world, engine_stream(world->engine, BYTES("S"), NOW, &stream, &world->err));
}

static void check_number(struct stream *stream, const struct world *world, int number)
{
    struct buf storage;
    struct msglog_message message;
    uint64_t seq = world->committed[number];
    if (seq == 0)
        return;
    buf_init(&storage, 1 << 20);
    enum status status = stream_get(stream, seq, MSGLOG_ALL, &storage, &message, NULL);
    bool may_be_gone = world->purged && number <= PUBLISHED / 2 && (number % 5 == 0 || seq == 2);
    if (status != STATUS_OK && !(status == STATUS_NOT_FOUND && may_be_gone))
        fail_msg("message %d, sequence %d: %s", number, (int)seq, status_name(status));
    if (status == STATUS_OK)
        assert_true(message.body.size == 2000 && message.body.data[1999] == 'a' + number);
    buf_fini(&storage);
}

static void check_world(struct world *world)
{
    struct stream *stream;
    if (open_world(world) != STATUS_OK)
        fail_msg("opening again: %s", world->err.text);
    bool any = false;
    for (int i = 0; i < PUBLISHED; i++)
        any = any || world->committed[i] != 0;
    enum status status = engine_stream(world->engine, BYTES("S"), NOW, &stream, &world->err);
    if (status == STATUS_NOT_FOUND && !any)
        return;
    if (status != STATUS_OK)
        fail_msg("opening the stream again: %s", world->err.text);
    for (int i = 0; i < PUBLISHED; i++)
        check_number(stream, world, i);
}

static void every_failing_allocation_is_told_and_nothing_committed_is_lost(void **state)
{
    (void)state;
    bool failed = true;
    for (uint64_t n = 1; failed; n++) {
        struct world world = {.store = NULL};
        tempdir_make(world.home);
        failures = 0;
        until_failure = n;
        work(&world);
        until_failure = 0;
        failed = failures > 0;
        close_world(&world);
        check_world(&world);
        close_world(&world);
        tempdir_remove(world.home);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_failing_allocation_is_told_and_nothing_committed_is_lost),
    };
    return cmocka_run_group_tests_name("engine_memory", tests, NULL, NULL);
}
