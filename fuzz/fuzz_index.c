// SPDX-License-Identifier: Apache-2.0
// An index's bytes from anywhere: once as they are, once as the entries of a group whose checksum
// is right. What decodes is put into a segment's memory, as the opening of a log does it.
#include "store/segment.h"

#include "base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void load(struct segment *segment, struct bytes groups)
{
    struct segindex_group group;
    while (segindex_next_group(&groups, 1, &group)) {
        struct segindex_entry entry;
        while (segindex_next_entry(&group.entries, &entry))
            (void)segment_add(segment, &entry, true);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf group;
    struct segment *segment = segment_new(1);
    struct segindex_group head = {.covered = 64, .first_live = 1, .count = 1};
    if (segment == NULL)
        return 0;
    load(segment, bytes_of(data, size));
    buf_init(&group, SIZE_MAX);
    size_t start = segindex_begin(&group);
    buf_append(&group, bytes_of(data, size));
    segindex_end(&group, start, 1, &head);
    load(segment, buf_bytes(&group));
    for (size_t i = 1; i < segment->count; i++)
        ASSERT(segment->slots[i - 1].seq < segment->slots[i].seq);
    ASSERT(segment_find(segment, UINT64_MAX) <= segment->count);
    buf_fini(&group);
    segment_free(segment, host_posix());
    return 0;
}
