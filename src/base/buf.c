// SPDX-License-Identifier: Apache-2.0
#include "base/buf.h"

#include "base/assert.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CAPACITY_MIN = 64 };

void buf_init(struct buf *buf, size_t max)
{
    *buf = (struct buf){.max = max};
}

void buf_fini(struct buf *buf)
{
    free(buf->data);
    *buf = (struct buf){.max = buf->max};
}

void buf_clear(struct buf *buf)
{
    buf->size = 0;
    buf->failure = STATUS_OK;
}

char *buf_reserve(struct buf *buf, size_t size)
{
    if (buf->failure != STATUS_OK)
        return NULL;
    if (size > buf->max - buf->size) {
        buf->failure = STATUS_LIMIT;
        return NULL;
    }
    size_t wanted = buf->size + size;
    if (wanted > buf->capacity) {
        size_t capacity = buf->capacity < CAPACITY_MIN ? CAPACITY_MIN : buf->capacity;
        while (capacity < wanted)
            capacity += capacity / 2;
        char *data = realloc(buf->data, capacity);
        if (data == NULL) {
            buf->failure = STATUS_NO_MEMORY;
            return NULL;
        }
        buf->data = data;
        buf->capacity = capacity;
    }
    return buf->data == NULL ? NULL : buf->data + buf->size;
}

void buf_append(struct buf *buf, struct bytes bytes)
{
    if (bytes.size == 0)
        return;
    char *to = buf_reserve(buf, bytes.size);
    if (to == NULL)
        return;
    memcpy(to, bytes.data, bytes.size);
    buf->size += bytes.size;
}

void buf_append_string(struct buf *buf, const char *string)
{
    buf_append(buf, bytes_of_string(string));
}

void buf_append_byte(struct buf *buf, char byte)
{
    buf_append(buf, bytes_of(&byte, 1));
}

void buf_append_le32(struct buf *buf, uint32_t value)
{
    char out[4];
    for (size_t i = 0; i < sizeof out; i++)
        out[i] = (char)(unsigned char)(value >> (8 * i));
    buf_append(buf, bytes_of(out, sizeof out));
}

void buf_append_le64(struct buf *buf, uint64_t value)
{
    buf_append_le32(buf, (uint32_t)value);
    buf_append_le32(buf, (uint32_t)(value >> 32));
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    va_list again;
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    ASSERT(size >= 0);
    char *to = buf_reserve(buf, (size_t)size + 1);
    if (to != NULL) {
        vsnprintf(to, (size_t)size + 1, format, again);
        buf->size += (size_t)size;
    }
    va_end(again);
}

enum status buf_status(const struct buf *buf)
{
    return buf->failure;
}

struct bytes buf_bytes(const struct buf *buf)
{
    return bytes_of(buf->data, buf->size);
}

const char *buf_string(struct buf *buf)
{
    char *end = buf_reserve(buf, 1);
    if (end == NULL)
        return NULL;
    *end = '\0';
    return buf->data;
}
