// SPDX-License-Identifier: Apache-2.0
// Little-endian numbers in files, at any alignment. Compilers make one load or store of each.
#pragma once

#include <stdint.h>

static inline uint16_t le_get16(const void *from)
{
    const unsigned char *p = from;
    return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t le_get32(const void *from)
{
    const unsigned char *p = from;
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t le_get64(const void *from)
{
    const unsigned char *p = from;
    return (uint64_t)le_get32(p) | (uint64_t)le_get32(p + 4) << 32;
}

static inline void le_put16(void *to, uint16_t value)
{
    unsigned char *p = to;
    p[0] = (unsigned char)value;
    p[1] = (unsigned char)(value >> 8);
}

static inline void le_put32(void *to, uint32_t value)
{
    unsigned char *p = to;
    p[0] = (unsigned char)value;
    p[1] = (unsigned char)(value >> 8);
    p[2] = (unsigned char)(value >> 16);
    p[3] = (unsigned char)(value >> 24);
}

static inline void le_put64(void *to, uint64_t value)
{
    unsigned char *p = to;
    le_put32(p, (uint32_t)value);
    le_put32(p + 4, (uint32_t)(value >> 32));
}
