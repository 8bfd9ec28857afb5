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

static bool takes_all(struct bytes filter)
{
    return filter.size == 0 || bytes_equal(filter, BYTES(">"));
}

// How many messages match.
static uint64_t count_matching(const struct stream *stream, struct bytes filter)
{
    size_t at = 0;
    uint64_t count = 0;
    const struct subject_entry *subject;
    if (takes_all(filter))
        return subject_index_count(&stream->index);
    if (!subject_has_wildcard(filter)) {
        subject = subject_index_find(&stream->index, filter);
        return subject == NULL ? 0 : subject->count;
    }
    while ((subject = map_next(&stream->index.subjects, &at)) != NULL) {
        if (subject_matches(filter, subject->text))
            count += subject->count;
    }
    return count;
}

// Removes the `most` oldest messages below a sequence, whatever their subject: one range.
static enum status purge_oldest(struct stream *stream, uint64_t below, uint64_t most,
                                uint64_t *purged, struct errinfo *err)
{
    uint64_t count = 0;
    uint64_t last = 0;
    const struct subject_node *node;
    while (count < most && (node = subject_index_next(&stream->index, last + 1)) != NULL &&
           node->seq < below) {
        last = node->seq;
        count++;
    }
    enum status status = count > 0 ? stream_drop_up_to(stream, last, err) : STATUS_OK;
    if (status == STATUS_OK)
        *purged = count;
    return status;
}

// The oldest message of one subject.
static uint64_t oldest_of(const struct stream *stream, struct bytes subject)
{
    const struct subject_entry *entry = subject_index_find(&stream->index, subject);
    return entry == NULL ? UINT64_MAX : entry->first;
}

static uint64_t oldest_matching(const struct stream *stream, struct bytes pattern, uint64_t from)
{
    const struct subject_node *node;
    for (; (node = subject_index_next(&stream->index, from)) != NULL; from = node->seq + 1) {
        if (subject_matches(pattern, node->subject->text))
            return node->seq;
    }
    return UINT64_MAX;
}

enum status stream_purge_matching(struct stream *stream, const struct stream_purge *purge,
                                  uint64_t *purged, struct errinfo *err)
{
    uint64_t matching = count_matching(stream, purge->filter);
    uint64_t most = matching > purge->keep ? matching - purge->keep : 0;
    uint64_t below = purge->up_to_seq > 0 ? purge->up_to_seq : UINT64_MAX;
    if (takes_all(purge->filter))
        return purge_oldest(stream, below, most, purged, err);
    bool literal = !subject_has_wildcard(purge->filter);
    uint64_t seq = 0;
    for (uint64_t count = 0; count < most; count++) {
        seq = literal ? oldest_of(stream, purge->filter)
                      : oldest_matching(stream, purge->filter, seq);
        if (seq >= below) {
            most = count;
            break;
        }
        enum status status = stream_drop(stream, seq, false, err);
        if (status != STATUS_OK)
            return status;
    }
    *purged = most;
    return STATUS_OK;
}

enum status stream_purge(struct stream *stream, const struct stream_purge *purge, uint64_t *purged,
                         struct errinfo *err)
{
    if (purge->up_to_seq > 0 && purge->keep > 0)
        return errinfo_set_code(err, STATUS_INVALID, JSERROR_BAD_REQUEST,
                                "bad request: a purge takes a sequence or a number to keep, not "
                                "both");
    enum status status = check_sealed(stream, err);
    if (status != STATUS_OK)
        return status;
    if (stream->config.deny_purge)
        return errinfo_set_code(err, STATUS_DENIED, JSERROR_PURGE_FAILED,
                                "stream purge not permitted");
    return stream_purge_matching(stream, purge, purged, err);
}
