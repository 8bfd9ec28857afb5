// SPDX-License-Identifier: Apache-2.0
// Reads a segment's bytes from a place on as records, and finds the next whole record behind bytes
// that are none. Used when a log is opened and when it is checked.
#pragma once

#include "store/segment.h"

struct segscan {
    const struct host *host;
    struct host_file *file;
    uint64_t number;
    uint64_t size; // of the file
    struct buf window;
    uint64_t window_from;
    int failure; // errno of a failed read, or ENOMEM; then nothing more is found
};

void segscan_init(struct segscan *scan, const struct host *host, const struct segment *segment);
void segscan_fini(struct segscan *scan);

// The bytes at offset, or NULL when the file has not that many there. Borrowed until the next call.
const char *segscan_bytes(struct segscan *scan, uint64_t offset, size_t size);

// The record at offset when head, subject and headers are whole (its body is inside of the file);
// *encoded is all of it, borrowed until the next call.
bool segscan_prefix(struct segscan *scan, uint64_t offset, struct record *record,
                    const char **encoded);

// The same with the body whole too.
bool segscan_record(struct segscan *scan, uint64_t offset, struct record *record,
                    const char **encoded);

// The first whole record at or after offset with batch_start above `above`; false when none is.
bool segscan_find(struct segscan *scan, uint64_t offset, uint64_t above, uint64_t *found);

// The first byte at or after offset that is not zero, or the file's size.
uint64_t segscan_nonzero(struct segscan *scan, uint64_t offset);
