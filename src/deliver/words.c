// SPDX-License-Identifier: Apache-2.0
#include "deliver/words.h"

#include "base/utf8.h"

#include <string.h>

struct range {
    uint32_t first, last;
};

static bool is_in(const struct range *ranges, size_t count, uint32_t code)
{
    for (size_t i = 0; i < count; i++) {
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    }
    return false;
}

static bool is_symbol(uint32_t code)
{
    static const struct range symbols[] = {
        {0x80, 0xA9},     {0xAB, 0xB4},       {0xB6, 0xB9},        {0xBB, 0xBF},
        {0xD7, 0xD7},     {0xF7, 0xF7},       {0x2000, 0x206F},    {0x20A0, 0x20CF},
        {0x2190, 0x2BFF}, {0x2E00, 0x2E7F},   {0x3000, 0x3004},    {0x3008, 0x3020},
        {0x3030, 0x3030}, {0xD800, 0xF8FF},   {0xFE00, 0xFE1F},    {0xFE30, 0xFE6F},
        {0xFEFF, 0xFF0F}, {0xFF1A, 0xFF20},   {0xFF3B, 0xFF40},    {0xFF5B, 0xFF65},
        {0xFFE0, 0xFFFF}, {0x1F000, 0x1FAFF}, {0xE0000, 0x10FFFF},
    };
    return is_in(symbols, sizeof symbols / sizeof symbols[0], code);
}

static bool is_ideograph(uint32_t code)
{
    static const struct range ideographs[] = {
        {0x3040, 0x30FF}, {0x3400, 0x4DBF}, {0x4E00, 0x9FFF}, {0xF900, 0xFAFF}, {0x20000, 0x323AF},
    };
    return is_in(ideographs, sizeof ideographs / sizeof ideographs[0], code);
}

bool words_is_word(uint32_t code)
{
    if (code < 0x80)
        return (code >= '0' && code <= '9') || (code >= 'A' && code <= 'Z') ||
               (code >= 'a' && code <= 'z');
    return !is_symbol(code);
}

uint32_t words_fold(uint32_t code)
{
    if (code >= 'A' && code <= 'Z')
        return code + 32;
    if (code < 0xC0)
        return code;
    if (code <= 0xDE && code != 0xD7)
        return code + 32;
    // Latin Extended-A keeps capitals at even places up to U+0137, and from U+014A to U+0177.
    if ((code >= 0x100 && code <= 0x137 && code != 0x130) || (code >= 0x14A && code <= 0x177))
        return code | 1;
    if ((code >= 0x139 && code <= 0x148) || (code >= 0x179 && code <= 0x17E))
        return code + (code & 1);
    if ((code >= 0x391 && code <= 0x3A9) || (code >= 0x410 && code <= 0x42F))
        return code + 32;
    if (code >= 0x400 && code <= 0x40F)
        return code + 80;
    return code >= 0x460 && code <= 0x481 ? code | 1 : code;
}

void words_init(struct words *words, struct bytes text)
{
    *words = (struct words){.text = text};
}

static bool ends(const struct word *word, const char *ending, size_t stem_min)
{
    size_t size = strlen(ending);
    return word->size >= size + stem_min &&
           memcmp(word->text + word->size - size, ending, size) == 0;
}

static bool is_vowel(char c)
{
    return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u' || c == 'y';
}

// "mapped" and "mapping" lose one p, so that they meet "map"; "ll", "ss" and "zz" stand in stems.
static void undouble(struct word *word)
{
    char last = word->size > 3 ? word->text[word->size - 1] : '\0';
    if (last != '\0' && last == word->text[word->size - 2] && !is_vowel(last) && last != 'l' &&
        last != 's' && last != 'z')
        word->size--;
}

static void drop_last_vowel(struct word *word)
{
    if (ends(word, "e", 3) || ends(word, "y", 3) || ends(word, "i", 3))
        word->size--;
}

// Plurals and the commonest endings only: queries and reports must meet, nobody reads the stem.
static void stem(struct word *word)
{
    if (ends(word, "ies", 2)) {
        word->size -= 2;
    } else if (ends(word, "sses", 1) || ends(word, "xes", 2) || ends(word, "ches", 2) ||
               ends(word, "shes", 2)) {
        word->size -= 2;
    } else if (ends(word, "s", 3) && !ends(word, "ss", 0) && !ends(word, "us", 0) &&
               !ends(word, "is", 0)) {
        word->size--;
    }
    if (ends(word, "ing", 3)) {
        word->size -= 3;
        undouble(word);
    } else if (ends(word, "ed", 3)) {
        word->size -= 2;
        undouble(word);
    } else if (ends(word, "tion", 3) || ends(word, "sion", 3)) {
        word->size -= 3;
    } else if (ends(word, "ly", 4)) {
        word->size -= 2;
    }
    drop_last_vowel(word);
    // "migrate", "migrating" and "migration" have met in "migrat"; so may "implementation" and
    // "implement".
    if (ends(word, "at", 4))
        word->size -= 2;
    if (ends(word, "ment", 4))
        word->size -= 4;
    else if (ends(word, "enc", 5) || ends(word, "anc", 5))
        word->size -= 3;
    drop_last_vowel(word);
}

static void append_code(struct word *word, uint32_t code)
{
    char encoded[4];
    size_t size = utf8_encode(words_fold(code), encoded);
    if (word->size + size > WORDS_SIZE)
        return;
    memcpy(word->text + word->size, encoded, size);
    word->size += size;
}

// Most text is ASCII: its bytes need no decoding. Takes those up to the first that is not ASCII,
// and says whether the word ends before that.
static bool take_ascii(struct words *words, struct word *word)
{
    for (; words->at < words->text.size; words->at++) {
        unsigned char c = (unsigned char)words->text.data[words->at];
        if (c >= 0x80)
            return false;
        if (!words_is_word(c)) {
            if (word->size > 0)
                return true;
            continue;
        }
        if (word->size == 0)
            word->from = words->at;
        if (word->size < WORDS_SIZE)
            word->text[word->size++] = (char)words_fold(c);
        word->to = words->at + 1;
    }
    return true;
}

bool words_next(struct words *words, struct word *word)
{
    word->size = word->from = word->to = 0;
    while (!take_ascii(words, word)) {
        uint32_t code;
        bool valid;
        size_t used = utf8_decode(bytes_from(words->text, words->at), &code, &valid);
        bool letter = valid && words_is_word(code);
        bool alone = letter && is_ideograph(code);
        if (word->size > 0 && (!letter || alone))
            break;
        if (letter && word->size == 0)
            word->from = words->at;
        words->at += used;
        if (letter) {
            append_code(word, code);
            word->to = words->at;
        }
        if (alone)
            break;
    }
    if (word->size == 0)
        return false;
    stem(word);
    return true;
}
