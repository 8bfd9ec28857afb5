// SPDX-License-Identifier: Apache-2.0
// What several commands do with refs and reports.
#pragma once

#include "cli/cli.h"
#include "deliver/read.h"

// The report's notice: JSON on one line, indented when a person reads it.
enum status answer_notice(struct cli *cli, const struct report *report, struct errinfo *err);

// The bus of a store that is there, and its registry.
struct answer_source {
    struct bus *bus;
    const struct registry *registry;
};
enum status answer_source_open(struct cli *cli, struct answer_source *source, struct errinfo *err);
// The same for a store that may have to be made first.
enum status answer_source_open_for(struct cli *cli, enum hub_need need,
                                   struct answer_source *source, struct errinfo *err);

// Reads the report whose ref is an argument into storage.
enum status answer_read(struct cli *cli, size_t argument, enum bus_part part, struct buf *storage,
                        struct report *report, struct errinfo *err);
