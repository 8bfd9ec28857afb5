// SPDX-License-Identifier: Apache-2.0
#include "server/sublist_private.h"

#include <stdlib.h>
#include <string.h>

// One allocation: this, the groups, the pointers (plain ones first), the subject.
struct sublist_cached {
    uint64_t generation;
    struct bytes subject;
    struct subscription **pointers;
    uint32_t plain_count;
    uint32_t member_count;
    uint32_t group_count;
    struct sublist_group groups[];
};

void sublist_cache_fini(struct sublist_cache *cache)
{
    for (size_t i = 0; cache->slots != NULL && i < SUBLIST_CACHE_SLOTS; i++)
        free(cache->slots[i].entry);
    free(cache->slots);
    cache->slots = NULL;
}

static struct sublist_cache_slot *slot_of(const struct sublist_cache *cache, uint64_t hash)
{
    return &cache->slots[hash % SUBLIST_CACHE_SLOTS];
}

static void drop(struct sublist_cache *cache, struct sublist_cache_slot *slot)
{
    if (slot->entry != NULL && slot->entry->generation == cache->generation)
        cache->count--;
    free(slot->entry);
    slot->entry = NULL;
}

static bool copy_out(const struct sublist_cached *entry, struct sublist_result *result)
{
    if (!sublist_result_reserve(result, entry->plain_count, entry->member_count,
                                entry->group_count))
        return false;
    result->plain_count = entry->plain_count;
    result->member_count = entry->member_count;
    result->group_count = entry->group_count;
    if (entry->plain_count > 0)
        memcpy(result->plain, entry->pointers, entry->plain_count * sizeof(struct subscription *));
    if (entry->group_count == 0)
        return true;
    memcpy(result->members, entry->pointers + entry->plain_count,
           entry->member_count * sizeof(struct subscription *));
    memcpy(result->groups, entry->groups, entry->group_count * sizeof(struct sublist_group));
    return true;
}

bool sublist_cache_get(struct sublist_cache *cache, struct bytes subject,
                       struct sublist_result *result, uint64_t *hash)
{
    *hash = bytes_hash(subject, cache->seed);
    if (cache->slots == NULL)
        return false;
    const struct sublist_cached *entry = slot_of(cache, *hash)->entry;
    if (entry == NULL || entry->generation != cache->generation ||
        !bytes_equal(entry->subject, subject) || !copy_out(entry, result))
        return false;
    cache->hits++;
    return true;
}

static struct sublist_cached *make_entry(struct bytes subject, const struct sublist_result *result)
{
    size_t groups_size = result->group_count * sizeof(struct sublist_group);
    size_t pointers = result->plain_count + result->member_count;
    size_t pointers_size = pointers * sizeof(struct subscription *);
    struct sublist_cached *entry = malloc(sizeof *entry + groups_size + pointers_size +
                                          subject.size);
    if (entry == NULL)
        return NULL;
    char *behind = (char *)entry->groups + groups_size;
    *entry = (struct sublist_cached){
        .subject = bytes_of(behind + pointers_size, subject.size),
        .pointers = (struct subscription **)(void *)behind,
        .plain_count = (uint32_t)result->plain_count,
        .member_count = (uint32_t)result->member_count,
        .group_count = (uint32_t)result->group_count,
    };
    memcpy(behind + pointers_size, subject.data, subject.size);
    if (result->plain_count > 0)
        memcpy(entry->pointers, result->plain, result->plain_count * sizeof *entry->pointers);
    if (result->group_count == 0)
        return entry;
    memcpy(entry->pointers + result->plain_count, result->members,
           result->member_count * sizeof *entry->pointers);
    memcpy(entry->groups, result->groups, groups_size);
    return entry;
}

void sublist_cache_put(struct sublist_cache *cache, struct bytes subject,
                       const struct sublist_result *result, uint64_t hash)
{
    size_t pointers = result->plain_count + result->member_count;
    if (pointers > SUBLIST_CACHE_POINTERS_MAX || subject.size > SUBLIST_CACHE_SUBJECT_MAX)
        return;
    if (cache->slots == NULL)
        cache->slots = calloc(SUBLIST_CACHE_SLOTS, sizeof *cache->slots);
    if (cache->slots == NULL)
        return;
    struct sublist_cache_slot *slot = slot_of(cache, hash);
    if (slot->last_missed != hash) {
        slot->last_missed = hash;
        return;
    }
    struct sublist_cached *entry = make_entry(subject, result);
    if (entry == NULL)
        return;
    drop(cache, slot);
    entry->generation = cache->generation;
    slot->entry = entry;
    cache->count++;
}

void sublist_cache_forget(struct sublist_cache *cache, struct bytes subject)
{
    if (cache->slots == NULL)
        return;
    struct sublist_cache_slot *slot = slot_of(cache, bytes_hash(subject, cache->seed));
    if (slot->entry != NULL && bytes_equal(slot->entry->subject, subject))
        drop(cache, slot);
}

void sublist_cache_forget_all(struct sublist_cache *cache)
{
    cache->generation++;
    cache->count = 0;
}

void sublist_cache_numbers(const struct sublist_cache *cache, struct sublist_numbers *numbers)
{
    numbers->cache_hits = cache->hits;
    numbers->cached = cache->count;
    for (size_t i = 0; cache->slots != NULL && i < SUBLIST_CACHE_SLOTS; i++) {
        const struct sublist_cached *entry = cache->slots[i].entry;
        if (entry == NULL || entry->generation != cache->generation)
            continue;
        uint64_t fanout = (uint64_t)entry->plain_count + entry->group_count;
        numbers->fanout_total += fanout;
        if (fanout > numbers->fanout_max)
            numbers->fanout_max = fanout;
    }
}
