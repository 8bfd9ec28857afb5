// SPDX-License-Identifier: Apache-2.0
#include "base/map.h"

#include "base/assert.h"

#include <stdlib.h>

enum { CAPACITY_MIN = 16 };

void map_init(struct map *map, uint64_t seed)
{
    *map = (struct map){.seed = seed};
}

void map_fini(struct map *map)
{
    free(map->slots);
    *map = (struct map){.seed = map->seed};
}

// Where the key is, or the free slot where it would go.
static size_t slot_of(const struct map *map, uint64_t hash, struct bytes key)
{
    size_t mask = map->capacity - 1;
    size_t at = (size_t)hash & mask;
    while (map->slots[at].value != NULL &&
           (map->slots[at].hash != hash || !bytes_equal(map->slots[at].key, key)))
        at = (at + 1) & mask;
    return at;
}

void *map_find(const struct map *map, struct bytes key)
{
    if (map->count == 0)
        return NULL;
    return map->slots[slot_of(map, bytes_hash(key, map->seed), key)].value;
}

static enum status grow(struct map *map, size_t capacity)
{
    struct map_slot *old = map->slots;
    size_t old_capacity = map->capacity;
    struct map_slot *slots = calloc(capacity, sizeof *slots);
    if (slots == NULL)
        return STATUS_NO_MEMORY;
    map->slots = slots;
    map->capacity = capacity;
    for (size_t i = 0; i < old_capacity; i++) {
        if (old[i].value != NULL)
            slots[slot_of(map, old[i].hash, old[i].key)] = old[i];
    }
    free(old);
    return STATUS_OK;
}

enum status map_reserve(struct map *map, size_t count)
{
    size_t capacity = map->capacity == 0 ? CAPACITY_MIN : map->capacity;
    // At most two thirds full, so that a search ends soon.
    while (capacity / 3 * 2 < count)
        capacity *= 2;
    return capacity == map->capacity ? STATUS_OK : grow(map, capacity);
}

enum status map_add(struct map *map, struct bytes key, void *value)
{
    ASSERT(value != NULL);
    enum status status = map_reserve(map, map->count + 1);
    if (status != STATUS_OK)
        return status;
    uint64_t hash = bytes_hash(key, map->seed);
    size_t at = slot_of(map, hash, key);
    ASSERT(map->slots[at].value == NULL);
    map->slots[at] = (struct map_slot){hash, key, value};
    map->count++;
    return STATUS_OK;
}

// Closes the hole: every entry behind it that would be searched for across it moves back.
static void close_hole(struct map *map, size_t hole)
{
    size_t mask = map->capacity - 1;
    for (size_t at = (hole + 1) & mask; map->slots[at].value != NULL; at = (at + 1) & mask) {
        size_t home = (size_t)map->slots[at].hash & mask;
        if (((at - home) & mask) < ((at - hole) & mask))
            continue;
        map->slots[hole] = map->slots[at];
        hole = at;
    }
    map->slots[hole].value = NULL;
}

void *map_take(struct map *map, struct bytes key)
{
    if (map->count == 0)
        return NULL;
    size_t at = slot_of(map, bytes_hash(key, map->seed), key);
    void *value = map->slots[at].value;
    if (value == NULL)
        return NULL;
    close_hole(map, at);
    map->count--;
    return value;
}

void *map_next(const struct map *map, size_t *at)
{
    while (*at < map->capacity) {
        void *value = map->slots[(*at)++].value;
        if (value != NULL)
            return value;
    }
    return NULL;
}
