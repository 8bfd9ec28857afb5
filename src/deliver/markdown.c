// SPDX-License-Identifier: Apache-2.0
// The walk feeds one line after another and looks, after each, at the children of cmark's document
// node: all but the last are finished, so they are read and freed. cmark_parser_finish is never
// called, because it would parse inlines, which is where most hostile inputs bite.
//
// The document node of a parser is not public; an extension of ours is handed it as the container
// of the first line, so the walk begins with a line of its own that is thrown away again.
#include "deliver/markdown.h"

#include "base/assert.h"
#include "base/buf.h"
#include "deliver/lines.h"

#include <cmark-gfm-core-extensions.h>
#include <cmark-gfm-extension_api.h>
#include <cmark-gfm.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    PREFIX_COLUMNS_MAX = 64,
    TAB_COLUMNS = 4,
    PRUNE_EVERY_LINES = 64,
    BLANK_LINES_MAX = 3,
    RUN_DELIMITERS_MAX = 8,
    RUN_BYTES_MAX = 64 * 1024,
    TABLE_COLUMNS_MAX = 128,
    TABLE_CELLS_MAX = 1000000,
    FRONT_MATTER_BYTES_MAX = 64 * 1024,
};

struct walker {
    cmark_parser *parser;
    cmark_node *root;
    struct buf scratch; // a line that is not fed as it stands
    markdown_on_heading *on_heading;
    void *context;
    bool stopped;
    int fed; // lines that cmark has seen, in its own count
    // The child of the root in progress: cmark's number of its first line, and our offset of it.
    int child_fed;
    size_t child_from;
    // Since the last blank line or new child of the root.
    size_t run_bytes;
    unsigned run_delimiters;
    unsigned blank_lines; // one after another, up to this line
    size_t table_cells;
    bool tables_seen;
};

static pthread_once_t extensions_once = PTHREAD_ONCE_INIT;

void markdown_ready(void)
{
    pthread_once(&extensions_once, cmark_gfm_core_extensions_ensure_registered);
}

// A heading without text has a content buffer of cmark's that was allocated and never written, not
// even its terminating NUL; memory that comes zeroed makes it the empty string. Like cmark's own
// allocator this one ends the process when memory runs out, since cmark cannot go on without.
static void *allocate_zeroed(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL)
        abort();
    return memory;
}

static void *reallocate(void *memory, size_t size)
{
    if (memory == NULL)
        return allocate_zeroed(1, size);
    memory = realloc(memory, size);
    if (memory == NULL)
        abort();
    return memory;
}

static cmark_node *catch_root(cmark_syntax_extension *extension, int indented, cmark_parser *parser,
                              cmark_node *container, unsigned char *input, int size)
{
    (void)indented, (void)parser, (void)input, (void)size;
    struct walker *walker = cmark_syntax_extension_get_private(extension);
    if (walker->root == NULL)
        walker->root = container;
    return NULL;
}

static bool is_prefix(char c)
{
    return c == ' ' || c == '\t' || c == '>' || c == '*' || c == '+' || c == '-' || c == '.' ||
           c == ')' || (c >= '0' && c <= '9');
}

// How many bytes of the line's prefix are within the columns that count, and how long it is.
static size_t kept_prefix(struct bytes line, size_t *prefix)
{
    size_t columns = 0;
    size_t kept = 0;
    size_t i = 0;
    for (; i < line.size && is_prefix(line.data[i]); i++) {
        columns += line.data[i] == '\t' ? TAB_COLUMNS : 1;
        if (columns <= PREFIX_COLUMNS_MAX)
            kept = i + 1;
    }
    *prefix = i;
    return kept;
}

// A line of '|', '-', ':' and blanks that could make a table of the line before it.
static bool is_delimiter_row(struct bytes line, size_t *columns)
{
    bool dash = false;
    *columns = 1;
    bool mark = false;
    for (size_t i = 0; i < line.size; i++) {
        char c = line.data[i];
        if (c != '|' && c != '-' && c != ':' && c != ' ' && c != '\t' && c != '>')
            return false;
        dash = dash || c == '-';
        mark = mark || c == '|' || c == ':';
        *columns += c == '|';
    }
    return dash && mark;
}

static bool delimiter_is_refused(struct walker *walker, struct bytes line)
{
    size_t columns;
    if (!is_delimiter_row(line, &columns))
        return false;
    walker->run_delimiters++;
    if (walker->run_delimiters > RUN_DELIMITERS_MAX || walker->run_bytes > RUN_BYTES_MAX ||
        columns > TABLE_COLUMNS_MAX || walker->table_cells > TABLE_CELLS_MAX)
        return true;
    walker->tables_seen = true;
    return false;
}

static void feed(struct walker *walker, struct bytes with_ending)
{
    cmark_parser_feed(walker->parser, with_ending.data, with_ending.size);
    walker->fed++;
}

static void feed_scratch(struct walker *walker, struct bytes head, struct bytes tail)
{
    buf_clear(&walker->scratch);
    buf_append(&walker->scratch, head);
    buf_append(&walker->scratch, tail);
    buf_append_byte(&walker->scratch, '\n');
    if (buf_status(&walker->scratch) == STATUS_OK)
        feed(walker, buf_bytes(&walker->scratch));
    else
        feed(walker, BYTES("\n"));
}

static void feed_line(struct walker *walker, struct bytes line, size_t ending)
{
    size_t prefix;
    size_t kept = kept_prefix(line, &prefix);
    if (delimiter_is_refused(walker, line)) {
        size_t marks = 0;
        while (marks < kept && line.data[marks] != '-')
            marks++;
        feed_scratch(walker, bytes_slice(line, 0, marks), BYTES("x"));
    } else if (kept < prefix) {
        feed_scratch(walker, bytes_slice(line, 0, kept), bytes_from(line, prefix));
    } else if (ending == 0 || line.data[line.size + ending - 1] != '\n') {
        feed_scratch(walker, line, BYTES(""));
    } else {
        feed(walker, bytes_of(line.data, line.size + ending));
    }
}

// As cmark sees it: a form feed is text.
static bool is_blank_line(struct bytes line)
{
    size_t i = 0;
    while (i < line.size && (line.data[i] == ' ' || line.data[i] == '\t'))
        i++;
    return i == line.size;
}

// Blank lines keep every open list open and cost its depth each, but the fourth of them decides
// nothing that the third did not.
static void take_line(struct walker *walker, struct bytes line, size_t ending)
{
    bool blank = is_blank_line(line);
    walker->blank_lines = blank ? walker->blank_lines + 1 : 0;
    if (walker->blank_lines > BLANK_LINES_MAX)
        return;
    feed_line(walker, line, ending);
    walker->run_bytes = blank ? 0 : walker->run_bytes + line.size;
    if (blank)
        walker->run_delimiters = 0;
}

static void report_heading(struct walker *walker, cmark_node *node, size_t from)
{
    if (cmark_node_get_type(node) != CMARK_NODE_HEADING || walker->stopped)
        return;
    struct markdown_heading heading = {
        .level = (unsigned)cmark_node_get_heading_level(node),
        .from = from,
        .source = bytes_of_string(cmark_node_get_string_content(node)),
    };
    walker->stopped = !walker->on_heading(walker->context, &heading);
}

// Reads and frees the finished children of the root after the line at `from`.
static void harvest(struct walker *walker, size_t from)
{
    cmark_node *last = cmark_node_last_child(walker->root);
    cmark_node *node;
    while ((node = cmark_node_first_child(walker->root)) != last) {
        bool old = cmark_node_get_start_line(node) == walker->child_fed;
        report_heading(walker, node, old ? walker->child_from : from);
        cmark_node_free(node);
    }
    if (last == NULL || cmark_node_get_start_line(last) == walker->child_fed)
        return;
    walker->child_fed = cmark_node_get_start_line(last);
    walker->child_from = from;
    walker->run_bytes = 0;
    walker->run_delimiters = 0;
}

// Frees what is finished inside the block in progress: only the last child of an open block can
// still change.
static void prune(struct walker *walker)
{
    cmark_node *parent = walker->root;
    cmark_node *last;
    while ((last = cmark_node_last_child(parent)) != NULL) {
        cmark_node *node;
        while ((node = cmark_node_first_child(parent)) != last)
            cmark_node_free(node);
        parent = last;
    }
}

// Counts the cells that cmark made of the line just fed, and ends the table that meets the limit.
static void count_cells(struct walker *walker)
{
    if (!walker->tables_seen || walker->table_cells > TABLE_CELLS_MAX)
        return;
    cmark_node *node = cmark_node_last_child(walker->root);
    while (node != NULL && cmark_gfm_extensions_get_table_columns(node) == 0)
        node = cmark_node_last_child(node);
    if (node == NULL)
        return;
    walker->table_cells += 1U + cmark_gfm_extensions_get_table_columns(node);
    if (walker->table_cells > TABLE_CELLS_MAX)
        feed(walker, BYTES("\n"));
}

static size_t byte_order_mark(struct bytes report)
{
    return bytes_start_with(report, BYTES("\xEF\xBB\xBF")) ? 3 : 0;
}

static void walk_lines(struct walker *walker, struct bytes report)
{
    struct lines lines;
    struct line line;
    size_t number = 0;
    size_t mark = byte_order_mark(report);
    size_t start = markdown_front_matter(report);
    lines_init(&lines, report);
    while (!walker->stopped && lines_next(&lines, &line)) {
        number++;
        if (line.from < start)
            continue;
        size_t skip = line.from == 0 ? mark : 0;
        take_line(walker, bytes_of(report.data + line.from + skip, line.size - skip), line.ending);
        harvest(walker, line.from);
        count_cells(walker);
        if (number % PRUNE_EVERY_LINES == 0)
            prune(walker);
    }
    cmark_node *last = cmark_node_last_child(walker->root);
    if (last != NULL)
        report_heading(walker, last, walker->child_from);
}

void markdown_walk_headings(struct bytes report, markdown_on_heading *on_heading, void *context)
{
    struct walker walker = {.on_heading = on_heading, .context = context};
    markdown_ready();
    buf_init(&walker.scratch, report.size + 2);
    cmark_mem memory = {allocate_zeroed, reallocate, free};
    walker.parser = cmark_parser_new_with_mem(CMARK_OPT_DEFAULT, &memory);
    cmark_syntax_extension *catcher = cmark_syntax_extension_new("agog-catch-root");
    cmark_syntax_extension_set_open_block_func(catcher, catch_root);
    cmark_syntax_extension_set_private(catcher, &walker, NULL);
    cmark_parser_attach_syntax_extension(walker.parser, catcher);
    cmark_parser_attach_syntax_extension(walker.parser, cmark_find_syntax_extension("table"));
    feed(&walker, BYTES("x\n"));
    feed(&walker, BYTES("\n"));
    ASSERT(walker.root != NULL);
    cmark_node_free(cmark_node_first_child(walker.root));
    walk_lines(&walker, report);
    cmark_parser_free(walker.parser);
    cmark_syntax_extension_free(cmark_get_default_mem_allocator(), catcher);
    buf_fini(&walker.scratch);
}

static bool is_key_line(struct bytes line)
{
    size_t colon = bytes_find_byte(line, ':');
    if (colon == SIZE_MAX || colon == 0 || colon > 64)
        return false;
    if (colon + 1 < line.size && line.data[colon + 1] != ' ' && line.data[colon + 1] != '\t')
        return false;
    for (size_t i = 0; i < colon; i++) {
        char c = line.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      (unsigned char)c >= 0x80 || c == '_' || c == '-';
        if (!letter && (c != ' ' || i == 0))
            return false;
    }
    return true;
}

static bool is_rule(struct bytes line, struct bytes mark)
{
    return bytes_start_with(line, mark) && bytes_trim(bytes_from(line, 3)).size == 0;
}

// A rule of dashes opens many reports that have no front matter, so the first line after it must
// look like a key.
size_t markdown_front_matter(struct bytes report)
{
    struct lines lines;
    struct line line;
    size_t mark = byte_order_mark(report);
    bool keyed = false;
    lines_init(&lines, bytes_slice(report, 0, FRONT_MATTER_BYTES_MAX));
    if (!lines_next(&lines, &line) ||
        !is_rule(bytes_slice(report, mark, line.size > mark ? line.size - mark : 0), BYTES("---")))
        return 0;
    while (lines_next(&lines, &line)) {
        struct bytes text = bytes_slice(report, line.from, line.size);
        if (keyed && (is_rule(text, BYTES("---")) || is_rule(text, BYTES("..."))))
            return line.from + line.size + line.ending;
        if (!keyed && text.size > 0 && text.data[0] == '#')
            continue;
        if (!keyed && !is_key_line(text))
            return 0;
        keyed = true;
    }
    return 0;
}
