// SPDX-License-Identifier: Apache-2.0
// What the engine's tests share: a stream in a simulated host, and short forms of its calls that
// fail the test when something unexpected comes back.
#pragma once

#include "engine/engine.h"
#include "engine/jserror.h"
#include "simhost.h"

enum { SECOND = 1000000000 };

struct streamkit {
    struct simhost *sim;
    struct stream *stream;
    struct buf storage; // of the last message that was read
    struct buf headers; // of the message that is built
    struct errinfo err;
    int64_t now_ns;
};

// cmocka's setup and teardown; the state is a struct streamkit without a stream.
int streamkit_setup(void **state);
int streamkit_teardown(void **state);

// Makes and opens the stream of a configuration in JSON.
void streamkit_create(struct streamkit *kit, const char *json);
void streamkit_reopen(struct streamkit *kit); // what is not committed is lost
void streamkit_update(struct streamkit *kit, const char *json);

// A configuration in JSON; the caller finishes it.
void streamkit_config(struct stream_config *config, const char *json);

// Stages a message, with one header when name is not NULL. The ack counts only with STATUS_OK.
enum status streamkit_try(struct streamkit *kit, const char *subject, const char *body,
                          const char *header, struct stream_ack *ack);
// The same, expected to succeed and to be no duplicate; commits. Returns the sequence.
uint64_t streamkit_put(struct streamkit *kit, const char *subject, const char *body);

// Expects the failure that was just returned to have had this code and text.
void streamkit_expect_error(const struct streamkit *kit, int code, const char *text);

// Expects a message to be there with that body, or not to be there when body is NULL.
void streamkit_expect(struct streamkit *kit, uint64_t seq, const char *body);
void streamkit_expect_last(struct streamkit *kit, const char *pattern, const char *body);

struct stream_state streamkit_state(const struct streamkit *kit);
void streamkit_commit(struct streamkit *kit);
