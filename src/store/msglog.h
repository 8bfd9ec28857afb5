// SPDX-License-Identifier: Apache-2.0
// The log of one stream: an append-only sequence of messages in segment files, with an index beside
// each segment, in one directory. DISK_FORMAT.md describes every byte.
//
// Invariants
//   A message is acknowledged only after msglog_batch_done or msglog_commit returned STATUS_OK: its
//   bytes are then synced, and every recovery yields it whole, unless its own bytes are damaged.
//   Sequences rise strictly; a removed one never comes back and is never given again, also when
//   nothing is left.
//   A failed write or sync makes the log read-only for good (STATUS_READ_ONLY with the reason);
//   nothing is retried into success. What was synced before stays readable.
//   What is removed stays removed after a crash once the removal was committed.
//
// Threads: a log belongs to one owner thread at a time. Only msglog_batch_write and
// msglog_reclaim_run may run elsewhere, while the owner goes on appending and reading.
#pragma once

#include "base/buf.h"
#include "base/errinfo.h"
#include "store/host.h"

struct msglog;

// All views are borrowed. headers is the NATS header block as it came ("NATS/1.0\r\n...\r\n\r\n")
// or empty; the log does not look inside.
struct msglog_message {
    uint64_t seq;
    int64_t time_ns; // since 1970
    struct bytes subject;
    struct bytes headers;
    struct bytes body;
};

// What the index knows of a message, without touching the segment.
struct msglog_entry {
    uint64_t seq;
    int64_t time_ns;
    struct bytes subject; // borrowed from the log until the message is removed
    uint32_t headers_bytes;
    uint32_t body_bytes;
};

// Called by msglog_open for each live message in rising order. A status other than OK ends the open
// with it.
typedef enum status (*msglog_visit)(void *context, const struct msglog_entry *entry);

struct msglog_options {
    uint64_t segment_bytes; // size at which a new segment is begun; 0 takes the default
    msglog_visit visit;     // NULL for none
    void *visit_context;
};

// Makes the directory (whose parent exists) and an empty log whose first message will have
// first_seq (at least 1) or more. STATUS_EXISTS when the directory has a log.
enum status msglog_create(const struct host *host, const char *directory, uint64_t first_seq,
                          struct errinfo *err);

// Opens a log (options may be NULL): reads the indexes, scans only what they do not cover yet,
// drops a torn tail that was never acknowledged, rebuilds a missing or damaged index. Bodies are
// not read.
enum status msglog_open(struct msglog **out, const struct host *host, const char *directory,
                        const struct msglog_options *options, struct errinfo *err);
void msglog_close(struct msglog *log); // takes NULL; what is staged and not committed is dropped

// Stages a message; its seq must be above every earlier one. The bytes are copied. It becomes
// readable, and part of the counts, when its batch is done. Space for it is reserved before it is
// accepted, so that STATUS_NO_SPACE comes here and leaves the log writable.
enum status msglog_append(struct msglog *log, const struct msglog_message *message,
                          struct errinfo *err);

// Stages the removal of every message in [first, last] and forgets them at once; sequences that are
// not there are fine. Becomes durable with the batch it is staged in. With erase, the bytes of the
// removed messages are overwritten after the commit (msglog_erase_pending does the work) and again
// after a crash in between.
enum status msglog_remove(struct msglog *log, uint64_t first, uint64_t last, bool erase,
                          struct errinfo *err);
enum status msglog_erase_pending(struct msglog *log, struct errinfo *err);

// Group commit in three steps. Take (owner): what is staged becomes a batch, or NULL when nothing
// is; one batch at a time is under way. Write (any thread, blocks): writes and syncs, touches
// nothing but the batch. Done (owner): publishes the result and frees the batch.
struct msglog_batch;
struct msglog_batch *msglog_batch_take(struct msglog *log);
void msglog_batch_write(struct msglog_batch *batch);
enum status msglog_batch_done(struct msglog *log, struct msglog_batch *batch, struct errinfo *err);

// The three steps in one, for a single thread.
enum status msglog_commit(struct msglog *log, struct errinfo *err);

enum msglog_part {
    MSGLOG_HEAD = 1, // time, subject and headers, checked by the head's own checksum
    MSGLOG_ALL = 2,  // with the body, both checksums checked
};

// Reads a committed message into storage (cleared first); the views in *message borrow from it.
// STATUS_NOT_FOUND when it is not there or removed, STATUS_CORRUPT naming file, offset and sequence
// when its bytes are damaged.
enum status msglog_read(struct msglog *log, uint64_t seq, enum msglog_part part,
                        struct buf *storage, struct msglog_message *message, struct errinfo *err);

// A part of a body; both are clamped to what there is.
struct msglog_range {
    uint64_t offset;
    uint64_t size;
};

// Reads a part of a committed message's body, with the checksums of the blocks it lies in and
// without reading the rest. *bytes borrows from storage.
enum status msglog_read_range(struct msglog *log, uint64_t seq, struct msglog_range range,
                              struct buf *storage, struct bytes *bytes, struct errinfo *err);

// What the index says of a committed message; false when it is not there.
bool msglog_entry_get(const struct msglog *log, uint64_t seq, struct msglog_entry *entry);

// The first live committed message at or after seq; false when there is none.
bool msglog_entry_next(const struct msglog *log, uint64_t seq, struct msglog_entry *entry);

// The first live committed message whose time is at or after time_ns; false when there is none.
bool msglog_entry_since(const struct msglog *log, int64_t time_ns, struct msglog_entry *entry);

struct msglog_state {
    uint64_t messages;   // live and committed
    uint64_t bytes;      // of live messages, as JetStream counts them: see msglog_message_bytes
    uint64_t first_seq;  // of the oldest live message, else last_seq + 1
    uint64_t last_seq;   // highest ever given, 0 when none
    uint64_t segments;   // files
    uint64_t disk_bytes; // of those files, reserved space included
    uint64_t dead_bytes; // in them, of removed messages
    bool read_only;      // after a failed write or sync
};
void msglog_state_get(const struct msglog *log, struct msglog_state *state);

// The size a message counts for in limits: as JetStream's file store, the record's length of
// 22 bytes of frame, subject, 4 bytes and headers when there are any, body and 8 bytes of checksum.
uint64_t msglog_message_bytes(size_t subject_bytes, size_t headers_bytes, size_t body_bytes);

// Giving space back. Segments without a live message are dropped, a segment that is mostly dead is
// rewritten. Take (owner) gives one piece of work or NULL when there is none worth doing; run (any
// thread, blocks) does the copying while the owner goes on; done (owner) swaps the files.
struct msglog_reclaim;
struct msglog_reclaim *msglog_reclaim_take(struct msglog *log);
void msglog_reclaim_run(struct msglog_reclaim *work);
enum status msglog_reclaim_done(struct msglog *log, struct msglog_reclaim *work,
                                struct errinfo *err);

// One finding of msglog_check; text is one line for a person, without the directory's name.
struct msglog_damage {
    uint64_t seq;     // the message that is lost, 0 when none is or it cannot be told
    const char *file; // within the directory
    uint64_t offset;
    const char *text;
};
typedef void (*msglog_report)(void *context, const struct msglog_damage *damage);

// Reads every byte of an open log and reports each damage. Changes nothing.
enum status msglog_check(struct msglog *log, msglog_report report, void *context,
                         struct errinfo *err);
