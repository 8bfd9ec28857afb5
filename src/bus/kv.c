// SPDX-License-Identifier: Apache-2.0
#include "bus/kv.h"

#include "base/limits.h"
#include "wire/headers.h"
#include "wire/subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SUBJECT_SIZE = LIMIT_SUBJECT_BYTES + 1 };

static bool is_name_byte(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_';
}

static enum status check_bucket(struct bytes bucket, struct errinfo *err)
{
    char quoted[ERRINFO_QUOTED_MAX];
    bool good = bucket.size > 0 && bucket.size <= LIMIT_AGENT_BYTES;
    for (size_t i = 0; good && i < bucket.size; i++)
        good = is_name_byte(bucket.data[i]);
    if (good)
        return STATUS_OK;
    return errinfo_set(err, STATUS_INVALID,
                       "bad bucket name %s: 1 to %d letters, digits, - and _ are allowed",
                       errinfo_quote(bucket, quoted), LIMIT_AGENT_BYTES);
}

// A filter may have wildcards, a key may not.
static enum status check_key(struct bytes key, bool filter, struct errinfo *err)
{
    char quoted[ERRINFO_QUOTED_MAX];
    bool good = key.size > 0 && key.size <= LIMIT_KV_KEY_BYTES && key.data[0] != '.' &&
                key.data[key.size - 1] != '.';
    for (size_t i = 0; good && i < key.size; i++) {
        char c = key.data[i];
        good = is_name_byte(c) || c == '/' || c == '=' || (c == '.' && key.data[i - 1] != '.') ||
               (filter && (c == '*' || c == '>'));
    }
    if (good)
        return STATUS_OK;
    return errinfo_set(
        err, STATUS_INVALID,
        "bad key %s: up to %d letters, digits and - / _ = . are allowed, with no dot "
        "at either end or after another",
        errinfo_quote(key, quoted), LIMIT_KV_KEY_BYTES);
}

struct place {
    char stream[BUS_STREAM_NAME_SIZE];
    char subject[SUBJECT_SIZE];
};

// Where a key (or a filter; empty takes every key) of a bucket lives.
static enum status locate(struct place *place, struct bytes bucket, struct bytes key, bool filter,
                          struct errinfo *err)
{
    enum status status = check_bucket(bucket, err);
    if (status == STATUS_OK && (!filter || key.size > 0))
        status = check_key(key, filter, err);
    if (status != STATUS_OK)
        return status;
    if (key.size == 0)
        key = BYTES(">");
    snprintf(place->stream, sizeof place->stream, "KV_%.*s", BYTES_ARG(bucket));
    snprintf(place->subject, sizeof place->subject, "$KV.%.*s.%.*s", BYTES_ARG(bucket),
             BYTES_ARG(key));
    return STATUS_OK;
}

// An unknown stream is, to whoever asked for a key, an unknown bucket.
static enum status bucket_error(enum status status, struct bytes bucket, int stream_code,
                                struct errinfo *err)
{
    if (status != STATUS_NOT_FOUND || err == NULL || err->protocol_code != stream_code)
        return status;
    return errinfo_set_code(err, STATUS_NOT_FOUND, stream_code,
                            "no bucket %.*s: create it with agog kv add %.*s", BYTES_ARG(bucket),
                            BYTES_ARG(bucket));
}

enum { CODE_STREAM_NOT_FOUND = 10059 };

static void entry_of(struct kv_entry *entry, struct bytes bucket, const struct bus_message *message)
{
    struct bytes operation;
    *entry = (struct kv_entry){
        .bucket = bucket,
        .key = bytes_from(message->subject, strlen("$KV..") + bucket.size),
        .value = message->body,
        .revision = message->seq,
        .time_ns = message->time_ns,
        .operation = KV_PUT,
    };
    if (!headers_find(message->headers, BYTES("KV-Operation"), &operation))
        return;
    if (bytes_equal(operation, BYTES("DEL")))
        entry->operation = KV_DELETE;
    else if (bytes_equal(operation, BYTES("PURGE")))
        entry->operation = KV_PURGE;
}

static enum status check_bucket_config(const struct kv_config *bucket, struct errinfo *err)
{
    if (bucket->history < 0 || bucket->history > LIMIT_KV_HISTORY)
        return errinfo_set(err, STATUS_INVALID, "a bucket keeps 1 to %d revisions of a key, not %d",
                           LIMIT_KV_HISTORY, bucket->history);
    if (bucket->ttl_ns < 0 || bucket->max_bytes < 0 || bucket->max_value_size < 0)
        return errinfo_set(err, STATUS_INVALID, "a bucket's limits cannot be negative");
    return check_bucket(bucket->bucket, err);
}

enum status kv_stream_config(const struct kv_config *bucket, struct stream_config *config,
                             struct errinfo *err)
{
    enum { WINDOW_S = 120 };
    const int64_t window_ns = INT64_C(1000000000) * WINDOW_S;
    struct place place;
    stream_config_init(config);
    enum status status = check_bucket_config(bucket, err);
    if (status == STATUS_OK)
        status = locate(&place, bucket->bucket, (struct bytes){NULL, 0}, true, err);
    if (status == STATUS_OK)
        status = stream_config_set_string(&config->name, bytes_of_string(place.stream));
    if (status == STATUS_OK && bucket->description.size > 0)
        status = stream_config_set_string(&config->description, bucket->description);
    if (status == STATUS_OK)
        status = stream_config_add_subject(config, bytes_of_string(place.subject), err);
    if (status != STATUS_OK) {
        stream_config_fini(config);
        return status;
    }
    config->max_msgs_per_subject = bucket->history == 0 ? 1 : bucket->history;
    config->max_bytes = bucket->max_bytes == 0 ? -1 : bucket->max_bytes;
    config->max_msg_size = bucket->max_value_size == 0 ? -1 : bucket->max_value_size;
    config->max_age_ns = bucket->ttl_ns;
    config->replicas = bucket->replicas == 0 ? 1 : bucket->replicas;
    config->discard = STREAM_DISCARD_NEW;
    config->allow_rollup = true;
    config->allow_direct = true;
    config->deny_delete = true;
    // A window longer than the values live would be refused by JetStream.
    config->duplicate_window_ns = bucket->ttl_ns > 0 && bucket->ttl_ns < window_ns ? bucket->ttl_ns
                                                                                   : window_ns;
    return STATUS_OK;
}

enum status kv_bucket_create(struct bus *bus, const struct kv_config *config, bool *created,
                             struct errinfo *err)
{
    struct stream_config stream;
    enum status status = kv_stream_config(config, &stream, err);
    if (status != STATUS_OK)
        return status;
    status = bus->operations->stream_create(bus, &stream, created, err);
    stream_config_fini(&stream);
    return status;
}

enum status kv_bucket_delete(struct bus *bus, struct bytes bucket, struct errinfo *err)
{
    struct place place;
    enum status status = locate(&place, bucket, (struct bytes){NULL, 0}, true, err);
    if (status == STATUS_OK)
        status = bus->operations->stream_delete(bus, place.stream, err);
    return bucket_error(status, bucket, CODE_STREAM_NOT_FOUND, err);
}

struct bucket_walk {
    bus_visit_name visit;
    void *context;
};

static enum status visit_bucket(void *context, struct bytes name, uint64_t count)
{
    const struct bucket_walk *walk = context;
    if (!bytes_start_with(name, BYTES("KV_")))
        return STATUS_OK;
    return walk->visit(walk->context, bytes_from(name, 3), count);
}

enum status kv_buckets(struct bus *bus, bus_visit_name visit, void *context, struct errinfo *err)
{
    struct bucket_walk walk = {visit, context};
    return bus->operations->stream_names(bus, visit_bucket, &walk, err);
}

static enum status no_key(struct bytes key, const char *why, struct errinfo *err)
{
    return errinfo_set(err, STATUS_NOT_FOUND, "no key %.*s%s", BYTES_ARG(key), why);
}

enum status kv_get(struct bus *bus, const struct kv_key *wanted, struct buf *storage,
                   struct kv_entry *entry, struct errinfo *err)
{
    struct bytes bucket = wanted->bucket;
    struct bytes key = wanted->key;
    uint64_t revision = wanted->revision;
    struct place place;
    struct bus_message message;
    enum status status = locate(&place, bucket, key, false, err);
    if (status != STATUS_OK)
        return status;
    struct bus_get get = {.seq = revision,
                          .subject = revision == 0 ? bytes_of_string(place.subject)
                                                   : (struct bytes){NULL, 0},
                          .part = BUS_ALL};
    struct errinfo why;
    errinfo_clear(&why);
    status = bus->operations->get(bus, place.stream, &get, storage, &message, &why);
    if (status == STATUS_NOT_FOUND && why.protocol_code != CODE_STREAM_NOT_FOUND)
        return no_key(key, revision == 0 ? "" : " at that revision", err);
    if (status != STATUS_OK) {
        if (err != NULL)
            *err = why;
        return bucket_error(status, bucket, CODE_STREAM_NOT_FOUND, err);
    }
    if (!bytes_equal(message.subject, bytes_of_string(place.subject)))
        return no_key(key, " at that revision", err);
    struct kv_entry found;
    entry_of(&found, bucket, &message);
    if (found.operation != KV_PUT && revision == 0)
        return no_key(key, ": it was deleted", err);
    *entry = found;
    return STATUS_OK;
}

static enum status write_headers(struct buf *out, const struct kv_write *write, uint64_t expected,
                                 struct errinfo *err)
{
    enum status status = STATUS_OK;
    headers_begin(out);
    if (write->operation == KV_DELETE)
        status = headers_add(out, BYTES("KV-Operation"), BYTES("DEL"), err);
    if (write->operation == KV_PURGE) {
        status = headers_add(out, BYTES("KV-Operation"), BYTES("PURGE"), err);
        if (status == STATUS_OK)
            status = headers_add(out, BYTES("Nats-Rollup"), BYTES("sub"), err);
    }
    if (status == STATUS_OK && expected != KV_ANY) {
        char number[24];
        snprintf(number, sizeof number, "%llu", (unsigned long long)expected);
        status = headers_add(out, BYTES("Nats-Expected-Last-Subject-Sequence"),
                             bytes_of_string(number), err);
    }
    headers_end(out);
    return status != STATUS_OK ? status : buf_status(out);
}

static enum status write_once(struct bus *bus, const struct place *place,
                              const struct kv_write *write, uint64_t expected, uint64_t *revision,
                              struct errinfo *err)
{
    struct buf headers;
    struct bus_ack ack;
    buf_init(&headers, LIMIT_HEADER_BYTES);
    enum status status = write_headers(&headers, write, expected, err);
    if (status == STATUS_OK) {
        bool any = write->operation != KV_PUT || expected != KV_ANY;
        struct bus_message message = {
            .subject = bytes_of_string(place->subject),
            .headers = any ? buf_bytes(&headers) : (struct bytes){NULL, 0},
            .body = write->value,
        };
        status = bus->operations->publish(bus, &message, &ack, err);
    }
    buf_fini(&headers);
    if (status == STATUS_OK)
        *revision = ack.seq;
    return status;
}

// "No value" is also what a delete marker stands for: the marker's own revision is then expected.
// False when there is a value, or nothing at all.
static bool marker_revision(struct bus *bus, const struct place *place, uint64_t *revision)
{
    struct buf storage;
    struct bus_message message;
    struct kv_entry entry;
    buf_init(&storage, LIMIT_MESSAGE_BYTES);
    struct bus_get get = {.subject = bytes_of_string(place->subject), .part = BUS_HEAD};
    bool found = bus->operations->get(bus, place->stream, &get, &storage, &message, NULL) ==
                 STATUS_OK;
    if (found) {
        entry_of(&entry, BYTES(""), &message);
        found = entry.operation != KV_PUT;
        *revision = message.seq;
    }
    buf_fini(&storage);
    return found;
}

enum status kv_write(struct bus *bus, const struct kv_write *write, uint64_t *revision,
                     struct errinfo *err)
{
    struct place place;
    enum status status = locate(&place, write->bucket, write->key, false, err);
    if (status != STATUS_OK)
        return status;
    status = write_once(bus, &place, write, write->expected, revision, err);
    uint64_t marker;
    if (status == STATUS_CONFLICT && write->expected == 0 && marker_revision(bus, &place, &marker))
        status = write_once(bus, &place, write, marker, revision, err);
    if (status == STATUS_CONFLICT && write->expected == 0)
        return errinfo_set_code(err, STATUS_CONFLICT, err == NULL ? 0 : err->protocol_code,
                                "key %.*s exists already", BYTES_ARG(write->key));
    if (status == STATUS_CONFLICT)
        return errinfo_set_code(err, STATUS_CONFLICT, err == NULL ? 0 : err->protocol_code,
                                "key %.*s is not at revision %llu any more: read it again",
                                BYTES_ARG(write->key), (unsigned long long)write->expected);
    return bucket_error(status, write->bucket, CODE_STREAM_NOT_FOUND, err);
}

struct entry_walk {
    struct bytes bucket;
    kv_visit visit;
    void *context;
};

static enum status visit_entry(void *context, const struct bus_message *message)
{
    const struct entry_walk *walk = context;
    struct kv_entry entry;
    entry_of(&entry, walk->bucket, message);
    return walk->visit(walk->context, &entry);
}

enum status kv_entries(struct bus *bus, struct bytes bucket, struct bytes filter, kv_visit visit,
                       void *context, struct errinfo *err)
{
    struct place place;
    struct entry_walk walk = {bucket, visit, context};
    enum status status = locate(&place, bucket, filter, true, err);
    if (status != STATUS_OK)
        return status;
    struct bus_get get = {.subject = bytes_of_string(place.subject), .part = BUS_ALL};
    status = bus->operations->last_each(bus, place.stream, &get, visit_entry, &walk, err);
    return bucket_error(status, bucket, CODE_STREAM_NOT_FOUND, err);
}

enum status kv_history(struct bus *bus, struct bytes bucket, struct bytes key, kv_visit visit,
                       void *context, struct errinfo *err)
{
    struct place place;
    struct buf storage;
    struct entry_walk walk = {bucket, visit, context};
    enum status status = locate(&place, bucket, key, false, err);
    if (status != STATUS_OK)
        return status;
    buf_init(&storage, LIMIT_MESSAGE_BYTES);
    struct errinfo why;
    uint64_t seq = 1;
    bool any = false;
    while (status == STATUS_OK) {
        struct bus_message message;
        struct bus_get get = {
            .seq = seq, .subject = bytes_of_string(place.subject), .part = BUS_ALL};
        errinfo_clear(&why);
        status = bus->operations->get(bus, place.stream, &get, &storage, &message, &why);
        if (status == STATUS_NOT_FOUND && why.protocol_code != CODE_STREAM_NOT_FOUND)
            break;
        if (status == STATUS_OK) {
            any = true;
            seq = message.seq + 1;
            status = visit_entry(&walk, &message);
        } else if (err != NULL) {
            *err = why;
        }
    }
    buf_fini(&storage);
    if (status == STATUS_NOT_FOUND && any)
        return STATUS_OK;
    if (status == STATUS_NOT_FOUND && why.protocol_code != CODE_STREAM_NOT_FOUND)
        return no_key(key, "", err);
    return bucket_error(status, bucket, CODE_STREAM_NOT_FOUND, err);
}

// A watch first gives the last entry of each key as it was at the start, then follows from there.
struct kv_watch {
    struct bus *bus;
    struct bus_follow *follow;
    char bucket[LIMIT_AGENT_BYTES + 1];
    uint64_t *current; // sequences of the entries to give first
    size_t current_count;
    size_t current_at;
    uint64_t start; // first sequence that is followed
    struct place place;
};

static enum status collect_current(void *context, const struct bus_message *message)
{
    struct kv_watch *watch = context;
    // What came in since the start was noted comes with what follows.
    if (message->seq >= watch->start)
        return STATUS_OK;
    // Grown in steps of a power of two, without a second field for the capacity.
    if ((watch->current_count & (watch->current_count + 1)) == 0) {
        size_t capacity = 2 * watch->current_count + 2;
        uint64_t *grown = realloc(watch->current, capacity * sizeof *grown);
        if (grown == NULL)
            return STATUS_NO_MEMORY;
        watch->current = grown;
    }
    watch->current[watch->current_count++] = message->seq;
    return STATUS_OK;
}

static enum status watch_start(struct kv_watch *watch, bool with_current, struct errinfo *err)
{
    const struct bus_operations *operations = watch->bus->operations;
    struct stream_info info;
    enum status status = operations->stream_info(watch->bus, watch->place.stream, &info, err);
    if (status != STATUS_OK)
        return status;
    watch->start = info.state.last_seq + 1;
    stream_config_fini(&info.config);
    struct bytes filter = bytes_of_string(watch->place.subject);
    if (with_current) {
        struct bus_get get = {.subject = filter, .part = BUS_HEAD};
        status = operations->last_each(watch->bus, watch->place.stream, &get, collect_current,
                                       watch, err);
    }
    if (status != STATUS_OK)
        return status;
    struct bus_source source = {watch->place.stream, filter, watch->start};
    return operations->follow_open(watch->bus, &source, 1, BUS_ALL, &watch->follow, err);
}

enum status kv_watch_open(struct bus *bus, struct bytes bucket, struct bytes filter,
                          bool with_current, struct kv_watch **out, struct errinfo *err)
{
    struct kv_watch *watch = calloc(1, sizeof *watch);
    if (watch == NULL)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory to watch bucket %.*s",
                           BYTES_ARG(bucket));
    watch->bus = bus;
    enum status status = locate(&watch->place, bucket, filter, true, err);
    if (status == STATUS_OK) {
        memcpy(watch->bucket, bucket.data, bucket.size);
        status = watch_start(watch, with_current, err);
    }
    if (status != STATUS_OK) {
        kv_watch_close(watch);
        return bucket_error(status, bucket, CODE_STREAM_NOT_FOUND, err);
    }
    *out = watch;
    return STATUS_OK;
}

enum status kv_watch_next(struct kv_watch *watch, int64_t timeout_ms, struct buf *storage,
                          struct kv_entry *entry, struct errinfo *err)
{
    const struct bus_operations *operations = watch->bus->operations;
    struct bytes bucket = bytes_of_string(watch->bucket);
    struct bus_message message;
    while (watch->current_at < watch->current_count) {
        struct bus_get get = {.seq = watch->current[watch->current_at++], .part = BUS_ALL};
        enum status status = operations->get(watch->bus, watch->place.stream, &get, storage,
                                             &message, err);
        // An entry that was replaced since then comes with what follows.
        if (status == STATUS_NOT_FOUND)
            continue;
        if (status == STATUS_OK)
            entry_of(entry, bucket, &message);
        return status;
    }
    size_t source;
    enum status status = operations->follow_next(watch->follow, timeout_ms, storage, &message,
                                                 &source, err);
    if (status == STATUS_OK)
        entry_of(entry, bucket, &message);
    return status;
}

void kv_watch_close(struct kv_watch *watch)
{
    if (watch == NULL)
        return;
    bus_follow_close(watch->follow);
    free(watch->current);
    free(watch);
}
