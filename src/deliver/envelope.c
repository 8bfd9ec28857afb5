// SPDX-License-Identifier: Apache-2.0
#include "deliver/envelope.h"

#include "base/utf8.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static int append_dumped(const char *data, size_t size, void *context)
{
    struct buf *out = context;
    buf_append(out, bytes_of(data, size));
    return buf_status(out) == STATUS_OK ? 0 : -1;
}

static struct bytes take_string(struct buf *pool, const json_t *value)
{
    size_t start = pool->size;
    buf_append(pool, bytes_of(json_string_value(value), json_string_length(value)));
    return bytes_from(buf_bytes(pool), start);
}

static struct bytes take_rest(struct buf *pool, json_t *metadata)
{
    static const char *const named[] = {"agent", "taskType", "feature", "timestamp"};
    size_t start = pool->size;
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++)
        json_object_del(metadata, named[i]);
    json_dump_callback(metadata, append_dumped, pool, JSON_COMPACT);
    return bytes_from(buf_bytes(pool), start);
}

static bool is_envelope(const json_t *root)
{
    const json_t *metadata = json_object_get(root, "metadata");
    return json_object_size(root) == 2 && json_is_string(json_object_get(root, "content")) &&
           json_is_string(json_object_get(metadata, "agent")) &&
           json_is_string(json_object_get(metadata, "taskType")) &&
           json_is_string(json_object_get(metadata, "feature"));
}

// A look at the first bytes saves parsing megabytes of JSON report that cannot be an envelope.
static bool may_be_envelope(struct bytes body)
{
    struct bytes head = bytes_trim(bytes_slice(body, 0, 256));
    if (head.size == 0 || head.data[0] != '{')
        return false;
    struct bytes key = bytes_trim(bytes_from(head, 1));
    return bytes_start_with(key, BYTES("\"content\"")) ||
           bytes_start_with(key, BYTES("\"metadata\""));
}

bool envelope_read(struct bytes body, struct envelope *out)
{
    if (!may_be_envelope(body))
        return false;
    json_t *root = json_loadb(body.data, body.size, JSON_ALLOW_NUL, NULL);
    struct envelope envelope = {.owned = NULL};
    struct buf pool;
    // Everything that is taken is shorter than its source, but for numbers in the metadata.
    buf_init(&pool, 4 * body.size);
    bool good = is_envelope(root) && buf_reserve(&pool, 4 * body.size) != NULL;
    if (good) {
        json_t *metadata = json_object_get(root, "metadata");
        envelope.content = take_string(&pool, json_object_get(root, "content"));
        envelope.agent = take_string(&pool, json_object_get(metadata, "agent"));
        envelope.type = take_string(&pool, json_object_get(metadata, "taskType"));
        envelope.feature = take_string(&pool, json_object_get(metadata, "feature"));
        envelope.timestamp = take_string(&pool, json_object_get(metadata, "timestamp"));
        envelope.metadata = take_rest(&pool, metadata);
        good = buf_status(&pool) == STATUS_OK;
    }
    json_decref(root);
    if (!good) {
        buf_fini(&pool);
        return false;
    }
    envelope.owned = pool.data;
    *out = envelope;
    return true;
}

void envelope_fini(struct envelope *envelope)
{
    free(envelope->owned);
    *envelope = (struct envelope){.owned = NULL};
}

static bool put(json_t *object, const char *key, struct bytes text)
{
    return json_object_set_new(object, key,
                               json_stringn(text.data == NULL ? "" : text.data, text.size)) == 0;
}

enum status envelope_write(const struct envelope *envelope, struct buf *out, struct errinfo *err)
{
    struct bytes given = bytes_trim(envelope->metadata);
    if (!utf8_is_valid(envelope->content))
        return errinfo_set(err, STATUS_INVALID,
                           "the report is not UTF-8, which an envelope cannot hold: publish it "
                           "without --envelope");
    json_t *extra = given.size == 0 ? json_object() : json_loadb(given.data, given.size, 0, NULL);
    if (!json_is_object(extra)) {
        json_decref(extra);
        return errinfo_set(err, STATUS_INVALID,
                           "the metadata is not a JSON object: give {\"key\": value, ...}");
    }
    json_t *root = json_object();
    json_t *metadata = json_object();
    bool good = put(root, "content", envelope->content) &&
                put(metadata, "agent", envelope->agent) &&
                put(metadata, "taskType", envelope->type) &&
                put(metadata, "feature", envelope->feature) &&
                (envelope->timestamp.size == 0 ||
                 put(metadata, "timestamp", envelope->timestamp)) &&
                json_object_update_missing(metadata, extra) == 0 &&
                json_object_set(root, "metadata", metadata) == 0 &&
                json_dump_callback(root, append_dumped, out, JSON_COMPACT) == 0;
    json_decref(extra);
    json_decref(metadata);
    json_decref(root);
    return good ? STATUS_OK : errinfo_set(err, STATUS_NO_MEMORY, "no memory to write an envelope");
}
