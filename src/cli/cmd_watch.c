// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "base/limits.h"
#include "cli/answer.h"
#include "cli/commands.h"
#include "deliver/describe.h"
#include "deliver/wait.h"

static enum status show(struct cli *cli, struct wait_watch *watch, const struct report *report,
                        struct errinfo *err)
{
    if (cli->json) {
        json_t *document = describe_report(report);
        if (document != NULL)
            json_object_set_new(document, "cursor", json_string(wait_watch_cursor(watch)));
        enum status status = cli_print_json(cli, document, err);
        return status != STATUS_OK ? status : cli_flush(cli, err);
    }
    char ref[REF_TEXT_SIZE];
    char time[CLOCK_RFC3339_SIZE];
    ref_format(&report->ref, REF_FORM_TEXT, ref);
    fprintf(cli->out, "%s\t%s\t%s\t%llu\t%.*s\n", clock_format_seconds(report->time_ns, time), ref,
            notice_status_name(report->status), (unsigned long long)report->tokens,
            BYTES_ARG(report->title));
    return cli_flush(cli, err);
}

static enum status follow(struct cli *cli, struct wait_watch *watch, uint64_t count,
                          int64_t timeout_ms, struct errinfo *err)
{
    struct buf storage;
    enum status status = STATUS_OK;
    buf_init(&storage, LIMIT_MESSAGE_BYTES);
    for (uint64_t seen = 0; status == STATUS_OK && (count == 0 || seen < count); seen++) {
        struct report report;
        status = wait_watch_next(watch, timeout_ms, &storage, &report, err);
        if (status == STATUS_OK)
            status = show(cli, watch, &report, err);
    }
    buf_fini(&storage);
    return status;
}

static enum status run(struct cli *cli, struct errinfo *err)
{
    struct read_source source;
    struct wait_watch *watch;
    uint64_t count = 0;
    int64_t timeout_ns = -1;
    struct bytes rest = {NULL, 0};
    struct bytes argument = cli_argument(cli, 0);
    struct read_filter filter = {.feature = bytes_of_string(cli_option(cli, "feature"))};
    filter.agent = bytes_cut(argument, '/', &rest);
    filter.type = rest;
    const struct agent *agent;
    enum status status = cli_option_u64(cli, "count", &count, err);
    if (status == STATUS_OK)
        status = cli_option_duration(cli, "timeout", &timeout_ns, err);
    if (status == STATUS_OK)
        status = answer_source_open_for(cli, HUB_CREATE, &source, err);
    if (status == STATUS_OK && filter.agent.size > 0)
        status = registry_find(source.registry, filter.agent, &agent, err);
    if (status == STATUS_OK && filter.type.size > 0)
        status = registry_check_type(agent, filter.type, err);
    if (status == STATUS_OK)
        status = wait_watch_open(&source, &filter, bytes_of_string(cli_option(cli, "after")),
                                 &watch, err);
    if (status != STATUS_OK)
        return status;
    status = follow(cli, watch, count, timeout_ns < 0 ? -1 : timeout_ns / 1000000, err);
    if (!cli->json)
        fprintf(cli->err, "agog: go on with --after %s\n", wait_watch_cursor(watch));
    wait_watch_close(watch);
    return status;
}

static const struct option_spec options[] = {
    {.name = "feature", .value = "NAME", .help = "only this feature"},
    {.name = "after", .value = "CURSOR", .help = "go on where an earlier watch ended"},
    {.name = "count", .value = "N", .help = "end after N events (default: never)"},
    {.name = "timeout",
     .value = "TIME",
     .help = "end with exit code 11 when nothing came for so long"},
};

const struct command cmd_watch = {
    .name = "watch",
    .arguments = "[AGENT[/TYPE]]",
    .summary = "Show each deliverable as it is published",
    .description =
        "A line an event: time, ref, status, tokens, title, with tabs in between; or a JSON\n"
        "object with the cursor from which a later watch goes on.",
    .examples = "  $ agog watch\n  $ agog watch cynthia/research --json\n"
                "  $ agog watch --feature customer-search --count 1",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .arguments_max = 1,
    .run = run,
};
