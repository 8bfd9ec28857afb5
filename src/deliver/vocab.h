// SPDX-License-Identifier: Apache-2.0
// The o200k_base vocabulary: which byte strings are tokens, and of which rank. It is used in place
// from the read-only data of the program (data/o200k_base.vocab, described in data/README.md):
// there is nothing to load, to free or to lock, and every function may be called by any thread.
//
// A token's id is its rank: merging prefers the lower one. Every token can be built from its own
// bytes by merging; the generator refuses a vocabulary where that is not so.
#pragma once

#include "base/bytes.h"

enum {
    VOCAB_TOKENS = 199998,
    VOCAB_TOKEN_BYTES_MAX = 128,
    VOCAB_SIZE = 2582046, // of the embedded file
};

#define VOCAB_NONE UINT32_MAX

// A mixed 64-bit value of the bytes. The vocabulary's tables are indexed by it; a caller may use it
// for tables of its own.
uint64_t vocab_hash(const char *data, size_t size);

// The rank of these bytes (size > 0) with their hash, or VOCAB_NONE when they are no token.
uint32_t vocab_find_hashed(const char *data, size_t size, uint64_t hash);
uint32_t vocab_find(const char *data, size_t size);

// No token that is longer than the returned size starts the size bytes at data. At least 1; never
// above size nor VOCAB_TOKEN_BYTES_MAX.
size_t vocab_reach(const char *data, size_t size);

// The bytes of a token. The rank must be below VOCAB_TOKENS.
struct bytes vocab_bytes(uint32_t rank);

// When merging builds the token, how many bytes the left one of its last two parts has; 0 for the
// 256 single bytes.
size_t vocab_split(uint32_t rank);

// The embedded file as a whole, for the test that checks it.
struct bytes vocab_file(void);
