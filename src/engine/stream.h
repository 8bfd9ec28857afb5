// SPDX-License-Identifier: Apache-2.0
// One stream with JetStream's semantics over one log: what is accepted, what is a duplicate, what a
// limit removes, what a subject's last message is. The engine takes the time as an argument and has
// no clock, no threads and no sockets.
//
// A publish, delete or purge is staged: it counts for every later check at once, can be read when
// it is committed, and is gone after a crash before that. Errors carry JetStream's err_code and
// text (nats-server's errors.json), so that a server can pass them on as they are.
//
// Threads: one owner, as the log (store/msglog.h).
#pragma once

#include "store/msglog.h"
#include "wire/stream_config.h"

struct stream;

// What a stream is checked against when it is made or changed (nats-server's checkStreamCfg):
// defaults are filled in, what is not allowed is STATUS_INVALID with err_code 10052 or its own.
enum status stream_config_check(struct stream_config *config, struct errinfo *err);

// The directory (whose parent exists) becomes a stream; config is checked and copied. STATUS_EXISTS
// when it is one, or has an empty log that begins elsewhere; messages that are there without a
// configuration are taken over.
enum status stream_create(const struct host *host, const char *directory,
                          const struct stream_config *config, int64_t now_ns, struct errinfo *err);
// segment_bytes is the log's (struct msglog_options); 0 takes the default.
enum status stream_open(struct stream **out, const struct host *host, const char *directory,
                        uint64_t segment_bytes, int64_t now_ns, struct errinfo *err);
void stream_close(struct stream *stream); // takes NULL; what is not committed is dropped

// Reads a stream's configuration without opening its log. config is initialised by the call.
enum status stream_peek(const struct host *host, const char *directory,
                        struct stream_config *config, int64_t *created_ns, struct errinfo *err);

const struct stream_config *stream_get_config(const struct stream *stream);
int64_t stream_get_created(const struct stream *stream);
struct msglog *stream_get_log(struct stream *stream); // for batches and reclaim

// Changes what JetStream allows to change, durably, and applies the new limits (staged); 10052 with
// the reason otherwise. Also how a stream is sealed. Commits what was staged before.
enum status stream_update(struct stream *stream, const struct stream_config *config, int64_t now_ns,
                          struct errinfo *err);

struct stream_input {
    struct bytes subject;
    struct bytes headers;
    struct bytes body;
    int64_t now_ns;
};

struct stream_ack {
    uint64_t seq;
    bool duplicate;     // nothing was staged: seq is the first one's
    bool pending;       // of a batch that is not complete: there is no sequence yet
    size_t batch_count; // of a batch that is: how many messages it has
};

// Stages a message. Checks in nats-server's order: sealed (10109), expected stream (10060),
// duplicate, expected sequence of the subject (10071, 10193) and of the stream (10071), expected id
// (10070), roll-up (10111), size (10054, 10097), room (10077). A duplicate is found before what it
// expects is compared, as in nats-server up to 2.11, so that repeating a publish whose ack was lost
// gives that ack.
//
// What fails leaves nothing staged, with one exception: when what a roll-up replaces cannot be
// removed for want of memory or disk, the message stays staged.
enum status stream_publish(struct stream *stream, const struct stream_input *input,
                           struct stream_ack *ack, struct errinfo *err);

// Stages a message of another stream, with its time, and with its sequence unless that is 0; one at
// or below the last sequence is there already. Limits apply, permissions do not.
enum status stream_copy(struct stream *stream, const struct msglog_message *message,
                        struct errinfo *err);

// What a stored message is republished as; false when its subject is not. last_seq is the sequence
// of the message before it of the same subject, 0 for none (stream_previous_of).
bool stream_republish(const struct stream *stream, const struct msglog_message *message,
                      uint64_t last_seq, struct buf *subject, struct buf *headers);
uint64_t stream_previous_of(struct stream *stream, uint64_t seq);

// Makes everything staged durable. (With other threads: msglog_batch_take and so on.)
enum status stream_commit(struct stream *stream, struct errinfo *err);

// What comes with time: expiry, staged. stream_deadline says when it is due next; INT64_MAX for
// never.
enum status stream_tick(struct stream *stream, int64_t now_ns, struct errinfo *err);
int64_t stream_deadline(const struct stream *stream);

// Forgets what is older than max_age; staged. A publish does it by itself; call it before reading.
enum status stream_expire(struct stream *stream, int64_t now_ns, struct errinfo *err);

// Reading; 10037 (STATUS_NOT_FOUND) when there is none. Views borrow from storage.
enum status stream_get(struct stream *stream, uint64_t seq, enum msglog_part part,
                       struct buf *storage, struct msglog_message *message, struct errinfo *err);
enum status stream_get_last(struct stream *stream, struct bytes pattern, enum msglog_part part,
                            struct buf *storage, struct msglog_message *message,
                            struct errinfo *err);

// A range of a message's body, cut at its end; no more of the body is read than it takes.
struct stream_range {
    uint64_t seq;
    uint64_t from;
    uint64_t size;
};
enum status stream_get_range(struct stream *stream, const struct stream_range *wanted,
                             struct buf *storage, struct bytes *range, struct errinfo *err);

// The sequence of the first message at or after seq whose subject matches; 0 when there is none.
uint64_t stream_find_next(struct stream *stream, uint64_t seq, struct bytes pattern);

// The last message of each matching subject (empty: of every one), in rising sequence. Of a subject
// that has nothing committed left it is the staged one, which cannot be read before its commit. The
// caller frees *list.
struct stream_last {
    uint64_t seq;
    struct bytes subject; // borrowed until the stream changes
};
enum status stream_find_last_each(struct stream *stream, struct bytes pattern,
                                  struct stream_last **list, size_t *count, struct errinfo *err);

// The last message of a literal subject at or below a sequence; 0 when there is none.
uint64_t stream_find_last_up_to(struct stream *stream, struct bytes subject, uint64_t up_to_seq);

// How many messages at or after a sequence have a subject that matches. Costs a look at each of
// them, but for the whole stream.
uint64_t stream_count_from(struct stream *stream, uint64_t seq, struct bytes pattern);

// Each matching subject with its number of messages, in byte order.
typedef enum status (*stream_visit_subject)(void *context, struct bytes subject, uint64_t count);
enum status stream_subjects(struct stream *stream, struct bytes pattern, stream_visit_subject visit,
                            void *context, struct errinfo *err);

// Each sequence between first and last that is gone, rising, up to max; returns how many.
size_t stream_deleted(const struct stream *stream, uint64_t *seqs, size_t max);

void stream_state_get(const struct stream *stream, struct stream_state *state);

enum status stream_delete_message(struct stream *stream, uint64_t seq, bool erase,
                                  struct errinfo *err);

struct stream_purge {
    struct bytes filter; // empty takes every subject
    uint64_t up_to_seq;  // removes below it; 0 is without limit
    uint64_t keep;       // newest matching messages to keep; not together with up_to_seq
};
enum status stream_purge(struct stream *stream, const struct stream_purge *purge, uint64_t *purged,
                         struct errinfo *err);
