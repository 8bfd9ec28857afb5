// SPDX-License-Identifier: Apache-2.0
// Opening, publishing and the table of operations.
#include "bus/bus_nats_private.h"

#include "base/clock.h"
#include "base/limits.h"
#include "wire/headers.h"
#include "wire/subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FRAME_BYTES = 1024, // what a message has besides subject, headers and body where it is stored
    PAUSE_MS = 100,
    MS_FOR_MIB = 1000,
};

static void nats_close(struct bus *bus)
{
    struct nats_bus *self = nats_of(bus);
    bus_nats_disconnect(self);
    bus_nats_nkey_close(self->nkey);
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->lock);
    free(self->advice);
    free(self);
}

static uint64_t max_payload(const struct nats_bus *self)
{
    int64_t max = natsConnection_GetMaxPayload(self->connection);
    return max > 0 ? (uint64_t)max : 0;
}

// Servers before 2.11 that are part of a cluster compare a subject's last sequence before they
// agree on the order of writes, and not again afterwards.
static void find_caveat(struct nats_bus *self, char *caveat, size_t size)
{
    enum { PROBE_MS = 2000 };
    char url[NATS_LOCATION_SIZE];
    int major = 0, minor = 0;
    if (natsConnection_GetConnectedUrl(self->connection, url, sizeof url) != NATS_OK)
        return;
    json_t *info = bus_nats_probe_info(url, PROBE_MS);
    const char *version = json_string_value(json_object_get(info, "version"));
    bool clustered = json_is_string(json_object_get(info, "cluster"));
    if (clustered && version != NULL && sscanf(version, "%d.%d", &major, &minor) == 2 &&
        (major < 2 || (major == 2 && minor < 11)))
        snprintf(caveat, size,
                 "nats-server %d.%d in a cluster: of two who publish one deliverable at once, or "
                 "change one key, both may win; use 2.11 or later",
                 major, minor);
    json_decref(info);
}

static enum status nats_facts(struct bus *bus, struct bus_facts *facts, struct errinfo *err)
{
    struct nats_bus *self = nats_of(bus);
    (void)err;
    uint64_t max = max_payload(self);
    uint64_t body = max > LIMIT_HEADER_BYTES ? max - LIMIT_HEADER_BYTES : max / 2;
    *facts = (struct bus_facts){.kind = "nats"};
    facts->max_body_bytes = body < LIMIT_REPORT_BYTES ? body : LIMIT_REPORT_BYTES;
    snprintf(facts->location, sizeof facts->location, "%s", self->location);
    find_caveat(self, facts->caveat, sizeof facts->caveat);
    return STATUS_OK;
}

// Larger ones could be stored here and there, but no reader of ours has room for them.
static enum status check_message(struct nats_bus *self, const struct bus_message *message,
                                 struct errinfo *err)
{
    uint64_t size = message->subject.size + message->headers.size + message->body.size;
    if (size > LIMIT_MESSAGE_BYTES - FRAME_BYTES)
        return errinfo_set_code(err, STATUS_LIMIT, CODE_MESSAGE_TOO_LARGE,
                                "message size exceeds maximum allowed: %llu bytes with its "
                                "headers, at most %d can be stored",
                                (unsigned long long)size, LIMIT_MESSAGE_BYTES - FRAME_BYTES);
    if (message->headers.size + message->body.size > max_payload(self))
        return errinfo_set_code(err, STATUS_LIMIT, CODE_MESSAGE_TOO_LARGE,
                                "the message has %llu bytes with its headers, NATS at %s takes "
                                "%llu: raise its max_payload",
                                (unsigned long long)size, self->location,
                                (unsigned long long)max_payload(self));
    enum status status = subject_check(message->subject, false, err);
    return status != STATUS_OK ? status : headers_check(message->headers, err);
}

// Whether some stream listens to the subject, as JetStream sees it.
static enum status find_stream(struct nats_bus *self, struct bytes subject, bool *found,
                               struct errinfo *err)
{
    json_t *answer = NULL;
    struct nats_api api = {"STREAM.NAMES",
                           json_pack("{s:s%}", "subject", subject.data, subject.size),
                           bus_nats_call_of(self, "finding a stream", NATS_REPEATABLE)};
    enum status status = bus_nats_api(self, &api, &answer, err);
    if (status == STATUS_OK)
        *found = json_array_size(json_object_get(answer, "streams")) > 0;
    json_decref(answer);
    return status;
}

static enum status no_stream(struct bytes subject, struct errinfo *err)
{
    char quoted[ERRINFO_QUOTED_MAX];
    return errinfo_set_code(err, STATUS_NOT_FOUND, CODE_STREAM_NOT_FOUND,
                            "stream not found: none listens to %s", errinfo_quote(subject, quoted));
}

static enum status read_ack(natsMsg *answer, const char *what, struct bus_ack *ack,
                            struct errinfo *err)
{
    json_t *json = json_loadb(natsMsg_GetData(answer), (size_t)natsMsg_GetDataLength(answer), 0,
                              NULL);
    enum status status = bus_nats_api_error(json, what, err);
    const char *stream = json_string_value(json_object_get(json, "stream"));
    json_int_t seq = json_integer_value(json_object_get(json, "seq"));
    if (status == STATUS_OK && (stream == NULL || seq <= 0 || strlen(stream) >= sizeof ack->stream))
        status = errinfo_set(err, STATUS_UNAVAILABLE,
                             "%s: somebody answered who is not JetStream: it is not stored", what);
    if (status == STATUS_OK) {
        *ack = (struct bus_ack){.seq = (uint64_t)seq,
                                .duplicate = json_is_true(json_object_get(json, "duplicate"))};
        memcpy(ack->stream, stream, strlen(stream) + 1);
    }
    json_decref(json);
    return status;
}

// Publishes again and again while a cluster chooses the stream's leader: then nobody listens to the
// subject, and nothing was stored.
static enum status publish_until(struct nats_bus *self, const struct bus_message *message,
                                 natsMsg *request, struct nats_call *call, struct bus_ack *ack,
                                 struct errinfo *err)
{
    int64_t deadline_ns = clock_monotonic_ns() + call->timeout_ms * 1000000;
    for (;;) {
        natsMsg *answer = NULL;
        bool found = false;
        enum status status = bus_nats_request(self, request, call, &answer, err);
        if (status == STATUS_OK && answer != NULL) {
            status = read_ack(answer, call->what, ack, err);
            natsMsg_Destroy(answer);
            return status;
        }
        struct errinfo why;
        errinfo_clear(&why);
        // Silence too can mean that no stream is there, when others listen to the subject.
        enum status looked = status == STATUS_OK || status == STATUS_UNAVAILABLE
                                 ? find_stream(self, message->subject, &found, &why)
                                 : status;
        if (looked == STATUS_OK && !found)
            return no_stream(message->subject, err);
        if (status != STATUS_OK)
            return status;
        if (looked != STATUS_OK) {
            if (err != NULL)
                *err = why;
            return looked;
        }
        call->timeout_ms = (deadline_ns - clock_monotonic_ns()) / 1000000;
        if (call->timeout_ms <= PAUSE_MS)
            return errinfo_set(err, STATUS_UNAVAILABLE,
                               "%s: the stream has no leader at NATS at %s: look at the cluster's "
                               "servers",
                               call->what, self->location);
        clock_pause(PAUSE_MS);
    }
}

static enum status nats_publish(struct bus *bus, const struct bus_message *message,
                                struct bus_ack *ack, struct errinfo *err)
{
    struct nats_bus *self = nats_of(bus);
    struct bytes id;
    natsMsg *request = NULL;
    enum status status = check_message(self, message, err);
    if (status == STATUS_OK)
        status = bus_nats_message_make(message, &request, err);
    if (status != STATUS_OK)
        return status;
    // JetStream knows a message by its id: sending it twice stores it once.
    bool known = headers_find(message->headers, BYTES("Nats-Msg-Id"), &id);
    struct nats_call call = bus_nats_call_of(self, "publishing",
                                             known ? NATS_REPEATABLE : NATS_ONCE);
    call.timeout_ms += (int64_t)(message->body.size >> 20) * MS_FOR_MIB;
    call.nobody_is_fine = true;
    status = publish_until(self, message, request, &call, ack, err);
    natsMsg_Destroy(request);
    return status;
}

static const struct bus_operations operations = {
    .close = nats_close,
    .facts = nats_facts,
    .publish = nats_publish,
    .get = bus_nats_get,
    .last_each = bus_nats_last_each,
    .subjects = bus_nats_subjects,
    .message_delete = bus_nats_message_delete,
    .stream_create = bus_nats_stream_create,
    .stream_update = bus_nats_stream_update,
    .stream_delete = bus_nats_stream_delete,
    .stream_info = bus_nats_stream_info,
    .stream_names = bus_nats_stream_names,
    .stream_purge = bus_nats_stream_purge,
    .follow_open = bus_nats_follow_open,
    .follow_next = bus_nats_follow_next,
    .follow_close = bus_nats_follow_close,
};

static void init_locks(struct nats_bus *self)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

// Told at once, not at the first command, when the server has no JetStream.
static enum status check_jetstream(struct nats_bus *self, struct errinfo *err)
{
    json_t *answer = NULL;
    char what[NATS_LOCATION_SIZE + 32];
    snprintf(what, sizeof what, "JetStream at %s", self->location);
    struct nats_api api = {"INFO", NULL, bus_nats_call_of(self, what, NATS_REPEATABLE)};
    enum status status = bus_nats_api(self, &api, &answer, err);
    json_decref(answer);
    return status;
}

enum status bus_nats_open(const struct bus_nats_options *options, struct bus **out,
                          struct errinfo *err)
{
    struct nats_bus *self = calloc(1, sizeof *self);
    if (self == NULL)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory to connect to NATS");
    self->bus.operations = &operations;
    self->request_timeout_ms = options->request_timeout_ms > 0 ? options->request_timeout_ms
                                                               : BUS_NATS_REQUEST_TIMEOUT_MS;
    const char *prefix = options->api_prefix == NULL ? "$JS.API" : options->api_prefix;
    init_locks(self);
    enum status status = STATUS_OK;
    if (strlen(prefix) >= sizeof self->api || !subject_is_literal(bytes_of_string(prefix)))
        status = errinfo_set(err, STATUS_INVALID, "the JetStream API prefix is no subject");
    else
        memcpy(self->api, prefix, strlen(prefix) + 1);
    if (status == STATUS_OK && options->advice != NULL) {
        self->advice = strdup(options->advice);
        if (self->advice == NULL)
            status = errinfo_set(err, STATUS_NO_MEMORY, "no memory to connect to NATS");
    }
    if (status == STATUS_OK)
        status = bus_nats_connect(self, options, err);
    if (status == STATUS_OK)
        status = check_jetstream(self, err);
    if (status == STATUS_OK)
        *out = &self->bus;
    else
        nats_close(&self->bus);
    return status;
}
