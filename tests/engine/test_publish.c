// SPDX-License-Identifier: Apache-2.0
// What a publish is checked against: codes and texts are those of nats-server's errors.json and
// processJetStreamMsg.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "streamkit.h"

#include <stdlib.h>
#include <string.h>

static const char plain[] = "{\"name\":\"S\",\"subjects\":[\"a.>\"]}";

static enum status with(struct streamkit *kit, const char *subject, const char *header)
{
    struct stream_ack ack;
    return streamkit_try(kit, subject, "x", header, &ack);
}

static void messages_get_rising_sequences_and_are_read_when_committed(void **state)
{
    struct streamkit *kit = *state;
    struct stream_ack ack;
    streamkit_create(kit, plain);
    assert_int_equal(streamkit_try(kit, "a.b", "one", NULL, &ack), STATUS_OK);
    assert_int_equal(ack.seq, 1);
    streamkit_expect(kit, 1, NULL);
    streamkit_expect_last(kit, "a.b", NULL);
    assert_int_equal(streamkit_state(kit).messages, 0);
    assert_int_equal(streamkit_state(kit).num_subjects, 0);
    streamkit_commit(kit);
    streamkit_expect(kit, 1, "one");
    assert_int_equal(streamkit_put(kit, "a.c", "two"), 2);
    streamkit_expect_last(kit, "a.>", "two");
    streamkit_reopen(kit);
    streamkit_expect(kit, 1, "one");
    streamkit_expect(kit, 2, "two");
}

static void a_subject_the_stream_does_not_listen_to_is_refused(void **state)
{
    struct streamkit *kit = *state;
    streamkit_create(kit, plain);
    assert_int_equal(with(kit, "b", NULL), STATUS_NOT_FOUND);
    streamkit_expect_error(kit, 10059, "stream S does not listen to \"b\"");
    assert_int_equal(with(kit, "a", NULL), STATUS_NOT_FOUND);
    assert_int_equal(with(kit, "a.*", NULL), STATUS_INVALID);
    assert_int_equal(with(kit, "a..b", NULL), STATUS_INVALID);
    assert_int_equal(with(kit, "a.b", "no colon"), STATUS_INVALID);
    assert_int_equal(streamkit_put(kit, "a.b", "x"), 1);
}

static void a_sealed_stream_takes_nothing(void **state)
{
    struct streamkit *kit = *state;
    streamkit_create(kit, plain);
    streamkit_put(kit, "a.b", "kept");
    streamkit_update(kit, "{\"name\":\"S\",\"subjects\":[\"a.>\"],\"sealed\":true}");
    assert_int_equal(with(kit, "a.b", NULL), STATUS_DENIED);
    streamkit_expect_error(kit, 10109, "invalid operation on sealed stream");
    streamkit_expect(kit, 1, "kept");
}

static void another_stream_than_expected_is_refused(void **state)
{
    struct streamkit *kit = *state;
    streamkit_create(kit, plain);
    assert_int_equal(with(kit, "a.b", "Nats-Expected-Stream: T"), STATUS_CONFLICT);
    streamkit_expect_error(kit, 10060, "expected stream does not match");
    assert_int_equal(with(kit, "a.b", "Nats-Expected-Stream: S"), STATUS_OK);
    assert_int_equal(with(kit, "a.b", "nats-expected-stream:"), STATUS_OK);
}

static void an_id_seen_within_the_window_is_a_duplicate_of_the_first(void **state)
{
    struct streamkit *kit = *state;
    struct stream_ack ack;
    streamkit_create(kit,
                     "{\"name\":\"S\",\"subjects\":[\"a.>\"],\"duplicate_window\":2000000000}");
    streamkit_put(kit, "a.b", "zero");
    assert_int_equal(with(kit, "a.b", "Nats-Msg-Id: i"), STATUS_OK);
    // The first one is only staged yet.
    assert_int_equal(streamkit_try(kit, "a.c", "y", "Nats-Msg-Id: i", &ack), STATUS_OK);
    assert_true(ack.duplicate && ack.seq == 2);
    streamkit_commit(kit);
    kit->now_ns += 2 * (int64_t)SECOND - 1;
    assert_int_equal(streamkit_try(kit, "a.c", "y", "Nats-Msg-Id: i", &ack), STATUS_OK);
    assert_true(ack.duplicate && ack.seq == 2);
    assert_int_equal(streamkit_try(kit, "a.c", "y", "Nats-Msg-Id: I", &ack), STATUS_OK);
    assert_true(!ack.duplicate && ack.seq == 3);
    kit->now_ns += 1;
    assert_int_equal(streamkit_try(kit, "a.c", "y", "Nats-Msg-Id: i", &ack), STATUS_OK);
    assert_true(!ack.duplicate && ack.seq == 4);
}

static void the_window_is_known_again_after_a_reopen(void **state)
{
    struct streamkit *kit = *state;
    struct stream_ack ack;
    streamkit_create(kit,
                     "{\"name\":\"S\",\"subjects\":[\"a.>\"],\"duplicate_window\":2000000000}");
    assert_int_equal(with(kit, "a.b", "Nats-Msg-Id: old"), STATUS_OK);
    kit->now_ns += SECOND;
    assert_int_equal(with(kit, "a.b", "A: b\r\nNats-Msg-Id: new"), STATUS_OK);
    streamkit_commit(kit);
    assert_int_equal(with(kit, "a.b", "Nats-Msg-Id: lost"), STATUS_OK);
    streamkit_reopen(kit);
    kit->now_ns += SECOND;
    assert_int_equal(streamkit_try(kit, "a.b", "y", "Nats-Msg-Id: new", &ack), STATUS_OK);
    assert_true(ack.duplicate && ack.seq == 2);
    assert_int_equal(streamkit_try(kit, "a.b", "y", "Nats-Msg-Id: old", &ack), STATUS_OK);
    assert_true(!ack.duplicate && ack.seq == 3);
    assert_int_equal(streamkit_try(kit, "a.b", "y", "Nats-Msg-Id: lost", &ack), STATUS_OK);
    assert_true(!ack.duplicate && ack.seq == 4);
}

static void of_two_messages_with_one_id_the_later_counts(void **state)
{
    struct streamkit *kit = *state;
    struct stream_ack ack;
    streamkit_create(kit,
                     "{\"name\":\"S\",\"subjects\":[\"a.>\"],\"duplicate_window\":1000000000}");
    assert_int_equal(with(kit, "a.b", "Nats-Msg-Id: i"), STATUS_OK);
    kit->now_ns += 2 * (int64_t)SECOND;
    assert_int_equal(with(kit, "a.b", "Nats-Msg-Id: i"), STATUS_OK);
    streamkit_commit(kit);
    streamkit_update(kit,
                     "{\"name\":\"S\",\"subjects\":[\"a.>\"],\"duplicate_window\":10000000000}");
    streamkit_reopen(kit);
    kit->now_ns += 9 * (int64_t)SECOND;
    assert_int_equal(streamkit_try(kit, "a.b", "y", "Nats-Msg-Id: i", &ack), STATUS_OK);
    assert_true(ack.duplicate && ack.seq == 2);
}

static void a_repeated_publish_is_a_duplicate_whatever_it_expects(void **state)
{
    struct streamkit *kit = *state;
    struct stream_ack ack;
    static const char cas[] = "Nats-Msg-Id: i\r\nNats-Expected-Last-Subject-Sequence: 0";
    streamkit_create(kit, plain);
    assert_int_equal(with(kit, "a.b", cas), STATUS_OK);
    assert_int_equal(streamkit_try(kit, "a.b", "x", cas, &ack), STATUS_OK);
    assert_true(ack.duplicate && ack.seq == 1);
}

static void the_last_sequence_must_be_the_expected_one(void **state)
{
    struct streamkit *kit = *state;
    streamkit_create(kit, plain);
    assert_int_equal(with(kit, "a.b", "Nats-Expected-Last-Sequence: 1"), STATUS_CONFLICT);
    streamkit_expect_error(kit, 10071, "wrong last sequence: 0");
    assert_int_equal(with(kit, "a.b", "Nats-Expected-Last-Sequence: 0"), STATUS_OK);
    // Staged messages count.
    assert_int_equal(with(kit, "a.b", "Nats-Expected-Last-Sequence: 0"), STATUS_CONFLICT);
    streamkit_expect_error(kit, 10071, "wrong last sequence: 1");
    assert_int_equal(with(kit, "a.b", "Nats-Expected-Last-Sequence: 1"), STATUS_OK);
    assert_int_equal(with(kit, "a.b", "Nats-Expected-Last-Sequence: two"), STATUS_CONFLICT);
    streamkit_expect_error(kit, 10071, "wrong last sequence: 2");
    assert_int_equal(with(kit, "a.b", "Nats-Expected-Last-Sequence:"), STATUS_OK);
}

static void the_last_sequence_of_the_subject_must_be_the_expected_one(void **state)
{
    struct streamkit *kit = *state;
    streamkit_create(kit, plain);
    streamkit_put(kit, "a.b", "one");
    streamkit_put(kit, "a.c", "two");
    assert_int_equal(with(kit, "a.b", "Nats-Expected-Last-Subject-Sequence: 2"), STATUS_CONFLICT);
    streamkit_expect_error(kit, 10071, "wrong last sequence: 1");
    assert_int_equal(with(kit, "a.d", "Nats-Expected-Last-Subject-Sequence: 2"), STATUS_CONFLICT);
    streamkit_expect_error(kit, 10071, "wrong last sequence: 0");
    assert_int_equal(with(kit, "a.d", "Nats-Expected-Last-Subject-Sequence: 0"), STATUS_OK);
    assert_int_equal(with(kit, "a.d", "Nats-Expected-Last-Subject-Sequence: 0"), STATUS_CONFLICT);
    streamkit_expect_error(kit, 10071, "wrong last sequence: 3");
    assert_int_equal(with(kit, "a.b", "Nats-Expected-Last-Subject-Sequence: 1"), STATUS_OK);
}

static void the_expected_subject_may_be_another_or_a_pattern(void **state)
{
    struct streamkit *kit = *state;
    streamkit_create(kit, plain);
    streamkit_put(kit, "a.b", "one");
    streamkit_put(kit, "a.c", "two");
    assert_int_equal(with(kit, "a.d",
                          "Nats-Expected-Last-Subject-Sequence: 1\r\n"
                          "Nats-Expected-Last-Subject-Sequence-Subject: a.b"),
                     STATUS_OK);
    assert_int_equal(with(kit, "a.d",
                          "Nats-Expected-Last-Subject-Sequence: 1\r\n"
                          "Nats-Expected-Last-Subject-Sequence-Subject: a.*"),
                     STATUS_CONFLICT);
    streamkit_expect_error(kit, 10071, "wrong last sequence: 3");
    assert_int_equal(with(kit, "a.d", "Nats-Expected-Last-Subject-Sequence-Subject: a.b"),
                     STATUS_INVALID);
    streamkit_expect_error(kit, 10193, "missing sequence for expected last sequence per subject");
}

static void the_subject_is_compared_before_the_stream(void **state)
{
    struct streamkit *kit = *state;
    streamkit_create(kit, plain);
    streamkit_put(kit, "a.b", "one");
    streamkit_put(kit, "a.c", "two");
    assert_int_equal(with(kit, "a.b",
                          "Nats-Expected-Last-Sequence: 7\r\n"
                          "Nats-Expected-Last-Subject-Sequence: 7"),
                     STATUS_CONFLICT);
    streamkit_expect_error(kit, 10071, "wrong last sequence: 1");
}

static void the_last_id_must_be_the_expected_one(void **state)
{
    struct streamkit *kit = *state;
    streamkit_create(kit, plain);
    assert_int_equal(with(kit, "a.b", "Nats-Expected-Last-Msg-Id: i"), STATUS_CONFLICT);
    streamkit_expect_error(kit, 10070, "wrong last msg ID: ");
    assert_int_equal(with(kit, "a.b", "Nats-Msg-Id: i"), STATUS_OK);
    assert_int_equal(with(kit, "a.b", "Nats-Expected-Last-Msg-Id: h"), STATUS_CONFLICT);
    streamkit_expect_error(kit, 10070, "wrong last msg ID: i");
    streamkit_commit(kit);
    streamkit_reopen(kit);
    assert_int_equal(with(kit, "a.b", "Nats-Expected-Last-Msg-Id: h"), STATUS_CONFLICT);
    streamkit_expect_error(kit, 10070, "wrong last msg ID: i");
    assert_int_equal(with(kit, "a.b", "Nats-Expected-Last-Msg-Id: i"), STATUS_OK);
    assert_int_equal(with(kit, "a.b", "Nats-Expected-Last-Msg-Id: i"), STATUS_CONFLICT);
    streamkit_expect_error(kit, 10070, "wrong last msg ID: ");
}

static void an_id_cannot_forge_a_line_of_an_error(void **state)
{
    struct streamkit *kit = *state;
    streamkit_create(kit, plain);
    assert_int_equal(with(kit, "a.b", "Nats-Msg-Id: i\nj\x1b"), STATUS_OK);
    assert_int_equal(with(kit, "a.b", "Nats-Expected-Last-Msg-Id: h"), STATUS_CONFLICT);
    streamkit_expect_error(kit, 10070, "wrong last msg ID: i\\nj\\x1b");
}

static void a_roll_up_needs_the_stream_to_allow_it(void **state)
{
    struct streamkit *kit = *state;
    streamkit_create(kit, plain);
    assert_int_equal(with(kit, "a.b", "Nats-Rollup: sub"), STATUS_DENIED);
    streamkit_expect_error(kit, 10111, "rollup not permitted");
    assert_int_equal(with(kit, "a.b", "Nats-Rollup: what"), STATUS_DENIED);
    streamkit_update(kit, "{\"name\":\"S\",\"subjects\":[\"a.>\"],\"allow_rollup_hdrs\":true}");
    assert_int_equal(with(kit, "a.b", "Nats-Rollup: what"), STATUS_INVALID);
    streamkit_expect_error(kit, 10111, "rollup value invalid: \"what\"");
    assert_int_equal(with(kit, "a.b", "Nats-Rollup:"), STATUS_OK);
}

static void a_roll_up_replaces_what_was_before_it(void **state)
{
    struct streamkit *kit = *state;
    streamkit_create(kit, "{\"name\":\"S\",\"subjects\":[\"a.>\"],\"allow_rollup_hdrs\":true}");
    streamkit_put(kit, "a.b", "one");
    streamkit_put(kit, "a.c", "two");
    streamkit_put(kit, "a.b", "three");
    assert_int_equal(with(kit, "a.b", "Nats-Rollup: SUB"), STATUS_OK);
    streamkit_commit(kit);
    streamkit_reopen(kit);
    streamkit_expect(kit, 1, NULL);
    streamkit_expect(kit, 2, "two");
    streamkit_expect(kit, 3, NULL);
    streamkit_expect(kit, 4, "x");
    assert_int_equal(with(kit, "a.c", "Nats-Rollup: all"), STATUS_OK);
    streamkit_commit(kit);
    assert_int_equal(streamkit_state(kit).messages, 1);
    assert_int_equal(streamkit_state(kit).first_seq, 5);
    streamkit_expect(kit, 5, "x");
}

static void a_message_larger_than_the_limit_is_refused(void **state)
{
    struct streamkit *kit = *state;
    struct stream_ack ack;
    streamkit_create(kit, "{\"name\":\"S\",\"subjects\":[\"a.>\"],\"max_msg_size\":30}");
    assert_int_equal(streamkit_try(kit, "a.b", "123456789012345678901234567890", NULL, &ack),
                     STATUS_OK);
    assert_int_equal(streamkit_try(kit, "a.b", "1234567890123456789012345678901", NULL, &ack),
                     STATUS_LIMIT);
    streamkit_expect_error(kit, 10054, "message size exceeds maximum allowed");
    // Headers count: 18 bytes of them.
    assert_int_equal(streamkit_try(kit, "a.b", "123456789012", "A: b", &ack), STATUS_OK);
    assert_int_equal(streamkit_try(kit, "a.b", "1234567890123", "A: b", &ack), STATUS_LIMIT);
}

static void a_header_block_larger_than_64k_is_refused(void **state)
{
    struct streamkit *kit = *state;
    char header[65536];
    streamkit_create(kit, plain);
    memset(header, 'a', sizeof header);
    memcpy(header, "A: ", 3);
    header[65535 - 14] = '\0';
    assert_int_equal(with(kit, "a.b", header), STATUS_OK);
    assert_int_equal(kit->headers.size, 65535);
    header[65535 - 14] = 'a';
    header[65535 - 13] = '\0';
    assert_int_equal(with(kit, "a.b", header), STATUS_LIMIT);
    streamkit_expect_error(kit, 10097, "header size exceeds maximum allowed of 64k");
}

static void a_message_no_record_can_hold_is_refused(void **state)
{
    struct streamkit *kit = *state;
    struct stream_ack ack;
    char *body = calloc(1, (size_t)LIMIT_RECORD_BYTES + 1);
    struct stream_input input = {.subject = BYTES("a.b"),
                                 .body = {body, (size_t)LIMIT_RECORD_BYTES + 1},
                                 .now_ns = kit->now_ns};
    assert_non_null(body);
    streamkit_create(kit, plain);
    assert_int_equal(stream_publish(kit->stream, &input, &ack, &kit->err), STATUS_LIMIT);
    streamkit_expect_error(kit, 10077, "message too large");
    free(body);
}

static void the_oldest_messages_make_room(void **state)
{
    struct streamkit *kit = *state;
    streamkit_create(kit, "{\"name\":\"S\",\"subjects\":[\"a.>\"],\"max_msgs\":2}");
    streamkit_put(kit, "a.b", "one");
    streamkit_put(kit, "a.c", "two");
    streamkit_put(kit, "a.d", "three");
    assert_int_equal(streamkit_state(kit).messages, 2);
    assert_int_equal(streamkit_state(kit).first_seq, 2);
    assert_int_equal(streamkit_state(kit).num_subjects, 2);
    streamkit_expect_last(kit, "a.b", NULL);
    streamkit_reopen(kit);
    assert_int_equal(streamkit_state(kit).first_seq, 2);
}

static void bytes_are_counted_as_the_file_store_counts_them(void **state)
{
    struct streamkit *kit = *state;
    struct stream_ack ack;
    // 22 + subject + body + 8, and 4 + headers when there are any.
    streamkit_create(kit, "{\"name\":\"S\",\"subjects\":[\"a.>\"],\"max_bytes\":100}");
    streamkit_put(kit, "a.b", "1234567");
    assert_int_equal(streamkit_state(kit).bytes, 22 + 3 + 7 + 8);
    assert_int_equal(streamkit_try(kit, "a.c", "12345", "A: b", &ack), STATUS_OK);
    streamkit_commit(kit);
    assert_int_equal(streamkit_state(kit).bytes, 40 + 22 + 3 + 4 + 18 + 5 + 8);
    streamkit_put(kit, "a.d", "1");
    assert_int_equal(streamkit_state(kit).bytes, 60 + 34);
    assert_int_equal(streamkit_state(kit).first_seq, 2);
    streamkit_reopen(kit);
    assert_int_equal(streamkit_state(kit).bytes, 60 + 34);
}

static void a_message_larger_than_the_stream_is_refused(void **state)
{
    struct streamkit *kit = *state;
    struct stream_ack ack;
    streamkit_create(kit, "{\"name\":\"S\",\"subjects\":[\"a.>\"],\"max_bytes\":40}");
    streamkit_put(kit, "a.b", "1234567");
    assert_int_equal(streamkit_try(kit, "a.b", "12345678", NULL, &ack), STATUS_LIMIT);
    streamkit_expect_error(kit, 10077, "maximum bytes exceeded");
    streamkit_expect(kit, 1, "1234567");
}

static void a_subject_keeps_only_its_newest(void **state)
{
    struct streamkit *kit = *state;
    streamkit_create(kit, "{\"name\":\"S\",\"subjects\":[\"a.>\"],\"max_msgs_per_subject\":2}");
    streamkit_put(kit, "a.b", "one");
    streamkit_put(kit, "a.c", "two");
    streamkit_put(kit, "a.b", "three");
    streamkit_put(kit, "a.b", "four");
    streamkit_expect(kit, 1, NULL);
    streamkit_expect(kit, 2, "two");
    streamkit_expect(kit, 3, "three");
    streamkit_put(kit, "a.b", "five");
    streamkit_expect(kit, 3, NULL);
    assert_int_equal(streamkit_state(kit).num_deleted, 1);
    assert_int_equal(streamkit_state(kit).first_seq, 2);
}

static void a_full_stream_that_discards_new_refuses(void **state)
{
    struct streamkit *kit = *state;
    streamkit_create(kit, "{\"name\":\"S\",\"subjects\":[\"a.>\"],\"max_msgs\":1,"
                          "\"discard\":\"new\"}");
    assert_int_equal(with(kit, "a.b", NULL), STATUS_OK);
    // The first one is only staged yet.
    assert_int_equal(with(kit, "a.b", NULL), STATUS_LIMIT);
    streamkit_expect_error(kit, 10077, "maximum messages exceeded");
    streamkit_update(kit, "{\"name\":\"S\",\"subjects\":[\"a.>\"],\"max_bytes\":70,"
                          "\"discard\":\"new\"}");
    assert_int_equal(with(kit, "a.b", NULL), STATUS_OK);
    assert_int_equal(with(kit, "a.b", NULL), STATUS_LIMIT);
    streamkit_expect_error(kit, 10077, "maximum bytes exceeded");
}

static void a_full_subject_that_discards_new_refuses(void **state)
{
    struct streamkit *kit = *state;
    streamkit_create(kit, "{\"name\":\"S\",\"subjects\":[\"a.>\"],\"max_msgs_per_subject\":1,"
                          "\"discard\":\"new\",\"discard_new_per_subject\":true,"
                          "\"allow_rollup_hdrs\":true}");
    streamkit_put(kit, "a.b", "one");
    assert_int_equal(with(kit, "a.b", NULL), STATUS_LIMIT);
    streamkit_expect_error(kit, 10077, "maximum messages per subject exceeded");
    streamkit_put(kit, "a.c", "two");
    // A roll-up makes room for itself.
    assert_int_equal(with(kit, "a.b", "Nats-Rollup: sub"), STATUS_OK);
    streamkit_commit(kit);
    streamkit_expect(kit, 1, NULL);
    streamkit_expect(kit, 3, "x");
}

static void what_replaces_its_subjects_oldest_fits_into_a_full_stream(void **state)
{
    struct streamkit *kit = *state;
    struct stream_ack ack;
    streamkit_create(kit, "{\"name\":\"S\",\"subjects\":[\"a.>\"],\"max_msgs\":2,\"max_bytes\":80,"
                          "\"max_msgs_per_subject\":1,\"discard\":\"new\"}");
    streamkit_put(kit, "a.b", "1234567");
    streamkit_put(kit, "a.c", "1234567");
    assert_int_equal(with(kit, "a.d", NULL), STATUS_LIMIT);
    streamkit_expect_error(kit, 10077, "maximum messages exceeded");
    assert_int_equal(streamkit_try(kit, "a.b", "abcdefg", NULL, &ack), STATUS_OK);
    streamkit_commit(kit);
    streamkit_expect(kit, 1, NULL);
    streamkit_expect_last(kit, "a.b", "abcdefg");
    // One that is larger than what it replaces does not fit.
    assert_int_equal(streamkit_try(kit, "a.b", "abcdefgh", NULL, &ack), STATUS_LIMIT);
    streamkit_expect_error(kit, 10077, "maximum bytes exceeded");
}

static void messages_older_than_the_maximum_age_are_gone(void **state)
{
    struct streamkit *kit = *state;
    streamkit_create(kit, "{\"name\":\"S\",\"subjects\":[\"a.>\"],\"max_age\":10000000000}");
    streamkit_put(kit, "a.b", "old");
    kit->now_ns += 5 * (int64_t)SECOND;
    streamkit_put(kit, "a.b", "new");
    kit->now_ns += 5 * (int64_t)SECOND - 1;
    assert_int_equal(stream_expire(kit->stream, kit->now_ns, NULL), STATUS_OK);
    streamkit_expect(kit, 1, "old");
    kit->now_ns += 1;
    assert_int_equal(stream_expire(kit->stream, kit->now_ns, NULL), STATUS_OK);
    streamkit_expect(kit, 1, NULL);
    streamkit_expect(kit, 2, "new");
    kit->now_ns += 5 * (int64_t)SECOND;
    streamkit_reopen(kit);
    assert_int_equal(streamkit_state(kit).messages, 0);
    assert_int_equal(streamkit_state(kit).first_seq, 3);
    assert_int_equal(streamkit_state(kit).last_seq, 2);
}

static void an_expired_message_makes_room_and_is_expected_no_more(void **state)
{
    struct streamkit *kit = *state;
    streamkit_create(kit, "{\"name\":\"S\",\"subjects\":[\"a.>\"],\"max_age\":1000000000,"
                          "\"max_msgs\":1,\"discard\":\"new\",\"duplicate_window\":1000000000}");
    assert_int_equal(with(kit, "a.b", "Nats-Msg-Id: i"), STATUS_OK);
    streamkit_commit(kit);
    kit->now_ns += SECOND;
    assert_int_equal(with(kit, "a.b", "Nats-Msg-Id: i\r\nNats-Expected-Last-Subject-Sequence: 0"),
                     STATUS_OK);
    streamkit_commit(kit);
    streamkit_expect(kit, 2, "x");
}

static void time_never_runs_backwards_within_a_stream(void **state)
{
    struct streamkit *kit = *state;
    struct msglog_message message;
    streamkit_create(kit, plain);
    int64_t first_ns = kit->now_ns;
    streamkit_put(kit, "a.b", "one");
    kit->now_ns -= SECOND;
    streamkit_put(kit, "a.b", "two");
    assert_int_equal(stream_get(kit->stream, 2, MSGLOG_HEAD, &kit->storage, &message, NULL),
                     STATUS_OK);
    assert_true(message.time_ns == first_ns);
    assert_int_equal(message.body.size, 0);
}

static void the_first_sequence_may_be_chosen(void **state)
{
    struct streamkit *kit = *state;
    streamkit_create(kit, "{\"name\":\"S\",\"subjects\":[\"a.>\"],\"first_seq\":100}");
    assert_int_equal(streamkit_state(kit).first_seq, 100);
    assert_int_equal(streamkit_state(kit).last_seq, 99);
    assert_int_equal(with(kit, "a.b", "Nats-Expected-Last-Sequence: 99"), STATUS_OK);
    streamkit_commit(kit);
    streamkit_expect(kit, 100, "x");
}

static void a_failed_sync_leaves_the_stream_readable_and_closed_to_writing(void **state)
{
    struct streamkit *kit = *state;
    streamkit_create(kit, plain);
    streamkit_put(kit, "a.b", "one");
    assert_int_equal(with(kit, "a.b", NULL), STATUS_OK);
    simhost_fail(kit->sim, SIM_SYNC, 1, 5);
    assert_int_equal(stream_commit(kit->stream, &kit->err), STATUS_READ_ONLY);
    streamkit_expect(kit, 1, "one");
    streamkit_expect(kit, 2, NULL);
    assert_int_equal(with(kit, "a.b", NULL), STATUS_READ_ONLY);
    streamkit_expect_last(kit, "a.b", "one");
}

static void a_full_disk_refuses_a_message_and_keeps_the_stream_writable(void **state)
{
    struct streamkit *kit = *state;
    struct stream_ack ack;
    size_t size = 4 * 1024 * 1024;
    char *body = malloc(size + 1);
    assert_non_null(body);
    memset(body, 'x', size);
    body[size] = '\0';
    streamkit_create(kit, plain);
    streamkit_put(kit, "a.b", "one");
    simhost_quota(kit->sim, simhost_used(kit->sim) + 65536);
    assert_int_equal(streamkit_try(kit, "a.b", body, "Nats-Msg-Id: i", &ack), STATUS_NO_SPACE);
    simhost_quota(kit->sim, UINT64_MAX);
    assert_int_equal(streamkit_try(kit, "a.b", "two", "Nats-Msg-Id: i", &ack), STATUS_OK);
    assert_true(!ack.duplicate && ack.seq == 2);
    streamkit_commit(kit);
    streamkit_expect(kit, 2, "two");
    free(body);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, streamkit_setup, streamkit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(messages_get_rising_sequences_and_are_read_when_committed),
        TEST(a_subject_the_stream_does_not_listen_to_is_refused),
        TEST(a_sealed_stream_takes_nothing),
        TEST(another_stream_than_expected_is_refused),
        TEST(an_id_seen_within_the_window_is_a_duplicate_of_the_first),
        TEST(the_window_is_known_again_after_a_reopen),
        TEST(of_two_messages_with_one_id_the_later_counts),
        TEST(a_repeated_publish_is_a_duplicate_whatever_it_expects),
        TEST(the_last_sequence_must_be_the_expected_one),
        TEST(the_last_sequence_of_the_subject_must_be_the_expected_one),
        TEST(the_expected_subject_may_be_another_or_a_pattern),
        TEST(the_subject_is_compared_before_the_stream),
        TEST(the_last_id_must_be_the_expected_one),
        TEST(an_id_cannot_forge_a_line_of_an_error),
        TEST(a_roll_up_needs_the_stream_to_allow_it),
        TEST(a_roll_up_replaces_what_was_before_it),
        TEST(a_message_larger_than_the_limit_is_refused),
        TEST(a_header_block_larger_than_64k_is_refused),
        TEST(a_message_no_record_can_hold_is_refused),
        TEST(the_oldest_messages_make_room),
        TEST(bytes_are_counted_as_the_file_store_counts_them),
        TEST(a_message_larger_than_the_stream_is_refused),
        TEST(a_subject_keeps_only_its_newest),
        TEST(a_full_stream_that_discards_new_refuses),
        TEST(a_full_subject_that_discards_new_refuses),
        TEST(what_replaces_its_subjects_oldest_fits_into_a_full_stream),
        TEST(messages_older_than_the_maximum_age_are_gone),
        TEST(an_expired_message_makes_room_and_is_expected_no_more),
        TEST(time_never_runs_backwards_within_a_stream),
        TEST(the_first_sequence_may_be_chosen),
        TEST(a_failed_sync_leaves_the_stream_readable_and_closed_to_writing),
        TEST(a_full_disk_refuses_a_message_and_keeps_the_stream_writable),
    };
    return cmocka_run_group_tests_name("publish", tests, NULL, NULL);
}
