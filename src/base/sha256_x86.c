// SPDX-License-Identifier: Apache-2.0
// SHA-256 in x86's SHA extensions, on processors that have them; elsewhere this file gives NULL.
#include "base/sha256_block.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

// Two rounds for each half of four schedule words.
__attribute__((target("sha,sse4.1"))) static void four_rounds(__m128i *abef, __m128i *cdgh,
                                                              __m128i words, int round)
{
    const __m128i *k = (const __m128i *)(const void *)(sha256_round_constants + round);
    __m128i sum = _mm_add_epi32(words, _mm_loadu_si128(k));
    *cdgh = _mm_sha256rnds2_epu32(*cdgh, *abef, sum);
    sum = _mm_shuffle_epi32(sum, 0x0E);
    *abef = _mm_sha256rnds2_epu32(*abef, *cdgh, sum);
}

// The next four schedule words out of the last sixteen (w[0] the oldest).
__attribute__((target("sha,sse4.1"))) static __m128i next_words(const __m128i w[4])
{
    __m128i next = _mm_sha256msg1_epu32(w[0], w[1]);
    next = _mm_add_epi32(next, _mm_alignr_epi8(w[3], w[2], 4));
    return _mm_sha256msg2_epu32(next, w[3]);
}

__attribute__((target("sha,sse4.1"))) static void sha_blocks(uint32_t state[8],
                                                             const unsigned char *data,
                                                             size_t blocks)
{
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    __m128i dcba = _mm_loadu_si128((const __m128i *)(const void *)state);
    __m128i hgfe = _mm_loadu_si128((const __m128i *)(const void *)(state + 4));
    __m128i cdab = _mm_shuffle_epi32(dcba, 0xB1);
    __m128i efgh = _mm_shuffle_epi32(hgfe, 0x1B);
    __m128i abef = _mm_alignr_epi8(cdab, efgh, 8);
    __m128i cdgh = _mm_blend_epi16(efgh, cdab, 0xF0);

    for (; blocks > 0; blocks--, data += 64) {
        __m128i abef_before = abef;
        __m128i cdgh_before = cdgh;
        __m128i w[4];
        for (int i = 0; i < 4; i++) {
            __m128i raw = _mm_loadu_si128((const __m128i *)(const void *)(data + 16 * i));
            w[i] = _mm_shuffle_epi8(raw, big_endian);
            four_rounds(&abef, &cdgh, w[i], 4 * i);
        }
        for (int round = 16; round < 64; round += 4) {
            __m128i next = next_words(w);
            w[0] = w[1];
            w[1] = w[2];
            w[2] = w[3];
            w[3] = next;
            four_rounds(&abef, &cdgh, next, round);
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }

    __m128i feba = _mm_shuffle_epi32(abef, 0x1B);
    __m128i dchg = _mm_shuffle_epi32(cdgh, 0xB1);
    _mm_storeu_si128((__m128i *)(void *)state, _mm_blend_epi16(feba, dchg, 0xF0));
    _mm_storeu_si128((__m128i *)(void *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

static bool has_sha(void)
{
    unsigned a, b, c, d;
    if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & bit_SSE4_1) == 0 || (c & bit_SSSE3) == 0)
        return false;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_SHA) != 0;
}

sha256_blocks sha256_platform_blocks(void)
{
    return has_sha() ? sha_blocks : NULL;
}

#else

sha256_blocks sha256_platform_blocks(void)
{
    return NULL;
}

#endif
