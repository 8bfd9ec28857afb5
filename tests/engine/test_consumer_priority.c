// SPDX-License-Identifier: Apache-2.0
// Priority groups (ADR-42): overflow, pinned clients, priorities.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "consumerkit.h"

#include <stdio.h>
#include <string.h>

static struct consumer *fill(struct consumerkit *kit, const char *policy)
{
    char json[256];
    consumerkit_create(kit, "{\"name\":\"S\",\"subjects\":[\"a.>\"]}");
    snprintf(json, sizeof json,
             "{\"durable_name\":\"C\",\"ack_policy\":\"explicit\",\"priority_groups\":[\"g\"],"
             "\"priority_policy\":\"%s\",\"priority_timeout\":%s}",
             policy, strcmp(policy, "pinned_client") == 0 ? "1000000000" : "0");
    struct consumer *consumer = consumerkit_make(kit, json);
    for (int i = 1; i <= 4; i++) {
        snprintf(json, sizeof json, "%d", i);
        consumerkit_put(kit, "a.x", json);
    }
    return consumer;
}

static void a_group_must_be_named_and_known(void **state)
{
    struct consumerkit *kit = *state;
    struct consumer *consumer = fill(kit, "overflow");
    consumerkit_pull(kit, consumer, "{\"batch\":1}", "in");
    consumerkit_pull(kit, consumer, "{\"batch\":1,\"group\":\"h\"}", "in");
    consumerkit_expect(kit, consumer,
                       "in 400 Bad Request - Priority Group missing\n"
                       "in 400 Bad Request - Invalid Priority Group\n");
}

static void overflow_waits_until_there_is_enough(void **state)
{
    struct consumerkit *kit = *state;
    struct consumer *consumer = fill(kit, "overflow");
    consumerkit_pull(kit, consumer, "{\"batch\":9,\"group\":\"g\",\"min_pending\":3}", "p");
    consumerkit_expect(kit, consumer, "p a.x 1/1 x1 +3 1\np a.x 2/2 x1 +2 2\n");
    consumerkit_pull(kit, consumer, "{\"batch\":1,\"group\":\"g\",\"min_ack_pending\":2}", "q");
    consumerkit_expect(kit, consumer, "q a.x 3/3 x1 +1 3\n");
    consumerkit_pull(kit, consumer, "{\"batch\":1,\"group\":\"g\"}", "r");
    consumerkit_expect(kit, consumer, "r a.x 4/4 x1 +0 4\n");
}

static void the_lower_priority_number_comes_first(void **state)
{
    struct consumerkit *kit = *state;
    struct consumer *consumer = fill(kit, "prioritized");
    consumerkit_pull(kit, consumer, "{\"batch\":1,\"group\":\"g\",\"priority\":2}", "late");
    consumerkit_pull(kit, consumer, "{\"batch\":2,\"group\":\"g\",\"priority\":1}", "p");
    consumerkit_pull(kit, consumer, "{\"batch\":1,\"group\":\"g\",\"priority\":1}", "q");
    consumerkit_expect(kit, consumer,
                       "p a.x 1/1 x1 +3 1\nq a.x 2/2 x1 +2 2\np a.x 3/3 x1 +1 3\n"
                       "late a.x 4/4 x1 +0 4\n");
}

// The line of a message that says who is pinned, and the advisory of that.
static void expect_pinned(struct consumerkit *kit, struct consumer *consumer, const char *line)
{
    char lines[512];
    struct consumer_out out;
    assert_true(consumer_poll(consumer, kit->stream->now_ns, &kit->storage, &out));
    assert_int_equal(out.kind, CONSUMER_SEND);
    struct consumer_info info = consumerkit_info(kit, consumer);
    assert_string_equal(info.pinned_group, "g");
    assert_int_equal(strlen(info.pinned_id), 22);
    snprintf(lines, sizeof lines, "NATS/1.0\r\nNats-Pin-Id: %s\r\n\r\n", info.pinned_id);
    assert_true(bytes_equal(out.headers, bytes_of_string(lines)));
    assert_true(bytes_equal(out.body, bytes_of_string(line)));
    snprintf(lines, sizeof lines,
             "! advisory.v1.consumer_group_pinned {\"group\":\"g\",\"pinned_id\":\"%s\"}\n",
             info.pinned_id);
    consumerkit_expect(kit, consumer, lines);
}

static void one_client_is_pinned_until_its_time_is_up(void **state)
{
    struct consumerkit *kit = *state;
    char request[128];
    char pinned[64];
    struct consumer *consumer = fill(kit, "pinned_client");
    consumerkit_pull(kit, consumer, "{\"batch\":1,\"group\":\"g\"}", "p");
    consumerkit_pull(kit, consumer, "{\"batch\":1,\"group\":\"g\"}", "q");
    expect_pinned(kit, consumer, "1");
    snprintf(pinned, sizeof pinned, "%s", consumerkit_info(kit, consumer).pinned_id);
    // The pinned client asks again, which makes its time begin again.
    consumerkit_wait(kit, 900);
    snprintf(request, sizeof request, "{\"batch\":1,\"group\":\"g\",\"id\":\"%s\"}", pinned);
    consumerkit_pull(kit, consumer, request, "p");
    snprintf(request, sizeof request, "p a.x 2/2 x1 +2 2 | | Nats-Pin-Id: %s\n", pinned);
    consumerkit_expect(kit, consumer, request);
    consumerkit_pull(kit, consumer, "{\"batch\":1,\"group\":\"g\",\"id\":\"other\"}", "r");
    consumerkit_expect(kit, consumer, "r 423 Nats-Pin-Id mismatch\n");
    consumerkit_wait(kit, 999);
    consumerkit_expect(kit, consumer, "");
    assert_true(consumer_deadline(consumer, kit->stream->now_ns) ==
                kit->stream->now_ns + MILLISECOND);
    consumerkit_wait(kit, 1);
    struct consumer_out out;
    assert_true(consumer_poll(consumer, kit->stream->now_ns, &kit->storage, &out));
    assert_string_equal(out.type, "advisory.v1.consumer_group_unpinned");
    expect_pinned(kit, consumer, "3");
    assert_string_not_equal(consumerkit_info(kit, consumer).pinned_id, pinned);
}

static void an_unpinned_client_is_told_that_its_turn_is_over(void **state)
{
    struct consumerkit *kit = *state;
    char request[128];
    struct consumer *consumer = fill(kit, "pinned_client");
    consumerkit_pull(kit, consumer, "{\"batch\":1,\"group\":\"g\"}", "p");
    expect_pinned(kit, consumer, "1");
    snprintf(request, sizeof request, "{\"batch\":1,\"group\":\"g\",\"id\":\"%s\"}",
             consumerkit_info(kit, consumer).pinned_id);
    assert_int_equal(consumer_unpin(consumer, BYTES("h"), &kit->err), STATUS_INVALID);
    assert_int_equal(kit->err.protocol_code, 10160);
    assert_int_equal(consumer_unpin(consumer, BYTES("g"), &kit->err), STATUS_OK);
    assert_null(consumerkit_info(kit, consumer).pinned_id);
    consumerkit_pull(kit, consumer, request, "p");
    consumerkit_expect(kit, consumer,
                       "! advisory.v1.consumer_group_unpinned "
                       "{\"group\":\"g\",\"reason\":\"admin\"}\n"
                       "p 423 Nats-Wrong-Pin-Id | Nats-Pending-Messages: 1 | "
                       "Nats-Pending-Bytes: 0\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONSUMER_TEST(a_group_must_be_named_and_known),
        CONSUMER_TEST(overflow_waits_until_there_is_enough),
        CONSUMER_TEST(the_lower_priority_number_comes_first),
        CONSUMER_TEST(one_client_is_pinned_until_its_time_is_up),
        CONSUMER_TEST(an_unpinned_client_is_told_that_its_turn_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
