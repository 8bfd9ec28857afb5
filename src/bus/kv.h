// SPDX-License-Identifier: Apache-2.0
// Key-value buckets (ADR-8): a bucket is the stream KV_<bucket>, a key the subject
// $KV.<bucket>.<key>, a value a message, a revision its sequence. The rules stand above bus.h, so
// that there is one implementation for both engines.
//
// Keys are letters, digits and - / _ = . as ADR-8 allows, not beginning or ending with a dot.
#pragma once

#include "bus/bus.h"

enum kv_operation { KV_PUT, KV_DELETE, KV_PURGE };

struct kv_entry {
    struct bytes bucket;
    struct bytes key;
    struct bytes value; // empty for a delete or purge marker
    uint64_t revision;
    int64_t time_ns;
    enum kv_operation operation;
};

struct kv_config {
    struct bytes bucket;
    struct bytes description;
    int history;            // revisions kept of each key, 1 to 64; 0 takes 1
    int64_t ttl_ns;         // 0 keeps values for ever
    int64_t max_bytes;      // of the bucket; 0 is without limit
    int64_t max_value_size; // 0 is without limit
    int replicas;           // 0 takes 1
};

// The stream's configuration for a bucket, as the official clients make it. config is initialised
// by the call.
enum status kv_stream_config(const struct kv_config *bucket, struct stream_config *config,
                             struct errinfo *err);

enum status kv_bucket_create(struct bus *bus, const struct kv_config *config, bool *created,
                             struct errinfo *err);
enum status kv_bucket_delete(struct bus *bus, struct bytes bucket, struct errinfo *err);
// Each bucket's name with the number of its messages.
enum status kv_buckets(struct bus *bus, bus_visit_name visit, void *context, struct errinfo *err);

// Reads the current value, or that of one revision (0 is the current one). A deleted key is
// STATUS_NOT_FOUND, as is an unknown key; the text tells them apart. Views borrow from storage.
struct kv_key {
    struct bytes bucket;
    struct bytes key;
    uint64_t revision;
};
enum status kv_get(struct bus *bus, const struct kv_key *wanted, struct buf *storage,
                   struct kv_entry *entry, struct errinfo *err);

// What a write expects to find. KV_ANY takes whatever is there; 0 stands for "no value".
#define KV_ANY UINT64_MAX

struct kv_write {
    struct bytes bucket;
    struct bytes key;
    struct bytes value;
    uint64_t expected; // revision, 0 for a new or deleted key, or KV_ANY
    enum kv_operation operation;
};

// STATUS_CONFLICT when another revision is there than expected.
enum status kv_write(struct bus *bus, const struct kv_write *write, uint64_t *revision,
                     struct errinfo *err);

typedef enum status (*kv_visit)(void *context, const struct kv_entry *entry);

// The last entry of every key that matches the filter (wildcards; empty takes all), markers too.
enum status kv_entries(struct bus *bus, struct bytes bucket, struct bytes filter, kv_visit visit,
                       void *context, struct errinfo *err);
// Every kept entry of one key, oldest first.
enum status kv_history(struct bus *bus, struct bytes bucket, struct bytes key, kv_visit visit,
                       void *context, struct errinfo *err);

// Watching: the entries that match, from now on or (with_current) the last of each key first.
struct kv_watch;
enum status kv_watch_open(struct bus *bus, struct bytes bucket, struct bytes filter,
                          bool with_current, struct kv_watch **out, struct errinfo *err);
enum status kv_watch_next(struct kv_watch *watch, int64_t timeout_ms, struct buf *storage,
                          struct kv_entry *entry, struct errinfo *err);
void kv_watch_close(struct kv_watch *watch);
