// SPDX-License-Identifier: Apache-2.0
#include "cli/help.h"

static void print_options(FILE *out, const struct option_spec *options, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char left[80];
        char letter[8] = "    ";
        if (options[i].letter != 0)
            snprintf(letter, sizeof letter, "-%c, ", options[i].letter);
        snprintf(left, sizeof left, "%s--%s%s%s", letter, options[i].name,
                 options[i].value == NULL ? "" : " ",
                 options[i].value == NULL ? "" : options[i].value);
        fprintf(out, "  %-28s %s%s\n", left, options[i].help,
                options[i].many ? " (may be repeated)" : "");
    }
}

static void print_commands(FILE *out, const struct command *const *table, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fprintf(out, "  %-12s %s\n", table[i]->name, table[i]->summary);
}

void help_overview(FILE *out)
{
    fputs("agog: hand work from one AI agent to the next for 200 tokens.\n"
          "\n"
          "An agent publishes its full report once, durably; a tiny notice travels on; whoever "
          "needs\n"
          "the report fetches what it needs.\n"
          "\n"
          "  $ agog publish cynthia research customer-search report.md\n"
          "  $ agog fetch cynthia/research/customer-search\n"
          "\n"
          "Usage: agog COMMAND [ARGUMENT...] [OPTION...]\n"
          "\n"
          "Commands:\n",
          out);
    print_commands(out, command_table, command_table_count);
    fputs("\nOptions of every command:\n", out);
    print_options(out, command_global_options, command_global_option_count);
    fputs("\nExit codes:\n", out);
    for (size_t i = 0; i < command_exit_code_count; i++)
        fprintf(out, "  %-3d %s\n", command_exit_codes[i].code, command_exit_codes[i].meaning);
    fputs("\n`agog COMMAND --help` says more, with examples.\n", out);
}

static void print_usage(FILE *out, const struct command *family, const struct command *command)
{
    fprintf(out, "Usage: agog %s%s%s", family == NULL ? "" : family->name,
            family == NULL ? "" : " ", command->name);
    if (command->subcommand_count > 0)
        fputs(" SUBCOMMAND", out);
    if (command->arguments[0] != '\0')
        fprintf(out, " %s", command->arguments);
    fputs(command->option_count > 0 ? " [OPTION...]\n" : "\n", out);
}

void help_command(FILE *out, const struct command *family, const struct command *command)
{
    print_usage(out, family, command);
    fprintf(out, "\n%s.\n", command->summary);
    if (command->description != NULL)
        fprintf(out, "\n%s\n", command->description);
    if (command->subcommand_count > 0) {
        fputs("\nSubcommands:\n", out);
        print_commands(out, command->subcommands, command->subcommand_count);
    }
    if (command->option_count > 0) {
        fputs("\nOptions:\n", out);
        print_options(out, command->options, command->option_count);
    }
    fputs("\nOptions of every command:\n", out);
    print_options(out, command_global_options, command_global_option_count);
    fprintf(out, "\nExamples:\n%s\n", command->examples);
}

// Text for roff: backslashes and hyphens are escaped, a leading dot or quote is protected, and each
// line of the source stays a line.
static void print_roff(FILE *out, const char *text)
{
    bool line_start = true;
    for (const char *at = text; *at != '\0'; at++) {
        if (line_start && (*at == '.' || *at == '\''))
            fputs("\\&", out);
        if (*at == '\\')
            fputs("\\e", out);
        else if (*at == '-')
            fputs("\\-", out);
        else
            fputc(*at, out);
        line_start = *at == '\n';
    }
}

static void man_options(FILE *out, const struct option_spec *options, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        fputs(".TP\n.B ", out);
        if (options[i].letter != 0)
            fprintf(out, "\\-%c, ", options[i].letter);
        fputs("\\-\\-", out);
        print_roff(out, options[i].name);
        if (options[i].value != NULL)
            fprintf(out, " \\fI%s\\fR", options[i].value);
        fputc('\n', out);
        print_roff(out, options[i].help);
        fputs(options[i].many ? "; may be repeated.\n" : ".\n", out);
    }
}

static void man_command(FILE *out, const struct command *family, const struct command *command)
{
    fprintf(out, ".SS agog %s%s%s ", family == NULL ? "" : family->name, family == NULL ? "" : " ",
            command->name);
    print_roff(out, command->arguments);
    fputc('\n', out);
    print_roff(out, command->summary);
    fputs(".\n", out);
    if (command->description != NULL) {
        fputs(".PP\n.nf\n", out);
        print_roff(out, command->description);
        fputs("\n.fi\n", out);
    }
    man_options(out, command->options, command->option_count);
    fputs(".PP\n.nf\n", out);
    print_roff(out, command->examples);
    fputs("\n.fi\n", out);
    for (size_t i = 0; i < command->subcommand_count; i++) {
        const struct command *sub = command->subcommands[i];
        fprintf(out, ".SS agog %s %s ", command->name, sub->name);
        print_roff(out, sub->arguments);
        fputc('\n', out);
        print_roff(out, sub->summary);
        fputs(".\n", out);
        man_options(out, sub->options, sub->option_count);
        fputs(".PP\n.nf\n", out);
        print_roff(out, sub->examples);
        fputs("\n.fi\n", out);
    }
}

void help_man_page(FILE *out)
{
    fputs(
        ".TH AGOG 1 \"\" \"agog " AGOG_VERSION "\" \"User Commands\"\n"
        ".SH NAME\nagog \\- hand work from one AI agent to the next for 200 tokens\n"
        ".SH SYNOPSIS\n.B agog\n.I COMMAND\n[\\fIARGUMENT\\fR...] [\\fIOPTION\\fR...]\n"
        ".SH DESCRIPTION\n"
        "An agent publishes its full report once, durably. A notice of at most 200 tokens travels\n"
        "on, and whoever needs the report fetches what it needs. Everything is kept in one\n"
        "directory; nothing else has to run. The same commands work on a NATS server.\n"
        ".SH OPTIONS OF EVERY COMMAND\n",
        out);
    man_options(out, command_global_options, command_global_option_count);
    fputs(".SH COMMANDS\n", out);
    for (size_t i = 0; i < command_table_count; i++)
        man_command(out, NULL, command_table[i]);
    fputs(".SH EXIT STATUS\n", out);
    for (size_t i = 0; i < command_exit_code_count; i++)
        fprintf(out, ".TP\n.B %d\n%s.\n", command_exit_codes[i].code,
                command_exit_codes[i].meaning);
    fputs(".SH ENVIRONMENT\n"
          ".TP\n.B AGOG_HOME\nThe directory of the store, unless \\-\\-home is given.\n"
          ".TP\n.B NATS_URL\nThe NATS server to work on instead of a store, unless \\-\\-url,\n"
          "\\-\\-context or \\-\\-home is given.\n"
          ".TP\n.B NATS_USER NATS_PASSWORD NATS_TOKEN NATS_CREDS NATS_NKEY\nThe login there.\n"
          ".TP\n.B NATS_CA NATS_CERT NATS_KEY\nCertificates for TLS, as PEM files.\n"
          ".TP\n.B XDG_CACHE_HOME\nWhere the search index of a NATS server's reports is kept.\n"
          ".TP\n.B AGOG_AGENT\nWho is asking, unless \\-\\-as is given.\n"
          ".SH FILES\n"
          ".TP\n.I .agog\nThe store of the nearest directory above that has one, else\n"
          ".IR ~/.agog .\n"
          ".TP\n.I .agog/catalog\nThe index that agog search makes. It may be deleted.\n"
          ".TP\n.I ~/.cache/agog\nThe same for NATS servers, unless XDG_CACHE_HOME is set.\n"
          ".TP\n.I ~/.config/nats/context\nWhat \\-\\-context names.\n",
          out);
}

static void print_words(FILE *out, const struct command *const *table, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s%s", i == 0 ? "" : " ", table[i]->name);
}

static void print_option_words(FILE *out, const struct command *command)
{
    for (size_t i = 0; i < command->option_count; i++)
        fprintf(out, "--%s ", command->options[i].name);
    for (size_t i = 0; i < command_global_option_count; i++)
        fprintf(out, "--%s ", command_global_options[i].name);
    fputs("--help", out);
}

static void completion_bash(FILE *out)
{
    fputs("_agog() {\n"
          "    local current=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]}\n"
          "    local words=\"\"\n"
          "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
          "        words=\"",
          out);
    print_words(out, command_table, command_table_count);
    fputs("\"\n    else case $command in\n", out);
    for (size_t i = 0; i < command_table_count; i++) {
        const struct command *command = command_table[i];
        fprintf(out, "        %s) words=\"", command->name);
        print_words(out, command->subcommands, command->subcommand_count);
        fputs(command->subcommand_count > 0 ? " " : "", out);
        print_option_words(out, command);
        fputs("\" ;;\n", out);
    }
    fputs("        esac\n"
          "    fi\n"
          "    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
          "    [ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- \"$current\"))\n"
          "}\n"
          "complete -o filenames -F _agog agog\n",
          out);
}

// Text inside single quotes of a shell.
static void print_quoted(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            fputs("'\\''", out);
        else
            fputc(*text, out);
    }
}

static void completion_zsh(FILE *out)
{
    fputs("#compdef agog\n"
          "_agog() {\n"
          "    if (( CURRENT == 2 )); then\n"
          "        local -a commands\n"
          "        commands=(\n",
          out);
    for (size_t i = 0; i < command_table_count; i++) {
        fprintf(out, "            '%s:", command_table[i]->name);
        print_quoted(out, command_table[i]->summary);
        fputs("'\n", out);
    }
    fputs("        )\n        _describe command commands\n        return\n    fi\n"
          "    case $words[2] in\n",
          out);
    for (size_t i = 0; i < command_table_count; i++) {
        const struct command *command = command_table[i];
        fprintf(out, "        %s) compadd -- ", command->name);
        print_words(out, command->subcommands, command->subcommand_count);
        fputs(command->subcommand_count > 0 ? " " : "", out);
        print_option_words(out, command);
        fputs(" ;;\n", out);
    }
    fputs("    esac\n    _files\n}\ncompdef _agog agog\n", out);
}

static void completion_fish(FILE *out)
{
    fputs("complete -c agog -n __fish_use_subcommand -f\n", out);
    for (size_t i = 0; i < command_table_count; i++) {
        const struct command *command = command_table[i];
        fprintf(out, "complete -c agog -n __fish_use_subcommand -f -a %s -d '", command->name);
        print_quoted(out, command->summary);
        fputs("'\n", out);
        for (size_t j = 0; j < command->subcommand_count; j++) {
            fprintf(out, "complete -c agog -n '__fish_seen_subcommand_from %s' -a %s -d '",
                    command->name, command->subcommands[j]->name);
            print_quoted(out, command->subcommands[j]->summary);
            fputs("'\n", out);
        }
        for (size_t j = 0; j < command->option_count; j++) {
            fprintf(out, "complete -c agog -n '__fish_seen_subcommand_from %s' -l %s -d '",
                    command->name, command->options[j].name);
            print_quoted(out, command->options[j].help);
            fputs("'\n", out);
        }
    }
}

enum status help_completion(FILE *out, struct bytes shell, struct errinfo *err)
{
    if (bytes_equal(shell, BYTES("bash")))
        completion_bash(out);
    else if (bytes_equal(shell, BYTES("zsh")))
        completion_zsh(out);
    else if (bytes_equal(shell, BYTES("fish")))
        completion_fish(out);
    else {
        char quoted[ERRINFO_QUOTED_MAX];
        return errinfo_set(err, STATUS_USAGE,
                           "no completion for %s; there is one for bash, zsh, fish",
                           errinfo_quote(shell, quoted));
    }
    return STATUS_OK;
}
