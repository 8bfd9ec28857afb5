// SPDX-License-Identifier: Apache-2.0
// Reports as anybody writes them, and what is asked of them: the first line is the question, the
// rest is the report. Every range lies within the report, and sections tile it.
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "deliver/section.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(enum status status, const struct section_range *range, size_t size)
{
    ASSERT(status != STATUS_OK || (range->from <= range->to && range->to <= size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct outline outline;
    struct section_range range;
    struct errinfo err;
    uint32_t index;
    struct bytes report;
    struct bytes wanted = bytes_cut(bytes_of(data, size), '\n', &report);
    memset(&outline, 0, sizeof outline);
    if (outline_build(report, &outline, &err) != STATUS_OK)
        return 0;
    size_t at = 0;
    for (uint32_t i = 0; i < outline.count; i++) {
        ASSERT(outline.sections[i].from == at && outline.sections[i].to >= at);
        at = outline.sections[i].to;
        ASSERT(section_find(&outline, outline.sections[i].number, &index, &err) == STATUS_OK);
        ASSERT(index == i);
        outline_whole(&outline, i, &range.from, &range.to);
        check(STATUS_OK, &range, report.size);
    }
    ASSERT(at == report.size);
    if (section_find(&outline, wanted, &index, &err) == STATUS_OK)
        ASSERT(index < outline.count);
    check(section_lines(report, wanted, &range, &err), &range, report.size);
    check(section_bytes(report, wanted, &range, &err), &range, report.size);
    outline_fini(&outline);
    return 0;
}
