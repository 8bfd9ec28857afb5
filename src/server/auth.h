// SPDX-License-Identifier: Apache-2.0
// Who a connection is and what it may do: the users of the settings, compiled. A connection holds
// one const struct auth_user; NULL stands for somebody who may do everything in $G, because nobody
// has to log in. The rules are nats-server's:
//
//   Publishing needs an allowed subject, where there is a list of them, and no denied one.
//   Subscribing needs an allowed pattern that covers the whole subject, and no denied one that
//   does. A denied subject inside an allowed subscription ("a.*" with "a.b" denied) does not refuse
//   it: its messages are filtered on delivery.
//   An entry "subject queue" counts only for members of queue groups that the second pattern
//   matches.
//
// One difference, on purpose: nats-server lets the allowed pattern "*" cover a subscription to ">",
// we do not.
//
// An auth borrows nothing from the options. After a reload make a new one, move each connection
// with auth_find_again, then free the old one. Loop thread alone; auth_check computes up to
// AUTH_BCRYPT_COST_MAX rounds (about 0.2 s at cost 12) when it sees a bcrypt password for the first
// time, or a wrong one.
#pragma once

#include "server/options.h"

enum { AUTH_BCRYPT_COST_MAX = 15 };

struct auth;
struct auth_user;

// What CONNECT says; empty where it says nothing.
struct auth_credentials {
    struct bytes user, password, token;
};

// allow_responses: so many messages to the reply subject of each message that was delivered.
struct auth_responses {
    int64_t max;        // below 0 without limit
    int64_t expires_ns; // below 0 never
};

// STATUS_INVALID for a digest that cannot be checked, with the user's name.
enum status auth_new(struct auth **out, const struct server_options *options, struct errinfo *err);
void auth_free(struct auth *auth);

// What INFO says, and whether anything but CONNECT may come first. NULL requires nothing.
bool auth_is_required(const struct auth *auth);

// The user of a connection until its CONNECT is checked, and of one that never sends it where
// auth_is_required is false: no_auth_user, or NULL.
const struct auth_user *auth_default_user(const struct auth *auth);

// Whether these credentials let a connection in, and as whom; *user is untouched when not.
bool auth_check(struct auth *auth, const struct auth_credentials *credentials,
                const struct auth_user **user);

// The same user with the same password after a reload, in *user; false: the connection must go.
bool auth_find_again(const struct auth *fresh, const struct auth_user *old,
                     const struct auth_user **user);

const char *auth_name(const struct auth_user *user); // "" for NULL and for a token
bool auth_is_system(const struct auth_user *user);

bool auth_may_publish(const struct auth_user *user, struct bytes subject);
bool auth_may_subscribe(const struct auth_user *user, struct bytes subject, struct bytes queue);

// Whether messages of such a subscription, which is allowed, must each be asked about on delivery.
bool auth_filters_delivery(const struct auth_user *user, struct bytes subject, struct bytes queue);
// Whether a message on this subject may be delivered to a member of queue (or without one).
bool auth_may_deliver(const struct auth_user *user, struct bytes subject, struct bytes queue);

// False when the user may not answer beyond what it may publish.
bool auth_responses_get(const struct auth_user *user, struct auth_responses *responses);

// The texts of -ERR, without quotes around them: Permissions Violation for Publish to "x".
enum auth_violation { AUTH_PUBLISH, AUTH_PUBLISH_REPLY, AUTH_SUBSCRIBE };
void auth_put_violation(struct buf *out, enum auth_violation violation, struct bytes subject,
                        struct bytes queue);
