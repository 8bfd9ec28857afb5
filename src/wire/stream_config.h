// SPDX-License-Identifier: Apache-2.0
// A stream's configuration and state in JetStream's own terms (ADR-8, ADR-31 and nats-server's
// StreamConfig), and their JSON. Shared by everything that speaks of streams: the engine keeps its
// configuration in this form, both buses exchange it.
#pragma once

#include "base/buf.h"
#include "wire/jsonfields.h"
#include "wire/stream_source.h"

enum stream_retention { STREAM_RETAIN_LIMITS, STREAM_RETAIN_INTEREST, STREAM_RETAIN_WORKQUEUE };
enum stream_discard { STREAM_DISCARD_OLD, STREAM_DISCARD_NEW };
enum stream_storage { STREAM_STORE_FILE, STREAM_STORE_MEMORY };
enum stream_compression { STREAM_COMPRESS_NONE, STREAM_COMPRESS_S2 };
enum stream_persist { STREAM_PERSIST_DEFAULT, STREAM_PERSIST_ASYNC };

enum { STREAM_SUBJECTS_MAX = 64 }; // subjects one stream may listen to

// Strings are owned by the config: stream_config_init before, stream_config_fini after.
struct stream_config {
    char *name;
    char *description; // NULL when there is none
    char *subjects[STREAM_SUBJECTS_MAX];
    size_t subject_count;
    enum stream_retention retention;
    enum stream_discard discard;
    enum stream_storage storage;
    int64_t max_msgs; // -1 is without limit, as in each limit below
    int64_t max_bytes;
    int64_t max_age_ns; // 0 is without limit
    int64_t max_msg_size;
    int64_t max_msgs_per_subject;
    int64_t max_consumers;
    int64_t duplicate_window_ns;
    int replicas;
    uint64_t first_seq; // 0 and 1 are the same
    bool discard_new_per_subject;
    bool sealed;
    bool deny_delete;
    bool deny_purge;
    bool allow_rollup;
    bool allow_direct;
    char *metadata; // a JSON object with string values, NULL when there is none

    struct stream_source *mirror; // NULL when it is none
    struct stream_source *sources;
    size_t source_count;
    struct subject_mapping transform; // of what is published; source NULL when there is none
    struct subject_mapping republish; // of what was stored; destination NULL when there is none
    bool republish_headers_only;
    enum stream_compression compression; // accepted and given back; records are not compressed
    enum stream_persist persist;         // accepted and given back; every ack is durable
    bool no_ack;
    bool mirror_direct;
    bool allow_msg_ttl;
    int64_t delete_marker_ttl_ns;
    bool allow_atomic;
    bool allow_batched;
    bool allow_schedules;
    bool allow_counter;
    int64_t consumer_inactive_ns;     // limits for consumers, 0 for none
    int64_t consumer_max_ack_pending; // 0 for none
    char *placement;                  // JSON as it was given: one server places nothing
};

struct stream_state {
    uint64_t messages;
    uint64_t bytes;
    uint64_t first_seq;
    uint64_t last_seq;
    int64_t first_time_ns; // 0 when there is no message
    int64_t last_time_ns;
    uint64_t num_subjects;
    uint64_t num_deleted; // sequences between first and last that are gone
    uint64_t consumers;
};

// A configuration with JetStream's defaults and no name; replaces what config holds.
void stream_config_init(struct stream_config *config);
void stream_config_fini(struct stream_config *config);

// Replaces a string; STATUS_INVALID when the value holds a NUL, which a C string cannot.
enum status stream_config_set_string(char **field, struct bytes value);
enum status stream_config_add_subject(struct stream_config *config, struct bytes subject,
                                      struct errinfo *err);
enum status stream_config_copy(struct stream_config *to, const struct stream_config *from);

// JetStream takes 0 and anything negative for "no limit" and answers -1; no replicas are one.
void stream_config_normalise(struct stream_config *config);

// JSON as the JetStream API has it (ages and windows in nanoseconds). Unknown keys are ignored;
// a key of the wrong type is STATUS_INVALID naming it, with err_code 10025. Equal configurations
// give equal JSON. A string that is not UTF-8 cannot be written: STATUS_INVALID.
enum status stream_config_from_json(struct stream_config *config, struct bytes json,
                                    struct errinfo *err);

// Appends the JSON. STATUS_INVALID when a string is not UTF-8.
enum status stream_config_to_json(const struct stream_config *config, struct buf *out);
