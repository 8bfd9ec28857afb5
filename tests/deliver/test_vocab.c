// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/le.h"
#include "base/sha256.h"
#include "deliver/vocab.h"

static void the_embedded_file_is_the_one_that_the_tools_made(void **state)
{
    (void)state;
    char hex[SHA256_HEX_SIZE];
    sha256_hex(vocab_file(), hex);
    assert_string_equal(hex, "c60a4c93af51330a3d2728a5d9f8eb9473335c60e049971aea1717f6061e241b");
}

static void the_header_agrees_with_the_constants_of_the_code(void **state)
{
    (void)state;
    struct bytes file = vocab_file();
    assert_memory_equal(file.data, "agogvoc1", 8);
    static const uint32_t header[] = {VOCAB_TOKENS, 32768,  212000, 32768,  VOCAB_SIZE, 64,
                                      65600,        701608, 751608, 951608, 1151608,    1184376};
    for (size_t i = 0; i < sizeof header / sizeof header[0]; i++)
        assert_int_equal(le_get32(file.data + 8 + i * 4), header[i]);
}

static void append_base64(struct buf *out, struct bytes bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < bytes.size; i += 3) {
        unsigned char three[3] = {0};
        size_t size = bytes.size - i < 3 ? bytes.size - i : 3;
        for (size_t j = 0; j < size; j++)
            three[j] = (unsigned char)bytes.data[i + j];
        uint32_t bits = (uint32_t)three[0] << 16 | (uint32_t)three[1] << 8 | three[2];
        for (size_t j = 0; j < 4; j++)
            buf_append_byte(out, j <= size ? digits[bits >> (18 - 6 * j) & 63] : '=');
    }
}

static void written_in_the_published_form_the_ranks_have_the_published_digest(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, SIZE_MAX);
    for (uint32_t rank = 0; rank < VOCAB_TOKENS; rank++) {
        append_base64(&out, vocab_bytes(rank));
        buf_printf(&out, " %u\n", rank);
    }
    char hex[SHA256_HEX_SIZE];
    sha256_hex(buf_bytes(&out), hex);
    assert_string_equal(hex, "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d");
    buf_fini(&out);
}

static void every_token_is_found_and_within_reach(void **state)
{
    (void)state;
    for (uint32_t rank = 0; rank < VOCAB_TOKENS; rank++) {
        struct bytes token = vocab_bytes(rank);
        assert_int_equal(vocab_find(token.data, token.size), rank);
        assert_int_equal(vocab_reach(token.data, token.size), token.size);
    }
}

static void what_is_no_token_is_not_found(void **state)
{
    (void)state;
    size_t found = 0;
    for (uint32_t rank = 0; rank < VOCAB_TOKENS; rank++) {
        char text[VOCAB_TOKEN_BYTES_MAX + 2];
        struct bytes token = vocab_bytes(rank);
        size_t size = 0;
        for (; size < token.size; size++)
            text[size] = token.data[size];
        text[size++] = '\x01';
        text[size++] = '\xF5';
        found += vocab_find(text, size) != VOCAB_NONE;
    }
    assert_int_equal(found, 0);
}

static void the_single_bytes_come_first_and_all_others_are_made_of_two_tokens_of_lower_rank(
    void **state)
{
    (void)state;
    for (uint32_t rank = 0; rank < VOCAB_TOKENS; rank++) {
        struct bytes token = vocab_bytes(rank);
        size_t split = vocab_split(rank);
        assert_true((token.size == 1) == (rank < 256));
        assert_true((split == 0) == (rank < 256));
        if (split == 0)
            continue;
        assert_true(vocab_find(token.data, split) < rank);
        assert_true(vocab_find(token.data + split, token.size - split) < rank);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_embedded_file_is_the_one_that_the_tools_made),
        cmocka_unit_test(the_header_agrees_with_the_constants_of_the_code),
        cmocka_unit_test(written_in_the_published_form_the_ranks_have_the_published_digest),
        cmocka_unit_test(every_token_is_found_and_within_reach),
        cmocka_unit_test(what_is_no_token_is_not_found),
        cmocka_unit_test(
            the_single_bytes_come_first_and_all_others_are_made_of_two_tokens_of_lower_rank),
    };
    return cmocka_run_group_tests_name("vocab", tests, NULL, NULL);
}
