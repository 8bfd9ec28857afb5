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

enum status headers_check(struct bytes block, struct errinfo *err)
{
    if (block.size == 0)
        return STATUS_OK;
    struct bytes after = bytes_from(block, version.size);
    if (!bytes_start_with(block, version) ||
        !(bytes_start_with(after, line_end) || bytes_start_with(after, BYTES(" "))))
        return errinfo_set(err, STATUS_INVALID, "the header block does not begin with NATS/1.0");
    if (!bytes_end_with(block, BYTES("\r\n\r\n")))
        return errinfo_set(err, STATUS_INVALID, "the header block does not end in an empty line");
    struct bytes line;
    bool first = true;
    while (take_line(&block, &line)) {
        bool field = !first && line.size > 0;
        size_t colon = field ? bytes_find_byte(line, ':') : 1;
        if (colon == SIZE_MAX || colon == 0)
            return errinfo_set(err, STATUS_INVALID, "a header line has no name before a colon");
        // An empty line ends the block: nothing may stand behind it.
        if (!first && line.size == 0 && block.size > 0)
            return errinfo_set(err, STATUS_INVALID, "the header block has an empty line inside");
        first = false;
    }
    return STATUS_OK;
}

void headers_begin(struct buf *out)
{
    buf_append(out, version);
    buf_append(out, line_end);
}

void headers_end(struct buf *out)
{
    buf_append(out, line_end);
}

static bool breaks_out(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '\r' || text.data[i] == '\n' || text.data[i] == '\0')
            return true;
    }
    return false;
}

enum status headers_add(struct buf *out, struct bytes name, struct bytes value, struct errinfo *err)
{
    char quoted[ERRINFO_QUOTED_MAX];
    bool bad_name = name.size == 0 || breaks_out(name) || bytes_find_byte(name, ':') != SIZE_MAX ||
                    bytes_find_byte(name, ' ') != SIZE_MAX ||
                    bytes_find_byte(name, '\t') != SIZE_MAX;
    if (bad_name)
        return errinfo_set(err, STATUS_INVALID, "%s cannot be the name of a header",
                           errinfo_quote(name, quoted));
    if (breaks_out(value))
        return errinfo_set(err, STATUS_INVALID,
                           "header %.*s cannot hold %s: line ends and NUL are not allowed",
                           BYTES_ARG(name), errinfo_quote(value, quoted));
    buf_append(out, name);
    buf_append(out, BYTES(": "));
    buf_append(out, value);
    buf_append(out, line_end);
    return STATUS_OK;
}
