// SPDX-License-Identifier: Apache-2.0
// Key-value buckets over a bus.
#include "conformance_kit.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static void make_bucket(struct fixture *at, int history)
{
    struct kv_config config = {
        .bucket = BYTES("b"), .history = history, .replicas = at->implementation->replicas};
    bool created = false;
    must(at, kv_bucket_create(at->bus, &config, &created, &at->err));
    assert_true(created);
}

static enum status write_key(struct fixture *at, const char *key, const char *value,
                             uint64_t expected, uint64_t *revision)
{
    struct kv_write write = {.bucket = BYTES("b"),
                             .key = bytes_of_string(key),
                             .value = bytes_of_string(value),
                             .expected = expected};
    errinfo_clear(&at->err);
    return kv_write(at->bus, &write, revision, &at->err);
}

static uint64_t put_key(struct fixture *at, const char *key, const char *value)
{
    uint64_t revision = 0;
    must(at, write_key(at, key, value, KV_ANY, &revision));
    return revision;
}

static enum status mark(struct fixture *at, const char *key, enum kv_operation operation,
                        uint64_t expected)
{
    uint64_t revision;
    struct kv_write write = {.bucket = BYTES("b"),
                             .key = bytes_of_string(key),
                             .expected = expected,
                             .operation = operation};
    return kv_write(at->bus, &write, &revision, &at->err);
}

static enum status get_key(struct fixture *at, const char *key, uint64_t revision)
{
    struct kv_key wanted = {BYTES("b"), bytes_of_string(key), revision};
    errinfo_clear(&at->err);
    return kv_get(at->bus, &wanted, &at->storage, &at->entry, &at->err);
}

static void expect_key(struct fixture *at, const char *key, const char *value)
{
    must(at, get_key(at, key, 0));
    assert_true(bytes_equal(at->entry.value, bytes_of_string(value)));
    assert_true(bytes_equal(at->entry.key, bytes_of_string(key)));
    assert_true(bytes_equal(at->entry.bucket, BYTES("b")));
    assert_int_equal(at->entry.operation, KV_PUT);
}

static void a_buckets_stream_is_the_one_that_official_clients_make(void **state)
{
    (void)state;
    struct stream_config config;
    struct buf json;
    struct kv_config bucket = {.bucket = BYTES("profiles"),
                               .description = BYTES("who is who"),
                               .history = 5,
                               .ttl_ns = INT64_C(60000000000),
                               .max_bytes = 1000,
                               .max_value_size = 100};
    buf_init(&json, 1 << 16);
    assert_int_equal(kv_stream_config(&bucket, &config, NULL), STATUS_OK);
    assert_int_equal(stream_config_to_json(&config, &json), STATUS_OK);
    assert_string_equal(
        buf_string(&json),
        "{\"allow_direct\":true,\"allow_msg_ttl\":false,\"allow_rollup_hdrs\":true,"
        "\"compression\":\"none\",\"consumer_limits\":{},\"deny_delete\":true,"
        "\"deny_purge\":false,\"description\":\"who is who\",\"discard\":\"new\","
        "\"duplicate_window\":60000000000,\"max_age\":60000000000,\"max_bytes\":1000,"
        "\"max_consumers\":-1,\"max_msg_size\":100,\"max_msgs\":-1,\"max_msgs_per_subject\":5,"
        "\"mirror_direct\":false,"
        "\"name\":\"KV_profiles\",\"num_replicas\":1,\"retention\":\"limits\",\"sealed\":false,"
        "\"storage\":\"file\",\"subjects\":[\"$KV.profiles.>\"]}");
    stream_config_fini(&config);
    bucket = (struct kv_config){.bucket = BYTES("b")};
    assert_int_equal(kv_stream_config(&bucket, &config, NULL), STATUS_OK);
    assert_true(config.max_msgs_per_subject == 1 && config.max_bytes == -1);
    assert_true(config.max_age_ns == 0 && config.max_msg_size == -1);
    assert_true(config.duplicate_window_ns == INT64_C(120000000000));
    stream_config_fini(&config);
    buf_fini(&json);
}

static void bad_buckets_are_refused(void **state)
{
    struct fixture *at = *state;
    const struct bytes bad[] = {BYTES(""),    BYTES("a.b"), BYTES("a b"), BYTES("*"),
                                BYTES("a/b"), BYTES("ü"),   BYTES("a\n"), BYTES("a\0b")};
    bool created;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct kv_config config = {.bucket = bad[i]};
        assert_int_equal(kv_bucket_create(at->bus, &config, &created, &at->err), STATUS_INVALID);
        assert_null(strchr(at->err.text, '\n'));
    }
    struct kv_config history = {.bucket = BYTES("b"), .history = LIMIT_KV_HISTORY + 1};
    assert_int_equal(kv_bucket_create(at->bus, &history, &created, &at->err), STATUS_INVALID);
    struct kv_config negative = {.bucket = BYTES("b"), .ttl_ns = -1};
    assert_int_equal(kv_bucket_create(at->bus, &negative, &created, &at->err), STATUS_INVALID);
}

static void bad_keys_are_refused(void **state)
{
    struct fixture *at = *state;
    static const char *const bad[] = {"",    ".a", "a.",   "a..b", "a b", "a*",
                                      "a.>", "ü",  "a\nb", "$x",   "a:b", "a#"};
    char long_key[LIMIT_KV_KEY_BYTES + 2];
    uint64_t revision;
    make_bucket(at, 1);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(write_key(at, bad[i], "v", KV_ANY, &revision), STATUS_INVALID);
        assert_true(strstr(at->err.text, "bad key") != NULL);
        assert_int_equal(get_key(at, bad[i], 0), STATUS_INVALID);
    }
    memset(long_key, 'k', sizeof long_key);
    long_key[LIMIT_KV_KEY_BYTES + 1] = '\0';
    assert_int_equal(write_key(at, long_key, "v", KV_ANY, &revision), STATUS_INVALID);
    long_key[LIMIT_KV_KEY_BYTES] = '\0';
    put_key(at, long_key, "v");
    put_key(at, "-/_=.aZ9", "v");
}

static void a_value_that_was_put_is_read_with_its_revision(void **state)
{
    struct fixture *at = *state;
    make_bucket(at, 5);
    assert_int_equal(put_key(at, "k", "one"), 1);
    assert_int_equal(put_key(at, "k.sub", "other"), 2);
    assert_int_equal(put_key(at, "k", "two"), 3);
    expect_key(at, "k", "two");
    assert_int_equal(at->entry.revision, 3);
    assert_true(at->entry.time_ns > 0);
    expect_key(at, "k.sub", "other");
    must(at, get_key(at, "k", 1));
    assert_true(bytes_equal(at->entry.value, BYTES("one")));
    assert_int_equal(get_key(at, "k", 2), STATUS_NOT_FOUND); // another key's
    assert_int_equal(get_key(at, "k", 99), STATUS_NOT_FOUND);
}

static void unknown_buckets_and_keys_are_told_apart(void **state)
{
    struct fixture *at = *state;
    uint64_t revision;
    assert_int_equal(get_key(at, "k", 0), STATUS_NOT_FOUND);
    assert_string_equal(at->err.text, "no bucket b: create it with agog kv add b");
    assert_int_equal(write_key(at, "k", "v", KV_ANY, &revision), STATUS_NOT_FOUND);
    assert_string_equal(at->err.text, "no bucket b: create it with agog kv add b");
    assert_int_equal(kv_bucket_delete(at->bus, BYTES("b"), &at->err), STATUS_NOT_FOUND);
    assert_string_equal(at->err.text, "no bucket b: create it with agog kv add b");
    make_bucket(at, 1);
    assert_int_equal(get_key(at, "k", 0), STATUS_NOT_FOUND);
    assert_string_equal(at->err.text, "no key k");
    put_key(at, "k", "v");
    must(at, mark(at, "k", KV_DELETE, KV_ANY));
    assert_int_equal(get_key(at, "k", 0), STATUS_NOT_FOUND);
    assert_string_equal(at->err.text, "no key k: it was deleted");
}

static void create_takes_only_a_key_that_is_not_there(void **state)
{
    struct fixture *at = *state;
    uint64_t revision = 0;
    make_bucket(at, 3);
    must(at, write_key(at, "k", "one", 0, &revision));
    assert_int_equal(revision, 1);
    assert_int_equal(write_key(at, "k", "two", 0, &revision), STATUS_CONFLICT);
    assert_string_equal(at->err.text, "key k exists already");
    assert_int_equal(at->err.protocol_code, 10071);
    assert_int_equal(revision, 1);
    expect_key(at, "k", "one");
}

static void create_takes_a_key_that_was_deleted_or_purged(void **state)
{
    struct fixture *at = *state;
    uint64_t revision;
    make_bucket(at, 3);
    put_key(at, "k", "one");
    must(at, mark(at, "k", KV_DELETE, KV_ANY));
    must(at, write_key(at, "k", "two", 0, &revision));
    expect_key(at, "k", "two");
    must(at, mark(at, "k", KV_PURGE, KV_ANY));
    must(at, write_key(at, "k", "three", 0, &revision));
    expect_key(at, "k", "three");
    assert_int_equal(write_key(at, "k", "four", 0, &revision), STATUS_CONFLICT);
}

static void update_takes_only_the_revision_that_is_there(void **state)
{
    struct fixture *at = *state;
    uint64_t revision = 0;
    make_bucket(at, 1);
    put_key(at, "k", "one");
    put_key(at, "other", "x");
    must(at, write_key(at, "k", "two", 1, &revision));
    assert_int_equal(revision, 3);
    assert_int_equal(write_key(at, "k", "three", 1, &revision), STATUS_CONFLICT);
    assert_string_equal(at->err.text, "key k is not at revision 1 any more: read it again");
    assert_int_equal(mark(at, "k", KV_DELETE, 1), STATUS_CONFLICT);
    must(at, mark(at, "k", KV_DELETE, 3));
    assert_int_equal(get_key(at, "k", 0), STATUS_NOT_FOUND);
}

// Appends "key=value@revision " with - for a delete and ! for a purge marker.
static enum status collect(void *context, const struct kv_entry *entry)
{
    char *text = context;
    size_t size = strlen(text);
    const char *value = entry->operation == KV_DELETE  ? "-"
                        : entry->operation == KV_PURGE ? "!"
                                                       : "";
    snprintf(text + size, 400 - size, "%.*s=%s%.*s@%d ", BYTES_ARG(entry->key), value,
             BYTES_ARG(entry->value), (int)entry->revision);
    return STATUS_OK;
}

static void expect_history(struct fixture *at, const char *key, const char *wanted)
{
    char text[400] = "";
    must(at, kv_history(at->bus, BYTES("b"), bytes_of_string(key), collect, text, &at->err));
    assert_string_equal(text, wanted);
}

static void history_keeps_the_newest_revisions_of_each_key(void **state)
{
    struct fixture *at = *state;
    make_bucket(at, 3);
    for (int i = 1; i <= 5; i++) {
        char value[4];
        snprintf(value, sizeof value, "%d", i);
        put_key(at, "k", value);
    }
    put_key(at, "other", "x");
    expect_history(at, "k", "k=3@3 k=4@4 k=5@5 ");
    must(at, mark(at, "k", KV_DELETE, KV_ANY));
    expect_history(at, "k", "k=4@4 k=5@5 k=-@7 ");
    expect_history(at, "other", "other=x@6 ");
    char text[400] = "";
    assert_int_equal(kv_history(at->bus, BYTES("b"), BYTES("none"), collect, text, &at->err),
                     STATUS_NOT_FOUND);
    assert_int_equal(kv_history(at->bus, BYTES("x"), BYTES("none"), collect, text, &at->err),
                     STATUS_NOT_FOUND);
    assert_string_equal(at->err.text, "no bucket x: create it with agog kv add x");
}

static void a_purge_leaves_only_its_marker(void **state)
{
    struct fixture *at = *state;
    make_bucket(at, 5);
    put_key(at, "k", "1");
    put_key(at, "other", "2");
    put_key(at, "k", "3");
    must(at, mark(at, "k", KV_PURGE, KV_ANY));
    expect_history(at, "k", "k=!@4 ");
    expect_key(at, "other", "2");
}

static void keys_are_listed_with_their_last_entry(void **state)
{
    struct fixture *at = *state;
    char text[400] = "";
    make_bucket(at, 5);
    put_key(at, "a.x", "1");
    put_key(at, "b", "2");
    put_key(at, "a.x", "3");
    put_key(at, "a.y", "4");
    must(at, mark(at, "b", KV_DELETE, KV_ANY));
    must(at, kv_entries(at->bus, BYTES("b"), BYTES(""), collect, text, &at->err));
    assert_string_equal(text, "a.x=3@3 a.y=4@4 b=-@5 ");
    text[0] = '\0';
    must(at, kv_entries(at->bus, BYTES("b"), BYTES("a.*"), collect, text, &at->err));
    assert_string_equal(text, "a.x=3@3 a.y=4@4 ");
    assert_int_equal(kv_entries(at->bus, BYTES("none"), BYTES(""), collect, text, &at->err),
                     STATUS_NOT_FOUND);
}

static enum status collect_bucket(void *context, struct bytes name, uint64_t count)
{
    char *text = context;
    size_t size = strlen(text);
    snprintf(text + size, 400 - size, "%.*s=%d ", BYTES_ARG(name), (int)count);
    return STATUS_OK;
}

static void buckets_are_listed_and_other_streams_are_not(void **state)
{
    struct fixture *at = *state;
    char text[400] = "";
    bool created;
    must(at, try_create(at, "{\"name\":\"S\"}", &created));
    make_bucket(at, 1);
    put_key(at, "k", "v");
    must(at, kv_buckets(at->bus, collect_bucket, text, &at->err));
    assert_string_equal(text, "b=1 ");
    must(at, kv_bucket_delete(at->bus, BYTES("b"), &at->err));
    text[0] = '\0';
    must(at, kv_buckets(at->bus, collect_bucket, text, &at->err));
    assert_string_equal(text, "");
}

static void expect_watched(struct fixture *at, struct kv_watch *watch, const char *wanted)
{
    char text[400] = "";
    must(at, kv_watch_next(watch, WAIT_MS, &at->storage, &at->entry, &at->err));
    collect(text, &at->entry);
    assert_string_equal(text, wanted);
}

static void a_watch_gives_what_is_there_and_then_what_comes(void **state)
{
    struct fixture *at = *state;
    struct kv_watch *watch;
    make_bucket(at, 5);
    for (int i = 1; i <= 6; i++) {
        char key[8];
        snprintf(key, sizeof key, "k%d", i % 5);
        put_key(at, key, "x");
    }
    must(at, kv_watch_open(at->bus, BYTES("b"), BYTES(""), true, &watch, &at->err));
    put_key(at, "k9", "new");
    must(at, mark(at, "k2", KV_DELETE, KV_ANY));
    static const char *const wanted[] = {"k2=x@2 ", "k3=x@3 ",   "k4=x@4 ", "k0=x@5 ",
                                         "k1=x@6 ", "k9=new@7 ", "k2=-@8 "};
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        expect_watched(at, watch, wanted[i]);
    assert_int_equal(kv_watch_next(watch, 0, &at->storage, &at->entry, &at->err), STATUS_TIMEOUT);
    kv_watch_close(watch);
    kv_watch_close(NULL);
}

static void a_watch_from_now_on_with_a_filter_gives_only_that(void **state)
{
    struct fixture *at = *state;
    struct kv_watch *watch;
    make_bucket(at, 5);
    put_key(at, "a.x", "old");
    must(at, kv_watch_open(at->bus, BYTES("b"), BYTES("a.*"), false, &watch, &at->err));
    put_key(at, "b", "other");
    put_key(at, "a.x", "new");
    expect_watched(at, watch, "a.x=new@3 ");
    assert_int_equal(kv_watch_next(watch, 1, &at->storage, &at->entry, &at->err), STATUS_TIMEOUT);
    kv_watch_close(watch);
    assert_int_equal(kv_watch_open(at->bus, BYTES("none"), BYTES(""), true, &watch, &at->err),
                     STATUS_NOT_FOUND);
    assert_string_equal(at->err.text, "no bucket none: create it with agog kv add none");
}

static void an_entry_replaced_during_a_watch_comes_once_and_in_its_new_form(void **state)
{
    struct fixture *at = *state;
    struct kv_watch *watch;
    make_bucket(at, 1);
    put_key(at, "a", "1");
    put_key(at, "b", "2");
    must(at, kv_watch_open(at->bus, BYTES("b"), BYTES(""), true, &watch, &at->err));
    put_key(at, "a", "3");
    expect_watched(at, watch, "b=2@2 ");
    expect_watched(at, watch, "a=3@3 ");
    kv_watch_close(watch);
}

// A child that adds one to a counter `count` times, each by compare-and-set. Every addition must
// succeed in the end.
static pid_t count_in_child(struct fixture *at, int count)
{
    char number[16];
    snprintf(number, sizeof number, "%d", count);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child > 0)
        return child;
    execl("/proc/self/exe", "child", at->implementation->address(at->place), number, (char *)NULL);
    _exit(127);
}

static enum status add_one(struct fixture *own, const char *address)
{
    char value[16] = "";
    uint64_t revision;
    enum status status = get_key(own, "counter", 0);
    if (status != STATUS_OK)
        return status;
    snprintf(value, sizeof value, "%.*s", BYTES_ARG(own->entry.value));
    snprintf(value, sizeof value, "%d", atoi(value) + 1);
    uint64_t expected = own->entry.revision;
    // Others get their chance between reading and writing.
    bus_close(own->bus);
    own->bus = own->implementation->open(address);
    return own->bus == NULL ? STATUS_UNAVAILABLE
                            : write_key(own, "counter", value, expected, &revision);
}

static int count_as_child(const struct conformance_bus *implementation, char **arguments)
{
    struct fixture own = {.implementation = implementation,
                          .bus = implementation->open(arguments[0])};
    enum status status = own.bus == NULL ? STATUS_UNAVAILABLE : STATUS_OK;
    int count = atoi(arguments[1]);
    buf_init(&own.storage, LIMIT_MESSAGE_BYTES);
    for (int done = 0; done < count && (status == STATUS_OK || status == STATUS_CONFLICT);) {
        status = add_one(&own, arguments[0]);
        done += status == STATUS_OK;
    }
    if (status != STATUS_OK)
        fprintf(stderr, "counting in another process: %s\n", own.err.text);
    bus_close(own.bus);
    buf_fini(&own.storage);
    return status != STATUS_OK;
}

static void racing_processes_never_both_win_a_compare_and_set(void **state)
{
    struct fixture *at = *state;
    enum { PROCESSES = 4, EACH = 15 };
    pid_t children[PROCESSES];
    if (at->implementation->both_may_win)
        skip();
    make_bucket(at, 64);
    put_key(at, "counter", "0");
    bus_close(at->bus);
    for (int i = 0; i < PROCESSES; i++)
        children[i] = count_in_child(at, EACH);
    for (int i = 0; i < PROCESSES; i++) {
        int status = -1;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    at->bus = open_bus(at);
    expect_key(at, "counter", "60");
    assert_int_equal(at->entry.revision, 61);
}

struct racer {
    struct fixture *at;
    pthread_t thread;
    int won;
    int lost;
};

static void *race(void *context)
{
    struct racer *self = context;
    for (int i = 0; i < 50; i++) {
        char key[16];
        uint64_t revision;
        struct errinfo err;
        snprintf(key, sizeof key, "k%d", i);
        struct kv_write write = {
            .bucket = BYTES("b"), .key = bytes_of_string(key), .value = BYTES("v"), .expected = 0};
        enum status status = kv_write(self->at->bus, &write, &revision, &err);
        self->won += status == STATUS_OK;
        self->lost += status == STATUS_CONFLICT;
    }
    return NULL;
}

static void racing_threads_never_both_create_a_key(void **state)
{
    struct fixture *at = *state;
    enum { THREADS = 4 };
    struct racer racers[THREADS];
    int won = 0;
    make_bucket(at, 1);
    for (int i = 0; i < THREADS; i++) {
        racers[i] = (struct racer){.at = at};
        assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(racers[i].thread, NULL);
        assert_int_equal(racers[i].won + racers[i].lost, 50);
        won += racers[i].won;
    }
    assert_int_equal(won, 50);
}

int conformance_kv_run(const struct conformance_bus *implementation, int argc, char **argv)
{
    if (argc == 3)
        return count_as_child(implementation, argv + 1);
    const struct CMUnitTest tests[] = {
        CASE(a_buckets_stream_is_the_one_that_official_clients_make),
        CASE(bad_buckets_are_refused),
        CASE(bad_keys_are_refused),
        CASE(a_value_that_was_put_is_read_with_its_revision),
        CASE(unknown_buckets_and_keys_are_told_apart),
        CASE(create_takes_only_a_key_that_is_not_there),
        CASE(create_takes_a_key_that_was_deleted_or_purged),
        CASE(update_takes_only_the_revision_that_is_there),
        CASE(history_keeps_the_newest_revisions_of_each_key),
        CASE(a_purge_leaves_only_its_marker),
        CASE(keys_are_listed_with_their_last_entry),
        CASE(buckets_are_listed_and_other_streams_are_not),
        CASE(a_watch_gives_what_is_there_and_then_what_comes),
        CASE(a_watch_from_now_on_with_a_filter_gives_only_that),
        CASE(an_entry_replaced_during_a_watch_comes_once_and_in_its_new_form),
        CASE(racing_processes_never_both_win_a_compare_and_set),
        CASE(racing_threads_never_both_create_a_key),
    };
    return cmocka_run_group_tests_name(implementation->name, tests, NULL, NULL);
}
