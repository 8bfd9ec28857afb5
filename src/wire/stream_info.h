// SPDX-License-Identifier: Apache-2.0
// What JetStream's API says of a stream: configuration, time of creation, state. Written by whoever
// serves or shows a stream, read by whoever asks a server for one.
#pragma once

#include "wire/stream_config.h"

struct stream_info {
    struct stream_config config;
    int64_t created_ns;
    struct stream_state state;
};

// What a stream info says beyond that, for who asks.
struct stream_info_details {
    const uint64_t *deleted; // sequences that are gone
    size_t deleted_count;
    struct bytes subjects; // a JSON object of subjects and their numbers of messages, or empty
    struct bytes more;     // further members, each behind a comma, or empty
};

// The JSON of a stream info; details may be NULL. What is zero and need not be there is left out,
// as nats-server does; a time that is 0 is its zero time, 0001-01-01T00:00:00Z. STATUS_INVALID for
// a configuration that is not UTF-8.
enum status stream_info_to_json(const struct stream_info *info,
                                const struct stream_info_details *details, struct buf *out);

// The same without the braces, to stand among other members.
enum status stream_info_put_members(const struct stream_info *info,
                                    const struct stream_info_details *details, struct buf *out);

// "state":{...} alone; details may be NULL.
void stream_info_put_state(const struct stream_state *state,
                           const struct stream_info_details *details, struct buf *out);

// Reads a stream info, or a response that has one in it; replaces what info holds. Missing numbers
// are 0. STATUS_INVALID when it is no stream info.
enum status stream_info_from_json(struct stream_info *info, struct bytes json, struct errinfo *err);
