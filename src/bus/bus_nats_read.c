// SPDX-License-Identifier: Apache-2.0
// Reading single messages and lists of subjects.
//
// Messages are asked of the stream's leader (STREAM.MSG.GET), not of whichever replica is nearest
// (direct get): a replica may not know yet what was acknowledged a moment ago, and may still have
// what was erased. It also gives the header block as it was stored. NATS has no way to ask for a
// part of a message: heads and ranges are cut from the whole.
#include "bus/bus_nats_private.h"

#include "base/clock.h"
#include "base/limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum status no_message(struct errinfo *err)
{
    return errinfo_set_code(err, STATUS_NOT_FOUND, CODE_NO_MESSAGE, "no message found");
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
                              struct buf *storage, struct bus_message *message, struct errinfo *err)
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

static bool is_missing(enum status status, const struct errinfo *why)
{
    return status == STATUS_NOT_FOUND && why->protocol_code == CODE_NO_MESSAGE;
}

// The first message of a subject at or after a sequence. *found is 0 when there is none.
static enum status look_from(struct nats_bus *self, const char *stream, struct bus_get *get,
                             struct buf *storage, uint64_t *found, struct errinfo *err)
{
    struct bus_message message;
    struct errinfo why;
    errinfo_clear(&why);
    enum status status = get_stored(self, stream, get, storage, &message, &why);
    *found = status == STATUS_OK ? message.seq : 0;
    if (is_missing(status, &why))
        return STATUS_OK;
    if (status != STATUS_OK && err != NULL)
        *err = why;
    return status;
}

// Servers up to 2.9 forget which message is a subject's last one when the one behind it is deleted,
// and say that there is none. The first message at or after a sequence they do find: halving the
// distance finds the last.
static enum status find_last(struct nats_bus *self, const char *stream, struct bytes subject,
                             struct buf *storage, uint64_t *last, struct errinfo *err)
{
    struct stream_info info;
    uint64_t found;
    struct bus_get get = {.seq = 1, .subject = subject};
    enum status status = look_from(self, stream, &get, storage, last, err);
    if (status != STATUS_OK || *last == 0)
        return status;
    status = bus_nats_stream_info(&self->bus, stream, &info, err);
    if (status != STATUS_OK)
        return status;
    uint64_t end = info.state.last_seq + 1;
    stream_config_fini(&info.config);
    while (status == STATUS_OK && *last + 1 < end) {
        get.seq = *last + 1 + (end - *last - 1) / 2;
        status = look_from(self, stream, &get, storage, &found, err);
        if (found == 0)
            end = get.seq;
        else
            *last = found;
    }
    return status;
}

static enum status get_forgotten(struct nats_bus *self, const char *stream,
                                 const struct bus_get *get, struct buf *storage,
                                 struct bus_message *message, struct errinfo *err)
{
    uint64_t last;
    enum status status = find_last(self, stream, get->subject, storage, &last, err);
    if (status != STATUS_OK)
        return status;
    if (last == 0)
        return no_message(err);
    struct bus_get found = {.seq = last};
    return get_stored(self, stream, &found, storage, message, err);
}

enum status bus_nats_get(struct bus *bus, const char *stream, const struct bus_get *get,
                         struct buf *storage, struct bus_message *message, struct errinfo *err)
{
    struct nats_bus *self = nats_of(bus);
    struct bus_message read;
    struct errinfo why;
    if (get->seq == 0 && get->subject.size == 0)
        return no_message(err);
    errinfo_clear(&why);
    enum status status = get_stored(self, stream, get, storage, &read, &why);
    if (get->seq == 0 && is_missing(status, &why))
        status = get_forgotten(self, stream, get, storage, &read, &why);
    if (status != STATUS_OK) {
        if (err != NULL)
            *err = why;
        return status;
    }
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
    json_object_foreach(page, name, count)
    {
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
