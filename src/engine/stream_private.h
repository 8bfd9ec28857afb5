// SPDX-License-Identifier: Apache-2.0
// The inside of a stream, for the stream_*.c files alone.
#pragma once

#include "base/limits.h"
#include "base/list.h"
#include "engine/dedup.h"
#include "engine/stream.h"
#include "engine/stream_batch.h"
#include "engine/stream_ttl.h"
#include "engine/subject_index.h"

struct stream {
    const struct host *host;
    char *directory;
    struct stream_config config;
    int64_t created_ns;
    struct msglog *log;
    struct subject_index index; // staged messages too
    uint64_t last_seq;          // staged ones too
    int64_t last_time_ns;
    struct dedup dedup;
    bool dedup_loaded;  // read from the log at the first publish that carries an id
    struct buf last_id; // Nats-Msg-Id of the last message, empty when it had none
    bool last_id_known; // likewise read from the log when it is first asked for

    struct stream_batches batches;
    struct ttl_heap ttl; // messages that expire on their own

    struct list consumers; // once they are opened
    bool consumers_open;
    const struct consumer_world *world;
    struct msglog *consumer_log; // NULL without durable consumers
    uint64_t consumer_seq;       // last one given in that log
    uint64_t consumer_bytes;     // in it, what is not needed any more included
};

// consumer_stream.c: a message is about to go, and one has come.
void stream_consumers_dropped(struct stream *stream, uint64_t seq);
// Whether an interest stream has to keep a message of that subject for anybody.
bool stream_consumers_want(const struct stream *stream, struct bytes subject);
// Opens them with nobody listening, unless they are open.
enum status stream_consumers_needed(struct stream *stream, struct errinfo *err);
void stream_consumers_close(struct stream *stream);

// stream_config_features.c
enum status stream_config_check_features(struct stream_config *config, struct errinfo *err);

// stream_ttl.c: what a message's own header says (0: it does not expire), and what has expired.
enum status stream_ttl_check(const struct stream *stream, struct bytes headers, int64_t *ttl_ns,
                             struct errinfo *err);
enum status stream_ttl_open(struct stream *stream);
enum status stream_ttl_tick(struct stream *stream, int64_t now_ns, struct errinfo *err);
// Drops a message whose time is over, and marks its subject when it was the last.
enum status stream_drop_expired(struct stream *stream, uint64_t seq, int64_t now_ns,
                                struct errinfo *err);

// Stages a message as it is, at its own sequence above the last one.
enum status stream_stage_copy(struct stream *stream, const struct msglog_message *message,
                              struct errinfo *err);

// stream_publish.c: the checks of a publish alone, and a publish that has passed them.
enum status stream_publish_check(struct stream *stream, const struct stream_input *input,
                                 struct errinfo *err);
enum status stream_publish_checked(struct stream *stream, const struct stream_input *input,
                                   struct stream_ack *ack, struct errinfo *err);

// Stages the removal of one message.
enum status stream_drop(struct stream *stream, uint64_t seq, bool erase, struct errinfo *err);

// Stages the removal of every message up to a sequence.
enum status stream_drop_up_to(struct stream *stream, uint64_t last, struct errinfo *err);

// Stages what the limit of one subject, and the limits of the whole stream, ask for.
enum status stream_enforce_subject(struct stream *stream, struct bytes subject,
                                   struct errinfo *err);
enum status stream_enforce_totals(struct stream *stream, struct errinfo *err);

// Purges without asking for permission: a roll-up has its own.
enum status stream_purge_matching(struct stream *stream, const struct stream_purge *purge,
                                  uint64_t *purged, struct errinfo *err);

// Whether a subject is one that the stream listens to.
bool stream_listens_to(const struct stream *stream, struct bytes subject);
