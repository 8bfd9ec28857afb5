// SPDX-License-Identifier: Apache-2.0
// What is found, in which order, and what is said of it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../deliver/rnd.h"
#include "catalogkit.h"

static const char caching[] = "# Caching design\n\nHow answers are kept.\n\n"
                              "## Store\n\nRedis keeps sessions for an hour.\n\n"
                              "### Eviction\n\nThe oldest go first, by LRU.\n\n"
                              "## Limits\n\nA rate limit of 100 requests a minute.\n";

static void a_hit_names_report_section_and_tokens(void **state)
{
    struct kit *kit = *state;
    kit_publish(kit, "caching", caching);
    kit_search(kit, "sessions");
    kit_expect(kit, "roy/backend/caching@1#1");
    assert_string_equal(kit->hits[0].report_title, "Caching design");
    assert_string_equal(kit->hits[0].section_title, "Store");
    assert_string_equal(kit->hits[0].snippet, "Redis keeps *sessions* for an hour.");
    // With the section below it, as `fetch` gives it.
    assert_true(kit->hits[0].tokens > 15);
    assert_true(kit->hits[0].latest);
    assert_true(kit->hits[0].time_ns >= INT64_C(1000000000) * 1000000000);
    assert_int_equal(kit->found.matches, 1);
    assert_false(kit->found.more);
}

static void a_title_is_given_with_those_above_it(void **state)
{
    struct kit *kit = *state;
    kit_publish(kit, "caching", caching);
    kit_search(kit, "lru");
    kit_expect(kit, "roy/backend/caching@1#1.1");
    assert_string_equal(kit->hits[0].section_title, "Store > Eviction");
}

static void every_word_must_match(void **state)
{
    struct kit *kit = *state;
    kit_publish(kit, "a", "# A\n\napples and pears\n");
    kit_publish(kit, "b", "# B\n\napples and plums\n");
    kit_search(kit, "apples plums");
    kit_expect(kit, "roy/backend/b@1#0");
}

static void words_may_stand_in_the_titles_above(void **state)
{
    struct kit *kit = *state;
    kit_publish(kit, "caching", caching);
    kit_search(kit, "caching store eviction oldest");
    kit_expect(kit, "roy/backend/caching@1#1.1");
}

static void a_report_title_alone_is_one_hit_not_one_for_each_section(void **state)
{
    struct kit *kit = *state;
    kit_publish(kit, "f", caching);
    kit_search(kit, "design");
    kit_expect(kit, "roy/backend/f@1#0");
}

static void a_report_is_found_by_its_feature(void **state)
{
    struct kit *kit = *state;
    kit_publish(kit, "REQ-STRATEGIC-AUTO-1766527796497", "# Plan\n\nnothing\n\n## More\n\nno\n");
    kit_search(kit, "REQ-STRATEGIC-AUTO-1766527796497");
    kit_expect(kit, "roy/backend/REQ-STRATEGIC-AUTO-1766527796497@1#0");
}

static void titles_weigh_more_than_text(void **state)
{
    struct kit *kit = *state;
    kit_publish(kit, "text", "# One\n\nwhat was said of migration here\n");
    kit_publish(kit, "section", "# Two\n\nx\n\n## Migration\n\nwhat was said of it here\n");
    kit_publish(kit, "report", "# Migration\n\nwhat was said of it here\n");
    kit_search(kit, "migration");
    kit_expect(kit, "roy/backend/report@1#0 roy/backend/section@1#1 roy/backend/text@1#0");
}

static void a_rare_word_weighs_more_than_a_common_one(void **state)
{
    struct kit *kit = *state;
    char name[16];
    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof name, "c%d", i);
        kit_publish(kit, name, "# X\n\ncommon words\n");
    }
    kit_publish(kit, "rare", "# X\n\nseldom words\n");
    kit_publish(kit, "later", "# X\n\ncommon thing\n");
    kit_search(kit, "common OR seldom");
    assert_string_equal(kit->hits[0].ref, "roy/backend/rare@1#0");
}

static void equal_hits_come_newest_first(void **state)
{
    struct kit *kit = *state;
    kit_publish(kit, "one", "# T\n\nequal\n");
    kit_publish(kit, "two", "# T\n\nequal\n");
    kit_publish(kit, "six", "# T\n\nequal\n");
    kit_search(kit, "equal");
    kit_expect(kit, "roy/backend/six@1#0 roy/backend/two@1#0 roy/backend/one@1#0");
}

static void word_forms_meet(void **state)
{
    struct kit *kit = *state;
    kit_publish(kit, "f", "# T\n\nThe Migrations were mapped.\n");
    kit_search(kit, "migrate mapping");
    kit_expect(kit, "roy/backend/f@1#0");
    assert_string_equal(kit->hits[0].snippet, "The *Migrations* were *mapped*.");
}

static void a_star_stands_for_the_rest_of_a_word(void **state)
{
    struct kit *kit = *state;
    kit_publish(kit, "f", "# T\n\nmigration of authenticated customers\n");
    static const char *const found[] = {"mig*",         "migratio*", "migration*", "migrati*",
                                        "authenticat*", "custo*",    "customers*", "a* mi*"};
    for (size_t i = 0; i < sizeof found / sizeof found[0]; i++) {
        kit_search(kit, found[i]);
        if (kit->count != 1)
            fail_msg("%s is not found", found[i]);
    }
    kit_search(kit, "igration*");
    kit_expect(kit, "");
    kit_search(kit, "mig");
    kit_expect(kit, "");
}

static void a_phrase_must_stand_together(void **state)
{
    struct kit *kit = *state;
    kit_publish(kit, "a", "# T\n\nthe rate limit holds\n");
    kit_publish(kit, "b", "# T\n\nlimit the rate\n");
    kit_search(kit, "\"rate limit\"");
    kit_expect(kit, "roy/backend/a@1#0");
    assert_string_equal(kit->hits[0].snippet, "the *rate limit* holds");
    kit_search(kit, "rate-limit");
    kit_expect(kit, "roy/backend/a@1#0");
}

static void an_excluded_word_must_not_match(void **state)
{
    struct kit *kit = *state;
    kit_publish(kit, "a", "# T\n\nred apples\n");
    kit_publish(kit, "b", "# T\n\ngreen apples\n");
    kit_search(kit, "apples -red");
    kit_expect(kit, "roy/backend/b@1#0");
    kit_search(kit, "apples -\"green apples\"");
    kit_expect(kit, "roy/backend/a@1#0");
}

static void alternatives_bind_their_neighbours_only(void **state)
{
    struct kit *kit = *state;
    kit_publish(kit, "a", "# T\n\nred apples\n");
    kit_publish(kit, "b", "# T\n\ngreen apples\n");
    kit_publish(kit, "c", "# T\n\ngreen pears\n");
    kit_search(kit, "apples red OR green");
    assert_int_equal(kit->count, 2);
    kit_search(kit, "pears OR red");
    assert_int_equal(kit->count, 2);
}

static void other_scripts_are_found(void **state)
{
    struct kit *kit = *state;
    kit_publish(kit, "f", "# T\n\nÜBERSICHT der Preise; 检索引擎 по-русски\n");
    static const char *const found[] = {"übersicht", "检索", "引擎", "Русски"};
    for (size_t i = 0; i < sizeof found / sizeof found[0]; i++) {
        kit_search(kit, found[i]);
        if (kit->count != 1)
            fail_msg("%s is not found", found[i]);
    }
}

static void filters_are_kept(void **state)
{
    struct kit *kit = *state;
    kit_publish(kit, "roy/backend/search-api", "# T\n\nword\n");
    kit_publish(kit, "jen/frontend/search-page", "# T\n\nword\n");
    kit_publish(kit, "jen/frontend/cart", "# T\n\nword\n");
    kit_search(kit, "word");
    assert_int_equal(kit->count, 3);
    int64_t middle = kit->hits[1].time_ns;
    struct catalog_query query = {.text = BYTES("word"), .agent = BYTES("roy")};
    kit_query(kit, &query);
    kit_expect(kit, "roy/backend/search-api@1#0");
    query = (struct catalog_query){.text = BYTES("word"), .type = BYTES("frontend")};
    kit_query(kit, &query);
    assert_int_equal(kit->count, 2);
    query = (struct catalog_query){.text = BYTES("word"), .feature = BYTES("search-*")};
    kit_query(kit, &query);
    assert_int_equal(kit->count, 2);
    query = (struct catalog_query){.text = BYTES("word"), .feature = BYTES("cart")};
    kit_query(kit, &query);
    kit_expect(kit, "jen/frontend/cart@1#0");
    query = (struct catalog_query){.text = BYTES("word"), .feature = BYTES("car")};
    kit_query(kit, &query);
    kit_expect(kit, "");
    query = (struct catalog_query){.text = BYTES("word"), .since_ns = middle};
    kit_query(kit, &query);
    assert_int_equal(kit->count, 2);
    query = (struct catalog_query){.text = BYTES("word"), .until_ns = middle};
    kit_query(kit, &query);
    assert_int_equal(kit->count, 1);
}

static void only_the_latest_revision_is_searched_unless_all_are_asked_for(void **state)
{
    struct kit *kit = *state;
    kit_publish(kit, "f", "# T\n\nold words\n");
    kit_publish(kit, "f", "# T\n\nnew words\n");
    kit_search(kit, "old");
    kit_expect(kit, "");
    kit_search(kit, "words");
    kit_expect(kit, "roy/backend/f@2#0");
    struct catalog_query query = {.text = BYTES("words"), .all_revisions = true};
    kit_query(kit, &query);
    kit_expect(kit, "roy/backend/f@2#0 roy/backend/f@1#0");
    assert_true(kit->hits[0].latest);
    assert_false(kit->hits[1].latest);
}

static void pages_follow_one_another(void **state)
{
    struct kit *kit = *state;
    char name[16];
    for (int i = 0; i < 9; i++) {
        snprintf(name, sizeof name, "f%d", i);
        kit_publish(kit, name, "# T\n\nword\n");
    }
    kit_update(kit);
    struct catalog_query query = {.text = BYTES("word"), .limit = 4, .offset = 6};
    kit_query(kit, &query);
    kit_expect(kit, "roy/backend/f2@1#0 roy/backend/f1@1#0 roy/backend/f0@1#0");
    assert_int_equal(kit->found.matches, 9);
    query.offset = 9;
    kit_query(kit, &query);
    kit_expect(kit, "");
}

static void a_query_without_words_says_so(void **state)
{
    struct kit *kit = *state;
    static const char *const none[] = {"", "   ", "\"\"", "*", "- - +", "OR", "***", "()"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        struct catalog_query query = {.text = bytes_of_string(none[i])};
        assert_int_equal(catalog_search(kit->catalog, &query, NULL, NULL, &kit->found, &kit->err),
                         STATUS_USAGE);
        assert_non_null(strstr(kit->err.text, "no word"));
    }
    struct catalog_query query = {.text = BYTES("-gone")};
    assert_int_equal(catalog_search(kit->catalog, &query, NULL, NULL, &kit->found, &kit->err),
                     STATUS_USAGE);
    assert_non_null(strstr(kit->err.text, "only excludes"));
}

static enum status pass_over(void *context, const struct catalog_hit *hit)
{
    (void)context;
    (void)hit;
    return STATUS_OK;
}

static void try_query(struct kit *kit, struct bytes text, uint64_t seed)
{
    struct catalog_query query = {.text = text};
    enum status status = catalog_search(kit->catalog, &query, pass_over, NULL, &kit->found,
                                        &kit->err);
    if (status != STATUS_OK && status != STATUS_USAGE)
        fail_msg("seed %llu: %s", (unsigned long long)seed, kit->err.text);
}

static void no_bytes_make_a_syntax_error(void **state)
{
    struct kit *kit = *state;
    kit_publish(kit, "f", "# T\n\na b c d near and or not x1 \n");
    kit_update(kit);
    static const char *const words[] = {
        "a",      "OR",    "AND", "NOT",   "NEAR(", "\"", "*",    "b*",  "-", "-c",
        "(",      ")",     "{",   "}",     ":",     "^",  "+",    "''",  ";", "\\",
        "title:", "body:", "--",  "rowid", "%",     "_",  "\x01", "\xFF"};
    for (uint64_t seed = 0; seed < 3000; seed++) {
        struct rnd rnd = {seed};
        char text[256];
        size_t size = 0;
        while (size < 200 && rnd_below(&rnd, 12) != 0) {
            const char *word = words[rnd_below(&rnd, sizeof words / sizeof words[0])];
            memcpy(text + size, word, strlen(word));
            size += strlen(word);
            if (rnd_below(&rnd, 2) == 0)
                text[size++] = ' ';
        }
        try_query(kit, bytes_of(text, size), seed);
        size = rnd_below(&rnd, sizeof text);
        for (size_t i = 0; i < size; i++)
            text[i] = (char)rnd_below(&rnd, 256);
        try_query(kit, bytes_of(text, size), seed);
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
    const struct CMUnitTest tests[] = {
        CASE(a_hit_names_report_section_and_tokens),
        CASE(a_title_is_given_with_those_above_it),
        CASE(every_word_must_match),
        CASE(words_may_stand_in_the_titles_above),
        CASE(a_report_title_alone_is_one_hit_not_one_for_each_section),
        CASE(a_report_is_found_by_its_feature),
        CASE(titles_weigh_more_than_text),
        CASE(a_rare_word_weighs_more_than_a_common_one),
        CASE(equal_hits_come_newest_first),
        CASE(word_forms_meet),
        CASE(a_star_stands_for_the_rest_of_a_word),
        CASE(a_phrase_must_stand_together),
        CASE(an_excluded_word_must_not_match),
        CASE(alternatives_bind_their_neighbours_only),
        CASE(other_scripts_are_found),
        CASE(filters_are_kept),
        CASE(only_the_latest_revision_is_searched_unless_all_are_asked_for),
        CASE(pages_follow_one_another),
        CASE(a_query_without_words_says_so),
        CASE(no_bytes_make_a_syntax_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
