// SPDX-License-Identifier: Apache-2.0
// Mirrors and sources: a stream that takes its messages from other streams of this server.
#pragma once

#include "server/jetstream.h"

enum status js_source_start(struct js_stream *stream, struct errinfo *err);
enum status js_source_restart(struct js_stream *stream, struct errinfo *err);
void js_source_stop(struct js_stream *stream);
void js_source_wake_readers(struct js_stream *stream);
void js_source_put_info(struct js_stream *stream, struct buf *out);
