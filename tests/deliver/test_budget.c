// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "corpus.h"
#include "deliver/budget.h"
#include "deliver/rank.h"
#include "deliver/tokens.h"
#include "ugly.h"

static const char sample[] =
    "# Report\nThe overview of it all, in a line.\n"
    "## Storage\nReports are kept in segments on disk.\n"
    "## Retention\nOld reports are deleted after seven days. Retention can be changed.\n"
    "## Security\nKeys are rotated; nothing else is known here about the matter.\n"
    "### reorderPoint\nThe computed reorder_point of an item.\n";

static struct outline build(struct bytes report)
{
    struct outline outline;
    assert_int_equal(outline_build(report, &outline, NULL), STATUS_OK);
    assert_int_equal(outline_count(&outline, report, tokens_count), STATUS_OK);
    return outline;
}

static void assert_best(const char *query, const char *slug)
{
    struct bytes report = bytes_of_string(sample);
    struct outline outline = build(report);
    struct outlined source = {&outline, report};
    struct rank rank;
    struct errinfo err;
    if (rank_sections(&source, bytes_of_string(query), &rank, &err) != STATUS_OK)
        fail_msg("%s", err.text);
    assert_true(rank.found > 0);
    struct bytes best = outline.sections[rank.order[0]].slug;
    if (!bytes_equal(best, bytes_of_string(slug)))
        fail_msg("%s: %.*s instead of %s", query, BYTES_ARG(best), slug);
    rank_fini(&rank);
    outline_fini(&outline);
}

static void the_section_that_answers_ranks_first(void **state)
{
    (void)state;
    assert_best("how long are reports retained before deletion?", "retention");
    assert_best("What is the RETENTION?", "retention");
    assert_best("where are segments stored", "storage");
    assert_best("reorder point", "reorderpoint");
    assert_best("reorderPoint", "reorderpoint");
    assert_best("rotating key", "security");
    assert_best("Is there any vulnerability?", "security");
}

static void a_question_without_words_is_refused(void **state)
{
    (void)state;
    struct bytes report = bytes_of_string(sample);
    struct outline outline = build(report);
    struct outlined source = {&outline, report};
    struct rank rank;
    struct errinfo err;
    assert_int_equal(rank_sections(&source, BYTES("?! ..."), &rank, &err), STATUS_USAGE);
    outline_fini(&outline);
}

static enum status pack(const struct outlined *source, struct budget_options options,
                        struct buf *out, struct budget_answer *answer, struct errinfo *err)
{
    buf_clear(out);
    options.counter = tokens_count;
    return budget_pack(source, &options, out, answer, err);
}

static void an_answer_names_what_it_does_not_show(void **state)
{
    (void)state;
    struct bytes report = bytes_of_string(sample);
    struct outline outline = build(report);
    struct outlined source = {&outline, report};
    struct buf out;
    struct budget_answer answer;
    struct errinfo err;
    buf_init(&out, 1 << 16);
    struct budget_options options = {.tokens_max = 60, .query = BYTES("retention days")};
    assert_int_equal(pack(&source, options, &out, &answer, &err), STATUS_OK);
    assert_string_equal(buf_string(&out),
                        "[... #0 to #1 (24 tokens) not shown ...]\n"
                        "## Retention\nOld reports are deleted after seven days. Retention can be "
                        "changed.\n[... #3 to #3.1 (28 tokens) not shown ...]\n");
    assert_int_equal(answer.sections, 1);
    assert_int_equal(answer.sections_left, 4);
    assert_false(answer.relevant_left);
    assert_string_not_equal(answer.cursor, "");
    buf_fini(&out);
    outline_fini(&outline);
}

static void budgets_below_the_least_and_foreign_cursors_are_refused(void **state)
{
    (void)state;
    struct bytes report = bytes_of_string(sample);
    struct outline outline = build(report);
    struct outlined source = {&outline, report};
    struct buf out;
    struct budget_answer answer;
    struct errinfo err;
    char cursor[BUDGET_CURSOR_SIZE];
    buf_init(&out, 1 << 16);
    struct budget_options options = {.tokens_max = 10};
    assert_int_equal(pack(&source, options, &out, &answer, &err), STATUS_USAGE);
    options = (struct budget_options){.tokens_max = 60, .query = BYTES("retention")};
    assert_int_equal(pack(&source, options, &out, &answer, &err), STATUS_OK);
    memcpy(cursor, answer.cursor, sizeof cursor);
    options = (struct budget_options){
        .tokens_max = 60, .query = BYTES("storage"), .cursor = bytes_of_string(cursor)};
    assert_int_equal(pack(&source, options, &out, &answer, &err), STATUS_CONFLICT);
    static const char *const bad[] = {"c1", "c2.00000000.1.0.", "x", "c1.0.0.0."};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        options.cursor = bytes_of_string(bad[i]);
        assert_int_not_equal(pack(&source, options, &out, &answer, &err), STATUS_OK);
    }
    cursor[13] = '9';
    options = (struct budget_options){
        .tokens_max = 60, .query = BYTES("retention"), .cursor = bytes_of_string(cursor)};
    assert_int_equal(pack(&source, options, &out, &answer, &err), STATUS_USAGE);
    buf_fini(&out);
    outline_fini(&outline);
}

// Follows cursors to the end. Each answer must keep its budget, the same call give the same answer,
// and the pieces that are shown, taken together, be as many bytes as the report.
static void assert_walk(struct bytes report, struct bytes query, size_t tokens_max,
                        const char *name)
{
    struct outline outline = build(report);
    struct outlined source = {&outline, report};
    struct buf out;
    struct buf again;
    char cursor[BUDGET_CURSOR_SIZE] = "";
    size_t left_before = SIZE_MAX;
    buf_init(&out, 16 << 20);
    buf_init(&again, 16 << 20);
    for (unsigned calls = 0;; calls++) {
        struct budget_answer answer;
        struct errinfo err;
        size_t tokens;
        struct budget_options options = {
            .tokens_max = tokens_max, .query = query, .cursor = bytes_of_string(cursor)};
        enum status status = pack(&source, options, &out, &answer, &err);
        if (status == STATUS_LIMIT || status == STATUS_USAGE)
            break; // the budget does not hold one line, or the question has no word
        if (status != STATUS_OK)
            fail_msg("%s: %s", name, err.text);
        assert_int_equal(pack(&source, options, &again, &answer, &err), STATUS_OK);
        assert_true(bytes_equal(buf_bytes(&out), buf_bytes(&again)));
        assert_int_equal(tokens_count(buf_bytes(&out), &tokens), STATUS_OK);
        assert_int_equal(tokens, answer.tokens);
        if (tokens > tokens_max)
            fail_msg("%s: %zu tokens, the budget is %zu", name, tokens, tokens_max);
        if (answer.tokens_left > left_before || calls > 100000)
            fail_msg("%s: no progress", name);
        left_before = answer.tokens_left;
        memcpy(cursor, answer.cursor, sizeof cursor);
        if (cursor[0] == '\0')
            break;
    }
    buf_fini(&out);
    buf_fini(&again);
    outline_fini(&outline);
}

static void following_cursors_keeps_every_budget_and_comes_to_an_end(void **state)
{
    (void)state;
    struct buf report;
    buf_init(&report, 1 << 16);
    for (uint64_t seed = 1; seed <= 600; seed++) {
        struct rnd rnd = {seed};
        char name[32];
        snprintf(name, sizeof name, "seed %llu", (unsigned long long)seed);
        ugly_report(&rnd, &report);
        struct bytes query = rnd_below(&rnd, 3) == 0 ? BYTES("") : BYTES("same text of four");
        assert_walk(buf_bytes(&report), query, 40 + rnd_below(&rnd, 80), name);
    }
    buf_fini(&report);
}

// Removes the lines that say what is not shown; the sample texts have none of their own.
static void append_shown(struct bytes text, struct buf *out)
{
    while (text.size > 0) {
        struct bytes rest;
        struct bytes line = bytes_cut(text, '\n', &rest);
        if (!bytes_start_with(line, BYTES("[... ")))
            buf_append(out, bytes_of(line.data, line.size + (rest.data != NULL)));
        text = rest;
    }
}

static void cursors_in_order_give_the_whole_report_once(void **state)
{
    (void)state;
    struct buf report;
    struct buf shown;
    struct buf out;
    char cursor[BUDGET_CURSOR_SIZE] = "";
    buf_init(&report, 1 << 20);
    buf_init(&shown, 1 << 20);
    buf_init(&out, 1 << 20);
    for (int i = 0; i < 200; i++)
        buf_printf(&report, "## Part %d\nLine %d of the part.\nAnd another, %d.\n", i, i, 7 * i);
    struct outline outline = build(buf_bytes(&report));
    struct outlined source = {&outline, buf_bytes(&report)};
    do {
        struct budget_answer answer;
        struct budget_options options = {.tokens_max = 120, .cursor = bytes_of_string(cursor)};
        assert_int_equal(pack(&source, options, &out, &answer, NULL), STATUS_OK);
        append_shown(buf_bytes(&out), &shown);
        memcpy(cursor, answer.cursor, sizeof cursor);
    } while (cursor[0] != '\0');
    assert_true(bytes_equal(buf_bytes(&shown), buf_bytes(&report)));
    outline_fini(&outline);
    buf_fini(&report);
    buf_fini(&shown);
    buf_fini(&out);
}

static void a_section_larger_than_the_budget_is_given_in_pieces(void **state)
{
    (void)state;
    struct buf report;
    struct buf out;
    struct budget_answer answer;
    buf_init(&report, 1 << 20);
    buf_init(&out, 1 << 20);
    buf_append_string(&report, "# T\nshort\n## Needle\n");
    for (int i = 0; i < 2000; i++)
        buf_printf(&report, "needle line %d\n", i);
    struct outline outline = build(buf_bytes(&report));
    struct outlined source = {&outline, buf_bytes(&report)};
    struct budget_options options = {.tokens_max = 300, .query = BYTES("needle")};
    assert_int_equal(pack(&source, options, &out, &answer, NULL), STATUS_OK);
    assert_true(answer.tokens > 250);
    assert_non_null(strstr(buf_string(&out), "[... rest of #1 not shown ...]"));
    assert_true(answer.relevant_left);
    outline_fini(&outline);
    assert_walk(buf_bytes(&report), BYTES("needle"), 1500, "pieces");
    buf_fini(&report);
    buf_fini(&out);
}

static void check_corpus_report(const struct corpus_report *report, void *context)
{
    (void)context;
    assert_walk(report->text, BYTES("what are the risks and the next steps"), 1500, report->file);
}

static void every_corpus_report_is_read_within_its_budget(void **state)
{
    (void)state;
    CORPUS_SKIP_UNLESS(corpus_each(check_corpus_report, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_section_that_answers_ranks_first),
        cmocka_unit_test(a_question_without_words_is_refused),
        cmocka_unit_test(an_answer_names_what_it_does_not_show),
        cmocka_unit_test(budgets_below_the_least_and_foreign_cursors_are_refused),
        cmocka_unit_test(following_cursors_keeps_every_budget_and_comes_to_an_end),
        cmocka_unit_test(cursors_in_order_give_the_whole_report_once),
        cmocka_unit_test(a_section_larger_than_the_budget_is_given_in_pieces),
        cmocka_unit_test(every_corpus_report_is_read_within_its_budget),
    };
    return cmocka_run_group_tests_name("budget", tests, NULL, NULL);
}
