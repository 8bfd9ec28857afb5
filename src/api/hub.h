// SPDX-License-Identifier: Apache-2.0
// One opened agog: where its home is, which bus it works on, who is asking. Behind include/agog.h
// and under every command.
#pragma once

#include "api/home.h"
#include "api/login.h"
#include "base/errinfo.h"
#include "bus/bus.h"
#include "deliver/registry.h"

struct hub_options {
    const char *home;     // --home; NULL takes AGOG_HOME, else the nearest .agog, else ~/.agog
    const char *author;   // --as; NULL takes AGOG_AGENT, else user@host
    int64_t lock_wait_ms; // negative takes LIMIT_LOCK_WAIT_MS
    const char *command;  // what holds the lock, for whoever waits; NULL is "libagog"
    // Where NATS is, if the work is to be done there. A home that is given goes before a NATS_URL
    // that merely stands in the environment.
    struct login_given nats;
};

struct hub;

// Finds the home and the server, if there is to be one; opens nothing yet and creates nothing.
enum status hub_open(const struct hub_options *options, struct hub **out, struct errinfo *err);
void hub_close(struct hub *hub); // takes NULL

const char *hub_home(const struct hub *hub);
bool hub_is_remote(const struct hub *hub);

// Whether the store at home is held by an `agog serve` that answers, and is reached through it.
bool hub_is_served(struct hub *hub); // the bus is on a server; the store at home is not used
const char *hub_author(const struct hub *hub);
int64_t hub_lock_wait_ms(const struct hub *hub);

enum hub_need {
    HUB_READ,       // a store must be there: STATUS_NOT_FOUND says how to make one; on a server,
                    // where reading makes nothing either, the call that needs a stream says it
    HUB_MAKE_STORE, // a missing store is created, with nothing in it
    HUB_CREATE,     // a missing store is created with everything `agog init` makes
};

// The bus, opened at the first call. Borrowed from the hub.
enum status hub_bus(struct hub *hub, enum hub_need need, struct bus **bus, struct errinfo *err);

// The directory for what is made from the bus and can be made anew: the home, or for a server,
// whose streams the home knows nothing of, one in the user's cache.
enum status hub_cache(struct hub *hub, char path[HOME_PATH_SIZE], struct errinfo *err);

// The registry, read at the first call. Borrowed from the hub until hub_forget_registry.
enum status hub_registry(struct hub *hub, enum hub_need need, const struct registry **registry,
                         struct errinfo *err);
void hub_forget_registry(struct hub *hub);
