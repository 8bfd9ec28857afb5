// SPDX-License-Identifier: Apache-2.0
// JetStream as a service of one account: streams that listen to subjects, consumers that deliver,
// and the API. The rules are the engine's (src/engine); here is what needs a loop: when to commit,
// when to answer, when to deliver.
//
// Invariants
//   What changes a stream is answered after the commit that makes it durable, in order.
//   Only what is committed is delivered, mirrored or sent on.
//   One batch of a stream is written at a time, in libuv's pool; what comes meanwhile is the next.
//
// Threads: the loop's.
#pragma once

#include "base/map.h"
#include "engine/consumer.h"
#include "engine/engine.h"
#include "server/account.h"

#include <uv.h>

struct jetstream;
struct js_stream;
struct js_consumer;

// A reply that waits for a commit.
struct js_reply {
    struct js_reply *next;
    bool is_ack; // of a publish: what becomes of it when the commit fails is said in its form
    uint32_t to_bytes;
    uint32_t text_bytes;
    char bytes[]; // to, text
};
struct js_reply_queue {
    struct js_reply *first;
    struct js_reply **last;
};

// A request that found nothing while something was staged, and looks again after the commit.
struct js_deferred;
struct js_commit;
struct js_reclaim;
struct js_source;

struct js_stream {
    struct jetstream *js;
    struct stream *stream;
    char *name;
    struct service *services; // one a subject
    size_t service_count;
    struct list dirty;     // in jetstream's list while something is staged
    struct list consumers; // struct js_consumer
    uv_timer_t timer;      // the stream's own deadline

    struct js_commit *commit; // under way, or NULL
    uv_mutex_t work_lock;
    uv_cond_t work_ran;
    struct js_reply_queue staged;  // for the next batch
    struct js_reply_queue waiting; // for the batch that is being written
    struct js_deferred *deferred;
    uint64_t republished_seq; // sent on up to here

    struct js_reclaim *reclaim; // under way, or NULL

    struct js_source *sources;
    size_t source_count;
    unsigned holds; // works and handles that know it
    bool gone;      // deleted: freed when nothing holds on to it
};

enum { JETSTREAM_SERVICES_MAX = 16, JETSTREAM_API_LEVEL = 3 };

struct js_limits {
    int64_t memory_bytes; // -1 is without limit
    int64_t storage_bytes;
    int64_t streams;
    int64_t consumers;
};

struct jetstream {
    struct server *server;
    struct account *account;
    struct storedir *store;
    struct engine *engine;
    char *store_path;
    const char *domain; // NULL without one
    struct js_limits limits;
    struct map streams; // struct js_stream by name
    struct list dirty;
    struct list ready;   // consumers that have more to deliver
    struct buf storage;  // what is being delivered is read into
    bool retrying;       // requests that found nothing look again
    size_t taking;       // streams that take from others
    size_t pushing;      // consumers that push
    struct list stalled; // consumers whose receivers have much unsent
    struct service services[JETSTREAM_SERVICES_MAX];
    size_t service_count;
    size_t held; // streams that are gone but still known to the pool or the loop
    uint64_t random;
    char broken[512];
    int64_t commit_ns; // what one has taken of late
    uint64_t api_total;
    uint64_t api_errors;
    struct consumer_world world;
};

// Opens the store and every stream in it, and begins to answer.
enum status jetstream_open(struct jetstream **out, struct server *server, struct account *account,
                           struct errinfo *err);
// Writes and syncs what is staged, and answers it; blocks.
void jetstream_settle(struct jetstream *js);
void jetstream_close(struct jetstream *js); // takes NULL

// Says in the store's lock file where we are to be found.
enum status jetstream_announce(struct jetstream *js, const char *url, struct errinfo *err);

// Answers to a subject, or to what is behind "$JS.API." (with and without the domain's prefix).
enum status jetstream_serve(struct jetstream *js, const char *subject, service_handler handler,
                            struct errinfo *err);
enum status jetstream_serve_api_subject(struct jetstream *js, const char *rest,
                                        service_handler handler, struct errinfo *err);
struct bytes jetstream_api_rest(const struct jetstream *js, struct bytes subject);

struct jetstream_usage {
    uint64_t memory_bytes;
    uint64_t storage_bytes;
    uint64_t messages;
    size_t streams;
    size_t consumers;
};
void jetstream_usage_get(struct jetstream *js, struct jetstream_usage *usage);

// What is wrong with a stream that cannot be written or opened any more, or NULL. Borrowed until
// the next call.
const char *jetstream_broken(struct jetstream *js);

// Whether the account's limits allow a stream of that configuration.
enum status jetstream_check_config(struct jetstream *js, const struct stream_config *config,
                                   struct errinfo *err);

// At the end of each iteration: starts commits and delivers on.
void jetstream_turn(struct jetstream *js);

// Connections that were slow have drained: what waited for them goes on.
void jetstream_drained(struct jetstream *js);

// Streams (js_stream.c)
struct js_stream *js_stream_find(struct jetstream *js, struct bytes name);
enum status js_stream_attach(struct jetstream *js, struct bytes name, struct js_stream **out,
                             struct errinfo *err);
// Listens to the subjects of its configuration, as it is now.
enum status js_stream_listen(struct js_stream *stream, struct errinfo *err);
// Forgets the stream, which has been or is about to be deleted in the engine.
void js_stream_detach(struct js_stream *stream);

// Gives back one hold; the last one frees a stream that is gone.
void js_stream_release(struct js_stream *stream);

// What comes after a commit but answers: republishing, mirrors and sources, consumers, space.
void js_stream_committed(struct js_stream *stream);

// Takes a message of one of the stream's subjects; the reply is sent after its commit.
void js_stream_take(struct js_stream *stream, const struct message *message);
void js_stream_deafen(struct js_stream *stream); // listens no more

// Commits (js_commit.c)
void js_reply_queue_init(struct js_reply_queue *queue);
void js_stream_commit(struct js_stream *stream);
// Something was staged: it is committed at the end of this iteration.
void js_stream_touch(struct js_stream *stream);
// Sends the text to a subject after the commit of what is staged now.
void js_stream_reply(struct js_stream *stream, struct bytes to, struct bytes text, bool is_ack);
// Commits everything staged before it returns: blocks for a sync or two.
void js_stream_settle(struct js_stream *stream);
bool js_stream_has_staged(const struct js_stream *stream);

// Runs the request again after the commit. False when the caller has to look again now: everything
// is committed then, or there is no memory to wait.
typedef void (*js_retry)(struct jetstream *js, const struct message *message);
bool js_stream_defer(struct js_stream *stream, js_retry retry, const struct message *message);

// The API (js_api*.c)
enum status jetstream_serve_api(struct jetstream *js, struct errinfo *err);
enum status jetstream_serve_direct(struct jetstream *js, struct errinfo *err);
