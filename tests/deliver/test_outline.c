// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <cmark-gfm-core-extensions.h>
#include <cmark-gfm-extension_api.h>
#include <cmark-gfm.h>

#include "base/limits.h"
#include "corpus.h"
#include "deliver/lines.h"
#include "deliver/markdown.h"
#include "deliver/outline.h"
#include "deliver/outline_json.h"
#include "deliver/tokens.h"
#include "golden.h"
#include "ugly.h"

static struct outline build(struct bytes report)
{
    struct outline outline;
    struct errinfo err;
    errinfo_clear(&err);
    if (outline_build(report, &outline, &err) != STATUS_OK)
        fail_msg("%s", err.text);
    return outline;
}

// One line a section: number, slug, title.
static void assert_outline(struct bytes report, const char *expected)
{
    struct buf text;
    struct outline outline = build(report);
    buf_init(&text, 1 << 20);
    for (uint32_t i = 0; i < outline.count; i++) {
        const struct outline_section *section = &outline.sections[i];
        buf_printf(&text, "%.*s %.*s %.*s\n", BYTES_ARG(section->number), BYTES_ARG(section->slug),
                   BYTES_ARG(section->title));
    }
    buf_append_byte(&text, '\0');
    assert_string_equal(text.data, expected);
    buf_fini(&text);
    outline_fini(&outline);
}

static void assert_tiles(struct bytes report, const char *name)
{
    struct outline outline = build(report);
    size_t at = 0;
    for (uint32_t i = 0; i < outline.count; i++) {
        const struct outline_section *section = &outline.sections[i];
        if (section->from != at || section->to <= at || section->end <= i ||
            section->end > outline.count || section->line == 0 || section->line > outline.lines)
            fail_msg("%s: section %u does not tile", name, i);
        at = section->to;
    }
    if (at != report.size)
        fail_msg("%s: sections end at %zu of %zu", name, at, report.size);
    outline_fini(&outline);
}

static void headings_are_numbered_by_nesting_and_a_sole_title_is_section_0(void **state)
{
    (void)state;
    assert_outline(BYTES("intro\n# Title\ntext\n## A\n### A1\n### A2\n## B\n"),
                   "0 title Title\n1 a A\n1.1 a1 A1\n1.2 a2 A2\n2 b B\n");
}

static void several_top_headings_are_numbered_themselves(void **state)
{
    (void)state;
    assert_outline(BYTES("intro\n\n# A\n## A1\n# B\n"), "0 preamble \n1 a A\n1.1 a1 A1\n2 b B\n");
}

static void skipped_levels_nest_under_what_is_there(void **state)
{
    (void)state;
    assert_outline(BYTES("## A\n#### deep\n### less deep\n# B\n"),
                   "1 a A\n1.1 deep deep\n1.2 less-deep less deep\n2 b B\n");
}

static void setext_headings_are_sections(void **state)
{
    (void)state;
    assert_outline(BYTES("Title\n=====\ntext\n\nTwo\nlines\n---\n"),
                   "0 title Title\n1 two-lines Two lines\n");
}

static void fences_html_code_quotes_lists_and_front_matter_give_no_sections(void **state)
{
    (void)state;
    assert_outline(BYTES("---\ntitle: x\n# c\n---\n```\n# no\n```\n<div>\n# no\n</div>\n\n"
                         "    # no\n\n> # no\n\n- # no\n\n# yes\n~~~\n# no, unclosed\n"),
                   "0 yes yes\n");
}

static void a_rule_at_the_start_is_not_front_matter(void **state)
{
    (void)state;
    assert_outline(BYTES("---\n\n# A\n---\n# B\n"), "0 preamble \n1 a A\n2 b B\n");
}

static void a_table_before_a_rule_is_no_heading(void **state)
{
    (void)state;
    assert_outline(BYTES("# T\n|a|b|\n|-|-|\n|c|d|\n---\n## x\n"), "0 t T\n1 x x\n");
}

static void line_endings_bom_nul_and_bad_utf8_do_not_shift_offsets(void **state)
{
    (void)state;
    static const char text[] = "\xEF\xBB\xBF# A\r\n\0\xFF\r## B\r\r\n## C\n";
    struct bytes report = bytes_of(text, sizeof text - 1);
    struct outline outline = build(report);
    assert_int_equal(outline.count, 3);
    assert_int_equal(outline.sections[0].from, 0);
    assert_int_equal(outline.sections[1].from, bytes_find(report, BYTES("## B")));
    assert_int_equal(outline.sections[1].line, 3);
    assert_int_equal(outline.sections[2].from, bytes_find(report, BYTES("## C")));
    assert_int_equal(outline.sections[2].line, 5);
    outline_fini(&outline);
}

static void repeated_headings_get_ordinals_that_are_never_taken_twice(void **state)
{
    (void)state;
    assert_outline(BYTES("# A\n# A\n# A-1\n# A\n# 12\n# !\n# !\n"),
                   "1 a A\n2 a-1 A\n3 a-1-1 A-1\n4 a-2 A\n5 s-12 12\n6 section !\n7 section-1 !\n");
}

static void titles_are_plain_text_of_one_line(void **state)
{
    (void)state;
    assert_outline(BYTES("# **Bold** `code` [link](/u) &amp; <b>x</b> C# #\n"
                         "# 1. Scope_of_work \xE2\x80\xAEx\x1B[31m\n"),
                   "1 bold-code-link--x-c Bold code link & x C#\n"
                   "2 1-scope_of_work-x-31m 1. Scope_of_work x [31m\n");
}

static void slugs_fold_the_letters_of_other_scripts(void **state)
{
    (void)state;
    assert_outline(BYTES("# Größe & ÄNDERUNG\n# ЁЖ\n# 検索 結果\n"),
                   "1 größe--änderung Größe & ÄNDERUNG\n2 ёж ЁЖ\n3 検索-結果 検索 結果\n");
}

static void a_heading_without_text_has_an_empty_title(void **state)
{
    (void)state;
    assert_outline(BYTES("# A\n##\n## #\n"), "0 a A\n1 section \n2 section-1 \n");
}

static void json_reports_have_an_outline_of_keys(void **state)
{
    (void)state;
    assert_outline(BYTES("{ \"a\": 1, \"b\": {\"c\": \"}\"}, \"d\": [1, {\"e\": []}, [2]]}\n"),
                   "0 preamble \n1 a a\n2 b b\n2.1 c c\n3 d d\n3.1 d1 d[1]\n3.1.1 e e\n"
                   "3.2 d2 d[2]\n");
}

static void damaged_json_is_text(void **state)
{
    (void)state;
    static const char *const bad[] = {"{\"a\": 1,}", "{\"a\" 1}", "[1 2]", "{\"a\": tru}",
                                      "[1]]",        "[\"\n\"]",  "{",     "{\"a\":1} x"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_outline(bytes_of_string(bad[i]), "0 preamble \n");
}

static void an_empty_report_has_no_sections(void **state)
{
    (void)state;
    struct outline outline = build(BYTES(""));
    assert_int_equal(outline.count, 0);
    assert_int_equal(outline.lines, 0);
    outline_fini(&outline);
}

static void a_report_above_the_limit_is_refused(void **state)
{
    (void)state;
    struct outline outline;
    struct errinfo err;
    char *text = calloc(1, LIMIT_REPORT_BYTES + 1);
    assert_int_equal(outline_build(bytes_of(text, LIMIT_REPORT_BYTES + 1), &outline, &err),
                     STATUS_LIMIT);
    free(text);
}

static bool write_heading(void *context, const struct markdown_heading *heading)
{
    buf_printf(context, "%u@%zu ", heading->level, heading->from);
    return true;
}

// The same by cmark's own whole parse and its line numbers.
static void write_reference(struct bytes report, struct buf *out)
{
    size_t start = markdown_front_matter(report);
    struct bytes body = bytes_of(report.data + start, report.size - start);
    markdown_ready();
    cmark_parser *parser = cmark_parser_new(CMARK_OPT_DEFAULT);
    cmark_parser_attach_syntax_extension(parser, cmark_find_syntax_extension("table"));
    // An empty line stands for the front matter, so that no byte order mark opens the body.
    size_t before = start > 0;
    cmark_parser_feed(parser, "\n", before);
    cmark_parser_feed(parser, body.data, body.size);
    cmark_node *document = cmark_parser_finish(parser);
    cmark_node *node = cmark_node_first_child(document);
    for (; node != NULL; node = cmark_node_next(node)) {
        if (cmark_node_get_type(node) != CMARK_NODE_HEADING)
            continue;
        size_t from = 0;
        size_t to;
        size_t line = (size_t)cmark_node_get_start_line(node) - before;
        assert_true(lines_range(body, line, line, &from, &to));
        buf_printf(out, "%d@%zu ", cmark_node_get_heading_level(node), start + from);
    }
    cmark_node_free(document);
    cmark_parser_free(parser);
}

static void ugly_reports_have_the_headings_that_cmark_sees_and_tile(void **state)
{
    (void)state;
    struct buf report;
    struct buf ours;
    struct buf reference;
    buf_init(&report, 1 << 16);
    buf_init(&ours, 1 << 16);
    buf_init(&reference, 1 << 16);
    for (uint64_t seed = 1; seed <= 20000; seed++) {
        struct rnd rnd = {seed};
        char name[32];
        ugly_report(&rnd, &report);
        buf_clear(&ours);
        buf_clear(&reference);
        snprintf(name, sizeof name, "seed %llu", (unsigned long long)seed);
        assert_tiles(buf_bytes(&report), name);
        markdown_walk_headings(buf_bytes(&report), write_heading, &ours);
        write_reference(buf_bytes(&report), &reference);
        if (!bytes_equal(buf_bytes(&ours), buf_bytes(&reference)))
            fail_msg("%s: %.*s instead of %.*s", name, BYTES_ARG(buf_bytes(&ours)),
                     BYTES_ARG(buf_bytes(&reference)));
    }
    buf_fini(&report);
    buf_fini(&ours);
    buf_fini(&reference);
}

static void assert_repeated_tiles(struct bytes head, struct bytes part, uint32_t count_min)
{
    struct buf text;
    buf_init(&text, LIMIT_REPORT_BYTES);
    buf_append(&text, head);
    while (text.size + part.size <= LIMIT_REPORT_BYTES)
        buf_append(&text, part);
    assert_tiles(buf_bytes(&text), part.data);
    struct outline outline = build(buf_bytes(&text));
    assert_true(outline.count >= count_min);
    assert_true(outline.count <= OUTLINE_SECTIONS_MAX);
    outline_fini(&outline);
    buf_fini(&text);
}

static void ten_megabytes_of_hostile_text_tile(void **state)
{
    (void)state;
    assert_repeated_tiles(BYTES(""), BYTES("word "), 1);
    assert_repeated_tiles(BYTES(""), BYTES("- "), 1);
    assert_repeated_tiles(BYTES(""), BYTES("> "), 1);
    assert_repeated_tiles(BYTES("- - - - - - - - x\n"), BYTES("\n"), 1);
    assert_repeated_tiles(BYTES("|a|b|\n|-|-|\n"), BYTES("|\n"), 1);
    assert_repeated_tiles(BYTES(""), BYTES("|-|\n"), 1);
    assert_repeated_tiles(BYTES("# A\n"), BYTES("[a]: b\n=\n"), 2);
    assert_repeated_tiles(BYTES("```\n"), BYTES("# no\n"), 1);
    assert_repeated_tiles(BYTES("["), BYTES("["), 1);
    assert_repeated_tiles(BYTES(""), BYTES("\0\r"), 1);
}

static void a_hundred_thousand_headings_are_all_there(void **state)
{
    (void)state;
    struct buf text;
    buf_init(&text, LIMIT_REPORT_BYTES);
    for (int i = 0; i < 100000; i++)
        buf_append_string(&text, "# Same heading again\n");
    struct outline outline = build(buf_bytes(&text));
    assert_int_equal(outline.count, 100000);
    assert_false(outline.truncated);
    assert_true(bytes_equal(outline.sections[99999].slug, BYTES("same-heading-again-99999")));
    outline_fini(&outline);
    buf_append_string(&text, "# one more\n");
    assert_tiles(buf_bytes(&text), "100,001 headings");
    outline = build(buf_bytes(&text));
    assert_true(outline.truncated);
    outline_fini(&outline);
    buf_fini(&text);
}

static enum status count_bytes(struct bytes text, size_t *tokens)
{
    *tokens = text.size;
    return STATUS_OK;
}

static void whole_counts_are_those_of_the_section_with_everything_below(void **state)
{
    (void)state;
    struct bytes report = BYTES("## A\nx\n### A1\n /y\n## B\n /z\n");
    struct outline outline = build(report);
    assert_int_equal(outline_count(&outline, report, count_bytes), STATUS_OK);
    assert_int_equal(outline.tokens, report.size);
    assert_int_equal(outline.sections[0].tokens, 7);
    assert_int_equal(outline.sections[0].tokens_whole, bytes_find(report, BYTES("## B")));
    assert_int_equal(outline_at(&outline, 0), 0);
    assert_int_equal(outline_at(&outline, 7), 1);
    assert_int_equal(outline_at(&outline, SIZE_MAX), 2);
    outline_fini(&outline);
}

static void assert_same_outline(const struct outline *a, const struct outline *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->bytes, b->bytes);
    assert_int_equal(a->lines, b->lines);
    assert_int_equal(a->tokens, b->tokens);
    assert_int_equal(a->truncated, b->truncated);
    assert_int_equal(a->count, b->count);
    for (uint32_t i = 0; i < a->count; i++) {
        const struct outline_section *x = &a->sections[i];
        const struct outline_section *y = &b->sections[i];
        bool same = x->level == y->level && x->parent == y->parent && x->end == y->end &&
                    x->from == y->from && x->to == y->to && x->line == y->line &&
                    x->tokens == y->tokens && x->tokens_whole == y->tokens_whole &&
                    bytes_equal(x->number, y->number) && bytes_equal(x->slug, y->slug) &&
                    bytes_equal(x->title, y->title);
        assert_true(same);
    }
}

static void a_stored_outline_reads_back_the_same(void **state)
{
    (void)state;
    struct buf report;
    struct buf stored;
    buf_init(&report, 1 << 16);
    buf_init(&stored, 1 << 20);
    for (uint64_t seed = 1; seed <= 3000; seed++) {
        struct rnd rnd = {seed};
        struct outline back;
        struct errinfo err;
        ugly_report(&rnd, &report);
        struct outline outline = build(buf_bytes(&report));
        if (rnd_below(&rnd, 2) == 0)
            assert_int_equal(outline_count(&outline, buf_bytes(&report), count_bytes), STATUS_OK);
        buf_clear(&stored);
        assert_int_equal(outline_json_write(&outline, &stored, &err), STATUS_OK);
        if (outline_json_read(buf_bytes(&stored), &back, &err) != STATUS_OK)
            fail_msg("seed %llu: %s: %.*s", (unsigned long long)seed, err.text,
                     BYTES_ARG(buf_bytes(&stored)));
        assert_same_outline(&outline, &back);
        outline_fini(&outline);
        outline_fini(&back);
    }
    buf_fini(&report);
    buf_fini(&stored);
}

static void a_damaged_stored_outline_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "[]",
        "{\"v\":2}",
        "{\"v\":1,\"kind\":\"text\",\"bytes\":9,\"lines\":1,\"head\":\"none\",\"sections\":[]}",
        "{\"v\":1,\"kind\":\"markdown\",\"bytes\":9,\"lines\":1,\"head\":\"none\","
        "\"sections\":[[1,1,1,\"a\"]]}",
        "{\"v\":1,\"kind\":\"markdown\",\"bytes\":9,\"lines\":1,\"head\":\"none\","
        "\"sections\":[[1,0,1,\"a\"],[1,0,1,\"b\"]]}",
        "{\"v\":1,\"kind\":\"markdown\",\"bytes\":9,\"lines\":1,\"head\":\"none\","
        "\"sections\":[[7,0,1,\"a\"]]}",
        "{\"v\":1,\"kind\":\"markdown\",\"bytes\":9,\"lines\":1,\"head\":\"none\","
        "\"sections\":[[1,0,1,\"a\\n\"]]}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct outline outline;
        struct errinfo err;
        if (outline_json_read(bytes_of_string(bad[i]), &outline, &err) != STATUS_CORRUPT)
            fail_msg("accepted: %s", bad[i]);
    }
}

static void assert_exact_counts(struct bytes report, const char *name)
{
    struct outline outline = build(report);
    assert_int_equal(outline_count(&outline, report, tokens_count), STATUS_OK);
    size_t tokens;
    assert_int_equal(tokens_count(report, &tokens), STATUS_OK);
    if (tokens != outline.tokens)
        fail_msg("%s: %zu tokens instead of %zu", name, outline.tokens, tokens);
    for (uint32_t i = 0; i < outline.count; i++) {
        size_t from;
        size_t to;
        outline_whole(&outline, i, &from, &to);
        assert_int_equal(tokens_count(bytes_slice(report, from, to - from), &tokens), STATUS_OK);
        if (tokens != outline.sections[i].tokens_whole)
            fail_msg("%s: section %u has %zu tokens, not %zu", name, i, tokens,
                     outline.sections[i].tokens_whole);
    }
    outline_fini(&outline);
}

static void sums_of_sections_are_exact_counts(void **state)
{
    (void)state;
    struct buf report;
    buf_init(&report, 1 << 16);
    for (uint64_t seed = 1; seed <= 3000; seed++) {
        struct rnd rnd = {seed};
        char name[32];
        snprintf(name, sizeof name, "seed %llu", (unsigned long long)seed);
        ugly_report(&rnd, &report);
        assert_exact_counts(buf_bytes(&report), name);
    }
    buf_fini(&report);
}

static void assert_golden(const char *sample, const char *golden)
{
    char path[4096];
    size_t size = 0;
    struct buf stored;
    buf_init(&stored, 1 << 20);
    snprintf(path, sizeof path, "%s/tests/golden/outlines/%s", getenv("AGOG_TEST_SOURCE_ROOT"),
             sample);
    char *text = corpus_read_file(path, &size);
    assert_non_null(text);
    struct outline outline = build(bytes_of(text, size));
    assert_int_equal(outline_count(&outline, bytes_of(text, size), tokens_count), STATUS_OK);
    assert_int_equal(outline_json_write(&outline, &stored, NULL), STATUS_OK);
    golden_assert(golden, buf_bytes(&stored));
    outline_fini(&outline);
    buf_fini(&stored);
    free(text);
}

static void stored_outlines_of_samples_have_not_changed(void **state)
{
    (void)state;
    assert_golden("report.md.in", "outlines/report.outline.json");
    assert_golden("deliverable.json.in", "outlines/deliverable.outline.json");
}

static void check_corpus_report(const struct corpus_report *report, void *context)
{
    struct outline outline = build(report->text);
    size_t *sections = context;
    *sections += outline.count;
    assert_tiles(report->text, report->file);
    assert_exact_counts(report->text, report->file);
    outline_fini(&outline);
}

static void every_corpus_report_tiles_and_is_counted_exactly(void **state)
{
    (void)state;
    size_t sections = 0;
    size_t count = corpus_each(check_corpus_report, &sections);
    CORPUS_SKIP_UNLESS(count);
    assert_true(sections > 10 * count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headings_are_numbered_by_nesting_and_a_sole_title_is_section_0),
        cmocka_unit_test(several_top_headings_are_numbered_themselves),
        cmocka_unit_test(skipped_levels_nest_under_what_is_there),
        cmocka_unit_test(setext_headings_are_sections),
        cmocka_unit_test(fences_html_code_quotes_lists_and_front_matter_give_no_sections),
        cmocka_unit_test(a_rule_at_the_start_is_not_front_matter),
        cmocka_unit_test(a_table_before_a_rule_is_no_heading),
        cmocka_unit_test(line_endings_bom_nul_and_bad_utf8_do_not_shift_offsets),
        cmocka_unit_test(repeated_headings_get_ordinals_that_are_never_taken_twice),
        cmocka_unit_test(titles_are_plain_text_of_one_line),
        cmocka_unit_test(slugs_fold_the_letters_of_other_scripts),
        cmocka_unit_test(a_heading_without_text_has_an_empty_title),
        cmocka_unit_test(json_reports_have_an_outline_of_keys),
        cmocka_unit_test(damaged_json_is_text),
        cmocka_unit_test(an_empty_report_has_no_sections),
        cmocka_unit_test(a_report_above_the_limit_is_refused),
        cmocka_unit_test(ugly_reports_have_the_headings_that_cmark_sees_and_tile),
        cmocka_unit_test(ten_megabytes_of_hostile_text_tile),
        cmocka_unit_test(a_hundred_thousand_headings_are_all_there),
        cmocka_unit_test(whole_counts_are_those_of_the_section_with_everything_below),
        cmocka_unit_test(a_stored_outline_reads_back_the_same),
        cmocka_unit_test(a_damaged_stored_outline_is_refused),
        cmocka_unit_test(stored_outlines_of_samples_have_not_changed),
        cmocka_unit_test(sums_of_sections_are_exact_counts),
        cmocka_unit_test(every_corpus_report_tiles_and_is_counted_exactly),
    };
    return cmocka_run_group_tests_name("outline", tests, NULL, NULL);
}
