// SPDX-License-Identifier: Apache-2.0
// A command is one file cmd_<name>.c and one row in commands.c. The row's descriptor is all there
// is to say about it: parsing, --help, the man page and shell completion are made from it.
#pragma once

#include "base/errinfo.h"

struct cli;

// One option. Long names only, but for the few letters that every user expects.
struct option_spec {
    const char *name;  // without the dashes
    const char *value; // what the value is called in help ("FILE"), NULL for a switch
    const char *help;  // one line, no full stop
    char letter;       // 0 when there is none
    bool many;         // may be given more than once
};

struct command {
    const char *name;
    const char *arguments;   // "AGENT TYPE FEATURE [FILE|-]", "" for none
    const char *summary;     // one line, no full stop
    const char *description; // paragraphs for --help and the man page, may be NULL
    const char *examples;    // lines "$ agog ...", at least one
    const struct option_spec *options;
    size_t option_count;
    int arguments_min;
    int arguments_max; // -1 is without limit
    bool own_options;  // every word behind the name is an argument, which the command reads itself
    enum status (*run)(struct cli *cli, struct errinfo *err);
    // A family of commands ("agog kv get") has these instead of run.
    const struct command *const *subcommands;
    size_t subcommand_count;
};

// The options that every command takes.
extern const struct option_spec command_global_options[];
extern const size_t command_global_option_count;

// The table, in the order of `agog --help`.
extern const struct command *const command_table[];
extern const size_t command_table_count;

// Finds a command by name; NULL when there is none.
const struct command *command_find(const struct command *const *table, size_t count,
                                   struct bytes name);

// The exit codes with their meaning, for help and the man page.
struct command_exit_code {
    int code;
    const char *meaning;
};
extern const struct command_exit_code command_exit_codes[];
extern const size_t command_exit_code_count;
