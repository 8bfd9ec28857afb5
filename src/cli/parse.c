// SPDX-License-Identifier: Apache-2.0
// Reading the command line against the table. Options may stand anywhere behind the command's name,
// "--" ends them, "--name=value" and "--name value" are the same, an unambiguous beginning of a
// name is not accepted (a script must not break when an option is added).
#include "cli/cli.h"

#include "base/nearest.h"

#include <string.h>

const struct command *command_find(const struct command *const *table, size_t count,
                                   struct bytes name)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes_equal(bytes_of_string(table[i]->name), name))
            return table[i];
    }
    return NULL;
}

static enum status unknown_command(const struct command *const *table, size_t count,
                                   const char *family, const char *name, struct errinfo *err)
{
    struct nearest nearest;
    char hint[NEAREST_HINT_SIZE];
    char quoted[ERRINFO_QUOTED_MAX];
    nearest_init(&nearest, bytes_of_string(name));
    for (size_t i = 0; i < count; i++)
        nearest_offer(&nearest, bytes_of_string(table[i]->name));
    const char *blank = family[0] == '\0' ? "" : " ";
    return errinfo_set(err, STATUS_USAGE, "no command %s%s%s%s; see agog %s%s--help", family, blank,
                       errinfo_quote(bytes_of_string(name), quoted), nearest_hint(&nearest, hint),
                       family, blank);
}

static const struct option_spec *find_option(const struct option_spec *options, size_t count,
                                             struct bytes name, char letter)
{
    for (size_t i = 0; i < count; i++) {
        bool by_letter = letter != 0 && options[i].letter == letter;
        if (by_letter || (letter == 0 && bytes_equal(bytes_of_string(options[i].name), name)))
            return &options[i];
    }
    return NULL;
}

static const struct option_spec *lookup(const struct cli *cli, struct bytes name, char letter)
{
    const struct option_spec *option = NULL;
    if (cli->command != NULL)
        option = find_option(cli->command->options, cli->command->option_count, name, letter);
    if (option == NULL)
        option = find_option(command_global_options, command_global_option_count, name, letter);
    return option;
}

static enum status unknown_option(const struct cli *cli, struct bytes name, const char *word,
                                  struct errinfo *err)
{
    struct nearest nearest;
    char hint[NEAREST_HINT_SIZE];
    char quoted[ERRINFO_QUOTED_MAX];
    nearest_init(&nearest, name);
    for (size_t i = 0; cli->command != NULL && i < cli->command->option_count; i++)
        nearest_offer(&nearest, bytes_of_string(cli->command->options[i].name));
    for (size_t i = 0; i < command_global_option_count; i++)
        nearest_offer(&nearest, bytes_of_string(command_global_options[i].name));
    return errinfo_set(err, STATUS_USAGE, "no option %s%s; see agog %s%s%s --help",
                       errinfo_quote(bytes_of_string(word), quoted), nearest_hint(&nearest, hint),
                       cli->family == NULL ? "" : cli->family->name, cli->family == NULL ? "" : " ",
                       cli->command == NULL ? "" : cli->command->name);
}

struct words {
    int count;
    char **words;
    int at;
};

static enum status take_option(struct cli *cli, struct words *words, bool *help,
                               struct errinfo *err)
{
    const char *word = words->words[words->at++];
    struct bytes value = {NULL, 0};
    struct bytes name = {NULL, 0};
    char letter = 0;
    if (word[1] == '-')
        name = bytes_cut(bytes_of_string(word + 2), '=', &value);
    else
        letter = word[1];
    if (letter == 'h' || bytes_equal(name, BYTES("help"))) {
        *help = true;
        return STATUS_OK;
    }
    const struct option_spec *option = lookup(cli, name, letter);
    if (option == NULL || (letter != 0 && word[2] != '\0' && option->value == NULL))
        return unknown_option(cli, name, word, err);
    const char *text = letter != 0 && word[2] != '\0' ? word + 2 : value.data;
    if (option->value == NULL && text != NULL)
        return errinfo_set(err, STATUS_USAGE, "--%s takes no value", option->name);
    if (option->value != NULL && text == NULL) {
        if (words->at >= words->count)
            return errinfo_set(err, STATUS_USAGE, "--%s needs a value: --%s %s", option->name,
                               option->name, option->value);
        text = words->words[words->at++];
    }
    for (size_t i = 0; i < cli->value_count && !option->many; i++) {
        if (cli->values[i].option == option && option->value != NULL)
            return errinfo_set(err, STATUS_USAGE, "--%s was given twice", option->name);
    }
    if (cli->value_count == CLI_VALUES_MAX)
        return errinfo_set(err, STATUS_USAGE, "more than %d options", CLI_VALUES_MAX);
    cli->values[cli->value_count++] = (struct cli_value){option, text};
    return STATUS_OK;
}

static enum status take_argument(struct cli *cli, const char *word, struct errinfo *err)
{
    if (cli->command == NULL) {
        cli->command = command_find(command_table, command_table_count, bytes_of_string(word));
        if (cli->command == NULL)
            return unknown_command(command_table, command_table_count, "", word, err);
        return STATUS_OK;
    }
    if (cli->command->subcommand_count > 0) {
        const struct command *family = cli->command;
        const struct command *found = command_find(family->subcommands, family->subcommand_count,
                                                   bytes_of_string(word));
        if (found == NULL)
            return unknown_command(family->subcommands, family->subcommand_count, family->name,
                                   word, err);
        cli->family = family;
        cli->command = found;
        return STATUS_OK;
    }
    if (cli->argument_count == CLI_ARGUMENTS_MAX)
        return errinfo_set(err, STATUS_USAGE, "more than %d arguments", CLI_ARGUMENTS_MAX);
    cli->arguments[cli->argument_count++] = word;
    return STATUS_OK;
}

static enum status check_arguments(const struct cli *cli, struct errinfo *err)
{
    const struct command *command = cli->command;
    const char *family = cli->family == NULL ? "" : cli->family->name;
    const char *blank = cli->family == NULL ? "" : " ";
    if (cli->argument_count < (size_t)command->arguments_min)
        return errinfo_set(err, STATUS_USAGE, "too few arguments: agog %s%s%s %s", family, blank,
                           command->name, command->arguments);
    if (command->arguments_max >= 0 && cli->argument_count > (size_t)command->arguments_max) {
        char quoted[ERRINFO_QUOTED_MAX];
        const char *extra = cli->arguments[command->arguments_max];
        return errinfo_set(err, STATUS_USAGE, "one argument too many, %s: agog %s%s%s %s",
                           errinfo_quote(bytes_of_string(extra), quoted), family, blank,
                           command->name, command->arguments);
    }
    return STATUS_OK;
}

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0;
}

enum status cli_parse(struct cli *cli, int argc, char **argv, bool *help, struct errinfo *err)
{
    struct words words = {argc, argv, 1};
    bool options_ended = false;
    enum status status = STATUS_OK;
    if (argc <= 1)
        *help = true;
    while (status == STATUS_OK && words.at < words.count) {
        const char *word = words.words[words.at];
        if (cli->command != NULL && cli->command->own_options)
            options_ended = options_ended || !is_help(word);
        if (!options_ended && strcmp(word, "--") == 0) {
            options_ended = true;
            words.at++;
        } else if (!options_ended && word[0] == '-' && word[1] != '\0') {
            status = take_option(cli, &words, help, err);
        } else {
            words.at++;
            status = take_argument(cli, word, err);
        }
    }
    cli->json = cli_switch(cli, "json");
    if (status != STATUS_OK || *help)
        return status;
    if (cli->command == NULL)
        return errinfo_set(err, STATUS_USAGE, "no command given; see agog --help");
    if (cli->command->subcommand_count > 0)
        return errinfo_set(err, STATUS_USAGE, "agog %s needs a subcommand; see agog %s --help",
                           cli->command->name, cli->command->name);
    return check_arguments(cli, err);
}
