// SPDX-License-Identifier: Apache-2.0
#include "deliver/grep.h"

#include "deliver/lines.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

enum { REPEATS_MAX = 10000 };

struct search {
    const struct grep_options *options;
    regex_t regex;
    char *copy; // of a line, for regexec, which needs a NUL
    const struct outline *outline;
    grep_on_line *on_line;
    void *context;
    // Lines that may become context of a match to come: a ring.
    struct grep_line ring[GREP_CONTEXT_MAX];
    size_t ring_count, ring_at;
    unsigned after_left;
    size_t reported; // number of the line reported last
    uint32_t section;
    bool stopped;
};

static enum status refuse(struct errinfo *err, struct bytes pattern, const char *why)
{
    char quoted[ERRINFO_QUOTED_MAX];
    return errinfo_set(err, STATUS_USAGE, "pattern %s %s", errinfo_quote(pattern, quoted), why);
}

// The larger number of a "{m,n}" at the start of text, or 1 when there is none.
static uint64_t repeats_at(struct bytes text)
{
    struct bytes rest;
    struct bytes inside = bytes_cut(bytes_from(text, 1), '}', &rest);
    struct bytes high;
    uint64_t low_count = 1;
    uint64_t high_count = 1;
    struct bytes low = bytes_cut(inside, ',', &high);
    if (rest.data == NULL || !bytes_to_u64(low, &low_count))
        return 1;
    if (high.size > 0 && !bytes_to_u64(high, &high_count))
        return 1;
    uint64_t most = low_count > high_count ? low_count : high_count;
    return most == 0 ? 1 : most;
}

static enum status check_pattern(struct bytes pattern, struct errinfo *err)
{
    uint64_t repeats = 1;
    for (size_t i = 0; i < pattern.size; i++) {
        char c = pattern.data[i];
        if (c == '\\' && i + 1 < pattern.size) {
            i++;
            if (pattern.data[i] >= '1' && pattern.data[i] <= '9')
                return refuse(err, pattern, "has a back reference: write it without");
        } else if (c == '{') {
            uint64_t count = repeats_at(bytes_from(pattern, i));
            repeats = count > REPEATS_MAX ? count : repeats * count;
        }
        if (repeats > REPEATS_MAX)
            return refuse(err, pattern, "repeats too often: counts multiply to at most 10000");
    }
    return STATUS_OK;
}

static enum status compile(struct search *search, struct errinfo *err)
{
    struct bytes pattern = search->options->pattern;
    char text[2 * GREP_PATTERN_BYTES + 1];
    char reason[200];
    size_t size = 0;
    if (pattern.size == 0)
        return refuse(err, pattern, "is empty: give something to look for");
    if (pattern.size > GREP_PATTERN_BYTES)
        return refuse(err, pattern, "is longer than 1000 bytes");
    if (bytes_find_byte(pattern, '\0') != SIZE_MAX)
        return refuse(err, pattern, "has a NUL byte, which no line can match");
    enum status status = search->options->fixed ? STATUS_OK : check_pattern(pattern, err);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < pattern.size; i++) {
        if (search->options->fixed && strchr("\\^$.[]|()*+?{}", pattern.data[i]) != NULL)
            text[size++] = '\\';
        text[size++] = pattern.data[i];
    }
    text[size] = '\0';
    int flags = REG_EXTENDED | REG_NOSUB | (search->options->ignore_case ? REG_ICASE : 0);
    int code = regcomp(&search->regex, text, flags);
    if (code == REG_ESPACE)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory for the pattern");
    if (code != 0) {
        regerror(code, &search->regex, reason, sizeof reason);
        char quoted[ERRINFO_QUOTED_MAX];
        return errinfo_set(err, STATUS_USAGE, "pattern %s is no extended regular expression: %s",
                           errinfo_quote(pattern, quoted), reason);
    }
    return STATUS_OK;
}

static bool matches(struct search *search, struct bytes line)
{
    size_t size = line.size < GREP_LINE_BYTES ? line.size : GREP_LINE_BYTES;
    for (size_t i = 0; i < size; i++)
        search->copy[i] = line.data[i];
    search->copy[size] = '\0';
    for (char *nul = search->copy; (nul = memchr(nul, '\0', size - (size_t)(nul - search->copy)));)
        *nul = ' ';
    return regexec(&search->regex, search->copy, 0, NULL, 0) == 0;
}

static void report_line(struct search *search, struct grep_line line)
{
    if (search->stopped)
        return;
    line.is_apart = search->reported != 0 && line.number != search->reported + 1;
    search->reported = line.number;
    search->stopped = !search->on_line(search->context, &line);
}

static void report_before(struct search *search)
{
    size_t count = search->ring_count;
    for (size_t i = 0; i < count; i++) {
        size_t at = (search->ring_at + GREP_CONTEXT_MAX - count + i) % GREP_CONTEXT_MAX;
        report_line(search, search->ring[at]);
    }
    search->ring_count = 0;
}

static void remember(struct search *search, struct grep_line line)
{
    search->ring[search->ring_at] = line;
    search->ring_at = (search->ring_at + 1) % GREP_CONTEXT_MAX;
    size_t most = search->options->before < GREP_CONTEXT_MAX ? search->options->before
                                                             : GREP_CONTEXT_MAX;
    search->ring_count = search->ring_count < most ? search->ring_count + 1 : most;
}

static void take_line(struct search *search, struct grep_line line, struct grep_result *result)
{
    const struct grep_options *options = search->options;
    if (line.is_match)
        result->matches++;
    bool wanted = options->matches_max == 0 || result->matches <= options->matches_max;
    if (line.is_match && wanted) {
        report_before(search);
        report_line(search, line);
        search->after_left = options->after;
    } else if (search->after_left > 0) {
        search->after_left--;
        line.is_match = false;
        report_line(search, line);
    } else {
        line.is_match = false;
        remember(search, line);
    }
}

static void search_lines(struct search *search, struct bytes report, struct grep_result *result)
{
    struct lines lines;
    struct line line;
    size_t number = 0;
    lines_init(&lines, report);
    while (!search->stopped && lines_next(&lines, &line)) {
        number++;
        while (search->section + 1 < search->outline->count &&
               search->outline->sections[search->section + 1].from <= line.from)
            search->section++;
        result->long_lines += line.size > GREP_LINE_BYTES;
        struct grep_line found = {.number = number,
                                  .from = line.from,
                                  .to = line.from + line.size,
                                  .section = search->section};
        found.is_match = matches(search, bytes_of(report.data + line.from, line.size));
        take_line(search, found, result);
    }
}

enum status grep_report(const struct outlined *source, const struct grep_options *options,
                        grep_on_line *on_line, void *context, struct grep_result *result,
                        struct errinfo *err)
{
    struct search *search = calloc(1, sizeof *search);
    char *copy = malloc(GREP_LINE_BYTES + 1);
    enum status status = STATUS_NO_MEMORY;
    if (search == NULL || copy == NULL) {
        errinfo_set(err, status, "no memory to search a report");
        goto done;
    }
    search->options = options;
    search->copy = copy;
    search->outline = source->outline;
    search->on_line = on_line;
    search->context = context;
    status = compile(search, err);
    if (status != STATUS_OK)
        goto done;
    *result = (struct grep_result){.matches = 0};
    search_lines(search, source->report, result);
    regfree(&search->regex);
done:
    free(copy);
    free(search);
    return status;
}
