// SPDX-License-Identifier: Apache-2.0
// Deleting messages on request, under the stream's permissions.
#include "engine/jserror.h"
#include "engine/stream_private.h"
#include "wire/subject.h"

static enum status check_sealed(const struct stream *stream, struct errinfo *err)
{
    if (stream->config.sealed)
        return errinfo_set_code(err, STATUS_DENIED, JSERROR_SEALED,
                                "invalid operation on sealed stream");
    return STATUS_OK;
}

enum status stream_delete_message(struct stream *stream, uint64_t seq, bool erase,
                                  struct errinfo *err)
{
    enum status status = check_sealed(stream, err);
    if (status != STATUS_OK)
        return status;
    if (stream->config.deny_delete)
        return errinfo_set_code(err, STATUS_DENIED, JSERROR_DELETE_FAILED,
                                "message delete not permitted");
    if (subject_index_get(&stream->index, seq) == NULL)
        return errinfo_set_code(err, STATUS_NOT_FOUND, JSERROR_SEQUENCE_NOT_FOUND,
                                "sequence %llu not found", (unsigned long long)seq);
    return stream_drop(stream, seq, erase, err);
}

// How many of the matching messages go: all but the newest `keep`.
static uint64_t to_remove(const struct stream *stream, const struct stream_purge *purge)
{
    size_t at = 0;
    uint64_t matching = 0;
    const struct subject_entry *subject;
    while ((subject = map_next(&stream->index.subjects, &at)) != NULL) {
        if (purge->filter.size == 0 || subject_matches(purge->filter, subject->text))
            matching += subject->count;
    }
    return matching > purge->keep ? matching - purge->keep : 0;
}

static enum status purge_all(struct stream *stream, uint64_t *purged, struct errinfo *err)
{
    uint64_t count = subject_index_count(&stream->index);
    enum status status = STATUS_OK;
    if (count > 0)
        status = msglog_remove(stream->log, 1, stream->last_seq, false, err);
    const struct subject_node *node;
    while (status == STATUS_OK && (node = subject_index_next(&stream->index, 0)) != NULL)
        subject_index_remove(&stream->index, node->seq);
    if (status == STATUS_OK)
        *purged = count;
    return status;
}

enum status stream_purge(struct stream *stream, const struct stream_purge *purge, uint64_t *purged,
                         struct errinfo *err)
{
    enum status status = check_sealed(stream, err);
    if (status != STATUS_OK)
        return status;
    if (stream->config.deny_purge)
        return errinfo_set_code(err, STATUS_DENIED, JSERROR_PURGE_FAILED,
                                "stream purge not permitted");
    if (purge->up_to_seq > 0 && purge->keep > 0)
        return errinfo_set_code(err, STATUS_INVALID, JSERROR_BAD_REQUEST,
                                "bad request: a purge takes a sequence or a number to keep, not "
                                "both");
    if (purge->filter.size == 0 && purge->up_to_seq == 0 && purge->keep == 0)
        return purge_all(stream, purged, err);
    uint64_t left = to_remove(stream, purge);
    uint64_t count = 0;
    uint64_t seq = 0;
    const struct subject_node *node;
    while (status == STATUS_OK && left > 0 &&
           (node = subject_index_next(&stream->index, seq)) != NULL &&
           (purge->up_to_seq == 0 || node->seq < purge->up_to_seq)) {
        seq = node->seq + 1;
        if (purge->filter.size > 0 && !subject_matches(purge->filter, node->subject->text))
            continue;
        status = stream_drop(stream, node->seq, false, err);
        left--;
        count++;
    }
    if (status == STATUS_OK)
        *purged = count;
    return status;
}
