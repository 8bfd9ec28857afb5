// SPDX-License-Identifier: Apache-2.0
// A pull request, and the argument of a refusal, over any bytes. Promises held: what was read is
// within its bounds, what was not says why, and a delay is never negative.
#include "base/assert.h"
#include "wire/pull_request.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = bytes_of(data, size);
    struct pull_request request;
    struct errinfo err = {.text = ""};
    if (pull_request_read(text, &request, &err) == STATUS_OK) {
        ASSERT(request.batch >= 1);
        ASSERT(request.expires_ns >= 0 && request.max_bytes >= 0 && request.heartbeat_ns >= 0);
        ASSERT(request.heartbeat_ns <= request.expires_ns / 2);
        ASSERT(memchr(request.group, '\0', sizeof request.group) != NULL);
        ASSERT(memchr(request.id, '\0', sizeof request.id) != NULL);
    } else {
        ASSERT(err.text[0] != '\0');
        ASSERT(bytes_find_byte(bytes_of_string(err.text), '\n') == SIZE_MAX);
    }
    ASSERT(pull_request_nak_delay(text) >= 0);
    return 0;
}
