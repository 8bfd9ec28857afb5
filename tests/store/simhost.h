// SPDX-License-Identifier: Apache-2.0
// A host in memory for the store's proofs. It fails the n-th call of a kind, has a quota in place
// of a disk, and gives the image that a power failure would leave: writes that were not synced
// dropped, kept, reordered and torn at sector size, names that were not synced lost or kept.
#pragma once

#include "store/host.h"

enum simhost_call {
    SIM_OPEN,
    SIM_READ,
    SIM_WRITE,
    SIM_SIZE,
    SIM_RESERVE,
    SIM_TRUNCATE,
    SIM_SYNC,
    SIM_SYNC_DIRECTORY,
    SIM_RENAME,
    SIM_REMOVE,
    SIM_MAKE_DIRECTORY,
    SIM_REMOVE_DIRECTORY,
    SIM_LIST,
    SIM_LOCK,
    SIM_CALLS,
};

struct simhost;

struct simhost *simhost_new(void);
void simhost_free(struct simhost *sim); // takes NULL; closes what is open
const struct host *simhost_host(const struct simhost *sim);

// The n-th call of that kind from now on fails (1 is the next; 0 none); a failing write or sync may
// have done a part of its work.
void simhost_fail(struct simhost *sim, enum simhost_call call, uint64_t n, int error_number);
uint64_t simhost_calls(const struct simhost *sim, enum simhost_call call);

// Bytes that all files together may have; UINT64_MAX at first.
void simhost_quota(struct simhost *sim, uint64_t bytes);
uint64_t simhost_used(const struct simhost *sim);

// Called before every call that changes something, at a point where the power may fail.
typedef void (*simhost_hook)(void *context);
void simhost_set_hook(struct simhost *sim, simhost_hook hook, void *context);

enum simhost_crash_mode {
    SIM_DROP_ALL,
    SIM_KEEP_ALL,
    SIM_SUBSET, // each write and name for itself
    SIM_TORN,   // the same, and each sector of a write for itself
    SIM_CRASH_MODES,
};

// What is there after a power failure now. The random numbers come from *seed.
struct simhost *simhost_crash(const struct simhost *sim, enum simhost_crash_mode mode,
                              uint64_t *seed);

// A copy of the files as a process sees them now (what a killed process leaves).
struct simhost *simhost_copy(const struct simhost *sim);

// A file's content, to look at or to damage; NULL when there is none.
unsigned char *simhost_content(struct simhost *sim, const char *path, size_t *size);
const char *simhost_path(const struct simhost *sim, size_t i); // of the i-th file, NULL behind

// Whether any file has that text in it.
bool simhost_contains(const struct simhost *sim, struct bytes text);

uint64_t simhost_random(uint64_t *seed);
