// SPDX-License-Identifier: Apache-2.0
// The inside of the bus on NATS, for the bus_nats*.c files alone.
#pragma once

#include "bus/bus_nats.h"

#include <jansson.h>
#include <nats/nats.h>
#include <pthread.h>

// JetStream's err_codes that are told apart here.
enum nats_code {
    CODE_NOT_AVAILABLE = 10008, // the cluster chooses a leader
    CODE_NOT_LEADER = 10009,
    CODE_CONSUMER_EXISTS = 10013,
    CODE_CONSUMER_NOT_FOUND = 10014,
    CODE_NO_MESSAGE = 10037,
    CODE_NOT_ENABLED_FOR_ACCOUNT = 10039,
    CODE_SEQUENCE_NOT_FOUND = 10043,
    CODE_INVALID_CONFIG = 10052,
    CODE_MESSAGE_TOO_LARGE = 10054,
    CODE_DELETE_FAILED = 10057,
    CODE_STREAM_NOT_FOUND = 10059,
    CODE_NOT_ENABLED = 10076,
    CODE_STORE_FAILED = 10077,
    CODE_ROLLUP_FAILED = 10111,
};

enum {
    NATS_API_PREFIX_SIZE = 256,
    NATS_SUBJECT_SIZE = 2048,
    NATS_LOCATION_SIZE = 512,
    NATS_INBOX_SIZE = 96
};

struct nats_follow;
struct nats_call;

struct nats_bus {
    struct bus bus;
    natsConnection *connection;
    char api[NATS_API_PREFIX_SIZE]; // "$JS.API"
    char location[NATS_LOCATION_SIZE];
    char inbox[NATS_INBOX_SIZE]; // "_INBOX.<name>", of this bus alone
    size_t inbox_name;           // where the name begins
    char *advice;                // NULL when there is none
    struct nats_nkey *nkey;      // NULL when the login needs none
    int64_t request_timeout_ms;
    pthread_mutex_t lock;   // for everything below
    pthread_cond_t changed; // the connection went, came back or was closed
    bool away;
    bool closed;         // for good: the server sent us off, or we left
    bool listening;      // the library still calls us back
    char complaint[256]; // what the server last said of its own accord, "" for nothing
    uint64_t complaints;
    uint64_t reconnects;
    struct nats_follow *follows;
    uint64_t follow_count; // ever opened, to give each a name
};

static inline struct nats_bus *nats_of(struct bus *bus)
{
    return (struct nats_bus *)bus;
}

// bus_nats_connect.c

// Logs in. self has its locks and nothing else; everything besides is filled in.
enum status bus_nats_connect(struct nats_bus *self, const struct bus_nats_options *options,
                             struct errinfo *err);
// Ends the connection and waits until the library calls us back no more.
void bus_nats_disconnect(struct nats_bus *self);

// Waits until the connection is there, at most until the deadline (clock_monotonic_ns).
// STATUS_UNAVAILABLE says since when it is away and why.
enum status bus_nats_wait_connected(struct nats_bus *self, int64_t deadline_ns,
                                    struct errinfo *err);

// Whether the connection is closed for good, and whether it is away for now.
bool bus_nats_is_closed(struct nats_bus *self);
bool bus_nats_is_away(struct nats_bus *self);

// The text for a call that got no answer: the server's own complaint since `complaints`, if it made
// one, else that it was silent.
uint64_t bus_nats_complaints(struct nats_bus *self);
enum status bus_nats_silent(struct nats_bus *self, uint64_t complaints,
                            const struct nats_call *call, struct errinfo *err);

// bus_nats_tls_first.c or bus_nats_tls_late.c, as the library allows: NATS_NO_SERVER_SUPPORT when
// it cannot.
natsStatus bus_nats_tls_first(natsOptions *options);

// bus_nats_probe.c: why a server cannot be reached, in words, for an error text. Tries to connect
// to each of the URLs for at most timeout_ms.
void bus_nats_probe(const char *urls, int64_t timeout_ms, char *why, size_t size);

// What a server says of itself before anybody logs in: the JSON behind INFO. NULL when it does not
// say it in time or in clear.
json_t *bus_nats_probe_info(const char *url, int64_t timeout_ms);

// The URLs without user names, passwords and tokens.
void bus_nats_hide_secrets(const char *urls, char *out, size_t size);

// bus_nats_nkey.c: the key of a user.
struct nats_nkey;
enum status bus_nats_nkey_open(const char *seed_or_path, struct nats_nkey **out,
                               struct errinfo *err);
const char *bus_nats_nkey_public(const struct nats_nkey *nkey);
const char *bus_nats_nkey_seed(const struct nats_nkey *nkey);
void bus_nats_nkey_close(struct nats_nkey *nkey); // takes NULL

// bus_nats_request.c

// How a request may be repeated.
enum nats_repeat {
    NATS_ONCE,      // an answer that is lost leaves it open whether it was done
    NATS_REPEATABLE // doing it twice does no harm
};

struct nats_call {
    const char *what; // for error texts: "reading stream S"
    enum nats_repeat repeat;
    int64_t timeout_ms;
    bool nobody_is_fine; // *answer NULL when nobody listens to the subject, instead of an error
};

// Sends and waits for the answer, which the caller destroys.
enum status bus_nats_request(struct nats_bus *self, natsMsg *message, const struct nats_call *call,
                             natsMsg **answer, struct errinfo *err);

// A request to JetStream's API: verb as "STREAM.INFO.S". body is JSON and taken over; NULL sends
// nothing. Errors in the answer come back as statuses with their err_code.
struct nats_api {
    const char *verb;
    json_t *body;
    struct nats_call call;
};
enum status bus_nats_api(struct nats_bus *self, const struct nats_api *api, json_t **answer,
                         struct errinfo *err);

// The error object of an answer as a status; STATUS_OK when there is none.
enum status bus_nats_api_error(const json_t *answer, const char *what, struct errinfo *err);

// "STREAM.INFO." and the like with a stream's name behind it; STATUS_NOT_FOUND for a name that no
// stream can have.
enum status bus_nats_verb(const char *words, const char *stream, char verb[NATS_SUBJECT_SIZE],
                          struct errinfo *err);
struct nats_call bus_nats_call_of(const struct nats_bus *self, const char *what,
                                  enum nats_repeat repeat);

// bus_nats_message.c

// Copies into storage and gives the views.
enum status bus_nats_message_store(const struct bus_message *from, struct buf *storage,
                                   struct bus_message *to, struct errinfo *err);
// The header block of a received message without those lines that the server adds to what it
// delivers or gets; `added` ends in NULL.
enum status bus_nats_message_headers(natsMsg *message, const char *const *added, struct buf *out,
                                     struct errinfo *err);
// A message to send.
enum status bus_nats_message_make(const struct bus_message *from, natsMsg **out,
                                  struct errinfo *err);
// The last value of a header, NULL when it has none.
const char *bus_nats_message_header(natsMsg *message, const char *name);
// The status of a message that is one ("100 Idle Heartbeat"), 0 when it is not.
int bus_nats_message_status(natsMsg *message);
// Appends what base64 stands for; STATUS_CORRUPT when it is none.
enum status bus_nats_base64_decode(struct bytes text, struct buf *out);
// What BUS_HEAD and BUS_RANGE leave of a message that was read whole.
void bus_nats_message_cut(const struct bus_get *get, struct bus_message *message);

// bus_nats_read.c
enum status bus_nats_get(struct bus *bus, const char *stream, const struct bus_get *get,
                         struct buf *storage, struct bus_message *message, struct errinfo *err);
enum status bus_nats_subjects(struct bus *bus, const char *stream, struct bytes filter,
                              bus_visit_name visit, void *context, struct errinfo *err);

// bus_nats_streams.c
enum status bus_nats_message_delete(struct bus *bus, const char *stream, uint64_t seq, bool erase,
                                    struct errinfo *err);
enum status bus_nats_stream_create(struct bus *bus, const struct stream_config *config,
                                   bool *created, struct errinfo *err);
enum status bus_nats_stream_update(struct bus *bus, const struct stream_config *config,
                                   struct errinfo *err);
enum status bus_nats_stream_delete(struct bus *bus, const char *stream, struct errinfo *err);
enum status bus_nats_stream_info(struct bus *bus, const char *stream, struct stream_info *info,
                                 struct errinfo *err);
enum status bus_nats_stream_names(struct bus *bus, bus_visit_name visit, void *context,
                                  struct errinfo *err);
enum status bus_nats_stream_purge(struct bus *bus, const char *stream,
                                  const struct bus_purge *purge, uint64_t *purged,
                                  struct errinfo *err);

// bus_nats_last.c
enum status bus_nats_last_each(struct bus *bus, const char *stream, const struct bus_get *filter,
                               bus_visit_message visit, void *context, struct errinfo *err);

// bus_nats_follow.c
enum status bus_nats_follow_open(struct bus *bus, const struct bus_source *sources, size_t count,
                                 enum bus_part part, struct bus_follow **out, struct errinfo *err);
enum status bus_nats_follow_next(struct bus_follow *base, int64_t timeout_ms, struct buf *storage,
                                 struct bus_message *message, size_t *source, struct errinfo *err);
void bus_nats_follow_close(struct bus_follow *base);
// Called when the connection came back: every follow looks after its consumers.
void bus_nats_follow_wake_all(struct nats_bus *self);
