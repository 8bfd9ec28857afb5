// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"

#include "base/assert.h"

#include <string.h>

struct lead {
    size_t size; // of the whole sequence; 0 for a byte that cannot start one
    unsigned char second_min, second_max; // what the second byte may be
    uint32_t bits;                        // payload of the first byte
};

static struct lead lead_of(unsigned char c)
{
    if (c < 0x80)
        return (struct lead){1, 0, 0, c};
    if (c < 0xC2)
        return (struct lead){0, 0, 0, 0};
    if (c < 0xE0)
        return (struct lead){2, 0x80, 0xBF, c & 0x1FU};
    if (c < 0xF0) {
        unsigned char min = c == 0xE0 ? 0xA0 : 0x80;
        unsigned char max = c == 0xED ? 0x9F : 0xBF;
        return (struct lead){3, min, max, c & 0x0FU};
    }
    if (c < 0xF5) {
        unsigned char min = c == 0xF0 ? 0x90 : 0x80;
        unsigned char max = c == 0xF4 ? 0x8F : 0xBF;
        return (struct lead){4, min, max, c & 0x07U};
    }
    return (struct lead){0, 0, 0, 0};
}

size_t utf8_decode(struct bytes text, uint32_t *code, bool *valid)
{
    ASSERT(text.size > 0);
    const unsigned char *data = (const unsigned char *)text.data;
    struct lead lead = lead_of(data[0]);
    *code = UTF8_INVALID;
    *valid = false;
    if (lead.size == 0)
        return 1;
    uint32_t value = lead.bits;
    for (size_t i = 1; i < lead.size; i++) {
        unsigned char min = i == 1 ? lead.second_min : 0x80;
        unsigned char max = i == 1 ? lead.second_max : 0xBF;
        if (i >= text.size || data[i] < min || data[i] > max)
            return i;
        value = value << 6 | (data[i] & 0x3FU);
    }
    *code = value;
    *valid = true;
    return lead.size;
}

size_t utf8_encode(uint32_t code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t size = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char marks[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = size - 1; i > 0; i--) {
        out[i] = (char)(unsigned char)(0x80U | (code & 0x3FU));
        code >>= 6;
    }
    out[0] = (char)(unsigned char)(marks[size] | code);
    return size;
}

// Most text is ASCII: eight bytes at a time until one is not.
static size_t ascii_run(struct bytes text, size_t from)
{
    size_t i = from;
    while (i + 8 <= text.size) {
        uint64_t word;
        memcpy(&word, text.data + i, 8);
        if ((word & 0x8080808080808080U) != 0)
            break;
        i += 8;
    }
    return i;
}

bool utf8_is_valid(struct bytes text)
{
    size_t i = 0;
    while (i < text.size) {
        i = ascii_run(text, i);
        if (i >= text.size)
            break;
        uint32_t code;
        bool valid;
        i += utf8_decode(bytes_from(text, i), &code, &valid);
        if (!valid)
            return false;
    }
    return true;
}

struct bytes utf8_prefix(struct bytes text, size_t size)
{
    if (size >= text.size)
        return text;
    size_t end = size;
    // Step back over continuation bytes, at most three: the byte at end must start a code point.
    for (int i = 0; i < 3 && end > 0 && ((unsigned char)text.data[end] & 0xC0U) == 0x80; i++)
        end--;
    if (((unsigned char)text.data[end] & 0xC0U) == 0x80)
        end = size;
    return bytes_slice(text, 0, end);
}
