// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/consumer.h"
#include "streamkit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NOW = 1000 };

struct house {
    struct simhost *sim;
    struct storedir *store;
    struct engine *engine;
    struct errinfo err;
};

static void open_engine(struct house *house)
{
    struct storedir_options options = {.create = true, .holder = "pid 1, a test\n"};
    const struct host *host = simhost_host(house->sim);
    if (storedir_open(&house->store, host, "/home", &options, &house->err) != STATUS_OK ||
        engine_open(&house->engine, host, house->store, &house->err) != STATUS_OK)
        fail_msg("%s", house->err.text);
}

static void close_engine(struct house *house)
{
    engine_close(house->engine);
    storedir_close(house->store);
    house->engine = NULL;
    house->store = NULL;
}

static int make_house(void **state)
{
    struct house *house = calloc(1, sizeof *house);
    assert_non_null(house);
    house->sim = simhost_new();
    open_engine(house);
    *state = house;
    return 0;
}

static int remove_house(void **state)
{
    struct house *house = *state;
    close_engine(house);
    simhost_free(house->sim);
    free(house);
    return 0;
}

static enum status create(struct house *house, const char *json, bool *created)
{
    struct stream_config config;
    streamkit_config(&config, json);
    errinfo_clear(&house->err);
    enum status status = engine_create(house->engine, &config, NOW, created, &house->err);
    stream_config_fini(&config);
    return status;
}

static void must_create(struct house *house, const char *json)
{
    bool created = false;
    if (create(house, json, &created) != STATUS_OK)
        fail_msg("%s: %s", json, house->err.text);
    assert_true(created);
}

static enum status update(struct house *house, const char *json)
{
    struct stream_config config;
    streamkit_config(&config, json);
    errinfo_clear(&house->err);
    enum status status = engine_update(house->engine, &config, NOW, &house->err);
    stream_config_fini(&config);
    return status;
}

static struct stream *get(struct house *house, const char *name)
{
    struct stream *stream = NULL;
    if (engine_stream(house->engine, bytes_of_string(name), NOW, &stream, &house->err) != STATUS_OK)
        fail_msg("%s: %s", name, house->err.text);
    return stream;
}

static void put(struct house *house, const char *subject)
{
    struct stream *stream;
    struct stream_ack ack;
    struct stream_input input = {
        .subject = bytes_of_string(subject), .body = BYTES("body"), .now_ns = NOW};
    assert_int_equal(engine_stream_for(house->engine, input.subject, NOW, &stream, NULL),
                     STATUS_OK);
    assert_int_equal(stream_publish(stream, &input, &ack, NULL), STATUS_OK);
    assert_int_equal(stream_commit(stream, NULL), STATUS_OK);
}

static uint64_t messages(struct house *house, const char *name)
{
    struct stream_state state;
    stream_state_get(get(house, name), &state);
    return state.messages;
}

static void expect_error(const struct house *house, int code, const char *text)
{
    assert_string_equal(house->err.text, text);
    assert_int_equal(house->err.protocol_code, code);
}

// Overwrites every file whose path has this text in it.
static int spoil(struct house *house, const char *part)
{
    int spoilt = 0;
    const char *path;
    for (size_t i = 0; (path = simhost_path(house->sim, i)) != NULL; i++) {
        size_t size;
        unsigned char *content = simhost_content(house->sim, path, &size);
        if (content == NULL || strstr(path, part) == NULL)
            continue;
        memset(content, 0xAA, size);
        spoilt++;
    }
    return spoilt;
}

static int remove_files(struct house *house, const char *part)
{
    const struct host *host = simhost_host(house->sim);
    int removed = 0;
    const char *path;
    for (size_t i = 0; (path = simhost_path(house->sim, i)) != NULL;) {
        size_t size;
        if (strstr(path, part) == NULL || simhost_content(house->sim, path, &size) == NULL) {
            i++;
            continue;
        }
        assert_int_equal(host->remove(host->context, path), 0);
        removed++;
        i = 0;
    }
    return removed;
}

static void streams_are_listed_in_byte_order_and_outlive_a_reopen(void **state)
{
    struct house *house = *state;
    must_create(house, "{\"name\":\"b\"}");
    must_create(house, "{\"name\":\"a\",\"subjects\":[\"x.>\"],\"max_msgs\":7}");
    must_create(house, "{\"name\":\"KV_\xC3\xBC\"}");
    for (int round = 0; round < 2; round++) {
        assert_int_equal(engine_count(house->engine), 3);
        assert_string_equal(engine_config(house->engine, 0)->name, "KV_\xC3\xBC");
        assert_string_equal(engine_config(house->engine, 1)->name, "a");
        assert_int_equal(engine_config(house->engine, 1)->max_msgs, 7);
        assert_string_equal(engine_config(house->engine, 2)->subjects[0], "b");
        close_engine(house);
        open_engine(house);
    }
}

static void a_stream_is_found_by_name_and_by_subject(void **state)
{
    struct house *house = *state;
    struct stream *stream = NULL;
    must_create(house, "{\"name\":\"a\",\"subjects\":[\"x.>\"]}");
    must_create(house, "{\"name\":\"b\",\"subjects\":[\"y.*\",\"z\"]}");
    assert_int_equal(engine_stream_for(house->engine, BYTES("z"), NOW, &stream, NULL), STATUS_OK);
    assert_ptr_equal(stream, get(house, "b"));
    assert_int_equal(engine_stream_for(house->engine, BYTES("x.1.2"), NOW, &stream, NULL),
                     STATUS_OK);
    assert_ptr_equal(stream, get(house, "a"));
    assert_int_equal(engine_stream_for(house->engine, BYTES("y.1.2"), NOW, &stream, &house->err),
                     STATUS_NOT_FOUND);
    expect_error(house, 10059, "no stream listens to subject y.1.2: nothing was stored");
    assert_int_equal(engine_stream_for(house->engine, BYTES("x.*"), NOW, &stream, &house->err),
                     STATUS_INVALID);
    assert_int_equal(engine_stream(house->engine, BYTES("c"), NOW, &stream, &house->err),
                     STATUS_NOT_FOUND);
    expect_error(house, 10059, "stream not found: \"c\" (agog stream ls lists what there is)");
}

static void making_a_stream_again_needs_the_same_configuration(void **state)
{
    struct house *house = *state;
    bool created = true;
    must_create(house, "{\"name\":\"a\",\"metadata\":{\"k\":\"v\",\"l\":\"w\"}}");
    put(house, "a");
    assert_int_equal(create(house,
                            "{\"max_msgs\":0,\"name\":\"a\",\"subjects\":[\"a\"],"
                            "\"metadata\":{\"l\":\"w\",\"k\":\"v\"}}",
                            &created),
                     STATUS_OK);
    assert_false(created);
    created = true;
    assert_int_equal(create(house, "{\"name\":\"a\",\"max_msgs\":1}", &created), STATUS_EXISTS);
    expect_error(house, 10058, "stream name already in use with a different configuration: a");
    assert_true(created);
    assert_int_equal(messages(house, "a"), 1);
}

static void subjects_of_two_streams_may_not_overlap(void **state)
{
    struct house *house = *state;
    bool created = true;
    must_create(house, "{\"name\":\"a\",\"subjects\":[\"x.*\"]}");
    must_create(house, "{\"name\":\"b\",\"subjects\":[\"y\"]}");
    assert_int_equal(create(house, "{\"name\":\"c\",\"subjects\":[\"z\",\"x.1\"]}", &created),
                     STATUS_CONFLICT);
    expect_error(house, 10065, "subjects overlap with an existing stream: x.* of a");
    assert_int_equal(update(house, "{\"name\":\"b\",\"subjects\":[\"y\",\"x.>\"]}"),
                     STATUS_CONFLICT);
    expect_error(house, 10065, "subjects overlap with an existing stream: x.* of a");
    assert_int_equal(engine_count(house->engine), 2);
    assert_int_equal(update(house, "{\"name\":\"a\",\"subjects\":[\"x.>\"]}"), STATUS_OK);
}

static void an_update_counts_for_everything_after_it(void **state)
{
    struct house *house = *state;
    bool created = true;
    must_create(house, "{\"name\":\"a\",\"subjects\":[\"x\"]}");
    assert_int_equal(update(house, "{\"name\":\"a\",\"subjects\":[\"y\"],\"max_msgs\":1}"),
                     STATUS_OK);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(engine_config(house->engine, 0)->max_msgs, 1);
        put(house, "y");
        assert_int_equal(messages(house, "a"), 1);
        assert_int_equal(create(house, "{\"name\":\"b\",\"subjects\":[\"y\"]}", &created),
                         STATUS_CONFLICT);
        close_engine(house);
        open_engine(house);
    }
    must_create(house, "{\"name\":\"b\",\"subjects\":[\"x\"]}");
    assert_int_equal(update(house, "{\"name\":\"nobody\"}"), STATUS_NOT_FOUND);
    assert_int_equal(update(house, "{}"), STATUS_INVALID);
}

static void a_deleted_stream_is_gone_with_its_messages(void **state)
{
    struct house *house = *state;
    struct stream *stream;
    must_create(house, "{\"name\":\"a\"}");
    put(house, "a");
    assert_int_equal(engine_delete(house->engine, BYTES("a"), NULL), STATUS_OK);
    assert_int_equal(engine_count(house->engine), 0);
    assert_int_equal(engine_delete(house->engine, BYTES("a"), &house->err), STATUS_NOT_FOUND);
    assert_int_equal(engine_stream(house->engine, BYTES("a"), NOW, &stream, NULL),
                     STATUS_NOT_FOUND);
    must_create(house, "{\"name\":\"a\"}");
    assert_int_equal(messages(house, "a"), 0);
    close_engine(house);
    open_engine(house);
    assert_int_equal(messages(house, "a"), 0);
}

static bool nobody(void *context, struct bytes subject)
{
    (void)context;
    (void)subject;
    return false;
}

static uint64_t zero(void *context)
{
    (void)context;
    return 0;
}

static void a_deleted_stream_takes_its_consumers_with_it(void **state)
{
    static const struct consumer_world world = {NULL, nobody, zero};
    struct house *house = *state;
    struct stream *stream;
    struct consumer_config config;
    struct consumer_made made;
    must_create(house, "{\"name\":\"a\"}");
    assert_int_equal(engine_stream(house->engine, BYTES("a"), NOW, &stream, NULL), STATUS_OK);
    assert_int_equal(stream_open_consumers(stream, &world, NULL), STATUS_OK);
    consumer_config_init(&config);
    assert_int_equal(consumer_config_read(&config, BYTES("{\"durable_name\":\"C\"}"), NULL),
                     STATUS_OK);
    assert_int_equal(consumer_make(stream, &config, CONSUMER_CREATE, NOW, &made, NULL), STATUS_OK);
    consumer_config_fini(&config);
    assert_int_equal(msglog_commit(stream_get_consumer_log(stream), NULL), STATUS_OK);
    assert_true(simhost_contains(house->sim, BYTES("durable_name")));
    assert_int_equal(engine_delete(house->engine, BYTES("a"), &house->err), STATUS_OK);
    assert_false(simhost_contains(house->sim, BYTES("durable_name")));
    close_engine(house);
    open_engine(house);
    assert_int_equal(engine_count(house->engine), 0);
}

static void a_stream_is_opened_only_when_it_is_needed(void **state)
{
    struct house *house = *state;
    size_t at = 0;
    must_create(house, "{\"name\":\"a\"}");
    must_create(house, "{\"name\":\"b\"}");
    put(house, "a");
    put(house, "b");
    close_engine(house);
    open_engine(house);
    assert_null(engine_next_open(house->engine, &at));
    assert_int_equal(engine_count(house->engine), 2);
    at = 0;
    assert_null(engine_next_open(house->engine, &at));
    assert_int_equal(messages(house, "b"), 1);
    at = 0;
    assert_ptr_equal(engine_next_open(house->engine, &at), get(house, "b"));
    assert_null(engine_next_open(house->engine, &at));
}

static void a_damaged_configuration_is_named_and_touches_no_other_stream(void **state)
{
    struct house *house = *state;
    struct stream *stream;
    bool created = true;
    must_create(house, "{\"name\":\"a\"}");
    must_create(house, "{\"name\":\"b\"}");
    put(house, "a");
    put(house, "b");
    close_engine(house);
    assert_int_equal(spoil(house, "/streams/a/stream."), 2);
    open_engine(house);
    assert_int_equal(engine_count(house->engine), 2);
    assert_string_equal(engine_config(house->engine, 0)->name, "a");
    assert_int_equal(messages(house, "b"), 1);
    assert_int_equal(engine_stream(house->engine, BYTES("a"), NOW, &stream, &house->err),
                     STATUS_CORRUPT);
    assert_non_null(strstr(house->err.text, "stream a: "));
    assert_int_equal(create(house, "{\"name\":\"a\"}", &created), STATUS_CORRUPT);
    assert_int_equal(update(house, "{\"name\":\"a\"}"), STATUS_CORRUPT);
    assert_true(simhost_contains(house->sim, BYTES("body")));
}

static void messages_without_a_configuration_are_taken_over(void **state)
{
    struct house *house = *state;
    must_create(house, "{\"name\":\"a\",\"subjects\":[\"x.>\"]}");
    put(house, "x.1");
    put(house, "x.2");
    close_engine(house);
    assert_int_equal(remove_files(house, "/streams/a/stream."), 2);
    open_engine(house);
    assert_int_equal(engine_count(house->engine), 0);
    must_create(house, "{\"name\":\"a\",\"subjects\":[\"x.>\"]}");
    assert_int_equal(messages(house, "a"), 2);
    put(house, "x.3");
    assert_int_equal(messages(house, "a"), 3);
}

static void an_empty_log_of_a_creation_that_was_cut_short_is_no_hindrance(void **state)
{
    struct house *house = *state;
    struct stream_state is;
    must_create(house, "{\"name\":\"a\"}");
    close_engine(house);
    assert_int_equal(remove_files(house, "/streams/a/stream."), 2);
    open_engine(house);
    must_create(house, "{\"name\":\"a\",\"first_seq\":50}");
    stream_state_get(get(house, "a"), &is);
    assert_int_equal(is.first_seq, 50);
}

static void a_creation_fails_whole_or_succeeds_wherever_a_call_fails(void **state)
{
    (void)state;
    static const enum simhost_call calls[] = {SIM_OPEN,          SIM_WRITE,  SIM_RESERVE,
                                              SIM_SYNC,          SIM_RENAME, SIM_SYNC_DIRECTORY,
                                              SIM_MAKE_DIRECTORY};
    int failures = 0;
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        enum status status = STATUS_IO;
        for (uint64_t n = 1; status != STATUS_OK; n++) {
            void *made;
            bool created = false;
            make_house(&made);
            struct house *house = made;
            simhost_fail(house->sim, calls[i], n, EIO);
            status = create(house, "{\"name\":\"a\"}", &created);
            simhost_fail(house->sim, calls[i], 0, 0);
            assert_int_equal(created, status == STATUS_OK);
            assert_int_equal(engine_count(house->engine), created ? 1 : 0);
            failures += !created;
            close_engine(house);
            open_engine(house);
            // A failure after the configuration stands may leave the stream.
            if (engine_count(house->engine) == 0)
                must_create(house, "{\"name\":\"a\"}");
            put(house, "a");
            assert_int_equal(messages(house, "a"), 1);
            remove_house(&made);
        }
    }
    assert_true(failures > 10);
}

static void a_crash_while_streams_are_made_leaves_whole_ones(void **state)
{
    (void)state;
    uint64_t seed = 20251123;
    for (int round = 0; round < 64; round++) {
        void *made;
        make_house(&made);
        struct house *house = made;
        must_create(house, "{\"name\":\"a\"}");
        put(house, "a");
        simhost_fail(house->sim, SIM_WRITE, (uint64_t)(1 + round % 8), EIO);
        bool created;
        create(house, "{\"name\":\"b\"}", &created);
        struct simhost *after = simhost_crash(house->sim, (enum simhost_crash_mode)(round / 8 % 4),
                                              &seed);
        close_engine(house);
        simhost_free(house->sim);
        house->sim = after;
        open_engine(house);
        assert_int_equal(messages(house, "a"), 1);
        if (!create(house, "{\"name\":\"b\"}", &created))
            put(house, "b");
        assert_int_equal(messages(house, "b"), 1);
        remove_house(&made);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_house, remove_house)
    const struct CMUnitTest tests[] = {
        TEST(streams_are_listed_in_byte_order_and_outlive_a_reopen),
        TEST(a_stream_is_found_by_name_and_by_subject),
        TEST(making_a_stream_again_needs_the_same_configuration),
        TEST(subjects_of_two_streams_may_not_overlap),
        TEST(an_update_counts_for_everything_after_it),
        TEST(a_deleted_stream_is_gone_with_its_messages),
        TEST(a_deleted_stream_takes_its_consumers_with_it),
        TEST(a_stream_is_opened_only_when_it_is_needed),
        TEST(a_damaged_configuration_is_named_and_touches_no_other_stream),
        TEST(messages_without_a_configuration_are_taken_over),
        TEST(an_empty_log_of_a_creation_that_was_cut_short_is_no_hindrance),
        cmocka_unit_test(a_creation_fails_whole_or_succeeds_wherever_a_call_fails),
        cmocka_unit_test(a_crash_while_streams_are_made_leaves_whole_ones),
    };
    return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
