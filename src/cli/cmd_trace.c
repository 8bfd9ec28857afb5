// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "base/limits.h"
#include "cli/answer.h"
#include "cli/commands.h"
#include "deliver/receipt.h"

#include <string.h>

enum { DEPTH_MAX = 12, TODO_MAX = 256 };

// One report still to be shown, and how deep below the first it stands.
struct todo {
    char ref[REF_TEXT_SIZE];
    unsigned depth;
};

struct trace {
    struct cli *cli;
    struct read_source source;
    struct todo todo[TODO_MAX]; // a stack: inputs come right after what they are inputs of
    size_t todo_count;
    bool cut;       // something below was left out
    unsigned depth; // of the report being shown
    uint64_t reads; // of it
    json_t *list;
    json_t *receipts; // of the report being shown
    size_t unread;
};

static enum status show_receipt(void *context, const struct receipt *receipt)
{
    struct trace *trace = context;
    char time[CLOCK_RFC3339_SIZE];
    clock_format_seconds(receipt->time_ns, time);
    trace->reads++;
    if (trace->cli->json) {
        json_array_append_new(trace->receipts,
                              json_pack("{s:s%, s:s%, s:I, s:s}", "reader", receipt->reader.data,
                                        receipt->reader.size, "what", receipt->what.data,
                                        receipt->what.size, "tokens", (json_int_t)receipt->tokens,
                                        "time", time));
        return STATUS_OK;
    }
    fprintf(trace->cli->out, "%*sread by %.*s %s: %.*s, %llu tokens\n", (int)trace->depth * 2 + 2,
            "", BYTES_ARG(receipt->reader), time, BYTES_ARG(receipt->what),
            (unsigned long long)receipt->tokens);
    return STATUS_OK;
}

static void push_inputs(struct trace *trace, struct bytes inputs)
{
    size_t first = trace->todo_count;
    while (inputs.size > 0) {
        struct bytes rest;
        struct bytes input = bytes_cut(inputs, ' ', &rest);
        bool fits = trace->todo_count < TODO_MAX && trace->depth + 1 < DEPTH_MAX &&
                    input.size < REF_TEXT_SIZE;
        if (fits) {
            struct todo *todo = &trace->todo[trace->todo_count++];
            snprintf(todo->ref, sizeof todo->ref, "%.*s", BYTES_ARG(input));
            todo->depth = trace->depth + 1;
        }
        trace->cut = trace->cut || !fits;
        inputs = rest;
    }
    // Taken from the end: turned round, so that they are shown in the order they were given.
    for (size_t a = first, b = trace->todo_count; a + 1 < b; a++, b--) {
        struct todo swapped = trace->todo[a];
        trace->todo[a] = trace->todo[b - 1];
        trace->todo[b - 1] = swapped;
    }
}

static void show_head(struct trace *trace, const struct report *report, const char *ref)
{
    char time[CLOCK_RFC3339_SIZE];
    clock_format_seconds(report->time_ns, time);
    if (trace->cli->json)
        return;
    fprintf(trace->cli->out, "%*s%s  %llu tokens, %s, by %.*s %s\n", (int)trace->depth * 2, "", ref,
            (unsigned long long)report->tokens, notice_status_name(report->status),
            BYTES_ARG(report->author), time);
}

static void finish_report(struct trace *trace, const struct report *report, const char *ref)
{
    bool unread = trace->reads == 0 && trace->depth > 0;
    trace->unread += unread;
    if (trace->cli->json) {
        json_t *row = json_pack("{s:s, s:i, s:I, s:s%, s:O, s:b}", "ref", ref, "depth",
                                (int)trace->depth, "tokens", (json_int_t)report->tokens, "author",
                                report->author.data == NULL ? "" : report->author.data,
                                report->author.size, "reads", trace->receipts, "unread_input",
                                unread);
        json_array_append_new(trace->list, row);
    } else if (unread) {
        fprintf(trace->cli->out, "%*sNEVER READ\n", (int)trace->depth * 2 + 2, "");
    }
    json_decref(trace->receipts);
    trace->receipts = NULL;
}

static enum status show_gone(struct trace *trace, const struct todo *todo,
                             const struct errinfo *why)
{
    if (trace->cli->json)
        json_array_append_new(trace->list, json_pack("{s:s, s:i, s:s}", "ref", todo->ref, "depth",
                                                     (int)todo->depth, "gone", why->text));
    else
        fprintf(trace->cli->out, "%*s%s\n", (int)todo->depth * 2, "", why->text);
    return STATUS_OK;
}

static enum status show_one(struct trace *trace, const struct todo *todo, struct errinfo *err)
{
    struct ref ref;
    struct report report;
    struct buf storage;
    struct errinfo why;
    char text[REF_TEXT_SIZE];
    buf_init(&storage, LIMIT_MESSAGE_BYTES);
    trace->depth = todo->depth;
    trace->reads = 0;
    enum status status = ref_parse(bytes_of_string(todo->ref), &ref, &why);
    if (status == STATUS_OK)
        status = read_report(&trace->source, &ref, BUS_HEAD, &storage, &report, &why);
    if (status == STATUS_OK) {
        ref_format(&report.ref, REF_FORM_TEXT, text);
        trace->receipts = json_array();
        show_head(trace, &report, text);
        status = receipt_walk(trace->source.bus, &report.ref, show_receipt, trace, &why);
        finish_report(trace, &report, text);
        push_inputs(trace, report.inputs);
    } else if (todo->depth > 0 && (status == STATUS_NOT_FOUND || status == STATUS_EXPIRED)) {
        status = show_gone(trace, todo, &why);
    }
    if (status != STATUS_OK)
        *err = why;
    buf_fini(&storage);
    return status;
}

static enum status run(struct cli *cli, struct errinfo *err)
{
    static struct trace trace;
    trace = (struct trace){.cli = cli, .todo_count = 1};
    struct bytes first = cli_argument(cli, 0);
    if (first.size >= REF_TEXT_SIZE)
        return errinfo_set(err, STATUS_USAGE, "agog trace takes a ref, not a whole notice");
    snprintf(trace.todo[0].ref, REF_TEXT_SIZE, "%.*s", BYTES_ARG(first));
    enum status status = answer_source_open(cli, &trace.source, err);
    if (status != STATUS_OK)
        return status;
    trace.list = json_array();
    while (status == STATUS_OK && trace.todo_count > 0) {
        struct todo next = trace.todo[--trace.todo_count];
        status = show_one(&trace, &next, err);
    }
    if (status == STATUS_OK && cli->json)
        status = cli_print_json(cli, json_incref(trace.list), err);
    json_decref(trace.list);
    if (status == STATUS_OK && trace.unread > 0)
        fprintf(cli->err, "agog: %zu input%s never read\n", trace.unread,
                trace.unread == 1 ? " was" : "s were");
    if (status == STATUS_OK && trace.cut)
        fprintf(cli->err, "agog: only %d levels and %d reports are shown\n", DEPTH_MAX, TODO_MAX);
    return status;
}

const struct command cmd_trace = {
    .name = "trace",
    .arguments = "REF",
    .summary = "Show what a report was made from, and who read which parts of it",
    .description =
        "Inputs stand indented below what was made from them. An input that nobody read is\n"
        "named.",
    .examples = "  $ agog trace roy/backend/customer-search",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
