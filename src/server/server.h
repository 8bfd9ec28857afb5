// SPDX-License-Identifier: Apache-2.0
// The server: a NATS server with JetStream for one node, over the engine. PROTOCOL.md says what is
// served.
//
// One thread, the loop's, owns the engine, the subscriptions and every connection. Writing and
// syncing to the disk, and giving space back, run in libuv's pool meanwhile. Nothing else runs.
#pragma once

#include "base/errinfo.h"
#include "server/options.h"

struct server;

// Opens the store and listens. The options are taken over, also on failure. STATUS_BUSY when
// another process holds the store, STATUS_UNAVAILABLE when the address is taken.
enum status server_open(struct server **out, struct server_options *options, struct errinfo *err);

// Serves until a signal or server_stop ends it; then everything is flushed and synced.
enum status server_run(struct server *server, struct errinfo *err);

// How SIGHUP reads the settings again; the caller's, because it knows the flags. Without it SIGHUP
// says that there is nothing to read.
typedef enum status (*server_load)(void *context, struct server_options **options,
                                   struct errinfo *err);
void server_on_reload(struct server *server, server_load load, void *context);

// Asks server_run to return; from a signal handler's or another thread's point of view too.
void server_stop(struct server *server);
void server_close(struct server *server); // takes NULL

// "nats://127.0.0.1:4222", with the real port. Borrowed.
const char *server_url(const struct server *server);

// The loop, for what is to be served beside NATS on the same thread, and the port on which that is.
struct uv_loop_s *server_loop(struct server *server);
void server_set_monitor_port(struct server *server, int port);
