// SPDX-License-Identifier: Apache-2.0
// Mirrors and sources: a stream that takes its messages from other streams of this server. What
// comes is copied after the origin's commit, in bounded turns, each followed by a commit of its
// own; where to go on is read from what is stored, so that a crash loses and doubles nothing.
#pragma once

#include "server/jetstream.h"

enum status js_source_start(struct js_stream *stream, struct errinfo *err);
// After the configuration has changed.
enum status js_source_restart(struct js_stream *stream, struct errinfo *err);
void js_source_stop(struct js_stream *stream);

// Takes what there is to be had, up to a turn's worth.
void js_source_pull(struct js_stream *stream);
// Lets every stream that takes from this one do so.
void js_source_wake_readers(struct js_stream *origin);

// ,"mirror":{...} or ,"sources":[...] for a stream's info.
void js_source_put_info(struct js_stream *stream, struct buf *out);
