// SPDX-License-Identifier: Apache-2.0
#include "api/home.h"
#include "api/setup.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/table.h"

#include <errno.h>
#include <sys/stat.h>

struct summary {
    struct cli *cli;
    json_t *list;
    size_t streams;
    size_t created;
    size_t drifting;
    uint64_t bytes_max;
};

static void show(void *context, const struct setup_finding *finding)
{
    struct summary *summary = context;
    const char *state = setup_state_name(finding->state);
    summary->streams++;
    summary->created += finding->state == SETUP_CREATED;
    summary->drifting += finding->state == SETUP_DIFFERS;
    summary->bytes_max += finding->bytes_max;
    json_array_append_new(summary->list, json_pack("{s:s, s:s, s:s}", "stream", finding->stream,
                                                   "state", state, "drift", finding->drift));
    if (!summary->cli->json)
        fprintf(summary->cli->out, "%-28s %s%s%s\n", finding->stream, state,
                finding->drift[0] == '\0' ? "" : ": ", finding->drift);
}

// .agog in the current directory: it must be there before the search for the home can find it.
static enum status make_here(struct errinfo *err)
{
    char path[HOME_PATH_SIZE];
    enum status status = home_here(path, err);
    if (status == STATUS_OK && mkdir(path, 0700) != 0 && errno != EEXIST)
        return errinfo_set_errno(err, errno, "cannot create %s", path);
    return status;
}

static enum status finish(struct summary *summary, struct bus *bus, struct errinfo *err)
{
    struct cli *cli = summary->cli;
    char size[24];
    struct bus_facts facts;
    enum status status = bus->operations->facts(bus, &facts, err);
    if (status != STATUS_OK)
        return status;
    if (facts.caveat[0] != '\0')
        fprintf(cli->err, "agog: %s\n", facts.caveat);
    if (cli->json)
        status = cli_print_json(cli,
                                json_pack("{s:s, s:O, s:I}", "home", facts.location, "streams",
                                          summary->list, "bytes_max",
                                          (json_int_t)summary->bytes_max),
                                err);
    else
        fprintf(cli->out, "%s: %zu streams, %zu created; together they may grow to %s\n",
                facts.location, summary->streams, summary->created,
                table_size(summary->bytes_max, size));
    if (status == STATUS_OK && summary->drifting > 0)
        return errinfo_set(err, STATUS_UNHEALTHY,
                           "%zu streams differ from what they should be: agog init --repair mends "
                           "them",
                           summary->drifting);
    return status;
}

static enum status run(struct cli *cli, struct errinfo *err)
{
    struct hub *hub;
    struct bus *bus;
    struct summary summary = {.cli = cli};
    bool here = cli_switch(cli, "here");
    if (here && (cli_option(cli, "url") != NULL || cli_option(cli, "context") != NULL))
        return errinfo_set(err, STATUS_USAGE,
                           "--here makes a store in this directory, and NATS was named: give one "
                           "of them");
    summary.list = json_array();
    enum status status = here ? make_here(err) : STATUS_OK;
    if (status == STATUS_OK)
        status = cli_hub(cli, &hub, err);
    if (status == STATUS_OK)
        status = hub_bus(hub, HUB_MAKE_STORE, &bus, err);
    if (status == STATUS_OK)
        status = setup_check(bus, cli_switch(cli, "repair") ? SETUP_REPAIR : SETUP_MAKE, show,
                             &summary, err);
    if (status == STATUS_OK)
        status = finish(&summary, bus, err);
    json_decref(summary.list);
    return status;
}

static const struct option_spec options[] = {
    {.name = "here", .help = "make the store in ./.agog"},
    {.name = "repair", .help = "change streams that differ back to what they should be"},
};

const struct command cmd_init = {
    .name = "init",
    .arguments = "",
    .summary = "Create what is missing: the store, the agents' streams, the registry",
    .description =
        "Streams that are there are compared field by field with what they should be; a\n"
        "difference is shown, and exit code 12 says that there is one. The first publish\n"
        "does the same by itself.",
    .examples = "  $ agog init\n  $ agog init --here\n  $ agog init --repair",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
