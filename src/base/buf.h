// SPDX-License-Identifier: Apache-2.0
// Owned bytes that grow up to a hard maximum given at init. Failure is sticky: an append that does
// not fit, or finds no memory, changes nothing and marks the buf; later appends do nothing, and the
// writer checks once at the end with buf_status. data is not NUL-terminated unless buf_string made
// it so.
#pragma once

#include "base/bytes.h"
#include "base/status.h"

struct buf {
    char *data;
    size_t size;
    size_t capacity;
    size_t max;
    enum status failure; // STATUS_OK, STATUS_NO_MEMORY or STATUS_LIMIT
};

void buf_init(struct buf *buf, size_t max); // allocates nothing
void buf_fini(struct buf *buf);             // safe on zeroed memory and when repeated
void buf_clear(struct buf *buf);            // empties, forgets a failure, keeps the memory

void buf_append(struct buf *buf, struct bytes bytes);
void buf_append_string(struct buf *buf, const char *string);
void buf_append_byte(struct buf *buf, char byte);
void buf_append_le32(struct buf *buf, uint32_t value);
void buf_append_le64(struct buf *buf, uint64_t value);
void buf_printf(struct buf *buf, const char *format, ...) AGOG_PRINTF(2, 3);

// Makes room for size more bytes and returns where they go, or NULL after marking the buf. The
// caller fills them and then adds to buf->size.
char *buf_reserve(struct buf *buf, size_t size);

enum status buf_status(const struct buf *buf);
struct bytes buf_bytes(const struct buf *buf); // borrowed until the next change

// The content with a NUL behind it, or NULL after a failure. Borrowed until the next change.
const char *buf_string(struct buf *buf);
