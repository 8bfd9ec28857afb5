// SPDX-License-Identifier: Apache-2.0
// Notices from outside, and notices made of anything: what is written keeps its tokens, is read
// back, and then writes the same again.
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "base/buf.h"
#include "base/limits.h"
#include "deliver/envelope.h"
#include "deliver/notice.h"
#include "deliver/tokens.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_written(const struct notice *notice, enum notice_form form)
{
    struct buf out;
    struct errinfo err;
    struct notice back;
    size_t tokens;
    buf_init(&out, 1 << 20);
    enum status status = notice_write(notice, form, tokens_count, &out, &err);
    if (status == STATUS_OK) {
        ASSERT(tokens_count(buf_bytes(&out), &tokens) == STATUS_OK);
        ASSERT(tokens <= LIMIT_NOTICE_TOKENS);
        ASSERT(notice_read(buf_bytes(&out), &back, &err) == STATUS_OK);
        notice_fini(&back);
    } else {
        ASSERT(status == STATUS_INVALID || status == STATUS_LIMIT);
    }
    buf_fini(&out);
}

// One piece of the input for each text of a notice.
static void check_made(struct bytes text)
{
    struct bytes parts[6];
    struct notice notice = {.status = NOTICE_BLOCKED, .seq = 9, .stream = BYTES("stream")};
    for (size_t i = 0; i < 6; i++)
        parts[i] = bytes_cut(text, '\n', &text);
    if (ref_of_names(BYTES("a"), BYTES("b"), parts[0], &notice.ref, NULL) != STATUS_OK)
        notice.ref.kind = REF_MESSAGE;
    notice.task = parts[0];
    notice.summary = parts[1];
    notice.blockers = parts[2];
    notice.complexity = parts[3];
    notice.completion_time = parts[4];
    notice.metadata = parts[5];
    if (parts[0].size > LIMIT_FEATURE_BYTES || notice.ref.kind == REF_MESSAGE)
        notice.task = BYTES("");
    check_written(&notice, NOTICE_COMPACT);
    check_written(&notice, NOTICE_PRETTY);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = bytes_of(data, size);
    struct notice notice;
    struct envelope envelope;
    if (notice_read(text, &notice, NULL) == STATUS_OK) {
        check_written(&notice, NOTICE_COMPACT);
        notice_fini(&notice);
    }
    if (envelope_read(text, &envelope))
        envelope_fini(&envelope);
    check_made(text);
    return 0;
}
