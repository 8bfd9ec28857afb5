// SPDX-License-Identifier: Apache-2.0
#include "deliver/part.h"

#include "base/limits.h"
#include "deliver/delta.h"
#include "deliver/section.h"
#include "deliver/shelf.h"
#include "deliver/summary.h"
#include "deliver/tokens.h"

#include <stdio.h>
#include <string.h>

// One reading under way.
struct reading {
    const struct read_source *source;
    struct report *report;
    struct buf *storage; // the report's
    const struct part_request *request;
    struct part_answer *answer;
    struct outline outline;
};

void part_answer_fini(struct part_answer *answer)
{
    buf_fini(&answer->text);
}

static enum status whole_body(const struct reading *reading, struct errinfo *err)
{
    if (reading->report->body.data != NULL || reading->report->bytes == 0)
        return STATUS_OK;
    return read_body(reading->source->bus, reading->report, reading->storage, err);
}

static enum status get_outline(struct reading *reading, struct errinfo *err)
{
    return shelf_outline(reading->source->bus, reading->report, reading->storage, &reading->outline,
                         err);
}

static enum status append_range(struct reading *reading, size_t from, size_t to,
                                struct errinfo *err)
{
    struct bytes range;
    struct buf storage;
    buf_init(&storage, LIMIT_MESSAGE_BYTES);
    enum status status = reading->report->enveloped ? whole_body(reading, err) : STATUS_OK;
    if (status == STATUS_OK)
        status = shelf_range(reading->source->bus, reading->report,
                             (struct section_range){from, to}, &storage, &range, err);
    if (status == STATUS_OK)
        buf_append(&reading->answer->text, range);
    buf_fini(&storage);
    return status;
}

static void add_what(struct part_answer *answer, const char *prefix, struct bytes text)
{
    size_t size = strlen(answer->what);
    snprintf(answer->what + size, sizeof answer->what - size, "%s%s%.*s", size == 0 ? "" : " ",
             prefix, BYTES_ARG(text));
}

static enum status read_whole(struct reading *reading, struct errinfo *err)
{
    enum status status = whole_body(reading, err);
    if (status == STATUS_OK)
        buf_append(&reading->answer->text, reading->report->body);
    reading->answer->complete = true;
    add_what(reading->answer, "", BYTES("whole"));
    return status;
}

static uint32_t hidden_below(const struct outline *outline, uint32_t index, unsigned depth)
{
    uint32_t hidden = 0;
    for (uint32_t i = index + 1; i < outline->sections[index].end; i++)
        hidden += outline->sections[i].level > depth;
    return hidden;
}

// "#2.1 Data model (412, 3 below)": how to ask for it, title, exact tokens with everything below.
static void outline_line(struct buf *out, const struct outline *outline, uint32_t index,
                         unsigned depth)
{
    const struct outline_section *section = &outline->sections[index];
    uint32_t hidden = hidden_below(outline, index, depth);
    buf_append_byte(out, '#');
    buf_append(out, section->number);
    if (section->title.size > 0)
        buf_append_byte(out, ' ');
    buf_append(out, section->title);
    buf_printf(out, " (%zu", section->tokens_whole);
    if (hidden > 0)
        buf_printf(out, ", %u below", hidden);
    buf_append_string(out, ")\n");
}

static enum status read_outline(struct reading *reading, struct errinfo *err)
{
    const struct outline *outline = &reading->outline;
    struct part_answer *answer = reading->answer;
    unsigned depth = reading->request->depth;
    uint32_t hidden = 0;
    enum status status = get_outline(reading, err);
    if (status != STATUS_OK)
        return status;
    for (uint32_t i = 0; i < outline->count; i++) {
        if (outline->sections[i].level <= depth)
            outline_line(&answer->text, outline, i, depth);
        else
            hidden++;
    }
    if (outline->truncated)
        buf_printf(&answer->text, "the last section holds further headings: over %d\n",
                   OUTLINE_SECTIONS_MAX - 1);
    if (hidden > 0)
        snprintf(answer->rest, sizeof answer->rest, "--outline --depth %u", depth + 1);
    else
        snprintf(answer->rest, sizeof answer->rest, "--section N");
    add_what(answer, "", BYTES("outline"));
    return STATUS_OK;
}

// A report that another client published has neither title nor summary beside it; the text has.
static enum status read_summary(struct reading *reading, struct errinfo *err)
{
    struct part_answer *answer = reading->answer;
    struct bytes title = reading->report->title;
    struct bytes summary = reading->report->summary;
    char title_text[LIMIT_TITLE_BYTES + 1];
    char text[LIMIT_SUMMARY_BYTES + 1];
    if (title.size == 0 && summary.size == 0) {
        enum status status = whole_body(reading, err);
        if (status == STATUS_OK)
            status = get_outline(reading, err);
        if (status != STATUS_OK)
            return status;
        struct bytes body = reading->report->body;
        title = bytes_of(title_text, summary_title(&reading->outline, body, title_text));
        summary = bytes_of(text, summary_text(&reading->outline, body, (struct bytes){0}, text));
    }
    if (title.size > 0) {
        buf_append(&answer->text, title);
        buf_append_byte(&answer->text, '\n');
    }
    buf_append(&answer->text, summary);
    buf_append_byte(&answer->text, '\n');
    snprintf(answer->rest, sizeof answer->rest, "--outline");
    add_what(answer, "", BYTES("summary"));
    return STATUS_OK;
}

static enum status read_sections(struct reading *reading, struct errinfo *err)
{
    const struct part_request *request = reading->request;
    enum status status = get_outline(reading, err);
    for (size_t i = 0; status == STATUS_OK && i < request->section_count; i++) {
        uint32_t index;
        size_t from, to;
        status = section_find(&reading->outline, request->sections[i], &index, err);
        if (status != STATUS_OK)
            break;
        outline_whole(&reading->outline, index, &from, &to);
        status = append_range(reading, from, to, err);
        add_what(reading->answer, "#", reading->outline.sections[index].number);
    }
    snprintf(reading->answer->rest, sizeof reading->answer->rest, "--outline");
    return status;
}

static enum status read_lines(struct reading *reading, struct errinfo *err)
{
    struct section_range range;
    enum status status = whole_body(reading, err);
    if (status == STATUS_OK)
        status = section_lines(reading->report->body, reading->request->range, &range, err);
    if (status == STATUS_OK)
        status = append_range(reading, range.from, range.to, err);
    add_what(reading->answer, "lines ", reading->request->range);
    return status;
}

static enum status read_bytes(struct reading *reading, struct errinfo *err)
{
    struct section_range range;
    // Only the size is looked at: the body itself need not be read.
    struct bytes sized = bytes_of("", (size_t)reading->report->bytes);
    enum status status = section_bytes(sized, reading->request->range, &range, err);
    if (status == STATUS_OK)
        status = append_range(reading, range.from, range.to, err);
    add_what(reading->answer, "bytes ", reading->request->range);
    return status;
}

struct grep_walk {
    struct reading *reading;
    uint32_t section; // of the line before
    bool any;
};

static bool grep_line(void *context, const struct grep_line *line)
{
    struct grep_walk *walk = context;
    const struct outline *outline = &walk->reading->outline;
    struct buf *out = &walk->reading->answer->text;
    bool new_section = !walk->any || line->section != walk->section;
    if (new_section && outline->count > 0) {
        const struct outline_section *section = &outline->sections[line->section];
        buf_append_byte(out, '#');
        buf_append(out, section->number);
        buf_append_byte(out, ' ');
        buf_append(out, section->title);
        buf_append_byte(out, '\n');
    } else if (line->is_apart) {
        buf_append_string(out, "--\n");
    }
    buf_printf(out, "%zu%c", line->number, line->is_match ? ':' : '-');
    buf_append(out, bytes_slice(walk->reading->report->body, line->from, line->to - line->from));
    buf_append_byte(out, '\n');
    walk->section = line->section;
    walk->any = true;
    return true;
}

static enum status read_grep(struct reading *reading, struct errinfo *err)
{
    struct part_answer *answer = reading->answer;
    struct grep_result result;
    struct grep_walk walk = {.reading = reading};
    const struct grep_options *options = &reading->request->grep;
    enum status status = whole_body(reading, err);
    if (status == STATUS_OK)
        status = get_outline(reading, err);
    if (status != STATUS_OK)
        return status;
    struct outlined source = {&reading->outline, reading->report->body};
    status = grep_report(&source, options, grep_line, &walk, &result, err);
    if (status != STATUS_OK)
        return status;
    if (result.matches == 0) {
        char quoted[ERRINFO_QUOTED_MAX];
        return errinfo_set(err, STATUS_NOT_FOUND, "no line matches %s",
                           errinfo_quote(options->pattern, quoted));
    }
    if (options->matches_max > 0 && result.matches > options->matches_max)
        snprintf(answer->rest, sizeof answer->rest, "--max %zu", result.matches);
    if (result.long_lines > 0)
        buf_printf(&answer->text,
                   "%zu lines are longer than %d bytes: only that much was searched\n",
                   result.long_lines, GREP_LINE_BYTES);
    add_what(answer, "grep ", options->pattern);
    return STATUS_OK;
}

static enum status read_budget(struct reading *reading, struct errinfo *err)
{
    struct part_answer *answer = reading->answer;
    struct budget_answer packed;
    struct budget_options options = {
        .tokens_max = reading->request->tokens_max,
        .query = reading->request->query,
        .cursor = reading->request->cursor,
        .counter = tokens_count,
    };
    enum status status = whole_body(reading, err);
    if (status == STATUS_OK)
        status = get_outline(reading, err);
    if (status != STATUS_OK)
        return status;
    struct outlined source = {&reading->outline, reading->report->body};
    status = budget_pack(&source, &options, &answer->text, &packed, err);
    if (status != STATUS_OK)
        return status;
    if (packed.cursor[0] != '\0')
        snprintf(answer->rest, sizeof answer->rest, "--budget %zu --after %s", options.tokens_max,
                 packed.cursor);
    answer->complete = packed.sections_left == 0;
    add_what(answer, "budget ", options.query);
    return STATUS_OK;
}

static enum status read_page(struct reading *reading, struct errinfo *err)
{
    const struct part_request *request = reading->request;
    struct part_answer *answer = reading->answer;
    struct section_range range = {0, 0};
    char number[24];
    enum status status = whole_body(reading, err);
    if (status == STATUS_OK)
        status = get_outline(reading, err);
    struct outlined source = {&reading->outline, reading->report->body};
    for (uint64_t page = 1; status == STATUS_OK && page <= request->page; page++) {
        if (page > 1 && range.to == reading->report->body.size)
            return errinfo_set(err, STATUS_NOT_FOUND, "the report has %llu pages of %zu tokens",
                               (unsigned long long)(page - 1), request->tokens_max);
        status = section_page(&source, range.to, request->tokens_max, tokens_count, &range, err);
    }
    if (status != STATUS_OK)
        return status;
    buf_append(&answer->text,
               bytes_slice(reading->report->body, range.from, range.to - range.from));
    snprintf(number, sizeof number, "%llu", (unsigned long long)request->page);
    if (range.to < reading->report->body.size)
        snprintf(answer->rest, sizeof answer->rest, "--page %llu --budget %zu",
                 (unsigned long long)request->page + 1, request->tokens_max);
    add_what(answer, "page ", bytes_of_string(number));
    return STATUS_OK;
}

static void append_changed(struct reading *reading, const struct delta *delta,
                           const struct outline *before)
{
    struct buf *out = &reading->answer->text;
    struct bytes body = reading->report->body;
    for (uint32_t i = 0; i < delta->count; i++) {
        const struct delta_entry *entry = &delta->entries[i];
        bool removed = entry->kind == DELTA_REMOVED;
        const struct outline_section *section = removed ? &before->sections[entry->before]
                                                        : &reading->outline.sections[entry->after];
        if (entry->kind == DELTA_SAME || entry->kind == DELTA_MOVED)
            continue;
        buf_printf(out, "[%s #%.*s %.*s]\n", delta_kind_name(entry->kind),
                   BYTES_ARG(section->number), BYTES_ARG(section->title));
        if (removed)
            continue;
        buf_append(out, bytes_slice(body, section->from, section->to - section->from));
        if (out->size > 0 && out->data[out->size - 1] != '\n')
            buf_append_byte(out, '\n');
    }
    if (out->size == 0)
        buf_append_string(out, "nothing changed\n");
}

static enum status read_since(struct reading *reading, struct errinfo *err)
{
    struct report before;
    struct buf storage;
    struct outline outline = {.count = 0};
    struct delta delta;
    struct ref ref = reading->report->ref;
    char number[24];
    ref.rev = reading->request->since_rev;
    buf_init(&storage, LIMIT_MESSAGE_BYTES);
    enum status status = whole_body(reading, err);
    if (status == STATUS_OK)
        status = get_outline(reading, err);
    if (status == STATUS_OK)
        status = read_report(reading->source, &ref, BUS_ALL, &storage, &before, err);
    if (status == STATUS_OK)
        status = shelf_outline(reading->source->bus, &before, &storage, &outline, err);
    if (status == STATUS_OK) {
        struct outlined old = {&outline, before.body};
        struct outlined new = {&reading->outline, reading->report->body};
        status = delta_sections(&old, &new, &delta, err);
    }
    if (status == STATUS_OK) {
        append_changed(reading, &delta, &outline);
        delta_fini(&delta);
    }
    outline_fini(&outline);
    buf_fini(&storage);
    snprintf(number, sizeof number, "%llu", (unsigned long long)ref.rev);
    add_what(reading->answer, "since @", bytes_of_string(number));
    return status;
}

static enum status read_kind(struct reading *reading, struct errinfo *err)
{
    switch (reading->request->kind) {
    case PART_WHOLE: return read_whole(reading, err);
    case PART_OUTLINE: return read_outline(reading, err);
    case PART_SUMMARY: return read_summary(reading, err);
    case PART_SECTIONS: return read_sections(reading, err);
    case PART_LINES: return read_lines(reading, err);
    case PART_BYTES: return read_bytes(reading, err);
    case PART_GREP: return read_grep(reading, err);
    case PART_BUDGET: return read_budget(reading, err);
    case PART_PAGE: return read_page(reading, err);
    case PART_SINCE: return read_since(reading, err);
    }
    return errinfo_set(err, STATUS_BUG, "no such way to read a report");
}

// More than a report: an outline of 100,000 sections, or lines with their numbers.
enum { ANSWER_BYTES_MAX = 4 * LIMIT_MESSAGE_BYTES };

enum status part_read(const struct read_source *source, struct report *report, struct buf *storage,
                      const struct part_request *request, struct part_answer *answer,
                      struct errinfo *err)
{
    struct reading reading = {
        .source = source,
        .report = report,
        .storage = storage,
        .request = request,
        .answer = answer,
    };
    *answer = (struct part_answer){.complete = false};
    buf_init(&answer->text, ANSWER_BYTES_MAX);
    enum status status = read_kind(&reading, err);
    if (status == STATUS_OK)
        status = buf_status(&answer->text);
    if (status == STATUS_OK)
        status = tokens_count(buf_bytes(&answer->text), &answer->tokens);
    outline_fini(&reading.outline);
    if (status == STATUS_NO_MEMORY)
        errinfo_set(err, status, "no memory to read this part of the report");
    if (status != STATUS_OK) {
        part_answer_fini(answer);
        return status;
    }
    if (!answer->complete && report->tokens > answer->tokens)
        answer->tokens_left = (size_t)report->tokens - answer->tokens;
    return STATUS_OK;
}
