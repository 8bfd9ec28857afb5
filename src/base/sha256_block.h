// SPDX-License-Identifier: Apache-2.0
// The compression function of SHA-256 behind sha256.c: one portable, one in instructions.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

extern const uint32_t sha256_round_constants[64];

typedef void (*sha256_blocks)(uint32_t state[8], const unsigned char *data, size_t blocks);

// The processor's own version, or NULL when it has none. Implemented once for each platform.
sha256_blocks sha256_platform_blocks(void);
