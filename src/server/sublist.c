// SPDX-License-Identifier: Apache-2.0
#include "base/assert.h"
#include "base/limits.h"
#include "server/sublist_private.h"
#include "wire/subject.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 4, SHRINK_AT = 64 };

static struct sublist_node *new_node(struct sublist_node *parent, struct bytes token)
{
    struct sublist_node *node = calloc(1, sizeof *node + token.size);
    if (node == NULL)
        return NULL;
    node->leaf.node = node;
    node->parent = parent;
    node->token_size = (uint32_t)token.size;
    if (token.size > 0)
        memcpy(node->token, token.data, token.size);
    return node;
}

enum status sublist_new(struct sublist **out)
{
    struct sublist *list = calloc(1, sizeof *list);
    if (list == NULL)
        return STATUS_NO_MEMORY;
    list->root = new_node(NULL, (struct bytes){NULL, 0});
    if (list->root == NULL) {
        free(list);
        return STATUS_NO_MEMORY;
    }
    // Where the list lies is not known to who chooses subjects.
    uint64_t seed = (uint64_t)(uintptr_t)list;
    map_init(&list->literals, seed);
    map_init(&list->edges, seed + 1);
    map_init(&list->queues, seed + 2);
    map_init(&list->members, seed + 3);
    list->cache.seed = seed;
    *out = list;
    return STATUS_OK;
}

static void free_set(struct sublist_set *set)
{
    if (set->capacity > 0)
        free(set->many);
}

void sublist_free(struct sublist *list)
{
    if (list == NULL)
        return;
    struct sublist_literal *literal;
    for (size_t at = 0; (literal = map_next(&list->literals, &at)) != NULL;) {
        free_set(&literal->leaf.plain);
        free(literal);
    }
    struct sublist_members *members;
    for (size_t at = 0; (members = map_next(&list->members, &at)) != NULL;) {
        free_set(&members->set);
        free(members);
    }
    struct sublist_queue *queue;
    for (size_t at = 0; (queue = map_next(&list->queues, &at)) != NULL;)
        free(queue);
    struct sublist_node *node;
    for (size_t at = 0; (node = map_next(&list->edges, &at)) != NULL;) {
        free_set(&node->leaf.plain);
        free(node);
    }
    free(list->root);
    map_fini(&list->literals);
    map_fini(&list->members);
    map_fini(&list->queues);
    map_fini(&list->edges);
    sublist_cache_fini(&list->cache);
    free(list->steps);
    free(list->hits);
    free(list);
}

// Sets

static bool resize_set(struct sublist_set *set, size_t capacity)
{
    bool had_one = set->capacity == 0;
    void *old = had_one ? NULL : set->many;
    struct subscription **many = realloc(old, capacity * sizeof(struct subscription *));
    if (many == NULL)
        return false;
    if (had_one)
        many[0] = set->one;
    set->many = many;
    set->capacity = (uint32_t)capacity;
    return true;
}

static bool add_to_set(struct sublist_set *set, struct subscription *subscription)
{
    if (set->count > 0 && set->count >= set->capacity) {
        size_t capacity = set->capacity == 0 ? FIRST_CAPACITY : (size_t)set->capacity * 2;
        if (capacity > UINT32_MAX || !resize_set(set, capacity))
            return false;
    }
    if (set->capacity == 0)
        set->one = subscription;
    else
        set->many[set->count] = subscription;
    subscription->set = set;
    subscription->at = set->count++;
    return true;
}

static void take_from_set(struct sublist_set *set, struct subscription *subscription)
{
    set->count--;
    if (set->capacity > 0) {
        struct subscription *last = set->many[set->count];
        set->many[subscription->at] = last;
        last->at = subscription->at;
    }
    subscription->set = NULL;
    if (set->capacity > 0 && set->count == 0) {
        free(set->many);
        set->capacity = 0;
    } else if (set->capacity > SHRINK_AT && set->count < set->capacity / 4) {
        // Space that cannot be given back is only kept.
        (void)resize_set(set, set->capacity / 2);
    }
}

// Queue groups

static struct sublist_queue *take_queue(struct sublist *list, struct bytes name)
{
    struct sublist_queue *queue = map_find(&list->queues, name);
    if (queue != NULL)
        return queue;
    queue = calloc(1, sizeof *queue + name.size);
    if (queue == NULL)
        return NULL;
    char *text = (char *)(queue + 1);
    memcpy(text, name.data, name.size);
    queue->name = bytes_of(text, name.size);
    if (map_add(&list->queues, queue->name, queue) == STATUS_OK)
        return queue;
    free(queue);
    return NULL;
}

static void drop_queue_if_unused(struct sublist *list, struct sublist_queue *queue)
{
    if (queue->groups > 0)
        return;
    (void)map_take(&list->queues, queue->name);
    free(queue);
}

static struct bytes key_of(const struct sublist_group_key *key)
{
    return bytes_of(key, sizeof *key);
}

static struct sublist_members *new_members(struct sublist *list, struct sublist_group_key key)
{
    struct sublist_members *members = calloc(1, sizeof *members);
    if (members == NULL)
        return NULL;
    members->key = key;
    if (map_add(&list->members, key_of(&members->key), members) != STATUS_OK) {
        free(members);
        return NULL;
    }
    struct sublist_leaf *leaf = key.leaf;
    members->next = leaf->groups;
    if (members->next != NULL)
        members->next->previous = members;
    leaf->groups = members;
    leaf->group_count++;
    key.queue->groups++;
    return members;
}

static void drop_members(struct sublist *list, struct sublist_members *members)
{
    struct sublist_group_key key = members->key;
    if (members->next != NULL)
        members->next->previous = members->previous;
    if (members->previous != NULL)
        members->previous->next = members->next;
    else
        key.leaf->groups = members->next;
    key.leaf->group_count--;
    key.queue->groups--;
    (void)map_take(&list->members, key_of(&key));
    free(members);
    drop_queue_if_unused(list, key.queue);
}

static bool add_to_group(struct sublist *list, struct sublist_leaf *leaf,
                         struct subscription *subscription)
{
    struct sublist_group_key key = {leaf, take_queue(list, subscription->queue)};
    if (key.queue == NULL)
        return false;
    struct sublist_members *members = map_find(&list->members, key_of(&key));
    if (members == NULL)
        members = new_members(list, key);
    if (members == NULL) {
        drop_queue_if_unused(list, key.queue);
        return false;
    }
    // Only a set that has members already can lack memory for another: none is left empty.
    return add_to_set(&members->set, subscription);
}

// The tree of patterns

enum { PARENT_SIZE = sizeof(struct sublist_node *) };

static struct bytes edge_of(const struct sublist_node *node)
{
    return bytes_of((const char *)node + offsetof(struct sublist_node, parent),
                    PARENT_SIZE + node->token_size);
}

static struct sublist_node **wildcard_place(struct sublist_node *parent, struct bytes token)
{
    if (token.size != 1)
        return NULL;
    if (token.data[0] == '*')
        return &parent->star;
    return token.data[0] == '>' ? &parent->tail : NULL;
}

struct sublist_node *sublist_find_child(const struct sublist *list, struct sublist_node *parent,
                                        struct bytes token)
{
    char key[PARENT_SIZE + LIMIT_SUBJECT_BYTES];
    if (parent->children == 0 || token.size > LIMIT_SUBJECT_BYTES ||
        wildcard_place(parent, token) != NULL)
        return NULL;
    memcpy(key, &parent, PARENT_SIZE);
    memcpy(key + PARENT_SIZE, token.data, token.size);
    return map_find(&list->edges, bytes_of(key, PARENT_SIZE + token.size));
}

// Every node but the root stands in the map of edges, wildcards too: so all can be walked.
static struct sublist_node *take_child(struct sublist *list, struct sublist_node *parent,
                                       struct bytes token)
{
    struct sublist_node **place = wildcard_place(parent, token);
    struct sublist_node *child = place != NULL ? *place : sublist_find_child(list, parent, token);
    if (child != NULL)
        return child;
    child = new_node(parent, token);
    if (child == NULL)
        return NULL;
    if (map_add(&list->edges, edge_of(child), child) != STATUS_OK) {
        free(child);
        return NULL;
    }
    if (place != NULL)
        *place = child;
    else
        parent->children++;
    return child;
}

// Takes out a node to which nothing is subscribed and nothing leads on, and its parents likewise.
static void prune(struct sublist *list, struct sublist_node *node)
{
    while (node->parent != NULL && sublist_leaf_is_empty(&node->leaf) && node->children == 0 &&
           node->star == NULL && node->tail == NULL) {
        struct sublist_node *parent = node->parent;
        struct sublist_node **place = wildcard_place(parent,
                                                     bytes_of(node->token, node->token_size));
        if (place != NULL)
            *place = NULL;
        else
            parent->children--;
        (void)map_take(&list->edges, edge_of(node));
        free(node);
        node = parent;
    }
}

// A walk holds at most one node more than the pattern has tokens; see sublist_match.c.
static bool reserve_steps(struct sublist *list, struct bytes pattern)
{
    size_t wanted = 3;
    for (size_t i = 0; i < pattern.size; i++)
        wanted += pattern.data[i] == '.';
    if (wanted <= list->step_capacity)
        return true;
    struct sublist_step *steps = realloc(list->steps, wanted * sizeof *steps);
    if (steps == NULL)
        return false;
    list->steps = steps;
    list->step_capacity = wanted;
    return true;
}

static struct sublist_leaf *take_pattern(struct sublist *list, struct bytes pattern)
{
    struct sublist_node *node = list->root;
    if (!reserve_steps(list, pattern))
        return NULL;
    while (pattern.data != NULL) {
        struct sublist_node *child = take_child(list, node, bytes_cut(pattern, '.', &pattern));
        if (child == NULL) {
            prune(list, node);
            return NULL;
        }
        node = child;
    }
    return &node->leaf;
}

static struct sublist_leaf *take_literal(struct sublist *list, struct bytes subject)
{
    struct sublist_literal *literal = map_find(&list->literals, subject);
    if (literal != NULL)
        return &literal->leaf;
    literal = calloc(1, sizeof *literal + subject.size);
    if (literal == NULL)
        return NULL;
    literal->size = (uint32_t)subject.size;
    memcpy(literal->subject, subject.data, subject.size);
    struct bytes key = bytes_of(literal->subject, subject.size);
    if (map_add(&list->literals, key, literal) == STATUS_OK)
        return &literal->leaf;
    free(literal);
    return NULL;
}

static void drop_leaf_if_empty(struct sublist *list, struct sublist_leaf *leaf)
{
    if (!sublist_leaf_is_empty(leaf))
        return;
    if (leaf->node != NULL) {
        prune(list, leaf->node);
        return;
    }
    struct sublist_literal *literal = (struct sublist_literal *)leaf;
    (void)map_take(&list->literals, bytes_of(literal->subject, literal->size));
    free(literal);
}

// Inserting and removing

enum status sublist_insert(struct sublist *list, struct subscription *subscription)
{
    struct bytes subject = subscription->subject;
    ASSERT(subscription->set == NULL && subject.size > 0 && subject.size <= LIMIT_SUBJECT_BYTES);
    bool is_pattern = subject_has_wildcard(subject);
    struct sublist_leaf *leaf = is_pattern ? take_pattern(list, subject)
                                           : take_literal(list, subject);
    if (leaf == NULL)
        return STATUS_NO_MEMORY;
    bool added = subscription->queue.size > 0 ? add_to_group(list, leaf, subscription)
                                              : add_to_set(&leaf->plain, subscription);
    if (!added) {
        drop_leaf_if_empty(list, leaf);
        return STATUS_NO_MEMORY;
    }
    if (is_pattern)
        sublist_cache_forget_all(&list->cache);
    else
        sublist_cache_forget(&list->cache, subject);
    list->numbers.subscriptions++;
    list->numbers.inserts++;
    return STATUS_OK;
}

void sublist_remove(struct sublist *list, struct subscription *subscription)
{
    struct sublist_set *set = subscription->set;
    if (set == NULL)
        return;
    struct sublist_leaf *leaf = (struct sublist_leaf *)set;
    take_from_set(set, subscription);
    if (subscription->queue.size > 0) {
        struct sublist_members *members = (struct sublist_members *)set;
        leaf = members->key.leaf;
        if (set->count == 0)
            drop_members(list, members);
    }
    if (leaf->node != NULL)
        sublist_cache_forget_all(&list->cache);
    else
        sublist_cache_forget(&list->cache, subscription->subject);
    drop_leaf_if_empty(list, leaf);
    list->numbers.subscriptions--;
    list->numbers.removes++;
}

// All of them

static bool visit_set(const struct sublist_set *set, sublist_visit visit, void *context)
{
    struct subscription *const *items = sublist_set_items(set);
    for (size_t i = 0; i < set->count; i++) {
        if (!visit(context, items[i]))
            return false;
    }
    return true;
}

void sublist_each(const struct sublist *list, sublist_visit visit, void *context)
{
    const struct sublist_literal *literal;
    const struct sublist_node *node;
    const struct sublist_members *members;
    bool more = true;
    for (size_t at = 0; more && (literal = map_next(&list->literals, &at)) != NULL;)
        more = visit_set(&literal->leaf.plain, visit, context);
    for (size_t at = 0; more && (node = map_next(&list->edges, &at)) != NULL;)
        more = visit_set(&node->leaf.plain, visit, context);
    for (size_t at = 0; more && (members = map_next(&list->members, &at)) != NULL;)
        more = visit_set(&members->set, visit, context);
}

void sublist_numbers_get(const struct sublist *list, struct sublist_numbers *numbers)
{
    *numbers = list->numbers;
    sublist_cache_numbers(&list->cache, numbers);
}
