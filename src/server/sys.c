// SPDX-License-Identifier: Apache-2.0
#include "server/sys.h"

#include "base/limits.h"
#include "server/connection.h"
#include "server/monitor.h"
#include "server/server_private.h"
#include "wire/jsontext.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_NAME_MAX = 32, VALUE_SIZE = 64 };

// A request's options are a JSON object; numbers and booleans are given as their text.
struct options {
    const json_t *object;
    char text[VALUE_SIZE];
};

static const char *get_option(void *context, const char *key)
{
    struct options *options = context;
    const json_t *value = json_object_get(options->object, key);
    if (json_is_string(value))
        return json_string_value(value);
    if (json_is_boolean(value))
        return json_is_true(value) ? "true" : "false";
    if (!json_is_integer(value))
        return NULL;
    snprintf(options->text, sizeof options->text, "%lld", (long long)json_integer_value(value));
    return options->text;
}

static void put_server(struct server *server, struct buf *out)
{
    buf_append_string(out, "{\"server\":{\"name\":");
    jsontext_put_string(out, bytes_of_string(server->name));
    monitor_put_string(out, "host", server->options->host);
    monitor_put_string(out, "id", server->id);
    monitor_put_string(out, "ver", SERVER_NATS_VERSION);
    buf_printf(out, ",\"jetstream\":%s", server->jetstream != NULL ? "true" : "false");
    monitor_put_time(out, "time", server_now_ns());
    buf_append_byte(out, '}');
}

static void put_statistics(struct server *server, struct buf *out)
{
    const struct monitor_query none = {get_option, &(struct options){NULL, ""}};
    struct buf varz;
    struct errinfo err;
    buf_init(&varz, LIMIT_API_ANSWER_BYTES);
    monitor_find("varz")->answer(server, &none, &varz, &err);
    buf_append_string(out, ",\"statsz\":");
    buf_append(out, buf_bytes(&varz));
    buf_fini(&varz);
}

static void put_page(struct server *server, const struct monitor_page *page, struct bytes body,
                     struct buf *out)
{
    struct errinfo err = {.protocol_code = 0};
    struct options options = {json_loadb(body.data, body.size, 0, NULL), ""};
    struct monitor_query query = {get_option, &options};
    struct buf data;
    buf_init(&data, LIMIT_API_ANSWER_BYTES);
    enum status status = page->answer(server, &query, &data, &err);
    if (status == STATUS_OK || status == STATUS_UNHEALTHY) {
        buf_append_string(out, ",\"data\":");
        buf_append(out, buf_bytes(&data));
    } else {
        buf_append_string(out, ",\"error\":{\"code\":400,\"description\":");
        jsontext_put_string(out, bytes_of_string(err.text));
        buf_append_byte(out, '}');
    }
    buf_fini(&data);
    json_decref((json_t *)options.object);
}

static bool on_request(struct service *service, const struct message *message,
                       struct connection *from)
{
    static const char prefix[] = "$SYS.REQ.SERVER.";
    struct server *server = service->context;
    struct bytes rest;
    struct bytes whom = bytes_cut(bytes_from(message->subject, sizeof prefix - 1), '.', &rest);
    char name[PAGE_NAME_MAX];
    struct buf out;
    (void)from;
    if (!bytes_equal(whom, BYTES("PING")) && !bytes_equal(whom, bytes_of_string(server->id)))
        return false;
    if (rest.size >= sizeof name || message->reply.size == 0)
        return false;
    for (size_t i = 0; i < rest.size; i++)
        name[i] = (char)tolower((unsigned char)rest.data[i]);
    name[rest.size] = 0;
    const struct monitor_page *page = monitor_find(name);
    bool statistics = rest.size == 0 || strcmp(name, "statsz") == 0;
    if (page == NULL && !statistics && strcmp(name, "idz") != 0)
        return false;
    buf_init(&out, LIMIT_API_ANSWER_BYTES);
    put_server(server, &out);
    if (page != NULL)
        put_page(server, page, message->body, &out);
    else if (statistics)
        put_statistics(server, &out);
    buf_append_byte(&out, '}');
    if (buf_status(&out) == STATUS_OK)
        account_publish(service->account,
                        &(struct message){.subject = message->reply, .body = buf_bytes(&out)});
    buf_fini(&out);
    return true;
}

static bool on_user_info(struct service *service, const struct message *message,
                         struct connection *from)
{
    struct server *server = service->context;
    struct buf out;
    if (from == NULL || message->reply.size == 0)
        return false;
    buf_init(&out, LIMIT_JSON_BYTES);
    put_server(server, &out);
    buf_append_string(&out, ",\"data\":{\"user\":");
    jsontext_put_string(&out, bytes_of_string(from->options.user));
    monitor_put_string(&out, "account", account_name(from->account));
    buf_append_string(&out, "}}");
    account_publish(service->account,
                    &(struct message){.subject = message->reply, .body = buf_bytes(&out)});
    buf_fini(&out);
    return true;
}

static enum status serve_account(struct server *server, struct account *account, size_t first,
                                 bool pages)
{
    struct service *services = server->sys_services + first;
    enum status status = account_serve(account, &services[0], "$SYS.REQ.USER.INFO", on_user_info,
                                       server);
    if (status == STATUS_OK && pages)
        status = account_serve(account, &services[1], "$SYS.REQ.SERVER.>", on_request, server);
    return status;
}

enum status sys_serve(struct server *server, struct errinfo *err)
{
    bool open = !auth_is_required(server->auth);
    enum status status = serve_account(server, server->global, 0, open);
    if (status == STATUS_OK)
        status = serve_account(server, server->system, 2, true);
    if (status != STATUS_OK)
        return errinfo_set(err, status, "no memory for the server");
    return STATUS_OK;
}

void sys_unserve(struct server *server)
{
    for (size_t i = 0; i < SERVER_SYS_SERVICES; i++)
        account_unserve(&server->sys_services[i]);
}
