// SPDX-License-Identifier: Apache-2.0
#include "server/sublist_private.h"

#include <stdlib.h>
#include <string.h>

void sublist_result_init(struct sublist_result *result)
{
    *result = (struct sublist_result){.plain = NULL};
}

void sublist_result_fini(struct sublist_result *result)
{
    free(result->plain);
    free(result->members);
    free(result->groups);
    sublist_result_init(result);
}

static bool grow(void **items, size_t *capacity, size_t wanted, size_t item_size)
{
    if (wanted <= *capacity)
        return true;
    size_t larger = *capacity * 2 > wanted ? *capacity * 2 : wanted;
    void *grown = realloc(*items, larger * item_size);
    if (grown == NULL)
        return false;
    *items = grown;
    *capacity = larger;
    return true;
}

static bool grow_pointers(struct subscription ***items, size_t *capacity, size_t wanted)
{
    void *grown = *items;
    bool done = grow(&grown, capacity, wanted, sizeof(struct subscription *));
    *items = grown;
    return done;
}

bool sublist_result_reserve(struct sublist_result *result, size_t plain, size_t members,
                            size_t groups)
{
    void *grown = result->groups;
    bool done = grow(&grown, &result->group_capacity, groups, sizeof(struct sublist_group));
    result->groups = grown;
    return done && grow_pointers(&result->plain, &result->plain_capacity, plain) &&
           grow_pointers(&result->members, &result->member_capacity, members);
}

static void empty(struct sublist_result *result)
{
    result->plain_count = 0;
    result->member_count = 0;
    result->group_count = 0;
}

static bool has_empty_token(struct bytes subject)
{
    char before = '.';
    for (size_t i = 0; i < subject.size; i++) {
        if (subject.data[i] == '.' && before == '.')
            return true;
        before = subject.data[i];
    }
    return before == '.';
}

// Leaves that match

struct walk {
    struct sublist *list;
    size_t depth; // steps to be taken
};

static void push(struct walk *walk, struct sublist_node *node, struct bytes rest)
{
    if (node != NULL)
        walk->list->steps[walk->depth++] = (struct sublist_step){node, rest};
}

static void begin_walk(struct walk *walk, struct sublist *list, struct bytes subject)
{
    *walk = (struct walk){.list = list};
    if (sublist_has_patterns(list))
        push(walk, list->root, subject);
}

// The next leaf of a pattern to which something is subscribed and that matches; NULL at the end.
// Each step goes one token deeper and leaves at most two behind, of which the next takes one: so
// the steps that wait are never more than the deepest pattern has tokens, and one.
static struct sublist_leaf *next_leaf(struct walk *walk)
{
    while (walk->depth > 0) {
        struct sublist_step step = walk->list->steps[--walk->depth];
        if (step.rest.data == NULL) {
            if (!sublist_leaf_is_empty(&step.node->leaf))
                return &step.node->leaf;
            continue;
        }
        struct bytes rest;
        struct bytes token = bytes_cut(step.rest, '.', &rest);
        push(walk, step.node->star, rest);
        push(walk, sublist_find_child(walk->list, step.node, token), rest);
        // ">" takes all that is left, and leads nowhere.
        if (step.node->tail != NULL)
            return &step.node->tail->leaf;
    }
    return NULL;
}

static bool add_hit(struct sublist *list, size_t *count, struct sublist_leaf *leaf)
{
    void *grown = list->hits;
    bool done = grow(&grown, &list->hit_capacity, *count + 1, sizeof(struct sublist_leaf *));
    list->hits = grown;
    if (done)
        list->hits[(*count)++] = leaf;
    return done;
}

static bool find_hits(struct sublist *list, struct bytes subject, size_t *count)
{
    struct walk walk;
    struct sublist_leaf *leaf = map_find(&list->literals, subject);
    begin_walk(&walk, list, subject);
    if (leaf == NULL)
        leaf = next_leaf(&walk);
    while (leaf != NULL) {
        if (!add_hit(list, count, leaf))
            return false;
        leaf = next_leaf(&walk);
    }
    return true;
}

// From leaves to a result

static void copy_plain(const struct sublist_set *set, struct sublist_result *result)
{
    if (set->count == 0)
        return;
    memcpy(result->plain + result->plain_count, sublist_set_items(set),
           set->count * sizeof(struct subscription *));
    result->plain_count += set->count;
}

// Counts each queue's members; groups of one queue by several patterns are one.
static size_t count_members(struct sublist *list, const struct sublist_leaf *leaf,
                            struct sublist_result *result)
{
    size_t total = 0;
    for (const struct sublist_members *at = leaf->groups; at != NULL; at = at->next) {
        struct sublist_queue *queue = at->key.queue;
        if (queue->stamp != list->stamp) {
            queue->stamp = list->stamp;
            queue->at = result->group_count++;
            result->groups[queue->at] = (struct sublist_group){queue->name, 0, 0};
        }
        result->groups[queue->at].count += at->set.count;
        total += at->set.count;
    }
    return total;
}

static void copy_members(const struct sublist_leaf *leaf, struct sublist_result *result)
{
    for (const struct sublist_members *at = leaf->groups; at != NULL; at = at->next) {
        struct sublist_group *group = &result->groups[at->key.queue->at];
        memcpy(result->members + group->from + group->count, sublist_set_items(&at->set),
               at->set.count * sizeof(struct subscription *));
        group->count += at->set.count;
    }
}

static bool fill_groups(struct sublist *list, size_t hits, struct sublist_result *result)
{
    size_t members = 0;
    list->stamp++;
    for (size_t i = 0; i < hits; i++)
        members += count_members(list, list->hits[i], result);
    if (!sublist_result_reserve(result, 0, members, 0))
        return false;
    for (size_t i = 0; i < result->group_count; i++) {
        struct sublist_group *group = &result->groups[i];
        group->from = result->member_count;
        result->member_count += group->count;
        group->count = 0;
    }
    for (size_t i = 0; i < hits; i++)
        copy_members(list->hits[i], result);
    return true;
}

static bool fill(struct sublist *list, size_t hits, struct sublist_result *result)
{
    size_t plain = 0;
    size_t groups = 0;
    for (size_t i = 0; i < hits; i++) {
        plain += list->hits[i]->plain.count;
        groups += list->hits[i]->group_count;
    }
    if (!sublist_result_reserve(result, plain, 0, groups))
        return false;
    for (size_t i = 0; i < hits; i++)
        copy_plain(&list->hits[i]->plain, result);
    return groups == 0 || fill_groups(list, hits, result);
}

enum status sublist_match(struct sublist *list, struct bytes subject, struct sublist_result *result)
{
    uint64_t hash = 0;
    size_t hits = 0;
    empty(result);
    list->numbers.matches++;
    // Without patterns the map of literals is as good as a cache.
    bool cacheable = sublist_has_patterns(list);
    if (cacheable && sublist_cache_get(&list->cache, subject, result, &hash))
        return STATUS_OK;
    if (has_empty_token(subject))
        return STATUS_OK;
    if (!find_hits(list, subject, &hits) || !fill(list, hits, result)) {
        empty(result);
        return STATUS_NO_MEMORY;
    }
    if (cacheable)
        sublist_cache_put(&list->cache, subject, result, hash);
    return STATUS_OK;
}

bool sublist_has_interest(struct sublist *list, struct bytes subject)
{
    struct walk walk;
    if (has_empty_token(subject))
        return false;
    if (map_find(&list->literals, subject) != NULL)
        return true;
    begin_walk(&walk, list, subject);
    return next_leaf(&walk) != NULL;
}
