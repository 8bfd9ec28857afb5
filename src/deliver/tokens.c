// SPDX-License-Identifier: Apache-2.0
// Text to pieces to tokens. Reports repeat their words, so counting keeps the counts of recent
// short pieces in a small table of its own for each call; it needs no clearing up and no lock.
#include "deliver/tokens.h"

#include "base/buf.h"
#include "base/le.h"
#include "base/utf8.h"
#include "deliver/bpe.h"
#include "deliver/pretoken.h"
#include "deliver/vocab.h"

#include <stdlib.h>
#include <string.h>

// The size of the text with every ill-formed part replaced; appends it to `copy` unless NULL.
static size_t replace_ill_formed(struct bytes text, struct buf *copy)
{
    const struct bytes replacement = BYTES("\xEF\xBF\xBD");
    size_t total = text.size;
    size_t from = 0; // what is not copied yet and valid so far
    for (size_t at = 0; at < text.size;) {
        uint32_t code;
        bool valid;
        size_t size = utf8_decode(bytes_from(text, at), &code, &valid);
        if (!valid) {
            total += replacement.size - size;
            if (copy != NULL) {
                buf_append(copy, bytes_slice(text, from, at - from));
                buf_append(copy, replacement);
            }
            from = at + size;
        }
        at += size;
    }
    if (copy != NULL)
        buf_append(copy, bytes_from(text, from));
    return total;
}

enum status tokens_correct(struct bytes text, struct buf *copy, struct bytes *corrected)
{
    if (utf8_is_valid(text)) {
        *corrected = text;
        return STATUS_OK;
    }
    buf_clear(copy);
    (void)buf_reserve(copy, replace_ill_formed(text, NULL));
    (void)replace_ill_formed(text, copy);
    if (buf_status(copy) != STATUS_OK)
        return buf_status(copy);
    *corrected = buf_bytes(copy);
    return STATUS_OK;
}

// The counts of recent short pieces. A row is its own key: up to 15 bytes of the piece with zeros
// behind them, and as the last byte the size and, in the four bits that a comparison leaves out,
// the count. So nothing equals a row that is still zero.
struct memo_row {
    uint64_t low;
    uint64_t high;
};

struct memo {
    struct memo_row *rows; // NULL: nothing is remembered
    size_t mask;           // of a row's number
};

enum {
    MEMO_PIECE_BYTES_MAX = 15,
    MEMO_COUNT_SHIFT = 60,
    MEMO_ROWS_MIN = 512,
    MEMO_ROWS_MAX = 32768,
    MEMO_BYTES_A_ROW = 16,     // of text: a longer one has more different pieces
    MEMO_TEXT_BYTES_MIN = 2048 // a shorter one repeats too little to pay for the table
};

// Only speed: without memory for it, counting goes on without.
static struct memo memo_new(size_t text_bytes)
{
    size_t rows = MEMO_ROWS_MIN;
    while (rows < MEMO_ROWS_MAX && rows < text_bytes / MEMO_BYTES_A_ROW)
        rows *= 2;
    struct memo memo = {NULL, rows - 1};
    if (text_bytes >= MEMO_TEXT_BYTES_MIN)
        memo.rows = calloc(rows, sizeof *memo.rows);
    return memo;
}

static uint64_t low_bytes(uint64_t word, size_t size)
{
    return size >= 8 ? word : word & (((uint64_t)1 << size * 8) - 1);
}

// The piece is at the front of `left` bytes, and has at most MEMO_PIECE_BYTES_MAX.
static struct memo_row memo_key(const char *data, size_t size, size_t left)
{
    char end[16] = {0};
    if (left < sizeof end) {
        memcpy(end, data, size);
        data = end;
    }
    uint64_t high = size > 8 ? low_bytes(le_get64(data + 8), size - 8) : 0;
    return (struct memo_row){low_bytes(le_get64(data), size), high | (uint64_t)size << 56};
}

static struct memo_row *memo_row_of(const struct memo *memo, struct memo_row key)
{
    uint64_t mixed = key.low * 0x9E3779B97F4A7C15U ^ key.high * 0xD6E8FEB86659FD93U;
    return &memo->rows[(mixed ^ mixed >> 29) >> 24 & memo->mask];
}

static enum status count_piece(struct bpe *bpe, struct bytes piece, size_t *count)
{
    if (piece.size <= VOCAB_TOKEN_BYTES_MAX && vocab_find(piece.data, piece.size) != VOCAB_NONE) {
        *count = 1;
        return STATUS_OK;
    }
    return bpe_encode(bpe, piece, count);
}

// The piece is `size` bytes at the front of the text.
static enum status count_memoised(struct bpe *bpe, const struct memo *memo, struct bytes text,
                                  size_t size, size_t *count)
{
    struct bytes piece = {text.data, size};
    if (memo->rows == NULL || size > MEMO_PIECE_BYTES_MAX)
        return count_piece(bpe, piece, count);
    struct memo_row key = memo_key(text.data, size, text.size);
    struct memo_row *row = memo_row_of(memo, key);
    uint64_t high = row->high & (((uint64_t)1 << MEMO_COUNT_SHIFT) - 1);
    if (row->low == key.low && high == key.high) {
        *count = row->high >> MEMO_COUNT_SHIFT;
        return STATUS_OK;
    }
    enum status status = count_piece(bpe, piece, count);
    if (status == STATUS_OK)
        *row = (struct memo_row){key.low, key.high | (uint64_t)*count << MEMO_COUNT_SHIFT};
    return status;
}

static enum status count_pieces(struct bpe *bpe, const struct memo *memo, struct bytes text,
                                size_t *count)
{
    size_t total = 0;
    while (text.size > 0) {
        size_t size = pretoken_next(text);
        size_t tokens;
        enum status status = count_memoised(bpe, memo, text, size, &tokens);
        if (status != STATUS_OK)
            return status;
        total += tokens;
        text = (struct bytes){text.data + size, text.size - size};
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
    enum status status = tokens_correct(text, &copy, &text);
    if (status == STATUS_OK) {
        struct memo memo = memo_new(text.size);
        status = count_pieces(&bpe, &memo, text, count);
        free(memo.rows);
    }
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
    enum status status = tokens_correct(text, &copy, &text);
    while (status == STATUS_OK && text.size > 0) {
        size_t size = pretoken_next(text);
        status = visit_piece(&bpe, bytes_slice(text, 0, size), visit, context);
        text = bytes_from(text, size);
    }
    bpe_fini(&bpe);
    buf_fini(&copy);
    return status;
}
