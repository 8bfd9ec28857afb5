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
        // The version line, whose status text may have a colon, and whatever else is no field.
        if (after.data == NULL || bytes_start_with(line, version))
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

bool headers_status(struct bytes block, int *code, struct bytes *text)
{
    struct bytes line;
    uint64_t number;
    if (!bytes_start_with(block, version) || !take_line(&block, &line))
        return false;
    struct bytes after = bytes_trim(bytes_from(line, version.size));
    struct bytes digits = bytes_slice(after, 0, 3);
    struct bytes rest = bytes_from(after, 3);
    bool ends = rest.size == 0 || rest.data[0] == ' ';
    if (digits.size != 3 || !ends || !bytes_to_u64(digits, &number))
        return false;
    *code = (int)number;
    *text = bytes_trim(rest);
    return true;
}

// The first line: the version, and behind a blank perhaps a status.
static bool good_version_line(struct bytes block)
{
    struct bytes after = bytes_from(block, version.size);
    return bytes_start_with(block, version) &&
           (bytes_start_with(after, line_end) || bytes_start_with(after, BYTES(" ")));
}

enum status headers_check(struct bytes block, struct errinfo *err)
{
    if (block.size == 0)
        return STATUS_OK;
    if (!good_version_line(block))
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

static bool good_name(struct bytes name)
{
    for (size_t i = 0; i < name.size; i++) {
        unsigned char c = (unsigned char)name.data[i];
        if (c <= ' ' || c == 0x7F || c == ':')
            return false;
    }
    return name.size > 0;
}

enum status headers_add(struct buf *out, struct bytes name, struct bytes value, struct errinfo *err)
{
    char quoted[ERRINFO_QUOTED_MAX];
    if (!good_name(name))
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
