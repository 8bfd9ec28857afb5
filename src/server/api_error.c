// SPDX-License-Identifier: Apache-2.0
#include "server/api_error.h"

#include "engine/jserror.h"
#include "wire/jsontext.h"

#include <string.h>

// The err_codes whose code is not 400, from errors.json.
static int code_of(int err_code)
{
    static const struct {
        int err_code;
        int code;
    } table[] = {
        {10004, 503}, {10006, 500}, {10007, 500}, {10008, 503}, {10009, 500}, {10010, 503},
        {10012, 500}, {10014, 404}, {10023, 503}, {10028, 500}, {10029, 500}, {10035, 503},
        {10036, 503}, {10037, 404}, {10039, 503}, {10041, 500}, {10042, 500}, {10045, 500},
        {10047, 500}, {10048, 500}, {10049, 500}, {10050, 500}, {10051, 500}, {10052, 500},
        {10053, 500}, {10057, 500}, {10059, 404}, {10062, 500}, {10063, 503}, {10064, 500},
        {10066, 500}, {10067, 500}, {10068, 404}, {10069, 500}, {10072, 500}, {10074, 500},
        {10075, 503}, {10076, 503}, {10077, 503}, {10096, 500}, {10104, 500}, {10110, 500},
        {10111, 500}, {10117, 500}, {10118, 500}, {10119, 500}, {10158, 409}, {10163, 503},
        {10167, 429}, {10180, 412}, {10185, 412}, {10194, 500}, {10195, 500}, {10210, 429},
        {10211, 429},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].err_code == err_code)
            return table[i].code;
    return 400;
}

// What nats-server says where the engine has a reason of its own.
static int err_code_of(enum status status)
{
    switch (status) {
    case STATUS_NO_SPACE: return JSERROR_STORAGE_EXCEEDED;
    case STATUS_NO_MEMORY: return JSERROR_INSUFFICIENT_RESOURCES;
    case STATUS_NOT_FOUND: return JSERROR_NO_MESSAGE;
    case STATUS_INVALID:
    case STATUS_USAGE: return JSERROR_BAD_REQUEST;
    default: return JSERROR_STREAM_GENERAL;
    }
}

void api_error_put(struct buf *out, enum status status, const struct errinfo *err)
{
    int err_code = err->protocol_code != 0 ? err->protocol_code : err_code_of(status);
    buf_printf(out, "{\"code\":%d,\"err_code\":%d,\"description\":", code_of(err_code), err_code);
    jsontext_put_string(out, bytes_of_string(err->text));
    buf_append_byte(out, '}');
}

void api_error_put_reply(struct buf *out, const char *stream, enum status status,
                         const struct errinfo *err)
{
    buf_append_string(out, "{\"error\":");
    api_error_put(out, status, err);
    if (stream != NULL) {
        buf_append_string(out, ",\"stream\":");
        jsontext_put_string(out, bytes_of_string(stream));
        buf_append_string(out, ",\"seq\":0");
    }
    buf_append_byte(out, '}');
}
