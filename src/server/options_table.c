// SPDX-License-Identifier: Apache-2.0
// The table. Keys, other names, types and which may change at run time are nats-server's; a key's
// section is the block in which it stands. The rows of one group follow each other, for help.
#include "base/limits.h"
#include "server/options_inside.h"

#include <stddef.h>
#include <string.h>

#define AT(field) offsetof(struct server_options, field)
#define SECONDS   INT64_C(1000000000)

enum { NATS_MAX = 2147483647, PORT_MAX = 65535 };

#define ANY_TIME 0, INT64_MAX

// clang-format off
const struct option_setting option_settings[] = {
    // Server.
    {"host", "net", OPTIONS_TOP, OPTION_TEXT, AT(host), NULL, 0, 0, true, OPTIONS_GROUP_SERVER,
     "a addr net host", "HOST", "host", "Address to listen on (default 0.0.0.0)"},
    {"port", NULL, OPTIONS_TOP, OPTION_INT, AT(port), NULL, -1, PORT_MAX, true, OPTIONS_GROUP_SERVER,
     "p port", "PORT", "port", "Port for clients, -1 takes any (default 4222)"},
    {"listen", NULL, OPTIONS_TOP, OPTION_OWN, 0, options_file_listen, 0, 0, true, OPTIONS_GROUP_NONE,
     NULL, "HOST:PORT", NULL, "Host and port in one"},
    {"unix_socket", NULL, OPTIONS_TOP, OPTION_TEXT, AT(unix_socket), NULL, 0, 0, true,
     OPTIONS_GROUP_SERVER, "unix_socket", "PATH", NULL, "UNIX-domain socket to listen on as well"},
    {"server_name", NULL, OPTIONS_TOP, OPTION_TEXT, AT(server_name), NULL, 0, 0, true,
     OPTIONS_GROUP_SERVER, "n name server_name", "NAME", NULL, "Server name (default: its id)"},
    {"pid_file", "pidfile", OPTIONS_TOP, OPTION_TEXT, AT(pid_file), NULL, 0, 0, false,
     OPTIONS_GROUP_SERVER, "P pid pid_file", "FILE", NULL, "File to store the process id"},
    {"http_port", "monitor_port", OPTIONS_TOP, OPTION_INT, AT(http_port), NULL, -1, PORT_MAX, true,
     OPTIONS_GROUP_SERVER, "m http_port", "PORT", "http_port", "Port for HTTP monitoring"},
    {"http", NULL, OPTIONS_TOP, OPTION_OWN, 0, options_file_http, 0, 0, true, OPTIONS_GROUP_NONE,
     NULL, "HOST:PORT", NULL, "Host and port of HTTP monitoring in one"},
    {"http_base_path", NULL, OPTIONS_TOP, OPTION_TEXT, AT(http_base_path), NULL, 0, 0, true,
     OPTIONS_GROUP_NONE, NULL, "PATH", "http_base_path", "What stands before each path of monitoring"},
    {"client_advertise", NULL, OPTIONS_TOP, OPTION_TEXT, AT(client_advertise), NULL, 0, 0, false,
     OPTIONS_GROUP_SERVER, "client_advertise", "HOST:PORT", "client_advertise",
     "Address that clients are told"},
    {"ports_file_dir", NULL, OPTIONS_TOP, OPTION_TEXT, AT(ports_file_dir), NULL, 0, 0, true,
     OPTIONS_GROUP_SERVER, "ports_file_dir", "DIR", NULL,
     "Directory for a file that names the ports"},
    {"server_tags", NULL, OPTIONS_TOP, OPTION_TEXTS, AT(server_tags), NULL, 0, 0, false,
     OPTIONS_GROUP_NONE, NULL, "TAGS", "tags", "Tags that the server shows"},

    // Limits.
    {"max_payload", NULL, OPTIONS_TOP, OPTION_SIZE, AT(max_payload), NULL, 1, LIMIT_RECORD_BYTES, false,
     OPTIONS_GROUP_LIMITS, "max_payload", "SIZE", "max_payload",
     "Largest message, at most 64MB (default 16MB)"},
    {"max_control_line", NULL, OPTIONS_TOP, OPTION_SIZE, AT(max_control_line), NULL, 1, NATS_MAX, false,
     OPTIONS_GROUP_LIMITS, "max_control_line", "SIZE", "max_control_line",
     "Longest protocol line (default 4KB)"},
    {"max_pending", NULL, OPTIONS_TOP, OPTION_SIZE, AT(max_pending), NULL, 1, INT64_MAX, false,
     OPTIONS_GROUP_LIMITS, "max_pending", "SIZE", "max_pending",
     "Most that waits for one slow client (default 64MB)"},
    {"max_connections", "max_conn", OPTIONS_TOP, OPTION_COUNT, AT(max_connections), NULL, 0,
     NATS_MAX, false, OPTIONS_GROUP_LIMITS, "max_connections", "N", "max_connections",
     "Most connections, 0 refuses all (default 65536)"},
    {"max_subscriptions", "max_subs", OPTIONS_TOP, OPTION_COUNT, AT(max_subscriptions), NULL, -1,
     NATS_MAX, false, OPTIONS_GROUP_LIMITS, "max_subscriptions", "N", "max_subscriptions",
     "Most subscriptions of one connection (default: no limit)"},
    {"max_subscription_tokens", "max_sub_tokens", OPTIONS_TOP, OPTION_INT,
     AT(max_subscription_tokens), NULL, 1, 255, false, OPTIONS_GROUP_NONE, NULL, "N", NULL,
     "Most tokens in the subject of a subscription"},
    {"ping_interval", NULL, OPTIONS_TOP, OPTION_TIME, AT(ping_interval_ns), NULL, 1, INT64_MAX, false,
     OPTIONS_GROUP_LIMITS, "ping_interval", "TIME", "ping_interval",
     "Time between pings (default 2m)"},
    {"ping_max", NULL, OPTIONS_TOP, OPTION_INT, AT(ping_max), NULL, 1, NATS_MAX, false,
     OPTIONS_GROUP_LIMITS, "ping_max", "N", "ping_max",
     "Pings without an answer before a connection is stale (default 2)"},
    {"write_deadline", NULL, OPTIONS_TOP, OPTION_TIME, AT(write_deadline_ns), NULL, 1, INT64_MAX, false,
     OPTIONS_GROUP_LIMITS, "write_deadline", "TIME", "write_deadline",
     "How long a client may take what is sent to it (default 10s)"},
    {"lame_duck_duration", NULL, OPTIONS_TOP, OPTION_TIME, AT(lame_duck_duration_ns), NULL, 30 * SECONDS,
     INT64_MAX, false, OPTIONS_GROUP_LIMITS, "lame_duck_duration", "TIME", NULL,
     "Over how long lame duck mode closes connections (default 2m)"},
    {"lame_duck_grace_period", NULL, OPTIONS_TOP, OPTION_TIME, AT(lame_duck_grace_ns), NULL, ANY_TIME,
     false, OPTIONS_GROUP_LIMITS, "lame_duck_grace_period", "TIME", NULL,
     "How long it waits before the first (default 10s)"},
    {"max_closed_clients", NULL, OPTIONS_TOP, OPTION_COUNT, AT(max_closed_clients), NULL, 0, NATS_MAX,
     true, OPTIONS_GROUP_NONE, NULL, "N", NULL, "Closed connections that /connz remembers"},
    {"no_header_support", NULL, OPTIONS_TOP, OPTION_SWITCH, AT(no_header_support), NULL, 0, 0, true,
     OPTIONS_GROUP_NONE, NULL, NULL, NULL, "Refuse messages with headers"},

    // Logging.
    {"log_file", "logfile", OPTIONS_TOP, OPTION_TEXT, AT(log_file), NULL, 0, 0, false,
     OPTIONS_GROUP_LOGGING, "l log log_file", "FILE", NULL, "File for the log (default: stderr)"},
    {"log_size_limit", "logfile_size_limit", OPTIONS_TOP, OPTION_SIZE, AT(log_size_limit), NULL, 0,
     INT64_MAX, false, OPTIONS_GROUP_LOGGING, "log_size_limit", "SIZE", NULL,
     "Size at which a new log file begins"},
    {"log_max_num", "logfile_max_num", OPTIONS_TOP, OPTION_COUNT, AT(log_max_files), NULL, 0,
     NATS_MAX, false, OPTIONS_GROUP_NONE, NULL, "N", NULL, "Old log files to keep"},
    {"debug", NULL, OPTIONS_TOP, OPTION_SWITCH, AT(debug), NULL, 0, 0, false, OPTIONS_GROUP_LOGGING,
     "D debug", NULL, NULL, "Log what helps to find faults"},
    {"trace", NULL, OPTIONS_TOP, OPTION_SWITCH, AT(trace), NULL, 0, 0, false, OPTIONS_GROUP_LOGGING,
     "V trace", NULL, NULL, "Log every protocol line"},
    {"trace_verbose", NULL, OPTIONS_TOP, OPTION_SWITCH, AT(trace_verbose), NULL, 0, 0, false,
     OPTIONS_GROUP_NONE, NULL, NULL, NULL, "Trace the system account too"},
    {"trace_headers", NULL, OPTIONS_TOP, OPTION_SWITCH, AT(trace_headers), NULL, 0, 0, false,
     OPTIONS_GROUP_NONE, NULL, NULL, NULL, "Trace headers and not bodies"},
    {"logtime", NULL, OPTIONS_TOP, OPTION_SWITCH, AT(logtime), NULL, 0, 0, false, OPTIONS_GROUP_LOGGING,
     "T logtime", NULL, NULL, "Time in front of log lines (default on; -T=false)"},
    {"logtime_utc", NULL, OPTIONS_TOP, OPTION_SWITCH, AT(logtime_utc), NULL, 0, 0, false,
     OPTIONS_GROUP_LOGGING, "logtime_utc", NULL, NULL, "That time in UTC"},
    {"max_traced_msg_len", NULL, OPTIONS_TOP, OPTION_SIZE, AT(max_traced_msg_len), NULL, 0, NATS_MAX,
     false, OPTIONS_GROUP_LOGGING, "max_traced_msg_len", "SIZE", NULL,
     "How much of a body is traced (default: all)"},

    // JetStream.
    {"jetstream", NULL, OPTIONS_TOP, OPTION_OWN, AT(jetstream), options_file_jetstream, 0, 0, true,
     OPTIONS_GROUP_JETSTREAM, "js jetstream", NULL, NULL, "Enable JetStream"},
    {"store_dir", "storedir", OPTIONS_TOP, OPTION_TEXT, AT(store_dir), NULL, 0, 0, true,
     OPTIONS_GROUP_JETSTREAM, "sd store_dir", "DIR", NULL, "Directory of the store"},
    {"store_dir", "store storedir", OPTIONS_JETSTREAM, OPTION_TEXT, AT(store_dir), NULL, 0, 0, true,
     OPTIONS_GROUP_NONE, NULL, "DIR", NULL, "Directory of the store"},
    {"enabled", "enable", OPTIONS_JETSTREAM, OPTION_OWN, 0, options_file_enabled, 0, 0, true,
     OPTIONS_GROUP_NONE, NULL, NULL, NULL, "Whether JetStream is enabled"},
    {"max_memory_store", "max_mem_store max_mem", OPTIONS_JETSTREAM, OPTION_SIZE,
     AT(max_memory_store), NULL, -1, INT64_MAX, true, OPTIONS_GROUP_JETSTREAM, "max_memory_store",
     "SIZE", NULL, "Most that streams in memory hold (default: no limit)"},
    {"max_file_store", "max_file", OPTIONS_JETSTREAM, OPTION_SIZE, AT(max_file_store), NULL, -1,
     INT64_MAX, true, OPTIONS_GROUP_JETSTREAM, "max_file_store", "SIZE", NULL,
     "Most that streams on disk hold (default: no limit)"},
    {"domain", NULL, OPTIONS_JETSTREAM, OPTION_TEXT, AT(jetstream_domain), NULL, 0, 0, true,
     OPTIONS_GROUP_JETSTREAM, "domain", "NAME", NULL, "JetStream's domain"},
    {"strict", NULL, OPTIONS_JETSTREAM, OPTION_SWITCH, AT(jetstream_strict), NULL, 0, 0, false,
     OPTIONS_GROUP_NONE, NULL, NULL, NULL, "Refuse API requests with unknown fields"},
    {"sync_interval", "sync", OPTIONS_JETSTREAM, OPTION_OWN, AT(sync_interval_ns), options_file_sync,
     0, 0, false, OPTIONS_GROUP_NONE, NULL, "TIME", NULL,
     "Taken for nats-server's sake: an ack is always durable here"},
    {"request_queue_limit", NULL, OPTIONS_JETSTREAM, OPTION_COUNT, AT(request_queue_limit), NULL, 0,
     NATS_MAX, false, OPTIONS_GROUP_NONE, NULL, "N", NULL, "API requests that may wait"},
    {"info_queue_limit", NULL, OPTIONS_JETSTREAM, OPTION_COUNT, AT(info_queue_limit), NULL, 0, NATS_MAX,
     false, OPTIONS_GROUP_NONE, NULL, "N", NULL, "API requests for information that may wait"},
    {"limits", NULL, OPTIONS_JETSTREAM, OPTION_OWN, 0, options_file_jetstream_limits, 0, 0, true,
     OPTIONS_GROUP_NONE, NULL, "{ }", NULL, "Limits of every stream and consumer"},
    {"max_ack_pending", NULL, OPTIONS_LIMITS, OPTION_COUNT, AT(limit_ack_pending), NULL, 0, NATS_MAX,
     true, OPTIONS_GROUP_NONE, NULL, "N", NULL, "Most messages without an ack of a consumer"},
    {"max_request_batch", NULL, OPTIONS_LIMITS, OPTION_COUNT, AT(limit_request_batch), NULL, 0, NATS_MAX,
     true, OPTIONS_GROUP_NONE, NULL, "N", NULL, "Largest batch that a pull may ask for"},
    {"duplicate_window", NULL, OPTIONS_LIMITS, OPTION_TIME, AT(limit_duplicate_window_ns), NULL,
     ANY_TIME, true, OPTIONS_GROUP_NONE, NULL, "TIME", NULL, "Longest window for duplicates"},
    {"max_ha_assets", NULL, OPTIONS_LIMITS, OPTION_IGNORED, 0, NULL, 0, 0, false, OPTIONS_GROUP_NONE,
     NULL, "N", NULL, "Without effect on one node"},
    {"batch", NULL, OPTIONS_LIMITS, OPTION_OWN, 0, options_file_jetstream_batch, 0, 0, true,
     OPTIONS_GROUP_NONE, NULL, "{ }", NULL, "Limits of atomic batches"},
    {"max_inflight_per_stream", NULL, OPTIONS_BATCH, OPTION_COUNT, AT(limit_batch_per_stream), NULL, 0,
     NATS_MAX, true, OPTIONS_GROUP_NONE, NULL, "N", NULL, "Most open batches of a stream"},
    {"max_inflight_total", NULL, OPTIONS_BATCH, OPTION_COUNT, AT(limit_batches), NULL, 0, NATS_MAX, true,
     OPTIONS_GROUP_NONE, NULL, "N", NULL, "Most open batches of all streams"},
    {"max_msgs", NULL, OPTIONS_BATCH, OPTION_COUNT, AT(limit_batch_messages), NULL, 0, NATS_MAX, true,
     OPTIONS_GROUP_NONE, NULL, "N", NULL, "Most messages of a batch"},
    {"timeout", NULL, OPTIONS_BATCH, OPTION_TIME, AT(limit_batch_timeout_ns), NULL, ANY_TIME, true,
     OPTIONS_GROUP_NONE, NULL, "TIME", NULL, "How long a batch may stand still"},

    // Authorization.
    {"authorization", NULL, OPTIONS_TOP, OPTION_OWN, 0, options_auth_block, 0, 0, false,
     OPTIONS_GROUP_NONE, NULL, "{ }", NULL, "Who may connect, and what they may do"},
    {"user", "username", OPTIONS_AUTHORIZATION, OPTION_TEXT, AT(user), NULL, 0, 0, false,
     OPTIONS_GROUP_AUTHORIZATION, "user", "NAME", NULL, "The one user who may connect"},
    {"password", "pass", OPTIONS_AUTHORIZATION, OPTION_TEXT, AT(password), NULL, 0, 0, false,
     OPTIONS_GROUP_AUTHORIZATION, "pass", "PASSWORD", NULL, "That user's password"},
    {"token", NULL, OPTIONS_AUTHORIZATION, OPTION_TEXT, AT(token), NULL, 0, 0, false,
     OPTIONS_GROUP_AUTHORIZATION, "auth", "TOKEN", NULL, "Token with which clients connect"},
    {"timeout", NULL, OPTIONS_AUTHORIZATION, OPTION_TIME, AT(auth_timeout_ns), NULL, 1, INT64_MAX, false,
     OPTIONS_GROUP_NONE, NULL, "TIME", NULL, "How long a client may take to log in"},
    {"users", NULL, OPTIONS_AUTHORIZATION, OPTION_OWN, 0, options_auth_users, 0, 0, false,
     OPTIONS_GROUP_NONE, NULL, "[ ]", NULL, "Users with their passwords and permissions"},
    {"default_permissions", "default_permission permissions", OPTIONS_AUTHORIZATION, OPTION_OWN, 0,
     options_auth_default_permissions, 0, 0, false, OPTIONS_GROUP_NONE, NULL, "{ }", NULL,
     "Permissions of users without any"},
    {"no_auth_user", NULL, OPTIONS_TOP, OPTION_TEXT, AT(no_auth_user), NULL, 0, 0, false,
     OPTIONS_GROUP_NONE, NULL, "NAME", NULL, "Who a client is that does not log in"},
    {"accounts", NULL, OPTIONS_TOP, OPTION_OWN, 0, options_auth_accounts, 0, 0, false,
     OPTIONS_GROUP_NONE, NULL, "{ }", NULL, "Users of $G and of the system account"},
    {"system_account", "system", OPTIONS_TOP, OPTION_TEXT, AT(system_account), NULL, 0, 0, true,
     OPTIONS_GROUP_NONE, NULL, "NAME", NULL, "The system account (default $SYS)"},
    {"no_system_account", "no_system no_sys_acc", OPTIONS_TOP, OPTION_SWITCH, AT(no_system_account),
     NULL, 0, 0, true, OPTIONS_GROUP_NONE, NULL, NULL, NULL, "No system account"},

#define IGNORED(section, key, aliases, why)                                                        \
    {key, aliases, section, OPTION_IGNORED, 0, NULL, 0, 0, false, OPTIONS_GROUP_NONE, NULL, NULL, NULL, why}
    IGNORED(OPTIONS_TOP, "disable_sublist_cache", "no_sublist_cache", "Without effect"),
    IGNORED(OPTIONS_TOP, "prof_port", NULL, "Without effect: a profiler of Go"),
    IGNORED(OPTIONS_TOP, "prof_block_rate", NULL, "Without effect: a profiler of Go"),
    IGNORED(OPTIONS_TOP, "connect_error_reports", NULL, "Without effect on one node"),
    IGNORED(OPTIONS_TOP, "reconnect_error_reports", NULL, "Without effect on one node"),
    IGNORED(OPTIONS_TOP, "write_timeout", NULL, "Without effect: a slow client is closed"),
    IGNORED(OPTIONS_TOP, "no_fast_producer_stall", NULL, "Without effect: producers are not stalled"),
    IGNORED(OPTIONS_TOP, "server_metadata", NULL, "Without effect"),
    IGNORED(OPTIONS_TOP, "feature_flags", NULL, "Without effect"),
    IGNORED(OPTIONS_TOP, "allow_non_tls", NULL, "Without effect: there is no TLS"),
    IGNORED(OPTIONS_TOP, "default_js_domain", NULL, "Without effect: there are no other accounts"),
    IGNORED(OPTIONS_JETSTREAM, "unique_tag", NULL, "Without effect on one node"),
    IGNORED(OPTIONS_JETSTREAM, "extension_hint", NULL, "Without effect on one node"),
    IGNORED(OPTIONS_JETSTREAM, "max_outstanding_catchup", NULL, "Without effect on one node"),
    IGNORED(OPTIONS_JETSTREAM, "max_buffered_size", NULL, "Without effect"),
    IGNORED(OPTIONS_JETSTREAM, "max_buffered_msgs", NULL, "Without effect"),
    IGNORED(OPTIONS_JETSTREAM, "meta_compact", NULL, "Without effect on one node"),
    IGNORED(OPTIONS_JETSTREAM, "meta_compact_size", NULL, "Without effect on one node"),
    IGNORED(OPTIONS_JETSTREAM, "meta_compact_sync", NULL, "Without effect on one node"),
    IGNORED(OPTIONS_JETSTREAM, "max_concurrent_io", NULL, "Without effect"),

#define UNSUPPORTED(section, key, aliases, flags)                                                  \
    {key, aliases, section, OPTION_UNSUPPORTED, 0, NULL, 0, 0, false, OPTIONS_GROUP_NONE, flags, "...",     \
     NULL, "Not supported by this version"}
    UNSUPPORTED(OPTIONS_TOP, "tls", NULL,
                "tls tlscert tlskey tlscacert tlsverify help_tls"),
    UNSUPPORTED(OPTIONS_TOP, "cluster", NULL,
                "cluster cluster_listen cluster_name cluster_advertise routes no_advertise "
                "connect_retries"),
    UNSUPPORTED(OPTIONS_TOP, "gateway", NULL, NULL),
    UNSUPPORTED(OPTIONS_TOP, "leafnodes", "leaf", NULL),
    UNSUPPORTED(OPTIONS_TOP, "websocket", "ws", NULL),
    UNSUPPORTED(OPTIONS_TOP, "mqtt", NULL, NULL),
    UNSUPPORTED(OPTIONS_TOP, "operator", "operators roots root root_operators root_operator", NULL),
    UNSUPPORTED(OPTIONS_TOP, "resolver", "account_resolver accounts_resolver", NULL),
    UNSUPPORTED(OPTIONS_TOP, "resolver_tls", NULL, NULL),
    UNSUPPORTED(OPTIONS_TOP, "resolver_preload", NULL, NULL),
    UNSUPPORTED(OPTIONS_TOP, "resolver_pinned_accounts", NULL, NULL),
    UNSUPPORTED(OPTIONS_TOP, "trusted", "trusted_keys", NULL),
    UNSUPPORTED(OPTIONS_TOP, "default_sentinel", NULL, NULL),
    UNSUPPORTED(OPTIONS_TOP, "mappings", "maps", NULL),
    UNSUPPORTED(OPTIONS_TOP, "ocsp", NULL, NULL),
    UNSUPPORTED(OPTIONS_TOP, "ocsp_cache", NULL, NULL),
    UNSUPPORTED(OPTIONS_TOP, "https", NULL, NULL),
    UNSUPPORTED(OPTIONS_TOP, "https_port", NULL, "ms https_port"),
    UNSUPPORTED(OPTIONS_TOP, "syslog", NULL, "s syslog"),
    UNSUPPORTED(OPTIONS_TOP, "remote_syslog", NULL, "r remote_syslog"),
    UNSUPPORTED(OPTIONS_TOP, "proxy_protocol", NULL, NULL),
    UNSUPPORTED(OPTIONS_TOP, "proxies", NULL, NULL),
    UNSUPPORTED(OPTIONS_JETSTREAM, "key", "ek encryption_key", NULL),
    UNSUPPORTED(OPTIONS_JETSTREAM, "prev_key", "prev_ek prev_encryption_key", NULL),
    UNSUPPORTED(OPTIONS_JETSTREAM, "cipher", NULL, NULL),
    UNSUPPORTED(OPTIONS_JETSTREAM, "tpm", NULL, NULL),
    UNSUPPORTED(OPTIONS_AUTHORIZATION, "auth_callout", "auth_hook", NULL),
    UNSUPPORTED(OPTIONS_AUTHORIZATION, "proxy_required", NULL, NULL),
};
// clang-format on

const size_t option_setting_count = sizeof option_settings / sizeof option_settings[0];

_Static_assert(sizeof option_settings / sizeof option_settings[0] <= OPTIONS_SETTINGS_MAX,
               "struct server_options has a mark for each setting");

bool options_next_word(struct bytes *words, struct bytes *word)
{
    if (words->size == 0)
        return false;
    *word = bytes_cut(*words, ' ', words);
    return true;
}

bool options_is_word(const char *words, struct bytes name)
{
    struct bytes rest = bytes_of_string(words);
    struct bytes word;
    while (options_next_word(&rest, &word)) {
        if (bytes_equal(word, name))
            return true;
    }
    return false;
}

// Keys are found whatever their letter case, as in nats-server.
static bool has_key(const struct option_setting *setting, struct bytes key)
{
    struct bytes rest = bytes_of_string(setting->aliases);
    struct bytes word;
    if (bytes_equal_nocase(bytes_of_string(setting->key), key))
        return true;
    while (options_next_word(&rest, &word)) {
        if (bytes_equal_nocase(word, key))
            return true;
    }
    return false;
}

const struct option_setting *options_find_key(enum options_section section, struct bytes key)
{
    for (size_t i = 0; i < option_setting_count; i++) {
        if (option_settings[i].section == section && has_key(&option_settings[i], key))
            return &option_settings[i];
    }
    return NULL;
}

const struct option_setting *options_find_flag(struct bytes name)
{
    for (size_t i = 0; i < option_setting_count; i++) {
        if (options_is_word(option_settings[i].flags, name))
            return &option_settings[i];
    }
    return NULL;
}

const char *options_dashes(struct bytes name)
{
    bool is_short = name.size <= 2 || (name.data[0] >= 'A' && name.data[0] <= 'Z');
    return is_short ? "-" : "--";
}
