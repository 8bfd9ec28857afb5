// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/metafile.h"
#include "store/storedir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct place {
    char root[64];
    char home[96];
};

static int make_place(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    strcpy(place->root, "/tmp/agog-storedir-XXXXXX");
    assert_non_null(mkdtemp(place->root));
    snprintf(place->home, sizeof place->home, "%s/home", place->root);
    *state = place;
    return 0;
}

static int remove_place(void **state)
{
    struct place *place = *state;
    char command[256];
    snprintf(command, sizeof command, "chmod -R u+rwx '%s'; rm -r '%s'", place->root, place->root);
    assert_int_equal(system(command), 0);
    free(place);
    return 0;
}

static void write_text(const char *directory, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static struct storedir *open_store(const struct place *place)
{
    struct errinfo err = {0};
    struct storedir *dir = NULL;
    struct storedir_options options = {.create = true, .holder = "pid 1, a test\n"};
    if (storedir_open(&dir, host_posix(), place->home, &options, &err) != STATUS_OK)
        fail_msg("%s", err.text);
    return dir;
}

static enum status try_open(const struct place *place, bool create, struct errinfo *err)
{
    struct storedir *dir = NULL;
    struct storedir_options options = {.create = create, .holder = "pid 2, a test\n"};
    enum status status = storedir_open(&dir, host_posix(), place->home, &options, err);
    storedir_close(dir);
    return status;
}

static void a_missing_store_is_made_only_on_request(void **state)
{
    struct errinfo err = {0};
    const struct place *place = *state;
    assert_int_equal(try_open(place, false, &err), STATUS_NOT_FOUND);
    assert_non_null(strstr(err.text, "agog init"));
    assert_int_equal(try_open(place, true, &err), STATUS_OK);
    assert_int_equal(try_open(place, false, &err), STATUS_OK);
    struct stat about;
    assert_int_equal(stat(place->home, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0700);
}

static void a_directory_with_other_things_in_it_is_no_store(void **state)
{
    struct errinfo err = {0};
    const struct place *place = *state;
    assert_int_equal(mkdir(place->home, 0700), 0);
    write_text(place->home, "thesis.tex", "precious");
    assert_int_equal(try_open(place, true, &err), STATUS_FORMAT);
    assert_non_null(strstr(err.text, "is no agog store"));
    char path[128];
    snprintf(path, sizeof path, "%s/LOCK", place->home);
    assert_int_not_equal(access(path, F_OK), 0);
}

static void a_file_is_no_store(void **state)
{
    struct errinfo err = {0};
    const struct place *place = *state;
    write_text(place->root, "home", "x");
    assert_int_equal(try_open(place, true, &err), STATUS_FORMAT);
    assert_non_null(strstr(err.text, "is a file"));
}

static void a_store_of_a_newer_format_is_refused(void **state)
{
    struct errinfo err = {0};
    const struct place *place = *state;
    storedir_close(open_store(place));
    // The checksum is crc32c of what stands before it, computed elsewhere.
    write_text(place->home, "FORMAT", "agog store, format 2, checksum a92027c9\n");
    assert_int_equal(try_open(place, true, &err), STATUS_FORMAT);
    assert_non_null(strstr(err.text, "written by a newer agog"));
}

static void a_damaged_format_line_is_told_and_mended_but_never_closes_the_store(void **state)
{
    struct errinfo err = {0};
    const struct place *place = *state;
    struct storedir *dir;
    struct storedir_options reading = {.holder = "test"};
    storedir_close(open_store(place));
    // A flipped digit is damage, not a newer version.
    write_text(place->home, "FORMAT", "agog store, format 3, checksum a92027c9\n");
    assert_int_equal(storedir_open(&dir, host_posix(), place->home, &reading, &err), STATUS_OK);
    assert_true(storedir_format_damaged(dir));
    storedir_close(dir);
    dir = open_store(place);
    assert_false(storedir_format_damaged(dir));
    storedir_close(dir);
    assert_int_equal(storedir_open(&dir, host_posix(), place->home, &reading, &err), STATUS_OK);
    assert_false(storedir_format_damaged(dir));
    storedir_close(dir);
}

static void a_directory_without_rights_says_so(void **state)
{
    struct errinfo err = {0};
    const struct place *place = *state;
    storedir_close(open_store(place));
    chmod(place->root, 0755);
    chmod(place->home, 0555);
    char path[128];
    snprintf(path, sizeof path, "%s/LOCK", place->home);
    chmod(path, 0444);
    // Root may write everywhere, so it looks with the eyes of another user.
    bool root = geteuid() == 0;
    assert_true(!root || seteuid(65534) == 0);
    enum status status = try_open(place, false, &err);
    assert_true(!root || seteuid(0) == 0);
    assert_int_equal(status, STATUS_NO_ACCESS);
    assert_non_null(strstr(err.text, place->home));
}

static void a_second_holder_is_refused_and_told_who_the_first_is(void **state)
{
    struct errinfo err = {0};
    const struct place *place = *state;
    struct storedir *dir = open_store(place);
    assert_int_equal(try_open(place, false, &err), STATUS_BUSY);
    assert_non_null(strstr(err.text, "pid 1, a test"));
    assert_int_equal(storedir_holder_set(dir, "pid 1, a hub\nport 4222\n", NULL), STATUS_OK);
    struct buf holder;
    buf_init(&holder, 4096);
    assert_int_equal(storedir_holder_read(host_posix(), place->home, &holder, NULL), STATUS_OK);
    assert_true(bytes_equal(buf_bytes(&holder), BYTES("pid 1, a hub\nport 4222\n")));
    buf_fini(&holder);
    storedir_close(dir);
    assert_int_equal(try_open(place, false, &err), STATUS_OK);
}

static void the_lock_is_waited_for(void **state)
{
    const struct place *place = *state;
    int ready[2], go[2];
    storedir_close(open_store(place));
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(go), 0);
    pid_t child = fork();
    if (child == 0) {
        // Holds the store until the parent is about to wait for it.
        struct storedir *dir = NULL;
        struct storedir_options options = {.holder = "pid 3, a child\n"};
        char byte = 0;
        if (storedir_open(&dir, host_posix(), place->home, &options, NULL) != STATUS_OK)
            _exit(1);
        if (write(ready[1], &byte, 1) != 1 || read(go[0], &byte, 1) != 1)
            _exit(2);
        _exit(0);
    }
    char byte = 0;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(write(go[1], &byte, 1), 1);
    struct storedir *dir = NULL;
    struct storedir_options options = {.lock_wait_ms = 60000, .holder = "pid 4\n"};
    assert_int_equal(storedir_open(&dir, host_posix(), place->home, &options, NULL), STATUS_OK);
    storedir_close(dir);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    for (int i = 0; i < 2; i++) {
        close(ready[i]);
        close(go[i]);
    }
}

static enum status count_name(void *context, struct bytes name)
{
    size_t *found = context;
    *found += bytes_equal(name, BYTES("a b/../c.%\n")) || bytes_equal(name, BYTES("KV_x"));
    *found += 100;
    return STATUS_OK;
}

static void streams_are_listed_by_their_names_whatever_these_are(void **state)
{
    size_t found = 0;
    struct storedir *dir = open_store(*state);
    assert_int_equal(storedir_stream_create(dir, BYTES("KV_x"), NULL), STATUS_OK);
    assert_int_equal(storedir_stream_create(dir, BYTES("a b/../c.%\n"), NULL), STATUS_OK);
    assert_int_equal(storedir_stream_create(dir, BYTES("KV_x"), NULL), STATUS_EXISTS);
    assert_int_equal(storedir_list(dir, count_name, &found, NULL), STATUS_OK);
    assert_int_equal(found, 202);
    storedir_close(dir);
}

static void a_deleted_stream_is_gone_and_what_a_crash_left_of_one_too(void **state)
{
    size_t found = 0;
    const struct place *place = *state;
    struct storedir *dir = open_store(place);
    struct buf path;
    buf_init(&path, 4096);
    assert_int_equal(storedir_stream_create(dir, BYTES("s"), NULL), STATUS_OK);
    assert_int_equal(storedir_stream_path(dir, BYTES("s"), &path, NULL), STATUS_OK);
    write_text(path.data, "0000000000000001.seg", "x");
    assert_int_equal(storedir_stream_delete(dir, BYTES("s"), NULL), STATUS_OK);
    assert_int_equal(storedir_stream_delete(dir, BYTES("s"), NULL), STATUS_NOT_FOUND);
    assert_int_not_equal(access(path.data, F_OK), 0);
    storedir_close(dir);

    char trash[128];
    snprintf(trash, sizeof trash, "%s/streams/~1", place->home);
    assert_int_equal(mkdir(trash, 0700), 0);
    write_text(trash, "file", "x");
    dir = open_store(place);
    assert_int_not_equal(access(trash, F_OK), 0);
    assert_int_equal(storedir_list(dir, count_name, &found, NULL), STATUS_OK);
    assert_int_equal(found, 0);
    storedir_close(dir);
    buf_fini(&path);
}

static void a_deleted_stream_takes_its_consumers_along(void **state)
{
    const struct place *place = *state;
    struct storedir *dir = open_store(place);
    struct buf path;
    char below[160];
    size_t found = 0;
    buf_init(&path, 4096);
    // Once while the store is open, once as what a crash left.
    assert_int_equal(storedir_stream_create(dir, BYTES("s"), NULL), STATUS_OK);
    assert_int_equal(storedir_stream_path(dir, BYTES("s"), &path, NULL), STATUS_OK);
    snprintf(below, sizeof below, "%s/consumers", path.data);
    assert_int_equal(mkdir(below, 0700), 0);
    write_text(below, "0000000000000001.seg", "x");
    assert_int_equal(storedir_stream_delete(dir, BYTES("s"), NULL), STATUS_OK);
    assert_int_equal(storedir_stream_path(dir, BYTES("s"), &path, NULL), STATUS_OK);
    assert_int_not_equal(access(path.data, F_OK), 0);
    storedir_close(dir);

    snprintf(below, sizeof below, "%s/streams/~1", place->home);
    assert_int_not_equal(access(below, F_OK), 0);
    assert_int_equal(mkdir(below, 0700), 0);
    snprintf(below, sizeof below, "%s/streams/~1/consumers", place->home);
    assert_int_equal(mkdir(below, 0700), 0);
    write_text(below, "0000000000000001.seg", "x");
    dir = open_store(place);
    assert_int_not_equal(access(below, F_OK), 0);
    assert_int_equal(storedir_list(dir, count_name, &found, NULL), STATUS_OK);
    assert_int_equal(found, 0);
    storedir_close(dir);
    buf_fini(&path);
}

static void a_small_file_reads_back_what_was_written_last(void **state)
{
    const struct place *place = *state;
    struct buf content;
    bool damaged = true;
    buf_init(&content, 4096);
    assert_int_equal(metafile_read(host_posix(), place->root, "config", &content, NULL, NULL),
                     STATUS_NOT_FOUND);
    for (int i = 0; i < 3; i++) {
        char text[16];
        snprintf(text, sizeof text, "content %d", i);
        assert_int_equal(
            metafile_write(host_posix(), place->root, "config", bytes_of_string(text), NULL),
            STATUS_OK);
        assert_int_equal(
            metafile_read(host_posix(), place->root, "config", &content, &damaged, NULL),
            STATUS_OK);
        assert_true(bytes_equal(buf_bytes(&content), bytes_of_string(text)));
        assert_false(damaged);
    }
    buf_fini(&content);
}

static void no_flipped_byte_loses_a_small_file(void **state)
{
    const struct place *place = *state;
    static const char *const copies[] = {"config.a", "config.b"};
    struct buf content;
    buf_init(&content, 4096);
    metafile_write(host_posix(), place->root, "config", BYTES("old"), NULL);
    metafile_write(host_posix(), place->root, "config", BYTES("what counts"), NULL);
    for (int which = 0; which < 2; which++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", place->root, copies[which]);
        FILE *file = fopen(path, "r+");
        assert_non_null(file);
        fseek(file, 0, SEEK_END);
        long size = ftell(file);
        assert_int_equal(size, 32 + 11);
        for (long at = 0; at < size; at++) {
            for (int turn = 0; turn < 2; turn++) {
                fseek(file, at, SEEK_SET);
                int byte = fgetc(file) ^ 0x40;
                fseek(file, at, SEEK_SET);
                fputc(byte, file);
                fflush(file);
                bool damaged = false;
                assert_int_equal(
                    metafile_read(host_posix(), place->root, "config", &content, &damaged, NULL),
                    STATUS_OK);
                assert_true(bytes_equal(buf_bytes(&content), BYTES("what counts")));
                assert_int_equal(damaged, turn == 0);
            }
        }
        fclose(file);
    }
    buf_fini(&content);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)
    const struct CMUnitTest tests[] = {
        TEST(a_missing_store_is_made_only_on_request),
        TEST(a_directory_with_other_things_in_it_is_no_store),
        TEST(a_file_is_no_store),
        TEST(a_store_of_a_newer_format_is_refused),
        TEST(a_damaged_format_line_is_told_and_mended_but_never_closes_the_store),
        TEST(a_directory_without_rights_says_so),
        TEST(a_second_holder_is_refused_and_told_who_the_first_is),
        TEST(the_lock_is_waited_for),
        TEST(streams_are_listed_by_their_names_whatever_these_are),
        TEST(a_deleted_stream_is_gone_and_what_a_crash_left_of_one_too),
        TEST(a_deleted_stream_takes_its_consumers_along),
        TEST(a_small_file_reads_back_what_was_written_last),
        TEST(no_flipped_byte_loses_a_small_file),
    };
    return cmocka_run_group_tests_name("storedir", tests, NULL, NULL);
}
