// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/help.h"

static enum status run(struct cli *cli, struct errinfo *err)
{
    return help_completion(cli->out, cli_argument(cli, 0), err);
}

const struct command cmd_completion = {
    .name = "completion",
    .arguments = "bash|zsh|fish",
    .summary = "Print the completion script of a shell",
    .examples = "  $ agog completion bash > /etc/bash_completion.d/agog\n"
                "  $ agog completion fish | source",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
