// SPDX-License-Identifier: Apache-2.0
// Two subjects, separated by a line end, over any bytes. Promises held: a literal is a pattern
// without wildcards; matching is covering; what covers overlaps; overlap has no direction.
#include "base/assert.h"
#include "wire/subject.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_one(struct bytes subject)
{
    bool pattern = subject_is_pattern(subject);
    bool literal = subject_is_literal(subject);
    struct errinfo err = {.text = ""};
    ASSERT(!literal || pattern);
    ASSERT(!pattern || literal == !subject_has_wildcard(subject));
    ASSERT((subject_check(subject, true, &err) == STATUS_OK) == pattern);
    ASSERT(pattern == (err.text[0] == '\0'));
    ASSERT(bytes_find_byte(bytes_of_string(err.text), '\n') == SIZE_MAX);
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
    ASSERT(subject_covers(a, a) && subject_overlaps(a, a) && subject_covers(BYTES(">"), a));
    if (subject_covers(a, b))
        ASSERT(subject_overlaps(a, b));
    if (subject_is_literal(b))
        ASSERT(subject_matches(a, b) == subject_covers(a, b) &&
               subject_matches(a, b) == subject_overlaps(a, b));
    return 0;
}
