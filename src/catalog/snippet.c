// SPDX-License-Identifier: Apache-2.0
// First the line with the most different words is chosen, and made plain together with the lines
// behind it; then a window of that plain text is marked.
#include "catalog/snippet.h"

#include "base/utf8.h"
#include "deliver/lines.h"
#include "deliver/plain.h"

#include <string.h>

enum { PLAIN_BYTES = 4096, BEFORE_BYTES = 60 };

static unsigned popcount(uint64_t bits)
{
    unsigned count = 0;
    for (; bits != 0; bits &= bits - 1)
        count++;
    return count;
}

static uint64_t words_in(const struct query *query, struct bytes line)
{
    struct words words;
    struct word word;
    uint64_t seen = 0;
    size_t index;
    words_init(&words, line);
    while (words_next(&words, &word)) {
        if (query_matches(query, &word, &index))
            seen |= UINT64_C(1) << index;
    }
    return seen;
}

// Where the best line begins; headings do for want of anything else.
static size_t best_line(const struct query *query, struct bytes text)
{
    struct lines lines;
    struct line line;
    size_t best = 0;
    unsigned most = 0;
    lines_init(&lines, text);
    while (lines_next(&lines, &line)) {
        struct bytes own = bytes_slice(text, line.from, line.size);
        unsigned count = 2 * popcount(words_in(query, own));
        if (count > 0 && !bytes_start_with(own, BYTES("#")))
            count++;
        if (count > most) {
            most = count;
            best = line.from;
        }
    }
    return best;
}

// Without what makes a line a heading, a quotation, an item or a row of a table; empty when there
// is no word in it, such as a fence or a rule.
static struct bytes without_marks(struct bytes line)
{
    struct words words;
    struct word word;
    size_t at = 0;
    words_init(&words, line);
    if (!words_next(&words, &word) || bytes_start_with(bytes_trim(line), BYTES("```")))
        return (struct bytes){NULL, 0};
    while (at < word.from && strchr("#>*-+| \t", line.data[at]) != NULL)
        at++;
    // Marks that stand at the word belong to it: "**bold" and "--option".
    while (at > 0 && at == word.from && line.data[at - 1] != ' ' && line.data[at - 1] != '\t' &&
           line.data[at - 1] != '|')
        at--;
    return bytes_trim(bytes_from(line, at));
}

static void append_plain(struct bytes text, struct buf *out)
{
    struct lines lines;
    struct line line;
    lines_init(&lines, text);
    while (out->size < PLAIN_BYTES && lines_next(&lines, &line)) {
        size_t before = out->size;
        if (out->size > 0)
            buf_append_byte(out, ' ');
        plain_line(without_marks(bytes_slice(text, line.from, line.size)), out);
        if (out->size == before + 1 && before > 0)
            out->size = before;
    }
}

// The first match of the text, or 0.
static size_t first_match(const struct query *query, struct bytes text)
{
    struct words words;
    struct word word;
    size_t index;
    words_init(&words, text);
    while (words_next(&words, &word)) {
        if (query_matches(query, &word, &index))
            return word.from;
    }
    return 0;
}

// A part of the text around the first match that begins and ends with whole words.
static struct bytes window(const struct query *query, struct bytes text, size_t bytes_max)
{
    size_t at = first_match(query, text);
    size_t from = at > BEFORE_BYTES && text.size > bytes_max ? at - BEFORE_BYTES : 0;
    if (from > 0 && text.size - from < bytes_max)
        from = text.size - bytes_max;
    while (from > 0 && from < at && text.data[from - 1] != ' ')
        from++;
    while (from < at && ((unsigned char)text.data[from] & 0xC0) == 0x80)
        from++;
    struct bytes part = utf8_prefix(bytes_from(text, from), bytes_max);
    size_t end = part.size;
    if (from + end < text.size && text.data[from + end] != ' ') {
        while (end > 0 && part.data[end - 1] != ' ')
            end--;
        // One word without an end is cut.
        if (end <= part.size / 2)
            end = part.size;
    }
    while (end > 0 && part.data[end - 1] == ' ')
        end--;
    return bytes_slice(text, from, end);
}

static bool only_blanks(struct bytes text)
{
    return bytes_trim(text).size == 0;
}

static void append_marked(const struct query *query, struct bytes text, struct buf *out)
{
    struct words words;
    struct word word;
    size_t done = 0;
    size_t open = 0; // where a marked stretch ends that may still grow, 0 outside
    size_t index;
    words_init(&words, text);
    while (words_next(&words, &word)) {
        bool matches = query_matches(query, &word, &index);
        bool grows = matches && open > 0 && only_blanks(bytes_slice(text, open, word.from - open));
        if (open > 0 && !grows) {
            buf_append_byte(out, '*');
            open = 0;
        }
        buf_append(out, bytes_slice(text, done, (matches ? word.from : word.to) - done));
        done = matches ? word.from : word.to;
        if (!matches)
            continue;
        if (!grows)
            buf_append_byte(out, '*');
        buf_append(out, bytes_slice(text, word.from, word.to - word.from));
        done = word.to;
        open = word.to;
    }
    if (open > 0)
        buf_append_byte(out, '*');
    buf_append(out, bytes_from(text, done));
}

void snippet_make(const struct query *query, struct bytes text, size_t bytes_max, struct buf *out)
{
    struct buf plain;
    buf_init(&plain, PLAIN_BYTES + 4 * (size_t)PLAIN_LINE_BYTES);
    text = bytes_slice(text, 0, SNIPPET_SCAN_BYTES);
    append_plain(bytes_from(text, best_line(query, text)), &plain);
    struct bytes all = buf_bytes(&plain);
    struct bytes part = window(query, all, bytes_max);
    if (part.size > 0 && part.data > all.data)
        buf_append_string(out, "…");
    append_marked(query, part, out);
    if (part.size > 0 && part.data + part.size < all.data + all.size)
        buf_append_string(out, "…");
    buf_fini(&plain);
}
