// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"
#include "cli/commands.h"
#include "http/http.h"
#include "server/server.h"

#include <stdlib.h>
#include <string.h>

static enum status run(struct cli *cli, struct errinfo *err)
{
    struct server *server;
    struct server_options *options = server_options_new();
    free(options->host);
    options->host = strdup("127.0.0.1");
    for (size_t i = 0; i + 1 < cli->argument_count; i++) {
        if (strcmp(cli->arguments[i], "-p") == 0)
            options->port = atoi(cli->arguments[i + 1]);
        if (strcmp(cli->arguments[i], "-m") == 0)
            options->http_port = atoi(cli->arguments[i + 1]);
        if (strcmp(cli->arguments[i], "-sd") == 0)
            options->store_dir = strdup(cli->arguments[i + 1]);
    }
    enum status status = server_open(&server, options, err);
    if (status != STATUS_OK)
        return status;
    struct http *http = NULL;
    struct http_options monitoring = {"127.0.0.1", options->http_port};
    if (options->http_port > 0)
        status = http_open(&http, server, &monitoring, err);
    if (status == STATUS_OK)
        status = server_run(server, err);
    http_close(http);
    server_close(server);
    return status;
}

const struct command cmd_serve = {
    .name = "serve",
    .arguments = "[FLAG...]",
    .summary = "Serve NATS and JetStream",
    .examples = "  $ agog serve",
    .arguments_max = -1,
    .own_options = true,
    .run = run,
};
