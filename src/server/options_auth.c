// SPDX-License-Identifier: Apache-2.0
// The blocks that say who may connect: authorization, and of accounts the users of $G and of the
// system account. nats-server's words and rules.
#include "base/nearest.h"
#include "server/options_inside.h"
#include "wire/subject.h"

#include <string.h>

#define SECONDS INT64_C(1000000000)

enum { RESPONSES_MAX = 1 };

static enum status unknown_of(const struct conf_value *value, const char *const *known,
                              struct errinfo *err)
{
    struct nearest nearest;
    nearest_init(&nearest, value->key);
    for (size_t i = 0; known[i] != NULL; i++)
        nearest_offer(&nearest, bytes_of_string(known[i]));
    return options_unknown(value, &nearest, err);
}

// Whether the key is one of these, whatever its letter case.
static bool is_key(const struct conf_value *value, const char *words)
{
    struct bytes rest = bytes_of_string(words);
    struct bytes word;
    while (options_next_word(&rest, &word)) {
        if (bytes_equal_nocase(word, value->key))
            return true;
    }
    return false;
}

// Permissions. ---------------------------------------------------------------------------------

// "subject" or, for subscriptions, "subject queue". Both are patterns.
static bool is_permission(struct bytes text, bool queues)
{
    struct bytes queue;
    struct bytes subject = bytes_cut(bytes_trim(text), ' ', &queue);
    if (!subject_is_pattern(subject))
        return false;
    return queue.data == NULL || (queues && subject_is_pattern(bytes_trim(queue)));
}

static enum status read_subjects(struct server_options *options, const struct conf_value *value,
                                 bool queues, struct option_subjects *out, struct errinfo *err)
{
    char quote[ERRINFO_QUOTED_MAX];
    struct option_subjects read;
    enum status status = options_texts(options, value, value->key, &read, err);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < read.count; i++) {
        struct bytes text = bytes_of_string(read.items[i]);
        if (!is_permission(text, queues))
            return conf_error(&value->place, STATUS_INVALID, err,
                              "subject %s is not a valid subject", errinfo_quote(text, quote));
    }
    *out = read;
    return STATUS_OK;
}

// A subject, an array of them, or a block of allow and deny.
static enum status read_direction(struct server_options *options, const struct conf_value *value,
                                  bool queues, struct option_subjects *allow,
                                  struct option_subjects *deny, struct errinfo *err)
{
    static const char *const known[] = {"allow", "deny", NULL};
    enum status status = STATUS_OK;
    if (value->type != CONF_BLOCK)
        return read_subjects(options, value, queues, allow, err);
    for (const struct conf_value *in = value->is.list.first; status == STATUS_OK && in != NULL;
         in = in->next) {
        if (is_key(in, "allow"))
            status = read_subjects(options, in, queues, allow, err);
        else if (is_key(in, "deny"))
            status = read_subjects(options, in, queues, deny, err);
        else if (!in->used)
            status = unknown_of(in, known, err);
    }
    return status;
}

static enum status read_response_limits(const struct conf_value *value,
                                        struct option_permissions *permissions, struct errinfo *err)
{
    static const char *const known[] = {"max", "max_msgs", "expires", "ttl", NULL};
    for (const struct conf_value *in = value->is.list.first; in != NULL; in = in->next) {
        int64_t time = 0;
        enum status status = STATUS_OK;
        if (is_key(in, "max max_msgs max_messages max_responses")) {
            if (in->type != CONF_INTEGER)
                return options_type_error(in, in->key, "an integer", err);
            // 0 stands for the default, and below it there is no limit.
            if (in->is.integer != 0)
                permissions->responses_max = in->is.integer;
        } else if (is_key(in, "expires expiration ttl")) {
            status = options_time(in, in->key, &time, err);
            if (time != 0)
                permissions->responses_expires_ns = time;
        } else if (!in->used) {
            status = unknown_of(in, known, err);
        }
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static enum status read_responses(const struct conf_value *value,
                                  struct option_permissions *permissions, struct errinfo *err)
{
    permissions->responses_max = RESPONSES_MAX;
    permissions->responses_expires_ns = 120 * SECONDS;
    permissions->responses = value->type == CONF_BLOCK;
    if (value->type == CONF_BLOCK)
        return read_response_limits(value, permissions, err);
    if (value->type != CONF_BOOL)
        return options_type_error(value, value->key, "true, false or a block", err);
    permissions->responses = value->is.truth;
    return STATUS_OK;
}

static enum status read_permissions(struct server_options *options, const struct conf_value *value,
                                    const struct option_permissions **out, struct errinfo *err)
{
    static const char *const known[] = {"publish", "subscribe", "allow_responses", NULL};
    enum status status;
    if (value->type != CONF_BLOCK)
        return options_type_error(value, value->key, "a block", err);
    struct option_permissions *read = options_alloc(options, sizeof *read, &status, err);
    for (const struct conf_value *in = value->is.list.first; status == STATUS_OK && in != NULL;
         in = in->next) {
        if (is_key(in, "publish pub import"))
            status = read_direction(options, in, false, &read->publish_allow, &read->publish_deny,
                                    err);
        else if (is_key(in, "subscribe sub export"))
            status = read_direction(options, in, true, &read->subscribe_allow,
                                    &read->subscribe_deny, err);
        else if (is_key(in, "allow_responses publish_allow_responses"))
            status = read_responses(in, read, err);
        else if (!in->used)
            status = unknown_of(in, known, err);
    }
    if (status != STATUS_OK)
        return status;
    // Who may answer may otherwise publish only what is allowed by name.
    if (read->responses)
        read->publish_allow.given = true;
    *out = read;
    return STATUS_OK;
}

// Users. ---------------------------------------------------------------------------------------

static enum status read_user(struct server_options *options, const struct conf_value *value,
                             struct option_user *out, struct errinfo *err)
{
    static const char *const known[] = {
        "user", "password", "pass", "permissions", "allowed_connection_types", NULL};
    enum status status = STATUS_OK;
    struct option_user user = {.name = NULL, .system = out->system};
    if (value->type != CONF_BLOCK)
        return options_type_error(value, BYTES("a user"), "a block", err);
    for (const struct conf_value *in = value->is.list.first; status == STATUS_OK && in != NULL;
         in = in->next) {
        if (is_key(in, "user username"))
            status = options_text(options, in, in->key, &user.name, err);
        else if (is_key(in, "pass password"))
            status = options_text(options, in, in->key, &user.password, err);
        else if (is_key(in, "permission permissions authorization"))
            status = read_permissions(options, in, &user.permissions, err);
        else if (is_key(in, "nkey proxy_required"))
            status = conf_error(&in->place, STATUS_INVALID, err,
                                "not supported by this version: %.*s", BYTES_ARG(in->key));
        else if (!in->used && !is_key(in, "allowed_connection_types connection_types clients"))
            status = unknown_of(in, known, err);
    }
    if (status == STATUS_OK && (user.name == NULL || user.name[0] == '\0'))
        status = conf_error(&value->place, STATUS_INVALID, err, "user entry requires a user");
    if (status == STATUS_OK)
        *out = user;
    return status;
}

static bool has_user(const struct server_options *options, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(options->users[i].name, name) == 0)
            return true;
    }
    return false;
}

// Adds an array of users to those there are.
static enum status add_users(struct server_options *options, const struct conf_value *value,
                             bool system, struct errinfo *err)
{
    char quote[ERRINFO_QUOTED_MAX];
    enum status status;
    size_t count = options->user_count;
    if (value->type != CONF_ARRAY)
        return options_type_error(value, value->key, "an array", err);
    struct option_user *users = options_alloc(
        options, (count + value->is.list.count + 1) * sizeof *users, &status, err);
    if (users == NULL)
        return status;
    if (count > 0)
        memcpy(users, options->users, count * sizeof *users);
    options->users = users;
    options->users_given = true;
    for (const struct conf_value *in = value->is.list.first; in != NULL; in = in->next) {
        users[count].system = system;
        status = read_user(options, in, &users[count], err);
        if (status != STATUS_OK)
            return status;
        if (has_user(options, count, users[count].name))
            return conf_error(&in->place, STATUS_INVALID, err, "duplicate user %s detected",
                              errinfo_quote(bytes_of_string(users[count].name), quote));
        count++;
    }
    options->user_count = count;
    return STATUS_OK;
}

static void apply_defaults(struct server_options *options, size_t from,
                           const struct option_permissions *permissions)
{
    for (size_t i = from; i < options->user_count; i++) {
        if (options->users[i].permissions == NULL)
            options->users[i].permissions = permissions;
    }
}

enum status options_auth_users(struct server_options *options, const struct conf_value *value,
                               struct errinfo *err)
{
    return add_users(options, value, false, err);
}

enum status options_auth_default_permissions(struct server_options *options,
                                             const struct conf_value *value, struct errinfo *err)
{
    const struct option_permissions *read;
    enum status status = read_permissions(options, value, &read, err);
    if (status == STATUS_OK)
        options->default_permissions = read;
    return status;
}

enum status options_auth_block(struct server_options *options, const struct conf_value *value,
                               struct errinfo *err)
{
    size_t before = options->user_count;
    if (value->type != CONF_BLOCK)
        return options_type_error(value, value->key, "a block", err);
    enum status status = options_file_block(options, OPTIONS_AUTHORIZATION, value, err);
    if (status == STATUS_OK)
        apply_defaults(options, before, options->default_permissions);
    return status;
}

// Accounts. ------------------------------------------------------------------------------------

static enum status unsupported(const struct conf_value *value, const char *what,
                               struct errinfo *err)
{
    char quote[ERRINFO_QUOTED_MAX];
    return conf_error(&value->place, STATUS_INVALID, err, "not supported by this version: %s %s",
                      what, errinfo_quote(value->key, quote));
}

static enum status read_account(struct server_options *options, const struct conf_value *value,
                                bool system, struct errinfo *err)
{
    static const char *const known[] = {"users", "default_permissions", "jetstream", NULL};
    size_t before = options->user_count;
    const struct option_permissions *permissions = NULL;
    enum status status = STATUS_OK;
    if (value->type != CONF_BLOCK)
        return options_type_error(value, value->key, "a block", err);
    for (const struct conf_value *in = value->is.list.first; status == STATUS_OK && in != NULL;
         in = in->next) {
        bool empty = (in->type == CONF_ARRAY || in->type == CONF_BLOCK) && in->is.list.count == 0;
        if (is_key(in, "users"))
            status = add_users(options, in, system, err);
        else if (is_key(in, "default_permissions"))
            status = read_permissions(options, in, &permissions, err);
        else if (is_key(in, "imports exports mappings maps limits nkey msg_trace trace_dest"))
            status = empty ? STATUS_OK : unsupported(in, "of an account", err);
        else if (!in->used && !is_key(in, "jetstream"))
            status = unknown_of(in, known, err);
    }
    if (status == STATUS_OK)
        apply_defaults(options, before, permissions);
    return status;
}

enum status options_auth_accounts(struct server_options *options, const struct conf_value *value,
                                  struct errinfo *err)
{
    enum status status = STATUS_OK;
    if (value->type != CONF_BLOCK && value->type != CONF_ARRAY)
        return options_type_error(value, value->key, "a block", err);
    if (value->type == CONF_ARRAY && value->is.list.count > 0)
        return conf_error(&value->place, STATUS_INVALID, err,
                          "not supported by this version: accounts other than $G and $SYS");
    for (const struct conf_value *in = value->is.list.first; status == STATUS_OK && in != NULL;
         in = in->next) {
        const char *system = options->system_account;
        bool is_system = bytes_equal(in->key, bytes_of_string(system != NULL ? system : "$SYS"));
        bool empty = in->type == CONF_BLOCK && in->is.list.count == 0;
        if (is_system || bytes_equal(in->key, BYTES("$G")))
            status = read_account(options, in, is_system, err);
        else if (!empty && !in->used)
            status = unsupported(in, "account", err);
    }
    return status;
}

// Comparing. -----------------------------------------------------------------------------------

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same_subjects(const struct option_subjects *a, const struct option_subjects *b)
{
    bool same = a->given == b->given && a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = same_text(a->items[i], b->items[i]);
    return same;
}

static bool same_permissions(const struct option_permissions *a, const struct option_permissions *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return same_subjects(&a->publish_allow, &b->publish_allow) &&
           same_subjects(&a->publish_deny, &b->publish_deny) &&
           same_subjects(&a->subscribe_allow, &b->subscribe_allow) &&
           same_subjects(&a->subscribe_deny, &b->subscribe_deny) && a->responses == b->responses &&
           a->responses_max == b->responses_max &&
           a->responses_expires_ns == b->responses_expires_ns;
}

bool options_auth_same(const struct server_options *a, const struct server_options *b)
{
    bool same = a->user_count == b->user_count && a->users_given == b->users_given;
    for (size_t i = 0; same && i < a->user_count; i++)
        same = same_text(a->users[i].name, b->users[i].name) &&
               same_text(a->users[i].password, b->users[i].password) &&
               a->users[i].system == b->users[i].system &&
               same_permissions(a->users[i].permissions, b->users[i].permissions);
    return same;
}
