// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "base/limits.h"
#include "cli/answer.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "deliver/describe.h"
#include "deliver/name.h"

struct walk {
    struct cli *cli;
    struct table table;
    json_t *list;
    int64_t now_ns;
};

static enum status show(void *context, const struct report *report)
{
    struct walk *walk = context;
    if (walk->cli->json) {
        json_array_append_new(walk->list, describe_report(report));
        return STATUS_OK;
    }
    char ref[REF_TEXT_SIZE];
    char age[24];
    char left[24] = "-";
    ref_format(&report->ref, REF_FORM_TEXT, ref);
    if (report->expires_ns != 0)
        table_age(walk->now_ns, report->expires_ns, left);
    table_cell(&walk->table, bytes_of_string(ref));
    table_cell_format(&walk->table, "%llu", (unsigned long long)report->tokens);
    table_cell(&walk->table, bytes_of_string(table_age(report->time_ns, walk->now_ns, age)));
    table_cell(&walk->table, bytes_of_string(left));
    table_cell(&walk->table, bytes_of_string(notice_status_name(report->status)));
    table_cell(&walk->table, report->title);
    return STATUS_OK;
}

static const char *const headings[] = {"REF", "TOKENS", "AGE", "EXPIRES IN", "STATUS", "TITLE"};

static void walk_init(struct walk *walk, struct cli *cli)
{
    walk->cli = cli;
    walk->list = json_array();
    walk->now_ns = clock_realtime_ns();
    table_init(&walk->table, cli, headings, sizeof headings / sizeof headings[0]);
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

// "agent", "agent/type" or nothing, as the first parts of a ref; --feature names the third.
static enum status read_filter_of(const struct cli *cli, const struct registry *registry,
                                  struct read_filter *filter, struct errinfo *err)
{
    const struct agent *agent;
    struct bytes rest = {NULL, 0};
    struct bytes argument = cli_argument(cli, 0);
    *filter = (struct read_filter){.feature = bytes_of_string(cli_option(cli, "feature"))};
    if (argument.size == 0)
        return STATUS_OK;
    filter->agent = bytes_cut(argument, '/', &rest);
    filter->type = bytes_cut(rest, '/', &rest);
    enum status status = registry_find(registry, filter->agent, &agent, err);
    if (status == STATUS_OK && filter->type.size > 0)
        status = registry_check_type(agent, filter->type, err);
    if (status == STATUS_OK && rest.size > 0)
        return errinfo_set(err, STATUS_USAGE,
                           "agog ls takes AGENT or AGENT/TYPE; agog history shows one deliverable");
    return status;
}

static enum status run_ls(struct cli *cli, struct errinfo *err)
{
    struct walk walk;
    struct read_source source;
    struct read_filter filter;
    enum status status = answer_source_open(cli, &source, err);
    if (status == STATUS_OK)
        status = read_filter_of(cli, source.registry, &filter, err);
    if (status != STATUS_OK)
        return status;
    walk_init(&walk, cli);
    status = read_list(&source, &filter, show, &walk, err);
    return walk_finish(&walk, status, err);
}

static enum status run_history(struct cli *cli, struct errinfo *err)
{
    struct ref ref;
    struct walk walk;
    struct read_source source;
    enum status status = ref_parse(cli_argument(cli, 0), &ref, err);
    if (status == STATUS_OK && ref.kind != REF_DELIVERABLE)
        return errinfo_set(err, STATUS_USAGE,
                           "agog history takes agent/type/feature, not a message id");
    if (status == STATUS_OK)
        status = answer_source_open(cli, &source, err);
    if (status != STATUS_OK)
        return status;
    walk_init(&walk, cli);
    status = read_history(&source, &ref, show, &walk, err);
    return walk_finish(&walk, status, err);
}

static const struct option_spec options[] = {
    {.name = "feature", .value = "NAME", .help = "only this feature, whoever worked on it"},
};

const struct command cmd_ls = {
    .name = "ls",
    .arguments = "[AGENT[/TYPE]]",
    .summary = "List the latest revision of every deliverable",
    .description = "Each line is ref, tokens, age, time to expiry, status and title; with tabs in "
                   "between when\nstdout is no terminal.",
    .examples = "  $ agog ls\n  $ agog ls cynthia/research\n  $ agog ls --feature customer-search",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .arguments_max = 1,
    .run = run_ls,
};

const struct command cmd_history = {
    .name = "history",
    .arguments = "REF",
    .summary = "List the kept revisions of one deliverable",
    .examples = "  $ agog history cynthia/research/customer-search",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run_history,
};
