// SPDX-License-Identifier: Apache-2.0
// What a server says to its clients (the NATS client protocol), and what they tell of themselves in
// CONNECT. The buf's own status says whether all of it fitted.
#pragma once

#include "base/buf.h"
#include "base/errinfo.h"

// A message for one subscription: MSG, or HMSG when it has headers.
struct proto_message {
    struct bytes subject;
    struct bytes sid;
    struct bytes reply;
    struct bytes headers;
    struct bytes body;
};
void proto_put_message(struct buf *out, const struct proto_message *message);

void proto_put_ok(struct buf *out);
void proto_put_error(struct buf *out, const char *text); // without quotes around it
void proto_put_ping(struct buf *out);
void proto_put_pong(struct buf *out);

// Strings may be NULL where they are not known.
struct server_info {
    const char *server_id;
    const char *server_name;
    const char *version; // of nats-server, which clients compare
    const char *agog_version;
    const char *host;
    int port;
    int64_t max_payload;
    uint64_t client_id;
    const char *client_ip;
    const char *connect_url; // "host:port" that clients may also use
    const char *domain;
    bool auth_required;
    bool jetstream;
    bool lame_duck;
};
void proto_put_info(struct buf *out, const struct server_info *info);

// Strings are owned; NULL when CONNECT does not say.
struct connect_options {
    bool verbose;
    bool pedantic;
    bool echo;
    bool headers;
    bool no_responders;
    bool tls_required;
    int protocol;
    char *name;
    char *lang;
    char *version;
    char *user;
    char *password;
    char *token;
};

void connect_options_init(struct connect_options *options); // verbose, pedantic and echo are true
void connect_options_fini(struct connect_options *options);

// Reads CONNECT's JSON into initialised options. Unknown members are ignored; STATUS_INVALID names
// a member of the wrong type.
enum status connect_options_read(struct connect_options *options, struct bytes json,
                                 struct errinfo *err);
