// SPDX-License-Identifier: Apache-2.0
// Two passes: the headings or keys are collected with their titles in one growing buffer; then
// outline_make.c makes the sections, whose texts stand in one block of memory of a size that is
// known.
#include "deliver/outline.h"

#include "base/assert.h"
#include "base/limits.h"
#include "deliver/jsonmap.h"
#include "deliver/lines.h"
#include "deliver/markdown.h"
#include "deliver/outline_make.h"
#include "deliver/plain.h"

#include <stdlib.h>
#include <string.h>

struct collector {
    struct outline_entries entries;
    size_t containers[OUTLINE_LEVEL_MAX + 1]; // JSON: the latest entry of each level, plus one
};

// Bounds the title that was appended last.
static void shorten_title(struct buf *titles, size_t at)
{
    char shorter[LIMIT_TITLE_BYTES + 1];
    if (buf_status(titles) != STATUS_OK || titles->size - at <= LIMIT_TITLE_BYTES)
        return;
    size_t size = plain_shorten(bytes_from(buf_bytes(titles), at), LIMIT_TITLE_BYTES, shorter);
    titles->size = at;
    buf_append(titles, bytes_of(shorter, size));
}

static bool on_heading(void *context, const struct markdown_heading *heading)
{
    struct collector *collector = context;
    struct buf *titles = &collector->entries.titles;
    size_t at = titles->size;
    plain_line(heading->source, titles);
    shorten_title(titles, at);
    return outline_make_add(
        &collector->entries,
        (struct outline_entry){.level = heading->level, .from = heading->from, .title_at = at});
}

static bool on_key(void *context, const struct jsonmap_entry *key)
{
    struct collector *collector = context;
    struct outline_entries *entries = &collector->entries;
    struct buf *titles = &entries->titles;
    size_t at = titles->size;
    size_t above = key->level > 1 ? collector->containers[key->level - 1] : 0;
    if (!key->is_element) {
        plain_clean(bytes_slice(key->key, 0, PLAIN_LINE_BYTES), titles);
    } else {
        char copy[LIMIT_TITLE_BYTES + 1];
        struct outline_entry none = {.level = 0};
        struct outline_entry *parent = above == 0 ? &none : &entries->list[above - 1];
        if (parent->title_size > 0)
            memcpy(copy, titles->data + parent->title_at, parent->title_size);
        buf_append(titles, bytes_of(copy, parent->title_size));
        buf_printf(titles, "[%zu]", key->index);
    }
    shorten_title(titles, at);
    collector->containers[key->level] = entries->count + 1;
    return outline_make_add(
        entries, (struct outline_entry){.level = key->level, .from = key->from, .title_at = at});
}

static enum outline_kind collect(struct bytes report, struct collector *collector)
{
    struct outline_entries *entries = &collector->entries;
    if (jsonmap_walk(report, OUTLINE_LEVEL_MAX, on_key, collector))
        return OUTLINE_JSON;
    entries->count = 0;
    entries->truncated = false;
    buf_clear(&entries->titles);
    markdown_walk_headings(report, on_heading, collector);
    return entries->count > 0 ? OUTLINE_MARKDOWN : OUTLINE_TEXT;
}

static enum outline_head head_of(enum outline_kind kind, const struct outline_entries *entries,
                                 struct bytes report)
{
    bool title = kind == OUTLINE_MARKDOWN && entries->list[0].level == 1;
    for (size_t i = 1; i < entries->count && title; i++)
        title = entries->list[i].level != 1;
    if (title)
        return OUTLINE_HEAD_TITLE;
    bool before = report.size > 0 && (entries->count == 0 || entries->list[0].from > 0);
    return before ? OUTLINE_HEAD_PREAMBLE : OUTLINE_HEAD_NONE;
}

static void place_lines(struct outline *outline, struct bytes report)
{
    struct lines lines;
    struct line line;
    uint32_t next = 0;
    lines_init(&lines, report);
    while (lines_next(&lines, &line)) {
        outline->lines++;
        size_t end = line.from + line.size + line.ending;
        for (; next < outline->count && outline->sections[next].from < end; next++)
            outline->sections[next].line = outline->lines;
    }
}

enum status outline_build(struct bytes report, struct outline *out, struct errinfo *err)
{
    if (report.size > LIMIT_REPORT_BYTES)
        return errinfo_set(err, STATUS_LIMIT, "a report of %zu bytes: the limit is %d", report.size,
                           LIMIT_REPORT_BYTES);
    struct collector collector = {.containers = {0}};
    struct outline outline = {.count = 0};
    struct outline_entries *entries = &collector.entries;
    outline_make_init(entries);
    outline.kind = collect(report, &collector);
    enum status status = buf_status(&entries->titles);
    if (status == STATUS_OK && entries->no_memory)
        status = STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = outline_make(entries, head_of(outline.kind, entries, report), report.size,
                              &outline);
    outline_make_fini(entries);
    if (status != STATUS_OK) {
        outline_fini(&outline);
        return errinfo_set(err, status, "no memory for the outline of a report of %zu bytes",
                           report.size);
    }
    place_lines(&outline, report);
    *out = outline;
    return STATUS_OK;
}

void outline_fini(struct outline *outline)
{
    free(outline->sections);
    free(outline->text);
    *outline = (struct outline){.count = 0};
}

void outline_whole(const struct outline *outline, uint32_t index, size_t *from, size_t *to)
{
    ASSERT(index < outline->count);
    const struct outline_section *section = &outline->sections[index];
    *from = section->from;
    *to = outline->sections[section->end - 1].to;
}

uint32_t outline_at(const struct outline *outline, size_t offset)
{
    ASSERT(outline->count > 0);
    uint32_t low = 0;
    uint32_t high = outline->count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (outline->sections[middle].from <= offset)
            low = middle;
        else
            high = middle;
    }
    return low;
}

// o200k never joins across a line feed that is followed by a letter, a digit or a mark of ASCII
// other than '/': a run of line ends closes its piece, and only a blank or '/' could extend it.
static bool joins_cleanly(struct bytes report, size_t at)
{
    if (at == 0 || at >= report.size)
        return true;
    char next = report.data[at];
    return report.data[at - 1] == '\n' && next > ' ' && next < 0x7F && next != '/';
}

static enum status count_whole(struct outline *outline, uint32_t index, struct bytes report,
                               token_counter *counter)
{
    struct outline_section *section = &outline->sections[index];
    bool clean = true;
    section->tokens_whole = section->tokens;
    // Children were counted before: from the first one on, each begins where the last one ended.
    for (uint32_t child = index + 1; child < section->end && clean;
         child = outline->sections[child].end) {
        clean = joins_cleanly(report, outline->sections[child].from);
        section->tokens_whole += outline->sections[child].tokens_whole;
    }
    if (clean)
        return STATUS_OK;
    size_t from;
    size_t to;
    outline_whole(outline, index, &from, &to);
    return counter(bytes_slice(report, from, to - from), &section->tokens_whole);
}

enum status outline_count(struct outline *outline, struct bytes report, token_counter *counter)
{
    ASSERT(report.size == outline->bytes);
    bool clean = true;
    size_t sum = 0;
    for (uint32_t i = 0; i < outline->count; i++) {
        struct outline_section *section = &outline->sections[i];
        enum status status = counter(
            bytes_slice(report, section->from, section->to - section->from), &section->tokens);
        if (status != STATUS_OK)
            return status;
        clean = clean && joins_cleanly(report, section->from);
        sum += section->tokens;
    }
    for (uint32_t i = outline->count; i > 0; i--) {
        enum status status = count_whole(outline, i - 1, report, counter);
        if (status != STATUS_OK)
            return status;
    }
    outline->tokens = sum;
    enum status status = clean ? STATUS_OK : counter(report, &outline->tokens);
    outline->counted = status == STATUS_OK;
    return status;
}
