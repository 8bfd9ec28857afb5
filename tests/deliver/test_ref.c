// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "deliver/name.h"
#include "deliver/ref.h"
#include "rnd.h"

#define REAL_ID "REQ-STRATEGIC-AUTO-1766527796497-SUB2-1735377300000"

static struct ref parse(const char *text)
{
    struct ref ref;
    struct errinfo err;
    errinfo_clear(&err);
    enum status status = ref_parse(bytes_of_string(text), &ref, &err);
    if (status != STATUS_OK)
        fail_msg("%s: %s", text, err.text);
    return ref;
}

static void assert_means(const char *text, const char *printed)
{
    char out[REF_TEXT_SIZE];
    struct ref ref = parse(text);
    assert_int_equal(ref_format(&ref, REF_FORM_TEXT, out), strlen(printed));
    assert_string_equal(out, printed);
}

static void assert_refused(const char *text, const char *reason)
{
    struct ref ref = {.seq = 77};
    struct errinfo err;
    assert_int_not_equal(ref_parse(bytes_of_string(text), &ref, &err), STATUS_OK);
    if (strstr(err.text, reason) == NULL)
        fail_msg("%s: \"%s\" does not say \"%s\"", text, err.text, reason);
    assert_int_equal(ref.seq, 77);
}

static void the_parts_of_a_ref_are_read(void **state)
{
    (void)state;
    struct ref ref = parse("cynthia/research/customer-search@3#2.1");
    assert_int_equal(ref.kind, REF_DELIVERABLE);
    assert_string_equal(ref.agent, "cynthia");
    assert_string_equal(ref.type, "research");
    assert_string_equal(ref.feature, "customer-search");
    assert_int_equal(ref.rev, 3);
    assert_string_equal(ref.section, "2.1");
}

static void a_real_id_is_untouched_in_every_form(void **state)
{
    (void)state;
    char out[REF_TEXT_SIZE];
    struct ref ref = parse("jen/frontend/" REAL_ID);
    assert_string_equal(ref.feature, REAL_ID);
    ref_format(&ref, REF_FORM_TEXT, out);
    assert_string_equal(out, "jen/frontend/" REAL_ID);
    ref_format(&ref, REF_FORM_SUBJECT, out);
    assert_string_equal(out, "agog.deliverables.jen.frontend." REAL_ID);
    ref_format(&ref, REF_FORM_URI, out);
    assert_string_equal(out, "agog://jen/frontend/" REAL_ID);
}

static void subjects_and_uris_are_refs(void **state)
{
    (void)state;
    assert_means("agog.deliverables.roy.backend.a%2Eb", "roy/backend/a.b");
    assert_means("nats://agog.deliverables.roy.backend.x", "roy/backend/x");
    assert_means("nats://agog.deliverables.roy.backend.x@2#3.1", "roy/backend/x@2#3.1");
    assert_means("agog://roy/backend/x%20y@2#3.1", "roy/backend/x%20y@2#3.1");
    assert_means(" roy/backend/x\n", "roy/backend/x");
}

static void raw_text_is_read_where_it_can_mean_one_thing_only(void **state)
{
    (void)state;
    assert_means("roy/backend/a/b", "roy/backend/a%2Fb");
    assert_means("roy/backend/two words", "roy/backend/two%20words");
    assert_means("roy/backend/me@home", "roy/backend/me%40home");
    assert_means("roy/backend/me@home@4", "roy/backend/me%40home@4");
    assert_means("roy/backend/100%sure", "roy/backend/100%25sure");
    assert_means("roy/backend/a%2Fb", "roy/backend/a%2Fb");
    assert_means("roy/backend/x@v3", "roy/backend/x@3");
    assert_means("roy/backend/x@latest", "roy/backend/x");
    assert_means("roy/backend/x#Next Steps", "roy/backend/x#Next%20Steps");
}

static void a_printed_ref_is_one_word_for_a_shell(void **state)
{
    (void)state;
    assert_means("roy/backend/$(reboot);`id`'\"", "roy/backend/%24%28reboot%29%3B%60id%60%27%22");
    assert_means("roy/backend/*?[a]{b}!&|<x>", "roy/backend/%2A%3F%5Ba%5D%7Bb%7D%21%26%7C%3Cx%3E");
}

static void a_message_id_of_the_first_system_is_a_ref(void **state)
{
    (void)state;
    struct ref ref = parse("agog_features_research.17#2");
    assert_int_equal(ref.kind, REF_MESSAGE);
    assert_string_equal(ref.stream, "agog_features_research");
    assert_int_equal(ref.seq, 17);
    assert_string_equal(ref.section, "2");
    assert_means("agog_features_research.17", "agog_features_research.17");
    assert_means("agog://agog_features_research.17", "agog_features_research.17");
}

static void a_notice_is_a_ref_in_each_of_its_forms(void **state)
{
    (void)state;
    assert_means("{\"status\":\"complete\",\"ref\":\"cynthia/research/x@2\"}",
                 "cynthia/research/x@2");
    assert_means("{\"nats_channel\":\"agog.deliverables.cynthia.research.x\",\"rev\":5}",
                 "cynthia/research/x@5");
    assert_means("{\"agent\":\"roy\",\"deliverable\":\"nats://agog.deliverables.roy.backend.x\"}",
                 "roy/backend/x");
    assert_means("\n {\"ref\":\"agog_features_qa.3\",\"rev\":2}\n", "agog_features_qa.3");
}

static void what_is_no_ref_is_refused_with_the_form(void **state)
{
    (void)state;
    assert_refused("", "write agent/type/feature");
    assert_refused("customer-search", "write agent/type/feature");
    assert_refused("a/b", "write agent/type/feature");
    assert_refused("a/b/", "feature is empty");
    assert_refused("a//c", "type is empty");
    assert_refused("Cynthia/research/x", "use \"cynthia\"");
    assert_refused("a/b/c@", "not a number");
    assert_refused("a/b/c@0", "not a number");
    assert_refused("a/b/c@2x", "not a number");
    assert_refused("a/b/c@99999999999999999999", "not a number");
    assert_refused("a/b/c#", "after '#'");
    assert_refused("a/b/c#%0A", "after '#'");
    assert_refused("a/b/x%0D%0APUB", "control character");
    assert_refused("{\"summary\":\"x\"}", "none of the fields");
    assert_refused("{\"ref\":", "not JSON");
    assert_refused("agog_features_qa.0", "write agent/type/feature");
}

static void foreign_subjects_are_refused_with_the_reason(void **state)
{
    (void)state;
    assert_refused("nats://agog.features.research.x", "not the subject of a deliverable");
    assert_refused("agog.deliverables.a.b.c.d", "written %2E");
    assert_refused("agog.deliverables.a.b", "names no feature");
    assert_refused("agog.deliverables.a.b.*", "one spelling is %2A");
    assert_refused("agog.deliverables.*.b.c", "agent \"*\"");
    assert_refused("agog.deliverables.a.b.%41", "one spelling is A");
}

static void every_legal_ref_comes_back_from_every_form(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20000; seed++) {
        struct rnd rnd = {seed};
        char feature[LIMIT_FEATURE_BYTES + 1];
        struct ref ref;
        struct bytes name = bytes_of(feature, rnd_text(&rnd, feature, LIMIT_FEATURE_BYTES));
        if (ref_of_names(BYTES("agent-1"), BYTES("type_2"), name, &ref, NULL) != STATUS_OK)
            continue;
        ref.rev = rnd_below(&rnd, 3) == 0 ? rnd_next(&rnd) : 0;
        if (rnd_below(&rnd, 2) == 0)
            ref.section[rnd_text(&rnd, ref.section, LIMIT_SECTION_BYTES)] = '\0';
        if (ref.section[strspn(ref.section, " ")] == '\0')
            ref.section[0] = '\0';
        for (int form = REF_FORM_TEXT; form <= REF_FORM_SUBJECT; form++) {
            char text[REF_TEXT_SIZE];
            char again[REF_TEXT_SIZE];
            struct ref back;
            ref_format(&ref, (enum ref_form)form, text);
            if (ref_parse(bytes_of_string(text), &back, NULL) != STATUS_OK)
                fail_msg("seed %llu: %s is refused", (unsigned long long)seed, text);
            ref_format(&back, (enum ref_form)form, again);
            if (strcmp(text, again) != 0 || !ref_same_deliverable(&ref, &back))
                fail_msg("seed %llu: %s came back as %s", (unsigned long long)seed, text, again);
            if (form != REF_FORM_SUBJECT &&
                (back.rev != ref.rev || strcmp(back.section, ref.section) != 0))
                fail_msg("seed %llu: %s lost its revision or section", (unsigned long long)seed,
                         text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_parts_of_a_ref_are_read),
        cmocka_unit_test(a_real_id_is_untouched_in_every_form),
        cmocka_unit_test(subjects_and_uris_are_refs),
        cmocka_unit_test(raw_text_is_read_where_it_can_mean_one_thing_only),
        cmocka_unit_test(a_printed_ref_is_one_word_for_a_shell),
        cmocka_unit_test(a_message_id_of_the_first_system_is_a_ref),
        cmocka_unit_test(a_notice_is_a_ref_in_each_of_its_forms),
        cmocka_unit_test(what_is_no_ref_is_refused_with_the_form),
        cmocka_unit_test(foreign_subjects_are_refused_with_the_reason),
        cmocka_unit_test(every_legal_ref_comes_back_from_every_form),
    };
    return cmocka_run_group_tests_name("ref", tests, NULL, NULL);
}
