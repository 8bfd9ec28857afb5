// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <string.h>

#include "catalog/query.h"

static struct query parsed(const char *text)
{
    struct query query;
    struct errinfo err;
    assert_int_equal(query_parse(bytes_of_string(text), &query, &err), STATUS_OK);
    return query;
}

static void expect_expression(const char *text, const char *expected)
{
    struct query query = parsed(text);
    struct buf out;
    buf_init(&out, 65536);
    query_expression(&query, "", &out);
    assert_non_null(strstr(buf_string(&out), expected));
    buf_fini(&out);
}

static void expect_refused(struct bytes text)
{
    struct query query;
    struct errinfo err;
    errinfo_clear(&err);
    assert_int_equal(query_parse(text, &query, &err), STATUS_USAGE);
    assert_true(err.text[0] != '\0');
}

static void each_word_is_a_term_of_its_own(void **state)
{
    (void)state;
    struct query query = parsed("rate limit");
    assert_int_equal(query.term_count, 2);
    assert_int_equal(query.word_count, 2);
    assert_false(query.terms[0].excluded || query.terms[1].alternative);
}

static void a_phrase_is_one_term_of_several_words(void **state)
{
    (void)state;
    struct query query = parsed("\"order desk\" open");
    assert_int_equal(query.term_count, 2);
    assert_int_equal(query.terms[0].count, 2);
    assert_int_equal(query.terms[1].count, 1);
}

static void a_quote_that_is_never_closed_ends_with_the_text(void **state)
{
    (void)state;
    struct query query = parsed("a \"order desk");
    assert_int_equal(query.terms[query.term_count - 1].count, 2);
}

static void punctuation_inside_a_word_makes_a_phrase_of_it(void **state)
{
    (void)state;
    struct query query = parsed("node.js");
    assert_int_equal(query.term_count, 1);
    assert_int_equal(query.terms[0].count, 2);
}

static void a_minus_excludes_and_an_or_gives_a_choice(void **state)
{
    (void)state;
    struct query query = parsed("cache OR store -redis");
    assert_int_equal(query.term_count, 3);
    assert_true(query.terms[1].alternative);
    assert_true(query.terms[2].excluded);
}

static void an_or_without_neighbours_is_nothing(void **state)
{
    (void)state;
    struct query query = parsed("OR cache OR");
    assert_int_equal(query.term_count, 1);
    assert_false(query.terms[0].alternative);
}

static void a_star_is_a_beginning(void **state)
{
    (void)state;
    struct query query = parsed("migrat*");
    assert_true(query.words[0].prefix);
    expect_expression("migrat*", "*");
}

static void forms_of_a_word_are_one(void **state)
{
    (void)state;
    struct query one = parsed("migrations");
    struct query two = parsed("Migration");
    assert_int_equal(one.words[0].size, two.words[0].size);
    assert_memory_equal(one.words[0].text, two.words[0].text, one.words[0].size);
}

static void nothing_that_is_typed_becomes_syntax(void **state)
{
    (void)state;
    static const char *const texts[] = {"a) NEAR(b", "title:secret", "a' ; DROP TABLE x",
                                        "^a + b",    "{a} AND b",    "a\" OR \"b"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct query query = parsed(texts[i]);
        struct buf out;
        buf_init(&out, 65536);
        query_expression(&query, "{title body}", &out);
        // Words stand between quotes and are letters and digits; what is outside is our own.
        bool quoted = false;
        for (const char *at = buf_string(&out); *at != '\0'; at++) {
            unsigned char byte = (unsigned char)*at;
            if (byte == '"')
                quoted = !quoted;
            else if (quoted)
                assert_true(isalnum(byte) || byte >= 0x80);
            else
                assert_non_null(strchr(" ()+*:ANDORNT{}titlebody", byte));
        }
        assert_false(quoted);
        buf_fini(&out);
    }
}

static void a_query_without_a_word_is_refused(void **state)
{
    (void)state;
    expect_refused(BYTES(""));
    expect_refused(BYTES("   "));
    expect_refused(BYTES("\"\" -- *"));
    expect_refused(BYTES("-only -excluded"));
}

static void too_long_a_query_is_refused(void **state)
{
    (void)state;
    char text[QUERY_BYTES_MAX + 2];
    memset(text, 'a', sizeof text);
    expect_refused(bytes_of(text, sizeof text));
    char words[3 * (QUERY_TERMS_MAX + 1) + 1] = "";
    for (int i = 0; i <= QUERY_TERMS_MAX; i++) {
        char word[4] = {(char)('a' + i % 26), (char)('a' + i / 26), ' ', '\0'};
        strcat(words, word);
    }
    expect_refused(bytes_of_string(words));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_word_is_a_term_of_its_own),
        cmocka_unit_test(a_phrase_is_one_term_of_several_words),
        cmocka_unit_test(a_quote_that_is_never_closed_ends_with_the_text),
        cmocka_unit_test(punctuation_inside_a_word_makes_a_phrase_of_it),
        cmocka_unit_test(a_minus_excludes_and_an_or_gives_a_choice),
        cmocka_unit_test(an_or_without_neighbours_is_nothing),
        cmocka_unit_test(a_star_is_a_beginning),
        cmocka_unit_test(forms_of_a_word_are_one),
        cmocka_unit_test(nothing_that_is_typed_becomes_syntax),
        cmocka_unit_test(a_query_without_a_word_is_refused),
        cmocka_unit_test(too_long_a_query_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
