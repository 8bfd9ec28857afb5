// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"
#include "cli/commands.h"
#include "server/server.h"

#include <string.h>

static enum status run(struct cli *cli, struct errinfo *err)
{
    struct server *server;
    struct server_options *options = server_options_new();
    uint64_t port = 4222;
    cli_option_u64(cli, "port", &port, err);
    options->port = (int)port;
    options->store_dir = strdup(cli_option(cli, "store"));
    enum status status = server_open(&server, options, err);
    if (status != STATUS_OK)
        return status;
    status = server_run(server, err);
    server_close(server);
    return status;
}

static const struct option_spec options[] = {
    {.name = "port", .value = "PORT", .help = "port"},
    {.name = "store", .value = "DIR", .help = "store"},
};

const struct command cmd_serve = {
    .name = "serve",
    .arguments = "",
    .summary = "Serve NATS and JetStream",
    .examples = "  $ agog serve",
    .options = options,
    .option_count = 2,
    .run = run,
};
