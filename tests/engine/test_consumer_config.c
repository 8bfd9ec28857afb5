// SPDX-License-Identifier: Apache-2.0
// What a consumer may be, what is filled in, and what may change.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "consumerkit.h"

#include <stdio.h>
#include <string.h>

static const char stream[] = "{\"name\":\"S\",\"subjects\":[\"a.>\"]}";

static void defaults_are_filled_in(void **state)
{
    struct consumerkit *kit = *state;
    consumerkit_create(kit, stream);
    const struct consumer_config *config = consumer_get_config(
        consumerkit_make(kit, "{\"ack_policy\":\"explicit\",\"max_deliver\":-5}"));
    assert_int_equal(strlen(config->name), 8);
    assert_int_equal(config->max_deliver, -1);
    assert_int_equal(config->max_waiting, 512);
    assert_int_equal(config->max_ack_pending, 1000);
    assert_true(config->ack_wait_ns == 30 * INT64_C(1000000000));
    config = consumer_get_config(
        consumerkit_make(kit, "{\"name\":\"n\",\"ack_policy\":\"explicit\",\"max_deliver\":2,"
                              "\"backoff\":[7,9],\"ack_wait\":5}"));
    assert_string_equal(config->name, "n");
    assert_true(config->ack_wait_ns == 7);
    config = consumer_get_config(consumerkit_make(
        kit, "{\"durable_name\":\"d\",\"deliver_subject\":\"in\",\"ack_policy\":\"none\"}"));
    assert_int_equal(config->max_waiting, 0);
    assert_int_equal(config->max_ack_pending, 0);
    assert_true(config->ack_wait_ns == 0);
}

struct refusal {
    const char *json;
    int code;
    const char *text;
};

static void what_cannot_be_is_refused_as_nats_server_does(void **state)
{
    static const struct refusal refusals[] = {
        {"\"name\":\"a.b\"", 10052, "consumer name can not contain '.', '*', '>', '\\', '/'"},
        {"\"durable_name\":\"a/b\"", 10052,
         "consumer durable name can not contain '.', '*', '>', '\\', '/'"},
        {"\"num_replicas\":3", 10126, "consumer config replica count exceeds parent stream"},
        {"\"num_replicas\":-1", 10133, "replicas count cannot be negative"},
        {"\"backoff\":[1,-1]", 10184, "consumer backoff needs to be positive"},
        {"\"ack_wait\":-1", 10183, "consumer ack wait needs to be positive"},
        {"\"backoff\":[1,2,3],\"max_deliver\":2", 10116,
         "max deliver is required to be > length of backoff values"},
        {"\"deliver_subject\":\"a.*\"", 10079, "consumer deliver subject has wildcards"},
        {"\"deliver_subject\":\"d..e\"", 10112, "invalid push consumer deliver subject"},
        {"\"deliver_subject\":\"a.x\"", 10081, "consumer deliver subject forms a cycle"},
        {"\"deliver_subject\":\"d\",\"max_waiting\":1", 10080,
         "consumer in push mode can not set max waiting"},
        {"\"deliver_subject\":\"d\",\"max_ack_pending\":1", 10082,
         "consumer requires ack policy for max ack pending"},
        {"\"deliver_subject\":\"d\",\"idle_heartbeat\":99999999", 10083,
         "consumer idle heartbeat needs to be >= 100ms"},
        {"\"deliver_subject\":\"d\",\"flow_control\":true", 10108,
         "consumer with flow control also needs heartbeats"},
        {"\"rate_limit_bps\":1", 10086, "consumer in pull mode can not have rate limit set"},
        {"\"idle_heartbeat\":1000000000", 10088,
         "consumer idle heartbeat requires a push based consumer"},
        {"\"flow_control\":true", 10089, "consumer flow control requires a push based consumer"},
        {"\"max_expires\":999999", 10115, "consumer max request expires needs to be >= 1ms"},
        {"\"direct\":true", 10090, "consumer direct requires a push based consumer"},
        {"\"direct\":true,\"deliver_subject\":\"d\",\"durable_name\":\"D\"", 10091,
         "consumer direct requires an ephemeral consumer"},
        {"\"filter_subject\":\"a.x\",\"filter_subjects\":[\"a.y\"]", 10136,
         "consumer cannot have both FilterSubject and FilterSubjects specified"},
        {"\"filter_subjects\":[\"a.y\",\"\"]", 10139,
         "consumer filter in FilterSubjects cannot be empty"},
        {"\"filter_subjects\":[\"a.*\",\"a.y\"]", 10138, "consumer subject filters cannot overlap"},
        {"\"filter_subject\":\"a..b\"", 10052, "invalid subject"},
        {"\"deliver_policy\":\"new\",\"opt_start_seq\":1", 10094,
         "consumer delivery policy is deliver new, but optional start sequence is also set"},
        {"\"deliver_policy\":\"by_start_time\"", 10094,
         "consumer delivery policy is deliver by start time, but optional start time is not set"},
        {"\"deliver_policy\":\"last_per_subject\"", 10094,
         "consumer delivery policy is deliver last per subject, but optional filter subject is not "
         "set"},
        {"\"durable_name\":\"D\",\"name\":\"N\"", 10132,
         "Consumer Durable and Name have to be equal if both are provided"},
        {"\"priority_groups\":[\"g\"]", 10196,
         "consumer can not have priority groups when policy is none"},
        {"\"priority_timeout\":1", 10197, "PinnedTTL cannot be set when PriorityPolicy is none"},
        {"\"priority_policy\":\"overflow\"", 10159,
         "Setting PriorityPolicy requires at least one PriorityGroup to be set"},
        {"\"priority_policy\":\"overflow\",\"priority_groups\":[\"\"]", 10161,
         "Group name cannot be an empty string"},
        {"\"priority_policy\":\"overflow\",\"priority_groups\":[\"a b\"]", 10162,
         "Valid priority group name must match A-Z, a-z, 0-9, -_/=)+ and may not exceed 16 "
         "characters"},
        {"\"priority_policy\":\"overflow\",\"priority_groups\":[\"g\"],\"deliver_subject\":\"d\"",
         10178, "priority groups can not be used with push consumers"},
    };
    struct consumerkit *kit = *state;
    consumerkit_create(kit, stream);
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        char json[512];
        snprintf(json, sizeof json, "{\"ack_policy\":\"none\",%s}", refusals[i].json);
        consumerkit_refused(kit, json, refusals[i].code, refusals[i].text);
    }
}

static void long_texts_are_refused(void **state)
{
    struct consumerkit *kit = *state;
    char json[5000];
    char text[4098];
    consumerkit_create(kit, stream);
    memset(text, 'x', sizeof text - 1);
    text[4097] = '\0';
    snprintf(json, sizeof json, "{\"description\":\"%s\"}", text);
    consumerkit_refused(kit, json, 10107,
                        "consumer description is too long, maximum allowed is 4096");
    text[256] = '\0';
    snprintf(json, sizeof json, "{\"durable_name\":\"%s\"}", text);
    consumerkit_refused(kit, json, 10102, "consumer name is too long, maximum allowed is 255");
}

static void a_stream_limits_its_consumers(void **state)
{
    struct consumerkit *kit = *state;
    consumerkit_create(kit, "{\"name\":\"S\",\"subjects\":[\"a.>\"],\"max_consumers\":1,"
                            "\"consumer_limits\":{\"inactive_threshold\":9000000000,"
                            "\"max_ack_pending\":50}}");
    consumerkit_refused(kit, "{\"ack_policy\":\"explicit\",\"max_ack_pending\":51}", 10121,
                        "consumer max ack pending exceeds system limit of 50");
    consumerkit_refused(kit, "{\"inactive_threshold\":10000000000}", 10153,
                        "consumer inactive threshold exceeds system limit of 9s");
    const struct consumer_config *config = consumer_get_config(
        consumerkit_make(kit, "{\"durable_name\":\"C\",\"ack_policy\":\"explicit\"}"));
    assert_int_equal(config->max_ack_pending, 50);
    assert_true(config->inactive_threshold_ns == 9 * INT64_C(1000000000));
    consumerkit_refused(kit, "{\"durable_name\":\"D\"}", 10026, "maximum consumers limit reached");
}

static void an_action_says_whether_it_may_be_there(void **state)
{
    struct consumerkit *kit = *state;
    struct consumer_made made;
    static const char plain[] = "{\"durable_name\":\"C\",\"ack_policy\":\"explicit\"}";
    static const char other[] =
        "{\"durable_name\":\"C\",\"ack_policy\":\"explicit\",\"description\":\"d\"}";
    consumerkit_create(kit, stream);
    assert_int_equal(consumerkit_try(kit, plain, CONSUMER_UPDATE, &made), STATUS_NOT_FOUND);
    assert_int_equal(kit->err.protocol_code, 10149);
    assert_int_equal(consumerkit_try(kit, plain, CONSUMER_CREATE, &made), STATUS_OK);
    assert_true(made.created);
    assert_int_equal(consumerkit_try(kit, plain, CONSUMER_CREATE, &made), STATUS_OK);
    assert_false(made.created);
    assert_int_equal(consumerkit_try(kit, other, CONSUMER_CREATE, &made), STATUS_EXISTS);
    assert_int_equal(kit->err.protocol_code, 10148);
    assert_int_equal(consumerkit_try(kit, other, CONSUMER_UPDATE, &made), STATUS_OK);
    assert_string_equal(consumer_get_config(made.consumer)->description, "d");
    assert_int_equal(consumerkit_try(kit, plain, CONSUMER_CREATE_OR_UPDATE, &made), STATUS_OK);
    assert_null(consumer_get_config(made.consumer)->description);
}

static void what_a_consumer_is_cannot_change(void **state)
{
    static const struct refusal refusals[] = {
        {"\"ack_policy\":\"explicit\",\"deliver_policy\":\"new\"", 10012,
         "deliver policy can not be updated"},
        {"\"ack_policy\":\"all\"", 10012, "ack policy can not be updated"},
        {"\"ack_policy\":\"explicit\",\"replay_policy\":\"original\"", 10012,
         "replay policy can not be updated"},
        {"\"ack_policy\":\"explicit\",\"max_waiting\":5", 10012, "max waiting can not be updated"},
        {"\"ack_policy\":\"explicit\",\"deliver_subject\":\"d\"", 10012,
         "can not update pull consumer to push based"},
        {"\"ack_policy\":\"explicit\",\"mem_storage\":true", 10012,
         "storage type can not be updated"},
    };
    struct consumerkit *kit = *state;
    consumerkit_create(kit, stream);
    consumerkit_make(kit, "{\"durable_name\":\"C\",\"ack_policy\":\"explicit\"}");
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        char json[256];
        snprintf(json, sizeof json, "{\"durable_name\":\"C\",%s}", refusals[i].json);
        consumerkit_refused(kit, json, refusals[i].code, refusals[i].text);
    }
    const struct consumer_config *config = consumer_get_config(consumerkit_make(
        kit, "{\"durable_name\":\"C\",\"ack_policy\":\"explicit\",\"max_ack_pending\":5,"
             "\"ack_wait\":1000,\"headers_only\":true,\"sample_freq\":\"5\"}"));
    assert_int_equal(config->max_ack_pending, 5);
    assert_true(config->headers_only);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONSUMER_TEST(defaults_are_filled_in),
        CONSUMER_TEST(what_cannot_be_is_refused_as_nats_server_does),
        CONSUMER_TEST(long_texts_are_refused),
        CONSUMER_TEST(a_stream_limits_its_consumers),
        CONSUMER_TEST(an_action_says_whether_it_may_be_there),
        CONSUMER_TEST(what_a_consumer_is_cannot_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
