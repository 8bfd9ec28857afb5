// SPDX-License-Identifier: Apache-2.0
// The pattern as a hand-written scanner. What makes that possible: each alternative is a few runs
// of classes, and wherever the expression would backtrack, the place where it ends up is known from
// the run alone. Each function below says why.
#include "deliver/pretoken.h"

#include "base/le.h"

#include <string.h>

// In the order of tools/make_classes.mjs.
enum pretoken_class {
    CLASS_OTHER,   // in none of the sets below, and no white space
    CLASS_MARK,    // \p{M}: in both letter sets of the pattern, though it is no \p{L}
    CLASS_UPPER,   // \p{Lu} \p{Lt}
    CLASS_LOWER,   // \p{Ll}
    CLASS_LETTER,  // \p{Lm} \p{Lo}: in both letter sets
    CLASS_NUMBER,  // \p{N}
    CLASS_SPACE,   // \s but not a newline
    CLASS_NEWLINE, // \r \n
    CLASS_END,     // not in the table: behind the text
};

#define BIT(class) (1U << (class))

enum {
    SET_HEAD = BIT(CLASS_MARK) | BIT(CLASS_UPPER) | BIT(CLASS_LETTER), // before the small letters
    SET_TAIL = BIT(CLASS_MARK) | BIT(CLASS_LOWER) | BIT(CLASS_LETTER), // the small letters
    SET_BOTH = SET_HEAD & SET_TAIL,
    SET_SYMBOL = BIT(CLASS_OTHER) | BIT(CLASS_MARK), // [^\s\p{L}\p{N}]
    SET_SPACE = BIT(CLASS_SPACE) | BIT(CLASS_NEWLINE),
    SET_PREFIX = BIT(CLASS_OTHER) | BIT(CLASS_MARK) | BIT(CLASS_SPACE), // [^\r\n\p{L}\p{N}]
};

enum { BLOCK_CODES = 128, INDEX_SIZE = 0x110000 / BLOCK_CODES };

// In vocab_data.S: a byte a block of code points that numbers the block's packed classes, and
// behind these the blocks, two classes a byte, low half first.
extern const unsigned char unicode_class_data[];

static enum pretoken_class class_of(uint32_t code)
{
    const unsigned char *blocks = unicode_class_data + INDEX_SIZE;
    size_t block = unicode_class_data[code / BLOCK_CODES];
    unsigned pair = blocks[block * (BLOCK_CODES / 2) + code % BLOCK_CODES / 2];
    return (enum pretoken_class)(pair >> (code % 2 * 4) & 15);
}

// The sets that an ASCII byte is in, at hand: most text is ASCII.
#define O BIT(CLASS_OTHER)
#define U BIT(CLASS_UPPER)
#define L BIT(CLASS_LOWER)
#define N BIT(CLASS_NUMBER)
#define S BIT(CLASS_SPACE)
#define R BIT(CLASS_NEWLINE)
static const uint8_t ascii_bits[128] = {
    O, O, O, O, O, O, O, O, O, S, R, S, S, R, O, O, // up to 0x0F
    O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, //
    S, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, // blank ! " # ...
    N, N, N, N, N, N, N, N, N, N, O, O, O, O, O, O, // digits
    O, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, // @ A B C ...
    U, U, U, U, U, U, U, U, U, U, U, O, O, O, O, O, //
    O, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, // ` a b c ...
    L, L, L, L, L, L, L, L, L, L, L, O, O, O, O, O, //
};
#undef O
#undef U
#undef L
#undef N
#undef S
#undef R

// One code point: its class as a bit of the sets, and how many bytes it has (0 at the end).
struct glyph {
    unsigned bit;
    size_t size;
};

static struct glyph decode_long(const unsigned char *at, size_t left)
{
    size_t size = at[0] < 0xE0 ? 2 : at[0] < 0xF0 ? 3 : 4;
    if (size > left) // only when the caller broke its promise of valid text
        return (struct glyph){BIT(CLASS_OTHER), left};
    uint32_t code;
    if (size == 2)
        code = (at[0] & 0x1FU) << 6 | (at[1] & 0x3FU);
    else if (size == 3)
        code = (at[0] & 0x0FU) << 12 | (at[1] & 0x3FU) << 6 | (at[2] & 0x3FU);
    else
        code = (at[0] & 0x07U) << 18 | (at[1] & 0x3FU) << 12 | (at[2] & 0x3FU) << 6 |
               (at[3] & 0x3FU);
    if (code >= 0x110000)
        return (struct glyph){BIT(CLASS_OTHER), size};
    return (struct glyph){BIT(class_of(code)), size};
}

static inline struct glyph glyph_at(struct bytes text, size_t at)
{
    if (at >= text.size)
        return (struct glyph){BIT(CLASS_END), 0};
    const unsigned char *data = (const unsigned char *)text.data + at;
    if (*data < 0x80)
        return (struct glyph){ascii_bits[*data], 1};
    return decode_long(data, text.size - at);
}

static size_t run_end(struct bytes text, size_t at, unsigned set)
{
    const unsigned char *data = (const unsigned char *)text.data;
    for (;;) {
        while (at < text.size && data[at] < 0x80 && (ascii_bits[data[at]] & set) != 0)
            at++;
        struct glyph glyph = glyph_at(text, at);
        if ((glyph.bit & set) == 0)
            return at;
        at += glyph.size;
    }
}

// How many of the next eight bytes, from the first on, are a to z. Without a branch on the length
// of a word: that is the one thing about text that a processor cannot predict.
static size_t small_letters(const char *at)
{
    const uint64_t ones = 0x0101010101010101U;
    uint64_t word = le_get64(at);
    uint64_t low = word & ones * 0x7F;
    uint64_t from_a = low + ones * (0x80 - 'a'); // the high bit of each byte says "at least a"
    uint64_t above_z = low + ones * (0x7F - 'z');
    uint64_t other = ~(from_a & ~above_z & ~word) & ones * 0x80;
    uint64_t before = (other & -other) - 1; // all bits below the first other byte's high bit
    return (size_t)((before >> 7 & ones) * ones >> 56);
}

static char lower_ascii(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

// Behind the contraction at this place, if there is one.
static size_t contraction_end(struct bytes text, size_t at)
{
    size_t left = text.size - at;
    const char *data = text.data + at;
    if (left < 2 || data[0] != '\'')
        return at;
    char first = lower_ascii(data[1]);
    if (first == 's' || first == 't' || first == 'm' || first == 'd')
        return at + 2;
    if (left < 3)
        return at;
    char second = lower_ascii(data[2]);
    if ((second == 'e' && (first == 'r' || first == 'v')) || (first == 'l' && second == 'l'))
        return at + 3;
    // U+017F, the long s, is the only other character that folds to one of these letters.
    return memcmp(data + 1, "\xC5\xBF", 2) == 0 ? at + 3 : at;
}

// The first two alternatives from their letters on; returns `at` when neither matches here.
//
// HEAD* takes the whole run of head letters. If a small letter follows, TAIL+ takes all of those.
// If not, HEAD* gives back until TAIL+ can have one: that is the last letter of the run which is in
// both sets, and TAIL+ stops behind it. A run without such a letter is capitals only, which the
// second alternative takes whole.
static size_t letters_end(struct bytes text, size_t at)
{
    size_t end = at;
    size_t both_end = at;
    if (end + 9 <= text.size) {
        // Nearly every word: perhaps one capital, then small letters.
        unsigned char first = (unsigned char)text.data[at];
        end += first < 0x80 && ascii_bits[first] == BIT(CLASS_UPPER);
        size_t letters = small_letters(text.data + end);
        if (letters > 0)
            return run_end(text, end + letters, SET_TAIL);
        end = at;
    }
    for (;;) {
        struct glyph glyph = glyph_at(text, end);
        if (glyph.bit == BIT(CLASS_LOWER))
            return run_end(text, end + glyph.size, SET_TAIL);
        if ((glyph.bit & SET_HEAD) == 0)
            return both_end > at ? both_end : end;
        end += glyph.size;
        if ((glyph.bit & SET_BOTH) != 0)
            both_end = end;
    }
}

// Whether the first alternative, not the second, would match at these letters.
static bool letters_have_tail(struct bytes text, size_t at)
{
    size_t end = run_end(text, at, BIT(CLASS_UPPER));
    return (glyph_at(text, end).bit & SET_TAIL) != 0;
}

// A run of white space that no letter or symbol takes its last blank from: up to its last newline,
// else all but the blank before what follows, else (a single blank) all of it.
static size_t space_end(struct bytes text)
{
    size_t end = 0;
    size_t last = 0; // where the last code point of the run starts
    size_t newline_end = 0;
    struct glyph glyph;
    for (;;) {
        glyph = glyph_at(text, end);
        if ((glyph.bit & SET_SPACE) == 0)
            break;
        last = end;
        end += glyph.size;
        if (glyph.bit == BIT(CLASS_NEWLINE))
            newline_end = end;
    }
    if (newline_end > 0)
        return newline_end;
    return end == text.size || last == 0 ? end : last;
}

static size_t symbols_end(struct bytes text, size_t at)
{
    at = run_end(text, at, SET_SYMBOL);
    while (at < text.size &&
           (text.data[at] == '\r' || text.data[at] == '\n' || text.data[at] == '/'))
        at++;
    return at;
}

static size_t numbers_end(struct bytes text)
{
    size_t at = 0;
    for (int i = 0; i < 3; i++) {
        struct glyph glyph = glyph_at(text, at);
        if (glyph.bit != BIT(CLASS_NUMBER))
            break;
        at += glyph.size;
    }
    return at;
}

// A mark is in both letter sets, so it can start the letters as well as precede them. Preceding is
// tried first, alternative by alternative: only when the first alternative matches neither behind
// the mark nor at it would the second get its turn, and at the mark it always matches.
static size_t mark_end(struct bytes text, size_t mark_size)
{
    size_t letters = letters_have_tail(text, mark_size) ? mark_size : 0;
    return letters_end(text, letters);
}

size_t pretoken_next(struct bytes text)
{
    struct glyph first = glyph_at(text, 0);
    size_t end;
    if ((first.bit & (BIT(CLASS_UPPER) | BIT(CLASS_LOWER) | BIT(CLASS_LETTER))) != 0)
        return contraction_end(text, letters_end(text, 0));
    if (first.bit == BIT(CLASS_NUMBER))
        return numbers_end(text);
    if (first.bit == BIT(CLASS_MARK))
        return contraction_end(text, mark_end(text, first.size));
    if ((first.bit & SET_PREFIX) != 0) {
        end = letters_end(text, first.size);
        if (end > first.size)
            return contraction_end(text, end);
    }
    if (first.bit == BIT(CLASS_OTHER))
        return symbols_end(text, 0);
    if (text.data[0] == ' ' && (glyph_at(text, 1).bit & SET_SYMBOL) != 0)
        return symbols_end(text, 1);
    return space_end(text);
}
