// SPDX-License-Identifier: Apache-2.0
// Reading notices of every form that agents have written. Names of one thing that drifted apart in
// the first system (req_number, reqNumber, reqId ...) are brought together here and nowhere else.
#include "deliver/notice.h"

#include "base/clock.h"
#include "base/limits.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum status notice_status_parse(struct bytes word, enum notice_status *out, struct errinfo *err)
{
    static const struct {
        const char *word;
        enum notice_status status;
    } words[] = {
        {"complete", NOTICE_COMPLETE}, {"completed", NOTICE_COMPLETE}, {"done", NOTICE_COMPLETE},
        {"success", NOTICE_COMPLETE},  {"failed", NOTICE_FAILED},      {"fail", NOTICE_FAILED},
        {"failure", NOTICE_FAILED},    {"error", NOTICE_FAILED},       {"blocked", NOTICE_BLOCKED},
    };
    word = bytes_trim(word);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (bytes_equal_nocase(word, bytes_of_string(words[i].word))) {
            *out = words[i].status;
            return STATUS_OK;
        }
    }
    char quoted[ERRINFO_QUOTED_MAX];
    return errinfo_set(err, STATUS_INVALID,
                       "status %s is not known: use complete, failed or blocked",
                       errinfo_quote(word, quoted));
}

struct reader {
    const json_t *root;
    struct buf pool; // reserved whole, so that what points into it stays
};

static const json_t *find(const json_t *object, const char *const *names)
{
    for (; *names != NULL; names++) {
        const json_t *value = json_object_get(object, *names);
        if (value != NULL && !json_is_null(value))
            return value;
    }
    return NULL;
}

static struct bytes since(const struct reader *reader, size_t start)
{
    return bytes_from(buf_bytes(&reader->pool), start);
}

// A string, or the strings of an array joined with "; ".
static struct bytes take_text(struct reader *reader, const json_t *value)
{
    size_t start = reader->pool.size;
    size_t count = json_is_array(value) ? json_array_size(value) : 1;
    for (size_t i = 0; i < count; i++) {
        const json_t *one = json_is_array(value) ? json_array_get(value, i) : value;
        if (!json_is_string(one))
            continue;
        if (reader->pool.size > start)
            buf_append_string(&reader->pool, "; ");
        buf_append(&reader->pool, bytes_of(json_string_value(one), json_string_length(one)));
    }
    return since(reader, start);
}

static struct bytes take_named(struct reader *reader, const char *const *names)
{
    return take_text(reader, find(reader->root, names));
}

static uint64_t take_number(const struct reader *reader, const char *name)
{
    json_int_t value = json_integer_value(json_object_get(reader->root, name));
    return value > 0 ? (uint64_t)value : 0;
}

static int append_dumped(const char *data, size_t size, void *context)
{
    buf_append(context, bytes_of(data, size));
    return 0;
}

static struct bytes take_object(struct reader *reader, const char *name)
{
    size_t start = reader->pool.size;
    const json_t *value = json_object_get(reader->root, name);
    if (json_is_object(value))
        json_dump_callback(value, append_dumped, &reader->pool, JSON_COMPACT);
    return since(reader, start);
}

// A count, or the number of files that the later form lists under changes.
static void read_files(const struct reader *reader, struct notice *notice)
{
    static const char *const lists[] = {"files_created", "files_modified", "files_deleted"};
    const json_t *count = json_object_get(reader->root, "files_modified");
    const json_t *changes = json_object_get(reader->root, "changes");
    notice->has_files_modified = (json_is_integer(count) && json_integer_value(count) >= 0) ||
                                 json_is_array(count);
    if (json_is_array(count))
        notice->files_modified = json_array_size(count);
    else
        notice->files_modified = take_number(reader, "files_modified");
    for (size_t i = 0; i < 3 && json_is_object(changes); i++) {
        const json_t *list = json_object_get(changes, lists[i]);
        notice->has_files_modified = notice->has_files_modified || json_is_array(list);
        notice->files_modified += json_array_size(list);
    }
}

static void read_fields(struct reader *reader, struct notice *notice)
{
    static const char *const tasks[] = {"task",          "req_number",     "reqNumber", "reqId",
                                        "requirementId", "requirement_id", NULL};
    static const char *const agents[] = {"agent", NULL};
    static const char *const summaries[] = {"summary", NULL};
    static const char *const complexities[] = {"complexity", NULL};
    static const char *const blockers[] = {"blockers", NULL};
    static const char *const times[] = {"completion_time", "timestamp", NULL};
    static const char *const digests[] = {"digest", NULL};
    static const char *const expiries[] = {"expires", NULL};
    notice->agent = take_named(reader, agents);
    notice->task = take_named(reader, tasks);
    notice->summary = take_named(reader, summaries);
    notice->complexity = take_named(reader, complexities);
    notice->blockers = take_named(reader, blockers);
    notice->completion_time = take_named(reader, times);
    notice->digest = take_named(reader, digests);
    notice->metadata = take_object(reader, "metadata");
    notice->seq = take_number(reader, "seq");
    notice->bytes = take_number(reader, "bytes");
    notice->tokens = take_number(reader, "tokens");
    notice->sections = take_number(reader, "sections");
    const json_t *ready = json_object_get(reader->root, "ready_for_next_stage");
    notice->ready_for_next_stage = ready != NULL ? json_is_true(ready)
                                                 : json_is_string(
                                                       json_object_get(reader->root, "next_agent"));
    if (!clock_parse(take_named(reader, expiries), &notice->expires_ns))
        notice->expires_ns = 0;
    read_files(reader, notice);
}

static enum status read_root(struct reader *reader, struct bytes text, struct notice *notice,
                             struct errinfo *err)
{
    static const char *const statuses[] = {"status", NULL};
    struct bytes word = take_named(reader, statuses);
    enum status status = notice_status_parse(word, &notice->status, err);
    if (status == STATUS_OK)
        status = ref_parse(text, &notice->ref, err);
    if (status != STATUS_OK)
        return errinfo_wrap(err, status, "the notice");
    read_fields(reader, notice);
    if (notice->ref.kind == REF_MESSAGE) {
        size_t start = reader->pool.size;
        buf_append_string(&reader->pool, notice->ref.stream);
        notice->stream = since(reader, start);
        notice->seq = notice->ref.seq;
    }
    return buf_status(&reader->pool) == STATUS_OK
               ? STATUS_OK
               : errinfo_set(err, STATUS_INVALID, "the notice has too much metadata");
}

enum status notice_read(struct bytes text, struct notice *out, struct errinfo *err)
{
    struct notice notice = {.status = NOTICE_COMPLETE};
    text = bytes_trim(text);
    if (text.size > LIMIT_HEADER_BYTES)
        return errinfo_set(err, STATUS_LIMIT, "a notice of %zu bytes: the limit is %d", text.size,
                           LIMIT_HEADER_BYTES);
    json_t *root = json_loadb(text.data == NULL ? "" : text.data, text.size, 0, NULL);
    struct reader reader = {.root = root};
    // Strings shrink when they are read; only numbers in metadata may be written longer than they
    // came.
    size_t room = 4 * text.size + LIMIT_STREAM_NAME_BYTES;
    buf_init(&reader.pool, room);
    enum status status;
    if (!json_is_object(root))
        status = errinfo_set(err, STATUS_INVALID, "a notice is one JSON object: this is none");
    else if (buf_reserve(&reader.pool, room) == NULL)
        status = errinfo_set(err, STATUS_NO_MEMORY, "no memory to read a notice");
    else
        status = read_root(&reader, text, &notice, err);
    json_decref(root);
    if (status != STATUS_OK) {
        buf_fini(&reader.pool);
        return status;
    }
    notice.owned = reader.pool.data;
    *out = notice;
    return STATUS_OK;
}

void notice_fini(struct notice *notice)
{
    free(notice->owned);
    *notice = (struct notice){.status = NOTICE_COMPLETE};
}
