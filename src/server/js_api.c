// SPDX-License-Identifier: Apache-2.0
#include "server/js_api.h"

#include "base/limits.h"
#include "engine/jserror.h"
#include "server/api_error.h"
#include "server/server_private.h"

#include <inttypes.h>
#include <string.h>

// Whether what is behind the prefix matches a route, and what its wildcards stand for. ">" takes
// all that is left.
static bool matches(const char *pattern, struct bytes subject, struct bytes tokens[])
{
    struct bytes left = bytes_of_string(pattern);
    size_t count = 0;
    while (left.data != NULL && left.size > 0) {
        struct bytes wanted = bytes_cut(left, '.', &left);
        if (subject.size == 0)
            return false;
        if (bytes_equal(wanted, BYTES(">"))) {
            tokens[count] = subject;
            return true;
        }
        struct bytes token = bytes_cut(subject, '.', &subject);
        if (bytes_equal(wanted, BYTES("*")))
            tokens[count++] = token;
        else if (!bytes_equal(wanted, token))
            return false;
    }
    return subject.size == 0;
}

static const struct js_route *find_in(const struct js_route *routes, size_t count,
                                      struct bytes subject, struct bytes tokens[])
{
    for (size_t i = 0; i < count; i++)
        if (matches(routes[i].pattern, subject, tokens))
            return &routes[i];
    return NULL;
}

static const struct js_route *find_route(struct bytes subject, struct bytes tokens[])
{
    const struct js_route *route = find_in(js_message_routes, js_message_route_count, subject,
                                           tokens);
    if (route == NULL)
        route = find_in(js_consumer_routes, js_consumer_route_count, subject, tokens);
    if (route == NULL)
        route = find_in(js_stream_routes, js_stream_route_count, subject, tokens);
    return route;
}

static enum status read_body(struct js_call *call, enum js_api_body body, struct errinfo *err)
{
    struct bytes text = bytes_trim(call->message->body);
    if (body == JS_BODY_IGNORED || body == JS_BODY_RAW)
        return STATUS_OK;
    if (text.size == 0 && body != JS_BODY_NEEDED)
        return STATUS_OK;
    if (body == JS_BODY_NONE) {
        // An object without members is as good as nothing.
        json_t *object = json_loadb(text.data, text.size, 0, NULL);
        bool empty = json_is_object(object) && json_object_size(object) == 0;
        json_decref(object);
        return empty ? STATUS_OK
                     : errinfo_set_code(err, STATUS_INVALID, JSERROR_NOT_EMPTY_REQUEST,
                                        "expected an empty request payload");
    }
    if (text.size == 0)
        return errinfo_set_code(err, STATUS_INVALID, JSERROR_BAD_REQUEST, "bad request");
    json_error_t where;
    char quoted[ERRINFO_QUOTED_MAX];
    call->request = json_loadb(text.data, text.size, JSON_REJECT_DUPLICATES, &where);
    if (json_is_object(call->request))
        return STATUS_OK;
    return errinfo_set_code(err, STATUS_INVALID, JSERROR_INVALID_JSON, "invalid JSON: %s",
                            call->request != NULL
                                ? "not an object"
                                : errinfo_escape(bytes_of_string(where.text), quoted));
}

static void send_answer(struct js_call *call, enum status status, const struct errinfo *err)
{
    struct message message = {.subject = call->message->reply};
    if (status != STATUS_OK) {
        call->js->api_errors++;
        buf_clear(&call->out);
        buf_printf(&call->out, "{\"type\":\"io.nats.jetstream.api.v1.%s\",\"error\":", call->type);
        api_error_put(&call->out, status, err);
    }
    buf_append_byte(&call->out, '}');
    if (message.subject.size == 0 || buf_status(&call->out) != STATUS_OK)
        return;
    message.body = buf_bytes(&call->out);
    if (status == STATUS_OK && call->commit != NULL && js_stream_has_staged(call->commit))
        js_stream_reply(call->commit, message.subject, message.body, false);
    else
        account_publish(call->js->account, &message);
}

static void retry(struct jetstream *js, const struct message *message);

static enum status run(struct js_call *call, const struct js_route *route, struct errinfo *err)
{
    buf_clear(&call->out);
    buf_printf(&call->out, "{\"type\":\"io.nats.jetstream.api.v1.%s\"", route->type);
    enum status status = route->handler(call, err);
    if (status == STATUS_OK && buf_status(&call->out) != STATUS_OK)
        status = errinfo_set_code(err, STATUS_NO_MEMORY, JSERROR_INSUFFICIENT_RESOURCES,
                                  "insufficient resources");
    return status;
}

static void handle(struct jetstream *js, const struct message *message,
                   const struct js_route *route, const struct bytes tokens[])
{
    struct errinfo err = {.protocol_code = 0};
    struct js_call call = {.js = js, .message = message, .type = route->type};
    memcpy(call.tokens, tokens, sizeof call.tokens);
    buf_init(&call.out, LIMIT_API_ANSWER_BYTES);
    js->api_total++;
    enum status status = read_body(&call, route->body, &err);
    if (status == STATUS_OK)
        status = run(&call, route, &err);
    // What replaces it may be staged: that is looked for once it is committed.
    if (call.again != NULL && js_stream_has_staged(call.again)) {
        if (js_stream_defer(call.again, retry, message))
            call.answered = true;
        else
            status = run(&call, route, &err);
    }
    if (!call.answered)
        send_answer(&call, status, &err);
    json_decref(call.request);
    buf_fini(&call.out);
}

static void retry(struct jetstream *js, const struct message *message)
{
    struct bytes tokens[JS_API_TOKENS_MAX] = {{NULL, 0}};
    handle(js, message, find_route(message->subject, tokens), tokens);
}

static bool on_request(struct service *service, const struct message *message,
                       struct connection *from)
{
    struct jetstream *js = service->context;
    struct message request = *message;
    struct bytes tokens[JS_API_TOKENS_MAX] = {{NULL, 0}};
    (void)from;
    request.subject = jetstream_api_rest(js, message->subject);
    const struct js_route *route = find_route(request.subject, tokens);
    if (route == NULL)
        return false;
    handle(js, &request, route, tokens);
    return true;
}

enum status jetstream_serve_api(struct jetstream *js, struct errinfo *err)
{
    return jetstream_serve_api_subject(js, ">", on_request, err);
}

// What handlers share

enum status js_call_stream(struct js_call *call, struct js_stream **stream, struct errinfo *err)
{
    struct js_stream *found = js_stream_find(call->js, call->tokens[0]);
    if (found == NULL)
        return errinfo_set_code(err, STATUS_NOT_FOUND, JSERROR_STREAM_NOT_FOUND,
                                "stream not found");
    *stream = found;
    return STATUS_OK;
}

static enum status wrong_type(const char *key, const char *wanted, struct errinfo *err)
{
    return errinfo_set_code(err, STATUS_INVALID, JSERROR_INVALID_JSON, "invalid JSON: %s is not %s",
                            key, wanted);
}

enum status js_call_u64(const struct js_call *call, const char *key, uint64_t *to,
                        struct errinfo *err)
{
    const json_t *value = json_object_get(call->request, key);
    if (value == NULL || json_is_null(value))
        return STATUS_OK;
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return wrong_type(key, "a whole number of 0 or more", err);
    *to = (uint64_t)json_integer_value(value);
    return STATUS_OK;
}

enum status js_call_bool(const struct js_call *call, const char *key, bool *to, struct errinfo *err)
{
    const json_t *value = json_object_get(call->request, key);
    if (value == NULL || json_is_null(value))
        return STATUS_OK;
    if (!json_is_boolean(value))
        return wrong_type(key, "a boolean", err);
    *to = json_is_true(value);
    return STATUS_OK;
}

enum status js_call_string(const struct js_call *call, const char *key, struct bytes *to,
                           struct errinfo *err)
{
    const json_t *value = json_object_get(call->request, key);
    if (value == NULL || json_is_null(value))
        return STATUS_OK;
    if (!json_is_string(value))
        return wrong_type(key, "a string", err);
    *to = bytes_of(json_string_value(value), json_string_length(value));
    return STATUS_OK;
}

enum status js_call_page(const struct js_call *call, size_t total, size_t limit,
                         struct js_page *page, struct errinfo *err)
{
    uint64_t offset = 0;
    enum status status = js_call_u64(call, "offset", &offset, err);
    if (status != STATUS_OK)
        return status;
    page->total = total;
    page->limit = limit;
    page->from = offset < total ? (size_t)offset : total;
    page->to = total - page->from > limit ? page->from + limit : total;
    return STATUS_OK;
}

void js_call_put_page(struct js_call *call, const struct js_page *page)
{
    buf_printf(&call->out, ",\"total\":%zu,\"offset\":%zu,\"limit\":%zu", page->total, page->from,
               page->limit);
}
