// SPDX-License-Identifier: Apache-2.0
// The inside of a stream, for the stream_*.c files alone.
#pragma once

#include "engine/dedup.h"
#include "engine/stream.h"
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
};

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
