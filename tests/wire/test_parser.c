// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "wire/parser.h"

enum {
    LINE_MAX_BYTES = 64,
    LINE_EXTRA_BYTES = 10, // the longest operation, a blank, the line's end
    PAYLOAD_MAX = 1000,
    TRANSCRIPT_MAX = 1 << 20,
};

static struct parser new_parser(void)
{
    struct parser parser;
    struct parser_limits limits = {LINE_MAX_BYTES, PAYLOAD_MAX};
    parser_init(&parser, &limits);
    return parser;
}

static enum parser_result next(const char *text, struct parser_op *op)
{
    struct parser parser = new_parser();
    struct bytes input = bytes_of_string(text);
    enum parser_result result = parser_next(&parser, &input, op);
    if (result == PARSER_OP)
        assert_int_equal(input.size, 0);
    return result;
}

static struct parser_op only_op(const char *text, enum parser_kind kind)
{
    struct parser_op op;
    assert_int_equal(next(text, &op), PARSER_OP);
    assert_int_equal(op.kind, kind);
    return op;
}

static void assert_bytes(struct bytes text, const char *expected)
{
    assert_int_equal(text.size, strlen(expected));
    assert_memory_equal(text.data, expected, text.size);
}

// error may be NULL: the connection ends without a word.
static void assert_fails(const char *text, const char *error)
{
    struct parser_op op;
    assert_int_equal(next(text, &op), PARSER_ERROR);
    assert_non_null(op.reason);
    if (error == NULL)
        assert_null(op.error);
    else
        assert_string_equal(op.error, error);
}

static void a_publish_has_its_subject_and_body(void **state)
{
    (void)state;
    struct parser_op op = only_op("PUB a.b 5\r\nhello\r\n", PARSER_PUB);
    assert_bytes(op.subject, "a.b");
    assert_bytes(op.reply, "");
    assert_bytes(op.headers, "");
    assert_bytes(op.body, "hello");
    assert_false(op.has_headers);
}

static void a_publish_may_have_a_reply_and_an_empty_body(void **state)
{
    (void)state;
    struct parser_op op = only_op("PUB a.b  _INBOX.1\t 0\r\n\r\n", PARSER_PUB);
    assert_bytes(op.subject, "a.b");
    assert_bytes(op.reply, "_INBOX.1");
    assert_bytes(op.body, "");
}

static void a_publish_with_headers_is_cut_where_they_end(void **state)
{
    (void)state;
    struct parser_op op = only_op("HPUB a r 12 14\r\nNATS/1.0\r\n\r\nok\r\n", PARSER_PUB);
    assert_true(op.has_headers);
    assert_bytes(op.reply, "r");
    assert_bytes(op.headers, "NATS/1.0\r\n\r\n");
    assert_bytes(op.body, "ok");
}

static void a_body_may_hold_line_ends(void **state)
{
    (void)state;
    struct parser_op op = only_op("PUB a 10\r\n\r\nPING\r\n\r\n\r\n", PARSER_PUB);
    assert_bytes(op.body, "\r\nPING\r\n\r\n");
}

static void subscribing_takes_a_queue_or_none(void **state)
{
    (void)state;
    struct parser_op op = only_op("SUB a.* 17\r\n", PARSER_SUB);
    assert_bytes(op.subject, "a.*");
    assert_bytes(op.queue, "");
    assert_bytes(op.sid, "17");
    op = only_op("sub a.> workers x9 \r\n", PARSER_SUB);
    assert_bytes(op.subject, "a.>");
    assert_bytes(op.queue, "workers");
    assert_bytes(op.sid, "x9");
}

static void unsubscribing_takes_a_maximum_or_none(void **state)
{
    (void)state;
    struct parser_op op = only_op("UNSUB 17\r\n", PARSER_UNSUB);
    assert_bytes(op.sid, "17");
    assert_int_equal(op.max, 0);
    assert_int_equal(only_op("UNSUB 17 5\r\n", PARSER_UNSUB).max, 5);
}

static void a_maximum_that_is_no_number_ends_the_subscription_now(void **state)
{
    (void)state;
    assert_int_equal(only_op("UNSUB 1 x\r\n", PARSER_UNSUB).max, 0);
    assert_int_equal(only_op("UNSUB 1 12345678901\r\n", PARSER_UNSUB).max, 0);
}

static void connect_gives_its_json(void **state)
{
    (void)state;
    assert_bytes(only_op("CONNECT {\"echo\":true}\r\n", PARSER_CONNECT).json, "{\"echo\":true}");
    assert_bytes(only_op("connect{}\n", PARSER_CONNECT).json, "{}");
    assert_bytes(only_op("CONNECT\r\n", PARSER_CONNECT).json, "");
    assert_bytes(only_op("INFO {}\r\n", PARSER_INFO).json, "{}");
}

static void short_operations_take_any_letter_case_and_ignore_what_follows(void **state)
{
    (void)state;
    only_op("PING\r\n", PARSER_PING);
    only_op("ping\n", PARSER_PING);
    only_op("Ping pong\r\n", PARSER_PING);
    only_op("PONG\r\n", PARSER_PONG);
    only_op("+ok\r\n", PARSER_OK);
    assert_bytes(only_op("-ERR 'x'\r\n", PARSER_ERR).body, "'x'");
}

static void several_operations_come_one_after_the_other(void **state)
{
    (void)state;
    struct parser parser = new_parser();
    struct bytes input = BYTES("PING\r\nPUB a 1\r\nx\r\nPONG\r\nPI");
    struct parser_op op;
    assert_int_equal(parser_next(&parser, &input, &op), PARSER_OP);
    assert_int_equal(op.kind, PARSER_PING);
    assert_int_equal(parser_next(&parser, &input, &op), PARSER_OP);
    assert_bytes(op.body, "x");
    assert_int_equal(parser_next(&parser, &input, &op), PARSER_OP);
    assert_int_equal(op.kind, PARSER_PONG);
    assert_int_equal(parser_next(&parser, &input, &op), PARSER_MORE);
    assert_bytes(input, "PI");
    assert_int_equal(parser_wanted(&parser), 3);
}

static void what_a_client_never_sends_is_an_unknown_operation(void **state)
{
    (void)state;
    const char *const texts[] = {"\r\n",          "\n",          "FOO\r\n",  " PING\r\n",
                                 "MSG a 1 2\r\n", "RS+ a b\r\n", "PUB\r\n",  "PUBx a 0\r\n",
                                 "SUB\r\n",       "UNSUB\r\n",   "-ERR\r\n", "HPUB:a 0\r\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_fails(texts[i], "Unknown Protocol Operation");
}

static void an_unknown_operation_is_told_before_its_line_ends(void **state)
{
    (void)state;
    assert_fails("X", "Unknown Protocol Operation");
    assert_fails("PX", "Unknown Protocol Operation");
    assert_fails("PUB\r", "Unknown Protocol Operation");
}

static void wrong_arguments_end_the_connection_without_a_word(void **state)
{
    (void)state;
    const char *const texts[] = {
        "PUB \r\n",
        "PUB a\r\n",
        "PUB a b c 0\r\n\r\n",
        "PUB a b c d e f 0\r\n\r\n",
        "PUB a x\r\n",
        "PUB a -1\r\n",
        "PUB a +1\r\n",
        "PUB a 0000000000\r\n\r\n",
        "HPUB a 3\r\nabc\r\n",
        "HPUB a 5 3\r\nabc\r\n",
        "HPUB a x 3\r\nabc\r\n",
        "HPUB a b c 1 3\r\nabc\r\n",
        "SUB a\r\n",
        "SUB a b c d\r\n",
        "UNSUB 1 2 3\r\n",
        "UNSUB \r\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_fails(texts[i], NULL);
}

static void a_carriage_return_within_a_line_is_refused(void **state)
{
    (void)state;
    assert_fails("SUB a\rb 1\r\n", NULL);
    assert_fails("PUB a\rb 0\r\n\r\n", NULL);
    assert_fails("SUB a 1\r\r\n", NULL);
}

static void a_payload_must_end_where_its_size_says(void **state)
{
    (void)state;
    assert_fails("PUB a 2\r\nabc\r\n", "Unknown Protocol Operation");
    assert_fails("PUB a 2\r\nab\n\n", "Unknown Protocol Operation");
    assert_fails("PUB a 4\r\nab\r\nPING\r\n", "Unknown Protocol Operation");
}

static void a_payload_over_the_maximum_is_refused_before_it_comes(void **state)
{
    (void)state;
    struct parser_op op;
    assert_int_equal(next("PUB a 1000\r\n", &op), PARSER_MORE);
    assert_fails("PUB a 1001\r\n", "Maximum Payload Violation");
    assert_fails("HPUB a 12 999999999\r\n", "Maximum Payload Violation");
}

// "SUB " and so many letters, and " 1".
static void put_long_sub(struct buf *out, size_t arguments_bytes)
{
    buf_append_string(out, "SUB ");
    for (size_t i = 0; i < arguments_bytes - 2; i++)
        buf_append_byte(out, 'a');
    buf_append_string(out, " 1");
}

static void a_line_over_the_maximum_is_refused(void **state)
{
    (void)state;
    struct buf text;
    buf_init(&text, 4096);
    put_long_sub(&text, LINE_MAX_BYTES);
    buf_append_string(&text, "\r\n");
    only_op(buf_string(&text), PARSER_SUB);
    buf_clear(&text);
    put_long_sub(&text, LINE_MAX_BYTES + 1);
    buf_append_string(&text, "\r\n");
    assert_fails(buf_string(&text), "maximum control line exceeded");
    buf_fini(&text);
}

static void a_line_without_an_end_is_refused_at_the_maximum(void **state)
{
    (void)state;
    const char *const beginnings[] = {"SUB a", "PING ", "CONNECT ", "PUB      "};
    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++) {
        struct buf text;
        buf_init(&text, 4096);
        buf_append_string(&text, beginnings[i]);
        while (text.size < LINE_MAX_BYTES + LINE_EXTRA_BYTES - 1)
            buf_append_byte(&text, ' ');
        struct parser_op op;
        assert_int_equal(next(buf_string(&text), &op), PARSER_MORE);
        buf_append_byte(&text, ' ');
        assert_fails(buf_string(&text), "maximum control line exceeded");
        buf_fini(&text);
    }
}

static void the_parser_wants_all_of_a_payload_whose_line_has_come(void **state)
{
    (void)state;
    struct parser parser = new_parser();
    struct bytes input = BYTES("PUB a 900\r\nthe first bytes");
    struct parser_op op;
    assert_int_equal(parser_next(&parser, &input, &op), PARSER_MORE);
    assert_int_equal(parser_wanted(&parser), 11 + 900 + 2);
    assert_int_equal(parser_next(&parser, &input, &op), PARSER_MORE);
    assert_int_equal(parser_wanted(&parser), 11 + 900 + 2);
}

// Every operation and the final error as text, fed so that the bytes end at `cut` first. The bytes
// of each feed lie in memory of their own, so that reading beyond them is found out.
static void put_op(struct buf *out, const struct parser_op *op)
{
    const struct bytes views[] = {op->subject, op->reply, op->queue, op->sid,
                                  op->headers, op->body,  op->json};
    buf_printf(out, "%d %d %d", (int)op->kind, op->has_headers, (int)op->max);
    for (size_t i = 0; i < sizeof views / sizeof views[0]; i++) {
        buf_append_byte(out, '|');
        buf_append(out, views[i]);
    }
    buf_append_byte(out, '\n');
}

static enum parser_result feed(struct parser *parser, struct bytes *input, struct buf *out)
{
    struct parser_op op;
    for (;;) {
        enum parser_result result = parser_next(parser, input, &op);
        if (result == PARSER_MORE)
            return result;
        if (result == PARSER_ERROR) {
            buf_printf(out, "error %s: %s\n", op.error == NULL ? "-" : op.error, op.reason);
            return result;
        }
        put_op(out, &op);
    }
}

static void transcribe(struct bytes text, size_t cut, struct buf *out)
{
    struct parser parser = new_parser();
    char *first = malloc(cut + 1);
    assert_non_null(first);
    memcpy(first, text.data, cut);
    struct bytes input = bytes_of(first, cut);
    enum parser_result result = feed(&parser, &input, out);
    if (result == PARSER_MORE) {
        struct bytes rest = bytes_from(text, cut - input.size);
        assert_true(parser_wanted(&parser) > input.size);
        result = feed(&parser, &rest, out);
    }
    buf_printf(out, "end %d\n", (int)result);
    free(first);
}

static const char session[] = "CONNECT {\"verbose\":false}\r\nPING\r\nSUB a.> 1\r\nsub b q 2\n"
                              "PUB a.b 5\r\nhello\r\nHPUB a.b r 12 14\r\nNATS/1.0\r\n\r\nok\r\n"
                              "PONG\r\n+OK\r\nUNSUB 1 5\r\n-ERR 'x'\r\nINFO {}\r\nPUB c 0\r\n\r\n";

static void input_cut_at_any_byte_gives_the_same_operations(void **state)
{
    (void)state;
    static const char *const ends[] = {
        "PING\r\n",      "XING\r\n",           "PUB a 5\r\nhellooo\r\n", "PUB a 5000\r\n",
        "SUB a b c d e", "PUB a b c d 1\r\nx", "SUB a\rb 1\r\n",         "\r\n",
    };
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        struct buf text, whole, parts;
        buf_init(&text, TRANSCRIPT_MAX);
        buf_init(&whole, TRANSCRIPT_MAX);
        buf_init(&parts, TRANSCRIPT_MAX);
        buf_append_string(&text, session);
        buf_append_string(&text, ends[i]);
        transcribe(buf_bytes(&text), text.size, &whole);
        for (size_t cut = 0; cut < text.size; cut++) {
            buf_clear(&parts);
            transcribe(buf_bytes(&text), cut, &parts);
            assert_string_equal(buf_string(&parts), buf_string(&whole));
        }
        buf_fini(&text);
        buf_fini(&whole);
        buf_fini(&parts);
    }
}

static void input_that_comes_byte_by_byte_gives_the_same_operations(void **state)
{
    (void)state;
    struct bytes text = bytes_of_string(session);
    struct parser parser = new_parser();
    struct buf whole, parts;
    buf_init(&whole, TRANSCRIPT_MAX);
    buf_init(&parts, TRANSCRIPT_MAX);
    transcribe(text, text.size, &whole);
    size_t from = 0;
    for (size_t end = 1; end <= text.size; end++) {
        struct bytes input = bytes_slice(text, from, end - from);
        assert_int_equal(feed(&parser, &input, &parts), PARSER_MORE);
        from = end - input.size;
    }
    buf_printf(&parts, "end %d\n", (int)PARSER_MORE);
    assert_string_equal(buf_string(&parts), buf_string(&whole));
    buf_fini(&whole);
    buf_fini(&parts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_publish_has_its_subject_and_body),
        cmocka_unit_test(a_publish_may_have_a_reply_and_an_empty_body),
        cmocka_unit_test(a_publish_with_headers_is_cut_where_they_end),
        cmocka_unit_test(a_body_may_hold_line_ends),
        cmocka_unit_test(subscribing_takes_a_queue_or_none),
        cmocka_unit_test(unsubscribing_takes_a_maximum_or_none),
        cmocka_unit_test(a_maximum_that_is_no_number_ends_the_subscription_now),
        cmocka_unit_test(connect_gives_its_json),
        cmocka_unit_test(short_operations_take_any_letter_case_and_ignore_what_follows),
        cmocka_unit_test(several_operations_come_one_after_the_other),
        cmocka_unit_test(what_a_client_never_sends_is_an_unknown_operation),
        cmocka_unit_test(an_unknown_operation_is_told_before_its_line_ends),
        cmocka_unit_test(wrong_arguments_end_the_connection_without_a_word),
        cmocka_unit_test(a_carriage_return_within_a_line_is_refused),
        cmocka_unit_test(a_payload_must_end_where_its_size_says),
        cmocka_unit_test(a_payload_over_the_maximum_is_refused_before_it_comes),
        cmocka_unit_test(a_line_over_the_maximum_is_refused),
        cmocka_unit_test(a_line_without_an_end_is_refused_at_the_maximum),
        cmocka_unit_test(the_parser_wants_all_of_a_payload_whose_line_has_come),
        cmocka_unit_test(input_cut_at_any_byte_gives_the_same_operations),
        cmocka_unit_test(input_that_comes_byte_by_byte_gives_the_same_operations),
    };
    return cmocka_run_group_tests_name("parser", tests, NULL, NULL);
}
