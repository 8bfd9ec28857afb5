// SPDX-License-Identifier: Apache-2.0
#include "server/get_request.h"

#include "base/clock.h"
#include "engine/jserror.h"

static enum status wrong(const char *key, struct errinfo *err)
{
    return errinfo_set_code(err, STATUS_INVALID, JSERROR_INVALID_JSON,
                            "invalid JSON: %s is of the wrong type", key);
}

static bool read_u64(const json_t *json, const char *key, uint64_t *to)
{
    const json_t *value = json_object_get(json, key);
    if (value == NULL || json_is_null(value))
        return true;
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return false;
    *to = (uint64_t)json_integer_value(value);
    return true;
}

static bool read_text(const json_t *json, const char *key, struct bytes *to)
{
    const json_t *value = json_object_get(json, key);
    if (value == NULL || json_is_null(value))
        return true;
    if (!json_is_string(value))
        return false;
    *to = bytes_of(json_string_value(value), json_string_length(value));
    return true;
}

static bool read_time(const json_t *json, const char *key, bool *has, int64_t *to)
{
    struct bytes text = {NULL, 0};
    if (!read_text(json, key, &text))
        return false;
    *has = text.size > 0;
    return text.size == 0 || clock_parse(text, to);
}

static bool read_patterns(const json_t *json, const json_t **to)
{
    const json_t *list = json_object_get(json, "multi_last");
    if (list == NULL || json_is_null(list))
        return true;
    if (!json_is_array(list) || json_array_size(list) > GET_REQUEST_PATTERNS_MAX)
        return false;
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!json_is_string(json_array_get(list, i)))
            return false;
    *to = json_array_size(list) > 0 ? list : NULL;
    return true;
}

enum status get_request_read(const json_t *json, struct get_request *request, struct errinfo *err)
{
    struct get_request read = {0};
    const struct {
        const char *key;
        bool good;
    } members[] = {
        {"seq", read_u64(json, "seq", &read.seq)},
        {"batch", read_u64(json, "batch", &read.batch)},
        {"max_bytes", read_u64(json, "max_bytes", &read.max_bytes)},
        {"up_to_seq", read_u64(json, "up_to_seq", &read.up_to_seq)},
        {"last_by_subj", read_text(json, "last_by_subj", &read.last_by_subject)},
        {"next_by_subj", read_text(json, "next_by_subj", &read.next_by_subject)},
        {"multi_last", read_patterns(json, &read.multi_last)},
        {"start_time", read_time(json, "start_time", &read.has_start_time, &read.start_time_ns)},
        {"up_to_time", read_time(json, "up_to_time", &read.has_up_to_time, &read.up_to_time_ns)},
    };
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        if (!members[i].good)
            return wrong(members[i].key, err);
    read.no_headers = json_is_true(json_object_get(json, "no_hdr"));
    *request = read;
    return STATUS_OK;
}

bool get_request_is_empty(const struct get_request *request)
{
    return request->seq == 0 && request->last_by_subject.size == 0 &&
           request->next_by_subject.size == 0 && request->multi_last == NULL &&
           !request->has_start_time;
}

bool get_request_conflicts(const struct get_request *request)
{
    bool last = request->last_by_subject.size > 0;
    bool next = request->next_by_subject.size > 0;
    bool multi = request->multi_last != NULL;
    bool time = request->has_start_time;
    return (request->seq > 0 && (last || time)) ||
           (last && (time || next || multi || request->batch > 0)) || (next && multi) ||
           (request->up_to_seq > 0 && request->has_up_to_time);
}

uint64_t get_request_start(const struct get_request *request, struct stream *stream)
{
    struct msglog_entry entry;
    struct stream_state state;
    if (!request->has_start_time)
        return request->seq;
    if (msglog_entry_since(stream_get_log(stream), request->start_time_ns, &entry))
        return entry.seq;
    stream_state_get(stream, &state);
    return state.last_seq + 1;
}

enum status get_request_find(const struct get_request *request, struct stream *stream,
                             struct buf *storage, struct msglog_message *message,
                             struct errinfo *err)
{
    uint64_t seq = get_request_start(request, stream);
    if (request->last_by_subject.size > 0)
        return stream_get_last(stream, request->last_by_subject, MSGLOG_ALL, storage, message, err);
    if (request->next_by_subject.size > 0) {
        seq = stream_find_next(stream, seq, request->next_by_subject);
        if (seq == 0)
            return errinfo_set_code(err, STATUS_NOT_FOUND, JSERROR_NO_MESSAGE, "no message found");
    }
    return stream_get(stream, seq, MSGLOG_ALL, storage, message, err);
}
