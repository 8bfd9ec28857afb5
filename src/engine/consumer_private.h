// SPDX-License-Identifier: Apache-2.0
// The inside of a consumer, for the consumer_*.c files alone.
#pragma once

#include "base/limits.h"
#include "base/list.h"
#include "engine/consumer.h"
#include "engine/consumer_pending.h"
#include "engine/stream_private.h"
#include "wire/pull_request.h"

enum { CONSUMER_ID_SIZE = 23 };

// A message that is made and waits to be sent: a status to somebody who pulls, or an advisory.
struct notice {
    struct list link;
    enum consumer_output kind;
    const char *type;
    uint32_t to_bytes;
    uint32_t reply_bytes;
    uint32_t text_bytes; // headers of a status, members of an advisory
    char bytes[];
};

// A client that waits for messages.
struct waiting {
    struct list link;
    struct pull_request request;
    int64_t expires_ns; // INT64_MAX without an end
    int64_t heartbeat_due_ns;
    int64_t left;
    int64_t bytes_left; // meaningful when max_bytes is set
    int64_t delivered;
    uint32_t reply_bytes;
    char reply[];
};

struct consumer {
    struct list link; // in the stream's
    struct stream *stream;
    const struct consumer_world *world;
    struct consumer_config config;
    char *name;
    int64_t created_ns;
    bool durable; // its state is stored

    // What was delivered
    uint64_t next_seq; // first sequence that was not looked at yet
    uint64_t delivered_seq;
    uint64_t delivered_consumer_seq;
    int64_t delivered_ns;
    uint64_t floor_seq;
    uint64_t floor_consumer_seq;
    int64_t acked_ns;
    uint64_t redelivered; // of what is pending, delivered more than once
    struct pending_set pending;

    // The last message of each subject (deliver policy), which come before everything new.
    uint64_t *lasts;
    size_t last_count;
    size_t last_at;
    uint64_t last_left; // of them that are still there

    // How many messages match and are still to be delivered: kept, not counted anew.
    uint64_t matching;
    uint64_t counted_seq; // counted up to here

    struct list notices;
    struct list waiting;
    size_t waiting_count;

    // Push
    bool has_interest;
    int64_t again_ns;  // when a delivery that failed is tried again
    int64_t active_ns; // last time that somebody listened or asked
    int64_t heartbeat_due_ns;
    int64_t rate_free_ns;
    int64_t replay_free_ns;
    int64_t replay_last_ns; // time of the message delivered before
    int64_t replay_sent_ns; // when that was
    uint64_t replay_until_seq;
    uint64_t flow_window;
    uint64_t flow_unconfirmed;
    uint64_t flow_asked; // bytes that the request under way confirms; 0: none is
    char flow_subject[600];

    // Priority groups
    char pinned_id[CONSUMER_ID_SIZE];
    int64_t pinned_ns;
    int64_t pinned_until_ns;

    uint64_t sample_percent;
    bool is_paused;     // as it was told
    bool pause_changed; // and that is to be told again
    struct buf events;  // that are not in the log yet
    bool state_due;     // or the whole state, when they became too many
    struct buf reply;   // of the message that is being sent
    struct buf headers;
};

// consumer_check.c
enum status consumer_config_check(struct consumer_config *config,
                                  const struct stream_config *stream, struct errinfo *err);

// consumer_next.c
bool consumer_matches(const struct consumer *consumer, struct bytes subject);
uint64_t consumer_last_committed(const struct consumer *consumer);
// The first new message for the consumer, 0 when there is none; what is passed on the way is never
// looked at again.
uint64_t consumer_find_new(struct consumer *consumer);
uint64_t consumer_left(struct consumer *consumer); // still to be delivered for the first time
void consumer_recount(struct consumer *consumer);  // after next_seq or the filters have changed
// A message is about to go from the stream that may have been counted.
void consumer_uncount(struct consumer *consumer, uint64_t seq, struct bytes subject);

// consumer.c
// How long a message may stay without acknowledgement after so many deliveries.
int64_t consumer_wait_ns(const struct consumer *consumer, uint64_t deliveries);
// Takes a message out of what is pending.
void consumer_forget_pending(struct consumer *consumer, struct pending *pending);
// Moves the floor to below the lowest message that is pending.
void consumer_update_floor(struct consumer *consumer);
// What was acknowledged or given up may have been kept for this consumer alone.
void consumer_release(struct consumer *consumer, uint64_t seq);
// Drops from an interest stream what no consumer needs any more.
void consumer_release_all(struct stream *stream);

// Whether anybody listens where it delivers to.
bool consumer_is_heard(const struct consumer *consumer);
// What follows from the configuration alone.
void consumer_take_config(struct consumer *consumer);
void consumer_make_id(const struct consumer_world *world, char id[CONSUMER_ID_SIZE]);
// How long it may be without anybody before it goes; INT64_MAX for ever.
int64_t consumer_inactive_ns(const struct consumer *consumer);

// consumer_notice.c
struct consumer_message {
    uint64_t seq;
    uint64_t consumer_seq;
    uint64_t deliveries;
};
bool consumer_take_notice(struct consumer *consumer, struct buf *storage, struct consumer_out *out);
void consumer_add_notice(struct consumer *consumer, struct bytes to, struct bytes reply,
                         struct bytes headers);
void consumer_advise_exceeded(struct consumer *consumer, uint64_t seq, uint64_t deliveries);
void consumer_advise_naked(struct consumer *consumer, const struct consumer_message *of);
void consumer_advise_terminated(struct consumer *consumer, const struct consumer_message *of,
                                struct bytes reason);
void consumer_advise_sample(struct consumer *consumer, const struct consumer_message *of,
                            int64_t delay_ns);
void consumer_advise_pause(struct consumer *consumer, bool paused);
void consumer_advise_pinned(struct consumer *consumer, const char *group);
void consumer_advise_unpinned(struct consumer *consumer, const char *group, const char *reason);

// consumer_poll.c: a message that was delivered as often as it may be.
bool consumer_is_spent(const struct consumer *consumer, const struct pending *pending);
void consumer_give_up(struct consumer *consumer, struct pending *pending);

// consumer_pull.c
struct waiting *consumer_next_waiting(struct consumer *consumer, int64_t now_ns);
// The turn of a pinned group passes to whoever is served while nobody has it.
void consumer_pin(struct consumer *consumer, struct waiting *waiting, int64_t now_ns);
void consumer_forget_pin(struct consumer *consumer, const char *reason);
void consumer_check_pin(struct consumer *consumer, int64_t now_ns); // whether its time is up
// A message of so many bytes went to a client; ends its request when that was all.
void consumer_count_waiting(struct consumer *consumer, struct waiting *waiting, uint64_t bytes,
                            int64_t now_ns);
void consumer_end_waiting(struct consumer *consumer, struct waiting *waiting, const char *status);
// Ends what ran out of time, and forgets who has gone away. at_end: nothing is left to deliver.
void consumer_expire_waiting(struct consumer *consumer, int64_t now_ns, bool at_end);
void consumer_send_status(struct consumer *consumer, struct bytes reply, const char *status);
void consumer_take_pull(struct consumer *consumer, const struct pull_request *request,
                        struct bytes reply, int64_t now_ns);

// consumer_log.c: what happens to a durable consumer. Making, deleting and the state are staged at
// once, the rest with stream_stage_consumers.
enum status consumer_log_make(struct consumer *consumer, struct errinfo *err);
enum status consumer_log_delete(struct consumer *consumer, struct errinfo *err);
void consumer_log_delivered(struct consumer *consumer, const struct pending *pending, uint64_t seq);
enum consumer_removal { CONSUMER_ONE, CONSUMER_ALL_BELOW, CONSUMER_SPENT };
void consumer_log_removed(struct consumer *consumer, uint64_t seq, enum consumer_removal removal);
void consumer_log_due(struct consumer *consumer, const struct pending *pending);
enum status consumer_log_state(struct consumer *consumer, struct errinfo *err);
enum status consumer_log_open(struct stream *stream, struct errinfo *err);

// Called by the record of a consumer that is read.
struct consumer *consumer_new(struct stream *stream, struct bytes name,
                              const struct consumer_config *config, int64_t created_ns);
void consumer_free(struct consumer *consumer);
