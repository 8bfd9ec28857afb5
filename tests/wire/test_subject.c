// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "wire/subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void what_nats_server_takes_as_a_subject_is_taken(void **state)
{
    (void)state;
    static const char *const good[] = {"a",       "a.b.c", "foo*", "a.*b",     "a>.b",
                                       "$KV.b.k", ">a",    "a**b", "a.\x7f.b", "é.ü"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(subject_is_literal(bytes_of_string(good[i])));
        assert_true(subject_is_pattern(bytes_of_string(good[i])));
    }
}

static void empty_tokens_and_white_space_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",    ".",     ".a",    "a.",    "a..b", "a b",
                                      "a\t", "a\r.b", "a.\nb", "a\f.b", " ",    "a. .b"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(subject_is_literal(bytes_of_string(bad[i])));
        assert_false(subject_is_pattern(bytes_of_string(bad[i])));
    }
    assert_false(subject_is_literal(BYTES("a\0b")));
    assert_false(subject_is_pattern(BYTES("a\0b")));
}

static void wildcards_are_whole_tokens_and_no_part_of_a_literal(void **state)
{
    (void)state;
    static const char *const patterns[] = {"*", ">", "a.*", "*.*", "a.>", "*.>"};
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        assert_true(subject_is_pattern(bytes_of_string(patterns[i])));
        assert_false(subject_is_literal(bytes_of_string(patterns[i])));
        assert_true(subject_has_wildcard(bytes_of_string(patterns[i])));
    }
    assert_false(subject_is_pattern(BYTES(">.a")));
    assert_false(subject_is_pattern(BYTES("a.>.b")));
    assert_false(subject_has_wildcard(BYTES("a*.b>")));
}

static void a_subject_has_a_longest_size(void **state)
{
    (void)state;
    char text[LIMIT_SUBJECT_BYTES + 1];
    memset(text, 'a', sizeof text);
    assert_true(subject_is_literal(bytes_of(text, LIMIT_SUBJECT_BYTES)));
    assert_false(subject_is_literal(bytes_of(text, LIMIT_SUBJECT_BYTES + 1)));
}

static void a_refusal_quotes_the_subject_and_gives_the_reason(void **state)
{
    (void)state;
    struct errinfo err;
    assert_int_equal(subject_check(BYTES("a\n.b"), false, &err), STATUS_INVALID);
    assert_string_equal(err.text,
                        "subject \"a\\n.b\" holds a blank, tab, line end or other white space, "
                        "or NUL");
    assert_int_equal(subject_check(BYTES("a.*"), false, &err), STATUS_INVALID);
    assert_string_equal(err.text, "subject \"a.*\" has a wildcard where none is allowed");
    assert_int_equal(subject_check(BYTES("a.*"), true, &err), STATUS_OK);
}

// Every subject of up to four tokens over a small alphabet, as the universe of the brute force.
enum { TOKENS_MAX = 4, TEXT_SIZE = 2 * TOKENS_MAX + 1, SUBJECTS_MAX = 400, PATTERNS_MAX = 1500 };

struct universe {
    char subjects[SUBJECTS_MAX][TEXT_SIZE];
    char patterns[PATTERNS_MAX][TEXT_SIZE];
    size_t subject_count;
    size_t pattern_count;
};

// All words of `tokens` tokens over the letters that are good ones; returns the new count.
static size_t make_words(char (*out)[TEXT_SIZE], size_t count, const char *letters, size_t tokens)
{
    size_t words = 1;
    for (size_t i = 0; i < tokens; i++)
        words *= strlen(letters);
    for (size_t word = 0; word < words; word++) {
        char text[TEXT_SIZE] = "";
        size_t rest = word;
        bool good = true;
        for (size_t i = 0; i < tokens; i++) {
            char letter = letters[rest % strlen(letters)];
            rest /= strlen(letters);
            good = good && (letter != '>' || i + 1 == tokens);
            text[2 * i] = letter;
            text[2 * i + 1] = i + 1 < tokens ? '.' : '\0';
        }
        if (good)
            memcpy(out[count++], text, TEXT_SIZE);
    }
    return count;
}

static struct universe *make_universe(void)
{
    struct universe *all = calloc(1, sizeof *all);
    assert_non_null(all);
    for (size_t tokens = 1; tokens <= TOKENS_MAX; tokens++)
        all->subject_count = make_words(all->subjects, all->subject_count, "abc", tokens);
    for (size_t tokens = 1; tokens < TOKENS_MAX; tokens++)
        all->pattern_count = make_words(all->patterns, all->pattern_count, "ab*>", tokens);
    return all;
}

// The definition, on texts whose tokens are one byte each.
static bool slow_match(const char *pattern, const char *subject)
{
    size_t i = 0;
    for (; pattern[i] != '\0' && subject[i] != '\0'; i++) {
        if (pattern[i] == '>')
            return true;
        if (pattern[i] != '*' && pattern[i] != subject[i])
            return false;
    }
    return pattern[i] == '\0' && subject[i] == '\0';
}

static void matching_is_what_its_definition_says_for_every_short_subject(void **state)
{
    (void)state;
    struct universe *all = make_universe();
    for (size_t p = 0; p < all->pattern_count; p++) {
        struct bytes pattern = bytes_of_string(all->patterns[p]);
        assert_true(subject_is_pattern(pattern));
        for (size_t s = 0; s < all->subject_count; s++) {
            struct bytes subject = bytes_of_string(all->subjects[s]);
            if (subject_matches(pattern, subject) != slow_match(all->patterns[p], all->subjects[s]))
                fail_msg("%s on %s", all->patterns[p], all->subjects[s]);
        }
    }
    free(all);
}

// What the subjects of the universe say of two patterns: the letter c stands in no pattern, and
// subjects are one token longer than patterns, so that they tell all patterns apart.
static void compare_patterns(const struct universe *all, size_t a, size_t b)
{
    bool common = false;
    bool covered = true;
    for (size_t s = 0; s < all->subject_count; s++) {
        bool by_a = slow_match(all->patterns[a], all->subjects[s]);
        bool by_b = slow_match(all->patterns[b], all->subjects[s]);
        common = common || (by_a && by_b);
        covered = covered && (by_a || !by_b);
    }
    struct bytes pattern_a = bytes_of_string(all->patterns[a]);
    struct bytes pattern_b = bytes_of_string(all->patterns[b]);
    if (subject_overlaps(pattern_a, pattern_b) != common)
        fail_msg("overlap of %s and %s", all->patterns[a], all->patterns[b]);
    if (subject_covers(pattern_a, pattern_b) != covered)
        fail_msg("%s covers %s", all->patterns[a], all->patterns[b]);
}

static void overlap_and_cover_are_what_all_short_subjects_say(void **state)
{
    (void)state;
    struct universe *all = make_universe();
    for (size_t a = 0; a < all->pattern_count; a++) {
        for (size_t b = 0; b < all->pattern_count; b++)
            compare_patterns(all, a, b);
    }
    free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_nats_server_takes_as_a_subject_is_taken),
        cmocka_unit_test(empty_tokens_and_white_space_are_refused),
        cmocka_unit_test(wildcards_are_whole_tokens_and_no_part_of_a_literal),
        cmocka_unit_test(a_subject_has_a_longest_size),
        cmocka_unit_test(a_refusal_quotes_the_subject_and_gives_the_reason),
        cmocka_unit_test(matching_is_what_its_definition_says_for_every_short_subject),
        cmocka_unit_test(overlap_and_cover_are_what_all_short_subjects_say),
    };
    return cmocka_run_group_tests_name("subject", tests, NULL, NULL);
}
