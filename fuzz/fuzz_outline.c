// SPDX-License-Identifier: Apache-2.0
// Reports of any bytes: sections tile them, a stored outline reads back the same, pages and packed
// answers keep their tokens.
#include <stdint.h>

#include "base/assert.h"
#include "base/buf.h"
#include "deliver/budget.h"
#include "deliver/delta.h"
#include "deliver/outline_json.h"
#include "deliver/section.h"
#include "deliver/summary.h"
#include "deliver/tokens.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_tiling(const struct outline *outline, struct bytes report)
{
    size_t at = 0;
    for (uint32_t i = 0; i < outline->count; i++) {
        const struct outline_section *section = &outline->sections[i];
        uint32_t found;
        ASSERT(section->from == at && section->to > at);
        ASSERT(section->end > i && section->end <= outline->count);
        ASSERT(section->line >= 1 && section->line <= outline->lines);
        ASSERT(section_find(outline, section->number, &found, NULL) == STATUS_OK && found == i);
        at = section->to;
    }
    ASSERT(at == report.size);
}

static void check_stored(const struct outline *outline)
{
    struct buf one;
    struct buf two;
    struct outline back;
    buf_init(&one, 64 << 20);
    buf_init(&two, 64 << 20);
    ASSERT(outline_json_write(outline, &one, NULL) == STATUS_OK);
    ASSERT(outline_json_read(buf_bytes(&one), &back, NULL) == STATUS_OK);
    ASSERT(outline_json_write(&back, &two, NULL) == STATUS_OK);
    ASSERT(bytes_equal(buf_bytes(&one), buf_bytes(&two)));
    outline_fini(&back);
    buf_fini(&one);
    buf_fini(&two);
}

static void check_packed(const struct outlined *source)
{
    struct buf out;
    struct budget_answer answer;
    size_t tokens;
    struct budget_options options = {
        .tokens_max = 60, .query = bytes_slice(source->report, 0, 20), .counter = tokens_count};
    buf_init(&out, 64 << 20);
    if (budget_pack(source, &options, &out, &answer, NULL) == STATUS_OK) {
        ASSERT(tokens_count(buf_bytes(&out), &tokens) == STATUS_OK);
        ASSERT(tokens <= options.tokens_max && tokens == answer.tokens);
    }
    buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes report = bytes_of(data, size);
    struct outline outline;
    struct section_range page;
    struct delta delta;
    char title[LIMIT_TITLE_BYTES + 1];
    char summary[LIMIT_SUMMARY_BYTES + 1];
    if (outline_json_read(report, &outline, NULL) == STATUS_OK)
        outline_fini(&outline);
    ASSERT(outline_build(report, &outline, NULL) == STATUS_OK);
    struct outlined source = {&outline, report};
    check_tiling(&outline, report);
    ASSERT(outline_count(&outline, report, tokens_count) == STATUS_OK);
    check_stored(&outline);
    check_packed(&source);
    ASSERT(section_page(&source, size / 2, 20, tokens_count, &page, NULL) == STATUS_OK);
    ASSERT(delta_sections(&source, &source, &delta, NULL) == STATUS_OK);
    ASSERT(delta.counts[DELTA_SAME] == outline.count);
    delta_fini(&delta);
    summary_title(&outline, report, title);
    summary_text(&outline, report, BYTES(""), summary);
    outline_fini(&outline);
    return 0;
}
