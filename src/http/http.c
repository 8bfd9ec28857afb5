// SPDX-License-Identifier: Apache-2.0
#include "http/http.h"

#include "base/buf.h"
#include "base/limits.h"
#include "server/monitor.h"
#include "server/server.h"

#include <microhttpd.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <uv.h>

enum { CONNECTIONS_MAX = 128, IDLE_SECONDS = 10, PORT_TEXT_SIZE = 16, MEMORY_BYTES = 32 * 1024 };

struct http {
    struct server *server;
    struct MHD_Daemon *daemon;
    uv_poll_t poll;
    uv_timer_t timer;
    int port;
    bool polling;
};

static const char *get_option(void *context, const char *key)
{
    return MHD_lookup_connection_value(context, MHD_GET_ARGUMENT_KIND, key);
}

static enum MHD_Result respond(struct MHD_Connection *connection, unsigned code, const char *type,
                               struct bytes text)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(text.size, (void *)text.data,
                                                                    MHD_RESPMEM_MUST_COPY);
    if (response == NULL)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    if (code == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    enum MHD_Result result = MHD_queue_response(connection, code, response);
    MHD_destroy_response(response);
    return result;
}

static unsigned code_of(enum status status)
{
    switch (status) {
    case STATUS_OK: return MHD_HTTP_OK;
    case STATUS_INVALID: return MHD_HTTP_BAD_REQUEST;
    case STATUS_NOT_FOUND: return MHD_HTTP_NOT_FOUND;
    case STATUS_UNHEALTHY: return MHD_HTTP_SERVICE_UNAVAILABLE;
    default: return MHD_HTTP_INTERNAL_SERVER_ERROR;
    }
}

static enum MHD_Result answer_page(struct http *http, struct MHD_Connection *connection,
                                   const struct monitor_page *page)
{
    const char *type = "application/json";
    const char *callback = get_option(connection, "callback");
    struct monitor_query query = {get_option, connection};
    struct errinfo err = {.protocol_code = 0};
    struct buf out;
    buf_init(&out, LIMIT_API_ANSWER_BYTES);
    if (callback != NULL && *callback != 0) {
        type = "application/javascript";
        buf_printf(&out, "%s(", callback);
    }
    enum status status = page->answer(http->server, &query, &out, &err);
    if (status == STATUS_OK && buf_status(&out) != STATUS_OK)
        status = errinfo_set(&err, buf_status(&out), "the answer is too large; use limit=");
    if (status != STATUS_OK && status != STATUS_UNHEALTHY) {
        type = "text/plain";
        buf_clear(&out);
        buf_append_string(&out, err.text);
        buf_append_byte(&out, '\n');
    } else if (callback != NULL && *callback != 0) {
        buf_append_byte(&out, ')');
    }
    enum MHD_Result result = respond(connection, code_of(status), type, buf_bytes(&out));
    buf_fini(&out);
    return result;
}

static enum MHD_Result answer_root(struct MHD_Connection *connection)
{
    const struct monitor_page *page;
    struct buf out;
    buf_init(&out, LIMIT_API_ANSWER_BYTES);
    buf_append_string(&out,
                      "<!doctype html><html lang=\"en\"><title>agog</title><h1>agog</h1><ul>");
    for (size_t i = 0; (page = monitor_page_at(i)) != NULL; i++)
        buf_printf(&out, "<li><a href=\"/%s\">%s</a>", page->name, page->name);
    buf_append_string(&out, "</ul></html>\n");
    enum MHD_Result result = respond(connection, MHD_HTTP_OK, "text/html; charset=utf-8",
                                     buf_bytes(&out));
    buf_fini(&out);
    return result;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **request)
{
    struct http *http = context;
    static int seen;
    (void)version;
    (void)upload;
    // The first call of a request is for its headers alone.
    if (*request == NULL) {
        *request = &seen;
        return MHD_YES;
    }
    *upload_size = 0;
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return respond(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "text/plain", BYTES("use GET\n"));
    if (strcmp(url, "/") == 0)
        return answer_root(connection);
    const struct monitor_page *page = monitor_find(url + 1);
    if (strcmp(url, "/subscriptionsz") == 0)
        page = monitor_find("subsz");
    if (page == NULL)
        return respond(connection, MHD_HTTP_NOT_FOUND, "text/plain", BYTES("404 page not found\n"));
    return answer_page(http, connection, page);
}

// The loop

static void reset_timer(struct http *http);

static void run(struct http *http)
{
    MHD_run(http->daemon);
    reset_timer(http);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    run(poll->data);
}

static void on_timer(uv_timer_t *timer)
{
    run(timer->data);
}

static void reset_timer(struct http *http)
{
    MHD_UNSIGNED_LONG_LONG wait_ms;
    if (MHD_get_timeout(http->daemon, &wait_ms) == MHD_YES)
        uv_timer_start(&http->timer, on_timer, wait_ms, 0);
    else
        uv_timer_stop(&http->timer);
}

// Opening

static enum status start_daemon(struct http *http, const struct http_options *options,
                                struct errinfo *err)
{
    char port[PORT_TEXT_SIZE];
    struct addrinfo *address;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    snprintf(port, sizeof port, "%d", options->port);
    int failed = getaddrinfo(options->host, port, &hints, &address);
    if (failed != 0)
        return errinfo_set(err, STATUS_UNAVAILABLE, "cannot listen for HTTP on %s: %s",
                           options->host, gai_strerror(failed));
    unsigned flags = MHD_USE_EPOLL;
    if (address->ai_family == AF_INET6)
        flags |= MHD_USE_IPv6;
    http->daemon = MHD_start_daemon(
        flags, (uint16_t)options->port, NULL, NULL, on_request, http, MHD_OPTION_SOCK_ADDR,
        address->ai_addr, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)MEMORY_BYTES, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, MHD_OPTION_END);
    freeaddrinfo(address);
    if (http->daemon == NULL)
        return errinfo_set(err, STATUS_UNAVAILABLE,
                           "cannot listen for HTTP on %s:%d: the address is taken or not ours; "
                           "take another port",
                           options->host, options->port);
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_BIND_PORT);
    http->port = info == NULL ? options->port : info->port;
    return STATUS_OK;
}

static enum status join_loop(struct http *http, struct errinfo *err)
{
    uv_loop_t *loop = server_loop(http->server);
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    int failed = info == NULL ? UV_ENOTSUP : uv_poll_init(loop, &http->poll, info->epoll_fd);
    if (failed != 0)
        return errinfo_set(err, STATUS_IO, "cannot watch HTTP connections: %s",
                           uv_strerror(failed));
    uv_timer_init(loop, &http->timer);
    http->poll.data = http;
    http->timer.data = http;
    http->polling = true;
    uv_poll_start(&http->poll, UV_READABLE, on_ready);
    return STATUS_OK;
}

enum status http_open(struct http **out, struct server *server, const struct http_options *options,
                      struct errinfo *err)
{
    struct http *http = calloc(1, sizeof *http);
    if (http == NULL)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory for HTTP");
    http->server = server;
    enum status status = start_daemon(http, options, err);
    if (status == STATUS_OK)
        status = join_loop(http, err);
    if (status != STATUS_OK) {
        http_close(http);
        return status;
    }
    server_set_monitor_port(server, http->port);
    *out = http;
    return STATUS_OK;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_poll_closed(uv_handle_t *handle)
{
    struct http *http = handle->data;
    uv_close((uv_handle_t *)&http->timer, on_closed);
}

void http_close(struct http *http)
{
    if (http == NULL)
        return;
    if (http->polling)
        uv_poll_stop(&http->poll);
    if (http->daemon != NULL)
        MHD_stop_daemon(http->daemon);
    // libuv still knows the handles: they go when the loop comes around.
    if (http->polling)
        uv_close((uv_handle_t *)&http->poll, on_poll_closed);
    else
        free(http);
}

int http_port(const struct http *http)
{
    return http->port;
}
