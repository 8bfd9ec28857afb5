// SPDX-License-Identifier: Apache-2.0
// Accepting a message, in the order of nats-server's processJetStreamMsg.
#include "base/limits.h"
#include "engine/jserror.h"
#include "engine/stream_private.h"
#include "wire/headers.h"
#include "wire/subject.h"

#include <stdlib.h>
#include <string.h>

enum rollup { ROLLUP_NONE, ROLLUP_SUBJECT, ROLLUP_ALL };

// What the headers of one message ask for.
struct wish {
    struct bytes id;
    enum rollup rollup;
};

static bool header(const struct stream_input *input, struct bytes name, struct bytes *value)
{
    return headers_find(input->headers, name, value);
}

// The window's ids stand in the log: they are read when the first publish with an id comes, and
// only from messages that are young enough.
static enum status load_dedup(struct stream *stream, int64_t now_ns, struct errinfo *err)
{
    struct buf storage;
    struct msglog_entry entry;
    enum status status = STATUS_OK;
    int64_t since = now_ns - stream->config.duplicate_window_ns;
    if (stream->dedup_loaded)
        return STATUS_OK;
    buf_init(&storage, LIMIT_MESSAGE_BYTES);
    bool more = msglog_entry_since(stream->log, since, &entry);
    while (status == STATUS_OK && more) {
        struct msglog_message message;
        struct bytes id;
        uint64_t seq = entry.seq;
        // A damaged message has no id any more; that it is damaged is told when it is read.
        if (entry.headers_bytes > 0 &&
            msglog_read(stream->log, seq, MSGLOG_HEAD, &storage, &message, NULL) == STATUS_OK &&
            headers_find(message.headers, BYTES("Nats-Msg-Id"), &id) && id.size > 0)
            status = dedup_add(&stream->dedup, id, seq, message.time_ns);
        more = msglog_entry_next(stream->log, seq + 1, &entry);
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

static enum status bad_header(struct bytes name, struct errinfo *err)
{
    return errinfo_set_code(err, STATUS_INVALID, JSERROR_BAD_REQUEST,
                            "bad request: header %.*s is no sequence", BYTES_ARG(name));
}

static enum status check_expected_sequences(const struct stream *stream,
                                            const struct stream_input *input, struct errinfo *err)
{
    static const struct bytes of_stream = {"Nats-Expected-Last-Sequence", 27};
    static const struct bytes of_subject = {"Nats-Expected-Last-Subject-Sequence", 35};
    static const struct bytes which_subject = {"Nats-Expected-Last-Subject-Sequence-Subject", 43};
    struct bytes value;
    uint64_t expected;
    if (header(input, of_stream, &value)) {
        if (!bytes_to_u64(value, &expected))
            return bad_header(of_stream, err);
        if (expected != stream->last_seq)
            return wrong_last_sequence(stream->last_seq, err);
    }
    if (header(input, of_subject, &value)) {
        struct bytes subject = input->subject;
        if (!bytes_to_u64(value, &expected))
            return bad_header(of_subject, err);
        header(input, which_subject, &subject);
        uint64_t last = 0;
        // The subject that is asked about may have wildcards: its last message is then the last of
        // all that match.
        if (subject_has_wildcard(subject)) {
            size_t at = 0;
            const struct subject_entry *entry;
            while ((entry = map_next(&stream->index.subjects, &at)) != NULL) {
                if (entry->last > last && subject_matches(subject, entry->text))
                    last = entry->last;
            }
        } else {
            const struct subject_entry *entry = subject_index_find(&stream->index, subject);
            last = entry == NULL ? 0 : entry->last;
        }
        if (expected != last)
            return wrong_last_sequence(last, err);
    }
    return STATUS_OK;
}

// The id of the last message: of this process's last publish, or read from the log.
static enum status find_last_id(struct stream *stream, struct errinfo *err)
{
    struct buf storage;
    struct msglog_message message;
    struct bytes id = {NULL, 0};
    if (stream->last_id != NULL)
        return STATUS_OK;
    buf_init(&storage, LIMIT_MESSAGE_BYTES);
    if (stream->last_seq > 0 && msglog_read(stream->log, stream->last_seq, MSGLOG_HEAD, &storage,
                                            &message, NULL) == STATUS_OK)
        headers_find(message.headers, BYTES("Nats-Msg-Id"), &id);
    enum status status = stream_config_set_string(&stream->last_id, id);
    buf_fini(&storage);
    if (status != STATUS_OK)
        return errinfo_set(err, status, "no memory for the last message id");
    return STATUS_OK;
}

static enum status check_last_id(struct stream *stream, const struct stream_input *input,
                                 struct errinfo *err)
{
    struct bytes expected;
    if (!header(input, BYTES("Nats-Expected-Last-Msg-Id"), &expected) || expected.size == 0)
        return STATUS_OK;
    enum status status = find_last_id(stream, err);
    if (status == STATUS_OK && !bytes_equal(expected, bytes_of_string(stream->last_id)))
        return errinfo_set_code(err, STATUS_CONFLICT, JSERROR_WRONG_LAST_ID,
                                "wrong last msg ID: %s", stream->last_id);
    return status;
}

static enum status read_rollup(const struct stream *stream, const struct stream_input *input,
                               enum rollup *rollup, struct errinfo *err)
{
    struct bytes value;
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
                                "rollup value invalid: \"%.*s\"", BYTES_ARG(value));
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
    if (input->headers.size > LIMIT_HEADER_BYTES)
        return errinfo_set_code(err, STATUS_LIMIT, JSERROR_HEADERS_TOO_LARGE,
                                "header size exceeds maximum allowed of 64k");
    return STATUS_OK;
}

static enum status full(const char *text, struct errinfo *err)
{
    return errinfo_set_code(err, STATUS_LIMIT, JSERROR_STORE_FAILED, "%s", text);
}

// Under "discard new" a message that does not fit is refused, unless it takes the place of an older
// one of its own subject.
static enum status check_room(const struct stream *stream, const struct stream_input *input,
                              uint64_t bytes, struct errinfo *err)
{
    const struct stream_config *config = &stream->config;
    uint64_t replaced = 0;
    bool replaces = false;
    if (config->max_bytes > 0 && bytes > (uint64_t)config->max_bytes)
        return full("maximum bytes exceeded", err);
    if (config->discard != STREAM_DISCARD_NEW)
        return STATUS_OK;
    const struct subject_entry *subject = subject_index_find(&stream->index, input->subject);
    if (config->max_msgs_per_subject > 0 && subject != NULL &&
        subject->count >= (uint64_t)config->max_msgs_per_subject) {
        if (config->discard_new_per_subject)
            return full("maximum messages per subject exceeded", err);
        replaces = true;
        replaced = subject_index_get(&stream->index, subject->first)->bytes;
    }
    if (config->max_msgs > 0 && !replaces &&
        subject_index_count(&stream->index) >= (uint64_t)config->max_msgs)
        return full("maximum messages exceeded", err);
    if (config->max_bytes > 0 &&
        stream->index.bytes + bytes - replaced > (uint64_t)config->max_bytes)
        return full("maximum bytes exceeded", err);
    return STATUS_OK;
}

static enum status check_subject(const struct stream *stream, const struct stream_input *input,
                                 struct errinfo *err)
{
    char quoted[ERRINFO_QUOTED_MAX];
    enum status status = subject_check(input->subject, false, err);
    if (status == STATUS_OK && !stream_listens_to(stream, input->subject))
        return errinfo_set_code(err, STATUS_NOT_FOUND, JSERROR_NO_STREAM_FOR_SUBJECT,
                                "stream %s does not listen to %s", stream->config.name,
                                errinfo_quote(input->subject, quoted));
    return status != STATUS_OK ? status : headers_check(input->headers, err);
}

static enum status check_before_dedup(const struct stream *stream, const struct stream_input *input,
                                      struct errinfo *err)
{
    struct bytes expected;
    enum status status = check_subject(stream, input, err);
    if (status != STATUS_OK)
        return status;
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
                                     uint64_t bytes, struct wish *wish, struct errinfo *err)
{
    enum status status = check_expected_sequences(stream, input, err);
    if (status == STATUS_OK)
        status = check_last_id(stream, input, err);
    if (status == STATUS_OK)
        status = read_rollup(stream, input, &wish->rollup, err);
    if (status == STATUS_OK)
        status = check_size(stream, input, err);
    return status != STATUS_OK ? status : check_room(stream, input, bytes, err);
}

// Removes what a roll-up replaces: everything before seq, or everything of its subject.
static enum status roll_up(struct stream *stream, uint64_t seq, enum rollup rollup,
                           struct errinfo *err)
{
    struct stream_purge purge = {.up_to_seq = seq};
    uint64_t purged;
    if (rollup == ROLLUP_NONE)
        return STATUS_OK;
    if (rollup == ROLLUP_SUBJECT)
        purge.filter = subject_index_get(&stream->index, seq)->subject->text;
    return stream_purge(stream, &purge, &purged, err);
}

static enum status stage(struct stream *stream, const struct stream_input *input, uint64_t bytes,
                         const struct wish *wish, struct errinfo *err)
{
    // Time never runs backwards within a stream: expiry and "since" searches rely on it.
    int64_t time_ns = input->now_ns > stream->last_time_ns ? input->now_ns : stream->last_time_ns;
    struct msglog_message message = {
        .seq = stream->last_seq + 1,
        .time_ns = time_ns,
        .subject = input->subject,
        .headers = input->headers,
        .body = input->body,
    };
    enum status status = stream_config_set_string(&stream->last_id, wish->id);
    if (status == STATUS_OK)
        status = subject_index_add(&stream->index, message.seq, input->subject, bytes);
    if (status != STATUS_OK)
        return errinfo_set(err, status, "no memory to store a message of %zu bytes",
                           input->body.size);
    status = msglog_append(stream->log, &message, err);
    if (status == STATUS_OK && wish->id.size > 0 &&
        dedup_add(&stream->dedup, wish->id, message.seq, time_ns) != STATUS_OK)
        stream->dedup_loaded = false; // it is read anew from the log
    if (status != STATUS_OK) {
        subject_index_remove(&stream->index, message.seq);
        free(stream->last_id);
        stream->last_id = NULL;
        return status;
    }
    stream->last_seq = message.seq;
    stream->last_time_ns = time_ns;
    return STATUS_OK;
}

enum status stream_publish(struct stream *stream, const struct stream_input *input,
                           struct stream_ack *ack, struct errinfo *err)
{
    struct wish wish = {.rollup = ROLLUP_NONE};
    uint64_t bytes = msglog_message_bytes(input->subject.size, input->headers.size,
                                          input->body.size);
    enum status status = check_before_dedup(stream, input, err);
    if (status == STATUS_OK)
        status = stream_expire(stream, input->now_ns, err);
    if (status == STATUS_OK && header(input, BYTES("Nats-Msg-Id"), &wish.id) && wish.id.size > 0) {
        status = load_dedup(stream, input->now_ns, err);
        if (status != STATUS_OK)
            return status;
        dedup_forget_before(&stream->dedup, input->now_ns - stream->config.duplicate_window_ns);
        uint64_t first = dedup_find(&stream->dedup, wish.id);
        if (first != 0) {
            *ack = (struct stream_ack){.seq = first, .duplicate = true};
            return STATUS_OK;
        }
    }
    if (status == STATUS_OK)
        status = check_after_dedup(stream, input, bytes, &wish, err);
    if (status == STATUS_OK)
        status = stage(stream, input, bytes, &wish, err);
    if (status != STATUS_OK)
        return status;
    uint64_t seq = stream->last_seq;
    status = roll_up(stream, seq, wish.rollup, err);
    if (status == STATUS_OK)
        status = stream_enforce_subject(stream, input->subject, err);
    if (status == STATUS_OK)
        status = stream_enforce_totals(stream, err);
    if (status == STATUS_OK)
        *ack = (struct stream_ack){.seq = seq, .duplicate = false};
    return status;
}
