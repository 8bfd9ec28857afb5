// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "deliver/bpe.h"
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_token_is_what_merging_its_bytes_leaves),
        cmocka_unit_test(neighbours_of_tokens_that_pull_at_each_other_merge_as_defined),
        cmocka_unit_test(random_letters_of_few_kinds_merge_as_defined),
    };
    return cmocka_run_group_tests_name("bpe", tests, NULL, NULL);
}
