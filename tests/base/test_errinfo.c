// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/errinfo.h"

#include <errno.h>
#include <string.h>

static const char *quote(struct bytes text)
{
    static char out[ERRINFO_QUOTED_MAX];
    return errinfo_quote(text, out);
}

static void harmless_text_is_quoted_as_it_is(void **state)
{
    (void)state;
    assert_string_equal(quote(BYTES("")), "\"\"");
    assert_string_equal(quote(BYTES("a b/ü€😀")), "\"a b/ü€😀\"");
}

static void nothing_that_forges_a_line_or_a_colour_passes(void **state)
{
    (void)state;
    assert_string_equal(quote(BYTES("a\r\n\tb")), "\"a\\r\\n\\tb\"");
    assert_string_equal(quote(BYTES("\x1b[31m\0\x7f")), "\"\\x1b[31m\\x00\\x7f\"");
    assert_string_equal(quote(BYTES("\"\\")), "\"\\\"\\\\\"");
    assert_string_equal(quote(BYTES("\xc2\x85")), "\"\\xc2\\x85\""); // a line end of ISO 6429
    assert_string_equal(quote(BYTES("\xff\xc3")), "\"\\xff\\xc3\"");
}

static void a_long_text_is_cut_and_says_so(void **state)
{
    (void)state;
    char long_text[4000];
    char out[ERRINFO_QUOTED_MAX];
    memset(long_text, 'a', sizeof long_text);
    errinfo_quote(bytes_of(long_text, 80), out);
    assert_int_equal(strlen(out), 82);
    errinfo_quote(bytes_of(long_text, 81), out);
    assert_int_equal(strlen(out), 85);
    assert_string_equal(out + 81, "...\"");
    // Escapes are four times as long: the buffer is never left.
    memset(long_text, 1, sizeof long_text);
    errinfo_quote(bytes_of(long_text, sizeof long_text), out);
    assert_true(strlen(out) < ERRINFO_QUOTED_MAX);
    assert_string_equal(out + strlen(out) - 4, "...\"");
}

static void escaping_is_quoting_without_the_quotes(void **state)
{
    (void)state;
    char out[ERRINFO_QUOTED_MAX];
    assert_string_equal(errinfo_escape(BYTES("a\nb"), out), "a\\nb");
    assert_string_equal(errinfo_escape(BYTES(""), out), "");
}

static void setting_gives_the_status_back_and_takes_nobody(void **state)
{
    (void)state;
    struct errinfo err = {.protocol_code = 7};
    assert_int_equal(errinfo_set(&err, STATUS_LIMIT, "at most %d", 3), STATUS_LIMIT);
    assert_string_equal(err.text, "at most 3");
    assert_int_equal(err.protocol_code, 0);
    assert_int_equal(errinfo_set_code(&err, STATUS_DENIED, 10109, "sealed"), STATUS_DENIED);
    assert_int_equal(err.protocol_code, 10109);
    assert_int_equal(errinfo_set(NULL, STATUS_IO, "x"), STATUS_IO);
    assert_int_equal(errinfo_set_code(NULL, STATUS_IO, 1, "x"), STATUS_IO);
    assert_int_equal(errinfo_wrap(NULL, STATUS_IO, "x"), STATUS_IO);
    assert_int_equal(errinfo_set_errno(NULL, ENOSPC, "x"), STATUS_NO_SPACE);
    errinfo_clear(NULL);
    errinfo_clear(&err);
    assert_string_equal(err.text, "");
    assert_int_equal(err.protocol_code, 0);
}

static void wrapping_puts_its_text_in_front_and_keeps_the_code(void **state)
{
    (void)state;
    struct errinfo err;
    errinfo_set_code(&err, STATUS_DENIED, 10109, "sealed");
    assert_int_equal(errinfo_wrap(&err, STATUS_DENIED, "stream %s", "S"), STATUS_DENIED);
    assert_string_equal(err.text, "stream S: sealed");
    assert_int_equal(err.protocol_code, 10109);
}

static void an_errno_becomes_a_status_and_its_reason(void **state)
{
    (void)state;
    struct errinfo err;
    assert_int_equal(errinfo_set_errno(&err, ENOENT, "cannot open %s", "x"), STATUS_NOT_FOUND);
    assert_string_equal(err.text, "cannot open x: No such file or directory");
    assert_int_equal(status_of_errno(EDQUOT), STATUS_NO_SPACE);
    assert_int_equal(status_of_errno(EROFS), STATUS_NO_ACCESS);
    assert_int_equal(status_of_errno(ENOMEM), STATUS_NO_MEMORY);
    assert_int_equal(status_of_errno(EBADF), STATUS_IO);
}

static void a_text_that_does_not_fit_ends_in_dots(void **state)
{
    (void)state;
    struct errinfo err;
    char long_text[2 * ERRINFO_TEXT_MAX];
    memset(long_text, 'a', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    errinfo_set(&err, STATUS_IO, "%s", long_text);
    assert_int_equal(strlen(err.text), ERRINFO_TEXT_MAX - 1);
    assert_string_equal(err.text + ERRINFO_TEXT_MAX - 4, "...");
    errinfo_set(&err, STATUS_IO, "short");
    errinfo_wrap(&err, STATUS_IO, "%s", long_text);
    assert_int_equal(strlen(err.text), ERRINFO_TEXT_MAX - 1);
    assert_string_equal(err.text + ERRINFO_TEXT_MAX - 4, "...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(harmless_text_is_quoted_as_it_is),
        cmocka_unit_test(nothing_that_forges_a_line_or_a_colour_passes),
        cmocka_unit_test(a_long_text_is_cut_and_says_so),
        cmocka_unit_test(escaping_is_quoting_without_the_quotes),
        cmocka_unit_test(setting_gives_the_status_back_and_takes_nobody),
        cmocka_unit_test(wrapping_puts_its_text_in_front_and_keeps_the_code),
        cmocka_unit_test(an_errno_becomes_a_status_and_its_reason),
        cmocka_unit_test(a_text_that_does_not_fit_ends_in_dots),
    };
    return cmocka_run_group_tests_name("errinfo", tests, NULL, NULL);
}
