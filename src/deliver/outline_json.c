// SPDX-License-Identifier: Apache-2.0
#include "deliver/outline_json.h"

#include "base/limits.h"
#include "base/utf8.h"
#include "deliver/outline_make.h"

#include <jansson.h>
#include <string.h>

enum { VERSION = 1, JSON_BYTES_MAX = 64 * 1024 * 1024 };

static const char *const kinds[] = {
    [OUTLINE_TEXT] = "text", [OUTLINE_MARKDOWN] = "markdown", [OUTLINE_JSON] = "json"};
static const char *const heads[] = {[OUTLINE_HEAD_NONE] = "none",
                                    [OUTLINE_HEAD_PREAMBLE] = "preamble",
                                    [OUTLINE_HEAD_TITLE] = "title"};

static enum outline_head head_of(const struct outline *outline)
{
    if (outline->count == 0 || !bytes_equal(outline->sections[0].number, BYTES("0")))
        return OUTLINE_HEAD_NONE;
    return outline->sections[0].level == 0 ? OUTLINE_HEAD_PREAMBLE : OUTLINE_HEAD_TITLE;
}

static json_t *pack_section(const struct outline_section *section, bool counted)
{
    json_t *row = json_pack("[I, I, I, s%]", (json_int_t)section->level, (json_int_t)section->from,
                            (json_int_t)section->line,
                            section->title.size > 0 ? section->title.data : "",
                            section->title.size);
    if (row != NULL && counted) {
        json_array_append_new(row, json_integer((json_int_t)section->tokens));
        json_array_append_new(row, json_integer((json_int_t)section->tokens_whole));
    }
    return row;
}

static int append_dumped(const char *data, size_t size, void *context)
{
    struct buf *out = context;
    buf_append(out, bytes_of(data, size));
    return buf_status(out) == STATUS_OK ? 0 : -1;
}

enum status outline_json_write(const struct outline *outline, struct buf *out, struct errinfo *err)
{
    json_t *root = json_pack("{s:i, s:s, s:I, s:I}", "v", VERSION, "kind", kinds[outline->kind],
                             "bytes", (json_int_t)outline->bytes, "lines",
                             (json_int_t)outline->lines);
    json_t *rows = json_array();
    bool made = root != NULL && rows != NULL;
    for (uint32_t i = 0; i < outline->count && made; i++)
        made = json_array_append_new(rows, pack_section(&outline->sections[i], outline->counted)) ==
               0;
    if (outline->counted)
        made = made &&
               json_object_set_new(root, "tokens", json_integer((json_int_t)outline->tokens)) == 0;
    if (outline->truncated)
        made = made && json_object_set_new(root, "truncated", json_true()) == 0;
    made = made && json_object_set_new(root, "head", json_string(heads[head_of(outline)])) == 0 &&
           json_object_set(root, "sections", rows) == 0 &&
           json_dump_callback(root, append_dumped, out, JSON_COMPACT) == 0;
    json_decref(rows);
    json_decref(root);
    return made ? STATUS_OK : errinfo_set(err, STATUS_NO_MEMORY, "no memory to write an outline");
}

static size_t find_name(const json_t *value, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count && json_is_string(value); i++) {
        if (strcmp(json_string_value(value), names[i]) == 0)
            return i;
    }
    return SIZE_MAX;
}

static bool read_size(const json_t *value, size_t max, size_t *out)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        (unsigned long long)json_integer_value(value) > max)
        return false;
    *out = (size_t)json_integer_value(value);
    return true;
}

static bool has_control(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7F)
            return true;
    }
    return false;
}

// A section's row as an entry; offsets must rise, titles be what an outline writes.
static bool read_entry(const json_t *row, size_t bytes, struct outline_entries *entries)
{
    size_t level;
    struct outline_entry entry = {.title_at = entries->titles.size};
    const json_t *title = json_array_get(row, 3);
    if (!read_size(json_array_get(row, 0), OUTLINE_LEVEL_MAX, &level) || level == 0 ||
        !read_size(json_array_get(row, 1), bytes, &entry.from) || !json_is_string(title))
        return false;
    if (entries->count > 0 && entries->list[entries->count - 1].from >= entry.from)
        return false;
    struct bytes text = bytes_of(json_string_value(title), json_string_length(title));
    if (text.size > LIMIT_TITLE_BYTES || has_control(text))
        return false;
    entry.level = (unsigned)level;
    buf_append(&entries->titles, text);
    return outline_make_add(entries, entry);
}

static bool read_counts(const json_t *rows, struct outline *outline)
{
    for (uint32_t i = 0; i < outline->count; i++) {
        struct outline_section *section = &outline->sections[i];
        const json_t *row = json_array_get(rows, i);
        if (!read_size(json_array_get(row, 2), outline->lines, &section->line))
            return false;
        if (!outline->counted)
            continue;
        if (!read_size(json_array_get(row, 4), outline->bytes, &section->tokens) ||
            !read_size(json_array_get(row, 5), outline->bytes, &section->tokens_whole))
            return false;
    }
    return true;
}

static bool read_root(const json_t *root, struct outline *outline, struct outline_entries *entries)
{
    const json_t *rows = json_object_get(root, "sections");
    size_t kind = find_name(json_object_get(root, "kind"), kinds, 3);
    size_t head = find_name(json_object_get(root, "head"), heads, 3);
    size_t bytes;
    if (json_integer_value(json_object_get(root, "v")) != VERSION || kind == SIZE_MAX ||
        head == SIZE_MAX || !json_is_array(rows) ||
        !read_size(json_object_get(root, "bytes"), LIMIT_REPORT_BYTES, &bytes) ||
        !read_size(json_object_get(root, "lines"), bytes, &outline->lines))
        return false;
    size_t count = json_array_size(rows);
    size_t first = head == OUTLINE_HEAD_PREAMBLE;
    if (count > OUTLINE_SECTIONS_MAX || (head != OUTLINE_HEAD_NONE && count == 0))
        return false;
    for (size_t i = first; i < count; i++) {
        if (!read_entry(json_array_get(rows, i), bytes, entries))
            return false;
    }
    // The first section must begin with the report, or the sections would not tile it.
    if ((head == OUTLINE_HEAD_NONE && (count == 0 ? bytes > 0 : entries->list[0].from > 0)) ||
        (first == 1 && count > 1 && entries->list[0].from == 0))
        return false;
    entries->truncated = json_is_true(json_object_get(root, "truncated"));
    if (outline_make(entries, (enum outline_head)head, bytes, outline) != STATUS_OK)
        return false;
    outline->kind = (enum outline_kind)kind;
    outline->counted = read_size(json_object_get(root, "tokens"), bytes, &outline->tokens);
    return read_counts(rows, outline);
}

enum status outline_json_read(struct bytes text, struct outline *out, struct errinfo *err)
{
    struct outline outline = {.count = 0};
    struct outline_entries entries;
    if (text.size > JSON_BYTES_MAX)
        return errinfo_set(err, STATUS_CORRUPT, "a stored outline of %zu bytes is too long",
                           text.size);
    json_t *root = json_loadb(text.data == NULL ? "" : text.data, text.size, 0, NULL);
    outline_make_init(&entries);
    bool good = json_is_object(root) && read_root(root, &outline, &entries);
    outline_make_fini(&entries);
    json_decref(root);
    if (!good) {
        outline_fini(&outline);
        return errinfo_set(err, STATUS_CORRUPT,
                           "the stored outline is damaged: read the report without it");
    }
    *out = outline;
    return STATUS_OK;
}
