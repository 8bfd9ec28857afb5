// SPDX-License-Identifier: Apache-2.0
// Everything the store needs from its host, in one table. Production passes host_posix(); the crash
// simulation and the fault walk pass hosts of their own that record, refuse, reorder or tear what
// was not synced.
//
// Contracts: paths are absolute or relative to the process, NUL-terminated, built by the store only
// from names it has encoded itself. Every call blocks. On failure a call returns the errno of the
// reason (never 0) and has no other effect than the one it is named for. A short read is reported
// through *got, never as an error; a short write is an error. The table is immutable and may be
// used from several threads at once; one file handle may be read and written by several threads at
// once, as long as what they write does not overlap.
#pragma once

#include "base/bytes.h"

struct host_file; // an open file; made and destroyed by the host

enum host_open_flags {
    HOST_READ = 0,
    HOST_WRITE = 1,     // also readable
    HOST_CREATE = 2,    // with HOST_WRITE; an existing file is opened as it is
    HOST_EXCLUSIVE = 4, // with HOST_CREATE: an existing file is EEXIST
};

// Called for each entry of a directory but "." and "..", in no particular order.
typedef void (*host_visit_name)(void *context, const char *name);

struct host {
    void *context;

    int (*open)(void *context, const char *path, int flags, struct host_file **file);
    void (*close)(void *context, struct host_file *file);
    int (*read_at)(void *context, struct host_file *file, void *to, size_t size, uint64_t offset,
                   size_t *got);
    int (*write_at)(void *context, struct host_file *file, const void *from, size_t size,
                    uint64_t offset);
    int (*size)(void *context, struct host_file *file, uint64_t *bytes);
    int (*reserve)(void *context, struct host_file *file, uint64_t bytes); // blocks, not content
    int (*truncate)(void *context, struct host_file *file, uint64_t bytes);
    int (*sync_data)(void *context, struct host_file *file); // fdatasync
    int (*sync_directory)(void *context, const char *path);

    int (*rename)(void *context, const char *from, const char *to);
    int (*remove)(void *context, const char *path);
    int (*make_directory)(void *context, const char *path);
    int (*remove_directory)(void *context, const char *path);
    int (*list)(void *context, const char *path, host_visit_name visit, void *visit_context);

    // Takes the exclusive advisory lock of an open file without waiting; EWOULDBLOCK when another
    // process has it. Closing the file gives it back, and so does the end of the process.
    int (*lock)(void *context, struct host_file *file);

    // Lets at least that much time pass.
    void (*pause)(void *context, uint32_t ms);
};

// The host of a POSIX system; static storage.
const struct host *host_posix(void);
