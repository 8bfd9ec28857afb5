// SPDX-License-Identifier: Apache-2.0
// Messages that come from another stream, and messages that are sent on: mirrors and sources take
// them as they were, republishing tells where they were stored.
#include "base/clock.h"
#include "engine/stream_private.h"
#include "wire/headers.h"
#include "wire/transform.h"

#include <inttypes.h>

enum status stream_copy(struct stream *stream, const struct msglog_message *message,
                        struct errinfo *err)
{
    uint64_t seq = message->seq != 0 ? message->seq : stream->last_seq + 1;
    if (seq <= stream->last_seq)
        return STATUS_OK;
    struct msglog_message copy = *message;
    copy.seq = seq;
    enum status status = stream_stage_copy(stream, &copy, err);
    if (status != STATUS_OK)
        return status;
    if (stream_enforce_subject(stream, message->subject, NULL) == STATUS_OK)
        stream_enforce_totals(stream, NULL);
    return STATUS_OK;
}

bool stream_republish(const struct stream *stream, const struct msglog_message *message,
                      uint64_t last_seq, struct buf *subject, struct buf *headers)
{
    const struct stream_config *config = &stream->config;
    char time[CLOCK_RFC3339_SIZE];
    buf_clear(subject);
    buf_clear(headers);
    if (config->republish.destination == NULL ||
        !transform_apply(bytes_of_string(config->republish.source),
                         bytes_of_string(config->republish.destination), message->subject, subject))
        return false;
    if (message->headers.size > 2)
        buf_append(headers, bytes_slice(message->headers, 0, message->headers.size - 2));
    else
        headers_begin(headers);
    buf_printf(headers, "Nats-Stream: %s\r\nNats-Subject: %.*s\r\nNats-Sequence: %" PRIu64 "\r\n",
               config->name, BYTES_ARG(message->subject), message->seq);
    buf_printf(headers, "Nats-Time-Stamp: %s\r\nNats-Last-Sequence: %" PRIu64 "\r\n",
               clock_format(message->time_ns, time), last_seq);
    if (config->republish_headers_only)
        buf_printf(headers, "Nats-Msg-Size: %zu\r\n", message->body.size);
    headers_end(headers);
    return buf_status(subject) == STATUS_OK && buf_status(headers) == STATUS_OK;
}

uint64_t stream_previous_of(struct stream *stream, uint64_t seq)
{
    const struct subject_node *node = subject_index_get(&stream->index, seq);
    return node == NULL ? 0 : node->previous;
}
