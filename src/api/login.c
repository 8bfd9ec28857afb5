// SPDX-License-Identifier: Apache-2.0
#include "api/login.h"

#include "base/buf.h"
#include "base/nearest.h"
#include "bus/bus_nats.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_BYTES_MAX = 64 * 1024, PATH_SIZE = 4096 };

// What a login is made of. The first rows are the ways to log in, which are taken from one source.
enum setting {
    SET_USER,
    SET_PASSWORD,
    SET_TOKEN,
    SET_CREDS,
    SET_NKEY,
    SET_WAYS,
    SET_URL = SET_WAYS,
    SET_CA,
    SET_CERT,
    SET_KEY,
    SET_API_PREFIX,
    SET_INBOX_PREFIX,
    SET_COUNT,
};

static const struct {
    const char *environment; // NULL when there is none
    const char *context;     // key of the context file
    bool path;               // may begin with ~/
} rows[SET_COUNT] = {
    [SET_USER] = {"NATS_USER", "user", false},
    [SET_PASSWORD] = {"NATS_PASSWORD", "password", false},
    [SET_TOKEN] = {"NATS_TOKEN", "token", false},
    [SET_CREDS] = {"NATS_CREDS", "creds", true},
    [SET_NKEY] = {"NATS_NKEY", "nkey", true},
    [SET_URL] = {"NATS_URL", "url", false},
    [SET_CA] = {"NATS_CA", "ca", true},
    [SET_CERT] = {"NATS_CERT", "cert", true},
    [SET_KEY] = {"NATS_KEY", "key", true},
    [SET_API_PREFIX] = {NULL, "jetstream_api_prefix", false},
    [SET_INBOX_PREFIX] = {NULL, "inbox_prefix", false},
};

struct login {
    char *values[SET_COUNT];
    bool tls_first;
    const char *advice;
};

// Overwritten through a volatile pointer, so that no compiler leaves it out.
static void wipe(char *secret)
{
    for (volatile char *at = secret; at != NULL && *at != '\0'; at++)
        *at = '\0';
    free(secret);
}

void login_free(struct login *login)
{
    if (login == NULL)
        return;
    for (size_t i = 0; i < SET_COUNT; i++)
        wipe(login->values[i]);
    free(login);
}

static enum status no_memory(struct errinfo *err)
{
    return errinfo_set(err, STATUS_NO_MEMORY, "no memory for the NATS login");
}

static enum status set(struct login *login, enum setting setting, const char *value,
                       struct errinfo *err)
{
    const char *home = getenv("HOME");
    char path[PATH_SIZE];
    if (value == NULL || value[0] == '\0' || login->values[setting] != NULL)
        return STATUS_OK;
    if (rows[setting].path && strncmp(value, "~/", 2) == 0 && home != NULL) {
        snprintf(path, sizeof path, "%s%s", home, value + 1);
        value = path;
    }
    login->values[setting] = strdup(value);
    return login->values[setting] == NULL ? no_memory(err) : STATUS_OK;
}

static bool has_way(const struct login *login)
{
    bool has = false;
    for (size_t i = 0; i < SET_WAYS; i++)
        has = has || login->values[i] != NULL;
    return has;
}

static enum status read_file(const char *path, struct buf *out, struct errinfo *err)
{
    char quoted[ERRINFO_QUOTED_MAX];
    errinfo_quote(bytes_of_string(path), quoted);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return errinfo_set_errno(err, errno, "cannot read %s", quoted);
    char *to = buf_reserve(out, FILE_BYTES_MAX);
    if (to != NULL)
        out->size += fread(to, 1, FILE_BYTES_MAX, file);
    bool failed = ferror(file) != 0;
    bool whole = feof(file) != 0;
    fclose(file);
    if (to == NULL)
        return no_memory(err);
    if (failed)
        return errinfo_set(err, STATUS_IO, "cannot read %s", quoted);
    return whole ? STATUS_OK
                 : errinfo_set(err, STATUS_LIMIT, "%s is longer than %d bytes", quoted,
                               FILE_BYTES_MAX);
}

// The first line of a file as a secret.
static enum status set_from_file(struct login *login, enum setting setting, const char *path,
                                 struct errinfo *err)
{
    struct buf content;
    if (path == NULL || login->values[setting] != NULL)
        return STATUS_OK;
    buf_init(&content, FILE_BYTES_MAX + 1);
    enum status status = read_file(path, &content, err);
    if (status == STATUS_OK) {
        char *end = content.size == 0 ? NULL : memchr(content.data, '\n', content.size);
        if (end != NULL)
            content.size = (size_t)(end - content.data);
        while (content.size > 0 && content.data[content.size - 1] == '\r')
            content.size--;
        const char *line = buf_string(&content);
        status = line == NULL ? no_memory(err) : set(login, setting, line, err);
    }
    if (content.data != NULL)
        memset(content.data, 0, content.size);
    buf_fini(&content);
    return status;
}

static void contexts_directory(char path[PATH_SIZE])
{
    const char *config = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    bool given = config != NULL && config[0] == '/';
    snprintf(path, PATH_SIZE, "%s%s/nats/context",
             given          ? config
             : home == NULL ? ""
                            : home,
             given ? "" : "/.config");
}

static enum status unknown_context(const char *name, const char *directory, struct errinfo *err)
{
    struct nearest nearest;
    char hint[NEAREST_HINT_SIZE];
    char quoted[ERRINFO_QUOTED_MAX];
    nearest_init(&nearest, bytes_of_string(name));
    DIR *listing = opendir(directory);
    for (const struct dirent *entry; listing != NULL && (entry = readdir(listing)) != NULL;) {
        struct bytes file = bytes_of_string(entry->d_name);
        if (bytes_end_with(file, BYTES(".json")))
            nearest_offer(&nearest, bytes_slice(file, 0, file.size - 5));
    }
    nearest_hint(&nearest, hint);
    if (listing != NULL)
        closedir(listing);
    return errinfo_set(err, STATUS_NOT_FOUND, "no NATS context %s in %s%s",
                       errinfo_quote(bytes_of_string(name), quoted), directory, hint);
}

static enum status take_context(struct login *login, const json_t *context, bool ways,
                                struct errinfo *err)
{
    enum status status = STATUS_OK;
    for (size_t i = ways ? 0 : SET_WAYS; status == STATUS_OK && i < SET_COUNT; i++)
        status = set(login, (enum setting)i,
                     json_string_value(json_object_get(context, rows[i].context)), err);
    const char *domain = json_string_value(json_object_get(context, "jetstream_domain"));
    if (status == STATUS_OK && domain != NULL && domain[0] != '\0') {
        char prefix[256];
        snprintf(prefix, sizeof prefix, "$JS.%s.API", domain);
        status = set(login, SET_API_PREFIX, prefix, err);
    }
    login->tls_first = login->tls_first || json_is_true(json_object_get(context, "tls_first"));
    return status == STATUS_OK ? set(login, SET_URL, "nats://127.0.0.1:4222", err) : status;
}

static enum status read_context(struct login *login, const char *name, bool ways,
                                struct errinfo *err)
{
    char directory[PATH_SIZE];
    char path[PATH_SIZE + 256];
    struct errinfo why;
    struct buf content;
    contexts_directory(directory);
    if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL || strlen(name) > 200)
        return unknown_context(name, directory, err);
    snprintf(path, sizeof path, "%s/%s.json", directory, name);
    errinfo_clear(&why);
    buf_init(&content, FILE_BYTES_MAX + 1);
    enum status status = read_file(path, &content, &why);
    if (status == STATUS_NOT_FOUND) {
        buf_fini(&content);
        return unknown_context(name, directory, err);
    }
    json_t *context = NULL;
    if (status == STATUS_OK) {
        context = json_loadb(content.data, content.size, 0, NULL);
        if (!json_is_object(context))
            status = errinfo_set(&why, STATUS_INVALID, "%s is no NATS context: not a JSON object",
                                 path);
    }
    if (status == STATUS_OK)
        status = take_context(login, context, ways, &why);
    if (content.data != NULL)
        memset(content.data, 0, content.size);
    buf_fini(&content);
    json_decref(context);
    if (status != STATUS_OK && err != NULL)
        *err = why;
    return status;
}

static enum status take_given(struct login *login, const struct login_given *given,
                              struct errinfo *err)
{
    const char *const values[SET_COUNT] = {
        [SET_USER] = given->user,   [SET_PASSWORD] = given->password, [SET_TOKEN] = given->token,
        [SET_CREDS] = given->creds, [SET_NKEY] = given->nkey,         [SET_URL] = given->url,
        [SET_CA] = given->ca,       [SET_CERT] = given->cert,         [SET_KEY] = given->key,
    };
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < SET_COUNT; i++)
        status = set(login, (enum setting)i, values[i], err);
    if (status == STATUS_OK)
        status = set_from_file(login, SET_PASSWORD, given->password_file, err);
    if (status == STATUS_OK)
        status = set_from_file(login, SET_TOKEN, given->token_file, err);
    login->tls_first = given->tls_first;
    return status;
}

static enum status take_environment(struct login *login, bool ways, struct errinfo *err)
{
    enum status status = STATUS_OK;
    for (size_t i = ways ? 0 : SET_WAYS; status == STATUS_OK && i < SET_COUNT; i++) {
        if (rows[i].environment != NULL)
            status = set(login, (enum setting)i, getenv(rows[i].environment), err);
    }
    return status;
}

// A name without a password is completed from the environment, where passwords belong.
static enum status complete(struct login *login, struct errinfo *err)
{
    if (login->values[SET_USER] == NULL)
        return STATUS_OK;
    return set(login, SET_PASSWORD, getenv("NATS_PASSWORD"), err);
}

static enum status fill(struct login *login, const struct login_given *given, struct errinfo *err)
{
    enum status status = take_given(login, given, err);
    bool url_given = login->values[SET_URL] != NULL;
    bool ways_given = has_way(login);
    login->advice = "leave --url out";
    if (status == STATUS_OK && given->context != NULL) {
        login->advice = url_given ? "leave --url out" : "leave --context out";
        status = read_context(login, given->context, !ways_given, err);
    }
    if (status == STATUS_OK && login->values[SET_URL] == NULL)
        login->advice = "unset NATS_URL";
    if (status == STATUS_OK && !given->ignore_environment)
        status = take_environment(login, !has_way(login), err);
    if (status == STATUS_OK && !given->ignore_environment)
        status = complete(login, err);
    if (status == STATUS_OK && login->values[SET_URL] == NULL && ways_given)
        return errinfo_set(err, STATUS_USAGE,
                           "a login for NATS was given, and no place: give --url or --context, or "
                           "set NATS_URL");
    return status;
}

enum status login_find(const struct login_given *given, struct login **out, struct errinfo *err)
{
    struct login *login = calloc(1, sizeof *login);
    if (login == NULL)
        return no_memory(err);
    enum status status = fill(login, given, err);
    if (status == STATUS_OK && login->values[SET_URL] != NULL) {
        *out = login;
        return STATUS_OK;
    }
    login_free(login);
    return status;
}

void login_apply(const struct login *login, struct bus_nats_options *options)
{
    char *const *values = login->values;
    options->urls = values[SET_URL];
    options->user = values[SET_USER];
    options->password = values[SET_PASSWORD];
    options->token = values[SET_TOKEN];
    options->creds = values[SET_CREDS];
    options->nkey = values[SET_NKEY];
    options->ca = values[SET_CA];
    options->cert = values[SET_CERT];
    options->key = values[SET_KEY];
    options->api_prefix = values[SET_API_PREFIX];
    options->inbox_prefix = values[SET_INBOX_PREFIX];
    options->tls_first = login->tls_first;
    options->advice = login->advice;
}
