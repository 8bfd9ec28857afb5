// SPDX-License-Identifier: Apache-2.0
#include "engine/stream_batch.h"

#include "base/le.h"
#include "engine/consumer.h"
#include "engine/stream_private.h"
#include "wire/headers.h"

#include <stdlib.h>
#include <string.h>

// nats-server's limits
enum { ID_MAX = 64, MESSAGES_MAX = 1000, OPEN_MAX = 50, FRAME_BYTES = 12 };
static const int64_t silence_max_ns = INT64_C(10000000000);

static const struct bytes id_name = {"Nats-Batch-Id", 13};
static const struct bytes sequence_name = {"Nats-Batch-Sequence", 19};
static const struct bytes commit_name = {"Nats-Batch-Commit", 17};

struct batch {
    struct list link;
    char id[ID_MAX + 1];
    uint64_t last; // number of the last message that came
    size_t count;  // of messages that are kept
    int64_t heard_ns;
    struct buf messages; // three sizes (4 bytes each), subject, headers, body; one behind another
};

void stream_batches_init(struct stream_batches *batches)
{
    list_init(&batches->open);
    batches->count = 0;
}

static void drop(struct stream_batches *batches, struct batch *batch)
{
    list_take_out(&batch->link);
    batches->count--;
    buf_fini(&batch->messages);
    free(batch);
}

void stream_batches_fini(struct stream_batches *batches)
{
    while (batches->open.next != NULL && !list_is_empty(&batches->open))
        drop(batches, LIST_ELEMENT(batches->open.next, struct batch, link));
}

void stream_batches_expire(struct stream *stream, int64_t now_ns)
{
    struct stream_batches *batches = &stream->batches;
    while (!list_is_empty(&batches->open)) {
        struct batch *oldest = LIST_ELEMENT(batches->open.next, struct batch, link);
        if (oldest->heard_ns + silence_max_ns > now_ns)
            return;
        drop(batches, oldest);
    }
}

int64_t stream_batches_deadline(const struct stream *stream)
{
    const struct list *open = &stream->batches.open;
    return list_is_empty(open)
               ? INT64_MAX
               : LIST_ELEMENT(open->next, struct batch, link)->heard_ns + silence_max_ns;
}

bool stream_batch_is_part(struct bytes headers, struct bytes *id)
{
    return headers_find(headers, id_name, id) && id->size > 0;
}

static struct batch *find(struct stream_batches *batches, struct bytes id)
{
    for (struct list *at = batches->open.next; at != &batches->open; at = at->next) {
        struct batch *batch = LIST_ELEMENT(at, struct batch, link);
        if (bytes_equal(bytes_of_string(batch->id), id))
            return batch;
    }
    return NULL;
}

static enum status refuse(struct errinfo *err, int code, const char *text)
{
    return errinfo_set_code(err, STATUS_INVALID, code, "%s", text);
}

static enum status incomplete(struct errinfo *err)
{
    return refuse(err, 10176, "atomic publish batch is incomplete");
}

static enum status open_batch(struct stream *stream, struct bytes id, uint64_t sequence,
                              struct batch **out, struct errinfo *err)
{
    if (sequence != 1)
        return sequence > MESSAGES_MAX
                   ? errinfo_set_code(err, STATUS_LIMIT, 10199,
                                      "atomic publish batch is too large: %d", MESSAGES_MAX)
                   : incomplete(err);
    if (stream->batches.count == OPEN_MAX)
        return errinfo_set_code(err, STATUS_LIMIT, 10210, "atomic publish too many inflight");
    struct batch *batch = calloc(1, sizeof *batch);
    if (batch == NULL)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory for a batch");
    memcpy(batch->id, id.data, id.size);
    buf_init(&batch->messages, LIMIT_RECORD_BYTES);
    list_append(&stream->batches.open, &batch->link);
    stream->batches.count++;
    *out = batch;
    return STATUS_OK;
}

static enum status keep(struct batch *batch, const struct stream_input *input, struct errinfo *err)
{
    buf_append_le32(&batch->messages, (uint32_t)input->subject.size);
    buf_append_le32(&batch->messages, (uint32_t)input->headers.size);
    buf_append_le32(&batch->messages, (uint32_t)input->body.size);
    buf_append(&batch->messages, input->subject);
    buf_append(&batch->messages, input->headers);
    buf_append(&batch->messages, input->body);
    batch->count++;
    return buf_status(&batch->messages) == STATUS_OK ? STATUS_OK : incomplete(err);
}

static bool take(struct bytes *rest, int64_t now_ns, struct stream_input *input)
{
    if (rest->size < FRAME_BYTES)
        return false;
    size_t subject = le_get32(rest->data);
    size_t headers = le_get32(rest->data + 4);
    size_t body = le_get32(rest->data + 8);
    struct bytes bytes = bytes_from(*rest, FRAME_BYTES);
    *input = (struct stream_input){bytes_slice(bytes, 0, subject),
                                   bytes_slice(bytes, subject, headers),
                                   bytes_slice(bytes, subject + headers, body), now_ns};
    *rest = bytes_from(bytes, subject + headers + body);
    return true;
}

// What a batch may not ask for.
static enum status check_headers(struct bytes headers, bool first, struct errinfo *err)
{
    static const struct bytes never[] = {{"Nats-Expected-Last-Msg-Id", 25}, {"Nats-Rollup", 11}};
    struct bytes value;
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
        if (headers_find(headers, never[i], &value))
            return errinfo_set_code(err, STATUS_INVALID, 10177,
                                    "atomic publish unsupported header used: %.*s",
                                    BYTES_ARG(never[i]));
    if (!first && headers_find(headers, BYTES("Nats-Expected-Last-Sequence"), &value))
        return errinfo_set_code(err, STATUS_INVALID, 10177,
                                "atomic publish unsupported header used: "
                                "Nats-Expected-Last-Sequence");
    return STATUS_OK;
}

// Every message is checked against the stream as it is before the first is stored.
static enum status check_all(struct stream *stream, const struct batch *batch, int64_t now_ns,
                             struct errinfo *err)
{
    struct bytes rest = buf_bytes(&batch->messages);
    struct stream_input input;
    enum status status = STATUS_OK;
    bool first = true;
    while (status == STATUS_OK && take(&rest, now_ns, &input)) {
        status = check_headers(input.headers, first, err);
        if (status == STATUS_OK)
            status = stream_publish_check(stream, &input, err);
        first = false;
    }
    return status;
}

// The last message says that the batch is whole, also when an empty one ended it.
static void put_commit(struct bytes headers, struct buf *out)
{
    struct bytes value;
    buf_clear(out);
    if (headers_find(headers, commit_name, &value)) {
        buf_append(out, headers);
        return;
    }
    buf_append(out, bytes_slice(headers, 0, headers.size - 2));
    buf_append_string(out, "Nats-Batch-Commit: 1\r\n\r\n");
}

static void take_back(struct stream *stream, uint64_t from)
{
    const struct subject_node *node;
    while ((node = subject_index_next(&stream->index, from)) != NULL)
        if (stream_drop(stream, node->seq, false, NULL) != STATUS_OK)
            return;
}

static enum status stage_all(struct stream *stream, const struct batch *batch, int64_t now_ns,
                             struct errinfo *err)
{
    struct bytes rest = buf_bytes(&batch->messages);
    struct stream_input input;
    struct stream_ack ack;
    struct buf headers;
    uint64_t from = stream->last_seq + 1;
    size_t at = 0;
    enum status status = STATUS_OK;
    buf_init(&headers, LIMIT_RECORD_BYTES);
    while (status == STATUS_OK && take(&rest, now_ns, &input)) {
        if (++at == batch->count) {
            put_commit(input.headers, &headers);
            input.headers = buf_bytes(&headers);
            status = buf_status(&headers);
        }
        if (status == STATUS_OK)
            status = stream_publish_checked(stream, &input, &ack, err);
    }
    buf_fini(&headers);
    if (status != STATUS_OK)
        take_back(stream, from);
    return status;
}

static enum status commit(struct stream *stream, struct batch *batch, int64_t now_ns,
                          struct stream_ack *ack, struct errinfo *err)
{
    size_t count = batch->count;
    enum status status = check_all(stream, batch, now_ns, err);
    if (status == STATUS_OK)
        status = stage_all(stream, batch, now_ns, err);
    if (status == STATUS_OK)
        *ack = (struct stream_ack){.seq = stream->last_seq, .batch_count = count};
    return status;
}

enum status stream_batch_publish(struct stream *stream, const struct stream_input *input,
                                 struct bytes id, struct stream_ack *ack, struct errinfo *err)
{
    struct bytes value;
    uint64_t sequence;
    bool last = headers_find(input->headers, commit_name, &value);
    bool eob = last && bytes_equal(value, BYTES("eob"));
    struct batch *batch = find(&stream->batches, id);
    enum status status = STATUS_OK;
    if (!stream->config.allow_atomic)
        return refuse(err, 10174, "atomic publish is disabled");
    if (id.size > ID_MAX)
        return refuse(err, 10179, "atomic publish batch ID is invalid");
    struct bytes number;
    if (!headers_find(input->headers, sequence_name, &number) || !bytes_to_u64(number, &sequence))
        return refuse(err, 10175, "atomic publish sequence is missing");
    if (batch == NULL)
        status = open_batch(stream, id, sequence, &batch, err);
    if (status != STATUS_OK)
        return status;
    if (last && !eob && !bytes_equal(value, BYTES("1")))
        status = refuse(err, 10200, "atomic publish batch commit is invalid");
    else if (sequence != batch->last + 1 || (sequence == 1 && eob))
        status = incomplete(err);
    else if (sequence - eob > MESSAGES_MAX)
        status = errinfo_set_code(err, STATUS_LIMIT, 10199, "atomic publish batch is too large: %d",
                                  MESSAGES_MAX);
    batch->last = sequence;
    batch->heard_ns = input->now_ns;
    list_take_out(&batch->link);
    list_append(&stream->batches.open, &batch->link);
    if (status == STATUS_OK && !eob)
        status = keep(batch, input, err);
    if (status == STATUS_OK && !last) {
        *ack = (struct stream_ack){.pending = true};
        return STATUS_OK;
    }
    if (status == STATUS_OK)
        status = commit(stream, batch, input->now_ns, ack, err);
    drop(&stream->batches, batch);
    return status;
}

enum status stream_batches_recover(struct stream *stream, struct errinfo *err)
{
    struct buf storage;
    struct msglog_message message;
    struct bytes value;
    char id[ID_MAX + 1] = "";
    enum status status = STATUS_OK;
    if (!stream->config.allow_atomic)
        return STATUS_OK;
    buf_init(&storage, LIMIT_RECORD_BYTES);
    for (uint64_t seq = stream->last_seq; status == STATUS_OK && seq > 0; seq--) {
        if (msglog_read(stream->log, seq, MSGLOG_HEAD, &storage, &message, NULL) != STATUS_OK ||
            !stream_batch_is_part(message.headers, &value) || value.size > ID_MAX)
            break;
        if (headers_find(message.headers, commit_name, &(struct bytes){NULL, 0}))
            break;
        if (id[0] != '\0' && !bytes_equal(bytes_of_string(id), value))
            break;
        memcpy(id, value.data, value.size);
        id[value.size] = '\0';
        status = stream_drop(stream, seq, false, err);
    }
    buf_fini(&storage);
    return status;
}
