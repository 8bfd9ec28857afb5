// SPDX-License-Identifier: Apache-2.0
#include "server/sublist.h"

#include "base/map.h"
#include "wire/subject.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 2, FIRST_STACK = 32 };

// Subscriptions of one subject and one queue (or none), in no order.
struct sublist_set {
    struct entry *entry;
    struct bytes queue; // in the members' memory: any of them has it
    struct subscription **items;
    size_t count;
    size_t capacity;
};

// What is subscribed to one subject or pattern.
struct entry {
    struct sublist_set plain;
    struct sublist_set **groups;
    size_t group_count;
    struct node *node;    // of a pattern; NULL for a literal subject
    struct bytes subject; // of a literal subject, the key: in this entry's own memory
};

// A token of patterns.
struct node {
    struct node *parent;
    struct bytes token; // behind the struct
    struct map children;
    struct node *star;
    struct node *tail; // ">"
    struct entry entry;
};

struct step {
    struct node *node;
    struct bytes rest; // of the subject, behind the node's token
};

struct sublist {
    struct map literals; // struct entry by subject
    struct node root;
    struct step *stack;
    size_t stack_capacity;
    struct sublist_numbers numbers;
};

enum status sublist_new(struct sublist **out)
{
    struct sublist *list = calloc(1, sizeof *list);
    if (list == NULL)
        return STATUS_NO_MEMORY;
    map_init(&list->literals, (uint64_t)(uintptr_t)list);
    map_init(&list->root.children, (uint64_t)(uintptr_t)list);
    *out = list;
    return STATUS_OK;
}

void sublist_free(struct sublist *list)
{
    if (list == NULL)
        return;
    map_fini(&list->literals);
    map_fini(&list->root.children);
    free(list->stack);
    free(list);
}

// Sets

static enum status set_add(struct sublist_set *set, struct subscription *subscription)
{
    if (set->count == set->capacity) {
        size_t capacity = set->capacity == 0 ? FIRST_CAPACITY : set->capacity * 2;
        struct subscription **items = realloc(set->items, capacity * sizeof(struct subscription *));
        if (items == NULL)
            return STATUS_NO_MEMORY;
        set->items = items;
        set->capacity = capacity;
    }
    subscription->set = set;
    subscription->at = set->count;
    set->items[set->count++] = subscription;
    return STATUS_OK;
}

static void set_remove(struct sublist_set *set, struct subscription *subscription)
{
    struct subscription *last = set->items[--set->count];
    set->items[subscription->at] = last;
    last->at = subscription->at;
    subscription->set = NULL;
    if (set->count == 0) {
        free(set->items);
        set->items = NULL;
        set->capacity = 0;
    } else if (set->queue.data != NULL) {
        // The name lay in the memory of the one that is leaving, perhaps.
        set->queue = set->items[0]->queue;
    }
}

static struct sublist_set *group_of(struct entry *entry, struct bytes queue)
{
    for (size_t i = 0; i < entry->group_count; i++)
        if (bytes_equal(entry->groups[i]->queue, queue))
            return entry->groups[i];
    struct sublist_set **groups = realloc(entry->groups,
                                          (entry->group_count + 1) * sizeof(struct sublist_set *));
    if (groups == NULL)
        return NULL;
    entry->groups = groups;
    struct sublist_set *made = calloc(1, sizeof *made);
    if (made == NULL)
        return NULL;
    made->entry = entry;
    made->queue = queue;
    groups[entry->group_count++] = made;
    return made;
}

static void drop_empty_groups(struct entry *entry)
{
    for (size_t i = 0; i < entry->group_count; i++) {
        if (entry->groups[i]->count > 0)
            continue;
        free(entry->groups[i]);
        entry->groups[i--] = entry->groups[--entry->group_count];
    }
    if (entry->group_count == 0) {
        free(entry->groups);
        entry->groups = NULL;
    }
}

static bool entry_is_empty(const struct entry *entry)
{
    return entry->plain.count == 0 && entry->group_count == 0;
}

// Nodes

static struct node *make_node(struct node *parent, struct bytes token)
{
    struct node *node = calloc(1, sizeof *node + token.size);
    if (node == NULL)
        return NULL;
    char *text = (char *)(node + 1);
    memcpy(text, token.data, token.size);
    node->token = bytes_of(text, token.size);
    node->parent = parent;
    node->entry.node = node;
    map_init(&node->children, (uint64_t)(uintptr_t)node);
    return node;
}

static struct node *child_of(struct node *node, struct bytes token)
{
    struct node **place = bytes_equal(token, BYTES("*"))   ? &node->star
                          : bytes_equal(token, BYTES(">")) ? &node->tail
                                                           : NULL;
    struct node *child = place != NULL ? *place : map_find(&node->children, token);
    if (child != NULL)
        return child;
    child = make_node(node, token);
    if (child == NULL)
        return NULL;
    if (place != NULL) {
        *place = child;
    } else if (map_add(&node->children, child->token, child) != STATUS_OK) {
        free(child);
        return NULL;
    }
    return child;
}

// Takes out a node that has nothing left, and its parents likewise.
static void prune(struct node *node)
{
    while (node->parent != NULL && entry_is_empty(&node->entry) && node->children.count == 0 &&
           node->star == NULL && node->tail == NULL) {
        struct node *parent = node->parent;
        if (parent->star == node)
            parent->star = NULL;
        else if (parent->tail == node)
            parent->tail = NULL;
        else
            map_take(&parent->children, node->token);
        map_fini(&node->children);
        free(node);
        node = parent;
    }
}

// Inserting and removing

static struct entry *pattern_entry(struct sublist *list, struct bytes pattern)
{
    struct node *node = &list->root;
    while (pattern.data != NULL) {
        struct node *child = child_of(node, bytes_cut(pattern, '.', &pattern));
        if (child == NULL) {
            prune(node);
            return NULL;
        }
        node = child;
    }
    return &node->entry;
}

static struct entry *literal_entry(struct sublist *list, struct bytes subject)
{
    struct entry *entry = map_find(&list->literals, subject);
    if (entry != NULL)
        return entry;
    entry = calloc(1, sizeof *entry + subject.size);
    if (entry == NULL)
        return NULL;
    char *text = (char *)(entry + 1);
    memcpy(text, subject.data, subject.size);
    entry->subject = bytes_of(text, subject.size);
    if (map_add(&list->literals, entry->subject, entry) != STATUS_OK) {
        free(entry);
        return NULL;
    }
    return entry;
}

static void forget_if_empty(struct sublist *list, struct entry *entry)
{
    drop_empty_groups(entry);
    if (entry->node != NULL) {
        prune(entry->node);
    } else if (entry_is_empty(entry)) {
        map_take(&list->literals, entry->subject);
        free(entry);
    }
}

enum status sublist_insert(struct sublist *list, struct subscription *subscription)
{
    struct bytes subject = subscription->subject;
    bool wild = subject_has_wildcard(subject);
    struct entry *entry = wild ? pattern_entry(list, subject) : literal_entry(list, subject);
    if (entry == NULL)
        return STATUS_NO_MEMORY;
    struct sublist_set *set = &entry->plain;
    set->entry = entry;
    if (subscription->queue.size > 0)
        set = group_of(entry, subscription->queue);
    if (set == NULL || set_add(set, subscription) != STATUS_OK) {
        forget_if_empty(list, entry);
        return STATUS_NO_MEMORY;
    }
    list->numbers.subscriptions++;
    list->numbers.inserts++;
    return STATUS_OK;
}

void sublist_remove(struct sublist *list, struct subscription *subscription)
{
    struct sublist_set *set = subscription->set;
    if (set == NULL)
        return;
    struct entry *entry = set->entry;
    set_remove(set, subscription);
    if (set->count == 0)
        forget_if_empty(list, entry);
    list->numbers.subscriptions--;
    list->numbers.removes++;
}

// Matching

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

static bool grow(void **items, size_t *capacity, size_t wanted, size_t size)
{
    if (wanted <= *capacity)
        return true;
    size_t more = *capacity * 2 < wanted ? wanted : *capacity * 2;
    void *grown = realloc(*items, more * size);
    if (grown == NULL)
        return false;
    *items = grown;
    *capacity = more;
    return true;
}

static bool add_plain(struct sublist_result *result, const struct sublist_set *set)
{
    void *items = result->plain;
    size_t count = result->plain_count + set->count;
    if (!grow(&items, &result->plain_capacity, count, sizeof(struct subscription *)))
        return false;
    result->plain = items;
    memcpy(result->plain + result->plain_count, set->items,
           set->count * sizeof(struct subscription *));
    result->plain_count = count;
    return true;
}

// A queue that subscribes by several patterns is one group all the same: its members lie together.
static bool add_group(struct sublist_result *result, const struct sublist_set *set)
{
    size_t at = 0;
    void *members = result->members;
    void *groups = result->groups;
    while (at < result->group_count && !bytes_equal(result->groups[at].queue, set->queue))
        at++;
    if (!grow(&members, &result->member_capacity, result->member_count + set->count,
              sizeof(struct subscription *)))
        return false;
    result->members = members;
    if (!grow(&groups, &result->group_capacity, at + 1, sizeof(struct sublist_group)))
        return false;
    result->groups = groups;
    if (at == result->group_count) {
        result->groups[at] = (struct sublist_group){set->queue, result->member_count, 0};
        result->group_count++;
    }
    struct sublist_group *group = &result->groups[at];
    struct subscription **to = result->members + group->from + group->count;
    size_t behind = result->member_count - group->from - group->count;
    memmove(to + set->count, to, behind * sizeof(struct subscription *));
    memcpy(to, set->items, set->count * sizeof(struct subscription *));
    for (size_t i = at + 1; i < result->group_count; i++)
        result->groups[i].from += set->count;
    group->count += set->count;
    result->member_count += set->count;
    return true;
}

static bool add_entry(struct sublist_result *result, const struct entry *entry)
{
    if (entry->plain.count > 0 && !add_plain(result, &entry->plain))
        return false;
    for (size_t i = 0; i < entry->group_count; i++)
        if (!add_group(result, entry->groups[i]))
            return false;
    return true;
}

static bool push(struct sublist *list, size_t *depth, struct node *node, struct bytes rest)
{
    void *stack = list->stack;
    if (node == NULL)
        return true;
    if (!grow(&stack, &list->stack_capacity,
              *depth < FIRST_STACK ? (size_t)FIRST_STACK : *depth + 1, sizeof(struct step)))
        return false;
    list->stack = stack;
    list->stack[(*depth)++] = (struct step){node, rest};
    return true;
}

// Walks the patterns that match, and calls for each; false when visit said so or memory ran out.
typedef bool (*visit_entry)(struct sublist_result *result, const struct entry *entry);

static bool walk_patterns(struct sublist *list, struct bytes subject, visit_entry visit,
                          struct sublist_result *result)
{
    size_t depth = 0;
    if (!push(list, &depth, &list->root, subject))
        return false;
    while (depth > 0) {
        struct step step = list->stack[--depth];
        if (step.rest.data == NULL) {
            if (!visit(result, &step.node->entry))
                return false;
            continue;
        }
        struct bytes rest;
        struct bytes token = bytes_cut(step.rest, '.', &rest);
        if (step.node->tail != NULL && !visit(result, &step.node->tail->entry))
            return false;
        struct node *literal = step.node->children.count > 0 ? map_find(&step.node->children, token)
                                                             : NULL;
        if (!push(list, &depth, literal, rest) || !push(list, &depth, step.node->star, rest))
            return false;
    }
    return true;
}

static bool has_patterns(const struct sublist *list)
{
    const struct node *root = &list->root;
    return root->children.count > 0 || root->star != NULL || root->tail != NULL;
}

enum status sublist_match(struct sublist *list, struct bytes subject, struct sublist_result *result)
{
    result->plain_count = 0;
    result->member_count = 0;
    result->group_count = 0;
    list->numbers.matches++;
    const struct entry *literal = map_find(&list->literals, subject);
    if (literal != NULL && !add_entry(result, literal))
        return STATUS_NO_MEMORY;
    if (has_patterns(list) && !walk_patterns(list, subject, add_entry, result))
        return STATUS_NO_MEMORY;
    return STATUS_OK;
}

static bool stop_at_any(struct sublist_result *result, const struct entry *entry)
{
    (void)result;
    return entry_is_empty(entry);
}

bool sublist_has_interest(struct sublist *list, struct bytes subject)
{
    return map_find(&list->literals, subject) != NULL ||
           (has_patterns(list) && !walk_patterns(list, subject, stop_at_any, NULL));
}

void sublist_numbers_get(const struct sublist *list, struct sublist_numbers *numbers)
{
    *numbers = list->numbers;
}
