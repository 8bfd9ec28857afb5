// SPDX-License-Identifier: Apache-2.0
// A consumer at work: it gets its turn when something of it or of its stream has changed, or when
// its time has come, and sends what the engine says.
//
// A turn is bounded: whoever has much to send gets another one, behind the others. A consumer whose
// receiver does not keep up rests until that has drained.
#pragma once

#include "server/jetstream.h"

struct js_consumer {
    struct js_stream *stream;
    struct consumer *consumer;
    struct list link;  // in the stream's
    struct list ready; // in JetStream's, of those that have a turn, or that rest
    uv_timer_t timer;
    bool pushes; // counted among those that hang on who subscribes
};

enum status js_consumer_attach(struct js_stream *stream, struct consumer *consumer,
                               struct js_consumer **out, struct errinfo *err);
struct js_consumer *js_consumer_find(struct js_stream *stream, struct bytes name);
// Forgets the consumer; the engine's has been or is about to be deleted.
void js_consumer_detach(struct js_consumer *consumer);

// Sends at once what it has to say.
void js_consumer_send(struct js_consumer *consumer);
void js_consumer_wake(struct js_consumer *consumer);
void js_stream_wake_consumers(struct js_stream *stream);
void jetstream_deliver_ready(struct jetstream *js);
void jetstream_interest_changed(void *context, struct bytes subject);

// Deletes it, tells who waits and who listens to advisories.
enum status js_consumer_delete(struct js_consumer *consumer, struct errinfo *err);

// Its info as members, with or without the configuration.
enum status js_consumer_put_info(struct js_consumer *consumer, bool with_config, struct buf *out);

// Pulls, acknowledgements and flow control.
enum status jetstream_serve_consumers(struct jetstream *js, struct errinfo *err);
