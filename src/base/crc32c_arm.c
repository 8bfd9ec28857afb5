// SPDX-License-Identifier: Apache-2.0
// CRC-32C in the crc32c instructions of ARMv8; elsewhere this file gives NULL.
#include "base/crc32c.h"

#if defined(__aarch64__) && (defined(__linux__) || defined(__APPLE__))

#include <arm_acle.h>
#include <string.h>

#if defined(__linux__)
#include <sys/auxv.h>
static bool has_crc(void)
{
    const unsigned long hwcap_crc32 = 1UL << 7;
    return (getauxval(AT_HWCAP) & hwcap_crc32) != 0;
}
#else
static bool has_crc(void)
{
    return true;
}
#endif

#if defined(__clang__)
#define WITH_CRC __attribute__((target("crc")))
#else
#define WITH_CRC __attribute__((target("+crc")))
#endif

WITH_CRC static uint32_t update_arm(uint32_t state, const unsigned char *data, size_t size)
{
    for (; size >= 8; size -= 8, data += 8) {
        uint64_t word;
        memcpy(&word, data, sizeof word);
        state = __crc32cd(state, word);
    }
    for (; size > 0; size--, data++)
        state = __crc32cb(state, *data);
    return state;
}

crc32c_update crc32c_arm(void)
{
    return has_crc() ? update_arm : NULL;
}

#else

crc32c_update crc32c_arm(void)
{
    return NULL;
}

#endif
