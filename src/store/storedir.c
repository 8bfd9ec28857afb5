// SPDX-License-Identifier: Apache-2.0
#include "store/storedir.h"

#include "base/crc32c.h"
#include "store/streamname.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    STORE_VERSION = 1,
    FORMAT_TEXT_SIZE = 96,
    PATH_BYTES_MAX = 64 * 1024,
    HOLDER_BYTES_MAX = 4096,
    TRASH_MAX = 1000,
    LOCK_PAUSE_MS = 1,
};

static const char format_line[] = "agog store, format ";

struct storedir {
    const struct host *host;
    struct host_file *lock;
    struct buf home; // with a NUL behind it
    bool format_damaged;
};

// "<home>/<a>/<b>"; empty parts are left out. NULL without memory.
static const char *join(struct buf *path, const char *home, const char *a, const char *b)
{
    buf_clear(path);
    buf_append_string(path, home);
    if (a[0] != '\0') {
        buf_append_byte(path, '/');
        buf_append_string(path, a);
    }
    if (b[0] != '\0') {
        buf_append_byte(path, '/');
        buf_append_string(path, b);
    }
    return buf_string(path);
}

static enum status no_memory(const char *home, struct errinfo *err)
{
    return errinfo_set(err, STATUS_NO_MEMORY, "no memory to work on the store %s", home);
}

// The names of a directory, each with a NUL.
static void gather_name(void *context, const char *name)
{
    buf_append(context, bytes_of(name, strlen(name) + 1));
}

static bool has_name(struct bytes names, const char *wanted)
{
    for (; names.size > 0; names = bytes_from(names, strlen(names.data) + 1)) {
        if (strcmp(names.data, wanted) == 0)
            return true;
    }
    return false;
}

// Whether the directory has nothing but what an unfinished creation leaves.
static bool is_blank(struct bytes names)
{
    for (; names.size > 0; names = bytes_from(names, strlen(names.data) + 1)) {
        if (strcmp(names.data, "LOCK") != 0 && strcmp(names.data, "streams") != 0 &&
            strcmp(names.data, "FORMAT.tmp") != 0)
            return false;
    }
    return true;
}

enum home_state { HOME_MISSING, HOME_BLANK, HOME_STORE };

struct home {
    enum home_state state;
    bool has_streams;
};

static enum status look(const struct host *host, const char *home, struct home *found,
                        struct errinfo *err)
{
    struct buf names;
    buf_init(&names, SIZE_MAX);
    int failure = host->list(host->context, home, gather_name, &names);
    enum status status = buf_status(&names) != STATUS_OK ? no_memory(home, err) : STATUS_OK;
    bool blank = is_blank(buf_bytes(&names));
    bool store = has_name(buf_bytes(&names), "FORMAT");
    bool streams = has_name(buf_bytes(&names), "streams");
    buf_fini(&names);
    if (status != STATUS_OK)
        return status;
    if (failure == ENOTDIR)
        return errinfo_set(err, STATUS_FORMAT,
                           "%s is no agog store: it is a file, or lies below one; name a directory",
                           home);
    if (failure != 0 && failure != ENOENT)
        return errinfo_set_errno(err, failure, "cannot open the store %s", home);
    if (failure == 0 && !store && !blank)
        return errinfo_set(err, STATUS_FORMAT,
                           "%s is no agog store and is not empty; name another directory", home);
    found->state = failure != 0 ? HOME_MISSING : store ? HOME_STORE : HOME_BLANK;
    found->has_streams = streams;
    return STATUS_OK;
}

// Makes the directory and those above it that are missing.
static enum status make_home(const struct host *host, const char *home, struct errinfo *err)
{
    struct buf path;
    buf_init(&path, PATH_BYTES_MAX);
    buf_append_string(&path, home);
    if (buf_string(&path) == NULL) {
        buf_fini(&path);
        return no_memory(home, err);
    }
    int failure = 0;
    for (size_t i = 1; i <= path.size && (failure == 0 || failure == EEXIST); i++) {
        char c = path.data[i];
        if (i < path.size && (c != '/' || path.data[i - 1] == '/'))
            continue;
        path.data[i] = '\0';
        failure = host->make_directory(host->context, path.data);
        path.data[i] = c;
        // A directory above may be one that we may not write to and need not.
        if (i < path.size && (failure == EACCES || failure == EROFS || failure == EISDIR))
            failure = 0;
    }
    buf_fini(&path);
    if (failure != 0 && failure != EEXIST)
        return errinfo_set_errno(err, failure, "cannot make the directory %s", home);
    return STATUS_OK;
}

static size_t read_small(const struct host *host, struct host_file *file, char *to, size_t size)
{
    size_t got = 0;
    if (host->read_at(host->context, file, to, size, 0, &got) != 0)
        return 0;
    return got;
}

static enum status busy(const struct storedir *dir, uint32_t waited_ms, struct errinfo *err)
{
    char text[HOLDER_BYTES_MAX];
    char quoted[ERRINFO_QUOTED_MAX];
    struct bytes rest;
    size_t got = read_small(dir->host, dir->lock, text, sizeof text);
    struct bytes first = bytes_cut(bytes_of(text, got), '\n', &rest);
    return errinfo_set(err, STATUS_BUSY,
                       "the store %s is in use by %s (waited %u ms); try again later or stop it",
                       dir->home.data, errinfo_quote(first, quoted), waited_ms);
}

// Advisory locks have no wait with a time limit, and a timer signal belongs to the process, not to
// a library. So the lock is asked for again after short pauses; the holder does not depend on them.
// They stay short because a reader that waits for a report is woken while its writer still holds
// it.
static enum status take_lock(struct storedir *dir, uint32_t wait_ms, struct errinfo *err)
{
    const struct host *host = dir->host;
    for (uint32_t waited_ms = 0;; waited_ms += LOCK_PAUSE_MS) {
        int failure = host->lock(host->context, dir->lock);
        if (failure == 0)
            return STATUS_OK;
        if (failure != EWOULDBLOCK)
            return errinfo_set_errno(err, failure, "cannot lock the store %s", dir->home.data);
        if (waited_ms >= wait_ms)
            return busy(dir, wait_ms, err);
        host->pause(host->context, LOCK_PAUSE_MS);
    }
}

static enum status open_lock(struct storedir *dir, uint32_t wait_ms, struct errinfo *err)
{
    struct buf path;
    struct host_file *file;
    const struct host *host = dir->host;
    buf_init(&path, PATH_BYTES_MAX);
    if (join(&path, dir->home.data, "LOCK", "") == NULL) {
        buf_fini(&path);
        return no_memory(dir->home.data, err);
    }
    int failure = host->open(host->context, path.data, HOST_WRITE | HOST_CREATE, &file);
    buf_fini(&path);
    if (failure != 0)
        return errinfo_set_errno(err, failure, "cannot lock the store %s", dir->home.data);
    dir->lock = file;
    return take_lock(dir, wait_ms, err);
}

enum status storedir_holder_set(struct storedir *dir, const char *holder, struct errinfo *err)
{
    const struct host *host = dir->host;
    size_t size = strlen(holder);
    size = size < HOLDER_BYTES_MAX ? size : HOLDER_BYTES_MAX;
    // In this order: a file that was emptied is written out at once by some file systems, and every
    // command would wait for that.
    int failure = host->write_at(host->context, dir->lock, holder, size, 0);
    if (failure == 0)
        failure = host->truncate(host->context, dir->lock, size);
    return failure == 0 ? STATUS_OK
                        : errinfo_set_errno(err, failure, "cannot write the lock file of %s",
                                            dir->home.data);
}

enum status storedir_holder_read(const struct host *host, const char *home, struct buf *out,
                                 struct errinfo *err)
{
    struct buf path;
    struct host_file *file;
    char text[HOLDER_BYTES_MAX];
    buf_init(&path, PATH_BYTES_MAX);
    if (join(&path, home, "LOCK", "") == NULL) {
        buf_fini(&path);
        return no_memory(home, err);
    }
    int failure = host->open(host->context, path.data, HOST_READ, &file);
    buf_fini(&path);
    if (failure != 0)
        return errinfo_set_errno(err, failure, "cannot see who holds the store %s", home);
    size_t got = read_small(host, file, text, sizeof text);
    host->close(host->context, file);
    buf_clear(out);
    buf_append(out, bytes_of(text, got));
    return buf_status(out);
}

// The line of FORMAT. Its checksum tells a damaged line from one that a newer agog wrote: every
// file of a stream states its own version, so that a store whose FORMAT is damaged can still be
// read.
static size_t format_text(char text[FORMAT_TEXT_SIZE], unsigned version)
{
    size_t size = (size_t)snprintf(text, FORMAT_TEXT_SIZE, "%s%u", format_line, version);
    uint32_t checksum = crc32c(0, text, size);
    return size + (size_t)snprintf(text + size, FORMAT_TEXT_SIZE - size, ", checksum %08x\n",
                                   (unsigned)checksum);
}

// The version that an undamaged line states, 0 for any other text.
static unsigned format_version(struct bytes line)
{
    char expected[FORMAT_TEXT_SIZE];
    struct bytes prefix = bytes_of_string(format_line);
    uint64_t version;
    struct bytes rest;
    struct bytes number = bytes_cut(bytes_from(line, prefix.size), ',', &rest);
    if (!bytes_start_with(line, prefix) || !bytes_to_u64(number, &version) || version > UINT16_MAX)
        return 0;
    size_t size = format_text(expected, (unsigned)version);
    return bytes_equal(line, bytes_of(expected, size)) ? (unsigned)version : 0;
}

// FORMAT comes last and under its final name only when it is whole: a directory that has it is a
// store.
static enum status write_format(const struct storedir *dir, struct errinfo *err)
{
    const struct host *host = dir->host;
    struct buf path, temporary;
    struct host_file *file;
    char text[FORMAT_TEXT_SIZE];
    buf_init(&path, PATH_BYTES_MAX);
    buf_init(&temporary, PATH_BYTES_MAX);
    size_t size = format_text(text, STORE_VERSION);
    int failure = ENOMEM;
    if (join(&path, dir->home.data, "FORMAT", "") != NULL &&
        join(&temporary, dir->home.data, "FORMAT.tmp", "") != NULL)
        failure = host->open(host->context, temporary.data, HOST_WRITE | HOST_CREATE, &file);
    if (failure == 0) {
        failure = host->truncate(host->context, file, 0);
        if (failure == 0)
            failure = host->write_at(host->context, file, text, size, 0);
        if (failure == 0)
            failure = host->sync_data(host->context, file);
        host->close(host->context, file);
    }
    if (failure == 0)
        failure = host->rename(host->context, temporary.data, path.data);
    if (failure == 0)
        failure = host->sync_directory(host->context, dir->home.data);
    buf_fini(&path);
    buf_fini(&temporary);
    return failure == 0
               ? STATUS_OK
               : errinfo_set_errno(err, failure, "cannot make the store %s", dir->home.data);
}

static enum status check_format(struct storedir *dir, bool has_streams, struct errinfo *err)
{
    const struct host *host = dir->host;
    struct buf path;
    struct host_file *file;
    char text[FORMAT_TEXT_SIZE];
    buf_init(&path, PATH_BYTES_MAX);
    int failure = ENOMEM;
    if (join(&path, dir->home.data, "FORMAT", "") != NULL)
        failure = host->open(host->context, path.data, HOST_READ, &file);
    buf_fini(&path);
    if (failure != 0)
        return errinfo_set_errno(err, failure, "cannot read FORMAT of the store %s",
                                 dir->home.data);
    struct bytes line = bytes_of(text, read_small(host, file, text, sizeof text));
    host->close(host->context, file);
    unsigned version = format_version(line);
    dir->format_damaged = version == 0;
    if (version == 0 && !has_streams)
        return errinfo_set(err, STATUS_FORMAT,
                           "%s is no agog store: its file FORMAT is of something else",
                           dir->home.data);
    if (version > STORE_VERSION)
        return errinfo_set(err, STATUS_FORMAT,
                           "the store %s was written by a newer agog (format %u, this one knows "
                           "%d); use that version",
                           dir->home.data, version, STORE_VERSION);
    return STATUS_OK;
}

static enum status make_streams(const struct storedir *dir, struct errinfo *err)
{
    struct buf path;
    buf_init(&path, PATH_BYTES_MAX);
    int failure = ENOMEM;
    if (join(&path, dir->home.data, "streams", "") != NULL)
        failure = dir->host->make_directory(dir->host->context, path.data);
    buf_fini(&path);
    if (failure == 0)
        failure = dir->host->sync_directory(dir->host->context, dir->home.data);
    if (failure != 0 && failure != EEXIST)
        return errinfo_set_errno(err, failure, "cannot make the store %s", dir->home.data);
    return STATUS_OK;
}

static int list_names(const struct host *host, const char *path, struct buf *names)
{
    int failure = host->list(host->context, path, gather_name, names);
    return failure == 0 && buf_status(names) != STATUS_OK ? ENOMEM : failure;
}

// Removes a directory and the files in it.
static int remove_directory(const struct host *host, const char *path)
{
    struct buf names, below;
    buf_init(&names, SIZE_MAX);
    buf_init(&below, PATH_BYTES_MAX);
    int failure = list_names(host, path, &names);
    struct bytes rest = buf_bytes(&names);
    for (; failure == 0 && rest.size > 0; rest = bytes_from(rest, strlen(rest.data) + 1)) {
        failure = ENOMEM;
        if (join(&below, path, rest.data, "") != NULL)
            failure = host->remove(host->context, below.data);
    }
    if (failure == 0)
        failure = host->remove_directory(host->context, path);
    buf_fini(&names);
    buf_fini(&below);
    return failure;
}

// Removes a stream's directory. The log of its consumers is the one directory that may be in it.
static enum status remove_tree(const struct storedir *dir, const char *name, struct errinfo *err)
{
    struct buf path, consumers;
    buf_init(&path, PATH_BYTES_MAX);
    buf_init(&consumers, PATH_BYTES_MAX);
    int failure = ENOMEM;
    if (join(&path, dir->home.data, "streams", name) != NULL &&
        join(&consumers, path.data, "consumers", "") != NULL)
        failure = remove_directory(dir->host, consumers.data);
    if (failure == 0 || failure == ENOENT)
        failure = remove_directory(dir->host, path.data);
    buf_fini(&path);
    buf_fini(&consumers);
    return failure == 0 ? STATUS_OK
                        : errinfo_set_errno(err, failure, "cannot remove %s from the store %s",
                                            name, dir->home.data);
}

static enum status list_streams(const struct storedir *dir, struct buf *names, struct errinfo *err)
{
    struct buf path;
    buf_init(&path, PATH_BYTES_MAX);
    int failure = ENOMEM;
    if (join(&path, dir->home.data, "streams", "") != NULL)
        failure = dir->host->list(dir->host->context, path.data, gather_name, names);
    buf_fini(&path);
    if (failure == 0 && buf_status(names) != STATUS_OK)
        failure = ENOMEM;
    return failure == 0
               ? STATUS_OK
               : errinfo_set_errno(err, failure, "cannot list the streams of %s", dir->home.data);
}

// What a deletion that was cut short left behind begins with '~', as no stream's directory does.
static enum status remove_trash(const struct storedir *dir, struct errinfo *err)
{
    struct buf names;
    buf_init(&names, SIZE_MAX);
    enum status status = list_streams(dir, &names, err);
    struct bytes rest = buf_bytes(&names);
    for (; status == STATUS_OK && rest.size > 0; rest = bytes_from(rest, strlen(rest.data) + 1)) {
        if (rest.data[0] == '~')
            status = remove_tree(dir, rest.data, err);
    }
    buf_fini(&names);
    return status;
}

// Everything that happens under the lock.
static enum status settle(struct storedir *dir, const struct storedir_options *options,
                          struct errinfo *err)
{
    struct home home;
    enum status status = look(dir->host, dir->home.data, &home, err);
    if (status != STATUS_OK)
        return status;
    if (home.state == HOME_STORE)
        status = check_format(dir, home.has_streams, err);
    if (status == STATUS_OK)
        status = make_streams(dir, err);
    // Whoever may make a store also mends its line; whoever only reads leaves it to be told.
    bool mend = dir->format_damaged && options->create;
    if (status == STATUS_OK && (home.state != HOME_STORE || mend))
        status = write_format(dir, err);
    if (status == STATUS_OK && mend)
        dir->format_damaged = false;
    if (status == STATUS_OK)
        status = remove_trash(dir, err);
    if (status == STATUS_OK && options->holder != NULL)
        status = storedir_holder_set(dir, options->holder, err);
    return status;
}

enum status storedir_open(struct storedir **out, const struct host *host, const char *home,
                          const struct storedir_options *options, struct errinfo *err)
{
    struct home found;
    enum status status = look(host, home, &found, err);
    if (status != STATUS_OK)
        return status;
    if (found.state != HOME_STORE && !options->create)
        return errinfo_set(err, STATUS_NOT_FOUND,
                           "no agog store at %s; make one with \"agog init\"", home);
    if (found.state == HOME_MISSING) {
        status = make_home(host, home, err);
        if (status != STATUS_OK)
            return status;
    }
    struct storedir *dir = calloc(1, sizeof *dir);
    if (dir == NULL)
        return no_memory(home, err);
    dir->host = host;
    buf_init(&dir->home, PATH_BYTES_MAX);
    buf_append_string(&dir->home, home);
    if (buf_string(&dir->home) == NULL)
        status = no_memory(home, err);
    if (status == STATUS_OK)
        status = open_lock(dir, options->lock_wait_ms, err);
    if (status == STATUS_OK)
        status = settle(dir, options, err);
    if (status != STATUS_OK) {
        storedir_close(dir);
        return status;
    }
    *out = dir;
    return STATUS_OK;
}

bool storedir_format_damaged(const struct storedir *dir)
{
    return dir->format_damaged;
}

void storedir_close(struct storedir *dir)
{
    if (dir == NULL)
        return;
    if (dir->lock != NULL)
        dir->host->close(dir->host->context, dir->lock);
    buf_fini(&dir->home);
    free(dir);
}

enum status storedir_stream_path(const struct storedir *dir, struct bytes name, struct buf *out,
                                 struct errinfo *err)
{
    char encoded[STREAMNAME_BYTES_MAX + 1];
    enum status status = streamname_encode(name, encoded, err);
    if (status != STATUS_OK)
        return status;
    return join(out, dir->home.data, "streams", encoded) != NULL ? STATUS_OK
                                                                 : no_memory(dir->home.data, err);
}

enum status storedir_list(const struct storedir *dir, storedir_visit visit, void *context,
                          struct errinfo *err)
{
    struct buf names;
    char name[STREAMNAME_BYTES_MAX + 1];
    size_t size;
    buf_init(&names, SIZE_MAX);
    enum status status = list_streams(dir, &names, err);
    struct bytes rest = buf_bytes(&names);
    for (; status == STATUS_OK && rest.size > 0; rest = bytes_from(rest, strlen(rest.data) + 1)) {
        if (streamname_decode(rest.data, name, &size))
            status = visit(context, bytes_of(name, size));
    }
    buf_fini(&names);
    return status;
}

static int sync_streams(const struct storedir *dir)
{
    struct buf path;
    buf_init(&path, PATH_BYTES_MAX);
    int failure = ENOMEM;
    if (join(&path, dir->home.data, "streams", "") != NULL)
        failure = dir->host->sync_directory(dir->host->context, path.data);
    buf_fini(&path);
    return failure;
}

enum status storedir_stream_create(struct storedir *dir, struct bytes name, struct errinfo *err)
{
    struct buf path;
    char quoted[ERRINFO_QUOTED_MAX];
    buf_init(&path, PATH_BYTES_MAX);
    enum status status = storedir_stream_path(dir, name, &path, err);
    if (status == STATUS_OK) {
        int failure = dir->host->make_directory(dir->host->context, path.data);
        if (failure == 0)
            failure = sync_streams(dir);
        if (failure == EEXIST)
            status = errinfo_set(err, STATUS_EXISTS, "the store %s has a stream %s already",
                                 dir->home.data, errinfo_quote(name, quoted));
        else if (failure != 0)
            status = errinfo_set_errno(err, failure, "cannot make %s", path.data);
    }
    buf_fini(&path);
    return status;
}

// Renames the stream's directory to a trash name that is free, durably; trash gets that name.
static int move_to_trash(const struct storedir *dir, const char *path, char trash[16])
{
    struct buf to;
    int failure = ENOTEMPTY;
    buf_init(&to, PATH_BYTES_MAX);
    for (int i = 1; i <= TRASH_MAX && (failure == ENOTEMPTY || failure == EEXIST); i++) {
        snprintf(trash, 16, "~%d", i);
        failure = ENOMEM;
        if (join(&to, dir->home.data, "streams", trash) != NULL)
            failure = dir->host->rename(dir->host->context, path, to.data);
    }
    buf_fini(&to);
    return failure != 0 ? failure : sync_streams(dir);
}

enum status storedir_stream_delete(struct storedir *dir, struct bytes name, struct errinfo *err)
{
    struct buf path;
    char trash[16];
    char quoted[ERRINFO_QUOTED_MAX];
    buf_init(&path, PATH_BYTES_MAX);
    enum status status = storedir_stream_path(dir, name, &path, err);
    if (status == STATUS_OK) {
        int failure = move_to_trash(dir, path.data, trash);
        if (failure == ENOENT)
            status = errinfo_set(err, STATUS_NOT_FOUND, "the store %s has no stream %s",
                                 dir->home.data, errinfo_quote(name, quoted));
        else if (failure != 0)
            status = errinfo_set_errno(err, failure, "cannot remove %s", path.data);
        else
            remove_tree(dir, trash, NULL); // the next open takes what this leaves
    }
    buf_fini(&path);
    return status;
}
