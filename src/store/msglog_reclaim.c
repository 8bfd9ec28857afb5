// SPDX-License-Identifier: Apache-2.0
// Giving space back. Each piece of work is durable before the next one is taken, so that what a
// dropped or rewritten segment said of earlier ones is needed no more or said elsewhere:
//   nothing is given up before its removal is committed,
//   a removal is kept while an earlier segment holds a record that it removes,
//   the oldest living sequence and the last given one are said by a later segment or by the header
//   of the rewritten one.
#include "store/msglog_inside.h"

#include "base/assert.h"
#include "store/reclaim_work.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

enum { WORTH_BYTES = 1024 * 1024 };

static void reclaim_free(struct msglog_reclaim *work)
{
    if (work == NULL)
        return;
    segment_free(work->made, work->host);
    free(work->copies);
    free(work->removals);
    buf_fini(&work->path);
    buf_fini(&work->temporary);
    buf_fini(&work->index_path);
    buf_fini(&work->index_temporary);
    free(work);
}

void msglog_reclaim_abandon(struct msglog *log)
{
    reclaim_free(log->reclaim);
    log->reclaim = NULL;
}

static uint64_t worth(const struct msglog *log)
{
    uint64_t quarter = log->segment_bytes / 4;
    return quarter < WORTH_BYTES ? quarter : WORTH_BYTES;
}

// Whether a segment before that one still holds a record that the removal removes.
static bool removal_needed(const struct msglog *log, size_t at, const struct removal *removal)
{
    // What is older than the oldest living message needs no removal to stay away, but perhaps to be
    // overwritten.
    uint64_t first = removal->first;
    if (!removal->erase && first < log->first_durable)
        first = log->first_durable;
    for (size_t i = 0; i < at; i++) {
        const struct segment *earlier = log->segments[i];
        if (earlier->seq_first != 0 && earlier->seq_first <= removal->last &&
            earlier->seq_last >= first)
            return true;
    }
    return false;
}

static size_t removals_needed(const struct msglog *log, size_t at)
{
    const struct segment *segment = log->segments[at];
    size_t needed = 0;
    for (size_t i = 0; i < segment->removal_count; i++)
        needed += removal_needed(log, at, &segment->removals[i]);
    return needed;
}

static bool said_later(const struct msglog *log, size_t at)
{
    const struct segment *segment = log->segments[at];
    for (size_t i = at + 1; i < log->count; i++) {
        if (log->segments[i]->first_live >= segment->first_live &&
            log->segments[i]->last_given >= segment->last_given)
            return true;
    }
    return false;
}

static bool awaits_erasure(const struct msglog *log, uint64_t number)
{
    for (size_t i = 0; i < log->erasure_count; i++) {
        if (log->erasures[i].segment_number == number)
            return true;
    }
    return false;
}

// Whether the segment is worth working on, and how.
static bool choose(const struct msglog *log, size_t at, bool *rewrite)
{
    const struct segment *segment = log->segments[at];
    if (!segment->sealed || segment->pins > 0 || segment->kill_serial > log->batches_done ||
        awaits_erasure(log, segment->number))
        return false;
    size_t needed = 0;
    if (segment->live == 0) {
        needed = removals_needed(log, at);
        *rewrite = false;
        if (needed == 0 && said_later(log, at))
            return true;
    }
    uint64_t used = SEGHEADER_BYTES + segment->live_bytes;
    uint64_t garbage = segment->written > used ? segment->written - used : 0;
    if (segment->file == NULL || segment->hole_count > 0 || segment->unmovable ||
        garbage < worth(log) || garbage < segment->written / 2)
        return false;
    if (segment->live > 0)
        needed = removals_needed(log, at);
    uint64_t kept = needed * record_size(0, 0, 0);
    *rewrite = true;
    return garbage >= kept + worth(log) && garbage - kept >= segment->written / 2;
}

static bool gather(struct msglog_reclaim *work, const struct msglog *log, size_t at)
{
    const struct segment *segment = log->segments[at];
    work->copies = calloc((size_t)segment->live + 1, sizeof *work->copies);
    work->removals = calloc(segment->removal_count + 1, sizeof *work->removals);
    if (work->copies == NULL || work->removals == NULL)
        return false;
    for (size_t i = 0; i < segment->count; i++) {
        const struct slot *slot = &segment->slots[i];
        if (!slot->dead)
            work->copies[work->copy_count++] = (struct copied){slot->seq, slot->offset,
                                                               (uint32_t)slot_record_bytes(slot)};
    }
    for (size_t i = 0; i < segment->removal_count; i++) {
        if (removal_needed(log, at, &segment->removals[i]))
            work->removals[work->removal_count++] = segment->removals[i];
    }
    return true;
}

static bool name_files(struct msglog_reclaim *work, const char *directory)
{
    static const char *const suffixes[] = {".seg", ".seg.tmp", ".idx", ".idx.tmp"};
    struct buf *const paths[] = {&work->path, &work->temporary, &work->index_path,
                                 &work->index_temporary};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        char name[SEGMENT_NAME_SIZE];
        segment_name(name, work->number, suffixes[i]);
        if (!segment_path(paths[i], directory, name))
            return false;
    }
    return true;
}

static struct msglog_reclaim *take(struct msglog *log, size_t at, bool rewrite)
{
    const struct segment *segment = log->segments[at];
    struct msglog_reclaim *work = calloc(1, sizeof *work);
    if (work == NULL)
        return NULL;
    work->host = log->host;
    work->rewrite = rewrite;
    work->file = segment->file;
    work->number = segment->number;
    work->erasures = segment->erasures;
    work->header = (struct segheader){.generation = segment->header.generation + 1,
                                      .next_seq = segment->last_given + 1,
                                      .first_live = log->first_durable,
                                      .number = segment->number};
    if (!name_files(work, log->directory) || (rewrite && !gather(work, log, at))) {
        reclaim_free(work);
        return NULL;
    }
    log->reclaim = work;
    return work;
}

// The segment in use is given up when nothing in it is alive, so that it can be dropped.
static void give_up_dead(struct msglog *log)
{
    const struct segment *last = log->segments[log->count - 1];
    if (!last->sealed && last->pins == 0 && last->live == 0 && last->count == last->published &&
        last->kill_serial <= log->batches_done && last->dead_bytes >= worth(log))
        msglog_roll(log, NULL);
}

struct msglog_reclaim *msglog_reclaim_take(struct msglog *log)
{
    if (log->read_only || log->reclaim != NULL)
        return NULL;
    give_up_dead(log);
    for (size_t i = 0; i < log->count && !log->read_only; i++) {
        bool rewrite;
        if (choose(log, i, &rewrite))
            return take(log, i, rewrite);
    }
    return NULL;
}

// Gives the new segment the slots of what was copied; what was removed meanwhile is dead in it too.
static bool fill_made(const struct msglog_reclaim *work, const struct segment *old)
{
    struct segment *made = work->made;
    uint64_t offset = SEGHEADER_BYTES;
    for (size_t i = 0; i < work->copy_count; i++) {
        const struct slot *slot = NULL;
        size_t at = segment_find(old, work->copies[i].seq);
        if (at < old->count && old->slots[at].seq == work->copies[i].seq)
            slot = &old->slots[at];
        if (!segment_grow_slots(made))
            return false;
        segment_note_seq(made, work->copies[i].seq);
        if (slot != NULL) {
            struct slot *to = &made->slots[made->count++];
            *to = *slot;
            to->offset = offset;
            to->dead = false;
            made->published = made->count;
            made->live++;
            made->live_bytes += work->copies[i].record_bytes;
            if (slot->dead)
                segment_kill(made, to);
        } else {
            made->dead_bytes += work->copies[i].record_bytes;
        }
        offset += work->copies[i].record_bytes;
    }
    for (size_t i = 0; i < work->removal_count; i++) {
        if (!segment_grow_removals(made))
            return false;
        made->removals[made->removal_count++] = work->removals[i];
    }
    return true;
}

// The subjects stay where they are, for others have borrowed them.
static void settle_made(const struct msglog_reclaim *work, struct segment *old)
{
    struct segment *made = work->made;
    struct buf loaded = made->loaded;
    made->header = work->header;
    made->end = work->header.durable_bytes;
    made->written = made->end;
    made->reserved = made->end;
    made->sealed = true;
    made->has_records = work->copy_count + work->removal_count > 0;
    made->first_live = work->header.first_live;
    made->last_given = work->header.next_seq - 1;
    made->time_max = old->time_max;
    // What was staged to be removed meanwhile is not committed yet: it must not be dropped before.
    made->kill_serial = old->kill_serial;
    made->loaded = old->loaded;
    made->chunks = old->chunks;
    old->loaded = loaded;
    old->chunks = NULL;
}

static void remove_temporary(const struct msglog_reclaim *work)
{
    work->host->remove(work->host->context, work->temporary.data);
    work->host->remove(work->host->context, work->index_temporary.data);
}

static enum status sync_names(struct msglog *log, struct errinfo *err)
{
    int failure = log->host->sync_directory(log->host->context, log->directory);
    if (failure == 0)
        return STATUS_OK;
    struct errinfo reason;
    errinfo_set_errno(&reason, failure, "cannot sync the directory %s", log->directory);
    enum status status = msglog_fail(log, &reason);
    if (err != NULL)
        *err = reason;
    return status;
}

static size_t position_of(const struct msglog *log, uint64_t number)
{
    size_t at = 0;
    while (log->segments[at]->number != number)
        at++;
    return at;
}

static enum status swap(struct msglog *log, struct msglog_reclaim *work, struct errinfo *err)
{
    const struct host *host = log->host;
    size_t at = position_of(log, work->number);
    struct segment *old = log->segments[at];
    bool stale = old->erasures != work->erasures || awaits_erasure(log, work->number);
    if (work->result == RECLAIM_DAMAGED) {
        old->unmovable = true;
        remove_temporary(work);
        return STATUS_OK;
    }
    if (work->result != RECLAIM_DONE || stale) {
        remove_temporary(work);
        return stale ? STATUS_OK : msglog_file_error(log, work->failure, "rewrite", old, err);
    }
    int failure = fill_made(work, old) ? 0 : ENOMEM;
    if (failure == 0)
        failure = host->rename(host->context, work->temporary.data, work->path.data);
    if (failure != 0) {
        remove_temporary(work);
        return msglog_file_error(log, failure, "rewrite", old, err);
    }
    if (work->made->index_file == NULL ||
        host->rename(host->context, work->index_temporary.data, work->index_path.data) != 0)
        work->made->index_broken = true;
    settle_made(work, old);
    log->segments[at] = work->made;
    work->made = NULL;
    segment_free(old, host);
    return sync_names(log, err);
}

static enum status drop(struct msglog *log, const struct msglog_reclaim *work, struct errinfo *err)
{
    const struct host *host = log->host;
    size_t at = position_of(log, work->number);
    struct segment *segment = log->segments[at];
    // The index goes first, and surely: left alone it would tell of messages that are lost, for it
    // need not know of the last removals.
    int failure = host->remove(host->context, work->index_path.data);
    if (failure != 0 && failure != ENOENT)
        return msglog_file_error(log, failure, "remove the index of", segment, err);
    segment->index_broken = true;
    enum status status = sync_names(log, err);
    if (status != STATUS_OK)
        return status;
    failure = host->remove(host->context, work->path.data);
    if (failure != 0 && failure != ENOENT)
        return msglog_file_error(log, failure, "remove", segment, err);
    segment_free(segment, host);
    log->count--;
    for (size_t i = at; i < log->count; i++)
        log->segments[i] = log->segments[i + 1];
    return sync_names(log, err);
}

enum status msglog_reclaim_done(struct msglog *log, struct msglog_reclaim *work,
                                struct errinfo *err)
{
    ASSERT(log->reclaim == work);
    enum status status = work->rewrite ? swap(log, work, err) : drop(log, work, err);
    log->reclaim = NULL;
    reclaim_free(work);
    return status;
}
