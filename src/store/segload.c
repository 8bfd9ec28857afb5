// SPDX-License-Identifier: Apache-2.0
#include "store/segload.h"

#include "store/segscan.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

enum { INDEX_BYTES_MAX = 1 << 30 };

static enum status fail(const struct segload *load, int failure, const char *what,
                        struct errinfo *err)
{
    return errinfo_set_errno(err, failure, "cannot %s segment %016" PRIu64 " of %s", what,
                             load->number, load->directory);
}

static enum status no_memory(const struct segload *load, struct errinfo *err)
{
    return fail(load, ENOMEM, "load", err);
}

// Opens one of the two files; *file stays NULL when it does not exist.
static enum status open_file(const struct segload *load, const char *suffix,
                             struct host_file **file, struct errinfo *err)
{
    char name[SEGMENT_NAME_SIZE];
    struct buf path;
    segment_name(name, load->number, suffix);
    if (!segment_path(&path, load->directory, name))
        return no_memory(load, err);
    const struct host *host = load->host;
    int failure = host->open(host->context, path.data, HOST_WRITE, file);
    buf_fini(&path);
    return failure == 0 || failure == ENOENT ? STATUS_OK : fail(load, failure, "open", err);
}

static enum status remove_file(const struct segload *load, const char *suffix, struct errinfo *err)
{
    char name[SEGMENT_NAME_SIZE];
    struct buf path;
    segment_name(name, load->number, suffix);
    if (!segment_path(&path, load->directory, name))
        return no_memory(load, err);
    int failure = load->host->remove(load->host->context, path.data);
    buf_fini(&path);
    return failure == 0 || failure == ENOENT ? STATUS_OK
                                             : fail(load, failure, "remove what is left of", err);
}

static enum status read_index(const struct segload *load, struct segment *segment,
                              struct errinfo *err)
{
    const struct host *host = load->host;
    struct buf *loaded = &segment->loaded;
    uint64_t size;
    size_t got = 0;
    int failure = host->size(host->context, segment->index_file, &size);
    if (failure != 0)
        return fail(load, failure, "read the index of", err);
    if (size > INDEX_BYTES_MAX)
        size = INDEX_BYTES_MAX;
    if (buf_reserve(loaded, (size_t)size + 1) == NULL)
        return no_memory(load, err);
    // An index that cannot be read is as good as none.
    failure = host->read_at(host->context, segment->index_file, loaded->data, (size_t)size, 0,
                            &got);
    loaded->size = failure == 0 ? got : 0;
    return STATUS_OK;
}

static enum status read_header(const struct segload *load, struct segment *segment,
                               enum segheader_result *result, struct errinfo *err)
{
    char bytes[SEGHEADER_BYTES];
    size_t got;
    uint32_t version;
    *result = SEGHEADER_DAMAGED;
    if (segment->file == NULL)
        return STATUS_OK;
    const struct host *host = load->host;
    int failure = host->size(host->context, segment->file, &segment->reserved);
    if (failure == 0)
        failure = host->read_at(host->context, segment->file, bytes, sizeof bytes, 0, &got);
    if (failure != 0)
        return fail(load, failure, "read", err);
    *result = segheader_decode(&segment->header, &version, SEGHEADER_SEGMENT, bytes_of(bytes, got));
    if (*result == SEGHEADER_NEWER)
        return errinfo_set(err, STATUS_FORMAT,
                           "segment %016" PRIu64 " of %s was written by a newer agog (format %u, "
                           "this one knows %d); use that version",
                           load->number, load->directory, version, SEGHEADER_VERSION);
    if (*result == SEGHEADER_VALID && segment->header.number != load->number)
        return errinfo_set(err, STATUS_CORRUPT,
                           "segment %016" PRIu64 " of %s is a copy of segment %016" PRIu64
                           "; put the right file in its place or move it away",
                           load->number, load->directory, segment->header.number);
    return STATUS_OK;
}

// Settles which header counts; *usable says whether the index belongs to the segment.
static enum status settle_header(const struct segload *load, struct segment *segment, bool *usable,
                                 struct errinfo *err)
{
    enum segheader_result own;
    enum status status = read_header(load, segment, &own, err);
    if (status != STATUS_OK)
        return status;
    struct segheader copy;
    uint32_t version;
    bool copied = segheader_decode(&copy, &version, SEGHEADER_INDEX, buf_bytes(&segment->loaded)) ==
                      SEGHEADER_VALID &&
                  copy.number == load->number;
    segment->header_damaged = own != SEGHEADER_VALID;
    if (segment->header_damaged)
        segment->header = copied ? copy
                                 : (struct segheader){1, 1, 1, SEGHEADER_BYTES, load->number, 0};
    *usable = copied && segheader_equal(&copy, &segment->header);
    segment->first_live = segment->header.first_live;
    segment->last_given = segment->header.next_seq == 0 ? 0 : segment->header.next_seq - 1;
    return STATUS_OK;
}

// Takes in the entries of one group; false when one makes no sense, and then the group counts as
// damaged.
static enum status load_group(struct segment *segment, const struct segindex_group *group,
                              bool *sound)
{
    struct bytes entries = group->entries;
    struct segindex_entry entry;
    *sound = true;
    for (uint32_t i = 0; i < group->count; i++) {
        if (!segindex_next_entry(&entries, &entry)) {
            *sound = false;
            return STATUS_OK;
        }
        enum status status = segment_add(segment, &entry, false);
        if (status == STATUS_NO_MEMORY)
            return status;
        if (status != STATUS_OK) {
            *sound = false;
            return STATUS_OK;
        }
        if (entry.kind != RECORD_ERASED)
            segment->has_records = true;
    }
    return STATUS_OK;
}

static enum status load_groups(const struct segload *load, struct segment *segment,
                               struct errinfo *err)
{
    struct bytes rest = bytes_from(buf_bytes(&segment->loaded), SEGHEADER_BYTES);
    struct bytes before = rest;
    struct segindex_group group;
    uint32_t mark = segheader_mark(&segment->header);
    uint64_t covered = SEGHEADER_BYTES;
    bool sound = true;
    while (sound && segindex_next_group(&rest, mark, &group)) {
        if (group.covered != 0 && group.from != covered)
            break;
        if (load_group(segment, &group, &sound) != STATUS_OK)
            return no_memory(load, err);
        if (!sound)
            break;
        before = rest;
        if (group.covered > covered)
            covered = group.covered;
        if (group.first_live > segment->first_live)
            segment->first_live = group.first_live;
    }
    segment->index_end = (uint64_t)segment->loaded.size - before.size;
    // An append that a crash cut short leaves less than a group; a damaged group is all there.
    if (before.size >= SEGINDEX_GROUP_BYTES)
        segment->mended_at = segment->index_end;
    segment->end = covered;
    if (before.size > 0 &&
        load->host->truncate(load->host->context, segment->index_file, segment->index_end) != 0)
        segment->index_broken = true;
    return STATUS_OK;
}

// What the scan of a tail gathers for the index.
struct tail {
    uint64_t from;
    struct buf groups;
    size_t start;
    uint32_t count;
};

static enum status take_record(struct segment *segment, struct tail *tail, uint64_t offset,
                               const struct record *record, const char *encoded)
{
    struct segindex_entry entry = {
        .kind = record->type,
        .flags = record->flags,
        .headers_bytes = record->headers_bytes,
        .body_bytes = record->body_bytes,
        .record_bytes = record->record_bytes,
        .offset = offset,
        .seq = record->seq,
        .time_ns = record->time_ns,
        .last_seq = record->last_seq,
        .subject = bytes_of(encoded + RECORD_HEAD_BYTES, record->subject_bytes),
    };
    enum status status = segment_add(segment, &entry, true);
    if (status != STATUS_OK)
        return status;
    if (record->first_live > segment->first_live)
        segment->first_live = record->first_live;
    segment->has_records = true;
    if (tail->count == 0)
        tail->start = segindex_begin(&tail->groups);
    segindex_put(&tail->groups, &entry);
    tail->count++;
    return buf_status(&tail->groups);
}

// What is at X, where no record is: see the rule in segload.h. *next is where to go on, or X itself
// when the segment ends there.
static enum status judge(const struct segload *load, struct segment *segment, struct segscan *scan,
                         uint64_t x, uint64_t *next)
{
    *next = x;
    bool durable = load->later_durable || x < segment->header.durable_bytes;
    uint64_t found;
    if (!durable && segscan_nonzero(scan, x) == scan->size)
        return STATUS_OK;
    if (!durable && !segscan_find(scan, x, x, &found)) {
        segment->needs_trim = true;
        return STATUS_OK;
    }
    if (!segscan_find(scan, x, 0, &found)) {
        // Nothing follows: what is not zero was a record, and so was what was synced at once.
        uint64_t last = segscan_nonzero(scan, x);
        found = last < scan->size ? scan->size / RECORD_ALIGN * RECORD_ALIGN : x;
        if (found < segment->header.durable_bytes)
            found = segment->header.durable_bytes;
    }
    *next = found;
    return found == x || segment_add_hole(segment, x, found) ? STATUS_OK : STATUS_NO_MEMORY;
}

// A message whose body is damaged still has a head that says which one it is; it stays listed so
// that reading it says that it is damaged, unless it may be a torn one.
static bool listed_although_damaged(const struct segload *load, const struct segment *segment,
                                    struct segscan *scan, uint64_t offset,
                                    const struct record *record)
{
    uint64_t found;
    uint64_t behind = offset + record->record_bytes;
    return load->later_durable || behind <= segment->header.durable_bytes ||
           segscan_find(scan, behind, offset, &found);
}

static enum status scan_tail(const struct segload *load, struct segment *segment,
                             struct segscan *scan, struct tail *tail)
{
    while (segment->end < scan->size) {
        struct record record;
        const char *encoded;
        uint64_t offset = segment->end;
        uint64_t next = offset;
        enum status status = STATUS_CORRUPT;
        if (segscan_record(scan, offset, &record, &encoded))
            status = take_record(segment, tail, offset, &record, encoded);
        else if (segscan_prefix(scan, offset, &record, &encoded) &&
                 listed_although_damaged(load, segment, scan, offset, &record) &&
                 segscan_prefix(scan, offset, &record, &encoded))
            status = take_record(segment, tail, offset, &record, encoded);
        if (status == STATUS_OK) {
            segment->end = offset + record.record_bytes;
            continue;
        }
        if (status == STATUS_CORRUPT)
            status = judge(load, segment, scan, offset, &next);
        if (status != STATUS_OK)
            return status;
        if (next == offset)
            return STATUS_OK;
        segment->end = next;
    }
    return STATUS_OK;
}

// What the scan found was perhaps never synced, for nobody was told yet that it is stored. It is
// about to be shown, so it must be; and the index may only describe what is synced.
static enum status finish_tail(const struct segload *load, struct segment *segment,
                               struct tail *tail, struct errinfo *err)
{
    if (tail->count == 0)
        return STATUS_OK;
    int failure = load->host->sync_data(load->host->context, segment->file);
    if (failure != 0)
        return fail(load, failure, "sync", err);
    struct segindex_group group = {.from = tail->from,
                                   .covered = segment->end,
                                   .first_live = segment->first_live,
                                   .count = tail->count};
    segindex_end(&tail->groups, tail->start, segheader_mark(&segment->header), &group);
    segment_index_append(segment, load->host, buf_bytes(&tail->groups));
    return STATUS_OK;
}

static enum status load_tail(const struct segload *load, struct segment *segment,
                             struct errinfo *err)
{
    struct segscan scan;
    struct tail tail = {.from = segment->end};
    if (segment->file == NULL)
        return STATUS_OK;
    if (segment->reserved < SEGHEADER_BYTES && !segment->has_records)
        return STATUS_OK;
    if (segment->reserved < segment->end) {
        bool added = segment_add_hole(segment, segment->reserved, segment->end);
        return added ? STATUS_OK : no_memory(load, err);
    }
    buf_init(&tail.groups, SIZE_MAX);
    segscan_init(&scan, load->host, segment);
    enum status status = scan_tail(load, segment, &scan, &tail);
    if (scan.failure != 0)
        status = fail(load, scan.failure, "read", err);
    else if (status != STATUS_OK)
        status = no_memory(load, err);
    else
        status = finish_tail(load, segment, &tail, err);
    segscan_fini(&scan);
    buf_fini(&tail.groups);
    return status;
}

// A segment without a header and without content was being made when the process ended. An index
// without its segment tells what is lost, and that nothing is when all of it was removed before;
// one that cannot be read tells nothing.
static bool never_used(const struct segload *load, const struct segment *segment, bool usable)
{
    if (segment->file == NULL)
        return !usable;
    return segment->header_damaged && !segment->has_records && !load->later_durable &&
           segment->hole_count == 0 && segment->loaded.size < SEGHEADER_BYTES;
}

static enum status load_both(const struct segload *load, struct segment *segment, bool *usable,
                             struct errinfo *err)
{
    enum status status = open_file(load, ".seg", &segment->file, err);
    if (status == STATUS_OK)
        status = open_file(load, ".idx", &segment->index_file, err);
    if (status == STATUS_OK && segment->index_file != NULL)
        status = read_index(load, segment, err);
    if (status == STATUS_OK)
        status = settle_header(load, segment, usable, err);
    if (status != STATUS_OK)
        return status;
    if (*usable)
        status = load_groups(load, segment, err);
    else if (segment->file != NULL && segment->loaded.size > 0)
        segment->mended_at = 1;
    // With neither header nor index the file may be one that was never used and goes away again.
    segment->index_broken = segment->header_damaged && !*usable;
    if (!*usable && segment->file != NULL && !segment->index_broken)
        segment_index_start(segment, load->host, load->directory);
    if (status == STATUS_OK)
        status = load_tail(load, segment, err);
    segment->written = segment->end;
    segment->sealed = segment->file == NULL || segment->header_damaged;
    return status;
}

enum status segload(struct segment **out, const struct segload *load, struct errinfo *err)
{
    struct segment *segment = segment_new(load->number);
    if (segment == NULL)
        return no_memory(load, err);
    bool usable = false;
    enum status status = load_both(load, segment, &usable, err);
    if (status == STATUS_OK && never_used(load, segment, usable)) {
        segment_free(segment, load->host);
        segment = NULL;
        status = remove_file(load, ".idx", err);
        if (status == STATUS_OK)
            status = remove_file(load, ".seg", err);
    }
    if (status != STATUS_OK) {
        segment_free(segment, load->host);
        return status;
    }
    *out = segment;
    return STATUS_OK;
}
