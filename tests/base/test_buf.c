// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"

#include <string.h>

static void what_is_appended_stands_there_in_order(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 1000);
    buf_append(&buf, BYTES("ab"));
    buf_append(&buf, BYTES(""));
    buf_append_string(&buf, "cd");
    buf_append_byte(&buf, 'e');
    buf_printf(&buf, "%d", 42);
    assert_string_equal(buf_string(&buf), "abcde42");
    assert_int_equal(buf_bytes(&buf).size, 7);
    buf_fini(&buf);
}

static void numbers_are_little_endian(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 1000);
    buf_append_le32(&buf, 0x04030201);
    buf_append_le64(&buf, 0x0c0b0a0908070605U);
    assert_true(bytes_equal(buf_bytes(&buf), BYTES("\1\2\3\4\5\6\7\10\11\12\13\14")));
    buf_fini(&buf);
}

static void an_append_above_the_maximum_changes_nothing_and_sticks(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 4);
    buf_append(&buf, BYTES("abc"));
    buf_append(&buf, BYTES("de"));
    assert_int_equal(buf_status(&buf), STATUS_LIMIT);
    assert_true(bytes_equal(buf_bytes(&buf), BYTES("abc")));
    // There is room for this one, but something is missing before it.
    buf_append(&buf, BYTES("f"));
    assert_int_equal(buf.size, 3);
    assert_null(buf_string(&buf));
    assert_null(buf_reserve(&buf, 1));
    buf_fini(&buf);
}

static void the_maximum_itself_fits(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 4);
    buf_append(&buf, BYTES("abcd"));
    assert_int_equal(buf_status(&buf), STATUS_OK);
    assert_int_equal(buf.size, 4);
    buf_fini(&buf);
}

static void clearing_forgets_the_failure_and_keeps_the_memory(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 4);
    buf_append(&buf, BYTES("abc"));
    buf_append(&buf, BYTES("de"));
    const char *data = buf.data;
    buf_clear(&buf);
    assert_int_equal(buf_status(&buf), STATUS_OK);
    buf_append(&buf, BYTES("xyz"));
    assert_true(bytes_equal(buf_bytes(&buf), BYTES("xyz")));
    assert_ptr_equal(buf.data, data);
    buf_fini(&buf);
}

static void a_buf_can_be_finished_twice_and_used_again(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 4);
    buf_append(&buf, BYTES("abc"));
    buf_fini(&buf);
    buf_fini(&buf);
    buf_append(&buf, BYTES("abcd"));
    assert_int_equal(buf.size, 4);
    buf_append(&buf, BYTES("e"));
    assert_int_equal(buf_status(&buf), STATUS_LIMIT);
    buf_fini(&buf);
}

static void reserved_room_is_filled_by_the_caller(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 1 << 20);
    for (size_t i = 0; i < 1000; i++) {
        char *to = buf_reserve(&buf, 1000);
        assert_non_null(to);
        memset(to, (int)('a' + i % 26), 1000);
        buf.size += 1000;
    }
    assert_int_equal(buf.size, 1000000);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(buf.data[i * 1000 + 999], 'a' + i % 26);
    buf_fini(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_appended_stands_there_in_order),
        cmocka_unit_test(numbers_are_little_endian),
        cmocka_unit_test(an_append_above_the_maximum_changes_nothing_and_sticks),
        cmocka_unit_test(the_maximum_itself_fits),
        cmocka_unit_test(clearing_forgets_the_failure_and_keeps_the_memory),
        cmocka_unit_test(a_buf_can_be_finished_twice_and_used_again),
        cmocka_unit_test(reserved_room_is_filled_by_the_caller),
    };
    return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
