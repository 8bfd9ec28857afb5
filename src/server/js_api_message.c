// SPDX-License-Identifier: Apache-2.0
// JetStream's API: single messages.
#include "base/limits.h"
#include "engine/jserror.h"
#include "server/get_request.h"
#include "server/js_api.h"
#include "wire/jsontext.h"

#include <inttypes.h>

static void put_message(struct buf *out, const struct msglog_message *message, bool with_headers)
{
    buf_append_string(out, ",\"message\":{\"subject\":");
    jsontext_put_string(out, message->subject);
    buf_printf(out, ",\"seq\":%" PRIu64, message->seq);
    if (with_headers && message->headers.size > 0) {
        buf_append_string(out, ",\"hdrs\":\"");
        jsontext_put_base64(out, message->headers);
        buf_append_byte(out, '"');
    }
    if (message->body.size > 0) {
        buf_append_string(out, ",\"data\":\"");
        jsontext_put_base64(out, message->body);
        buf_append_byte(out, '"');
    }
    buf_append_string(out, ",\"time\":");
    jsontext_put_time(out, message->time_ns);
    buf_append_byte(out, '}');
}

static enum status message_get(struct js_call *call, struct errinfo *err)
{
    struct js_stream *stream;
    struct get_request request;
    struct msglog_message message;
    struct buf storage;
    enum status status = get_request_read(call->request, &request, err);
    if (status != STATUS_OK)
        return status;
    if (get_request_is_empty(&request) || get_request_conflicts(&request) ||
        request.multi_last != NULL || request.batch > 0 || request.max_bytes > 0)
        return errinfo_set_code(err, STATUS_INVALID, JSERROR_BAD_REQUEST, "bad request");
    status = js_call_stream(call, &stream, err);
    if (status != STATUS_OK)
        return status;
    buf_init(&storage, LIMIT_RECORD_BYTES);
    status = get_request_find(&request, stream->stream, &storage, &message, err);
    if (status == STATUS_OK)
        put_message(&call->out, &message, !request.no_headers);
    else if (status == STATUS_NOT_FOUND)
        call->again = stream;
    buf_fini(&storage);
    return status;
}

static enum status message_delete(struct js_call *call, struct errinfo *err)
{
    struct js_stream *stream;
    uint64_t seq = 0;
    bool no_erase = false;
    enum status status = js_call_stream(call, &stream, err);
    if (status == STATUS_OK)
        status = js_call_u64(call, "seq", &seq, err);
    if (status == STATUS_OK)
        status = js_call_bool(call, "no_erase", &no_erase, err);
    if (status == STATUS_OK)
        status = stream_delete_message(stream->stream, seq, !no_erase, err);
    if (status != STATUS_OK)
        return status;
    js_stream_touch(stream);
    call->commit = stream;
    buf_append_string(&call->out, ",\"success\":true");
    return STATUS_OK;
}

const struct js_route js_message_routes[] = {
    {"STREAM.MSG.GET.*", "stream_msg_get_response", JS_BODY_NEEDED, message_get},
    {"STREAM.MSG.DELETE.*", "stream_msg_delete_response", JS_BODY_NEEDED, message_delete},
};
const size_t js_message_route_count = sizeof js_message_routes / sizeof js_message_routes[0];
