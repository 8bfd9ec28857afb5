// SPDX-License-Identifier: Apache-2.0
// All streams of one store. A stream is opened when it is first needed: a one-shot read opens one
// log, not all of them. What streams there are, and which subject belongs to which, is known from
// their configurations alone.
//
// A stream whose configuration is damaged stays in the list, with its name alone; asking for it
// says what is wrong. The other streams are not touched by it.
//
// Threads: one owner. The engine has no clock: every call that needs the time takes it.
#pragma once

#include "engine/stream.h"
#include "store/storedir.h"

struct engine;

// Borrows the store's directory until engine_close.
enum status engine_open(struct engine **out, const struct host *host, struct storedir *store,
                        struct errinfo *err);
void engine_close(struct engine *engine); // takes NULL; what is not committed is dropped

// The stream of a name, opened; 10059 (STATUS_NOT_FOUND) when there is none.
enum status engine_stream(struct engine *engine, struct bytes name, int64_t now_ns,
                          struct stream **stream, struct errinfo *err);

// The stream that listens to a literal subject; 10059 when there is none.
enum status engine_stream_for(struct engine *engine, struct bytes subject, int64_t now_ns,
                              struct stream **stream, struct errinfo *err);

// *created is false when a stream with an equal configuration is there; 10058 with another one,
// 10065 when its subjects overlap with another stream's. Messages that are there without a
// configuration, because it was lost, are taken over and never deleted.
enum status engine_create(struct engine *engine, const struct stream_config *config, int64_t now_ns,
                          bool *created, struct errinfo *err);
enum status engine_update(struct engine *engine, const struct stream_config *config, int64_t now_ns,
                          struct errinfo *err);
enum status engine_delete(struct engine *engine, struct bytes name, struct errinfo *err);

// Every stream's configuration, in byte order of names. Borrowed until the next call that makes,
// opens, updates or deletes a stream.
size_t engine_count(const struct engine *engine);
const struct stream_config *engine_config(const struct engine *engine, size_t index);

// The streams that are open, for maintenance; NULL at the end.
struct stream *engine_next_open(struct engine *engine, size_t *at);
