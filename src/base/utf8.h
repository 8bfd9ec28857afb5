// SPDX-License-Identifier: Apache-2.0
// UTF-8 as Unicode defines it (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include "base/bytes.h"

enum { UTF8_INVALID = 0xFFFD }; // also the replacement character

// Decodes the code point at the front of text (not empty) and says how many bytes it took. For an
// invalid sequence *code is UTF8_INVALID, *valid is false and the size is that of the maximal
// ill-formed prefix (1 to 3), as Unicode recommends for replacement.
size_t utf8_decode(struct bytes text, uint32_t *code, bool *valid);

// Writes code as UTF-8 and returns the size, 1 to 4.
size_t utf8_encode(uint32_t code, char out[4]);

bool utf8_is_valid(struct bytes text);

// The longest prefix of at most size bytes that does not cut a code point.
struct bytes utf8_prefix(struct bytes text, size_t size);
