// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "base/limits.h"
#include "bus/kv.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/table.h"

#include <string.h>

static enum status open_bus(struct cli *cli, enum hub_need need, struct bus **bus,
                            struct errinfo *err)
{
    struct hub *hub;
    enum status status = cli_hub(cli, &hub, err);
    return status != STATUS_OK ? status : hub_bus(hub, need, bus, err);
}

static const char *operation_name(enum kv_operation operation)
{
    return operation == KV_PUT ? "put" : operation == KV_DELETE ? "delete" : "purge";
}

// A value that is not UTF-8 has no JSON string: it is left out and said to be binary.
static json_t *entry_json(const struct kv_entry *entry)
{
    char time[CLOCK_RFC3339_SIZE];
    json_t *value = json_stringn(entry->value.data == NULL ? "" : entry->value.data,
                                 entry->value.size);
    json_t *document = json_pack(
        "{s:s%, s:s%, s:I, s:s, s:s}", "bucket", entry->bucket.data, entry->bucket.size, "key",
        entry->key.data, entry->key.size, "revision", (json_int_t)entry->revision, "time",
        clock_format(entry->time_ns, time), "operation", operation_name(entry->operation));
    if (value != NULL)
        json_object_set_new(document, "value", value);
    else
        json_object_set_new(document, "binary", json_true());
    return document;
}

struct walk {
    struct cli *cli;
    struct table table;
    json_t *list;
    bool values; // show the value's beginning, not only the key
};

static void walk_init(struct walk *walk, struct cli *cli, const char *const *headings,
                      size_t columns, bool values)
{
    walk->cli = cli;
    walk->list = json_array();
    walk->values = values;
    table_init(&walk->table, cli, headings, columns);
}

static enum status walk_finish(struct walk *walk, enum status status, struct errinfo *err)
{
    if (status == STATUS_OK && walk->cli->json)
        status = cli_print_json(walk->cli, json_incref(walk->list), err);
    else if (status == STATUS_OK)
        status = table_finish(&walk->table, err);
    json_decref(walk->list);
    table_fini(&walk->table);
    return status;
}

static enum status show_entry(void *context, const struct kv_entry *entry)
{
    struct walk *walk = context;
    if (walk->cli->json) {
        json_array_append_new(walk->list, entry_json(entry));
        return STATUS_OK;
    }
    char time[CLOCK_RFC3339_SIZE];
    table_cell(&walk->table, entry->key);
    table_cell_format(&walk->table, "%llu", (unsigned long long)entry->revision);
    table_cell(&walk->table, bytes_of_string(clock_format_seconds(entry->time_ns, time)));
    table_cell(&walk->table, bytes_of_string(operation_name(entry->operation)));
    if (walk->values)
        table_cell(&walk->table, entry->value);
    return STATUS_OK;
}

static enum status show_key(void *context, const struct kv_entry *entry)
{
    return entry->operation == KV_PUT ? show_entry(context, entry) : STATUS_OK;
}

static enum status run_get(struct cli *cli, struct errinfo *err)
{
    struct bus *bus;
    struct kv_entry entry;
    uint64_t revision = 0;
    enum status status = cli_option_u64(cli, "revision", &revision, err);
    if (status == STATUS_OK)
        status = open_bus(cli, HUB_READ, &bus, err);
    if (status != STATUS_OK)
        return status;
    struct buf storage;
    buf_init(&storage, LIMIT_MESSAGE_BYTES);
    status = kv_get(bus, &(struct kv_key){cli_argument(cli, 0), cli_argument(cli, 1), revision},
                    &storage, &entry, err);
    if (status == STATUS_OK && cli->json)
        status = cli_print_json(cli, entry_json(&entry), err);
    else if (status == STATUS_OK) {
        status = cli_write(cli, entry.value, err);
        if (status == STATUS_OK && cli_is_terminal(cli) && entry.value.size > 0)
            status = cli_write(cli, BYTES("\n"), err);
    }
    buf_fini(&storage);
    return status;
}

static enum status write_value(struct cli *cli, struct kv_write *write, struct errinfo *err)
{
    struct bus *bus;
    uint64_t revision;
    enum status status = open_bus(cli, HUB_READ, &bus, err);
    if (status == STATUS_OK)
        status = kv_write(bus, write, &revision, err);
    if (status != STATUS_OK)
        return status;
    if (cli->json)
        return cli_print_json(cli, json_pack("{s:I}", "revision", (json_int_t)revision), err);
    fprintf(cli->out, "%llu\n", (unsigned long long)revision);
    return STATUS_OK;
}

// The value is an argument, or standard input when there is none or it is "-".
static enum status put(struct cli *cli, uint64_t expected, struct errinfo *err)
{
    struct kv_write write = {
        .bucket = cli_argument(cli, 0), .key = cli_argument(cli, 1), .expected = expected};
    struct buf text;
    buf_init(&text, 0);
    enum status status = STATUS_OK;
    if (cli->argument_count > 2 && strcmp(cli->arguments[2], "-") != 0)
        write.value = cli_argument(cli, 2);
    else {
        status = cli_read_file(cli, "-", LIMIT_REPORT_BYTES, &text, err);
        write.value = buf_bytes(&text);
    }
    if (status == STATUS_OK)
        status = write_value(cli, &write, err);
    buf_fini(&text);
    return status;
}

static enum status run_put(struct cli *cli, struct errinfo *err)
{
    return put(cli, KV_ANY, err);
}

static enum status run_create(struct cli *cli, struct errinfo *err)
{
    return put(cli, 0, err);
}

static enum status run_update(struct cli *cli, struct errinfo *err)
{
    uint64_t revision = 0;
    enum status status = cli_option_u64(cli, "revision", &revision, err);
    if (status != STATUS_OK)
        return status;
    if (revision == 0)
        return errinfo_set(err, STATUS_USAGE,
                           "an update says which revision it replaces: --revision N (a key that is "
                           "not there yet takes agog kv create)");
    return put(cli, revision, err);
}

static enum status remove_key(struct cli *cli, enum kv_operation operation, struct errinfo *err)
{
    uint64_t expected = KV_ANY;
    enum status status = cli_option_u64(cli, "revision", &expected, err);
    if (status != STATUS_OK)
        return status;
    struct kv_write write = {.bucket = cli_argument(cli, 0),
                             .key = cli_argument(cli, 1),
                             .expected = expected,
                             .operation = operation};
    return write_value(cli, &write, err);
}

static enum status run_del(struct cli *cli, struct errinfo *err)
{
    return remove_key(cli, KV_DELETE, err);
}

static enum status run_purge(struct cli *cli, struct errinfo *err)
{
    return remove_key(cli, KV_PURGE, err);
}

static const char *const entry_headings[] = {"KEY", "REVISION", "TIME", "OPERATION", "VALUE"};

static enum status run_ls(struct cli *cli, struct errinfo *err)
{
    struct bus *bus;
    struct walk walk;
    enum status status = open_bus(cli, HUB_READ, &bus, err);
    if (status != STATUS_OK)
        return status;
    walk_init(&walk, cli, entry_headings, 4, false);
    status = kv_entries(bus, cli_argument(cli, 0), cli_argument(cli, 1), show_key, &walk, err);
    return walk_finish(&walk, status, err);
}

static enum status run_history(struct cli *cli, struct errinfo *err)
{
    struct bus *bus;
    struct walk walk;
    enum status status = open_bus(cli, HUB_READ, &bus, err);
    if (status != STATUS_OK)
        return status;
    walk_init(&walk, cli, entry_headings, 5, true);
    status = kv_history(bus, cli_argument(cli, 0), cli_argument(cli, 1), show_entry, &walk, err);
    return walk_finish(&walk, status, err);
}

static enum status watch_line(struct cli *cli, const struct kv_entry *entry, struct errinfo *err)
{
    if (cli->json) {
        enum status status = cli_print_json(cli, entry_json(entry), err);
        return status != STATUS_OK ? status : cli_flush(cli, err);
    }
    struct walk walk;
    walk_init(&walk, cli, entry_headings, 5, true);
    show_entry(&walk, entry);
    enum status status = walk_finish(&walk, STATUS_OK, err);
    return status != STATUS_OK ? status : cli_flush(cli, err);
}

static enum status run_watch(struct cli *cli, struct errinfo *err)
{
    struct bus *bus;
    struct kv_watch *watch;
    uint64_t count = 0;
    enum status status = cli_option_u64(cli, "count", &count, err);
    if (status == STATUS_OK)
        status = open_bus(cli, HUB_READ, &bus, err);
    if (status == STATUS_OK)
        status = kv_watch_open(bus, cli_argument(cli, 0), cli_argument(cli, 1), true, &watch, err);
    if (status != STATUS_OK)
        return status;
    struct buf storage;
    buf_init(&storage, LIMIT_MESSAGE_BYTES);
    for (uint64_t seen = 0; status == STATUS_OK && (count == 0 || seen < count); seen++) {
        struct kv_entry entry;
        status = kv_watch_next(watch, -1, &storage, &entry, err);
        if (status == STATUS_OK)
            status = watch_line(cli, &entry, err);
    }
    buf_fini(&storage);
    kv_watch_close(watch);
    return status;
}

static enum status run_add(struct cli *cli, struct errinfo *err)
{
    struct bus *bus;
    struct kv_config config = {.bucket = cli_argument(cli, 0),
                               .description = bytes_of_string(cli_option(cli, "description"))};
    uint64_t history = 1;
    bool created;
    enum status status = cli_option_u64(cli, "history", &history, err);
    if (status == STATUS_OK)
        status = cli_option_duration(cli, "ttl", &config.ttl_ns, err);
    if (status == STATUS_OK)
        status = cli_option_size(cli, "max-bytes", &config.max_bytes, err);
    if (status == STATUS_OK)
        status = cli_option_size(cli, "max-value-size", &config.max_value_size, err);
    config.history = history > INT32_MAX ? INT32_MAX : (int)history;
    if (status == STATUS_OK)
        status = open_bus(cli, HUB_CREATE, &bus, err);
    if (status == STATUS_OK)
        status = kv_bucket_create(bus, &config, &created, err);
    if (status != STATUS_OK)
        return status;
    if (cli->json)
        return cli_print_json(
            cli, json_pack("{s:s, s:b}", "bucket", cli->arguments[0], "created", created), err);
    fprintf(cli->out, "bucket %s %s\n", cli->arguments[0],
            created ? "created" : "was there already");
    return STATUS_OK;
}

static enum status run_rm(struct cli *cli, struct errinfo *err)
{
    struct bus *bus;
    enum status status = STATUS_OK;
    if (!cli_switch(cli, "force"))
        return errinfo_set(err, STATUS_USAGE,
                           "this deletes bucket %s with everything in it: say --force",
                           cli->arguments[0]);
    status = open_bus(cli, HUB_READ, &bus, err);
    if (status == STATUS_OK)
        status = kv_bucket_delete(bus, cli_argument(cli, 0), err);
    if (status != STATUS_OK)
        return status;
    if (cli->json)
        return cli_print_json(cli, json_pack("{s:s}", "deleted", cli->arguments[0]), err);
    fprintf(cli->out, "bucket %s deleted\n", cli->arguments[0]);
    return STATUS_OK;
}

static enum status show_bucket(void *context, struct bytes name, uint64_t count)
{
    struct walk *walk = context;
    if (walk->cli->json)
        json_array_append_new(walk->list, json_pack("{s:s%, s:I}", "bucket", name.data, name.size,
                                                    "entries", (json_int_t)count));
    table_cell(&walk->table, name);
    table_cell_format(&walk->table, "%llu", (unsigned long long)count);
    return STATUS_OK;
}

static enum status run_buckets(struct cli *cli, struct errinfo *err)
{
    static const char *const headings[] = {"BUCKET", "ENTRIES"};
    struct bus *bus;
    struct walk walk;
    enum status status = open_bus(cli, HUB_READ, &bus, err);
    if (status != STATUS_OK)
        return status;
    walk_init(&walk, cli, headings, 2, false);
    status = kv_buckets(bus, show_bucket, &walk, err);
    return walk_finish(&walk, status, err);
}

static const struct option_spec get_options[] = {
    {.name = "revision", .value = "N", .help = "that revision instead of the current one"},
};
static const struct option_spec update_options[] = {
    {.name = "revision", .value = "N", .help = "the revision that is replaced"},
};
static const struct option_spec remove_options[] = {
    {.name = "revision", .value = "N", .help = "only when the key is at this revision"},
};
static const struct option_spec watch_options[] = {
    {.name = "count", .value = "N", .help = "end after N entries (default: never)"},
};
static const struct option_spec add_options[] = {
    {.name = "history", .value = "N", .help = "revisions kept of each key, 1 to 64 (default: 1)"},
    {.name = "ttl",
     .value = "TIME",
     .help = "how long a value lives, such as 7d (default: for ever)"},
    {.name = "max-bytes", .value = "SIZE", .help = "size of the whole bucket (default: no limit)"},
    {.name = "max-value-size", .value = "SIZE", .help = "size of one value (default: no limit)"},
    {.name = "description", .value = "TEXT", .help = "what the bucket is for"},
};
static const struct option_spec rm_options[] = {
    {.name = "force", .help = "yes, with everything in it"},
};

#define OPTIONS(table)      .options = table, .option_count = sizeof table / sizeof table[0]
#define ARGUMENTS(min, max) .arguments_min = min, .arguments_max = max

static const struct command kv_get_command = {
    .name = "get",
    .arguments = "BUCKET KEY",
    .summary = "Print a value as it is",
    .examples = "  $ agog kv get settings color\n  $ agog kv get settings color --revision 3",
    OPTIONS(get_options),
    ARGUMENTS(2, 2),
    .run = run_get};
static const struct command kv_put_command = {
    .name = "put",
    .arguments = "BUCKET KEY [VALUE|-]",
    .summary = "Write a value, whatever was there, and print its revision",
    .examples = "  $ agog kv put settings color blue",
    ARGUMENTS(2, 3),
    .run = run_put};
static const struct command kv_create_command = {
    .name = "create",
    .arguments = "BUCKET KEY [VALUE|-]",
    .summary = "Write a value only when the key has none",
    .examples = "  $ agog kv create locks deploy \"$HOSTNAME\" || echo taken",
    ARGUMENTS(2, 3),
    .run = run_create};
static const struct command kv_update_command = {
    .name = "update",
    .arguments = "BUCKET KEY [VALUE|-]",
    .summary = "Write a value only when the key is at --revision",
    .examples = "  $ agog kv update settings color green --revision 3",
    OPTIONS(update_options),
    ARGUMENTS(2, 3),
    .run = run_update};
static const struct command kv_del_command = {.name = "del",
                                              .arguments = "BUCKET KEY",
                                              .summary = "Delete a key; its history stays",
                                              .examples = "  $ agog kv del settings color",
                                              OPTIONS(remove_options),
                                              ARGUMENTS(2, 2),
                                              .run = run_del};
static const struct command kv_purge_command = {.name = "purge",
                                                .arguments = "BUCKET KEY",
                                                .summary = "Delete a key with its history",
                                                .examples = "  $ agog kv purge settings color",
                                                OPTIONS(remove_options),
                                                ARGUMENTS(2, 2),
                                                .run = run_purge};
static const struct command kv_ls_command = {
    .name = "ls",
    .arguments = "BUCKET [FILTER]",
    .summary = "List the keys of a bucket",
    .examples = "  $ agog kv ls settings\n  $ agog kv ls settings 'color.*'",
    ARGUMENTS(1, 2),
    .run = run_ls};
static const struct command kv_history_command = {.name = "history",
                                                  .arguments = "BUCKET KEY",
                                                  .summary = "Show the kept revisions of a key",
                                                  .examples = "  $ agog kv history settings color",
                                                  ARGUMENTS(2, 2),
                                                  .run = run_history};
static const struct command kv_watch_command = {
    .name = "watch",
    .arguments = "BUCKET [FILTER]",
    .summary = "Show the current entries, then each change as it comes",
    .examples = "  $ agog kv watch settings --json",
    OPTIONS(watch_options),
    ARGUMENTS(1, 2),
    .run = run_watch};
static const struct command kv_add_command = {
    .name = "add",
    .arguments = "BUCKET",
    .summary = "Create a bucket",
    .examples = "  $ agog kv add settings --history 5 --ttl 7d",
    OPTIONS(add_options),
    ARGUMENTS(1, 1),
    .run = run_add};
static const struct command kv_rm_command = {.name = "rm",
                                             .arguments = "BUCKET",
                                             .summary = "Delete a bucket with everything in it",
                                             .examples = "  $ agog kv rm settings --force",
                                             OPTIONS(rm_options),
                                             ARGUMENTS(1, 1),
                                             .run = run_rm};
static const struct command kv_buckets_command = {.name = "buckets",
                                                  .arguments = "",
                                                  .summary = "List the buckets",
                                                  .examples = "  $ agog kv buckets",
                                                  .run = run_buckets};

static const struct command *const subcommands[] = {
    &kv_get_command,   &kv_put_command,   &kv_create_command, &kv_update_command,
    &kv_del_command,   &kv_purge_command, &kv_ls_command,     &kv_history_command,
    &kv_watch_command, &kv_add_command,   &kv_rm_command,     &kv_buckets_command,
};

const struct command cmd_kv = {
    .name = "kv",
    .arguments = "",
    .summary = "Small values by key, with revisions",
    .description =
        "Buckets as NATS has them: every write has a revision, and a write can insist on "
        "the\nrevision it replaces, which makes locks and leases.",
    .examples = "  $ agog kv add settings\n  $ agog kv put settings color blue\n"
                "  $ agog kv get settings color",
    .subcommands = subcommands,
    .subcommand_count = sizeof subcommands / sizeof subcommands[0],
};
