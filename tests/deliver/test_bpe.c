// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "deliver/bpe.h"
#include "deliver/merge.h"
#include "plain_merge.h"
#include "rnd.h"

#include <string.h>

static void check(struct bpe *bpe, struct bytes piece)
{
    struct plain_merge plain;
    plain_merge(&plain, piece);
    size_t count;
    assert_int_equal(bpe_encode(bpe, piece, &count), STATUS_OK);
    assert_int_equal(count, plain.count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(bpe_token_end(bpe, plain.starts[i]), plain.starts[i + 1]);
}

static void every_token_is_what_merging_its_bytes_leaves(void **state)
{
    (void)state;
    struct bpe bpe;
    bpe_init(&bpe);
    for (uint32_t rank = 0; rank < VOCAB_TOKENS; rank++) {
        struct plain_merge plain;
        plain_merge(&plain, vocab_bytes(rank));
        assert_int_equal(plain.count, 1);
        size_t count;
        assert_int_equal(bpe_encode(&bpe, vocab_bytes(rank), &count), STATUS_OK);
        assert_int_equal(count, 1);
    }
    bpe_fini(&bpe);
}

static void neighbours_of_tokens_that_pull_at_each_other_merge_as_defined(void **state)
{
    (void)state;
    struct bpe bpe;
    bpe_init(&bpe);
    struct rnd rnd = {11};
    for (int round = 0; round < 60000; round++) {
        char text[VOCAB_TOKEN_BYTES_MAX * 4];
        size_t size = 0;
        for (size_t n = 2 + rnd_below(&rnd, 3); n > 0; n--) {
            struct bytes token = vocab_bytes((uint32_t)rnd_below(&rnd, VOCAB_TOKENS));
            size_t skip = rnd_below(&rnd, 2) == 0 ? rnd_below(&rnd, token.size) : 0;
            memcpy(text + size, token.data + skip, token.size - skip);
            size += token.size - skip;
        }
        check(&bpe, bytes_of(text, size));
    }
    bpe_fini(&bpe);
}

static void random_letters_of_few_kinds_merge_as_defined(void **state)
{
    (void)state;
    static const char *const alphabets[] = {"a",
                                            "ab",
                                            " \n",
                                            "-=",
                                            "aeiou",
                                            "----|:",
                                            "etaoinshrdlu",
                                            "Aa ",
                                            "\xE3\x81\x82\x84",
                                            "\xF0\x9F\x98\x80\x81",
                                            "abcdefghijklmnopqrstuvwxyz"};
    struct bpe bpe;
    bpe_init(&bpe);
    struct rnd rnd = {5};
    for (int round = 0; round < 1500; round++) {
        const char *alphabet = alphabets[rnd_below(&rnd, sizeof alphabets / sizeof alphabets[0])];
        char text[1500];
        size_t size = 1 + rnd_below(&rnd, round % 50 == 0 ? sizeof text : 200);
        for (size_t i = 0; i < size; i++)
            text[i] = alphabet[rnd_below(&rnd, strlen(alphabet))];
        check(&bpe, bytes_of(text, size));
    }
    bpe_fini(&bpe);
}

// Collects the tokens that make the encoder guess.
static size_t find_long_tokens(uint32_t *ranks, size_t size_min, size_t count_max)
{
    size_t count = 0;
    for (uint32_t rank = 0; rank < VOCAB_TOKENS && count < count_max; rank++) {
        if (vocab_bytes(rank).size >= size_min)
            ranks[count++] = rank;
    }
    return count;
}

static void long_tokens_cut_anywhere_merge_as_defined_across_windows(void **state)
{
    (void)state;
    uint32_t ranks[512];
    size_t count = find_long_tokens(ranks, 32, 512);
    assert_in_range(count, 50, 511);
    struct bpe bpe;
    bpe_init(&bpe);
    struct rnd rnd = {21};
    for (int round = 0; round < 400; round++) {
        char text[3 * MERGE_BYTES_MAX];
        size_t size = 0;
        struct bytes one = vocab_bytes(ranks[rnd_below(&rnd, count)]);
        size_t wanted = 1 + rnd_below(&rnd, sizeof text - VOCAB_TOKEN_BYTES_MAX);
        while (size < wanted) {
            // One token again and again with cuts makes runs, others in between end them.
            if (rnd_below(&rnd, 8) == 0)
                one = vocab_bytes(ranks[rnd_below(&rnd, count)]);
            size_t skip = rnd_below(&rnd, 3) == 0 ? rnd_below(&rnd, one.size) : 0;
            memcpy(text + size, one.data + skip, one.size - skip);
            size += one.size - skip;
        }
        check(&bpe, bytes_of(text, size));
    }
    bpe_fini(&bpe);
}

static void runs_of_one_symbol_of_every_length_merge_as_defined(void **state)
{
    (void)state;
    struct bpe bpe;
    bpe_init(&bpe);
    for (const char *symbol = "-=*#/_ "; *symbol != '\0'; symbol++) {
        char text[4 * VOCAB_TOKEN_BYTES_MAX];
        memset(text, *symbol, sizeof text);
        for (size_t size = 1; size <= sizeof text; size += size < 300 ? 1 : 29)
            check(&bpe, bytes_of(text, size));
    }
    bpe_fini(&bpe);
}

static void a_window_merges_as_defined(void **state)
{
    (void)state;
    struct rnd rnd = {8};
    for (int round = 0; round < 3000; round++) {
        char text[MERGE_BYTES_MAX];
        size_t size = 0;
        for (;;) {
            struct bytes token = vocab_bytes((uint32_t)rnd_below(&rnd, VOCAB_TOKENS));
            size_t taken = 1 + rnd_below(&rnd, token.size);
            if (size + taken > 1 + rnd_below(&rnd, sizeof text))
                break;
            memcpy(text + size, token.data, taken);
            size += taken;
        }
        if (size == 0)
            continue;
        struct plain_merge plain;
        struct merge merge;
        plain_merge(&plain, bytes_of(text, size));
        merge_window(&merge, bytes_of(text, size));
        assert_int_equal(merge.count, plain.count);
        for (size_t i = 0; i <= plain.count; i++)
            assert_int_equal(merge.starts[i], plain.starts[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_token_is_what_merging_its_bytes_leaves),
        cmocka_unit_test(neighbours_of_tokens_that_pull_at_each_other_merge_as_defined),
        cmocka_unit_test(random_letters_of_few_kinds_merge_as_defined),
        cmocka_unit_test(long_tokens_cut_anywhere_merge_as_defined_across_windows),
        cmocka_unit_test(runs_of_one_symbol_of_every_length_merge_as_defined),
        cmocka_unit_test(a_window_merges_as_defined),
    };
    return cmocka_run_group_tests_name("bpe", tests, NULL, NULL);
}
