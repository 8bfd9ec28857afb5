// SPDX-License-Identifier: Apache-2.0
// Which message of which subject stands where: every live message (staged ones too) as a node in
// rising sequence, and for each subject its count and its first and last node. Nodes of one subject
// are chained in both directions, so that its last message, and the one to evict next, are found
// without a search.
//
// Sequences may be far apart and most may be gone: nodes stand in one sorted array, a removed one
// keeps its place until half of the array is dead and it is packed.
#pragma once

#include "base/map.h"

struct subject_entry {
    struct bytes text; // owned, behind the entry
    uint64_t count;
    uint64_t first; // sequences
    uint64_t last;
};

struct subject_node {
    uint64_t seq;
    uint64_t previous; // of the same subject, 0 when there is none
    uint64_t next;
    struct subject_entry *subject; // NULL once removed
    uint64_t bytes;                // what the message counts for in limits
};

struct subject_index {
    struct map subjects;
    struct subject_node *nodes;
    size_t size; // used nodes, dead ones included
    size_t capacity;
    size_t dead;
    uint64_t bytes; // of all live nodes
};

void subject_index_init(struct subject_index *index, uint64_t seed);
void subject_index_fini(struct subject_index *index);

// seq is above every one added before.
enum status subject_index_add(struct subject_index *index, uint64_t seq, struct bytes subject,
                              uint64_t bytes);
bool subject_index_remove(struct subject_index *index, uint64_t seq); // false: was not there

uint64_t subject_index_count(const struct subject_index *index); // live messages
// The live node of a sequence, or NULL.
const struct subject_node *subject_index_get(const struct subject_index *index, uint64_t seq);
// The first live node at or after a sequence, or NULL.
const struct subject_node *subject_index_next(const struct subject_index *index, uint64_t seq);
const struct subject_entry *subject_index_find(const struct subject_index *index,
                                               struct bytes subject); // NULL: no message

// How many live messages are at or after a sequence: of all subjects, and of one.
uint64_t subject_index_count_from(const struct subject_index *index, uint64_t seq);
uint64_t subject_index_count_of(const struct subject_index *index,
                                const struct subject_entry *subject, uint64_t seq);

// The first message of one subject at or after a sequence; 0 when there is none. Whoever walks a
// subject asks for what comes after one of its messages, and that is known without a search; else
// it costs the way from the nearest of: the sequence, the subject's first message, its last one.
uint64_t subject_index_next_of(const struct subject_index *index,
                               const struct subject_entry *subject, uint64_t seq);
