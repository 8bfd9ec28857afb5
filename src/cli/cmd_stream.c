// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/table.h"

#include <string.h>

static enum status open_bus(struct cli *cli, struct bus **bus, struct errinfo *err)
{
    struct hub *hub;
    enum status status = cli_hub(cli, &hub, err);
    return status != STATUS_OK ? status : hub_bus(hub, HUB_READ, bus, err);
}

static json_t *info_json(const struct stream_info *info)
{
    struct buf text;
    json_t *document = NULL;
    buf_init(&text, 1 << 20);
    if (stream_info_to_json(info, NULL, &text) == STATUS_OK)
        document = json_loadb(text.data, text.size, 0, NULL);
    buf_fini(&text);
    return document;
}

static const char *limit_text(int64_t limit, bool bytes, char out[24])
{
    if (limit < 0)
        return "no limit";
    if (bytes)
        return table_size((uint64_t)limit, out);
    snprintf(out, 24, "%lld", (long long)limit);
    return out;
}

static const char *duration_text(int64_t ns, char out[24])
{
    int64_t seconds = ns / 1000000000;
    if (ns == 0)
        return "no limit";
    if (seconds % 86400 == 0)
        snprintf(out, 24, "%lldd", (long long)(seconds / 86400));
    else if (seconds % 3600 == 0)
        snprintf(out, 24, "%lldh", (long long)(seconds / 3600));
    else if (seconds % 60 == 0)
        snprintf(out, 24, "%lldm", (long long)(seconds / 60));
    else
        snprintf(out, 24, "%.3fs", (double)ns / 1e9);
    return out;
}

static void print_info(struct cli *cli, const struct stream_info *info)
{
    const struct stream_config *config = &info->config;
    const struct stream_state *state = &info->state;
    char a[24], b[24], c[24];
    char first[CLOCK_RFC3339_SIZE] = "-", last[CLOCK_RFC3339_SIZE] = "-";
    if (state->first_time_ns != 0)
        clock_format_seconds(state->first_time_ns, first);
    if (state->last_time_ns != 0)
        clock_format_seconds(state->last_time_ns, last);
    fprintf(cli->out, "stream       %s%s\n", config->name, config->sealed ? " (sealed)" : "");
    for (size_t i = 0; i < config->subject_count; i++)
        fprintf(cli->out, "subject      %s\n", config->subjects[i]);
    fprintf(cli->out, "messages     %llu (limit %s) on %llu subjects, %llu deleted in between\n",
            (unsigned long long)state->messages, limit_text(config->max_msgs, false, a),
            (unsigned long long)state->num_subjects, (unsigned long long)state->num_deleted);
    fprintf(cli->out, "bytes        %s (limit %s)\n", table_size(state->bytes, a),
            limit_text(config->max_bytes, true, b));
    fprintf(cli->out, "sequences    %llu to %llu\n", (unsigned long long)state->first_seq,
            (unsigned long long)state->last_seq);
    fprintf(cli->out, "times        %s to %s\n", first, last);
    fprintf(cli->out, "limits       age %s, message %s, per subject %s, duplicates %s\n",
            duration_text(config->max_age_ns, a), limit_text(config->max_msg_size, true, b),
            limit_text(config->max_msgs_per_subject, false, c),
            duration_text(config->duplicate_window_ns, first));
    fprintf(cli->out, "when full    %s\n",
            config->discard == STREAM_DISCARD_OLD ? "the oldest goes" : "new ones are refused");
}

static enum status run_info(struct cli *cli, struct errinfo *err)
{
    struct bus *bus;
    struct stream_info info;
    enum status status = open_bus(cli, &bus, err);
    if (status == STATUS_OK)
        status = bus->operations->stream_info(bus, cli->arguments[0], &info, err);
    if (status != STATUS_OK)
        return status;
    if (cli->json)
        status = cli_print_json(cli, info_json(&info), err);
    else
        print_info(cli, &info);
    stream_config_fini(&info.config);
    return status;
}

struct walk {
    struct cli *cli;
    struct bus *bus;
    struct errinfo *err;
    struct table table;
    json_t *list;
};

static enum status show_stream(void *context, struct bytes name, uint64_t count)
{
    struct walk *walk = context;
    struct stream_info info;
    char stream[BUS_STREAM_NAME_SIZE];
    char size[24];
    (void)count;
    snprintf(stream, sizeof stream, "%.*s", BYTES_ARG(name));
    enum status status = walk->bus->operations->stream_info(walk->bus, stream, &info, walk->err);
    if (status != STATUS_OK)
        return status;
    if (walk->cli->json)
        json_array_append_new(walk->list, info_json(&info));
    table_cell(&walk->table, name);
    table_cell_format(&walk->table, "%llu", (unsigned long long)info.state.messages);
    table_cell(&walk->table, bytes_of_string(table_size(info.state.bytes, size)));
    table_cell_format(&walk->table, "%llu", (unsigned long long)info.state.first_seq);
    table_cell_format(&walk->table, "%llu", (unsigned long long)info.state.last_seq);
    stream_config_fini(&info.config);
    return STATUS_OK;
}

static enum status run_ls(struct cli *cli, struct errinfo *err)
{
    static const char *const headings[] = {"STREAM", "MESSAGES", "BYTES", "FIRST", "LAST"};
    struct walk walk = {.cli = cli, .err = err};
    enum status status = open_bus(cli, &walk.bus, err);
    if (status != STATUS_OK)
        return status;
    walk.list = json_array();
    table_init(&walk.table, cli, headings, 5);
    status = walk.bus->operations->stream_names(walk.bus, show_stream, &walk, err);
    if (status == STATUS_OK && cli->json)
        status = cli_print_json(cli, json_incref(walk.list), err);
    else if (status == STATUS_OK)
        status = table_finish(&walk.table, err);
    json_decref(walk.list);
    table_fini(&walk.table);
    return status;
}

// Applies --set in the form of the flags below; what was not given stays.
static enum status apply_options(const struct cli *cli, struct stream_config *config,
                                 struct errinfo *err)
{
    uint64_t max_msgs = UINT64_MAX, per_subject = UINT64_MAX;
    const char *discard = cli_option(cli, "discard");
    const char *description = cli_option(cli, "description");
    enum status status = cli_option_u64(cli, "max-msgs", &max_msgs, err);
    if (status == STATUS_OK)
        status = cli_option_u64(cli, "max-msgs-per-subject", &per_subject, err);
    if (status == STATUS_OK)
        status = cli_option_size(cli, "max-bytes", &config->max_bytes, err);
    if (status == STATUS_OK)
        status = cli_option_size(cli, "max-msg-size", &config->max_msg_size, err);
    if (status == STATUS_OK)
        status = cli_option_duration(cli, "max-age", &config->max_age_ns, err);
    if (status == STATUS_OK)
        status = cli_option_duration(cli, "dupe-window", &config->duplicate_window_ns, err);
    if (status != STATUS_OK)
        return status;
    if (max_msgs != UINT64_MAX)
        config->max_msgs = max_msgs == 0 ? -1 : (int64_t)(max_msgs & INT64_MAX);
    if (per_subject != UINT64_MAX)
        config->max_msgs_per_subject = per_subject == 0 ? -1 : (int64_t)(per_subject & INT64_MAX);
    if (config->max_bytes == 0)
        config->max_bytes = -1;
    if (config->max_msg_size == 0)
        config->max_msg_size = -1;
    if (discard != NULL && strcmp(discard, "old") != 0 && strcmp(discard, "new") != 0)
        return errinfo_set(err, STATUS_USAGE, "--discard is old or new");
    if (discard != NULL)
        config->discard = strcmp(discard, "old") == 0 ? STREAM_DISCARD_OLD : STREAM_DISCARD_NEW;
    if (description != NULL)
        status = stream_config_set_string(&config->description, bytes_of_string(description));
    config->sealed = config->sealed || cli_switch(cli, "seal");
    return status;
}

static enum status run_update(struct cli *cli, struct errinfo *err)
{
    struct bus *bus;
    struct stream_info info;
    enum status status = open_bus(cli, &bus, err);
    if (status == STATUS_OK)
        status = bus->operations->stream_info(bus, cli->arguments[0], &info, err);
    if (status != STATUS_OK)
        return status;
    status = apply_options(cli, &info.config, err);
    if (status == STATUS_OK)
        status = bus->operations->stream_update(bus, &info.config, err);
    stream_config_fini(&info.config);
    if (status != STATUS_OK)
        return status;
    return run_info(cli, err);
}

static enum status run_purge(struct cli *cli, struct errinfo *err)
{
    struct bus *bus;
    struct bus_purge purge = {.filter = bytes_of_string(cli_option(cli, "subject"))};
    uint64_t purged;
    enum status status = cli_option_u64(cli, "seq", &purge.up_to_seq, err);
    if (status == STATUS_OK)
        status = cli_option_u64(cli, "keep", &purge.keep, err);
    if (status != STATUS_OK)
        return status;
    if (!cli_switch(cli, "force"))
        return errinfo_set(err, STATUS_USAGE, "this removes messages from %s for good: say --force",
                           cli->arguments[0]);
    status = open_bus(cli, &bus, err);
    if (status == STATUS_OK)
        status = bus->operations->stream_purge(bus, cli->arguments[0], &purge, &purged, err);
    if (status != STATUS_OK)
        return status;
    if (cli->json)
        return cli_print_json(cli, json_pack("{s:I}", "purged", (json_int_t)purged), err);
    fprintf(cli->out, "%llu messages purged from %s\n", (unsigned long long)purged,
            cli->arguments[0]);
    return STATUS_OK;
}

static enum status run_rm(struct cli *cli, struct errinfo *err)
{
    struct bus *bus;
    uint64_t seq = 0;
    bool erase = cli_switch(cli, "erase");
    enum status status = cli_option_u64(cli, "seq", &seq, err);
    if (status != STATUS_OK)
        return status;
    if (!cli_switch(cli, "force"))
        return errinfo_set(err, STATUS_USAGE, "this deletes %s of %s for good: say --force",
                           seq == 0 ? "all" : "one message", cli->arguments[0]);
    status = open_bus(cli, &bus, err);
    if (status == STATUS_OK && seq != 0)
        status = bus->operations->message_delete(bus, cli->arguments[0], seq, erase, err);
    else if (status == STATUS_OK)
        status = bus->operations->stream_delete(bus, cli->arguments[0], err);
    if (status != STATUS_OK)
        return status;
    if (cli->json)
        return cli_print_json(
            cli, json_pack("{s:s, s:I}", "deleted", cli->arguments[0], "seq", (json_int_t)seq),
            err);
    if (seq != 0)
        fprintf(cli->out, "message %llu of %s %s\n", (unsigned long long)seq, cli->arguments[0],
                erase ? "deleted and overwritten" : "deleted");
    else
        fprintf(cli->out, "stream %s deleted\n", cli->arguments[0]);
    return STATUS_OK;
}

static const struct option_spec update_options[] = {
    {.name = "max-msgs", .value = "N", .help = "messages kept, 0 for no limit"},
    {.name = "max-bytes", .value = "SIZE", .help = "bytes kept, 0 for no limit"},
    {.name = "max-age", .value = "TIME", .help = "age after which a message goes, 0 for none"},
    {.name = "max-msg-size", .value = "SIZE", .help = "size of one message, 0 for no limit"},
    {.name = "max-msgs-per-subject", .value = "N", .help = "kept of each subject, 0 for no limit"},
    {.name = "dupe-window", .value = "TIME", .help = "how long message ids are remembered"},
    {.name = "discard", .value = "old|new", .help = "what goes when the stream is full"},
    {.name = "description", .value = "TEXT", .help = "what the stream is for"},
    {.name = "seal", .help = "take nothing more, for ever"},
};
static const struct option_spec purge_options[] = {
    {.name = "subject", .value = "FILTER", .help = "only subjects that match"},
    {.name = "seq", .value = "N", .help = "only below this sequence"},
    {.name = "keep", .value = "N", .help = "all but the newest N"},
    {.name = "force", .help = "yes, for good"},
};
static const struct option_spec rm_options[] = {
    {.name = "seq", .value = "N", .help = "one message instead of the whole stream"},
    {.name = "erase", .help = "overwrite its bytes on disk, with --seq"},
    {.name = "force", .help = "yes, for good"},
};

static const struct command stream_ls = {.name = "ls",
                                         .arguments = "",
                                         .summary = "List all streams",
                                         .examples = "  $ agog stream ls",
                                         .run = run_ls};
static const struct command stream_info_command = {
    .name = "info",
    .arguments = "STREAM",
    .summary = "Show a stream's limits and state",
    .examples = "  $ agog stream info agog_features_research",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run_info};
static const struct command stream_update_command = {
    .name = "update",
    .arguments = "STREAM",
    .summary = "Change a stream's limits",
    .examples = "  $ agog stream update agog_features_research --max-age 30d",
    .options = update_options,
    .option_count = sizeof update_options / sizeof update_options[0],
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run_update};
static const struct command stream_purge_command = {
    .name = "purge",
    .arguments = "STREAM",
    .summary = "Remove messages of a stream",
    .examples = "  $ agog stream purge agog_features_qa --keep 100 --force",
    .options = purge_options,
    .option_count = sizeof purge_options / sizeof purge_options[0],
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run_purge};
static const struct command stream_rm_command = {
    .name = "rm",
    .arguments = "STREAM",
    .summary = "Delete a stream, or one message of it",
    .examples = "  $ agog stream rm agog_features_qa --seq 17 --erase --force",
    .options = rm_options,
    .option_count = sizeof rm_options / sizeof rm_options[0],
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run_rm};

static const struct command *const subcommands[] = {&stream_ls, &stream_info_command,
                                                    &stream_update_command, &stream_purge_command,
                                                    &stream_rm_command};

const struct command cmd_stream = {
    .name = "stream",
    .arguments = "",
    .summary = "The streams under it all: list, inspect, change, purge, delete",
    .examples = "  $ agog stream ls\n  $ agog stream info agog_features_research",
    .subcommands = subcommands,
    .subcommand_count = sizeof subcommands / sizeof subcommands[0],
};
