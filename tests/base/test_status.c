// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/status.h"

#include <string.h>

static void exit_and_http_codes_are_the_ones_that_were_promised(void **state)
{
    (void)state;
    static const struct {
        enum status status;
        const char *name;
        int exit_code, http_code;
    } rows[] = {
        {STATUS_OK, "ok", 0, 200},
        {STATUS_BUG, "bug", 1, 500},
        {STATUS_USAGE, "usage", 2, 400},
        {STATUS_INVALID, "invalid", 2, 400},
        {STATUS_NOT_FOUND, "not_found", 3, 404},
        {STATUS_EXPIRED, "expired", 3, 410},
        {STATUS_CONFLICT, "conflict", 4, 409},
        {STATUS_EXISTS, "exists", 4, 409},
        {STATUS_DENIED, "denied", 4, 403},
        {STATUS_LIMIT, "limit", 5, 413},
        {STATUS_IO, "io", 6, 500},
        {STATUS_NO_SPACE, "no_space", 6, 507},
        {STATUS_NO_ACCESS, "no_access", 6, 500},
        {STATUS_READ_ONLY, "read_only", 6, 503},
        {STATUS_NO_MEMORY, "no_memory", 6, 503},
        {STATUS_CORRUPT, "corrupt", 7, 500},
        {STATUS_FORMAT, "format", 7, 500},
        {STATUS_BUSY, "busy", 8, 503},
        {STATUS_UNAVAILABLE, "unavailable", 9, 503},
        {STATUS_SPOOLED, "spooled", 10, 202},
        {STATUS_TIMEOUT, "timeout", 11, 504},
        {STATUS_UNHEALTHY, "unhealthy", 12, 500},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_string_equal(status_name(rows[i].status), rows[i].name);
        assert_int_equal(status_exit_code(rows[i].status), rows[i].exit_code);
        assert_int_equal(status_http_code(rows[i].status), rows[i].http_code);
        assert_int_equal(rows[i].status, i);
    }
}

static void what_may_succeed_later_is_told_from_what_will_not(void **state)
{
    (void)state;
    assert_true(status_retryable(STATUS_BUSY));
    assert_true(status_retryable(STATUS_NO_SPACE));
    assert_false(status_retryable(STATUS_CONFLICT));
    assert_false(status_retryable(STATUS_OK));
    assert_int_equal(status_class_of(STATUS_LIMIT), STATUS_CLASS_LIMIT);
    assert_int_equal(status_class_of(STATUS_CORRUPT), STATUS_CLASS_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_and_http_codes_are_the_ones_that_were_promised),
        cmocka_unit_test(what_may_succeed_later_is_told_from_what_will_not),
    };
    return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
