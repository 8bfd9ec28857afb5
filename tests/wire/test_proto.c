// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_faults.h"
#include "wire/proto.h"

#include <jansson.h>

enum { OUT_MAX = 4096 };

static void assert_written(struct buf *out, const char *expected)
{
    assert_int_equal(buf_status(out), STATUS_OK);
    assert_string_equal(buf_string(out), expected);
    buf_fini(out);
}

static void a_message_is_one_line_and_its_body(void **state)
{
    (void)state;
    struct proto_message message = {
        .subject = BYTES("a.b"), .sid = BYTES("7"), .body = BYTES("hello")};
    struct buf out;
    buf_init(&out, OUT_MAX);
    proto_put_message(&out, &message);
    assert_written(&out, "MSG a.b 7 5\r\nhello\r\n");
}

static void a_message_may_have_a_reply_and_no_body(void **state)
{
    (void)state;
    struct proto_message message = {
        .subject = BYTES("a.b"), .sid = BYTES("7"), .reply = BYTES("_INBOX.x")};
    struct buf out;
    buf_init(&out, OUT_MAX);
    proto_put_message(&out, &message);
    assert_written(&out, "MSG a.b 7 _INBOX.x 0\r\n\r\n");
}

static void a_message_with_headers_states_both_sizes(void **state)
{
    (void)state;
    struct proto_message message = {.subject = BYTES("a"),
                                    .sid = BYTES("12345"),
                                    .reply = BYTES("r"),
                                    .headers = BYTES("NATS/1.0\r\n\r\n"),
                                    .body = BYTES("ok")};
    struct buf out;
    buf_init(&out, OUT_MAX);
    proto_put_message(&out, &message);
    assert_written(&out, "HMSG a 12345 r 12 14\r\nNATS/1.0\r\n\r\nok\r\n");
}

static void the_line_of_a_message_is_what_stands_before_its_payload(void **state)
{
    (void)state;
    struct proto_message message = {.subject = BYTES("a"),
                                    .sid = BYTES("1"),
                                    .headers = BYTES("NATS/1.0\r\n\r\n"),
                                    .body = BYTES("ok")};
    struct buf out;
    buf_init(&out, OUT_MAX);
    proto_put_message_line(&out, &message);
    assert_written(&out, "HMSG a 1 12 14\r\n");
}

static void a_message_that_does_not_fit_is_left_out_whole(void **state)
{
    (void)state;
    struct proto_message message = {.subject = BYTES("a"), .sid = BYTES("1")};
    struct buf out;
    buf_init(&out, 8);
    proto_put_ping(&out);
    proto_put_message(&out, &message);
    assert_int_equal(buf_status(&out), STATUS_LIMIT);
    assert_int_equal(out.size, 6);
    buf_fini(&out);
}

static void the_short_ones_are_lines(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, OUT_MAX);
    proto_put_ok(&out);
    proto_put_ping(&out);
    proto_put_pong(&out);
    proto_put_error(&out, "Permissions Violation for Publish to \"it's\"");
    assert_written(
        &out, "+OK\r\nPING\r\nPONG\r\n-ERR 'Permissions Violation for Publish to \"it's\"'\r\n");
}

static void an_error_text_cannot_break_out_of_its_line(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, OUT_MAX);
    proto_put_error(&out, "a\r\n MSG b 1 0\r");
    assert_written(&out, "-ERR 'a?"
                         "? MSG b 1 0?'\r\n");
}

static json_t *info_of(const struct server_info *info)
{
    struct buf out;
    buf_init(&out, OUT_MAX);
    proto_put_info(&out, info);
    struct bytes line = buf_bytes(&out);
    assert_true(bytes_start_with(line, BYTES("INFO {")));
    assert_true(bytes_end_with(line, BYTES("}\r\n")));
    assert_int_equal(bytes_find_byte(line, '\n'), line.size - 1);
    json_t *document = json_loadb(line.data + 5, line.size - 7, 0, NULL);
    assert_non_null(document);
    buf_fini(&out);
    return document;
}

static void assert_text(const json_t *document, const char *key, const char *expected)
{
    const char *text = json_string_value(json_object_get(document, key));
    assert_non_null(text);
    assert_string_equal(text, expected);
}

static void info_says_what_clients_look_for(void **state)
{
    (void)state;
    struct server_info info = {
        .server_id = "ID",
        .server_name = "one \"quoted\"\n",
        .version = "2.14.0",
        .host = "127.0.0.1",
        .port = 4222,
        .max_payload = 1048576,
        .client_id = 5,
        .client_ip = "127.0.0.1",
        .connect_url = "h:1",
        .nonce = "n",
        .api_level = 3,
        .auth_required = true,
        .jetstream = true,
    };
    json_t *document = info_of(&info);
    assert_text(document, "server_id", "ID");
    assert_text(document, "server_name", "one \"quoted\"\n");
    assert_text(document, "version", "2.14.0");
    assert_text(document, "nonce", "n");
    assert_int_equal(json_integer_value(json_object_get(document, "port")), 4222);
    assert_int_equal(json_integer_value(json_object_get(document, "max_payload")), 1048576);
    assert_int_equal(json_integer_value(json_object_get(document, "client_id")), 5);
    assert_int_equal(json_integer_value(json_object_get(document, "proto")), 1);
    assert_int_equal(json_integer_value(json_object_get(document, "api_lvl")), 3);
    assert_true(json_is_true(json_object_get(document, "headers")));
    assert_true(json_is_true(json_object_get(document, "auth_required")));
    assert_true(json_is_true(json_object_get(document, "jetstream")));
    const json_t *urls = json_object_get(document, "connect_urls");
    assert_string_equal(json_string_value(json_array_get(urls, 0)), "h:1");
    json_decref(document);
}

static void info_leaves_out_what_is_not_so(void **state)
{
    (void)state;
    static const char *const keys[] = {
        "auth_required", "tls_required", "tls_available", "jetstream", "ldm",       "connect_info",
        "acc_is_sys",    "connect_urls", "nonce",         "domain",    "client_id", "api_lvl"};
    struct server_info info = {.server_id = "ID", .port = 4222};
    json_t *document = info_of(&info);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        assert_null(json_object_get(document, keys[i]));
    json_decref(document);
}

static void info_that_does_not_fit_is_left_out_whole(void **state)
{
    (void)state;
    struct server_info info = {.server_id = "a name that is far too long for so little space"};
    struct buf out;
    buf_init(&out, 40);
    proto_put_ok(&out);
    proto_put_info(&out, &info);
    assert_int_equal(buf_status(&out), STATUS_LIMIT);
    assert_int_equal(out.size, 5);
    buf_fini(&out);
}

static struct connect_options read_options(const char *json)
{
    struct connect_options options;
    connect_options_init(&options);
    assert_int_equal(connect_options_read(&options, bytes_of_string(json), NULL), STATUS_OK);
    return options;
}

static void connect_without_members_means_the_defaults(void **state)
{
    (void)state;
    struct connect_options options = read_options("{}");
    assert_true(options.verbose);
    assert_true(options.pedantic);
    assert_true(options.echo);
    assert_false(options.headers);
    assert_false(options.no_responders);
    assert_int_equal(options.protocol, 0);
    assert_null(options.name);
    connect_options_fini(&options);
}

static const char all_members[] =
    "{\"verbose\":false,\"pedantic\":false,\"echo\":false,\"headers\":true,"
    "\"no_responders\":true,\"tls_required\":true,\"protocol\":1,\"name\":\"n\","
    "\"lang\":\"c\",\"version\":\"1.2\",\"user\":\"u\",\"pass\":\"p\","
    "\"auth_token\":\"t\",\"nkey\":\"k\",\"jwt\":\"j\",\"sig\":\"s\"}";

static void every_member_of_connect_is_read(void **state)
{
    (void)state;
    struct connect_options options = read_options(all_members);
    assert_false(options.verbose || options.pedantic || options.echo);
    assert_true(options.headers && options.no_responders && options.tls_required);
    assert_int_equal(options.protocol, 1);
    assert_string_equal(options.name, "n");
    assert_string_equal(options.lang, "c");
    assert_string_equal(options.version, "1.2");
    assert_string_equal(options.user, "u");
    assert_string_equal(options.password, "p");
    assert_string_equal(options.token, "t");
    assert_string_equal(options.nkey, "k");
    assert_string_equal(options.jwt, "j");
    assert_string_equal(options.sig, "s");
    connect_options_fini(&options);
}

static void unknown_members_nulls_and_letter_case_do_not_matter(void **state)
{
    (void)state;
    struct connect_options options = read_options(
        " {\"VERBOSE\":false,\"future\":[1,{}],\"name\":null,\"Echo\":null}\t");
    assert_false(options.verbose);
    assert_true(options.echo);
    assert_null(options.name);
    connect_options_fini(&options);
}

static void ill_typed_members_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        const char *text;
    } cases[] = {
        {"{\"verbose\":1}", "CONNECT: \"verbose\" must be true or false"},
        {"{\"Echo\":\"true\"}", "CONNECT: \"echo\" must be true or false"},
        {"{\"protocol\":1.0}", "CONNECT: \"protocol\" must be a whole number"},
        {"{\"protocol\":4294967296}", "CONNECT: \"protocol\" must be a whole number"},
        {"{\"user\":5}", "CONNECT: \"user\" must be a string"},
        {"[]", "CONNECT: its argument is not a JSON object"},
        {"null", "CONNECT: its argument is not a JSON object"},
        {"", "CONNECT: its argument is not a JSON object"},
        {"{\"echo\":true} x", "CONNECT: its argument is not a JSON object"},
        {"{\"user\":\"admin\\u0000x\"}", "CONNECT: its argument is not a JSON object"},
        {"{\"user\":\"\xff\"}", "CONNECT: its argument is not a JSON object"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct connect_options options;
        struct errinfo err = {.text = ""};
        connect_options_init(&options);
        assert_int_equal(connect_options_read(&options, bytes_of_string(cases[i].json), &err),
                         STATUS_INVALID);
        assert_string_equal(err.text, cases[i].text);
        connect_options_fini(&options);
    }
}

static void a_second_connect_replaces_the_first_and_a_bad_one_nothing(void **state)
{
    (void)state;
    struct connect_options options = read_options("{\"user\":\"a\",\"name\":\"n\"}");
    assert_int_equal(connect_options_read(&options, BYTES("{\"user\":\"b\",\"name\":1}"), NULL),
                     STATUS_INVALID);
    assert_string_equal(options.user, "a");
    assert_int_equal(connect_options_read(&options, BYTES("{\"user\":\"b\"}"), NULL), STATUS_OK);
    assert_string_equal(options.user, "b");
    assert_null(options.name);
    connect_options_fini(&options);
}

static void a_lack_of_memory_at_any_point_of_connect_is_told_and_leaks_nothing(void **state)
{
    (void)state;
    bool told = true;
    for (size_t n = 0; told; n++) {
        struct connect_options options;
        connect_options_init(&options);
        alloc_faults_start(n, 1);
        enum status status = connect_options_read(&options, bytes_of_string(all_members), NULL);
        told = alloc_faults_stop();
        if (status == STATUS_OK)
            assert_string_equal(options.sig, "s");
        else
            assert_true(told && options.sig == NULL);
        connect_options_fini(&options);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_one_line_and_its_body),
        cmocka_unit_test(a_message_may_have_a_reply_and_no_body),
        cmocka_unit_test(a_message_with_headers_states_both_sizes),
        cmocka_unit_test(the_line_of_a_message_is_what_stands_before_its_payload),
        cmocka_unit_test(a_message_that_does_not_fit_is_left_out_whole),
        cmocka_unit_test(the_short_ones_are_lines),
        cmocka_unit_test(an_error_text_cannot_break_out_of_its_line),
        cmocka_unit_test(info_says_what_clients_look_for),
        cmocka_unit_test(info_leaves_out_what_is_not_so),
        cmocka_unit_test(info_that_does_not_fit_is_left_out_whole),
        cmocka_unit_test(connect_without_members_means_the_defaults),
        cmocka_unit_test(every_member_of_connect_is_read),
        cmocka_unit_test(unknown_members_nulls_and_letter_case_do_not_matter),
        cmocka_unit_test(ill_typed_members_are_named),
        cmocka_unit_test(a_second_connect_replaces_the_first_and_a_bad_one_nothing),
        cmocka_unit_test(a_lack_of_memory_at_any_point_of_connect_is_told_and_leaks_nothing),
    };
    return cmocka_run_group_tests_name("proto", tests, NULL, NULL);
}
