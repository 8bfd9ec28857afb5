// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/utf8.h"

static void every_code_point_is_decoded_as_it_was_encoded(void **state)
{
    (void)state;
    for (uint32_t code = 0; code < 0x110000; code++) {
        char text[4];
        uint32_t back;
        bool valid;
        if (code >= 0xD800 && code < 0xE000)
            continue;
        size_t size = utf8_encode(code, text);
        size_t used = utf8_decode(bytes_of(text, size), &back, &valid);
        if (!valid || back != code || used != size || !utf8_is_valid(bytes_of(text, size)))
            fail_msg("U+%04X", (unsigned)code);
    }
}

static void what_unicode_forbids_is_invalid(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\x80",
        "\xbf",
        "\xc0\x80",
        "\xc1\xbf",
        "\xe0\x80\x80",
        "\xe0\x9f\xbf",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xf0\x80\x80\x80",
        "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xff",
        "\xc3",
        "\xe2\x82",
        "\xf0\x9f\x98",
        "\xc3(",
        "\xe2\x82(",
        "12345678\x80",
        "1234567\xc3\xc3",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (utf8_is_valid(bytes_of_string(bad[i])))
            fail_msg("sequence %zu was taken", i);
    }
    assert_true(utf8_is_valid(BYTES("")));
    assert_true(utf8_is_valid(BYTES("a\0b")));
}

static void an_ill_formed_prefix_is_one_replacement(void **state)
{
    (void)state;
    uint32_t code;
    bool valid;
    assert_int_equal(utf8_decode(BYTES("\xf0\x9f\x98(x"), &code, &valid), 3);
    assert_false(valid);
    assert_int_equal(code, UTF8_INVALID);
    assert_int_equal(utf8_decode(BYTES("\xe0\x80\x80"), &code, &valid), 1);
    assert_int_equal(utf8_decode(BYTES("\xed\xa0\x80"), &code, &valid), 1);
    assert_int_equal(utf8_decode(BYTES("\xff"), &code, &valid), 1);
    // The replacement character itself is a valid one.
    assert_int_equal(utf8_decode(BYTES("\xef\xbf\xbd"), &code, &valid), 3);
    assert_true(valid);
}

static void a_prefix_never_cuts_a_code_point(void **state)
{
    (void)state;
    struct bytes text = BYTES("aü€😀"); // 1, 2, 3 and 4 bytes
    static const size_t sizes[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        assert_int_equal(utf8_prefix(text, i).size, sizes[i]);
}

static void a_prefix_of_text_that_is_not_utf8_is_cut_where_it_was_asked_for(void **state)
{
    (void)state;
    assert_int_equal(utf8_prefix(BYTES("\x80\x80\x80\x80\x80\x80\x80\x80"), 6).size, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point_is_decoded_as_it_was_encoded),
        cmocka_unit_test(what_unicode_forbids_is_invalid),
        cmocka_unit_test(an_ill_formed_prefix_is_one_replacement),
        cmocka_unit_test(a_prefix_never_cuts_a_code_point),
        cmocka_unit_test(a_prefix_of_text_that_is_not_utf8_is_cut_where_it_was_asked_for),
    };
    return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
