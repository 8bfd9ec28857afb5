// SPDX-License-Identifier: Apache-2.0
// CRC-32C (Castagnoli, RFC 3720 appendix B.4): the checksum of everything the store writes. Uses
// the processor's instruction where there is one, a table elsewhere; both give the same numbers.
#pragma once

#include "base/bytes.h"

// The checksum of what gave `crc` so far with `size` more bytes behind it; 0 starts a new one.
uint32_t crc32c(uint32_t crc, const void *data, size_t size);

// One implementation: takes and returns the inner register (not inverted).
typedef uint32_t (*crc32c_update)(uint32_t state, const unsigned char *data, size_t size);

// The processor's own, or NULL when it has none; at most one platform file gives one.
crc32c_update crc32c_x86(void);
crc32c_update crc32c_arm(void);

// The table, which runs everywhere; the others are tested against it.
uint32_t crc32c_portable(uint32_t state, const unsigned char *data, size_t size);
