// SPDX-License-Identifier: Apache-2.0
// Reading never sees what is staged: the index may know it, the log gives only what is committed.
#include "engine/consumer.h"
#include "engine/jserror.h"
#include "engine/stream_private.h"
#include "wire/subject.h"

#include <stdlib.h>

static enum status no_message(struct errinfo *err)
{
    return errinfo_set_code(err, STATUS_NOT_FOUND, JSERROR_NO_MESSAGE, "no message found");
}

static bool committed(const struct stream *stream, uint64_t seq)
{
    struct msglog_entry entry;
    return msglog_entry_get(stream->log, seq, &entry);
}

enum status stream_get(struct stream *stream, uint64_t seq, enum msglog_part part,
                       struct buf *storage, struct msglog_message *message, struct errinfo *err)
{
    enum status status = msglog_read(stream->log, seq, part, storage, message, err);
    return status == STATUS_NOT_FOUND ? no_message(err) : status;
}

enum status stream_get_range(struct stream *stream, const struct stream_range *wanted,
                             struct buf *storage, struct bytes *range, struct errinfo *err)
{
    struct msglog_range part = {.offset = wanted->from, .size = wanted->size};
    enum status status = msglog_read_range(stream->log, wanted->seq, part, storage, range, err);
    return status == STATUS_NOT_FOUND ? no_message(err) : status;
}

static uint64_t last_committed(const struct stream *stream)
{
    struct msglog_state state;
    msglog_state_get(stream->log, &state);
    return state.last_seq;
}

// The last committed message of a subject, 0 when there is none.
static uint64_t last_of(const struct stream *stream, const struct subject_entry *subject)
{
    uint64_t seq = subject->last;
    while (seq != 0 && !committed(stream, seq))
        seq = subject_index_get(&stream->index, seq)->previous;
    return seq;
}

static uint64_t find_last(const struct stream *stream, struct bytes pattern)
{
    size_t at = 0;
    uint64_t last = 0;
    const struct subject_entry *subject;
    if (!subject_has_wildcard(pattern)) {
        subject = subject_index_find(&stream->index, pattern);
        return subject == NULL ? 0 : last_of(stream, subject);
    }
    while ((subject = map_next(&stream->index.subjects, &at)) != NULL) {
        if (subject->last > last && subject_matches(pattern, subject->text)) {
            uint64_t seq = last_of(stream, subject);
            last = seq > last ? seq : last;
        }
    }
    return last;
}

enum status stream_get_last(struct stream *stream, struct bytes pattern, enum msglog_part part,
                            struct buf *storage, struct msglog_message *message,
                            struct errinfo *err)
{
    uint64_t seq = find_last(stream, pattern);
    return seq == 0 ? no_message(err) : stream_get(stream, seq, part, storage, message, err);
}

static uint64_t next_matching(const struct stream *stream, struct bytes pattern, uint64_t seq)
{
    const struct subject_node *node;
    bool any = bytes_equal(pattern, BYTES(">")) || pattern.size == 0;
    for (; (node = subject_index_next(&stream->index, seq)) != NULL; seq = node->seq + 1) {
        if (any || subject_matches(pattern, node->subject->text))
            return node->seq;
    }
    return 0;
}

uint64_t stream_find_next(struct stream *stream, uint64_t seq, struct bytes pattern)
{
    const struct subject_entry *literal = subject_index_find(&stream->index, pattern);
    uint64_t found = 0;
    if (literal != NULL)
        found = subject_index_next_of(&stream->index, literal, seq);
    else if (pattern.size == 0 || subject_has_wildcard(pattern))
        found = next_matching(stream, pattern, seq);
    // Everything behind what is only staged is staged too.
    return found != 0 && committed(stream, found) ? found : 0;
}

uint64_t stream_find_last_up_to(struct stream *stream, struct bytes subject, uint64_t up_to_seq)
{
    const struct subject_entry *entry = subject_index_find(&stream->index, subject);
    uint64_t seq = entry == NULL ? 0 : last_of(stream, entry);
    while (seq > up_to_seq)
        seq = subject_index_get(&stream->index, seq)->previous;
    return seq;
}

uint64_t stream_count_from(struct stream *stream, uint64_t seq, struct bytes pattern)
{
    struct msglog_state state;
    uint64_t count = 0;
    bool any = pattern.size == 0 || bytes_equal(pattern, BYTES(">"));
    msglog_state_get(stream->log, &state);
    if (any && seq <= state.first_seq)
        return state.messages;
    while ((seq = next_matching(stream, pattern, seq)) != 0 && seq <= state.last_seq) {
        count++;
        seq++;
    }
    return count;
}

static int compare_sequences(const void *a, const void *b)
{
    uint64_t x = ((const struct stream_last *)a)->seq;
    uint64_t y = ((const struct stream_last *)b)->seq;
    return x < y ? -1 : x > y;
}

enum status stream_find_last_each(struct stream *stream, struct bytes pattern,
                                  struct stream_last **list, size_t *count, struct errinfo *err)
{
    size_t at = 0;
    size_t found = 0;
    const struct subject_entry *subject;
    struct stream_last *lasts = malloc((stream->index.subjects.count + 1) * sizeof *lasts);
    if (lasts == NULL)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory to list stream %s",
                           stream->config.name);
    while ((subject = map_next(&stream->index.subjects, &at)) != NULL) {
        if (pattern.size > 0 && !subject_matches(pattern, subject->text))
            continue;
        uint64_t seq = last_of(stream, subject);
        lasts[found++] = (struct stream_last){seq != 0 ? seq : subject->last, subject->text};
    }
    qsort(lasts, found, sizeof *lasts, compare_sequences);
    *list = lasts;
    *count = found;
    return STATUS_OK;
}

static int compare_subjects(const void *a, const void *b)
{
    const struct subject_entry *const *x = a;
    const struct subject_entry *const *y = b;
    return bytes_compare((*x)->text, (*y)->text);
}

// How many of a subject's messages are committed: what is staged stands at the end of its chain.
static uint64_t committed_count(const struct stream *stream, const struct subject_entry *subject,
                                uint64_t last)
{
    uint64_t count = subject->count;
    for (uint64_t seq = subject->last; seq > last; count--)
        seq = subject_index_get(&stream->index, seq)->previous;
    return count;
}

enum status stream_subjects(struct stream *stream, struct bytes pattern, stream_visit_subject visit,
                            void *context, struct errinfo *err)
{
    size_t at = 0;
    size_t count = 0;
    const struct subject_entry *subject;
    uint64_t last = last_committed(stream);
    const struct subject_entry **list = malloc((stream->index.subjects.count + 1) * sizeof *list);
    if (list == NULL)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory to list stream %s",
                           stream->config.name);
    while ((subject = map_next(&stream->index.subjects, &at)) != NULL) {
        if (subject->first <= last &&
            (pattern.size == 0 || subject_matches(pattern, subject->text)))
            list[count++] = subject;
    }
    qsort(list, count, sizeof *list, compare_subjects);
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < count; i++)
        status = visit(context, list[i]->text, committed_count(stream, list[i], last));
    free(list);
    return status;
}

size_t stream_deleted(const struct stream *stream, uint64_t *seqs, size_t max)
{
    size_t count = 0;
    uint64_t last = last_committed(stream);
    const struct subject_node *node = subject_index_next(&stream->index, 0);
    while (node != NULL && count < max) {
        const struct subject_node *next = subject_index_next(&stream->index, node->seq + 1);
        uint64_t end = next != NULL && next->seq <= last ? next->seq : last + 1;
        for (uint64_t seq = node->seq + 1; seq < end && count < max; seq++)
            seqs[count++] = seq;
        node = next;
    }
    return count;
}

// Subjects that have committed messages: not those of which all are staged.
static uint64_t committed_subjects(const struct stream *stream, uint64_t last)
{
    uint64_t count = stream->index.subjects.count;
    const struct subject_node *node = subject_index_next(&stream->index, last + 1);
    while (node != NULL) {
        count -= node->subject->first == node->seq;
        node = subject_index_next(&stream->index, node->seq + 1);
    }
    return count;
}

void stream_state_get(const struct stream *stream, struct stream_state *state)
{
    struct msglog_state log;
    struct msglog_entry entry;
    msglog_state_get(stream->log, &log);
    *state = (struct stream_state){
        .messages = log.messages,
        .bytes = log.bytes,
        // A stream that never had a message has no first one.
        .first_seq = log.last_seq > 0 ? log.first_seq : 0,
        .last_seq = log.last_seq,
        .num_subjects = committed_subjects(stream, log.last_seq),
        .consumers = consumer_count_of(stream),
    };
    if (log.messages > 0)
        state->num_deleted = log.last_seq - log.first_seq + 1 - log.messages;
    if (msglog_entry_next(stream->log, 0, &entry))
        state->first_time_ns = entry.time_ns;
    if (msglog_entry_get(stream->log, log.last_seq, &entry))
        state->last_time_ns = entry.time_ns;
    else if (log.last_seq > 0)
        state->last_time_ns = stream->last_time_ns;
}
