// SPDX-License-Identifier: Apache-2.0
// What JetStream's API says of a consumer (nats-server's ConsumerInfo).
#pragma once

#include "wire/consumer_config.h"

struct consumer_place {
    uint64_t consumer_seq;
    uint64_t stream_seq;
    int64_t active_ns; // 0 when nothing was delivered or acknowledged yet
};

struct consumer_info {
    const char *stream;
    const char *name;
    int64_t created_ns;
    const struct consumer_config *config; // NULL leaves it out
    struct consumer_place delivered;
    struct consumer_place ack_floor;
    uint64_t ack_pending;
    uint64_t redelivered;
    uint64_t waiting;
    uint64_t pending;
    bool push_bound;
    int64_t pause_remaining_ns; // 0 when it is not paused
    const char *pinned_group;   // of a pinned consumer, NULL for none
    const char *pinned_id;
    int64_t pinned_ns;
    int64_t now_ns;
};

// Appends the members, without braces.
enum status consumer_info_put_members(const struct consumer_info *info, struct buf *out);
