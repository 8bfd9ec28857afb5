// SPDX-License-Identifier: Apache-2.0
// What a client sends, over any bytes; the first two say where the input is cut in parts. Promises
// held: views lie within the input; what is wanted is more than there is and within the limits; a
// failure has a reason and leaves the input; cut input gives the same operations.
#include "base/assert.h"
#include "base/buf.h"
#include "wire/parser.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LINE_MAX_BYTES = 100, PAYLOAD_MAX = 300, WANTED_MAX = LINE_MAX_BYTES + PAYLOAD_MAX + 12 };

static void check_view(struct bytes input, struct bytes view)
{
    if (view.size > 0)
        ASSERT(view.data >= input.data && view.data + view.size <= input.data + input.size);
}

static void put_op(struct buf *out, struct bytes input, const struct parser_op *op)
{
    const struct bytes views[] = {op->subject, op->reply, op->queue, op->sid,
                                  op->headers, op->body,  op->json};
    buf_append_le64(out, op->max << 8 | (uint64_t)op->kind << 1 | op->has_headers);
    for (size_t i = 0; i < sizeof views / sizeof views[0]; i++) {
        check_view(input, views[i]);
        buf_append_le64(out, views[i].size);
        buf_append(out, views[i]);
    }
}

// Runs all operations of *input; true when the parser wants more.
static bool run(struct parser *parser, struct bytes *input, struct buf *out)
{
    struct parser_op op;
    for (;;) {
        struct bytes before = *input;
        enum parser_result result = parser_next(parser, input, &op);
        if (result == PARSER_OP) {
            ASSERT(input->size < before.size);
            ASSERT(op.headers.size + op.body.size <= PAYLOAD_MAX || op.kind != PARSER_PUB);
            put_op(out, before, &op);
            continue;
        }
        ASSERT(input->data == before.data && input->size == before.size);
        if (result == PARSER_MORE) {
            ASSERT(parser_wanted(parser) > input->size && parser_wanted(parser) <= WANTED_MAX);
            return true;
        }
        ASSERT(op.reason != NULL);
        buf_append_string(out, op.error == NULL ? "closed" : op.error);
        return false;
    }
}

// All of it in parts of the given size, each time in memory of exactly the size needed.
static void run_in_parts(struct bytes text, size_t part, struct buf *out)
{
    struct parser parser;
    struct parser_limits limits = {LINE_MAX_BYTES, PAYLOAD_MAX};
    struct bytes kept = {NULL, 0};
    size_t at = 0;
    bool more = true;
    char *memory = NULL;
    parser_init(&parser, &limits);
    while (more && at < text.size) {
        struct bytes come = bytes_slice(text, at, part);
        at += come.size;
        char *next = malloc(kept.size + come.size);
        ASSERT(next != NULL);
        if (kept.size > 0)
            memcpy(next, kept.data, kept.size);
        memcpy(next + kept.size, come.data, come.size);
        free(memory);
        memory = next;
        kept = bytes_of(next, kept.size + come.size);
        more = run(&parser, &kept, out);
    }
    free(memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf whole, parts;
    if (size < 2)
        return 0;
    struct bytes text = bytes_of(data + 2, size - 2);
    buf_init(&whole, SIZE_MAX);
    buf_init(&parts, SIZE_MAX);
    run_in_parts(text, SIZE_MAX, &whole);
    for (size_t i = 0; i < 2; i++) {
        buf_clear(&parts);
        run_in_parts(text, 1 + (size_t)data[i] % 64, &parts);
        ASSERT(bytes_equal(buf_bytes(&whole), buf_bytes(&parts)));
    }
    buf_fini(&whole);
    buf_fini(&parts);
    return 0;
}
