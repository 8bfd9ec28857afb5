// SPDX-License-Identifier: Apache-2.0
#include "base/limits.h"
#include "cli/answer.h"
#include "cli/commands.h"
#include "deliver/pin.h"

struct walk {
    struct cli *cli;
    json_t *list;
};

static enum status show(void *context, const struct ref *ref)
{
    struct walk *walk = context;
    char text[REF_TEXT_SIZE];
    ref_format(ref, REF_FORM_TEXT, text);
    if (walk->cli->json)
        json_array_append_new(walk->list, json_string(text));
    else
        fprintf(walk->cli->out, "%s\n", text);
    return STATUS_OK;
}

static enum status list_pins(struct cli *cli, struct errinfo *err)
{
    struct read_source source;
    struct walk walk = {cli, NULL};
    enum status status = answer_source_open(cli, &source, err);
    if (status != STATUS_OK)
        return status;
    walk.list = json_array();
    status = pin_walk(source.bus, show, &walk, err);
    if (status == STATUS_OK && cli->json)
        status = cli_print_json(cli, json_incref(walk.list), err);
    json_decref(walk.list);
    return status;
}

static enum status change_pin(struct cli *cli, struct errinfo *err)
{
    struct read_source source;
    struct report report;
    struct buf storage;
    bool changed = true;
    bool remove = cli_switch(cli, "remove");
    char text[REF_TEXT_SIZE];
    buf_init(&storage, LIMIT_MESSAGE_BYTES);
    enum status status = answer_read(cli, 0, BUS_HEAD, &storage, &report, err);
    if (status == STATUS_OK)
        status = answer_source_open(cli, &source, err);
    if (status == STATUS_OK)
        status = remove ? pin_remove(source.bus, &report.ref, err)
                        : pin_put(source.bus, &report, &changed, err);
    buf_fini(&storage);
    if (status != STATUS_OK)
        return status;
    ref_format(&report.ref, REF_FORM_TEXT, text);
    if (cli->json)
        return cli_print_json(cli, json_pack("{s:s, s:b}", "ref", text, "pinned", !remove), err);
    fprintf(cli->out, "%s %s\n", text,
            remove    ? "is not pinned any more"
            : changed ? "is pinned"
                      : "was pinned already");
    return STATUS_OK;
}

static enum status run(struct cli *cli, struct errinfo *err)
{
    return cli->argument_count == 0 ? list_pins(cli, err) : change_pin(cli, err);
}

static const struct option_spec options[] = {
    {.name = "remove", .help = "let retention have it again"},
};

const struct command cmd_pin = {
    .name = "pin",
    .arguments = "[REF]",
    .summary = "Keep a revision for good, or list what is kept",
    .description =
        "A pinned revision is copied out of reach of every limit; its ref goes on to work.",
    .examples = "  $ agog pin cynthia/research/customer-search@2\n  $ agog pin\n"
                "  $ agog pin cynthia/research/customer-search@2 --remove",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .arguments_max = 1,
    .run = run,
};
