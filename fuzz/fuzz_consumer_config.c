// SPDX-License-Identifier: Apache-2.0
// A consumer's configuration in JSON over any bytes. Promises held: what was read can be written,
// what is written reads back equal, and checking it never fails but with a reason and a number.
#include "base/assert.h"
#include "engine/consumer_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { JSON_BYTES_MAX = 16 * 1024 * 1024 };

static void check_again(struct bytes json)
{
    struct consumer_config again;
    struct buf out;
    consumer_config_init(&again);
    buf_init(&out, JSON_BYTES_MAX);
    ASSERT(consumer_config_read(&again, json, NULL) == STATUS_OK);
    ASSERT(consumer_config_write(&again, &out) == STATUS_OK);
    ASSERT(bytes_equal(buf_bytes(&out), json));
    buf_fini(&out);
    consumer_config_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct consumer_config config;
    struct stream_config stream;
    struct buf out;
    struct errinfo err = {.text = ""};
    consumer_config_init(&config);
    stream_config_init(&stream);
    buf_init(&out, JSON_BYTES_MAX);
    if (consumer_config_read(&config, bytes_of(data, size), &err) == STATUS_OK) {
        ASSERT(consumer_config_write(&config, &out) == STATUS_OK);
        check_again(buf_bytes(&out));
        if (consumer_config_check(&config, &stream, &err) != STATUS_OK)
            ASSERT(err.text[0] != '\0' && err.protocol_code != 0);
    } else {
        ASSERT(err.text[0] != '\0');
    }
    ASSERT(bytes_find_byte(bytes_of_string(err.text), '\n') == SIZE_MAX);
    buf_fini(&out);
    stream_config_fini(&stream);
    consumer_config_fini(&config);
    return 0;
}
