// SPDX-License-Identifier: Apache-2.0
// One invocation of the program: what was asked for, where output goes, and the hub it works on.
//
// stdout carries the answer and nothing else; everything for people beside it (hints, what was left
// out, progress) goes to stderr. With --json stdout is one JSON document or JSON lines.
#pragma once

#include "api/hub.h"
#include "cli/command.h"

#include <jansson.h>
#include <stdio.h>

enum { CLI_VALUES_MAX = 128, CLI_ARGUMENTS_MAX = 4096 };

struct cli_value {
    const struct option_spec *option;
    const char *text; // NULL for a switch
};

struct cli {
    FILE *in;
    FILE *out;
    FILE *err;
    const struct command *command; // the one to run, a subcommand where there is a family
    const struct command *family;  // NULL when the command has none
    struct cli_value values[CLI_VALUES_MAX];
    size_t value_count;
    const char *arguments[CLI_ARGUMENTS_MAX];
    size_t argument_count;
    bool json;
    char *url;       // --url, when it had to be hidden
    struct hub *hub; // opened by cli_hub
};

// Reads the command line. STATUS_USAGE with the nearest name and where to find help. When help was
// asked for, *help is set and the command (or none) says of what.
enum status cli_parse(struct cli *cli, int argc, char **argv, bool *help, struct errinfo *err);

// Runs a whole invocation and returns the exit code.
int cli_main(struct cli *cli, int argc, char **argv);

// What was given for an option of the command: the last value, or NULL.
const char *cli_option(const struct cli *cli, const char *name);
bool cli_switch(const struct cli *cli, const char *name);
// The next value of an option that may be given often: start with *at 0; NULL when there are no
// more.
const char *cli_option_next(const struct cli *cli, const char *name, size_t *at);

// Numbers and times out of options: *value is untouched when the option was not given.
enum status cli_option_u64(const struct cli *cli, const char *name, uint64_t *value,
                           struct errinfo *err);
enum status cli_option_size(const struct cli *cli, const char *name, int64_t *bytes,
                            struct errinfo *err); // "10MiB", "1GB", "4096"
enum status cli_option_duration(const struct cli *cli, const char *name, int64_t *ns,
                                struct errinfo *err); // "7d", "90s", "2m30s"

// An argument as bytes; empty when it was not given.
struct bytes cli_argument(const struct cli *cli, size_t index);

// The hub, opened at the first call and closed by cli_main.
enum status cli_hub(struct cli *cli, struct hub **hub, struct errinfo *err);

// Takes over the document and prints it on one line, or indented when stdout is a terminal.
enum status cli_print_json(struct cli *cli, json_t *document, struct errinfo *err);

// Writes all of it to stdout; STATUS_IO when stdout does not take it.
enum status cli_write(struct cli *cli, struct bytes text, struct errinfo *err);
enum status cli_flush(struct cli *cli, struct errinfo *err);

// Whether stdout is read by a person.
bool cli_is_terminal(const struct cli *cli);

// Reads a file, or standard input for "-", of at most max bytes; the error names file and limit.
enum status cli_read_file(struct cli *cli, const char *path, size_t max, struct buf *out,
                          struct errinfo *err);
