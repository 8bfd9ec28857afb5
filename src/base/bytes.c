// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE // memmem
#include "base/bytes.h"

#include <string.h>

struct bytes bytes_of(const void *data, size_t size)
{
    return (struct bytes){data, size};
}

struct bytes bytes_of_string(const char *string)
{
    return (struct bytes){string, string == NULL ? 0 : strlen(string)};
}

bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool bytes_equal_nocase(struct bytes a, struct bytes b)
{
    if (a.size != b.size)
        return false;
    for (size_t i = 0; i < a.size; i++) {
        if (lower(a.data[i]) != lower(b.data[i]))
            return false;
    }
    return true;
}

int bytes_compare(struct bytes a, struct bytes b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common == 0 ? 0 : memcmp(a.data, b.data, common);
    if (order != 0)
        return order;
    return a.size < b.size ? -1 : a.size > b.size;
}

bool bytes_start_with(struct bytes text, struct bytes prefix)
{
    return text.size >= prefix.size && bytes_equal(bytes_slice(text, 0, prefix.size), prefix);
}

bool bytes_end_with(struct bytes text, struct bytes suffix)
{
    return text.size >= suffix.size &&
           bytes_equal(bytes_from(text, text.size - suffix.size), suffix);
}

struct bytes bytes_slice(struct bytes text, size_t from, size_t size)
{
    if (from >= text.size)
        return (struct bytes){NULL, 0};
    size_t left = text.size - from;
    return (struct bytes){text.data + from, size < left ? size : left};
}

struct bytes bytes_from(struct bytes text, size_t from)
{
    return bytes_slice(text, from, SIZE_MAX);
}

size_t bytes_find_byte(struct bytes text, char byte)
{
    if (text.size == 0)
        return SIZE_MAX;
    const char *at = memchr(text.data, byte, text.size);
    return at == NULL ? SIZE_MAX : (size_t)(at - text.data);
}

size_t bytes_find(struct bytes text, struct bytes needle)
{
    if (needle.size == 0)
        return 0;
    if (text.size == 0)
        return SIZE_MAX;
    const char *at = memmem(text.data, text.size, needle.data, needle.size);
    return at == NULL ? SIZE_MAX : (size_t)(at - text.data);
}

struct bytes bytes_cut(struct bytes text, char separator, struct bytes *rest)
{
    size_t at = bytes_find_byte(text, separator);
    if (at == SIZE_MAX) {
        *rest = (struct bytes){NULL, 0};
        return text;
    }
    *rest = (struct bytes){text.data + at + 1, text.size - at - 1};
    return (struct bytes){text.data, at};
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct bytes bytes_trim(struct bytes text)
{
    while (text.size > 0 && is_blank(text.data[0]))
        text = (struct bytes){text.data + 1, text.size - 1};
    while (text.size > 0 && is_blank(text.data[text.size - 1]))
        text.size--;
    return text;
}

bool bytes_to_u64(struct bytes text, uint64_t *out)
{
    uint64_t value = 0;
    if (text.size == 0)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(text.data[i] - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

static uint64_t mix(uint64_t h)
{
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93U;
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93U;
    return h ^ (h >> 32);
}

uint64_t bytes_hash(struct bytes text, uint64_t seed)
{
    uint64_t h = seed ^ (text.size * 0x9e3779b97f4a7c15U);
    size_t i = 0;
    for (; i + 8 <= text.size; i += 8) {
        uint64_t word;
        memcpy(&word, text.data + i, 8);
        h = mix(h ^ word) + seed;
    }
    uint64_t tail = 0;
    if (i < text.size)
        memcpy(&tail, text.data + i, text.size - i);
    return mix(h ^ tail);
}
