// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "wire/subject.h"

static void literal_subjects_are_tokens_of_anything_but_blanks_and_wildcards(void **state)
{
    (void)state;
    assert_true(subject_is_literal(BYTES("a")));
    assert_true(subject_is_literal(BYTES("a.b.c")));
    assert_true(subject_is_literal(BYTES("agog.deliverables.roy.backend.a%20b")));
    assert_true(subject_is_literal(BYTES("$KV.b.k")));
    assert_true(subject_is_literal(BYTES("gr\xC3\xBC\xC3\x9F.dich")));
    assert_false(subject_is_literal(BYTES("a.*")));
    assert_false(subject_is_literal(BYTES("a.>")));
}

static void empty_tokens_are_refused_wherever_they_stand(void **state)
{
    (void)state;
    assert_false(subject_is_pattern(BYTES("")));
    assert_false(subject_is_pattern(BYTES(".")));
    assert_false(subject_is_pattern(BYTES(".a")));
    assert_false(subject_is_pattern(BYTES("a.")));
    assert_false(subject_is_pattern(BYTES("a..b")));
}

static void bytes_that_would_end_a_line_of_the_protocol_are_refused(void **state)
{
    (void)state;
    static const char bad[] = {' ', '\t', '\r', '\n', '\f', '\0'};
    for (size_t i = 0; i < sizeof bad; i++) {
        char alone[] = {'a', '.', bad[i]};
        char inside[] = {'a', '.', 'b', bad[i], 'c'};
        assert_false(subject_is_pattern(bytes_of(alone, sizeof alone)));
        assert_false(subject_is_literal(bytes_of(inside, sizeof inside)));
    }
}

static void a_rest_wildcard_stands_only_at_the_end(void **state)
{
    (void)state;
    assert_true(subject_is_pattern(BYTES(">")));
    assert_true(subject_is_pattern(BYTES("a.*.>")));
    assert_false(subject_is_pattern(BYTES(">.a")));
    assert_false(subject_is_pattern(BYTES("a.>.>")));
}

static void wildcard_letters_inside_a_longer_token_are_plain_letters(void **state)
{
    (void)state;
    assert_true(subject_is_literal(BYTES("a*.b>c")));
    assert_false(subject_has_wildcard(BYTES("a*.b>c")));
    assert_true(subject_matches(BYTES("a*.b"), BYTES("a*.b")));
    assert_false(subject_matches(BYTES("a*.b"), BYTES("ax.b")));
    assert_true(subject_has_wildcard(BYTES("a.*")));
    assert_true(subject_has_wildcard(BYTES(">")));
}

static void a_subject_longer_than_the_limit_is_refused(void **state)
{
    (void)state;
    char text[LIMIT_SUBJECT_BYTES + 1];
    memset(text, 'a', sizeof text);
    assert_true(subject_is_literal(bytes_of(text, LIMIT_SUBJECT_BYTES)));
    assert_false(subject_is_literal(bytes_of(text, LIMIT_SUBJECT_BYTES + 1)));
}

static void a_refusal_says_which_subject_and_why(void **state)
{
    (void)state;
    struct errinfo err = {0};
    assert_int_equal(subject_check(BYTES("a.b"), false, &err), STATUS_OK);
    assert_int_equal(subject_check(BYTES("a..b"), true, &err), STATUS_INVALID);
    assert_string_equal(err.text,
                        "subject \"a..b\" has an empty token (two dots, or a dot at an end)");
    assert_int_equal(subject_check(BYTES("a.*"), false, &err), STATUS_INVALID);
    assert_string_equal(err.text, "subject \"a.*\" has a wildcard where none is allowed");
    assert_int_equal(subject_check(BYTES(">.a"), true, &err), STATUS_INVALID);
    assert_string_equal(err.text, "subject \">.a\" has > before its end");
    assert_int_equal(subject_check(BYTES("a\r\nPUB b"), true, &err), STATUS_INVALID);
    assert_non_null(strstr(err.text, "\"a\\r\\nPUB b\""));
    assert_int_equal(subject_check(BYTES(""), true, &err), STATUS_INVALID);
    assert_string_equal(err.text, "subject \"\" is empty");
}

// One row of nats-server's table: does the pattern match, do the two overlap, does the first cover
// the second.
struct row {
    const char *a;
    const char *b;
    bool overlaps;
    bool covers;
};

static const struct row rows[] = {
    {"a", "a", true, true},           {"a", "b", false, false},
    {"a.b", "a", false, false},       {"*", "a", true, true},
    {"*", "a.b", false, false},       {">", "a.b.c", true, true},
    {"a.>", "a", false, false},       {"a.>", "a.b", true, true},
    {"a.>", "a.b.c", true, true},     {"a.*", "a.>", true, false},
    {"a.>", "a.*", true, true},       {"a.*.c", "a.b.*", true, false},
    {"a.*.c", "*.b.c", true, false},  {"*.*", "a.*", true, true},
    {"a.*", "b.*", false, false},     {"a.*.*", "a.>", true, false},
    {"a.*.>", "a.b", false, false},   {"a.*.>", "a.>", true, false},
    {">", ">", true, true},           {">", "*", true, true},
    {"*", ">", true, false},          {"foo.*.bar", "foo.>", true, false},
    {"a.b.c.>", "a.*", false, false}, {"*.b.>", "a.b", false, false},
};

static void overlap_and_coverage_of_patterns_follow_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bytes a = bytes_of_string(rows[i].a);
        struct bytes b = bytes_of_string(rows[i].b);
        bool right = subject_overlaps(a, b) == rows[i].overlaps &&
                     subject_overlaps(b, a) == rows[i].overlaps &&
                     subject_covers(a, b) == rows[i].covers;
        if (!right)
            fail_msg("%s and %s", rows[i].a, rows[i].b);
    }
}

enum { TOKENS_MAX = 4 };

// Every subject of up to four tokens over a small alphabet, numbered.
static struct bytes nth(size_t number, const char *const *alphabet, size_t letters, char *out)
{
    size_t size = 0;
    do {
        const char *token = alphabet[number % letters];
        if (size > 0)
            out[size++] = '.';
        memcpy(out + size, token, strlen(token));
        size += strlen(token);
        number /= letters;
    } while (number-- > 0);
    return bytes_of(out, size);
}

// What overlap and coverage mean, by going through all literal subjects.
static void overlap_and_coverage_agree_with_matching_every_literal(void **state)
{
    (void)state;
    static const char *const pattern_tokens[] = {"a", "b", "*", ">"};
    static const char *const literal_tokens[] = {"a", "b", "c"};
    // Patterns have up to three tokens, literals up to four: one more for what ">" takes.
    enum { PATTERNS = 4 + 16 + 64, LITERALS = 3 + 9 + 27 + 81 };
    static bool matches[PATTERNS][LITERALS];
    static char texts[PATTERNS][2 * TOKENS_MAX];
    struct bytes patterns[PATTERNS];
    size_t count = 0;
    for (size_t i = 0; i < PATTERNS; i++) {
        patterns[count] = nth(i, pattern_tokens, 4, texts[count]);
        if (!subject_is_pattern(patterns[count]))
            continue;
        for (size_t k = 0; k < LITERALS; k++) {
            char literal[2 * TOKENS_MAX];
            matches[count][k] = subject_matches(patterns[count],
                                                nth(k, literal_tokens, 3, literal));
        }
        count++;
    }
    assert_true(count > 50);
    for (size_t a = 0; a < count; a++) {
        for (size_t b = 0; b < count; b++) {
            bool overlaps = false;
            bool covers = true;
            for (size_t k = 0; k < LITERALS; k++) {
                overlaps |= matches[a][k] && matches[b][k];
                covers &= matches[a][k] || !matches[b][k];
            }
            if (subject_overlaps(patterns[a], patterns[b]) != overlaps ||
                subject_covers(patterns[a], patterns[b]) != covers)
                fail_msg("%.*s and %.*s", BYTES_ARG(patterns[a]), BYTES_ARG(patterns[b]));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literal_subjects_are_tokens_of_anything_but_blanks_and_wildcards),
        cmocka_unit_test(empty_tokens_are_refused_wherever_they_stand),
        cmocka_unit_test(bytes_that_would_end_a_line_of_the_protocol_are_refused),
        cmocka_unit_test(a_rest_wildcard_stands_only_at_the_end),
        cmocka_unit_test(wildcard_letters_inside_a_longer_token_are_plain_letters),
        cmocka_unit_test(a_subject_longer_than_the_limit_is_refused),
        cmocka_unit_test(a_refusal_says_which_subject_and_why),
        cmocka_unit_test(overlap_and_coverage_of_patterns_follow_the_table),
        cmocka_unit_test(overlap_and_coverage_agree_with_matching_every_literal),
    };
    return cmocka_run_group_tests_name("subject", tests, NULL, NULL);
}
