// SPDX-License-Identifier: Apache-2.0
// What a bus needs before reports can be handed over on it: the streams of all agents, the
// registry, the revision counters and the stream of events. `agog init`, and the first publish,
// make it.
#pragma once

#include "base/errinfo.h"
#include "bus/bus.h"

// Makes whatever is missing, changes nothing that is there.
enum status setup_make(struct bus *bus, struct errinfo *err);

enum setup_mode {
    SETUP_LOOK,   // changes nothing
    SETUP_MAKE,   // makes what is missing
    SETUP_REPAIR, // and changes what differs, where JetStream allows it
};

enum setup_state { SETUP_OK, SETUP_MISSING, SETUP_CREATED, SETUP_DIFFERS, SETUP_REPAIRED };

struct setup_finding {
    const char *stream;
    enum setup_state state;
    char drift[512];    // how it differs, or differed, from what it should be; "" when it does not
    uint64_t bytes_max; // what the stream may take, 0 without limit
};
typedef void (*setup_visit)(void *context, const struct setup_finding *finding);

// The word for people and machines: "ok", "missing", "created", "differs", "repaired".
const char *setup_state_name(enum setup_state state);

// Compares every stream with what it should be, field by field. A difference that JetStream does
// not allow to mend is an error that says what to do.
enum status setup_check(struct bus *bus, enum setup_mode mode, setup_visit visit, void *context,
                        struct errinfo *err);
