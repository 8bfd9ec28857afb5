// SPDX-License-Identifier: Apache-2.0
#include "base/limits.h"
#include "cli/answer.h"
#include "cli/commands.h"

static enum status run(struct cli *cli, struct errinfo *err)
{
    struct report report;
    struct buf storage;
    buf_init(&storage, LIMIT_MESSAGE_BYTES);
    enum status status = answer_read(cli, 0, BUS_HEAD, &storage, &report, err);
    if (status == STATUS_OK)
        status = answer_notice(cli, &report, err);
    buf_fini(&storage);
    return status;
}

const struct command cmd_notice = {
    .name = "notice",
    .arguments = "REF",
    .summary = "Print the notice of a stored report again",
    .description = "A notice is one line of JSON with at most 200 o200k tokens, made from what is "
                   "stored.",
    .examples = "  $ agog notice cynthia/research/customer-search@2",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
