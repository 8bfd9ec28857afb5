// SPDX-License-Identifier: Apache-2.0
#include "base/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 4096 };

struct arena_block {
    struct arena_block *next;
    size_t size;
    size_t used;
    alignas(max_align_t) char data[];
};

void arena_init(struct arena *arena, size_t max)
{
    *arena = (struct arena){.max = max};
}

void arena_fini(struct arena *arena)
{
    while (arena->blocks != NULL) {
        struct arena_block *block = arena->blocks;
        arena->blocks = block->next;
        free(block);
    }
    *arena = (struct arena){.max = arena->max};
}

static size_t aligned(size_t size)
{
    size_t step = alignof(max_align_t);
    return (size + step - 1) / step * step;
}

bool arena_full(const struct arena *arena, size_t size)
{
    return size > arena->max || aligned(size) > arena->max - arena->used;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    if (arena_full(arena, size))
        return NULL;
    size_t taken = aligned(size);
    struct arena_block *block = arena->blocks;
    if (block == NULL || block->size - block->used < taken) {
        size_t room = taken > BLOCK_BYTES ? taken : BLOCK_BYTES;
        block = calloc(1, sizeof *block + room);
        if (block == NULL)
            return NULL;
        *block = (struct arena_block){.next = arena->blocks, .size = room};
        arena->blocks = block;
    }
    void *piece = block->data + block->used;
    block->used += taken;
    arena->used += taken;
    return piece;
}

struct bytes arena_copy(struct arena *arena, struct bytes text)
{
    char *copy = text.size == SIZE_MAX ? NULL : arena_alloc(arena, text.size + 1);
    if (copy == NULL)
        return (struct bytes){NULL, 0};
    if (text.size > 0)
        memcpy(copy, text.data, text.size);
    return bytes_of(copy, text.size);
}
