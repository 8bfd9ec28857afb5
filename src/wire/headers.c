// SPDX-License-Identifier: Apache-2.0
#include "wire/headers.h"

static const struct bytes version = {"NATS/1.0", 8};
static const struct bytes line_end = {"\r\n", 2};

// Takes one line, without its end, off the front; false when no line end follows.
static bool take_line(struct bytes *rest, struct bytes *line)
{
    size_t end = bytes_find(*rest, line_end);
    if (end == SIZE_MAX)
        return false;
    *line = bytes_slice(*rest, 0, end);
    *rest = bytes_from(*rest, end + line_end.size);
    return true;
}

bool headers_next(struct bytes *rest, struct bytes *name, struct bytes *value)
{
    struct bytes line;
    while (take_line(rest, &line)) {
        if (line.size == 0)
            return false;
        struct bytes after;
        struct bytes before = bytes_cut(line, ':', &after);
        // The version line, and whatever else is no field.
        if (after.data == NULL)
            continue;
        *name = before;
        *value = bytes_trim(after);
        return true;
    }
    return false;
}

bool headers_find(struct bytes block, struct bytes wanted, struct bytes *value)
{
    struct bytes name, found;
    while (headers_next(&block, &name, &found)) {
        if (bytes_equal_nocase(name, wanted)) {
            *value = found;
            return true;
        }
    }
    return false;
}
