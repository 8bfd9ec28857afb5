// SPDX-License-Identifier: Apache-2.0
// One client: its socket, what it has told of itself, what it subscribes to, and what is still to
// be written to it.
//
// Invariants
//   Nothing here blocks. What is sent is collected and written once an iteration of the loop, in
//   one call; a client whose unsent bytes pass max_pending is cut off by name.
//   An idle connection owns no buffers: it reads into a scratch space of the server's, and keeps
//   only the beginning of an operation that has not wholly come.
//   connection_close may be called anywhere, also while a message is on its way to the connection:
//   it takes effect at the end of the iteration.
//
// Threads: the loop's.
#pragma once

#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"
#include "server/account.h"
#include "server/auth.h"
#include "wire/parser.h"
#include "wire/proto.h"

#include <uv.h>

// Why a connection ended, as nats-server's monitoring names it.
#define CONNECTION_REASONS(X)                                                                      \
    X(CLIENT, "Client Closed")                                                                     \
    X(AUTH_TIMEOUT, "Authentication Timeout")                                                      \
    X(AUTH, "Authentication Failure")                                                              \
    X(STALE, "Stale Connection")                                                                   \
    X(SLOW_PENDING, "Slow Consumer (Pending Bytes)")                                               \
    X(SLOW_DEADLINE, "Slow Consumer (Write Deadline)")                                             \
    X(WRITE, "Write Error")                                                                        \
    X(READ, "Read Error")                                                                          \
    X(PARSE, "Parse Error")                                                                        \
    X(PROTOCOL, "Protocol Violation")                                                              \
    X(PAYLOAD, "Maximum Message Payload Exceeded")                                                 \
    X(CONTROL_LINE, "Maximum Control Line Exceeded")                                               \
    X(MAX_CONNECTIONS, "Maximum Connections Exceeded")                                             \
    X(MAX_SUBSCRIPTIONS, "Maximum Subscriptions Exceeded")                                         \
    X(SHUTDOWN, "Server Shutdown")                                                                 \
    X(LAME_DUCK, "Server Shutdown")                                                                \
    X(CREDENTIALS, "Credentials Revoked")                                                          \
    X(NO_MEMORY, "Out Of Memory")

enum connection_reason {
#define X(name, text) CONNECTION_##name,
    CONNECTION_REASONS(X)
#undef X
};
const char *connection_reason_text(enum connection_reason reason);

struct connection {
    struct server *server;
    struct account *account;
    const struct auth_user *user; // NULL until it is known, and when nobody has to log in
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } socket;
    struct list link;  // of all connections, or of those that have ended
    struct list dirty; // of those that have something to write
    struct list ended; // of those to be taken down

    struct parser parser;
    struct buf unread;  // the beginning of an operation
    struct buf unsent;  // collected for the next write
    struct buf writing; // with the kernel
    uv_write_t write;
    bool write_active;
    int64_t write_since_ns; // when `writing` was handed over

    uint64_t id;
    char *host; // of the peer
    int port;
    int64_t start_ns;
    int64_t active_ns; // last operation but PING and PONG
    int64_t ping_ns;   // when the last PING was sent
    int64_t rtt_ns;    // 0 until a PONG came
    unsigned pings_out;

    struct connect_options options;
    bool connected; // CONNECT was accepted
    bool closing;
    enum connection_reason reason;

    struct map subscriptions; // struct client_subscription by sid
    uint64_t messages_in;
    uint64_t messages_out;
    uint64_t bytes_in;
    uint64_t bytes_out;
    struct list replies; // subjects that it may answer to (allow_responses)
};

struct client_subscription {
    struct subscription subscription; // its owner is the connection
    uint64_t max;                     // messages after which it ends, 0 for none
    uint64_t delivered;
    struct list ending; // of those to be taken out of the index once nobody walks it
    bool filtered;      // deliveries are checked against what the user may receive
    uint32_t sid_bytes;
    char text[]; // sid, subject, queue
};

static inline struct bytes client_subscription_sid(const struct client_subscription *subscription)
{
    return bytes_of(subscription->text, subscription->sid_bytes);
}

// Takes over a socket that was accepted; INFO is on its way when this returns.
void connection_open(struct server *server, uv_stream_t *listener);

// Sends what is collected and ends the connection at the end of the iteration.
void connection_close(struct connection *connection, enum connection_reason reason);

// The same with "-ERR '<text>'" as its last word.
void connection_fail(struct connection *connection, enum connection_reason reason,
                     const char *text);

// Where to append what is to be sent: call connection_touch after it.
struct buf *connection_output(struct connection *connection);
void connection_touch(struct connection *connection);

size_t connection_pending(const struct connection *connection); // unsent bytes

// Writes what was collected; at the end of an iteration.
void connection_flush(struct connection *connection);

// Frees one that has ended; its handle is closed first, so this takes effect later.
void connection_finish(struct connection *connection);

// What the server does each second: PINGs, stale connections, stuck writes, late logins.
void connection_tick(struct connection *connection, int64_t now_ns);

// client.c: one operation of a client. Never called on a closing connection.
void client_operation(struct connection *connection, const struct parser_op *op);

// What cannot be read ends the connection.
void client_parse_error(struct connection *connection, const struct parser_op *op);

// A message for one of its subscriptions; false when it may not have it.
bool client_deliver(struct client_subscription *subscription, const struct message *message);

void client_drop_subscription(struct client_subscription *subscription);
void client_forget_replies(struct connection *connection);
