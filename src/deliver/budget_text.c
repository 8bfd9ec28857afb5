// SPDX-License-Identifier: Apache-2.0
#include "deliver/budget_text.h"

static void append_name(const struct outline_section *section, const char *before, struct buf *out)
{
    buf_append_string(out, before);
    buf_append_byte(out, '#');
    buf_append(out, section->number);
}

// The whole sections from index first to last.
static void append_whole(const struct outline *outline, uint32_t first, uint32_t last,
                         const char *before, struct buf *out)
{
    size_t tokens = 0;
    for (uint32_t i = first; i <= last; i++)
        tokens += outline->sections[i].tokens;
    append_name(&outline->sections[first], before, out);
    if (last > first)
        append_name(&outline->sections[last], " to ", out);
    buf_printf(out, " (%zu tokens)", tokens);
}

static void append_gap(const struct outline *outline, size_t from, size_t to, struct buf *out)
{
    if (from >= to)
        return;
    if (out->size > 0 && out->data[out->size - 1] != '\n')
        buf_append_byte(out, '\n');
    buf_append_string(out, "[... ");
    uint32_t first = outline_at(outline, from);
    uint32_t last = outline_at(outline, to - 1);
    const char *before = "";
    bool inside = first == last && from > outline->sections[first].from &&
                  to < outline->sections[first].to;
    if (inside) {
        append_name(&outline->sections[first], "part of ", out);
        buf_append_string(out, " not shown ...]\n");
        return;
    }
    if (from > outline->sections[first].from) {
        append_name(&outline->sections[first], "rest of ", out);
        before = ", ";
        first++;
    }
    bool starts_last = last >= first && to < outline->sections[last].to;
    if (last >= first + starts_last) {
        append_whole(outline, first, last - starts_last, before, out);
        before = ", ";
    }
    if (starts_last) {
        buf_append_string(out, before);
        append_name(&outline->sections[last], "start of ", out);
    }
    buf_append_string(out, " not shown ...]\n");
}

void budget_text(const struct outline *outline, struct bytes report,
                 const struct budget_piece *pieces, size_t count, struct buf *out)
{
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        append_gap(outline, at, pieces[i].from, out);
        buf_append(out, bytes_slice(report, pieces[i].from, pieces[i].to - pieces[i].from));
        at = pieces[i].to;
    }
    append_gap(outline, at, report.size, out);
}
