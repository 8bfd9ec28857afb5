// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/auth.h"

#include <string.h>

static const struct bytes none = {NULL, 0};

static enum status read_text(void *context, const char *path, struct buf *text, struct errinfo *err)
{
    (void)path;
    (void)err;
    buf_append_string(text, context);
    return STATUS_OK;
}

static enum status try_auth(const char *text, struct auth **auth, struct errinfo *err)
{
    static const char *const arguments[] = {"-c", "s.conf"};
    struct options_outside outside = {.context = (void *)(uintptr_t)text, .read = read_text};
    struct server_options *options = NULL;
    enum options_action action;
    assert_int_equal(options_load(2, arguments, &outside, &options, &action, err), STATUS_OK);
    enum status status = auth_new(auth, options, err);
    // What was made borrows nothing.
    server_options_free(options);
    return status;
}

static struct auth *auth_of(const char *text)
{
    struct auth *auth = NULL;
    struct errinfo err = {0};
    enum status status = try_auth(text, &auth, &err);
    if (status != STATUS_OK)
        print_message("%s\n", err.text);
    assert_int_equal(status, STATUS_OK);
    return auth;
}

static bool enters(struct auth *auth, const char *user, const char *password, const char *token,
                   const struct auth_user **out)
{
    struct auth_credentials credentials = {bytes_of_string(user), bytes_of_string(password),
                                           bytes_of_string(token)};
    return auth_check(auth, &credentials, out);
}

static const struct auth_user *login(struct auth *auth, const char *user, const char *password)
{
    const struct auth_user *found = NULL;
    assert_true(enters(auth, user, password, NULL, &found));
    return found;
}

static bool refused(struct auth *auth, const char *user, const char *password, const char *token)
{
    const struct auth_user *untouched = (const struct auth_user *)(const void *)auth;
    const struct auth_user *user_out = untouched;
    bool in = enters(auth, user, password, token, &user_out);
    assert_ptr_equal(user_out, untouched);
    return !in;
}

static bool publishes(const struct auth_user *user, const char *subject)
{
    return auth_may_publish(user, bytes_of_string(subject));
}

static bool subscribes(const struct auth_user *user, const char *subject, const char *queue)
{
    return auth_may_subscribe(user, bytes_of_string(subject), bytes_of_string(queue));
}

static void without_users_everybody_may_do_everything(void **state)
{
    (void)state;
    struct auth *auth = auth_of("port: 1");
    assert_false(auth_is_required(auth));
    assert_null(login(auth, NULL, NULL));
    assert_null(login(auth, "any", "body"));
    assert_true(publishes(NULL, "a") && subscribes(NULL, ">", NULL));
    assert_false(auth_filters_delivery(NULL, BYTES(">"), none));
    assert_false(auth_is_system(NULL));
    auth_free(auth);
}

static void one_user_needs_the_password(void **state)
{
    (void)state;
    struct auth *auth = auth_of("authorization { user: derek, password: porkchop }");
    assert_true(auth_is_required(auth));
    assert_string_equal(auth_name(login(auth, "derek", "porkchop")), "derek");
    assert_true(refused(auth, "derek", "porkchops", NULL));
    assert_true(refused(auth, "derek", "", NULL));
    assert_true(refused(auth, "Derek", "porkchop", NULL));
    assert_true(refused(auth, NULL, NULL, NULL));
    assert_true(refused(auth, NULL, NULL, "porkchop"));
    auth_free(auth);
}

static void a_token_is_all_that_is_needed(void **state)
{
    (void)state;
    struct auth *auth = auth_of("authorization { token: s3cr3t }");
    const struct auth_user *user;
    assert_true(enters(auth, NULL, NULL, "s3cr3t", &user));
    assert_string_equal(auth_name(user), "");
    assert_true(publishes(user, "a"));
    assert_true(refused(auth, NULL, NULL, "s3cr3"));
    assert_true(refused(auth, "s3cr3t", "s3cr3t", NULL));
    auth_free(auth);
}

static void a_bcrypt_password_is_checked_and_remembered(void **state)
{
    (void)state;
    // The digest of "password" with cost 4, as any bcrypt makes it.
    struct auth *auth = auth_of(
        "authorization { users: [\n"
        "{user: a, pass: $2a$04$N9qo8uLOickgx2ZMRZoMyeSuVmV5MQilj2yZi38Fq2CCnx12jZvOG} ] }");
    assert_true(refused(auth, "a", "Password", NULL));
    assert_true(refused(auth, "a", "", NULL));
    assert_non_null(login(auth, "a", "password"));
    assert_non_null(login(auth, "a", "password"));
    assert_true(refused(auth, "a", "passwore", NULL));
    auth_free(auth);
}

static void a_digest_that_cannot_be_checked_is_refused_with_its_user(void **state)
{
    (void)state;
    struct auth *auth = NULL;
    struct errinfo err = {0};
    assert_int_equal(try_auth("authorization { user: a, password: $2a$31$x }", &auth, &err),
                     STATUS_INVALID);
    assert_string_equal(err.text,
                        "the bcrypt digest of \"a\" has cost 31: 15 is the most, 11 is usual");
    assert_int_equal(try_auth("authorization { user: a, password: $2a$11$x }", &auth, &err),
                     STATUS_INVALID);
    assert_null(auth);
}

static void several_users_are_told_apart(void **state)
{
    (void)state;
    struct auth *auth = auth_of(
        "authorization { users: [ {user: a, password: x}, {user: b, password: y} ] }");
    assert_string_equal(auth_name(login(auth, "a", "x")), "a");
    assert_string_equal(auth_name(login(auth, "b", "y")), "b");
    assert_true(refused(auth, "a", "y", NULL));
    assert_true(refused(auth, "c", "x", NULL));
    assert_true(refused(auth, NULL, NULL, NULL));
    auth_free(auth);
}

static void no_auth_user_is_who_says_nothing(void **state)
{
    (void)state;
    struct auth *auth = auth_of("no_auth_user: guest\nauthorization { users: [\n"
                                "{user: guest, password: g, permissions { publish: x } }\n"
                                "{user: b, password: y} ] }");
    assert_false(auth_is_required(auth));
    assert_string_equal(auth_name(login(auth, NULL, NULL)), "guest");
    assert_string_equal(auth_name(auth_default_user(auth)), "guest");
    assert_false(publishes(auth_default_user(auth), "y"));
    assert_true(refused(auth, "guest", "wrong", NULL));
    assert_true(refused(auth, NULL, NULL, "token"));
    assert_string_equal(auth_name(login(auth, "b", "y")), "b");
    auth_free(auth);
}

static void a_system_user_alone_leaves_the_rest_open(void **state)
{
    (void)state;
    const char *accounts = "accounts { $SYS { users: [ {user: admin, pass: p} ] } }";
    struct auth *auth = auth_of(accounts);
    assert_true(auth_is_system(login(auth, "admin", "p")));
    assert_null(login(auth, NULL, NULL));
    assert_true(refused(auth, "admin", "q", NULL));
    auth_free(auth);
    auth = auth_of("authorization { users: [] }\n"
                   "accounts { $SYS { users: [ {user: admin, pass: p} ] } }");
    assert_true(refused(auth, NULL, NULL, NULL));
    auth_free(auth);
}

static void publishing_needs_an_allowed_and_no_denied_subject(void **state)
{
    (void)state;
    struct auth *auth = auth_of(
        "authorization { users: [\n"
        "{user: a, permissions: { publish: { allow: [\"a.*\", \"b.>\"], deny: \"b.x\" } } }\n"
        "{user: b, permissions: { publish: { deny: \"b.>\" } } }\n"
        "{user: c, permissions: { subscribe: x } }\n"
        "{user: d, permissions: { publish: [] } } ] }");
    const struct auth_user *user = login(auth, "a", NULL);
    assert_true(publishes(user, "a.1") && publishes(user, "b.y.z"));
    assert_false(publishes(user, "a") || publishes(user, "a.1.2") || publishes(user, "b.x"));
    user = login(auth, "b", NULL);
    assert_true(publishes(user, "a") && publishes(user, "b"));
    assert_false(publishes(user, "b.1"));
    assert_true(publishes(login(auth, "c", NULL), "anything"));
    assert_false(publishes(login(auth, "d", NULL), "a"));
    auth_free(auth);
}

static void subscribing_needs_what_covers_all_of_it(void **state)
{
    (void)state;
    struct auth *auth = auth_of("authorization { users: [\n"
                                "{user: a, permissions: { subscribe: { allow: [\"a.*\", c],\n"
                                "                                      deny: [\"a.x\"] } } }\n"
                                "{user: b, permissions: { subscribe: { deny: \"d.*\" } } } ] }");
    const struct auth_user *user = login(auth, "a", NULL);
    assert_true(subscribes(user, "a.1", NULL) && subscribes(user, "a.*", NULL));
    assert_true(subscribes(user, "c", "q"));
    assert_false(subscribes(user, "a.>", NULL) || subscribes(user, ">", NULL));
    assert_false(subscribes(user, "a.x", NULL) || subscribes(user, "b", NULL));
    user = login(auth, "b", NULL);
    assert_false(subscribes(user, "d.*", NULL) || subscribes(user, "d.1", NULL));
    assert_true(subscribes(user, "d.>", NULL) && subscribes(user, ">", NULL));
    auth_free(auth);
}

static void a_denied_subject_inside_an_allowed_subscription_filters_delivery(void **state)
{
    (void)state;
    struct auth *auth = auth_of("authorization { users: [\n"
                                "{user: a, permissions: { subscribe: { allow: \"a.>\",\n"
                                "                                      deny: \"a.x.*\" } } } ] }");
    const struct auth_user *user = login(auth, "a", NULL);
    assert_true(auth_filters_delivery(user, BYTES("a.>"), none));
    assert_true(auth_filters_delivery(user, BYTES("a.*.*"), none));
    assert_false(auth_filters_delivery(user, BYTES("a.*"), none));
    assert_false(auth_filters_delivery(user, BYTES("a.y.*"), none));
    assert_false(auth_filters_delivery(user, BYTES("a.y"), none));
    assert_false(auth_may_deliver(user, BYTES("a.x.1"), none));
    assert_true(auth_may_deliver(user, BYTES("a.x"), none));
    assert_true(auth_may_deliver(user, BYTES("a.y.1"), none));
    auth_free(auth);
}

static void permissions_may_name_queue_groups(void **state)
{
    (void)state;
    struct auth *auth = auth_of(
        "authorization { users: [\n"
        "{user: a, permissions: { subscribe: { allow: [\"foo\", \"foo v1\", \"foo v1.>\"] } } }\n"
        "{user: b, permissions: { subscribe: { allow: \"bar workers\" } } }\n"
        "{user: c, permissions: { subscribe: { deny: \"foo.> q\" } } } ] }");
    const struct auth_user *user = login(auth, "a", NULL);
    assert_true(subscribes(user, "foo", NULL));
    assert_true(subscribes(user, "foo", "v1") && subscribes(user, "foo", "v1.prod"));
    assert_false(subscribes(user, "foo", "v2"));
    user = login(auth, "b", NULL);
    assert_true(subscribes(user, "bar", "workers"));
    assert_false(subscribes(user, "bar", NULL) || subscribes(user, "bar", "others"));
    user = login(auth, "c", NULL);
    assert_true(subscribes(user, "foo.1", NULL) && subscribes(user, "foo.1", "p"));
    assert_false(subscribes(user, "foo.1", "q"));
    assert_true(auth_filters_delivery(user, BYTES("*.1"), BYTES("q")));
    assert_false(auth_may_deliver(user, BYTES("foo.1"), BYTES("q")));
    assert_true(auth_may_deliver(user, BYTES("foo.1"), BYTES("p")));
    assert_true(auth_may_deliver(user, BYTES("foo.1"), none));
    auth_free(auth);
}

static void who_may_respond_says_how_often_and_how_long(void **state)
{
    (void)state;
    struct auth *auth = auth_of(
        "authorization { users: [\n"
        "{user: a, permissions: { subscribe: s, allow_responses: true } }\n"
        "{user: b, permissions: { allow_responses: { max: -1, expires: \"-1s\" } } }\n"
        "{user: c, permissions: { publish: x, allow_responses: false } } ] }");
    struct auth_responses responses = {7, 7};
    assert_true(auth_responses_get(login(auth, "a", NULL), &responses));
    assert_true(responses.max == 1 && responses.expires_ns == INT64_C(120000000000));
    assert_false(publishes(login(auth, "a", NULL), "_INBOX.x"));
    assert_true(auth_responses_get(login(auth, "b", NULL), &responses));
    assert_true(responses.max < 0 && responses.expires_ns < 0);
    assert_false(auth_responses_get(login(auth, "c", NULL), &responses));
    assert_false(auth_responses_get(NULL, &responses));
    auth_free(auth);
}

static bool stays(const char *text, const struct auth_user *old, const struct auth_user **user)
{
    struct auth *fresh = auth_of(text);
    bool found = auth_find_again(fresh, old, user);
    auth_free(fresh);
    return found;
}

static void after_a_reload_only_the_same_user_with_the_same_password_stays(void **state)
{
    (void)state;
    struct auth *auth = auth_of("authorization { users: [ {user: a, password: x} ] }");
    const struct auth_user *old = login(auth, "a", "x");
    const struct auth_user *user = NULL;
    assert_true(
        stays("authorization { users: [ {user: a, password: x}, {user: b} ] }", old, &user));
    assert_true(stays("authorization { user: a, password: x }", old, &user));
    assert_true(stays("port: 1", old, &user));
    assert_null(user);
    assert_false(stays("authorization { users: [ {user: a, password: y} ] }", old, &user));
    assert_false(stays("authorization { users: [ {user: b, password: x} ] }", old, &user));
    assert_false(stays("authorization { token: x }", old, &user));
    assert_false(stays("authorization { user: b }", NULL, &user));
    assert_true(stays("port: 1", NULL, &user));
    auth_free(auth);
}

static void violations_read_as_nats_servers_do(void **state)
{
    (void)state;
    static const struct {
        enum auth_violation violation;
        const char *queue;
        const char *text;
    } cases[] = {
        {AUTH_PUBLISH, NULL, "Permissions Violation for Publish to \"a.b\""},
        {AUTH_PUBLISH_REPLY, NULL, "Permissions Violation for Publish with Reply of \"a.b\""},
        {AUTH_SUBSCRIBE, NULL, "Permissions Violation for Subscription to \"a.b\""},
        {AUTH_SUBSCRIBE, "q",
         "Permissions Violation for Subscription to \"a.b\" using queue \"q\""},
    };
    struct buf out;
    buf_init(&out, 1000);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        buf_clear(&out);
        auth_put_violation(&out, cases[i].violation, BYTES("a.b"), bytes_of_string(cases[i].queue));
        assert_string_equal(buf_string(&out), cases[i].text);
    }
    buf_clear(&out);
    auth_put_violation(&out, AUTH_PUBLISH, BYTES("a\"\x01"), none);
    assert_string_equal(buf_string(&out), "Permissions Violation for Publish to \"a\\\"\\x01\"");
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_users_everybody_may_do_everything),
        cmocka_unit_test(one_user_needs_the_password),
        cmocka_unit_test(a_token_is_all_that_is_needed),
        cmocka_unit_test(a_bcrypt_password_is_checked_and_remembered),
        cmocka_unit_test(a_digest_that_cannot_be_checked_is_refused_with_its_user),
        cmocka_unit_test(several_users_are_told_apart),
        cmocka_unit_test(no_auth_user_is_who_says_nothing),
        cmocka_unit_test(a_system_user_alone_leaves_the_rest_open),
        cmocka_unit_test(publishing_needs_an_allowed_and_no_denied_subject),
        cmocka_unit_test(subscribing_needs_what_covers_all_of_it),
        cmocka_unit_test(a_denied_subject_inside_an_allowed_subscription_filters_delivery),
        cmocka_unit_test(permissions_may_name_queue_groups),
        cmocka_unit_test(who_may_respond_says_how_often_and_how_long),
        cmocka_unit_test(after_a_reload_only_the_same_user_with_the_same_password_stays),
        cmocka_unit_test(violations_read_as_nats_servers_do),
    };
    return cmocka_run_group_tests_name("auth", tests, NULL, NULL);
}
