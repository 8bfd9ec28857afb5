// SPDX-License-Identifier: Apache-2.0
#include "wire/parser.h"

#include <string.h>

enum {
    ARGUMENTS_MAX = 4, // of HPUB
    SIZE_DIGITS_MAX = 9,
    NAME_MAX_BYTES = 7,
    LINE_END_BYTES = 2,
};

static const char unknown_operation[] = "Unknown Protocol Operation";
static const char line_too_long[] = "maximum control line exceeded";
static const char payload_too_large[] = "Maximum Payload Violation";

struct operation {
    char name[NAME_MAX_BYTES + 1];
    size_t size;
    enum parser_kind kind;
    bool has_headers;
    bool blank_follows; // else whatever follows the name belongs to the argument
};

static const struct operation operations[] = {
    {"PUB", 3, PARSER_PUB, false, true},          {"HPUB", 4, PARSER_PUB, true, true},
    {"SUB", 3, PARSER_SUB, false, true},          {"UNSUB", 5, PARSER_UNSUB, false, true},
    {"PING", 4, PARSER_PING, false, false},       {"PONG", 4, PARSER_PONG, false, false},
    {"CONNECT", 7, PARSER_CONNECT, false, false}, {"INFO", 4, PARSER_INFO, false, false},
    {"+OK", 3, PARSER_OK, false, false},          {"-ERR", 4, PARSER_ERR, false, true},
};

struct arguments {
    struct bytes at[ARGUMENTS_MAX];
    size_t count; // ARGUMENTS_MAX + 1: more than fit
};

void parser_init(struct parser *parser, const struct parser_limits *limits)
{
    *parser = (struct parser){.limits = *limits};
}

size_t parser_wanted(const struct parser *parser)
{
    return parser->wanted;
}

static enum parser_result fail(struct parser_op *op, const char *error, const char *reason)
{
    op->error = error;
    op->reason = reason;
    return PARSER_ERROR;
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

static char upper(char byte)
{
    return byte >= 'a' && byte <= 'z' ? (char)(byte - 'a' + 'A') : byte;
}

static bool begins_alike(const char *text, const char *name, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (upper(text[i]) != name[i])
            return false;
    }
    return true;
}

// The operation that the text is, or, when it ends within a name, one that it may become.
static const struct operation *find_operation(struct bytes text)
{
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        const struct operation *found = &operations[i];
        size_t common = text.size < found->size ? text.size : found->size;
        if (!begins_alike(text.data, found->name, common))
            continue;
        bool cut_off = text.size > found->size && !is_blank(text.data[found->size]);
        return cut_off && found->blank_follows ? NULL : found;
    }
    return NULL;
}

// Splits at blanks. False on a carriage return: in a subject it would travel into the lines that
// other clients are sent.
static bool split(struct bytes text, struct arguments *arguments)
{
    size_t from = SIZE_MAX;
    arguments->count = 0;
    for (size_t i = 0; i <= text.size; i++) {
        bool ends = i == text.size || is_blank(text.data[i]);
        if (!ends) {
            if (text.data[i] == '\r')
                return false;
            from = from == SIZE_MAX ? i : from;
        } else if (from != SIZE_MAX) {
            if (arguments->count == ARGUMENTS_MAX) {
                arguments->count++;
                return true;
            }
            arguments->at[arguments->count++] = bytes_of(text.data + from, i - from);
            from = SIZE_MAX;
        }
    }
    return true;
}

static bool read_size(struct bytes digits, uint64_t *size)
{
    return digits.size <= SIZE_DIGITS_MAX && bytes_to_u64(digits, size);
}

static enum parser_result take_sub(const struct arguments *arguments, struct parser_op *op)
{
    size_t count = arguments->count;
    if (count != 2 && count != 3)
        return fail(op, NULL, "SUB needs a subject, perhaps a queue, and an id");
    op->subject = arguments->at[0];
    op->sid = arguments->at[count - 1];
    if (count == 3)
        op->queue = arguments->at[1];
    return PARSER_OP;
}

static enum parser_result take_unsub(const struct arguments *arguments, struct parser_op *op)
{
    size_t count = arguments->count;
    if (count != 1 && count != 2)
        return fail(op, NULL, "UNSUB needs an id, and perhaps a maximum");
    op->sid = arguments->at[0];
    if (count == 2 && !read_size(arguments->at[1], &op->max))
        op->max = 0;
    return PARSER_OP;
}

// The line of a PUB or HPUB; the payload behind it is *rest.
static enum parser_result take_pub(struct parser *parser, const struct arguments *arguments,
                                   struct bytes *rest, struct parser_op *op)
{
    size_t count = arguments->count;
    size_t sizes = op->has_headers ? 2 : 1;
    uint64_t headers = 0;
    uint64_t total = 0;
    if (count != 1 + sizes && count != 2 + sizes)
        return fail(op, NULL, "a publish needs a subject, perhaps a reply, and its size");
    if (!read_size(arguments->at[count - 1], &total))
        return fail(op, NULL, "the size of a publish is not a number of up to nine digits");
    if (op->has_headers && !read_size(arguments->at[count - 2], &headers))
        return fail(op, NULL, "the header size of a publish is not a number of up to nine digits");
    if (headers > total)
        return fail(op, NULL, "the headers of a publish are larger than all of it");
    if (total > parser->limits.payload_max)
        return fail(op, payload_too_large, "a publish is larger than the maximum payload");
    op->subject = arguments->at[0];
    if (count == 2 + sizes)
        op->reply = arguments->at[1];
    size_t size = (size_t)total;
    if (rest->size < size + LINE_END_BYTES) {
        parser->wanted = size + LINE_END_BYTES;
        return PARSER_MORE;
    }
    if (memcmp(rest->data + size, "\r\n", LINE_END_BYTES) != 0)
        return fail(op, unknown_operation, "a payload does not end where its size says");
    op->headers = bytes_slice(*rest, 0, (size_t)headers);
    op->body = bytes_slice(*rest, (size_t)headers, size - (size_t)headers);
    *rest = bytes_from(*rest, size + LINE_END_BYTES);
    return PARSER_OP;
}

static enum parser_result take_arguments(struct parser *parser, struct bytes text,
                                         struct bytes *rest, struct parser_op *op)
{
    struct arguments arguments;
    if (!split(text, &arguments))
        return fail(op, NULL, "a line has a carriage return before its end");
    switch (op->kind) {
    case PARSER_SUB: return take_sub(&arguments, op);
    case PARSER_UNSUB: return take_unsub(&arguments, op);
    default: return take_pub(parser, &arguments, rest, op);
    }
}

// A whole line without its end; *rest is what follows it.
static enum parser_result take_line(struct parser *parser, struct bytes line, struct bytes *rest,
                                    struct parser_op *op)
{
    const struct operation *found = line.size == 0 ? NULL : find_operation(line);
    if (found == NULL || line.size < found->size + found->blank_follows)
        return fail(op, unknown_operation, "a line begins with no operation of a client");
    struct bytes text = bytes_from(line, found->size);
    while (text.size > 0 && is_blank(text.data[0]))
        text = (struct bytes){text.data + 1, text.size - 1};
    op->kind = found->kind;
    op->has_headers = found->has_headers;
    if (text.size > parser->limits.control_line_max)
        return fail(op, line_too_long, "a line is longer than the maximum");
    switch (found->kind) {
    case PARSER_PUB:
    case PARSER_SUB:
    case PARSER_UNSUB: return take_arguments(parser, text, rest, op);
    case PARSER_CONNECT:
    case PARSER_INFO: op->json = text; break;
    case PARSER_ERR: op->body = text; break;
    default: break;
    }
    return PARSER_OP;
}

// No line end within the longest line there may be.
static enum parser_result take_beginning(struct parser *parser, struct bytes text, size_t line_max,
                                         struct parser_op *op)
{
    if (text.size > 0 && find_operation(text) == NULL)
        return fail(op, unknown_operation, "a line begins with no operation of a client");
    if (text.size >= line_max)
        return fail(op, line_too_long, "a line is longer than the maximum");
    parser->wanted = text.size + 1;
    return PARSER_MORE;
}

enum parser_result parser_next(struct parser *parser, struct bytes *input, struct parser_op *op)
{
    *op = (struct parser_op){.kind = PARSER_PING};
    if (input->size < parser->wanted)
        return PARSER_MORE;
    parser->wanted = 0;
    // The longest name and the one blank that must follow some of them come on top of the maximum.
    size_t line_max = parser->limits.control_line_max + NAME_MAX_BYTES + 1 + LINE_END_BYTES;
    struct bytes look = bytes_slice(*input, 0, line_max);
    size_t end = bytes_find_byte(look, '\n');
    if (end == SIZE_MAX)
        return take_beginning(parser, *input, line_max, op);
    size_t size = end > 0 && look.data[end - 1] == '\r' ? end - 1 : end;
    struct bytes rest = {input->data + end + 1, input->size - end - 1};
    enum parser_result result = take_line(parser, bytes_of(look.data, size), &rest, op);
    if (result == PARSER_OP)
        *input = rest;
    else if (result == PARSER_MORE)
        parser->wanted += end + 1;
    return result;
}
