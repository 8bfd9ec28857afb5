// SPDX-License-Identifier: Apache-2.0
// What a client asks of a consumer that is pulled from: the body of $JS.API.CONSUMER.MSG.NEXT
// (ADR-13), and of "+NXT".
#pragma once

#include "base/errinfo.h"

enum { PULL_GROUP_SIZE = 32, PULL_ID_SIZE = 64 };

struct pull_request {
    int64_t batch;      // at least 1
    int64_t expires_ns; // 0 is without end
    int64_t max_bytes;
    int64_t heartbeat_ns;
    bool no_wait;
    bool is_object; // not a number or nothing: only an object can name a group
    uint64_t min_pending;
    uint64_t min_ack_pending;
    int priority;
    char group[PULL_GROUP_SIZE]; // empty for none
    char id[PULL_ID_SIZE];       // of the pinned client, empty for none
};

// An empty body asks for one message, a number for so many, a JSON object for what it says, and any
// other text for one message, as in nats-server. STATUS_INVALID with the reason for an object that
// is none or has a member that cannot be.
enum status pull_request_read(struct bytes body, struct pull_request *request, struct errinfo *err);

// What stands behind "-NAK": nothing, {"delay": nanoseconds} or a length of time as "5s" or
// "1m2.5s". 0 for at once, and for what cannot be read.
int64_t pull_request_nak_delay(struct bytes argument);
