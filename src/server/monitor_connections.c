// SPDX-License-Identifier: Apache-2.0
// /connz and /subsz: who is connected, and who subscribes to what.
#include "server/connection.h"
#include "server/monitor.h"
#include "server/server_private.h"
#include "wire/jsontext.h"
#include "wire/subject.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_LIMIT = 1024, SUBSCRIPTIONS_NONE = 0, SUBSCRIPTIONS_NAMES, SUBSCRIPTIONS_DETAIL };

struct connz_query {
    uint64_t offset;
    uint64_t limit;
    uint64_t cid;
    int subscriptions;
    bool auth;
    const char *sort;
    const char *account;
    const char *state;
};

static enum status read_query(const struct monitor_query *query, struct connz_query *to,
                              struct errinfo *err)
{
    bool subscriptions = false;
    const char *detail = query->get(query->context, "subs");
    *to = (struct connz_query){.limit = DEFAULT_LIMIT};
    enum status status = monitor_query_number(query, "offset", &to->offset, err);
    if (status == STATUS_OK)
        status = monitor_query_number(query, "limit", &to->limit, err);
    if (status == STATUS_OK)
        status = monitor_query_number(query, "cid", &to->cid, err);
    if (status == STATUS_OK)
        status = monitor_query_switch(query, "auth", &to->auth, err);
    if (status == STATUS_OK && detail != NULL && strcmp(detail, "detail") == 0)
        to->subscriptions = SUBSCRIPTIONS_DETAIL;
    else if (status == STATUS_OK)
        status = monitor_query_switch(query, "subs", &subscriptions, err);
    if (subscriptions)
        to->subscriptions = SUBSCRIPTIONS_NAMES;
    to->sort = query->get(query->context, "sort");
    to->account = query->get(query->context, "acc");
    to->state = query->get(query->context, "state");
    return status;
}

// Orders, largest first as nats-server has them but for cid and start.

static int compare_numbers(uint64_t a, uint64_t b)
{
    return a < b ? 1 : a > b ? -1 : 0;
}

#define BY(name, expression)                                                                       \
    static int by_##name(const void *a, const void *b)                                             \
    {                                                                                              \
        const struct connection *x = *(const struct connection *const *)a;                         \
        const struct connection *y = *(const struct connection *const *)b;                         \
        return expression;                                                                         \
    }
BY(cid, -compare_numbers(x->id, y->id))
BY(subs, compare_numbers(x->subscriptions.count, y->subscriptions.count))
BY(pending, compare_numbers(connection_pending(x), connection_pending(y)))
BY(msgs_to, compare_numbers(x->messages_out, y->messages_out))
BY(msgs_from, compare_numbers(x->messages_in, y->messages_in))
BY(bytes_to, compare_numbers(x->bytes_out, y->bytes_out))
BY(bytes_from, compare_numbers(x->bytes_in, y->bytes_in))
BY(last, compare_numbers((uint64_t)x->active_ns, (uint64_t)y->active_ns))
BY(idle, -compare_numbers((uint64_t)x->active_ns, (uint64_t)y->active_ns))
BY(rtt, compare_numbers((uint64_t)x->rtt_ns, (uint64_t)y->rtt_ns))
#undef BY

typedef int (*order)(const void *a, const void *b);

static enum status find_order(const char *name, order *found, struct errinfo *err)
{
    static const struct {
        const char *name;
        order order;
    } orders[] = {
        {"cid", by_cid},
        {"start", by_cid},
        {"uptime", by_cid},
        {"subs", by_subs},
        {"pending", by_pending},
        {"msgs_to", by_msgs_to},
        {"msgs_from", by_msgs_from},
        {"bytes_to", by_bytes_to},
        {"bytes_from", by_bytes_from},
        {"last", by_last},
        {"idle", by_idle},
        {"rtt", by_rtt},
    };
    if (name == NULL || *name == 0) {
        *found = by_cid;
        return STATUS_OK;
    }
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        if (strcmp(orders[i].name, name) == 0) {
            *found = orders[i].order;
            return STATUS_OK;
        }
    }
    return errinfo_set(err, STATUS_INVALID, "invalid sorting option: %.64s", name);
}

static void put_subscription(struct buf *out, const struct client_subscription *subscription,
                             const struct connection *connection)
{
    buf_append_string(out, "{\"account\":");
    jsontext_put_string(out, bytes_of_string(account_name(connection->account)));
    buf_append_string(out, ",\"subject\":");
    jsontext_put_string(out, subscription->subscription.subject);
    if (subscription->subscription.queue.size > 0) {
        buf_append_string(out, ",\"qgroup\":");
        jsontext_put_string(out, subscription->subscription.queue);
    }
    buf_append_string(out, ",\"sid\":");
    jsontext_put_string(out, client_subscription_sid(subscription));
    buf_printf(out, ",\"msgs\":%" PRIu64, subscription->delivered);
    if (subscription->max > 0)
        buf_printf(out, ",\"max\":%" PRIu64, subscription->max);
    buf_printf(out, ",\"cid\":%" PRIu64 "}", connection->id);
}

static void put_subscriptions(struct buf *out, const struct connection *connection, bool detail)
{
    size_t at = 0;
    const char *before = "";
    const struct client_subscription *subscription;
    buf_append_string(out,
                      detail ? ",\"subscriptions_list_detail\":[" : ",\"subscriptions_list\":[");
    while ((subscription = map_next(&connection->subscriptions, &at)) != NULL) {
        buf_append_string(out, before);
        if (detail)
            put_subscription(out, subscription, connection);
        else
            jsontext_put_string(out, subscription->subscription.subject);
        before = ",";
    }
    buf_append_byte(out, ']');
}

static void put_connection(struct buf *out, const struct connection *connection,
                           const struct connz_query *query)
{
    int64_t now_ns = server_now_ns();
    buf_printf(out, "{\"cid\":%" PRIu64 ",\"kind\":\"Client\",\"type\":\"nats\"", connection->id);
    monitor_put_string(out, "ip", connection->host);
    buf_printf(out, ",\"port\":%d", connection->port);
    monitor_put_time(out, "start", connection->start_ns);
    monitor_put_time(out, "last_activity", connection->active_ns);
    if (connection->rtt_ns > 0)
        buf_printf(out, ",\"rtt\":\"%.3fms\"", (double)connection->rtt_ns / 1e6);
    monitor_put_span(out, "uptime", now_ns - connection->start_ns);
    monitor_put_span(out, "idle", now_ns - connection->active_ns);
    buf_printf(out, ",\"pending_bytes\":%zu", connection_pending(connection));
    buf_printf(out, ",\"in_msgs\":%" PRIu64 ",\"out_msgs\":%" PRIu64, connection->messages_in,
               connection->messages_out);
    buf_printf(out, ",\"in_bytes\":%" PRIu64 ",\"out_bytes\":%" PRIu64, connection->bytes_in,
               connection->bytes_out);
    buf_printf(out, ",\"subscriptions\":%zu", connection->subscriptions.count);
    monitor_put_string(out, "name", connection->options.name);
    monitor_put_string(out, "lang", connection->options.lang);
    monitor_put_string(out, "version", connection->options.version);
    if (query->auth) {
        monitor_put_string(out, "authorized_user", connection->options.user);
        monitor_put_string(out, "account", account_name(connection->account));
    }
    if (query->subscriptions != SUBSCRIPTIONS_NONE)
        put_subscriptions(out, connection, query->subscriptions == SUBSCRIPTIONS_DETAIL);
    buf_append_byte(out, '}');
}

static bool is_wanted(const struct connection *connection, const struct connz_query *query)
{
    if (connection->closing || (query->cid != 0 && connection->id != query->cid))
        return false;
    return query->account == NULL || *query->account == 0 ||
           strcmp(account_name(connection->account), query->account) == 0;
}

enum status monitor_connz(struct server *server, const struct monitor_query *query, struct buf *out,
                          struct errinfo *err)
{
    struct connz_query wanted;
    order compare = by_cid;
    size_t count = 0;
    enum status status = read_query(query, &wanted, err);
    if (status == STATUS_OK)
        status = find_order(wanted.sort, &compare, err);
    if (status != STATUS_OK)
        return status;
    struct connection **list = malloc((server->connection_count + 1) * sizeof(struct connection *));
    if (list == NULL)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory to list connections");
    // Connections that have ended are not kept: a list of closed ones is empty.
    bool open = wanted.state == NULL || strcmp(wanted.state, "closed") != 0;
    for (struct list *at = server->connections.next; open && at != &server->connections;
         at = at->next) {
        struct connection *connection = LIST_ELEMENT(at, struct connection, link);
        if (is_wanted(connection, &wanted))
            list[count++] = connection;
    }
    qsort(list, count, sizeof(struct connection *), compare);
    size_t from = wanted.offset < count ? (size_t)wanted.offset : count;
    size_t to = count - from > wanted.limit ? from + (size_t)wanted.limit : count;
    monitor_put_head(server, out);
    buf_printf(out,
               ",\"num_connections\":%zu,\"total\":%zu,\"offset\":%" PRIu64 ",\"limit\":%" PRIu64,
               to - from, count, wanted.offset, wanted.limit);
    buf_append_string(out, ",\"connections\":[");
    for (size_t i = from; i < to; i++) {
        buf_append_string(out, i > from ? "," : "");
        put_connection(out, list[i], &wanted);
    }
    buf_append_string(out, "]}");
    free(list);
    return STATUS_OK;
}

// subsz

struct subsz_walk {
    struct buf *out;
    uint64_t at;
    uint64_t from;
    uint64_t to;
    struct bytes test; // a subject that must match; empty for all
    const char *account;
};

static void walk_connection(struct subsz_walk *walk, const struct connection *connection)
{
    size_t at = 0;
    const struct client_subscription *subscription;
    if (walk->account != NULL && strcmp(account_name(connection->account), walk->account) != 0)
        return;
    while ((subscription = map_next(&connection->subscriptions, &at)) != NULL) {
        if (walk->test.size > 0 && !subject_matches(subscription->subscription.subject, walk->test))
            continue;
        if (walk->at >= walk->from && walk->at < walk->to) {
            buf_append_string(walk->out, walk->at > walk->from ? "," : "");
            put_subscription(walk->out, subscription, connection);
        }
        walk->at++;
    }
}

enum status monitor_subsz(struct server *server, const struct monitor_query *query, struct buf *out,
                          struct errinfo *err)
{
    struct sublist_numbers numbers;
    bool subscriptions = false;
    uint64_t offset = 0;
    uint64_t limit = DEFAULT_LIMIT;
    const char *test = query->get(query->context, "test");
    enum status status = monitor_query_switch(query, "subs", &subscriptions, err);
    if (status == STATUS_OK)
        status = monitor_query_number(query, "offset", &offset, err);
    if (status == STATUS_OK)
        status = monitor_query_number(query, "limit", &limit, err);
    if (status == STATUS_OK && test != NULL && *test != 0 &&
        !subject_is_literal(bytes_of_string(test)))
        status = errinfo_set(err, STATUS_INVALID, "invalid test subject, must be a literal one");
    if (status != STATUS_OK)
        return status;
    sublist_numbers_get(account_subscriptions(server->global), &numbers);
    monitor_put_head(server, out);
    buf_printf(out, ",\"num_subscriptions\":%" PRIu64 ",\"num_cache\":0", numbers.subscriptions);
    buf_printf(out,
               ",\"num_inserts\":%" PRIu64 ",\"num_removes\":%" PRIu64 ",\"num_matches\":%" PRIu64,
               numbers.inserts, numbers.removes, numbers.matches);
    buf_append_string(out, ",\"cache_hit_rate\":0,\"max_fanout\":0,\"avg_fanout\":0");
    struct subsz_walk walk = {
        out, 0, offset, offset + limit, bytes_of_string(test), query->get(query->context, "acc")};
    if (subscriptions) {
        buf_append_string(out, ",\"subscriptions_list\":[");
        for (struct list *at = server->connections.next; at != &server->connections; at = at->next)
            walk_connection(&walk, LIST_ELEMENT(at, struct connection, link));
        buf_append_byte(out, ']');
    }
    buf_printf(out, ",\"total\":%" PRIu64 ",\"offset\":%" PRIu64 ",\"limit\":%" PRIu64 "}", walk.at,
               offset, limit);
    return STATUS_OK;
}
