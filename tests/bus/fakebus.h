// SPDX-License-Identifier: Apache-2.0
// A bus in memory, for tests of what stands above bus.h: streams, publishes with an expected
// last sequence, reads, deletes and purges behave as bus.h says. It has no limits, no duplicates'
// window and no followers; time stands still until it is moved. One thread at a time.
#pragma once

#include "bus/bus.h"

struct bus *fakebus_new(void); // bus_close frees it; NULL without memory

// The time of the next messages and streams; it starts at 1,000,000,000 s and every message is a
// millisecond after the one before.
void fakebus_set_time(struct bus *bus, int64_t time_ns);

// Every call of get after the next `count` ones fails with this status; STATUS_OK ends that.
void fakebus_fail_get(struct bus *bus, size_t count, enum status status);

// Reading the message fails with STATUS_CORRUPT from now on.
void fakebus_damage(struct bus *bus, const char *stream, uint64_t seq);

// Called at every bus_rest, with the bus free for use; NULL ends that.
void fakebus_on_rest(struct bus *bus, void (*call)(void *context), void *context);

uint64_t fakebus_gets(const struct bus *bus); // calls of get so far
