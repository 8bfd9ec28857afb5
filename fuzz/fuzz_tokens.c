// SPDX-License-Identifier: Apache-2.0
// The token counter over any bytes. The first byte is the budget of a prefix, the rest is the text.
// Promises held: tokens are the text, byte for byte, and as many as counted; pieces end where
// tokens end, and their tokens are those of plain merging; the prefix keeps its budget and, in a
// short text, is the longest that does.
#include "base/assert.h"
#include "base/utf8.h"
#include "deliver/pretoken.h"
#include "deliver/tokens.h"

#include "../tests/deliver/plain_merge.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ALL_PREFIXES_BYTES_MAX = 64, MERGED_BYTES_MAX = 512 };

struct walk {
    struct bytes text; // as it is counted
    size_t at;
    size_t count;
    size_t piece_end;
};

static void check_piece(struct bytes piece)
{
    static struct plain_merge plain;
    size_t count;
    ASSERT(tokens_count(piece, &count) == STATUS_OK);
    if (piece.size > MERGED_BYTES_MAX)
        return;
    plain_merge(&plain, piece);
    ASSERT(count == plain.count);
}

static enum status check_token(void *context, struct tokens_token token)
{
    struct walk *walk = context;
    if (walk->at == walk->piece_end) {
        struct bytes rest = bytes_from(walk->text, walk->at);
        size_t size = pretoken_next(rest);
        ASSERT(size > 0 && size <= rest.size);
        check_piece(bytes_slice(rest, 0, size));
        walk->piece_end += size;
    }
    struct bytes here = bytes_slice(walk->text, walk->at, token.size);
    ASSERT(bytes_equal(vocab_bytes(token.id), here));
    walk->at += token.size;
    ASSERT(walk->at <= walk->piece_end);
    walk->count++;
    return STATUS_OK;
}

static size_t count(struct bytes text)
{
    size_t tokens;
    ASSERT(tokens_count(text, &tokens) == STATUS_OK);
    return tokens;
}

static void check_prefix(struct bytes text, size_t max)
{
    struct bytes prefix;
    ASSERT(tokens_prefix(text, max, &prefix) == STATUS_OK);
    ASSERT(prefix.size <= text.size && bytes_start_with(text, prefix));
    ASSERT(count(prefix) <= max);
    if (!utf8_is_valid(text))
        return;
    ASSERT(utf8_is_valid(prefix));
    if (text.size > ALL_PREFIXES_BYTES_MAX)
        return;
    for (size_t end = prefix.size + 1; end <= text.size; end++) {
        struct bytes longer = bytes_slice(text, 0, end);
        ASSERT(!utf8_is_valid(longer) || count(longer) > max);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct bytes text = bytes_of(data + 1, size - 1);
    struct buf copy;
    buf_init(&copy, SIZE_MAX);
    struct walk walk = {.at = 0};
    ASSERT(tokens_correct(text, &copy, &walk.text) == STATUS_OK);
    ASSERT(tokens_encode(text, check_token, &walk) == STATUS_OK);
    ASSERT(walk.at == walk.text.size && walk.at == walk.piece_end);
    ASSERT(count(text) == walk.count);
    check_prefix(text, data[0]);
    buf_fini(&copy);
    return 0;
}
