// SPDX-License-Identifier: Apache-2.0
// Inside the subscription index: its structs, and the cache of matches.
//
// A leaf is one subject or pattern with what is subscribed to it: a set of plain subscriptions and
// a chain of groups. The leaf of a literal subject stands in the map of literals. That of a pattern
// lies in the last node of its path through the tree, whose edges all stand in one map under parent
// and token. A queue's name is kept once for all its groups, and carries the stamp of the last
// match that met it: so groups of one name are joined without searching.
#pragma once

#include "base/map.h"
#include "server/sublist.h"

// In no order; each member knows its place. A single one needs no array.
struct sublist_set {
    union {
        struct subscription *one;
        struct subscription **many;
    };
    uint32_t count;
    uint32_t capacity; // of many; 0: the set is `one`, or empty
};

struct sublist_leaf {
    struct sublist_set plain; // first: a subscription's set leads to its leaf
    struct sublist_members *groups;
    struct sublist_node *node; // the node it lies in; NULL for a literal subject
    uint32_t group_count;
};

struct sublist_literal {
    struct sublist_leaf leaf; // first
    uint32_t size;
    char subject[];
};

struct sublist_queue {
    uint64_t stamp;
    size_t at; // in the result of the match with that stamp
    size_t groups;
    struct bytes name; // behind the struct
};

struct sublist_group_key {
    struct sublist_leaf *leaf;
    struct sublist_queue *queue;
};

// One leaf's members of one queue.
struct sublist_members {
    struct sublist_set set; // first
    struct sublist_group_key key;
    struct sublist_members *next;
    struct sublist_members *previous;
};

// One token of patterns. Its key in the map of edges is parent and token, which lie together.
struct sublist_node {
    struct sublist_leaf leaf;
    struct sublist_node *star;
    struct sublist_node *tail; // ">"
    uint32_t children;         // in the map of edges
    uint32_t token_size;
    struct sublist_node *parent;
    char token[];
};

struct sublist_step {
    struct sublist_node *node;
    struct bytes rest; // of the subject, behind the node's token
};

enum {
    // A bound on what the cache may hold, not on what may be hot: about 3 MB when every entry is as
    // large as one may be.
    SUBLIST_CACHE_SLOTS = 2048,
    SUBLIST_CACHE_POINTERS_MAX = 128, // a larger result costs more to deliver than to find
    SUBLIST_CACHE_SUBJECT_MAX = 256,
};

// Subjects hash to one slot each. One is cached when it is asked for twice without another in
// between: replies, whose subjects are used once, cost the cache nothing.
struct sublist_cache_slot {
    struct sublist_cached *entry;
    uint64_t last_missed; // hash
};

struct sublist_cache {
    struct sublist_cache_slot *slots; // NULL until the first miss
    uint64_t generation;              // entries of another one are stale
    uint64_t count;                   // entries of this one
    uint64_t hits;
    uint64_t seed;
};

struct sublist {
    struct map literals; // struct sublist_literal by subject
    struct map edges;    // struct sublist_node by parent and token
    struct map queues;   // struct sublist_queue by name
    struct map members;  // struct sublist_members by leaf and queue
    struct sublist_node *root;
    struct sublist_step *steps; // room for a walk of the deepest pattern there ever was
    size_t step_capacity;
    struct sublist_leaf **hits; // of the match that is under way
    size_t hit_capacity;
    uint64_t stamp;
    struct sublist_cache cache;
    struct sublist_numbers numbers; // what counts up
};

static inline struct subscription *const *sublist_set_items(const struct sublist_set *set)
{
    return set->capacity == 0 ? &set->one : set->many;
}

static inline bool sublist_leaf_is_empty(const struct sublist_leaf *leaf)
{
    return leaf->plain.count == 0 && leaf->group_count == 0;
}

static inline bool sublist_has_patterns(const struct sublist *list)
{
    return list->root->children > 0 || list->root->star != NULL || list->root->tail != NULL;
}

// The node below parent for a token; NULL when there is none, and for a wildcard.
struct sublist_node *sublist_find_child(const struct sublist *list, struct sublist_node *parent,
                                        struct bytes token);

// The cache.

void sublist_cache_fini(struct sublist_cache *cache);

// Copies a cached match into result; false when it is not there. *hash is for sublist_cache_put.
bool sublist_cache_get(struct sublist_cache *cache, struct bytes subject,
                       struct sublist_result *result, uint64_t *hash);

// May keep a match that was not found; without memory it does not.
void sublist_cache_put(struct sublist_cache *cache, struct bytes subject,
                       const struct sublist_result *result, uint64_t hash);

// A literal subject's subscriptions, or a pattern's, are about to change.
void sublist_cache_forget(struct sublist_cache *cache, struct bytes subject);
void sublist_cache_forget_all(struct sublist_cache *cache);

void sublist_cache_numbers(const struct sublist_cache *cache, struct sublist_numbers *numbers);

// Makes room for so many; empties nothing, changes nothing on failure.
bool sublist_result_reserve(struct sublist_result *result, size_t plain, size_t members,
                            size_t groups);
