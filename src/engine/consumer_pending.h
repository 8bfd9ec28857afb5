// SPDX-License-Identifier: Apache-2.0
// The messages that a consumer has delivered and that are not acknowledged yet, in rising sequence,
// with the time at which each is due again.
//
// Due times lie in a heap; an entry of the heap counts only while it agrees with its message, so
// that an acknowledgement need not look for it.
#pragma once

#include "base/bytes.h"
#include "base/status.h"

struct pending {
    uint64_t seq;          // of the stream; 0 in none
    uint64_t consumer_seq; // of its first delivery
    int64_t sent_ns;       // when it was delivered last
    int64_t due_ns;        // when it is delivered again; INT64_MAX: not by time
    uint32_t deliveries;
    bool queued; // for redelivery now
    bool dead;   // acknowledged: its place is given back later
};

struct pending_due {
    int64_t due_ns;
    uint64_t seq;
};

struct pending_set {
    struct pending *items; // rising; those before `from` are gone
    size_t from;
    size_t size; // dead ones and those before `from` included
    size_t capacity;
    size_t dead;             // behind `from`
    struct pending_due *due; // heap
    size_t due_count;
    size_t due_capacity;
    uint64_t *queue; // ring of sequences to deliver again
    size_t queue_from;
    size_t queue_count;
    size_t queue_capacity;
    size_t queued;   // messages that stand in it
    uint64_t *spent; // rising: delivered as often as they may be, and kept all the same
    size_t spent_count;
    size_t spent_capacity;
};

void pending_init(struct pending_set *set);
void pending_fini(struct pending_set *set);
void pending_clear(struct pending_set *set);

size_t pending_count(const struct pending_set *set);
struct pending *pending_find(struct pending_set *set, uint64_t seq); // NULL: not pending
struct pending *pending_first(struct pending_set *set);              // the lowest, or NULL
// The next behind a sequence, or NULL.
struct pending *pending_after(struct pending_set *set, uint64_t seq);

// seq is above every one that was added before, or there already and then kept. *added is borrowed
// until the next call that adds.
enum status pending_add(struct pending_set *set, uint64_t seq, struct pending **added);
void pending_remove(struct pending_set *set, struct pending *pending);

// Sets when it is due again, INT64_MAX for never; it leaves the queue.
enum status pending_set_due(struct pending_set *set, struct pending *pending, int64_t due_ns);
int64_t pending_next_due(struct pending_set *set); // INT64_MAX when nothing is
// What is due now, the earliest first, or NULL. It stays until it is queued, removed or set anew.
struct pending *pending_due_now(struct pending_set *set, int64_t now_ns);

// The queue of what is to be delivered again.
enum status pending_enqueue(struct pending_set *set, struct pending *pending);
struct pending *pending_dequeue(struct pending_set *set); // NULL when it is empty
size_t pending_queued(const struct pending_set *set);

// Messages that are not pending any more and were never acknowledged.
enum status pending_add_spent(struct pending_set *set, uint64_t seq);
bool pending_is_spent(const struct pending_set *set, uint64_t seq);
void pending_forget_spent(struct pending_set *set, uint64_t seq);
