// SPDX-License-Identifier: Apache-2.0
#include "deliver/jsonmap.h"

#include <string.h>

enum { DEPTH_MAX = 512 };

// What may come next.
enum expects { EXPECT_VALUE, EXPECT_FIRST_KEY, EXPECT_KEY, EXPECT_FIRST_VALUE, EXPECT_MORE };

struct scanner {
    struct bytes text;
    size_t at;
    size_t depth;
    bool is_array[DEPTH_MAX];
    size_t index[DEPTH_MAX];
    enum expects expects;
    unsigned level_max;
    jsonmap_on_entry *on_entry;
    void *context;
    bool stopped; // the caller wants no more entries
};

static void skip_blanks(struct scanner *scanner)
{
    while (scanner->at < scanner->text.size &&
           memchr(" \t\r\n", scanner->text.data[scanner->at], 4) != NULL)
        scanner->at++;
}

// From the first quote to after the last; *inside is what stands between.
static bool scan_string(struct scanner *scanner, struct bytes *inside)
{
    struct bytes text = scanner->text;
    size_t at = scanner->at + 1;
    while (at < text.size && text.data[at] != '"') {
        if ((unsigned char)text.data[at] < 0x20)
            return false;
        at += text.data[at] == '\\' ? 2 : 1;
    }
    if (at >= text.size)
        return false;
    *inside = bytes_of(text.data + scanner->at + 1, at - scanner->at - 1);
    scanner->at = at + 1;
    return true;
}

static bool is_number(struct bytes word)
{
    size_t i = word.size > 0 && word.data[0] == '-';
    size_t digits = 0;
    if (i == word.size || word.data[i] < '0' || word.data[i] > '9')
        return false;
    for (; i < word.size; i++) {
        if (word.data[i] >= '0' && word.data[i] <= '9')
            digits++;
        else if (strchr("+-.eE", word.data[i]) == NULL)
            return false;
    }
    return digits > 0;
}

// true, false, null or a number.
static bool scan_word(struct scanner *scanner)
{
    size_t from = scanner->at;
    struct bytes text = scanner->text;
    while (scanner->at < text.size && memchr(" \t\r\n,]}:\"", text.data[scanner->at], 9) == NULL &&
           text.data[scanner->at] != '\0')
        scanner->at++;
    struct bytes word = bytes_slice(text, from, scanner->at - from);
    return bytes_equal(word, BYTES("true")) || bytes_equal(word, BYTES("false")) ||
           bytes_equal(word, BYTES("null")) || is_number(word);
}

static void report(struct scanner *scanner, struct jsonmap_entry entry)
{
    entry.level = (unsigned)scanner->depth;
    if (entry.level <= scanner->level_max && !scanner->stopped)
        scanner->stopped = !scanner->on_entry(scanner->context, &entry);
}

static bool open_container(struct scanner *scanner, bool is_array)
{
    if (scanner->depth == DEPTH_MAX)
        return false;
    if (scanner->depth > 0 && scanner->is_array[scanner->depth - 1])
        report(scanner, (struct jsonmap_entry){.from = scanner->at,
                                               .is_element = true,
                                               .index = scanner->index[scanner->depth - 1]});
    scanner->is_array[scanner->depth] = is_array;
    scanner->index[scanner->depth] = 0;
    scanner->depth++;
    scanner->at++;
    scanner->expects = is_array ? EXPECT_FIRST_VALUE : EXPECT_FIRST_KEY;
    return true;
}

static bool scan_value(struct scanner *scanner)
{
    struct bytes inside;
    char c = scanner->text.data[scanner->at];
    if (c == '{' || c == '[')
        return open_container(scanner, c == '[');
    scanner->expects = EXPECT_MORE;
    return c == '"' ? scan_string(scanner, &inside) : scan_word(scanner);
}

static bool scan_key(struct scanner *scanner)
{
    struct jsonmap_entry entry = {.from = scanner->at};
    if (scanner->text.data[scanner->at] != '"' || !scan_string(scanner, &entry.key))
        return false;
    report(scanner, entry);
    skip_blanks(scanner);
    if (scanner->at >= scanner->text.size || scanner->text.data[scanner->at] != ':')
        return false;
    scanner->at++;
    scanner->expects = EXPECT_VALUE;
    return true;
}

static bool close_container(struct scanner *scanner)
{
    char c = scanner->text.data[scanner->at];
    if (c != (scanner->is_array[scanner->depth - 1] ? ']' : '}'))
        return false;
    scanner->at++;
    scanner->depth--;
    scanner->expects = EXPECT_MORE;
    return true;
}

// One step after blanks were skipped; there is a byte left.
static bool step(struct scanner *scanner)
{
    char c = scanner->text.data[scanner->at];
    switch (scanner->expects) {
    case EXPECT_VALUE: return scan_value(scanner);
    case EXPECT_KEY: return scan_key(scanner);
    case EXPECT_FIRST_VALUE: return c == ']' ? close_container(scanner) : scan_value(scanner);
    case EXPECT_FIRST_KEY: return c == '}' ? close_container(scanner) : scan_key(scanner);
    case EXPECT_MORE: break;
    }
    if (c != ',')
        return close_container(scanner);
    scanner->at++;
    scanner->index[scanner->depth - 1]++;
    scanner->expects = scanner->is_array[scanner->depth - 1] ? EXPECT_VALUE : EXPECT_KEY;
    return true;
}

bool jsonmap_walk(struct bytes text, unsigned level_max, jsonmap_on_entry *on_entry, void *context)
{
    struct scanner scanner = {
        .text = text, .level_max = level_max, .on_entry = on_entry, .context = context};
    skip_blanks(&scanner);
    if (scanner.at >= text.size || (text.data[scanner.at] != '{' && text.data[scanner.at] != '['))
        return false;
    if (!scan_value(&scanner))
        return false;
    while (scanner.depth > 0) {
        skip_blanks(&scanner);
        if (scanner.at >= text.size || !step(&scanner))
            return false;
    }
    skip_blanks(&scanner);
    return scanner.at == text.size;
}
