// SPDX-License-Identifier: Apache-2.0
// Serves the store: NATS, JetStream and monitoring. The flags and the configuration file are
// nats-server's; where they say nothing, what is right for one machine is taken.
#include "api/home.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "http/http.h"
#include "server/server.h"

#include <string.h>

enum { MONITOR_PORT = 8223 };

static const char nats_version[] = "2.14.0";

// What agog takes where a nats-server would take something else, unless it was told.
static enum status prefer(struct server_options *options, struct errinfo *err)
{
    char home[HOME_PATH_SIZE];
    enum status status = STATUS_OK;
    if (!options_given(options, "host"))
        status = options_set(options, "host", "127.0.0.1", err);
    if (status == STATUS_OK && !options_given(options, "jetstream"))
        status = options_set(options, "jetstream", "true", err);
    if (status == STATUS_OK && options->jetstream && options->store_dir == NULL) {
        status = home_find(NULL, home, err);
        if (status == STATUS_OK)
            status = options_set(options, "store_dir", home, err);
    }
    return status == STATUS_OK ? options_check(options, err) : status;
}

static enum status load(struct cli *cli, struct server_options **options,
                        enum options_action *action, struct errinfo *err)
{
    struct server_options *loaded;
    enum status status = options_load((int)cli->argument_count, cli->arguments,
                                      &options_outside_posix, &loaded, action, err);
    if (status != STATUS_OK)
        return status;
    if (*action == OPTIONS_RUN || *action == OPTIONS_TEST)
        status = prefer(loaded, err);
    if (status != STATUS_OK) {
        server_options_free(loaded);
        return status;
    }
    *options = loaded;
    return STATUS_OK;
}

static enum status load_again(void *context, struct server_options **options, struct errinfo *err)
{
    enum options_action action;
    return load(context, options, &action, err);
}

// The monitoring port that was asked for must be had; the one that nobody asked for need not.
static enum status open_monitor(struct server *server, const struct server_options *options,
                                struct http **http, struct errinfo *err)
{
    bool given = options_given(options, "http_port");
    struct errinfo ignored;
    struct http_options wanted = {
        .host = options->http_host != NULL ? options->http_host : options->host,
        .port = given ? options->http_port : MONITOR_PORT,
    };
    *http = NULL;
    if (given && wanted.port == 0)
        return STATUS_OK;
    if (!given) {
        wanted.host = "127.0.0.1";
        http_open(http, server, &wanted, &ignored);
        return STATUS_OK;
    }
    if (wanted.port < 0)
        wanted.port = 0;
    return http_open(http, server, &wanted, err);
}

static enum status serve(struct cli *cli, struct server_options *options, struct errinfo *err)
{
    struct server *server;
    struct http *http = NULL;
    enum status status = server_open(&server, options, err);
    if (status != STATUS_OK)
        return status;
    server_on_reload(server, load_again, cli);
    status = open_monitor(server, options, &http, err);
    if (status == STATUS_OK)
        status = server_run(server, err);
    http_close(http);
    server_close(server);
    return status;
}

static enum status print(struct cli *cli, void (*put)(struct buf *out), struct errinfo *err)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    put(&text);
    enum status status = cli_write(cli, buf_bytes(&text), err);
    buf_fini(&text);
    return status;
}

static void put_version(struct buf *out)
{
    options_version(nats_version, AGOG_VERSION, out);
    buf_append_byte(out, '\n');
}

static void put_tested(struct buf *out)
{
    buf_append_string(out, "the configuration is good\n");
}

static enum status run(struct cli *cli, struct errinfo *err)
{
    struct server_options *options;
    enum options_action action = OPTIONS_RUN;
    enum status status = load(cli, &options, &action, err);
    if (status != STATUS_OK || action == OPTIONS_RUN)
        return status != STATUS_OK ? status : serve(cli, options, err);
    server_options_free(options);
    return print(cli,
                 action == OPTIONS_VERSION ? put_version
                 : action == OPTIONS_TEST  ? put_tested
                                           : options_help,
                 err);
}

const struct command cmd_serve = {
    .name = "serve",
    .arguments = "[FLAG...]",
    .summary = "Serve NATS and JetStream on this store",
    .description =
        "A NATS server with JetStream for one machine: official clients, the nats tool and every\n"
        "agog command beside it work with it. Flags (one dash or two) and the file of -c are\n"
        "nats-server's; without any it listens on 127.0.0.1:4222 and serves the store that other\n"
        "commands use, with monitoring on 127.0.0.1:8223. `agog serve -h` lists them "
        "all.\n"
        "SIGTERM ends it, SIGHUP reads the settings again, SIGUSR2 lets clients go one by one.",
    .examples = "  $ agog serve\n"
                "  $ agog serve -a 0.0.0.0 -p 4222 -user me -pass secret\n"
                "  $ agog serve -c nats.conf",
    .arguments_max = -1,
    .own_options = true,
    .run = run,
};
