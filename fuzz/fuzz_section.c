// SPDX-License-Identifier: Apache-2.0
// Reports as anybody writes them, and what is asked of them: the first line is the question, the
// rest is the report. Sections tile the report, what is found lies within it, pages one after
// another are the report to the byte and keep their tokens, and whatever is refused has a reason.
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "deliver/section.h"
#include "deliver/tokens.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PAGED_BYTES = 2048 }; // pages of more would be the same, only slower

static void check_refused(const struct errinfo *err)
{
    ASSERT(err->text[0] != '\0' && strchr(err->text, '\n') == NULL);
}

static void check_range(enum status status, const struct section_range *range, size_t size,
                        const struct errinfo *err)
{
    if (status == STATUS_OK)
        ASSERT(range->from <= range->to && range->to <= size);
    else
        check_refused(err);
}

static void check_tiling(const struct outline *outline, size_t size)
{
    size_t at = 0;
    struct section_range whole;
    struct errinfo err;
    for (uint32_t i = 0; i < outline->count; i++) {
        const struct outline_section *section = &outline->sections[i];
        uint32_t index;
        ASSERT(section->from == at && section->to > at);
        at = section->to;
        ASSERT(section_find(outline, section->number, &index, &err) == STATUS_OK && index == i);
        outline_whole(outline, i, &whole.from, &whole.to);
        ASSERT(whole.from == section->from && whole.to >= section->to && whole.to <= size);
    }
    ASSERT(at == size);
}

static void check_asked(const struct outlined *source, struct bytes wanted)
{
    uint32_t index;
    struct section_range range;
    struct errinfo err;
    errinfo_clear(&err);
    if (section_find(source->outline, wanted, &index, &err) == STATUS_OK)
        ASSERT(index < source->outline->count);
    else
        check_refused(&err);
    errinfo_clear(&err);
    enum status status = section_lines(source->report, wanted, &range, &err);
    check_range(status, &range, source->report.size, &err);
    // Whole lines: a range begins where one does, and ends where one does.
    if (status == STATUS_OK && range.from > 0 && range.from < source->report.size)
        ASSERT(strchr("\r\n", source->report.data[range.from - 1]) != NULL);
    if (status == STATUS_OK && range.to > range.from && range.to < source->report.size)
        ASSERT(strchr("\r\n", source->report.data[range.to - 1]) != NULL);
    errinfo_clear(&err);
    status = section_bytes(source->report, wanted, &range, &err);
    check_range(status, &range, source->report.size, &err);
}

static void check_pages(const struct outlined *source, size_t tokens_max)
{
    size_t at = 0;
    struct errinfo err;
    struct section_range page;
    while (at < source->report.size) {
        size_t tokens;
        errinfo_clear(&err);
        enum status status = section_page(source, at, tokens_max, tokens_count, &page, &err);
        if (status != STATUS_OK) {
            ASSERT(status == STATUS_LIMIT);
            check_refused(&err);
            return;
        }
        ASSERT(page.from == at && page.to > at && page.to <= source->report.size);
        ASSERT(tokens_count(bytes_slice(source->report, at, page.to - at), &tokens) == STATUS_OK);
        ASSERT(tokens <= tokens_max);
        at = page.to;
    }
    ASSERT(section_page(source, at, tokens_max, tokens_count, &page, &err) == STATUS_OK);
    ASSERT(page.from == page.to && page.to == source->report.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct outline outline;
    struct bytes report;
    struct errinfo err;
    struct bytes wanted = bytes_cut(bytes_of(data, size), '\n', &report);
    ASSERT(outline_build(report, &outline, &err) == STATUS_OK);
    struct outlined source = {&outline, report};
    check_tiling(&outline, report.size);
    check_asked(&source, wanted);
    if (report.size <= PAGED_BYTES) {
        ASSERT(outline_count(&outline, report, tokens_count) == STATUS_OK);
        check_pages(&source, wanted.size % 40);
    }
    outline_fini(&outline);
    return 0;
}
