// SPDX-License-Identifier: Apache-2.0
// The inside of a server, for the files of this room alone.
#pragma once

#include "base/list.h"
#include "server/account.h"
#include "server/auth.h"
#include "server/options.h"
#include "server/server.h"
#include "server/serverlog.h"

#include <uv.h>

enum {
    SERVER_LISTENERS_MAX = 8,
    SERVER_SYS_SERVICES = 4,
    SERVER_ID_SIZE = 57, // as long as nats-server's
    SERVER_SCRATCH_BYTES = 256 * 1024,
};

#define SERVER_NATS_VERSION "2.14.0"

struct jetstream;

struct listener {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } socket;
    bool open;
};

struct server {
    struct server_options *options;
    struct serverlog *log;
    struct auth *auth;
    uv_loop_t loop;
    struct listener listeners[SERVER_LISTENERS_MAX];
    size_t listener_count;
    int port;
    int monitor_port; // 0 when nothing listens
    char id[SERVER_ID_SIZE];
    char name[256];
    char url[512];
    int64_t start_ns;
    int64_t config_ns; // when the settings were read last

    server_load load; // NULL: there is nothing to read again
    void *load_context;

    uv_prepare_t before_poll; // commits, then writes to sockets
    uv_idle_t more;           // keeps the loop from sleeping while there is work left over
    uv_timer_t second;
    uv_timer_t lame_duck_timer;
    uv_signal_t signals[6];
    uv_async_t stop_async;
    bool stopping;
    bool lame_duck;
    int64_t lame_duck_until_ns;
    bool loop_open;

    struct account *global;
    struct account *system;
    struct service sys_services[SERVER_SYS_SERVICES];
    struct jetstream *jetstream; // NULL when it is not enabled

    struct list connections;
    struct list dirty;
    struct list ended;
    size_t connection_count;
    uint64_t connection_total;
    uint64_t next_connection_id;
    uint64_t slow_consumers;
    uint64_t stale_connections;
    uint64_t messages_in, messages_out, bytes_in, bytes_out;
    char *scratch; // what sockets are read into
};

int64_t server_now_ns(void); // the wall clock, as messages are stamped

// Something is left to do: the loop comes around without sleeping.
void server_more(struct server *server);

// Calls at that time; INT64_MAX stops the timer.
void server_timer_at(uv_timer_t *timer, uv_timer_cb callback, int64_t deadline_ns);

// A connection that had much unsent has less: consumers that waited for it go on.
void server_drained(struct server *server);

// Reads the settings again and takes what may change at run time.
enum status server_reload(struct server *server, struct errinfo *err);

void server_send_info(struct server *server, struct connection *connection);

// Signals (signals.c).
enum status server_watch_signals(struct server *server, struct errinfo *err);
void server_begin_lame_duck(struct server *server);
