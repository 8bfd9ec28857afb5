// SPDX-License-Identifier: Apache-2.0
// A stream configuration in JSON over any bytes. Promises held: what was read can be written, what
// is written reads back equal, and checking it never fails but with a reason.
#include "base/assert.h"
#include "engine/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { JSON_BYTES_MAX = 16 * 1024 * 1024 };

static void check_again(const struct stream_config *config, struct bytes json)
{
    struct stream_config again;
    struct buf out;
    stream_config_init(&again);
    buf_init(&out, JSON_BYTES_MAX);
    ASSERT(stream_config_from_json(&again, json, NULL) == STATUS_OK);
    ASSERT(again.subject_count == config->subject_count);
    ASSERT(stream_config_to_json(&again, &out) == STATUS_OK);
    ASSERT(bytes_equal(buf_bytes(&out), json));
    buf_fini(&out);
    stream_config_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stream_config config;
    struct buf out;
    struct errinfo err = {.text = ""};
    stream_config_init(&config);
    buf_init(&out, JSON_BYTES_MAX);
    if (stream_config_from_json(&config, bytes_of(data, size), &err) == STATUS_OK) {
        ASSERT(stream_config_to_json(&config, &out) == STATUS_OK);
        check_again(&config, buf_bytes(&out));
        if (stream_config_check(&config, &err) != STATUS_OK)
            ASSERT(err.text[0] != '\0');
    } else {
        ASSERT(err.text[0] != '\0');
    }
    ASSERT(bytes_find_byte(bytes_of_string(err.text), '\n') == SIZE_MAX);
    buf_fini(&out);
    stream_config_fini(&config);
    return 0;
}
