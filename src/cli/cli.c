// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"

#include "base/buf.h"
#include "cli/help.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *cli_option(const struct cli *cli, const char *name)
{
    const char *text = NULL;
    for (size_t i = 0; i < cli->value_count; i++) {
        if (strcmp(cli->values[i].option->name, name) == 0)
            text = cli->values[i].text;
    }
    return text;
}

bool cli_switch(const struct cli *cli, const char *name)
{
    for (size_t i = 0; i < cli->value_count; i++) {
        if (strcmp(cli->values[i].option->name, name) == 0)
            return true;
    }
    return false;
}

const char *cli_option_next(const struct cli *cli, const char *name, size_t *at)
{
    while (*at < cli->value_count) {
        const struct cli_value *value = &cli->values[(*at)++];
        if (strcmp(value->option->name, name) == 0)
            return value->text;
    }
    return NULL;
}

struct bytes cli_argument(const struct cli *cli, size_t index)
{
    if (index >= cli->argument_count)
        return (struct bytes){NULL, 0};
    return bytes_of_string(cli->arguments[index]);
}

enum status cli_option_u64(const struct cli *cli, const char *name, uint64_t *value,
                           struct errinfo *err)
{
    const char *text = cli_option(cli, name);
    if (text == NULL)
        return STATUS_OK;
    if (!bytes_to_u64(bytes_of_string(text), value)) {
        char quoted[ERRINFO_QUOTED_MAX];
        return errinfo_set(err, STATUS_USAGE, "--%s takes a whole number, not %s", name,
                           errinfo_quote(bytes_of_string(text), quoted));
    }
    return STATUS_OK;
}

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit size_units[] = {
    {"KiB", INT64_C(1) << 10},
    {"MiB", INT64_C(1) << 20},
    {"GiB", INT64_C(1) << 30},
    {"TiB", INT64_C(1) << 40},
    {"KB", 1000},
    {"MB", 1000000},
    {"GB", 1000000000},
    {"TB", 1000000000000},
    {"K", INT64_C(1) << 10},
    {"M", INT64_C(1) << 20},
    {"G", INT64_C(1) << 30},
    {"T", INT64_C(1) << 40},
    {"B", 1},
};

static const struct unit duration_units[] = {
    {"ms", 1000000},       {"us", 1000},           {"ns", 1},
    {"s", 1000000000},     {"m", 60000000000},     {"h", 3600000000000},
    {"d", 86400000000000}, {"w", 604800000000000},
};

// Takes one number with its unit off the front of text and adds it to *sum.
static bool take_unit(struct bytes *text, const struct unit *units, size_t count,
                      bool unit_optional, int64_t *sum)
{
    size_t digits = 0;
    while (digits < text->size && text->data[digits] >= '0' && text->data[digits] <= '9')
        digits++;
    uint64_t number;
    if (!bytes_to_u64(bytes_slice(*text, 0, digits), &number) || number > INT64_MAX)
        return false;
    struct bytes rest = bytes_from(*text, digits);
    int64_t factor = unit_optional && rest.size == 0 ? 1 : 0;
    for (size_t i = 0; i < count && factor == 0; i++) {
        struct bytes name = bytes_of_string(units[i].name);
        if (bytes_start_with(rest, name)) {
            factor = units[i].factor;
            rest = bytes_from(rest, name.size);
        }
    }
    if (factor == 0 || (int64_t)number > (INT64_MAX - *sum) / factor)
        return false;
    *sum += (int64_t)number * factor;
    *text = rest;
    return true;
}

enum status cli_option_size(const struct cli *cli, const char *name, int64_t *bytes,
                            struct errinfo *err)
{
    const char *given = cli_option(cli, name);
    if (given == NULL)
        return STATUS_OK;
    struct bytes text = bytes_of_string(given);
    int64_t sum = 0;
    char quoted[ERRINFO_QUOTED_MAX];
    if (!take_unit(&text, size_units, sizeof size_units / sizeof size_units[0], true, &sum) ||
        text.size > 0)
        return errinfo_set(err, STATUS_USAGE,
                           "--%s takes a size such as 4096, 10MiB or 1GB, not %s", name,
                           errinfo_quote(bytes_of_string(given), quoted));
    *bytes = sum;
    return STATUS_OK;
}

enum status cli_option_duration(const struct cli *cli, const char *name, int64_t *ns,
                                struct errinfo *err)
{
    const char *given = cli_option(cli, name);
    if (given == NULL)
        return STATUS_OK;
    struct bytes text = bytes_of_string(given);
    int64_t sum = 0;
    bool good = text.size > 0;
    bool zero = bytes_equal(text, BYTES("0"));
    size_t units = sizeof duration_units / sizeof duration_units[0];
    while (good && !zero && text.size > 0)
        good = take_unit(&text, duration_units, units, false, &sum);
    char quoted[ERRINFO_QUOTED_MAX];
    if (!good)
        return errinfo_set(err, STATUS_USAGE,
                           "--%s takes a duration such as 90s, 2m30s or 7d, not %s", name,
                           errinfo_quote(bytes_of_string(given), quoted));
    *ns = sum;
    return STATUS_OK;
}

enum status cli_hub(struct cli *cli, struct hub **hub, struct errinfo *err)
{
    if (cli->hub == NULL) {
        uint64_t wait_ms = UINT64_MAX;
        enum status status = cli_option_u64(cli, "lock-wait", &wait_ms, err);
        if (status != STATUS_OK)
            return status;
        struct hub_options options = {
            .home = cli_option(cli, "home"),
            .author = cli_option(cli, "as"),
            .lock_wait_ms = wait_ms > INT32_MAX ? -1 : (int64_t)wait_ms,
            .command = cli->command->name,
            .nats =
                {
                    .url = cli_option(cli, "url"),
                    .context = cli_option(cli, "context"),
                    .user = cli_option(cli, "user"),
                    .password_file = cli_option(cli, "password-file"),
                    .token_file = cli_option(cli, "token-file"),
                    .creds = cli_option(cli, "creds"),
                    .nkey = cli_option(cli, "nkey"),
                    .ca = cli_option(cli, "tls-ca"),
                    .cert = cli_option(cli, "tls-cert"),
                    .key = cli_option(cli, "tls-key"),
                    .tls_first = cli_switch(cli, "tls-first"),
                    // `agog init --here` says where, whatever the environment names.
                    .ignore_environment = cli_switch(cli, "here"),
                },
        };
        status = hub_open(&options, &cli->hub, err);
        if (status != STATUS_OK)
            return status;
    }
    *hub = cli->hub;
    return STATUS_OK;
}

enum status cli_write(struct cli *cli, struct bytes text, struct errinfo *err)
{
    if (text.size > 0 && fwrite(text.data, 1, text.size, cli->out) != text.size)
        return errinfo_set_errno(err, errno, "writing to standard output");
    return STATUS_OK;
}

bool cli_is_terminal(const struct cli *cli)
{
    return isatty(fileno(cli->out)) == 1;
}

enum status cli_flush(struct cli *cli, struct errinfo *err)
{
    if (fflush(cli->out) != 0 || ferror(cli->out) != 0)
        return errinfo_set_errno(err, errno, "writing to standard output");
    return STATUS_OK;
}

enum status cli_print_json(struct cli *cli, json_t *document, struct errinfo *err)
{
    if (document == NULL)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory for the JSON answer");
    size_t flags = JSON_ENCODE_ANY | (cli_is_terminal(cli) ? JSON_INDENT(2) : JSON_COMPACT);
    int failed = json_dumpf(document, cli->out, flags);
    json_decref(document);
    if (failed != 0 || fputc('\n', cli->out) == EOF)
        return errinfo_set_errno(err, errno, "writing to standard output");
    return STATUS_OK;
}

enum status cli_read_file(struct cli *cli, const char *path, size_t max, struct buf *out,
                          struct errinfo *err)
{
    char quoted[ERRINFO_QUOTED_MAX];
    errinfo_quote(bytes_of_string(path), quoted);
    bool standard_input = strcmp(path, "-") == 0;
    FILE *file = standard_input ? cli->in : fopen(path, "rb");
    if (file == NULL)
        return errinfo_set_errno(err, errno, "cannot open %s", quoted);
    // One byte more than allowed tells a file of exactly that size from a longer one.
    buf_init(out, max + 1);
    enum status status = STATUS_OK;
    size_t got = 1;
    while (status == STATUS_OK && got > 0 && out->size <= max) {
        size_t wanted = max + 1 - out->size < 65536 ? max + 1 - out->size : 65536;
        char *to = buf_reserve(out, wanted);
        if (to == NULL) {
            status = errinfo_set(err, buf_status(out), "no memory to read %s", quoted);
            break;
        }
        got = fread(to, 1, wanted, file);
        out->size += got;
    }
    if (status == STATUS_OK && ferror(file) != 0)
        status = errinfo_set_errno(err, errno, "cannot read %s", quoted);
    if (status == STATUS_OK && out->size > max)
        status = errinfo_set(err, STATUS_LIMIT,
                             "%s is longer than %zu bytes (%zu MiB): split it into several reports",
                             quoted, max, max >> 20);
    if (!standard_input)
        fclose(file);
    if (status != STATUS_OK)
        buf_fini(out);
    return status;
}

// The one line of a failure. With --json it is an object, so that a machine need not parse prose.
static void print_error(struct cli *cli, enum status status, const struct errinfo *err)
{
    const char *text = err->text[0] == '\0' ? status_name(status) : err->text;
    if (!cli->json) {
        fprintf(cli->err, "agog: %s\n", text);
        return;
    }
    json_t *document = json_pack("{s:{s:s, s:i, s:b, s:s}}", "error", "status", status_name(status),
                                 "exit_code", status_exit_code(status), "retryable",
                                 status_retryable(status), "text", text);
    if (document == NULL) {
        fprintf(cli->err, "agog: %s\n", text);
        return;
    }
    json_dumpf(document, cli->err, JSON_COMPACT);
    fputc('\n', cli->err);
    json_decref(document);
}

// A URL with a password in it is an argument that every user of the machine can see in the list of
// processes. The value is copied and the argument overwritten.
static enum status hide_secrets(struct cli *cli, struct errinfo *err)
{
    for (size_t i = 0; i < cli->value_count; i++) {
        struct cli_value *value = &cli->values[i];
        char *seen = (char *)(uintptr_t)value->text;
        if (strcmp(value->option->name, "url") != 0 || strchr(seen, '@') == NULL)
            continue;
        free(cli->url);
        cli->url = strdup(seen);
        if (cli->url == NULL)
            return errinfo_set(err, STATUS_NO_MEMORY, "no memory for the command line");
        value->text = cli->url;
        memset(seen, '*', strlen(seen));
    }
    return STATUS_OK;
}

static void print_help(struct cli *cli)
{
    if (cli->command != NULL)
        help_command(cli->out, cli->family, cli->command);
    else
        help_overview(cli->out);
}

int cli_main(struct cli *cli, int argc, char **argv)
{
    // A reader that goes away early (`agog fetch ... | head`) is an error of the write, not a
    // death.
    signal(SIGPIPE, SIG_IGN);
    struct errinfo err;
    errinfo_clear(&err);
    bool help = false;
    enum status status = cli_parse(cli, argc, argv, &help, &err);
    if (status == STATUS_OK)
        status = hide_secrets(cli, &err);
    if (status == STATUS_OK && help)
        print_help(cli);
    else if (status == STATUS_OK)
        status = cli->command->run(cli, &err);
    hub_close(cli->hub);
    cli->hub = NULL;
    free(cli->url);
    cli->url = NULL;
    if (status == STATUS_OK)
        status = cli_flush(cli, &err);
    if (status != STATUS_OK) {
        fflush(cli->out);
        print_error(cli, status, &err);
    }
    return status_exit_code(status);
}
