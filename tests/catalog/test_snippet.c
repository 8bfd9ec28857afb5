// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/snippet.h"

static char *made(const char *wanted, const char *text, size_t max)
{
    struct query query;
    struct errinfo err;
    struct buf out;
    assert_int_equal(query_parse(bytes_of_string(wanted), &query, &err), STATUS_OK);
    buf_init(&out, 65536);
    snippet_make(&query, bytes_of_string(text), max, &out);
    assert_int_equal(buf_status(&out), STATUS_OK);
    char *copy = strdup(buf_string(&out));
    buf_fini(&out);
    assert_non_null(copy);
    return copy;
}

static size_t without_asterisks(const char *text)
{
    size_t size = 0;
    // Nor with the ellipsis of a cut end, which is three bytes.
    for (; *text != '\0'; text++) {
        if (strncmp(text, "\xe2\x80\xa6", 3) == 0)
            text += 2;
        else
            size += *text != '*';
    }
    return size;
}

static void what_matches_stands_between_asterisks(void **state)
{
    (void)state;
    char *text = made("limit", "The limit is ten rows.", 200);
    assert_string_equal(text, "The *limit* is ten rows.");
    free(text);
}

static void words_side_by_side_share_a_pair(void **state)
{
    (void)state;
    char *text = made("rate limit", "Our rate limit holds.", 200);
    assert_non_null(strstr(text, "*rate limit*"));
    free(text);
}

static void other_forms_of_a_word_match(void **state)
{
    (void)state;
    char *text = made("migrate", "All migrations ran.", 200);
    assert_non_null(strstr(text, "*migrations*"));
    free(text);
}

static void it_is_one_line_within_its_limit_where_the_words_stand_together(void **state)
{
    (void)state;
    char text[4000] = "";
    for (int i = 0; i < 100; i++)
        strcat(text, "a rate of nothing here\n");
    strcat(text, "\n\nhere the rate limit is what counts\n\n");
    for (int i = 0; i < 40; i++)
        strcat(text, "words behind it\n");
    char *snippet = made("rate limit", text, 60);
    assert_null(strchr(snippet, '\n'));
    assert_non_null(strstr(snippet, "*rate limit*"));
    assert_true(without_asterisks(snippet) <= 60);
    free(snippet);
}

static void without_a_match_it_is_the_beginning(void **state)
{
    (void)state;
    char *text = made("absent", "The beginning of it all.", 200);
    assert_string_equal(text, "The beginning of it all.");
    free(text);
}

static void ugly_texts_stay_within_the_limit(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",     "*",      "\xff\xfe\xff word \xc3",
        "word", "\n\n\n", "wordwordwordwordwordwordwordwordwordwordwordwordword"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        for (size_t max = 1; max < 20; max++) {
            char *text = made("word", texts[i], max);
            assert_true(without_asterisks(text) <= max);
            free(text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_matches_stands_between_asterisks),
        cmocka_unit_test(words_side_by_side_share_a_pair),
        cmocka_unit_test(other_forms_of_a_word_match),
        cmocka_unit_test(it_is_one_line_within_its_limit_where_the_words_stand_together),
        cmocka_unit_test(without_a_match_it_is_the_beginning),
        cmocka_unit_test(ugly_texts_stay_within_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
