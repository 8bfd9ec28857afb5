// SPDX-License-Identifier: Apache-2.0
// The name of a stream as the name of its directory: letters, digits, '-' and '_' stand as they
// are, every other byte as %XX. No encoded name begins with '~', which marks what is to be removed.
#pragma once

#include "base/errinfo.h"

enum { STREAMNAME_BYTES_MAX = 255 }; // of a directory's name on every file system we know

// STATUS_INVALID for an empty name, STATUS_LIMIT when the encoded one is too long.
enum status streamname_encode(struct bytes name, char out[STREAMNAME_BYTES_MAX + 1],
                              struct errinfo *err);

// The name of a directory's stream; false when no stream has such a directory.
bool streamname_decode(const char *encoded, char out[STREAMNAME_BYTES_MAX + 1], size_t *size);
