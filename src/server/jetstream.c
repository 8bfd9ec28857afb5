// SPDX-License-Identifier: Apache-2.0
#include "server/jetstream.h"

#include "base/limits.h"
#include "engine/jserror.h"
#include "server/js_consumer.h"
#include "server/js_source.h"
#include "server/server_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HOLDER_SIZE = 1024 };

static bool has_interest(void *context, struct bytes subject)
{
    struct jetstream *js = context;
    return account_has_interest(js->account, subject);
}

static uint64_t next_random(void *context)
{
    struct jetstream *js = context;
    js->random ^= js->random << 13;
    js->random ^= js->random >> 7;
    js->random ^= js->random << 17;
    return js->random;
}

// What the lock file says of us: the first line for people, the second for other commands.
static enum status say_holder(struct jetstream *js, const char *url, struct errinfo *err)
{
    char text[HOLDER_SIZE];
    snprintf(text, sizeof text, "agog serve, process %ld%s%s%s", (long)getpid(),
             url == NULL ? "" : ", at ", url == NULL ? "" : url, url == NULL ? "" : "\n");
    size_t size = strlen(text);
    if (url != NULL)
        snprintf(text + size, sizeof text - size, "url %s\n", url);
    return storedir_holder_set(js->store, text, err);
}

enum status jetstream_announce(struct jetstream *js, const char *url, struct errinfo *err)
{
    return say_holder(js, url, err);
}

static enum status open_store(struct jetstream *js, struct errinfo *err)
{
    struct storedir_options options = {
        .create = true,
        .holder = "agog serve, starting",
        .lock_wait_ms = js->server->options->lock_wait_ms,
    };
    enum status status = storedir_open(&js->store, host_posix(), js->store_path, &options, err);
    if (status == STATUS_OK)
        status = engine_open(&js->engine, host_posix(), js->store, err);
    return status;
}

// A stream that cannot be opened is named and left alone; the others are served.
static enum status attach_all(struct jetstream *js, struct errinfo *err)
{
    for (size_t i = 0; i < engine_count(js->engine); i++) {
        struct js_stream *stream;
        const char *name = engine_config(js->engine, i)->name;
        enum status status = js_stream_attach(js, bytes_of_string(name), &stream, err);
        if (status == STATUS_NO_MEMORY)
            return status;
        if (status != STATUS_OK)
            serverlog_write(js->server->log, SERVERLOG_ERROR, "stream %s is not served: %s", name,
                            err->text);
    }
    return STATUS_OK;
}

static enum status serve_all(struct jetstream *js, struct errinfo *err)
{
    enum status status = jetstream_serve_api(js, err);
    if (status == STATUS_OK)
        status = jetstream_serve_direct(js, err);
    if (status == STATUS_OK)
        status = jetstream_serve_consumers(js, err);
    account_watch_interest(js->account, jetstream_interest_changed, js);
    return status;
}

enum status jetstream_open(struct jetstream **out, struct server *server, struct account *account,
                           struct errinfo *err)
{
    const struct server_options *options = server->options;
    struct jetstream *js = calloc(1, sizeof *js);
    if (js == NULL)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory for JetStream");
    js->server = server;
    js->account = account;
    js->random = (uint64_t)server_now_ns() | 1;
    js->world = (struct consumer_world){js, has_interest, next_random};
    js->limits = (struct js_limits){options->max_memory_store, options->max_file_store, -1, -1};
    js->domain = options->jetstream_domain;
    js->store_path = strdup(options->store_dir);
    map_init(&js->streams, (uint64_t)server->start_ns);
    list_init(&js->dirty);
    list_init(&js->ready);
    list_init(&js->stalled);
    buf_init(&js->storage, LIMIT_RECORD_BYTES);
    enum status status = js->store_path == NULL
                             ? errinfo_set(err, STATUS_NO_MEMORY, "no memory for JetStream")
                             : open_store(js, err);
    if (status == STATUS_OK)
        status = attach_all(js, err);
    if (status == STATUS_OK)
        status = serve_all(js, err);
    if (status != STATUS_OK) {
        jetstream_close(js);
        return status;
    }
    *out = js;
    return STATUS_OK;
}

void jetstream_settle(struct jetstream *js)
{
    size_t at = 0;
    struct js_stream *stream;
    while ((stream = map_next(&js->streams, &at)) != NULL)
        js_stream_settle(stream);
}

void jetstream_close(struct jetstream *js)
{
    size_t at;
    struct js_stream *stream;
    if (js == NULL)
        return;
    for (size_t i = 0; i < js->service_count; i++)
        account_unserve(&js->services[i]);
    while (at = 0, (stream = map_next(&js->streams, &at)) != NULL)
        js_stream_detach(stream);
    // What the pool and the loop still hold of the streams is given back.
    while (js->held > 0)
        uv_run(&js->server->loop, UV_RUN_ONCE);
    engine_close(js->engine);
    storedir_close(js->store);
    map_fini(&js->streams);
    buf_fini(&js->storage);
    free(js->store_path);
    free(js);
}

enum status jetstream_serve(struct jetstream *js, const char *subject, service_handler handler,
                            struct errinfo *err)
{
    enum status status;
    if (js->service_count == JETSTREAM_SERVICES_MAX)
        return errinfo_set(err, STATUS_BUG, "more services than there is room for");
    status = account_serve(js->account, &js->services[js->service_count], subject, handler, js);
    if (status != STATUS_OK)
        return errinfo_set(err, status, "no memory for JetStream");
    js->service_count++;
    return STATUS_OK;
}

enum status jetstream_serve_api_subject(struct jetstream *js, const char *rest,
                                        service_handler handler, struct errinfo *err)
{
    char subject[512];
    snprintf(subject, sizeof subject, "$JS.API.%s", rest);
    enum status status = jetstream_serve(js, subject, handler, err);
    if (status != STATUS_OK || js->domain == NULL)
        return status;
    snprintf(subject, sizeof subject, "$JS.%s.API.%s", js->domain, rest);
    return jetstream_serve(js, subject, handler, err);
}

struct bytes jetstream_api_rest(const struct jetstream *js, struct bytes subject)
{
    static const char prefix[] = "$JS.API.";
    if (bytes_start_with(subject, BYTES(prefix)) || js->domain == NULL)
        return bytes_from(subject, strlen(prefix));
    return bytes_from(subject, strlen("$JS.") + strlen(js->domain) + strlen(".API."));
}

// The turn

void jetstream_turn(struct jetstream *js)
{
    struct list dirty;
    list_move(&dirty, &js->dirty);
    while (!list_is_empty(&dirty)) {
        struct js_stream *stream = LIST_ELEMENT(dirty.next, struct js_stream, dirty);
        list_take_out(&stream->dirty);
        list_append(&js->dirty, &stream->dirty);
        // One that is being written comes around again when that is done.
        if (stream->commit == NULL)
            js_stream_commit(stream);
    }
    jetstream_deliver_ready(js);
}

void jetstream_drained(struct jetstream *js)
{
    if (list_is_empty(&js->stalled))
        return;
    struct list stalled;
    list_move(&stalled, &js->stalled);
    while (!list_is_empty(&stalled)) {
        struct list *link = stalled.next;
        list_take_out(link);
        list_append(&js->ready, link);
    }
    server_more(js->server);
}

// Limits and numbers

void jetstream_usage_get(struct jetstream *js, struct jetstream_usage *usage)
{
    size_t at = 0;
    struct js_stream *stream;
    *usage = (struct jetstream_usage){.streams = js->streams.count};
    while ((stream = map_next(&js->streams, &at)) != NULL) {
        struct stream_state state;
        stream_state_get(stream->stream, &state);
        if (stream_get_config(stream->stream)->storage == STREAM_STORE_MEMORY)
            usage->memory_bytes += state.bytes;
        else
            usage->storage_bytes += state.bytes;
        usage->consumers += (size_t)state.consumers;
        usage->messages += state.messages;
    }
}

const char *jetstream_broken(struct jetstream *js)
{
    size_t at = 0;
    struct js_stream *stream;
    if (js->streams.count < engine_count(js->engine))
        return "a stream could not be opened; agog doctor says which";
    while ((stream = map_next(&js->streams, &at)) != NULL) {
        struct msglog_state state;
        msglog_state_get(stream_get_log(stream->stream), &state);
        if (!state.read_only)
            continue;
        snprintf(js->broken, sizeof js->broken, "stream %s is read-only after a failed write",
                 stream->name);
        return js->broken;
    }
    return NULL;
}

static bool exceeds(int64_t wanted, int64_t limit)
{
    return limit >= 0 && wanted > limit;
}

enum status jetstream_check_config(struct jetstream *js, const struct stream_config *config,
                                   struct errinfo *err)
{
    bool memory = config->storage == STREAM_STORE_MEMORY;
    bool is_new = js_stream_find(js, bytes_of_string(config->name)) == NULL;
    if (is_new && js->limits.streams >= 0 && (int64_t)js->streams.count >= js->limits.streams)
        return errinfo_set_code(err, STATUS_LIMIT, JSERROR_MAXIMUM_STREAMS,
                                "maximum number of streams reached");
    if (memory && exceeds(config->max_bytes, js->limits.memory_bytes))
        return errinfo_set_code(err, STATUS_LIMIT, JSERROR_MEMORY_EXCEEDED,
                                "insufficient memory resources available");
    if (!memory && exceeds(config->max_bytes, js->limits.storage_bytes))
        return errinfo_set_code(err, STATUS_LIMIT, JSERROR_STORAGE_EXCEEDED,
                                "insufficient storage resources available");
    return STATUS_OK;
}
