// SPDX-License-Identifier: Apache-2.0
#include "server/js_source.h"
enum status js_source_start(struct js_stream *stream, struct errinfo *err)
{
    (void)stream;
    (void)err;
    return STATUS_OK;
}
enum status js_source_restart(struct js_stream *stream, struct errinfo *err)
{
    (void)stream;
    (void)err;
    return STATUS_OK;
}
void js_source_stop(struct js_stream *stream)
{
    (void)stream;
}
void js_source_wake_readers(struct js_stream *stream)
{
    (void)stream;
}
void js_source_put_info(struct js_stream *stream, struct buf *out)
{
    (void)stream;
    (void)out;
}
