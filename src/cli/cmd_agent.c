// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/table.h"

#include <string.h>

static json_t *agent_json(const struct agent *agent)
{
    json_t *types = json_array();
    for (size_t i = 0; i < agent->type_count; i++)
        json_array_append_new(types, json_string(agent->types[i]));
    return json_pack("{s:s, s:s, s:o, s:s}", "name", agent->name, "stream", agent->stream, "types",
                     types, "role", agent->role);
}

static void agent_row(struct table *table, const struct agent *agent)
{
    char types[REGISTRY_TYPES_MAX * (REGISTRY_NAME_SIZE + 1)];
    size_t size = 0;
    types[0] = '\0';
    for (size_t i = 0; i < agent->type_count; i++)
        size += (size_t)snprintf(types + size, sizeof types - size, "%s%s", i == 0 ? "" : ",",
                                 agent->types[i]);
    table_cell(table, bytes_of_string(agent->name));
    table_cell(table, bytes_of_string(types));
    table_cell(table, bytes_of_string(agent->stream));
    table_cell(table, bytes_of_string(agent->role));
}

static enum status run_ls(struct cli *cli, struct errinfo *err)
{
    static const char *const headings[] = {"AGENT", "TYPES", "STREAM", "ROLE"};
    struct hub *hub;
    const struct registry *registry;
    enum status status = cli_hub(cli, &hub, err);
    if (status == STATUS_OK)
        status = hub_registry(hub, HUB_READ, &registry, err);
    if (status != STATUS_OK)
        return status;
    if (cli->json) {
        json_t *list = json_array();
        for (size_t i = 0; i < registry_count(registry); i++)
            json_array_append_new(list, agent_json(registry_at(registry, i)));
        return cli_print_json(cli, list, err);
    }
    struct table table;
    table_init(&table, cli, headings, 4);
    for (size_t i = 0; i < registry_count(registry); i++)
        agent_row(&table, registry_at(registry, i));
    status = table_finish(&table, err);
    table_fini(&table);
    return status;
}

static enum status take_name(char *to, size_t size, const char *from, const char *what,
                             struct errinfo *err)
{
    if (strlen(from) >= size)
        return errinfo_set(err, STATUS_LIMIT, "%s is longer than %zu bytes", what, size - 1);
    memcpy(to, from, strlen(from) + 1);
    return STATUS_OK;
}

static enum status read_agent(const struct cli *cli, struct agent *agent, struct errinfo *err)
{
    const char *role = cli_option(cli, "role");
    const char *stream = cli_option(cli, "stream");
    *agent = (struct agent){.type_count = 0};
    enum status status = take_name(agent->name, sizeof agent->name, cli->arguments[0],
                                   "the agent's name", err);
    if (status == STATUS_OK && role != NULL)
        status = take_name(agent->role, sizeof agent->role, role, "--role", err);
    if (status == STATUS_OK && stream != NULL)
        status = take_name(agent->stream, sizeof agent->stream, stream, "--stream", err);
    size_t at = 0;
    for (const char *type; status == STATUS_OK && (type = cli_option_next(cli, "type", &at));) {
        if (agent->type_count == REGISTRY_TYPES_MAX)
            return errinfo_set(err, STATUS_LIMIT, "an agent has at most %d task types",
                               REGISTRY_TYPES_MAX);
        status = take_name(agent->types[agent->type_count++], REGISTRY_NAME_SIZE, type, "--type",
                           err);
    }
    return status;
}

static enum status run_add(struct cli *cli, struct errinfo *err)
{
    struct agent agent;
    struct hub *hub;
    struct bus *bus;
    bool changed = false;
    enum status status = read_agent(cli, &agent, err);
    if (status == STATUS_OK)
        status = cli_hub(cli, &hub, err);
    if (status == STATUS_OK)
        status = hub_bus(hub, HUB_CREATE, &bus, err);
    if (status == STATUS_OK)
        status = registry_add(bus, &agent, &changed, err);
    if (status != STATUS_OK)
        return status;
    hub_forget_registry(hub);
    const struct registry *registry;
    const struct agent *added;
    status = hub_registry(hub, HUB_READ, &registry, err);
    if (status == STATUS_OK)
        status = registry_find(registry, bytes_of_string(agent.name), &added, err);
    if (status != STATUS_OK)
        return status;
    if (cli->json)
        return cli_print_json(cli, agent_json(added), err);
    fprintf(cli->out, "agent %s %s: publishes to %s\n", added->name,
            changed ? "registered" : "was registered already", added->stream);
    return STATUS_OK;
}

static enum status run_rm(struct cli *cli, struct errinfo *err)
{
    struct hub *hub;
    struct bus *bus;
    enum status status = cli_hub(cli, &hub, err);
    if (status == STATUS_OK)
        status = hub_bus(hub, HUB_READ, &bus, err);
    if (status == STATUS_OK)
        status = registry_remove(bus, cli_argument(cli, 0), err);
    if (status != STATUS_OK)
        return status;
    if (cli->json)
        return cli_print_json(cli, json_pack("{s:s}", "removed", cli->arguments[0]), err);
    fprintf(cli->out, "agent %s removed; its stream and reports stay\n", cli->arguments[0]);
    return STATUS_OK;
}

static const struct command agent_ls = {
    .name = "ls",
    .arguments = "",
    .summary = "List the registered agents",
    .examples = "  $ agog agent ls",
    .run = run_ls,
};

static const struct option_spec add_options[] = {
    {.name = "type", .value = "TYPE", .help = "a task type it publishes", .many = true},
    {.name = "role", .value = "TEXT", .help = "what the agent is for, one line"},
    {.name = "stream", .value = "NAME", .help = "its stream (default: agog_features_<agent>)"},
};

static const struct command agent_add = {
    .name = "add",
    .arguments = "AGENT",
    .summary = "Register an agent with its stream, or give one more task types",
    .examples = "  $ agog agent add berry --type devops --role DevOps\n"
                "  $ agog agent add cynthia --type market-study",
    .options = add_options,
    .option_count = sizeof add_options / sizeof add_options[0],
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run_add,
};

static const struct command agent_rm = {
    .name = "rm",
    .arguments = "AGENT",
    .summary = "Forget an agent; its stream and reports stay",
    .examples = "  $ agog agent rm berry",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run_rm,
};

static const struct command *const subcommands[] = {&agent_ls, &agent_add, &agent_rm};

const struct command cmd_agent = {
    .name = "agent",
    .arguments = "",
    .summary = "List, register and forget agents",
    .description = "The registry says who may publish which task types, and into which stream. Six "
                   "agents\nare built in: cynthia, sylvia, roy, jen, billy and priya.",
    .examples = "  $ agog agent ls\n  $ agog agent add berry --type devops",
    .subcommands = subcommands,
    .subcommand_count = sizeof subcommands / sizeof subcommands[0],
};
