// SPDX-License-Identifier: Apache-2.0
// Reading single messages and lists of subjects.
//
// A message asked for by sequence never changes, so that any replica may give it (direct get, which
// sends the bytes as they are). What is the last one of a subject is asked of the stream's leader
// (STREAM.MSG.GET): a replica may not know yet what was acknowledged a moment ago. A replica that
// does not find a sequence is not believed either.
#include "bus/bus_nats_private.h"

#include "base/clock.h"
#include "base/limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const added_by_get[] = {"Nats-Stream", "Nats-Subject", "Nats-Sequence",
                                           "Nats-Time-Stamp", NULL};

static enum status no_message(struct errinfo *err)
{
    return errinfo_set_code(err, STATUS_NOT_FOUND, CODE_NO_MESSAGE, "no message found");
}

// Reads a direct answer; *found is false when it is none.
static enum status read_direct(natsMsg *answer, struct buf *storage, struct bus_message *message,
                               bool *found, struct errinfo *err)
{
    const char *subject = bus_nats_message_header(answer, "Nats-Subject");
    const char *seq = bus_nats_message_header(answer, "Nats-Sequence");
    const char *time = bus_nats_message_header(answer, "Nats-Time-Stamp");
    struct bus_message read = {.subject = bytes_of_string(subject)};
    *found = subject != NULL && bytes_to_u64(bytes_of_string(seq), &read.seq) &&
             clock_parse(bytes_of_string(time), &read.time_ns);
    if (!*found)
        return STATUS_OK;
    struct buf headers;
    buf_init(&headers, LIMIT_MESSAGE_BYTES);
    enum status status = bus_nats_message_headers(answer, added_by_get, &headers, err);
    read.headers = buf_bytes(&headers);
    read.body = bytes_of(natsMsg_GetData(answer), (size_t)natsMsg_GetDataLength(answer));
    if (status == STATUS_OK)
        status = bus_nats_message_store(&read, storage, message, err);
    buf_fini(&headers);
    return status;
}

static enum status get_direct(struct nats_bus *self, const char *stream, uint64_t seq,
                              struct buf *storage, struct bus_message *message, bool *found,
                              struct errinfo *err)
{
    char verb[NATS_SUBJECT_SIZE];
    char subject[NATS_SUBJECT_SIZE + NATS_API_PREFIX_SIZE];
    char body[48];
    natsMsg *request = NULL;
    natsMsg *answer = NULL;
    enum status status = bus_nats_verb("DIRECT.GET.", stream, verb, err);
    if (status != STATUS_OK)
        return status;
    snprintf(subject, sizeof subject, "%s.%s", self->api, verb);
    snprintf(body, sizeof body, "{\"seq\":%" PRIu64 "}", seq);
    if (natsMsg_Create(&request, subject, NULL, body, (int)strlen(body)) != NATS_OK)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory to read stream %s", stream);
    struct nats_call call = bus_nats_call_of(self, "reading a message", NATS_REPEATABLE);
    call.nobody_is_fine = true; // the stream does not offer it, or is not there
    status = bus_nats_request(self, request, &call, &answer, err);
    *found = false;
    if (status == STATUS_OK && answer != NULL)
        status = read_direct(answer, storage, message, found, err);
    natsMsg_Destroy(request);
    natsMsg_Destroy(answer);
    return status;
}

static enum status decode(const json_t *json, struct buf *out)
{
    const char *text = json_string_value(json);
    if (text == NULL)
        return STATUS_OK;
    return bus_nats_base64_decode(bytes_of(text, json_string_length(json)), out);
}

static enum status read_stored(const json_t *answer, struct buf *storage,
                               struct bus_message *message, struct errinfo *err)
{
    const json_t *stored = json_object_get(answer, "message");
    const char *subject = json_string_value(json_object_get(stored, "subject"));
    const char *time = json_string_value(json_object_get(stored, "time"));
    struct bus_message read = {
        .seq = (uint64_t)json_integer_value(json_object_get(stored, "seq")),
        .subject = bytes_of_string(subject),
    };
    struct buf headers, body;
    buf_init(&headers, LIMIT_MESSAGE_BYTES);
    buf_init(&body, LIMIT_MESSAGE_BYTES);
    enum status status = decode(json_object_get(stored, "hdrs"), &headers);
    if (status == STATUS_OK)
        status = decode(json_object_get(stored, "data"), &body);
    if (status == STATUS_OK &&
        (subject == NULL || !clock_parse(bytes_of_string(time), &read.time_ns)))
        status = STATUS_CORRUPT;
    read.headers = buf_bytes(&headers);
    read.body = buf_bytes(&body);
    if (status != STATUS_OK)
        errinfo_set(err, status, "message %" PRIu64 " cannot be read from the server's answer",
                    read.seq);
    else
        status = bus_nats_message_store(&read, storage, message, err);
    buf_fini(&headers);
    buf_fini(&body);
    return status;
}

static json_t *get_body(const struct bus_get *get)
{
    json_t *body = json_object();
    bool last = get->seq == 0;
    if (body != NULL && !last)
        json_object_set_new(body, "seq", json_integer((json_int_t)get->seq));
    if (body != NULL && get->subject.size > 0)
        json_object_set_new(body, last ? "last_by_subj" : "next_by_subj",
                            json_stringn(get->subject.data, get->subject.size));
    return body;
}

static enum status get_stored(struct nats_bus *self, const char *stream, const struct bus_get *get,
                              struct buf *storage, struct bus_message *message,
                              struct errinfo *err)
{
    char verb[NATS_SUBJECT_SIZE];
    char what[BUS_STREAM_NAME_SIZE + 64];
    json_t *answer = NULL;
    enum status status = bus_nats_verb("STREAM.MSG.GET.", stream, verb, err);
    if (status != STATUS_OK)
        return status;
    snprintf(what, sizeof what, "reading stream %s", stream);
    struct nats_api api = {verb, get_body(get), bus_nats_call_of(self, what, NATS_REPEATABLE)};
    status = bus_nats_api(self, &api, &answer, err);
    if (status == STATUS_OK)
        status = read_stored(answer, storage, message, err);
    json_decref(answer);
    return status;
}

enum status bus_nats_get(struct bus *bus, const char *stream, const struct bus_get *get,
                         struct buf *storage, struct bus_message *message, struct errinfo *err)
{
    struct nats_bus *self = nats_of(bus);
    struct bus_message read = {.seq = 0};
    bool found = false;
    enum status status = STATUS_OK;
    if (get->seq == 0 && get->subject.size == 0)
        return no_message(err);
    if (get->subject.size == 0)
        status = get_direct(self, stream, get->seq, storage, &read, &found, err);
    if (status == STATUS_OK && !found)
        status = get_stored(self, stream, get, storage, &read, err);
    if (status != STATUS_OK)
        return status;
    bus_nats_message_cut(get, &read);
    *message = read;
    return STATUS_OK;
}

struct subject {
    char *name;
    uint64_t count;
};

struct subject_list {
    struct subject *subjects;
    size_t count;
};

static enum status no_memory(const char *stream, struct errinfo *err)
{
    return errinfo_set(err, STATUS_NO_MEMORY, "no memory to list the subjects of %s", stream);
}

static enum status take_page(struct subject_list *list, json_t *page)
{
    size_t more = json_object_size(page);
    struct subject *grown = realloc(list->subjects, (list->count + more + 1) * sizeof *grown);
    const char *name;
    json_t *count;
    if (grown == NULL)
        return STATUS_NO_MEMORY;
    list->subjects = grown;
    json_object_foreach(page, name, count) {
        char *copy = strdup(name);
        if (copy == NULL)
            return STATUS_NO_MEMORY;
        grown[list->count++] = (struct subject){copy, (uint64_t)json_integer_value(count)};
    }
    return STATUS_OK;
}

// Pages of $JS.API.STREAM.INFO, whose subjects come 100,000 at a time.
static enum status collect(struct nats_bus *self, const char *stream, struct bytes filter,
                           struct subject_list *list, struct errinfo *err)
{
    char verb[NATS_SUBJECT_SIZE];
    size_t total;
    enum status status = bus_nats_verb("STREAM.INFO.", stream, verb, err);
    if (status != STATUS_OK)
        return status;
    do {
        json_t *answer = NULL;
        json_t *body = json_pack("{s:s%, s:I}", "subjects_filter", filter.data, filter.size,
                                 "offset", (json_int_t)list->count);
        struct nats_api api = {
            verb, body, bus_nats_call_of(self, "listing a stream's subjects", NATS_REPEATABLE)};
        status = body == NULL ? no_memory(stream, err) : bus_nats_api(self, &api, &answer, err);
        if (status != STATUS_OK)
            return status;
        json_t *page = json_object_get(json_object_get(answer, "state"), "subjects");
        size_t got = json_object_size(page);
        total = (size_t)json_integer_value(json_object_get(answer, "total"));
        if (got > 0)
            status = take_page(list, page);
        json_decref(answer);
        if (status != STATUS_OK)
            return no_memory(stream, err);
        if (got == 0)
            break;
    } while (list->count < total);
    return STATUS_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct subject *)a)->name, ((const struct subject *)b)->name);
}

enum status bus_nats_subjects(struct bus *bus, const char *stream, struct bytes filter,
                              bus_visit_name visit, void *context, struct errinfo *err)
{
    struct subject_list list = {NULL, 0};
    enum status status = collect(nats_of(bus), stream, filter.size == 0 ? BYTES(">") : filter,
                                 &list, err);
    if (status == STATUS_OK && list.count > 0)
        qsort(list.subjects, list.count, sizeof *list.subjects, by_name);
    for (size_t i = 0; status == STATUS_OK && i < list.count; i++)
        status = visit(context, bytes_of_string(list.subjects[i].name), list.subjects[i].count);
    for (size_t i = 0; i < list.count; i++)
        free(list.subjects[i].name);
    free(list.subjects);
    return status;
}
