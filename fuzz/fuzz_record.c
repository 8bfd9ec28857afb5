// SPDX-License-Identifier: Apache-2.0
// A record's bytes from anywhere: nothing is read outside of what the lengths were checked against,
// and what is made valid reads back as itself.
#include "store/record.h"

#include "base/assert.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct record record;
    if (size < RECORD_HEAD_BYTES)
        return 0;
    // A copy of just this size, so that a read behind it is seen.
    char *copy = malloc(size);
    if (copy == NULL)
        return 0;
    memcpy(copy, data, size);
    if (record_decode(&record, copy) && record.record_bytes <= size) {
        (void)record_valid(&record, record_place(1, 64), copy);
        (void)record_padding_valid(&record, copy);
        // With a right checksum the head must be taken as it is.
        record_move(copy, record_place(1, 64), record.batch_start, 7);
        ASSERT(record_decode(&record, copy));
        ASSERT(record.first_live == 7);
        ASSERT(record_prefix_valid(&record, record_place(1, 64), copy));
        ASSERT(!record_prefix_valid(&record, record_place(1, 72), copy));
        (void)record_valid(&record, record_place(1, 64), copy);
    }
    free(copy);
    return 0;
}
