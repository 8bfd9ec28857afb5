// SPDX-License-Identifier: Apache-2.0
// The names nearest to one that does not exist, for the line that says so. Candidates are offered
// one by one; at most three are kept, nearest first, equal ones in byte order, so that the answer
// does not depend on the order of the offers.
//
// Near means few edits (insert, delete, replace, swap neighbours; letter case does not count), or
// that one name contains the other. A candidate that needs more edits than a third of the name is
// not offered to anybody.
#pragma once

#include "base/bytes.h"

enum {
    NEAREST_MAX = 3,
    NEAREST_BYTES = 200, // of a candidate that are looked at and kept
    NEAREST_HINT_SIZE = 1024,
};

struct nearest_hit {
    char text[NEAREST_BYTES + 1];
    size_t size;
    unsigned distance;
};

struct nearest {
    unsigned char wanted[NEAREST_BYTES]; // lower case
    size_t size;
    size_t count;
    struct nearest_hit hits[NEAREST_MAX];
};

void nearest_init(struct nearest *nearest, struct bytes wanted);
void nearest_offer(struct nearest *nearest, struct bytes candidate); // copied when kept

// "; did you mean "a", "b" or "c"?", or "" when nothing is near. Returns out.
const char *nearest_hint(const struct nearest *nearest, char out[NEAREST_HINT_SIZE]);
