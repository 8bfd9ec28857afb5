// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/stream_config.h"

#include <stdio.h>
#include <string.h>

// A configuration in which every field differs from its default.
static const char full[] =
    "{\"subjects\":[\"a.*\",\"b.>\"],\"name\":\"S\",\"description\":\"\\u00fc\\n\","
    "\"retention\":\"workqueue\",\"max_consumers\":3,\"max_msgs\":10,\"max_bytes\":1000,"
    "\"max_age\":3600000000000,\"max_msgs_per_subject\":5,\"max_msg_size\":99,"
    "\"discard\":\"new\",\"storage\":\"memory\",\"num_replicas\":3,"
    "\"duplicate_window\":120000000000,\"first_seq\":7,\"discard_new_per_subject\":true,"
    "\"sealed\":true,\"deny_delete\":true,\"deny_purge\":true,\"allow_rollup_hdrs\":true,"
    "\"allow_direct\":true,\"metadata\":{\"a\":\"1\",\"b\":\"2\"}}";

static struct stream_config read_config(const char *json)
{
    struct stream_config config;
    struct errinfo err = {.text = ""};
    stream_config_init(&config);
    if (stream_config_from_json(&config, bytes_of_string(json), &err) != STATUS_OK)
        fail_msg("%s", err.text);
    return config;
}

static void expect_json(const struct stream_config *config, const char *json)
{
    struct buf out;
    buf_init(&out, 1 << 16);
    assert_int_equal(stream_config_to_json(config, &out), STATUS_OK);
    struct stream_config again = read_config(buf_string(&out));
    struct stream_config wanted = read_config(json);
    struct buf second, third;
    buf_init(&second, 1 << 16);
    buf_init(&third, 1 << 16);
    assert_int_equal(stream_config_to_json(&again, &second), STATUS_OK);
    assert_int_equal(stream_config_to_json(&wanted, &third), STATUS_OK);
    assert_string_equal(buf_string(&second), buf_string(&out));
    assert_string_equal(buf_string(&third), buf_string(&out));
    stream_config_fini(&again);
    stream_config_fini(&wanted);
    buf_fini(&out);
    buf_fini(&second);
    buf_fini(&third);
}

static void every_field_is_read(void **state)
{
    (void)state;
    struct stream_config config = read_config(full);
    assert_string_equal(config.name, "S");
    assert_string_equal(config.description, "ü\n");
    assert_int_equal(config.subject_count, 2);
    assert_string_equal(config.subjects[0], "a.*");
    assert_string_equal(config.subjects[1], "b.>");
    assert_int_equal(config.retention, STREAM_RETAIN_WORKQUEUE);
    assert_int_equal(config.discard, STREAM_DISCARD_NEW);
    assert_int_equal(config.storage, STREAM_STORE_MEMORY);
    assert_int_equal(config.max_msgs, 10);
    assert_int_equal(config.max_bytes, 1000);
    assert_true(config.max_age_ns == INT64_C(3600000000000));
    assert_int_equal(config.max_msg_size, 99);
    assert_int_equal(config.max_msgs_per_subject, 5);
    assert_int_equal(config.max_consumers, 3);
    assert_true(config.duplicate_window_ns == INT64_C(120000000000));
    assert_int_equal(config.replicas, 3);
    assert_int_equal(config.first_seq, 7);
    assert_true(config.discard_new_per_subject && config.sealed && config.deny_delete);
    assert_true(config.deny_purge && config.allow_rollup && config.allow_direct);
    assert_string_equal(config.metadata, "{\"a\":\"1\",\"b\":\"2\"}");
    stream_config_fini(&config);
}

static void what_is_written_reads_back_the_same(void **state)
{
    (void)state;
    struct stream_config config = read_config(full);
    struct stream_config copy;
    expect_json(&config, full);
    assert_int_equal(stream_config_copy(&copy, &config), STATUS_OK);
    stream_config_fini(&config);
    expect_json(&copy, full);
    stream_config_fini(&copy);
}

static void what_is_left_out_has_jetstreams_default(void **state)
{
    (void)state;
    struct stream_config config = read_config("{\"name\":\"S\",\"description\":null,"
                                              "\"subjects\":null,\"max_msgs\":null}");
    assert_null(config.description);
    assert_null(config.metadata);
    assert_int_equal(config.subject_count, 0);
    assert_int_equal(config.max_msgs, -1);
    assert_int_equal(config.max_bytes, -1);
    assert_int_equal(config.max_msg_size, -1);
    assert_int_equal(config.max_msgs_per_subject, -1);
    assert_int_equal(config.max_consumers, -1);
    assert_int_equal(config.replicas, 1);
    assert_int_equal(config.retention, STREAM_RETAIN_LIMITS);
    assert_int_equal(config.discard, STREAM_DISCARD_OLD);
    assert_int_equal(config.storage, STREAM_STORE_FILE);
    stream_config_fini(&config);
}

static void zero_and_less_stand_for_no_limit(void **state)
{
    (void)state;
    struct stream_config config = read_config("{\"name\":\"S\",\"max_msgs\":0,\"max_bytes\":-7,"
                                              "\"max_msg_size\":0,\"max_msgs_per_subject\":0,"
                                              "\"max_consumers\":0,\"num_replicas\":0}");
    expect_json(&config, "{\"name\":\"S\"}");
    stream_config_fini(&config);
}

static void unknown_keys_are_ignored(void **state)
{
    (void)state;
    struct stream_config config = read_config("{\"name\":\"S\",\"compression\":\"s2\",\"x\":[{}]}");
    expect_json(&config, "{\"name\":\"S\"}");
    stream_config_fini(&config);
}

static void expect_refused(const char *json, const char *key)
{
    struct stream_config config;
    struct errinfo err = {.text = ""};
    stream_config_init(&config);
    assert_int_equal(stream_config_set_string(&config.name, BYTES("before")), STATUS_OK);
    if (stream_config_from_json(&config, bytes_of_string(json), &err) != STATUS_INVALID)
        fail_msg("%s was taken", json);
    assert_int_equal(err.protocol_code, 10025);
    assert_true(strncmp(err.text, "invalid JSON", 12) == 0);
    if (strstr(err.text, key) == NULL)
        fail_msg("%s does not name %s", err.text, key);
    assert_string_equal(config.name, "before");
    stream_config_fini(&config);
}

static void a_value_of_the_wrong_type_is_refused_and_names_its_key(void **state)
{
    (void)state;
    static const char *const strings[] = {"name", "description", "retention", "discard", "storage"};
    static const char *const numbers[] = {"max_consumers",
                                          "max_msgs",
                                          "max_bytes",
                                          "max_age",
                                          "max_msg_size",
                                          "num_replicas",
                                          "max_msgs_per_subject",
                                          "first_seq",
                                          "duplicate_window"};
    static const char *const flags[] = {
        "sealed",     "deny_delete",       "discard_new_per_subject",
        "deny_purge", "allow_rollup_hdrs", "allow_direct"};
    char json[128];
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++) {
        snprintf(json, sizeof json, "{\"%s\":1}", strings[i]);
        expect_refused(json, strings[i]);
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        snprintf(json, sizeof json, "{\"%s\":\"1\"}", numbers[i]);
        expect_refused(json, numbers[i]);
        snprintf(json, sizeof json, "{\"%s\":1.5}", numbers[i]);
        expect_refused(json, numbers[i]);
    }
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        snprintf(json, sizeof json, "{\"%s\":1}", flags[i]);
        expect_refused(json, flags[i]);
    }
    expect_refused("{\"subjects\":\"a\"}", "subjects");
    expect_refused("{\"subjects\":[1]}", "subjects");
    expect_refused("{\"metadata\":[]}", "metadata");
    expect_refused("{\"metadata\":{\"a\":1}}", "metadata");
}

static void words_and_numbers_outside_their_range_are_refused(void **state)
{
    (void)state;
    expect_refused("{\"retention\":\"forever\"}", "retention");
    expect_refused("{\"storage\":\"File\"}", "storage");
    expect_refused("{\"first_seq\":-1}", "first_seq");
    expect_refused("{\"num_replicas\":-1}", "num_replicas");
    expect_refused("{\"num_replicas\":4294967297}", "num_replicas");
    expect_refused("{\"max_msgs\":99999999999999999999}", "");
}

static void what_is_no_json_object_is_refused(void **state)
{
    (void)state;
    expect_refused("", "");
    expect_refused("[]", "object");
    expect_refused("null", "");
    expect_refused("{\"name\":\"S\"", "");
    expect_refused("{\"name\":\x1b[31m}", "\\x1b");
    expect_refused("{\"name\":\"a\\u0000b\"}", "");
    expect_refused("{\"name\":\"\xff\"}", "");
}

static void a_stream_has_a_most_of_subjects(void **state)
{
    (void)state;
    struct stream_config config;
    struct errinfo err = {.text = ""};
    stream_config_init(&config);
    for (int i = 0; i < STREAM_SUBJECTS_MAX; i++)
        assert_int_equal(stream_config_add_subject(&config, BYTES("s"), NULL), STATUS_OK);
    assert_int_equal(stream_config_add_subject(&config, BYTES("s"), &err), STATUS_LIMIT);
    assert_string_equal(err.text, "a stream listens to at most 64 subjects");
    stream_config_fini(&config);
}

static void a_string_that_is_not_utf8_is_refused_instead_of_left_out(void **state)
{
    (void)state;
    struct stream_config config;
    struct buf out;
    buf_init(&out, 1 << 16);
    stream_config_init(&config);
    assert_int_equal(stream_config_set_string(&config.name, BYTES("S")), STATUS_OK);
    assert_int_equal(stream_config_add_subject(&config, BYTES("a.\xff"), NULL), STATUS_OK);
    assert_int_equal(stream_config_to_json(&config, &out), STATUS_INVALID);
    assert_int_equal(out.size, 0);
    stream_config_fini(&config);
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_is_read),
        cmocka_unit_test(what_is_written_reads_back_the_same),
        cmocka_unit_test(what_is_left_out_has_jetstreams_default),
        cmocka_unit_test(zero_and_less_stand_for_no_limit),
        cmocka_unit_test(unknown_keys_are_ignored),
        cmocka_unit_test(a_value_of_the_wrong_type_is_refused_and_names_its_key),
        cmocka_unit_test(words_and_numbers_outside_their_range_are_refused),
        cmocka_unit_test(what_is_no_json_object_is_refused),
        cmocka_unit_test(a_stream_has_a_most_of_subjects),
        cmocka_unit_test(a_string_that_is_not_utf8_is_refused_instead_of_left_out),
    };
    return cmocka_run_group_tests_name("stream_config", tests, NULL, NULL);
}
