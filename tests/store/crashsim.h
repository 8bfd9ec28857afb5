// SPDX-License-Identifier: Apache-2.0
// A random workload on a log in a simulated host whose power fails before every change it makes.
// After each failure the log is recovered from what would be left, and compared with what its user
// had been told.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// Runs workloads from that seed on until at least `points` crash points were tried. False after a
// violation, which was printed to stderr with the seed of its workload.
bool crashsim_run(uint64_t seed, uint64_t points, uint64_t *tried);
