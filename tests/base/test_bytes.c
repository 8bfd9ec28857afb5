// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bytes.h"

static void a_cut_without_a_separator_returns_everything(void **state)
{
    (void)state;
    struct bytes rest;
    struct bytes head = bytes_cut(BYTES("abc"), '.', &rest);
    assert_true(bytes_equal(head, BYTES("abc")));
    assert_null(rest.data);
}

static void a_cut_at_the_last_byte_leaves_an_empty_rest_that_is_not_null(void **state)
{
    (void)state;
    struct bytes rest;
    struct bytes head = bytes_cut(BYTES("abc."), '.', &rest);
    assert_true(bytes_equal(head, BYTES("abc")));
    assert_non_null(rest.data);
    assert_int_equal(rest.size, 0);
}

static void numbers_that_do_not_fit_or_carry_signs_are_refused(void **state)
{
    (void)state;
    uint64_t value = 7;
    assert_true(bytes_to_u64(BYTES("18446744073709551615"), &value));
    assert_true(value == UINT64_MAX);
    assert_false(bytes_to_u64(BYTES("18446744073709551616"), &value));
    assert_false(bytes_to_u64(BYTES("+1"), &value));
    assert_false(bytes_to_u64(BYTES(""), &value));
    assert_false(bytes_to_u64(BYTES("1 "), &value));
    assert_true(value == UINT64_MAX);
}

static void slices_are_clamped(void **state)
{
    (void)state;
    assert_true(bytes_equal(bytes_slice(BYTES("hello"), 3, 99), BYTES("lo")));
    assert_int_equal(bytes_slice(BYTES("hello"), 5, 1).size, 0);
    assert_int_equal(bytes_from(BYTES("hello"), SIZE_MAX).size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_without_a_separator_returns_everything),
        cmocka_unit_test(a_cut_at_the_last_byte_leaves_an_empty_rest_that_is_not_null),
        cmocka_unit_test(numbers_that_do_not_fit_or_carry_signs_are_refused),
        cmocka_unit_test(slices_are_clamped),
    };
    return cmocka_run_group_tests_name("bytes", tests, NULL, NULL);
}
