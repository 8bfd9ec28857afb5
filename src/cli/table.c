// SPDX-License-Identifier: Apache-2.0
#include "cli/table.h"

#include "base/assert.h"

#include <stdarg.h>
#include <string.h>

enum { CELLS_BYTES_MAX = 256 << 20, CELL_MAX = 4096 };

void table_init(struct table *table, struct cli *cli, const char *const *headings, size_t columns)
{
    ASSERT(columns > 0 && columns <= TABLE_COLUMNS_MAX);
    *table = (struct table){
        .cli = cli, .columns = columns, .headings = headings, .aligned = cli_is_terminal(cli)};
    buf_init(&table->cells, CELLS_BYTES_MAX);
    buf_init(&table->line, CELLS_BYTES_MAX);
}

void table_fini(struct table *table)
{
    buf_fini(&table->cells);
    buf_fini(&table->line);
}

static void append_clean(struct buf *out, struct bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        buf_append_byte(out, c < 0x20 || c == 0x7F ? ' ' : text.data[i]);
    }
}

void table_cell(struct table *table, struct bytes text)
{
    if (table->aligned) {
        append_clean(&table->cells, text);
        buf_append_byte(&table->cells, '\0');
        return;
    }
    if (table->column > 0)
        buf_append_byte(&table->line, '\t');
    append_clean(&table->line, text);
    table->column++;
    if (table->column == table->columns) {
        buf_append_byte(&table->line, '\n');
        table->column = 0;
    }
}

void table_cell_format(struct table *table, const char *format, ...)
{
    char text[CELL_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    table_cell(table, bytes_of_string(text));
}

// Width on the screen, taken as one column a code point.
static size_t width_of(const char *cell)
{
    size_t width = 0;
    for (; *cell != '\0'; cell++)
        width += ((unsigned char)*cell & 0xC0U) != 0x80;
    return width;
}

static void append_padded(struct buf *out, const char *cell, size_t width, bool last)
{
    buf_append_string(out, cell);
    for (size_t i = width_of(cell); !last && i < width + 2; i++)
        buf_append_byte(out, ' ');
}

static void lay_out(struct table *table)
{
    size_t widths[TABLE_COLUMNS_MAX];
    for (size_t i = 0; i < table->columns; i++)
        widths[i] = width_of(table->headings[i]);
    const char *end = table->cells.data + table->cells.size;
    size_t column = 0;
    for (const char *cell = table->cells.data; cell < end; cell += strlen(cell) + 1) {
        size_t width = width_of(cell);
        widths[column] = width > widths[column] ? width : widths[column];
        column = (column + 1) % table->columns;
    }
    for (size_t i = 0; i < table->columns; i++)
        append_padded(&table->line, table->headings[i], widths[i], i + 1 == table->columns);
    buf_append_byte(&table->line, '\n');
    column = 0;
    for (const char *cell = table->cells.data; cell < end; cell += strlen(cell) + 1) {
        bool last = column + 1 == table->columns;
        append_padded(&table->line, cell, widths[column], last);
        if (last)
            buf_append_byte(&table->line, '\n');
        column = last ? 0 : column + 1;
    }
}

enum status table_finish(struct table *table, struct errinfo *err)
{
    if (table->aligned && buf_status(&table->cells) == STATUS_OK && table->cells.size > 0)
        lay_out(table);
    if (buf_status(&table->cells) != STATUS_OK || buf_status(&table->line) != STATUS_OK)
        return errinfo_set(err, STATUS_NO_MEMORY,
                           "no memory for the list: narrow it with a filter");
    return cli_write(table->cli, buf_bytes(&table->line), err);
}

const char *table_age(int64_t then_ns, int64_t now_ns, char out[24])
{
    int64_t seconds = (now_ns - then_ns) / 1000000000;
    if (seconds < 0)
        seconds = 0;
    if (seconds < 120)
        snprintf(out, 24, "%llds", (long long)seconds);
    else if (seconds < 2 * 3600)
        snprintf(out, 24, "%lldm", (long long)(seconds / 60));
    else if (seconds < 2 * 86400)
        snprintf(out, 24, "%lldh", (long long)(seconds / 3600));
    else
        snprintf(out, 24, "%lldd", (long long)(seconds / 86400));
    return out;
}

const char *table_size(uint64_t bytes, char out[24])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)bytes;
    size_t unit = 0;
    while (value >= 1024 && unit + 1 < sizeof units / sizeof units[0]) {
        value /= 1024;
        unit++;
    }
    snprintf(out, 24, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
    return out;
}
