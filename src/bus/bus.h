// SPDX-License-Identifier: Apache-2.0
// The bus: durable streams of messages, as JetStream defines them, behind one table of functions.
// bus_embedded.c runs the engine in this process, bus_nats.c speaks to a NATS server. Everything
// above this header behaves the same on both; tests/bus/conformance.c is the proof.
//
// Contracts for every implementation
//   publish returns STATUS_OK only for a message that is on disk (or replicated).
//   Every call may block. Calls on one bus may come from several threads at once.
//   A header block comes back with the same names and values, those of one name in their order;
//   lines of different names may change places.
//   STATUS_UNAVAILABLE says of a change whether it may be done all the same.
//   Messages are read into the caller's storage: the views in a struct bus_message borrow from it
//   until it is used again.
//   Errors carry JetStream's err_code in errinfo.protocol_code where JetStream defines one; a
//   failed expectation is STATUS_CONFLICT, an unknown stream or message STATUS_NOT_FOUND.
#pragma once

#include "base/buf.h"
#include "base/errinfo.h"
#include "wire/stream_info.h"

enum { BUS_STREAM_NAME_SIZE = 256 };

struct bus_message {
    uint64_t seq;    // ignored by publish
    int64_t time_ns; // ignored by publish
    struct bytes subject;
    struct bytes headers; // a NATS header block (wire/headers.h), or empty
    struct bytes body;
};

struct bus_ack {
    char stream[BUS_STREAM_NAME_SIZE];
    uint64_t seq;
    bool duplicate; // Nats-Msg-Id was seen within the window: seq is the first one's
};

enum bus_part {
    BUS_HEAD, // subject, time and headers; body is empty and need not be read from disk
    BUS_ALL,
    BUS_RANGE, // a range of the body alone: no headers, and no more is read than it takes
};

// Which message: by sequence (seq set, subject empty), the last of a subject (seq 0, subject
// literal), or the first at or after seq whose subject matches (both set).
struct bus_get {
    uint64_t seq;
    struct bytes subject;
    enum bus_part part;
    uint64_t range_from; // BUS_RANGE: bytes of the body, cut at its end
    uint64_t range_size;
};

struct bus_purge {
    struct bytes filter; // empty takes every subject
    uint64_t up_to_seq;  // removes below it; 0 is without limit. Not together with keep
    uint64_t keep;       // newest messages to keep
};

// What a bus is and can take, for status, doctor and error texts.
struct bus_facts {
    char kind[16];           // "embedded" or "nats"
    char location[512];      // directory or URL without secrets
    uint64_t max_body_bytes; // of one message
    char caveat[256];        // where it keeps less than this header promises, and the remedy; or ""
};

struct bus;
struct bus_follow;

// Called for each; a status other than OK ends the walk with it. Bytes are borrowed for the call.
typedef enum status (*bus_visit_message)(void *context, const struct bus_message *message);
typedef enum status (*bus_visit_name)(void *context, struct bytes name, uint64_t count);

enum { BUS_FOLLOW_SOURCES_MAX = 128 };

// What is followed of one stream.
struct bus_source {
    const char *stream;
    struct bytes filter; // a subject with wildcards; empty takes every subject
    uint64_t start_seq;  // first sequence wanted; 0 is "only what comes after now"
};

struct bus_operations {
    void (*close)(struct bus *bus);
    // Lets go of what other processes wait for, until the next call takes it again. NULL where
    // nothing is held between calls.
    void (*rest)(struct bus *bus);
    enum status (*facts)(struct bus *bus, struct bus_facts *facts, struct errinfo *err);

    enum status (*publish)(struct bus *bus, const struct bus_message *message, struct bus_ack *ack,
                           struct errinfo *err);
    enum status (*get)(struct bus *bus, const char *stream, const struct bus_get *get,
                       struct buf *storage, struct bus_message *message, struct errinfo *err);
    // The last message of each subject that matches filter, in order of sequence.
    enum status (*last_each)(struct bus *bus, const char *stream, const struct bus_get *filter,
                             bus_visit_message visit, void *context, struct errinfo *err);
    // Each subject that matches filter with its number of messages, in byte order.
    enum status (*subjects)(struct bus *bus, const char *stream, struct bytes filter,
                            bus_visit_name visit, void *context, struct errinfo *err);
    enum status (*message_delete)(struct bus *bus, const char *stream, uint64_t seq, bool erase,
                                  struct errinfo *err);

    // Creating a stream that exists with an equal configuration succeeds with *created false.
    enum status (*stream_create)(struct bus *bus, const struct stream_config *config, bool *created,
                                 struct errinfo *err);
    enum status (*stream_update)(struct bus *bus, const struct stream_config *config,
                                 struct errinfo *err);
    enum status (*stream_delete)(struct bus *bus, const char *stream, struct errinfo *err);
    // stream_config_fini of info->config when done.
    enum status (*stream_info)(struct bus *bus, const char *stream, struct stream_info *info,
                               struct errinfo *err);
    enum status (*stream_names)(struct bus *bus, bus_visit_name visit, void *context,
                                struct errinfo *err);
    enum status (*stream_purge)(struct bus *bus, const char *stream, const struct bus_purge *purge,
                                uint64_t *purged, struct errinfo *err);

    // Following: every matching message of each source from its sequence on, in order, none left
    // out; what was published before the call comes first. Other processes can write in between.
    enum status (*follow_open)(struct bus *bus, const struct bus_source *sources, size_t count,
                               enum bus_part part, struct bus_follow **follow, struct errinfo *err);
    // Waits up to timeout_ms (-1 without end) and gives STATUS_TIMEOUT when nothing came. *source
    // is the index of the source that the message is of.
    enum status (*follow_next)(struct bus_follow *follow, int64_t timeout_ms, struct buf *storage,
                               struct bus_message *message, size_t *source, struct errinfo *err);
    void (*follow_close)(struct bus_follow *follow);
};

// An implementation's object starts with this.
struct bus {
    const struct bus_operations *operations;
};

struct bus_follow {
    struct bus *bus;
};

void bus_close(struct bus *bus); // takes NULL
// For whoever works long between two calls, or waits for something that another process may hold
// who waits for this bus. Follows go on, and what was read stays.
void bus_rest(struct bus *bus);
void bus_follow_close(struct bus_follow *follow);
