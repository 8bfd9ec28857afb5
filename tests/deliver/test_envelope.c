// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "deliver/envelope.h"

static void an_envelope_of_the_first_system_is_recognised(void **state)
{
    (void)state;
    struct envelope envelope;
    assert_true(envelope_read(BYTES("{\"content\":\"# A\\nb\",\"metadata\":{\"agent\":\"roy\","
                                    "\"taskType\":\"backend\",\"feature\":\"x\",\"timestamp\":"
                                    "\"2025-12-17T10:00:00.000Z\",\"wordCount\":3}}"),
                              &envelope));
    assert_true(bytes_equal(envelope.content, BYTES("# A\nb")));
    assert_true(bytes_equal(envelope.agent, BYTES("roy")));
    assert_true(bytes_equal(envelope.type, BYTES("backend")));
    assert_true(bytes_equal(envelope.feature, BYTES("x")));
    assert_true(bytes_equal(envelope.timestamp, BYTES("2025-12-17T10:00:00.000Z")));
    assert_true(bytes_equal(envelope.metadata, BYTES("{\"wordCount\":3}")));
    envelope_fini(&envelope);
}

static void notices_and_json_reports_are_no_envelopes(void **state)
{
    (void)state;
    static const char *const others[] = {
        "",
        "# A report\n",
        "{}",
        "[]",
        "{\"content\":\"x\"}",
        "{\"content\":\"x\",\"metadata\":{}}",
        "{\"content\":1,\"metadata\":{\"agent\":\"a\",\"taskType\":\"b\",\"feature\":\"c\"}}",
        ("{\"content\":\"x\",\"metadata\":{\"agent\":\"a\",\"taskType\":\"b\",\"feature\":\"c\"},"
         "\"status\":\"COMPLETE\"}"),
        "{\"content\":\"x\",\"metadata\":{\"agent\":\"a\",\"taskType\":\"b\",\"feature\":\"c\"}",
        "{\"agent\":\"roy\",\"req_number\":\"R\",\"status\":\"COMPLETE\",\"summary\":\"s\"}",
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct envelope envelope;
        if (envelope_read(bytes_of_string(others[i]), &envelope))
            fail_msg("taken for an envelope: %s", others[i]);
    }
}

static void what_is_written_is_read_back_and_names_win_over_metadata(void **state)
{
    (void)state;
    struct buf out;
    struct envelope back;
    static const char content[] = "a\0\"\\\n\xF0\x9F\x98\x80";
    struct envelope envelope = {
        .content = bytes_of(content, sizeof content - 1),
        .agent = BYTES("jen"),
        .type = BYTES("frontend"),
        .feature = BYTES("größe"),
        .timestamp = BYTES("2026-01-01T00:00:00Z"),
        .metadata = BYTES("{\"agent\": \"mallory\", \"lines\": 9}"),
    };
    buf_init(&out, 1 << 16);
    assert_int_equal(envelope_write(&envelope, &out, NULL), STATUS_OK);
    assert_true(envelope_read(buf_bytes(&out), &back));
    assert_true(bytes_equal(back.content, envelope.content));
    assert_true(bytes_equal(back.agent, BYTES("jen")));
    assert_true(bytes_equal(back.feature, envelope.feature));
    assert_true(bytes_equal(back.timestamp, envelope.timestamp));
    assert_true(bytes_equal(back.metadata, BYTES("{\"lines\":9}")));
    envelope_fini(&back);
    buf_fini(&out);
}

static void what_json_cannot_hold_is_refused(void **state)
{
    (void)state;
    struct buf out;
    struct errinfo err;
    struct envelope envelope = {
        .content = BYTES("\xFF"), .agent = BYTES("a"), .type = BYTES("b"), .feature = BYTES("c")};
    buf_init(&out, 1 << 16);
    assert_int_equal(envelope_write(&envelope, &out, &err), STATUS_INVALID);
    assert_non_null(strstr(err.text, "not UTF-8"));
    envelope.content = BYTES("x");
    envelope.metadata = BYTES("[]");
    assert_int_equal(envelope_write(&envelope, &out, &err), STATUS_INVALID);
    assert_non_null(strstr(err.text, "metadata"));
    assert_int_equal(out.size, 0);
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_envelope_of_the_first_system_is_recognised),
        cmocka_unit_test(notices_and_json_reports_are_no_envelopes),
        cmocka_unit_test(what_is_written_is_read_back_and_names_win_over_metadata),
        cmocka_unit_test(what_json_cannot_hold_is_refused),
    };
    return cmocka_run_group_tests_name("envelope", tests, NULL, NULL);
}
