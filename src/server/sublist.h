// SPDX-License-Identifier: Apache-2.0
// Who subscribes to what, in one account. Literal subjects stand in a hash map, patterns in a tree
// of tokens, and what recently sent subjects have matched in a cache of bounded size.
//
// Costs: inserting, removing and looking up a literal subject take the same time however many
// subscriptions there are; a match looks at the patterns that agree with the subject token by
// token, and at no others. A subscription to a subject of its own costs about 200 bytes here
// besides the caller's struct; further ones to the same subject and queue cost a pointer each.
//
// Threads: one owner.
#pragma once

#include "base/bytes.h"
#include "base/status.h"

struct sublist;
struct sublist_set;

// Lies in the caller's struct. The first three stay as they are, and what they point to stays
// readable, until it is removed.
struct subscription {
    struct bytes subject; // a valid pattern (wire/subject.h)
    struct bytes queue;   // empty: every message, else one member of the group gets it
    void *owner;
    struct sublist_set *set; // the list's own; NULL when it is in no list
    size_t at;
};

static inline bool subscription_is_listed(const struct subscription *subscription)
{
    return subscription->set != NULL;
}

// The members of one queue group that match, by whichever pattern.
struct sublist_group {
    struct bytes queue; // borrowed until a subscription is removed
    size_t from;        // in the result's members
    size_t count;
};

// The caller's copy of what matched. It does not change when the list does: whoever removes
// subscriptions while a result is walked keeps their memory until the walk has ended, and asks
// subscription_is_listed before using one.
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

// Takes NULL. Subscriptions that are still there are not touched.
void sublist_free(struct sublist *list);

// The subscription must be in no list. STATUS_NO_MEMORY changes nothing.
enum status sublist_insert(struct sublist *list, struct subscription *subscription);

// Never fails; nothing happens to one that is in no list. Safe while a result is walked, but not
// within sublist_each.
void sublist_remove(struct sublist *list, struct subscription *subscription);

void sublist_result_init(struct sublist_result *result); // allocates nothing
void sublist_result_fini(struct sublist_result *result);

// All subscriptions that match a subject as it was published; replaces what result holds. A subject
// with an empty token matches nothing, and wildcards in it are plain tokens. On STATUS_NO_MEMORY
// the result is empty.
enum status sublist_match(struct sublist *list, struct bytes subject,
                          struct sublist_result *result);

// Whether that would give anything at all.
bool sublist_has_interest(struct sublist *list, struct bytes subject);

// Calls visit for every subscription, in no order, until it returns false. The list must not change
// meanwhile; between two walks without a change the order is the same.
typedef bool (*sublist_visit)(void *context, struct subscription *subscription);
void sublist_each(const struct sublist *list, sublist_visit visit, void *context);

// For monitoring.
struct sublist_numbers {
    uint64_t subscriptions;
    uint64_t inserts;
    uint64_t removes;
    uint64_t matches;
    uint64_t cache_hits;   // of the matches
    uint64_t cached;       // subjects in the cache now
    uint64_t fanout_max;   // most receivers of a cached subject, a queue group being one
    uint64_t fanout_total; // receivers of all cached subjects
};
void sublist_numbers_get(const struct sublist *list, struct sublist_numbers *numbers);
