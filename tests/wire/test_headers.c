// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/headers.h"

static const struct bytes block = {
    "NATS/1.0\r\nA: one\r\nb:two\r\na: three\r\nEmpty:\r\nTime: 12:30\r\n\r\n", 57};

static void the_first_value_is_found_whatever_the_letter_case(void **state)
{
    (void)state;
    struct bytes value;
    assert_true(headers_find(block, BYTES("A"), &value) && bytes_equal(value, BYTES("one")));
    assert_true(headers_find(block, BYTES("a"), &value) && bytes_equal(value, BYTES("one")));
    assert_true(headers_find(block, BYTES("B"), &value) && bytes_equal(value, BYTES("two")));
    assert_true(headers_find(block, BYTES("empty"), &value) && value.size == 0);
}

static void a_value_may_hold_colons(void **state)
{
    (void)state;
    struct bytes value;
    assert_true(headers_find(block, BYTES("Time"), &value));
    assert_true(bytes_equal(value, BYTES("12:30")));
}

static void what_is_not_there_is_not_found_and_leaves_the_value(void **state)
{
    (void)state;
    struct bytes value = BYTES("untouched");
    assert_false(headers_find(block, BYTES("c"), &value));
    assert_false(headers_find(BYTES(""), BYTES("a"), &value));
    assert_false(headers_find(BYTES("NATS/1.0\r\nA: no line end"), BYTES("A"), &value));
    assert_true(bytes_equal(value, BYTES("untouched")));
}

static void a_walk_gives_every_line_in_order_and_stops_at_the_empty_one(void **state)
{
    (void)state;
    struct bytes rest = BYTES("NATS/1.0 404 Not: here\r\nA: 1\r\nA: 2\r\n\r\nB: 3\r\n\r\n");
    struct bytes name, value;
    assert_true(headers_next(&rest, &name, &value) && bytes_equal(value, BYTES("1")));
    assert_true(headers_next(&rest, &name, &value) && bytes_equal(value, BYTES("2")));
    assert_true(bytes_equal(name, BYTES("A")));
    assert_false(headers_next(&rest, &name, &value));
}

static void the_status_of_the_first_line_is_read(void **state)
{
    (void)state;
    int code = 0;
    struct bytes text;
    assert_true(headers_status(BYTES("NATS/1.0 404 No Messages\r\n\r\n"), &code, &text));
    assert_int_equal(code, 404);
    assert_true(bytes_equal(text, BYTES("No Messages")));
    assert_true(headers_status(BYTES("NATS/1.0 503\r\n\r\n"), &code, &text));
    assert_int_equal(code, 503);
    assert_int_equal(text.size, 0);
    assert_false(headers_status(BYTES("NATS/1.0\r\nA: b\r\n\r\n"), &code, &text));
    assert_false(headers_status(BYTES("NATS/1.0 4x4 No\r\n\r\n"), &code, &text));
    assert_false(headers_status(BYTES("NATS/1.0 4044\r\n\r\n"), &code, &text));
    assert_false(headers_status(BYTES("NATS/1.0 404"), &code, &text));
    assert_false(headers_status(BYTES(""), &code, &text));
    assert_int_equal(code, 503);
}

static void a_block_is_checked_from_its_version_to_its_empty_line(void **state)
{
    (void)state;
    static const char *const good[] = {"", "NATS/1.0\r\n\r\n", "NATS/1.0 100 Idle\r\n\r\n",
                                       "NATS/1.0\r\nA: b\r\nA:\r\n\r\n"};
    static const char *const bad[] = {"NATS/1.0",
                                      "NATS/1.0\r\n",
                                      "NATS/2.0\r\n\r\n",
                                      "nats/1.0\r\n\r\n",
                                      "NATS/1.0x\r\n\r\n",
                                      "NATS/1.0\r\nno colon\r\n\r\n",
                                      "A: b\r\n\r\n",
                                      "NATS/1.0\r\n: v\r\n\r\n",
                                      "NATS/1.0\r\nA: b\r\n",
                                      "\r\n\r\n",
                                      "NATS/1.0\r\n\r\nA: b\r\n\r\n"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct errinfo err = {0};
        if (headers_check(bytes_of_string(good[i]), &err) != STATUS_OK)
            fail_msg("good block %zu: %s", i, err.text);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct errinfo err = {0};
        if (headers_check(bytes_of_string(bad[i]), &err) != STATUS_INVALID || err.text[0] == '\0')
            fail_msg("bad block %zu was taken", i);
    }
}

static void what_is_built_is_read_back(void **state)
{
    (void)state;
    struct buf out;
    struct bytes value;
    buf_init(&out, 1000);
    headers_begin(&out);
    assert_int_equal(headers_add(&out, BYTES("Agog-Title"), BYTES("a: b"), NULL), STATUS_OK);
    assert_int_equal(headers_add(&out, BYTES("Nats-Msg-Id"), BYTES(""), NULL), STATUS_OK);
    headers_end(&out);
    assert_int_equal(buf_status(&out), STATUS_OK);
    assert_true(bytes_equal(buf_bytes(&out),
                            BYTES("NATS/1.0\r\nAgog-Title: a: b\r\nNats-Msg-Id: \r\n\r\n")));
    assert_int_equal(headers_check(buf_bytes(&out), NULL), STATUS_OK);
    assert_true(headers_find(buf_bytes(&out), BYTES("Agog-Title"), &value));
    assert_true(bytes_equal(value, BYTES("a: b")));
    buf_fini(&out);
}

static void nothing_that_breaks_out_of_its_line_is_written(void **state)
{
    (void)state;
    struct buf out;
    struct errinfo err = {0};
    static const char nul[] = {'a', '\0', 'b'};
    buf_init(&out, 1000);
    assert_int_equal(headers_add(&out, BYTES("A"), BYTES("x\r\nB: y"), &err), STATUS_INVALID);
    assert_non_null(strstr(err.text, "header A cannot hold \"x\\r\\nB: y\""));
    assert_int_equal(headers_add(&out, BYTES("A"), BYTES("x\ny"), &err), STATUS_INVALID);
    assert_int_equal(headers_add(&out, BYTES("A"), BYTES("x\ry"), &err), STATUS_INVALID);
    assert_int_equal(headers_add(&out, BYTES("A"), bytes_of(nul, 3), &err), STATUS_INVALID);
    assert_int_equal(headers_add(&out, BYTES(""), BYTES("x"), &err), STATUS_INVALID);
    assert_int_equal(headers_add(&out, BYTES("A:B"), BYTES("x"), &err), STATUS_INVALID);
    assert_int_equal(headers_add(&out, BYTES("A B"), BYTES("x"), &err), STATUS_INVALID);
    assert_int_equal(headers_add(&out, BYTES("A\tB"), BYTES("x"), &err), STATUS_INVALID);
    assert_int_equal(headers_add(&out, BYTES("A\r\n"), BYTES("x"), &err), STATUS_INVALID);
    assert_int_equal(headers_add(&out, bytes_of(nul, 3), BYTES("x"), &err), STATUS_INVALID);
    assert_int_equal(out.size, 0);
    buf_fini(&out);
}

static void a_block_that_does_not_fit_is_told_by_the_buf(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 20);
    headers_begin(&out);
    assert_int_equal(headers_add(&out, BYTES("Name"), BYTES("a long value"), NULL), STATUS_OK);
    headers_end(&out);
    assert_int_equal(buf_status(&out), STATUS_LIMIT);
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_value_is_found_whatever_the_letter_case),
        cmocka_unit_test(a_value_may_hold_colons),
        cmocka_unit_test(what_is_not_there_is_not_found_and_leaves_the_value),
        cmocka_unit_test(a_walk_gives_every_line_in_order_and_stops_at_the_empty_one),
        cmocka_unit_test(the_status_of_the_first_line_is_read),
        cmocka_unit_test(a_block_is_checked_from_its_version_to_its_empty_line),
        cmocka_unit_test(what_is_built_is_read_back),
        cmocka_unit_test(nothing_that_breaks_out_of_its_line_is_written),
        cmocka_unit_test(a_block_that_does_not_fit_is_told_by_the_buf),
    };
    return cmocka_run_group_tests_name("headers", tests, NULL, NULL);
}
