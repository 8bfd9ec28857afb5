// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "deliver/cut.h"
#include "deliver/section.h"
#include "stand_in.h"
#include "ugly.h"

static const char sample[] = "# Report\nintro\n## 1. Results\ntext\n### Numbers\n42\n"
                             "## Next Steps\nmore\n## Numbers\n43\n";

static struct outline build(struct bytes report)
{
    struct outline outline;
    assert_int_equal(outline_build(report, &outline, NULL), STATUS_OK);
    assert_int_equal(outline_count(&outline, report, stand_in_count), STATUS_OK);
    return outline;
}

static void assert_finds(const char *wanted, const char *number)
{
    struct outline outline = build(bytes_of_string(sample));
    struct errinfo err;
    uint32_t index = 0;
    if (section_find(&outline, bytes_of_string(wanted), &index, &err) != STATUS_OK)
        fail_msg("%s", err.text);
    assert_true(bytes_equal(outline.sections[index].number, bytes_of_string(number)));
    outline_fini(&outline);
}

static void assert_misses(const char *wanted, const char *text)
{
    struct outline outline = build(bytes_of_string(sample));
    struct errinfo err;
    uint32_t index = 77;
    assert_int_equal(section_find(&outline, bytes_of_string(wanted), &index, &err),
                     STATUS_NOT_FOUND);
    if (strstr(err.text, text) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.text, text);
    outline_fini(&outline);
}

static void a_section_is_found_by_number_slug_and_title(void **state)
{
    (void)state;
    assert_finds("1.1", "1.1");
    assert_finds("0", "0");
    assert_finds("next-steps", "2");
    assert_finds("Next Steps", "2");
    assert_finds("NEXT STEPS", "2");
    assert_finds("1. Results", "1");
    assert_finds("results", "1");
    assert_finds("numbers-1", "3");
    assert_finds("numbers", "1.1");
}

static void an_unknown_section_gives_the_nearest(void **state)
{
    (void)state;
    assert_misses("next-stps", "did you mean \"next-steps\"?");
    assert_misses("zzzzzzzz", "among the 5 of this report; see its outline");
    assert_misses("9.9", "no section \"9.9\"");
}

static void line_ranges_count_from_one_and_include_both_ends(void **state)
{
    (void)state;
    struct bytes report = BYTES("a\r\nb\rc\n");
    struct section_range range;
    struct errinfo err;
    assert_int_equal(section_lines(report, BYTES("2:3"), &range, &err), STATUS_OK);
    assert_int_equal(range.from, 3);
    assert_int_equal(range.to, 7);
    assert_int_equal(section_lines(report, BYTES("1"), &range, &err), STATUS_OK);
    assert_int_equal(range.to, 3);
    assert_int_equal(section_lines(report, BYTES(":99"), &range, &err), STATUS_OK);
    assert_int_equal(range.to, 7);
    assert_int_equal(section_lines(report, BYTES("4:"), &range, &err), STATUS_NOT_FOUND);
    assert_non_null(strstr(err.text, "the report has 3"));
    static const char *const bad[] = {"", ":", "x", "0:1", "3:2", "1:2:3", "-1:2"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(section_lines(report, bytes_of_string(bad[i]), &range, &err),
                         STATUS_USAGE);
}

static void byte_ranges_count_from_zero_and_leave_the_end_out(void **state)
{
    (void)state;
    struct bytes report = BYTES("0123456789");
    struct section_range range;
    struct errinfo err;
    assert_int_equal(section_bytes(report, BYTES("2:5"), &range, &err), STATUS_OK);
    assert_int_equal(range.from, 2);
    assert_int_equal(range.to, 5);
    assert_int_equal(section_bytes(report, BYTES("8:"), &range, &err), STATUS_OK);
    assert_int_equal(range.to, 10);
    assert_int_equal(section_bytes(report, BYTES("11:"), &range, &err), STATUS_NOT_FOUND);
    assert_int_equal(section_bytes(report, BYTES("5:2"), &range, &err), STATUS_USAGE);
}

static void assert_pages(struct bytes report, size_t tokens_max, const char *name)
{
    struct outline outline = build(report);
    struct outlined source = {&outline, report};
    size_t at = 0;
    while (at < report.size) {
        struct section_range page;
        size_t tokens;
        struct errinfo err;
        if (section_page(&source, at, tokens_max, stand_in_count, &page, &err) != STATUS_OK)
            fail_msg("%s: %s", name, err.text);
        assert_int_equal(page.from, at);
        assert_true(page.to > at);
        assert_int_equal(stand_in_count(bytes_slice(report, at, page.to - at), &tokens), STATUS_OK);
        if (tokens > tokens_max)
            fail_msg("%s: a page of %zu tokens, the limit is %zu", name, tokens, tokens_max);
        at = page.to;
    }
    assert_int_equal(at, report.size);
    outline_fini(&outline);
}

static void pages_joined_are_the_report_and_none_exceeds_its_tokens(void **state)
{
    (void)state;
    struct buf report;
    buf_init(&report, 1 << 20);
    for (uint64_t seed = 1; seed <= 1000; seed++) {
        struct rnd rnd = {seed};
        char name[32];
        snprintf(name, sizeof name, "seed %llu", (unsigned long long)seed);
        ugly_report(&rnd, &report);
        assert_pages(buf_bytes(&report), 8 + rnd_below(&rnd, 60), name);
    }
    buf_clear(&report);
    while (report.size < 900000)
        buf_append_string(&report, "one long line without an end ");
    assert_pages(buf_bytes(&report), 5000, "one line");
    buf_fini(&report);
}

static void a_page_that_holds_no_character_is_refused(void **state)
{
    (void)state;
    struct bytes report = BYTES("text");
    struct outline outline = build(report);
    struct outlined source = {&outline, report};
    struct section_range page = {7, 7};
    struct errinfo err;
    assert_int_equal(section_page(&source, 0, 0, stand_in_count, &page, &err), STATUS_LIMIT);
    assert_int_equal(page.from, 7);
    outline_fini(&outline);
}

static void a_cut_prefers_lines_then_words_and_never_splits_a_code_point(void **state)
{
    (void)state;
    size_t size;
    assert_int_equal(
        cut_to_tokens(BYTES("aaaaa bbbbb\nccccc ddddd eeeee"), 4, stand_in_count, &size),
        STATUS_OK);
    assert_int_equal(size, 12);
    assert_int_equal(cut_to_tokens(BYTES("aaaaa bbbbb ccccc"), 2, stand_in_count, &size),
                     STATUS_OK);
    assert_int_equal(size, 12);
    assert_int_equal(
        cut_to_tokens(BYTES("\xF0\x9F\x98\x80\xF0\x9F\x98\x80"), 7, stand_in_count, &size),
        STATUS_OK);
    assert_int_equal(size, 4);
    assert_int_equal(cut_to_tokens(BYTES("\xF0\x9F\x98\x80"), 3, stand_in_count, &size), STATUS_OK);
    assert_int_equal(size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_section_is_found_by_number_slug_and_title),
        cmocka_unit_test(an_unknown_section_gives_the_nearest),
        cmocka_unit_test(line_ranges_count_from_one_and_include_both_ends),
        cmocka_unit_test(byte_ranges_count_from_zero_and_leave_the_end_out),
        cmocka_unit_test(pages_joined_are_the_report_and_none_exceeds_its_tokens),
        cmocka_unit_test(a_page_that_holds_no_character_is_refused),
        cmocka_unit_test(a_cut_prefers_lines_then_words_and_never_splits_a_code_point),
    };
    return cmocka_run_group_tests_name("section", tests, NULL, NULL);
}
