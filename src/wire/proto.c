// SPDX-License-Identifier: Apache-2.0
#include "wire/proto.h"

#include "wire/jsontext.h"

#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum {
    DIGITS_MAX = 20,
    LINE_EXTRA_BYTES = 2 * DIGITS_MAX + 16, // the name, the sizes, blanks and the line's end
};

static char *put(char *to, struct bytes text)
{
    if (text.size > 0)
        memcpy(to, text.data, text.size);
    return to + text.size;
}

static char *put_word(char *to, struct bytes text)
{
    to = put(to, text);
    *to++ = ' ';
    return to;
}

static char *put_number(char *to, size_t number)
{
    char digits[DIGITS_MAX];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return put(to, bytes_of(digits + at, sizeof digits - at));
}

static size_t line_bytes_max(const struct proto_message *message)
{
    return message->subject.size + message->sid.size + message->reply.size + LINE_EXTRA_BYTES;
}

static char *put_line(char *to, const struct proto_message *message)
{
    bool has_headers = message->headers.size > 0;
    to = put(to, has_headers ? BYTES("HMSG ") : BYTES("MSG "));
    to = put_word(to, message->subject);
    to = put_word(to, message->sid);
    if (message->reply.size > 0)
        to = put_word(to, message->reply);
    if (has_headers) {
        to = put_number(to, message->headers.size);
        *to++ = ' ';
    }
    to = put_number(to, message->headers.size + message->body.size);
    return put(to, BYTES("\r\n"));
}

// The busiest of all writers: one reservation, then copies.
void proto_put_message(struct buf *out, const struct proto_message *message)
{
    size_t payload = message->headers.size + message->body.size;
    char *from = buf_reserve(out, line_bytes_max(message) + payload + 2);
    if (from == NULL)
        return;
    char *to = put_line(from, message);
    to = put(to, message->headers);
    to = put(to, message->body);
    to = put(to, BYTES("\r\n"));
    out->size += (size_t)(to - from);
}

void proto_put_message_line(struct buf *out, const struct proto_message *message)
{
    char *from = buf_reserve(out, line_bytes_max(message));
    if (from != NULL)
        out->size += (size_t)(put_line(from, message) - from);
}

void proto_put_ok(struct buf *out)
{
    buf_append(out, BYTES("+OK\r\n"));
}

void proto_put_ping(struct buf *out)
{
    buf_append(out, BYTES("PING\r\n"));
}

void proto_put_pong(struct buf *out)
{
    buf_append(out, BYTES("PONG\r\n"));
}

void proto_put_error(struct buf *out, const char *text)
{
    static const struct bytes begin = {"-ERR '", 6};
    static const struct bytes end = {"'\r\n", 3};
    size_t size = strlen(text);
    char *to = buf_reserve(out, begin.size + size + end.size);
    if (to == NULL)
        return;
    to = put(to, begin);
    for (size_t i = 0; i < size; i++) {
        bool harmless = (unsigned char)text[i] >= ' ' && text[i] != 0x7f;
        *to++ = harmless ? text[i] : '?';
    }
    put(to, end);
    out->size += begin.size + size + end.size;
}

static void put_string(struct buf *out, const char *key, const char *value)
{
    if (value == NULL)
        return;
    buf_printf(out, "\"%s\":", key);
    jsontext_put_string(out, bytes_of_string(value));
    buf_append_byte(out, ',');
}

static void put_if(struct buf *out, const char *key, bool value)
{
    if (value)
        buf_printf(out, "\"%s\":true,", key);
}

static void put_connect_url(struct buf *out, const char *url)
{
    if (url == NULL)
        return;
    buf_append_string(out, "\"connect_urls\":[");
    jsontext_put_string(out, bytes_of_string(url));
    buf_append_string(out, "],");
}

static void put_info_members(struct buf *out, const struct server_info *info)
{
    put_string(out, "server_id", info->server_id);
    put_string(out, "server_name", info->server_name);
    put_string(out, "version", info->version);
    put_string(out, "agog", info->agog_version);
    put_string(out, "host", info->host);
    put_if(out, "auth_required", info->auth_required);
    put_if(out, "tls_required", info->tls_required);
    put_if(out, "tls_available", info->tls_available);
    put_if(out, "jetstream", info->jetstream);
    put_string(out, "client_ip", info->client_ip);
    put_string(out, "nonce", info->nonce);
    put_string(out, "domain", info->domain);
    put_connect_url(out, info->connect_url);
    put_if(out, "ldm", info->lame_duck);
    put_if(out, "connect_info", info->connect_info);
    put_if(out, "acc_is_sys", info->system_account);
    if (info->client_id != 0)
        buf_printf(out, "\"client_id\":%" PRIu64 ",", info->client_id);
    if (info->api_level != 0)
        buf_printf(out, "\"api_lvl\":%d,", info->api_level);
}

void proto_put_info(struct buf *out, const struct server_info *info)
{
    size_t before = out->size;
    buf_append_string(out, "INFO {");
    put_info_members(out, info);
    buf_printf(out, "\"go\":\"c17\",\"proto\":1,\"headers\":true,\"port\":%d,", info->port);
    buf_printf(out, "\"max_payload\":%" PRId64 "}\r\n", info->max_payload);
    // Half a line would be taken for the beginning of whatever is written next.
    if (buf_status(out) != STATUS_OK)
        out->size = before;
}

// CONNECT

enum member_type { MEMBER_BOOL, MEMBER_INT, MEMBER_STRING };

struct member {
    const char *key;
    enum member_type type;
    size_t offset; // in struct connect_options
};

static const struct member members[] = {
    {"verbose", MEMBER_BOOL, offsetof(struct connect_options, verbose)},
    {"pedantic", MEMBER_BOOL, offsetof(struct connect_options, pedantic)},
    {"echo", MEMBER_BOOL, offsetof(struct connect_options, echo)},
    {"headers", MEMBER_BOOL, offsetof(struct connect_options, headers)},
    {"no_responders", MEMBER_BOOL, offsetof(struct connect_options, no_responders)},
    {"tls_required", MEMBER_BOOL, offsetof(struct connect_options, tls_required)},
    {"protocol", MEMBER_INT, offsetof(struct connect_options, protocol)},
    {"name", MEMBER_STRING, offsetof(struct connect_options, name)},
    {"lang", MEMBER_STRING, offsetof(struct connect_options, lang)},
    {"version", MEMBER_STRING, offsetof(struct connect_options, version)},
    {"user", MEMBER_STRING, offsetof(struct connect_options, user)},
    {"pass", MEMBER_STRING, offsetof(struct connect_options, password)},
    {"auth_token", MEMBER_STRING, offsetof(struct connect_options, token)},
    {"nkey", MEMBER_STRING, offsetof(struct connect_options, nkey)},
    {"jwt", MEMBER_STRING, offsetof(struct connect_options, jwt)},
    {"sig", MEMBER_STRING, offsetof(struct connect_options, sig)},
};

enum { MEMBER_COUNT = sizeof members / sizeof members[0] };

static void *place_of(struct connect_options *options, const struct member *member)
{
    return (char *)options + member->offset;
}

void connect_options_init(struct connect_options *options)
{
    *options = (struct connect_options){.verbose = true, .pedantic = true, .echo = true};
}

void connect_options_fini(struct connect_options *options)
{
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        if (members[i].type == MEMBER_STRING)
            free(*(char **)place_of(options, &members[i]));
    }
    connect_options_init(options);
}

static const struct member *find_member(const char *key)
{
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        if (bytes_equal_nocase(bytes_of_string(members[i].key), bytes_of_string(key)))
            return &members[i];
    }
    return NULL;
}

static enum status wrong_type(const struct member *member, const char *wanted, struct errinfo *err)
{
    return errinfo_set(err, STATUS_INVALID, "CONNECT: \"%s\" must be %s", member->key, wanted);
}

static enum status read_string(const struct member *member, const json_t *value, char **to,
                               struct errinfo *err)
{
    if (!json_is_string(value))
        return wrong_type(member, "a string", err);
    size_t size = json_string_length(value) + 1;
    char *copy = malloc(size);
    if (copy == NULL)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory to read CONNECT");
    memcpy(copy, json_string_value(value), size);
    free(*to);
    *to = copy;
    return STATUS_OK;
}

static enum status read_member(struct connect_options *options, const struct member *member,
                               const json_t *value, struct errinfo *err)
{
    void *to = place_of(options, member);
    if (member->type == MEMBER_STRING)
        return read_string(member, value, to, err);
    if (member->type == MEMBER_BOOL) {
        if (!json_is_boolean(value))
            return wrong_type(member, "true or false", err);
        *(bool *)to = json_is_true(value);
        return STATUS_OK;
    }
    json_int_t number = json_integer_value(value);
    if (!json_is_integer(value) || number < INT_MIN || number > INT_MAX)
        return wrong_type(member, "a whole number", err);
    *(int *)to = (int)number;
    return STATUS_OK;
}

static enum status read_members(struct connect_options *options, json_t *document,
                                struct errinfo *err)
{
    for (void *at = json_object_iter(document); at != NULL;
         at = json_object_iter_next(document, at)) {
        const struct member *member = find_member(json_object_iter_key(at));
        const json_t *value = json_object_iter_value(at);
        if (member == NULL || json_is_null(value))
            continue;
        enum status status = read_member(options, member, value, err);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

enum status connect_options_read(struct connect_options *options, struct bytes json,
                                 struct errinfo *err)
{
    struct connect_options read;
    json_error_t problem;
    json_t *document = json_loadb(json.data == NULL ? "" : json.data, json.size, 0, &problem);
    if (document == NULL && json_error_code(&problem) == json_error_out_of_memory)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory to read CONNECT");
    if (!json_is_object(document)) {
        json_decref(document);
        return errinfo_set(err, STATUS_INVALID, "CONNECT: its argument is not a JSON object");
    }
    connect_options_init(&read);
    enum status status = read_members(&read, document, err);
    json_decref(document);
    if (status != STATUS_OK) {
        connect_options_fini(&read);
        return status;
    }
    connect_options_fini(options);
    *options = read;
    return STATUS_OK;
}
