// SPDX-License-Identifier: Apache-2.0
// Signals, as nats-server takes them: INT and TERM end the server, HUP reads the settings again,
// USR1 opens the log file anew, USR2 is lame duck mode, in which clients are sent away one by one.
#include "server/connection.h"
#include "server/listen.h"
#include "server/server_private.h"

#include <signal.h>
#include <string.h>

enum { LAME_DUCK_STEP_MS = 100 };

static void stop(struct server *server)
{
    server->stopping = true;
    uv_stop(&server->loop);
}

static void on_stop(uv_async_t *async)
{
    stop(async->data);
}

static void reload(struct server *server)
{
    struct errinfo err;
    enum status status = server_reload(server, &err);
    if (status == STATUS_OK)
        serverlog_write(server->log, SERVERLOG_INFO, "Reloaded server configuration");
    else
        serverlog_write(server->log, SERVERLOG_ERROR, "Failed to reload server configuration: %s",
                        err.text);
}

// So many clients leave at each step that all are gone when the time is over; the rest is the end.
static void lame_duck_step(uv_timer_t *timer)
{
    struct server *server = timer->data;
    int64_t left_ns = server->lame_duck_until_ns - server_now_ns();
    int64_t steps = left_ns / ((int64_t)LAME_DUCK_STEP_MS * 1000000) + 1;
    size_t leave = left_ns <= 0 ? server->connection_count
                                : (server->connection_count + (size_t)steps - 1) / (size_t)steps;
    for (struct list *at = server->connections.next; leave > 0 && at != &server->connections;
         at = at->next) {
        struct connection *connection = LIST_ELEMENT(at, struct connection, link);
        if (connection->closing)
            continue;
        connection_close(connection, CONNECTION_LAME_DUCK);
        leave--;
    }
    if (server->connection_count == 0 || left_ns <= 0)
        stop(server);
}

void server_begin_lame_duck(struct server *server)
{
    const struct server_options *options = server->options;
    if (server->lame_duck)
        return;
    server->lame_duck = true;
    serverlog_write(server->log, SERVERLOG_INFO,
                    "Entering lame duck mode, stop accepting new clients");
    listen_close(server);
    for (struct list *at = server->connections.next; at != &server->connections; at = at->next) {
        struct connection *connection = LIST_ELEMENT(at, struct connection, link);
        if (!connection->closing)
            server_send_info(server, connection);
    }
    server->lame_duck_until_ns = server_now_ns() + options->lame_duck_duration_ns;
    uint64_t grace_ms = (uint64_t)(options->lame_duck_grace_ns / 1000000);
    uv_timer_init(&server->loop, &server->lame_duck_timer);
    server->lame_duck_timer.data = server;
    uv_timer_start(&server->lame_duck_timer, lame_duck_step, grace_ms, LAME_DUCK_STEP_MS);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct server *server = handle->data;
    serverlog_write(server->log, SERVERLOG_DEBUG, "Trapped \"%s\" signal", strsignal(number));
    switch (number) {
    case SIGHUP: reload(server); break;
    case SIGUSR1: serverlog_reopen(server->log); break;
    case SIGUSR2: server_begin_lame_duck(server); break;
    default: stop(server); break;
    }
}

enum status server_watch_signals(struct server *server, struct errinfo *err)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};
    signal(SIGPIPE, SIG_IGN);
    int failed = uv_async_init(&server->loop, &server->stop_async, on_stop);
    server->stop_async.data = server;
    for (size_t i = 0; failed == 0 && i < sizeof numbers / sizeof numbers[0]; i++) {
        uv_signal_init(&server->loop, &server->signals[i]);
        server->signals[i].data = server;
        failed = uv_signal_start(&server->signals[i], on_signal, numbers[i]);
    }
    if (failed != 0)
        return errinfo_set(err, STATUS_IO, "cannot watch signals: %s", uv_strerror(failed));
    return STATUS_OK;
}
