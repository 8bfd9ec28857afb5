// SPDX-License-Identifier: Apache-2.0
#include "bus/fakebus.h"

#include "wire/headers.h"
#include "wire/subject.h"

#include <stdlib.h>
#include <string.h>

enum { CODE_STREAM_NOT_FOUND = 10059, CODE_NO_MESSAGE = 10037, CODE_WRONG_LAST = 10071 };

struct stored {
    uint64_t seq;
    int64_t time_ns;
    struct bytes subject; // these three stand in one block, which the subject begins
    struct bytes headers;
    struct bytes body;
    bool damaged;
};

struct stream {
    struct stream_config config;
    int64_t created_ns;
    struct stored *messages; // by sequence
    size_t count;
    size_t capacity;
    uint64_t last_seq;
    struct stream *next;
};

struct fakebus {
    struct bus bus;
    struct stream *streams;
    int64_t time_ns;
    uint64_t gets;
    size_t gets_before_failure;
    enum status get_failure;
    void (*on_rest)(void *context);
    void *on_rest_context;
};

static struct fakebus *of(struct bus *bus)
{
    return (struct fakebus *)(void *)bus;
}

static struct stream *find(struct bus *bus, const char *name)
{
    struct stream *stream = of(bus)->streams;
    while (stream != NULL && strcmp(stream->config.name, name) != 0)
        stream = stream->next;
    return stream;
}

static enum status no_stream(const char *name, struct errinfo *err)
{
    return errinfo_set_code(err, STATUS_NOT_FOUND, CODE_STREAM_NOT_FOUND, "stream %s not found",
                            name);
}

static void free_stored(struct stored *stored)
{
    free((void *)(uintptr_t)stored->subject.data);
}

static void free_stream(struct stream *stream)
{
    for (size_t i = 0; i < stream->count; i++)
        free_stored(&stream->messages[i]);
    free(stream->messages);
    stream_config_fini(&stream->config);
    free(stream);
}

static void close_bus(struct bus *bus)
{
    struct fakebus *fake = of(bus);
    while (fake->streams != NULL) {
        struct stream *next = fake->streams->next;
        free_stream(fake->streams);
        fake->streams = next;
    }
    free(fake);
}

static enum status facts(struct bus *bus, struct bus_facts *out, struct errinfo *err)
{
    (void)bus;
    (void)err;
    *out = (struct bus_facts){.kind = "fake", .location = "memory", .max_body_bytes = UINT32_MAX};
    return STATUS_OK;
}

// The index of the first message at or after a sequence.
static size_t lower_bound(const struct stream *stream, uint64_t seq)
{
    size_t low = 0;
    size_t high = stream->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (stream->messages[middle].seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool listens(const struct stream *stream, struct bytes subject)
{
    for (size_t i = 0; i < stream->config.subject_count; i++) {
        if (subject_matches(bytes_of_string(stream->config.subjects[i]), subject))
            return true;
    }
    return false;
}

static bool matches(struct bytes filter, struct bytes subject)
{
    return filter.size == 0 || subject_matches(filter, subject);
}

static const struct stored *last_of(const struct stream *stream, struct bytes subject)
{
    for (size_t i = stream->count; i > 0; i--) {
        if (bytes_equal(stream->messages[i - 1].subject, subject))
            return &stream->messages[i - 1];
    }
    return NULL;
}

static enum status check_expected(const struct stream *stream, const struct bus_message *message,
                                  struct errinfo *err)
{
    struct bytes value;
    uint64_t expected;
    if (!headers_find(message->headers, BYTES("Nats-Expected-Last-Subject-Sequence"), &value))
        return STATUS_OK;
    const struct stored *last = last_of(stream, message->subject);
    if (bytes_to_u64(value, &expected) && expected == (last == NULL ? 0 : last->seq))
        return STATUS_OK;
    return errinfo_set_code(err, STATUS_CONFLICT, CODE_WRONG_LAST, "wrong last sequence");
}

static bool grow(struct stream *stream)
{
    if (stream->count < stream->capacity)
        return true;
    size_t capacity = stream->capacity == 0 ? 16 : 2 * stream->capacity;
    struct stored *grown = realloc(stream->messages, capacity * sizeof *grown);
    if (grown == NULL)
        return false;
    stream->messages = grown;
    stream->capacity = capacity;
    return true;
}

static struct bytes copy(char **to, struct bytes from)
{
    if (from.size > 0)
        memcpy(*to, from.data, from.size);
    struct bytes copied = bytes_of(*to, from.size);
    *to += from.size;
    return copied;
}

static enum status publish(struct bus *bus, const struct bus_message *message, struct bus_ack *ack,
                           struct errinfo *err)
{
    struct fakebus *fake = of(bus);
    struct stream *stream = fake->streams;
    while (stream != NULL && !listens(stream, message->subject))
        stream = stream->next;
    if (stream == NULL)
        return errinfo_set(err, STATUS_NOT_FOUND, "no stream listens to the subject");
    enum status status = check_expected(stream, message, err);
    if (status != STATUS_OK)
        return status;
    // One block for the three; the subject, which is never empty, begins it.
    char *block = malloc(message->subject.size + message->headers.size + message->body.size + 1);
    if (block == NULL || !grow(stream)) {
        free(block);
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory for the message");
    }
    struct stored *stored = &stream->messages[stream->count++];
    *stored = (struct stored){.seq = ++stream->last_seq, .time_ns = fake->time_ns};
    stored->subject = copy(&block, message->subject);
    stored->headers = copy(&block, message->headers);
    stored->body = copy(&block, message->body);
    fake->time_ns += 1000000;
    *ack = (struct bus_ack){.seq = stored->seq};
    strncpy(ack->stream, stream->config.name, sizeof ack->stream - 1);
    return STATUS_OK;
}

static const struct stored *choose(const struct stream *stream, const struct bus_get *get)
{
    if (get->seq == 0)
        return last_of(stream, get->subject);
    for (size_t i = lower_bound(stream, get->seq); i < stream->count; i++) {
        const struct stored *stored = &stream->messages[i];
        if (get->subject.size == 0)
            return stored->seq == get->seq ? stored : NULL;
        if (subject_matches(get->subject, stored->subject))
            return stored;
    }
    return NULL;
}

static enum status give(const struct stored *stored, const struct bus_get *get, struct buf *storage,
                        struct bus_message *message, struct errinfo *err)
{
    struct bytes headers = get->part == BUS_RANGE ? (struct bytes){NULL, 0} : stored->headers;
    struct bytes body = get->part == BUS_HEAD ? (struct bytes){NULL, 0} : stored->body;
    if (get->part == BUS_RANGE)
        body = bytes_slice(body, (size_t)get->range_from, (size_t)get->range_size);
    buf_clear(storage);
    if (buf_reserve(storage, stored->subject.size + headers.size + body.size + 1) == NULL)
        return errinfo_set(err, buf_status(storage), "no memory for the message");
    buf_append(storage, stored->subject);
    buf_append(storage, headers);
    buf_append(storage, body);
    struct bytes all = buf_bytes(storage);
    *message = (struct bus_message){
        .seq = stored->seq,
        .time_ns = stored->time_ns,
        .subject = bytes_slice(all, 0, stored->subject.size),
        .headers = bytes_slice(all, stored->subject.size, headers.size),
        .body = bytes_from(all, stored->subject.size + headers.size),
    };
    return STATUS_OK;
}

static enum status get_message(struct bus *bus, const char *name, const struct bus_get *get,
                               struct buf *storage, struct bus_message *message,
                               struct errinfo *err)
{
    struct fakebus *fake = of(bus);
    const struct stream *stream = find(bus, name);
    fake->gets++;
    if (fake->get_failure != STATUS_OK && fake->gets_before_failure == 0)
        return errinfo_set(err, fake->get_failure, "the fake bus fails as it was told");
    if (fake->gets_before_failure > 0)
        fake->gets_before_failure--;
    if (stream == NULL)
        return no_stream(name, err);
    const struct stored *stored = choose(stream, get);
    if (stored == NULL)
        return errinfo_set_code(err, STATUS_NOT_FOUND, CODE_NO_MESSAGE, "no message found");
    if (stored->damaged)
        return errinfo_set(err, STATUS_CORRUPT, "message %llu is damaged",
                           (unsigned long long)stored->seq);
    return give(stored, get, storage, message, err);
}

static enum status last_each(struct bus *bus, const char *name, const struct bus_get *filter,
                             bus_visit_message visit, void *context, struct errinfo *err)
{
    const struct stream *stream = find(bus, name);
    struct buf storage;
    enum status status = stream == NULL ? no_stream(name, err) : STATUS_OK;
    buf_init(&storage, UINT32_MAX);
    for (size_t i = 0; status == STATUS_OK && i < stream->count; i++) {
        const struct stored *stored = &stream->messages[i];
        struct bus_message message;
        if (!matches(filter->subject, stored->subject) ||
            last_of(stream, stored->subject) != stored)
            continue;
        status = give(stored, filter, &storage, &message, err);
        if (status == STATUS_OK)
            status = visit(context, &message);
    }
    buf_fini(&storage);
    return status;
}

static int compare_subjects(const void *one, const void *two)
{
    const struct bytes *a = one;
    const struct bytes *b = two;
    return bytes_compare(*a, *b);
}

static enum status subjects(struct bus *bus, const char *name, struct bytes filter,
                            bus_visit_name visit, void *context, struct errinfo *err)
{
    const struct stream *stream = find(bus, name);
    if (stream == NULL)
        return no_stream(name, err);
    struct bytes *all = malloc((stream->count + 1) * sizeof *all);
    if (all == NULL)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory for the subjects");
    size_t count = 0;
    for (size_t i = 0; i < stream->count; i++) {
        if (matches(filter, stream->messages[i].subject))
            all[count++] = stream->messages[i].subject;
    }
    qsort(all, count, sizeof *all, compare_subjects);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK;) {
        size_t end = i;
        while (end < count && bytes_equal(all[i], all[end]))
            end++;
        status = visit(context, all[i], end - i);
        i = end;
    }
    free(all);
    return status;
}

static void remove_at(struct stream *stream, size_t at)
{
    free_stored(&stream->messages[at]);
    memmove(&stream->messages[at], &stream->messages[at + 1],
            (stream->count - at - 1) * sizeof stream->messages[0]);
    stream->count--;
}

static enum status message_delete(struct bus *bus, const char *name, uint64_t seq, bool erase,
                                  struct errinfo *err)
{
    struct stream *stream = find(bus, name);
    (void)erase;
    if (stream == NULL)
        return no_stream(name, err);
    size_t at = lower_bound(stream, seq);
    if (at == stream->count || stream->messages[at].seq != seq)
        return errinfo_set_code(err, STATUS_NOT_FOUND, CODE_NO_MESSAGE, "no message found");
    remove_at(stream, at);
    return STATUS_OK;
}

static enum status stream_create(struct bus *bus, const struct stream_config *config, bool *created,
                                 struct errinfo *err)
{
    struct fakebus *fake = of(bus);
    *created = false;
    if (find(bus, config->name) != NULL)
        return STATUS_OK;
    struct stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory for the stream");
    stream_config_init(&stream->config);
    enum status status = stream_config_copy(&stream->config, config);
    if (status != STATUS_OK) {
        free_stream(stream);
        return errinfo_set(err, status, "no memory for the stream");
    }
    stream->created_ns = fake->time_ns++;
    stream->next = fake->streams;
    fake->streams = stream;
    *created = true;
    return STATUS_OK;
}

static enum status stream_update(struct bus *bus, const struct stream_config *config,
                                 struct errinfo *err)
{
    struct stream *stream = find(bus, config->name);
    struct stream_config copied;
    if (stream == NULL)
        return no_stream(config->name, err);
    stream_config_init(&copied);
    enum status status = stream_config_copy(&copied, config);
    if (status != STATUS_OK)
        return errinfo_set(err, status, "no memory for the configuration");
    stream_config_fini(&stream->config);
    stream->config = copied;
    return STATUS_OK;
}

static enum status stream_delete(struct bus *bus, const char *name, struct errinfo *err)
{
    struct stream *stream = find(bus, name);
    if (stream == NULL)
        return no_stream(name, err);
    struct stream **link = &of(bus)->streams;
    while (*link != stream)
        link = &(*link)->next;
    *link = stream->next;
    free_stream(stream);
    return STATUS_OK;
}

static enum status stream_info_of(struct bus *bus, const char *name, struct stream_info *info,
                                  struct errinfo *err)
{
    const struct stream *stream = find(bus, name);
    struct stream_info out = {.created_ns = stream == NULL ? 0 : stream->created_ns};
    if (stream == NULL)
        return no_stream(name, err);
    out.state.messages = stream->count;
    out.state.last_seq = stream->last_seq;
    out.state.first_seq = stream->last_seq + 1;
    if (stream->count > 0) {
        out.state.first_seq = stream->messages[0].seq;
        out.state.first_time_ns = stream->messages[0].time_ns;
        out.state.last_time_ns = stream->messages[stream->count - 1].time_ns;
        out.state.num_deleted = stream->last_seq - out.state.first_seq + 1 - stream->count;
    }
    for (size_t i = 0; i < stream->count; i++) {
        const struct stored *stored = &stream->messages[i];
        out.state.bytes += stored->headers.size + stored->body.size;
    }
    stream_config_init(&out.config);
    enum status status = stream_config_copy(&out.config, &stream->config);
    if (status != STATUS_OK)
        return errinfo_set(err, status, "no memory for the configuration");
    *info = out;
    return STATUS_OK;
}

static enum status stream_names(struct bus *bus, bus_visit_name visit, void *context,
                                struct errinfo *err)
{
    enum status status = STATUS_OK;
    (void)err;
    for (struct stream *stream = of(bus)->streams; stream != NULL && status == STATUS_OK;
         stream = stream->next)
        status = visit(context, bytes_of_string(stream->config.name), stream->count);
    return status;
}

static enum status stream_purge(struct bus *bus, const char *name, const struct bus_purge *purge,
                                uint64_t *purged, struct errinfo *err)
{
    struct stream *stream = find(bus, name);
    if (stream == NULL)
        return no_stream(name, err);
    uint64_t chosen = 0;
    for (size_t i = 0; i < stream->count; i++)
        chosen += matches(purge->filter, stream->messages[i].subject);
    *purged = 0;
    for (size_t i = 0; i < stream->count && chosen > purge->keep;) {
        const struct stored *stored = &stream->messages[i];
        if (purge->up_to_seq != 0 && stored->seq >= purge->up_to_seq)
            break;
        if (!matches(purge->filter, stored->subject)) {
            i++;
            continue;
        }
        remove_at(stream, i);
        chosen--;
        ++*purged;
    }
    return STATUS_OK;
}

static enum status follow_open(struct bus *bus, const struct bus_source *sources, size_t count,
                               enum bus_part part, struct bus_follow **follow, struct errinfo *err)
{
    (void)bus;
    (void)sources;
    (void)count;
    (void)part;
    (void)follow;
    return errinfo_set(err, STATUS_UNAVAILABLE, "the fake bus has no followers");
}

static void rest(struct bus *bus)
{
    struct fakebus *fake = of(bus);
    if (fake->on_rest != NULL)
        fake->on_rest(fake->on_rest_context);
}

static const struct bus_operations operations = {
    .close = close_bus,
    .rest = rest,
    .facts = facts,
    .publish = publish,
    .get = get_message,
    .last_each = last_each,
    .subjects = subjects,
    .message_delete = message_delete,
    .stream_create = stream_create,
    .stream_update = stream_update,
    .stream_delete = stream_delete,
    .stream_info = stream_info_of,
    .stream_names = stream_names,
    .stream_purge = stream_purge,
    .follow_open = follow_open,
};

struct bus *fakebus_new(void)
{
    struct fakebus *fake = calloc(1, sizeof *fake);
    if (fake == NULL)
        return NULL;
    fake->bus.operations = &operations;
    fake->time_ns = INT64_C(1000000000) * 1000000000;
    return &fake->bus;
}

void fakebus_set_time(struct bus *bus, int64_t time_ns)
{
    of(bus)->time_ns = time_ns;
}

void fakebus_fail_get(struct bus *bus, size_t count, enum status status)
{
    of(bus)->gets_before_failure = count;
    of(bus)->get_failure = status;
}

void fakebus_damage(struct bus *bus, const char *stream, uint64_t seq)
{
    struct stream *found = find(bus, stream);
    if (found == NULL)
        return;
    size_t at = lower_bound(found, seq);
    if (at < found->count && found->messages[at].seq == seq)
        found->messages[at].damaged = true;
}

void fakebus_on_rest(struct bus *bus, void (*call)(void *context), void *context)
{
    of(bus)->on_rest = call;
    of(bus)->on_rest_context = context;
}

uint64_t fakebus_gets(const struct bus *bus)
{
    return ((const struct fakebus *)(const void *)bus)->gets;
}
