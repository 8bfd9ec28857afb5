// SPDX-License-Identifier: Apache-2.0
// Ordered delivery of one stream's messages, and a follow made of several of these, for the
// bus_nats*.c files alone.
//
// Each source has an ephemeral pull consumer at the server that expects no acks. Deliveries carry
// the consumer's own count, heartbeats its last value: whoever sees a hole in the count, no
// heartbeat for a while, or a connection that came back, makes a new consumer that begins behind
// the last sequence that was given out. One request for a number of messages is always open, so the
// server sends no more than there is room for, and says at once when the stream is deleted.
//
// All sources of a follow arrive in one subscription. A delivery names its consumer in the reply
// subject, a heartbeat or another status in its own subject; what comes from an older generation
// of a source's consumer is left out.
#pragma once

#include "base/limits.h"
#include "bus/bus_nats_private.h"

enum { NATS_CONSUMER_NAME_SIZE = 96 };

struct nats_source {
    char stream[BUS_STREAM_NAME_SIZE];
    char filter[LIMIT_SUBJECT_BYTES + 1]; // "" takes every subject
    bool filter_here;    // the server does not take the filter: it matches none of its subjects
    uint64_t next_seq;   // lower sequences were given out
    uint64_t delivered;  // the consumer's own count of the last delivery
    uint64_t pending;    // what the server had for us besides, when it last said so
    unsigned wanted;     // messages still to come of the open request
    unsigned generation; // of the consumer
    bool running;        // there is a consumer
    bool clustered;      // and the server has others beside it
    int64_t heard_ns;    // when it was last heard of
};

struct nats_follow {
    struct bus_follow follow;
    natsSubscription *subscription;
    char inbox[128]; // "<inbox of the bus>.<id>"
    char prefix[64]; // of the consumers' names
    struct nats_source *sources;
    size_t count;
    enum bus_part part;
    bool last_each;           // the last message of each subject only, then whatever comes
    unsigned restarts;        // of a last_each that had to begin anew
    uint64_t reconnects_seen; // of the bus
    int64_t patience_ms;      // for what the server has already, beyond the caller's own timeout
    struct buf headers;
    struct nats_follow *next; // in the bus's list
};

struct nats_follow_options {
    enum bus_part part;
    bool last_each;
};

enum status bus_nats_follow_begin(struct nats_bus *self, const struct bus_source *sources,
                                  size_t count, const struct nats_follow_options *options,
                                  struct nats_follow **out, struct errinfo *err);
void bus_nats_follow_end(struct nats_follow *follow);

// bus_nats_consumer.c: one source's consumer.

// Makes a new consumer in place of the one that is there, and asks it for messages.
enum status bus_nats_consumer_start(struct nats_follow *follow, struct nats_source *source,
                                    struct errinfo *err);
// Tells the server that it is not needed any more, without waiting.
void bus_nats_consumer_drop(struct nats_follow *follow, struct nats_source *source);

// Asks for the next messages. What does not arrive is found out by the silence that follows.
void bus_nats_consumer_pull(struct nats_follow *follow, struct nats_source *source);

// Whom a message is from. NULL: from a consumer of an older generation, or from nobody we know.
struct nats_source *bus_nats_consumer_of(struct nats_follow *follow, natsMsg *message);

// What a delivery's reply subject says of it.
struct nats_delivery {
    uint64_t stream_seq;
    uint64_t consumer_seq;
    int64_t time_ns;
    uint64_t pending;
};
bool bus_nats_consumer_delivery(natsMsg *message, struct nats_delivery *delivery);
