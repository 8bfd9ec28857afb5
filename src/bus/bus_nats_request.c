// SPDX-License-Identifier: Apache-2.0
// Requests and their answers: who is asked again and when, and what JetStream's errors are called
// here.
//
// A request whose connection breaks, or that stays without an answer, is sent again as long as
// there is time and doing it twice does no harm. A cluster that chooses a leader stays silent or
// says 10008: that too passes.
#include "bus/bus_nats_private.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

enum {
    PAUSE_MS = 200,     // before a cluster without a leader is asked again
    SHARE_MS_MIN = 2000 // an answer is waited for at least so long before the request is repeated
};

static int64_t left_ms(int64_t deadline_ns)
{
    int64_t left = (deadline_ns - clock_monotonic_ns()) / 1000000;
    return left < 0 ? 0 : left;
}

struct nats_call bus_nats_call_of(const struct nats_bus *self, const char *what,
                                  enum nats_repeat repeat)
{
    return (struct nats_call){
        .what = what, .repeat = repeat, .timeout_ms = self->request_timeout_ms};
}

static enum status not_known(const struct nats_bus *self, const char *what, struct errinfo *err)
{
    return errinfo_set(err, STATUS_UNAVAILABLE,
                       "%s: the connection to NATS at %s broke before the answer: it may be done "
                       "or not; look before it is tried again",
                       what, self->location);
}

static enum status of_library(const struct nats_bus *self, natsStatus failed, const char *what,
                              struct errinfo *err)
{
    if (failed == NATS_NO_MEMORY)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory for %s", what);
    if (failed == NATS_MAX_PAYLOAD)
        return errinfo_set_code(err, STATUS_LIMIT, CODE_MESSAGE_TOO_LARGE,
                                "%s: the message is larger than the %lld bytes that NATS at %s "
                                "takes: raise its max_payload",
                                what, (long long)natsConnection_GetMaxPayload(self->connection),
                                self->location);
    return errinfo_set(err, STATUS_UNAVAILABLE, "%s: NATS at %s: %s", what, self->location,
                       natsStatus_GetText(failed));
}

static bool is_broken(natsStatus status)
{
    return status == NATS_CONNECTION_DISCONNECTED || status == NATS_CONNECTION_CLOSED ||
           status == NATS_INSUFFICIENT_BUFFER || status == NATS_IO_ERROR ||
           status == NATS_STALE_CONNECTION;
}

enum status bus_nats_request(struct nats_bus *self, natsMsg *message, const struct nats_call *call,
                             natsMsg **answer, struct errinfo *err)
{
    int64_t deadline_ns = clock_monotonic_ns() + call->timeout_ms * 1000000;
    uint64_t complaints = bus_nats_complaints(self);
    bool again = call->repeat == NATS_REPEATABLE;
    int64_t share_ms = again && call->timeout_ms / 3 > SHARE_MS_MIN ? call->timeout_ms / 3
                                                                    : call->timeout_ms;
    for (;;) {
        enum status status = bus_nats_wait_connected(self, deadline_ns, err);
        if (status != STATUS_OK)
            return status;
        int64_t left = left_ms(deadline_ns);
        natsStatus sent = natsConnection_RequestMsg(answer, self->connection, message,
                                                    left < share_ms ? left + 1 : share_ms);
        if (sent == NATS_OK)
            return STATUS_OK;
        left = left_ms(deadline_ns);
        if (sent == NATS_NO_RESPONDERS && call->nobody_is_fine) {
            *answer = NULL;
            return STATUS_OK;
        }
        if (sent == NATS_NO_RESPONDERS)
            return errinfo_set_code(err, STATUS_UNAVAILABLE, CODE_NOT_ENABLED,
                                    "%s: NATS at %s has no JetStream for us: start nats-server "
                                    "with -js, or enable it for the account",
                                    call->what, self->location);
        if (is_broken(sent) && !again)
            return not_known(self, call->what, err);
        if (sent == NATS_TIMEOUT &&
            (!again || left == 0 || bus_nats_complaints(self) != complaints))
            return bus_nats_silent(self, complaints, call, err);
        if (!is_broken(sent) && sent != NATS_TIMEOUT)
            return of_library(self, sent, call->what, err);
    }
}

// What an err_code is called here; the same as the engine in this process calls it.
static enum status status_of_code(int code, int http, const char *text)
{
    static const struct {
        int code;
        enum status status;
    } rows[] = {
        {10003, STATUS_INVALID},  {10023, STATUS_NO_SPACE},  {10026, STATUS_LIMIT},
        {10028, STATUS_NO_SPACE}, {10037, STATUS_NOT_FOUND}, {10043, STATUS_NOT_FOUND},
        {10047, STATUS_NO_SPACE}, {10052, STATUS_INVALID},   {10054, STATUS_LIMIT},
        {10058, STATUS_EXISTS},   {10059, STATUS_NOT_FOUND}, {10060, STATUS_CONFLICT},
        {10065, STATUS_CONFLICT}, {10070, STATUS_CONFLICT},  {10071, STATUS_CONFLICT},
        {10074, STATUS_INVALID},  {10097, STATUS_LIMIT},     {10109, STATUS_DENIED},
        {10110, STATUS_DENIED},   {10113, STATUS_LIMIT},     {10122, STATUS_LIMIT},
        {10133, STATUS_INVALID},  {10164, STATUS_CONFLICT},  {10193, STATUS_INVALID},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].code == code)
            return rows[i].status;
    }
    bool forbidden = strstr(text, "not permitted") != NULL;
    if (code == CODE_DELETE_FAILED)
        return forbidden ? STATUS_DENIED : STATUS_NOT_FOUND;
    if (code == CODE_ROLLUP_FAILED)
        return forbidden ? STATUS_DENIED : STATUS_INVALID;
    if (code == CODE_STORE_FAILED)
        return strstr(text, "maximum") != NULL    ? STATUS_LIMIT
               : strstr(text, "no space") != NULL ? STATUS_NO_SPACE
                                                  : STATUS_IO;
    return http == 400 ? STATUS_INVALID : http == 404 ? STATUS_NOT_FOUND : STATUS_UNAVAILABLE;
}

enum status bus_nats_api_error(const json_t *answer, const char *what, struct errinfo *err)
{
    const json_t *error = json_object_get(answer, "error");
    if (error == NULL || json_is_null(error))
        return STATUS_OK;
    int code = (int)json_integer_value(json_object_get(error, "err_code"));
    int http = (int)json_integer_value(json_object_get(error, "code"));
    const char *text = json_string_value(json_object_get(error, "description"));
    char clean[ERRINFO_QUOTED_MAX];
    if (text == NULL)
        text = "no reason given";
    if (code == CODE_NOT_ENABLED || code == CODE_NOT_ENABLED_FOR_ACCOUNT)
        return errinfo_set_code(err, STATUS_UNAVAILABLE, code,
                                "%s: %s: start nats-server with -js, or enable JetStream for the "
                                "account",
                                what, errinfo_escape(bytes_of_string(text), clean));
    return errinfo_set_code(err, status_of_code(code, http, text), code, "%s: %s%s", what,
                            errinfo_escape(bytes_of_string(text), clean),
                            code == CODE_STREAM_NOT_FOUND ? " (agog stream ls lists what there is)"
                                                          : "");
}

static enum status read_answer(const struct nats_api *api, natsMsg *message, json_t **answer,
                               struct errinfo *err)
{
    json_t *parsed = json_loadb(natsMsg_GetData(message), (size_t)natsMsg_GetDataLength(message), 0,
                                NULL);
    if (!json_is_object(parsed)) {
        json_decref(parsed);
        return errinfo_set(err, STATUS_UNAVAILABLE,
                           "%s: the answer is not JetStream's: is that a NATS server?",
                           api->call.what);
    }
    enum status status = bus_nats_api_error(parsed, api->call.what, err);
    if (status == STATUS_OK)
        *answer = parsed;
    else
        json_decref(parsed);
    return status;
}

static enum status ask(struct nats_bus *self, const struct nats_api *api, natsMsg *request,
                       json_t **answer, struct errinfo *err)
{
    int64_t deadline_ns = clock_monotonic_ns() + api->call.timeout_ms * 1000000;
    for (;;) {
        natsMsg *message = NULL;
        struct errinfo why;
        struct nats_call call = api->call;
        call.timeout_ms = left_ms(deadline_ns) + 1;
        errinfo_clear(&why);
        enum status status = bus_nats_request(self, request, &call, &message, &why);
        if (status == STATUS_OK)
            status = read_answer(api, message, answer, &why);
        natsMsg_Destroy(message);
        // Refused because nobody leads yet: nothing was done.
        bool passing = why.protocol_code == CODE_NOT_AVAILABLE ||
                       why.protocol_code == CODE_NOT_LEADER;
        if (status != STATUS_OK && passing && left_ms(deadline_ns) > PAUSE_MS) {
            clock_pause(PAUSE_MS);
            continue;
        }
        if (status != STATUS_OK && err != NULL)
            *err = why;
        return status;
    }
}

enum status bus_nats_api(struct nats_bus *self, const struct nats_api *api, json_t **answer,
                         struct errinfo *err)
{
    char subject[NATS_SUBJECT_SIZE + NATS_API_PREFIX_SIZE];
    natsMsg *request = NULL;
    char *body = api->body == NULL ? NULL : json_dumps(api->body, JSON_COMPACT);
    bool made = api->body == NULL || body != NULL;
    json_decref(api->body);
    snprintf(subject, sizeof subject, "%s.%s", self->api, api->verb);
    if (made)
        made = natsMsg_Create(&request, subject, NULL, body,
                              body == NULL ? 0 : (int)strlen(body)) == NATS_OK;
    free(body);
    if (!made)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory for %s", api->call.what);
    enum status status = ask(self, api, request, answer, err);
    natsMsg_Destroy(request);
    return status;
}

enum status bus_nats_verb(const char *words, const char *stream, char verb[NATS_SUBJECT_SIZE],
                          struct errinfo *err)
{
    struct bytes name = bytes_of_string(stream);
    bool good = name.size > 0 && name.size < BUS_STREAM_NAME_SIZE;
    for (size_t i = 0; good && i < name.size; i++) {
        unsigned char letter = (unsigned char)name.data[i];
        good = letter > ' ' && letter != 0x7f && strchr(".*>/\\", letter) == NULL;
    }
    if (!good) {
        char quoted[ERRINFO_QUOTED_MAX];
        return errinfo_set_code(err, STATUS_NOT_FOUND, CODE_STREAM_NOT_FOUND,
                                "stream not found: %s is no name of a stream",
                                errinfo_quote(name, quoted));
    }
    snprintf(verb, NATS_SUBJECT_SIZE, "%s%s", words, stream);
    return STATUS_OK;
}
