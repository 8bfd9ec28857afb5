// SPDX-License-Identifier: Apache-2.0
// Streams as a whole, through JetStream's API.
#include "bus/bus_nats_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A call about one stream. what is the text for errors, "reading stream".
struct about {
    const char *words; // "STREAM.INFO."
    const char *stream;
    const char *what;
    enum nats_repeat repeat;
};

static enum status call(struct nats_bus *self, const struct about *about, json_t *body,
                        json_t **answer, struct errinfo *err)
{
    char verb[NATS_SUBJECT_SIZE];
    char what[BUS_STREAM_NAME_SIZE + 64];
    enum status status = bus_nats_verb(about->words, about->stream, verb, err);
    if (status != STATUS_OK) {
        json_decref(body);
        return status;
    }
    snprintf(what, sizeof what, "%s %s", about->what, about->stream);
    struct nats_api api = {verb, body, bus_nats_call_of(self, what, about->repeat)};
    return bus_nats_api(self, &api, answer, err);
}

static enum status no_memory(struct errinfo *err, const char *stream)
{
    return errinfo_set(err, STATUS_NO_MEMORY, "no memory for stream %s", stream);
}

static enum status config_json(const struct stream_config *config, json_t **out,
                               struct errinfo *err)
{
    struct buf text;
    buf_init(&text, SIZE_MAX);
    enum status status = stream_config_to_json(config, &text);
    if (status == STATUS_OK) {
        *out = json_loadb(text.data, text.size, 0, NULL);
        status = *out == NULL ? STATUS_NO_MEMORY : STATUS_OK;
    }
    buf_fini(&text);
    if (status == STATUS_INVALID)
        return errinfo_set_code(err, status, CODE_INVALID_CONFIG,
                                "the stream's configuration is not UTF-8");
    return status == STATUS_OK ? status : no_memory(err, config->name);
}

static enum status info_json(struct nats_bus *self, const char *stream, json_t **answer,
                             struct errinfo *err)
{
    struct about about = {"STREAM.INFO.", stream, "looking at stream", NATS_REPEATABLE};
    return call(self, &about, NULL, answer, err);
}

// Whether a stream was made is not told by every server (2.9 says so of any), so it is looked for
// first. Two who create it at once may then both have done so, which harms nobody.
enum status bus_nats_stream_create(struct bus *bus, const struct stream_config *config,
                                   bool *created, struct errinfo *err)
{
    struct nats_bus *self = nats_of(bus);
    json_t *body = NULL;
    json_t *answer = NULL;
    struct errinfo why;
    struct about about = {"STREAM.CREATE.", config->name, "creating stream", NATS_REPEATABLE};
    errinfo_clear(&why);
    enum status looked = info_json(self, config->name, &answer, &why);
    json_decref(answer);
    answer = NULL;
    if (looked != STATUS_OK && looked != STATUS_NOT_FOUND) {
        if (err != NULL)
            *err = why;
        return looked;
    }
    enum status status = config_json(config, &body, err);
    if (status == STATUS_OK)
        status = call(self, &about, body, &answer, err);
    if (status == STATUS_OK)
        *created = looked == STATUS_NOT_FOUND;
    json_decref(answer);
    return status;
}

// Settings that we do not know (placement, sources, compression) stay what they are.
enum status bus_nats_stream_update(struct bus *bus, const struct stream_config *config,
                                   struct errinfo *err)
{
    struct nats_bus *self = nats_of(bus);
    json_t *ours = NULL;
    json_t *is = NULL;
    json_t *answer = NULL;
    struct about about = {"STREAM.UPDATE.", config->name, "changing stream", NATS_REPEATABLE};
    enum status status = config_json(config, &ours, err);
    if (status == STATUS_OK)
        status = info_json(self, config->name, &is, err);
    json_t *body = json_deep_copy(json_object_get(is, "config"));
    if (status == STATUS_OK && (body == NULL || json_object_update(body, ours) != 0))
        status = no_memory(err, config->name);
    if (status == STATUS_OK)
        status = call(self, &about, json_incref(body), &answer, err);
    json_decref(body);
    json_decref(ours);
    json_decref(is);
    json_decref(answer);
    return status;
}

enum status bus_nats_stream_delete(struct bus *bus, const char *stream, struct errinfo *err)
{
    json_t *answer = NULL;
    struct about about = {"STREAM.DELETE.", stream, "deleting stream", NATS_ONCE};
    enum status status = call(nats_of(bus), &about, NULL, &answer, err);
    json_decref(answer);
    return status;
}

static enum status read_info(const json_t *json, struct stream_info *info, struct errinfo *err)
{
    char *text = json_dumps(json, JSON_COMPACT);
    if (text == NULL)
        return no_memory(err, "");
    enum status status = stream_info_from_json(info, bytes_of_string(text), err);
    free(text);
    return status;
}

enum status bus_nats_stream_info(struct bus *bus, const char *stream, struct stream_info *info,
                                 struct errinfo *err)
{
    json_t *answer = NULL;
    struct stream_info read;
    memset(&read, 0, sizeof read);
    stream_config_init(&read.config);
    enum status status = info_json(nats_of(bus), stream, &answer, err);
    if (status == STATUS_OK)
        status = read_info(answer, &read, err);
    json_decref(answer);
    if (status == STATUS_OK)
        *info = read;
    else
        stream_config_fini(&read.config);
    return status;
}

// Collects the pages of $JS.API.STREAM.LIST as one array.
static enum status list(struct nats_bus *self, json_t *all, struct errinfo *err)
{
    size_t total;
    do {
        json_t *answer = NULL;
        struct nats_api api = {"STREAM.LIST",
                               json_pack("{s:I}", "offset", (json_int_t)json_array_size(all)),
                               bus_nats_call_of(self, "listing streams", NATS_REPEATABLE)};
        enum status status = bus_nats_api(self, &api, &answer, err);
        if (status != STATUS_OK)
            return status;
        const json_t *page = json_object_get(answer, "streams");
        const json_t *missing = json_object_get(answer, "missing");
        size_t got = json_array_size(page);
        total = (size_t)json_integer_value(json_object_get(answer, "total"));
        if (json_array_size(missing) > 0) {
            char quoted[ERRINFO_QUOTED_MAX];
            const char *name = json_string_value(json_array_get(missing, 0));
            status = errinfo_set(err, STATUS_UNAVAILABLE,
                                 "%zu streams have no leader at the moment, %s among them: look at "
                                 "the cluster's servers",
                                 json_array_size(missing),
                                 errinfo_quote(bytes_of_string(name), quoted));
        } else if (got > 0 && json_array_extend(all, (json_t *)(uintptr_t)page) != 0) {
            status = no_memory(err, "lists");
        }
        json_decref(answer);
        if (status != STATUS_OK || got == 0)
            return status;
    } while (json_array_size(all) < total);
    return STATUS_OK;
}

static const char *name_of(const json_t *info)
{
    const char *name = json_string_value(json_object_get(json_object_get(info, "config"), "name"));
    return name == NULL ? "" : name;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(name_of(*(json_t *const *)a), name_of(*(json_t *const *)b));
}

enum status bus_nats_stream_names(struct bus *bus, bus_visit_name visit, void *context,
                                  struct errinfo *err)
{
    json_t *all = json_array();
    json_t **sorted = NULL;
    enum status status = all == NULL ? no_memory(err, "lists") : list(nats_of(bus), all, err);
    size_t count = json_array_size(all);
    if (status == STATUS_OK) {
        sorted = calloc(count + 1, sizeof(json_t *));
        status = sorted == NULL ? no_memory(err, "lists") : STATUS_OK;
    }
    for (size_t i = 0; status == STATUS_OK && i < count; i++)
        sorted[i] = json_array_get(all, i);
    if (status == STATUS_OK)
        qsort(sorted, count, sizeof(json_t *), by_name);
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        const json_t *state = json_object_get(sorted[i], "state");
        status = visit(context, bytes_of_string(name_of(sorted[i])),
                       (uint64_t)json_integer_value(json_object_get(state, "messages")));
    }
    free(sorted);
    json_decref(all);
    return status;
}

enum status bus_nats_stream_purge(struct bus *bus, const char *stream,
                                  const struct bus_purge *purge, uint64_t *purged,
                                  struct errinfo *err)
{
    json_t *answer = NULL;
    json_t *body = json_object();
    struct about about = {"STREAM.PURGE.", stream, "purging stream", NATS_ONCE};
    if (body != NULL && purge->filter.size > 0)
        json_object_set_new(body, "filter", json_stringn(purge->filter.data, purge->filter.size));
    if (body != NULL && purge->up_to_seq > 0)
        json_object_set_new(body, "seq", json_integer((json_int_t)purge->up_to_seq));
    if (body != NULL && purge->keep > 0)
        json_object_set_new(body, "keep", json_integer((json_int_t)purge->keep));
    if (body == NULL || (purge->filter.size > 0 && json_object_get(body, "filter") == NULL)) {
        // A filter that got lost would purge everything.
        json_decref(body);
        return errinfo_set(err, STATUS_INVALID, "the filter of a purge is not UTF-8");
    }
    enum status status = call(nats_of(bus), &about, body, &answer, err);
    if (status == STATUS_OK)
        *purged = (uint64_t)json_integer_value(json_object_get(answer, "purged"));
    json_decref(answer);
    return status;
}

enum status bus_nats_message_delete(struct bus *bus, const char *stream, uint64_t seq, bool erase,
                                    struct errinfo *err)
{
    json_t *answer = NULL;
    struct about about = {"STREAM.MSG.DELETE.", stream, "deleting a message of stream", NATS_ONCE};
    json_t *body = json_pack("{s:I, s:b}", "seq", (json_int_t)seq, "no_erase", !erase);
    enum status status = call(nats_of(bus), &about, body, &answer, err);
    json_decref(answer);
    return status;
}
