// SPDX-License-Identifier: Apache-2.0
#include "store/segscan.h"

#include <errno.h>
#include <string.h>

enum { WINDOW_BYTES = 1024 * 1024 };

void segscan_init(struct segscan *scan, const struct host *host, const struct segment *segment)
{
    *scan = (struct segscan){.host = host, .file = segment->file, .number = segment->number};
    buf_init(&scan->window, SIZE_MAX);
    scan->failure = host->size(host->context, segment->file, &scan->size);
}

void segscan_fini(struct segscan *scan)
{
    buf_fini(&scan->window);
}

const char *segscan_bytes(struct segscan *scan, uint64_t offset, size_t size)
{
    if (scan->failure != 0 || offset > scan->size || size > scan->size - offset)
        return NULL;
    struct buf *window = &scan->window;
    if (offset >= scan->window_from && offset + size <= scan->window_from + window->size)
        return window->data + (offset - scan->window_from);
    size_t wanted = size > WINDOW_BYTES ? size : WINDOW_BYTES;
    if (wanted > scan->size - offset)
        wanted = (size_t)(scan->size - offset);
    buf_clear(window);
    scan->window_from = offset;
    size_t got = 0;
    if (buf_reserve(window, wanted + 1) == NULL)
        scan->failure = ENOMEM;
    else
        scan->failure = scan->host->read_at(scan->host->context, scan->file, window->data, wanted,
                                            offset, &got);
    if (scan->failure != 0)
        return NULL;
    window->size = got;
    return got >= size ? window->data : NULL;
}

bool segscan_prefix(struct segscan *scan, uint64_t offset, struct record *record,
                    const char **encoded)
{
    const char *head = segscan_bytes(scan, offset, RECORD_HEAD_BYTES);
    struct record found;
    if (head == NULL || !record_decode(&found, head) || found.batch_start > offset)
        return false;
    const char *whole = segscan_bytes(scan, offset, found.record_bytes);
    if (whole == NULL || !record_prefix_valid(&found, record_place(scan->number, offset), whole))
        return false;
    *record = found;
    *encoded = whole;
    return true;
}

bool segscan_record(struct segscan *scan, uint64_t offset, struct record *record,
                    const char **encoded)
{
    if (!segscan_prefix(scan, offset, record, encoded))
        return false;
    const char *body = *encoded + record_prefix_bytes(record);
    return record_body_valid(record, *encoded, 0, bytes_of(body, record->body_bytes));
}

uint64_t segscan_nonzero(struct segscan *scan, uint64_t offset)
{
    static const char zeros[4096];
    while (offset < scan->size && scan->failure == 0) {
        size_t step = sizeof zeros;
        if (step > scan->size - offset)
            step = (size_t)(scan->size - offset);
        const char *bytes = segscan_bytes(scan, offset, step);
        if (bytes == NULL)
            break;
        if (memcmp(bytes, zeros, step) != 0) {
            while (*bytes++ == 0)
                offset++;
            return offset;
        }
        offset += step;
    }
    return scan->size;
}

bool segscan_find(struct segscan *scan, uint64_t offset, uint64_t above, uint64_t *found)
{
    while (scan->failure == 0) {
        // Reserved space is most of what is looked at here, and a record begins with its magic.
        offset = segscan_nonzero(scan, offset) / RECORD_ALIGN * RECORD_ALIGN;
        if (offset + RECORD_HEAD_BYTES > scan->size)
            return false;
        struct record record;
        const char *encoded;
        if (segscan_record(scan, offset, &record, &encoded) && record.batch_start > above) {
            *found = offset;
            return true;
        }
        offset += RECORD_ALIGN;
    }
    return false;
}
