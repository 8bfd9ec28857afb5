// SPDX-License-Identifier: Apache-2.0
// Consumers: who has been given which messages of a stream, and what he has acknowledged. Pushed to
// a subject or pulled from, durable or not, as JetStream defines them (ADR-13, ADR-15, ADR-37,
// ADR-42, nats-server's consumer.go).
//
// A consumer is a state machine without clock, sockets or threads. It is told of requests and
// acknowledgements, and asked by consumer_poll what is to be sent now. Only committed messages are
// delivered.
//
// What durable consumers have delivered and what was acknowledged is staged in a log beside the
// stream (stream_get_consumer_log): an answer to an acknowledgement may be sent after its commit.
//
// Threads: one owner, the stream's.
#pragma once

#include "engine/engine.h"
#include "wire/consumer_info.h"

struct consumer;

// What a consumer must know of the world around it.
struct consumer_world {
    void *context;
    bool (*interest)(void *context, struct bytes subject); // whether anybody subscribes to it
    uint64_t (*random)(void *context);
};

enum consumer_action { CONSUMER_CREATE_OR_UPDATE, CONSUMER_CREATE, CONSUMER_UPDATE };

// Opens the stream's consumers, unless they are: the log beside the stream is read. Every function
// below needs it. `world` is borrowed until the stream is closed.
enum status stream_open_consumers(struct stream *stream, const struct consumer_world *world,
                                  struct errinfo *err);

// Stages what has happened to durable consumers since; to be called before a batch of their log is
// taken. What cannot be staged is tried again with the next call, and until then nothing that is
// staged may be told to be durable.
enum status stream_stage_consumers(struct stream *stream, struct errinfo *err);

// NULL until a durable consumer was made.
struct msglog *stream_get_consumer_log(struct stream *stream);

// Checks the configuration, fills in defaults, and makes or changes the consumer. A missing name is
// made up. Errors carry nats-server's err_codes and texts.
struct consumer_made {
    struct consumer *consumer;
    bool created; // it was not there before
};
enum status consumer_make(struct stream *stream, const struct consumer_config *config,
                          enum consumer_action action, int64_t now_ns, struct consumer_made *made,
                          struct errinfo *err);

// NULL when there is none. Walking: NULL for the first; NULL at the end.
struct consumer *consumer_find(struct stream *stream, struct bytes name);
struct consumer *consumer_next_of(struct stream *stream, struct consumer *consumer);
size_t consumer_count_of(const struct stream *stream);

// Staged; what it kept of an interest or work queue stream goes as well.
enum status consumer_delete(struct consumer *consumer, struct errinfo *err);

// Answers everybody who waits with a status, as "409 Consumer Deleted".
void consumer_end_all_waiting(struct consumer *consumer, const char *status);

bool consumer_is_durable(const struct consumer *consumer);
const char *consumer_name(const struct consumer *consumer);
const struct consumer_config *consumer_get_config(const struct consumer *consumer);
void consumer_info_get(struct consumer *consumer, int64_t now_ns, struct consumer_info *info);

// A pull (MSG.NEXT). What is refused is answered by a status message that the next poll gives.
void consumer_pull(struct consumer *consumer, struct bytes body, struct bytes reply,
                   int64_t now_ns);

// An acknowledgement as it came: the message's subject of 9 or more tokens, the payload, and where
// more is asked for with +NXT. STATUS_OK: an answer may be sent after the commit of what is staged.
// STATUS_NOT_FOUND for a subject that is not one of this consumer's; anything else: no answer.
enum status consumer_ack(struct consumer *consumer, struct bytes subject, struct bytes payload,
                         struct bytes reply, int64_t now_ns);

// The client's answer to a flow control request.
void consumer_flow_reply(struct consumer *consumer, struct bytes subject);

// Somebody has subscribed to what it delivers to, or nobody does any more.
void consumer_interest_changed(struct consumer *consumer, int64_t now_ns);

enum status consumer_pause(struct consumer *consumer, int64_t until_ns, struct errinfo *err);
// Starts over at a sequence; 0: behind what is acknowledged.
enum status consumer_reset(struct consumer *consumer, uint64_t seq, struct errinfo *err);
enum status consumer_unpin(struct consumer *consumer, struct bytes group, struct errinfo *err);

enum consumer_output { CONSUMER_SEND, CONSUMER_ADVISORY, CONSUMER_GONE };

// What is to be sent. Views borrow from storage and the consumer until the next call.
struct consumer_out {
    enum consumer_output kind;
    struct bytes to;      // where it is sent
    struct bytes subject; // what it says its subject is
    struct bytes reply;
    struct bytes headers;
    struct bytes body;
    const char *type; // of an advisory: "advisory.v1.max_deliver"; body has its members
};

// The next thing to be sent now; false when there is none.
bool consumer_poll(struct consumer *consumer, int64_t now_ns, struct buf *storage,
                   struct consumer_out *out);

// When consumer_poll is to be called at the latest, if nothing happens before; INT64_MAX for never.
int64_t consumer_deadline(struct consumer *consumer, int64_t now_ns);
