// SPDX-License-Identifier: Apache-2.0
// A header block over any bytes. Promises held: every field that is walked is found under its name;
// a block that passes the check has nothing but fields and can be built again from them.
#include "base/assert.h"
#include "wire/headers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_status(struct bytes block)
{
    int code;
    struct bytes text;
    if (headers_status(block, &code, &text))
        ASSERT(code >= 0 && code <= 999 && text.size <= block.size);
}

static void check_built(struct buf *built, size_t fields)
{
    struct bytes rest = buf_bytes(built);
    struct bytes name, value;
    headers_end(built);
    if (buf_status(built) != STATUS_OK)
        return;
    rest = buf_bytes(built);
    ASSERT(headers_check(rest, NULL) == STATUS_OK);
    while (headers_next(&rest, &name, &value))
        fields--;
    ASSERT(fields == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes block = bytes_of(data, size);
    struct bytes rest = block;
    struct bytes name, value, found;
    struct buf built;
    size_t fields = 0;
    buf_init(&built, 2 * size + 64);
    check_status(block);
    headers_check(block, NULL);
    headers_begin(&built);
    while (headers_next(&rest, &name, &value)) {
        ASSERT(name.data >= block.data && value.data + value.size <= block.data + block.size);
        ASSERT(headers_find(block, name, &found));
        // A name that looks like the version line would be taken for one when it is read again.
        if (!bytes_start_with(name, BYTES("NATS/1.0")) &&
            headers_add(&built, name, value, NULL) == STATUS_OK)
            fields++;
    }
    check_built(&built, fields);
    buf_fini(&built);
    return 0;
}
