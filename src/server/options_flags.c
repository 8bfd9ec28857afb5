// SPDX-License-Identifier: Apache-2.0
// Flags as nats-server takes them: one or two dashes, the value behind "=" or in the next argument,
// a switch also as -D=false. Flags are walked twice: for -c and the like, then, after the file, for
// the settings, which so beat it.
#include "base/nearest.h"
#include "server/options_inside.h"

#include <stdio.h>
#include <string.h>

// What is no setting.
enum flag_kind {
    FLAG_CONFIG,
    FLAG_TEST,
    FLAG_HELP,
    FLAG_VERSION,
    FLAG_DEBUG_TRACE,
    FLAG_VERBOSE,
    FLAG_DEBUG_VERBOSE,
    FLAG_SIGNAL
};

struct flag_spec {
    const char *names;
    const char *value;
    const char *help;
    enum flag_kind kind;
    enum options_group group; // the heading below which it is shown
};

static const struct flag_spec specs[] = {
    {"c config", "FILE", "Configuration file", FLAG_CONFIG, OPTIONS_GROUP_SERVER},
    {"t", NULL, "Test the configuration and exit", FLAG_TEST, OPTIONS_GROUP_SERVER},
    {"h help", NULL, "Show this help", FLAG_HELP, OPTIONS_GROUP_SERVER},
    {"v version", NULL, "Show the version", FLAG_VERSION, OPTIONS_GROUP_SERVER},
    {"DV", NULL, "Debug and trace", FLAG_DEBUG_TRACE, OPTIONS_GROUP_LOGGING},
    {"VV", NULL, "Trace, the system account too", FLAG_VERBOSE, OPTIONS_GROUP_LOGGING},
    {"DVV", NULL, "Debug and trace, the system account too", FLAG_DEBUG_VERBOSE,
     OPTIONS_GROUP_LOGGING},
    {"sl signal", "SIGNAL", NULL, FLAG_SIGNAL, OPTIONS_GROUP_NONE},
};

enum { SPEC_COUNT = sizeof specs / sizeof specs[0] };

struct flag {
    char name[64];
    const struct flag_spec *spec; // one of these two
    const struct option_setting *setting;
    const char *value; // "true" for a switch without one
};

struct walk {
    int count;
    const char *const *arguments;
    int at;
};

static enum status unknown_flag(struct bytes name, struct errinfo *err)
{
    struct nearest nearest;
    char quote[ERRINFO_QUOTED_MAX];
    char hint[NEAREST_HINT_SIZE];
    struct bytes word;
    nearest_init(&nearest, name);
    for (size_t i = 0; i < option_setting_count; i++) {
        struct bytes rest = bytes_of_string(option_settings[i].flags);
        while (option_settings[i].type != OPTION_UNSUPPORTED && options_next_word(&rest, &word))
            nearest_offer(&nearest, word);
    }
    for (size_t i = 0; i < SPEC_COUNT; i++) {
        struct bytes rest = bytes_of_string(specs[i].names);
        while (options_next_word(&rest, &word))
            nearest_offer(&nearest, word);
    }
    return errinfo_set(err, STATUS_USAGE, "unknown flag %s%s; -h shows all",
                       errinfo_quote(name, quote), nearest_hint(&nearest, hint));
}

static const struct flag_spec *find_spec(struct bytes name)
{
    for (size_t i = 0; i < SPEC_COUNT; i++) {
        if (options_is_word(specs[i].names, name))
            return &specs[i];
    }
    return NULL;
}

// The next flag; *flag has neither spec nor setting at the end.
static enum status next_flag(struct walk *walk, struct flag *flag, struct errinfo *err)
{
    char quote[ERRINFO_QUOTED_MAX];
    *flag = (struct flag){.spec = NULL};
    if (walk->at >= walk->count)
        return STATUS_OK;
    struct bytes word = bytes_of_string(walk->arguments[walk->at++]);
    if (bytes_equal(word, BYTES("help")) || bytes_equal(word, BYTES("version")))
        word = bytes_equal(word, BYTES("help")) ? BYTES("-h") : BYTES("-v");
    if (word.size < 2 || word.data[0] != '-' || bytes_equal(word, BYTES("--")))
        return errinfo_set(err, STATUS_USAGE, "unrecognized argument %s; -h shows the flags",
                           errinfo_quote(word, quote));
    struct bytes value;
    struct bytes name = bytes_cut(bytes_from(word, word.data[1] == '-' ? 2 : 1), '=', &value);
    flag->spec = find_spec(name);
    flag->setting = flag->spec == NULL ? options_find_flag(name) : NULL;
    if ((flag->spec == NULL && flag->setting == NULL) || name.size >= sizeof flag->name)
        return unknown_flag(name, err);
    memcpy(flag->name, name.data, name.size);
    const char *wanted = flag->spec != NULL ? flag->spec->value : flag->setting->value;
    bool unsupported = flag->setting != NULL && flag->setting->type == OPTION_UNSUPPORTED;
    flag->value = value.data;
    if (unsupported && !bytes_equal(value, BYTES("false")))
        return errinfo_set(err, STATUS_USAGE, "not supported by this version: --%s", flag->name);
    if (flag->value == NULL && wanted == NULL)
        flag->value = "true";
    else if (flag->value == NULL && walk->at == walk->count)
        return errinfo_set(err, STATUS_USAGE, "flag needs a value: %s%s %s", options_dashes(name),
                           flag->name, wanted);
    else if (flag->value == NULL)
        flag->value = walk->arguments[walk->at++];
    return STATUS_OK;
}

// The first walk. ------------------------------------------------------------------------------

static enum status find_action(struct walk walk, const char **config, enum options_action *action,
                               struct errinfo *err)
{
    struct flag flag;
    *action = OPTIONS_RUN;
    for (;;) {
        enum status status = next_flag(&walk, &flag, err);
        if (status != STATUS_OK)
            return status;
        if (flag.spec == NULL && flag.setting == NULL)
            return STATUS_OK;
        if (flag.spec == NULL)
            continue;
        if (flag.spec->kind == FLAG_CONFIG)
            *config = flag.value;
        else if (flag.spec->kind == FLAG_SIGNAL)
            return errinfo_set(err, STATUS_USAGE,
                               "not supported by this version: -%s; send the signal with kill: "
                               "TERM stops, HUP reloads, USR1 reopens the log, USR2 is lame duck",
                               flag.name);
        else if (flag.spec->kind == FLAG_TEST && *action == OPTIONS_RUN)
            *action = OPTIONS_TEST;
        else if (flag.spec->kind == FLAG_HELP)
            *action = OPTIONS_HELP;
        else if (flag.spec->kind == FLAG_VERSION && *action != OPTIONS_HELP)
            *action = OPTIONS_VERSION;
    }
}

// The second walk. -----------------------------------------------------------------------------

static enum status set_levels(struct server_options *options, const struct flag *flag,
                              struct errinfo *err)
{
    bool debug = flag->spec->kind != FLAG_VERBOSE;
    bool verbose = flag->spec->kind != FLAG_DEBUG_TRACE;
    enum status status = options_set(options, "trace", flag->value, err);
    if (status == STATUS_OK && debug)
        status = options_set(options, "debug", flag->value, err);
    if (status == STATUS_OK && verbose)
        status = options_set(options, "trace_verbose", flag->value, err);
    return status;
}

static enum status apply_flags(struct server_options *options, struct walk walk,
                               struct errinfo *err)
{
    struct flag flag;
    for (;;) {
        enum status status = next_flag(&walk, &flag, err);
        if (status != STATUS_OK || (flag.spec == NULL && flag.setting == NULL))
            return status;
        if (flag.setting != NULL)
            status = options_store_text(options, flag.setting, flag.name, flag.value, err);
        else if (flag.spec->kind >= FLAG_DEBUG_TRACE && flag.spec->kind <= FLAG_DEBUG_VERBOSE)
            status = set_levels(options, &flag, err);
        if (status != STATUS_OK)
            return status == STATUS_INVALID ? STATUS_USAGE : status;
    }
}

// Loading. -------------------------------------------------------------------------------------

// The system account's name decides what an account's block means, wherever it stands.
static enum status apply_file(struct server_options *options, const struct conf_value *root,
                              struct errinfo *err)
{
    static const char *const names[] = {"system", "system_account"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct conf_value *value = conf_find(root, bytes_of_string(names[i]));
        enum status status = value == NULL ? STATUS_OK
                                           : options_text(options, value, value->key,
                                                          &options->system_account, err);
        if (status != STATUS_OK)
            return status;
    }
    return options_file_block(options, OPTIONS_TOP, root, err);
}

static enum status load_file(struct server_options *options, const char *path,
                             const struct options_outside *outside, struct errinfo *err)
{
    struct conf conf;
    struct buf text;
    buf_init(&text, CONF_TEXT_MAX);
    enum status status = outside->read(outside->context, path, &text, err);
    if (status == STATUS_OK && buf_status(&text) != STATUS_OK)
        status = errinfo_set(err, buf_status(&text), "it has more than %d bytes", CONF_TEXT_MAX);
    if (status != STATUS_OK)
        errinfo_wrap(err, status, "configuration file %s", path);
    struct conf_input input = {.text = buf_bytes(&text),
                               .file = path,
                               .context = outside->context,
                               .include = outside->read,
                               .environment = outside->environment};
    if (status == STATUS_OK)
        status = conf_parse(&input, &conf, err);
    buf_fini(&text);
    if (status != STATUS_OK)
        return status;
    status = apply_file(options, &conf.root, err);
    conf_fini(&conf);
    return status;
}

static enum status load(struct server_options *options, struct walk walk, const char *config,
                        const struct options_outside *outside, struct errinfo *err)
{
    enum status status = STATUS_OK;
    if (config != NULL) {
        struct bytes copy = arena_copy(&options->arena, bytes_of_string(config));
        if (copy.data == NULL)
            return errinfo_set(err, STATUS_NO_MEMORY, "no memory for the settings");
        options->config_file = copy.data;
        status = load_file(options, copy.data, outside, err);
    }
    if (status == STATUS_OK)
        status = apply_flags(options, walk, err);
    if (status != STATUS_OK)
        return status;
    options->trace = options->trace || options->trace_verbose || options->trace_headers;
    status = options_check(options, err);
    if (status != STATUS_OK && config != NULL)
        errinfo_wrap(err, status, "%s", config);
    return status;
}

enum status options_load(int argument_count, const char *const *arguments,
                         const struct options_outside *outside, struct server_options **options,
                         enum options_action *action, struct errinfo *err)
{
    struct walk walk = {.count = argument_count, .arguments = arguments};
    const char *config = NULL;
    enum options_action found;
    enum status status = find_action(walk, &config, &found, err);
    if (status != STATUS_OK)
        return status;
    if (found == OPTIONS_TEST && config == NULL)
        return errinfo_set(err, STATUS_USAGE,
                           "-t tests a configuration file: name it with -c FILE");
    struct server_options *made = server_options_new();
    if (made == NULL)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory for the settings");
    if (found == OPTIONS_RUN || found == OPTIONS_TEST)
        status = load(made, walk, config, outside, err);
    if (status != STATUS_OK) {
        server_options_free(made);
        return status;
    }
    *options = made;
    *action = found;
    return STATUS_OK;
}

// Help. ----------------------------------------------------------------------------------------

static const char *const titles[OPTIONS_GROUP_COUNT] = {
    [OPTIONS_GROUP_SERVER] = "Server",
    [OPTIONS_GROUP_LIMITS] = "Limits",
    [OPTIONS_GROUP_LOGGING] = "Logging",
    [OPTIONS_GROUP_JETSTREAM] = "JetStream",
    [OPTIONS_GROUP_AUTHORIZATION] = "Authorization",
};

// "    -p, --port PORT          What it is": short names with one dash, long ones with two.
static void put_flag(struct buf *out, const char *names, const char *value, const char *help)
{
    enum { HELP_COLUMN = 37 };
    struct bytes rest = bytes_of_string(names);
    struct bytes name;
    size_t start = out->size;
    bool first = true;
    buf_append_string(out, "    ");
    while (options_next_word(&rest, &name)) {
        buf_printf(out, "%s%s%.*s", first ? "" : ", ", options_dashes(name), BYTES_ARG(name));
        first = false;
    }
    if (value != NULL)
        buf_printf(out, " %s", value);
    size_t size = out->size - start;
    if (size + 1 > HELP_COLUMN) {
        buf_append_byte(out, '\n');
        size = 0;
    }
    buf_printf(out, "%*s%s\n", (int)(HELP_COLUMN - size), "", help);
}

void options_help(struct buf *out)
{
    for (int group = OPTIONS_GROUP_SERVER; group < OPTIONS_GROUP_COUNT; group++) {
        buf_printf(out, "%s%s:\n", group == OPTIONS_GROUP_SERVER ? "" : "\n", titles[group]);
        for (size_t i = 0; i < option_setting_count; i++) {
            const struct option_setting *setting = &option_settings[i];
            if ((int)setting->group == group)
                put_flag(out, setting->flags, setting->value, setting->help);
        }
        for (size_t i = 0; i < SPEC_COUNT; i++) {
            if ((int)specs[i].group == group)
                put_flag(out, specs[i].names, specs[i].value, specs[i].help);
        }
    }
}

void options_help_keys(struct buf *out)
{
    static const char *const sections[OPTIONS_SECTION_COUNT] = {
        [OPTIONS_TOP] = "",
        [OPTIONS_AUTHORIZATION] = "authorization.",
        [OPTIONS_JETSTREAM] = "jetstream.",
        [OPTIONS_LIMITS] = "jetstream.limits.",
        [OPTIONS_BATCH] = "jetstream.limits.batch.",
    };
    for (size_t i = 0; i < option_setting_count; i++) {
        const struct option_setting *setting = &option_settings[i];
        buf_printf(out, "%s%s", sections[setting->section], setting->key);
        if (setting->aliases != NULL)
            buf_printf(out, " (%s)", setting->aliases);
        buf_printf(out, ": %s%s\n", setting->help, setting->fixed ? " (not by reload)" : "");
    }
}

void options_varz(const struct server_options *options, struct buf *out)
{
    for (size_t i = 0; i < option_setting_count; i++) {
        if (option_settings[i].varz == NULL)
            continue;
        buf_printf(out, ",\"%s\":", option_settings[i].varz);
        options_put_json(options, &option_settings[i], out);
    }
}

void options_version(const char *nats_version, const char *agog_version, struct buf *out)
{
    buf_printf(out, "nats-server: v%s (agog %s)", nats_version, agog_version);
}
