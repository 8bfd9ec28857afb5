// SPDX-License-Identifier: Apache-2.0
// SHA-256 (FIPS 180-4), for the digests of reports. It stands in base so that a one-shot command
// needs no crypto library at start; it uses the processor's SHA instructions where there are any.
#pragma once

#include "base/bytes.h"

enum { SHA256_BYTES = 32, SHA256_HEX_SIZE = 65 };

struct sha256 {
    uint32_t state[8];
    uint64_t size; // bytes taken in so far
    unsigned char block[64];
};

void sha256_init(struct sha256 *hash);
void sha256_update(struct sha256 *hash, struct bytes bytes);
void sha256_final(struct sha256 *hash, unsigned char digest[SHA256_BYTES]);

// Digest of one text as 64 lower-case hex digits and a NUL.
void sha256_hex(struct bytes bytes, char hex[SHA256_HEX_SIZE]);
void sha256_to_hex(const unsigned char digest[SHA256_BYTES], char hex[SHA256_HEX_SIZE]);
