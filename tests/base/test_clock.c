// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"

static void times_are_written_as_nats_writes_them(void **state)
{
    (void)state;
    char out[CLOCK_RFC3339_SIZE];
    assert_string_equal(clock_format(0, out), "1970-01-01T00:00:00Z");
    assert_string_equal(clock_format(1766527796497000000, out), "2025-12-23T22:09:56.497Z");
    assert_string_equal(clock_format(-1, out), "1969-12-31T23:59:59.999999999Z");
    assert_string_equal(clock_format_seconds(1766527796497000000, out), "2025-12-23T22:09:56Z");
}

static void what_was_written_is_read_back(void **state)
{
    (void)state;
    // A step of prime size walks through months, leap days and fractions of every length.
    for (int64_t t = 0; t < INT64_C(9000000000000000000); t += INT64_C(86399999999999937)) {
        char out[CLOCK_RFC3339_SIZE];
        int64_t back = -1;
        assert_true(clock_parse(bytes_of_string(clock_format(t, out)), &back));
        assert_true(back == t);
    }
}

static void offsets_are_taken_into_account(void **state)
{
    (void)state;
    int64_t utc, local;
    assert_true(clock_parse(BYTES("2024-02-29T12:00:00Z"), &utc));
    assert_true(clock_parse(BYTES("2024-02-29T14:30:00+02:30"), &local));
    assert_true(utc == local);
    assert_true(clock_parse(BYTES("2024-02-29T04:00:00-08:00"), &local));
    assert_true(utc == local);
}

static void what_is_no_time_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "2024-02-30T12:00:00Z",
        "2023-02-29T12:00:00Z",
        "2024-13-01T12:00:00Z",
        "2024-01-01 12:00:00Z",
        "2024-01-01T24:00:00Z",
        "2024-01-01T12:00:00",
        "2024-01-01T12:00:00.Z",
        "2024-01-01T12:00:00.1234567890Z",
        "2024-01-01T12:00:00Zx",
        "0001-01-01T00:00:00Z",
        "2024-01-01T12:00:00+2:00",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t t = 7;
        assert_false(clock_parse(bytes_of_string(bad[i]), &t));
        assert_true(t == 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_written_as_nats_writes_them),
        cmocka_unit_test(what_was_written_is_read_back),
        cmocka_unit_test(offsets_are_taken_into_account),
        cmocka_unit_test(what_is_no_time_is_refused),
    };
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
