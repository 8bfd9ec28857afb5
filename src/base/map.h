// SPDX-License-Identifier: Apache-2.0
// A hash map from bytes to a pointer: open addressing, seeded, no order. Keys and values are
// borrowed: usually the key lies inside the value.
#pragma once

#include "base/bytes.h"
#include "base/status.h"

struct map_slot {
    uint64_t hash;
    struct bytes key;
    void *value; // NULL: the slot is free
};

struct map {
    struct map_slot *slots;
    size_t capacity; // a power of two, or 0
    size_t count;
    uint64_t seed;
};

void map_init(struct map *map, uint64_t seed); // allocates nothing
void map_fini(struct map *map);

void *map_find(const struct map *map, struct bytes key); // NULL when it is not there

// Adds a key that is not there yet; value is not NULL.
enum status map_add(struct map *map, struct bytes key, void *value);

// Takes a key out and returns its value, NULL when it is not there.
void *map_take(struct map *map, struct bytes key);

// Walks all values: *at starts at 0; NULL at the end. The map must not change meanwhile.
void *map_next(const struct map *map, size_t *at);

// Room for that many entries without growing.
enum status map_reserve(struct map *map, size_t count);
