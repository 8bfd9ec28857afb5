// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/headers.h"

static const char block_text[] =
    "NATS/1.0\r\nNats-Msg-Id: one\r\nEmpty:\r\nA:  spaced \t\r\nnats-msg-id: two\r\n\r\n";
static const struct bytes block = {block_text, sizeof block_text - 1};

static void a_value_is_found_whatever_the_letter_case_and_the_first_one_counts(void **state)
{
    (void)state;
    struct bytes value;
    assert_true(headers_find(block, BYTES("NATS-MSG-ID"), &value));
    assert_true(bytes_equal(value, BYTES("one")));
    assert_true(headers_find(block, BYTES("a"), &value));
    assert_true(bytes_equal(value, BYTES("spaced")));
    assert_true(headers_find(block, BYTES("empty"), &value));
    assert_int_equal(value.size, 0);
}

static void a_name_that_is_not_there_leaves_the_value_alone(void **state)
{
    (void)state;
    struct bytes value = BYTES("before");
    assert_false(headers_find(block, BYTES("Nats-Msg"), &value));
    assert_false(headers_find(block, BYTES("Nats-Msg-Id2"), &value));
    assert_false(headers_find(BYTES(""), BYTES("A"), &value));
    assert_true(bytes_equal(value, BYTES("before")));
}

static void walking_gives_every_line_in_order(void **state)
{
    (void)state;
    static const char *const names[] = {"Nats-Msg-Id", "Empty", "A", "nats-msg-id"};
    struct bytes rest = block;
    struct bytes name, value;
    size_t count = 0;
    while (headers_next(&rest, &name, &value))
        assert_true(bytes_equal(name, bytes_of_string(names[count++])));
    assert_int_equal(count, 4);
}

static void what_stands_behind_the_empty_line_is_no_header(void **state)
{
    (void)state;
    struct bytes value;
    assert_false(headers_find(BYTES("NATS/1.0\r\n\r\nA: b\r\n\r\n"), BYTES("A"), &value));
}

static void good_blocks_pass_the_check(void **state)
{
    (void)state;
    assert_int_equal(headers_check(block, NULL), STATUS_OK);
    assert_int_equal(headers_check(BYTES(""), NULL), STATUS_OK);
    assert_int_equal(headers_check(BYTES("NATS/1.0\r\n\r\n"), NULL), STATUS_OK);
    assert_int_equal(headers_check(BYTES("NATS/1.0 404 No Messages\r\n\r\n"), NULL), STATUS_OK);
    assert_int_equal(headers_check(BYTES("NATS/1.0\r\nA: b:c\r\n\r\n"), NULL), STATUS_OK);
}

static void damaged_blocks_are_refused_with_the_reason(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "NATS/1.0",
        "NATS/1.0\r\n",
        "NATS/1.0\r\nA: b\r\n",
        "NATS/1.0\n\n",
        "NATS/1.0garbage\r\n\r\n",
        "NATS/1.00\r\n\r\n",
        "HTTP/1.0\r\nA: b\r\n\r\n",
        "A: b\r\n\r\n",
        "\r\n\r\n",
        "NATS/1.0\r\nno colon\r\n\r\n",
        "NATS/1.0\r\n: no name\r\n\r\n",
        "NATS/1.0\r\nA: b\r\n\r\nB: c\r\n\r\n",
        "NATS/1.0\r\nA: b\r\n\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct errinfo err = {.text = ""};
        if (headers_check(bytes_of_string(bad[i]), &err) != STATUS_INVALID)
            fail_msg("block %zu was taken", i);
        assert_true(err.text[0] != '\0');
    }
}

static void what_is_built_can_be_read_back(void **state)
{
    (void)state;
    struct buf out;
    struct bytes value;
    buf_init(&out, 1024);
    headers_begin(&out);
    assert_int_equal(headers_add(&out, BYTES("Agog-Title"), BYTES("a: b, \"ü\""), NULL), STATUS_OK);
    assert_int_equal(headers_add(&out, BYTES("Empty"), BYTES(""), NULL), STATUS_OK);
    headers_end(&out);
    assert_int_equal(buf_status(&out), STATUS_OK);
    assert_int_equal(headers_check(buf_bytes(&out), NULL), STATUS_OK);
    assert_true(headers_find(buf_bytes(&out), BYTES("agog-title"), &value));
    assert_true(bytes_equal(value, BYTES("a: b, \"ü\"")));
    buf_fini(&out);
}

static void nothing_that_breaks_out_of_its_line_can_be_added(void **state)
{
    (void)state;
    const struct bytes bad_values[] = {BYTES("a\r\nB: c"), BYTES("a\n"), BYTES("\r"),
                                       BYTES("a\0b")};
    const struct bytes bad_names[] = {BYTES(""),     BYTES("a:b"),  BYTES("a b"), BYTES("a\r\nb"),
                                      BYTES("a\nb"), BYTES("a\0b"), BYTES("a\tb")};
    struct errinfo err;
    struct buf out;
    buf_init(&out, 1024);
    headers_begin(&out);
    size_t before = out.size;
    for (size_t i = 0; i < sizeof bad_values / sizeof bad_values[0]; i++)
        assert_int_equal(headers_add(&out, BYTES("A"), bad_values[i], &err), STATUS_INVALID);
    for (size_t i = 0; i < sizeof bad_names / sizeof bad_names[0]; i++)
        assert_int_equal(headers_add(&out, bad_names[i], BYTES("v"), &err), STATUS_INVALID);
    assert_int_equal(out.size, before);
    buf_fini(&out);
}

static void a_refused_value_is_quoted(void **state)
{
    (void)state;
    struct errinfo err;
    struct buf out;
    buf_init(&out, 1024);
    assert_int_equal(headers_add(&out, BYTES("A"), BYTES("x\r\nB: c"), &err), STATUS_INVALID);
    assert_string_equal(err.text, "header A cannot hold \"x\\r\\nB: c\": line ends and NUL are not "
                                  "allowed");
    buf_fini(&out);
}

static void a_block_that_does_not_fit_is_told_by_the_buf(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 16);
    headers_begin(&out);
    headers_add(&out, BYTES("Name"), BYTES("a value"), NULL);
    headers_end(&out);
    assert_int_equal(buf_status(&out), STATUS_LIMIT);
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_found_whatever_the_letter_case_and_the_first_one_counts),
        cmocka_unit_test(a_name_that_is_not_there_leaves_the_value_alone),
        cmocka_unit_test(walking_gives_every_line_in_order),
        cmocka_unit_test(what_stands_behind_the_empty_line_is_no_header),
        cmocka_unit_test(good_blocks_pass_the_check),
        cmocka_unit_test(damaged_blocks_are_refused_with_the_reason),
        cmocka_unit_test(what_is_built_can_be_read_back),
        cmocka_unit_test(nothing_that_breaks_out_of_its_line_can_be_added),
        cmocka_unit_test(a_refused_value_is_quoted),
        cmocka_unit_test(a_block_that_does_not_fit_is_told_by_the_buf),
    };
    return cmocka_run_group_tests_name("headers", tests, NULL, NULL);
}
