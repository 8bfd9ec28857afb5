// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/nearest.h"

static const char *hint(const char *wanted, const char *const *offers, char *out)
{
    struct nearest nearest;
    nearest_init(&nearest, bytes_of_string(wanted));
    for (; *offers != NULL; offers++)
        nearest_offer(&nearest, bytes_of_string(*offers));
    return nearest_hint(&nearest, out);
}

static void a_slip_of_the_finger_finds_its_name(void **state)
{
    (void)state;
    char out[NEAREST_HINT_SIZE];
    static const char *const agents[] = {"cynthia", "sylvia", "roy", "jen", "billy", "priya", NULL};
    assert_string_equal(hint("cyntia", agents, out), "; did you mean \"cynthia\"?");
    assert_string_equal(hint("ryo", agents, out), "; did you mean \"roy\"?");
    assert_string_equal(hint("SYLVIA", agents, out), "; did you mean \"sylvia\"?");
}

static void nothing_near_gives_no_hint(void **state)
{
    (void)state;
    char out[NEAREST_HINT_SIZE];
    static const char *const agents[] = {"cynthia", "roy", "jen", NULL};
    assert_string_equal(hint("marketing", agents, out), "");
    assert_string_equal(hint("xyz", agents, out), "");
    assert_string_equal(hint("", agents, out), "");
}

static void a_part_of_a_name_finds_the_whole(void **state)
{
    (void)state;
    char out[NEAREST_HINT_SIZE];
    static const char *const features[] = {"customer-search-by-region", "orders", NULL};
    assert_string_equal(hint("customer", features, out),
                        "; did you mean \"customer-search-by-region\"?");
}

static void the_three_nearest_win_whatever_the_order_of_the_offers(void **state)
{
    (void)state;
    char one[NEAREST_HINT_SIZE];
    char two[NEAREST_HINT_SIZE];
    static const char *const up[] = {"stage1", "stage2", "stage3", "stage4", "stagex", NULL};
    static const char *const down[] = {"stagex", "stage4", "stage3", "stage2",
                                       "stage1", "stage1", NULL};
    assert_string_equal(hint("stage", up, one),
                        "; did you mean \"stage1\", \"stage2\" or \"stage3\"?");
    assert_string_equal(hint("stage", down, two), one);
}

static void hostile_candidates_stay_one_line(void **state)
{
    (void)state;
    char out[NEAREST_HINT_SIZE];
    char huge[5000];
    memset(huge, 'x', sizeof huge - 1);
    huge[sizeof huge - 1] = '\0';
    static const char *const lines[] = {"stage\n1", NULL};
    const char *const long_ones[] = {huge, NULL};
    assert_string_equal(hint("stage1", lines, out), "; did you mean \"stage\\n1\"?");
    assert_null(strchr(hint(huge, long_ones, out), '\n'));
    assert_non_null(strstr(out, "xxx..."));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slip_of_the_finger_finds_its_name),
        cmocka_unit_test(nothing_near_gives_no_hint),
        cmocka_unit_test(a_part_of_a_name_finds_the_whole),
        cmocka_unit_test(the_three_nearest_win_whatever_the_order_of_the_offers),
        cmocka_unit_test(hostile_candidates_stay_one_line),
    };
    return cmocka_run_group_tests_name("nearest", tests, NULL, NULL);
}
