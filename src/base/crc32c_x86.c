// SPDX-License-Identifier: Apache-2.0
// CRC-32C in the crc32 instruction of SSE4.2. The instruction takes three cycles but one can start
// each cycle, so three parts of the data run side by side; a carry-less multiplication moves the
// first two over the length of what follows them. Elsewhere this file gives NULL.
#include "base/crc32c.h"

#if defined(__x86_64__)

#include <nmmintrin.h>
#include <string.h>
#include <wmmintrin.h>

enum { LONG_LANE = 1024, SHORT_LANE = 128 };

// x^(8n - 33) modulo the polynomial, reflected: what moves a register over n bytes.
#define SHIFT_LONG        UINT32_C(0x170076fa)
#define SHIFT_LONG_TWICE  UINT32_C(0xa51b6135)
#define SHIFT_SHORT       UINT32_C(0x0d3b6092)
#define SHIFT_SHORT_TWICE UINT32_C(0xb9e02b86)

static uint64_t load64(const unsigned char *from)
{
    uint64_t value;
    memcpy(&value, from, sizeof value);
    return value;
}

__attribute__((target("sse4.2,pclmul"))) static uint32_t shift(uint64_t state, uint32_t factor)
{
    __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)state),
                                           _mm_cvtsi64_si128((long long)factor), 0);
    return (uint32_t)_mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(product));
}

// Three lanes of `lane` bytes each; factors move over one lane and over two.
__attribute__((target("sse4.2,pclmul"))) static uint32_t three_lanes(uint32_t state,
                                                                     const unsigned char *data,
                                                                     size_t lane, uint32_t over_one,
                                                                     uint32_t over_two)
{
    uint64_t a = state;
    uint64_t b = 0;
    uint64_t c = 0;
    for (size_t i = 0; i < lane; i += 8) {
        a = _mm_crc32_u64(a, load64(data + i));
        b = _mm_crc32_u64(b, load64(data + lane + i));
        c = _mm_crc32_u64(c, load64(data + 2 * lane + i));
    }
    return shift(a, over_two) ^ shift(b, over_one) ^ (uint32_t)c;
}

__attribute__((target("sse4.2,pclmul"))) static uint32_t update_x86(uint32_t state,
                                                                    const unsigned char *data,
                                                                    size_t size)
{
    for (; size >= 3 * LONG_LANE; size -= 3 * LONG_LANE, data += 3 * LONG_LANE)
        state = three_lanes(state, data, LONG_LANE, SHIFT_LONG, SHIFT_LONG_TWICE);
    for (; size >= 3 * SHORT_LANE; size -= 3 * SHORT_LANE, data += 3 * SHORT_LANE)
        state = three_lanes(state, data, SHORT_LANE, SHIFT_SHORT, SHIFT_SHORT_TWICE);
    for (; size >= 8; size -= 8, data += 8)
        state = (uint32_t)_mm_crc32_u64(state, load64(data));
    for (; size > 0; size--, data++)
        state = _mm_crc32_u8(state, *data);
    return state;
}

crc32c_update crc32c_x86(void)
{
    // The compiler's runtime asks the processor once at start; asking here would cost more than
    // most checksums.
    return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul") ? update_x86 : NULL;
}

#else

crc32c_update crc32c_x86(void)
{
    return NULL;
}

#endif
