// SPDX-License-Identifier: Apache-2.0
#include "engine/dedup.h"

#include "base/assert.h"

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

enum status dedup_prepare(struct dedup *dedup, struct bytes id, struct dedup_entry **entry)
{
    enum status status = map_reserve(&dedup->ids, dedup->ids.count + 1);
    if (status != STATUS_OK)
        return status;
    struct dedup_entry *made = malloc(sizeof *made + id.size);
    if (made == NULL)
        return STATUS_NO_MEMORY;
    char *text = (char *)(made + 1);
    if (id.size > 0)
        memcpy(text, id.data, id.size);
    *made = (struct dedup_entry){.id = bytes_of(text, id.size)};
    *entry = made;
    return STATUS_OK;
}

void dedup_put(struct dedup *dedup, struct dedup_entry *entry, uint64_t seq, int64_t time_ns)
{
    entry->seq = seq;
    entry->time_ns = time_ns;
    // An older entry of the id stays in the order of time, but is no longer found.
    map_take(&dedup->ids, entry->id);
    enum status status = map_add(&dedup->ids, entry->id, entry);
    ASSERT(status == STATUS_OK);
    if (dedup->newest != NULL)
        dedup->newest->newer = entry;
    else
        dedup->oldest = entry;
    dedup->newest = entry;
}

void dedup_forget_before(struct dedup *dedup, int64_t time_ns)
{
    while (dedup->oldest != NULL && dedup->oldest->time_ns < time_ns) {
        struct dedup_entry *entry = dedup->oldest;
        dedup->oldest = entry->newer;
        if (dedup->oldest == NULL)
            dedup->newest = NULL;
        if (map_find(&dedup->ids, entry->id) == entry)
            map_take(&dedup->ids, entry->id);
        free(entry);
    }
}
