// SPDX-License-Identifier: Apache-2.0
// Lists for people and for programs: aligned columns under a heading when stdout is a terminal,
// else one line a row with a tab between fields and no heading, which is cheap to read and to cut.
#pragma once

#include "cli/cli.h"

enum { TABLE_COLUMNS_MAX = 10 };

struct table {
    struct cli *cli;
    size_t columns;
    const char *const *headings;
    bool aligned;
    struct buf cells; // aligned: every cell with a NUL behind it, row by row, for widths
    struct buf line;
    size_t column;
};

void table_init(struct table *table, struct cli *cli, const char *const *headings, size_t columns);
void table_fini(struct table *table);

// Adds the next cell; a tab, line end or control character in it is shown as a blank.
void table_cell(struct table *table, struct bytes text);
void table_cell_format(struct table *table, const char *format, ...) AGOG_PRINTF(2, 3);

// Prints what is left. STATUS_IO when stdout does not take it.
enum status table_finish(struct table *table, struct errinfo *err);

// "5s", "12m", "3h", "2d": how long ago, for people.
const char *table_age(int64_t then_ns, int64_t now_ns, char out[24]);
// "0 B", "1.2 KiB", "1.0 GiB".
const char *table_size(uint64_t bytes, char out[24]);
