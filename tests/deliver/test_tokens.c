// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "corpus.h"
#include "deliver/tokens.h"
#include "deliver/vocab.h"
#include "rnd.h"
#include "token_vectors.h"

#include <stdlib.h>
#include <string.h>

// Every allocation of the library goes through these (see meson.build), so that the n-th can fail.
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static size_t allocations;      // seen so far
static size_t failing_from = 0; // 0: none fails

static bool fails(void)
{
    allocations++;
    return failing_from != 0 && allocations == failing_from;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

static size_t count(struct bytes text)
{
    size_t tokens = 0;
    assert_int_equal(tokens_count(text, &tokens), STATUS_OK);
    return tokens;
}

struct collected {
    uint32_t ids[1024];
    size_t count;
    size_t bytes;
};

static enum status collect(void *context, struct tokens_token token)
{
    struct collected *collected = context;
    if (collected->count < 1024)
        collected->ids[collected->count] = token.id;
    assert_int_equal(vocab_bytes(token.id).size, token.size);
    collected->count++;
    collected->bytes += token.size;
    return STATUS_OK;
}

static struct collected encode(struct bytes text)
{
    struct collected collected = {.count = 0};
    assert_int_equal(tokens_encode(text, collect, &collected), STATUS_OK);
    return collected;
}

static void check_report(const struct corpus_report *report, void *context)
{
    (void)context;
    if (count(report->text) != report->tokens)
        fail_msg("%s: %zu tokens, not %zu", report->file, count(report->text), report->tokens);
    assert_int_equal(encode(report->text).count, report->tokens);
}

static void every_report_of_the_corpus_has_its_known_count(void **state)
{
    (void)state;
    CORPUS_SKIP_UNLESS(corpus_each(check_report, NULL));
}

static void ugly_strings_have_the_ids_of_the_reference_implementation(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof token_vectors / sizeof token_vectors[0]; i++) {
        const struct token_vector *vector = &token_vectors[i];
        struct collected got = encode(vector->text);
        assert_int_equal(got.count, vector->count);
        assert_int_equal(got.bytes, vector->text.size);
        assert_memory_equal(got.ids, vector->ids, vector->count * sizeof *vector->ids);
        assert_int_equal(count(vector->text), vector->count);
    }
}

static void no_text_has_no_tokens(void **state)
{
    (void)state;
    struct bytes prefix;
    assert_int_equal(count((struct bytes){NULL, 0}), 0);
    assert_int_equal(encode(BYTES("")).count, 0);
    assert_int_equal(tokens_prefix((struct bytes){NULL, 0}, 5, &prefix), STATUS_OK);
    assert_int_equal(prefix.size, 0);
}

static void ill_formed_parts_count_as_replacement_characters(void **state)
{
    (void)state;
    assert_int_equal(count(BYTES("\xFF")), count(BYTES("\xEF\xBF\xBD")));
    assert_int_equal(count(BYTES("a\xE2\x82z\xC0\x80 \xED\xA0\x80")),
                     count(BYTES("a\xEF\xBF\xBDz\xEF\xBF\xBD\xEF\xBF\xBD \xEF\xBF\xBD\xEF\xBF\xBD"
                                 "\xEF\xBF\xBD")));
    assert_int_equal(encode(BYTES("ok \xF0\x9F\x98")).bytes, 6);
}

// The figures below continue those of the reference implementation for shorter repetitions: it
// takes quadratic time itself.
static size_t count_repeated(struct bytes unit, size_t times)
{
    struct buf text;
    buf_init(&text, SIZE_MAX);
    for (size_t i = 0; i < times; i++)
        buf_append(&text, unit);
    size_t tokens = count(buf_bytes(&text));
    buf_fini(&text);
    return tokens;
}

static void hostile_texts_of_ten_megabytes_are_counted_in_no_time(void **state)
{
    (void)state;
    const size_t size = 10000000;
    assert_int_equal(count_repeated(BYTES("a"), size), size / 8);
    assert_int_equal(count_repeated(BYTES(" "), size), size / 128);
    assert_int_equal(count_repeated(BYTES("\n"), size), size / 16);
    assert_int_equal(count_repeated(BYTES("-"), size), size / 64);
    assert_int_equal(count_repeated(BYTES("="), size), size / 64);
    assert_int_equal(count_repeated(BYTES("--!"), size / 3), size / 3 + 1);
    assert_int_equal(count_repeated(BYTES("\xF0\x9F\x98\x80"), size / 4), size / 4);
    assert_int_equal(count_repeated(BYTES("\xE6\xBC\xA2"), size / 3), size / 3);
    assert_int_equal(count_repeated(BYTES("\xFF"), size), size / 8);
}

static void random_letters_on_one_line_of_ten_megabytes_are_counted_in_no_time(void **state)
{
    (void)state;
    const size_t size = 10000000;
    char *text = malloc(size);
    assert_non_null(text);
    struct rnd rnd = {1};
    for (size_t i = 0; i < size; i++)
        text[i] = (char)('a' + rnd_below(&rnd, 26));
    size_t tokens = count(bytes_of(text, size));
    assert_in_range(tokens, size / 3, size / 3 * 2);
    struct collected collected = encode(bytes_of(text, size));
    assert_int_equal(collected.bytes, size);
    assert_int_equal(collected.count, tokens);
    free(text);
}

// By trying every prefix.
static size_t longest_prefix(struct bytes text, size_t max)
{
    size_t longest = 0;
    for (size_t end = 1; end <= text.size; end++) {
        if (utf8_prefix(text, end).size == end && count(bytes_slice(text, 0, end)) <= max)
            longest = end;
    }
    return longest;
}

static void check_prefixes(struct bytes text)
{
    size_t total = count(text);
    for (size_t max = 0; max <= total + 1; max++) {
        struct bytes prefix;
        assert_int_equal(tokens_prefix(text, max, &prefix), STATUS_OK);
        if (prefix.size != longest_prefix(text, max))
            fail_msg("prefix of %zu tokens: %zu bytes, not %zu: %.*s", max, prefix.size,
                     longest_prefix(text, max), BYTES_ARG(text));
    }
}

static void a_prefix_is_the_longest_within_its_budget(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof token_vectors / sizeof token_vectors[0]; i++) {
        if (utf8_is_valid(token_vectors[i].text))
            check_prefixes(token_vectors[i].text);
    }
    static const char *const parts[] = {" ",   "  ",           "\n", "a",        "B", "word",
                                        "'ll", "\xE3\x81\x82", "12", "\xCC\x81", "!", "\xC2\xA0",
                                        "/"};
    struct rnd rnd = {3};
    for (int round = 0; round < 1500; round++) {
        struct buf text;
        buf_init(&text, SIZE_MAX);
        for (size_t n = rnd_below(&rnd, 14); n > 0; n--)
            buf_append_string(&text, parts[rnd_below(&rnd, sizeof parts / sizeof parts[0])]);
        check_prefixes(buf_bytes(&text));
        buf_fini(&text);
    }
}

static void a_prefix_of_a_long_piece_keeps_its_budget_and_uses_it(void **state)
{
    (void)state;
    struct buf text;
    buf_init(&text, SIZE_MAX);
    struct rnd rnd = {9};
    for (int i = 0; i < 200000; i++)
        buf_append_byte(&text, (char)('a' + rnd_below(&rnd, 26)));
    for (size_t max = 1000; max < 60000; max += 19000) {
        struct bytes prefix;
        assert_int_equal(tokens_prefix(buf_bytes(&text), max, &prefix), STATUS_OK);
        assert_int_equal(count(prefix), max);
    }
    buf_fini(&text);
}

static void a_prefix_of_a_long_piece_is_the_longest_too(void **state)
{
    (void)state;
    static const char *const alphabets[] = {"abcdefghijklmnopqrstuvwxyz", "-", "ab", "!#$%&", " "};
    struct rnd rnd = {17};
    for (size_t i = 0; i < sizeof alphabets / sizeof alphabets[0]; i++) {
        char data[1100];
        for (size_t at = 0; at < sizeof data; at++)
            data[at] = alphabets[i][rnd_below(&rnd, strlen(alphabets[i]))];
        struct bytes text = bytes_of(data, sizeof data);
        size_t total = count(text);
        for (size_t max = 0; max < total; max += 1 + total / 7) {
            struct bytes prefix;
            assert_int_equal(tokens_prefix(text, max, &prefix), STATUS_OK);
            assert_int_equal(prefix.size, longest_prefix(text, max));
        }
    }
}

static void a_prefix_of_ill_formed_text_is_measured_in_its_own_bytes(void **state)
{
    (void)state;
    struct bytes text = BYTES("one \xFF\xFF two \xE2\x82 three");
    for (size_t max = 0; max <= count(text); max++) {
        struct bytes prefix;
        assert_int_equal(tokens_prefix(text, max, &prefix), STATUS_OK);
        assert_true(prefix.data == text.data && prefix.size <= text.size);
        assert_true(count(prefix) <= max);
        if (max == count(text))
            assert_int_equal(prefix.size, text.size);
    }
}

static enum status stop(void *context, struct tokens_token token)
{
    (void)token;
    ++*(size_t *)context;
    return STATUS_TIMEOUT;
}

static void a_visitor_can_end_the_walk(void **state)
{
    (void)state;
    size_t calls = 0;
    assert_int_equal(tokens_encode(BYTES("one two three"), stop, &calls), STATUS_TIMEOUT);
    assert_int_equal(calls, 1);
}

static enum status ignore(void *context, struct tokens_token token)
{
    (void)context;
    (void)token;
    return STATUS_OK;
}

static enum status call(int which, struct bytes text)
{
    size_t tokens = 12345;
    struct bytes prefix = {NULL, 12345};
    enum status status = which == 0   ? tokens_count(text, &tokens)
                         : which == 1 ? tokens_encode(text, ignore, NULL)
                                      : tokens_prefix(text, 700, &prefix);
    if (status != STATUS_OK) {
        assert_int_equal(tokens, 12345);
        assert_int_equal(prefix.size, 12345);
    }
    return status;
}

static void every_allocation_that_fails_is_reported_or_done_without(void **state)
{
    (void)state;
    struct buf text;
    buf_init(&text, SIZE_MAX);
    for (int i = 0; i < 1500; i++)
        buf_append_string(&text, "qz");
    buf_append_string(&text, " \xFF ");
    for (int i = 0; i < 1500; i++)
        buf_append_string(&text, "zqx");
    for (int which = 0; which < 3; which++) {
        size_t failures = 0;
        for (size_t n = 1;; n++) {
            allocations = 0;
            failing_from = n;
            enum status status = call(which, buf_bytes(&text));
            failing_from = 0;
            if (allocations < n) {
                assert_int_equal(status, STATUS_OK);
                break;
            }
            assert_true(status == STATUS_OK || status == STATUS_NO_MEMORY);
            failures += status == STATUS_NO_MEMORY;
        }
        assert_true(failures >= 2); // the corrected copy, and the room for long pieces
    }
    buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_report_of_the_corpus_has_its_known_count),
        cmocka_unit_test(ugly_strings_have_the_ids_of_the_reference_implementation),
        cmocka_unit_test(no_text_has_no_tokens),
        cmocka_unit_test(ill_formed_parts_count_as_replacement_characters),
        cmocka_unit_test(hostile_texts_of_ten_megabytes_are_counted_in_no_time),
        cmocka_unit_test(random_letters_on_one_line_of_ten_megabytes_are_counted_in_no_time),
        cmocka_unit_test(a_prefix_is_the_longest_within_its_budget),
        cmocka_unit_test(a_prefix_of_a_long_piece_keeps_its_budget_and_uses_it),
        cmocka_unit_test(a_prefix_of_a_long_piece_is_the_longest_too),
        cmocka_unit_test(a_prefix_of_ill_formed_text_is_measured_in_its_own_bytes),
        cmocka_unit_test(a_visitor_can_end_the_walk),
        cmocka_unit_test(every_allocation_that_fails_is_reported_or_done_without),
    };
    return cmocka_run_group_tests_name("tokens", tests, NULL, NULL);
}
