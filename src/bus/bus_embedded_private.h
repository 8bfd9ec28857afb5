// SPDX-License-Identifier: Apache-2.0
// The inside of the embedded bus, for the bus_embedded*.c files alone.
#pragma once

#include "bus/bus_embedded.h"
#include "engine/engine.h"

#include <pthread.h>

struct embedded {
    struct bus bus;
    struct bus_embedded_options options;
    char *home;
    char *holder;
    pthread_mutex_t lock;
    pthread_cond_t committed;
    struct storedir *store; // NULL while the store's lock is not held
    struct engine *engine;
    uint64_t generation;           // that messages are being staged in
    uint64_t generation_staged;    // the last one that somebody waits for
    uint64_t generation_committed; // up to which everything is on disk, or has failed
    bool committing;
    size_t in_commit;     // threads that wait for their generation
    size_t alone_waiting; // threads that wait for nobody to be in commit
    size_t holding;       // readers who hold publishers back until what is staged is committed
};

static inline struct embedded *embedded_of(struct bus *bus)
{
    return (struct embedded *)bus;
}

// Every operation runs between enter, which takes the lock and opens the store unless it is open,
// and leave; leave follows also when enter failed.
enum status embedded_enter(struct embedded *self, struct errinfo *err);
void embedded_leave(struct embedded *self);

// Gives the store back to other processes until the next operation. While another thread commits
// it is kept: what that writes wakes whoever waits, and he tries again.
void embedded_release(struct embedded *self);

enum status embedded_get(struct bus *bus, const char *name, const struct bus_get *get,
                         struct buf *storage, struct bus_message *message, struct errinfo *err);

enum status bus_embedded_follow_open(struct bus *bus, const struct bus_source *sources,
                                     size_t count, enum bus_part part, struct bus_follow **out,
                                     struct errinfo *err);
enum status bus_embedded_follow_next(struct bus_follow *base, int64_t timeout_ms,
                                     struct buf *storage, struct bus_message *message,
                                     size_t *source, struct errinfo *err);
void bus_embedded_follow_close(struct bus_follow *base);
