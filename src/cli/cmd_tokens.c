// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "deliver/tokens.h"

// A file to count may be larger than a report; this bounds memory, not what can be published.
static const size_t file_bytes_max = (size_t)1 << 30;

static enum status count_file(struct cli *cli, const char *path, size_t *tokens, size_t *bytes,
                              struct errinfo *err)
{
    struct buf text;
    enum status status = cli_read_file(cli, path, file_bytes_max, &text, err);
    if (status != STATUS_OK)
        return status;
    *bytes = text.size;
    status = tokens_count(buf_bytes(&text), tokens);
    if (status != STATUS_OK)
        errinfo_set(err, status, "no memory to count %zu bytes", text.size);
    buf_fini(&text);
    return status;
}

static enum status run(struct cli *cli, struct errinfo *err)
{
    static const char *const headings[] = {"TOKENS", "BYTES", "FILE"};
    static const char *const standard_input[] = {"-"};
    const char *const *files = cli->argument_count == 0 ? standard_input : cli->arguments;
    size_t count = cli->argument_count == 0 ? 1 : cli->argument_count;
    json_t *list = json_array();
    struct table table;
    size_t sum = 0, sum_bytes = 0;
    enum status status = STATUS_OK;
    table_init(&table, cli, headings, 3);
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        size_t tokens = 0, bytes = 0;
        status = count_file(cli, files[i], &tokens, &bytes, err);
        if (status != STATUS_OK)
            break;
        sum += tokens;
        sum_bytes += bytes;
        table_cell_format(&table, "%zu", tokens);
        table_cell_format(&table, "%zu", bytes);
        table_cell(&table, bytes_of_string(files[i]));
        json_array_append_new(list, json_pack("{s:s, s:I, s:I}", "file", files[i], "tokens",
                                              (json_int_t)tokens, "bytes", (json_int_t)bytes));
    }
    if (status == STATUS_OK && cli->json)
        status = cli_print_json(cli,
                                json_pack("{s:s, s:O, s:I, s:I}", "encoding", "o200k_base", "files",
                                          list, "tokens", (json_int_t)sum, "bytes",
                                          (json_int_t)sum_bytes),
                                err);
    else if (status == STATUS_OK) {
        if (count > 1) {
            table_cell_format(&table, "%zu", sum);
            table_cell_format(&table, "%zu", sum_bytes);
            table_cell(&table, BYTES("total"));
        }
        status = table_finish(&table, err);
    }
    json_decref(list);
    table_fini(&table);
    return status;
}

const struct command cmd_tokens = {
    .name = "tokens",
    .arguments = "[FILE|-]...",
    .summary = "Count o200k_base tokens, exactly",
    .description =
        "Each line is the count, the bytes and the file. Bytes that are not UTF-8 count as "
        "U+FFFD.",
    .examples = "  $ agog tokens report.md\n"
                "  $ git diff | agog tokens",
    .arguments_max = -1,
    .run = run,
};
