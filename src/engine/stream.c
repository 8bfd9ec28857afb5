// SPDX-License-Identifier: Apache-2.0
// Opening, closing, committing, and what the limits remove.
#include "base/limits.h"
#include "engine/jserror.h"
#include "engine/stream_private.h"
#include "store/metafile.h"
#include "wire/headers.h"
#include "wire/subject.h"

#include <stdlib.h>
#include <string.h>

static const char config_file[] = "stream";

enum { CONFIG_BYTES_MAX = 1 << 20 };

// The index is never shown keys of a caller's choosing in an order of his choosing alone: the seed
// differs from stream to stream.
static uint64_t seed_of(int64_t created_ns)
{
    return (uint64_t)created_ns * 0x9e3779b97f4a7c15U;
}

static enum status write_config(const struct host *host, const char *directory,
                                const struct stream_config *config, int64_t created_ns,
                                struct errinfo *err)
{
    struct buf text;
    buf_init(&text, CONFIG_BYTES_MAX);
    buf_printf(&text, "%lld\n", (long long)created_ns);
    enum status status = stream_config_to_json(config, &text);
    if (status != STATUS_OK)
        status = errinfo_set(err, status, "no memory to write the configuration of stream %s",
                             config->name);
    else
        status = metafile_write(host, directory, config_file, buf_bytes(&text), err);
    buf_fini(&text);
    return status;
}

enum status stream_peek(const struct host *host, const char *directory,
                        struct stream_config *config, int64_t *created_ns, struct errinfo *err)
{
    struct buf text;
    uint64_t created;
    struct bytes json;
    bool damaged;
    stream_config_init(config);
    buf_init(&text, CONFIG_BYTES_MAX);
    enum status status = metafile_read(host, directory, config_file, &text, &damaged, err);
    if (status == STATUS_OK) {
        struct bytes first = bytes_cut(buf_bytes(&text), '\n', &json);
        if (!bytes_to_u64(first, &created) || created > INT64_MAX)
            status = errinfo_set(err, STATUS_CORRUPT, "the configuration in %s is not understood",
                                 directory);
    }
    if (status == STATUS_OK)
        status = stream_config_from_json(config, json, err);
    if (status == STATUS_OK && config->name == NULL)
        status = errinfo_set(err, STATUS_CORRUPT, "the configuration in %s has no name", directory);
    buf_fini(&text);
    if (status == STATUS_OK)
        *created_ns = (int64_t)created;
    return status;
}

// A log without a configuration is what a crash left of a creation, and then it is empty, or what
// is left of a stream that lost its configuration: its messages are kept, under the new one.
static enum status make_log(const struct host *host, const char *directory,
                            const struct stream_config *config, struct errinfo *err)
{
    struct msglog *log;
    struct msglog_state state;
    uint64_t first_seq = config->first_seq > 1 ? config->first_seq : 1;
    enum status status = msglog_create(host, directory, first_seq, err);
    if (status != STATUS_EXISTS)
        return status;
    status = msglog_open(&log, host, directory, NULL, err);
    if (status != STATUS_OK)
        return status;
    msglog_state_get(log, &state);
    msglog_close(log);
    return state.messages > 0 || state.last_seq + 1 == first_seq
               ? STATUS_OK
               : errinfo_set(err, STATUS_EXISTS, "%s holds an empty log of another stream",
                             directory);
}

static enum status check_absent(const struct host *host, const char *directory, struct errinfo *err)
{
    struct stream_config config;
    int64_t created_ns;
    enum status status = stream_peek(host, directory, &config, &created_ns, err);
    stream_config_fini(&config);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    return status != STATUS_OK
               ? status
               : errinfo_set(err, STATUS_EXISTS, "%s holds a stream already", directory);
}

enum status stream_create(const struct host *host, const char *directory,
                          const struct stream_config *config, int64_t now_ns, struct errinfo *err)
{
    struct stream_config checked;
    enum status status = stream_config_copy(&checked, config);
    if (status != STATUS_OK)
        return errinfo_set(err, status, "no memory to create a stream");
    status = stream_config_check(&checked, err);
    if (status == STATUS_OK && checked.sealed)
        status = errinfo_set_code(err, STATUS_INVALID, JSERROR_INVALID_CONFIG,
                                  "stream configuration for create can not be sealed");
    if (status == STATUS_OK)
        status = check_absent(host, directory, err);
    if (status == STATUS_OK)
        status = make_log(host, directory, &checked, err);
    // The configuration comes last: a directory without one is a creation that never finished.
    if (status == STATUS_OK)
        status = write_config(host, directory, &checked, now_ns, err);
    stream_config_fini(&checked);
    return status;
}

static enum status index_entry(void *context, const struct msglog_entry *entry)
{
    struct stream *stream = context;
    uint64_t bytes = msglog_message_bytes(entry->subject.size, entry->headers_bytes,
                                          entry->body_bytes);
    stream->last_time_ns = entry->time_ns;
    return subject_index_add(&stream->index, entry->seq, entry->subject, bytes);
}

static enum status open_log(struct stream *stream, uint64_t segment_bytes, struct errinfo *err)
{
    struct msglog_state state;
    struct msglog_options options = {
        .segment_bytes = segment_bytes, .visit = index_entry, .visit_context = stream};
    enum status status = msglog_open(&stream->log, stream->host, stream->directory, &options, err);
    if (status != STATUS_OK)
        return status;
    msglog_state_get(stream->log, &state);
    stream->last_seq = state.last_seq;
    return STATUS_OK;
}

static enum status enforce_all(struct stream *stream, struct errinfo *err);

// What expired meanwhile, and what a crash kept a changed limit from removing. On a full or failing
// disk that cannot be noted; what is stored can be read all the same.
static enum status tidy(struct stream *stream, int64_t now_ns, struct errinfo *err)
{
    enum status status = stream_expire(stream, now_ns, err);
    if (status == STATUS_OK)
        status = enforce_all(stream, err);
    return status == STATUS_NO_MEMORY ? status : STATUS_OK;
}

enum status stream_open(struct stream **out, const struct host *host, const char *directory,
                        uint64_t segment_bytes, int64_t now_ns, struct errinfo *err)
{
    struct stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory to open %s", directory);
    stream->host = host;
    stream_batches_init(&stream->batches);
    stream_config_init(&stream->config);
    buf_init(&stream->last_id, LIMIT_HEADER_BYTES);
    enum status status = stream_config_set_string(&stream->directory, bytes_of_string(directory));
    if (status == STATUS_OK)
        status = stream_peek(host, directory, &stream->config, &stream->created_ns, err);
    subject_index_init(&stream->index, seed_of(stream->created_ns));
    dedup_init(&stream->dedup, seed_of(stream->created_ns));
    if (status == STATUS_OK)
        status = open_log(stream, segment_bytes, err);
    if (status == STATUS_OK)
        status = stream_batches_recover(stream, err);
    if (status == STATUS_OK)
        status = stream_ttl_open(stream);
    if (status == STATUS_OK)
        status = tidy(stream, now_ns, err);
    if (status == STATUS_NO_MEMORY)
        errinfo_set(err, status, "no memory to open %s", directory);
    if (status != STATUS_OK) {
        stream_close(stream);
        return status;
    }
    *out = stream;
    return STATUS_OK;
}

void stream_close(struct stream *stream)
{
    if (stream == NULL)
        return;
    stream_consumers_close(stream);
    msglog_close(stream->log);
    dedup_fini(&stream->dedup);
    ttl_fini(&stream->ttl);
    stream_batches_fini(&stream->batches);
    subject_index_fini(&stream->index);
    stream_config_fini(&stream->config);
    buf_fini(&stream->last_id);
    free(stream->directory);
    free(stream);
}

const struct stream_config *stream_get_config(const struct stream *stream)
{
    return &stream->config;
}

int64_t stream_get_created(const struct stream *stream)
{
    return stream->created_ns;
}

struct msglog *stream_get_log(struct stream *stream)
{
    return stream->log;
}

enum status stream_commit(struct stream *stream, struct errinfo *err)
{
    return msglog_commit(stream->log, err);
}

bool stream_listens_to(const struct stream *stream, struct bytes subject)
{
    for (size_t i = 0; i < stream->config.subject_count; i++) {
        if (subject_matches(bytes_of_string(stream->config.subjects[i]), subject))
            return true;
    }
    return false;
}

enum status stream_drop(struct stream *stream, uint64_t seq, bool erase, struct errinfo *err)
{
    enum status status = msglog_remove(stream->log, seq, seq, erase, err);
    if (status != STATUS_OK)
        return status;
    stream_consumers_dropped(stream, seq);
    subject_index_remove(&stream->index, seq);
    return STATUS_OK;
}

enum status stream_drop_up_to(struct stream *stream, uint64_t last, struct errinfo *err)
{
    enum status status = msglog_remove(stream->log, 1, last, false, err);
    const struct subject_node *node;
    while (status == STATUS_OK && (node = subject_index_next(&stream->index, 0)) != NULL &&
           node->seq <= last) {
        stream_consumers_dropped(stream, node->seq);
        subject_index_remove(&stream->index, node->seq);
    }
    return status;
}

// A stream that discards what is new never removes what it has for want of room.
static bool over_limits(const struct stream *stream)
{
    const struct stream_config *config = &stream->config;
    uint64_t count = subject_index_count(&stream->index);
    return config->discard == STREAM_DISCARD_OLD && count > 0 &&
           ((config->max_msgs > 0 && count > (uint64_t)config->max_msgs) ||
            (config->max_bytes > 0 && stream->index.bytes > (uint64_t)config->max_bytes));
}

enum status stream_enforce_subject(struct stream *stream, struct bytes subject, struct errinfo *err)
{
    int64_t limit = stream->config.max_msgs_per_subject;
    enum status status = STATUS_OK;
    const struct subject_entry *entry;
    while (status == STATUS_OK && limit > 0 &&
           (entry = subject_index_find(&stream->index, subject)) != NULL &&
           entry->count > (uint64_t)limit)
        status = stream_drop(stream, entry->first, false, err);
    return status;
}

enum status stream_enforce_totals(struct stream *stream, struct errinfo *err)
{
    enum status status = STATUS_OK;
    while (status == STATUS_OK && over_limits(stream))
        status = stream_drop(stream, subject_index_next(&stream->index, 0)->seq, false, err);
    return status;
}

// Limits that became narrower: every subject is looked at.
static enum status enforce_all(struct stream *stream, struct errinfo *err)
{
    int64_t limit = stream->config.max_msgs_per_subject;
    enum status status = STATUS_OK;
    uint64_t seq = 0;
    const struct subject_node *node;
    while (status == STATUS_OK && limit > 0 &&
           (node = subject_index_next(&stream->index, seq)) != NULL) {
        seq = node->seq + 1;
        if (node->subject->count > (uint64_t)limit)
            status = stream_drop(stream, node->seq, false, err);
    }
    return status != STATUS_OK ? status : stream_enforce_totals(stream, err);
}

enum status stream_expire(struct stream *stream, int64_t now_ns, struct errinfo *err)
{
    struct msglog_entry entry;
    enum status status = STATUS_OK;
    if (stream->config.max_age_ns <= 0)
        return STATUS_OK;
    while (status == STATUS_OK && msglog_entry_next(stream->log, 0, &entry) &&
           entry.time_ns <= now_ns - stream->config.max_age_ns)
        status = stream_drop_expired(stream, entry.seq, now_ns, err);
    return status;
}

enum status stream_tick(struct stream *stream, int64_t now_ns, struct errinfo *err)
{
    enum status status = stream_expire(stream, now_ns, err);
    stream_batches_expire(stream, now_ns);
    return status == STATUS_OK ? stream_ttl_tick(stream, now_ns, err) : status;
}

int64_t stream_deadline(const struct stream *stream)
{
    struct msglog_entry entry;
    int64_t next_ns = ttl_next(&stream->ttl);
    int64_t batch_ns = stream_batches_deadline(stream);
    next_ns = batch_ns < next_ns ? batch_ns : next_ns;
    if (stream->config.max_age_ns <= 0 || !msglog_entry_next(stream->log, 0, &entry))
        return next_ns;
    int64_t oldest_ns = entry.time_ns + stream->config.max_age_ns;
    return oldest_ns < next_ns ? oldest_ns : next_ns;
}

// What may differ between two configurations is everything but these.
static const char *forbidden_change(const struct stream_config *from,
                                    const struct stream_config *to)
{
    if (strcmp(from->name, to->name) != 0)
        return "stream configuration name must match original";
    if (from->storage != to->storage)
        return "stream configuration update can not change storage type";
    if (from->retention != to->retention &&
        (from->retention == STREAM_RETAIN_WORKQUEUE || to->retention == STREAM_RETAIN_WORKQUEUE))
        return "stream configuration update can not change retention policy to/from workqueue";
    if (from->sealed && !to->sealed)
        return "stream configuration update can not unseal a sealed stream";
    if (from->deny_delete && !to->deny_delete)
        return "stream configuration update can not cancel deny message deletes";
    if (from->deny_purge && !to->deny_purge)
        return "stream configuration update can not cancel deny purge";
    return NULL;
}

// Nothing may leave a sealed stream any more, and nothing come in.
static void seal(struct stream_config *config)
{
    config->max_age_ns = 0;
    config->discard = STREAM_DISCARD_NEW;
    config->deny_delete = true;
    config->deny_purge = true;
    config->allow_rollup = false;
}

enum status stream_update(struct stream *stream, const struct stream_config *config, int64_t now_ns,
                          struct errinfo *err)
{
    struct stream_config next;
    enum status status = stream_config_copy(&next, config);
    if (status != STATUS_OK)
        return errinfo_set(err, status, "no memory to update stream %s", stream->config.name);
    status = stream_config_check(&next, err);
    const char *forbidden = status == STATUS_OK ? forbidden_change(&stream->config, &next) : NULL;
    if (forbidden != NULL)
        status = errinfo_set_code(err, STATUS_INVALID, JSERROR_INVALID_CONFIG, "%s", forbidden);
    if (next.sealed)
        seal(&next);
    // What had expired under the old limits must not come back under the new ones.
    if (status == STATUS_OK)
        status = stream_expire(stream, now_ns, err);
    if (status == STATUS_OK)
        status = stream_commit(stream, err);
    if (status == STATUS_OK)
        status = write_config(stream->host, stream->directory, &next, stream->created_ns, err);
    if (status != STATUS_OK) {
        stream_config_fini(&next);
        return status;
    }
    stream_config_fini(&stream->config);
    stream->config = next;
    // The new configuration stands by now: limits that find no memory or disk are applied by the
    // next publish or open.
    if (stream_expire(stream, now_ns, NULL) == STATUS_OK)
        enforce_all(stream, NULL);
    return STATUS_OK;
}
