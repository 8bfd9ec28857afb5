// SPDX-License-Identifier: Apache-2.0
#include "wire/proto.h"

#include "wire/jsontext.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_SIZE = 24, FRAME_SIZE = 64 };

// A number's decimal digits, from the end of the space backwards.
static struct bytes digits_of(size_t number, char space[NUMBER_SIZE])
{
    size_t at = NUMBER_SIZE;
    do {
        space[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return bytes_of(space + at, NUMBER_SIZE - at);
}

static char *put(char *to, struct bytes part)
{
    if (part.size > 0)
        memcpy(to, part.data, part.size);
    return to + part.size;
}

// The hottest of all writers: one reservation, then copies.
void proto_put_message(struct buf *out, const struct proto_message *message)
{
    char body_space[NUMBER_SIZE];
    char headers_space[NUMBER_SIZE];
    bool has_headers = message->headers.size > 0;
    size_t payload = message->headers.size + message->body.size;
    char *from = buf_reserve(out, message->subject.size + message->sid.size + message->reply.size +
                                      payload + FRAME_SIZE);
    if (from == NULL)
        return;
    char *to = put(from, has_headers ? BYTES("HMSG ") : BYTES("MSG "));
    to = put(to, message->subject);
    *to++ = ' ';
    to = put(to, message->sid);
    *to++ = ' ';
    if (message->reply.size > 0) {
        to = put(to, message->reply);
        *to++ = ' ';
    }
    if (has_headers) {
        to = put(to, digits_of(message->headers.size, headers_space));
        *to++ = ' ';
    }
    to = put(to, digits_of(payload, body_space));
    to = put(to, BYTES("\r\n"));
    to = put(to, message->headers);
    to = put(to, message->body);
    to = put(to, BYTES("\r\n"));
    out->size += (size_t)(to - from);
}

void proto_put_ok(struct buf *out)
{
    buf_append_string(out, "+OK\r\n");
}

void proto_put_error(struct buf *out, const char *text)
{
    buf_printf(out, "-ERR '%s'\r\n", text);
}

void proto_put_ping(struct buf *out)
{
    buf_append_string(out, "PING\r\n");
}

void proto_put_pong(struct buf *out)
{
    buf_append_string(out, "PONG\r\n");
}

static void put_string(struct buf *out, const char *key, const char *value)
{
    if (value == NULL)
        return;
    buf_printf(out, "\"%s\":", key);
    jsontext_put_string(out, bytes_of_string(value));
    buf_append_byte(out, ',');
}

static void put_true(struct buf *out, const char *key, bool value)
{
    if (value)
        buf_printf(out, "\"%s\":true,", key);
}

void proto_put_info(struct buf *out, const struct server_info *info)
{
    buf_append_string(out, "INFO {");
    put_string(out, "server_id", info->server_id);
    put_string(out, "server_name", info->server_name);
    put_string(out, "version", info->version);
    put_string(out, "agog", info->agog_version);
    put_string(out, "go", "c17");
    put_string(out, "host", info->host);
    buf_printf(out, "\"port\":%d,\"headers\":true,\"max_payload\":%" PRId64 ",\"proto\":1,",
               info->port, info->max_payload);
    buf_printf(out, "\"client_id\":%" PRIu64 ",", info->client_id);
    put_true(out, "auth_required", info->auth_required);
    put_true(out, "jetstream", info->jetstream);
    put_true(out, "ldm", info->lame_duck);
    put_string(out, "domain", info->domain);
    if (info->connect_url != NULL) {
        buf_append_string(out, "\"connect_urls\":[");
        jsontext_put_string(out, bytes_of_string(info->connect_url));
        buf_append_string(out, "],");
    }
    put_string(out, "client_ip", info->client_ip);
    buf_append_string(out, "\"xkey\":\"\"} \r\n");
}

// CONNECT

void connect_options_init(struct connect_options *options)
{
    *options = (struct connect_options){.verbose = true, .pedantic = true, .echo = true};
}

void connect_options_fini(struct connect_options *options)
{
    char *strings[] = {options->name, options->lang,     options->version,
                       options->user, options->password, options->token};
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++)
        free(strings[i]);
    connect_options_init(options);
}

static bool read_bool(const json_t *json, const char *key, bool *to)
{
    const json_t *value = json_object_get(json, key);
    if (value == NULL || json_is_null(value))
        return true;
    *to = json_is_true(value);
    return json_is_boolean(value);
}

static bool read_int(const json_t *json, const char *key, int *to)
{
    const json_t *value = json_object_get(json, key);
    if (value == NULL || json_is_null(value))
        return true;
    *to = (int)json_integer_value(value);
    return json_is_integer(value);
}

static bool read_string(const json_t *json, const char *key, char **to)
{
    const json_t *value = json_object_get(json, key);
    if (value == NULL || json_is_null(value))
        return true;
    if (!json_is_string(value))
        return false;
    char *copy = strdup(json_string_value(value));
    if (copy == NULL)
        return false;
    free(*to);
    *to = copy;
    return true;
}

enum status connect_options_read(struct connect_options *options, struct bytes json,
                                 struct errinfo *err)
{
    json_t *document = json_loadb(json.data, json.size, 0, NULL);
    if (!json_is_object(document)) {
        json_decref(document);
        return errinfo_set(err, STATUS_INVALID, "CONNECT's argument is not a JSON object");
    }
    const struct {
        const char *key;
        bool good;
    } members[] = {
        {"verbose", read_bool(document, "verbose", &options->verbose)},
        {"pedantic", read_bool(document, "pedantic", &options->pedantic)},
        {"echo", read_bool(document, "echo", &options->echo)},
        {"headers", read_bool(document, "headers", &options->headers)},
        {"no_responders", read_bool(document, "no_responders", &options->no_responders)},
        {"tls_required", read_bool(document, "tls_required", &options->tls_required)},
        {"protocol", read_int(document, "protocol", &options->protocol)},
        {"name", read_string(document, "name", &options->name)},
        {"lang", read_string(document, "lang", &options->lang)},
        {"version", read_string(document, "version", &options->version)},
        {"user", read_string(document, "user", &options->user)},
        {"pass", read_string(document, "pass", &options->password)},
        {"auth_token", read_string(document, "auth_token", &options->token)},
    };
    json_decref(document);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        if (!members[i].good)
            return errinfo_set(err, STATUS_INVALID, "CONNECT's \"%s\" is of the wrong type",
                               members[i].key);
    return STATUS_OK;
}
