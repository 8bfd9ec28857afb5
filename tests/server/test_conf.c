// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/conf.h"

#include <string.h>

// Files and environment of a test: pairs of name and content, ended by NULL.
struct outside {
    const char *files[17];
    const char *variables[17];
};

static enum status include(void *context, const char *path, struct buf *text, struct errinfo *err)
{
    const struct outside *outside = context;
    for (size_t i = 0; outside->files[i] != NULL; i += 2) {
        if (strcmp(outside->files[i], path) == 0) {
            buf_append_string(text, outside->files[i + 1]);
            return STATUS_OK;
        }
    }
    return errinfo_set(err, STATUS_NOT_FOUND, "no such file");
}

static bool environment(void *context, const char *name, struct bytes *value)
{
    const struct outside *outside = context;
    for (size_t i = 0; outside->variables[i] != NULL; i += 2) {
        if (strcmp(outside->variables[i], name) == 0) {
            *value = bytes_of_string(outside->variables[i + 1]);
            return true;
        }
    }
    return false;
}

static enum status parse_with(const char *text, const struct outside *outside, struct conf *conf,
                              struct errinfo *err)
{
    struct conf_input input = {.text = bytes_of_string(text),
                               .file = "etc/main.conf",
                               .context = (void *)(uintptr_t)outside,
                               .include = include,
                               .environment = environment};
    return conf_parse(&input, conf, err);
}

static const struct outside nothing;

static void parse(const char *text, struct conf *conf)
{
    struct errinfo err = {0};
    enum status status = parse_with(text, &nothing, conf, &err);
    if (status != STATUS_OK)
        print_message("%s\n", err.text);
    assert_int_equal(status, STATUS_OK);
}

static void assert_refused(const char *text, const char *expected)
{
    struct conf conf;
    struct errinfo err = {0};
    assert_int_equal(parse_with(text, &nothing, &conf, &err), STATUS_INVALID);
    assert_string_equal(err.text, expected);
}

static const struct conf_value *at(const struct conf_value *block, const char *key)
{
    const struct conf_value *value = conf_find(block, bytes_of_string(key));
    assert_non_null(value);
    return value;
}

static void assert_text(const struct conf_value *block, const char *key, const char *expected)
{
    const struct conf_value *value = at(block, key);
    assert_int_equal(value->type, CONF_STRING);
    assert_string_equal(value->is.text.data, expected);
    assert_int_equal(value->is.text.size, strlen(expected));
}

static void assert_integer(const struct conf_value *block, const char *key, int64_t expected)
{
    const struct conf_value *value = at(block, key);
    assert_int_equal(value->type, CONF_INTEGER);
    assert_true(value->is.integer == expected);
}

static void a_key_and_its_value_may_be_separated_in_three_ways(void **state)
{
    (void)state;
    struct conf conf;
    parse("a: 1\nb = 2\nc 3\nd:4\n'e f'=5\n\"g\" : 6", &conf);
    assert_int_equal(conf.root.is.list.count, 6);
    assert_integer(&conf.root, "a", 1);
    assert_integer(&conf.root, "b", 2);
    assert_integer(&conf.root, "c", 3);
    assert_integer(&conf.root, "d", 4);
    assert_integer(&conf.root, "e f", 5);
    assert_integer(&conf.root, "g", 6);
    conf_fini(&conf);
}

static void entries_end_at_line_ends_commas_and_semicolons(void **state)
{
    (void)state;
    struct conf conf;
    parse("a 1; b 2, c 3\r\nd { e 4; f 5, g 6\n h 7, }\ni [ 1, 2\n 3,\n ]", &conf);
    assert_int_equal(conf.root.is.list.count, 5);
    assert_int_equal(at(&conf.root, "d")->is.list.count, 4);
    assert_int_equal(at(&conf.root, "i")->is.list.count, 3);
    assert_refused("a { b 1 c 2 }",
                   "etc/main.conf:1:9: expected a comma, a line end or } behind the value");
    assert_refused("a [ 1 2 ]",
                   "etc/main.conf:1:7: expected a comma, a line end or ] behind the value");
    conf_fini(&conf);
}

static void comments_stand_wherever_an_entry_may_begin_or_end(void **state)
{
    (void)state;
    struct conf conf;
    parse("# one\n// two\na 1 # three\nb { # four\n c 2 // five\n} // six\n"
          "d [ # seven\n 1 # eight\n // nine\n 2 ] # ten\nurl nats://h:1#x # eleven",
          &conf);
    assert_integer(&conf.root, "a", 1);
    assert_integer(at(&conf.root, "b"), "c", 2);
    assert_int_equal(at(&conf.root, "d")->is.list.count, 2);
    assert_text(&conf.root, "url", "nats://h:1#x");
    conf_fini(&conf);
}

static void integers_take_suffixes_of_1000_and_of_1024(void **state)
{
    (void)state;
    struct conf conf;
    parse("a 8k, b 8kb, c 8Ki, d 8KiB, e 1m, f 1MB, g 2g, h 2gib, i 1t, j 1tb, k 1p, l 1pb, m 1e,"
          "n 1eb, o -5k, p -0, q 9223372036854775807",
          &conf);
    assert_integer(&conf.root, "a", 8000);
    assert_integer(&conf.root, "b", 8192);
    assert_integer(&conf.root, "c", 8192);
    assert_integer(&conf.root, "d", 8192);
    assert_integer(&conf.root, "e", 1000000);
    assert_integer(&conf.root, "f", 1048576);
    assert_integer(&conf.root, "g", 2000000000);
    assert_integer(&conf.root, "h", INT64_C(2147483648));
    assert_integer(&conf.root, "i", INT64_C(1000000000000));
    assert_integer(&conf.root, "j", INT64_C(1099511627776));
    assert_integer(&conf.root, "k", INT64_C(1000000000000000));
    assert_integer(&conf.root, "l", INT64_C(1125899906842624));
    assert_integer(&conf.root, "m", INT64_C(1000000000000000000));
    assert_integer(&conf.root, "n", INT64_C(1152921504606846976));
    assert_integer(&conf.root, "o", -5000);
    assert_integer(&conf.root, "p", 0);
    assert_integer(&conf.root, "q", INT64_MAX);
    assert_refused("a 9223372036854775808",
                   "etc/main.conf:1:3: \"9223372036854775808\" is out of range");
    assert_refused("\n  a: 16eb", "etc/main.conf:2:6: \"16eb\" is out of range");
    conf_fini(&conf);
}

static void words_are_booleans_numbers_dates_or_strings(void **state)
{
    (void)state;
    struct conf conf;
    parse(
        "a yes, b OFF, c 1.5, d -0.25, e 2016-05-04T18:53:41Z, f 127.0.0.1:4222, g 1.2.3, h 2m30s,"
        "i 10x, j true-ish, k 1970-01-01T00:00:00Z, l 2024-02-29T23:59:59Z, m /var/log/x",
        &conf);
    assert_true(at(&conf.root, "a")->type == CONF_BOOL && at(&conf.root, "a")->is.truth);
    assert_true(at(&conf.root, "b")->type == CONF_BOOL && !at(&conf.root, "b")->is.truth);
    assert_true(at(&conf.root, "c")->type == CONF_NUMBER && at(&conf.root, "c")->is.number == 1.5);
    assert_true(at(&conf.root, "d")->is.number == -0.25);
    assert_int_equal(at(&conf.root, "e")->type, CONF_DATE);
    assert_true(at(&conf.root, "e")->is.time_s == 1462388021);
    assert_text(&conf.root, "f", "127.0.0.1:4222");
    assert_text(&conf.root, "g", "1.2.3");
    assert_text(&conf.root, "h", "2m30s");
    assert_text(&conf.root, "i", "10x");
    assert_text(&conf.root, "j", "true-ish");
    assert_true(at(&conf.root, "k")->is.time_s == 0);
    assert_true(at(&conf.root, "l")->is.time_s == 1709251199);
    assert_text(&conf.root, "m", "/var/log/x");
    assert_refused("a 2023-02-29T00:00:00Z",
                   "etc/main.conf:1:3: \"2023-02-29T00:00:00Z\" is out of range");
    conf_fini(&conf);
}

static void strings_have_escapes_in_double_quotes_and_words_and_none_in_single_quotes(void **state)
{
    (void)state;
    struct conf conf;
    parse("a \"x\\t\\\"y\\\\ \\x41\\n\", b '\\t\"', c x\\x20y, d \"\", e '', f \"1\", g 'true'",
          &conf);
    assert_text(&conf.root, "a", "x\t\"y\\ A\n");
    assert_text(&conf.root, "b", "\\t\"");
    assert_text(&conf.root, "c", "x y");
    assert_text(&conf.root, "d", "");
    assert_text(&conf.root, "e", "");
    assert_text(&conf.root, "f", "1");
    assert_text(&conf.root, "g", "true");
    assert_refused("a \"\\q\"",
                   "etc/main.conf:1:5: unknown escape: \\xHH (not 00), \\t, \\n, \\r, \\\" and "
                   "\\\\ are known; single quotes take a backslash as it is");
    assert_refused("a \"b\n", "etc/main.conf:1:4: this quote is never closed");
    assert_refused("a 'b\n", "etc/main.conf:1:3: this quote is never closed");
    conf_fini(&conf);
}

static void a_block_string_ends_at_a_line_with_nothing_but_its_parenthesis(void **state)
{
    (void)state;
    struct conf conf;
    parse("a (\n one ) two\n  # no comment\n)\nb: (x\n)", &conf);
    assert_text(&conf.root, "a", "\n one ) two\n  # no comment\n");
    assert_text(&conf.root, "b", "x\n");
    assert_refused("a (\nb\n", "etc/main.conf:1:3: this block string is never closed by a line "
                               "with nothing but )");
    conf_fini(&conf);
}

static void blocks_and_arrays_hold_each_other(void **state)
{
    (void)state;
    struct conf conf;
    parse("a { b { c [ {d 1}, [2, {e 3}] ] } }", &conf);
    const struct conf_value *c = at(at(at(&conf.root, "a"), "b"), "c");
    assert_int_equal(c->is.list.count, 2);
    assert_integer(c->is.list.first, "d", 1);
    const struct conf_value *inner = c->is.list.first->next;
    assert_int_equal(inner->type, CONF_ARRAY);
    assert_integer(inner->is.list.first->next, "e", 3);
    conf_fini(&conf);
}

static void a_file_in_json_is_a_configuration(void **state)
{
    (void)state;
    struct conf conf;
    parse("{\n  \"port\": 4222,\n  \"users\": [{\"user\": \"a\"}],\n  \"x\": {\"y\":\n true}\n}\n",
          &conf);
    assert_integer(&conf.root, "port", 4222);
    assert_text(at(&conf.root, "users")->is.list.first, "user", "a");
    assert_true(at(at(&conf.root, "x"), "y")->is.truth);
    assert_refused("{ a 1", "etc/main.conf:1:1: this brace is never closed");
    assert_refused("a 1 }", "etc/main.conf:1:5: this brace closes nothing");
    conf_fini(&conf);
}

static void a_key_given_twice_counts_as_given_last(void **state)
{
    (void)state;
    struct conf conf;
    parse("a 1\nb 2\na 3", &conf);
    assert_int_equal(conf.root.is.list.count, 2);
    assert_integer(&conf.root, "a", 3);
    assert_integer(&conf.root, "b", 2);
    conf_fini(&conf);
}

static void a_variable_is_the_innermost_entry_of_its_name(void **state)
{
    (void)state;
    struct conf conf;
    parse("x 1\na $x\nb { x 2\n c { d $x } }\ne [ $x ]\nl { m 9 }\nn $l", &conf);
    assert_integer(&conf.root, "a", 1);
    assert_integer(at(at(&conf.root, "b"), "c"), "d", 2);
    assert_int_equal(at(&conf.root, "e")->is.list.first->is.integer, 1);
    assert_integer(at(&conf.root, "n"), "m", 9);
    assert_true(at(&conf.root, "x")->used);
    assert_false(at(&conf.root, "a")->used);
    assert_int_equal(at(&conf.root, "a")->place.line, 2);
    conf_fini(&conf);
}

static void a_variable_of_the_environment_is_read_as_a_value(void **state)
{
    (void)state;
    static const struct outside outside = {
        .variables = {"PORT", "4223", "LIST", "[1, $PORT]", "NAME", "x y", "LOOP", "$LOOP", NULL}};
    struct conf conf;
    struct errinfo err = {0};
    assert_int_equal(parse_with("a $PORT\nb $LIST\nc [ $PORT ]", &outside, &conf, &err), STATUS_OK);
    assert_integer(&conf.root, "a", 4223);
    assert_int_equal(at(&conf.root, "b")->is.list.first->next->is.integer, 4223);
    conf_fini(&conf);
    assert_int_equal(parse_with("a $NAME", &outside, &conf, &err), STATUS_INVALID);
    assert_string_equal(err.text, "$NAME:1:9: expected a comma, a line end or } behind the value");
    assert_int_equal(parse_with("a $LOOP", &outside, &conf, &err), STATUS_INVALID);
    assert_string_equal(err.text, "$LOOP:1:7: the variable \"LOOP\" refers to itself");
    assert_refused("a: $NONE", "etc/main.conf:1:4: the variable \"NONE\" is neither in a block "
                               "around it nor in the environment");
}

static void a_bcrypt_digest_needs_no_quotes(void **state)
{
    (void)state;
    struct conf conf;
    parse("a: $2a$11$W2zko751KUvVy59mUTWmpOdWjpEm5qhcCZRd05GjI/sSOT.xtiHyG, b: $2b$x", &conf);
    assert_text(&conf.root, "a", "$2a$11$W2zko751KUvVy59mUTWmpOdWjpEm5qhcCZRd05GjI/sSOT.xtiHyG");
    assert_text(&conf.root, "b", "$2b$x");
    conf_fini(&conf);
}

static void an_include_is_found_beside_the_file_that_names_it(void **state)
{
    (void)state;
    static const struct outside outside = {
        .files = {"etc/sub/users.conf", "users [ {user a} ]\ninclude 'more.conf'", //
                  "etc/sub/more.conf", "x 5; y $x", "/abs.conf", "z 6", NULL}};
    struct conf conf;
    struct errinfo err = {0};
    const char *text = "auth { include ./sub/users.conf }\nx 1\ninclude \"/abs.conf\"; include: 7";
    assert_int_equal(parse_with(text, &outside, &conf, &err), STATUS_OK);
    const struct conf_value *auth = at(&conf.root, "auth");
    assert_int_equal(at(auth, "users")->is.list.count, 1);
    assert_string_equal(at(auth, "users")->place.file, "etc/sub/users.conf");
    assert_integer(auth, "y", 5);
    assert_integer(&conf.root, "x", 1);
    assert_integer(&conf.root, "z", 6);
    assert_integer(&conf.root, "include", 7);
    conf_fini(&conf);
}

static void an_include_that_fails_says_where_it_was_asked_for(void **state)
{
    (void)state;
    static const struct outside outside = {
        .files = {"etc/a.conf", "include b.conf", "etc/b.conf", "include a.conf", //
                  "etc/open.conf", "a {", "etc/close.conf", "a 1 }", NULL}};
    struct conf conf;
    struct errinfo err = {0};
    assert_int_equal(parse_with("include none.conf", &outside, &conf, &err), STATUS_NOT_FOUND);
    assert_string_equal(err.text, "etc/main.conf:1:1: include \"none.conf\": no such file");
    assert_int_equal(parse_with("include a.conf", &outside, &conf, &err), STATUS_INVALID);
    assert_string_equal(err.text, "etc/b.conf:1:1: \"a.conf\" includes itself");
    assert_int_equal(parse_with("include main.conf", &outside, &conf, &err), STATUS_INVALID);
    assert_int_equal(parse_with("include open.conf\n}", &outside, &conf, &err), STATUS_INVALID);
    assert_string_equal(err.text, "etc/open.conf:1:3: this block is never closed");
    assert_int_equal(parse_with("b { include close.conf", &outside, &conf, &err), STATUS_INVALID);
    assert_string_equal(err.text, "etc/close.conf:1:5: this brace closes nothing");
}

static void what_is_malformed_is_refused_with_its_place(void **state)
{
    (void)state;
    assert_refused("a", "etc/main.conf:1:2: expected a value");
    assert_refused("a:\nb: 1", "etc/main.conf:1:3: expected a value");
    assert_refused(": 1", "etc/main.conf:1:1: expected a key, but found \":\"");
    assert_refused("a {\n b 1\n", "etc/main.conf:1:3: this block is never closed");
    assert_refused("a [\n 1\n", "etc/main.conf:1:3: this array is never closed");
    assert_refused("a [ , ]", "etc/main.conf:1:5: expected a value");
    assert_refused("a { b ] }", "etc/main.conf:1:7: expected a value");
    assert_refused("a it's",
                   "etc/main.conf:1:3: \"it's\" has a quote inside: put all of it into double "
                   "quotes");
}

static void a_nul_byte_is_refused(void **state)
{
    (void)state;
    struct conf conf;
    struct errinfo err = {0};
    struct conf_input input = {.text = BYTES("a 1\0b 2"), .file = "f"};
    assert_int_equal(conf_parse(&input, &conf, &err), STATUS_INVALID);
    assert_string_equal(err.text, "f: a configuration has no NUL byte");
}

static void nesting_is_bounded(void **state)
{
    (void)state;
    struct conf conf;
    struct errinfo err = {0};
    struct buf text;
    buf_init(&text, 1 << 20);
    buf_append_string(&text, "a ");
    for (int i = 0; i < CONF_DEPTH_MAX; i++)
        buf_append_byte(&text, '[');
    size_t opened = text.size;
    for (int i = 0; i < CONF_DEPTH_MAX; i++)
        buf_append_byte(&text, ']');
    struct conf_input input = {.text = buf_bytes(&text), .file = "f"};
    assert_int_equal(conf_parse(&input, &conf, &err), STATUS_OK);
    conf_fini(&conf);
    text.size = opened;
    for (int i = 0; i < 100000; i++)
        buf_append_byte(&text, '[');
    input.text = buf_bytes(&text);
    assert_int_equal(conf_parse(&input, &conf, &err), STATUS_INVALID);
    assert_string_equal(err.text, "f:1:67: blocks and arrays are nested too deep");
    buf_fini(&text);
}

static void variables_cannot_blow_up_a_few_lines_to_millions_of_values(void **state)
{
    (void)state;
    struct conf conf;
    struct errinfo err = {0};
    struct buf text;
    buf_init(&text, 1 << 20);
    buf_append_string(&text, "v0 [1,1,1,1,1,1,1,1,1,1]\n");
    for (int i = 1; i < 10; i++)
        buf_printf(&text, "v%d [$v%d,$v%d,$v%d,$v%d,$v%d,$v%d,$v%d,$v%d]\n", i, i - 1, i - 1, i - 1,
                   i - 1, i - 1, i - 1, i - 1, i - 1);
    struct conf_input input = {.text = buf_bytes(&text), .file = "f"};
    assert_int_equal(conf_parse(&input, &conf, &err), STATUS_LIMIT);
    assert_non_null(strstr(err.text, "the configuration holds more than 1000000 values"));
    buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_and_its_value_may_be_separated_in_three_ways),
        cmocka_unit_test(entries_end_at_line_ends_commas_and_semicolons),
        cmocka_unit_test(comments_stand_wherever_an_entry_may_begin_or_end),
        cmocka_unit_test(integers_take_suffixes_of_1000_and_of_1024),
        cmocka_unit_test(words_are_booleans_numbers_dates_or_strings),
        cmocka_unit_test(strings_have_escapes_in_double_quotes_and_words_and_none_in_single_quotes),
        cmocka_unit_test(a_block_string_ends_at_a_line_with_nothing_but_its_parenthesis),
        cmocka_unit_test(blocks_and_arrays_hold_each_other),
        cmocka_unit_test(a_file_in_json_is_a_configuration),
        cmocka_unit_test(a_key_given_twice_counts_as_given_last),
        cmocka_unit_test(a_variable_is_the_innermost_entry_of_its_name),
        cmocka_unit_test(a_variable_of_the_environment_is_read_as_a_value),
        cmocka_unit_test(a_bcrypt_digest_needs_no_quotes),
        cmocka_unit_test(an_include_is_found_beside_the_file_that_names_it),
        cmocka_unit_test(an_include_that_fails_says_where_it_was_asked_for),
        cmocka_unit_test(what_is_malformed_is_refused_with_its_place),
        cmocka_unit_test(a_nul_byte_is_refused),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(variables_cannot_blow_up_a_few_lines_to_millions_of_values),
    };
    return cmocka_run_group_tests_name("conf", tests, NULL, NULL);
}
