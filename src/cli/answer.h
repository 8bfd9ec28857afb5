// SPDX-License-Identifier: Apache-2.0
// What several commands do with refs and reports.
#pragma once

#include "cli/cli.h"
#include "deliver/publish.h"

// The report's notice: JSON on one line, indented when a person reads it.
enum status answer_notice(struct cli *cli, const struct report *report, struct errinfo *err);

// The bus of a store that is there, and its registry.
enum status answer_source_open(struct cli *cli, struct read_source *source, struct errinfo *err);
// The same for a store that may have to be made first.
enum status answer_source_open_for(struct cli *cli, enum hub_need need, struct read_source *source,
                                   struct errinfo *err);

// Reads the report whose ref is an argument into storage.
enum status answer_read(struct cli *cli, size_t argument, enum bus_part part, struct buf *storage,
                        struct report *report, struct errinfo *err);

// Publishes under the author's name and prints the notice, made from what is stored and read back,
// never from what was said.
enum status answer_publish(struct cli *cli, struct publish_request *request, struct errinfo *err);
