// SPDX-License-Identifier: Apache-2.0
#include "store/segment.h"

#include "store/msglog.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES = 16 * 1024, PATH_BYTES_MAX = 64 * 1024 };

struct segment_chunk {
    struct segment_chunk *next;
    size_t used;
    size_t size;
    char data[];
};

void segment_name(char out[SEGMENT_NAME_SIZE], uint64_t number, const char *suffix)
{
    snprintf(out, SEGMENT_NAME_SIZE, "%016" PRIu64 "%.8s", number, suffix);
}

bool segment_path(struct buf *out, const char *directory, const char *name)
{
    buf_init(out, PATH_BYTES_MAX);
    buf_append_string(out, directory);
    buf_append_byte(out, '/');
    buf_append_string(out, name);
    if (buf_string(out) != NULL)
        return true;
    buf_fini(out);
    return false;
}

struct segment *segment_new(uint64_t number)
{
    struct segment *segment = calloc(1, sizeof *segment);
    if (segment == NULL)
        return NULL;
    segment->number = number;
    segment->end = SEGHEADER_BYTES;
    segment->written = SEGHEADER_BYTES;
    segment->time_max = INT64_MIN;
    buf_init(&segment->loaded, SIZE_MAX);
    return segment;
}

void segment_free(struct segment *segment, const struct host *host)
{
    if (segment == NULL)
        return;
    if (segment->file != NULL)
        host->close(host->context, segment->file);
    if (segment->index_file != NULL)
        host->close(host->context, segment->index_file);
    while (segment->chunks != NULL) {
        struct segment_chunk *next = segment->chunks->next;
        free(segment->chunks);
        segment->chunks = next;
    }
    buf_fini(&segment->loaded);
    free(segment->slots);
    free(segment->removals);
    free(segment->holes);
    free(segment);
}

// Reserves and writes what a new segment begins with; the failure's errno.
static int fill_new(struct segment *segment, const struct host *host, uint64_t reserve)
{
    char header[SEGHEADER_BYTES];
    segheader_encode(header, SEGHEADER_SEGMENT, &segment->header);
    int failure = host->reserve(host->context, segment->file, reserve);
    if (failure == 0)
        failure = host->write_at(host->context, segment->file, header, sizeof header, 0);
    if (failure == 0)
        failure = host->sync_data(host->context, segment->file);
    return failure;
}

enum status segment_create(struct segment *segment, const struct host *host, const char *directory,
                           const struct segheader *header, uint64_t reserve, struct errinfo *err)
{
    char name[SEGMENT_NAME_SIZE];
    struct buf path;
    segment_name(name, segment->number, ".seg");
    if (!segment_path(&path, directory, name))
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory for a new segment");
    segment->header = *header;
    segment->reserved = reserve;
    segment->first_live = header->first_live;
    segment->last_given = header->next_seq - 1;
    struct host_file *file;
    int failure = host->open(host->context, path.data, HOST_WRITE | HOST_CREATE | HOST_EXCLUSIVE,
                             &file);
    if (failure == 0) {
        segment->file = file;
        failure = fill_new(segment, host, reserve);
        if (failure != 0) {
            host->close(host->context, file);
            segment->file = NULL;
            host->remove(host->context, path.data);
        }
    }
    enum status status = STATUS_OK;
    if (failure != 0)
        status = errinfo_set_errno(err, failure, "cannot make the segment %s", path.data);
    buf_fini(&path);
    return status;
}

void segment_index_start(struct segment *segment, const struct host *host, const char *directory)
{
    char name[SEGMENT_NAME_SIZE];
    char header[SEGHEADER_BYTES];
    struct buf path;
    segment->index_broken = true;
    segment_name(name, segment->number, ".idx");
    if (segment->index_file == NULL) {
        if (!segment_path(&path, directory, name))
            return;
        struct host_file *file;
        int failure = host->open(host->context, path.data, HOST_WRITE | HOST_CREATE, &file);
        buf_fini(&path);
        if (failure != 0)
            return;
        segment->index_file = file;
    }
    segheader_encode(header, SEGHEADER_INDEX, &segment->header);
    if (host->truncate(host->context, segment->index_file, 0) != 0 ||
        host->write_at(host->context, segment->index_file, header, sizeof header, 0) != 0)
        return;
    segment->index_end = SEGHEADER_BYTES;
    segment->index_broken = false;
}

void segment_index_append(struct segment *segment, const struct host *host, struct bytes groups)
{
    if (segment->index_broken || segment->index_file == NULL || groups.size == 0)
        return;
    if (host->write_at(host->context, segment->index_file, groups.data, groups.size,
                       segment->index_end) != 0)
        segment->index_broken = true;
    else
        segment->index_end += groups.size;
}

// Makes room for one more element; false without memory.
static bool grow(void **items, size_t *capacity, size_t count, size_t item_size)
{
    if (count < *capacity)
        return true;
    size_t wanted = *capacity < 16 ? 16 : *capacity + *capacity / 2;
    void *grown = realloc(*items, wanted * item_size);
    if (grown == NULL)
        return false;
    *items = grown;
    *capacity = wanted;
    return true;
}

bool segment_grow_slots(struct segment *segment)
{
    void *items = segment->slots;
    bool grown = grow(&items, &segment->capacity, segment->count, sizeof *segment->slots);
    segment->slots = items;
    return grown;
}

bool segment_grow_removals(struct segment *segment)
{
    void *items = segment->removals;
    bool grown = grow(&items, &segment->removal_capacity, segment->removal_count,
                      sizeof *segment->removals);
    segment->removals = items;
    return grown;
}

bool segment_add_hole(struct segment *segment, uint64_t from, uint64_t to)
{
    void *items = segment->holes;
    bool grown = grow(&items, &segment->hole_capacity, segment->hole_count, sizeof *segment->holes);
    segment->holes = items;
    if (grown)
        segment->holes[segment->hole_count++] = (struct segment_hole){from, to};
    return grown;
}

const char *segment_keep(struct segment *segment, struct bytes subject)
{
    if (subject.size == 0)
        return "";
    struct segment_chunk *chunk = segment->chunks;
    if (chunk == NULL || chunk->size - chunk->used < subject.size) {
        chunk = malloc(sizeof *chunk + CHUNK_BYTES);
        if (chunk == NULL)
            return NULL;
        *chunk = (struct segment_chunk){.next = segment->chunks, .size = CHUNK_BYTES};
        segment->chunks = chunk;
    }
    char *kept = chunk->data + chunk->used;
    memcpy(kept, subject.data, subject.size);
    chunk->used += subject.size;
    return kept;
}

uint64_t slot_record_bytes(const struct slot *slot)
{
    return record_size(slot->subject_bytes, slot->headers_bytes, slot->body_bytes);
}

uint64_t slot_message_bytes(const struct slot *slot)
{
    return msglog_message_bytes(slot->subject_bytes, slot->headers_bytes, slot->body_bytes);
}

size_t segment_find(const struct segment *segment, uint64_t seq)
{
    size_t low = 0;
    size_t high = segment->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (segment->slots[middle].seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void segment_note_seq(struct segment *segment, uint64_t seq)
{
    if (segment->seq_first == 0)
        segment->seq_first = seq;
    if (seq > segment->seq_last)
        segment->seq_last = seq;
    if (seq > segment->last_given)
        segment->last_given = seq;
}

static enum status add_message(struct segment *segment, const struct segindex_entry *entry,
                               bool copy)
{
    if (entry->seq == 0 || entry->seq <= segment->seq_last)
        return STATUS_CORRUPT;
    if (!segment_grow_slots(segment))
        return STATUS_NO_MEMORY;
    const char *subject = copy ? segment_keep(segment, entry->subject) : entry->subject.data;
    if (subject == NULL)
        return STATUS_NO_MEMORY;
    struct slot *slot = &segment->slots[segment->count++];
    *slot = (struct slot){.seq = entry->seq,
                          .time_ns = entry->time_ns,
                          .offset = entry->offset,
                          .subject = subject,
                          .headers_bytes = entry->headers_bytes,
                          .body_bytes = entry->body_bytes,
                          .subject_bytes = (uint16_t)entry->subject.size};
    segment->published = segment->count;
    segment->live++;
    segment->live_bytes += entry->record_bytes;
    if (entry->time_ns > segment->time_max)
        segment->time_max = entry->time_ns;
    segment_note_seq(segment, entry->seq);
    return STATUS_OK;
}

// An erased record stands in the place of a message, which the index may still list before it.
static enum status add_erased(struct segment *segment, const struct segindex_entry *entry)
{
    size_t at = segment_find(segment, entry->seq);
    if (at < segment->count && segment->slots[at].seq == entry->seq) {
        segment_kill(segment, &segment->slots[at]);
        segment->slots[at].erased = true;
        return STATUS_OK;
    }
    if (entry->seq == 0 || entry->seq <= segment->seq_last)
        return STATUS_CORRUPT;
    segment->dead_bytes += entry->record_bytes;
    segment_note_seq(segment, entry->seq);
    return STATUS_OK;
}

static enum status add_removal(struct segment *segment, const struct segindex_entry *entry)
{
    if (!segment_grow_removals(segment))
        return STATUS_NO_MEMORY;
    segment->removals[segment->removal_count++] = (struct removal){
        entry->seq, entry->last_seq, (entry->flags & RECORD_ERASE) != 0};
    if (entry->last_seq > segment->last_given)
        segment->last_given = entry->last_seq;
    return STATUS_OK;
}

enum status segment_add(struct segment *segment, const struct segindex_entry *entry, bool copy)
{
    switch (entry->kind) {
    case RECORD_MESSAGE: return add_message(segment, entry, copy);
    case RECORD_ERASED: return add_erased(segment, entry);
    default: return add_removal(segment, entry);
    }
}

void segment_kill(struct segment *segment, struct slot *slot)
{
    if (slot->dead)
        return;
    slot->dead = true;
    if ((size_t)(slot - segment->slots) >= segment->published)
        return;
    segment->live--;
    segment->live_bytes -= slot_record_bytes(slot);
    segment->dead_bytes += slot_record_bytes(slot);
}

void segment_compact(struct segment *segment)
{
    if (segment->count != segment->published || segment->count < 64 ||
        segment->live > segment->count / 2)
        return;
    size_t kept = 0;
    for (size_t i = 0; i < segment->count; i++) {
        if (!segment->slots[i].dead)
            segment->slots[kept++] = segment->slots[i];
    }
    segment->count = kept;
    segment->published = kept;
}
