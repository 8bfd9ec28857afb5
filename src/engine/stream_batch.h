// SPDX-License-Identifier: Apache-2.0
// Atomic batch publishing (ADR-50): the messages of a batch are kept in memory until its last one
// comes, and are then stored all together or not at all.
//
// A crash cannot leave half of a batch: its messages stand in a row in the log, and only the last
// one carries Nats-Batch-Commit. When a stream is opened whose last message is of a batch without
// that, the batch is taken back.
#pragma once

#include "base/list.h"
#include "engine/stream.h"

struct stream_batches {
    struct list open; // in the order in which they were last heard of
    size_t count;
};

void stream_batches_init(struct stream_batches *batches);
void stream_batches_fini(struct stream_batches *batches);

// Whether a message belongs to a batch, by its headers.
bool stream_batch_is_part(struct bytes headers, struct bytes *id);

// Takes one message of a batch. ack->pending until the last one, with which all are staged.
enum status stream_batch_publish(struct stream *stream, const struct stream_input *input,
                                 struct bytes id, struct stream_ack *ack, struct errinfo *err);

// Forgets batches that were not heard of for too long; the time of the next one.
void stream_batches_expire(struct stream *stream, int64_t now_ns);
int64_t stream_batches_deadline(const struct stream *stream);

// Takes back what a crash left of a batch.
enum status stream_batches_recover(struct stream *stream, struct errinfo *err);
