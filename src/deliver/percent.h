// SPDX-License-Identifier: Apache-2.0
// Percent-encoding (RFC 3986) of UTF-8 text, with the caller's choice of what stands as it is.
#pragma once

#include "base/bytes.h"

// Says whether a code point stands as it is; '%' never may.
typedef bool percent_keeps(uint32_t code);

// Writes text (valid UTF-8) with a NUL and returns the size; out holds 3 * text.size + 1 bytes.
size_t percent_encode(struct bytes text, percent_keeps *keeps, char *out);

// Decodes every %XX; a '%' that no two hex digits follow stands for itself. Writes at most size_max
// bytes and a NUL and returns the size, or SIZE_MAX when the text needs more.
size_t percent_decode(struct bytes text, char *out, size_t size_max);
