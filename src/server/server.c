// SPDX-License-Identifier: Apache-2.0
#include "server/server.h"

#include "base/clock.h"
#include "server/connection.h"
#include "server/jetstream.h"
#include "server/listen.h"
#include "server/server_private.h"
#include "server/sys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { SECOND_MS = 1000, SHUTDOWN_TURNS_MAX = 200 };

int64_t server_now_ns(void)
{
    return clock_realtime_ns();
}

void server_timer_at(uv_timer_t *timer, uv_timer_cb callback, int64_t deadline_ns)
{
    if (deadline_ns == INT64_MAX) {
        uv_timer_stop(timer);
        return;
    }
    int64_t left_ns = deadline_ns - server_now_ns();
    uint64_t left_ms = left_ns <= 0 ? 0 : ((uint64_t)left_ns + 999999) / 1000000;
    uv_update_time(timer->loop);
    uv_timer_start(timer, callback, left_ms, 0);
}

// The turn

static void on_idle(uv_idle_t *idle)
{
    uv_idle_stop(idle);
}

void server_more(struct server *server)
{
    uv_idle_start(&server->more, on_idle);
}

static void flush_connections(struct server *server)
{
    while (!list_is_empty(&server->dirty))
        connection_flush(LIST_ELEMENT(server->dirty.next, struct connection, dirty));
}

static void finish_connections(struct server *server)
{
    while (!list_is_empty(&server->ended))
        connection_finish(LIST_ELEMENT(server->ended.next, struct connection, ended));
}

// Everything that callbacks have collected: staged messages go to the disk, what is to be sent to
// the sockets, and connections that have ended are taken down.
static void turn(uv_prepare_t *prepare)
{
    struct server *server = prepare->data;
    if (server->jetstream != NULL)
        jetstream_turn(server->jetstream);
    flush_connections(server);
    finish_connections(server);
    // The end of a connection may have changed who is interested in what.
    flush_connections(server);
}

void server_drained(struct server *server)
{
    if (server->jetstream != NULL)
        jetstream_drained(server->jetstream);
}

static void on_second(uv_timer_t *timer)
{
    struct server *server = timer->data;
    int64_t now_ns = server_now_ns();
    struct list *next;
    for (struct list *at = server->connections.next; at != &server->connections; at = next) {
        next = at->next;
        connection_tick(LIST_ELEMENT(at, struct connection, link), now_ns);
    }
}

// INFO

void server_send_info(struct server *server, struct connection *connection)
{
    struct server_info info = {
        .server_id = server->id,
        .server_name = server->name,
        .version = SERVER_NATS_VERSION,
        .agog_version = AGOG_VERSION,
        .host = server->options->host,
        .port = server->port,
        .max_payload = server->options->max_payload,
        .client_id = connection->id,
        .client_ip = connection->host,
        .auth_required = auth_is_required(server->auth),
        .jetstream = server->jetstream != NULL,
        .lame_duck = server->lame_duck,
        .connect_url = server->options->client_advertise,
        .domain = server->options->jetstream_domain,
    };
    proto_put_info(connection_output(connection), &info);
    connection_touch(connection);
}

// Opening

static void make_id(struct server *server)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    unsigned char random[SERVER_ID_SIZE - 2];
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        for (size_t i = 0; i < sizeof random; i++)
            random[i] = (unsigned char)(clock_monotonic_ns() >> (i % 32));
    server->id[0] = 'N';
    for (size_t i = 0; i < sizeof random; i++)
        server->id[i + 1] = letters[random[i] % 32];
    server->id[SERVER_ID_SIZE - 1] = 0;
    snprintf(server->name, sizeof server->name, "%s",
             server->options->server_name != NULL ? server->options->server_name : server->id);
}

static enum status init_loop(struct server *server, struct errinfo *err)
{
    int failed = uv_loop_init(&server->loop);
    if (failed != 0)
        return errinfo_set(err, STATUS_NO_MEMORY, "cannot make an event loop: %s",
                           uv_strerror(failed));
    server->loop_open = true;
    uv_prepare_init(&server->loop, &server->before_poll);
    uv_idle_init(&server->loop, &server->more);
    uv_timer_init(&server->loop, &server->second);
    server->before_poll.data = server;
    server->second.data = server;
    uv_prepare_start(&server->before_poll, turn);
    uv_timer_start(&server->second, on_second, SECOND_MS, SECOND_MS);
    return STATUS_OK;
}

static enum status make_accounts(struct server *server, struct errinfo *err)
{
    if (account_new(&server->global, server, "$G") != STATUS_OK ||
        account_new(&server->system, server, "$SYS") != STATUS_OK)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory for the server");
    return STATUS_OK;
}

static enum status open_all(struct server *server, struct errinfo *err)
{
    const struct server_options *options = server->options;
    struct serverlog_options log = {options->log_file, options->debug, options->trace,
                                    options->logtime};
    enum status status = serverlog_open(&server->log, &log, err);
    if (status == STATUS_OK)
        status = init_loop(server, err);
    if (status == STATUS_OK)
        status = auth_new(&server->auth, options, err);
    if (status == STATUS_OK)
        status = make_accounts(server, err);
    if (status == STATUS_OK)
        serverlog_write(server->log, SERVERLOG_INFO, "Starting agog %s, as nats-server %s",
                        AGOG_VERSION, SERVER_NATS_VERSION);
    if (status == STATUS_OK && options->jetstream)
        serverlog_write(server->log, SERVERLOG_INFO, "  Store: %s", options->store_dir);
    if (status == STATUS_OK && options->jetstream)
        status = jetstream_open(&server->jetstream, server, server->global, err);
    if (status == STATUS_OK)
        status = sys_serve(server, err);
    if (status == STATUS_OK)
        status = listen_open(server, err);
    if (status == STATUS_OK && server->jetstream != NULL)
        status = jetstream_announce(server->jetstream, server->url, err);
    if (status == STATUS_OK)
        status = server_watch_signals(server, err);
    return status;
}

enum status server_open(struct server **out, struct server_options *options, struct errinfo *err)
{
    struct server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        server_options_free(options);
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory for the server");
    }
    server->options = options;
    list_init(&server->connections);
    list_init(&server->dirty);
    list_init(&server->ended);
    server->start_ns = server_now_ns();
    server->config_ns = server->start_ns;
    server->scratch = malloc(SERVER_SCRATCH_BYTES);
    make_id(server);
    enum status status = server->scratch == NULL
                             ? errinfo_set(err, STATUS_NO_MEMORY, "no memory for the server")
                             : open_all(server, err);
    if (status != STATUS_OK) {
        server_close(server);
        return status;
    }
    *out = server;
    return STATUS_OK;
}

void server_on_reload(struct server *server, server_load load, void *context)
{
    server->load = load;
    server->load_context = context;
}

// Clients whose user is no more, or has another password, are sent away; the others go on.
static void move_connections(struct server *server, const struct auth *fresh)
{
    for (struct list *at = server->connections.next; at != &server->connections; at = at->next) {
        struct connection *connection = LIST_ELEMENT(at, struct connection, link);
        const struct auth_user *before = connection->user;
        connection->user = NULL;
        if (!auth_find_again(fresh, before, &connection->user))
            connection_fail(connection, CONNECTION_CREDENTIALS, "Authorization Violation");
    }
}

static enum status take_options(struct server *server, struct server_options *fresh,
                                struct errinfo *err)
{
    struct options_changes changes;
    struct auth *auth;
    enum status status = options_reload(server->options, fresh, &changes, err);
    if (status == STATUS_OK)
        status = auth_new(&auth, fresh, err);
    if (status != STATUS_OK)
        return status;
    move_connections(server, auth);
    auth_free(server->auth);
    server->auth = auth;
    // JetStream borrows its domain, which does not change.
    if (server->jetstream != NULL)
        server->jetstream->domain = fresh->jetstream_domain;
    server_options_free(server->options);
    server->options = fresh;
    server->config_ns = server_now_ns();
    serverlog_levels(server->log, fresh->debug, fresh->trace);
    for (size_t i = 0; i < changes.changed_count; i++)
        serverlog_write(server->log, SERVERLOG_INFO, "Reloaded: %s", changes.changed[i]);
    return STATUS_OK;
}

enum status server_reload(struct server *server, struct errinfo *err)
{
    struct server_options *fresh;
    if (server->load == NULL)
        return errinfo_set(err, STATUS_INVALID, "there is no configuration file to read again");
    enum status status = server->load(server->load_context, &fresh, err);
    if (status != STATUS_OK)
        return status;
    status = take_options(server, fresh, err);
    if (status != STATUS_OK)
        server_options_free(fresh);
    return status;
}

enum status server_run(struct server *server, struct errinfo *err)
{
    (void)err;
    serverlog_write(server->log, SERVERLOG_INFO, "Server is ready");
    while (!server->stopping)
        uv_run(&server->loop, UV_RUN_ONCE);
    serverlog_write(server->log, SERVERLOG_INFO, "Initiating Shutdown...");
    return STATUS_OK;
}

void server_stop(struct server *server)
{
    uv_async_send(&server->stop_async);
}

// Closing

// What is still to be said is written, as far as a client takes it at once.
static void close_connections(struct server *server)
{
    flush_connections(server);
    for (struct list *at = server->connections.next; at != &server->connections; at = at->next)
        connection_close(LIST_ELEMENT(at, struct connection, link), CONNECTION_SHUTDOWN);
    finish_connections(server);
}

static void close_handle(uv_handle_t *handle, void *context)
{
    (void)context;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void close_loop(struct server *server)
{
    if (!server->loop_open)
        return;
    for (int i = 0; i < SHUTDOWN_TURNS_MAX && uv_loop_alive(&server->loop); i++) {
        if (i == 1)
            uv_walk(&server->loop, close_handle, NULL);
        uv_run(&server->loop, i == 0 ? UV_RUN_NOWAIT : UV_RUN_ONCE);
    }
    uv_loop_close(&server->loop);
}

void server_close(struct server *server)
{
    if (server == NULL)
        return;
    if (server->loop_open)
        listen_close(server);
    // Whoever was promised an answer gets it: staged messages are synced before clients are let go.
    if (server->jetstream != NULL)
        jetstream_settle(server->jetstream);
    if (server->loop_open)
        close_connections(server);
    jetstream_close(server->jetstream);
    server->jetstream = NULL;
    sys_unserve(server);
    close_loop(server);
    account_free(server->global);
    account_free(server->system);
    auth_free(server->auth);
    if (server->stopping)
        serverlog_write(server->log, SERVERLOG_INFO, "Server Exiting..");
    serverlog_close(server->log);
    server_options_free(server->options);
    free(server->scratch);
    free(server);
}

const char *server_url(const struct server *server)
{
    return server->url;
}

struct uv_loop_s *server_loop(struct server *server)
{
    return &server->loop;
}

void server_set_monitor_port(struct server *server, int port)
{
    server->monitor_port = port;
    serverlog_write(server->log, SERVERLOG_INFO, "Starting http monitor on port %d", port);
}
