// SPDX-License-Identifier: Apache-2.0
// What every implementation of bus.h must do. One suite, run for each of them.
#pragma once

#include "bus/bus.h"

// How the suite gets at one implementation.
struct conformance_bus {
    const char *name;
    void *(*make)(void);              // a fresh, empty place: a directory, a server
    struct bus *(*open)(void *place); // one more client of it; also called in other processes
    void (*remove)(void *place);
};

// One client at a time; several threads and processes together. Each is a test program's main: the
// number of failed tests comes back.
int conformance_run(const struct conformance_bus *implementation);
int conformance_together_run(const struct conformance_bus *implementation);
