// SPDX-License-Identifier: Apache-2.0
// A doubly linked list whose links lie in the elements: adding and taking out never fails, and an
// element leaves in constant time. A link that is in no list points to itself.
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next;
    struct list *previous;
};

static inline void list_init(struct list *list)
{
    list->next = list;
    list->previous = list;
}

// For a head: nothing is in it; for a link: it is in no list.
static inline bool list_is_empty(const struct list *list)
{
    return list->next == list;
}

static inline void list_append(struct list *head, struct list *link)
{
    link->previous = head->previous;
    link->next = head;
    head->previous->next = link;
    head->previous = link;
}

// Safe on a link that is in no list.
static inline void list_take_out(struct list *link)
{
    link->previous->next = link->next;
    link->next->previous = link->previous;
    list_init(link);
}

// Moves everything from one head to another, which is initialised by the call.
static inline void list_move(struct list *to, struct list *from)
{
    list_init(to);
    if (list_is_empty(from))
        return;
    to->next = from->next;
    to->previous = from->previous;
    to->next->previous = to;
    to->previous->next = to;
    list_init(from);
}

// The element that a link lies in.
#define LIST_ELEMENT(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))
