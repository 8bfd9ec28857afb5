// SPDX-License-Identifier: Apache-2.0
#include "base/limits.h"
#include "cli/answer.h"
#include "cli/commands.h"
#include "deliver/describe.h"

// The report's text in JSON; a report that is not UTF-8 has none there and says so.
static enum status print_json(struct cli *cli, const struct report *report, struct errinfo *err)
{
    json_t *document = describe_report(report);
    json_t *content = json_stringn(report->body.data == NULL ? "" : report->body.data,
                                   report->body.size);
    if (document != NULL && content != NULL)
        json_object_set_new(document, "content", content);
    else if (document != NULL)
        json_object_set_new(document, "binary", json_true());
    return cli_print_json(cli, document, err);
}

static enum status run(struct cli *cli, struct errinfo *err)
{
    struct report report;
    struct buf storage;
    buf_init(&storage, LIMIT_MESSAGE_BYTES);
    enum status status = answer_read(cli, 0, BUS_ALL, &storage, &report, err);
    if (status == STATUS_OK && cli->json)
        status = print_json(cli, &report, err);
    else if (status == STATUS_OK)
        status = cli_write(cli, report.body, err);
    buf_fini(&storage);
    return status;
}

const struct command cmd_fetch = {
    .name = "fetch",
    .arguments = "REF",
    .summary = "Print a stored report",
    .description = "REF is agent/type/feature, with @REV for one revision; a subject, an agog:// "
                   "address, a\nmessage id (stream.seq) or a whole notice will do. The report is "
                   "printed to the byte.",
    .examples = "  $ agog fetch cynthia/research/customer-search\n"
                "  $ agog fetch cynthia/research/customer-search@2 --json",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
