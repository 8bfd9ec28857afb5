// SPDX-License-Identifier: Apache-2.0
// Memory that runs out at any point while settings are read: a status, no crash, nothing lost.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "alloc_faults.h"
#include "server/auth.h"

#include <string.h>

static const char main_text[] =
    "SIZE: 1MB\nmax_payload: $SIZE, server_name: hub, server_tags: [a, b], log_file: \"/x\\ty\"\n"
    "jetstream { store_dir: /d, limits { batch { timeout: \"1s\" } } }\n"
    "authorization { include users.conf\n"
    "  default_permissions { publish: \"a.>\", allow_responses: true } }\n";

static const char users_text[] =
    "users = [ {user: $NAME, password: p, permissions { subscribe: [x, \"y q\"] } }\n"
    "          {user: b, password: p} ]\n";

static enum status read_file(void *context, const char *path, struct buf *text, struct errinfo *err)
{
    (void)context;
    (void)err;
    buf_append_string(text, strcmp(path, "main.conf") == 0 ? main_text : users_text);
    return STATUS_OK;
}

static bool environment(void *context, const char *name, struct bytes *value)
{
    (void)context;
    *value = BYTES("first");
    return strcmp(name, "NAME") == 0;
}

// Whether all of it went well.
static bool load_and_compile(void)
{
    static const char *const arguments[] = {"-c", "main.conf", "--http_port", "1"};
    static const struct options_outside outside = {.read = read_file, .environment = environment};
    struct server_options *options = NULL;
    struct auth *auth = NULL;
    enum options_action action;
    enum status status = options_load(4, arguments, &outside, &options, &action, NULL);
    assert_true((status == STATUS_OK) == (options != NULL));
    if (status == STATUS_OK)
        status = auth_new(&auth, options, NULL);
    bool failed = alloc_faults_stop();
    assert_true(failed ? status == STATUS_NO_MEMORY : status == STATUS_OK);
    if (status == STATUS_OK)
        assert_int_equal(options->user_count, 2);
    auth_free(auth);
    server_options_free(options);
    return status == STATUS_OK;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    size_t n = 0;
    for (;; n++) {
        alloc_faults_start(n, SIZE_MAX);
        if (load_and_compile())
            break;
    }
    assert_true(n > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("options_memory", tests, NULL, NULL);
}
