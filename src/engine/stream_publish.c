// SPDX-License-Identifier: Apache-2.0
// Accepting a message, in the order of nats-server's processJetStreamMsg.
#include "base/limits.h"
#include "engine/jserror.h"
#include "engine/stream_private.h"
#include "wire/headers.h"
#include "wire/subject.h"
#include "wire/transform.h"

#include <stdlib.h>

enum rollup { ROLLUP_NONE, ROLLUP_SUBJECT, ROLLUP_ALL };

// What the headers of one message ask for, and what it counts for.
struct wish {
    struct bytes id;
    enum rollup rollup;
    uint64_t bytes;
    int64_t ttl_ns; // 0: it does not expire on its own
};

static const struct bytes id_name = {"Nats-Msg-Id", 11};

static bool header(const struct stream_input *input, struct bytes name, struct bytes *value)
{
    return headers_find(input->headers, name, value);
}

static enum status load_id(struct stream *stream, const struct msglog_entry *entry,
                           struct buf *storage)
{
    struct msglog_message message;
    struct bytes id;
    struct dedup_entry *made;
    // A damaged message has no id any more; that it is damaged is told when it is read.
    if (entry->headers_bytes == 0 ||
        msglog_read(stream->log, entry->seq, MSGLOG_HEAD, storage, &message, NULL) != STATUS_OK ||
        !headers_find(message.headers, id_name, &id) || id.size == 0)
        return STATUS_OK;
    enum status status = dedup_prepare(&stream->dedup, id, &made);
    if (status == STATUS_OK)
        dedup_put(&stream->dedup, made, entry->seq, entry->time_ns);
    return status;
}

// The window's ids stand in the log: they are read when the first publish with an id comes, before
// anything is staged, and only from messages that are young enough.
static enum status load_dedup(struct stream *stream, int64_t now_ns, struct errinfo *err)
{
    struct buf storage;
    struct msglog_entry entry;
    enum status status = STATUS_OK;
    int64_t since = now_ns - stream->config.duplicate_window_ns;
    if (stream->dedup_loaded)
        return STATUS_OK;
    buf_init(&storage, LIMIT_RECORD_BYTES);
    bool more = msglog_entry_since(stream->log, since, &entry);
    while (status == STATUS_OK && more) {
        status = load_id(stream, &entry, &storage);
        more = msglog_entry_next(stream->log, entry.seq + 1, &entry);
    }
    buf_fini(&storage);
    if (status != STATUS_OK)
        return errinfo_set(err, status, "no memory for the duplicate window of stream %s",
                           stream->config.name);
    stream->dedup_loaded = true;
    return STATUS_OK;
}

static enum status wrong_last_sequence(uint64_t is, struct errinfo *err)
{
    return errinfo_set_code(err, STATUS_CONFLICT, JSERROR_WRONG_LAST_SEQUENCE,
                            "wrong last sequence: %llu", (unsigned long long)is);
}

// What a header says of a sequence. Something that is no number is no sequence that there is.
static bool expected_sequence(const struct stream_input *input, struct bytes name, uint64_t *seq)
{
    struct bytes value;
    if (!header(input, name, &value) || value.size == 0)
        return false;
    if (!bytes_to_u64(value, seq))
        *seq = UINT64_MAX;
    return true;
}

// The last sequence of a subject, staged ones counted; with wildcards, of all that match.
static uint64_t last_of_matching(const struct stream *stream, struct bytes subject)
{
    size_t at = 0;
    uint64_t last = 0;
    const struct subject_entry *entry;
    if (!subject_has_wildcard(subject)) {
        entry = subject_index_find(&stream->index, subject);
        return entry == NULL ? 0 : entry->last;
    }
    while ((entry = map_next(&stream->index.subjects, &at)) != NULL) {
        if (entry->last > last && subject_matches(subject, entry->text))
            last = entry->last;
    }
    return last;
}

static enum status check_expected_sequences(const struct stream *stream,
                                            const struct stream_input *input, struct errinfo *err)
{
    struct bytes subject = input->subject;
    struct bytes other;
    uint64_t expected;
    bool of_other = header(input, BYTES("Nats-Expected-Last-Subject-Sequence-Subject"), &other) &&
                    other.size > 0;
    if (of_other)
        subject = other;
    if (expected_sequence(input, BYTES("Nats-Expected-Last-Subject-Sequence"), &expected)) {
        uint64_t last = last_of_matching(stream, subject);
        if (expected != last)
            return wrong_last_sequence(last, err);
    } else if (of_other) {
        return errinfo_set_code(err, STATUS_INVALID, JSERROR_SUBJECT_WITHOUT_SEQUENCE,
                                "missing sequence for expected last sequence per subject");
    }
    if (expected_sequence(input, BYTES("Nats-Expected-Last-Sequence"), &expected) &&
        expected != stream->last_seq)
        return wrong_last_sequence(stream->last_seq, err);
    return STATUS_OK;
}

// The id of the last message: of this process's last publish, or read from the log.
static enum status find_last_id(struct stream *stream, struct errinfo *err)
{
    struct buf storage;
    struct msglog_message message;
    struct bytes id;
    if (stream->last_id_known)
        return STATUS_OK;
    buf_init(&storage, LIMIT_RECORD_BYTES);
    buf_clear(&stream->last_id);
    if (msglog_read(stream->log, stream->last_seq, MSGLOG_HEAD, &storage, &message, NULL) ==
            STATUS_OK &&
        headers_find(message.headers, id_name, &id))
        buf_append(&stream->last_id, id);
    enum status status = buf_status(&stream->last_id);
    buf_fini(&storage);
    if (status != STATUS_OK)
        return errinfo_set(err, status, "no memory for the last message id of stream %s",
                           stream->config.name);
    stream->last_id_known = true;
    return STATUS_OK;
}

static enum status check_last_id(struct stream *stream, const struct stream_input *input,
                                 struct errinfo *err)
{
    char quoted[ERRINFO_QUOTED_MAX];
    struct bytes expected;
    if (!header(input, BYTES("Nats-Expected-Last-Msg-Id"), &expected) || expected.size == 0)
        return STATUS_OK;
    enum status status = find_last_id(stream, err);
    if (status != STATUS_OK || bytes_equal(expected, buf_bytes(&stream->last_id)))
        return status;
    // JetStream gives the id without quotes; escaped it is all the same.
    struct bytes shown = bytes_of_string(errinfo_quote(buf_bytes(&stream->last_id), quoted));
    return errinfo_set_code(err, STATUS_CONFLICT, JSERROR_WRONG_LAST_ID, "wrong last msg ID: %.*s",
                            (int)shown.size - 2, shown.data + 1);
}

static enum status read_rollup(const struct stream *stream, const struct stream_input *input,
                               enum rollup *rollup, struct errinfo *err)
{
    struct bytes value;
    char quoted[ERRINFO_QUOTED_MAX];
    *rollup = ROLLUP_NONE;
    if (!header(input, BYTES("Nats-Rollup"), &value) || value.size == 0)
        return STATUS_OK;
    if (!stream->config.allow_rollup || stream->config.deny_purge)
        return errinfo_set_code(err, STATUS_DENIED, JSERROR_ROLLUP_FAILED, "rollup not permitted");
    if (bytes_equal_nocase(value, BYTES("sub")))
        *rollup = ROLLUP_SUBJECT;
    else if (bytes_equal_nocase(value, BYTES("all")))
        *rollup = ROLLUP_ALL;
    else
        return errinfo_set_code(err, STATUS_INVALID, JSERROR_ROLLUP_FAILED,
                                "rollup value invalid: %s", errinfo_quote(value, quoted));
    return STATUS_OK;
}

static enum status check_size(const struct stream *stream, const struct stream_input *input,
                              struct errinfo *err)
{
    uint64_t size = input->headers.size + input->body.size;
    int64_t limit = stream->config.max_msg_size;
    if (limit > 0 && size > (uint64_t)limit)
        return errinfo_set_code(err, STATUS_LIMIT, JSERROR_MESSAGE_TOO_LARGE,
                                "message size exceeds maximum allowed");
    if (input->headers.size > UINT16_MAX)
        return errinfo_set_code(err, STATUS_LIMIT, JSERROR_HEADERS_TOO_LARGE,
                                "header size exceeds maximum allowed of 64k");
    return STATUS_OK;
}

static enum status full(const char *text, struct errinfo *err)
{
    return errinfo_set_code(err, STATUS_LIMIT, JSERROR_STORE_FAILED, "%s", text);
}

// Under "discard new" a message that does not fit is refused, unless it takes the place of an older
// one of its own subject that is not smaller. A message larger than the whole stream may be is
// refused always: it could be stored only to be removed at once.
static enum status check_room(const struct stream *stream, const struct stream_input *input,
                              const struct wish *wish, struct errinfo *err)
{
    const struct stream_config *config = &stream->config;
    uint64_t max_bytes = config->max_bytes > 0 ? (uint64_t)config->max_bytes : UINT64_MAX;
    uint64_t replaced = 0;
    bool replaces = false;
    if (wish->bytes > max_bytes)
        return full("maximum bytes exceeded", err);
    if (config->discard != STREAM_DISCARD_NEW)
        return STATUS_OK;
    const struct subject_entry *subject = subject_index_find(&stream->index, input->subject);
    if (config->max_msgs_per_subject > 0 && subject != NULL &&
        subject->count >= (uint64_t)config->max_msgs_per_subject) {
        // A roll-up makes room for itself.
        if (config->discard_new_per_subject && wish->rollup == ROLLUP_NONE)
            return full("maximum messages per subject exceeded", err);
        replaces = true;
        replaced = subject_index_get(&stream->index, subject->first)->bytes;
    }
    if (config->max_msgs > 0 && !replaces &&
        subject_index_count(&stream->index) >= (uint64_t)config->max_msgs)
        return full("maximum messages exceeded", err);
    if (stream->index.bytes + wish->bytes > max_bytes && (!replaces || replaced < wish->bytes))
        return full("maximum bytes exceeded", err);
    return STATUS_OK;
}

static enum status check_subject(const struct stream *stream, const struct stream_input *input,
                                 struct errinfo *err)
{
    char quoted[ERRINFO_QUOTED_MAX];
    enum status status = subject_check(input->subject, false, err);
    if (status == STATUS_OK && !stream_listens_to(stream, input->subject))
        return errinfo_set_code(err, STATUS_NOT_FOUND, JSERROR_STREAM_NOT_FOUND,
                                "stream %s does not listen to %s", stream->config.name,
                                errinfo_quote(input->subject, quoted));
    return status != STATUS_OK ? status : headers_check(input->headers, err);
}

static enum status check_before_dedup(const struct stream *stream, const struct stream_input *input,
                                      struct errinfo *err)
{
    struct bytes expected;
    if (input->headers.size > LIMIT_RECORD_BYTES ||
        input->body.size > LIMIT_RECORD_BYTES - input->headers.size)
        return full("message too large", err);
    if (stream->config.sealed)
        return errinfo_set_code(err, STATUS_DENIED, JSERROR_SEALED,
                                "invalid operation on sealed stream");
    if (header(input, BYTES("Nats-Expected-Stream"), &expected) && expected.size > 0 &&
        !bytes_equal(expected, bytes_of_string(stream->config.name)))
        return errinfo_set_code(err, STATUS_CONFLICT, JSERROR_EXPECTED_STREAM,
                                "expected stream does not match");
    return STATUS_OK;
}

static enum status check_after_dedup(struct stream *stream, const struct stream_input *input,
                                     struct wish *wish, struct errinfo *err)
{
    enum status status = check_expected_sequences(stream, input, err);
    if (status == STATUS_OK)
        status = check_last_id(stream, input, err);
    if (status == STATUS_OK)
        status = read_rollup(stream, input, &wish->rollup, err);
    if (status == STATUS_OK)
        status = stream_ttl_check(stream, input->headers, &wish->ttl_ns, err);
    if (status == STATUS_OK)
        status = check_size(stream, input, err);
    return status != STATUS_OK ? status : check_room(stream, input, wish, err);
}

// Whether the id was seen within the window, and with which sequence.
static enum status find_duplicate(struct stream *stream, const struct stream_input *input,
                                  struct wish *wish, uint64_t *first, struct errinfo *err)
{
    *first = 0;
    if (!header(input, id_name, &wish->id) || wish->id.size == 0)
        return STATUS_OK;
    enum status status = load_dedup(stream, input->now_ns, err);
    if (status != STATUS_OK)
        return status;
    dedup_forget_before(&stream->dedup, input->now_ns - stream->config.duplicate_window_ns + 1);
    *first = dedup_find(&stream->dedup, wish->id);
    return STATUS_OK;
}

// Appends to the log what is in the index already; takes it out again when that fails.
static enum status append(struct stream *stream, const struct stream_input *input,
                          const struct wish *wish, int64_t time_ns, struct errinfo *err)
{
    struct msglog_message message = {
        .seq = stream->last_seq + 1,
        .time_ns = time_ns,
        .subject = input->subject,
        .headers = input->headers,
        .body = input->body,
    };
    enum status status = subject_index_add(&stream->index, message.seq, input->subject,
                                           wish->bytes);
    if (status != STATUS_OK)
        return errinfo_set(err, status, "no memory to store a message of %zu bytes",
                           input->body.size);
    status = msglog_append(stream->log, &message, err);
    if (status != STATUS_OK)
        subject_index_remove(&stream->index, message.seq);
    return status;
}

// Stages the message. What must be remembered of it finds its memory first, so that a message is
// either staged and remembered or neither.
static enum status stage(struct stream *stream, const struct stream_input *input,
                         const struct wish *wish, struct errinfo *err)
{
    // Time never runs backwards within a stream: expiry and "since" searches rely on it.
    int64_t time_ns = input->now_ns > stream->last_time_ns ? input->now_ns : stream->last_time_ns;
    struct dedup_entry *entry = NULL;
    struct buf last_id;
    buf_init(&last_id, SIZE_MAX);
    buf_append(&last_id, wish->id);
    enum status status = buf_status(&last_id);
    if (status == STATUS_OK && wish->id.size > 0)
        status = dedup_prepare(&stream->dedup, wish->id, &entry);
    if (status != STATUS_OK)
        errinfo_set(err, status, "no memory for the id of a message");
    if (status == STATUS_OK)
        status = append(stream, input, wish, time_ns, err);
    if (status != STATUS_OK) {
        buf_fini(&last_id);
        free(entry);
        return status;
    }
    stream->last_seq++;
    stream->last_time_ns = time_ns;
    // Without memory for it the message lives until the stream is opened again.
    if (wish->ttl_ns > 0)
        ttl_add(&stream->ttl, stream->last_seq, time_ns + wish->ttl_ns);
    if (entry != NULL)
        dedup_put(&stream->dedup, entry, stream->last_seq, time_ns);
    buf_fini(&stream->last_id);
    stream->last_id = last_id;
    stream->last_id_known = true;
    return STATUS_OK;
}

// Stages what the message pushes out. Limits that find no memory or disk now are applied with the
// next message; a roll-up was asked for and has failed.
static enum status push_out(struct stream *stream, const struct stream_input *input,
                            enum rollup rollup, struct errinfo *err)
{
    struct stream_purge purge = {.keep = 1};
    uint64_t purged;
    if (stream_enforce_subject(stream, input->subject, NULL) == STATUS_OK)
        stream_enforce_totals(stream, NULL);
    if (rollup == ROLLUP_NONE)
        return STATUS_OK;
    if (rollup == ROLLUP_SUBJECT)
        purge.filter = input->subject;
    enum status status = stream_purge_matching(stream, &purge, &purged, err);
    if (status == STATUS_OK)
        return status;
    return errinfo_wrap(err, status, "message %llu is stored, but not all that it replaces is gone",
                        (unsigned long long)stream->last_seq);
}

// What a publish is checked for, in nats-server's order. *first is the sequence of the message
// whose duplicate it is, or 0.
static enum status check(struct stream *stream, const struct stream_input *input, struct wish *wish,
                         uint64_t *first, struct errinfo *err)
{
    *wish = (struct wish){
        .bytes = msglog_message_bytes(input->subject.size, input->headers.size, input->body.size),
    };
    *first = 0;
    enum status status = check_before_dedup(stream, input, err);
    if (status == STATUS_OK && stream->config.retention == STREAM_RETAIN_INTEREST)
        status = stream_consumers_needed(stream, err);
    if (status == STATUS_OK)
        status = stream_expire(stream, input->now_ns, err);
    if (status == STATUS_OK)
        status = find_duplicate(stream, input, wish, first, err);
    if (status == STATUS_OK && *first == 0)
        status = check_after_dedup(stream, input, wish, err);
    return status;
}

static enum status stage_checked(struct stream *stream, const struct stream_input *input,
                                 const struct wish *wish, struct stream_ack *ack,
                                 struct errinfo *err)
{
    enum status status = stage(stream, input, wish, err);
    if (status != STATUS_OK)
        return status;
    uint64_t seq = stream->last_seq;
    status = push_out(stream, input, wish->rollup, err);
    // Without memory or disk it stays until somebody else's message goes.
    if (stream->config.retention == STREAM_RETAIN_INTEREST &&
        !stream_consumers_want(stream, input->subject))
        stream_drop(stream, seq, false, NULL);
    if (status == STATUS_OK)
        *ack = (struct stream_ack){.seq = seq};
    return status;
}

enum status stream_publish_check(struct stream *stream, const struct stream_input *input,
                                 struct errinfo *err)
{
    struct wish wish;
    uint64_t first;
    enum status status = check(stream, input, &wish, &first, err);
    if (status == STATUS_OK && first != 0)
        return errinfo_set_code(err, STATUS_EXISTS, 10201,
                                "atomic publish batch contains duplicate message id");
    return status;
}

enum status stream_publish_checked(struct stream *stream, const struct stream_input *input,
                                   struct stream_ack *ack, struct errinfo *err)
{
    struct bytes id;
    struct wish wish = {
        .bytes = msglog_message_bytes(input->subject.size, input->headers.size, input->body.size),
    };
    if (header(input, id_name, &id))
        wish.id = id;
    enum status status = stream_ttl_check(stream, input->headers, &wish.ttl_ns, err);
    return status == STATUS_OK ? stage_checked(stream, input, &wish, ack, err) : status;
}

static enum status publish(struct stream *stream, const struct stream_input *input,
                           struct stream_ack *ack, struct errinfo *err)
{
    struct wish wish;
    uint64_t first;
    struct bytes batch;
    if (stream_batch_is_part(input->headers, &batch))
        return stream_batch_publish(stream, input, batch, ack, err);
    enum status status = check(stream, input, &wish, &first, err);
    if (status != STATUS_OK)
        return status;
    if (first != 0) {
        *ack = (struct stream_ack){.seq = first, .duplicate = true};
        return STATUS_OK;
    }
    return stage_checked(stream, input, &wish, ack, err);
}

enum status stream_publish(struct stream *stream, const struct stream_input *input,
                           struct stream_ack *ack, struct errinfo *err)
{
    const struct subject_mapping *mapping = &stream->config.transform;
    struct stream_input renamed = *input;
    struct buf subject;
    enum status status = check_subject(stream, input, err);
    if (status != STATUS_OK || mapping->destination == NULL)
        return status != STATUS_OK ? status : publish(stream, input, ack, err);
    buf_init(&subject, LIMIT_RECORD_SUBJECT_BYTES);
    if (transform_apply(bytes_of_string(mapping->source), bytes_of_string(mapping->destination),
                        input->subject, &subject))
        renamed.subject = buf_bytes(&subject);
    status = buf_status(&subject);
    if (status != STATUS_OK)
        errinfo_set(err, status, "no memory to rename a subject");
    else
        status = publish(stream, &renamed, ack, err);
    buf_fini(&subject);
    return status;
}

enum status stream_stage_copy(struct stream *stream, const struct msglog_message *message,
                              struct errinfo *err)
{
    uint64_t bytes = msglog_message_bytes(message->subject.size, message->headers.size,
                                          message->body.size);
    enum status status = subject_index_add(&stream->index, message->seq, message->subject, bytes);
    if (status != STATUS_OK)
        return errinfo_set(err, status, "no memory to store a message of %zu bytes",
                           message->body.size);
    status = msglog_append(stream->log, message, err);
    if (status != STATUS_OK) {
        subject_index_remove(&stream->index, message->seq);
        return status;
    }
    stream->last_seq = message->seq;
    if (message->time_ns > stream->last_time_ns)
        stream->last_time_ns = message->time_ns;
    stream->last_id_known = false;
    return STATUS_OK;
}
