// SPDX-License-Identifier: Apache-2.0
// The longest prefix within a budget. What makes the search short:
//
// - A prefix that ends where a piece ends has exactly the pieces up to there.
// - A prefix that ends inside a piece has the pieces before it too, but for one case: a run of
//   blanks leaves its last one to a word behind it, and has it back when just that much of the
//   word's piece is kept. So a prefix that ends behind the first code point of a piece is counted
//   from the piece before, any other from its own piece.
//
// So with piece k the first that does not fit, no prefix beyond the first code point of piece k + 1
// fits, and the end of piece k - 1 always does.
#include "base/utf8.h"
#include "deliver/bpe.h"
#include "deliver/pretoken.h"
#include "deliver/tokens.h"
#include "deliver/vocab.h"

enum {
    LONG_PIECE_BYTES = 1024,
    ENDS_KEPT = 64,
    STRETCH_BYTES = VOCAB_TOKEN_BYTES_MAX, // how far beyond the last token's end it looks
    STRETCH_TRIES = 4,                     // whole counts, which take time
};

// A place between two pieces, and the tokens before it.
struct mark {
    size_t at;
    size_t tokens;
};

struct search {
    struct bytes text; // valid UTF-8
    size_t max;
    struct mark before; // start of piece k - 1
    struct mark here;   // start of piece k, the first that does not fit
    size_t here_first;  // end of its first code point
    size_t end;         // of piece k
};

static bool starts_code_point(struct bytes text, size_t at)
{
    return at >= text.size || ((unsigned char)text.data[at] & 0xC0U) != 0x80;
}

static size_t code_point_end(struct bytes text, size_t at)
{
    do
        at++;
    while (!starts_code_point(text, at));
    return at < text.size ? at : text.size;
}

// Finds piece k; false when the whole text fits.
static enum status find_piece(struct search *search, bool *found)
{
    struct mark here = {0, 0};
    search->before = here;
    *found = false;
    while (here.at < search->text.size) {
        struct bytes rest = bytes_from(search->text, here.at);
        size_t size = pretoken_next(rest);
        size_t tokens;
        enum status status = tokens_count(bytes_slice(rest, 0, size), &tokens);
        if (status != STATUS_OK)
            return status;
        if (tokens > search->max - here.tokens) {
            search->here = here;
            search->here_first = code_point_end(search->text, here.at);
            search->end = here.at + size;
            *found = true;
            return STATUS_OK;
        }
        search->before = here;
        here = (struct mark){here.at + size, here.tokens + tokens};
    }
    return STATUS_OK;
}

static enum status fits(const struct search *search, size_t end, bool *fit)
{
    struct mark from = end == search->here_first ? search->before : search->here;
    size_t tokens;
    enum status status = tokens_count(bytes_slice(search->text, from.at, end - from.at), &tokens);
    if (status == STATUS_OK)
        *fit = from.tokens + tokens <= search->max;
    return status;
}

// Tries every end behind the start of piece k, the longest first.
static enum status try_all(const struct search *search, size_t *end)
{
    size_t at = code_point_end(search->text, search->end);
    for (; at > search->here.at; at--) {
        if (!starts_code_point(search->text, at))
            continue;
        bool fit;
        enum status status = fits(search, at, &fit);
        if (status != STATUS_OK)
            return status;
        if (fit)
            break;
    }
    *end = at;
    return STATUS_OK;
}

// The ends of the last tokens of piece k that fit, the newest at (seen - 1) % ENDS_KEPT.
struct ends {
    size_t at;
    size_t wanted;
    size_t seen;
    size_t kept[ENDS_KEPT];
};

static enum status keep_end(void *context, struct tokens_token token)
{
    struct ends *ends = context;
    if (ends->seen == ends->wanted)
        return STATUS_LIMIT; // seen enough: only a way to stop
    ends->at += token.size;
    ends->kept[ends->seen++ % ENDS_KEPT] = ends->at;
    return STATUS_OK;
}

// A token end far enough back that what is behind it decides how a cut further on is encoded.
struct anchor {
    size_t at;
    size_t tokens; // of the piece before it
    size_t next;   // end of the token behind it
};

static bool keeps_anchor(const struct anchor *anchor, const struct bpe *bpe)
{
    return anchor->tokens == 0 || anchor->at + bpe_token_end(bpe, 0) == anchor->next;
}

static struct anchor anchor_of(const struct search *search, const struct ends *ends)
{
    if (ends->seen <= ENDS_KEPT)
        return (struct anchor){search->here.at, 0, ends->kept[0]};
    size_t oldest = ends->seen - ENDS_KEPT;
    return (struct anchor){ends->kept[oldest % ENDS_KEPT], oldest + 1,
                           ends->kept[(oldest + 1) % ENDS_KEPT]};
}

// Looks for a longer prefix behind *end that fits too, the longest first. The piece up to a place
// is encoded as the tokens up to the anchor and those of what is behind it, if these start with the
// same token as in the whole piece (or the anchor is its front): then all neighbours are compatible
// (see deliver/bpe.h). That says cheaply which places are worth a whole count.
static enum status stretch(const struct search *search, const struct ends *ends, size_t *end)
{
    if (ends->seen == 0)
        return STATUS_OK;
    struct anchor anchor = anchor_of(search, ends);
    struct bpe bpe;
    bpe_init(&bpe);
    enum status status = STATUS_OK;
    bool fit = false;
    int tries = 0;
    size_t at = *end + STRETCH_BYTES < search->end ? *end + STRETCH_BYTES : search->end;
    for (; status == STATUS_OK && at > *end && !fit && tries < STRETCH_TRIES; at--) {
        size_t tokens;
        if (!starts_code_point(search->text, at))
            continue;
        status = bpe_encode(&bpe, bytes_slice(search->text, anchor.at, at - anchor.at), &tokens);
        if (status != STATUS_OK || anchor.tokens + tokens > ends->wanted ||
            !keeps_anchor(&anchor, &bpe))
            continue;
        status = fits(search, at, &fit);
        tries++;
    }
    if (fit)
        *end = at + 1;
    bpe_fini(&bpe);
    return status;
}

// A long piece: tries only the ends of its tokens, and then what is a little behind. The first one
// nearly always fits; not when it cuts a code point, or when what is left of the piece is cut into
// other pieces.
static enum status try_token_ends(const struct search *search, size_t *end)
{
    struct ends ends = {.at = search->here.at, .wanted = search->max - search->here.tokens};
    struct bytes piece = bytes_slice(search->text, search->here.at, search->end - search->here.at);
    enum status status = tokens_encode(piece, keep_end, &ends);
    if (status != STATUS_OK && status != STATUS_LIMIT)
        return status;
    *end = search->here.at;
    for (size_t i = 0; i < ends.seen && i < ENDS_KEPT; i++) {
        size_t at = ends.kept[(ends.seen - 1 - i) % ENDS_KEPT];
        while (!starts_code_point(search->text, at))
            at--;
        if (at <= search->here.at)
            break;
        bool fit;
        status = fits(search, at, &fit);
        if (status != STATUS_OK)
            return status;
        if (fit) {
            *end = at;
            break;
        }
    }
    return stretch(search, &ends, end);
}

// How many bytes of the text its corrected form's first `corrected` bytes stand for.
static size_t uncorrected_size(struct bytes text, size_t corrected)
{
    size_t at = 0;
    for (size_t done = 0; done < corrected;) {
        uint32_t code;
        bool valid;
        size_t size = utf8_decode(bytes_from(text, at), &code, &valid);
        done += valid ? size : 3;
        at += size;
    }
    return at;
}

enum status tokens_prefix(struct bytes text, size_t max, struct bytes *prefix)
{
    struct buf copy;
    buf_init(&copy, SIZE_MAX);
    struct search search = {.max = max};
    bool found = false;
    enum status status = tokens_correct(text, &copy, &search.text);
    if (status == STATUS_OK)
        status = find_piece(&search, &found);
    size_t end = search.text.size;
    if (status == STATUS_OK && found)
        status = search.end - search.here.at > LONG_PIECE_BYTES ? try_token_ends(&search, &end)
                                                                : try_all(&search, &end);
    if (status == STATUS_OK)
        *prefix = bytes_slice(text, 0, copy.size > 0 ? uncorrected_size(text, end) : end);
    buf_fini(&copy);
    return status;
}
