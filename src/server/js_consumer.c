// SPDX-License-Identifier: Apache-2.0
#include "server/jetstream.h"
enum status js_consumer_attach(struct js_stream *stream, struct consumer *consumer,
                               struct js_consumer **out, struct errinfo *err)
{
    (void)stream;
    (void)consumer;
    (void)out;
    (void)err;
    return STATUS_OK;
}
void js_consumer_detach(struct js_consumer *consumer)
{
    (void)consumer;
}
void js_stream_wake_consumers(struct js_stream *stream)
{
    (void)stream;
}
void jetstream_deliver_ready(struct jetstream *js)
{
    (void)js;
}
void jetstream_interest_changed(void *context, struct bytes subject)
{
    (void)context;
    (void)subject;
}
enum status jetstream_serve_consumers(struct jetstream *js, struct errinfo *err)
{
    (void)js;
    (void)err;
    return STATUS_OK;
}
void js_consumer_put_info(struct js_consumer *consumer, bool with_config, struct buf *out) { (void)consumer; (void)with_config; (void)out; }
