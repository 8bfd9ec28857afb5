// SPDX-License-Identifier: Apache-2.0
// Which message of the stream comes next for a consumer, and how many are left for it.
//
// Both are kept, not found anew: new messages are counted once as they are committed, removed ones
// uncounted as they go. Where a search is needed, it goes over the messages or over the subjects,
// whichever promises to be less work: how far apart a consumer's messages lie is known from how
// many are left.
#include "base/assert.h"
#include "engine/consumer_private.h"
#include "wire/subject.h"

#include <stdlib.h>

// Subjects are looked at instead of messages when there are fewer by this factor.
enum { SUBJECTS_GAIN = 4 };

bool consumer_matches(const struct consumer *consumer, struct bytes subject)
{
    size_t count = consumer_config_filters(&consumer->config);
    for (size_t i = 0; i < count; i++)
        if (subject_matches(consumer_config_filter(&consumer->config, i), subject))
            return true;
    return count == 0;
}

uint64_t consumer_last_committed(const struct consumer *consumer)
{
    struct msglog_state state;
    msglog_state_get(consumer->stream->log, &state);
    return state.last_seq;
}

static bool is_filtered(const struct consumer *consumer)
{
    return consumer_config_filters(&consumer->config) > 0;
}

// The subject of a consumer that takes one subject alone, NULL when it has no messages.
static bool takes_one_subject(const struct consumer *consumer, const struct subject_entry **subject)
{
    struct bytes filter;
    if (consumer_config_filters(&consumer->config) != 1)
        return false;
    filter = consumer_config_filter(&consumer->config, 0);
    if (subject_has_wildcard(filter))
        return false;
    *subject = subject_index_find(&consumer->stream->index, filter);
    return true;
}

// Counting

// How many messages match at or after a sequence, staged ones too.
static uint64_t count_by_subjects(const struct consumer *consumer, uint64_t seq)
{
    const struct subject_index *index = &consumer->stream->index;
    const struct subject_entry *subject = NULL;
    uint64_t count = 0;
    size_t at = 0;
    if (takes_one_subject(consumer, &subject))
        return subject == NULL ? 0 : subject_index_count_of(index, subject, seq);
    while ((subject = map_next(&index->subjects, &at)) != NULL) {
        if (subject->last >= seq && consumer_matches(consumer, subject->text))
            count += subject_index_count_of(index, subject, seq);
    }
    return count;
}

static uint64_t count_by_messages(const struct consumer *consumer, uint64_t from, uint64_t to)
{
    const struct subject_index *index = &consumer->stream->index;
    const struct subject_node *node;
    uint64_t count = 0;
    for (uint64_t seq = from; (node = subject_index_next(index, seq)) != NULL && node->seq <= to;
         seq = node->seq + 1)
        count += consumer_matches(consumer, node->subject->text);
    return count;
}

// How many messages from one sequence to another match.
static uint64_t count_between(const struct consumer *consumer, uint64_t from, uint64_t to)
{
    const struct subject_index *index = &consumer->stream->index;
    if (to < from)
        return 0;
    if (!is_filtered(consumer))
        return subject_index_count_from(index, from) - subject_index_count_from(index, to + 1);
    if ((to - from) / SUBJECTS_GAIN > index->subjects.count)
        return count_by_subjects(consumer, from) - count_by_subjects(consumer, to + 1);
    return count_by_messages(consumer, from, to);
}

// Counts what was committed since.
static void count_new(struct consumer *consumer)
{
    uint64_t last = consumer_last_committed(consumer);
    if (last <= consumer->counted_seq)
        return;
    consumer->matching += count_between(consumer, consumer->counted_seq + 1, last);
    consumer->counted_seq = last;
}

uint64_t consumer_left(struct consumer *consumer)
{
    count_new(consumer);
    return consumer->matching + consumer->last_left;
}

void consumer_recount(struct consumer *consumer)
{
    consumer->matching = 0;
    consumer->counted_seq = consumer->next_seq - 1;
    count_new(consumer);
    consumer->last_left = 0;
    for (size_t i = consumer->last_at; i < consumer->last_count; i++)
        consumer->last_left += subject_index_get(&consumer->stream->index, consumer->lasts[i]) !=
                               NULL;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

void consumer_uncount(struct consumer *consumer, uint64_t seq, struct bytes subject)
{
    const uint64_t *rest = consumer->lasts + consumer->last_at;
    if (consumer->last_left > 0 &&
        bsearch(&seq, rest, consumer->last_count - consumer->last_at, sizeof seq, compare) != NULL)
        consumer->last_left--;
    else if (seq >= consumer->next_seq && seq <= consumer->counted_seq &&
             consumer_matches(consumer, subject))
        consumer->matching--;
}

// Finding

static uint64_t find_by_subjects(const struct consumer *consumer)
{
    const struct subject_index *index = &consumer->stream->index;
    const struct subject_entry *subject;
    uint64_t found = 0;
    size_t at = 0;
    while ((subject = map_next(&index->subjects, &at)) != NULL) {
        // One that begins behind what was found already need not be compared.
        if (subject->last < consumer->next_seq || (found != 0 && subject->first > found) ||
            !consumer_matches(consumer, subject->text))
            continue;
        uint64_t seq = subject_index_next_of(index, subject, consumer->next_seq);
        if (found == 0 || seq < found)
            found = seq;
    }
    return found;
}

static uint64_t find_by_messages(const struct consumer *consumer)
{
    const struct subject_index *index = &consumer->stream->index;
    const struct subject_node *node = subject_index_next(index, consumer->next_seq);
    while (node != NULL && !consumer_matches(consumer, node->subject->text))
        node = subject_index_next(index, node->seq + 1);
    return node == NULL ? 0 : node->seq;
}

uint64_t consumer_find_new(struct consumer *consumer)
{
    const struct subject_index *index = &consumer->stream->index;
    const struct subject_entry *subject = NULL;
    uint64_t found;
    count_new(consumer);
    if (consumer->matching == 0) {
        if (consumer->counted_seq >= consumer->next_seq)
            consumer->next_seq = consumer->counted_seq + 1;
        return 0;
    }
    // Something is left, and committed: the search ends there at the latest.
    uint64_t apart = (consumer->counted_seq - consumer->next_seq + 1) / consumer->matching;
    if (takes_one_subject(consumer, &subject))
        found = subject == NULL ? 0 : subject_index_next_of(index, subject, consumer->next_seq);
    else if (is_filtered(consumer) && apart / SUBJECTS_GAIN > index->subjects.count)
        found = find_by_subjects(consumer);
    else
        found = find_by_messages(consumer);
    ASSERT(found != 0 && found <= consumer->counted_seq);
    consumer->next_seq = found;
    return found;
}
