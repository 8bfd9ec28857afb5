// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/errinfo.h"
struct server_options {
    char *host;
    int port;
    char *server_name;
    char *client_advertise;
    char *unix_socket;
    int64_t max_payload, max_control_line;
    uint64_t max_pending;
    int64_t max_connections, max_subscriptions;
    int64_t ping_interval_ns;
    int ping_max;
    int64_t write_deadline_ns, auth_timeout_ns;
    int64_t lame_duck_duration_ns, lame_duck_grace_ns;
    char *log_file;
    bool debug, trace, logtime;
    bool jetstream;
    char *jetstream_domain;
    char *store_dir;
    int64_t max_memory_store, max_file_store;
    uint32_t lock_wait_ms;
    int http_port;
};
struct server_options *server_options_new(void);
void server_options_free(struct server_options *options);
