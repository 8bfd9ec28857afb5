// SPDX-License-Identifier: Apache-2.0
#include "wire/parser.h"

#include <string.h>

enum { FIELDS_MAX = 4, LINE_END = 2 };

static const char unknown_operation[] = "Unknown Protocol Operation";
static const char parser_error[] = "Parser Error";
static const char line_too_long[] = "maximum control line exceeded";
static const char payload_too_large[] = "Maximum Payload Violation";

void parser_init(struct parser *parser, const struct parser_limits *limits)
{
    parser->limits = *limits;
    parser->wanted = 0;
}

size_t parser_wanted(const struct parser *parser)
{
    return parser->wanted;
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

static enum parser_result fail(struct parser_op *op, const char *text)
{
    op->error = text;
    return PARSER_ERROR;
}

// Splits the arguments of an operation at blanks; more than fit is FIELDS_MAX + 1.
static size_t split(struct bytes text, struct bytes fields[FIELDS_MAX])
{
    size_t count = 0;
    size_t at = 0;
    while (at < text.size) {
        while (at < text.size && is_blank(text.data[at]))
            at++;
        size_t from = at;
        while (at < text.size && !is_blank(text.data[at]))
            at++;
        if (at == from)
            break;
        if (count == FIELDS_MAX)
            return FIELDS_MAX + 1;
        fields[count++] = bytes_of(text.data + from, at - from);
    }
    return count;
}

struct line_kind {
    struct bytes name;
    enum parser_kind kind;
    bool has_headers;
};

// The operation that a line begins with, letter case aside; NULL when there is none.
static const struct line_kind *kind_of(struct bytes name)
{
    static const struct line_kind kinds[] = {
        {{"PUB", 3}, PARSER_PUB, false},   {{"HPUB", 4}, PARSER_PUB, true},
        {{"SUB", 3}, PARSER_SUB, false},   {{"UNSUB", 5}, PARSER_UNSUB, false},
        {{"PING", 4}, PARSER_PING, false}, {{"PONG", 4}, PARSER_PONG, false},
        {{"+OK", 3}, PARSER_OK, false},    {{"-ERR", 4}, PARSER_ERR, false},
        {{"INFO", 4}, PARSER_INFO, false}, {{"CONNECT", 7}, PARSER_CONNECT, false},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (bytes_equal_nocase(kinds[i].name, name))
            return &kinds[i];
    return NULL;
}

// Whether a line that has not wholly come can still become an operation.
static bool may_begin(struct bytes text)
{
    static const char *const names[] = {"PUB",  "HPUB", "SUB",  "UNSUB", "PING",
                                        "PONG", "+OK",  "-ERR", "INFO",  "CONNECT"};
    size_t size = 0;
    while (size < text.size && !is_blank(text.data[size]) && text.data[size] != '\r')
        size++;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct bytes name = bytes_of_string(names[i]);
        bool whole = size < text.size;
        if ((whole ? name.size == size : name.size >= size) &&
            bytes_equal_nocase(bytes_slice(name, 0, size), bytes_slice(text, 0, size)))
            return true;
    }
    return false;
}

static enum parser_result take_sub(struct bytes arguments, struct parser_op *op)
{
    struct bytes fields[FIELDS_MAX];
    size_t count = split(arguments, fields);
    if (count != 2 && count != 3)
        return fail(op, parser_error);
    op->subject = fields[0];
    op->sid = fields[count - 1];
    if (count == 3)
        op->queue = fields[1];
    return PARSER_OP;
}

static enum parser_result take_unsub(struct bytes arguments, struct parser_op *op)
{
    struct bytes fields[FIELDS_MAX];
    size_t count = split(arguments, fields);
    if (count != 1 && count != 2)
        return fail(op, parser_error);
    op->sid = fields[0];
    if (count == 2 && !bytes_to_u64(fields[1], &op->max))
        return fail(op, parser_error);
    return PARSER_OP;
}

// The line of a PUB or HPUB, whose payload lies behind it.
static enum parser_result take_pub(struct parser *parser, struct bytes arguments, bool has_headers,
                                   struct bytes *rest, struct parser_op *op)
{
    struct bytes fields[FIELDS_MAX];
    uint64_t headers = 0;
    uint64_t total;
    size_t count = split(arguments, fields);
    size_t sizes = has_headers ? 2 : 1;
    if (count < 1 + sizes || count > 2 + sizes || !bytes_to_u64(fields[count - 1], &total))
        return fail(op, parser_error);
    if (has_headers && (!bytes_to_u64(fields[count - 2], &headers) || headers > total))
        return fail(op, parser_error);
    if (total > parser->limits.payload_max)
        return fail(op, payload_too_large);
    op->subject = fields[0];
    if (count == 2 + sizes)
        op->reply = fields[1];
    if (rest->size < total + LINE_END) {
        parser->wanted = (size_t)total + LINE_END;
        return PARSER_MORE;
    }
    if (memcmp(rest->data + total, "\r\n", LINE_END) != 0)
        return fail(op, parser_error);
    op->headers = bytes_slice(*rest, 0, (size_t)headers);
    op->body = bytes_slice(*rest, (size_t)headers, (size_t)(total - headers));
    *rest = bytes_from(*rest, (size_t)total + LINE_END);
    return PARSER_OP;
}

// A line, without its end, and the bytes behind it.
static enum parser_result take_line(struct parser *parser, struct bytes line, struct bytes *rest,
                                    struct parser_op *op)
{
    size_t name_size = 0;
    while (name_size < line.size && !is_blank(line.data[name_size]))
        name_size++;
    const struct line_kind *kind = kind_of(bytes_slice(line, 0, name_size));
    struct bytes arguments = bytes_from(line, name_size);
    if (kind == NULL)
        return fail(op, unknown_operation);
    op->kind = kind->kind;
    switch (kind->kind) {
    case PARSER_PUB: return take_pub(parser, arguments, kind->has_headers, rest, op);
    case PARSER_SUB: return take_sub(arguments, op);
    case PARSER_UNSUB: return take_unsub(arguments, op);
    case PARSER_CONNECT: op->json = bytes_trim(arguments); return PARSER_OP;
    default: return PARSER_OP;
    }
}

enum parser_result parser_next(struct parser *parser, struct bytes *input, struct parser_op *op)
{
    *op = (struct parser_op){.kind = PARSER_PING};
    // An empty line between operations means nothing.
    while (input->size > 0 && (input->data[0] == '\r' || input->data[0] == '\n'))
        *input = bytes_from(*input, 1);
    if (input->size == 0) {
        parser->wanted = 1;
        return PARSER_MORE;
    }
    size_t most = parser->limits.control_line_max + LINE_END;
    struct bytes look = bytes_slice(*input, 0, most);
    size_t end = bytes_find_byte(look, '\n');
    if (end == SIZE_MAX) {
        if (!may_begin(*input))
            return fail(op, unknown_operation);
        if (input->size >= most)
            return fail(op, line_too_long);
        parser->wanted = input->size + 1;
        return PARSER_MORE;
    }
    size_t size = end > 0 && input->data[end - 1] == '\r' ? end - 1 : end;
    struct bytes rest = bytes_from(*input, end + 1);
    enum parser_result result = take_line(parser, bytes_slice(*input, 0, size), &rest, op);
    if (result == PARSER_MORE)
        parser->wanted += end + 1;
    else
        *input = rest;
    return result;
}
