// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/options.h"

#include <jansson.h>
#include <string.h>

#define SECONDS INT64_C(1000000000)

static enum status read_text(void *context, const char *path, struct buf *text, struct errinfo *err)
{
    if (strcmp(path, "s.conf") != 0)
        return errinfo_set(err, STATUS_NOT_FOUND, "no such file");
    buf_append_string(text, context);
    return STATUS_OK;
}

enum { ARGUMENTS_MAX = 32 };

// Loads flags, which are separated by blanks, with text as the file that "-c s.conf" names.
static enum status load(const char *flags, const char *text, struct server_options **options,
                        enum options_action *action, struct errinfo *err)
{
    char copy[512];
    const char *arguments[ARGUMENTS_MAX];
    int count = 0;
    assert_true(strlen(flags) < sizeof copy);
    strcpy(copy, flags);
    char *rest = NULL;
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        assert_true(count < ARGUMENTS_MAX);
        arguments[count++] = word;
    }
    struct options_outside outside = {.context = (void *)(uintptr_t)text, .read = read_text};
    return options_load(count, arguments, &outside, options, action, err);
}

static struct server_options *options_of(const char *flags, const char *text)
{
    struct server_options *options = NULL;
    enum options_action action;
    struct errinfo err = {0};
    enum status status = load(flags, text, &options, &action, &err);
    if (status != STATUS_OK)
        print_message("%s\n", err.text);
    assert_int_equal(status, STATUS_OK);
    return options;
}

static struct server_options *options_of_file(const char *text)
{
    return options_of("-c s.conf", text);
}

static void assert_refused(const char *text, const char *expected)
{
    struct server_options *options = NULL;
    enum options_action action;
    struct errinfo err = {0};
    assert_int_equal(load("-c s.conf", text, &options, &action, &err), STATUS_INVALID);
    assert_string_equal(err.text, expected);
}

static void assert_flags_refused(const char *flags, const char *expected)
{
    struct server_options *options = NULL;
    enum options_action action;
    struct errinfo err = {0};
    assert_int_equal(load(flags, "", &options, &action, &err), STATUS_USAGE);
    assert_string_equal(err.text, expected);
}

static void without_anything_the_defaults_are_nats_servers(void **state)
{
    (void)state;
    struct server_options *options = options_of("", "");
    assert_string_equal(options->host, "0.0.0.0");
    assert_int_equal(options->port, 4222);
    assert_int_equal(options->max_payload, 16 * 1024 * 1024);
    assert_int_equal(options->max_control_line, 4096);
    assert_int_equal(options->max_pending, 64 * 1024 * 1024);
    assert_int_equal(options->max_connections, 65536);
    assert_true(options->ping_interval_ns == 120 * SECONDS);
    assert_int_equal(options->ping_max, 2);
    assert_true(options->write_deadline_ns == 10 * SECONDS);
    assert_true(options->auth_timeout_ns == 2 * SECONDS);
    assert_false(options->jetstream);
    assert_true(options->logtime);
    assert_null(options->config_file);
    assert_false(options_given(options, "host"));
    server_options_free(options);
}

static void a_file_sets_what_it_names(void **state)
{
    (void)state;
    struct server_options *options = options_of_file(
        "PORT: 4333\nlisten: \"[::1]:4223\"\nport: $PORT\nserver_name: hub\nmax_payload: 8MB\n"
        "http: localhost:8222\nping_interval: \"30s\"\nwrite_deadline: 5\nmax_subs: 100\n"
        "lame_duck_duration: \"1m\", lame_duck_grace_period: 5s\nDEBUG: true, trace off\n"
        "logfile: \"/tmp/n.log\", unix_socket: '/run/a.sock', server_tags: [a, b]\n"
        "jetstream { store_dir: /data, max_mem: 1G, max_file: \"10G\", domain: hub\n"
        "  sync_interval: always, limits { duplicate_window: 1h, max_ack_pending: 7, batch { "
        "max_msgs: 5 } } }");
    assert_string_equal(options->host, "::1");
    assert_int_equal(options->port, 4333);
    assert_string_equal(options->server_name, "hub");
    assert_int_equal(options->max_payload, 8 * 1024 * 1024);
    assert_string_equal(options->http_host, "localhost");
    assert_int_equal(options->http_port, 8222);
    assert_true(options->ping_interval_ns == 30 * SECONDS);
    assert_true(options->write_deadline_ns == 5 * SECONDS);
    assert_int_equal(options->max_subscriptions, 100);
    assert_true(options->lame_duck_duration_ns == 60 * SECONDS);
    assert_true(options->lame_duck_grace_ns == 5 * SECONDS);
    assert_true(options->debug);
    assert_false(options->trace);
    assert_string_equal(options->log_file, "/tmp/n.log");
    assert_string_equal(options->unix_socket, "/run/a.sock");
    assert_int_equal(options->server_tags.count, 2);
    assert_string_equal(options->server_tags.items[1], "b");
    assert_true(options->jetstream);
    assert_string_equal(options->store_dir, "/data");
    assert_int_equal(options->max_memory_store, 1000000000);
    assert_true(options->max_file_store == INT64_C(10) << 30);
    assert_string_equal(options->jetstream_domain, "hub");
    assert_true(options->sync_always);
    assert_true(options->limit_duplicate_window_ns == 3600 * SECONDS);
    assert_int_equal(options->limit_batch_messages, 5);
    assert_true(options_given(options, "host"));
    assert_string_equal(options->config_file, "s.conf");
    server_options_free(options);
}

static void jetstream_is_a_word_a_boolean_or_a_block(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool enabled;
    } cases[] = {
        {"jetstream: enabled", true},
        {"jetstream: true", true},
        {"jetstream {}", true},
        {"jetstream: { enabled: false }", false},
        {"jetstream: disabled", false},
        {"jetstream: no", false},
        {"jetstream { enabled: true }", true},
        {"port: 1", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct server_options *options = options_of_file(cases[i].text);
        assert_int_equal(options->jetstream, cases[i].enabled);
        server_options_free(options);
    }
    assert_refused("jetstream: maybe",
                   "s.conf:1:1: jetstream takes true, false, enabled, disabled or a block, not a "
                   "string");
}

static void an_unknown_key_is_refused_with_the_nearest(void **state)
{
    (void)state;
    assert_refused("port: 1\n max_payloud: 1",
                   "s.conf:2:2: unknown field \"max_payloud\"; did you mean \"max_payload\"?");
    assert_refused("jetstream { store_dri: x }",
                   "s.conf:1:13: unknown field \"store_dri\"; did you "
                   "mean \"store_dir\", \"store\" or \"storedir\"?");
    assert_refused("authorization { users = [ {user: a, paswd: b} ] }",
                   "s.conf:1:37: unknown field \"paswd\"; did you mean \"pass\"?");
    assert_refused("qwertyuiop: 1", "s.conf:1:1: unknown field \"qwertyuiop\"");
}

static void a_variable_that_is_used_need_not_be_a_setting(void **state)
{
    (void)state;
    struct server_options *options = options_of_file("my_port: 4444\nport: $my_port");
    assert_int_equal(options->port, 4444);
    server_options_free(options);
    options = options_of_file("authorization { PASS: p, users [ {user: a, password: $PASS} ] }");
    assert_string_equal(options->users[0].password, "p");
    server_options_free(options);
}

static void what_is_not_supported_is_an_error_with_its_place_unless_it_is_empty(void **state)
{
    (void)state;
    assert_refused("port: 1\ntls { cert_file: x }",
                   "s.conf:2:1: not supported by this version: tls");
    assert_refused("cluster { name: c }", "s.conf:1:1: not supported by this version: cluster");
    assert_refused("accounts { A { users: [] } }",
                   "s.conf:1:12: not supported by this version: account \"A\"");
    assert_refused("authorization { users: [ { nkey: U } ] }",
                   "s.conf:1:28: not supported by this version: nkey");
    server_options_free(options_of_file("tls {}\ncluster {}, websocket {}\naccounts { A {} }\n"
                                        "leafnodes {}, mqtt {}, gateway {}"));
}

static void a_value_of_the_wrong_type_or_size_is_refused(void **state)
{
    (void)state;
    assert_refused("port: abc", "s.conf:1:1: port takes an integer, not a string");
    assert_refused("port: 65536", "s.conf:1:1: port must be between -1 and 65535, not 65536");
    assert_refused("server_name: 12", "s.conf:1:1: server_name takes a string (in quotes where it "
                                      "looks like another), not an integer");
    assert_refused("debug: 1", "s.conf:1:1: debug takes true or false, not an integer");
    assert_refused("max_payload: 65MB",
                   "s.conf:1:1: max_payload must be between 1 and 67108864, not 68157440");
    assert_refused("ping_interval: soon",
                   "s.conf:1:1: ping_interval takes a duration such as 2m30s, not \"soon\"");
    assert_refused("lame_duck_duration: \"5s\"",
                   "s.conf:1:1: lame_duck_duration must be at least 30 seconds");
    assert_refused("ping_interval: 5m", "s.conf:1:1: ping_interval would be 5000000 seconds: put a "
                                        "duration in quotes, as \"5m\"");
    assert_refused("listen: \"a:b:1\"", "s.conf:1:1: listen takes a port or \"host:port\" with a "
                                        "port up to 65535, not \"a:b:1\"");
    assert_refused("authorization: yes", "s.conf:1:1: authorization takes a block, not a boolean");
}

static void settings_that_contradict_each_other_are_refused(void **state)
{
    (void)state;
    assert_refused("max_payload: 2MB, max_pending: 1MB",
                   "s.conf: max_payload (2097152) cannot be higher than max_pending (1048576)");
    assert_refused("server_name: \"a b\"", "s.conf: server name cannot contain spaces");
    assert_refused("lame_duck_duration: 30s, lame_duck_grace_period: 30s",
                   "s.conf: lame_duck_grace_period should be strictly lower than "
                   "lame_duck_duration");
    assert_refused("authorization { user: a, password: b, token: c }",
                   "s.conf: cannot have a user and password and a token");
    assert_refused("authorization { user: a, users: [ {user: b} ] }",
                   "s.conf: cannot have a single user and password and a list of users");
    assert_refused("no_auth_user: a",
                   "s.conf: no_auth_user: \"a\" present, but users are not defined");
    assert_refused("no_auth_user: a, authorization { users: [ {user: b} ] }",
                   "s.conf: no_auth_user: \"a\" is none of the users in authorization or accounts");
}

static void flags_have_one_dash_or_two_and_beat_the_file(void **state)
{
    (void)state;
    struct server_options *options = options_of(
        "-c s.conf -p 5000 --net 127.0.0.1 -m=8333 -js -sd /x -DV -T=false --max_payload 1MB "
        "-l /l --user=u",
        "port: 4000, net: \"0.0.0.0\", jetstream: false, authorization { pass: b }");
    assert_int_equal(options->port, 5000);
    assert_string_equal(options->host, "127.0.0.1");
    assert_int_equal(options->http_port, 8333);
    assert_true(options->jetstream);
    assert_string_equal(options->store_dir, "/x");
    assert_true(options->debug && options->trace);
    assert_false(options->logtime);
    assert_int_equal(options->max_payload, 1048576);
    assert_string_equal(options->log_file, "/l");
    assert_string_equal(options->user, "u");
    assert_string_equal(options->password, "b");
    server_options_free(options);
}

static void a_flags_text_is_taken_as_it_is(void **state)
{
    (void)state;
    struct server_options *options = options_of(
        "-user 123 -pass true -auth= -a :: --ping_interval 1m", "");
    assert_true(options->ping_interval_ns == 60 * SECONDS);
    assert_null(options->token);
    assert_string_equal(options->user, "123");
    assert_string_equal(options->password, "true");
    assert_string_equal(options->host, "::");
    server_options_free(options);
}

static void a_wrong_flag_gives_one_clear_line(void **state)
{
    (void)state;
    assert_flags_refused("--prot 1", "unknown flag \"prot\"; did you mean \"port\"?; -h shows all");
    assert_flags_refused("-p", "flag needs a value: -p PORT");
    assert_flags_refused("-p x", "-p takes an integer, not a string");
    assert_flags_refused("start", "unrecognized argument \"start\"; -h shows the flags");
    assert_flags_refused("--tls", "not supported by this version: --tls");
    assert_flags_refused("--cluster nats://x:1", "not supported by this version: --cluster");
    assert_flags_refused("-t", "-t tests a configuration file: name it with -c FILE");
}

static enum options_action action_of(const char *flags)
{
    struct server_options *options = NULL;
    enum options_action action;
    assert_int_equal(load(flags, "", &options, &action, NULL), STATUS_OK);
    server_options_free(options);
    return action;
}

static void actions_are_told_apart(void **state)
{
    (void)state;
    assert_int_equal(action_of("-p 1"), OPTIONS_RUN);
    assert_int_equal(action_of("-h"), OPTIONS_HELP);
    assert_int_equal(action_of("--help -v"), OPTIONS_HELP);
    assert_int_equal(action_of("-v"), OPTIONS_VERSION);
    assert_int_equal(action_of("version"), OPTIONS_VERSION);
    assert_int_equal(action_of("-t -c s.conf"), OPTIONS_TEST);
}

static void a_file_that_is_missing_is_named(void **state)
{
    (void)state;
    struct server_options *options = NULL;
    enum options_action action;
    struct errinfo err = {0};
    assert_int_equal(load("-c none.conf", "", &options, &action, &err), STATUS_NOT_FOUND);
    assert_string_equal(err.text, "configuration file none.conf: no such file");
}

static void users_have_permissions_their_own_or_the_default(void **state)
{
    (void)state;
    struct server_options *options = options_of_file(
        "authorization { timeout: 0.5\n"
        "  users = [ {user: a, password: b, permissions: { publish: x.>, subscribe: [y, \"z q\"]\n"
        "              allow_responses: { max: 5, expires: \"1m\" } } }\n"
        "            {user: c, pass: d} ]\n"
        "  default_permissions { publish { deny: s }, allow_responses: true }\n}\n"
        "accounts { $SYS { users: [ {user: admin, password: p} ] } }");
    assert_int_equal(options->user_count, 3);
    assert_true(options->auth_timeout_ns == SECONDS / 2);
    const struct option_permissions *own = options->users[0].permissions;
    assert_true(own->publish_allow.given && own->publish_allow.count == 1);
    assert_string_equal(own->subscribe_allow.items[1], "z q");
    assert_true(own->responses && own->responses_max == 5);
    assert_true(own->responses_expires_ns == 60 * SECONDS);
    const struct option_permissions *defaults = options->users[1].permissions;
    assert_non_null(defaults);
    assert_true(defaults->publish_allow.given);
    assert_int_equal(defaults->publish_allow.count, 0);
    assert_string_equal(defaults->publish_deny.items[0], "s");
    assert_int_equal(defaults->responses_max, 1);
    assert_true(options->users[2].system);
    assert_null(options->users[2].permissions);
    server_options_free(options);
}

static void users_and_permissions_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    assert_refused("authorization { users: [ {user: a} {user: b} ] }",
                   "s.conf:1:36: expected a comma, a line end or ] behind the value");
    assert_refused("authorization { users: [ {user: a}, {user: a} ] }",
                   "s.conf:1:37: duplicate user \"a\" detected");
    assert_refused("authorization { users: [ {password: a} ] }",
                   "s.conf:1:26: user entry requires a user");
    assert_refused("authorization { users: [ {user: a, permissions { publish: \"a..b\" } } ] }",
                   "s.conf:1:50: subject \"a..b\" is not a valid subject");
    assert_refused("authorization { users: [ {user: a, permissions { publish: \"a q\" } } ] }",
                   "s.conf:1:50: subject \"a q\" is not a valid subject");
}

static bool has(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

static void a_reload_tells_what_changed_and_what_may_not(void **state)
{
    (void)state;
    struct options_changes changes;
    struct errinfo err = {0};
    const char *before = "port: 4222, debug: false, authorization { users: [ {user: a} ] }";
    struct server_options *old = options_of_file(before);
    struct server_options *same = options_of_file(before);
    struct server_options *small = options_of_file(
        "port: 4222, debug: true, max_payload: 1MB\n"
        "authorization { users: [ {user: a, permissions { publish: x } } ] }");
    struct server_options *large = options_of_file("port: 4223, jetstream { store_dir: /y }");
    assert_int_equal(options_reload(old, same, &changes, &err), STATUS_OK);
    assert_int_equal(changes.changed_count, 0);
    assert_int_equal(options_reload(old, small, &changes, &err), STATUS_OK);
    assert_int_equal(changes.changed_count, 3);
    assert_true(has(changes.changed, 3, "debug"));
    assert_true(has(changes.changed, 3, "max_payload"));
    assert_true(has(changes.changed, 3, "users"));
    assert_int_equal(options_reload(old, large, &changes, &err), STATUS_INVALID);
    assert_int_equal(changes.refused_count, 3);
    assert_string_equal(err.text,
                        "reload: port, jetstream, store_dir cannot change while the server "
                        "runs; restart it");
    server_options_free(old);
    server_options_free(same);
    server_options_free(small);
    server_options_free(large);
}

// The forms in which NATS's documentation writes configurations.
static void configurations_as_the_documentation_writes_them_are_taken(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "port: 4222\nmonitor_port: 8222\n\n# roughly as written\nauthorization {\n"
        "    user:     one\n    password: T0pS3cr3t\n    timeout:  1\n}\n",
        "listen: 127.0.0.1:4222\nserver_name=n1\njetstream=enabled\n"
        "jetstream {\n  store_dir=\"/var/lib/nats\"\n  max_memory_store: 1GB\n"
        "  max_file_store: 10GB\n}\n",
        "authorization: {\n  token: \"s3cr3t\"\n}",
        "authorization {\n  default_permissions = {\n    publish = \"SANDBOX.*\"\n"
        "    subscribe = [\"PUBLIC.>\", \"_INBOX.>\"]\n  }\n  ADMIN = {\n    publish = \">\"\n"
        "    subscribe = \">\"\n  }\n  REQUESTOR = {\n    publish = [\"req.a\", \"req.b\"]\n"
        "    subscribe = \"_INBOX.>\"\n  }\n  users = [\n"
        "    {user: admin, password: x, permissions: $ADMIN}\n"
        "    {user: client, password: y, permissions: $REQUESTOR}\n"
        "    {user: other, password: z}\n  ]\n}\n",
        "{ \"authorization\": { \"users\": [ {\"user\": \"a\", \"password\": \"b\",\n"
        "  \"permissions\": { \"publish\": { \"deny\": \">\" }, \"subscribe\": { \"allow\": "
        "\"c.>\" } } }\n"
        "] } }",
        "accounts: {\n  $SYS: {\n    users: [ {user: sys, password: pw} ]\n  }\n}\n"
        "system_account: \"$SYS\"\n",
        "max_connections: 100\nmax_control_line: 2kb\nmax_pending = 64mb; write_deadline: \"2s\"\n"
        "debug: false, trace: no // quiet\nlogtime: on\nlog_size_limit: 1GB\npid_file: ./n.pid",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        server_options_free(options_of_file(texts[i]));
}

static void a_caller_sets_what_was_not_given(void **state)
{
    (void)state;
    struct errinfo err = {0};
    struct server_options *options = options_of("-p 1", "");
    assert_true(options_given(options, "port"));
    assert_false(options_given(options, "store_dir"));
    assert_int_equal(options_set(options, "store_dir", "/home/x", &err), STATUS_OK);
    assert_int_equal(options_set(options, "http_port", "8223", &err), STATUS_OK);
    assert_int_equal(options_set(options, "jetstream", "true", &err), STATUS_OK);
    assert_int_equal(options_set(options, "no_such", "1", &err), STATUS_USAGE);
    assert_string_equal(options->store_dir, "/home/x");
    assert_int_equal(options->http_port, 8223);
    assert_true(options->jetstream);
    server_options_free(options);
}

static void durations_are_gos(void **state)
{
    (void)state;
    int64_t ns = 7;
    assert_true(options_duration(BYTES("1h30m"), &ns) && ns == 5400 * SECONDS);
    assert_true(options_duration(BYTES("1.5s"), &ns) && ns == SECONDS * 3 / 2);
    assert_true(options_duration(BYTES("250ms"), &ns) && ns == SECONDS / 4);
    assert_true(options_duration(BYTES("-2us"), &ns) && ns == -2000);
    assert_true(options_duration(BYTES(".5m"), &ns) && ns == 30 * SECONDS);
    assert_true(options_duration(BYTES("0"), &ns) && ns == 0);
    ns = 7;
    assert_false(options_duration(BYTES(""), &ns));
    assert_false(options_duration(BYTES("5"), &ns));
    assert_false(options_duration(BYTES("s"), &ns));
    assert_false(options_duration(BYTES("5d"), &ns));
    assert_false(options_duration(BYTES("9999999999h"), &ns));
    assert_false(options_duration(BYTES("9223372036s9223372036s"), &ns));
    assert_true(ns == 7);
}

static void help_names_every_flag_once_and_varz_is_json(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 1 << 20);
    options_help(&out);
    const char *help = buf_string(&out);
    const char *found = strstr(help, "-p, --port PORT");
    assert_non_null(found);
    assert_null(strstr(found + 1, "-p, --port PORT"));
    assert_non_null(strstr(help, "-sd, --store_dir DIR"));
    assert_non_null(strstr(help, "-c, --config FILE"));
    assert_null(strstr(help, "tlscert"));
    buf_clear(&out);
    struct server_options *options = options_of_file("server_tags: [\"a\\\"\", b], port: 1");
    buf_append_string(&out, "{\"x\":0");
    options_varz(options, &out);
    buf_append_byte(&out, '}');
    json_t *varz = json_loadb(out.data, out.size, 0, NULL);
    assert_non_null(varz);
    assert_int_equal(json_integer_value(json_object_get(varz, "port")), 1);
    assert_int_equal(json_integer_value(json_object_get(varz, "max_payload")), 16777216);
    assert_string_equal(json_string_value(json_array_get(json_object_get(varz, "tags"), 0)), "a\"");
    json_decref(varz);
    server_options_free(options);
    buf_fini(&out);
}

static void the_version_line_has_the_form_that_tools_parse(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 1000);
    options_version("2.14.0", "0.1.0", &out);
    assert_string_equal(buf_string(&out), "nats-server: v2.14.0 (agog 0.1.0)");
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_anything_the_defaults_are_nats_servers),
        cmocka_unit_test(a_file_sets_what_it_names),
        cmocka_unit_test(jetstream_is_a_word_a_boolean_or_a_block),
        cmocka_unit_test(an_unknown_key_is_refused_with_the_nearest),
        cmocka_unit_test(a_variable_that_is_used_need_not_be_a_setting),
        cmocka_unit_test(what_is_not_supported_is_an_error_with_its_place_unless_it_is_empty),
        cmocka_unit_test(a_value_of_the_wrong_type_or_size_is_refused),
        cmocka_unit_test(settings_that_contradict_each_other_are_refused),
        cmocka_unit_test(flags_have_one_dash_or_two_and_beat_the_file),
        cmocka_unit_test(a_flags_text_is_taken_as_it_is),
        cmocka_unit_test(a_wrong_flag_gives_one_clear_line),
        cmocka_unit_test(actions_are_told_apart),
        cmocka_unit_test(a_file_that_is_missing_is_named),
        cmocka_unit_test(users_have_permissions_their_own_or_the_default),
        cmocka_unit_test(users_and_permissions_that_make_no_sense_are_refused),
        cmocka_unit_test(a_reload_tells_what_changed_and_what_may_not),
        cmocka_unit_test(configurations_as_the_documentation_writes_them_are_taken),
        cmocka_unit_test(a_caller_sets_what_was_not_given),
        cmocka_unit_test(durations_are_gos),
        cmocka_unit_test(help_names_every_flag_once_and_varz_is_json),
        cmocka_unit_test(the_version_line_has_the_form_that_tools_parse),
    };
    return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
