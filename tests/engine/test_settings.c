// SPDX-License-Identifier: Apache-2.0
// What a configuration is held against, and how it may change: nats-server's checkStreamCfg and
// configUpdateCheck, with their texts.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "streamkit.h"

#include <stdlib.h>
#include <string.h>

struct refusal {
    const char *json;
    int code;
    const char *text;
};

#define NAMED(rest) "{\"name\":\"S\",\"subjects\":[\"a\"]," rest "}"

static const struct refusal refusals[] = {
    {"{}", 10052, "stream name is required and can not contain '.', '*', '>', '\\', '/'"},
    {"{\"name\":\"a.b\"}", 10052,
     "stream name is required and can not contain '.', '*', '>', '\\', '/'"},
    {"{\"name\":\"../x\"}", 10052,
     "stream name is required and can not contain '.', '*', '>', '\\', '/'"},
    {"{\"name\":\"a b\"}", 10052,
     "stream name is required and can not contain '.', '*', '>', '\\', '/'"},
    {"{\"name\":\"S\",\"subjects\":[\"a..b\"]}", 10052, "invalid subject"},
    {"{\"name\":\"S\",\"subjects\":[\"\"]}", 10052, "invalid subject"},
    {"{\"name\":\"S\",\"subjects\":[\">\"]}", 10052,
     "capturing all subjects requires no-ack to be true"},
    {"{\"name\":\"S\",\"subjects\":[\"$JS.API.>\"]}", 10052,
     "subjects that overlap with jetstream api require no-ack to be true"},
    {"{\"name\":\"S\",\"subjects\":[\"*.API\"]}", 10052,
     "subjects that overlap with jetstream api require no-ack to be true"},
    {"{\"name\":\"S\",\"subjects\":[\"$SYS.REQ\"]}", 10052,
     "subjects that overlap with system api require no-ack to be true"},
    {"{\"name\":\"S\",\"subjects\":[\"a.*\",\"b\",\"a.x\"]}", 10052,
     "subject \"a.*\" overlaps with \"a.x\""},
    {"{\"name\":\"S\",\"subjects\":[\"a\",\"a\"]}", 10052, "subject \"a\" overlaps with \"a\""},
    {NAMED("\"max_age\":-1"), 10052, "max age can not be negative"},
    {NAMED("\"max_age\":99999999"), 10052, "max age needs to be >= 100ms"},
    {NAMED("\"duplicate_window\":-1"), 10052, "duplicates window can not be negative"},
    {NAMED("\"duplicate_window\":99999999"), 10052, "duplicates window needs to be >= 100ms"},
    {NAMED("\"max_age\":1000000000,\"duplicate_window\":1000000001"), 10052,
     "duplicates window can not be larger then max age"},
    {NAMED("\"discard_new_per_subject\":true,\"max_msgs_per_subject\":1"), 10052,
     "discard new per subject requires discard new policy to be set"},
    {NAMED("\"discard_new_per_subject\":true,\"discard\":\"new\""), 10052,
     "discard new per subject requires max msgs per subject > 0"},
    {NAMED("\"deny_purge\":true,\"allow_rollup_hdrs\":true"), 10052,
     "roll-ups require the purge permission"},
    {NAMED("\"num_replicas\":-1"), 10133, "replicas count cannot be negative"},
    {NAMED("\"num_replicas\":6"), 10052, "maximum replicas is 5"},
    {NAMED("\"num_replicas\":3"), 10074, "replicas > 1 not supported in non-clustered mode"},
};

static void what_is_not_allowed_is_refused_with_its_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct stream_config config;
        struct errinfo err = {.text = ""};
        streamkit_config(&config, refusals[i].json);
        enum status status = stream_config_check(&config, &err);
        stream_config_fini(&config);
        if (status != STATUS_INVALID)
            fail_msg("%s was taken", refusals[i].json);
        assert_string_equal(err.text, refusals[i].text);
        assert_int_equal(err.protocol_code, refusals[i].code);
    }
}

static void texts_that_are_too_long_or_no_text_are_refused(void **state)
{
    (void)state;
    struct stream_config config;
    struct errinfo err = {.text = ""};
    static char text[4097];
    memset(text, 'a', sizeof text);
    stream_config_init(&config);
    assert_int_equal(stream_config_set_string(&config.name, bytes_of(text, 256)), STATUS_OK);
    assert_int_equal(stream_config_check(&config, &err), STATUS_INVALID);
    assert_string_equal(err.text, "stream name is too long, maximum allowed is 255");
    assert_int_equal(stream_config_set_string(&config.name, bytes_of(text, 255)), STATUS_OK);
    assert_int_equal(stream_config_set_string(&config.description, bytes_of(text, 4097)),
                     STATUS_OK);
    assert_int_equal(stream_config_check(&config, &err), STATUS_INVALID);
    assert_string_equal(err.text, "stream description is too long, maximum allowed is 4096");
    assert_int_equal(stream_config_set_string(&config.description, BYTES("\xff")), STATUS_OK);
    assert_int_equal(stream_config_check(&config, &err), STATUS_INVALID);
    assert_string_equal(err.text, "stream name, description and subjects must be UTF-8");
    assert_int_equal(stream_config_set_string(&config.description, bytes_of(text, 4096)),
                     STATUS_OK);
    assert_int_equal(stream_config_check(&config, &err), STATUS_OK);
    stream_config_fini(&config);
}

static void defaults_are_filled_in(void **state)
{
    (void)state;
    struct stream_config config;
    streamkit_config(&config, "{\"name\":\"S\"}");
    config.max_msgs = 0;
    config.replicas = 0;
    assert_int_equal(stream_config_check(&config, NULL), STATUS_OK);
    assert_int_equal(config.subject_count, 1);
    assert_string_equal(config.subjects[0], "S");
    assert_int_equal(config.max_msgs, -1);
    assert_int_equal(config.replicas, 1);
    assert_true(config.duplicate_window_ns == INT64_C(120) * SECOND);
    stream_config_fini(&config);
    streamkit_config(&config, "{\"name\":\"S\",\"max_age\":5000000000}");
    assert_int_equal(stream_config_check(&config, NULL), STATUS_OK);
    assert_true(config.duplicate_window_ns == INT64_C(5) * SECOND);
    stream_config_fini(&config);
}

static void what_stands_for_the_servers_own_events_is_allowed(void **state)
{
    (void)state;
    struct stream_config config;
    streamkit_config(&config,
                     "{\"name\":\"S\",\"subjects\":[\"$JS.EVENT.ADVISORY.>\",\"$SYS.ACCOUNT.>\"]}");
    assert_int_equal(stream_config_check(&config, NULL), STATUS_OK);
    stream_config_fini(&config);
}

static void a_stream_cannot_be_made_sealed(void **state)
{
    struct streamkit *kit = *state;
    struct stream_config config;
    streamkit_config(&config, NAMED("\"sealed\":true"));
    assert_int_equal(stream_create(simhost_host(kit->sim), "/s", &config, 0, &kit->err),
                     STATUS_INVALID);
    streamkit_expect_error(kit, 10052, "stream configuration for create can not be sealed");
    stream_config_fini(&config);
}

static void a_stream_is_not_made_over_another(void **state)
{
    struct streamkit *kit = *state;
    struct stream_config config;
    streamkit_create(kit, NAMED("\"max_msgs\":5"));
    streamkit_put(kit, "a", "one");
    streamkit_config(&config, NAMED("\"max_msgs\":5"));
    assert_int_equal(stream_create(simhost_host(kit->sim), "/s", &config, 0, &kit->err),
                     STATUS_EXISTS);
    stream_config_fini(&config);
    streamkit_expect(kit, 1, "one");
}

static const struct refusal changes[] = {
    {"{\"name\":\"T\",\"subjects\":[\"a\"]}", 10052,
     "stream configuration name must match original"},
    {NAMED("\"deny_delete\":true,\"deny_purge\":true,\"storage\":\"memory\""), 10052,
     "stream configuration update can not change storage type"},
    {NAMED("\"deny_delete\":true,\"deny_purge\":true,\"retention\":\"workqueue\""), 10052,
     "stream configuration update can not change retention policy to/from workqueue"},
    {NAMED("\"deny_purge\":true"), 10052,
     "stream configuration update can not cancel deny message deletes"},
    {NAMED("\"deny_delete\":true"), 10052, "stream configuration update can not cancel deny purge"},
    {NAMED("\"deny_delete\":true,\"deny_purge\":true,\"max_age\":1"), 10052,
     "max age needs to be >= 100ms"},
};

static void what_may_not_change_is_refused_and_stays(void **state)
{
    struct streamkit *kit = *state;
    streamkit_create(kit, NAMED("\"deny_delete\":true,\"deny_purge\":true"));
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct stream_config config;
        streamkit_config(&config, changes[i].json);
        enum status status = stream_update(kit->stream, &config, kit->now_ns, &kit->err);
        stream_config_fini(&config);
        if (status != STATUS_INVALID)
            fail_msg("%s was taken", changes[i].json);
        streamkit_expect_error(kit, changes[i].code, changes[i].text);
    }
    const struct stream_config *is = stream_get_config(kit->stream);
    assert_true(is->deny_delete && is->deny_purge && is->storage == STREAM_STORE_FILE);
}

static void a_seal_is_for_good(void **state)
{
    struct streamkit *kit = *state;
    struct stream_config config;
    streamkit_create(kit, NAMED("\"max_age\":1000000000,\"allow_rollup_hdrs\":true"));
    streamkit_update(kit, NAMED("\"sealed\":true,\"max_age\":2000000000"));
    streamkit_reopen(kit);
    const struct stream_config *is = stream_get_config(kit->stream);
    assert_true(is->sealed && is->deny_delete && is->deny_purge && !is->allow_rollup);
    assert_true(is->max_age_ns == 0 && is->discard == STREAM_DISCARD_NEW);
    streamkit_config(&config, NAMED("\"max_msgs\":5"));
    assert_int_equal(stream_update(kit->stream, &config, kit->now_ns, &kit->err), STATUS_INVALID);
    streamkit_expect_error(kit, 10052,
                           "stream configuration update can not unseal a sealed stream");
    stream_config_fini(&config);
}

static void narrower_limits_apply_at_once(void **state)
{
    struct streamkit *kit = *state;
    streamkit_create(kit, "{\"name\":\"S\",\"subjects\":[\"a.>\"]}");
    for (int i = 0; i < 4; i++) {
        streamkit_put(kit, "a.x", "x");
        streamkit_put(kit, "a.y", "y");
        kit->now_ns += SECOND;
    }
    streamkit_update(kit, "{\"name\":\"S\",\"subjects\":[\"a.>\"],\"max_msgs_per_subject\":3}");
    assert_int_equal(streamkit_state(kit).first_seq, 3);
    streamkit_update(kit, "{\"name\":\"S\",\"subjects\":[\"a.>\"],\"max_msgs\":5}");
    assert_int_equal(streamkit_state(kit).first_seq, 4);
    streamkit_update(kit, "{\"name\":\"S\",\"subjects\":[\"a.>\"],\"max_bytes\":136}");
    assert_int_equal(streamkit_state(kit).messages, 4);
    streamkit_update(kit, "{\"name\":\"S\",\"subjects\":[\"a.>\"],\"max_age\":1500000000}");
    assert_int_equal(streamkit_state(kit).messages, 2);
    streamkit_reopen(kit);
    assert_int_equal(streamkit_state(kit).first_seq, 7);
}

static void a_stream_that_discards_new_keeps_what_narrower_limits_would_not_take(void **state)
{
    struct streamkit *kit = *state;
    struct stream_ack ack;
    streamkit_create(kit, NAMED("\"discard\":\"new\""));
    streamkit_put(kit, "a", "one");
    streamkit_put(kit, "a", "two");
    streamkit_update(kit, NAMED("\"discard\":\"new\",\"max_msgs\":1,\"max_bytes\":40"));
    streamkit_reopen(kit);
    assert_int_equal(streamkit_state(kit).messages, 2);
    assert_int_equal(streamkit_try(kit, "a", "x", NULL, &ack), STATUS_LIMIT);
    streamkit_expect_error(kit, 10077, "maximum messages exceeded");
}

static void wider_limits_do_not_bring_back_what_had_expired(void **state)
{
    struct streamkit *kit = *state;
    streamkit_create(kit, NAMED("\"max_age\":1000000000"));
    streamkit_put(kit, "a", "one");
    kit->now_ns += 2 * (int64_t)SECOND;
    streamkit_update(kit, NAMED("\"max_age\":0"));
    streamkit_reopen(kit);
    assert_int_equal(streamkit_state(kit).messages, 0);
}

static void limits_that_a_crash_kept_from_applying_apply_at_the_next_open(void **state)
{
    struct streamkit *kit = *state;
    struct stream_config config;
    streamkit_create(kit, NAMED("\"max_msgs\":10"));
    for (int i = 0; i < 4; i++)
        streamkit_put(kit, "a", "x");
    streamkit_config(&config, NAMED("\"max_msgs\":2"));
    assert_int_equal(stream_update(kit->stream, &config, kit->now_ns, NULL), STATUS_OK);
    stream_config_fini(&config);
    streamkit_reopen(kit);
    assert_int_equal(streamkit_state(kit).first_seq, 3);
}

static void new_subjects_are_listened_to(void **state)
{
    struct streamkit *kit = *state;
    struct stream_ack ack;
    streamkit_create(kit, "{\"name\":\"S\",\"subjects\":[\"a\"]}");
    streamkit_put(kit, "a", "one");
    streamkit_update(kit, "{\"name\":\"S\",\"subjects\":[\"b\"]}");
    assert_int_equal(streamkit_try(kit, "a", "x", NULL, &ack), STATUS_NOT_FOUND);
    streamkit_put(kit, "b", "two");
    streamkit_expect_last(kit, "a", "one");
}

static void an_update_that_cannot_be_written_changes_nothing(void **state)
{
    struct streamkit *kit = *state;
    struct stream_config config;
    streamkit_create(kit, NAMED("\"max_msgs\":10"));
    streamkit_put(kit, "a", "one");
    streamkit_put(kit, "a", "two");
    streamkit_config(&config, NAMED("\"max_msgs\":1"));
    simhost_fail(kit->sim, SIM_OPEN, 1, 28);
    assert_int_equal(stream_update(kit->stream, &config, kit->now_ns, &kit->err), STATUS_NO_SPACE);
    stream_config_fini(&config);
    assert_int_equal(stream_get_config(kit->stream)->max_msgs, 10);
    assert_int_equal(streamkit_state(kit).messages, 2);
}

static void an_update_to_discard_new_removes_nothing(void **state)
{
    struct streamkit *kit = *state;
    struct stream_ack ack;
    streamkit_create(kit, "{\"name\":\"S\"}");
    for (int i = 0; i < 5; i++)
        streamkit_put(kit, "S", "x");
    streamkit_update(kit, "{\"name\":\"S\",\"max_msgs\":2,\"discard\":\"new\"}");
    streamkit_commit(kit);
    assert_int_equal(streamkit_state(kit).messages, 5);
    assert_int_equal(streamkit_try(kit, "S", "x", NULL, &ack), STATUS_LIMIT);
    assert_int_equal(streamkit_state(kit).messages, 5);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, streamkit_setup, streamkit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_is_not_allowed_is_refused_with_its_reason),
        TEST(texts_that_are_too_long_or_no_text_are_refused),
        TEST(defaults_are_filled_in),
        TEST(what_stands_for_the_servers_own_events_is_allowed),
        TEST(a_stream_cannot_be_made_sealed),
        TEST(a_stream_is_not_made_over_another),
        TEST(what_may_not_change_is_refused_and_stays),
        TEST(a_seal_is_for_good),
        TEST(narrower_limits_apply_at_once),
        TEST(an_update_to_discard_new_removes_nothing),
        TEST(a_stream_that_discards_new_keeps_what_narrower_limits_would_not_take),
        TEST(wider_limits_do_not_bring_back_what_had_expired),
        TEST(limits_that_a_crash_kept_from_applying_apply_at_the_next_open),
        TEST(new_subjects_are_listened_to),
        TEST(an_update_that_cannot_be_written_changes_nothing),
    };
    return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
