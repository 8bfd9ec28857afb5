// SPDX-License-Identifier: Apache-2.0
// An account: who subscribes to what, and the way of a message to everybody who wants it. What one
// account publishes is never seen by another.
//
// Receivers are of two kinds: connections, and services of this process (JetStream's API, a stream
// that listens, a system request), which get the message as a call.
//
// Threads: the loop's.
#pragma once

#include "base/list.h"
#include "server/sublist.h"

struct account;
struct connection;
struct server;

// What is on its way. Views are borrowed for the call.
struct message {
    struct bytes subject;
    struct bytes reply;
    struct bytes headers;
    struct bytes body;
};

// What became of a message.
struct route {
    size_t receivers;
    bool congested; // one of them has much unsent already: come back when it has drained
};

// A service's part of the account. The handler says whether it took the message; one that nobody
// takes has no responders. `from` is NULL when the server itself has sent it.
struct service;
typedef bool (*service_handler)(struct service *service, const struct message *message,
                                struct connection *from);
struct service {
    struct subscription subscription; // its subject points to `subject`
    service_handler handler;
    void *context;
    char *subject;
    struct account *account;
};

enum status account_new(struct account **out, struct server *server, const char *name);
void account_free(struct account *account); // takes NULL; no subscription is left by then

const char *account_name(const struct account *account);
struct server *account_server(const struct account *account);
struct sublist *account_subscriptions(struct account *account);

// Adds a service to an account; it must stay where it is until it is removed.
enum status account_serve(struct account *account, struct service *service, const char *subject,
                          service_handler handler, void *context);
void account_unserve(struct service *service); // safe on one that was never added

// Sends a message to everybody who subscribes to `to`, which is the message's subject but for what
// a consumer delivers. `from` is the connection that published it, or NULL.
struct route account_send(struct account *account, struct bytes to, const struct message *message,
                          struct connection *from);

// The same to the message's own subject, from the server itself.
struct route account_publish(struct account *account, const struct message *message);

// The same, but only what that connection itself subscribes to gets it.
void account_publish_to(struct account *account, const struct message *message,
                        struct connection *only);

bool account_has_interest(struct account *account, struct bytes subject);

// Called when somebody subscribes or unsubscribes: consumers that push, and pulls that wait, hang
// on whether anybody listens.
typedef void (*account_interest_changed)(void *context, struct bytes subject);
void account_watch_interest(struct account *account, account_interest_changed changed,
                            void *context);

// A connection's subscriptions.
enum status account_subscribe(struct account *account, struct subscription *subscription);
void account_unsubscribe(struct account *account, struct subscription *subscription);

struct account_numbers {
    uint64_t messages_in;
    uint64_t messages_out;
    uint64_t bytes_in;
    uint64_t bytes_out;
    uint64_t slow_consumers;
    uint64_t connections;
    uint64_t connections_total;
};
struct account_numbers *account_numbers(struct account *account);
