// SPDX-License-Identifier: Apache-2.0
#include "base/sha256.h"

#include "base/sha256_block.h"

#include <string.h>

enum { BLOCK = 64 };

// First 32 bits of the fractional parts of the cube roots of the first 64 primes (FIPS
// 180-4, 4.2.2).
const uint32_t sha256_round_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotate(uint32_t x, int by)
{
    return x >> by | x << (32 - by);
}

static uint32_t load_be32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void schedule(uint32_t w[64], const unsigned char *data)
{
    for (int i = 0; i < 16; i++)
        w[i] = load_be32(data + 4 * i);
    for (int i = 16; i < 64; i++) {
        uint32_t s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
        uint32_t s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
}

static void portable_blocks(uint32_t state[8], const unsigned char *data, size_t blocks)
{
    for (; blocks > 0; blocks--, data += BLOCK) {
        uint32_t w[64];
        uint32_t v[8];
        schedule(w, data);
        memcpy(v, state, sizeof v);
        for (int i = 0; i < 64; i++) {
            uint32_t s1 = rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25);
            uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
            uint32_t t1 = v[7] + s1 + choice + sha256_round_constants[i] + w[i];
            uint32_t s0 = rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22);
            uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
            memmove(v + 1, v, 7 * sizeof v[0]);
            v[4] += t1;
            v[0] = t1 + s0 + majority;
        }
        for (int i = 0; i < 8; i++)
            state[i] += v[i];
    }
}

static sha256_blocks best_blocks(void)
{
    sha256_blocks platform = sha256_platform_blocks();
    return platform != NULL ? platform : portable_blocks;
}

void sha256_init(struct sha256 *hash)
{
    *hash = (struct sha256){.state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
                                      0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

void sha256_update(struct sha256 *hash, struct bytes bytes)
{
    sha256_blocks blocks = best_blocks();
    size_t held = (size_t)(hash->size % BLOCK);
    hash->size += bytes.size;
    if (held > 0) {
        struct bytes head = bytes_slice(bytes, 0, BLOCK - held);
        if (head.size > 0)
            memcpy(hash->block + held, head.data, head.size);
        bytes = bytes_from(bytes, head.size);
        if (held + head.size < BLOCK)
            return;
        blocks(hash->state, hash->block, 1);
    }
    size_t whole = bytes.size / BLOCK;
    if (whole > 0)
        blocks(hash->state, (const unsigned char *)bytes.data, whole);
    struct bytes rest = bytes_from(bytes, whole * BLOCK);
    if (rest.size > 0)
        memcpy(hash->block, rest.data, rest.size);
}

void sha256_final(struct sha256 *hash, unsigned char digest[SHA256_BYTES])
{
    uint64_t bits = hash->size * 8;
    size_t held = (size_t)(hash->size % BLOCK);
    size_t zeros = (held < 56 ? 56 : 120) - held - 1;
    char padding[BLOCK * 2] = {(char)0x80};
    for (size_t i = 0; i < 8; i++)
        padding[1 + zeros + i] = (char)(unsigned char)(bits >> (56 - 8 * i));
    sha256_update(hash, bytes_of(padding, 1 + zeros + 8));
    for (size_t i = 0; i < SHA256_BYTES; i++)
        digest[i] = (unsigned char)(hash->state[i / 4] >> (24 - 8 * (i % 4)));
}

void sha256_to_hex(const unsigned char digest[SHA256_BYTES], char hex[SHA256_HEX_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        hex[2 * i] = digits[digest[i] >> 4];
        hex[2 * i + 1] = digits[digest[i] & 15];
    }
    hex[2 * SHA256_BYTES] = '\0';
}

void sha256_hex(struct bytes bytes, char hex[SHA256_HEX_SIZE])
{
    struct sha256 hash;
    unsigned char digest[SHA256_BYTES];
    sha256_init(&hash);
    sha256_update(&hash, bytes);
    sha256_final(&hash, digest);
    sha256_to_hex(digest, hex);
}
