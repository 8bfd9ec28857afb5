// SPDX-License-Identifier: Apache-2.0
// A stream info in JSON over any bytes. Promise held: what was read can be written, and reads back
// with the same state.
#include "base/assert.h"
#include "wire/stream_info.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { JSON_BYTES_MAX = 16 * 1024 * 1024 };

static void check_again(const struct stream_info *info, struct bytes json)
{
    struct stream_info again = {.created_ns = 0};
    stream_config_init(&again.config);
    ASSERT(stream_info_from_json(&again, json, NULL) == STATUS_OK);
    ASSERT(again.created_ns == info->created_ns);
    ASSERT(memcmp(&again.state, &info->state, sizeof again.state) == 0);
    stream_config_fini(&again.config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stream_info info = {.created_ns = 0};
    struct errinfo err = {.text = ""};
    struct buf out;
    stream_config_init(&info.config);
    buf_init(&out, JSON_BYTES_MAX);
    if (stream_info_from_json(&info, bytes_of(data, size), &err) == STATUS_OK) {
        ASSERT(stream_info_to_json(&info, NULL, &out) == STATUS_OK);
        check_again(&info, buf_bytes(&out));
    } else {
        ASSERT(err.text[0] != '\0');
        ASSERT(bytes_find_byte(bytes_of_string(err.text), '\n') == SIZE_MAX);
    }
    buf_fini(&out);
    stream_config_fini(&info.config);
    return 0;
}
