// SPDX-License-Identifier: Apache-2.0
#include "engine/consumer_pending.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 16, DEAD_MIN = 64 };

void pending_init(struct pending_set *set)
{
    *set = (struct pending_set){.items = NULL};
}

void pending_fini(struct pending_set *set)
{
    free(set->items);
    free(set->due);
    free(set->queue);
    free(set->spent);
    pending_init(set);
}

void pending_clear(struct pending_set *set)
{
    set->from = 0;
    set->size = 0;
    set->dead = 0;
    set->due_count = 0;
    set->queue_count = 0;
    set->queued = 0;
    set->spent_count = 0;
}

size_t pending_count(const struct pending_set *set)
{
    return set->size - set->from - set->dead;
}

static bool grow(void **items, size_t *capacity, size_t wanted, size_t size)
{
    if (wanted <= *capacity)
        return true;
    size_t more = *capacity == 0 ? FIRST_CAPACITY : *capacity * 2;
    void *grown = realloc(*items, more * size);
    if (grown == NULL)
        return false;
    *items = grown;
    *capacity = more;
    return true;
}

// The place of the first item at or above a sequence, dead or not.
static size_t place_of(const struct pending_set *set, uint64_t seq)
{
    size_t low = set->from;
    size_t high = set->size;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (set->items[middle].seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct pending *pending_find(struct pending_set *set, uint64_t seq)
{
    size_t at = place_of(set, seq);
    return at < set->size && set->items[at].seq == seq && !set->items[at].dead ? &set->items[at]
                                                                               : NULL;
}

struct pending *pending_after(struct pending_set *set, uint64_t seq)
{
    size_t at = place_of(set, seq + 1);
    while (at < set->size && set->items[at].dead)
        at++;
    return at < set->size ? &set->items[at] : NULL;
}

struct pending *pending_first(struct pending_set *set)
{
    return pending_after(set, 0);
}

static void pack(struct pending_set *set)
{
    size_t kept = 0;
    for (size_t i = set->from; i < set->size; i++)
        if (!set->items[i].dead)
            set->items[kept++] = set->items[i];
    set->from = 0;
    set->size = kept;
    set->dead = 0;
}

enum status pending_add(struct pending_set *set, uint64_t seq, struct pending **added)
{
    size_t at = place_of(set, seq);
    if (at < set->size && set->items[at].seq == seq) {
        set->dead -= set->items[at].dead;
        set->items[at].dead = false;
        *added = &set->items[at];
        return STATUS_OK;
    }
    void *items = set->items;
    if (!grow(&items, &set->capacity, set->size + 1, sizeof *set->items))
        return STATUS_NO_MEMORY;
    set->items = items;
    // Almost always the end; a start that was set back makes the exception.
    memmove(set->items + at + 1, set->items + at, (set->size - at) * sizeof *set->items);
    set->items[at] = (struct pending){.seq = seq, .due_ns = INT64_MAX};
    set->size++;
    *added = &set->items[at];
    return STATUS_OK;
}

static void leave_queue(struct pending_set *set, struct pending *pending)
{
    set->queued -= pending->queued;
    pending->queued = false;
}

void pending_remove(struct pending_set *set, struct pending *pending)
{
    leave_queue(set, pending);
    *pending = (struct pending){.seq = pending->seq, .due_ns = INT64_MAX, .dead = true};
    set->dead++;
    // Mostly the lowest goes: what is gone at the front is never looked at again.
    while (set->from < set->size && set->items[set->from].dead) {
        set->from++;
        set->dead--;
    }
    if (set->from == set->size)
        set->from = set->size = 0;
    else if (set->from + set->dead > DEAD_MIN && set->from + set->dead > set->size / 2)
        pack(set);
}

// Due times

static bool is_before(const struct pending_due *a, const struct pending_due *b)
{
    return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->seq < b->seq;
}

static void sift_up(struct pending_due *heap, size_t at)
{
    while (at > 0 && is_before(&heap[at], &heap[(at - 1) / 2])) {
        struct pending_due swap = heap[at];
        heap[at] = heap[(at - 1) / 2];
        heap[(at - 1) / 2] = swap;
        at = (at - 1) / 2;
    }
}

static void sift_down(struct pending_due *heap, size_t count, size_t at)
{
    for (;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < count; child++)
            if (is_before(&heap[child], &heap[least]))
                least = child;
        if (least == at)
            return;
        struct pending_due swap = heap[at];
        heap[at] = heap[least];
        heap[least] = swap;
        at = least;
    }
}

static bool is_current(struct pending_set *set, const struct pending_due *due)
{
    const struct pending *pending = pending_find(set, due->seq);
    return pending != NULL && pending->due_ns == due->due_ns;
}

static void drop_top(struct pending_set *set)
{
    set->due[0] = set->due[--set->due_count];
    sift_down(set->due, set->due_count, 0);
}

// Entries that no longer count are dropped when they are most of the heap.
static void tidy_due(struct pending_set *set)
{
    size_t kept = 0;
    if (set->due_count < 2 * pending_count(set) + DEAD_MIN)
        return;
    for (size_t i = 0; i < set->due_count; i++)
        if (is_current(set, &set->due[i]))
            set->due[kept++] = set->due[i];
    set->due_count = kept;
    for (size_t i = kept / 2; i-- > 0;)
        sift_down(set->due, kept, i);
}

enum status pending_set_due(struct pending_set *set, struct pending *pending, int64_t due_ns)
{
    leave_queue(set, pending);
    pending->due_ns = INT64_MAX;
    if (due_ns == INT64_MAX)
        return STATUS_OK;
    tidy_due(set);
    void *due = set->due;
    if (!grow(&due, &set->due_capacity, set->due_count + 1, sizeof *set->due))
        return STATUS_NO_MEMORY;
    set->due = due;
    pending->due_ns = due_ns;
    set->due[set->due_count] = (struct pending_due){due_ns, pending->seq};
    sift_up(set->due, set->due_count++);
    return STATUS_OK;
}

int64_t pending_next_due(struct pending_set *set)
{
    while (set->due_count > 0 && !is_current(set, &set->due[0]))
        drop_top(set);
    return set->due_count > 0 ? set->due[0].due_ns : INT64_MAX;
}

struct pending *pending_due_now(struct pending_set *set, int64_t now_ns)
{
    return pending_next_due(set) <= now_ns ? pending_find(set, set->due[0].seq) : NULL;
}

// The queue

enum status pending_enqueue(struct pending_set *set, struct pending *pending)
{
    if (pending->queued)
        return STATUS_OK;
    if (set->queue_count == set->queue_capacity) {
        size_t capacity = set->queue_capacity == 0 ? FIRST_CAPACITY : set->queue_capacity * 2;
        uint64_t *queue = malloc(capacity * sizeof *queue);
        if (queue == NULL)
            return STATUS_NO_MEMORY;
        for (size_t i = 0; i < set->queue_count; i++)
            queue[i] = set->queue[(set->queue_from + i) % set->queue_capacity];
        free(set->queue);
        set->queue = queue;
        set->queue_from = 0;
        set->queue_capacity = capacity;
    }
    set->queue[(set->queue_from + set->queue_count) % set->queue_capacity] = pending->seq;
    set->queue_count++;
    set->queued++;
    pending->queued = true;
    pending->due_ns = INT64_MAX;
    return STATUS_OK;
}

// What was acknowledged while it stood in the queue is passed over.
static struct pending *queue_front(struct pending_set *set)
{
    while (set->queue_count > 0) {
        struct pending *pending = pending_find(set, set->queue[set->queue_from]);
        if (pending != NULL && pending->queued)
            return pending;
        set->queue_from = (set->queue_from + 1) % set->queue_capacity;
        set->queue_count--;
    }
    return NULL;
}

struct pending *pending_dequeue(struct pending_set *set)
{
    struct pending *pending = queue_front(set);
    if (pending == NULL)
        return NULL;
    set->queue_from = (set->queue_from + 1) % set->queue_capacity;
    set->queue_count--;
    leave_queue(set, pending);
    return pending;
}

size_t pending_queued(const struct pending_set *set)
{
    return set->queued;
}

// Those that are spent

static size_t place_of_spent(const struct pending_set *set, uint64_t seq)
{
    size_t low = 0;
    size_t high = set->spent_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (set->spent[middle] < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

enum status pending_add_spent(struct pending_set *set, uint64_t seq)
{
    size_t at = place_of_spent(set, seq);
    void *spent = set->spent;
    if (pending_is_spent(set, seq))
        return STATUS_OK;
    if (!grow(&spent, &set->spent_capacity, set->spent_count + 1, sizeof *set->spent))
        return STATUS_NO_MEMORY;
    set->spent = spent;
    memmove(set->spent + at + 1, set->spent + at, (set->spent_count - at) * sizeof *set->spent);
    set->spent[at] = seq;
    set->spent_count++;
    return STATUS_OK;
}

bool pending_is_spent(const struct pending_set *set, uint64_t seq)
{
    size_t at = place_of_spent(set, seq);
    return at < set->spent_count && set->spent[at] == seq;
}

void pending_forget_spent(struct pending_set *set, uint64_t seq)
{
    size_t at = place_of_spent(set, seq);
    if (!pending_is_spent(set, seq))
        return;
    set->spent_count--;
    memmove(set->spent + at, set->spent + at + 1, (set->spent_count - at) * sizeof *set->spent);
}
