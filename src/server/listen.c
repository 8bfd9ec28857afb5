// SPDX-License-Identifier: Apache-2.0
#include "server/listen.h"

#include "server/connection.h"
#include "server/server_private.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BACKLOG = 1024, PORT_TEXT_SIZE = 16 };

static void on_connection(uv_stream_t *stream, int status)
{
    struct server *server = stream->data;
    if (status < 0) {
        // Most often no descriptors are left; the listener stays, and those that end make room.
        serverlog_write(server->log, SERVERLOG_ERROR, "cannot accept a connection: %s",
                        uv_strerror(status));
        return;
    }
    connection_open(server, stream);
}

static enum status cannot_listen(const char *where, int failed, struct errinfo *err)
{
    return errinfo_set(
        err, STATUS_UNAVAILABLE, "cannot listen on %s: %s%s", where, uv_strerror(failed),
        failed == UV_EADDRINUSE ? "; stop what listens there or take another port" : "");
}

static struct listener *next_listener(struct server *server)
{
    struct listener *listener = &server->listeners[server->listener_count++];
    listener->open = true;
    return listener;
}

static enum status listen_tcp(struct server *server, const struct addrinfo *address,
                              struct errinfo *err)
{
    struct listener *listener = next_listener(server);
    struct sockaddr_storage real;
    int size = sizeof real;
    char where[300];
    uv_tcp_init(&server->loop, &listener->socket.tcp);
    listener->socket.handle.data = server;
    // Both families have sockets of their own, so that either may be missing.
    unsigned flags = address->ai_family == AF_INET6 ? UV_TCP_IPV6ONLY : 0;
    int failed = uv_tcp_bind(&listener->socket.tcp, address->ai_addr, flags);
    if (failed == 0)
        failed = uv_listen(&listener->socket.stream, BACKLOG, on_connection);
    if (failed == 0)
        failed = uv_tcp_getsockname(&listener->socket.tcp, (struct sockaddr *)&real, &size);
    if (failed != 0) {
        snprintf(where, sizeof where, "%s:%d", server->options->host, server->options->port);
        return cannot_listen(where, failed, err);
    }
    server->port = ntohs(real.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&real)->sin6_port
                                                    : ((struct sockaddr_in *)&real)->sin_port);
    return STATUS_OK;
}

static void set_url(struct server *server, int family)
{
    const char *host = server->options->host;
    bool any = strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
    if (any)
        host = "127.0.0.1";
    snprintf(server->url, sizeof server->url,
             family == AF_INET6 && !any ? "nats://[%s]:%d" : "nats://%s:%d", host, server->port);
}

static enum status open_tcp(struct server *server, struct errinfo *err)
{
    const char *host = server->options->host;
    char port[PORT_TEXT_SIZE];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    uv_getaddrinfo_t request;
    snprintf(port, sizeof port, "%d", server->options->port < 0 ? 0 : server->options->port);
    int failed = uv_getaddrinfo(&server->loop, &request, NULL, host, port, &hints);
    if (failed != 0)
        return cannot_listen(host, failed, err);
    enum status status = listen_tcp(server, request.addrinfo, err);
    set_url(server, request.addrinfo->ai_family);
    uv_freeaddrinfo(request.addrinfo);
    // "Everywhere" means both families; a machine without IPv6 is content with the one.
    if (status == STATUS_OK && strcmp(host, "0.0.0.0") == 0) {
        struct sockaddr_in6 any6;
        struct addrinfo both = {.ai_family = AF_INET6, .ai_addr = (struct sockaddr *)&any6};
        struct errinfo ignored;
        uv_ip6_addr("::", server->port, &any6);
        listen_tcp(server, &both, &ignored);
    }
    return status;
}

static enum status open_unix(struct server *server, struct errinfo *err)
{
    const char *path = server->options->unix_socket;
    struct listener *listener = next_listener(server);
    uv_pipe_init(&server->loop, &listener->socket.pipe, 0);
    listener->socket.handle.data = server;
    // The store's lock is ours, so a socket of that name is what a killed server has left.
    unlink(path);
    int failed = uv_pipe_bind(&listener->socket.pipe, path);
    if (failed == 0)
        failed = uv_listen(&listener->socket.stream, BACKLOG, on_connection);
    return failed == 0 ? STATUS_OK : cannot_listen(path, failed, err);
}

enum status listen_open(struct server *server, struct errinfo *err)
{
    enum status status = open_tcp(server, err);
    if (status == STATUS_OK && server->options->unix_socket != NULL)
        status = open_unix(server, err);
    if (status == STATUS_OK)
        serverlog_write(server->log, SERVERLOG_INFO, "Listening for client connections on %s:%d",
                        server->options->host, server->port);
    return status;
}

void listen_close(struct server *server)
{
    for (size_t i = 0; i < server->listener_count; i++) {
        struct listener *listener = &server->listeners[i];
        if (listener->open && !uv_is_closing(&listener->socket.handle))
            uv_close(&listener->socket.handle, NULL);
        listener->open = false;
    }
}
