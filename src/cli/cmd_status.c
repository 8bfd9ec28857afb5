// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "cli/answer.h"
#include "cli/commands.h"
#include "cli/table.h"

struct walk {
    struct cli *cli;
    struct read_source source;
    struct errinfo *err;
    struct table table;
    json_t *list;
    int64_t now_ns;
    uint64_t messages;
    uint64_t bytes;
};

static void add_json(struct walk *walk, const char *stream, const char *agent,
                     const struct stream_info *info)
{
    char last[CLOCK_RFC3339_SIZE];
    const struct stream_state *state = &info->state;
    json_t *row = json_pack(
        "{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "name", stream, "agent", agent, "messages",
        (json_int_t)state->messages, "bytes", (json_int_t)state->bytes, "first_seq",
        (json_int_t)state->first_seq, "last_seq", (json_int_t)state->last_seq, "deliverables",
        (json_int_t)state->num_subjects, "consumer_count", (json_int_t)state->consumers,
        "max_bytes", (json_int_t)info->config.max_bytes);
    if (state->last_time_ns != 0)
        json_object_set_new(row, "last", json_string(clock_format(state->last_time_ns, last)));
    json_array_append_new(walk->list, row);
}

static void add_row(struct walk *walk, const char *stream, const char *agent,
                    const struct stream_info *info)
{
    char size[24], age[24] = "-";
    const struct stream_state *state = &info->state;
    double full = info->config.max_bytes > 0
                      ? 100.0 * (double)state->bytes / (double)info->config.max_bytes
                      : 0.0;
    if (state->last_time_ns != 0)
        table_age(state->last_time_ns, walk->now_ns, age);
    table_cell(&walk->table, bytes_of_string(stream));
    table_cell(&walk->table, bytes_of_string(agent));
    table_cell_format(&walk->table, "%llu", (unsigned long long)state->messages);
    table_cell_format(&walk->table, "%llu", (unsigned long long)state->num_subjects);
    table_cell(&walk->table, bytes_of_string(table_size(state->bytes, size)));
    table_cell_format(&walk->table, "%.1f%%", full);
    table_cell(&walk->table, bytes_of_string(age));
}

static enum status show(void *context, struct bytes name, uint64_t count)
{
    struct walk *walk = context;
    struct stream_info info;
    char stream[BUS_STREAM_NAME_SIZE];
    (void)count;
    snprintf(stream, sizeof stream, "%.*s", BYTES_ARG(name));
    enum status status = walk->source.bus->operations->stream_info(walk->source.bus, stream, &info,
                                                                   walk->err);
    if (status != STATUS_OK)
        return status;
    const struct agent *agent = registry_of_stream(walk->source.registry, name);
    if (walk->cli->json)
        add_json(walk, stream, agent == NULL ? "" : agent->name, &info);
    else
        add_row(walk, stream, agent == NULL ? "-" : agent->name, &info);
    walk->messages += info.state.messages;
    walk->bytes += info.state.bytes;
    stream_config_fini(&info.config);
    return STATUS_OK;
}

static enum status finish(struct walk *walk, struct errinfo *err)
{
    struct bus *bus = walk->source.bus;
    struct bus_facts facts;
    char size[24];
    enum status status = bus->operations->facts(bus, &facts, err);
    if (status != STATUS_OK)
        return status;
    if (walk->cli->json)
        return cli_print_json(walk->cli,
                              json_pack("{s:s, s:s, s:O}", "engine", facts.kind, "location",
                                        facts.location, "streams", walk->list),
                              err);
    fprintf(walk->cli->out, "%s %s: %llu messages, %s\n", facts.kind, facts.location,
            (unsigned long long)walk->messages, table_size(walk->bytes, size));
    return table_finish(&walk->table, err);
}

static enum status run(struct cli *cli, struct errinfo *err)
{
    static const char *const headings[] = {"STREAM", "AGENT", "MESSAGES", "SUBJECTS",
                                           "BYTES",  "FULL",  "LAST"};
    struct walk walk = {.cli = cli, .err = err, .now_ns = clock_realtime_ns()};
    enum status status = answer_source_open(cli, &walk.source, err);
    if (status != STATUS_OK)
        return status;
    walk.list = json_array();
    table_init(&walk.table, cli, headings, sizeof headings / sizeof headings[0]);
    status = walk.source.bus->operations->stream_names(walk.source.bus, show, &walk, err);
    if (status == STATUS_OK)
        status = finish(&walk, err);
    json_decref(walk.list);
    table_fini(&walk.table);
    return status;
}

const struct command cmd_status = {
    .name = "status",
    .arguments = "",
    .summary = "Show every stream: messages, size, how full, how fresh",
    .examples = "  $ agog status\n  $ agog status --json",
    .run = run,
};
