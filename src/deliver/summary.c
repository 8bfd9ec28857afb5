// SPDX-License-Identifier: Apache-2.0
#include "deliver/summary.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "deliver/lines.h"
#include "deliver/markdown.h"
#include "deliver/plain.h"
#include "deliver/slug.h"

#include <jansson.h>
#include <string.h>

enum { SECTIONS_LOOKED_AT = 200, TEXT_MAX = 16 * PLAIN_PIECE_BYTES };

static struct bytes own_text(const struct outline_section *section, struct bytes report)
{
    return bytes_slice(report, section->from, section->to - section->from);
}

// Appends the value of a JSON section ("key": "value", ...) when it is a string.
static void append_json_string(struct bytes text, struct buf *out)
{
    size_t colon = bytes_find(text, BYTES("\":"));
    if (colon == SIZE_MAX)
        colon = bytes_find(text, BYTES("\" :"));
    if (colon == SIZE_MAX)
        return;
    struct bytes value = bytes_trim(bytes_from(text, colon + 2));
    if (value.size > 0 && value.data[0] == ':')
        value = bytes_trim(bytes_from(value, 1));
    if (value.size == 0 || value.data[0] != '"')
        return;
    json_t *string = json_loadb(value.data, value.size, JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK,
                                NULL);
    if (string != NULL)
        plain_clean(bytes_slice(bytes_of(json_string_value(string), json_string_length(string)), 0,
                                PLAIN_PIECE_BYTES),
                    out);
    json_decref(string);
}

// Appends the first string among the outermost keys that has one of these names; "*x" is any name
// that ends in x.
static void find_json_string(const struct outline *outline, struct bytes report,
                             const char *const *names, struct buf *out)
{
    for (; *names != NULL && out->size == 0; names++) {
        for (uint32_t i = 0; i < outline->count && out->size == 0; i = outline->sections[i].end) {
            struct bytes title = outline->sections[i].title;
            struct bytes name = bytes_of_string(*names);
            if (bytes_equal_nocase(title, name) ||
                (name.data[0] == '*' && bytes_end_with(title, bytes_from(name, 1))))
                append_json_string(own_text(&outline->sections[i], report), out);
        }
    }
}

static void append_keys(const struct outline *outline, struct buf *out)
{
    for (uint32_t i = 0; i < outline->count && out->size < LIMIT_TITLE_BYTES;
         i = outline->sections[i].end) {
        if (outline->sections[i].title.size == 0)
            continue;
        buf_append_string(out, out->size == 0 ? "JSON: " : ", ");
        buf_append(out, outline->sections[i].title);
    }
    if (out->size == 0)
        buf_append_string(out, "JSON");
}

static void append_front_matter_title(struct bytes report, struct buf *out)
{
    struct bytes matter = bytes_slice(report, 0, markdown_front_matter(report));
    struct lines lines;
    struct line line;
    lines_init(&lines, matter);
    while (lines_next(&lines, &line)) {
        struct bytes value;
        struct bytes key = bytes_cut(bytes_slice(matter, line.from, line.size), ':', &value);
        if (!bytes_equal_nocase(key, BYTES("title")))
            continue;
        value = bytes_trim(value);
        bool quoted = value.size >= 2 && (value.data[0] == '"' || value.data[0] == '\'') &&
                      value.data[value.size - 1] == value.data[0];
        plain_clean(quoted ? bytes_slice(value, 1, value.size - 2) : value, out);
        return;
    }
}

static void append_first_line(struct bytes report, struct buf *out)
{
    struct lines lines;
    struct line line;
    lines_init(&lines, bytes_from(report, markdown_front_matter(report)));
    while (out->size == 0 && lines_next(&lines, &line))
        plain_line(bytes_slice(lines.text, line.from, line.size), out);
}

static void append_markdown_title(const struct outline *outline, struct bytes report,
                                  struct buf *out)
{
    const struct outline_section *first = NULL;
    for (uint32_t i = 0; i < outline->count; i++) {
        const struct outline_section *section = &outline->sections[i];
        if (section->title.size == 0)
            continue;
        if (section->level == 1) {
            buf_append(out, section->title);
            return;
        }
        first = first == NULL ? section : first;
    }
    append_front_matter_title(report, out);
    if (out->size == 0 && first != NULL)
        buf_append(out, first->title);
}

size_t summary_title(const struct outline *outline, struct bytes report,
                     char out[LIMIT_TITLE_BYTES + 1])
{
    static const char *const names[] = {"title",         "*_title",        "name",      "task",
                                        "feature",       "req_number",     "reqNumber", "reqId",
                                        "requirementId", "requirement_id", NULL};
    struct buf text;
    buf_init(&text, TEXT_MAX);
    if (outline->kind == OUTLINE_JSON) {
        find_json_string(outline, report, names, &text);
        if (text.size == 0)
            append_keys(outline, &text);
    } else {
        append_markdown_title(outline, report, &text);
        if (text.size == 0)
            append_first_line(report, &text);
    }
    size_t size = plain_shorten(buf_bytes(&text), LIMIT_TITLE_BYTES, out);
    buf_fini(&text);
    return size;
}

// How much a section's name says that it sums up the report: 0 is most, RANKS is not at all.
enum { RANKS = 100 };

static unsigned summary_rank(struct bytes title, uint32_t index)
{
    static const char *const names[] = {
        "executive-summary",
        "tldr",
        "tl-dr",
        "management-summary",
        "summary",
        "abstract",
        "zusammenfassung",
        "kurzfassung",
        "executive-overview",
        "overview",
        "resumen",
        "résumé",
        "sommaire",
        "resumo",
        "摘要",
        "概要",
        "at-a-glance",
        "in-short",
        "in-brief",
        "key-findings",
    };
    char text[SLUG_SIZE];
    struct bytes slug = bytes_of(text, slug_base(title, text));
    while (slug.size > 0 && strchr("0123456789-", slug.data[0]) != NULL)
        slug = bytes_from(slug, 1);
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (bytes_equal(slug, bytes_of_string(names[i])))
            return i;
    }
    // "Implementation Summary" sums up the report when it opens it, else it sums up a part.
    bool ends_so = bytes_end_with(slug, BYTES("-summary")) ||
                   bytes_end_with(slug, BYTES("-overview")) ||
                   bytes_start_with(slug, BYTES("executive-summary"));
    return ends_so && index <= 3 ? RANKS - 1 : RANKS;
}

// Appends the text of the section that is a summary, when there is one with running text.
static void append_summary_section(const struct outline *outline, struct bytes report,
                                   struct buf *out)
{
    unsigned best = RANKS;
    for (uint32_t i = 0; i < outline->count && i < SECTIONS_LOOKED_AT; i++) {
        unsigned rank = summary_rank(outline->sections[i].title, i);
        if (outline->sections[i].title.size == 0 || rank >= best)
            continue;
        size_t from;
        size_t to;
        struct buf text;
        outline_whole(outline, i, &from, &to);
        buf_init(&text, TEXT_MAX);
        plain_first_text(bytes_slice(report, from, to - from), &text);
        if (text.size > 0) {
            best = rank;
            buf_clear(out);
            buf_append(out, buf_bytes(&text));
        }
        buf_fini(&text);
    }
}

static void append_first_text(const struct outline *outline, struct bytes report, struct buf *out)
{
    size_t matter = markdown_front_matter(report);
    for (uint32_t i = 0; i < outline->count && i < SECTIONS_LOOKED_AT && out->size == 0; i++) {
        size_t from = outline->sections[i].from;
        from = from < matter ? matter : from;
        if (from < outline->sections[i].to)
            plain_first_text(bytes_slice(report, from, outline->sections[i].to - from), out);
    }
}

static void append_json_summary(const struct outline *outline, struct bytes report, struct buf *out)
{
    static const char *const names[] = {"summary",     "*summary", "*Summary",
                                        "description", "message",  "conclusion",
                                        "notes",       "*title",   NULL};
    find_json_string(outline, report, names, out);
    if (out->size == 0)
        append_keys(outline, out);
}

size_t summary_text(const struct outline *outline, struct bytes report, struct bytes given,
                    char out[LIMIT_SUMMARY_BYTES + 1])
{
    struct buf text;
    buf_init(&text, TEXT_MAX);
    plain_clean(utf8_prefix(given, TEXT_MAX / 4), &text);
    if (text.size == 0 && outline->kind == OUTLINE_JSON)
        append_json_summary(outline, report, &text);
    if (text.size == 0)
        append_summary_section(outline, report, &text);
    if (text.size == 0)
        append_first_text(outline, report, &text);
    if (text.size == 0)
        plain_clean(utf8_prefix(report, PLAIN_PIECE_BYTES), &text);
    size_t size = plain_sentences(buf_bytes(&text), LIMIT_SUMMARY_BYTES, out);
    buf_fini(&text);
    return size;
}
