// SPDX-License-Identifier: Apache-2.0
// JetStream's API: consumers.
#include "base/clock.h"
#include "engine/jserror.h"
#include "server/advisory.h"
#include "server/js_api.h"
#include "server/js_consumer.h"
#include "server/server_private.h"
#include "wire/jsontext.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_PAGE = 1024, LIST_PAGE = 256 };

static enum status find_consumer(struct js_call *call, struct js_consumer **consumer,
                                 struct errinfo *err)
{
    struct js_stream *stream;
    enum status status = js_call_stream(call, &stream, err);
    if (status != STATUS_OK)
        return status;
    struct js_consumer *found = js_consumer_find(stream, call->tokens[1]);
    if (found == NULL)
        return errinfo_set_code(err, STATUS_NOT_FOUND, JSERROR_CONSUMER_NOT_FOUND,
                                "consumer not found");
    *consumer = found;
    return STATUS_OK;
}

static enum status put_info(struct js_call *call, struct js_consumer *consumer, struct errinfo *err)
{
    enum status status = js_consumer_put_info(consumer, true, &call->out);
    if (status != STATUS_OK)
        return errinfo_set_code(err, status, JSERROR_INSUFFICIENT_RESOURCES,
                                "insufficient resources");
    return STATUS_OK;
}

// Making

static enum status read_request(struct js_call *call, struct consumer_config *config,
                                enum consumer_action *action, struct errinfo *err)
{
    struct bytes stream = call->tokens[0];
    struct bytes word = {NULL, 0};
    const json_t *object = json_object_get(call->request, "config");
    if (!json_is_object(object))
        return errinfo_set_code(err, STATUS_INVALID, 10078, "consumer config required");
    enum status status = js_call_string(call, "stream_name", &stream, err);
    if (status == STATUS_OK)
        status = js_call_string(call, "action", &word, err);
    if (status != STATUS_OK)
        return status;
    if (!bytes_equal(stream, call->tokens[0]))
        return errinfo_set_code(err, STATUS_INVALID, JSERROR_STREAM_MISMATCH,
                                "stream name in subject does not match request");
    *action = bytes_equal(word, BYTES("create"))   ? CONSUMER_CREATE
              : bytes_equal(word, BYTES("update")) ? CONSUMER_UPDATE
                                                   : CONSUMER_CREATE_OR_UPDATE;
    return consumer_config_from_json(config, object, err);
}

static enum status make(struct js_call *call, const struct consumer_config *config,
                        enum consumer_action action, struct errinfo *err)
{
    struct js_stream *stream;
    struct consumer_made made;
    struct js_consumer *attached;
    enum status status = js_call_stream(call, &stream, err);
    // Of a subject whose last message is only staged the one before is gone already.
    if (status == STATUS_OK &&
        (config->deliver == DELIVER_LAST || config->deliver == DELIVER_LAST_PER_SUBJECT))
        js_stream_settle(stream);
    if (status == STATUS_OK)
        status = consumer_make(stream->stream, config, action, server_now_ns(), &made, err);
    if (status != STATUS_OK)
        return status;
    const char *name = consumer_name(made.consumer);
    if (made.created) {
        status = js_consumer_attach(stream, made.consumer, &attached, err);
        if (status != STATUS_OK) {
            consumer_delete(made.consumer, NULL);
            return status;
        }
        advisory_consumer(call->js, stream->name, name, "CREATED", "create");
    } else {
        attached = js_consumer_find(stream, bytes_of_string(name));
        js_consumer_wake(attached);
    }
    js_stream_touch(stream);
    call->commit = stream;
    buf_append_byte(&call->out, ',');
    return put_info(call, attached, err);
}

// CONSUMER.CREATE.<stream>: without a name in the subject; a durable one is not made this way.
static enum status create_call(struct js_call *call, struct errinfo *err)
{
    struct consumer_config config;
    enum consumer_action action;
    consumer_config_init(&config);
    enum status status = read_request(call, &config, &action, err);
    if (status == STATUS_OK && config.durable != NULL)
        status = errinfo_set_code(err, STATUS_INVALID, 10020,
                                  "consumer expected to be ephemeral but a durable name was set in "
                                  "request");
    if (status == STATUS_OK)
        status = make(call, &config, action, err);
    consumer_config_fini(&config);
    return status;
}

static enum status check_named(const struct js_call *call, const struct consumer_config *config,
                               struct errinfo *err)
{
    struct bytes filter;
    struct bytes name = bytes_cut(call->tokens[1], '.', &filter);
    const char *given = config->name != NULL ? config->name : config->durable;
    if (given == NULL)
        return errinfo_set_code(err, STATUS_INVALID, 10018,
                                "consumer expected to be durable but a durable name was not set");
    if (!bytes_equal(bytes_of_string(given), name))
        return errinfo_set_code(err, STATUS_INVALID, 10017,
                                "consumer name in subject does not match durable name in request");
    if (filter.size > 0 && config->filters.count > 0)
        return errinfo_set_code(err, STATUS_INVALID, 10137,
                                "consumer with multiple subject filters cannot use subject based "
                                "API");
    if (filter.size > 0 && !bytes_equal(filter, bytes_of_string(config->filter)))
        return errinfo_set_code(err, STATUS_INVALID, 10131,
                                "Consumer create request did not match filtered subject from "
                                "create subject");
    return STATUS_OK;
}

// CONSUMER.CREATE.<stream>.<name>[.<filter>]
static enum status create_named_call(struct js_call *call, struct errinfo *err)
{
    struct consumer_config config;
    enum consumer_action action;
    consumer_config_init(&config);
    enum status status = read_request(call, &config, &action, err);
    if (status == STATUS_OK)
        status = check_named(call, &config, err);
    if (status == STATUS_OK)
        status = make(call, &config, action, err);
    consumer_config_fini(&config);
    return status;
}

// CONSUMER.DURABLE.CREATE.<stream>.<name>
static enum status create_durable_call(struct js_call *call, struct errinfo *err)
{
    struct consumer_config config;
    enum consumer_action action;
    consumer_config_init(&config);
    enum status status = read_request(call, &config, &action, err);
    if (status == STATUS_OK && config.durable == NULL)
        status = errinfo_set_code(err, STATUS_INVALID, 10018,
                                  "consumer expected to be durable but a durable name was not set");
    if (status == STATUS_OK && !bytes_equal(bytes_of_string(config.durable), call->tokens[1]))
        status = errinfo_set_code(err, STATUS_INVALID, 10017,
                                  "consumer name in subject does not match durable name in "
                                  "request");
    if (status == STATUS_OK)
        status = make(call, &config, action, err);
    consumer_config_fini(&config);
    return status;
}

// Looking

static enum status info_call(struct js_call *call, struct errinfo *err)
{
    struct js_consumer *consumer;
    enum status status = find_consumer(call, &consumer, err);
    if (status != STATUS_OK)
        return status;
    buf_append_byte(&call->out, ',');
    return put_info(call, consumer, err);
}

static enum status list_consumers(struct js_call *call, size_t limit, bool whole,
                                  struct errinfo *err)
{
    struct js_stream *stream;
    struct js_page page = {0};
    size_t index = 0;
    enum status status = js_call_stream(call, &stream, err);
    if (status == STATUS_OK)
        status = js_call_page(call, consumer_count_of(stream->stream), limit, &page, err);
    if (status != STATUS_OK)
        return status;
    js_call_put_page(call, &page);
    buf_append_string(&call->out, ",\"consumers\":[");
    for (struct list *at = stream->consumers.next; at != &stream->consumers;
         at = at->next, index++) {
        struct js_consumer *consumer = LIST_ELEMENT(at, struct js_consumer, link);
        if (index < page.from || index >= page.to)
            continue;
        if (index > page.from)
            buf_append_byte(&call->out, ',');
        if (!whole) {
            jsontext_put_string(&call->out, bytes_of_string(consumer_name(consumer->consumer)));
            continue;
        }
        buf_append_byte(&call->out, '{');
        status = put_info(call, consumer, err);
        if (status != STATUS_OK)
            return status;
        buf_append_byte(&call->out, '}');
    }
    buf_append_byte(&call->out, ']');
    return STATUS_OK;
}

static enum status names_call(struct js_call *call, struct errinfo *err)
{
    return list_consumers(call, NAMES_PAGE, false, err);
}

static enum status list_call(struct js_call *call, struct errinfo *err)
{
    return list_consumers(call, LIST_PAGE, true, err);
}

// Changing

static enum status delete_call(struct js_call *call, struct errinfo *err)
{
    struct js_consumer *consumer;
    enum status status = find_consumer(call, &consumer, err);
    if (status != STATUS_OK)
        return status;
    call->commit = consumer->stream;
    status = js_consumer_delete(consumer, err);
    if (status == STATUS_OK)
        buf_append_string(&call->out, ",\"success\":true");
    return status;
}

static enum status pause_call(struct js_call *call, struct errinfo *err)
{
    struct js_consumer *consumer;
    struct bytes text = {NULL, 0};
    int64_t until_ns = 0;
    int64_t now_ns = server_now_ns();
    enum status status = find_consumer(call, &consumer, err);
    if (status == STATUS_OK)
        status = js_call_string(call, "pause_until", &text, err);
    if (status == STATUS_OK && text.size > 0 &&
        !bytes_start_with(text, BYTES("0001-01-01T00:00:00")) && !clock_parse(text, &until_ns))
        status = errinfo_set_code(err, STATUS_INVALID, JSERROR_INVALID_JSON,
                                  "invalid JSON: pause_until is not a time");
    if (status == STATUS_OK)
        status = consumer_pause(consumer->consumer, until_ns, err);
    if (status != STATUS_OK)
        return status;
    js_stream_touch(consumer->stream);
    js_consumer_wake(consumer);
    call->commit = consumer->stream;
    buf_printf(&call->out, ",\"paused\":%s,\"pause_until\":", until_ns > now_ns ? "true" : "false");
    jsontext_put_time(&call->out, until_ns);
    if (until_ns > now_ns)
        buf_printf(&call->out, ",\"pause_remaining\":%" PRId64, until_ns - now_ns);
    return STATUS_OK;
}

static enum status reset_call(struct js_call *call, struct errinfo *err)
{
    struct js_consumer *consumer;
    uint64_t seq = 0;
    enum status status = find_consumer(call, &consumer, err);
    if (status == STATUS_OK)
        status = js_call_u64(call, "seq", &seq, err);
    if (status == STATUS_OK)
        status = consumer_reset(consumer->consumer, seq, err);
    if (status != STATUS_OK)
        return status;
    js_stream_touch(consumer->stream);
    js_consumer_wake(consumer);
    call->commit = consumer->stream;
    struct consumer_info info;
    consumer_info_get(consumer->consumer, server_now_ns(), &info);
    buf_append_byte(&call->out, ',');
    status = put_info(call, consumer, err);
    buf_printf(&call->out, ",\"reset_seq\":%" PRIu64, info.delivered.stream_seq + 1);
    return status;
}

static enum status unpin_call(struct js_call *call, struct errinfo *err)
{
    struct js_consumer *consumer;
    struct bytes group = {NULL, 0};
    enum status status = find_consumer(call, &consumer, err);
    if (status == STATUS_OK)
        status = js_call_string(call, "group", &group, err);
    if (status == STATUS_OK)
        status = consumer_unpin(consumer->consumer, group, err);
    if (status == STATUS_OK)
        js_consumer_wake(consumer);
    return status;
}

const struct js_route js_consumer_routes[] = {
    {"CONSUMER.DURABLE.CREATE.*.*", "consumer_create_response", JS_BODY_NEEDED,
     create_durable_call},
    {"CONSUMER.CREATE.*.>", "consumer_create_response", JS_BODY_NEEDED, create_named_call},
    {"CONSUMER.CREATE.*", "consumer_create_response", JS_BODY_NEEDED, create_call},
    {"CONSUMER.INFO.*.*", "consumer_info_response", JS_BODY_NONE, info_call},
    {"CONSUMER.NAMES.*", "consumer_names_response", JS_BODY_OPTIONAL, names_call},
    {"CONSUMER.LIST.*", "consumer_list_response", JS_BODY_OPTIONAL, list_call},
    {"CONSUMER.DELETE.*.*", "consumer_delete_response", JS_BODY_NONE, delete_call},
    {"CONSUMER.PAUSE.*.*", "consumer_pause_response", JS_BODY_OPTIONAL, pause_call},
    {"CONSUMER.RESET.*.*", "consumer_reset_response", JS_BODY_OPTIONAL, reset_call},
    {"CONSUMER.UNPIN.*.*", "consumer_unpin_response", JS_BODY_OPTIONAL, unpin_call},
};
const size_t js_consumer_route_count = sizeof js_consumer_routes / sizeof js_consumer_routes[0];
