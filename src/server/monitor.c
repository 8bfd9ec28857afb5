// SPDX-License-Identifier: Apache-2.0
#include "server/monitor.h"

#include "server/jetstream.h"
#include "server/server_private.h"
#include "wire/jsontext.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

// Options

enum status monitor_query_number(const struct monitor_query *query, const char *key, uint64_t *to,
                                 struct errinfo *err)
{
    const char *text = query->get(query->context, key);
    if (text == NULL || *text == 0)
        return STATUS_OK;
    if (!bytes_to_u64(bytes_of_string(text), to))
        return errinfo_set(err, STATUS_INVALID, "error converting %s to a number", key);
    return STATUS_OK;
}

enum status monitor_query_switch(const struct monitor_query *query, const char *key, bool *to,
                                 struct errinfo *err)
{
    static const char *const yes[] = {"1", "true", "t", "T", "TRUE", "True"};
    static const char *const no[] = {"0", "false", "f", "F", "FALSE", "False"};
    const char *text = query->get(query->context, key);
    if (text == NULL || *text == 0)
        return STATUS_OK;
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        if (strcmp(text, yes[i]) == 0 || strcmp(text, no[i]) == 0) {
            *to = strcmp(text, yes[i]) == 0;
            return STATUS_OK;
        }
    }
    return errinfo_set(err, STATUS_INVALID, "error converting %s to a boolean", key);
}

// Forms of values

void monitor_put_string(struct buf *out, const char *key, const char *value)
{
    if (value == NULL)
        return;
    buf_printf(out, ",\"%s\":", key);
    jsontext_put_string(out, bytes_of_string(value));
}

void monitor_put_time(struct buf *out, const char *key, int64_t time_ns)
{
    buf_printf(out, ",\"%s\":", key);
    jsontext_put_time(out, time_ns);
}

void monitor_put_span(struct buf *out, const char *key, int64_t span_ns)
{
    int64_t seconds = span_ns / 1000000000;
    int64_t days = seconds / 86400;
    int64_t hours = seconds / 3600 % 24;
    int64_t minutes = seconds / 60 % 60;
    buf_printf(out, ",\"%s\":\"", key);
    if (days > 0)
        buf_printf(out, "%" PRId64 "d", days);
    if (days > 0 || hours > 0)
        buf_printf(out, "%" PRId64 "h", hours);
    if (days > 0 || hours > 0 || minutes > 0)
        buf_printf(out, "%" PRId64 "m", minutes);
    buf_printf(out, "%" PRId64 "s\"", seconds % 60);
}

void monitor_put_head(struct server *server, struct buf *out)
{
    buf_append_string(out, "{\"server_id\":");
    jsontext_put_string(out, bytes_of_string(server->id));
    monitor_put_time(out, "now", server_now_ns());
}

// varz

static uint64_t resident_bytes(void)
{
    size_t resident = 0;
    return uv_resident_set_memory(&resident) == 0 ? resident : 0;
}

static double cpu_percent(const struct server *server)
{
    struct rusage usage;
    double up = (double)(server_now_ns() - server->start_ns) / 1e9;
    if (getrusage(RUSAGE_SELF, &usage) != 0 || up <= 0)
        return 0;
    double used = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                  (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    return used / up * 100;
}

static uint64_t count_subscriptions(struct server *server)
{
    struct sublist_numbers global;
    struct sublist_numbers system;
    sublist_numbers_get(account_subscriptions(server->global), &global);
    sublist_numbers_get(account_subscriptions(server->system), &system);
    return global.subscriptions + system.subscriptions;
}

static void put_settings(struct server *server, struct buf *out)
{
    const struct server_options *options = server->options;
    monitor_put_string(out, "host", options->host);
    buf_printf(out, ",\"port\":%d", server->port);
    if (auth_is_required(server->auth))
        buf_append_string(out, ",\"auth_required\":true");
    buf_printf(out, ",\"max_connections\":%" PRId64, options->max_connections);
    if (options->max_subscriptions > 0)
        buf_printf(out, ",\"max_subscriptions\":%" PRId64, options->max_subscriptions);
    buf_printf(out, ",\"ping_interval\":%" PRId64 ",\"ping_max\":%d", options->ping_interval_ns,
               options->ping_max);
    monitor_put_string(out, "http_host", options->host);
    buf_printf(out, ",\"http_port\":%d,\"http_base_path\":\"\",\"https_port\":0",
               server->monitor_port);
    buf_printf(out, ",\"auth_timeout\":%" PRId64, options->auth_timeout_ns / 1000000000);
    buf_printf(out, ",\"max_control_line\":%" PRId64 ",\"max_payload\":%" PRId64,
               options->max_control_line, options->max_payload);
    buf_printf(out, ",\"max_pending\":%" PRIu64, options->max_pending);
    buf_append_string(out, ",\"cluster\":{},\"gateway\":{},\"leaf\":{},\"mqtt\":{}"
                           ",\"websocket\":{}");
    buf_printf(out, ",\"tls_timeout\":2,\"write_deadline\":%" PRId64, options->write_deadline_ns);
}

static void put_numbers(struct server *server, struct buf *out)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    monitor_put_time(out, "start", server->start_ns);
    monitor_put_span(out, "uptime", server_now_ns() - server->start_ns);
    buf_printf(out, ",\"mem\":%" PRIu64 ",\"cores\":%ld,\"gomaxprocs\":%ld,\"cpu\":%.1f",
               resident_bytes(), cores, cores, cpu_percent(server));
    buf_printf(out, ",\"connections\":%zu,\"total_connections\":%" PRIu64, server->connection_count,
               server->connection_total);
    buf_append_string(out, ",\"routes\":0,\"remotes\":0,\"leafnodes\":0");
    buf_printf(out, ",\"in_msgs\":%" PRIu64 ",\"out_msgs\":%" PRIu64, server->messages_in,
               server->messages_out);
    buf_printf(out, ",\"in_bytes\":%" PRIu64 ",\"out_bytes\":%" PRIu64, server->bytes_in,
               server->bytes_out);
    buf_printf(out, ",\"slow_consumers\":%" PRIu64 ",\"stale_connections\":%" PRIu64,
               server->slow_consumers, server->stale_connections);
    buf_printf(out, ",\"subscriptions\":%" PRIu64, count_subscriptions(server));
    buf_printf(out,
               ",\"slow_consumer_stats\":{\"clients\":%" PRIu64
               ",\"routes\":0,\"gateways\":0,\"leafs\":0}",
               server->slow_consumers);
}

static void put_jetstream(struct jetstream *js, struct buf *out)
{
    struct jetstream_usage usage;
    jetstream_usage_get(js, &usage);
    buf_printf(out,
               ",\"jetstream\":{\"config\":{\"max_memory\":%" PRId64 ",\"max_storage\":%" PRId64,
               js->limits.memory_bytes, js->limits.storage_bytes);
    monitor_put_string(out, "store_dir", js->store_path);
    monitor_put_string(out, "domain", js->domain);
    buf_printf(out,
               ",\"sync_always\":true},\"stats\":{\"memory\":%" PRIu64 ",\"storage\":%" PRIu64
               ",\"reserved_memory\":0,\"reserved_storage\":0,\"accounts\":1,\"ha_assets\":0",
               usage.memory_bytes, usage.storage_bytes);
    buf_printf(out, ",\"api\":{\"level\":%d,\"total\":%" PRIu64 ",\"errors\":%" PRIu64 "}}}",
               JETSTREAM_API_LEVEL, js->api_total, js->api_errors);
}

static enum status varz(struct server *server, const struct monitor_query *query, struct buf *out,
                        struct errinfo *err)
{
    (void)query;
    (void)err;
    monitor_put_head(server, out);
    monitor_put_string(out, "server_name", server->name);
    monitor_put_string(out, "version", SERVER_NATS_VERSION);
    monitor_put_string(out, "agog", AGOG_VERSION);
    buf_append_string(out, ",\"proto\":1,\"go\":\"c17\"");
    put_settings(server, out);
    put_numbers(server, out);
    if (server->jetstream != NULL)
        put_jetstream(server->jetstream, out);
    else
        buf_append_string(out, ",\"jetstream\":{}");
    monitor_put_time(out, "config_load_time", server->config_ns);
    monitor_put_string(out, "system_account", account_name(server->system));
    buf_append_byte(out, '}');
    return STATUS_OK;
}

// The others

static enum status routez(struct server *server, const struct monitor_query *query, struct buf *out,
                          struct errinfo *err)
{
    (void)query;
    (void)err;
    monitor_put_head(server, out);
    monitor_put_string(out, "server_name", server->name);
    buf_append_string(out, ",\"num_routes\":0,\"routes\":[]}");
    return STATUS_OK;
}

static enum status healthz(struct server *server, const struct monitor_query *query,
                           struct buf *out, struct errinfo *err)
{
    bool enabled_only = false;
    enum status status = monitor_query_switch(query, "js-enabled-only", &enabled_only, err);
    if (status != STATUS_OK)
        return status;
    if (enabled_only && server->jetstream == NULL) {
        buf_append_string(out, "{\"status\":\"unavailable\",\"status_code\":503,"
                               "\"error\":\"JetStream not enabled\"}");
        return STATUS_UNHEALTHY;
    }
    const char *broken = server->jetstream == NULL ? NULL : jetstream_broken(server->jetstream);
    if (broken != NULL) {
        buf_append_string(out, "{\"status\":\"unavailable\",\"status_code\":503,\"error\":");
        jsontext_put_string(out, bytes_of_string(broken));
        buf_append_byte(out, '}');
        return STATUS_UNHEALTHY;
    }
    buf_append_string(out, "{\"status\":\"ok\",\"status_code\":200}");
    return STATUS_OK;
}

static void put_account(struct server *server, struct account *account, struct buf *out)
{
    struct sublist_numbers subscriptions;
    const struct account_numbers *numbers = account_numbers(account);
    sublist_numbers_get(account_subscriptions(account), &subscriptions);
    monitor_put_string(out, "account_name", account_name(account));
    monitor_put_time(out, "update_time", server->start_ns);
    buf_printf(out, ",\"is_system\":%s,\"expired\":false,\"complete\":true",
               account == server->system ? "true" : "false");
    buf_printf(out, ",\"jetstream_enabled\":%s",
               account == server->global && server->jetstream != NULL ? "true" : "false");
    buf_printf(out, ",\"leafnode_connections\":0,\"client_connections\":%" PRIu64,
               numbers->connections);
    buf_printf(out, ",\"subscriptions\":%" PRIu64, subscriptions.subscriptions);
}

static enum status accountz(struct server *server, const struct monitor_query *query,
                            struct buf *out, struct errinfo *err)
{
    const char *name = query->get(query->context, "acc");
    struct account *accounts[] = {server->global, server->system};
    monitor_put_head(server, out);
    monitor_put_string(out, "system_account", account_name(server->system));
    if (name == NULL || *name == 0) {
        buf_append_string(out, ",\"accounts\":[\"$G\",\"$SYS\"]}");
        return STATUS_OK;
    }
    for (size_t i = 0; i < sizeof accounts / sizeof accounts[0]; i++) {
        if (strcmp(account_name(accounts[i]), name) != 0)
            continue;
        buf_append_string(out, ",\"account_detail\":{\"kind\":\"account\"");
        put_account(server, accounts[i], out);
        buf_append_string(out, "}}");
        return STATUS_OK;
    }
    return errinfo_set(err, STATUS_NOT_FOUND, "account does not exist");
}

static void put_statistics(struct account *account, struct buf *out)
{
    struct sublist_numbers subscriptions;
    const struct account_numbers *numbers = account_numbers(account);
    sublist_numbers_get(account_subscriptions(account), &subscriptions);
    buf_append_string(out, "{\"acc\":");
    jsontext_put_string(out, bytes_of_string(account_name(account)));
    monitor_put_string(out, "name", account_name(account));
    buf_printf(out, ",\"conns\":%" PRIu64 ",\"leafnodes\":0,\"total_conns\":%" PRIu64,
               numbers->connections, numbers->connections_total);
    buf_printf(out, ",\"num_subscriptions\":%" PRIu64, subscriptions.subscriptions);
    buf_printf(out, ",\"sent\":{\"msgs\":%" PRIu64 ",\"bytes\":%" PRIu64 "}", numbers->messages_out,
               numbers->bytes_out);
    buf_printf(out, ",\"received\":{\"msgs\":%" PRIu64 ",\"bytes\":%" PRIu64 "}",
               numbers->messages_in, numbers->bytes_in);
    buf_printf(out, ",\"slow_consumers\":%" PRIu64 "}", numbers->slow_consumers);
}

static enum status accstatz(struct server *server, const struct monitor_query *query,
                            struct buf *out, struct errinfo *err)
{
    (void)query;
    (void)err;
    monitor_put_head(server, out);
    buf_append_string(out, ",\"account_statz\":[");
    put_statistics(server->global, out);
    buf_append_string(out, "]}");
    return STATUS_OK;
}

static const struct monitor_page pages[] = {
    {"varz", varz},         {"connz", monitor_connz}, {"subsz", monitor_subsz},
    {"routez", routez},     {"jsz", monitor_jsz},     {"healthz", healthz},
    {"accountz", accountz}, {"accstatz", accstatz},
};

const struct monitor_page *monitor_page_at(size_t index)
{
    return index < sizeof pages / sizeof pages[0] ? &pages[index] : NULL;
}

const struct monitor_page *monitor_find(const char *name)
{
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++)
        if (strcmp(pages[i].name, name) == 0)
            return &pages[i];
    return NULL;
}
