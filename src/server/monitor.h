// SPDX-License-Identifier: Apache-2.0
// What the server says of itself, as JSON in nats-server's fields: for the monitoring port and for
// $SYS.REQ.SERVER requests, which have the same answers.
#pragma once

#include "base/buf.h"
#include "base/errinfo.h"

struct server;

// The options of one request: gives the text of a key, or NULL.
struct monitor_query {
    const char *(*get)(void *context, const char *key);
    void *context;
};

// Appends the answer. STATUS_INVALID for an option that cannot be read, STATUS_UNHEALTHY when the
// answer says that something is wrong.
typedef enum status (*monitor_answer)(struct server *server, const struct monitor_query *query,
                                      struct buf *out, struct errinfo *err);

struct monitor_page {
    const char *name; // "varz"
    monitor_answer answer;
};

// The page of a name, or NULL. Walking: index from 0, NULL at the end.
const struct monitor_page *monitor_find(const char *name);
const struct monitor_page *monitor_page_at(size_t index);

// The pages that have files of their own.
enum status monitor_connz(struct server *server, const struct monitor_query *query, struct buf *out,
                          struct errinfo *err);
enum status monitor_subsz(struct server *server, const struct monitor_query *query, struct buf *out,
                          struct errinfo *err);
enum status monitor_jsz(struct server *server, const struct monitor_query *query, struct buf *out,
                        struct errinfo *err);

// What pages share: options, and forms of values. A missing option leaves *to as it is.
enum status monitor_query_number(const struct monitor_query *query, const char *key, uint64_t *to,
                                 struct errinfo *err);
enum status monitor_query_switch(const struct monitor_query *query, const char *key, bool *to,
                                 struct errinfo *err);
void monitor_put_head(struct server *server, struct buf *out); // "server_id" and "now"
void monitor_put_string(struct buf *out, const char *key, const char *value);
void monitor_put_time(struct buf *out, const char *key, int64_t time_ns);
// A length of time as nats-server writes it: "1d2h3m4s".
void monitor_put_span(struct buf *out, const char *key, int64_t span_ns);
