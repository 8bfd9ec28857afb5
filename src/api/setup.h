// SPDX-License-Identifier: Apache-2.0
// What a bus needs before reports can be handed over on it: the streams of all agents, the
// registry, the revision counters and the stream of events. `agog init`, and the first publish,
// make it.
#pragma once

#include "base/errinfo.h"
#include "bus/bus.h"

// Makes whatever is missing, changes nothing that is there.
enum status setup_make(struct bus *bus, struct errinfo *err);

struct setup_finding {
    const char *stream;
    bool created;
    bool repaired;
    char drift[512];    // how it differs from what it should be, "" when it does not
    uint64_t bytes_max; // what the stream may take, 0 without limit
};
typedef void (*setup_visit)(void *context, const struct setup_finding *finding);

// Makes what is missing and compares what is there, field by field. With repair, drift is mended
// where JetStream allows the change; what it does not allow is an error that says what to do.
enum status setup_check(struct bus *bus, bool repair, setup_visit visit, void *context,
                        struct errinfo *err);
