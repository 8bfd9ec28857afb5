// SPDX-License-Identifier: Apache-2.0
#include "base/limits.h"
#include "cli/answer.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "deliver/ledger.h"

#include <string.h>

// What a token costs with one model. A model with a tokenizer of its own has a factor over o200k:
// its money is then an estimate and is called one.
struct price {
    char model[65];
    double per_million;
    double factor;
};

struct account {
    struct cli *cli;
    struct table table;
    json_t *list;
};

static json_t *ledger_json(const struct ledger *ledger)
{
    return json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "reports", (json_int_t)ledger->reports,
        "inputs", (json_int_t)ledger->inputs, "inputs_missing", (json_int_t)ledger->inputs_missing,
        "inputs_unread", (json_int_t)ledger->inputs_unread, "inline_tokens",
        (json_int_t)ledger->inline_tokens, "notice_tokens", (json_int_t)ledger->notice_tokens,
        "read_tokens", (json_int_t)ledger->read_tokens, "reads", (json_int_t)ledger->reads,
        "saved_tokens", (json_int_t)ledger_saved(ledger));
}

static enum status show(void *context, const struct report *report, const struct ledger *ledger)
{
    struct account *account = context;
    char ref[REF_TEXT_SIZE];
    ref_format(&report->ref, REF_FORM_TEXT, ref);
    if (account->cli->json) {
        json_t *row = ledger_json(ledger);
        json_object_set_new(row, "ref", json_string(ref));
        json_array_append_new(account->list, row);
        return STATUS_OK;
    }
    table_cell(&account->table, bytes_of_string(ref));
    table_cell_format(&account->table, "%llu", (unsigned long long)ledger->inline_tokens);
    table_cell_format(&account->table, "%llu", (unsigned long long)ledger->notice_tokens);
    table_cell_format(&account->table, "%llu", (unsigned long long)ledger->read_tokens);
    table_cell_format(&account->table, "%lld", (long long)ledger_saved(ledger));
    return STATUS_OK;
}

// The file: {"model": "name", "per_million": 3.0, "factor": 1.18}; factor may be left out.
static enum status read_price(struct cli *cli, struct price *price, struct errinfo *err)
{
    struct buf text;
    const char *path = cli_option(cli, "prices");
    enum status status = cli_read_file(cli, path, LIMIT_HEADER_BYTES, &text, err);
    if (status != STATUS_OK)
        return status;
    json_t *document = json_loadb(text.data == NULL ? "" : text.data, text.size, 0, NULL);
    const char *model = json_string_value(json_object_get(document, "model"));
    const json_t *per_million = json_object_get(document, "per_million");
    const json_t *factor = json_object_get(document, "factor");
    if (model == NULL || strlen(model) >= sizeof price->model || !json_is_number(per_million) ||
        (factor != NULL && !json_is_number(factor)))
        status = errinfo_set(err, STATUS_INVALID,
                             "the price file needs {\"model\": \"name\", \"per_million\": 3.0} and "
                             "may have \"factor\": tokens of that model for one of o200k");
    else {
        memcpy(price->model, model, strlen(model) + 1);
        price->per_million = json_number_value(per_million);
        price->factor = factor == NULL ? 1.0 : json_number_value(factor);
    }
    json_decref(document);
    buf_fini(&text);
    return status;
}

static double money(const struct price *price, double tokens)
{
    return tokens * price->factor * price->per_million / 1e6;
}

static void print_sum(struct cli *cli, const struct ledger *sum, const struct price *price)
{
    double inlined = (double)sum->inline_tokens;
    double saved = (double)ledger_saved(sum);
    fprintf(cli->out,
            "%llu reports with %llu inputs: inlining every input %llu tokens; notices %llu, %llu "
            "reads %llu; saved %lld",
            (unsigned long long)sum->reports, (unsigned long long)sum->inputs,
            (unsigned long long)sum->inline_tokens, (unsigned long long)sum->notice_tokens,
            (unsigned long long)sum->reads, (unsigned long long)sum->read_tokens,
            (long long)ledger_saved(sum));
    fprintf(cli->out, inlined > 0 ? " (%.1f%%)\n" : "\n", inlined > 0 ? 100 * saved / inlined : 0);
    if (price->model[0] != '\0')
        fprintf(cli->out, "with %s at %.2f a million: %.4f saved of %.4f%s%.2f%s\n", price->model,
                price->per_million, money(price, saved), money(price, inlined),
                price->factor == 1.0 ? " (factor " : " (an estimate: o200k times ", price->factor,
                ")");
    if (sum->inputs_unread > 0)
        fprintf(cli->err, "agog: %llu inputs were never read\n",
                (unsigned long long)sum->inputs_unread);
    if (sum->inputs_missing > 0)
        fprintf(cli->err, "agog: %llu inputs are gone and not counted\n",
                (unsigned long long)sum->inputs_missing);
}

static enum status finish(struct account *account, const struct ledger *sum,
                          const struct price *price, struct errinfo *err)
{
    struct cli *cli = account->cli;
    if (!cli->json) {
        enum status status = table_finish(&account->table, err);
        if (status == STATUS_OK)
            print_sum(cli, sum, price);
        return status;
    }
    json_t *document = ledger_json(sum);
    json_object_set(document, "by_report", account->list);
    json_object_set_new(document, "encoding", json_string("o200k_base"));
    if (price->model[0] != '\0')
        json_object_set_new(document, "money",
                            json_pack("{s:s, s:f, s:b, s:f, s:f}", "model", price->model, "factor",
                                      price->factor, "estimate", price->factor != 1.0, "inline",
                                      money(price, (double)sum->inline_tokens), "saved",
                                      money(price, (double)ledger_saved(sum))));
    return cli_print_json(cli, document, err);
}

static enum status run(struct cli *cli, struct errinfo *err)
{
    static const char *const headings[] = {"REPORT", "INLINE", "NOTICES", "READ", "SAVED"};
    struct read_source source;
    struct ledger sum;
    struct price price = {.factor = 1.0};
    struct account account = {.cli = cli};
    struct ledger_request request = {.filter = {.feature = cli_argument(cli, 0)},
                                     .run = bytes_of_string(cli_option(cli, "run"))};
    enum status status = STATUS_OK;
    if (cli_option(cli, "prices") != NULL)
        status = read_price(cli, &price, err);
    if (status == STATUS_OK)
        status = answer_source_open(cli, &source, err);
    if (status != STATUS_OK)
        return status;
    account.list = json_array();
    table_init(&account.table, cli, headings, 5);
    status = ledger_make(&source, &request, show, &account, &sum, err);
    if (status == STATUS_OK)
        status = finish(&account, &sum, &price, err);
    json_decref(account.list);
    table_fini(&account.table);
    return status;
}

static const struct option_spec options[] = {
    {.name = "run", .value = "ID", .help = "only reports of this run"},
    {.name = "prices",
     .value = "FILE",
     .help = "JSON with model, per_million and factor: in money"},
};

const struct command cmd_ledger = {
    .name = "ledger",
    .arguments = "[FEATURE]",
    .summary = "What hand-offs by notice saved, from exact counts and receipts",
    .description =
        "For each report with inputs: the tokens of its inputs in full, of their notices, and of\n"
        "what was read of them. Nothing is estimated; a price for a model whose tokenizer is not\n"
        "public is called an estimate, with its factor.",
    .examples = "  $ agog ledger\n  $ agog ledger customer-search --prices prices.json",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .arguments_max = 1,
    .run = run,
};
