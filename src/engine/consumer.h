// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "engine/engine.h"
struct consumer;
struct consumer_world { void *context; bool (*interest)(void *context, struct bytes subject); uint64_t (*random)(void *context); };
static inline void engine_set_world(struct engine *e, const struct consumer_world *w) { (void)e; (void)w; }
static inline struct msglog *stream_get_consumer_log(struct stream *s) { (void)s; return NULL; }
static inline struct consumer *consumer_next_of(struct stream *s, struct consumer *c) { (void)s; (void)c; return NULL; }
static inline enum status stream_tick(struct stream *s, int64_t now_ns, struct errinfo *err) { return stream_expire(s, now_ns, err); }
static inline int64_t stream_deadline(struct stream *s) { (void)s; return INT64_MAX; }
