// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "crashsim.h"

#include <time.h>

static void nothing_acknowledged_is_lost_at_any_crash_point_of_a_known_workload(void **state)
{
    (void)state;
    uint64_t tried;
    assert_true(crashsim_run(1, 400, &tried));
}

static void nothing_acknowledged_is_lost_at_any_crash_point_of_a_new_workload(void **state)
{
    (void)state;
    uint64_t tried;
    assert_true(crashsim_run((uint64_t)time(NULL), 200, &tried));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_acknowledged_is_lost_at_any_crash_point_of_a_known_workload),
        cmocka_unit_test(nothing_acknowledged_is_lost_at_any_crash_point_of_a_new_workload),
    };
    return cmocka_run_group_tests_name("crash", tests, NULL, NULL);
}
