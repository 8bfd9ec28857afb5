// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "deliver/name.h"
#include "rnd.h"

#define REAL_ID "REQ-STRATEGIC-AUTO-1766527796497-SUB2-1735377300000"

static void assert_encodes(const char *feature, const char *token)
{
    char out[NAME_TOKEN_SIZE];
    char back[LIMIT_FEATURE_BYTES + 1];
    struct errinfo err;
    assert_int_equal(name_check_feature(bytes_of_string(feature), NULL), STATUS_OK);
    assert_int_equal(name_encode(bytes_of_string(feature), out), strlen(token));
    assert_string_equal(out, token);
    assert_int_equal(name_decode(bytes_of_string(token), back, &err), STATUS_OK);
    assert_string_equal(back, feature);
}

static void assert_feature_refused(struct bytes feature, enum status status, const char *reason)
{
    struct errinfo err;
    assert_int_equal(name_check_feature(feature, &err), status);
    assert_non_null(strstr(err.text, reason));
}

static void assert_token_refused(const char *token, const char *reason)
{
    char out[LIMIT_FEATURE_BYTES + 1] = "untouched";
    struct errinfo err;
    assert_int_not_equal(name_decode(bytes_of_string(token), out, &err), STATUS_OK);
    assert_non_null(strstr(err.text, reason));
    assert_string_equal(out, "untouched");
}

static void a_real_feature_id_is_its_own_subject_token(void **state)
{
    (void)state;
    assert_encodes(REAL_ID, REAL_ID);
}

static void what_a_subject_cannot_hold_is_percent_encoded(void **state)
{
    (void)state;
    assert_encodes("a b.c*d>e%f/g@h#i", "a%20b%2Ec%2Ad%3Ee%25f%2Fg%40h%23i");
}

static void visible_utf8_stands_as_it_is_and_hidden_utf8_does_not(void **state)
{
    (void)state;
    assert_encodes("größe-検索", "größe-検索");
    assert_encodes("a\xC2\xA0z", "a%C2%A0z");
    assert_encodes("a\xE2\x80\xAEz", "a%E2%80%AEz");
}

static void blank_features_are_refused(void **state)
{
    (void)state;
    assert_feature_refused(BYTES(""), STATUS_INVALID, "empty");
    assert_feature_refused(BYTES("   "), STATUS_INVALID, "all blank");
    assert_feature_refused(BYTES("\xE3\x80\x80\xE2\x80\x8B"), STATUS_INVALID, "all blank");
}

static void control_characters_and_bad_utf8_are_refused_with_their_place(void **state)
{
    (void)state;
    assert_feature_refused(BYTES("a\r\nPUB x"), STATUS_INVALID, "U+000D) at byte 2");
    assert_feature_refused(BYTES("a\0b"), STATUS_INVALID, "U+0000) at byte 2");
    assert_feature_refused(BYTES("a\xC2\x85"), STATUS_INVALID, "U+0085) at byte 2");
    assert_feature_refused(BYTES("ab\xFF"), STATUS_INVALID, "not UTF-8 at byte 3");
    assert_feature_refused(BYTES("ab\xED\xA0\x80"), STATUS_INVALID, "not UTF-8 at byte 3");
}

static void a_feature_of_200_bytes_is_legal_and_of_201_is_not(void **state)
{
    (void)state;
    char text[201];
    memset(text, 'x', sizeof text);
    assert_int_equal(name_check_feature(bytes_of(text, 200), NULL), STATUS_OK);
    assert_feature_refused(bytes_of(text, 201), STATUS_LIMIT, "201 bytes: the limit is 200");
}

static void upper_case_agents_are_told_the_lower_case_form(void **state)
{
    (void)state;
    struct errinfo err;
    assert_int_equal(name_check_agent(BYTES("Cynthia"), &err), STATUS_INVALID);
    assert_non_null(strstr(err.text, "use \"cynthia\""));
    assert_int_equal(name_check_type(BYTES("QA-Backend"), &err), STATUS_INVALID);
    assert_non_null(strstr(err.text, "use \"qa-backend\""));
}

static void agents_and_types_take_plain_ascii_of_1_to_64_bytes_only(void **state)
{
    (void)state;
    struct errinfo err;
    char text[65];
    memset(text, 'x', sizeof text);
    assert_int_equal(name_check_agent(bytes_of(text, 64), &err), STATUS_OK);
    assert_int_equal(name_check_agent(bytes_of(text, 65), &err), STATUS_LIMIT);
    assert_int_equal(name_check_type(BYTES("qa_2-backend"), &err), STATUS_OK);
    static const char *const bad[] = {"", "a.b", "a b", "*", ">", "a/b", "Ä", "a\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(name_check_agent(bytes_of_string(bad[i]), &err), STATUS_INVALID);
        assert_int_equal(name_check_type(bytes_of_string(bad[i]), &err), STATUS_INVALID);
    }
}

static void every_other_spelling_of_a_token_is_refused(void **state)
{
    (void)state;
    assert_token_refused("%41", "one spelling is A");
    assert_token_refused("a%2eb", "one spelling is a%2Eb");
    assert_token_refused("100%", "one spelling is 100%25");
    assert_token_refused("a b", "one spelling is a%20b");
    assert_token_refused("%0D%0A", "control character");
    assert_token_refused("%FF", "not UTF-8");
    assert_token_refused("", "empty");
}

static void every_legal_feature_comes_back_from_its_token(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20000; seed++) {
        struct rnd rnd = {seed};
        char feature[LIMIT_FEATURE_BYTES + 1];
        char token[NAME_TOKEN_SIZE];
        char back[LIMIT_FEATURE_BYTES + 1];
        struct bytes name = bytes_of(feature, rnd_text(&rnd, feature, LIMIT_FEATURE_BYTES));
        if (name_check_feature(name, NULL) != STATUS_OK)
            continue;
        size_t size = name_encode(name, token);
        bool same = name_decode(bytes_of(token, size), back, NULL) == STATUS_OK &&
                    bytes_equal(bytes_of_string(back), name);
        if (!same || strpbrk(token, " .*>/@#\t") != NULL)
            fail_msg("seed %llu: token %s", (unsigned long long)seed, token);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_real_feature_id_is_its_own_subject_token),
        cmocka_unit_test(what_a_subject_cannot_hold_is_percent_encoded),
        cmocka_unit_test(visible_utf8_stands_as_it_is_and_hidden_utf8_does_not),
        cmocka_unit_test(blank_features_are_refused),
        cmocka_unit_test(control_characters_and_bad_utf8_are_refused_with_their_place),
        cmocka_unit_test(a_feature_of_200_bytes_is_legal_and_of_201_is_not),
        cmocka_unit_test(upper_case_agents_are_told_the_lower_case_form),
        cmocka_unit_test(agents_and_types_take_plain_ascii_of_1_to_64_bytes_only),
        cmocka_unit_test(every_other_spelling_of_a_token_is_refused),
        cmocka_unit_test(every_legal_feature_comes_back_from_its_token),
    };
    return cmocka_run_group_tests_name("name", tests, NULL, NULL);
}
