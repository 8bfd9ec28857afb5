// SPDX-License-Identifier: Apache-2.0
// Writing JSON piece by piece into a buf, where a document tree would only be thrown away again.
#pragma once

#include "base/buf.h"

// Appends a text between double quotes, with JSON's escapes; invalid UTF-8 becomes U+FFFD.
void jsontext_put_string(struct buf *out, struct bytes text);

// Appends bytes in base64 (RFC 4648, padded), without quotes.
void jsontext_put_base64(struct buf *out, struct bytes bytes);

// Appends a time as a string; 0 is Go's zero time, 0001-01-01T00:00:00Z.
void jsontext_put_time(struct buf *out, int64_t time_ns);
