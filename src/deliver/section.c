// SPDX-License-Identifier: Apache-2.0
#include "deliver/section.h"

#include "base/assert.h"
#include "base/nearest.h"
#include "deliver/cut.h"
#include "deliver/lines.h"
#include "deliver/slug.h"

#include <stdio.h>
#include <string.h>

static bool find_exact(const struct outline *outline, struct bytes wanted, uint32_t *index)
{
    for (uint32_t i = 0; i < outline->count; i++) {
        if (bytes_equal(outline->sections[i].number, wanted)) {
            *index = i;
            return true;
        }
    }
    for (uint32_t i = 0; i < outline->count; i++) {
        if (bytes_equal_nocase(outline->sections[i].slug, wanted)) {
            *index = i;
            return true;
        }
    }
    return false;
}

// A slug without the numbering that an author put before a title: "3-2-results" is "results".
static struct bytes without_numbering(struct bytes slug)
{
    size_t at = 0;
    while (at < slug.size &&
           ((slug.data[at] >= '0' && slug.data[at] <= '9') || slug.data[at] == '-'))
        at++;
    return at == slug.size ? slug : bytes_from(slug, at);
}

// Counts the sections whose slug, taken by `part`, is the wanted one; *index is the first.
static size_t find_by_slug(const struct outline *outline, struct bytes wanted, bool numbered,
                           uint32_t *index)
{
    size_t found = 0;
    for (uint32_t i = 0; i < outline->count; i++) {
        char text[SLUG_SIZE];
        struct bytes slug = bytes_of(text, slug_base(outline->sections[i].title, text));
        if (outline->sections[i].title.size == 0 ||
            !bytes_equal(numbered ? slug : without_numbering(slug), wanted))
            continue;
        if (found == 0)
            *index = i;
        found++;
    }
    return found;
}

static enum status tell_nearest(const struct outline *outline, struct bytes wanted,
                                struct bytes slug, struct errinfo *err)
{
    char quoted[ERRINFO_QUOTED_MAX];
    char hint[NEAREST_HINT_SIZE];
    struct nearest nearest;
    nearest_init(&nearest, slug);
    for (uint32_t i = 0; i < outline->count; i++)
        nearest_offer(&nearest, outline->sections[i].slug);
    if (nearest.count == 0) {
        nearest_init(&nearest, wanted);
        for (uint32_t i = 0; i < outline->count; i++)
            nearest_offer(&nearest, outline->sections[i].number);
    }
    return errinfo_set(err, STATUS_NOT_FOUND, "no section %s among the %u of this report%s%s",
                       errinfo_quote(wanted, quoted), outline->count, nearest_hint(&nearest, hint),
                       nearest.count == 0 ? "; see its outline" : "");
}

enum status section_find(const struct outline *outline, struct bytes wanted, uint32_t *index,
                         struct errinfo *err)
{
    char text[SLUG_SIZE];
    char quoted[ERRINFO_QUOTED_MAX];
    wanted = bytes_trim(wanted);
    if (find_exact(outline, wanted, index))
        return STATUS_OK;
    struct bytes slug = bytes_of(text, slug_base(wanted, text));
    size_t found = find_by_slug(outline, slug, true, index);
    if (found == 0)
        found = find_by_slug(outline, slug, false, index);
    if (found == 1)
        return STATUS_OK;
    if (found == 0)
        return tell_nearest(outline, wanted, slug, err);
    struct bytes number = outline->sections[*index].number;
    return errinfo_set(err, STATUS_NOT_FOUND,
                       "%zu sections are called %s, the first is #%.*s: ask by number, the outline "
                       "has them",
                       found, errinfo_quote(wanted, quoted), BYTES_ARG(number));
}

struct spec {
    bool has_from, has_to, is_single;
    uint64_t from, to;
};

static enum status parse_spec(struct bytes text, const char *what, struct spec *out,
                              struct errinfo *err)
{
    struct bytes last;
    struct spec spec = {.is_single = bytes_find_byte(text, ':') == SIZE_MAX};
    struct bytes first = bytes_cut(bytes_trim(text), ':', &last);
    spec.has_from = first.size > 0;
    spec.has_to = last.size > 0;
    bool good = spec.has_from || spec.has_to;
    if (spec.has_from)
        good = good && bytes_to_u64(first, &spec.from);
    if (spec.has_to)
        good = good && bytes_to_u64(last, &spec.to);
    if (!good) {
        char quoted[ERRINFO_QUOTED_MAX];
        return errinfo_set(err, STATUS_USAGE, "%s is no range of %s: write A:B, A: or :B",
                           errinfo_quote(text, quoted), what);
    }
    *out = spec;
    return STATUS_OK;
}

enum status section_lines(struct bytes report, struct bytes text, struct section_range *out,
                          struct errinfo *err)
{
    struct spec spec;
    enum status status = parse_spec(text, "lines", &spec, err);
    if (status != STATUS_OK)
        return status;
    size_t first = spec.has_from ? (size_t)spec.from : 1;
    size_t last = spec.is_single ? first : spec.has_to ? (size_t)spec.to : SIZE_MAX;
    if (first == 0 || last < first)
        return errinfo_set(err, STATUS_USAGE,
                           "lines %zu:%zu: lines count from 1, and the first must not be after the "
                           "last",
                           first, last);
    if (!lines_range(report, first, last, &out->from, &out->to))
        return errinfo_set(err, STATUS_NOT_FOUND, "line %zu is past the end: the report has %zu",
                           first, lines_count(report));
    return STATUS_OK;
}

enum status section_bytes(struct bytes report, struct bytes text, struct section_range *out,
                          struct errinfo *err)
{
    struct spec spec;
    enum status status = parse_spec(text, "bytes", &spec, err);
    if (status != STATUS_OK)
        return status;
    uint64_t to = spec.has_to && spec.to < report.size ? spec.to : report.size;
    if (spec.has_to && spec.to < spec.from)
        return errinfo_set(err, STATUS_USAGE, "bytes %llu:%llu: the first is after the last",
                           (unsigned long long)spec.from, (unsigned long long)spec.to);
    if (spec.from > report.size)
        return errinfo_set(err, STATUS_NOT_FOUND, "byte %llu is past the end: the report has %zu",
                           (unsigned long long)spec.from, report.size);
    *out = (struct section_range){(size_t)spec.from, (size_t)to};
    return STATUS_OK;
}

// The section after the last one that, by the outline's counts, fits on a page from `first` on.
static uint32_t last_fitting(const struct outline *outline, uint32_t first, size_t tokens_max)
{
    size_t sum = 0;
    uint32_t next = first;
    while (next < outline->count) {
        sum += outline->sections[next].tokens;
        if (sum > tokens_max)
            break;
        next++;
    }
    return next;
}

enum status section_page(const struct outlined *source, size_t from, size_t tokens_max,
                         token_counter *counter, struct section_range *out, struct errinfo *err)
{
    const struct outline *outline = source->outline;
    struct bytes report = source->report;
    ASSERT(outline->counted);
    if (from >= report.size) {
        *out = (struct section_range){report.size, report.size};
        return STATUS_OK;
    }
    uint32_t first = outline_at(outline, from);
    uint32_t next = last_fitting(outline, first, tokens_max);
    // Counts of neighbours may add up to less than the whole by a token or two: so count the page.
    while (next > first) {
        size_t tokens;
        size_t to = outline->sections[next - 1].to;
        enum status status = counter(bytes_slice(report, from, to - from), &tokens);
        if (status != STATUS_OK)
            return errinfo_set(err, status, "no memory to count a page");
        if (tokens <= tokens_max) {
            *out = (struct section_range){from, to};
            return STATUS_OK;
        }
        next--;
    }
    size_t size = 0;
    size_t left = outline->sections[first].to - from;
    enum status status = cut_to_tokens(bytes_slice(report, from, left), tokens_max, counter, &size);
    if (status != STATUS_OK)
        return errinfo_set(err, status, "no memory to count a page");
    if (size == 0)
        return errinfo_set(err, STATUS_LIMIT,
                           "a page of %zu tokens does not hold one character: ask for more",
                           tokens_max);
    *out = (struct section_range){from, from + size};
    return STATUS_OK;
}
