// SPDX-License-Identifier: Apache-2.0
// Everything that the server can be told: nats-server's settings as far as one node with core NATS,
// JetStream and monitoring has them, from its configuration file (server/conf.h) and its flags. A
// flag beats the file, the file beats the default. One row of the table in options_table.c is all
// there is to say about a setting: file, flags, help, /varz and reload are made from it.
//
// What differs from nats-server
//   unix_socket (--unix_socket) is ours: the path of a UNIX-domain socket to listen on as well.
//   max_payload is 16 MiB where nothing else is said, because a report of 10 MiB is promised.
//   A single key of a file or a flag that does not exist is an error, which names the nearest.
//   accounts may hold $G and $SYS alone (or what system_account names). Other accounts, NKeys, JWT,
//   TLS, cluster, gateway, leafnodes, websocket and mqtt are errors that say so, unless empty.
//   What only tunes nats-server's inside is taken and has no effect; the table says which.
//
// Errors are STATUS_INVALID with "file:line:column: what", STATUS_USAGE for a flag. All functions
// are pure but where files and the environment are read, through struct options_outside. Strings
// belong to the options and live as long.
#pragma once

#include "server/conf.h"

enum { OPTIONS_SETTINGS_MAX = 160 };

// A list of subjects; in a list for subscribing an entry may be "subject queue".
struct option_subjects {
    bool given; // an empty list of allowed subjects allows nothing, no list allows all
    const char *const *items;
    size_t count;
};

struct option_permissions {
    struct option_subjects publish_allow, publish_deny;
    struct option_subjects subscribe_allow, subscribe_deny;
    bool responses;               // may publish to the reply subjects of messages it was sent
    int64_t responses_max;        // that many to each; below 0 without limit
    int64_t responses_expires_ns; // below 0 never
};

struct option_user {
    const char *name;
    const char *password;                         // as it is, or a bcrypt digest
    const struct option_permissions *permissions; // NULL: everything
    bool system;                                  // of the system account
};

struct server_options {
    const char *config_file; // NULL when there is none

    // Where clients come in. port -1 takes any that is free.
    const char *host;
    int port;
    const char *unix_socket;
    const char *server_name; // NULL: the server's id
    const char *client_advertise;
    struct option_subjects server_tags;

    // Monitoring; http_port 0 is off, -1 any; http_host NULL is host.
    const char *http_host;
    int http_port;
    const char *http_base_path;

    int64_t max_payload; // bytes, of headers and body together
    int64_t max_control_line;
    uint64_t max_pending;
    int64_t max_connections;     // 0 refuses all
    int64_t max_subscriptions;   // of one connection; 0 and less without limit
    int max_subscription_tokens; // 0 without limit
    int64_t max_closed_clients;  // that /connz remembers
    int64_t max_traced_msg_len;  // 0 without limit
    bool no_header_support;
    int64_t ping_interval_ns;
    int ping_max;
    int64_t write_deadline_ns;
    int64_t lame_duck_duration_ns, lame_duck_grace_ns;

    const char *log_file; // NULL: stderr
    int64_t log_size_limit;
    int64_t log_max_files;
    bool debug, trace, trace_verbose, trace_headers;
    bool logtime, logtime_utc;
    const char *pid_file;
    const char *ports_file_dir;

    bool jetstream; // off, as in nats-server
    bool jetstream_strict;
    const char *jetstream_domain;
    const char *store_dir;
    int64_t max_memory_store, max_file_store; // -1 without limit
    int64_t sync_interval_ns;
    bool sync_always;
    int64_t limit_ack_pending, limit_request_batch; // of every consumer; 0 without limit
    int64_t limit_duplicate_window_ns;              // of every stream; 0 without limit
    int64_t limit_batch_per_stream, limit_batches, limit_batch_messages; // 0 is nats-server's
    int64_t limit_batch_timeout_ns;
    int64_t request_queue_limit, info_queue_limit;

    // One user, a token, or users.
    const char *user, *password, *token;
    int64_t auth_timeout_ns;
    struct option_user *users;
    size_t user_count;
    const struct option_permissions *default_permissions; // already with the users they are for
    bool users_given; // a list was there, though it may be empty
    const char *no_auth_user;
    const char *system_account; // NULL: $SYS
    bool no_system_account;

    uint32_t lock_wait_ms;            // how long to wait for the store's lock; no setting
    bool given[OPTIONS_SETTINGS_MAX]; // by row: a file or a flag has set it
    struct arena arena;
};

// nats-server's defaults. NULL when memory runs out.
struct server_options *server_options_new(void);
void server_options_free(struct server_options *options);

// Where a file's bytes and the environment come from; options_outside_posix is the real one.
struct options_outside {
    void *context;
    enum status (*read)(void *context, const char *path, struct buf *text, struct errinfo *err);
    bool (*environment)(void *context, const char *name, struct bytes *value);
};
extern const struct options_outside options_outside_posix;

enum options_action { OPTIONS_RUN, OPTIONS_HELP, OPTIONS_VERSION, OPTIONS_TEST };

// Reads flags (arguments without the program's name) and the file that -c names. For a reload call
// it again with the same arguments. Unless the action is OPTIONS_RUN the options need not be used.
// The caller owns *options.
enum status options_load(int argument_count, const char *const *arguments,
                         const struct options_outside *outside, struct server_options **options,
                         enum options_action *action, struct errinfo *err);

// One setting by its key, as a flag would set it; for what a caller prefers where nothing was said:
// if (!options_given(options, "host")) options_set(options, "host", "127.0.0.1", err).
bool options_given(const struct server_options *options, const char *key);
enum status options_set(struct server_options *options, const char *key, const char *text,
                        struct errinfo *err);

// What no single setting can know: STATUS_INVALID when settings contradict each other. options_load
// has done it; a caller that sets more afterwards calls it again.
enum status options_check(const struct server_options *options, struct errinfo *err);

// What a reload has to do. refused is a subset of changed: settings that may not change while the
// server runs.
struct options_changes {
    const char *changed[OPTIONS_SETTINGS_MAX]; // keys
    size_t changed_count;
    const char *refused[OPTIONS_SETTINGS_MAX];
    size_t refused_count;
};

// STATUS_INVALID, with the names, when something is refused; *changes is filled either way.
enum status options_reload(const struct server_options *old, const struct server_options *fresh,
                           struct options_changes *changes, struct errinfo *err);

// The flags in groups, for --help; the keys of the file with what they mean, for the man page.
void options_help(struct buf *out);
void options_help_keys(struct buf *out);

// ,"name":value for each setting that /varz shows, to go into a JSON object.
void options_varz(const struct server_options *options, struct buf *out);

// nats-server -v's line: "nats-server: v2.14.0 (agog 0.1.0)".
void options_version(const char *nats_version, const char *agog_version, struct buf *out);

// A duration as Go writes it ("1h30m", "250ms", "-1s"), in nanoseconds.
bool options_duration(struct bytes text, int64_t *out_ns);
