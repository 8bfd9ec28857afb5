// SPDX-License-Identifier: Apache-2.0
// Where NATS is and who we are there. Each setting is taken from what was given, else from the NATS
// context that was named, else from the environment: NATS_URL NATS_USER NATS_PASSWORD NATS_TOKEN
// NATS_CREDS NATS_NKEY NATS_CA NATS_CERT NATS_KEY. Ways to log in do not mix: whoever gives one of
// them uses none of the sources behind it.
//
// A context is a file of the NATS command line tool, ~/.config/nats/context/NAME.json (below
// XDG_CONFIG_HOME when that is set).
#pragma once

#include "base/errinfo.h"

struct bus_nats_options;

// Everything may be NULL.
struct login_given {
    const char *url; // several with commas between them
    const char *context;
    const char *user;
    const char *password;
    const char *password_file; // its first line, so that a password need not be an argument
    const char *token;
    const char *token_file;
    const char *creds; // paths from here on, but for nkey, which may also be the seed
    const char *nkey;
    const char *ca;
    const char *cert;
    const char *key;
    bool tls_first;
    bool ignore_environment;
};

struct login;

// *out stays NULL when nothing says where NATS is. STATUS_USAGE when a way to log in is given and
// no place, STATUS_NOT_FOUND for an unknown context, with the nearest name.
enum status login_find(const struct login_given *given, struct login **out, struct errinfo *err);
void login_free(struct login *login); // takes NULL; leaves no secret in memory

// Fills in the options, which borrow from the login.
void login_apply(const struct login *login, struct bus_nats_options *options);
