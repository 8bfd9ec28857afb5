// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/stream_info.h"

// As nats-server writes it, with keys that mean nothing here.
static const char response[] =
    "{\"type\":\"io.nats.jetstream.api.v1.stream_info_response\",\"total\":0,\"offset\":0,"
    "\"config\":{\"name\":\"S\",\"subjects\":[\"a.>\"],\"retention\":\"limits\",\"max_msgs\":5,"
    "\"mirror_direct\":false},\"created\":\"2026-11-23T09:41:07.123456789Z\","
    "\"state\":{\"messages\":3,\"bytes\":120,\"first_seq\":2,"
    "\"first_ts\":\"2026-11-23T09:41:08Z\",\"last_seq\":6,"
    "\"last_ts\":\"2026-11-23T10:41:09.5+01:00\",\"num_subjects\":2,\"num_deleted\":2,"
    "\"consumer_count\":1},\"cluster\":{\"leader\":\"n\"}}";

static struct stream_info read_info(const char *json)
{
    struct stream_info info = {.created_ns = 77};
    struct errinfo err = {.text = ""};
    stream_config_init(&info.config);
    if (stream_info_from_json(&info, bytes_of_string(json), &err) != STATUS_OK)
        fail_msg("%s", err.text);
    return info;
}

static void what_a_server_says_is_read(void **state)
{
    (void)state;
    struct stream_info info = read_info(response);
    assert_string_equal(info.config.name, "S");
    assert_int_equal(info.config.max_msgs, 5);
    assert_true(info.created_ns == INT64_C(1795426867123456789));
    assert_true(info.state.messages == 3 && info.state.bytes == 120);
    assert_true(info.state.first_seq == 2 && info.state.last_seq == 6);
    assert_true(info.state.first_time_ns == INT64_C(1795426868000000000));
    assert_true(info.state.last_time_ns == INT64_C(1795426869500000000));
    assert_true(info.state.num_subjects == 2 && info.state.num_deleted == 2);
    assert_int_equal(info.state.consumers, 1);
    stream_config_fini(&info.config);
}

static void what_is_written_reads_back(void **state)
{
    (void)state;
    struct stream_info info = read_info(response);
    static const uint64_t deleted[] = {3, 5};
    const struct stream_info_details details = {.deleted = deleted, .deleted_count = 2};
    struct buf out;
    buf_init(&out, 4096);
    assert_int_equal(stream_info_to_json(&info, &details, &out), STATUS_OK);
    assert_non_null(strstr(buf_string(&out), "\"deleted\":[3,5],"));
    struct stream_info again = read_info(buf_string(&out));
    assert_memory_equal(&again.state, &info.state, sizeof info.state);
    assert_true(again.created_ns == info.created_ns);
    assert_string_equal(again.config.subjects[0], "a.>");
    buf_fini(&out);
    stream_config_fini(&info.config);
    stream_config_fini(&again.config);
}

static void an_empty_stream_has_the_zero_time_and_leaves_out_what_is_zero(void **state)
{
    (void)state;
    struct stream_info info = {.state = {.first_seq = 1}};
    struct buf out;
    stream_config_init(&info.config);
    buf_init(&out, 4096);
    assert_int_equal(stream_info_to_json(&info, NULL, &out), STATUS_OK);
    assert_non_null(strstr(buf_string(&out),
                           "\"created\":\"0001-01-01T00:00:00Z\",\"state\":{\"messages\":0,"
                           "\"bytes\":0,\"first_seq\":1,\"first_ts\":\"0001-01-01T00:00:00Z\","
                           "\"last_seq\":0,\"last_ts\":\"0001-01-01T00:00:00Z\","
                           "\"consumer_count\":0}}"));
    struct stream_info again = read_info(buf_string(&out));
    assert_true(again.created_ns == 0 && again.state.first_time_ns == 0);
    buf_fini(&out);
    stream_config_fini(&again.config);
}

static void what_is_no_stream_info_is_refused_and_leaves_the_old_one(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "[]",
        "{}",
        "{\"config\":{\"name\":\"S\"}}",
        "{\"config\":[],\"state\":{}}",
        "{\"config\":{\"name\":1},\"state\":{}}",
        "{\"config\":{\"name\":\"S\"},\"state\":{\"messages\":-1}}",
        "{\"config\":{\"name\":\"S\"},\"state\":{\"bytes\":\"1\"}}",
        "{\"config\":{\"name\":\"S\"},\"state\":{\"first_ts\":1}}",
        "{\"config\":{\"name\":\"S\"},\"state\":{},\"created\":5}",
    };
    struct stream_info info = read_info(response);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct errinfo err = {.text = ""};
        if (stream_info_from_json(&info, bytes_of_string(bad[i]), &err) != STATUS_INVALID)
            fail_msg("%s was taken", bad[i]);
        assert_true(err.text[0] != '\0');
    }
    assert_string_equal(info.config.name, "S");
    assert_int_equal(info.state.messages, 3);
    stream_config_fini(&info.config);
}

static void a_text_that_does_not_fit_is_told(void **state)
{
    (void)state;
    struct stream_info info = read_info(response);
    struct buf out;
    buf_init(&out, 100);
    assert_int_equal(stream_info_to_json(&info, NULL, &out), STATUS_LIMIT);
    buf_fini(&out);
    stream_config_fini(&info.config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_server_says_is_read),
        cmocka_unit_test(what_is_written_reads_back),
        cmocka_unit_test(an_empty_stream_has_the_zero_time_and_leaves_out_what_is_zero),
        cmocka_unit_test(what_is_no_stream_info_is_refused_and_leaves_the_old_one),
        cmocka_unit_test(a_text_that_does_not_fit_is_told),
    };
    return cmocka_run_group_tests_name("stream_info", tests, NULL, NULL);
}
