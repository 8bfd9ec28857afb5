// SPDX-License-Identifier: Apache-2.0
// Which messages a get asks for ($JS.API.STREAM.MSG.GET and $JS.API.DIRECT.GET, ADR-31).
#pragma once

#include "base/errinfo.h"
#include "engine/stream.h"

#include <jansson.h>

enum { GET_REQUEST_PATTERNS_MAX = 1024 };

// Strings are borrowed from the JSON.
struct get_request {
    uint64_t seq;
    struct bytes last_by_subject;
    struct bytes next_by_subject;
    const json_t *multi_last; // an array of strings, or NULL
    bool has_start_time;
    int64_t start_time_ns;
    uint64_t batch;
    uint64_t max_bytes;
    uint64_t up_to_seq;
    bool has_up_to_time;
    int64_t up_to_time_ns;
    bool no_headers;
};

// STATUS_INVALID (10025) naming the member that is of the wrong type.
enum status get_request_read(const json_t *json, struct get_request *request, struct errinfo *err);

// Whether nothing is asked for, and whether what is asked for contradicts itself.
bool get_request_is_empty(const struct get_request *request);
bool get_request_conflicts(const struct get_request *request);

// The message of a request without batch, read into storage; 10037.
enum status get_request_find(const struct get_request *request, struct stream *stream,
                             struct buf *storage, struct msglog_message *message,
                             struct errinfo *err);

// The first sequence that a start (a sequence or a time) allows; above the last one when none is.
uint64_t get_request_start(const struct get_request *request, struct stream *stream);
