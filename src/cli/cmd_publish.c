// SPDX-License-Identifier: Apache-2.0
#include "base/limits.h"
#include "cli/answer.h"
#include "cli/commands.h"
#include "deliver/publish.h"

#include <stdlib.h>
#include <string.h>

// The request with the memory that it borrows.
struct job {
    struct publish_request request;
    struct buf body;
    struct bytes inputs[LIMIT_INPUTS];
    char *meta;
};

static void job_fini(struct job *job)
{
    buf_fini(&job->body);
    free(job->meta);
}

static enum status set_number(const struct cli *cli, json_t *meta, const char *option,
                              const char *key, struct errinfo *err)
{
    uint64_t number = UINT64_MAX;
    enum status status = cli_option_u64(cli, option, &number, err);
    if (status == STATUS_OK && number != UINT64_MAX)
        json_object_set_new(meta, key, json_integer((json_int_t)(number & INT64_MAX)));
    return status;
}

static enum status set_pairs(const struct cli *cli, json_t *meta, struct errinfo *err)
{
    size_t at = 0;
    for (const char *pair; (pair = cli_option_next(cli, "meta", &at)) != NULL;) {
        struct bytes value;
        char quoted[ERRINFO_QUOTED_MAX];
        struct bytes key = bytes_cut(bytes_of_string(pair), '=', &value);
        json_t *text = value.data == NULL ? NULL : json_stringn(value.data, value.size);
        if (text == NULL || key.size == 0)
            return errinfo_set(err, STATUS_USAGE, "--meta takes KEY=VALUE in UTF-8, not %s",
                               errinfo_quote(bytes_of_string(pair), quoted));
        json_object_setn_new(meta, key.data, key.size, text);
    }
    return STATUS_OK;
}

static enum status read_meta(const struct cli *cli, struct job *job, struct errinfo *err)
{
    const char *complexity = cli_option(cli, "complexity");
    const char *blockers = cli_option(cli, "blockers");
    json_t *meta = json_object();
    if (complexity != NULL)
        json_object_set_new(meta, "complexity", json_string(complexity));
    if (blockers != NULL)
        json_object_set_new(meta, "blockers", json_string(blockers));
    if (cli_switch(cli, "not-ready"))
        json_object_set_new(meta, "ready_for_next_stage", json_false());
    enum status status = set_number(cli, meta, "files-modified", "files_modified", err);
    if (status == STATUS_OK)
        status = set_pairs(cli, meta, err);
    if (status == STATUS_OK && json_object_size(meta) > 0) {
        job->meta = json_dumps(meta, JSON_COMPACT);
        job->request.meta = bytes_of_string(job->meta);
    }
    json_decref(meta);
    return status;
}

static enum status read_status(const struct cli *cli, enum notice_status *status,
                               struct errinfo *err)
{
    const char *text = cli_option(cli, "status");
    *status = NOTICE_COMPLETE;
    return text == NULL ? STATUS_OK : notice_status_parse(bytes_of_string(text), status, err);
}

static enum status read_inputs(const struct cli *cli, struct job *job, struct errinfo *err)
{
    size_t at = 0;
    for (const char *input; (input = cli_option_next(cli, "input", &at)) != NULL;) {
        if (job->request.input_count == LIMIT_INPUTS)
            return errinfo_set(err, STATUS_LIMIT, "a report has at most %d inputs", LIMIT_INPUTS);
        job->inputs[job->request.input_count++] = bytes_of_string(input);
    }
    job->request.inputs = job->inputs;
    return STATUS_OK;
}

static enum status read_request(struct cli *cli, struct job *job, struct errinfo *err)
{
    struct publish_request *request = &job->request;
    request->agent = cli_argument(cli, 0);
    request->type = cli_argument(cli, 1);
    request->feature = cli_argument(cli, 2);
    request->title = bytes_of_string(cli_option(cli, "title"));
    request->summary = bytes_of_string(cli_option(cli, "summary"));
    request->run = bytes_of_string(cli_option(cli, "run"));
    request->key = bytes_of_string(cli_option(cli, "id"));
    request->allow_empty = cli_switch(cli, "allow-empty");
    request->envelope = cli_switch(cli, "envelope");
    request->base = PUBLISH_ANY_BASE;
    enum status status = cli_option_u64(cli, "base", &request->base, err);
    if (status == STATUS_OK)
        status = read_status(cli, &request->status, err);
    if (status == STATUS_OK)
        status = read_inputs(cli, job, err);
    if (status == STATUS_OK)
        status = read_meta(cli, job, err);
    if (status != STATUS_OK)
        return status;
    const char *file = cli->argument_count > 3 ? cli->arguments[3] : "-";
    status = cli_read_file(cli, file, LIMIT_REPORT_BYTES, &job->body, err);
    request->body = buf_bytes(&job->body);
    return status;
}

static enum status run(struct cli *cli, struct errinfo *err)
{
    struct job job = {.meta = NULL};
    buf_init(&job.body, 0);
    enum status status = read_request(cli, &job, err);
    if (status == STATUS_OK)
        status = answer_publish(cli, &job.request, err);
    job_fini(&job);
    return status;
}

static const struct option_spec options[] = {
    {.name = "summary", .value = "TEXT", .help = "one or two sentences (default: from the report)"},
    {.name = "title", .value = "TEXT", .help = "one line (default: the report's heading)"},
    {.name = "status", .value = "WORD", .help = "complete, failed or blocked (default: complete)"},
    {.name = "base",
     .value = "REV",
     .help = "refuse unless REV is the latest; 0: unless there is none"},
    {.name = "input", .value = "REF", .help = "a report this one was made from", .many = true},
    {.name = "id", .value = "KEY", .help = "idempotency key (default: from the content)"},
    {.name = "run", .value = "ID", .help = "the run it belongs to"},
    {.name = "complexity", .value = "WORD", .help = "Simple, Medium or Complex"},
    {.name = "blockers", .value = "TEXT", .help = "what stands in the way (default: None)"},
    {.name = "not-ready", .help = "the next stage should not begin yet"},
    {.name = "files-modified", .value = "N", .help = "how many files the work changed"},
    {.name = "meta", .value = "KEY=VALUE", .help = "anything else to say about it", .many = true},
    {.name = "allow-empty", .help = "accept a report of 0 bytes"},
    {.name = "envelope", .help = "store {content, metadata} as the first system did"},
};

const struct command cmd_publish = {
    .name = "publish",
    .arguments = "AGENT TYPE FEATURE [FILE|-]",
    .summary = "Store a report durably and print its notice",
    .description =
        "The report is read from FILE or standard input, at most 10 MiB, and stored as it is.\n"
        "When the notice is printed, the report is on disk. The notice has at most 200 tokens:\n"
        "hand it, or just its ref, to whoever comes next. Publishing the same bytes again gives\n"
        "the same revision.",
    .examples = "  $ agog publish cynthia research customer-search report.md\n"
                "  $ my-agent | agog publish roy backend customer-search --input "
                "cynthia/research/customer-search\n"
                "  $ agog publish sylvia critique customer-search review.md --base 2 --status "
                "blocked",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .arguments_min = 3,
    .arguments_max = 4,
    .run = run,
};
