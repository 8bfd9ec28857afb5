// SPDX-License-Identifier: Apache-2.0
// What a server says to its clients (the NATS client protocol), and what they tell of themselves in
// CONNECT. Everything is appended to a buf, whose own status says whether all of it fitted: what
// does not fit is left out whole.
#pragma once

#include "base/buf.h"
#include "base/errinfo.h"

// A message for one subscription: "MSG subject sid [reply] bytes", or "HMSG subject sid [reply]
// header-bytes bytes" when it has headers. The texts of the line are the caller's to have checked.
struct proto_message {
    struct bytes subject;
    struct bytes sid;
    struct bytes reply;
    struct bytes headers;
    struct bytes body;
};
void proto_put_message(struct buf *out, const struct proto_message *message);

// The line alone, for who writes headers, body and the CR LF behind them from elsewhere.
void proto_put_message_line(struct buf *out, const struct proto_message *message);

void proto_put_ok(struct buf *out);
void proto_put_ping(struct buf *out);
void proto_put_pong(struct buf *out);

// -ERR 'text'. What would break out of the line is written as "?".
void proto_put_error(struct buf *out, const char *text);

// INFO. Strings may be NULL where they are not known; they, false and 0 are left out, but for what
// clients expect always. It says that headers are understood and that the protocol is 1.
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
    const char *nonce; // to be signed with an NKey
    int api_level;     // of JetStream (ADR-44)
    bool auth_required;
    bool tls_required;
    bool tls_available;
    bool jetstream;
    bool lame_duck;
    bool connect_info; // this INFO answers a CONNECT
    bool system_account;
};
void proto_put_info(struct buf *out, const struct server_info *info);

// CONNECT's members. Strings are owned, and NULL when it does not say.
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
    char *password; // "pass"
    char *token;    // "auth_token"
    char *nkey;
    char *jwt;
    char *sig;
};

void connect_options_init(struct connect_options *options); // verbose, pedantic and echo are true
void connect_options_fini(struct connect_options *options);

// Reads CONNECT's JSON and replaces what initialised options hold; on failure they stay as they
// are. As nats-server does, it ignores unknown members, those that are null, and the letter case of
// their names. STATUS_INVALID names a member of the wrong type; text with NUL, or that is not
// UTF-8, is refused.
enum status connect_options_read(struct connect_options *options, struct bytes json,
                                 struct errinfo *err);
