// SPDX-License-Identifier: Apache-2.0
#include "engine/dedup.h"

#include <stdlib.h>
#include <string.h>

void dedup_init(struct dedup *dedup, uint64_t seed)
{
    *dedup = (struct dedup){.oldest = NULL};
    map_init(&dedup->ids, seed);
}

void dedup_fini(struct dedup *dedup)
{
    dedup_forget_before(dedup, INT64_MAX);
    map_fini(&dedup->ids);
}

uint64_t dedup_find(const struct dedup *dedup, struct bytes id)
{
    const struct dedup_entry *entry = map_find(&dedup->ids, id);
    return entry == NULL ? 0 : entry->seq;
}

enum status dedup_add(struct dedup *dedup, struct bytes id, uint64_t seq, int64_t time_ns)
{
    // Two messages of one id can only stand in the log when the window was shorter before.
    struct dedup_entry *known = map_find(&dedup->ids, id);
    if (known != NULL)
        return STATUS_OK;
    struct dedup_entry *entry = malloc(sizeof *entry + id.size);
    if (entry == NULL)
        return STATUS_NO_MEMORY;
    char *text = (char *)(entry + 1);
    memcpy(text, id.data, id.size);
    *entry = (struct dedup_entry){.time_ns = time_ns, .seq = seq, .id = bytes_of(text, id.size)};
    if (map_add(&dedup->ids, entry->id, entry) != STATUS_OK) {
        free(entry);
        return STATUS_NO_MEMORY;
    }
    if (dedup->newest != NULL)
        dedup->newest->newer = entry;
    else
        dedup->oldest = entry;
    dedup->newest = entry;
    return STATUS_OK;
}

void dedup_forget_before(struct dedup *dedup, int64_t time_ns)
{
    while (dedup->oldest != NULL && dedup->oldest->time_ns < time_ns) {
        struct dedup_entry *entry = dedup->oldest;
        dedup->oldest = entry->newer;
        if (dedup->oldest == NULL)
            dedup->newest = NULL;
        map_take(&dedup->ids, entry->id);
        free(entry);
    }
}
