// SPDX-License-Identifier: Apache-2.0
// The mission's workflow from end to end on a real store: Cynthia researches, Sylvia critiques, Roy
// implements. Every number that is printed is measured in this run.
#include "base/clock.h"
#include "base/limits.h"
#include "cli/answer.h"
#include "cli/commands.h"
#include "cli/demo_reports.h"
#include "cli/remove_tree.h"
#include "cli/table.h"
#include "deliver/publish.h"
#include "deliver/tokens.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { STAGES = 3 };

static const char feature[] = "customer-search";

struct stage {
    const char *who; // as people call the agent
    const char *agent;
    const char *type;
    const char *task;
    struct bytes report;
    struct buf file; // the report, when it came from a file
    char ref[REF_TEXT_SIZE];
    char *notice;
    size_t report_tokens;
    size_t notice_tokens;
    size_t inline_tokens; // of the prompt that spawns this stage with every report before in full
    size_t prompt_tokens; // of the prompt that does it with notices
    int64_t publish_ns;
    int64_t fetch_ns;
};

struct demo {
    struct cli *cli;
    struct hub *hub;
    struct read_source source;
    struct stage stages[STAGES];
};

static void demo_fini(struct demo *demo)
{
    for (size_t i = 0; i < STAGES; i++) {
        buf_fini(&demo->stages[i].file);
        free(demo->stages[i].notice);
    }
    hub_close(demo->hub);
}

static enum status load_reports(struct demo *demo, struct errinfo *err)
{
    struct cli *cli = demo->cli;
    enum status status = STATUS_OK;
    if (cli->argument_count != 0 && cli->argument_count != STAGES)
        return errinfo_set(err, STATUS_USAGE,
                           "agog demo takes three report files, or none for its own samples");
    for (size_t i = 0; status == STATUS_OK && i < cli->argument_count; i++) {
        struct stage *stage = &demo->stages[i];
        status = cli_read_file(cli, cli->arguments[i], LIMIT_REPORT_BYTES, &stage->file, err);
        stage->report = buf_bytes(&stage->file);
    }
    return status;
}

static enum status open_store(struct demo *demo, const char *home, struct errinfo *err)
{
    struct hub_options options = {.home = home, .author = "agog demo", .lock_wait_ms = -1};
    enum status status = hub_open(&options, &demo->hub, err);
    if (status == STATUS_OK)
        status = hub_bus(demo->hub, HUB_CREATE, &demo->source.bus, err);
    return status != STATUS_OK ? status
                               : hub_registry(demo->hub, HUB_CREATE, &demo->source.registry, err);
}

// What an orchestrator would put before the agent: the task, then for each report before it either
// its whole text or its notice with the way to the rest.
static enum status measure_prompt(const struct demo *demo, size_t stage, bool whole, size_t *tokens)
{
    struct buf prompt;
    buf_init(&prompt, STAGES * (LIMIT_REPORT_BYTES + LIMIT_HEADER_BYTES));
    buf_printf(&prompt, "You are %s. %s\nFeature: %s\n", demo->stages[stage].who,
               demo->stages[stage].task, feature);
    for (size_t i = 0; i < stage; i++) {
        buf_printf(&prompt, "\nFrom %s:\n", demo->stages[i].who);
        if (whole)
            buf_append(&prompt, demo->stages[i].report);
        else
            buf_printf(&prompt, "%s\nRead it with: agog fetch %s\n", demo->stages[i].notice,
                       demo->stages[i].ref);
    }
    enum status status = buf_status(&prompt);
    if (status == STATUS_OK)
        status = tokens_count(buf_bytes(&prompt), tokens);
    buf_fini(&prompt);
    return status;
}

// The stage's agent reads everything before it and checks that it is what was published.
static enum status fetch_inputs(struct demo *demo, size_t stage, struct errinfo *err)
{
    struct buf storage;
    enum status status = STATUS_OK;
    buf_init(&storage, LIMIT_MESSAGE_BYTES);
    for (size_t i = 0; status == STATUS_OK && i < stage; i++) {
        struct ref ref;
        struct report report;
        int64_t start_ns = clock_monotonic_ns();
        status = ref_parse(bytes_of_string(demo->stages[i].notice), &ref, err);
        if (status == STATUS_OK)
            status = read_report(&demo->source, &ref, BUS_ALL, &storage, &report, err);
        demo->stages[stage].fetch_ns += clock_monotonic_ns() - start_ns;
        if (status == STATUS_OK && !bytes_equal(report.body, demo->stages[i].report))
            status = errinfo_set(err, STATUS_BUG, "%s did not come back as it was published",
                                 demo->stages[i].ref);
    }
    buf_fini(&storage);
    return status;
}

static enum status make_notice(struct demo *demo, struct stage *stage,
                               const struct publish_outcome *outcome, struct errinfo *err)
{
    struct ref ref;
    struct report report;
    struct buf storage, text;
    buf_init(&storage, LIMIT_MESSAGE_BYTES);
    buf_init(&text, LIMIT_HEADER_BYTES);
    enum status status = ref_of_names(bytes_of_string(stage->agent), bytes_of_string(stage->type),
                                      bytes_of_string(feature), &ref, err);
    ref.rev = outcome->rev;
    if (status == STATUS_OK)
        status = read_report(&demo->source, &ref, BUS_HEAD, &storage, &report, err);
    if (status == STATUS_OK)
        status = read_notice(&report, NOTICE_COMPACT, &text, err);
    if (status == STATUS_OK && buf_string(&text) == NULL)
        status = STATUS_NO_MEMORY;
    if (status == STATUS_OK) {
        ref_format(&report.ref, REF_FORM_TEXT, stage->ref);
        stage->report_tokens = (size_t)report.tokens;
        stage->notice = text.data;
        status = tokens_count(bytes_of_string(stage->notice), &stage->notice_tokens);
        buf_init(&text, 0);
    }
    buf_fini(&storage);
    buf_fini(&text);
    return status;
}

static enum status run_stage(struct demo *demo, size_t number, struct errinfo *err)
{
    struct stage *stage = &demo->stages[number];
    struct bytes inputs[STAGES];
    struct publish_outcome outcome;
    for (size_t i = 0; i < number; i++)
        inputs[i] = bytes_of_string(demo->stages[i].ref);
    struct publish_request request = {
        .agent = bytes_of_string(stage->agent),
        .type = bytes_of_string(stage->type),
        .feature = bytes_of_string(feature),
        .body = stage->report,
        .author = bytes_of_string(stage->agent),
        .inputs = inputs,
        .input_count = number,
        .base = PUBLISH_ANY_BASE,
        .status = NOTICE_COMPLETE,
        .now_ns = clock_realtime_ns(),
    };
    enum status status = measure_prompt(demo, number, true, &stage->inline_tokens);
    if (status == STATUS_OK)
        status = measure_prompt(demo, number, false, &stage->prompt_tokens);
    if (status == STATUS_OK)
        status = fetch_inputs(demo, number, err);
    int64_t start_ns = clock_monotonic_ns();
    if (status == STATUS_OK)
        status = publish_report(&demo->source, &request, &outcome, err);
    stage->publish_ns = clock_monotonic_ns() - start_ns;
    return status != STATUS_OK ? status : make_notice(demo, stage, &outcome, err);
}

static double saved(size_t before, size_t after)
{
    return before == 0 ? 0 : 100.0 * (1.0 - (double)after / (double)before);
}

static void print_stage(const struct demo *demo, size_t number)
{
    const struct stage *stage = &demo->stages[number];
    FILE *out = demo->cli->out;
    fprintf(out, "%zu. %s: %s\n", number + 1, stage->who, stage->task);
    if (number > 0)
        fprintf(out,
                "   spawned with %zu tokens of prompt (with the reports inline: %zu)\n"
                "   fetched %zu report%s in %.2f ms, the same to the byte\n",
                stage->prompt_tokens, stage->inline_tokens, number, number == 1 ? "" : "s",
                (double)stage->fetch_ns / 1e6);
    fprintf(out, "   published %s: %zu bytes, %zu tokens, on disk after %.2f ms\n", stage->ref,
            stage->report.size, stage->report_tokens, (double)stage->publish_ns / 1e6);
    fprintf(out, "   notice, %zu tokens:\n   %s\n\n", stage->notice_tokens, stage->notice);
}

static void print_summary(const struct demo *demo, const char *home, bool keep)
{
    FILE *out = demo->cli->out;
    const struct stage *roy = &demo->stages[STAGES - 1];
    size_t before = 0, after = 0;
    for (size_t i = 0; i < STAGES; i++) {
        before += demo->stages[i].inline_tokens;
        after += demo->stages[i].prompt_tokens;
    }
    fprintf(
        out,
        "Spawning Roy      %zu tokens with both reports inline, %zu with notices: %.1f%% saved\n"
        "All three spawns  %zu tokens against %zu: %.1f%% saved\n"
        "Whoever needs a report still reads it: Roy's two cost %zu tokens when read whole.\n",
        roy->inline_tokens, roy->prompt_tokens, saved(roy->inline_tokens, roy->prompt_tokens),
        before, after, saved(before, after),
        demo->stages[0].report_tokens + demo->stages[1].report_tokens);
    if (keep)
        fprintf(out, "The store stays: agog ls --home %s\n", home);
}

static enum status print_json(const struct demo *demo, const char *home, struct errinfo *err)
{
    json_t *list = json_array();
    for (size_t i = 0; i < STAGES; i++) {
        const struct stage *stage = &demo->stages[i];
        json_array_append_new(
            list,
            json_pack("{s:s, s:s, s:o, s:I, s:I, s:I, s:I, s:I, s:f, s:f}", "agent", stage->agent,
                      "ref", stage->ref, "notice", json_loads(stage->notice, 0, NULL),
                      "report_bytes", (json_int_t)stage->report.size, "report_tokens",
                      (json_int_t)stage->report_tokens, "notice_tokens",
                      (json_int_t)stage->notice_tokens, "prompt_tokens",
                      (json_int_t)stage->prompt_tokens, "prompt_tokens_inline",
                      (json_int_t)stage->inline_tokens, "publish_ms",
                      (double)stage->publish_ns / 1e6, "fetch_ms", (double)stage->fetch_ns / 1e6));
    }
    const struct stage *roy = &demo->stages[STAGES - 1];
    return cli_print_json(demo->cli,
                          json_pack("{s:s, s:o, s:f}", "home", home, "stages", list,
                                    "saved_percent", saved(roy->inline_tokens, roy->prompt_tokens)),
                          err);
}

static enum status run_workflow(struct demo *demo, const char *home, bool keep, struct errinfo *err)
{
    enum status status = load_reports(demo, err);
    if (status == STATUS_OK)
        status = open_store(demo, home, err);
    if (status == STATUS_OK && !demo->cli->json)
        fprintf(demo->cli->out, "A store of its own in %s%s\n\n", home,
                keep ? "" : ", removed at the end (--keep keeps it)");
    for (size_t i = 0; status == STATUS_OK && i < STAGES; i++) {
        status = run_stage(demo, i, err);
        if (status == STATUS_OK && !demo->cli->json)
            print_stage(demo, i);
    }
    if (status == STATUS_OK && demo->cli->json)
        return print_json(demo, home, err);
    if (status == STATUS_OK)
        print_summary(demo, home, keep);
    return status;
}

static enum status make_home(char *home, size_t size, struct errinfo *err)
{
    const char *temporary = getenv("TMPDIR");
    snprintf(home, size, "%s/agog-demo-XXXXXX",
             temporary == NULL || temporary[0] == '\0' ? "/tmp" : temporary);
    if (mkdtemp(home) == NULL)
        return errinfo_set_errno(err, errno, "cannot create a directory for the demo as %s", home);
    return STATUS_OK;
}

static enum status run(struct cli *cli, struct errinfo *err)
{
    char home[4096];
    bool keep = cli_switch(cli, "keep");
    struct demo demo = {
        .cli = cli,
        .stages = {{.who = "Cynthia",
                    .agent = "cynthia",
                    .type = "research",
                    .task = "Research how customers should be searched.",
                    .report = demo_report_cynthia()},
                   {.who = "Sylvia",
                    .agent = "sylvia",
                    .type = "critique",
                    .task = "Critique the research before anything is built.",
                    .report = demo_report_sylvia()},
                   {.who = "Roy",
                    .agent = "roy",
                    .type = "backend",
                    .task = "Implement the backend by research and critique.",
                    .report = demo_report_roy()}},
    };
    enum status status = make_home(home, sizeof home, err);
    if (status != STATUS_OK)
        return status;
    status = run_workflow(&demo, home, keep, err);
    demo_fini(&demo);
    if (!keep)
        remove_tree(home);
    return status;
}

static const struct option_spec options[] = {
    {.name = "keep", .help = "keep the demo's store and say where it is"},
};

const struct command cmd_demo = {
    .name = "demo",
    .arguments = "[RESEARCH CRITIQUE BACKEND]",
    .summary = "Run the three-agent workflow on a store of its own and measure the savings",
    .description =
        "Cynthia researches, Sylvia critiques, Roy implements: three reports are published\n"
        "durably, handed on by notice, fetched and compared to the byte, and every number is\n"
        "measured in the run. Give three files to see it with reports of your own.",
    .examples = "  $ agog demo\n  $ agog demo --keep\n  $ agog demo research.md critique.md "
                "backend.md",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .arguments_max = 3,
    .run = run,
};
