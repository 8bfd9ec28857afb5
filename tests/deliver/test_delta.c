// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "deliver/delta.h"
#include "stand_in.h"
#include "ugly.h"

static struct outline build(struct bytes report)
{
    struct outline outline;
    assert_int_equal(outline_build(report, &outline, NULL), STATUS_OK);
    assert_int_equal(outline_count(&outline, report, stand_in_count), STATUS_OK);
    return outline;
}

// Each entry as "<kind> <slug>".
static void assert_delta(const char *before, const char *after, const char *expected)
{
    struct outline old = build(bytes_of_string(before));
    struct outline new = build(bytes_of_string(after));
    struct outlined sides[] = {{&old, bytes_of_string(before)}, {&new, bytes_of_string(after)}};
    struct delta delta;
    struct buf text;
    buf_init(&text, 1 << 16);
    assert_int_equal(delta_sections(&sides[0], &sides[1], &delta, NULL), STATUS_OK);
    for (uint32_t i = 0; i < delta.count; i++) {
        const struct delta_entry *entry = &delta.entries[i];
        bool removed = entry->kind == DELTA_REMOVED;
        struct bytes slug = removed ? old.sections[entry->before].slug
                                    : new.sections[entry->after].slug;
        buf_printf(&text, "%s %.*s, ", delta_kind_name(entry->kind), BYTES_ARG(slug));
    }
    assert_string_equal(buf_string(&text), expected);
    delta_fini(&delta);
    outline_fini(&old);
    outline_fini(&new);
    buf_fini(&text);
}

static void sections_are_compared_one_by_one(void **state)
{
    (void)state;
    assert_delta("# T\n## A\na\n## B\nb\n## C\nc\n## D\nd\n",
                 "# T\n## A\na\n## C\nchanged\n## D\nd\n## E\ne\n",
                 "same t, same a, removed b, changed c, same d, added e, ");
}

static void a_section_at_another_place_has_moved_and_the_others_have_not(void **state)
{
    (void)state;
    assert_delta("## A\na\n## B\nb\n## C\nc\n## D\nd\n", "## D\nd\n## A\na\n## B\nb\n## C\nc\n",
                 "moved d, same a, same b, same c, ");
}

static void a_new_heading_over_the_same_text_is_a_change(void **state)
{
    (void)state;
    assert_delta("## Old name\nA text that is long enough to know a section by it.\n",
                 "## Another\nA text that is long enough to know a section by it.\n",
                 "changed another, ");
}

static void equal_sections_are_matched_one_to_one(void **state)
{
    (void)state;
    assert_delta("## A\nx\n## A\nx\n", "## A\nx\n## A\nx\n## A\nx\n",
                 "same a, same a-1, added a-2, ");
}

static void a_report_compared_with_itself_is_the_same(void **state)
{
    (void)state;
    struct buf report;
    struct buf other;
    buf_init(&report, 1 << 16);
    buf_init(&other, 1 << 16);
    for (uint64_t seed = 1; seed <= 2000; seed++) {
        struct rnd rnd = {seed};
        ugly_report(&rnd, &report);
        ugly_report(&rnd, &other);
        struct outline one = build(buf_bytes(&report));
        struct outline two = build(buf_bytes(&other));
        struct outlined sides[] = {{&one, buf_bytes(&report)}, {&two, buf_bytes(&other)}};
        struct delta delta;
        assert_int_equal(delta_sections(&sides[0], &sides[0], &delta, NULL), STATUS_OK);
        if (delta.counts[DELTA_SAME] != one.count || delta.count != one.count)
            fail_msg("seed %llu: differs from itself", (unsigned long long)seed);
        delta_fini(&delta);
        assert_int_equal(delta_sections(&sides[0], &sides[1], &delta, NULL), STATUS_OK);
        uint32_t matched = delta.counts[DELTA_SAME] + delta.counts[DELTA_CHANGED] +
                           delta.counts[DELTA_MOVED];
        if (matched + delta.counts[DELTA_ADDED] != two.count ||
            matched + delta.counts[DELTA_REMOVED] != one.count)
            fail_msg("seed %llu: sections lost", (unsigned long long)seed);
        delta_fini(&delta);
        outline_fini(&one);
        outline_fini(&two);
    }
    buf_fini(&report);
    buf_fini(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sections_are_compared_one_by_one),
        cmocka_unit_test(a_section_at_another_place_has_moved_and_the_others_have_not),
        cmocka_unit_test(a_new_heading_over_the_same_text_is_a_change),
        cmocka_unit_test(equal_sections_are_matched_one_to_one),
        cmocka_unit_test(a_report_compared_with_itself_is_the_same),
    };
    return cmocka_run_group_tests_name("delta", tests, NULL, NULL);
}
