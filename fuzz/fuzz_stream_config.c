// SPDX-License-Identifier: Apache-2.0
// Stream configurations from outside. What is accepted is written, and the text means the same.
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "wire/stream_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stream_config config;
    struct errinfo err = {.text = ""};
    stream_config_init(&config);
    if (stream_config_from_json(&config, bytes_of(data, size), &err) != STATUS_OK) {
        ASSERT(err.text[0] != '\0' && strchr(err.text, '\n') == NULL);
        stream_config_fini(&config);
        return 0;
    }
    struct buf first, second;
    struct stream_config again;
    buf_init(&first, SIZE_MAX);
    buf_init(&second, SIZE_MAX);
    stream_config_init(&again);
    ASSERT(stream_config_to_json(&config, &first) == STATUS_OK);
    ASSERT(stream_config_from_json(&again, buf_bytes(&first), NULL) == STATUS_OK);
    ASSERT(stream_config_to_json(&again, &second) == STATUS_OK);
    ASSERT(bytes_equal(buf_bytes(&first), buf_bytes(&second)));
    stream_config_fini(&again);
    stream_config_fini(&config);
    buf_fini(&first);
    buf_fini(&second);
    return 0;
}
