// SPDX-License-Identifier: Apache-2.0
// JetStream's API: the account, and streams as a whole.
#include "engine/jserror.h"
#include "server/advisory.h"
#include "server/js_api.h"
#include "server/js_metadata.h"
#include "server/js_source.h"
#include "server/server_private.h"
#include "wire/jsontext.h"
#include "wire/stream_info.h"
#include "wire/subject.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

// nats-server's sizes of a page
enum { NAMES_PAGE = 1024, LIST_PAGE = 256, SUBJECTS_PAGE = 100000, DELETED_MAX = 1000000 };

// The account

static enum status account_info(struct js_call *call, struct errinfo *err)
{
    struct jetstream *js = call->js;
    struct jetstream_usage usage;
    struct buf *out = &call->out;
    (void)err;
    jetstream_usage_get(js, &usage);
    buf_printf(out, ",\"memory\":%" PRIu64 ",\"storage\":%" PRIu64, usage.memory_bytes,
               usage.storage_bytes);
    buf_append_string(out, ",\"reserved_memory\":0,\"reserved_storage\":0");
    buf_printf(out, ",\"streams\":%zu,\"consumers\":%zu", usage.streams, usage.consumers);
    buf_printf(out, ",\"limits\":{\"max_memory\":%" PRId64 ",\"max_storage\":%" PRId64,
               js->limits.memory_bytes, js->limits.storage_bytes);
    buf_printf(out, ",\"max_streams\":%" PRId64 ",\"max_consumers\":%" PRId64, js->limits.streams,
               js->limits.consumers);
    buf_append_string(out, ",\"max_ack_pending\":-1,\"memory_max_stream_bytes\":-1"
                           ",\"storage_max_stream_bytes\":-1,\"max_bytes_required\":false}");
    if (js->domain != NULL) {
        buf_append_string(out, ",\"domain\":");
        jsontext_put_string(out, bytes_of_string(js->domain));
    }
    buf_printf(out, ",\"api\":{\"level\":%d,\"total\":%" PRIu64 ",\"errors\":%" PRIu64 "}",
               JETSTREAM_API_LEVEL, js->api_total, js->api_errors);
    return STATUS_OK;
}

// Making and changing

// Reads the configuration, whose name must be the subject's.
static enum status read_config(struct js_call *call, struct stream_config *config,
                               struct errinfo *err)
{
    stream_config_init(config);
    enum status status = stream_config_from_json(config, call->message->body, err);
    if (status != STATUS_OK)
        return status;
    if (config->name == NULL || !bytes_equal(bytes_of_string(config->name), call->tokens[0]))
        return errinfo_set_code(err, STATUS_INVALID, JSERROR_STREAM_MISMATCH,
                                "stream name in subject does not match request");
    return STATUS_OK;
}

static enum status put_info(struct js_call *call, struct js_stream *stream,
                            struct stream_info_details *details, struct errinfo *err)
{
    struct stream_info info = {.config = *stream_get_config(stream->stream),
                               .created_ns = stream_get_created(stream->stream)};
    struct buf more;
    stream_state_get(stream->stream, &info.state);
    buf_init(&more, call->out.max);
    js_source_put_info(stream, &more);
    buf_append_string(&more, ",\"ts\":");
    jsontext_put_time(&more, server_now_ns());
    details->more = buf_bytes(&more);
    char *metadata = js_metadata_of_stream(&info.config);
    info.config.metadata = metadata;
    enum status status = stream_info_put_members(&info, details, &call->out);
    free(metadata);
    buf_fini(&more);
    if (status != STATUS_OK)
        return errinfo_set_code(err, status, JSERROR_INSUFFICIENT_RESOURCES,
                                "insufficient resources");
    return STATUS_OK;
}

static enum status put_new_info(struct js_call *call, struct js_stream *stream, struct errinfo *err)
{
    struct stream_info_details details = {0};
    buf_append_byte(&call->out, ',');
    return put_info(call, stream, &details, err);
}

static enum status attach_created(struct js_call *call, struct js_stream **stream,
                                  struct errinfo *err)
{
    enum status status = js_stream_attach(call->js, call->tokens[0], stream, err);
    struct errinfo ignored;
    if (status != STATUS_OK)
        engine_delete(call->js->engine, call->tokens[0], &ignored);
    return status;
}

static enum status stream_create_call(struct js_call *call, struct errinfo *err)
{
    struct jetstream *js = call->js;
    struct stream_config config;
    struct js_stream *stream = NULL;
    bool created = false;
    enum status status = read_config(call, &config, err);
    if (status == STATUS_OK)
        status = jetstream_check_config(js, &config, err);
    if (status == STATUS_OK)
        status = engine_create(js->engine, &config, server_now_ns(), &created, err);
    if (status == STATUS_OK && created)
        status = attach_created(call, &stream, err);
    else if (status == STATUS_OK)
        status = js_call_stream(call, &stream, err);
    stream_config_fini(&config);
    if (status != STATUS_OK)
        return status;
    if (created)
        advisory_stream(js, stream->name, "CREATED", "create");
    status = put_new_info(call, stream, err);
    if (created)
        buf_append_string(&call->out, ",\"did_create\":true");
    return status;
}

static enum status stream_update_call(struct js_call *call, struct errinfo *err)
{
    struct jetstream *js = call->js;
    struct stream_config config;
    struct js_stream *stream;
    enum status status = js_call_stream(call, &stream, err);
    if (status != STATUS_OK)
        return status;
    status = read_config(call, &config, err);
    if (status == STATUS_OK)
        status = jetstream_check_config(js, &config, err);
    if (status == STATUS_OK) {
        js_stream_settle(stream);
        status = engine_update(js->engine, &config, server_now_ns(), err);
    }
    stream_config_fini(&config);
    if (status == STATUS_OK)
        status = js_stream_listen(stream, err);
    if (status == STATUS_OK)
        status = js_source_restart(stream, err);
    if (status != STATUS_OK)
        return status;
    // Whatever new limits have removed.
    js_stream_touch(stream);
    advisory_stream(js, stream->name, "UPDATED", "modify");
    return put_new_info(call, stream, err);
}

static enum status stream_delete_call(struct js_call *call, struct errinfo *err)
{
    struct jetstream *js = call->js;
    struct js_stream *stream;
    struct errinfo ignored;
    enum status status = js_call_stream(call, &stream, err);
    if (status != STATUS_OK)
        return status;
    js_stream_detach(stream);
    status = engine_delete(js->engine, call->tokens[0], err);
    if (status != STATUS_OK) {
        js_stream_attach(js, call->tokens[0], &stream, &ignored);
        return status;
    }
    advisory_stream(js, stream->name, "DELETED", "delete");
    buf_append_string(&call->out, ",\"success\":true");
    return STATUS_OK;
}

static enum status stream_purge_call(struct js_call *call, struct errinfo *err)
{
    struct js_stream *stream;
    struct stream_purge purge = {0};
    uint64_t purged = 0;
    enum status status = js_call_stream(call, &stream, err);
    if (status == STATUS_OK)
        status = js_call_string(call, "filter", &purge.filter, err);
    if (status == STATUS_OK)
        status = js_call_u64(call, "seq", &purge.up_to_seq, err);
    if (status == STATUS_OK)
        status = js_call_u64(call, "keep", &purge.keep, err);
    if (status == STATUS_OK && purge.up_to_seq > 0 && purge.keep > 0)
        status = errinfo_set_code(err, STATUS_INVALID, JSERROR_BAD_REQUEST, "bad request");
    if (status == STATUS_OK)
        status = stream_purge(stream->stream, &purge, &purged, err);
    if (status != STATUS_OK)
        return status;
    js_stream_touch(stream);
    call->commit = stream;
    buf_printf(&call->out, ",\"success\":true,\"purged\":%" PRIu64, purged);
    return STATUS_OK;
}

// Looking

struct subjects_page {
    struct buf *out;
    uint64_t at;
    uint64_t from;
    uint64_t to;
};

static enum status put_subject(void *context, struct bytes subject, uint64_t count)
{
    struct subjects_page *page = context;
    if (page->at >= page->from && page->at < page->to) {
        buf_append_byte(page->out, page->at == page->from ? '{' : ',');
        jsontext_put_string(page->out, subject);
        buf_printf(page->out, ":%" PRIu64, count);
    }
    page->at++;
    return STATUS_OK;
}

// The page of subjects that the request asks for; *page says how many there are in all.
static enum status put_subjects(struct js_call *call, struct js_stream *stream, struct bytes filter,
                                struct buf *out, struct js_page *page, struct errinfo *err)
{
    uint64_t offset = 0;
    enum status status = js_call_u64(call, "offset", &offset, err);
    struct subjects_page walk = {out, 0, offset, offset + SUBJECTS_PAGE};
    if (status == STATUS_OK)
        status = stream_subjects(stream->stream, filter, put_subject, &walk, err);
    if (status != STATUS_OK)
        return status;
    if (out->size > 0)
        buf_append_byte(out, '}');
    *page = (struct js_page){(size_t)walk.at, (size_t)offset, (size_t)walk.to, SUBJECTS_PAGE};
    return STATUS_OK;
}

static enum status put_details(struct js_call *call, struct js_stream *stream,
                               struct stream_info_details *details, struct errinfo *err)
{
    bool deleted_details = false;
    struct stream_state state;
    uint64_t *deleted = NULL;
    enum status status = js_call_bool(call, "deleted_details", &deleted_details, err);
    if (status != STATUS_OK)
        return status;
    stream_state_get(stream->stream, &state);
    if (deleted_details && state.num_deleted > 0) {
        size_t most = state.num_deleted < DELETED_MAX ? (size_t)state.num_deleted : DELETED_MAX;
        deleted = calloc(most, sizeof *deleted);
        if (deleted == NULL)
            return errinfo_set_code(err, STATUS_NO_MEMORY, JSERROR_INSUFFICIENT_RESOURCES,
                                    "insufficient resources");
        details->deleted = deleted;
        details->deleted_count = stream_deleted(stream->stream, deleted, most);
    }
    status = put_info(call, stream, details, err);
    free(deleted);
    return status;
}

static enum status stream_info_call(struct js_call *call, struct errinfo *err)
{
    struct js_stream *stream;
    struct bytes filter = {NULL, 0};
    struct js_page page = {0};
    struct stream_info_details details = {0};
    struct buf subjects;
    enum status status = js_call_stream(call, &stream, err);
    if (status == STATUS_OK)
        status = js_call_string(call, "subjects_filter", &filter, err);
    if (status != STATUS_OK)
        return status;
    buf_init(&subjects, call->out.max);
    // Of a subject whose last message is only staged the one before is gone already.
    if (filter.size > 0)
        js_stream_settle(stream);
    if (filter.size > 0)
        status = put_subjects(call, stream, filter, &subjects, &page, err);
    details.subjects = buf_bytes(&subjects);
    if (filter.size > 0)
        js_call_put_page(call, &page);
    buf_append_byte(&call->out, ',');
    if (status == STATUS_OK)
        status = put_details(call, stream, &details, err);
    buf_fini(&subjects);
    return status;
}

static bool listens_for(const struct stream_config *config, struct bytes filter)
{
    for (size_t i = 0; i < config->subject_count; i++)
        if (subject_overlaps(bytes_of_string(config->subjects[i]), filter))
            return true;
    return filter.size == 0;
}

// The streams, in order of their names, that listen to what the request asks for. The caller frees.
static enum status matching_streams(struct js_call *call, struct js_stream ***streams,
                                    size_t *count, struct errinfo *err)
{
    struct engine *engine = call->js->engine;
    struct bytes filter = {NULL, 0};
    size_t all = engine_count(engine);
    size_t found = 0;
    enum status status = js_call_string(call, "subject", &filter, err);
    struct js_stream **list = calloc(all + 1, sizeof(struct js_stream *));
    if (list == NULL)
        status = errinfo_set_code(err, STATUS_NO_MEMORY, JSERROR_INSUFFICIENT_RESOURCES,
                                  "insufficient resources");
    for (size_t i = 0; status == STATUS_OK && i < all; i++) {
        const struct stream_config *config = engine_config(engine, i);
        struct js_stream *stream = js_stream_find(call->js, bytes_of_string(config->name));
        if (stream != NULL && listens_for(config, filter))
            list[found++] = stream;
    }
    if (status != STATUS_OK) {
        free(list);
        return status;
    }
    *streams = list;
    *count = found;
    return STATUS_OK;
}

static enum status list_streams(struct js_call *call, size_t limit, bool whole, struct errinfo *err)
{
    struct js_stream **streams;
    struct js_page page = {0};
    size_t count;
    enum status status = matching_streams(call, &streams, &count, err);
    if (status != STATUS_OK)
        return status;
    status = js_call_page(call, count, limit, &page, err);
    if (status == STATUS_OK)
        js_call_put_page(call, &page);
    buf_append_string(&call->out, ",\"streams\":[");
    for (size_t i = page.from; status == STATUS_OK && i < page.to; i++) {
        struct stream_info_details details = {0};
        if (i > page.from)
            buf_append_byte(&call->out, ',');
        if (!whole) {
            jsontext_put_string(&call->out, bytes_of_string(streams[i]->name));
            continue;
        }
        buf_append_byte(&call->out, '{');
        status = put_info(call, streams[i], &details, err);
        buf_append_byte(&call->out, '}');
    }
    buf_append_byte(&call->out, ']');
    free(streams);
    return status;
}

static enum status stream_names_call(struct js_call *call, struct errinfo *err)
{
    return list_streams(call, NAMES_PAGE, false, err);
}

static enum status stream_list_call(struct js_call *call, struct errinfo *err)
{
    return list_streams(call, LIST_PAGE, true, err);
}

// What only a cluster has

static enum status needs_cluster(struct js_call *call, struct errinfo *err)
{
    (void)call;
    return errinfo_set_code(err, STATUS_UNAVAILABLE, JSERROR_CLUSTER_REQUIRED,
                            "JetStream clustering support required");
}

const struct js_route js_stream_routes[] = {
    {"INFO", "account_info_response", JS_BODY_IGNORED, account_info},
    {"STREAM.CREATE.*", "stream_create_response", JS_BODY_RAW, stream_create_call},
    {"STREAM.UPDATE.*", "stream_update_response", JS_BODY_RAW, stream_update_call},
    {"STREAM.DELETE.*", "stream_delete_response", JS_BODY_NONE, stream_delete_call},
    {"STREAM.PURGE.*", "stream_purge_response", JS_BODY_OPTIONAL, stream_purge_call},
    {"STREAM.INFO.*", "stream_info_response", JS_BODY_OPTIONAL, stream_info_call},
    {"STREAM.NAMES", "stream_names_response", JS_BODY_OPTIONAL, stream_names_call},
    {"STREAM.LIST", "stream_list_response", JS_BODY_OPTIONAL, stream_list_call},
    {"STREAM.LEADER.STEPDOWN.*", "stream_leader_stepdown_response", JS_BODY_IGNORED, needs_cluster},
    {"STREAM.PEER.REMOVE.*", "stream_remove_peer_response", JS_BODY_IGNORED, needs_cluster},
    {"CONSUMER.LEADER.STEPDOWN.*.*", "consumer_leader_stepdown_response", JS_BODY_IGNORED,
     needs_cluster},
    {"META.LEADER.STEPDOWN", "meta_leader_stepdown_response", JS_BODY_IGNORED, needs_cluster},
    {"SERVER.REMOVE", "meta_server_remove_response", JS_BODY_IGNORED, needs_cluster},
    {"ACCOUNT.PURGE.*", "account_purge_response", JS_BODY_IGNORED, needs_cluster},
};
const size_t js_stream_route_count = sizeof js_stream_routes / sizeof js_stream_routes[0];
