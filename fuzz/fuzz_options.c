// SPDX-License-Identifier: Apache-2.0
// Settings of the server over any bytes as the file, and as the value of a flag. Promises held:
// what is refused says why; what is taken makes users that can be asked, and a /varz; loaded twice
// it is the same, so that a reload changes nothing.
#include "base/assert.h"
#include "server/auth.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum status read_file(void *context, const char *path, struct buf *text, struct errinfo *err)
{
    if (strcmp(path, "main.conf") != 0)
        return errinfo_set(err, STATUS_NOT_FOUND, "none");
    buf_append(text, *(const struct bytes *)context);
    return STATUS_OK;
}

static void check_users(const struct server_options *options)
{
    struct auth *auth = NULL;
    struct auth_credentials nobody = {.user = {NULL, 0}};
    const struct auth_user *user = NULL;
    struct errinfo err = {0};
    if (auth_new(&auth, options, &err) != STATUS_OK) {
        ASSERT(err.text[0] != '\0');
        return;
    }
    if (auth_check(auth, &nobody, &user) && user != NULL)
        ASSERT(strlen(auth_name(user)) < SIZE_MAX);
    if (user != NULL && auth_may_subscribe(user, BYTES("a.>"), BYTES("q")))
        auth_may_deliver(user, BYTES("a.b"), BYTES("q"));
    auth_may_publish(user, BYTES("a.b"));
    auth_free(auth);
}

static struct server_options *load(struct bytes text, int count, const char *const *arguments)
{
    struct options_outside outside = {.context = &text, .read = read_file};
    struct server_options *options = NULL;
    enum options_action action;
    struct errinfo err = {0};
    enum status status = options_load(count, arguments, &outside, &options, &action, &err);
    ASSERT((status == STATUS_OK) == (options != NULL));
    ASSERT(status == STATUS_OK || err.text[0] != '\0');
    return options;
}

static void check_file(struct bytes text)
{
    static const char *const arguments[] = {"-c", "main.conf"};
    struct options_changes changes;
    struct buf varz;
    struct server_options *options = load(text, 2, arguments);
    if (options == NULL)
        return;
    struct server_options *again = load(text, 2, arguments);
    ASSERT(again != NULL && options_reload(options, again, &changes, NULL) == STATUS_OK);
    ASSERT(changes.changed_count == 0);
    check_users(options);
    buf_init(&varz, 1 << 20);
    options_varz(options, &varz);
    buf_fini(&varz);
    server_options_free(options);
    server_options_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = bytes_of(data, size);
    char *word = calloc(1, size + 1);
    ASSERT(word != NULL);
    if (size > 0)
        memcpy(word, data, size);
    check_file(text);
    const char *flag[] = {word};
    const char *value[] = {"--ping_interval", word, "--max_payload", word};
    server_options_free(load(BYTES(""), 1, flag));
    server_options_free(load(BYTES(""), 2, value));
    server_options_free(load(BYTES(""), 2, value + 2));
    free(word);
    return 0;
}
