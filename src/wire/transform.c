// SPDX-License-Identifier: Apache-2.0
#include "wire/transform.h"

#include "wire/subject.h"

#include <inttypes.h>

enum { TOKENS_MAX = 128, ARGUMENTS_MAX = 16 };

enum function {
    FUNCTION_NONE, // the token stands for itself
    FUNCTION_WILDCARD,
    FUNCTION_PARTITION,
    FUNCTION_SPLIT_FROM_LEFT,
    FUNCTION_SPLIT_FROM_RIGHT,
    FUNCTION_SLICE_FROM_LEFT,
    FUNCTION_SLICE_FROM_RIGHT,
    FUNCTION_SPLIT,
    FUNCTION_LEFT,
    FUNCTION_RIGHT,
};

// A token of the destination, read.
struct call {
    enum function function;
    size_t wildcards[ARGUMENTS_MAX]; // which, from 1
    size_t wildcard_count;
    uint64_t number;
    struct bytes delimiter;
};

static const struct {
    struct bytes name;
    enum function function;
} functions[] = {
    {{"wildcard", 8}, FUNCTION_WILDCARD},
    {{"partition", 9}, FUNCTION_PARTITION},
    {{"splitfromleft", 13}, FUNCTION_SPLIT_FROM_LEFT},
    {{"splitfromright", 14}, FUNCTION_SPLIT_FROM_RIGHT},
    {{"slicefromleft", 13}, FUNCTION_SLICE_FROM_LEFT},
    {{"slicefromright", 14}, FUNCTION_SLICE_FROM_RIGHT},
    {{"split", 5}, FUNCTION_SPLIT},
    {{"left", 4}, FUNCTION_LEFT},
    {{"right", 5}, FUNCTION_RIGHT},
};

// Reading

static bool read_arguments(struct bytes text, struct call *call)
{
    struct bytes arguments[ARGUMENTS_MAX];
    uint64_t numbers[ARGUMENTS_MAX];
    size_t count = 0;
    while (text.data != NULL && count < ARGUMENTS_MAX)
        arguments[count++] = bytes_trim(bytes_cut(text, ',', &text));
    if (text.data != NULL || count == 0)
        return false;
    size_t number_count = call->function == FUNCTION_SPLIT ? 1 : count;
    for (size_t i = 0; i < number_count; i++)
        if (!bytes_to_u64(arguments[i], &numbers[i]))
            return false;
    if (call->function == FUNCTION_PARTITION) {
        call->number = numbers[0];
        for (size_t i = 1; i < count; i++)
            call->wildcards[call->wildcard_count++] = (size_t)numbers[i];
        return call->number > 0;
    }
    call->wildcards[0] = (size_t)numbers[0];
    call->wildcard_count = 1;
    if (call->function == FUNCTION_WILDCARD)
        return count == 1;
    if (count != 2)
        return false;
    call->delimiter = arguments[1];
    if (call->function == FUNCTION_SPLIT)
        return call->delimiter.size > 0;
    call->number = numbers[1];
    return call->number > 0;
}

static bool read_call(struct bytes token, struct call *call)
{
    uint64_t index;
    *call = (struct call){.function = FUNCTION_NONE};
    if (token.size > 1 && token.data[0] == '$' && bytes_to_u64(bytes_from(token, 1), &index)) {
        call->function = FUNCTION_WILDCARD;
        call->wildcards[0] = (size_t)index;
        call->wildcard_count = 1;
        return true;
    }
    if (!bytes_start_with(token, BYTES("{{")) || !bytes_end_with(token, BYTES("}}")))
        return true;
    struct bytes inside = bytes_trim(bytes_slice(token, 2, token.size - 4));
    struct bytes arguments;
    struct bytes name = bytes_trim(bytes_cut(inside, '(', &arguments));
    if (arguments.size == 0 || arguments.data[arguments.size - 1] != ')')
        return false;
    arguments.size--;
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        if (!bytes_equal_nocase(functions[i].name, name))
            continue;
        call->function = functions[i].function;
        return read_arguments(arguments, call);
    }
    return false;
}

// A destination's tokens are separated by dots that stand outside of a function's braces.
static struct bytes next_token(struct bytes *rest)
{
    bool inside = false;
    for (size_t i = 0; i < rest->size; i++) {
        if (rest->data[i] == '{')
            inside = true;
        else if (rest->data[i] == '}')
            inside = false;
        else if (rest->data[i] == '.' && !inside) {
            struct bytes token = bytes_slice(*rest, 0, i);
            *rest = bytes_from(*rest, i + 1);
            return token;
        }
    }
    struct bytes token = *rest;
    *rest = (struct bytes){NULL, 0};
    return token;
}

static size_t count_wildcards(struct bytes source, bool *tail)
{
    size_t count = 0;
    *tail = false;
    while (source.data != NULL) {
        struct bytes token = bytes_cut(source, '.', &source);
        count += bytes_equal(token, BYTES("*"));
        *tail = bytes_equal(token, BYTES(">"));
    }
    return count;
}

enum status transform_check(struct bytes source, struct bytes destination, struct errinfo *err)
{
    bool source_tail;
    bool tail = false;
    char quoted[ERRINFO_QUOTED_MAX];
    if (source.size == 0)
        source = BYTES(">");
    size_t wildcards = count_wildcards(source, &source_tail);
    if (!subject_is_pattern(source) || destination.size == 0)
        return errinfo_set(err, STATUS_INVALID, "invalid subject");
    while (destination.data != NULL) {
        struct call call;
        struct bytes token = next_token(&destination);
        tail = bytes_equal(token, BYTES(">"));
        if (token.size == 0 || bytes_equal(token, BYTES("*")) || (tail && destination.data != NULL))
            return errinfo_set(err, STATUS_INVALID, "invalid subject");
        if (!read_call(token, &call))
            return errinfo_set(err, STATUS_INVALID, "invalid mapping destination: %s",
                               errinfo_quote(token, quoted));
        for (size_t i = 0; i < call.wildcard_count; i++)
            if (call.wildcards[i] == 0 || call.wildcards[i] > wildcards)
                return errinfo_set(err, STATUS_INVALID,
                                   "mapping destination index out of range: %s",
                                   errinfo_quote(token, quoted));
    }
    return tail == source_tail ? STATUS_OK : errinfo_set(err, STATUS_INVALID, "invalid subject");
}

// Applying

static void put_pieces(struct bytes token, size_t first, size_t size, struct buf *out)
{
    size_t at = first > 0 ? first : size;
    buf_append(out, bytes_slice(token, 0, at));
    for (; at < token.size; at += size) {
        buf_append_byte(out, '.');
        buf_append(out, bytes_slice(token, at, size));
    }
}

static void put_split(struct bytes token, struct bytes delimiter, struct buf *out)
{
    bool some = false;
    while (token.size > 0) {
        size_t at = bytes_find(token, delimiter);
        struct bytes piece = at == SIZE_MAX ? token : bytes_slice(token, 0, at);
        token = at == SIZE_MAX ? (struct bytes){NULL, 0} : bytes_from(token, at + delimiter.size);
        if (piece.size == 0)
            continue;
        if (some)
            buf_append_byte(out, '.');
        buf_append(out, piece);
        some = true;
    }
}

// FNV-1a of 32 bits, as every NATS server partitions.
static uint32_t hash(uint32_t before, struct bytes text)
{
    for (size_t i = 0; i < text.size; i++)
        before = (before ^ (unsigned char)text.data[i]) * UINT32_C(16777619);
    return before;
}

static void put_call(const struct call *call, const struct bytes wildcards[TOKENS_MAX],
                     struct bytes subject, struct buf *out)
{
    struct bytes token = call->wildcard_count > 0 ? wildcards[call->wildcards[0] - 1]
                                                  : (struct bytes){NULL, 0};
    size_t size = (size_t)call->number;
    uint32_t sum = UINT32_C(2166136261);
    switch (call->function) {
    case FUNCTION_NONE: break;
    case FUNCTION_WILDCARD: buf_append(out, token); break;
    case FUNCTION_PARTITION:
        for (size_t i = 0; i < call->wildcard_count; i++)
            sum = hash(sum, wildcards[call->wildcards[i] - 1]);
        if (call->wildcard_count == 0)
            sum = hash(sum, subject);
        buf_printf(out, "%" PRIu64, sum % call->number);
        break;
    case FUNCTION_SPLIT_FROM_LEFT:
        put_pieces(token, size < token.size ? size : token.size, token.size, out);
        break;
    case FUNCTION_SPLIT_FROM_RIGHT:
        put_pieces(token, size < token.size ? token.size - size : token.size, token.size, out);
        break;
    case FUNCTION_SLICE_FROM_LEFT: put_pieces(token, 0, size, out); break;
    case FUNCTION_SLICE_FROM_RIGHT: put_pieces(token, token.size % size, size, out); break;
    case FUNCTION_SPLIT: put_split(token, call->delimiter, out); break;
    case FUNCTION_LEFT: buf_append(out, bytes_slice(token, 0, size)); break;
    case FUNCTION_RIGHT:
        buf_append(out, bytes_from(token, size < token.size ? token.size - size : 0));
        break;
    }
}

// What each "*" of the source took, and what its ">" did.
static bool take_apart(struct bytes source, struct bytes subject,
                       struct bytes wildcards[TOKENS_MAX], struct bytes *tail)
{
    size_t count = 0;
    while (source.data != NULL) {
        struct bytes wanted = bytes_cut(source, '.', &source);
        if (bytes_equal(wanted, BYTES(">"))) {
            *tail = subject;
            return true;
        }
        struct bytes token = bytes_cut(subject, '.', &subject);
        if (bytes_equal(wanted, BYTES("*"))) {
            if (count == TOKENS_MAX)
                return false;
            wildcards[count++] = token;
        }
    }
    return true;
}

bool transform_apply(struct bytes source, struct bytes destination, struct bytes subject,
                     struct buf *out)
{
    struct bytes wildcards[TOKENS_MAX];
    struct bytes tail = {NULL, 0};
    if (source.size == 0)
        source = BYTES(">");
    if (!subject_matches(source, subject) || !take_apart(source, subject, wildcards, &tail))
        return false;
    bool first = true;
    while (destination.data != NULL) {
        struct call call;
        struct bytes token = next_token(&destination);
        if (!first)
            buf_append_byte(out, '.');
        first = false;
        if (bytes_equal(token, BYTES(">")))
            buf_append(out, tail);
        else if (!read_call(token, &call))
            return false;
        else if (call.function == FUNCTION_NONE)
            buf_append(out, token);
        else
            put_call(&call, wildcards, subject, out);
    }
    return true;
}
