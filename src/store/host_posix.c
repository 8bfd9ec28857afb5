// SPDX-License-Identifier: Apache-2.0
// The store's host on a POSIX system: plain pread, pwrite and fdatasync on descriptors. Interrupted
// calls are taken up again; a sync is never repeated, because after a failed one the kernel may
// have dropped the pages and a second one would report success for nothing.
#define _GNU_SOURCE // fallocate and flock
#include "store/host.h"

#include "base/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct host_file {
    int fd;
};

static int posix_open(void *context, const char *path, int flags, struct host_file **file)
{
    (void)context;
    int mode = (flags & HOST_WRITE) != 0 ? O_RDWR : O_RDONLY;
    if ((flags & HOST_CREATE) != 0)
        mode |= O_CREAT;
    if ((flags & HOST_EXCLUSIVE) != 0)
        mode |= O_EXCL;
    struct host_file *opened = malloc(sizeof *opened);
    if (opened == NULL)
        return ENOMEM;
    do {
        opened->fd = open(path, mode | O_CLOEXEC, 0600);
    } while (opened->fd < 0 && errno == EINTR);
    if (opened->fd < 0) {
        int failure = errno;
        free(opened);
        return failure;
    }
    *file = opened;
    return 0;
}

static void posix_close(void *context, struct host_file *file)
{
    (void)context;
    close(file->fd);
    free(file);
}

static int posix_read_at(void *context, struct host_file *file, void *to, size_t size,
                         uint64_t offset, size_t *got)
{
    (void)context;
    size_t done = 0;
    while (done < size) {
        ssize_t step = pread(file->fd, (char *)to + done, size - done, (off_t)(offset + done));
        if (step == 0)
            break;
        if (step < 0 && errno == EINTR)
            continue;
        if (step < 0)
            return errno;
        done += (size_t)step;
    }
    *got = done;
    return 0;
}

static int posix_write_at(void *context, struct host_file *file, const void *from, size_t size,
                          uint64_t offset)
{
    (void)context;
    size_t done = 0;
    while (done < size) {
        ssize_t step = pwrite(file->fd, (const char *)from + done, size - done,
                              (off_t)(offset + done));
        if (step < 0 && errno == EINTR)
            continue;
        if (step <= 0)
            return step < 0 ? errno : ENOSPC;
        done += (size_t)step;
    }
    return 0;
}

static int posix_size(void *context, struct host_file *file, uint64_t *bytes)
{
    (void)context;
    struct stat about;
    if (fstat(file->fd, &about) != 0)
        return errno;
    *bytes = (uint64_t)about.st_size;
    return 0;
}

static int posix_truncate(void *context, struct host_file *file, uint64_t bytes)
{
    (void)context;
    int failed;
    do {
        failed = ftruncate(file->fd, (off_t)bytes);
    } while (failed != 0 && errno == EINTR);
    return failed != 0 ? errno : 0;
}

#if defined(__linux__)

static int reserve_blocks(int fd, uint64_t bytes)
{
    int failed;
    do {
        failed = fallocate(fd, 0, 0, (off_t)bytes);
    } while (failed != 0 && errno == EINTR);
    return failed != 0 ? errno : 0;
}

static int sync_file(int fd)
{
    return fdatasync(fd) != 0 ? errno : 0;
}

#elif defined(__APPLE__)

static int reserve_blocks(int fd, uint64_t bytes)
{
    fstore_t wanted = {F_ALLOCATEALL, F_PEOFPOSMODE, 0, (off_t)bytes, 0};
    return fcntl(fd, F_PREALLOCATE, &wanted) < 0 ? errno : EOPNOTSUPP;
}

// fsync leaves the bytes in the drive's cache there.
static int sync_file(int fd)
{
    return fcntl(fd, F_FULLFSYNC) < 0 ? errno : 0;
}

#else

static int reserve_blocks(int fd, uint64_t bytes)
{
    return posix_fallocate(fd, 0, (off_t)bytes);
}

static int sync_file(int fd)
{
    return fdatasync(fd) != 0 ? errno : 0;
}

#endif

// A file system that cannot reserve gets a longer file; a full disk then shows at the write.
static int posix_reserve(void *context, struct host_file *file, uint64_t bytes)
{
    uint64_t size;
    int failure = posix_size(context, file, &size);
    if (failure != 0 || size >= bytes)
        return failure;
    failure = reserve_blocks(file->fd, bytes);
    if (failure == EOPNOTSUPP || failure == ENOSYS || failure == EINVAL)
        failure = posix_truncate(context, file, bytes);
    return failure;
}

static int posix_sync_data(void *context, struct host_file *file)
{
    (void)context;
    return sync_file(file->fd);
}

static int posix_sync_directory(void *context, const char *path)
{
    (void)context;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    int failure = fsync(fd) != 0 ? errno : 0;
    close(fd);
    return failure;
}

static int posix_rename(void *context, const char *from, const char *to)
{
    (void)context;
    return rename(from, to) != 0 ? errno : 0;
}

static int posix_remove(void *context, const char *path)
{
    (void)context;
    return unlink(path) != 0 ? errno : 0;
}

static int posix_make_directory(void *context, const char *path)
{
    (void)context;
    return mkdir(path, 0700) != 0 ? errno : 0;
}

static int posix_remove_directory(void *context, const char *path)
{
    (void)context;
    return rmdir(path) != 0 ? errno : 0;
}

static int posix_list(void *context, const char *path, host_visit_name visit, void *visit_context)
{
    (void)context;
    DIR *directory = opendir(path);
    if (directory == NULL)
        return errno;
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(directory);
        if (entry == NULL)
            break;
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            visit(visit_context, entry->d_name);
    }
    int failure = errno;
    closedir(directory);
    return failure;
}

static int posix_lock(void *context, struct host_file *file)
{
    (void)context;
    int failed;
    do {
        failed = flock(file->fd, LOCK_EX | LOCK_NB);
    } while (failed != 0 && errno == EINTR);
    return failed != 0 ? errno : 0;
}

static void posix_pause(void *context, uint32_t ms)
{
    (void)context;
    clock_pause(ms);
}

const struct host *host_posix(void)
{
    static const struct host table = {
        .open = posix_open,
        .close = posix_close,
        .read_at = posix_read_at,
        .write_at = posix_write_at,
        .size = posix_size,
        .reserve = posix_reserve,
        .truncate = posix_truncate,
        .sync_data = posix_sync_data,
        .sync_directory = posix_sync_directory,
        .rename = posix_rename,
        .remove = posix_remove,
        .make_directory = posix_make_directory,
        .remove_directory = posix_remove_directory,
        .list = posix_list,
        .lock = posix_lock,
        .pause = posix_pause,
    };
    return &table;
}
