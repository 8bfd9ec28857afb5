// SPDX-License-Identifier: Apache-2.0
#include "engine/subject_index.h"

#include "base/assert.h"

#include <stdlib.h>
#include <string.h>

enum { NODES_MIN = 64, PACK_MIN = 1024 };

void subject_index_init(struct subject_index *index, uint64_t seed)
{
    *index = (struct subject_index){.size = 0};
    map_init(&index->subjects, seed);
}

void subject_index_fini(struct subject_index *index)
{
    size_t at = 0;
    for (void *entry; (entry = map_next(&index->subjects, &at)) != NULL;)
        free(entry);
    map_fini(&index->subjects);
    free(index->nodes);
    *index = (struct subject_index){.size = 0};
}

static enum status make_room(struct subject_index *index)
{
    if (index->size < index->capacity)
        return STATUS_OK;
    size_t capacity = index->capacity == 0 ? NODES_MIN : index->capacity + index->capacity / 2;
    struct subject_node *nodes = realloc(index->nodes, capacity * sizeof *nodes);
    if (nodes == NULL)
        return STATUS_NO_MEMORY;
    index->nodes = nodes;
    index->capacity = capacity;
    return STATUS_OK;
}

static struct subject_entry *add_subject(struct subject_index *index, struct bytes subject)
{
    struct subject_entry *entry = malloc(sizeof *entry + subject.size);
    if (entry == NULL)
        return NULL;
    char *text = (char *)(entry + 1);
    memcpy(text, subject.data, subject.size);
    *entry = (struct subject_entry){.text = bytes_of(text, subject.size)};
    if (map_add(&index->subjects, entry->text, entry) != STATUS_OK) {
        free(entry);
        return NULL;
    }
    return entry;
}

// Position of the first node, dead or alive, at or after a sequence.
static size_t position(const struct subject_index *index, uint64_t seq)
{
    size_t from = 0;
    size_t to = index->size;
    // Sequences mostly have no gaps: the place is then known without a search.
    if (index->size > 0 && seq >= index->nodes[0].seq && seq - index->nodes[0].seq < index->size) {
        size_t guess = (size_t)(seq - index->nodes[0].seq);
        if (index->nodes[guess].seq == seq)
            return guess;
    }
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (index->nodes[middle].seq < seq)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static struct subject_node *node_of(const struct subject_index *index, uint64_t seq)
{
    size_t at = position(index, seq);
    if (at == index->size || index->nodes[at].seq != seq || index->nodes[at].subject == NULL)
        return NULL;
    return &index->nodes[at];
}

enum status subject_index_add(struct subject_index *index, uint64_t seq, struct bytes subject,
                              uint64_t bytes)
{
    ASSERT(index->size == 0 || index->nodes[index->size - 1].seq < seq);
    enum status status = make_room(index);
    if (status != STATUS_OK)
        return status;
    struct subject_entry *entry = map_find(&index->subjects, subject);
    if (entry == NULL)
        entry = add_subject(index, subject);
    if (entry == NULL)
        return STATUS_NO_MEMORY;
    if (entry->count > 0)
        node_of(index, entry->last)->next = seq;
    else
        entry->first = seq;
    index->nodes[index->size++] = (struct subject_node){.seq = seq,
                                                        .previous = entry->count > 0 ? entry->last
                                                                                     : 0,
                                                        .subject = entry,
                                                        .bytes = bytes};
    entry->last = seq;
    entry->count++;
    index->bytes += bytes;
    return STATUS_OK;
}

static void pack(struct subject_index *index)
{
    size_t to = 0;
    for (size_t from = 0; from < index->size; from++) {
        if (index->nodes[from].subject != NULL)
            index->nodes[to++] = index->nodes[from];
    }
    index->size = to;
    index->dead = 0;
}

bool subject_index_remove(struct subject_index *index, uint64_t seq)
{
    struct subject_node *node = node_of(index, seq);
    if (node == NULL)
        return false;
    struct subject_entry *entry = node->subject;
    if (node->previous != 0)
        node_of(index, node->previous)->next = node->next;
    else
        entry->first = node->next;
    if (node->next != 0)
        node_of(index, node->next)->previous = node->previous;
    else
        entry->last = node->previous;
    index->bytes -= node->bytes;
    node->subject = NULL;
    entry->count--;
    if (entry->count == 0) {
        map_take(&index->subjects, entry->text);
        free(entry);
    }
    index->dead++;
    // A staged message that was taken back leaves no place behind: its sequence is given again.
    while (index->size > 0 && index->nodes[index->size - 1].subject == NULL) {
        index->size--;
        index->dead--;
    }
    if (index->dead > PACK_MIN && index->dead > index->size / 2)
        pack(index);
    return true;
}

uint64_t subject_index_count(const struct subject_index *index)
{
    return index->size - index->dead;
}

const struct subject_node *subject_index_get(const struct subject_index *index, uint64_t seq)
{
    return node_of(index, seq);
}

const struct subject_node *subject_index_next(const struct subject_index *index, uint64_t seq)
{
    for (size_t at = position(index, seq); at < index->size; at++) {
        if (index->nodes[at].subject != NULL)
            return &index->nodes[at];
    }
    return NULL;
}

const struct subject_entry *subject_index_find(const struct subject_index *index,
                                               struct bytes subject)
{
    return map_find(&index->subjects, subject);
}

uint64_t subject_index_count_from(const struct subject_index *index, uint64_t seq)
{
    size_t at = position(index, seq);
    uint64_t count = 0;
    if (index->dead == 0)
        return index->size - at;
    for (; at < index->size; at++)
        count += index->nodes[at].subject != NULL;
    return count;
}

uint64_t subject_index_count_of(const struct subject_index *index,
                                const struct subject_entry *subject, uint64_t seq)
{
    uint64_t low = subject->first;
    uint64_t high = subject->last;
    if (seq <= low)
        return subject->count;
    if (seq > high)
        return 0;
    // From both ends at once: the shorter way decides.
    for (uint64_t steps = 1;; steps++) {
        low = node_of(index, low)->next;
        if (low >= seq)
            return subject->count - steps;
        high = node_of(index, high)->previous;
        if (high < seq)
            return steps;
    }
}

uint64_t subject_index_next_of(const struct subject_index *index,
                               const struct subject_entry *subject, uint64_t seq)
{
    uint64_t low = subject->first;
    uint64_t high = subject->last;
    if (seq <= low)
        return low;
    if (seq > high)
        return 0;
    const struct subject_node *node = node_of(index, seq - 1);
    if (node != NULL && node->subject == subject)
        return node->next;
    for (size_t at = position(index, seq);; at++) {
        if (index->nodes[at].subject == subject)
            return index->nodes[at].seq;
        low = node_of(index, low)->next;
        if (low >= seq)
            return low;
        uint64_t previous = node_of(index, high)->previous;
        if (previous < seq)
            return high;
        high = previous;
    }
}
