// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "corpus.h"
#include "deliver/plain.h"
#include "deliver/summary.h"
#include "ugly.h"

struct derived {
    char title[LIMIT_TITLE_BYTES + 1];
    char summary[LIMIT_SUMMARY_BYTES + 1];
};

static struct derived derive(struct bytes report, struct bytes given)
{
    struct derived derived;
    struct outline outline;
    assert_int_equal(outline_build(report, &outline, NULL), STATUS_OK);
    size_t title_size = summary_title(&outline, report, derived.title);
    size_t summary_size = summary_text(&outline, report, given, derived.summary);
    assert_int_equal(title_size, strlen(derived.title));
    assert_int_equal(summary_size, strlen(derived.summary));
    outline_fini(&outline);
    return derived;
}

static void assert_derives(const char *report, const char *title, const char *summary)
{
    struct derived derived = derive(bytes_of_string(report), BYTES(""));
    assert_string_equal(derived.title, title);
    assert_string_equal(derived.summary, summary);
}

static void the_first_top_heading_is_the_title_and_the_summary_section_the_summary(void **state)
{
    (void)state;
    assert_derives("intro text here.\n# The *Title*\n\n**Agent:** Roy\n**Date:** today\n\n"
                   "## Findings\nMuch.\n## 1. Executive Summary\n\nWe **found** [two](/u) things.\n"
                   "Both work.\n\nMore text.\n",
                   "The Title", "We found two things. Both work.");
}

static void a_summary_section_of_a_table_only_is_passed_over(void **state)
{
    (void)state;
    assert_derives("# T\n## Summary\n|a|b|\n|-|-|\n|c|d|\n\n## Other\nThe first real sentence.\n",
                   "T", "The first real sentence.");
}

static void a_list_after_a_colon_belongs_to_the_summary(void **state)
{
    (void)state;
    assert_derives("# T\n## TL;DR\nThree things:\n- one\n- `two`\n- three\n", "T",
                   "Three things: one; two; three");
}

static void labels_and_links_are_no_summary(void **state)
{
    (void)state;
    assert_derives(
        "# T\n**REQ-1**\n**Agent:** Roy (Backend)\n\n[Home](/) → [Docs](/d) → here: x\n\n"
        "> Real text comes now.\n",
        "T", "Real text comes now.");
}

static void front_matter_gives_a_title_where_no_top_heading_does(void **state)
{
    (void)state;
    assert_derives("---\ntitle: \"From the matter\"\n---\n## Part\nText is here.\n",
                   "From the matter", "Text is here.");
}

static void json_reports_are_summed_up_by_their_own_fields(void **state)
{
    (void)state;
    assert_derives("{\"req_number\": \"REQ-1\", \"summary\": \"Done \\u00e4ll.\\nYes.\"}", "REQ-1",
                   "Done äll. Yes.");
    assert_derives("{\"a\": 1, \"b\": 2}", "JSON: a, b", "JSON: a, b");
}

static void plain_text_gives_its_first_line_and_first_sentences(void **state)
{
    (void)state;
    assert_derives("First line here\nsecond line. Third.\n", "First line here",
                   "First line here second line. Third.");
    assert_derives("", "", "");
}

static void the_publishers_own_summary_wins_and_is_made_one_line(void **state)
{
    (void)state;
    struct derived derived = derive(BYTES("# T\n## Summary\nNot this.\n"),
                                    BYTES(" Mine,\r\n\x1B[31mred\tand whole. "));
    assert_string_equal(derived.summary, "Mine, [31mred and whole.");
}

static void shortening_keeps_sentences_then_words_then_code_points(void **state)
{
    (void)state;
    char out[64];
    plain_shorten(BYTES("One two three. Four five six seven."), 30, out);
    assert_string_equal(out, "One two three.…");
    plain_shorten(BYTES("One two three four five six seven"), 20, out);
    assert_string_equal(out, "One two three…");
    plain_shorten(BYTES("ÄÄÄÄÄÄÄÄÄÄ"), 10, out);
    assert_string_equal(out, "ÄÄÄ…");
    plain_shorten(BYTES("It fits."), 8, out);
    assert_string_equal(out, "It fits.");
    plain_shorten(BYTES("abc"), 2, out);
    assert_string_equal(out, "");
}

static void points_of_abbreviations_end_no_sentence(void **state)
{
    (void)state;
    char out[64];
    plain_sentences(BYTES("Some tools, e.g. these, work. Others fail in many ways."), 40, out);
    assert_string_equal(out, "Some tools, e.g. these, work.");
}

static void assert_clean(struct bytes report, const char *name)
{
    struct derived derived = derive(report, BYTES(""));
    const char *texts[] = {derived.title, derived.summary};
    for (size_t i = 0; i < 2; i++) {
        if (!utf8_is_valid(bytes_of_string(texts[i])))
            fail_msg("%s: not UTF-8", name);
        for (const char *c = texts[i]; *c != '\0'; c++) {
            if ((unsigned char)*c < 0x20 || *c == 0x7F)
                fail_msg("%s: control character", name);
        }
    }
}

static void derived_texts_are_one_line_of_utf8_whatever_the_report(void **state)
{
    (void)state;
    struct buf report;
    buf_init(&report, 1 << 16);
    for (uint64_t seed = 1; seed <= 5000; seed++) {
        struct rnd rnd = {seed};
        char name[32];
        snprintf(name, sizeof name, "seed %llu", (unsigned long long)seed);
        ugly_report(&rnd, &report);
        assert_clean(buf_bytes(&report), name);
    }
    buf_fini(&report);
}

static void check_corpus_report(const struct corpus_report *report, void *context)
{
    (void)context;
    assert_clean(report->text, report->file);
    struct derived derived = derive(report->text, BYTES(""));
    if (strlen(derived.title) < 5 || strlen(derived.summary) < 40)
        fail_msg("%s: title \"%s\", summary \"%s\"", report->file, derived.title, derived.summary);
}

static void every_corpus_report_has_a_title_and_a_summary(void **state)
{
    (void)state;
    CORPUS_SKIP_UNLESS(corpus_each(check_corpus_report, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_top_heading_is_the_title_and_the_summary_section_the_summary),
        cmocka_unit_test(a_summary_section_of_a_table_only_is_passed_over),
        cmocka_unit_test(a_list_after_a_colon_belongs_to_the_summary),
        cmocka_unit_test(labels_and_links_are_no_summary),
        cmocka_unit_test(front_matter_gives_a_title_where_no_top_heading_does),
        cmocka_unit_test(json_reports_are_summed_up_by_their_own_fields),
        cmocka_unit_test(plain_text_gives_its_first_line_and_first_sentences),
        cmocka_unit_test(the_publishers_own_summary_wins_and_is_made_one_line),
        cmocka_unit_test(shortening_keeps_sentences_then_words_then_code_points),
        cmocka_unit_test(points_of_abbreviations_end_no_sentence),
        cmocka_unit_test(derived_texts_are_one_line_of_utf8_whatever_the_report),
        cmocka_unit_test(every_corpus_report_has_a_title_and_a_summary),
    };
    return cmocka_run_group_tests_name("summary", tests, NULL, NULL);
}
