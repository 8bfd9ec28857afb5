// SPDX-License-Identifier: Apache-2.0
// A small file that must not be lost: kept in two equal copies, "<name>.a" and "<name>.b", each
// written under another name, synced and renamed, one after the other. A crash leaves at least one
// whole copy, the old or the new; a damaged copy is told apart by its checksum and the other is
// used. Of two whole ones the later counts.
//
// A copy: 32 bytes of head, then the content.
//    0 u32 magic             16 u32 content bytes
//    4 u32 format version    20 u32 checksum of the head before it and of the content
//    8 u64 counter           24 zeros
#pragma once

#include "base/buf.h"
#include "base/errinfo.h"
#include "store/host.h"

enum { METAFILE_BYTES_MAX = 16 * 1024 * 1024 };

// Replaces the content, durably when STATUS_OK comes back; the directory exists. After a failure
// the content is the old or, when only the last sync failed, perhaps the new.
enum status metafile_write(const struct host *host, const char *directory, const char *name,
                           struct bytes content, struct errinfo *err);

// Reads the content into storage (cleared first). *damaged, when not NULL, says that one of the two
// copies is not as it should be; the next write mends it. STATUS_NOT_FOUND when there is no copy,
// STATUS_CORRUPT when there is none that is whole, STATUS_FORMAT when it is of a newer version.
enum status metafile_read(const struct host *host, const char *directory, const char *name,
                          struct buf *storage, bool *damaged, struct errinfo *err);
