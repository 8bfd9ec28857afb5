// SPDX-License-Identifier: Apache-2.0
#include "deliver/lines.h"

#include <string.h>

// The offset of the LF at or after `at`, so that a text of lone CRs is not searched again and
// again.
static size_t find_lf(struct bytes text, size_t at)
{
    size_t distance = bytes_find_byte(bytes_from(text, at), '\n');
    return distance == SIZE_MAX ? text.size : at + distance;
}

void lines_init(struct lines *lines, struct bytes text)
{
    *lines = (struct lines){.text = text, .next_lf = find_lf(text, 0)};
}

bool lines_next(struct lines *lines, struct line *line)
{
    struct bytes text = lines->text;
    size_t at = lines->at;
    if (at >= text.size)
        return false;
    if (lines->next_lf < at)
        lines->next_lf = find_lf(text, at);
    size_t lf = lines->next_lf;
    size_t cr = bytes_find_byte(bytes_slice(text, at, lf - at), '\r');
    *line = (struct line){.from = at, .size = lf - at, .ending = lf < text.size};
    if (cr != SIZE_MAX) {
        bool pair = at + cr + 1 == lf && lf < text.size;
        *line = (struct line){.from = at, .size = cr, .ending = pair ? 2 : 1};
    }
    lines->at = at + line->size + line->ending;
    return true;
}

size_t lines_count(struct bytes text)
{
    struct lines lines;
    struct line line;
    size_t count = 0;
    lines_init(&lines, text);
    while (lines_next(&lines, &line))
        count++;
    return count;
}

bool lines_range(struct bytes text, size_t first, size_t last, size_t *from, size_t *to)
{
    struct lines lines;
    struct line line;
    size_t start = 0;
    size_t number = 0;
    if (first == 0 || last < first)
        return false;
    lines_init(&lines, text);
    while (number < last && lines_next(&lines, &line)) {
        number++;
        if (number == first)
            start = line.from;
    }
    if (number < first)
        return false;
    *from = start;
    *to = lines.at;
    return true;
}
