// SPDX-License-Identifier: Apache-2.0
// /jsz: JetStream's streams and consumers.
#include "server/js_consumer.h"
#include "server/monitor.h"
#include "server/server_private.h"
#include "wire/jsontext.h"
#include "wire/stream_info.h"

#include <inttypes.h>

enum { DEFAULT_LIMIT = 1024 };

struct jsz_query {
    bool accounts;
    bool streams;
    bool consumers;
    bool config;
    uint64_t offset;
    uint64_t limit;
    const char *account;
};

static enum status read_query(const struct monitor_query *query, struct jsz_query *to,
                              struct errinfo *err)
{
    *to = (struct jsz_query){.limit = DEFAULT_LIMIT};
    enum status status = monitor_query_switch(query, "accounts", &to->accounts, err);
    if (status == STATUS_OK)
        status = monitor_query_switch(query, "streams", &to->streams, err);
    if (status == STATUS_OK)
        status = monitor_query_switch(query, "consumers", &to->consumers, err);
    if (status == STATUS_OK)
        status = monitor_query_switch(query, "config", &to->config, err);
    if (status == STATUS_OK)
        status = monitor_query_number(query, "offset", &to->offset, err);
    if (status == STATUS_OK)
        status = monitor_query_number(query, "limit", &to->limit, err);
    to->account = query->get(query->context, "acc");
    to->streams = to->streams || to->consumers;
    to->accounts = to->accounts || to->streams || (to->account != NULL && *to->account != 0);
    return status;
}

static void put_consumers(struct js_stream *stream, const struct jsz_query *query, struct buf *out)
{
    const char *before = "";
    buf_append_string(out, ",\"consumer_detail\":[");
    for (struct list *at = stream->consumers.next; at != &stream->consumers; at = at->next) {
        struct js_consumer *consumer = LIST_ELEMENT(at, struct js_consumer, link);
        buf_append_string(out, before);
        buf_append_byte(out, '{');
        js_consumer_put_info(consumer, query->config, out);
        buf_append_byte(out, '}');
        before = ",";
    }
    buf_append_byte(out, ']');
}

static void put_stream(struct js_stream *stream, const struct jsz_query *query, struct buf *out)
{
    struct stream_state state;
    stream_state_get(stream->stream, &state);
    buf_append_string(out, "{\"name\":");
    jsontext_put_string(out, bytes_of_string(stream->name));
    monitor_put_time(out, "created", stream_get_created(stream->stream));
    buf_append_byte(out, ',');
    stream_info_put_state(&state, NULL, out);
    if (query->config) {
        buf_append_string(out, ",\"config\":");
        stream_config_to_json(stream_get_config(stream->stream), out);
    }
    if (query->consumers)
        put_consumers(stream, query, out);
    buf_append_byte(out, '}');
}

static void put_account(struct jetstream *js, const struct jsz_query *query,
                        const struct jetstream_usage *usage, struct buf *out)
{
    uint64_t end = query->offset + query->limit;
    buf_append_string(out, ",\"account_details\":[{\"name\":\"$G\",\"id\":\"$G\"");
    buf_printf(out, ",\"memory\":%" PRIu64 ",\"storage\":%" PRIu64, usage->memory_bytes,
               usage->storage_bytes);
    buf_printf(out, ",\"api\":{\"level\":%d,\"total\":%" PRIu64 ",\"errors\":%" PRIu64 "}",
               JETSTREAM_API_LEVEL, js->api_total, js->api_errors);
    if (query->streams) {
        buf_append_string(out, ",\"stream_detail\":[");
        for (uint64_t i = query->offset; i < end && i < engine_count(js->engine); i++) {
            const char *name = engine_config(js->engine, (size_t)i)->name;
            struct js_stream *stream = js_stream_find(js, bytes_of_string(name));
            if (i > query->offset)
                buf_append_byte(out, ',');
            if (stream != NULL)
                put_stream(stream, query, out);
            else
                buf_append_string(out, "{}");
        }
        buf_append_byte(out, ']');
    }
    buf_append_string(out, "}]");
}

enum status monitor_jsz(struct server *server, const struct monitor_query *query, struct buf *out,
                        struct errinfo *err)
{
    struct jsz_query wanted;
    struct jetstream_usage usage;
    struct jetstream *js = server->jetstream;
    enum status status = read_query(query, &wanted, err);
    if (status != STATUS_OK)
        return status;
    monitor_put_head(server, out);
    if (js == NULL) {
        buf_append_string(out, ",\"disabled\":true}");
        return STATUS_OK;
    }
    jetstream_usage_get(js, &usage);
    buf_printf(out, ",\"config\":{\"max_memory\":%" PRId64 ",\"max_storage\":%" PRId64,
               js->limits.memory_bytes, js->limits.storage_bytes);
    monitor_put_string(out, "store_dir", js->store_path);
    monitor_put_string(out, "domain", js->domain);
    buf_printf(out, ",\"sync_always\":true},\"memory\":%" PRIu64 ",\"storage\":%" PRIu64,
               usage.memory_bytes, usage.storage_bytes);
    buf_append_string(out, ",\"reserved_memory\":0,\"reserved_storage\":0,\"accounts\":1"
                           ",\"ha_assets\":0");
    buf_printf(out, ",\"api\":{\"level\":%d,\"total\":%" PRIu64 ",\"errors\":%" PRIu64 "}",
               JETSTREAM_API_LEVEL, js->api_total, js->api_errors);
    buf_printf(out, ",\"streams\":%zu,\"consumers\":%zu", usage.streams, usage.consumers);
    buf_printf(out, ",\"messages\":%" PRIu64 ",\"bytes\":%" PRIu64, usage.messages,
               usage.memory_bytes + usage.storage_bytes);
    buf_printf(out, ",\"total\":%d", 1);
    if (wanted.accounts)
        put_account(js, &wanted, &usage, out);
    buf_append_byte(out, '}');
    return STATUS_OK;
}
