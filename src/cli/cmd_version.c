// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"
#include "cli/commands.h"

static enum status run(struct cli *cli, struct errinfo *err)
{
    if (cli->json)
        return cli_print_json(cli, json_pack("{s:s}", "version", AGOG_VERSION), err);
    fputs("agog " AGOG_VERSION "\n", cli->out);
    return STATUS_OK;
}

const struct command cmd_version = {
    .name = "version",
    .arguments = "",
    .summary = "Print the version",
    .examples = "  $ agog version",
    .run = run,
};
