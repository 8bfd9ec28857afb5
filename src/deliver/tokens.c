// SPDX-License-Identifier: Apache-2.0
// Text to pieces to tokens. Reports repeat their words, so counting keeps the counts of recent
// short pieces in a small table of its own for each call; it needs no clearing up and no lock.
#include "deliver/tokens.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "deliver/bpe.h"
#include "deliver/pretoken.h"
#include "deliver/vocab.h"

// Text with every ill-formed part replaced, in `copy` when there is one.
static enum status correct(struct bytes text, struct buf *copy, struct bytes *corrected)
{
    if (utf8_is_valid(text)) {
        *corrected = text;
        return STATUS_OK;
    }
    while (text.size > 0) {
        uint32_t code;
        bool valid;
        size_t size = utf8_decode(text, &code, &valid);
        buf_append(copy, valid ? bytes_slice(text, 0, size) : BYTES("\xEF\xBF\xBD"));
        text = bytes_from(text, size);
    }
    *corrected = buf_bytes(copy);
    return buf_status(copy);
}

static enum status count_piece(struct bpe *bpe, struct bytes piece, size_t *count)
{
    if (piece.size <= VOCAB_TOKEN_BYTES_MAX && vocab_find(piece.data, piece.size) != VOCAB_NONE) {
        *count = 1;
        return STATUS_OK;
    }
    return bpe_encode(bpe, piece, count);
}

static enum status count_pieces(struct bpe *bpe, struct bytes text, size_t *count)
{
    size_t total = 0;
    while (text.size > 0) {
        size_t size = pretoken_next(text);
        size_t tokens;
        enum status status = count_piece(bpe, bytes_slice(text, 0, size), &tokens);
        if (status != STATUS_OK)
            return status;
        total += tokens;
        text = bytes_from(text, size);
    }
    *count = total;
    return STATUS_OK;
}

enum status tokens_count(struct bytes text, size_t *count)
{
    struct buf copy;
    buf_init(&copy, SIZE_MAX);
    struct bpe bpe;
    bpe_init(&bpe);
    enum status status = correct(text, &copy, &text);
    if (status == STATUS_OK)
        status = count_pieces(&bpe, text, count);
    bpe_fini(&bpe);
    buf_fini(&copy);
    return status;
}

static enum status visit_piece(struct bpe *bpe, struct bytes piece, tokens_visitor visit,
                               void *context)
{
    uint32_t rank = VOCAB_NONE;
    if (piece.size <= VOCAB_TOKEN_BYTES_MAX)
        rank = vocab_find(piece.data, piece.size);
    if (rank != VOCAB_NONE)
        return visit(context, (struct tokens_token){rank, (uint32_t)piece.size});
    size_t count;
    enum status status = bpe_encode(bpe, piece, &count);
    for (size_t at = 0, end; status == STATUS_OK && at < piece.size; at = end) {
        end = bpe_token_end(bpe, at);
        rank = vocab_find(piece.data + at, end - at);
        status = visit(context, (struct tokens_token){rank, (uint32_t)(end - at)});
    }
    return status;
}

enum status tokens_encode(struct bytes text, tokens_visitor visit, void *context)
{
    struct buf copy;
    buf_init(&copy, SIZE_MAX);
    struct bpe bpe;
    bpe_init(&bpe);
    enum status status = correct(text, &copy, &text);
    while (status == STATUS_OK && text.size > 0) {
        size_t size = pretoken_next(text);
        status = visit_piece(&bpe, bytes_slice(text, 0, size), visit, context);
        text = bytes_from(text, size);
    }
    bpe_fini(&bpe);
    buf_fini(&copy);
    return status;
}
