// SPDX-License-Identifier: Apache-2.0
#include "base/limits.h"
#include "cli/answer.h"
#include "cli/commands.h"
#include "deliver/wait.h"

struct show {
    struct cli *cli;
    struct errinfo *err;
};

static enum status show_there(void *context, size_t index, const struct report *report)
{
    const struct show *show = context;
    (void)index;
    return answer_notice(show->cli, report, show->err);
}

static enum status read_request(const struct cli *cli, struct wait_request *request,
                                struct errinfo *err)
{
    int64_t timeout_ns = -1;
    uint64_t quorum = request->count;
    const char *status_word = cli_option(cli, "status");
    enum status status = cli_option_duration(cli, "timeout", &timeout_ns, err);
    if (status == STATUS_OK)
        status = cli_option_u64(cli, "quorum", &quorum, err);
    if (status == STATUS_OK)
        status = cli_option_u64(cli, "after", &request->after_rev, err);
    request->any_status = status_word == NULL;
    if (status == STATUS_OK && status_word != NULL)
        status = notice_status_parse(bytes_of_string(status_word), &request->status, err);
    if (status != STATUS_OK)
        return status;
    if (cli_switch(cli, "any"))
        quorum = 1;
    if (quorum == 0 || quorum > request->count)
        return errinfo_set(err, STATUS_USAGE, "--quorum is 1 to %zu, as many refs as were given",
                           request->count);
    request->quorum = (size_t)quorum;
    request->timeout_ms = timeout_ns < 0 ? -1 : timeout_ns / 1000000;
    return STATUS_OK;
}

static enum status run(struct cli *cli, struct errinfo *err)
{
    static struct ref refs[WAIT_REFS_MAX];
    struct wait_request request = {.refs = refs, .count = cli->argument_count};
    struct read_source source;
    struct show show = {cli, err};
    enum status status = STATUS_OK;
    if (cli->argument_count > WAIT_REFS_MAX)
        return errinfo_set(err, STATUS_LIMIT, "at most %d refs at once", WAIT_REFS_MAX);
    for (size_t i = 0; status == STATUS_OK && i < cli->argument_count; i++)
        status = ref_parse(cli_argument(cli, i), &refs[i], err);
    if (status == STATUS_OK)
        status = read_request(cli, &request, err);
    if (status == STATUS_OK)
        status = answer_source_open_for(cli, HUB_CREATE, &source, err);
    if (status != STATUS_OK)
        return status;
    return wait_for(&source, &request, show_there, &show, err);
}

static const struct option_spec options[] = {
    {.name = "any", .help = "one of them is enough"},
    {.name = "quorum", .value = "K", .help = "K of them are enough"},
    {.name = "after", .value = "REV", .help = "only revisions above REV"},
    {.name = "status", .value = "WORD", .help = "only complete, failed or blocked ones"},
    {.name = "timeout", .value = "TIME", .help = "give up after 90s, 10m, ... with exit code 11"},
};

const struct command cmd_wait = {
    .name = "wait",
    .arguments = "REF...",
    .summary = "Wait until deliverables are there and print their notices",
    .description =
        "What is there already counts at once; what another process publishes meanwhile is\n"
        "never missed. Nothing is polled, and writers are not kept waiting.",
    .examples = "  $ agog wait cynthia/research/customer-search --timeout 45m\n"
                "  $ agog wait roy/backend/f jen/frontend/f --any\n"
                "  $ agog wait sylvia/critique/f --after 2 --status complete",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .arguments_min = 1,
    .arguments_max = -1,
    .run = run,
};
