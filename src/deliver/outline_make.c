// SPDX-License-Identifier: Apache-2.0
#include "deliver/outline_make.h"

#include "base/assert.h"
#include "base/limits.h"
#include "deliver/plain.h"
#include "deliver/slug.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NUMBER_SIZE = OUTLINE_LEVEL_MAX * 7 + 1, // "100000." for each level
};

void outline_make_init(struct outline_entries *entries)
{
    *entries = (struct outline_entries){.count = 0};
    buf_init(&entries->titles, (size_t)OUTLINE_SECTIONS_MAX * 2 * PLAIN_LINE_BYTES);
}

void outline_make_fini(struct outline_entries *entries)
{
    free(entries->list);
    buf_fini(&entries->titles);
    *entries = (struct outline_entries){.count = 0};
}

bool outline_make_add(struct outline_entries *entries, struct outline_entry entry)
{
    if (entries->count == OUTLINE_SECTIONS_MAX - 1) {
        entries->truncated = true;
        return false;
    }
    if (entries->count == entries->capacity) {
        size_t capacity = entries->capacity == 0 ? 64 : 2 * entries->capacity;
        struct outline_entry *list = realloc(entries->list, capacity * sizeof *list);
        if (list == NULL) {
            entries->no_memory = true;
            return false;
        }
        entries->list = list;
        entries->capacity = capacity;
    }
    entry.title_size = entries->titles.size - entry.title_at;
    entries->list[entries->count++] = entry;
    return true;
}

struct maker {
    struct outline *outline;
    struct slugger slugger;
    size_t text_size;
    // The sections above the next one, and how many children each has, the report's own first.
    uint32_t open[OUTLINE_LEVEL_MAX];
    size_t depth;
    unsigned children[OUTLINE_LEVEL_MAX + 1];
};

static struct bytes keep_text(struct maker *maker, struct bytes text)
{
    char *to = maker->outline->text + maker->text_size;
    if (text.size > 0)
        memcpy(to, text.data, text.size);
    maker->text_size += text.size;
    return bytes_of(to, text.size);
}

static void close_sections(struct maker *maker, unsigned level)
{
    struct outline_section *sections = maker->outline->sections;
    while (maker->depth > 0 && sections[maker->open[maker->depth - 1]].level >= level) {
        maker->depth--;
        sections[maker->open[maker->depth]].end = maker->outline->count;
    }
}

static void number_section(struct maker *maker, struct outline_section *section)
{
    char number[NUMBER_SIZE];
    struct bytes above = {NULL, 0};
    close_sections(maker, section->level);
    section->parent = OUTLINE_NO_PARENT;
    if (maker->depth > 0) {
        section->parent = maker->open[maker->depth - 1];
        above = maker->outline->sections[section->parent].number;
    }
    unsigned ordinal = ++maker->children[maker->depth];
    int size = snprintf(number, sizeof number, "%.*s%s%u", BYTES_ARG(above),
                        above.size > 0 ? "." : "", ordinal);
    ASSERT(size > 0 && (size_t)size < sizeof number);
    section->number = keep_text(maker, bytes_of(number, (size_t)size));
    maker->open[maker->depth++] = maker->outline->count;
    if (maker->depth <= OUTLINE_LEVEL_MAX)
        maker->children[maker->depth] = 0;
}

static void add_section(struct maker *maker, size_t from, unsigned level, struct bytes title,
                        bool numbered)
{
    struct outline *outline = maker->outline;
    struct outline_section *section = &outline->sections[outline->count];
    *section = (struct outline_section){.from = from, .level = level, .end = outline->count + 1};
    section->title = keep_text(maker, title);
    if (numbered) {
        number_section(maker, section);
    } else {
        section->number = keep_text(maker, BYTES("0"));
        section->parent = OUTLINE_NO_PARENT;
    }
    char *slug = outline->text + maker->text_size;
    bool unnamed = title.size == 0 && !numbered;
    size_t size = slug_take(&maker->slugger, unnamed ? BYTES("preamble") : title, slug);
    section->slug = bytes_of(slug, size);
    maker->text_size += SLUG_SIZE;
    outline->count++;
}

static void make_sections(struct maker *maker, const struct outline_entries *entries,
                          enum outline_head head)
{
    struct outline *outline = maker->outline;
    if (head == OUTLINE_HEAD_PREAMBLE)
        add_section(maker, 0, 0, BYTES(""), false);
    for (size_t i = 0; i < entries->count; i++) {
        const struct outline_entry *entry = &entries->list[i];
        bool is_title = i == 0 && head == OUTLINE_HEAD_TITLE;
        struct bytes title = bytes_slice(buf_bytes(&entries->titles), entry->title_at,
                                         entry->title_size);
        add_section(maker, is_title ? 0 : entry->from, entry->level, title, !is_title);
    }
    close_sections(maker, 0);
    for (uint32_t at = 0; at < outline->count; at++)
        outline->sections[at].to = at + 1 < outline->count ? outline->sections[at + 1].from
                                                           : outline->bytes;
}

enum status outline_make(const struct outline_entries *entries, enum outline_head head,
                         size_t bytes, struct outline *outline)
{
    struct maker maker = {.outline = outline};
    size_t room = entries->count + 1;
    outline->truncated = entries->truncated;
    outline->bytes = bytes;
    outline->count = 0;
    outline->sections = calloc(room, sizeof *outline->sections);
    outline->text = malloc(entries->titles.size + room * (NUMBER_SIZE + SLUG_SIZE));
    enum status status = slug_init(&maker.slugger, room);
    if (outline->sections == NULL || outline->text == NULL || status != STATUS_OK) {
        slug_fini(&maker.slugger);
        return STATUS_NO_MEMORY;
    }
    make_sections(&maker, entries, head);
    slug_fini(&maker.slugger);
    return STATUS_OK;
}
