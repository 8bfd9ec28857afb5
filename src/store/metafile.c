// SPDX-License-Identifier: Apache-2.0
#include "store/metafile.h"

#include "base/crc32c.h"
#include "base/le.h"

#include <errno.h>
#include <string.h>

#define METAFILE_MAGIC UINT32_C(0x4D474F41) // "AOGM"

enum { HEAD_BYTES = 32, METAFILE_VERSION = 1, CHECKSUM_AT = 20, PATH_MAX_BYTES = 64 * 1024 };

enum copy_state { COPY_MISSING, COPY_DAMAGED, COPY_NEWER, COPY_WHOLE };

static const char *const suffixes[2] = {".a", ".b"};

// What all steps on one file need.
struct metafile {
    const struct host *host;
    const char *directory;
    const char *name;
    struct buf path;
    struct buf temporary;
};

static void metafile_init(struct metafile *meta, const struct host *host, const char *directory,
                          const char *name)
{
    *meta = (struct metafile){.host = host, .directory = directory, .name = name};
    buf_init(&meta->path, PATH_MAX_BYTES);
    buf_init(&meta->temporary, PATH_MAX_BYTES);
}

static void metafile_fini(struct metafile *meta)
{
    buf_fini(&meta->path);
    buf_fini(&meta->temporary);
}

static const char *build(struct buf *path, const struct metafile *meta, const char *suffix,
                         const char *more)
{
    buf_clear(path);
    buf_append_string(path, meta->directory);
    buf_append_byte(path, '/');
    buf_append_string(path, meta->name);
    buf_append_string(path, suffix);
    buf_append_string(path, more);
    return buf_string(path);
}

static enum status no_memory(const struct metafile *meta, struct errinfo *err)
{
    return errinfo_set(err, STATUS_NO_MEMORY, "no memory for %s in %s", meta->name,
                       meta->directory);
}

static enum status fail(const struct metafile *meta, int failure, const char *what,
                        struct errinfo *err)
{
    return errinfo_set_errno(err, failure, "cannot %s %s in %s", what, meta->name, meta->directory);
}

static uint32_t checksum(const char *head, struct bytes content)
{
    return crc32c(crc32c(0, head, CHECKSUM_AT), content.data, content.size);
}

static enum copy_state judge(struct bytes file, uint64_t *counter)
{
    static const char zeros[HEAD_BYTES - CHECKSUM_AT - 4];
    if (file.size < HEAD_BYTES || le_get32(file.data) != METAFILE_MAGIC ||
        le_get32(file.data + 16) != file.size - HEAD_BYTES ||
        memcmp(file.data + CHECKSUM_AT + 4, zeros, sizeof zeros) != 0 ||
        le_get32(file.data + CHECKSUM_AT) != checksum(file.data, bytes_from(file, HEAD_BYTES)))
        return COPY_DAMAGED;
    *counter = le_get64(file.data + 8);
    return le_get32(file.data + 4) == METAFILE_VERSION ? COPY_WHOLE : COPY_NEWER;
}

// Reads one copy, head included, into storage. A copy that cannot be read is a damaged one: the
// other may well be readable.
static enum status read_copy(struct metafile *meta, int which, struct buf *storage,
                             enum copy_state *state, uint64_t *counter, struct errinfo *err)
{
    const struct host *host = meta->host;
    struct host_file *file;
    uint64_t size = 0;
    size_t got = 0;
    *counter = 0;
    buf_clear(storage);
    if (build(&meta->path, meta, suffixes[which], "") == NULL)
        return no_memory(meta, err);
    int failure = host->open(host->context, meta->path.data, HOST_READ, &file);
    *state = failure == ENOENT ? COPY_MISSING : COPY_DAMAGED;
    if (failure == ENOENT)
        return STATUS_OK;
    if (failure != 0)
        return fail(meta, failure, "open", err);
    failure = host->size(host->context, file, &size);
    enum status status = STATUS_OK;
    if (failure == 0 && size <= HEAD_BYTES + METAFILE_BYTES_MAX) {
        if (buf_reserve(storage, (size_t)size + 1) == NULL)
            status = no_memory(meta, err);
        else if (host->read_at(host->context, file, storage->data, (size_t)size, 0, &got) == 0)
            storage->size = got;
        if (status == STATUS_OK)
            *state = judge(buf_bytes(storage), counter);
    }
    host->close(host->context, file);
    return status;
}

static enum status choose(const struct metafile *meta, const enum copy_state states[2],
                          const uint64_t counters[2], int *chosen, struct errinfo *err)
{
    if (states[0] == COPY_NEWER || states[1] == COPY_NEWER)
        return errinfo_set(err, STATUS_FORMAT,
                           "%s in %s was written by a newer agog; use that version", meta->name,
                           meta->directory);
    if (states[0] == COPY_MISSING && states[1] == COPY_MISSING)
        return errinfo_set(err, STATUS_NOT_FOUND, "no %s in %s", meta->name, meta->directory);
    if (states[0] != COPY_WHOLE && states[1] != COPY_WHOLE)
        return errinfo_set(err, STATUS_CORRUPT, "both copies of %s in %s are damaged", meta->name,
                           meta->directory);
    bool second = states[0] != COPY_WHOLE || (states[1] == COPY_WHOLE && counters[1] > counters[0]);
    *chosen = second ? 1 : 0;
    return STATUS_OK;
}

static enum status read_both(struct metafile *meta, struct buf copies[2], int *chosen,
                             bool *damaged, struct errinfo *err)
{
    enum copy_state states[2];
    uint64_t counters[2];
    for (int i = 0; i < 2; i++) {
        enum status status = read_copy(meta, i, &copies[i], &states[i], &counters[i], err);
        if (status != STATUS_OK)
            return status;
    }
    enum status status = choose(meta, states, counters, chosen, err);
    if (status == STATUS_OK && damaged != NULL)
        *damaged = states[0] != COPY_WHOLE || states[1] != COPY_WHOLE;
    return status;
}

enum status metafile_read(const struct host *host, const char *directory, const char *name,
                          struct buf *storage, bool *damaged, struct errinfo *err)
{
    struct metafile meta;
    struct buf copies[2];
    int chosen;
    metafile_init(&meta, host, directory, name);
    buf_init(&copies[0], SIZE_MAX);
    buf_init(&copies[1], SIZE_MAX);
    enum status status = read_both(&meta, copies, &chosen, damaged, err);
    if (status == STATUS_OK) {
        buf_clear(storage);
        buf_append(storage, bytes_from(buf_bytes(&copies[chosen]), HEAD_BYTES));
        status = buf_status(storage);
        if (status != STATUS_OK)
            errinfo_set(err, status, "no room to read %s of %s", name, directory);
    }
    buf_fini(&copies[0]);
    buf_fini(&copies[1]);
    metafile_fini(&meta);
    return status;
}

// Fills the temporary file and syncs it; the failure's errno.
static int write_temporary(const struct metafile *meta, struct bytes copy)
{
    const struct host *host = meta->host;
    struct host_file *file;
    int failure = host->open(host->context, meta->temporary.data, HOST_WRITE | HOST_CREATE, &file);
    if (failure != 0)
        return failure;
    failure = host->truncate(host->context, file, 0);
    if (failure == 0)
        failure = host->write_at(host->context, file, copy.data, copy.size, 0);
    if (failure == 0)
        failure = host->sync_data(host->context, file);
    host->close(host->context, file);
    return failure;
}

static enum status write_copy(struct metafile *meta, int which, struct bytes copy,
                              struct errinfo *err)
{
    const struct host *host = meta->host;
    if (build(&meta->path, meta, suffixes[which], "") == NULL ||
        build(&meta->temporary, meta, suffixes[which], ".tmp") == NULL)
        return no_memory(meta, err);
    int failure = write_temporary(meta, copy);
    if (failure == 0)
        failure = host->rename(host->context, meta->temporary.data, meta->path.data);
    if (failure != 0) {
        host->remove(host->context, meta->temporary.data);
        return fail(meta, failure, "write", err);
    }
    failure = host->sync_directory(host->context, meta->directory);
    return failure != 0 ? fail(meta, failure, "write", err) : STATUS_OK;
}

static enum status encode(struct buf *copy, uint64_t counter, struct bytes content)
{
    char head[HEAD_BYTES] = {0};
    le_put32(head, METAFILE_MAGIC);
    le_put32(head + 4, METAFILE_VERSION);
    le_put64(head + 8, counter);
    le_put32(head + 16, (uint32_t)content.size);
    le_put32(head + CHECKSUM_AT, checksum(head, content));
    buf_append(copy, bytes_of(head, sizeof head));
    buf_append(copy, content);
    return buf_status(copy);
}

static enum status write_both(struct metafile *meta, struct bytes content, struct buf *copy,
                              struct errinfo *err)
{
    enum copy_state states[2];
    uint64_t counters[2];
    for (int i = 0; i < 2; i++) {
        enum status status = read_copy(meta, i, copy, &states[i], &counters[i], err);
        if (status != STATUS_OK)
            return status;
        if (states[i] != COPY_WHOLE)
            counters[i] = 0;
    }
    int latest;
    enum status status = choose(meta, states, counters, &latest, err);
    if (status == STATUS_FORMAT)
        return status;
    if (status != STATUS_OK)
        latest = 1;
    buf_clear(copy);
    if (encode(copy, counters[latest] + 1, content) != STATUS_OK)
        return no_memory(meta, err);
    // The worse copy goes first, so that the good one stays until the new content is safe.
    status = write_copy(meta, 1 - latest, buf_bytes(copy), err);
    if (status != STATUS_OK)
        return status;
    // The content is durable now. A second copy that could not be made shows as damaged until the
    // next write.
    write_copy(meta, latest, buf_bytes(copy), NULL);
    return STATUS_OK;
}

enum status metafile_write(const struct host *host, const char *directory, const char *name,
                           struct bytes content, struct errinfo *err)
{
    struct metafile meta;
    struct buf copy;
    if (content.size > METAFILE_BYTES_MAX)
        return errinfo_set(err, STATUS_LIMIT, "%s of %zu bytes is too large; %d are allowed", name,
                           content.size, METAFILE_BYTES_MAX);
    metafile_init(&meta, host, directory, name);
    buf_init(&copy, SIZE_MAX);
    enum status status = write_both(&meta, content, &copy, err);
    buf_fini(&copy);
    metafile_fini(&meta);
    return status;
}
