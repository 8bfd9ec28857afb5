// SPDX-License-Identifier: Apache-2.0
// Life of a log, and what its memory says without touching a segment.
#include "store/msglog_inside.h"

#include "store/segload.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *copy_string(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    if (copy != NULL)
        memcpy(copy, text, size);
    return copy;
}

// The files of a directory that belong to the log.
struct listing {
    uint64_t *numbers; // with repetitions, one for each file
    size_t count;
    size_t capacity;
    struct buf temporary; // names with a NUL each
    bool failed;
};

// Reads "<16 digits><suffix>"; other names are somebody else's.
static bool split_name(const char *name, uint64_t *number, const char **suffix)
{
    struct bytes text = bytes_of_string(name);
    if (text.size <= SEGMENT_DIGITS ||
        !bytes_to_u64(bytes_slice(text, 0, SEGMENT_DIGITS), number) || *number == 0)
        return false;
    *suffix = name + SEGMENT_DIGITS;
    return true;
}

static void list_file(void *context, const char *name)
{
    struct listing *listing = context;
    uint64_t number;
    const char *suffix;
    if (!split_name(name, &number, &suffix))
        return;
    if (strcmp(suffix, ".seg.tmp") == 0 || strcmp(suffix, ".idx.tmp") == 0) {
        buf_append(&listing->temporary, bytes_of(name, strlen(name) + 1));
        listing->failed |= buf_status(&listing->temporary) != STATUS_OK;
    }
    if (strcmp(suffix, ".seg") != 0 && strcmp(suffix, ".idx") != 0)
        return;
    if (listing->count == listing->capacity) {
        size_t wanted = listing->capacity * 2 + 32;
        uint64_t *grown = realloc(listing->numbers, wanted * sizeof *grown);
        if (grown == NULL) {
            listing->failed = true;
            return;
        }
        listing->numbers = grown;
        listing->capacity = wanted;
    }
    listing->numbers[listing->count++] = number;
}

static int compare_numbers(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static enum status list_log(struct listing *listing, const struct host *host, const char *directory,
                            struct errinfo *err)
{
    *listing = (struct listing){.count = 0};
    buf_init(&listing->temporary, SIZE_MAX);
    int failure = host->list(host->context, directory, list_file, listing);
    if (failure != 0)
        return errinfo_set_errno(err, failure, "cannot read the directory %s", directory);
    if (listing->failed)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory to list %s", directory);
    size_t kept = 0;
    if (listing->count > 0)
        qsort(listing->numbers, listing->count, sizeof *listing->numbers, compare_numbers);
    for (size_t i = 0; i < listing->count; i++) {
        if (kept == 0 || listing->numbers[kept - 1] != listing->numbers[i])
            listing->numbers[kept++] = listing->numbers[i];
    }
    listing->count = kept;
    return STATUS_OK;
}

static void listing_fini(struct listing *listing)
{
    free(listing->numbers);
    buf_fini(&listing->temporary);
}

static enum status new_log(struct msglog **out, const struct host *host, const char *directory,
                           const struct msglog_options *options, struct errinfo *err)
{
    struct msglog *log = calloc(1, sizeof *log);
    char *copy = copy_string(directory);
    if (log == NULL || copy == NULL) {
        free(log);
        free(copy);
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory to open the log %s", directory);
    }
    log->host = host;
    log->directory = copy;
    log->segment_bytes = SEGMENT_BYTES_DEFAULT;
    if (options != NULL && options->segment_bytes > 0)
        log->segment_bytes = options->segment_bytes;
    *out = log;
    return STATUS_OK;
}

// A directory that was just made must not vanish again with its log in it.
static int sync_parent(const struct host *host, const char *directory)
{
    const char *slash = strrchr(directory, '/');
    if (slash == NULL || slash == directory)
        return host->sync_directory(host->context, slash == NULL ? "." : "/");
    char *parent = copy_string(directory);
    if (parent == NULL)
        return ENOMEM;
    parent[slash - directory] = '\0';
    int failure = host->sync_directory(host->context, parent);
    free(parent);
    return failure;
}

enum status msglog_create(const struct host *host, const char *directory, uint64_t first_seq,
                          struct errinfo *err)
{
    struct listing listing;
    struct msglog *log = NULL;
    int failure = host->make_directory(host->context, directory);
    if (failure == 0)
        failure = sync_parent(host, directory);
    if (failure != 0 && failure != EEXIST)
        return errinfo_set_errno(err, failure, "cannot make the directory %s", directory);
    enum status status = list_log(&listing, host, directory, err);
    size_t found = listing.count;
    listing_fini(&listing);
    if (status != STATUS_OK)
        return status;
    if (found > 0) {
        // The files may be all that a crash left of an earlier attempt.
        status = msglog_open(&log, host, directory, NULL, err);
        if (status == STATUS_OK)
            msglog_close(log);
        if (status == STATUS_OK)
            return errinfo_set(err, STATUS_EXISTS, "%s holds a log already", directory);
        if (status != STATUS_NOT_FOUND)
            return status;
    }
    status = new_log(&log, host, directory, NULL, err);
    if (status != STATUS_OK)
        return status;
    log->last_staged = first_seq - 1;
    log->first_durable = first_seq;
    status = msglog_roll(log, err);
    msglog_close(log);
    return status;
}

static enum status load_segments(struct msglog *log, const struct listing *listing,
                                 struct errinfo *err)
{
    struct segload load = {.host = log->host, .directory = log->directory};
    for (size_t i = listing->count; i-- > 0;) {
        struct segment *segment = NULL;
        load.number = listing->numbers[i];
        enum status status = segload(&segment, &load, err);
        if (status != STATUS_OK)
            return status;
        if (segment == NULL)
            continue;
        load.later_durable |= segment->has_records;
        if (!msglog_add_segment(log, segment)) {
            segment_free(segment, log->host);
            return errinfo_set(err, STATUS_NO_MEMORY, "no memory to open the log %s",
                               log->directory);
        }
    }
    // Loaded from the last to the first; kept the other way round.
    for (size_t i = 0; i < log->count / 2; i++) {
        struct segment *swapped = log->segments[i];
        log->segments[i] = log->segments[log->count - 1 - i];
        log->segments[log->count - 1 - i] = swapped;
    }
    return STATUS_OK;
}

// Puts together what the segments say of the whole log.
static enum status settle(struct msglog *log, struct errinfo *err)
{
    uint64_t seq_before = 0;
    log->first_live = 1;
    for (size_t i = 0; i < log->count; i++) {
        struct segment *segment = log->segments[i];
        if (segment->seq_first != 0 && segment->seq_first <= seq_before)
            return errinfo_set(err, STATUS_CORRUPT,
                               "segment %016" PRIu64 " of %s does not follow the one before it; "
                               "it belongs to another log",
                               segment->number, log->directory);
        if (segment->seq_last > seq_before)
            seq_before = segment->seq_last;
        if (segment->first_live > log->first_live)
            log->first_live = segment->first_live;
        if (segment->last_given > log->last_seq)
            log->last_seq = segment->last_given;
        if (i + 1 < log->count)
            segment->sealed = true;
    }
    if (log->first_live > log->last_seq + 1)
        log->last_seq = log->first_live - 1;
    log->last_staged = log->last_seq;
    enum status status = msglog_kill(log, 1, log->first_live - 1, false, 0);
    for (size_t i = 0; i < log->count && status == STATUS_OK; i++) {
        const struct segment *segment = log->segments[i];
        for (size_t k = 0; k < segment->removal_count && status == STATUS_OK; k++)
            status = msglog_kill(log, segment->removals[k].first, segment->removals[k].last,
                                 segment->removals[k].erase, 0);
    }
    if (status != STATUS_OK)
        return errinfo_set(err, status, "no memory to open the log %s", log->directory);
    log->first_durable = log->first_live;
    msglog_advance(log);
    return STATUS_OK;
}

static void describe(const struct slot *slot, struct msglog_entry *entry)
{
    *entry = (struct msglog_entry){
        .seq = slot->seq,
        .time_ns = slot->time_ns,
        .subject = bytes_of(slot->subject, slot->subject_bytes),
        .headers_bytes = slot->headers_bytes,
        .body_bytes = slot->body_bytes,
    };
}

static enum status count_and_visit(struct msglog *log, const struct msglog_options *options)
{
    msglog_visit visit = options == NULL ? NULL : options->visit;
    log->messages = 0;
    log->bytes = 0;
    for (size_t i = 0; i < log->count; i++) {
        const struct segment *segment = log->segments[i];
        for (size_t k = 0; k < segment->count; k++) {
            struct msglog_entry entry;
            if (segment->slots[k].dead)
                continue;
            log->messages++;
            log->bytes += slot_message_bytes(&segment->slots[k]);
            describe(&segment->slots[k], &entry);
            enum status status = visit == NULL ? STATUS_OK : visit(options->visit_context, &entry);
            if (status != STATUS_OK)
                return status;
        }
    }
    return STATUS_OK;
}

// What a rewrite left unfinished is worth nothing.
static enum status remove_temporary(const struct host *host, const char *directory,
                                    const struct listing *listing, struct errinfo *err)
{
    struct bytes names = buf_bytes(&listing->temporary);
    while (names.size > 0) {
        struct buf path;
        if (!segment_path(&path, directory, names.data))
            return errinfo_set(err, STATUS_NO_MEMORY, "no memory to open the log %s", directory);
        int failure = host->remove(host->context, path.data);
        buf_fini(&path);
        if (failure != 0 && failure != ENOENT)
            return errinfo_set_errno(err, failure, "cannot remove %s in %s", names.data, directory);
        names = bytes_from(names, strlen(names.data) + 1);
    }
    return STATUS_OK;
}

static enum status fill_log(struct msglog *log, const struct listing *listing,
                            const struct msglog_options *options, struct errinfo *err)
{
    enum status status = remove_temporary(log->host, log->directory, listing, err);
    if (status == STATUS_OK)
        status = load_segments(log, listing, err);
    if (status == STATUS_OK && log->count == 0)
        status = errinfo_set(err, STATUS_NOT_FOUND, "%s holds no log", log->directory);
    if (status == STATUS_OK)
        status = settle(log, err);
    if (status == STATUS_OK)
        status = count_and_visit(log, options);
    for (size_t i = 0; i < log->count; i++)
        segment_compact(log->segments[i]);
    return status;
}

enum status msglog_open(struct msglog **out, const struct host *host, const char *directory,
                        const struct msglog_options *options, struct errinfo *err)
{
    struct listing listing;
    struct msglog *log = NULL;
    enum status status = list_log(&listing, host, directory, err);
    if (status == STATUS_OK)
        status = new_log(&log, host, directory, options, err);
    if (status == STATUS_OK)
        status = fill_log(log, &listing, options, err);
    listing_fini(&listing);
    if (status != STATUS_OK) {
        msglog_close(log);
        return status;
    }
    *out = log;
    return STATUS_OK;
}

// Gives back most of what was reserved and not used: the next open reads all of it, for what a torn
// batch may have left there. When it fails there is more to read.
static void shrink(struct msglog *log)
{
    struct segment *segment = log->segments[log->count - 1];
    uint64_t wanted = segment->written + RESERVE_FIRST;
    if (log->read_only || log->under_way != NULL || segment->file == NULL || segment->needs_trim ||
        segment->reserved <= wanted + RESERVE_FIRST)
        return;
    log->host->truncate(log->host->context, segment->file, wanted);
}

void msglog_close(struct msglog *log)
{
    if (log == NULL)
        return;
    if (log->count > 0)
        shrink(log);
    msglog_reclaim_abandon(log);
    msglog_batch_free(log->staged);
    msglog_batch_free(log->under_way);
    msglog_batch_free(log->spare);
    for (size_t i = 0; i < log->count; i++)
        segment_free(log->segments[i], log->host);
    free(log->segments);
    free(log->erasures);
    free(log->directory);
    free(log);
}

bool msglog_add_segment(struct msglog *log, struct segment *segment)
{
    if (log->count == log->capacity) {
        size_t wanted = log->capacity * 2 + 8;
        struct segment **grown = realloc(log->segments, wanted * sizeof(*grown));
        if (grown == NULL)
            return false;
        log->segments = grown;
        log->capacity = wanted;
    }
    log->segments[log->count++] = segment;
    return true;
}

struct segment *msglog_segment(const struct msglog *log, uint64_t number)
{
    for (size_t i = 0; i < log->count; i++) {
        if (log->segments[i]->number == number)
            return log->segments[i];
    }
    return NULL;
}

enum status msglog_fail(struct msglog *log, struct errinfo *err)
{
    if (!log->read_only && err != NULL)
        log->reason = *err;
    log->read_only = true;
    return msglog_writable(log, err);
}

enum status msglog_writable(const struct msglog *log, struct errinfo *err)
{
    if (!log->read_only)
        return STATUS_OK;
    return errinfo_set(err, STATUS_READ_ONLY,
                       "the log %s is read-only after a failure (%s); mend the cause and restart",
                       log->directory, log->reason.text);
}

enum status msglog_file_error(const struct msglog *log, int failure, const char *what,
                              const struct segment *segment, struct errinfo *err)
{
    return errinfo_set_errno(err, failure, "cannot %s segment %016" PRIu64 " of %s", what,
                             segment->number, log->directory);
}

// The first living slot at or after seq of those that `published` allows.
static struct slot *next_living(const struct msglog *log, uint64_t seq, bool staged_too,
                                struct segment **where)
{
    for (size_t i = 0; i < log->count; i++) {
        struct segment *segment = log->segments[i];
        size_t end = staged_too ? segment->count : segment->published;
        if (segment->seq_last < seq || (segment->live == 0 && end == segment->published))
            continue;
        for (size_t k = segment_find(segment, seq); k < end; k++) {
            if (segment->slots[k].dead)
                continue;
            *where = segment;
            return &segment->slots[k];
        }
    }
    return NULL;
}

void msglog_advance(struct msglog *log)
{
    struct segment *segment;
    const struct slot *slot = next_living(log, log->first_live, true, &segment);
    log->first_live = slot != NULL ? slot->seq : log->last_staged + 1;
}

struct slot *msglog_find(const struct msglog *log, uint64_t seq, struct segment **segment)
{
    struct slot *slot = next_living(log, seq, false, segment);
    return slot != NULL && slot->seq == seq ? slot : NULL;
}

bool msglog_entry_get(const struct msglog *log, uint64_t seq, struct msglog_entry *entry)
{
    struct segment *segment;
    const struct slot *slot = msglog_find(log, seq, &segment);
    if (slot != NULL)
        describe(slot, entry);
    return slot != NULL;
}

bool msglog_entry_next(const struct msglog *log, uint64_t seq, struct msglog_entry *entry)
{
    struct segment *segment;
    const struct slot *slot = next_living(log, seq, false, &segment);
    if (slot != NULL)
        describe(slot, entry);
    return slot != NULL;
}

bool msglog_entry_since(const struct msglog *log, int64_t time_ns, struct msglog_entry *entry)
{
    for (size_t i = 0; i < log->count; i++) {
        const struct segment *segment = log->segments[i];
        if (segment->live == 0 || segment->time_max < time_ns)
            continue;
        for (size_t k = 0; k < segment->published; k++) {
            if (segment->slots[k].dead || segment->slots[k].time_ns < time_ns)
                continue;
            describe(&segment->slots[k], entry);
            return true;
        }
    }
    return false;
}

void msglog_state_get(const struct msglog *log, struct msglog_state *state)
{
    struct msglog_entry first;
    *state = (struct msglog_state){.messages = log->messages,
                                   .bytes = log->bytes,
                                   .first_seq = log->last_seq + 1,
                                   .last_seq = log->last_seq,
                                   .segments = log->count,
                                   .read_only = log->read_only};
    if (msglog_entry_next(log, 0, &first))
        state->first_seq = first.seq;
    for (size_t i = 0; i < log->count; i++) {
        state->disk_bytes += log->segments[i]->reserved;
        state->dead_bytes += log->segments[i]->dead_bytes;
    }
}

uint64_t msglog_message_bytes(size_t subject_bytes, size_t headers_bytes, size_t body_bytes)
{
    uint64_t headers = headers_bytes > 0 ? 4 + (uint64_t)headers_bytes : 0;
    return 22 + (uint64_t)subject_bytes + headers + body_bytes + 8;
}
