// SPDX-License-Identifier: Apache-2.0
// Lookups in the embedded vocabulary. The sizes and places of its sections are constants here, so
// that a lookup is a hash, two loads that the compiler can address directly and one comparison; a
// test holds them against the header of the file.
//
// The table is a perfect hash: a bucket of tokens has a pilot, which sends each of them to a slot
// of its own. A slot holds 18 bits of rank and 6 more bits of the hash; these turn 63 of 64 misses
// away before the bytes are compared. Everything in the file is little-endian.
#include "deliver/vocab.h"

#include "base/assert.h"
#include "base/le.h"

#include <string.h>

enum {
    BUCKETS = 32768,
    SLOTS = 212000,
    REACH = 32768,
    BLOCK = 16, // tokens that share one base offset
    PILOTS_AT = 64,
    SLOTS_AT = 65600,
    BASES_AT = 701608,
    LENGTHS_AT = 751608,
    SPLITS_AT = 951608,
    REACH_AT = 1151608,
    BYTES_AT = 1184376,
};

// In vocab_data.S.
extern const unsigned char vocab_data[];

// The last word of a text, 1 to 8 bytes, with zeros behind them. Two overlapping loads instead of a
// loop: this is the hottest function of the counter.
static uint64_t load_tail(const unsigned char *at, size_t size)
{
    if (size >= 4) {
        uint64_t high = le_get32(at + size - 4);
        return le_get32(at) | high << (size - 4) * 8;
    }
    return (uint64_t)at[0] | (uint64_t)at[size / 2] << size / 2 * 8 |
           (uint64_t)at[size - 1] << (size - 1) * 8;
}

// Must be the function of the same name in tools/make_vocab.mjs: the file is built with it.
uint64_t vocab_hash(const char *data, size_t size)
{
    const unsigned char *at = (const unsigned char *)data;
    uint64_t hash = size * 0x9E3779B97F4A7C15U;
    for (; size > 8; size -= 8, at += 8) {
        hash = (hash ^ le_get64(at)) * 0xD6E8FEB86659FD93U;
        hash ^= hash >> 32;
    }
    hash = (hash ^ load_tail(at, size)) * 0xD6E8FEB86659FD93U;
    hash ^= hash >> 32;
    hash *= 0xFF51AFD7ED558CCDU;
    return hash ^ hash >> 29;
}

static size_t length_of(uint32_t rank)
{
    return vocab_data[LENGTHS_AT + rank];
}

// Adds up to eight bytes, each at most 128, in four sums of two that cannot overflow.
static size_t sum_bytes(uint64_t word)
{
    uint64_t pairs = (word & 0x00FF00FF00FF00FFU) + (word >> 8 & 0x00FF00FF00FF00FFU);
    return (size_t)(pairs * 0x0001000100010001U >> 48);
}

static const unsigned char *bytes_at(uint32_t rank)
{
    uint32_t block = rank / BLOCK;
    const unsigned char *lengths = vocab_data + LENGTHS_AT + (size_t)block * BLOCK;
    size_t before = rank % BLOCK;
    size_t at = le_get32(vocab_data + BASES_AT + (size_t)block * 4);
    if (before >= 8) {
        at += sum_bytes(le_get64(lengths));
        lengths += 8;
        before -= 8;
    }
    if (before > 0)
        at += sum_bytes(le_get64(lengths) << (8 - before) * 8);
    return vocab_data + BYTES_AT + at;
}

uint32_t vocab_find_hashed(const char *data, size_t size, uint64_t hash)
{
    size_t bucket = hash % BUCKETS;
    uint32_t pilot = le_get16(vocab_data + PILOTS_AT + bucket * 2);
    uint32_t mixed = ((uint32_t)(hash >> 32) ^ pilot * 0x9E3779B1U) * 0x85EBCA6BU;
    size_t place = (size_t)((uint64_t)mixed * SLOTS >> 32);
    // Three bytes and one of the next slot, or of the padding behind the last.
    uint32_t slot = le_get32(vocab_data + SLOTS_AT + place * 3) & 0xFFFFFF;
    if ((slot & 63) != (hash >> 16 & 63))
        return VOCAB_NONE;
    uint32_t rank = slot >> 6;
    if (length_of(rank) != size || memcmp(bytes_at(rank), data, size) != 0)
        return VOCAB_NONE;
    return rank;
}

uint32_t vocab_find(const char *data, size_t size)
{
    ASSERT(size > 0);
    return vocab_find_hashed(data, size, vocab_hash(data, size));
}

size_t vocab_reach(const char *data, size_t size)
{
    static const size_t levels[] = {3, 16, 32, 64};
    size_t reach = 2;
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        if (size < levels[i])
            break;
        size_t found = vocab_data[REACH_AT + (vocab_hash(data, levels[i]) >> 17) % REACH];
        // The levels share a table, so an entry may say less, or more, than this level can.
        reach = found < levels[i] ? levels[i] - 1 : found;
        bool last = i + 1 == sizeof levels / sizeof levels[0];
        if (last || reach < levels[i + 1])
            break;
    }
    return reach < size ? reach : size;
}

struct bytes vocab_bytes(uint32_t rank)
{
    ASSERT(rank < VOCAB_TOKENS);
    return bytes_of(bytes_at(rank), length_of(rank));
}

size_t vocab_split(uint32_t rank)
{
    return vocab_data[SPLITS_AT + rank];
}

struct bytes vocab_file(void)
{
    return bytes_of(vocab_data, VOCAB_SIZE);
}
