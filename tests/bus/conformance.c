// SPDX-License-Identifier: Apache-2.0
// One client at a time.
#include "conformance_kit.h"

static void facts_say_what_the_bus_is(void **state)
{
    struct fixture *at = *state;
    struct bus_facts facts;
    must(at, at->does->facts(at->bus, &facts, &at->err));
    assert_true(facts.kind[0] != '\0' && facts.location[0] != '\0');
    assert_true(facts.max_body_bytes > 0);
}

static void a_publish_is_acknowledged_and_read_back_as_it_was(void **state)
{
    struct fixture *at = *state;
    create(at, plain);
    assert_int_equal(put_with(at, "s.a", "A: b\r\n", "body"), 1);
    assert_string_equal(at->ack.stream, "S");
    assert_false(at->ack.duplicate);
    must(at, get(at, 1, "", BUS_ALL));
    assert_int_equal(at->message.seq, 1);
    assert_true(at->message.time_ns > 0);
    assert_true(bytes_equal(at->message.subject, BYTES("s.a")));
    assert_true(bytes_equal(at->message.headers, BYTES("NATS/1.0\r\nA: b\r\n\r\n")));
    assert_true(bytes_equal(at->message.body, BYTES("body")));
}

static void bytes_of_any_kind_and_none_come_back(void **state)
{
    struct fixture *at = *state;
    create(at, plain);
    char all[256];
    for (int i = 0; i < 256; i++)
        all[i] = (char)(unsigned char)i;
    must(at, bus_put(at->bus, "s.a", NULL, bytes_of(all, 256), &at->ack, &at->err));
    must(at, bus_put(at->bus, "s.a", NULL, BYTES(""), &at->ack, &at->err));
    must(at, get(at, 1, "", BUS_ALL));
    assert_true(bytes_equal(at->message.body, bytes_of(all, 256)));
    must(at, get(at, 2, "", BUS_ALL));
    assert_int_equal(at->message.body.size, 0);
    assert_int_equal(at->message.headers.size, 0);
}

static void the_largest_body_is_taken_and_a_larger_message_refused(void **state)
{
    struct fixture *at = *state;
    struct bus_facts facts;
    create(at, plain);
    must(at, at->does->facts(at->bus, &facts, &at->err));
    size_t size = (size_t)facts.max_body_bytes;
    char *body = malloc(size + LIMIT_HEADER_BYTES + 1);
    assert_non_null(body);
    memset(body, 'x', size + LIMIT_HEADER_BYTES + 1);
    must(at, bus_put(at->bus, "s.a", "A: b\r\n", bytes_of(body, size), &at->ack, &at->err));
    must(at, get(at, 1, "", BUS_ALL));
    assert_int_equal(at->message.body.size, size);
    assert_memory_equal(at->message.body.data, body, size);
    assert_int_equal(bus_put(at->bus, "s.a", NULL, bytes_of(body, size + LIMIT_HEADER_BYTES + 1),
                             &at->ack, &at->err),
                     STATUS_LIMIT);
    assert_int_equal(state_of(at).messages, 1);
    free(body);
}

static void a_subject_that_no_stream_listens_to_is_refused(void **state)
{
    struct fixture *at = *state;
    create(at, plain);
    assert_int_equal(try_put(at, "t.a", NULL), STATUS_NOT_FOUND);
    assert_int_equal(try_put(at, "s.*", NULL), STATUS_INVALID);
    assert_int_equal(try_put(at, "s..a", NULL), STATUS_INVALID);
    assert_int_equal(try_put(at, "s.a b", NULL), STATUS_INVALID);
}

static void a_message_id_that_was_seen_is_a_duplicate(void **state)
{
    struct fixture *at = *state;
    create(at, plain);
    put_with(at, "s.a", "Nats-Msg-Id: one\r\n", "1");
    put(at, "s.a", "2");
    assert_int_equal(put_with(at, "s.a", "Nats-Msg-Id: one\r\n", "1"), 1);
    assert_true(at->ack.duplicate);
    assert_string_equal(at->ack.stream, "S");
    assert_int_equal(state_of(at).last_seq, 2);
}

static void a_failed_expectation_is_a_conflict_with_its_code(void **state)
{
    struct fixture *at = *state;
    create(at, plain);
    put_with(at, "s.a", "Nats-Msg-Id: one\r\n", "1");
    put_with(at, "s.b", "Nats-Expected-Last-Sequence: 1\r\nNats-Expected-Last-Msg-Id: one\r\n",
             "2");
    assert_int_equal(try_put(at, "s.a", "Nats-Expected-Last-Sequence: 1\r\n"), STATUS_CONFLICT);
    assert_int_equal(at->err.protocol_code, 10071);
    assert_int_equal(try_put(at, "s.a", "Nats-Expected-Last-Subject-Sequence: 2\r\n"),
                     STATUS_CONFLICT);
    assert_int_equal(at->err.protocol_code, 10071);
    assert_int_equal(try_put(at, "s.a", "Nats-Expected-Last-Msg-Id: one\r\n"), STATUS_CONFLICT);
    assert_int_equal(at->err.protocol_code, 10070);
    assert_int_equal(try_put(at, "s.a", "Nats-Expected-Stream: T\r\n"), STATUS_CONFLICT);
    assert_int_equal(at->err.protocol_code, 10060);
    put_with(at, "s.a", "Nats-Expected-Last-Subject-Sequence: 1\r\n", "3");
    put_with(at, "s.c", "Nats-Expected-Last-Subject-Sequence: 0\r\n", "4");
}

static void a_message_is_found_by_sequence_subject_or_both(void **state)
{
    struct fixture *at = *state;
    create(at, plain);
    put(at, "s.a", "1");
    put(at, "s.b", "2");
    put(at, "s.a", "3");
    put(at, "s.b.c", "4");
    must(at, get(at, 0, "s.a", BUS_ALL));
    assert_int_equal(at->message.seq, 3);
    must(at, get(at, 2, "s.a", BUS_ALL));
    assert_int_equal(at->message.seq, 3);
    must(at, get(at, 1, "s.*", BUS_ALL));
    assert_int_equal(at->message.seq, 1);
    must(at, get(at, 1, "s.b.>", BUS_ALL));
    assert_int_equal(at->message.seq, 4);
    assert_int_equal(get(at, 4, "s.a", BUS_ALL), STATUS_NOT_FOUND);
    assert_int_equal(at->err.protocol_code, 10037);
    assert_int_equal(get(at, 0, "s.none", BUS_ALL), STATUS_NOT_FOUND);
    expect_gone(at, 9);
}

static void the_head_alone_has_no_body(void **state)
{
    struct fixture *at = *state;
    create(at, plain);
    put_with(at, "s.a", "A: b\r\n", "body");
    must(at, get(at, 1, "", BUS_HEAD));
    assert_int_equal(at->message.body.size, 0);
    assert_true(bytes_equal(at->message.subject, BYTES("s.a")));
    assert_true(bytes_equal(at->message.headers, BYTES("NATS/1.0\r\nA: b\r\n\r\n")));
    must(at, get(at, 0, "s.a", BUS_HEAD));
    assert_int_equal(at->message.seq, 1);
}

static void a_range_is_cut_at_the_bodys_end(void **state)
{
    struct fixture *at = *state;
    static const struct {
        uint64_t from, size;
        const char *wanted;
    } rows[] = {{0, 4, "0123"}, {7, 2, "78"}, {8, 99, "89"}, {10, 1, ""}, {99, 1, ""}, {3, 0, ""}};
    create(at, plain);
    put_with(at, "s.a", "A: b\r\n", "0123456789");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bus_get wanted = {
            .seq = 1, .part = BUS_RANGE, .range_from = rows[i].from, .range_size = rows[i].size};
        must(at, at->does->get(at->bus, "S", &wanted, &at->storage, &at->message, &at->err));
        assert_true(bytes_equal(at->message.body, bytes_of_string(rows[i].wanted)));
        assert_int_equal(at->message.headers.size, 0);
    }
}

static void an_unknown_stream_is_told_from_an_unknown_message(void **state)
{
    struct fixture *at = *state;
    struct bus_get wanted = {.seq = 1, .part = BUS_ALL};
    struct stream_info info;
    struct bus_purge all = {.keep = 0};
    uint64_t purged;
    for (int i = 0; i < 4; i++) {
        errinfo_clear(&at->err);
        enum status status = i == 0   ? at->does->get(at->bus, "none", &wanted, &at->storage,
                                                      &at->message, &at->err)
                             : i == 1 ? at->does->stream_info(at->bus, "none", &info, &at->err)
                             : i == 2
                                 ? at->does->stream_delete(at->bus, "none", &at->err)
                                 : at->does->stream_purge(at->bus, "none", &all, &purged, &at->err);
        assert_int_equal(status, STATUS_NOT_FOUND);
        assert_int_equal(at->err.protocol_code, 10059);
    }
}

static void the_last_of_each_subject_comes_in_order_of_sequence(void **state)
{
    struct fixture *at = *state;
    create(at, plain);
    put(at, "s.a", "1");
    put(at, "s.b", "2");
    put(at, "s.a", "3");
    put(at, "s.b.c", "4");
    struct collected list = {.at = at};
    struct bus_get filter = {.subject = BYTES("s.>"), .part = BUS_ALL};
    must(at, at->does->last_each(at->bus, "S", &filter, collect_message, &list, &at->err));
    assert_string_equal(list.text, "s.b=2:2 s.a=3:3 s.b.c=4:4 ");
    list.text[0] = '\0';
    filter = (struct bus_get){.subject = BYTES("s.*"), .part = BUS_HEAD};
    must(at, at->does->last_each(at->bus, "S", &filter, collect_message, &list, &at->err));
    assert_string_equal(list.text, "s.b=2: s.a=3: ");
    list.text[0] = '\0';
    list.answer = STATUS_DENIED;
    assert_int_equal(at->does->last_each(at->bus, "S", &filter, collect_message, &list, &at->err),
                     STATUS_DENIED);
    assert_string_equal(list.text, "s.b=2: ");
}

static void subjects_come_in_byte_order_with_their_counts(void **state)
{
    struct fixture *at = *state;
    create(at, plain);
    put(at, "s.b", "1");
    put(at, "s.a", "2");
    put(at, "s.b", "3");
    put(at, "s.a.c", "4");
    struct collected list = {.at = at};
    must(at, at->does->subjects(at->bus, "S", BYTES("s.*"), collect_name, &list, &at->err));
    assert_string_equal(list.text, "s.a=1 s.b=2 ");
    list.text[0] = '\0';
    list.answer = STATUS_DENIED;
    assert_int_equal(at->does->subjects(at->bus, "S", BYTES(">"), collect_name, &list, &at->err),
                     STATUS_DENIED);
    assert_string_equal(list.text, "s.a=1 ");
}

static void visitors_may_call_the_bus(void **state)
{
    struct fixture *at = *state;
    create(at, plain);
    put(at, "s.a", "1");
    struct collected list = {.at = at, .publish_to = "s.new"};
    struct bus_get filter = {.subject = BYTES("s.>"), .part = BUS_ALL};
    must(at, at->does->last_each(at->bus, "S", &filter, collect_message, &list, &at->err));
    must(at, at->does->subjects(at->bus, "S", BYTES("s.a"), collect_name, &list, &at->err));
    must(at, at->does->stream_names(at->bus, collect_name, &list, &at->err));
    assert_string_equal(list.text, "s.a=1:1 s.a=1 S=3 ");
    assert_int_equal(state_of(at).messages, 4);
}

static void a_deleted_message_is_gone_and_an_erased_one_too(void **state)
{
    struct fixture *at = *state;
    create(at, plain);
    put(at, "s.a", "1");
    put(at, "s.a", "2");
    put(at, "s.a", "3");
    must(at, at->does->message_delete(at->bus, "S", 2, false, &at->err));
    must(at, at->does->message_delete(at->bus, "S", 3, true, &at->err));
    expect_gone(at, 2);
    expect_gone(at, 3);
    must(at, get(at, 0, "s.a", BUS_ALL));
    assert_int_equal(at->message.seq, 1);
    struct collected list = {.at = at};
    struct bus_get filter = {.subject = BYTES("s.>"), .part = BUS_ALL};
    must(at, at->does->last_each(at->bus, "S", &filter, collect_message, &list, &at->err));
    assert_string_equal(list.text, "s.a=1:1 ");
    assert_int_equal(at->does->message_delete(at->bus, "S", 2, false, &at->err), STATUS_NOT_FOUND);
    struct stream_state is = state_of(at);
    assert_true(is.messages == 1 && is.last_seq == 3 && is.num_deleted == 2);
}

static void a_stream_is_created_once_updated_listed_and_deleted(void **state)
{
    struct fixture *at = *state;
    bool created = true;
    struct stream_info info;
    create(at, plain);
    must(at, try_create(at, plain, &created));
    assert_false(created);
    assert_int_equal(try_create(at, "{\"name\":\"S\",\"subjects\":[\"q\"]}", &created),
                     STATUS_EXISTS);
    assert_int_equal(at->err.protocol_code, 10058);
    assert_int_equal(try_create(at, "{\"name\":\"T\",\"subjects\":[\"s.a\"]}", &created),
                     STATUS_CONFLICT);
    assert_int_equal(at->err.protocol_code, 10065);
    create(at, "{\"name\":\"A\"}");
    put(at, "s.a", "1");
    struct collected list = {.at = at};
    must(at, at->does->stream_names(at->bus, collect_name, &list, &at->err));
    assert_string_equal(list.text, "A=0 S=1 ");
    must(at, at->does->stream_info(at->bus, "S", &info, &at->err));
    assert_true(info.created_ns > 0);
    info.config.max_msgs = 5;
    must(at, at->does->stream_update(at->bus, &info.config, &at->err));
    stream_config_fini(&info.config);
    must(at, at->does->stream_info(at->bus, "S", &info, &at->err));
    assert_int_equal(info.config.max_msgs, 5);
    info.config.storage = STREAM_STORE_MEMORY;
    assert_int_equal(at->does->stream_update(at->bus, &info.config, &at->err), STATUS_INVALID);
    assert_int_equal(at->err.protocol_code, 10052);
    stream_config_fini(&info.config);
    must(at, at->does->stream_delete(at->bus, "S", &at->err));
    assert_int_equal(at->does->stream_info(at->bus, "S", &info, &at->err), STATUS_NOT_FOUND);
}

static void a_purge_takes_what_it_is_told_to(void **state)
{
    struct fixture *at = *state;
    uint64_t purged;
    create(at, plain);
    for (int i = 0; i < 8; i++)
        put(at, i % 2 == 0 ? "s.a" : "s.b", "x");
    struct bus_purge one = {.filter = BYTES("s.a"), .keep = 2};
    must(at, at->does->stream_purge(at->bus, "S", &one, &purged, &at->err));
    assert_int_equal(purged, 2);
    struct bus_purge up_to = {.filter = BYTES("s.b"), .up_to_seq = 4};
    must(at, at->does->stream_purge(at->bus, "S", &up_to, &purged, &at->err));
    assert_int_equal(purged, 1);
    struct bus_purge both = {.up_to_seq = 4, .keep = 2};
    assert_int_equal(at->does->stream_purge(at->bus, "S", &both, &purged, &at->err),
                     STATUS_INVALID);
    struct bus_purge all = {.keep = 0};
    must(at, at->does->stream_purge(at->bus, "S", &all, &purged, &at->err));
    assert_int_equal(purged, 5);
    assert_int_equal(put(at, "s.a", "x"), 9);
}

static void a_follow_gives_what_was_there_first_and_then_what_comes(void **state)
{
    struct fixture *at = *state;
    size_t source = 7;
    create(at, plain);
    put(at, "s.a", "1");
    put(at, "s.b", "2");
    put(at, "s.a", "3");
    struct bus_source all = {"S", BYTES(""), 1};
    struct bus_source some = {"S", BYTES("s.a"), 2};
    struct bus_source later = {"S", BYTES(""), 0};
    struct bus_follow *first = follow(at, &all, 1);
    struct bus_follow *second = follow(at, &some, 1);
    struct bus_follow *third = follow(at, &later, 1);
    put(at, "s.c", "4");
    for (uint64_t seq = 1; seq <= 4; seq++)
        expect_next(at, first, seq);
    assert_int_equal(next(at, first, 0, &source), STATUS_TIMEOUT);
    expect_next(at, second, 3);
    assert_int_equal(next(at, second, 1, &source), STATUS_TIMEOUT);
    expect_next(at, third, 4);
    assert_true(bytes_equal(at->message.body, BYTES("4")));
    put(at, "s.a", "5");
    expect_next(at, second, 5);
    bus_follow_close(first);
    bus_follow_close(second);
    bus_follow_close(third);
    bus_follow_close(NULL);
}

static void several_sources_are_followed_each_in_its_order(void **state)
{
    struct fixture *at = *state;
    create(at, plain);
    create(at, "{\"name\":\"T\",\"subjects\":[\"t.>\"]}");
    for (int i = 0; i < 20; i++) {
        put(at, "s.a", "x");
        put(at, "t.a", "x");
    }
    struct bus_source sources[] = {{"S", BYTES("s.*"), 1}, {"T", BYTES(""), 5}};
    struct bus_follow *both = follow(at, sources, 2);
    uint64_t wanted[] = {1, 5};
    for (int i = 0; i < 20 + 16; i++) {
        size_t source;
        must(at, next(at, both, WAIT_MS, &source));
        assert_true(source < 2);
        assert_int_equal(at->message.seq, wanted[source]++);
        assert_true(at->message.subject.data[0] == (source == 0 ? 's' : 't'));
    }
    assert_true(wanted[0] == 21 && wanted[1] == 21);
    bus_follow_close(both);
}

static void what_cannot_be_followed_is_refused(void **state)
{
    struct fixture *at = *state;
    struct bus_follow *follow = NULL;
    create(at, plain);
    struct bus_source unknown = {"none", BYTES(""), 1};
    assert_int_equal(at->does->follow_open(at->bus, &unknown, 1, BUS_ALL, &follow, &at->err),
                     STATUS_NOT_FOUND);
    assert_int_equal(at->err.protocol_code, 10059);
    struct bus_source invalid = {"S", BYTES("a..b"), 1};
    assert_int_equal(at->does->follow_open(at->bus, &invalid, 1, BUS_ALL, &follow, &at->err),
                     STATUS_INVALID);
    assert_int_equal(at->does->follow_open(at->bus, &invalid, BUS_FOLLOW_SOURCES_MAX + 1, BUS_ALL,
                                           &follow, &at->err),
                     STATUS_LIMIT);
    assert_null(follow);
}

static void what_no_subject_of_the_stream_matches_gives_nothing(void **state)
{
    struct fixture *at = *state;
    size_t source;
    create(at, plain);
    put(at, "s.a", "1");
    struct bus_source other = {"S", BYTES("t.>"), 1};
    struct bus_follow *one = follow(at, &other, 1);
    struct collected list = {.at = at};
    struct bus_get filter = {.subject = BYTES("t.*"), .part = BUS_ALL};
    put(at, "s.a", "2");
    assert_int_equal(next(at, one, 1, &source), STATUS_TIMEOUT);
    must(at, at->does->last_each(at->bus, "S", &filter, collect_message, &list, &at->err));
    must(at, at->does->subjects(at->bus, "S", BYTES("t.>"), collect_name, &list, &at->err));
    assert_string_equal(list.text, "");
    bus_follow_close(one);
}

static void a_follow_ends_when_its_stream_is_deleted(void **state)
{
    struct fixture *at = *state;
    size_t source;
    create(at, plain);
    struct bus_source all = {"S", BYTES(""), 1};
    struct bus_follow *one = follow(at, &all, 1);
    must(at, at->does->stream_delete(at->bus, "S", &at->err));
    assert_int_equal(next(at, one, WAIT_MS, &source), STATUS_NOT_FOUND);
    assert_int_equal(at->err.protocol_code, 10059);
    bus_follow_close(one);
}

static void messages_expire_and_streams_stay_after_reopening(void **state)
{
    struct fixture *at = *state;
    create(at, "{\"name\":\"S\",\"subjects\":[\"s.>\"],\"max_msgs\":3}");
    for (int i = 0; i < 5; i++)
        put(at, "s.a", "x");
    bus_close(at->bus);
    at->bus = open_bus(at);
    assert_int_equal(state_of(at).messages, 3);
    expect_gone(at, 2);
    expect_body(at, 3, "x");
    assert_int_equal(put(at, "s.a", "y"), 6);
}

int conformance_run(const struct conformance_bus *implementation)
{
    const struct CMUnitTest tests[] = {
        CASE(facts_say_what_the_bus_is),
        CASE(a_publish_is_acknowledged_and_read_back_as_it_was),
        CASE(bytes_of_any_kind_and_none_come_back),
        CASE(the_largest_body_is_taken_and_a_larger_message_refused),
        CASE(a_subject_that_no_stream_listens_to_is_refused),
        CASE(a_message_id_that_was_seen_is_a_duplicate),
        CASE(a_failed_expectation_is_a_conflict_with_its_code),
        CASE(a_message_is_found_by_sequence_subject_or_both),
        CASE(the_head_alone_has_no_body),
        CASE(a_range_is_cut_at_the_bodys_end),
        CASE(an_unknown_stream_is_told_from_an_unknown_message),
        CASE(the_last_of_each_subject_comes_in_order_of_sequence),
        CASE(subjects_come_in_byte_order_with_their_counts),
        CASE(visitors_may_call_the_bus),
        CASE(a_deleted_message_is_gone_and_an_erased_one_too),
        CASE(a_stream_is_created_once_updated_listed_and_deleted),
        CASE(a_purge_takes_what_it_is_told_to),
        CASE(a_follow_gives_what_was_there_first_and_then_what_comes),
        CASE(several_sources_are_followed_each_in_its_order),
        CASE(what_cannot_be_followed_is_refused),
        CASE(what_no_subject_of_the_stream_matches_gives_nothing),
        CASE(a_follow_ends_when_its_stream_is_deleted),
        CASE(messages_expire_and_streams_stay_after_reopening),
    };
    return cmocka_run_group_tests_name(implementation->name, tests, NULL, NULL);
}
