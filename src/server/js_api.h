// SPDX-License-Identifier: Apache-2.0
// One request of JetStream's API ($JS.API.>). A handler appends the fields of its answer, each
// beginning with a comma, or returns a status with the errinfo filled: the frame around it, and
// when it is sent, are the dispatcher's (js_api.c).
#pragma once

#include "server/jetstream.h"

#include <jansson.h>

enum { JS_API_TOKENS_MAX = 4 };

struct js_call {
    struct jetstream *js;
    struct bytes tokens[JS_API_TOKENS_MAX]; // what the pattern's wildcards stand for
    const struct message *message;          // its subject is without the domain's prefix
    json_t *request;                        // an object; NULL when the body is empty
    struct buf out;
    const char *type;         // of the answer
    struct js_stream *commit; // answer after this stream's commit; NULL: at once
    struct js_stream *again;  // not found: look again after this stream's commit
    bool answered;            // the handler has sent, or will send, what is to be sent
};

typedef enum status (*js_api_handler)(struct js_call *call, struct errinfo *err);

enum js_api_body {
    JS_BODY_IGNORED,
    JS_BODY_OPTIONAL, // a JSON object or nothing
    JS_BODY_NEEDED,
    JS_BODY_RAW,  // the handler reads it itself
    JS_BODY_NONE, // anything is an error
};

struct js_route {
    const char *pattern; // behind "$JS.API."
    const char *type;    // "io.nats.jetstream.api.v1.<type>"
    enum js_api_body body;
    js_api_handler handler;
};

// Each file's routes; the dispatcher walks these tables.
extern const struct js_route js_stream_routes[];
extern const size_t js_stream_route_count;
extern const struct js_route js_message_routes[];
extern const size_t js_message_route_count;
extern const struct js_route js_consumer_routes[];
extern const size_t js_consumer_route_count;
// The stream that the first token names; 10059.
enum status js_call_stream(struct js_call *call, struct js_stream **stream, struct errinfo *err);

// Members of the request. Missing ones leave *to as it is; STATUS_INVALID (10025) names what is of
// the wrong type. Strings are borrowed from the request.
enum status js_call_u64(const struct js_call *call, const char *key, uint64_t *to,
                        struct errinfo *err);
enum status js_call_bool(const struct js_call *call, const char *key, bool *to,
                         struct errinfo *err);
enum status js_call_string(const struct js_call *call, const char *key, struct bytes *to,
                           struct errinfo *err);

// The paging that lists share: which part of `total` elements starts at the request's offset.
struct js_page {
    size_t total;
    size_t from;
    size_t to; // behind the last
    size_t limit;
};
enum status js_call_page(const struct js_call *call, size_t total, size_t limit,
                         struct js_page *page, struct errinfo *err);
void js_call_put_page(struct js_call *call, const struct js_page *page);
