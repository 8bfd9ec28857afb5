// SPDX-License-Identifier: Apache-2.0
#include "server/connection.h"

#include "base/clock.h"
#include "server/server_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    // Above this a buffer that has been written is given back instead of kept for the next one.
    KEPT_BYTES = 64 * 1024,
    ERROR_LINE_BYTES = 1024,
};

const char *connection_reason_text(enum connection_reason reason)
{
    static const char *const texts[] = {
#define X(name, text) [CONNECTION_##name] = text,
        CONNECTION_REASONS(X)
#undef X
    };
    return texts[reason];
}

struct buf *connection_output(struct connection *connection)
{
    return &connection->unsent;
}

size_t connection_pending(const struct connection *connection)
{
    return connection->unsent.size + connection->writing.size;
}

// A client that does not read is cut off before it costs more than max_pending.
static void check_pending(struct connection *connection)
{
    struct server *server = connection->server;
    if (connection->closing)
        return;
    if (connection->unsent.failure == STATUS_OK &&
        connection_pending(connection) <= server->options->max_pending)
        return;
    serverlog_write(server->log, SERVERLOG_INFO,
                    "%s:%d - cid:%llu - Slow Consumer Detected: MaxPending of %llu Exceeded",
                    connection->host, connection->port, (unsigned long long)connection->id,
                    (unsigned long long)server->options->max_pending);
    server->slow_consumers++;
    account_numbers(connection->account)->slow_consumers++;
    buf_clear(&connection->unsent);
    connection_close(connection, CONNECTION_SLOW_PENDING);
}

void connection_touch(struct connection *connection)
{
    if (list_is_empty(&connection->dirty))
        list_append(&connection->server->dirty, &connection->dirty);
    check_pending(connection);
}

void connection_close(struct connection *connection, enum connection_reason reason)
{
    if (connection->closing)
        return;
    connection->closing = true;
    connection->reason = reason;
    list_append(&connection->server->ended, &connection->ended);
    server_more(connection->server);
}

void connection_fail(struct connection *connection, enum connection_reason reason, const char *text)
{
    if (connection->closing)
        return;
    proto_put_error(&connection->unsent, text);
    connection_touch(connection);
    connection_close(connection, reason);
}

static void keep_or_free(struct buf *buf)
{
    if (buf->capacity > KEPT_BYTES) {
        size_t max = buf->max;
        buf_fini(buf);
        buf_init(buf, max);
    } else {
        buf_clear(buf);
    }
}

static void on_written(uv_write_t *request, int status)
{
    struct connection *connection = request->data;
    connection->write_active = false;
    keep_or_free(&connection->writing);
    if (connection->closing)
        return;
    if (status < 0) {
        connection_close(connection, CONNECTION_WRITE);
        return;
    }
    if (connection->unsent.size > 0)
        connection_touch(connection);
    server_drained(connection->server);
}

// Hands what the kernel would not take at once over to libuv, from offset on.
static void write_rest(struct connection *connection, size_t offset)
{
    struct buf swap = connection->writing;
    connection->writing = connection->unsent;
    connection->unsent = swap;
    buf_clear(&connection->unsent);
    uv_buf_t rest = uv_buf_init(connection->writing.data + offset,
                                (unsigned)(connection->writing.size - offset));
    connection->write.data = connection;
    connection->write_since_ns = clock_monotonic_ns();
    connection->write_active = true;
    if (uv_write(&connection->write, &connection->socket.stream, &rest, 1, on_written) != 0) {
        connection->write_active = false;
        buf_clear(&connection->writing);
        connection_close(connection, CONNECTION_WRITE);
    }
}

void connection_flush(struct connection *connection)
{
    struct buf *unsent = &connection->unsent;
    list_take_out(&connection->dirty);
    if (connection->write_active || unsent->size == 0)
        return;
    uv_buf_t all = uv_buf_init(unsent->data, (unsigned)unsent->size);
    int written = uv_try_write(&connection->socket.stream, &all, 1);
    if (written == UV_EAGAIN)
        written = 0;
    if (written < 0) {
        buf_clear(unsent);
        connection_close(connection, CONNECTION_WRITE);
    } else if ((size_t)written == unsent->size) {
        keep_or_free(unsent);
    } else {
        write_rest(connection, (size_t)written);
    }
}

static void on_closed(uv_handle_t *handle)
{
    struct connection *connection = handle->data;
    list_take_out(&connection->link);
    connection->server->connection_count--;
    buf_fini(&connection->unread);
    buf_fini(&connection->unsent);
    buf_fini(&connection->writing);
    connect_options_fini(&connection->options);
    map_fini(&connection->subscriptions);
    free(connection->host);
    free(connection);
}

void connection_finish(struct connection *connection)
{
    struct server *server = connection->server;
    struct client_subscription *subscription;
    size_t at = 0;
    list_take_out(&connection->ended);
    connection_flush(connection);
    list_take_out(&connection->ended);
    while ((subscription = map_next(&connection->subscriptions, &at)) != NULL) {
        account_unsubscribe(connection->account, &subscription->subscription);
        list_take_out(&subscription->ending);
        free(subscription);
    }
    map_fini(&connection->subscriptions);
    client_forget_replies(connection);
    if (connection->connected)
        account_numbers(connection->account)->connections--;
    serverlog_write(server->log, SERVERLOG_DEBUG, "%s:%d - cid:%llu - Client connection closed: %s",
                    connection->host, connection->port, (unsigned long long)connection->id,
                    connection_reason_text(connection->reason));
    uv_close(&connection->socket.handle, on_closed);
}

// Runs every operation in the bytes; what is left is the beginning of one.
static struct bytes run_operations(struct connection *connection, struct bytes input)
{
    struct parser_op op;
    while (!connection->closing) {
        enum parser_result result = parser_next(&connection->parser, &input, &op);
        if (result == PARSER_MORE)
            break;
        if (result == PARSER_ERROR) {
            client_parse_error(connection, &op);
            if (connection->closing)
                break;
            continue;
        }
        client_operation(connection, &op);
    }
    return input;
}

static void keep_rest(struct connection *connection, struct bytes rest)
{
    struct buf *unread = &connection->unread;
    if (connection->closing || rest.size == 0) {
        keep_or_free(unread);
        if (unread->capacity > 0 && connection->closing)
            buf_fini(unread);
        return;
    }
    if (rest.data >= unread->data && unread->data != NULL &&
        rest.data < unread->data + unread->capacity) {
        memmove(unread->data, rest.data, rest.size);
        unread->size = rest.size;
    } else {
        buf_clear(unread);
        buf_append(unread, rest);
    }
    if (buf_status(unread) != STATUS_OK)
        connection_close(connection, CONNECTION_NO_MEMORY);
}

// An operation that has begun is read on into the connection's own bytes, at least as far as it is
// known to reach; everything else into the scratch space that all share.
static void give_space(uv_handle_t *handle, size_t suggested, uv_buf_t *space)
{
    struct connection *connection = handle->data;
    struct server *server = connection->server;
    (void)suggested;
    if (connection->unread.size == 0) {
        *space = uv_buf_init(server->scratch, SERVER_SCRATCH_BYTES);
        return;
    }
    size_t wanted = parser_wanted(&connection->parser);
    size_t room = wanted > connection->unread.size ? wanted - connection->unread.size : 0;
    room = room < KEPT_BYTES ? KEPT_BYTES : room;
    char *to = buf_reserve(&connection->unread, room);
    *space = uv_buf_init(to, to == NULL ? 0 : (unsigned)room);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *space)
{
    struct connection *connection = stream->data;
    struct server *server = connection->server;
    if (connection->closing || got == 0)
        return;
    if (got < 0) {
        connection_close(connection, got == UV_EOF       ? CONNECTION_CLIENT
                                     : got == UV_ENOBUFS ? CONNECTION_NO_MEMORY
                                                         : CONNECTION_READ);
        return;
    }
    struct bytes input;
    if (space->base == server->scratch) {
        input = bytes_of(server->scratch, (size_t)got);
    } else {
        connection->unread.size += (size_t)got;
        input = buf_bytes(&connection->unread);
    }
    keep_rest(connection, run_operations(connection, input));
}

static void remember_peer(struct connection *connection)
{
    struct sockaddr_storage address;
    int size = sizeof address;
    char host[64] = "unix";
    if (connection->socket.handle.type == UV_TCP &&
        uv_tcp_getpeername(&connection->socket.tcp, (struct sockaddr *)&address, &size) == 0) {
        uv_ip_name((struct sockaddr *)&address, host, sizeof host);
        connection->port = ntohs(address.ss_family == AF_INET6
                                     ? ((struct sockaddr_in6 *)&address)->sin6_port
                                     : ((struct sockaddr_in *)&address)->sin_port);
    }
    connection->host = strdup(host);
}

static void init_fields(struct connection *connection, struct server *server)
{
    struct parser_limits limits = {
        .control_line_max = (size_t)server->options->max_control_line,
        .payload_max = (size_t)server->options->max_payload,
    };
    connection->server = server;
    connection->account = server->global;
    connection->user = auth_default_user(server->auth);
    connection->id = ++server->next_connection_id;
    connection->start_ns = server_now_ns();
    connection->active_ns = connection->start_ns;
    list_init(&connection->link);
    list_init(&connection->dirty);
    list_init(&connection->ended);
    list_init(&connection->replies);
    parser_init(&connection->parser, &limits);
    // What an operation may take at most: its line, headers and body, and what came behind it.
    size_t most = limits.control_line_max + limits.payload_max + 2 * SERVER_SCRATCH_BYTES;
    buf_init(&connection->unread, most);
    buf_init(&connection->unsent, (size_t)server->options->max_pending + most);
    buf_init(&connection->writing, (size_t)server->options->max_pending + most);
    map_init(&connection->subscriptions, connection->id);
    connect_options_init(&connection->options);
}

void connection_open(struct server *server, uv_stream_t *listener)
{
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL) {
        serverlog_write(server->log, SERVERLOG_ERROR, "no memory for another connection");
        return;
    }
    init_fields(connection, server);
    if (listener->type == UV_TCP)
        uv_tcp_init(&server->loop, &connection->socket.tcp);
    else
        uv_pipe_init(&server->loop, &connection->socket.pipe, 0);
    connection->socket.handle.data = connection;
    list_append(&server->connections, &connection->link);
    server->connection_count++;
    server->connection_total++;
    if (uv_accept(listener, &connection->socket.stream) != 0) {
        connection_close(connection, CONNECTION_READ);
        return;
    }
    if (listener->type == UV_TCP)
        uv_tcp_nodelay(&connection->socket.tcp, 1);
    remember_peer(connection);
    if (connection->host == NULL) {
        connection_close(connection, CONNECTION_NO_MEMORY);
        return;
    }
    if (server->connection_count > (size_t)server->options->max_connections) {
        connection_fail(connection, CONNECTION_MAX_CONNECTIONS, "maximum connections exceeded");
        return;
    }
    server_send_info(server, connection);
    if (uv_read_start(&connection->socket.stream, give_space, on_read) != 0)
        connection_close(connection, CONNECTION_READ);
}

// A PING is sent to a client that was silent for an interval; one that leaves too many unanswered
// is stale.
static void ping(struct connection *connection, int64_t now_ns)
{
    const struct server_options *options = connection->server->options;
    int64_t quiet_since = connection->active_ns > connection->ping_ns ? connection->active_ns
                                                                      : connection->ping_ns;
    if (now_ns - quiet_since < options->ping_interval_ns)
        return;
    if (connection->pings_out >= (unsigned)options->ping_max) {
        connection->server->stale_connections++;
        connection_fail(connection, CONNECTION_STALE, "Stale Connection");
        return;
    }
    connection->pings_out++;
    connection->ping_ns = now_ns;
    proto_put_ping(&connection->unsent);
    connection_touch(connection);
}

void connection_tick(struct connection *connection, int64_t now_ns)
{
    struct server *server = connection->server;
    const struct server_options *options = server->options;
    if (connection->closing)
        return;
    if (connection->write_active &&
        clock_monotonic_ns() - connection->write_since_ns > options->write_deadline_ns) {
        serverlog_write(server->log, SERVERLOG_INFO,
                        "%s:%d - cid:%llu - Slow Consumer Detected: WriteDeadline exceeded",
                        connection->host, connection->port, (unsigned long long)connection->id);
        server->slow_consumers++;
        connection_close(connection, CONNECTION_SLOW_DEADLINE);
        return;
    }
    if (!connection->connected && auth_is_required(server->auth)) {
        if (now_ns - connection->start_ns > options->auth_timeout_ns)
            connection_fail(connection, CONNECTION_AUTH_TIMEOUT, "Authentication Timeout");
        return;
    }
    ping(connection, now_ns);
}
