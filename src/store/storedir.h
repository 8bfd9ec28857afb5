// SPDX-License-Identifier: Apache-2.0
// The directory of a store, as one process holds it:
//    FORMAT          one line of text: "agog store, format 1, checksum <crc32c of what stands
//    before>" LOCK            locked by the process that holds the store; says who that is
//    streams/<name>  one directory a stream, its name percent-encoded
//
// The lock is advisory and ends with the process, however that ends; LOCK itself stays.
#pragma once

#include "base/buf.h"
#include "base/errinfo.h"
#include "store/host.h"

struct storedir;

struct storedir_options {
    bool create; // a missing or empty directory becomes a store
    uint32_t lock_wait_ms;
    const char *holder; // what LOCK says meanwhile: pid, command and start; then lines of any kind
};

// Opens and locks a store. STATUS_NOT_FOUND when there is none and none is to be made,
// STATUS_FORMAT when the directory is something else or written by a newer agog, STATUS_BUSY naming
// the holder when another process has it for longer than lock_wait_ms. Blocks that long.
enum status storedir_open(struct storedir **out, const struct host *host, const char *home,
                          const struct storedir_options *options, struct errinfo *err);
void storedir_close(struct storedir *dir); // takes NULL

// Whether FORMAT is not as agog writes it. Everything can be read all the same; opening with create
// writes it anew.
bool storedir_format_damaged(const struct storedir *dir);

// Replaces what LOCK says, for a holder that learns more of itself (its address) later.
enum status storedir_holder_set(struct storedir *dir, const char *holder, struct errinfo *err);

// What LOCK says of the last holder, who may be gone. Needs no lock.
enum status storedir_holder_read(const struct host *host, const char *home, struct buf *out,
                                 struct errinfo *err);

// The path of a stream's directory in *out (cleared first, with a NUL), whether it is there or not.
enum status storedir_stream_path(const struct storedir *dir, struct bytes name, struct buf *out,
                                 struct errinfo *err);

// The names of the streams that are there, in no particular order. A status other than OK ends it.
typedef enum status (*storedir_visit)(void *context, struct bytes name);
enum status storedir_list(const struct storedir *dir, storedir_visit visit, void *context,
                          struct errinfo *err);

// Makes the (empty) directory of a stream, durably. STATUS_EXISTS when it is there.
enum status storedir_stream_create(struct storedir *dir, struct bytes name, struct errinfo *err);

// Removes a stream with all its files; from the first moment it is all there or not at all.
enum status storedir_stream_delete(struct storedir *dir, struct bytes name, struct errinfo *err);
