// SPDX-License-Identifier: Apache-2.0
// The bus that runs the engine in this process, on a store in one directory, with nothing else
// running. The store's lock is taken at the first operation and kept until bus_close; only a follow
// that waits gives it back meanwhile, so that other processes can write what it waits for.
#pragma once

#include "bus/bus.h"

struct bus_embedded_options {
    const char *home;     // the store's directory
    bool create;          // make the store when it is not there
    int64_t lock_wait_ms; // how long another process may hold the lock before STATUS_BUSY
    const char *holder;   // what this process is, for those who wait ("publish", "serve")
};

// STATUS_NOT_FOUND when there is no store and create is false.
enum status bus_embedded_open(const struct bus_embedded_options *options, struct bus **out,
                              struct errinfo *err);

enum { BUS_EMBEDDED_URL_SIZE = 512 };

// The URL of the server that says it holds the store, as its lock file has it; the server may be
// gone. False when the last holder was none.
bool bus_embedded_server_url(const char *home, char url[BUS_EMBEDDED_URL_SIZE]);
