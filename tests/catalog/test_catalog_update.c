// SPDX-License-Identifier: Apache-2.0
// The catalog follows its streams, and comes back from whatever happens to its file.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#include "catalog/catalog_inside.h"
#include "catalogkit.h"

static const char stream[] = "agog_features_backend";

static void publish_three(struct kit *kit)
{
    kit_publish(kit, "a", "# T\n\nword\n");
    kit_publish(kit, "b", "# T\n\nword\n");
    kit_publish(kit, "c", "# T\n\nword\n");
}

static void expect_all_three(struct kit *kit)
{
    kit_search(kit, "word");
    kit_expect(kit, "roy/backend/c@1#0 roy/backend/b@1#0 roy/backend/a@1#0");
}

static void only_what_is_new_is_read(void **state)
{
    struct kit *kit = *state;
    publish_three(kit);
    assert_int_equal(kit_update(kit).added, 3);
    uint64_t gets = fakebus_gets(kit->bus);
    struct catalog_update update = kit_update(kit);
    assert_int_equal(update.added, 0);
    assert_int_equal(update.removed, 0);
    assert_int_equal(fakebus_gets(kit->bus), gets);
    kit_publish(kit, "d", "# T\n\nword\n");
    gets = fakebus_gets(kit->bus);
    assert_int_equal(kit_update(kit).added, 1);
    assert_int_equal(fakebus_gets(kit->bus) - gets, 1);
    kit_search(kit, "word");
    assert_int_equal(kit->count, 4);
}

static void what_is_indexed_is_there_after_a_reopen(void **state)
{
    struct kit *kit = *state;
    publish_three(kit);
    kit_update(kit);
    kit_reopen(kit);
    assert_int_equal(kit_update(kit).added, 0);
    expect_all_three(kit);
}

static void a_deleted_file_is_built_again(void **state)
{
    struct kit *kit = *state;
    char path[128];
    char name[160];
    publish_three(kit);
    kit_update(kit);
    catalog_close(kit->catalog);
    assert_int_equal(unlink(kit_path(kit, path)), 0);
    snprintf(name, sizeof name, "%s-wal", path);
    unlink(name);
    kit->catalog = kit_open(kit);
    assert_int_equal(kit_update(kit).added, 3);
    expect_all_three(kit);
}

// Everything into the main file, so that damage to it is damage.
static void checkpoint(struct kit *kit, const char *sql)
{
    char path[128];
    sqlite3 *db;
    assert_int_equal(sqlite3_open(kit_path(kit, path), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL),
                     SQLITE_OK);
    if (sql != NULL)
        assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void overwrite(struct kit *kit, long at, size_t size)
{
    char path[128];
    FILE *file = fopen(kit_path(kit, path), "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    for (size_t i = 0; i < size; i++)
        assert_int_equal(fputc(0x5A, file), 0x5A);
    assert_int_equal(fclose(file), 0);
}

static void a_file_that_is_no_database_is_built_again(void **state)
{
    struct kit *kit = *state;
    publish_three(kit);
    kit_update(kit);
    catalog_close(kit->catalog);
    checkpoint(kit, NULL);
    overwrite(kit, 0, 4096);
    kit->catalog = kit_open(kit);
    expect_all_three(kit);
    assert_true(kit->found.mended);
    kit_reopen(kit);
    expect_all_three(kit);
    assert_false(kit->found.mended);
}

// Wherever a page is damaged, an update and a search end with the right answer. Damage that
// nobody meets may stay.
static void any_damaged_page_is_survived(void **state)
{
    struct kit *kit = *state;
    char path[128];
    publish_three(kit);
    for (long page = 0; page < 64; page++) {
        kit_update(kit);
        catalog_close(kit->catalog);
        checkpoint(kit, NULL);
        FILE *file = fopen(kit_path(kit, path), "rb");
        assert_non_null(file);
        fseek(file, 0, SEEK_END);
        long size = ftell(file);
        fclose(file);
        if (page * 4096 < size)
            overwrite(kit, page * 4096, 4096);
        kit->catalog = kit_open(kit);
        expect_all_three(kit);
    }
}

static void a_file_of_another_version_is_built_again(void **state)
{
    struct kit *kit = *state;
    publish_three(kit);
    kit_update(kit);
    catalog_close(kit->catalog);
    checkpoint(kit, "PRAGMA user_version=999");
    kit->catalog = kit_open(kit);
    assert_int_equal(kit_update(kit).added, 3);
    expect_all_three(kit);
    assert_false(kit->found.mended);
}

static void a_missing_table_is_built_again(void **state)
{
    struct kit *kit = *state;
    publish_three(kit);
    kit_update(kit);
    catalog_close(kit->catalog);
    checkpoint(kit, "DROP TABLE report");
    kit->catalog = kit_open(kit);
    expect_all_three(kit);
}

static void a_database_of_somebody_else_is_built_again(void **state)
{
    struct kit *kit = *state;
    publish_three(kit);
    catalog_close(kit->catalog);
    checkpoint(kit, "PRAGMA application_id=7; CREATE TABLE x(y)");
    kit->catalog = kit_open(kit);
    expect_all_three(kit);
}

static void expired_reports_vanish(void **state)
{
    struct kit *kit = *state;
    uint64_t purged;
    publish_three(kit);
    kit_update(kit);
    struct bus_purge purge = {.up_to_seq = 3};
    assert_int_equal(
        kit->bus->operations->stream_purge(kit->bus, stream, &purge, &purged, &kit->err),
        STATUS_OK);
    assert_int_equal(kit_update(kit).removed, 2);
    kit_search(kit, "word");
    kit_expect(kit, "roy/backend/c@1#0");
}

static void an_emptied_stream_has_no_reports(void **state)
{
    struct kit *kit = *state;
    uint64_t purged;
    publish_three(kit);
    kit_update(kit);
    struct bus_purge purge = {.up_to_seq = 0};
    assert_int_equal(
        kit->bus->operations->stream_purge(kit->bus, stream, &purge, &purged, &kit->err),
        STATUS_OK);
    assert_int_equal(kit_update(kit).removed, 3);
    kit_search(kit, "word");
    kit_expect(kit, "");
    kit_publish(kit, "d", "# T\n\nword\n");
    kit_search(kit, "word");
    kit_expect(kit, "roy/backend/d@1#0");
}

static void delete_message(struct kit *kit, uint64_t seq)
{
    assert_int_equal(kit->bus->operations->message_delete(kit->bus, stream, seq, false, &kit->err),
                     STATUS_OK);
}

static void deleted_reports_vanish(void **state)
{
    struct kit *kit = *state;
    publish_three(kit);
    kit_update(kit);
    delete_message(kit, 2);
    assert_int_equal(kit_update(kit).removed, 1);
    kit_search(kit, "word");
    kit_expect(kit, "roy/backend/c@1#0 roy/backend/a@1#0");
    // The front moves over the hole while another one comes: as many are gone as before.
    kit_publish(kit, "d", "# T\n\nword\n");
    kit_publish(kit, "e", "# T\n\nword\n");
    kit_update(kit);
    delete_message(kit, 1);
    delete_message(kit, 4);
    kit_search(kit, "word");
    kit_expect(kit, "roy/backend/e@1#0 roy/backend/c@1#0");
}

static void the_revision_before_a_deleted_one_is_the_latest(void **state)
{
    struct kit *kit = *state;
    kit_publish(kit, "f", "# T\n\nfirst\n");
    uint64_t seq = kit_publish(kit, "f", "# T\n\nsecond\n");
    kit_search(kit, "first");
    kit_expect(kit, "");
    delete_message(kit, seq);
    kit_search(kit, "first");
    kit_expect(kit, "roy/backend/f@1#0");
    assert_true(kit->hits[0].latest);
}

static void a_hit_that_went_since_the_update_is_counted_not_shown(void **state)
{
    struct kit *kit = *state;
    publish_three(kit);
    kit_update(kit);
    delete_message(kit, 2);
    kit_query(kit, &(struct catalog_query){.text = BYTES("word")});
    kit_expect(kit, "roy/backend/c@1#0 roy/backend/a@1#0");
    assert_int_equal(kit->found.matches, 3);
    assert_int_equal(kit->found.gone, 1);
}

static void recreate(struct kit *kit)
{
    struct stream_config config;
    const struct agent *agent;
    bool created;
    assert_int_equal(registry_find(kit->registry, BYTES("roy"), &agent, &kit->err), STATUS_OK);
    assert_int_equal(kit->bus->operations->stream_delete(kit->bus, stream, &kit->err), STATUS_OK);
    assert_int_equal(registry_stream_config(agent, &config, &kit->err), STATUS_OK);
    assert_int_equal(kit->bus->operations->stream_create(kit->bus, &config, &created, &kit->err),
                     STATUS_OK);
    stream_config_fini(&config);
}

static void a_stream_that_was_made_anew_is_read_anew(void **state)
{
    struct kit *kit = *state;
    publish_three(kit);
    kit_update(kit);
    // At the same moments as the ones that are gone, so that only the stream tells them apart.
    fakebus_set_time(kit->bus, INT64_C(1000000000) * 1000000000);
    recreate(kit);
    kit_publish(kit, "x", "# T\n\nother\n");
    kit_publish(kit, "y", "# T\n\nword\n");
    kit_publish(kit, "z", "# T\n\nother\n");
    kit_search(kit, "word");
    kit_expect(kit, "roy/backend/y@1#0");
}

static void a_stream_that_is_gone_has_no_reports(void **state)
{
    struct kit *kit = *state;
    publish_three(kit);
    kit_update(kit);
    assert_int_equal(kit->bus->operations->stream_delete(kit->bus, stream, &kit->err), STATUS_OK);
    assert_int_equal(kit_update(kit).removed, 3);
    kit_search(kit, "word");
    kit_expect(kit, "");
}

static void two_at_once_index_everything_once(void **state)
{
    struct kit *kit = *state;
    struct catalog *other = kit_open(kit);
    struct catalog *mine = kit->catalog;
    char name[16];
    for (int i = 0; i < 30; i++) {
        snprintf(name, sizeof name, "f%d", i);
        kit_publish(kit, name, "# T\n\nword\n");
        kit->catalog = i % 2 == 0 ? mine : other;
        assert_int_equal(kit_update(kit).added, 1);
        kit->catalog = i % 2 == 0 ? other : mine;
        assert_int_equal(kit_update(kit).added, 0);
        kit_query(kit, &(struct catalog_query){.text = BYTES("word"), .limit = 50});
        assert_int_equal(kit->count, i + 1);
    }
    kit->catalog = mine;
    catalog_close(other);
}

static void a_reset_by_one_is_seen_by_the_other(void **state)
{
    struct kit *kit = *state;
    publish_three(kit);
    kit_update(kit);
    struct catalog *mine = kit->catalog;
    checkpoint(kit, "PRAGMA user_version=999");
    kit->catalog = kit_open(kit);
    expect_all_three(kit);
    catalog_close(kit->catalog);
    kit->catalog = mine;
    expect_all_three(kit);
}

static void count_rest(void *context)
{
    ++*(int *)context;
}

// A publisher would wait for the whole batch otherwise.
static void the_bus_rests_while_a_large_batch_is_written(void **state)
{
    struct kit *kit = *state;
    int rests = 0;
    enum { SIZE = 2 * 1024 * 1024 };
    char *text = malloc(SIZE);
    assert_non_null(text);
    for (int i = 0; i < SIZE - 1; i++)
        text[i] = "word "[i % 5];
    text[SIZE - 1] = '\0';
    kit_publish(kit, "large", text);
    fakebus_on_rest(kit->bus, count_rest, &rests);
    assert_int_equal(kit_update(kit).added, 1);
    assert_int_equal(rests, 1);
    kit_publish(kit, "small", "# T\n\nword\n");
    assert_int_equal(kit_update(kit).added, 1);
    assert_int_equal(rests, 1);
    free(text);
}

// Another process, that holds the file while this one begins to update.
struct other_process {
    struct kit *kit;
    sqlite3 *holder;
    struct catalog *catalog;
    int rests;
};

static void go_on_in_between(void *context)
{
    struct catalog_update update;
    struct other_process *other = context;
    struct kit *kit = other->kit;
    other->rests++;
    fakebus_on_rest(kit->bus, NULL, NULL);
    assert_int_equal(sqlite3_exec(other->holder, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    kit_publish(kit, "later", "# T\n\nword\n");
    assert_int_equal(catalog_update(other->catalog, &update, &kit->err), STATUS_OK);
    assert_int_equal(update.added, 4);
    assert_int_equal(update.removed, 0);
}

static void who_waits_for_the_file_lets_go_of_the_bus_and_looks_again(void **state)
{
    char path[128];
    struct kit *kit = *state;
    struct other_process other = {.kit = kit, .catalog = kit_open(kit)};
    // Every stream is known, so that the one with the reports is the one that is waited with.
    kit_update(kit);
    publish_three(kit);
    assert_int_equal(sqlite3_open(kit_path(kit, path), &other.holder), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other.holder, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    fakebus_on_rest(kit->bus, go_on_in_between, &other);
    struct catalog_update update = kit_update(kit);
    assert_int_equal(other.rests, 1);
    // The other one has indexed more than this one had seen of the stream: nothing is left to do.
    assert_int_equal(update.added, 0);
    assert_int_equal(update.removed, 0);
    kit_query(kit, &(struct catalog_query){.text = BYTES("word")});
    assert_int_equal(kit->count, 4);
    catalog_close(other.catalog);
    assert_int_equal(sqlite3_close(other.holder), SQLITE_OK);
}

static void publish_on_rest(void *context)
{
    struct kit *kit = context;
    fakebus_on_rest(kit->bus, NULL, NULL);
    kit_publish(kit, "meanwhile", "# T\n\nword\n");
}

static void what_comes_during_an_update_is_for_the_next_one(void **state)
{
    struct kit *kit = *state;
    enum { SIZE = 2 * 1024 * 1024 };
    char *text = malloc(SIZE);
    assert_non_null(text);
    memset(text, ' ', SIZE - 1);
    memcpy(text, "word", 4);
    text[SIZE - 1] = '\0';
    kit_publish(kit, "large", text);
    free(text);
    fakebus_on_rest(kit->bus, publish_on_rest, kit);
    assert_int_equal(kit_update(kit).added, 1);
    assert_int_equal(kit_update(kit).added, 1);
    kit_search(kit, "word");
    assert_int_equal(kit->count, 2);
}

static void a_full_disk_is_told_and_what_was_indexed_is_found(void **state)
{
    struct kit *kit = *state;
    struct catalog_update update;
    char text[20000] = "# T\n\n";
    publish_three(kit);
    kit_update(kit);
    // As full as a file can be made to look.
    sqlite3 *db = kit->catalog->database.sqlite;
    assert_int_equal(sqlite3_exec(db, "PRAGMA max_page_count=1", NULL, NULL, NULL), SQLITE_OK);
    for (unsigned i = 0; strlen(text) < sizeof text - 16; i++)
        snprintf(text + strlen(text), 16, "n%x ", i * 2654435761U);
    kit_publish(kit, "d", text);
    assert_int_equal(catalog_update(kit->catalog, &update, &kit->err), STATUS_NO_SPACE);
    assert_non_null(strstr(kit->err.text, "1 messages of stream agog_features_backend are not "
                                          "indexed: the catalog: "));
    assert_int_equal(update.added, 0);
    kit_query(kit, &(struct catalog_query){.text = BYTES("word")});
    assert_int_equal(kit->count, 3);
    kit_reopen(kit);
    assert_int_equal(kit_update(kit).added, 1);
}

static void a_hit_in_a_damaged_report_is_counted_and_the_others_are_shown(void **state)
{
    struct kit *kit = *state;
    publish_three(kit);
    kit_update(kit);
    fakebus_damage(kit->bus, stream, 2);
    kit_query(kit, &(struct catalog_query){.text = BYTES("word")});
    kit_expect(kit, "roy/backend/c@1#0 roy/backend/a@1#0");
    assert_int_equal(kit->found.damaged, 1);
}

// Another process empties the file between this one's update and its search.
static void a_file_that_was_emptied_since_the_update_is_filled_before_it_is_searched(void **state)
{
    struct kit *kit = *state;
    struct catalog *other = kit_open(kit);
    publish_three(kit);
    kit_update(kit);
    assert_int_equal(database_reset(&other->database, &kit->err), STATUS_OK);
    kit_query(kit, &(struct catalog_query){.text = BYTES("word")});
    kit_expect(kit, "roy/backend/c@1#0 roy/backend/b@1#0 roy/backend/a@1#0");
    assert_false(kit->found.incomplete);
    catalog_close(other);
}

static void an_answer_from_a_file_that_cannot_be_filled_again_says_so(void **state)
{
    struct kit *kit = *state;
    struct catalog *other = kit_open(kit);
    publish_three(kit);
    kit_update(kit);
    assert_int_equal(database_reset(&other->database, &kit->err), STATUS_OK);
    fakebus_fail_get(kit->bus, 1, STATUS_IO);
    kit_query(kit, &(struct catalog_query){.text = BYTES("nothing")});
    assert_true(kit->found.incomplete);
    catalog_close(other);
}

// Two meet the same damage: the second one must not undo what the first has done about it.
static void what_another_process_has_mended_is_not_mended_again(void **state)
{
    struct kit *kit = *state;
    struct catalog *other = kit_open(kit);
    struct catalog_update update;
    publish_three(kit);
    kit_update(kit);
    assert_int_equal(catalog_update(other, &update, &kit->err), STATUS_OK);
    assert_int_equal(database_mend(&kit->catalog->database, &kit->err), STATUS_OK);
    assert_int_equal(kit_update(kit).added, 3);
    assert_int_equal(database_mend(&other->database, &kit->err), STATUS_OK);
    assert_int_equal(catalog_update(other, &update, &kit->err), STATUS_OK);
    assert_int_equal(update.added, 0);
    expect_all_three(kit);
    catalog_close(other);
}

static void what_was_indexed_before_the_bus_failed_is_kept(void **state)
{
    struct kit *kit = *state;
    struct catalog_update update;
    publish_three(kit);
    fakebus_fail_get(kit->bus, 2, STATUS_IO);
    assert_int_equal(catalog_update(kit->catalog, &update, &kit->err), STATUS_IO);
    assert_string_equal(kit->err.text, "1 messages of stream agog_features_backend are not "
                                       "indexed: the fake bus fails as it was told");
    assert_int_equal(update.added, 2);
    fakebus_fail_get(kit->bus, 0, STATUS_OK);
    kit_query(kit, &(struct catalog_query){.text = BYTES("word")});
    assert_int_equal(kit->count, 2);
    assert_int_equal(kit_update(kit).added, 1);
    expect_all_three(kit);
}

static void a_damaged_message_is_counted_and_left_out(void **state)
{
    struct kit *kit = *state;
    publish_three(kit);
    fakebus_damage(kit->bus, stream, 2);
    struct catalog_update update = kit_update(kit);
    assert_int_equal(update.added, 2);
    assert_int_equal(update.damaged, 1);
    kit_search(kit, "word");
    kit_expect(kit, "roy/backend/c@1#0 roy/backend/a@1#0");
}

static void a_message_that_nobody_numbered_is_found(void **state)
{
    struct kit *kit = *state;
    struct bus_ack ack;
    struct bus_message plain = {.subject = BYTES("agog.deliverables.roy.backend.old"),
                                .body = BYTES("# Old\n\nplain words\n")};
    assert_int_equal(kit->bus->operations->publish(kit->bus, &plain, &ack, &kit->err), STATUS_OK);
    kit_search(kit, "plain");
    kit_expect(kit, "roy/backend/old@1#0");
    assert_string_equal(kit->hits[0].report_title, "Old");
}

static void without_a_place_for_the_file_the_index_is_in_memory(void **state)
{
    struct kit *kit = *state;
    char home[64];
    publish_three(kit);
    catalog_close(kit->catalog);
    strcpy(home, kit->home);
    strcpy(kit->home, "/nonexistent");
    kit->catalog = kit_open(kit);
    strcpy(kit->home, home);
    assert_true(kit_update(kit).in_memory);
    expect_all_three(kit);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
    const struct CMUnitTest tests[] = {
        CASE(only_what_is_new_is_read),
        CASE(what_is_indexed_is_there_after_a_reopen),
        CASE(a_deleted_file_is_built_again),
        CASE(a_file_that_is_no_database_is_built_again),
        CASE(any_damaged_page_is_survived),
        CASE(a_file_of_another_version_is_built_again),
        CASE(a_missing_table_is_built_again),
        CASE(a_database_of_somebody_else_is_built_again),
        CASE(expired_reports_vanish),
        CASE(an_emptied_stream_has_no_reports),
        CASE(deleted_reports_vanish),
        CASE(the_revision_before_a_deleted_one_is_the_latest),
        CASE(a_hit_that_went_since_the_update_is_counted_not_shown),
        CASE(a_stream_that_was_made_anew_is_read_anew),
        CASE(a_stream_that_is_gone_has_no_reports),
        CASE(two_at_once_index_everything_once),
        CASE(a_reset_by_one_is_seen_by_the_other),
        CASE(the_bus_rests_while_a_large_batch_is_written),
        CASE(who_waits_for_the_file_lets_go_of_the_bus_and_looks_again),
        CASE(what_comes_during_an_update_is_for_the_next_one),
        CASE(a_full_disk_is_told_and_what_was_indexed_is_found),
        CASE(a_hit_in_a_damaged_report_is_counted_and_the_others_are_shown),
        CASE(a_file_that_was_emptied_since_the_update_is_filled_before_it_is_searched),
        CASE(an_answer_from_a_file_that_cannot_be_filled_again_says_so),
        CASE(what_another_process_has_mended_is_not_mended_again),
        CASE(what_was_indexed_before_the_bus_failed_is_kept),
        CASE(a_damaged_message_is_counted_and_left_out),
        CASE(a_message_that_nobody_numbered_is_found),
        CASE(without_a_place_for_the_file_the_index_is_in_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
