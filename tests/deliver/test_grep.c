// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "deliver/grep.h"

static bool write_line(void *context, const struct grep_line *line)
{
    buf_printf(context, "%s%zu%c%u ", line->is_apart ? "| " : "", line->number,
               line->is_match ? ':' : '-', line->section);
    return true;
}

// Each line reported as "<number>:<section>", with '-' for context and "|" for a gap.
static void assert_greps(struct bytes report, struct grep_options options, const char *expected)
{
    struct buf found;
    struct outline outline;
    struct grep_result result;
    struct errinfo err;
    buf_init(&found, 1 << 16);
    assert_int_equal(outline_build(report, &outline, NULL), STATUS_OK);
    struct outlined source = {&outline, report};
    if (grep_report(&source, &options, write_line, &found, &result, &err) != STATUS_OK)
        fail_msg("%s", err.text);
    assert_string_equal(found.size > 0 ? buf_string(&found) : "", expected);
    outline_fini(&outline);
    buf_fini(&found);
}

static void assert_pattern_refused(struct bytes pattern, const char *reason)
{
    struct outline outline;
    struct grep_result result;
    struct errinfo err;
    struct grep_options options = {.pattern = pattern};
    assert_int_equal(outline_build(BYTES("x"), &outline, NULL), STATUS_OK);
    struct outlined source = {&outline, BYTES("x")};
    assert_int_equal(grep_report(&source, &options, write_line, NULL, &result, &err), STATUS_USAGE);
    if (strstr(err.text, reason) == NULL)
        fail_msg("%s", err.text);
    outline_fini(&outline);
}

static void each_match_comes_with_its_line_and_section(void **state)
{
    (void)state;
    assert_greps(BYTES("# A\nfoo\n## B\nbar\nfood\n"),
                 (struct grep_options){.pattern = BYTES("^fo+")}, "2:0 | 5:1 ");
}

static void context_lines_are_reported_once_and_gaps_are_told(void **state)
{
    (void)state;
    struct grep_options options = {.pattern = BYTES("x"), .before = 1, .after = 1};
    assert_greps(BYTES("a\nx\nb\nx\nc\nd\ne\nx\n"), options, "1-0 2:0 3-0 4:0 5-0 | 7-0 8:0 ");
}

static void a_fixed_pattern_is_no_expression(void **state)
{
    (void)state;
    assert_greps(BYTES("a.b\naxb\n"), (struct grep_options){.pattern = BYTES("a.b"), .fixed = true},
                 "1:0 ");
    assert_greps(
        BYTES("x{9}(\nY\n"),
        (struct grep_options){.pattern = BYTES("X{9}("), .fixed = true, .ignore_case = true},
        "1:0 ");
}

static void nul_bytes_do_not_hide_the_rest_of_a_line(void **state)
{
    (void)state;
    assert_greps(BYTES("a\0needle\n\0\n"), (struct grep_options){.pattern = BYTES("needle$")},
                 "1:0 ");
}

static void matches_beyond_the_limit_are_counted_but_not_reported(void **state)
{
    (void)state;
    struct buf found;
    struct outline outline;
    struct grep_result result;
    struct grep_options options = {.pattern = BYTES("x"), .matches_max = 2};
    struct bytes report = BYTES("x\nx\nx\nx\n");
    buf_init(&found, 100);
    assert_int_equal(outline_build(report, &outline, NULL), STATUS_OK);
    struct outlined source = {&outline, report};
    assert_int_equal(grep_report(&source, &options, write_line, &found, &result, NULL), STATUS_OK);
    assert_string_equal(buf_string(&found), "1:0 2:0 ");
    assert_int_equal(result.matches, 4);
    outline_fini(&outline);
    buf_fini(&found);
}

static void a_line_longer_than_the_bound_is_searched_to_it_and_told(void **state)
{
    (void)state;
    static char text[GREP_LINE_BYTES + 10];
    struct buf found;
    struct outline outline;
    struct grep_result result;
    struct grep_options options = {.pattern = BYTES("needle")};
    memset(text, 'a', sizeof text);
    memcpy(text + 100, "needle", 6);
    struct bytes report = bytes_of(text, sizeof text);
    buf_init(&found, 100);
    assert_int_equal(outline_build(report, &outline, NULL), STATUS_OK);
    struct outlined source = {&outline, report};
    assert_int_equal(grep_report(&source, &options, write_line, &found, &result, NULL), STATUS_OK);
    assert_int_equal(result.matches, 1);
    assert_int_equal(result.long_lines, 1);
    outline_fini(&outline);
    buf_fini(&found);
}

static void hostile_patterns_are_refused_with_the_reason(void **state)
{
    (void)state;
    char text[GREP_PATTERN_BYTES + 1];
    memset(text, '(', sizeof text);
    assert_pattern_refused(BYTES(""), "is empty");
    assert_pattern_refused(BYTES("a("), "no extended regular expression");
    assert_pattern_refused(BYTES("(a)\\1"), "back reference");
    assert_pattern_refused(BYTES("((a{1,255}){1,255}){1,255}"), "repeats too often");
    assert_pattern_refused(BYTES("a{30000}"), "repeats too often");
    assert_pattern_refused(BYTES("a\0b"), "NUL byte");
    assert_pattern_refused(bytes_of(text, sizeof text), "longer than 1000 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_match_comes_with_its_line_and_section),
        cmocka_unit_test(context_lines_are_reported_once_and_gaps_are_told),
        cmocka_unit_test(a_fixed_pattern_is_no_expression),
        cmocka_unit_test(nul_bytes_do_not_hide_the_rest_of_a_line),
        cmocka_unit_test(matches_beyond_the_limit_are_counted_but_not_reported),
        cmocka_unit_test(a_line_longer_than_the_bound_is_searched_to_it_and_told),
        cmocka_unit_test(hostile_patterns_are_refused_with_the_reason),
    };
    return cmocka_run_group_tests_name("grep", tests, NULL, NULL);
}
