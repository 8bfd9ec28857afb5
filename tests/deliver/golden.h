// SPDX-License-Identifier: Apache-2.0
// Golden files below tests/golden: what people and models read, to the byte. With
// AGOG_TEST_GOLDEN_WRITE set, a test writes them instead of comparing.
#pragma once

#include "base/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void golden_assert(const char *name, struct bytes text)
{
    char path[4096];
    static char expected[1 << 20];
    const char *root = getenv("AGOG_TEST_SOURCE_ROOT");
    assert_non_null(root);
    snprintf(path, sizeof path, "%s/tests/golden/%s", root, name);
    bool writes = getenv("AGOG_TEST_GOLDEN_WRITE") != NULL;
    FILE *file = fopen(path, writes ? "wb" : "rb");
    if (file == NULL)
        fail_msg("cannot open %s", path);
    if (writes) {
        fwrite(text.data, 1, text.size, file);
        fclose(file);
        return;
    }
    size_t size = fread(expected, 1, sizeof expected - 1, file);
    fclose(file);
    expected[size] = '\0';
    if (!bytes_equal(text, bytes_of(expected, size)))
        fail_msg("%s differs; now it is:\n%.*s", name, BYTES_ARG(text));
}
