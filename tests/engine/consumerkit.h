// SPDX-License-Identifier: Apache-2.0
// What the tests of consumers share: a stream with consumers in a simulated host, a world in which
// subjects are heard or not, and what a consumer sends as text.
#pragma once

#include "engine/consumer.h"
#include "streamkit.h"

#define CONSUMER_TEST(name)                                                                        \
    cmocka_unit_test_setup_teardown(name, consumerkit_setup, consumerkit_teardown)

enum { MILLISECOND = 1000000, DEAF_MAX = 4 };

struct consumerkit {
    struct streamkit *stream;
    struct consumer_world world;
    const char *deaf[DEAF_MAX]; // subjects that nobody listens to; all others are heard
    uint64_t random;
    struct buf storage;
    struct buf sent;
    struct errinfo err;
};

int consumerkit_setup(void **state);
int consumerkit_teardown(void **state);

// Makes and opens the stream of a configuration in JSON, and its consumers.
void consumerkit_create(struct consumerkit *kit, const char *json);
void consumerkit_reopen(struct consumerkit *kit); // what is not committed is lost
void consumerkit_commit(struct consumerkit *kit); // stream and consumers
void consumerkit_wait(struct consumerkit *kit, int64_t ms);

// Publishes and commits.
void consumerkit_put(struct consumerkit *kit, const char *subject, const char *body);

enum status consumerkit_try(struct consumerkit *kit, const char *json, enum consumer_action action,
                            struct consumer_made *made);
struct consumer *consumerkit_make(struct consumerkit *kit, const char *json); // expected to work
struct consumer *consumerkit_find(struct consumerkit *kit, const char *name);
// Expects the making of a consumer to be refused.
void consumerkit_refused(struct consumerkit *kit, const char *json, int code, const char *text);

void consumerkit_pull(struct consumerkit *kit, struct consumer *consumer, const char *body,
                      const char *reply);
// Acknowledges a sequence of the stream, as delivered for the first time.
enum status consumerkit_ack(struct consumerkit *kit, struct consumer *consumer, uint64_t seq,
                            const char *payload);

// Expects the consumer to send this now, and nothing else. One line each:
//   in a.x 3/1 x2 +4 body     to "in": subject, sequence/consumer sequence, deliveries, left, body
//   in 404 No Messages        a status, further header lines behind " | "
//   in 100 FlowControl Request ->   one that awaits an answer
//   ! advisory.v1.nak {...}   an advisory, the stream and consumer left out
//   gone
void consumerkit_expect(struct consumerkit *kit, struct consumer *consumer, const char *lines);

struct consumer_info consumerkit_info(struct consumerkit *kit, struct consumer *consumer);
