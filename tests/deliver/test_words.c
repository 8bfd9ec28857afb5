// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "deliver/lines.h"
#include "deliver/words.h"
#include "rnd.h"

static void assert_words(struct bytes text, const char *expected)
{
    struct words words;
    struct word word;
    struct buf out;
    buf_init(&out, 1 << 16);
    words_init(&words, text);
    while (words_next(&words, &word))
        buf_printf(&out, "%.*s ", (int)word.size, word.text);
    assert_string_equal(out.size > 0 ? buf_string(&out) : "", expected);
    buf_fini(&out);
}

static void words_are_letters_and_digits_of_every_script(void **state)
{
    (void)state;
    assert_words(BYTES("Größe: 3.5 µm, ЁЖ_Ωmega! 🚀"), "größ 3 5 µm ёж ωmega ");
    assert_words(BYTES("検索の"), "検 索 の ");
    assert_words(BYTES("a\0b\xFFk"), "a b k ");
}

static void forms_of_a_word_meet_in_one_stem(void **state)
{
    (void)state;
    assert_words(BYTES("deploy deploys deployed deploying deployment deployments"),
                 "deplo deplo deplo deplo deplo deplo ");
    assert_words(BYTES("migrate migrated migrating migration migrations"),
                 "migr migr migr migr migr ");
    assert_words(BYTES("query queries depend dependency dependencies"),
                 "quer quer depend depend depend ");
    assert_words(BYTES("map mapped mapping passes pass status"), "map map map pass pass status ");
}

static void a_word_longer_than_the_bound_is_cut_and_walked_over(void **state)
{
    (void)state;
    struct words words;
    struct word word;
    char text[1000];
    memset(text, 'x', sizeof text);
    words_init(&words, bytes_of(text, sizeof text));
    assert_true(words_next(&words, &word));
    assert_int_equal(word.size, WORDS_SIZE);
    assert_int_equal(word.to, sizeof text);
    assert_false(words_next(&words, &word));
}

static void lines_of_any_ending_join_to_the_text(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 2000; seed++) {
        struct rnd rnd = {seed};
        char text[64];
        size_t size = rnd_below(&rnd, sizeof text);
        for (size_t i = 0; i < size; i++)
            text[i] = "\r\nab"[rnd_below(&rnd, 4)];
        struct lines lines;
        struct line line;
        size_t at = 0;
        size_t count = 0;
        lines_init(&lines, bytes_of(text, size));
        for (; lines_next(&lines, &line); count++) {
            size_t from = 0;
            size_t to = 0;
            bool good = line.from == at && line.size + line.ending > 0 &&
                        lines_range(lines.text, count + 1, count + 1, &from, &to) && from == at &&
                        to == at + line.size + line.ending;
            if (!good)
                fail_msg("seed %llu: line %zu", (unsigned long long)seed, count + 1);
            at = to;
        }
        assert_int_equal(at, size);
        assert_int_equal(count, lines_count(lines.text));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_letters_and_digits_of_every_script),
        cmocka_unit_test(forms_of_a_word_meet_in_one_stem),
        cmocka_unit_test(a_word_longer_than_the_bound_is_cut_and_walked_over),
        cmocka_unit_test(lines_of_any_ending_join_to_the_text),
    };
    return cmocka_run_group_tests_name("words", tests, NULL, NULL);
}
