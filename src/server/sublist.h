// SPDX-License-Identifier: Apache-2.0
// Who subscribes to what, in one account: literal subjects in a hash map, patterns in a tree of
// tokens. A message's subject costs one look-up, and a walk along the patterns that can match it.
//
// Threads: one owner.
#pragma once

#include "base/bytes.h"
#include "base/status.h"

struct sublist;
struct sublist_set;

// Lies in the caller's struct; subject and queue stay valid until it is removed.
struct subscription {
    struct bytes subject; // a valid pattern
    struct bytes queue;   // empty: every message, else one member of the group gets it
    void *owner;
    struct sublist_set *set; // the list's own
    size_t at;
};

// One group's members that match.
struct sublist_group {
    struct bytes queue;
    size_t from; // in the result's members
    size_t count;
};

// Copies of pointers: the list may change while a result is walked, but a subscription that is
// removed meanwhile must stay readable until then.
struct sublist_result {
    struct subscription **plain;
    size_t plain_count;
    size_t plain_capacity;
    struct subscription **members;
    size_t member_count;
    size_t member_capacity;
    struct sublist_group *groups;
    size_t group_count;
    size_t group_capacity;
};

enum status sublist_new(struct sublist **out);
void sublist_free(struct sublist *list); // takes NULL; nothing is subscribed by then

// STATUS_NO_MEMORY changes nothing.
enum status sublist_insert(struct sublist *list, struct subscription *subscription);
void sublist_remove(struct sublist *list, struct subscription *subscription);

void sublist_result_init(struct sublist_result *result);
void sublist_result_fini(struct sublist_result *result);

// All subscriptions that a literal subject matches; replaces what result holds.
enum status sublist_match(struct sublist *list, struct bytes subject,
                          struct sublist_result *result);
bool sublist_has_interest(struct sublist *list, struct bytes subject);

struct sublist_numbers {
    uint64_t subscriptions;
    uint64_t inserts;
    uint64_t removes;
    uint64_t matches;
};
void sublist_numbers_get(const struct sublist *list, struct sublist_numbers *numbers);
