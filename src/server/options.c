// SPDX-License-Identifier: Apache-2.0
#include "base/nearest.h"
#include "server/options_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTIONS_BYTES_MAX = 64 * 1024 * 1024 };

#define SECONDS INT64_C(1000000000)

struct server_options *server_options_new(void)
{
    struct server_options *options = calloc(1, sizeof *options);
    if (options == NULL)
        return NULL;
    *options = (struct server_options){
        .host = OPTIONS_HOST_DEFAULT,
        .port = 4222,
        .http_base_path = OPTIONS_BASE_PATH_DEFAULT,
        .max_payload = INT64_C(16) * 1024 * 1024,
        .max_control_line = 4096,
        .max_pending = UINT64_C(64) * 1024 * 1024,
        .max_connections = INT64_C(64) * 1024,
        .max_closed_clients = 10000,
        .ping_interval_ns = 120 * SECONDS,
        .ping_max = 2,
        .write_deadline_ns = 10 * SECONDS,
        .lame_duck_duration_ns = 120 * SECONDS,
        .lame_duck_grace_ns = 10 * SECONDS,
        .logtime = true,
        .jetstream_strict = true,
        .max_memory_store = -1,
        .max_file_store = -1,
        .sync_interval_ns = 120 * SECONDS,
        .request_queue_limit = 10000,
        .info_queue_limit = 10000,
        .auth_timeout_ns = 2 * SECONDS,
        .lock_wait_ms = 1000,
    };
    arena_init(&options->arena, OPTIONS_BYTES_MAX);
    return options;
}

void server_options_free(struct server_options *options)
{
    if (options == NULL)
        return;
    arena_fini(&options->arena);
    free(options);
}

void *options_alloc(struct server_options *options, size_t size, enum status *status,
                    struct errinfo *err)
{
    void *piece = arena_alloc(&options->arena, size);
    *status = STATUS_OK;
    if (piece == NULL && arena_full(&options->arena, size))
        *status = errinfo_set(err, STATUS_LIMIT, "the settings take more than %d bytes",
                              OPTIONS_BYTES_MAX);
    else if (piece == NULL)
        *status = errinfo_set(err, STATUS_NO_MEMORY, "no memory for the settings");
    return piece;
}

// The row with this key, wherever it stands; the first one is the one with a flag.
static const struct option_setting *find(const char *key)
{
    for (int section = 0; section < OPTIONS_SECTION_COUNT; section++) {
        const struct option_setting *found = options_find_key((enum options_section)section,
                                                              bytes_of_string(key));
        if (found != NULL)
            return found;
    }
    return NULL;
}

bool options_given(const struct server_options *options, const char *key)
{
    // A setting that has two rows was given when either was.
    for (size_t i = 0; i < option_setting_count; i++) {
        if (options->given[i] && strcmp(option_settings[i].key, key) == 0)
            return true;
    }
    return false;
}

enum status options_set(struct server_options *options, const char *key, const char *text,
                        struct errinfo *err)
{
    const struct option_setting *setting = find(key);
    if (setting == NULL)
        return errinfo_set(err, STATUS_USAGE, "there is no setting %s", key);
    return options_store_text(options, setting, key, text, err);
}

static enum status check_login(const struct server_options *options, struct errinfo *err)
{
    bool one = options->user != NULL || options->password != NULL;
    char quote[ERRINFO_QUOTED_MAX];
    if (one && options->token != NULL)
        return errinfo_set(err, STATUS_INVALID, "cannot have a user and password and a token");
    // A password alone is no user: it may be a variable, PASS, that users share.
    if (options->users_given && options->user != NULL)
        return errinfo_set(err, STATUS_INVALID,
                           "cannot have a single user and password and a list of users");
    if (options->users_given && options->token != NULL)
        return errinfo_set(err, STATUS_INVALID, "cannot have a token and a list of users");
    if (options->no_auth_user == NULL)
        return STATUS_OK;
    errinfo_quote(bytes_of_string(options->no_auth_user), quote);
    if (!options->users_given)
        return errinfo_set(err, STATUS_INVALID,
                           "no_auth_user: %s present, but users are not defined", quote);
    for (size_t i = 0; i < options->user_count; i++) {
        if (strcmp(options->users[i].name, options->no_auth_user) == 0)
            return STATUS_OK;
    }
    return errinfo_set(err, STATUS_INVALID,
                       "no_auth_user: %s is none of the users in authorization or accounts", quote);
}

enum status options_check(const struct server_options *options, struct errinfo *err)
{
    if (options->server_name != NULL && strpbrk(options->server_name, " \t\r\n") != NULL)
        return errinfo_set(err, STATUS_INVALID, "server name cannot contain spaces");
    if ((uint64_t)options->max_payload > options->max_pending)
        return errinfo_set(
            err, STATUS_INVALID, "max_payload (%lld) cannot be higher than max_pending (%llu)",
            (long long)options->max_payload, (unsigned long long)options->max_pending);
    if (options->lame_duck_grace_ns >= options->lame_duck_duration_ns)
        return errinfo_set(err, STATUS_INVALID,
                           "lame_duck_grace_period should be strictly lower than "
                           "lame_duck_duration");
    return check_login(options, err);
}

enum status options_unknown(const struct conf_value *value, const struct nearest *nearest,
                            struct errinfo *err)
{
    char quote[ERRINFO_QUOTED_MAX];
    char hint[NEAREST_HINT_SIZE];
    return conf_error(&value->place, STATUS_INVALID, err, "unknown field %s%s",
                      errinfo_quote(value->key, quote), nearest_hint(nearest, hint));
}

// A setting that may stand in two places has two rows; the first one speaks for both.
static bool is_second_row(const struct option_setting *setting)
{
    const struct option_setting *first = find(setting->key);
    return first != setting && first->type == setting->type && first->offset == setting->offset;
}

static const char *refused_names(const struct options_changes *changes, char *out, size_t room)
{
    size_t size = 0;
    out[0] = '\0';
    for (size_t i = 0; i < changes->refused_count && size < room - 1; i++) {
        int more = snprintf(out + size, room - size, "%s%s", i == 0 ? "" : ", ",
                            changes->refused[i]);
        size += (size_t)more;
    }
    return out;
}

enum status options_reload(const struct server_options *old, const struct server_options *fresh,
                           struct options_changes *changes, struct errinfo *err)
{
    *changes = (struct options_changes){.changed_count = 0};
    for (size_t i = 0; i < option_setting_count; i++) {
        const struct option_setting *setting = &option_settings[i];
        if (is_second_row(setting) || options_same(old, fresh, setting))
            continue;
        changes->changed[changes->changed_count++] = setting->key;
        if (setting->fixed)
            changes->refused[changes->refused_count++] = setting->key;
    }
    if (changes->refused_count == 0)
        return STATUS_OK;
    char names[ERRINFO_TEXT_MAX / 2];
    return errinfo_set(err, STATUS_INVALID,
                       "reload: %s cannot change while the server runs; restart it",
                       refused_names(changes, names, sizeof names));
}
