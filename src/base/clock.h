// SPDX-License-Identifier: Apache-2.0
// Time, for the rooms that may look at a clock; the others take it as an argument.
#pragma once

#include "base/bytes.h"

int64_t clock_realtime_ns(void);  // since 1970, UTC
int64_t clock_monotonic_ns(void); // since some point, never backwards; for durations

// Lets at least that much time pass.
void clock_pause(uint32_t ms);

enum { CLOCK_RFC3339_SIZE = 36 };

// "2026-11-23T09:41:07.123456789Z" (RFC 3339, as NATS writes it: no fraction when it is zero,
// trailing zeros of the fraction left out), with a NUL. Returns out.
const char *clock_format(int64_t time_ns, char out[CLOCK_RFC3339_SIZE]);

// The same to the second, for people and for notices.
const char *clock_format_seconds(int64_t time_ns, char out[CLOCK_RFC3339_SIZE]);

// Reads RFC 3339 with up to 9 fraction digits and Z or an offset; false for anything else and for
// years outside 1970 to 2261, which nanoseconds cannot hold.
bool clock_parse(struct bytes text, int64_t *time_ns);
