// SPDX-License-Identifier: Apache-2.0
// What every implementation of bus.h must do. One suite, run for each of them.
#pragma once

#include "bus/bus.h"

// How the suite gets at one implementation.
struct conformance_bus {
    const char *name;
    void *(*make)(void);                      // a fresh, empty place: a directory, a server
    const char *(*address)(void *place);      // what another process finds it by
    struct bus *(*open)(const char *address); // one more client of it
    void (*remove)(void *place);
    int replicas;      // of each stream; 0 is the default
    bool both_may_win; // of two who compare and set at once: nats-server before 2.11 in a cluster
};

// One client at a time; several threads and processes together; key-value buckets. Each is a test
// program's main: the number of failed tests comes back. Those that take the arguments start their
// own program again for each of the other processes (a fork alone does not do: libraries
// keep threads).
int conformance_run(const struct conformance_bus *implementation);
int conformance_together_run(const struct conformance_bus *implementation, int argc, char **argv);
int conformance_kv_run(const struct conformance_bus *implementation, int argc, char **argv);
