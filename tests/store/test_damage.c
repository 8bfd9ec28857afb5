// SPDX-License-Identifier: Apache-2.0
// What becomes of a log whose files were damaged: one flipped byte after the other, and a catalogue
// of directories that are not as they should be.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/crc32c.h"
#include "base/le.h"
#include "simhost.h"
#include "store/msglog.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LAST = 24, SEGMENT_BYTES = 1024 };

static const char directory[] = "log";

static bool is_removed(uint64_t seq)
{
    return seq <= 2 || seq == 7 || seq == 15 || seq == 23;
}

static struct bytes body_of(uint64_t seq, char out[64])
{
    int size = snprintf(out, 64, "the body of %d", (int)seq);
    return bytes_of(out, (size_t)size - (seq % 3));
}

static struct msglog *open_log(struct simhost *sim)
{
    struct errinfo err = {0};
    struct msglog *log = NULL;
    struct msglog_options options = {.segment_bytes = SEGMENT_BYTES};
    if (msglog_open(&log, simhost_host(sim), directory, &options, &err) != STATUS_OK)
        fail_msg("open: %s", err.text);
    return log;
}

static void append(struct msglog *log, uint64_t seq)
{
    char body[64];
    struct msglog_message message = {.seq = seq,
                                     .time_ns = (int64_t)seq,
                                     .subject = BYTES("a.b"),
                                     .headers = seq % 2 == 0 ? BYTES("H") : BYTES(""),
                                     .body = body_of(seq, body)};
    assert_int_equal(msglog_append(log, &message, NULL), STATUS_OK);
}

// Several segments; 1 and 2 evicted with a message, 7, 15 and 23 removed by records of their own.
static struct simhost *make_store(void)
{
    struct simhost *sim = simhost_new();
    assert_int_equal(msglog_create(simhost_host(sim), directory, 1, NULL), STATUS_OK);
    struct msglog *log = open_log(sim);
    for (uint64_t seq = 1; seq <= LAST; seq++) {
        append(log, seq);
        if (seq == 16)
            assert_int_equal(msglog_remove(log, 1, 2, false, NULL), STATUS_OK);
        if (seq == 9 || seq == 18 || seq == 24)
            assert_int_equal(msglog_remove(log,
                                           seq == 9    ? 7
                                           : seq == 18 ? 15
                                                       : 23,
                                           seq == 9    ? 7
                                           : seq == 18 ? 15
                                                       : 23,
                                           false, NULL),
                             STATUS_OK);
        assert_int_equal(msglog_commit(log, NULL), STATUS_OK);
    }
    msglog_close(log);
    return sim;
}

// What a look at the whole log found.
struct findings {
    size_t lost;       // messages that are damaged
    uint64_t lost_seq; // one of them
    size_t reports;
    bool named; // a report names lost_seq
};

static void take_report(void *context, const struct msglog_damage *damage)
{
    struct findings *findings = context;
    assert_non_null(damage->file);
    assert_true(strlen(damage->text) > 0);
    findings->reports++;
    findings->named |= damage->seq != 0 && damage->seq == findings->lost_seq;
}

static struct findings look_at(struct msglog *log)
{
    struct findings findings = {0};
    struct buf storage;
    buf_init(&storage, SIZE_MAX);
    for (uint64_t seq = 1; seq <= LAST + 2; seq++) {
        char body[64];
        struct errinfo err = {0};
        struct msglog_message message;
        enum status status = msglog_read(log, seq, MSGLOG_ALL, &storage, &message, &err);
        if (seq > LAST || is_removed(seq)) {
            assert_int_equal(status, STATUS_NOT_FOUND);
        } else if (status == STATUS_OK) {
            assert_true(bytes_equal(message.body, body_of(seq, body)));
            assert_true(bytes_equal(message.subject, BYTES("a.b")));
            assert_true(message.seq == seq && message.time_ns == (int64_t)seq);
        } else {
            findings.lost++;
            findings.lost_seq = seq;
            // The text names file, offset and sequence.
            char name[32];
            snprintf(name, sizeof name, "message %d ", (int)seq);
            assert_int_equal(status, STATUS_CORRUPT);
            assert_non_null(strstr(err.text, name));
            assert_non_null(strstr(err.text, "segment 00000000000000"));
            assert_non_null(strstr(err.text, "offset "));
        }
    }
    buf_fini(&storage);
    assert_int_equal(msglog_check(log, take_report, &findings, NULL), STATUS_OK);
    return findings;
}

static void an_undamaged_log_has_nothing_to_report(void **state)
{
    (void)state;
    struct simhost *sim = make_store();
    struct msglog *log = open_log(sim);
    struct findings findings = look_at(log);
    assert_int_equal(findings.lost, 0);
    assert_int_equal(findings.reports, 0);
    msglog_close(log);
    simhost_free(sim);
}

static void flip(const struct simhost *whole, const char *path, size_t at, unsigned char bits)
{
    size_t size;
    struct simhost *sim = simhost_copy(whole);
    unsigned char *content = simhost_content(sim, path, &size);
    size_t end_of_records = size;
    while (end_of_records > 0 && content[end_of_records - 1] == 0)
        end_of_records--;
    content[at] ^= bits;
    struct msglog *log = open_log(sim);
    struct findings findings = look_at(log);
    if (findings.lost > 1)
        fail_msg("byte %zu of %s: %zu messages lost", at, path, findings.lost);
    if (findings.lost == 1 && !findings.named)
        fail_msg("byte %zu of %s: the lost message is not named", at, path);
    // Reserved space that is not zero is what a torn batch leaves, and is cut off like that.
    if (findings.reports == 0 && at < end_of_records)
        fail_msg("byte %zu of %s: nothing reported", at, path);
    struct msglog_state about;
    msglog_state_get(log, &about);
    assert_int_equal(about.last_seq, LAST);
    msglog_close(log);
    simhost_free(sim);
}

static void a_flipped_byte_loses_at_most_the_record_it_lies_in_and_is_named(void **state)
{
    (void)state;
    struct simhost *sim = make_store();
    for (size_t file = 0; simhost_path(sim, file) != NULL; file++) {
        const char *path = simhost_path(sim, file);
        size_t size;
        simhost_content(sim, path, &size);
        for (size_t at = 0; at < size; at++)
            flip(sim, path, at, (unsigned char)(1U << at % 8));
    }
    simhost_free(sim);
}

static void a_flipped_byte_without_indexes_still_serves_nothing_wrong(void **state)
{
    (void)state;
    struct simhost *sim = make_store();
    const struct host *host = simhost_host(sim);
    for (int i = 1; i < 40; i++) {
        char path[64];
        snprintf(path, sizeof path, "log/%016d.idx", i);
        int failure = host->remove(host->context, path);
        assert_true(failure == 0 || failure == ENOENT);
    }
    for (size_t file = 0; simhost_path(sim, file) != NULL; file++) {
        const char *path = simhost_path(sim, file);
        size_t size;
        simhost_content(sim, path, &size);
        for (size_t at = 0; at < size; at++) {
            struct simhost *copy = simhost_copy(sim);
            simhost_content(copy, path, &size)[at] ^= 0x10;
            struct msglog *log = NULL;
            struct msglog_options options = {.segment_bytes = SEGMENT_BYTES};
            // A removal record is lost for good here, and with it what it removed comes back: that
            // is why the index has a copy. What is read must be right all the same.
            assert_int_equal(msglog_open(&log, simhost_host(copy), directory, &options, NULL),
                             STATUS_OK);
            struct buf storage;
            size_t lost = 0;
            buf_init(&storage, SIZE_MAX);
            for (uint64_t seq = 1; seq <= LAST; seq++) {
                char body[64];
                struct msglog_message message;
                enum status status = msglog_read(log, seq, MSGLOG_ALL, &storage, &message, NULL);
                if (status == STATUS_OK)
                    assert_true(bytes_equal(message.body, body_of(seq, body)));
                else
                    lost += !is_removed(seq);
            }
            buf_fini(&storage);
            if (lost > 1)
                fail_msg("byte %zu of %s: %zu messages lost", at, path, lost);
            msglog_close(log);
            simhost_free(copy);
        }
    }
    simhost_free(sim);
}

static const char *segment_path(int number)
{
    static char path[64];
    snprintf(path, sizeof path, "log/%016d.seg", number);
    return path;
}

static void remove_file(struct simhost *sim, const char *path)
{
    const struct host *host = simhost_host(sim);
    assert_int_equal(host->remove(host->context, path), 0);
}

static void a_missing_segment_loses_its_messages_and_names_each(void **state)
{
    (void)state;
    struct simhost *sim = make_store();
    remove_file(sim, segment_path(2));
    struct msglog *log = open_log(sim);
    struct findings findings = look_at(log);
    assert_true(findings.lost > 1);
    assert_int_equal(findings.reports, findings.lost);
    append(log, LAST + 1);
    assert_int_equal(msglog_commit(log, NULL), STATUS_OK);
    msglog_close(log);
    simhost_free(sim);
}

static void a_segment_that_was_cut_short_keeps_what_is_left(void **state)
{
    (void)state;
    struct simhost *sim = make_store();
    const struct host *host = simhost_host(sim);
    struct host_file *file;
    assert_int_equal(host->open(host->context, segment_path(1), HOST_WRITE, &file), 0);
    assert_int_equal(host->truncate(host->context, file, 64 + 3 * 80), 0);
    host->close(host->context, file);
    struct msglog *log = open_log(sim);
    struct findings findings = look_at(log);
    assert_true(findings.lost >= 1);
    assert_true(findings.named);
    msglog_close(log);
    simhost_free(sim);
}

static void an_empty_segment_file_loses_only_what_was_in_it(void **state)
{
    (void)state;
    struct simhost *sim = make_store();
    const struct host *host = simhost_host(sim);
    struct host_file *file;
    assert_int_equal(host->open(host->context, segment_path(1), HOST_WRITE, &file), 0);
    assert_int_equal(host->truncate(host->context, file, 0), 0);
    host->close(host->context, file);
    struct msglog *log = open_log(sim);
    assert_true(look_at(log).named);
    msglog_close(log);
    simhost_free(sim);
}

static void a_segment_under_another_name_is_refused(void **state)
{
    (void)state;
    struct errinfo err = {0};
    struct simhost *sim = make_store();
    const struct host *host = simhost_host(sim);
    struct msglog *log = NULL;
    char to[64];
    strcpy(to, "log/0000000000000077.seg");
    assert_int_equal(host->rename(host->context, segment_path(2), to), 0);
    assert_int_equal(msglog_open(&log, host, directory, NULL, &err), STATUS_CORRUPT);
    assert_non_null(strstr(err.text, "is a copy of segment 0000000000000002"));
    simhost_free(sim);
}

static void leftovers_of_a_rewrite_and_foreign_files_do_no_harm(void **state)
{
    (void)state;
    struct simhost *sim = make_store();
    const struct host *host = simhost_host(sim);
    static const char *const names[] = {"log/0000000000000002.seg.tmp", "log/config.a",
                                        "log/0000000000000002.idx.tmp", "log/notes.txt",
                                        "log/0000000000000000.seg",     "log/00001.seg"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct host_file *file;
        assert_int_equal(host->open(host->context, names[i], HOST_WRITE | HOST_CREATE, &file), 0);
        assert_int_equal(host->write_at(host->context, file, "AOGSxyz", 7, 0), 0);
        host->close(host->context, file);
    }
    struct msglog *log = open_log(sim);
    assert_int_equal(look_at(log).reports, 0);
    msglog_close(log);
    size_t size;
    assert_null(simhost_content(sim, names[0], &size));
    assert_null(simhost_content(sim, names[2], &size));
    assert_non_null(simhost_content(sim, names[3], &size));
    simhost_free(sim);
}

static void a_newer_segment_is_refused_with_a_hint(void **state)
{
    (void)state;
    struct errinfo err = {0};
    struct simhost *sim = make_store();
    struct msglog *log = NULL;
    size_t size;
    unsigned char *content = simhost_content(sim, segment_path(2), &size);
    le_put32(content + 4, 2);
    le_put32(content + 60, crc32c(0, content, 60));
    assert_int_equal(msglog_open(&log, simhost_host(sim), directory, NULL, &err), STATUS_FORMAT);
    assert_non_null(strstr(err.text, "written by a newer agog"));
    simhost_free(sim);
}

static void a_directory_without_segments_is_no_log(void **state)
{
    (void)state;
    struct simhost *sim = simhost_new();
    const struct host *host = simhost_host(sim);
    struct msglog *log = NULL;
    assert_int_equal(msglog_open(&log, host, directory, NULL, NULL), STATUS_NOT_FOUND);
    host->make_directory(host->context, directory);
    assert_int_equal(msglog_open(&log, host, directory, NULL, NULL), STATUS_NOT_FOUND);
    simhost_free(sim);
}

static void the_image_of_a_record_inside_of_a_body_is_never_taken_for_one(void **state)
{
    (void)state;
    struct simhost *sim = make_store();
    size_t size;
    const unsigned char *content = simhost_content(sim, segment_path(1), &size);
    struct msglog *log = open_log(sim);
    struct msglog_message message = {
        .seq = LAST + 1, .subject = BYTES("abcdefgh"), .body = bytes_of(content + 64, 600)};
    assert_int_equal(msglog_append(log, &message, NULL), STATUS_OK);
    assert_int_equal(msglog_commit(log, NULL), STATUS_OK);
    append(log, LAST + 2);
    assert_int_equal(msglog_commit(log, NULL), STATUS_OK);
    msglog_close(log);
    // The index of the last segment is gone and the head of the record around the image is damaged.
    const struct host *host = simhost_host(sim);
    char last[64] = "";
    for (int i = 1; simhost_content(sim, segment_path(i), &size) != NULL; i++)
        snprintf(last, sizeof last, "%s", segment_path(i));
    unsigned char *damaged = simhost_content(sim, last, &size);
    struct bytes all = bytes_of(damaged, size);
    size_t subject = bytes_find(all, BYTES("abcdefgh"));
    assert_true(subject != SIZE_MAX);
    damaged[subject] ^= 1;
    memcpy(last + strlen(last) - 3, "idx", 3);
    assert_int_equal(host->remove(host->context, last), 0);
    log = open_log(sim);
    struct msglog_state about;
    msglog_state_get(log, &about);
    assert_int_equal(about.last_seq, LAST + 2);
    struct msglog_entry entry;
    assert_false(msglog_entry_get(log, LAST + 1, &entry));
    assert_true(msglog_entry_get(log, LAST + 2, &entry));
    assert_false(msglog_entry_get(log, 1, &entry));
    msglog_close(log);
    simhost_free(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_undamaged_log_has_nothing_to_report),
        cmocka_unit_test(a_flipped_byte_loses_at_most_the_record_it_lies_in_and_is_named),
        cmocka_unit_test(a_flipped_byte_without_indexes_still_serves_nothing_wrong),
        cmocka_unit_test(a_missing_segment_loses_its_messages_and_names_each),
        cmocka_unit_test(a_segment_that_was_cut_short_keeps_what_is_left),
        cmocka_unit_test(an_empty_segment_file_loses_only_what_was_in_it),
        cmocka_unit_test(a_segment_under_another_name_is_refused),
        cmocka_unit_test(leftovers_of_a_rewrite_and_foreign_files_do_no_harm),
        cmocka_unit_test(a_newer_segment_is_refused_with_a_hint),
        cmocka_unit_test(a_directory_without_segments_is_no_log),
        cmocka_unit_test(the_image_of_a_record_inside_of_a_body_is_never_taken_for_one),
    };
    return cmocka_run_group_tests_name("damage", tests, NULL, NULL);
}
