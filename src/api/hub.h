// SPDX-License-Identifier: Apache-2.0
// One opened agog: where its home is, which bus it works on, who is asking. Behind include/agog.h
// and under every command.
#pragma once

#include "base/errinfo.h"
#include "bus/bus.h"
#include "deliver/registry.h"

struct hub_options {
    const char *home;     // --home; NULL takes AGOG_HOME, else the nearest .agog, else ~/.agog
    const char *author;   // --as; NULL takes AGOG_AGENT, else user@host
    int64_t lock_wait_ms; // negative takes LIMIT_LOCK_WAIT_MS
    const char *command;  // what holds the lock, for whoever waits; NULL is "libagog"
};

struct hub;

// Finds the home; opens nothing yet and creates nothing.
enum status hub_open(const struct hub_options *options, struct hub **out, struct errinfo *err);
void hub_close(struct hub *hub); // takes NULL

const char *hub_home(const struct hub *hub);
const char *hub_author(const struct hub *hub);
int64_t hub_lock_wait_ms(const struct hub *hub);

enum hub_need {
    HUB_READ,       // a store must be there: STATUS_NOT_FOUND says how to make one
    HUB_MAKE_STORE, // a missing store is created, with nothing in it
    HUB_CREATE,     // a missing store is created with everything `agog init` makes
};

// The bus, opened at the first call. Borrowed from the hub.
enum status hub_bus(struct hub *hub, enum hub_need need, struct bus **bus, struct errinfo *err);

// The registry, read at the first call. Borrowed from the hub until hub_forget_registry.
enum status hub_registry(struct hub *hub, enum hub_need need, const struct registry **registry,
                         struct errinfo *err);
void hub_forget_registry(struct hub *hub);
