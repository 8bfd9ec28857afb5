// SPDX-License-Identifier: Apache-2.0
#include "wire/stream_info.h"

#include "base/clock.h"
#include "wire/jsontext.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

static void put_time(struct buf *out, const char *key, int64_t time_ns)
{
    buf_printf(out, "\"%s\":", key);
    jsontext_put_time(out, time_ns);
    buf_append_byte(out, ',');
}

static void put_unless_zero(struct buf *out, const char *key, uint64_t number)
{
    if (number != 0)
        buf_printf(out, "\"%s\":%" PRIu64 ",", key, number);
}

static void put_deleted(struct buf *out, const uint64_t *deleted, size_t count)
{
    if (count == 0)
        return;
    buf_append_string(out, "\"deleted\":");
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "%c%" PRIu64, i == 0 ? '[' : ',', deleted[i]);
    buf_append_string(out, "],");
}

static const struct stream_info_details no_details;

void stream_info_put_state(const struct stream_state *state,
                           const struct stream_info_details *details, struct buf *out)
{
    if (details == NULL)
        details = &no_details;
    buf_printf(out, "\"state\":{\"messages\":%" PRIu64 ",\"bytes\":%" PRIu64, state->messages,
               state->bytes);
    buf_printf(out, ",\"first_seq\":%" PRIu64 ",", state->first_seq);
    put_time(out, "first_ts", state->first_time_ns);
    buf_printf(out, "\"last_seq\":%" PRIu64 ",", state->last_seq);
    put_time(out, "last_ts", state->last_time_ns);
    put_unless_zero(out, "num_subjects", state->num_subjects);
    put_unless_zero(out, "num_deleted", state->num_deleted);
    put_deleted(out, details->deleted, details->deleted_count);
    if (details->subjects.size > 0) {
        buf_append_string(out, "\"subjects\":");
        buf_append(out, details->subjects);
        buf_append_byte(out, ',');
    }
    buf_printf(out, "\"consumer_count\":%" PRIu64 "}", state->consumers);
}

enum status stream_info_put_members(const struct stream_info *info,
                                    const struct stream_info_details *details, struct buf *out)
{
    if (details == NULL)
        details = &no_details;
    buf_append_string(out, "\"config\":");
    enum status status = stream_config_to_json(&info->config, out);
    if (status != STATUS_OK)
        return status;
    buf_append_byte(out, ',');
    put_time(out, "created", info->created_ns);
    stream_info_put_state(&info->state, details, out);
    buf_append(out, details->more);
    return buf_status(out);
}

enum status stream_info_to_json(const struct stream_info *info,
                                const struct stream_info_details *details, struct buf *out)
{
    buf_append_byte(out, '{');
    enum status status = stream_info_put_members(info, details, out);
    buf_append_byte(out, '}');
    return status == STATUS_OK ? buf_status(out) : status;
}

static enum status invalid(const char *key, struct errinfo *err)
{
    return errinfo_set(err, STATUS_INVALID, "not a stream info: %s is missing or of the wrong type",
                       key);
}

static enum status read_number(const json_t *object, const char *key, uint64_t *number,
                               struct errinfo *err)
{
    const json_t *value = json_object_get(object, key);
    if (value == NULL)
        return STATUS_OK;
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return invalid(key, err);
    *number = (uint64_t)json_integer_value(value);
    return STATUS_OK;
}

// A time that nanoseconds since 1970 cannot hold, the zero time among them, is 0.
static enum status read_time(const json_t *object, const char *key, int64_t *time_ns,
                             struct errinfo *err)
{
    const json_t *value = json_object_get(object, key);
    if (value == NULL)
        return STATUS_OK;
    if (!json_is_string(value))
        return invalid(key, err);
    if (!clock_parse(bytes_of_string(json_string_value(value)), time_ns))
        *time_ns = 0;
    return STATUS_OK;
}

static enum status read_state(const json_t *object, struct stream_state *state, struct errinfo *err)
{
    struct number {
        const char *key;
        uint64_t *to;
    } const numbers[] = {
        {"messages", &state->messages},         {"bytes", &state->bytes},
        {"first_seq", &state->first_seq},       {"last_seq", &state->last_seq},
        {"num_subjects", &state->num_subjects}, {"num_deleted", &state->num_deleted},
        {"consumer_count", &state->consumers},
    };
    if (!json_is_object(object))
        return invalid("state", err);
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < sizeof numbers / sizeof numbers[0]; i++)
        status = read_number(object, numbers[i].key, numbers[i].to, err);
    if (status == STATUS_OK)
        status = read_time(object, "first_ts", &state->first_time_ns, err);
    return status != STATUS_OK ? status : read_time(object, "last_ts", &state->last_time_ns, err);
}

static enum status read_config(const json_t *object, struct stream_config *config,
                               struct errinfo *err)
{
    if (!json_is_object(object))
        return invalid("config", err);
    char *text = json_dumps(object, JSON_COMPACT);
    if (text == NULL)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory to read a stream info");
    enum status status = stream_config_from_json(config, bytes_of_string(text), err);
    free(text);
    return status;
}

enum status stream_info_from_json(struct stream_info *info, struct bytes json, struct errinfo *err)
{
    struct stream_info read = {.created_ns = 0};
    json_t *document = json_loadb(json.data, json.size, 0, NULL);
    if (!json_is_object(document)) {
        json_decref(document);
        return errinfo_set(err, STATUS_INVALID, "not a stream info: not a JSON object");
    }
    stream_config_init(&read.config);
    enum status status = read_time(document, "created", &read.created_ns, err);
    if (status == STATUS_OK)
        status = read_state(json_object_get(document, "state"), &read.state, err);
    if (status == STATUS_OK)
        status = read_config(json_object_get(document, "config"), &read.config, err);
    json_decref(document);
    if (status != STATUS_OK) {
        stream_config_fini(&read.config);
        return status;
    }
    stream_config_fini(&info->config);
    *info = read;
    return STATUS_OK;
}
