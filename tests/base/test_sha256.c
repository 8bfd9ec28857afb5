// SPDX-License-Identifier: Apache-2.0
// Vectors: FIPS 180-4 examples and NIST's million letters.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/sha256.h"

static void the_published_vectors_hold(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *hex;
    } vectors[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        char hex[SHA256_HEX_SIZE];
        sha256_hex(bytes_of_string(vectors[i].text), hex);
        assert_string_equal(hex, vectors[i].hex);
    }
}

static void a_million_letters_have_the_known_digest(void **state)
{
    (void)state;
    char *text = malloc(1000000);
    assert_non_null(text);
    memset(text, 'a', 1000000);
    char hex[SHA256_HEX_SIZE];
    sha256_hex(bytes_of(text, 1000000), hex);
    free(text);
    assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void the_digest_does_not_depend_on_how_the_text_was_cut(void **state)
{
    (void)state;
    char text[300];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i * 7);
    for (size_t size = 0; size <= sizeof text; size++) {
        char whole[SHA256_HEX_SIZE];
        sha256_hex(bytes_of(text, size), whole);
        for (size_t cut = 0; cut <= size; cut += 13) {
            struct sha256 hash;
            unsigned char digest[SHA256_BYTES];
            char hex[SHA256_HEX_SIZE];
            sha256_init(&hash);
            sha256_update(&hash, bytes_of(text, cut));
            sha256_update(&hash, bytes_of(text + cut, size - cut));
            sha256_final(&hash, digest);
            sha256_to_hex(digest, hex);
            assert_string_equal(hex, whole);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_vectors_hold),
        cmocka_unit_test(a_million_letters_have_the_known_digest),
        cmocka_unit_test(the_digest_does_not_depend_on_how_the_text_was_cut),
    };
    return cmocka_run_group_tests_name("sha256", tests, NULL, NULL);
}
