// SPDX-License-Identifier: Apache-2.0
// Header blocks from outside: reading stays within the block, and every line that the builder takes
// comes back as it went in.
#include <stdint.h>

#include "base/assert.h"
#include "wire/headers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_within(struct bytes block, struct bytes part)
{
    ASSERT(part.data >= block.data && part.data + part.size <= block.data + block.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes block = bytes_of(data, size);
    struct bytes rest = block;
    struct bytes name, value;
    struct buf built;
    buf_init(&built, SIZE_MAX);
    headers_begin(&built);
    size_t added = 0;
    while (headers_next(&rest, &name, &value)) {
        struct bytes first;
        check_within(block, name);
        check_within(block, value);
        ASSERT(headers_find(block, name, &first));
        added += headers_add(&built, name, value, NULL) == STATUS_OK;
    }
    headers_end(&built);
    ASSERT(headers_check(buf_bytes(&built), NULL) == STATUS_OK);
    rest = buf_bytes(&built);
    while (headers_next(&rest, &name, &value))
        added--;
    ASSERT(added == 0);
    struct errinfo err = {.text = ""};
    if (headers_check(block, &err) != STATUS_OK)
        ASSERT(err.text[0] != '\0');
    buf_fini(&built);
    return 0;
}
