// SPDX-License-Identifier: Apache-2.0
// A consumer's configuration in JetStream's own terms (ADR-13, ADR-37, ADR-42 and nats-server's
// ConsumerConfig), and its JSON.
#pragma once

#include "base/buf.h"
#include "wire/jsonfields.h"

enum deliver_policy {
    DELIVER_ALL,
    DELIVER_LAST,
    DELIVER_NEW,
    DELIVER_BY_SEQUENCE,
    DELIVER_BY_TIME,
    DELIVER_LAST_PER_SUBJECT,
};
enum ack_policy { ACK_NONE, ACK_ALL, ACK_EXPLICIT };
enum replay_policy { REPLAY_INSTANT, REPLAY_ORIGINAL };
enum priority_policy { PRIORITY_NONE, PRIORITY_OVERFLOW, PRIORITY_PINNED, PRIORITY_PRIORITIZED };

// Strings and lists are owned: consumer_config_init before, consumer_config_fini after. Times are
// nanoseconds since 1970, lengths of time are nanoseconds; 0 is "not given" in each.
struct consumer_config {
    char *durable;
    char *name;
    char *description;
    enum deliver_policy deliver;
    uint64_t start_seq;
    int64_t start_time_ns;
    enum ack_policy ack;
    int64_t ack_wait_ns;
    int64_t max_deliver; // -1 without limit
    struct jsonintegers backoff_ns;
    char *filter;
    struct jsonstrings filters;
    enum replay_policy replay;
    uint64_t rate_limit_bps; // bits a second
    char *sample_frequency;  // "30" or "30%"
    int64_t max_waiting;
    int64_t max_ack_pending; // -1 without limit
    bool flow_control;
    bool headers_only;
    int64_t max_batch;
    int64_t max_expires_ns;
    int64_t max_bytes;
    char *deliver_subject; // NULL: the consumer is pulled from
    char *deliver_group;
    int64_t heartbeat_ns;
    int64_t inactive_threshold_ns;
    int replicas;
    bool memory_storage;
    bool direct;
    char *metadata;
    int64_t pause_until_ns;
    struct jsonstrings priority_groups;
    enum priority_policy priority;
    int64_t pinned_ttl_ns;
};

void consumer_config_init(struct consumer_config *config);
void consumer_config_fini(struct consumer_config *config);
enum status consumer_config_copy(struct consumer_config *to, const struct consumer_config *from);

// From a JSON object; replaces what config holds. STATUS_INVALID (10025) names a member of the
// wrong type.
enum status consumer_config_from_json(struct consumer_config *config, const json_t *object,
                                      struct errinfo *err);

// The same from and to text. Equal configurations give equal text. STATUS_INVALID when a string is
// not UTF-8.
enum status consumer_config_read(struct consumer_config *config, struct bytes text,
                                 struct errinfo *err);
enum status consumer_config_write(const struct consumer_config *config, struct buf *out);

// A new JSON object; NULL when there is no memory or a string is not UTF-8. Equal configurations
// give equal objects.
json_t *consumer_config_to_json(const struct consumer_config *config);

// The filters, however they were given.
size_t consumer_config_filters(const struct consumer_config *config);
struct bytes consumer_config_filter(const struct consumer_config *config, size_t index);
