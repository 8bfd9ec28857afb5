// SPDX-License-Identifier: Apache-2.0
#include "deliver/revision.h"

#include "base/limits.h"
#include "bus/kv.h"

#include <stdio.h>
#include <string.h>

static const struct bytes bucket_name = {"agog_revisions", sizeof "agog_revisions" - 1};

enum { VALUE_SIZE = 64, KEY_SIZE = LIMIT_KV_KEY_BYTES + LIMIT_AGENT_BYTES };

// A KV key holds fewer characters than a feature: what it cannot hold becomes =XX, as the quoted
// printable of mail has it, and '=' itself too.
static void key_of(const struct ref *ref, char key[KEY_SIZE])
{
    size_t size = (size_t)snprintf(key, KEY_SIZE, "%s.%s.", ref->agent, ref->type);
    for (const char *at = ref->feature; *at != '\0' && size + 4 < KEY_SIZE; at++) {
        char c = *at;
        bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     c == '-' || c == '_';
        size += (size_t)snprintf(key + size, KEY_SIZE - size, plain ? "%c" : "=%02X",
                                 plain ? c : (unsigned char)c);
    }
}

enum status revision_init(struct bus *bus, bool *changed, struct errinfo *err)
{
    struct kv_config config = {.bucket = bucket_name,
                               .description = BYTES("the highest revision of each deliverable"),
                               .history = LIMIT_KV_HISTORY};
    return kv_bucket_create(bus, &config, changed, err);
}

struct counter {
    uint64_t rev;
    uint64_t kv_revision; // 0 when there is no value yet
};

static enum status read_counter(struct bus *bus, struct bytes key, struct counter *counter,
                                struct errinfo *err)
{
    struct buf storage;
    struct kv_entry entry;
    buf_init(&storage, LIMIT_HEADER_BYTES);
    *counter = (struct counter){0, 0};
    enum status status = kv_get(bus, &(struct kv_key){bucket_name, key, 0}, &storage, &entry, err);
    if (status == STATUS_OK) {
        counter->kv_revision = entry.revision;
        if (!bytes_to_u64(entry.value, &counter->rev))
            status = errinfo_set(err, STATUS_CORRUPT, "the revision counter %.*s is no number",
                                 BYTES_ARG(key));
    }
    buf_fini(&storage);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status revision_reserve(struct bus *bus, const struct ref *ref, uint64_t at_least,
                             uint64_t *rev, struct errinfo *err)
{
    char text[KEY_SIZE];
    char value[VALUE_SIZE];
    key_of(ref, text);
    struct bytes key = bytes_of_string(text);
    enum status status = STATUS_CONFLICT;
    for (int tries = 0; status == STATUS_CONFLICT && tries < LIMIT_CONFLICT_RETRIES; tries++) {
        struct counter counter;
        uint64_t kv_revision;
        status = read_counter(bus, key, &counter, err);
        if (status != STATUS_OK)
            break;
        uint64_t next = (counter.rev > at_least ? counter.rev : at_least) + 1;
        snprintf(value, sizeof value, "%llu", (unsigned long long)next);
        struct kv_write write = {.bucket = bucket_name,
                                 .key = key,
                                 .value = bytes_of_string(value),
                                 .expected = counter.kv_revision};
        status = kv_write(bus, &write, &kv_revision, err);
        if (status == STATUS_OK)
            *rev = next;
    }
    return status;
}

enum status revision_highest(struct bus *bus, const struct ref *ref, uint64_t *rev,
                             struct errinfo *err)
{
    char key[KEY_SIZE];
    struct counter counter;
    key_of(ref, key);
    enum status status = read_counter(bus, bytes_of_string(key), &counter, err);
    if (status == STATUS_OK)
        *rev = counter.rev;
    return status;
}

struct time_search {
    uint64_t rev;
    int64_t time_ns;
    bool found;
};

static enum status match_time(void *context, const struct kv_entry *entry)
{
    struct time_search *search = context;
    uint64_t rev;
    if (bytes_to_u64(entry->value, &rev) && rev == search->rev) {
        search->time_ns = entry->time_ns;
        search->found = true;
    }
    return STATUS_OK;
}

enum status revision_time(struct bus *bus, const struct ref *ref, uint64_t rev, int64_t *time_ns,
                          struct errinfo *err)
{
    char key[KEY_SIZE];
    struct time_search search = {.rev = rev};
    key_of(ref, key);
    enum status status = kv_history(bus, bucket_name, bytes_of_string(key), match_time, &search,
                                    err);
    if (status == STATUS_OK && !search.found)
        return errinfo_set(err, STATUS_NOT_FOUND,
                           "when revision %llu was published is not remembered",
                           (unsigned long long)rev);
    if (status == STATUS_OK)
        *time_ns = search.time_ns;
    return status;
}
