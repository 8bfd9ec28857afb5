// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/help.h"

static enum status run(struct cli *cli, struct errinfo *err)
{
    (void)err;
    help_man_page(cli->out);
    return STATUS_OK;
}

const struct command cmd_man = {
    .name = "man",
    .arguments = "",
    .summary = "Print the manual page",
    .examples = "  $ agog man | man -l -",
    .run = run,
};
