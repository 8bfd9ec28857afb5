// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_faults.h"
#include "wire/stream_config.h"

static const char full_text[] =
    "{\"name\":\"S\",\"description\":\"d\",\"subjects\":[\"a.>\",\"b\"],\"retention\":"
    "\"workqueue\","
    "\"max_consumers\":3,\"max_msgs\":10000,\"max_bytes\":1073741824,\"max_age\":604800000000000,"
    "\"max_msgs_per_subject\":5,\"max_msg_size\":10485760,\"discard\":\"new\","
    "\"storage\":\"memory\",\"num_replicas\":3,\"duplicate_window\":120000000000,\"first_seq\":7,"
    "\"discard_new_per_subject\":true,\"sealed\":true,\"deny_delete\":true,\"deny_purge\":true,"
    "\"allow_rollup_hdrs\":true,\"allow_direct\":true,\"metadata\":{\"z\":\"1\",\"a\":\"2\"}}";
static const struct bytes full = {full_text, sizeof full_text - 1};

static enum status read(struct stream_config *config, const char *json, struct errinfo *err)
{
    stream_config_init(config);
    return stream_config_from_json(config, bytes_of_string(json), err);
}

static void every_field_is_read(void **state)
{
    (void)state;
    struct stream_config config;
    stream_config_init(&config);
    assert_int_equal(stream_config_from_json(&config, full, NULL), STATUS_OK);
    assert_string_equal(config.name, "S");
    assert_string_equal(config.description, "d");
    assert_int_equal(config.subject_count, 2);
    assert_string_equal(config.subjects[0], "a.>");
    assert_string_equal(config.subjects[1], "b");
    assert_int_equal(config.retention, STREAM_RETAIN_WORKQUEUE);
    assert_int_equal(config.discard, STREAM_DISCARD_NEW);
    assert_int_equal(config.storage, STREAM_STORE_MEMORY);
    assert_int_equal(config.max_consumers, 3);
    assert_int_equal(config.max_msgs, 10000);
    assert_int_equal(config.max_bytes, 1073741824);
    assert_true(config.max_age_ns == INT64_C(604800000000000));
    assert_int_equal(config.max_msgs_per_subject, 5);
    assert_int_equal(config.max_msg_size, 10485760);
    assert_int_equal(config.replicas, 3);
    assert_true(config.duplicate_window_ns == INT64_C(120000000000));
    assert_int_equal(config.first_seq, 7);
    assert_true(config.discard_new_per_subject && config.sealed && config.deny_delete &&
                config.deny_purge && config.allow_rollup && config.allow_direct);
    assert_string_equal(config.metadata, "{\"a\":\"2\",\"z\":\"1\"}");
    stream_config_fini(&config);
}

static void what_is_written_reads_back_equal(void **state)
{
    (void)state;
    struct stream_config config, again;
    struct buf first, second;
    stream_config_init(&config);
    stream_config_init(&again);
    buf_init(&first, 4096);
    buf_init(&second, 4096);
    assert_int_equal(stream_config_from_json(&config, full, NULL), STATUS_OK);
    assert_int_equal(stream_config_to_json(&config, &first), STATUS_OK);
    assert_int_equal(stream_config_from_json(&again, buf_bytes(&first), NULL), STATUS_OK);
    assert_int_equal(stream_config_to_json(&again, &second), STATUS_OK);
    assert_true(bytes_equal(buf_bytes(&first), buf_bytes(&second)));
    buf_fini(&first);
    buf_fini(&second);
    stream_config_fini(&config);
    stream_config_fini(&again);
}

static void a_limit_of_zero_or_less_is_no_limit(void **state)
{
    (void)state;
    struct stream_config config;
    assert_int_equal(read(&config,
                          "{\"name\":\"S\",\"max_msgs\":0,\"max_bytes\":-5,\"max_msg_size\":0,"
                          "\"max_msgs_per_subject\":0,\"num_replicas\":0}",
                          NULL),
                     STATUS_OK);
    assert_true(config.max_msgs == -1 && config.max_bytes == -1 && config.max_msg_size == -1);
    assert_true(config.max_msgs_per_subject == -1 && config.max_consumers == -1);
    assert_int_equal(config.replicas, 1);
    stream_config_fini(&config);
}

static void what_a_server_adds_to_metadata_is_left_out(void **state)
{
    (void)state;
    struct stream_config config;
    assert_int_equal(read(&config,
                          "{\"name\":\"S\",\"metadata\":{\"_nats.ver\":\"2.14.0\","
                          "\"_nats.level\":\"3\",\"mine\":\"1\",\"_nats.req.level\":\"0\"}}",
                          NULL),
                     STATUS_OK);
    assert_string_equal(config.metadata, "{\"mine\":\"1\"}");
    stream_config_fini(&config);
    assert_int_equal(
        read(&config, "{\"name\":\"S\",\"metadata\":{\"_nats.ver\":\"2.14.0\"}}", NULL), STATUS_OK);
    assert_null(config.metadata);
    stream_config_fini(&config);
}

static void unknown_keys_and_nulls_do_no_harm(void **state)
{
    (void)state;
    struct stream_config config;
    assert_int_equal(read(&config,
                          "{\"name\":\"S\",\"template_owner\":\"x\",\"subjects\":null,"
                          "\"metadata\":null,\"max_msgs\":null,\"placement\":{\"cluster\":\"c\"}}",
                          NULL),
                     STATUS_OK);
    assert_int_equal(config.subject_count, 0);
    assert_int_equal(config.max_msgs, -1);
    assert_null(config.metadata);
    stream_config_fini(&config);
}

static void a_value_of_the_wrong_type_is_refused_by_its_key(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"name", "1"},           {"description", "[]"},        {"subjects", "\"a\""},
        {"subjects", "[1]"},     {"retention", "\"forever\""}, {"discard", "1"},
        {"storage", "\"tape\""}, {"max_msgs", "\"5\""},        {"max_bytes", "1.5"},
        {"max_age", "true"},     {"first_seq", "-1"},          {"num_replicas", "99999999999"},
        {"sealed", "0"},         {"metadata", "[]"},           {"metadata", "{\"a\":1}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct stream_config config;
        struct errinfo err = {0};
        char json[128], text[128];
        snprintf(json, sizeof json, "{\"%s\":%s}", rows[i][0], rows[i][1]);
        snprintf(text, sizeof text, "invalid JSON: %s has a value of the wrong type", rows[i][0]);
        assert_int_equal(read(&config, json, &err), STATUS_INVALID);
        assert_int_equal(err.protocol_code, 10025);
        assert_string_equal(err.text, text);
        stream_config_fini(&config);
    }
}

static void text_that_is_no_json_object_is_refused_without_forging_a_line(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "[]", "3", "{", "{\"a\":1}x", "nul\nl", "{\"name\":\"\\u0000\"}"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct stream_config config;
        struct errinfo err = {0};
        assert_int_equal(read(&config, bad[i], &err), STATUS_INVALID);
        assert_int_equal(err.protocol_code, 10025);
        assert_null(strchr(err.text, '\n'));
        stream_config_fini(&config);
    }
}

static void a_failed_read_leaves_the_configuration(void **state)
{
    (void)state;
    struct stream_config config;
    assert_int_equal(read(&config, "{\"name\":\"old\",\"max_msgs\":4}", NULL), STATUS_OK);
    assert_int_equal(
        stream_config_from_json(&config, BYTES("{\"name\":\"new\",\"sealed\":1}"), NULL),
        STATUS_INVALID);
    assert_string_equal(config.name, "old");
    assert_int_equal(config.max_msgs, 4);
    stream_config_fini(&config);
}

static void only_so_many_subjects_fit(void **state)
{
    (void)state;
    struct stream_config config;
    struct errinfo err = {0};
    stream_config_init(&config);
    for (int i = 0; i < STREAM_SUBJECTS_MAX; i++)
        assert_int_equal(stream_config_add_subject(&config, BYTES("a"), NULL), STATUS_OK);
    assert_int_equal(stream_config_add_subject(&config, BYTES("a"), &err), STATUS_LIMIT);
    assert_string_equal(err.text, "a stream listens to at most 64 subjects");
    stream_config_fini(&config);
}

static void what_a_c_string_or_json_cannot_hold_is_refused(void **state)
{
    (void)state;
    struct stream_config config;
    struct buf out;
    stream_config_init(&config);
    buf_init(&out, 4096);
    assert_int_equal(stream_config_set_string(&config.name, bytes_of("a\0b", 3)), STATUS_INVALID);
    assert_null(config.name);
    assert_int_equal(stream_config_set_string(&config.name, BYTES("a\xff")), STATUS_OK);
    assert_int_equal(stream_config_to_json(&config, &out), STATUS_INVALID);
    assert_int_equal(out.size, 0);
    buf_fini(&out);
    stream_config_fini(&config);
}

static void a_copy_shares_nothing(void **state)
{
    (void)state;
    struct stream_config config, copy;
    stream_config_init(&config);
    assert_int_equal(stream_config_from_json(&config, full, NULL), STATUS_OK);
    assert_int_equal(stream_config_copy(&copy, &config), STATUS_OK);
    stream_config_fini(&config);
    assert_string_equal(copy.name, "S");
    assert_string_equal(copy.subjects[1], "b");
    assert_string_equal(copy.metadata, "{\"a\":\"2\",\"z\":\"1\"}");
    assert_int_equal(copy.max_msgs, 10000);
    stream_config_fini(&copy);
}

// Reads, copies and writes with the n-th allocation failing; says whether memory was enough.
static bool round_trip(void)
{
    struct stream_config config, copy;
    struct buf out;
    stream_config_init(&config);
    stream_config_init(&copy);
    buf_init(&out, 4096);
    enum status status = stream_config_from_json(&config, full, NULL);
    if (status == STATUS_OK)
        status = stream_config_copy(&copy, &config);
    alloc_faults_of_json(true);
    if (status == STATUS_OK)
        status = stream_config_to_json(&copy, &out);
    alloc_faults_of_json(false);
    bool failed = alloc_faults_stop();
    assert_int_equal(status == STATUS_OK, !failed);
    assert_true(status == STATUS_OK || status == STATUS_NO_MEMORY);
    if (status == STATUS_OK)
        assert_true(bytes_find(buf_bytes(&out), BYTES("\"allow_direct\":true")) != SIZE_MAX &&
                    bytes_find(buf_bytes(&out), BYTES("\"z\":\"1\"")) != SIZE_MAX);
    buf_fini(&out);
    stream_config_fini(&config);
    stream_config_fini(&copy);
    return status == STATUS_OK;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    size_t n = 0;
    for (;; n++) {
        alloc_faults_start(n, SIZE_MAX);
        if (round_trip())
            break;
    }
    assert_true(n > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_is_read),
        cmocka_unit_test(what_is_written_reads_back_equal),
        cmocka_unit_test(a_limit_of_zero_or_less_is_no_limit),
        cmocka_unit_test(what_a_server_adds_to_metadata_is_left_out),
        cmocka_unit_test(unknown_keys_and_nulls_do_no_harm),
        cmocka_unit_test(a_value_of_the_wrong_type_is_refused_by_its_key),
        cmocka_unit_test(text_that_is_no_json_object_is_refused_without_forging_a_line),
        cmocka_unit_test(a_failed_read_leaves_the_configuration),
        cmocka_unit_test(only_so_many_subjects_fit),
        cmocka_unit_test(what_a_c_string_or_json_cannot_hold_is_refused),
        cmocka_unit_test(a_copy_shares_nothing),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("stream_config", tests, NULL, NULL);
}
