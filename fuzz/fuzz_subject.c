// SPDX-License-Identifier: Apache-2.0
// Two subjects, a line end between them: what is literal is a pattern, matching, overlap and cover
// agree with each other.
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "wire/subject.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_one(struct bytes subject)
{
    struct errinfo err;
    errinfo_clear(&err);
    bool pattern = subject_is_pattern(subject);
    bool literal = subject_is_literal(subject);
    ASSERT(!literal || pattern);
    ASSERT((subject_check(subject, true, &err) == STATUS_OK) == pattern);
    ASSERT((subject_check(subject, false, &err) == STATUS_OK) == literal);
    ASSERT(strchr(err.text, '\n') == NULL);
    ASSERT(!pattern || literal == !subject_has_wildcard(subject));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes b;
    struct bytes a = bytes_cut(bytes_of(data, size), '\n', &b);
    check_one(a);
    check_one(b);
    if (!subject_is_pattern(a) || !subject_is_pattern(b))
        return 0;
    ASSERT(subject_overlaps(a, b) == subject_overlaps(b, a));
    ASSERT(subject_covers(a, a) && subject_covers(BYTES(">"), a));
    ASSERT(!subject_covers(a, b) || subject_overlaps(a, b));
    if (subject_is_literal(b)) {
        ASSERT(subject_matches(a, b) == subject_covers(a, b));
        ASSERT(subject_matches(a, b) == subject_overlaps(a, b));
    }
    if (subject_covers(a, b) && subject_covers(b, a))
        ASSERT(bytes_equal(a, b));
    return 0;
}
