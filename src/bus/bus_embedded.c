// SPDX-License-Identifier: Apache-2.0
// The bus over the engine in this process.
//
// Group commit: a publisher stages its message under the lock. Whoever finds nobody committing
// takes everything staged so far as one batch for each log, writes and syncs with the lock
// released, and wakes the others; those who staged meanwhile are the next batch. So sixteen threads
// share one sync, and a single one pays for nothing.
#include "bus/bus_embedded_private.h"

#include "base/clock.h"
#include "base/limits.h"
#include "engine/jserror.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Opens the store unless it is open. Called with the lock held.
static enum status open_store(struct embedded *self, struct errinfo *err)
{
    char time[CLOCK_RFC3339_SIZE];
    char holder[256];
    if (self->engine != NULL)
        return STATUS_OK;
    clock_format_seconds(clock_realtime_ns(), time);
    snprintf(holder, sizeof holder, "agog %s, process %ld, since %s", self->holder, (long)getpid(),
             time);
    struct storedir_options options = {
        .create = self->options.create,
        .holder = holder,
        .lock_wait_ms = (uint32_t)self->options.lock_wait_ms,
    };
    enum status status = storedir_open(&self->store, host_posix(), self->home, &options, err);
    if (status == STATUS_OK)
        status = engine_open(&self->engine, host_posix(), self->store, err);
    if (status != STATUS_OK) {
        storedir_close(self->store);
        self->store = NULL;
    }
    return status;
}

static void close_store(struct embedded *self)
{
    engine_close(self->engine);
    storedir_close(self->store);
    self->engine = NULL;
    self->store = NULL;
}

// Every operation runs between enter and leave.
enum status embedded_enter(struct embedded *self, struct errinfo *err)
{
    pthread_mutex_lock(&self->lock);
    return open_store(self, err);
}

// Whether somebody stands in commit, who looks at his stream again when he wakes.
static bool is_busy(const struct embedded *self)
{
    return self->committing || self->in_commit > 0;
}

// The same, with no batch under way and nobody in commit: for whatever changes which streams there
// are. Publishers who come meanwhile wait behind it.
static enum status enter_alone(struct embedded *self, struct errinfo *err)
{
    pthread_mutex_lock(&self->lock);
    self->alone_waiting++;
    while (is_busy(self))
        pthread_cond_wait(&self->committed, &self->lock);
    self->alone_waiting--;
    pthread_cond_broadcast(&self->committed);
    return open_store(self, err);
}

static enum status enter_to_publish(struct embedded *self, struct errinfo *err)
{
    pthread_mutex_lock(&self->lock);
    while (self->alone_waiting > 0 || self->holding > 0)
        pthread_cond_wait(&self->committed, &self->lock);
    return open_store(self, err);
}

// What a staged message replaces is gone before the message itself can be read. Whoever misses
// something holds new publishers back, waits for what is staged, looks again, and lets them on.
static bool is_any_staged(const struct embedded *self)
{
    return self->generation_committed < self->generation_staged;
}

static void hold_until_committed(struct embedded *self)
{
    self->holding++;
    while (is_any_staged(self))
        pthread_cond_wait(&self->committed, &self->lock);
}

static void let_on(struct embedded *self)
{
    if (--self->holding == 0)
        pthread_cond_broadcast(&self->committed);
}

void embedded_leave(struct embedded *self)
{
    pthread_mutex_unlock(&self->lock);
}

void embedded_release(struct embedded *self)
{
    pthread_mutex_lock(&self->lock);
    if (!is_busy(self))
        close_store(self);
    pthread_mutex_unlock(&self->lock);
}

struct pending {
    struct msglog *log;
    struct msglog_batch *batch;
};

// Writes everything that is staged, with the lock released meanwhile. What fails makes its log
// read-only: each publisher finds that out for its own message.
static void lead_commit(struct embedded *self)
{
    size_t at = 0;
    size_t count = 0;
    struct stream *stream;
    size_t streams = engine_count(self->engine);
    struct pending *pending = calloc(streams == 0 ? 1 : streams, sizeof *pending);
    uint64_t generation = self->generation++;
    self->committing = true;
    while ((stream = engine_next_open(self->engine, &at)) != NULL) {
        struct msglog *log = stream_get_log(stream);
        // Without memory for the list each log is committed in place, one after the other.
        if (pending == NULL) {
            msglog_commit(log, NULL);
            continue;
        }
        struct msglog_batch *batch = msglog_batch_take(log);
        if (batch != NULL)
            pending[count++] = (struct pending){log, batch};
    }
    pthread_mutex_unlock(&self->lock);
    for (size_t i = 0; i < count; i++)
        msglog_batch_write(pending[i].batch);
    pthread_mutex_lock(&self->lock);
    for (size_t i = 0; i < count; i++)
        msglog_batch_done(pending[i].log, pending[i].batch, NULL);
    self->generation_committed = generation;
    self->committing = false;
    pthread_cond_broadcast(&self->committed);
    free(pending);
}

static enum status read_only(const struct stream *stream, struct errinfo *err)
{
    return errinfo_set(err, STATUS_READ_ONLY,
                       "stream %s takes nothing more: a write or sync to its disk failed. Look at "
                       "the disk, then run agog doctor",
                       stream_get_config(stream)->name);
}

// Waits until everything staged so far is on disk. STATUS_READ_ONLY when the stream's log failed.
static enum status commit(struct embedded *self, struct stream *stream, struct errinfo *err)
{
    uint64_t mine = self->generation;
    self->generation_staged = mine;
    self->in_commit++;
    while (self->generation_committed < mine) {
        if (self->committing)
            pthread_cond_wait(&self->committed, &self->lock);
        else
            lead_commit(self);
    }
    if (--self->in_commit == 0)
        pthread_cond_broadcast(&self->committed);
    struct msglog_state state;
    msglog_state_get(stream_get_log(stream), &state);
    return state.read_only ? read_only(stream, err) : STATUS_OK;
}

// One piece of work that gives space back, if there is one worth doing; others go on meanwhile.
static void reclaim(struct embedded *self)
{
    size_t at = 0;
    struct stream *stream;
    while (!self->committing && (stream = engine_next_open(self->engine, &at)) != NULL) {
        struct msglog *log = stream_get_log(stream);
        struct msglog_reclaim *work = msglog_reclaim_take(log);
        if (work == NULL)
            continue;
        self->committing = true; // nobody closes or deletes the stream meanwhile
        pthread_mutex_unlock(&self->lock);
        msglog_reclaim_run(work);
        pthread_mutex_lock(&self->lock);
        msglog_reclaim_done(log, work, NULL);
        self->committing = false;
        pthread_cond_broadcast(&self->committed);
        return;
    }
}

static void embedded_close(struct bus *bus)
{
    struct embedded *self = embedded_of(bus);
    pthread_mutex_lock(&self->lock);
    while (is_busy(self))
        pthread_cond_wait(&self->committed, &self->lock);
    if (self->engine != NULL)
        reclaim(self);
    close_store(self);
    pthread_mutex_unlock(&self->lock);
    pthread_cond_destroy(&self->committed);
    pthread_mutex_destroy(&self->lock);
    free(self->home);
    free(self->holder);
    free(self);
}

static enum status embedded_facts(struct bus *bus, struct bus_facts *facts, struct errinfo *err)
{
    const struct embedded *self = embedded_of(bus);
    (void)err;
    *facts = (struct bus_facts){.kind = "embedded", .max_body_bytes = LIMIT_REPORT_BYTES};
    snprintf(facts->location, sizeof facts->location, "%s", self->home);
    return STATUS_OK;
}

// Whoever reads has room for so much: a message that nobody can read is refused when it comes.
static enum status check_size(const struct bus_message *message, struct errinfo *err)
{
    enum { FRAME_BYTES = 1024 }; // what a record has besides
    uint64_t size = message->subject.size + message->headers.size + message->body.size;
    if (size <= LIMIT_MESSAGE_BYTES - FRAME_BYTES)
        return STATUS_OK;
    return errinfo_set_code(err, STATUS_LIMIT, JSERROR_MESSAGE_TOO_LARGE,
                            "message size exceeds maximum allowed: %llu bytes with its headers, "
                            "at most %d can be stored",
                            (unsigned long long)size, LIMIT_MESSAGE_BYTES - FRAME_BYTES);
}

static enum status embedded_publish(struct bus *bus, const struct bus_message *message,
                                    struct bus_ack *ack, struct errinfo *err)
{
    struct embedded *self = embedded_of(bus);
    struct stream *stream;
    struct stream_ack staged;
    struct stream_input input = {
        .subject = message->subject,
        .headers = message->headers,
        .body = message->body,
    };
    enum status status = check_size(message, err);
    if (status != STATUS_OK)
        return status;
    status = enter_to_publish(self, err);
    // Under the lock: the order of times is then the order of sequences.
    input.now_ns = clock_realtime_ns();
    if (status == STATUS_OK)
        status = engine_stream_for(self->engine, message->subject, input.now_ns, &stream, err);
    if (status == STATUS_OK)
        status = stream_publish(stream, &input, &staged, err);
    // A duplicate may be of a message that is only staged yet: it too waits for the disk.
    if (status == STATUS_OK)
        status = commit(self, stream, err);
    if (status == STATUS_OK) {
        *ack = (struct bus_ack){.seq = staged.seq, .duplicate = staged.duplicate};
        snprintf(ack->stream, sizeof ack->stream, "%s", stream_get_config(stream)->name);
        reclaim(self);
    }
    embedded_leave(self);
    return status;
}

static void message_of(struct bus_message *to, const struct msglog_message *from)
{
    *to = (struct bus_message){
        .seq = from->seq,
        .time_ns = from->time_ns,
        .subject = from->subject,
        .headers = from->headers,
        .body = from->body,
    };
}

static enum msglog_part part_of(enum bus_part part)
{
    return part == BUS_HEAD ? MSGLOG_HEAD : MSGLOG_ALL;
}

// A range is asked for by sequence: whoever knows what to read knows of which message.
static enum status get_range(struct stream *stream, const struct bus_get *get, struct buf *storage,
                             struct bus_message *message, struct errinfo *err)
{
    struct bytes range;
    struct stream_range wanted = {get->seq, get->range_from, get->range_size};
    enum status status = stream_get_range(stream, &wanted, storage, &range, err);
    if (status == STATUS_OK)
        *message = (struct bus_message){.seq = get->seq, .body = range};
    return status;
}

// Called with the lock held.
static enum status get_from(struct stream *stream, const struct bus_get *get, struct buf *storage,
                            struct bus_message *message, struct errinfo *err)
{
    struct msglog_message found;
    enum msglog_part part = part_of(get->part);
    uint64_t seq = get->seq;
    enum status status;
    if (get->part == BUS_RANGE)
        return get_range(stream, get, storage, message, err);
    if (get->subject.size > 0 && seq > 0)
        seq = stream_find_next(stream, seq, get->subject);
    if (get->subject.size > 0 && get->seq == 0)
        status = stream_get_last(stream, get->subject, part, storage, &found, err);
    else
        status = stream_get(stream, seq, part, storage, &found, err);
    if (status == STATUS_OK)
        message_of(message, &found);
    return status;
}

// Called with the lock held.
static enum status find_and_get(struct embedded *self, const char *name, const struct bus_get *get,
                                struct buf *storage, struct bus_message *message,
                                struct errinfo *err)
{
    struct stream *stream;
    enum status status = engine_stream(self->engine, bytes_of_string(name), clock_realtime_ns(),
                                       &stream, err);
    return status != STATUS_OK ? status : get_from(stream, get, storage, message, err);
}

enum status embedded_get(struct bus *bus, const char *name, const struct bus_get *get,
                         struct buf *storage, struct bus_message *message, struct errinfo *err)
{
    struct embedded *self = embedded_of(bus);
    enum status status = embedded_enter(self, err);
    if (status == STATUS_OK) {
        status = find_and_get(self, name, get, storage, message, err);
        if (status == STATUS_NOT_FOUND && is_any_staged(self)) {
            hold_until_committed(self);
            status = find_and_get(self, name, get, storage, message, err);
            let_on(self);
        }
    }
    embedded_leave(self);
    return status;
}

// Names with numbers, collected under the lock and shown without it: the number, the name's size
// and the name.
static enum status collect_name(void *context, struct bytes name, uint64_t count)
{
    struct buf *list = context;
    buf_append_le64(list, count);
    buf_append_le64(list, name.size);
    buf_append(list, name);
    return buf_status(list);
}

static enum status collect_last_each(struct embedded *self, const char *name, struct bytes filter,
                                     struct buf *list, struct errinfo *err)
{
    struct stream *stream;
    struct stream_last *lasts;
    size_t count;
    enum status status = engine_stream(self->engine, bytes_of_string(name), clock_realtime_ns(),
                                       &stream, err);
    if (status == STATUS_OK)
        status = stream_find_last_each(stream, filter, &lasts, &count, err);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; status == STATUS_OK && i < count; i++)
        status = collect_name(list, lasts[i].subject, lasts[i].seq);
    free(lasts);
    return status == STATUS_OK ? status : errinfo_set(err, status, "no memory to list %s", name);
}

struct last_walk {
    struct bus *bus;
    const char *stream;
    enum bus_part part;
    struct buf storage;
    bus_visit_message visit;
    void *context;
    struct errinfo *err;
};

// Runs without the lock: the visitor may call the bus.
static enum status show_last(void *context, struct bytes subject, uint64_t seq)
{
    struct last_walk *walk = context;
    struct bus_message message;
    struct bus_get get = {.seq = seq, .part = walk->part};
    enum status status = embedded_get(walk->bus, walk->stream, &get, &walk->storage, &message,
                                      walk->err);
    // What was replaced since the list was made has a newer message, and what was deleted may have
    // an older one.
    if (status == STATUS_NOT_FOUND) {
        get = (struct bus_get){.subject = subject, .part = walk->part};
        status = embedded_get(walk->bus, walk->stream, &get, &walk->storage, &message, walk->err);
    }
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    return status != STATUS_OK ? status : walk->visit(walk->context, &message);
}

static enum status show_names(const struct buf *list, bus_visit_name visit, void *context)
{
    struct bytes rest = buf_bytes(list);
    enum status status = STATUS_OK;
    while (status == STATUS_OK && rest.size > 0) {
        uint64_t count = 0, size = 0;
        for (size_t i = 0; i < 8; i++) {
            count |= (uint64_t)(unsigned char)rest.data[i] << (8 * i);
            size |= (uint64_t)(unsigned char)rest.data[8 + i] << (8 * i);
        }
        status = visit(context, bytes_slice(rest, 16, (size_t)size), count);
        rest = bytes_from(rest, 16 + (size_t)size);
    }
    return status;
}

enum { NAMES_BYTES_MAX = 1 << 30 };

static enum status embedded_last_each(struct bus *bus, const char *name,
                                      const struct bus_get *filter, bus_visit_message visit,
                                      void *context, struct errinfo *err)
{
    struct embedded *self = embedded_of(bus);
    struct buf list;
    struct last_walk walk = {bus, name, filter->part, {.data = NULL}, visit, context, err};
    buf_init(&list, NAMES_BYTES_MAX);
    buf_init(&walk.storage, LIMIT_MESSAGE_BYTES);
    enum status status = embedded_enter(self, err);
    if (status == STATUS_OK)
        status = collect_last_each(self, name, filter->subject, &list, err);
    embedded_leave(self);
    if (status == STATUS_OK)
        status = show_names(&list, show_last, &walk);
    buf_fini(&walk.storage);
    buf_fini(&list);
    return status;
}

static enum status embedded_subjects(struct bus *bus, const char *name, struct bytes filter,
                                     bus_visit_name visit, void *context, struct errinfo *err)
{
    struct embedded *self = embedded_of(bus);
    struct stream *stream;
    struct buf list;
    buf_init(&list, NAMES_BYTES_MAX);
    enum status status = embedded_enter(self, err);
    // What is listed can be read.
    hold_until_committed(self);
    if (status == STATUS_OK)
        status = engine_stream(self->engine, bytes_of_string(name), clock_realtime_ns(), &stream,
                               err);
    if (status == STATUS_OK)
        status = stream_subjects(stream, filter, collect_name, &list, err);
    let_on(self);
    embedded_leave(self);
    if (status == STATUS_OK)
        status = show_names(&list, visit, context);
    buf_fini(&list);
    return status;
}

static enum status collect_streams(struct embedded *self, struct buf *list, struct errinfo *err)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < engine_count(self->engine); i++) {
        struct stream *stream;
        struct stream_state state;
        struct bytes name = bytes_of_string(engine_config(self->engine, i)->name);
        status = engine_stream(self->engine, name, clock_realtime_ns(), &stream, err);
        if (status == STATUS_OK) {
            stream_state_get(stream, &state);
            status = collect_name(list, name, state.messages);
        }
    }
    return status;
}

static enum status embedded_stream_names(struct bus *bus, bus_visit_name visit, void *context,
                                         struct errinfo *err)
{
    struct embedded *self = embedded_of(bus);
    struct buf list;
    buf_init(&list, NAMES_BYTES_MAX);
    enum status status = embedded_enter(self, err);
    if (status == STATUS_OK)
        status = collect_streams(self, &list, err);
    embedded_leave(self);
    if (status == STATUS_OK)
        status = show_names(&list, visit, context);
    buf_fini(&list);
    return status;
}

static enum status embedded_message_delete(struct bus *bus, const char *name, uint64_t seq,
                                           bool erase, struct errinfo *err)
{
    struct embedded *self = embedded_of(bus);
    struct stream *stream;
    enum status status = enter_alone(self, err);
    if (status == STATUS_OK)
        status = engine_stream(self->engine, bytes_of_string(name), clock_realtime_ns(), &stream,
                               err);
    if (status == STATUS_OK)
        status = stream_delete_message(stream, seq, erase, err);
    if (status == STATUS_OK)
        status = commit(self, stream, err);
    if (status == STATUS_OK && erase)
        status = msglog_erase_pending(stream_get_log(stream), err);
    embedded_leave(self);
    return status;
}

static enum status embedded_stream_create(struct bus *bus, const struct stream_config *config,
                                          bool *created, struct errinfo *err)
{
    struct embedded *self = embedded_of(bus);
    enum status status = enter_alone(self, err);
    if (status == STATUS_OK)
        status = engine_create(self->engine, config, clock_realtime_ns(), created, err);
    embedded_leave(self);
    return status;
}

static enum status embedded_stream_update(struct bus *bus, const struct stream_config *config,
                                          struct errinfo *err)
{
    struct embedded *self = embedded_of(bus);
    struct stream *stream;
    int64_t now_ns = clock_realtime_ns();
    enum status status = enter_alone(self, err);
    if (status == STATUS_OK)
        status = engine_update(self->engine, config, now_ns, err);
    if (status == STATUS_OK)
        status = engine_stream(self->engine, bytes_of_string(config->name), now_ns, &stream, err);
    if (status == STATUS_OK)
        status = commit(self, stream, err);
    embedded_leave(self);
    return status;
}

static enum status embedded_stream_delete(struct bus *bus, const char *name, struct errinfo *err)
{
    struct embedded *self = embedded_of(bus);
    enum status status = enter_alone(self, err);
    if (status == STATUS_OK)
        status = engine_delete(self->engine, bytes_of_string(name), err);
    embedded_leave(self);
    return status;
}

static enum status embedded_stream_info(struct bus *bus, const char *name, struct stream_info *info,
                                        struct errinfo *err)
{
    struct embedded *self = embedded_of(bus);
    struct stream *stream;
    enum status status = embedded_enter(self, err);
    if (status == STATUS_OK)
        status = engine_stream(self->engine, bytes_of_string(name), clock_realtime_ns(), &stream,
                               err);
    if (status == STATUS_OK) {
        status = stream_config_copy(&info->config, stream_get_config(stream));
        if (status != STATUS_OK)
            errinfo_set(err, status, "no memory to describe stream %s", name);
    }
    if (status == STATUS_OK) {
        stream_state_get(stream, &info->state);
        info->created_ns = stream_get_created(stream);
    }
    embedded_leave(self);
    return status;
}

static enum status embedded_stream_purge(struct bus *bus, const char *name,
                                         const struct bus_purge *purge, uint64_t *purged,
                                         struct errinfo *err)
{
    struct embedded *self = embedded_of(bus);
    struct stream *stream;
    struct stream_purge what = {purge->filter, purge->up_to_seq, purge->keep};
    enum status status = enter_alone(self, err);
    if (status == STATUS_OK)
        status = engine_stream(self->engine, bytes_of_string(name), clock_realtime_ns(), &stream,
                               err);
    if (status == STATUS_OK)
        status = stream_purge(stream, &what, purged, err);
    if (status == STATUS_OK)
        status = commit(self, stream, err);
    if (status == STATUS_OK)
        reclaim(self);
    embedded_leave(self);
    return status;
}

static void embedded_rest(struct bus *bus)
{
    embedded_release(embedded_of(bus));
}

static const struct bus_operations operations = {
    .close = embedded_close,
    .rest = embedded_rest,
    .facts = embedded_facts,
    .publish = embedded_publish,
    .get = embedded_get,
    .last_each = embedded_last_each,
    .subjects = embedded_subjects,
    .message_delete = embedded_message_delete,
    .stream_create = embedded_stream_create,
    .stream_update = embedded_stream_update,
    .stream_delete = embedded_stream_delete,
    .stream_info = embedded_stream_info,
    .stream_names = embedded_stream_names,
    .stream_purge = embedded_stream_purge,
    .follow_open = bus_embedded_follow_open,
    .follow_next = bus_embedded_follow_next,
    .follow_close = bus_embedded_follow_close,
};

enum status bus_embedded_open(const struct bus_embedded_options *options, struct bus **out,
                              struct errinfo *err)
{
    struct embedded *self = calloc(1, sizeof *self);
    if (self == NULL)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory to open %s", options->home);
    self->bus.operations = &operations;
    self->options = *options;
    self->generation = 1;
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->committed, NULL);
    self->home = strdup(options->home);
    self->holder = strdup(options->holder);
    enum status status = STATUS_OK;
    if (self->home == NULL || self->holder == NULL)
        status = errinfo_set(err, STATUS_NO_MEMORY, "no memory to open %s", options->home);
    // Opened at once, so that a missing store or a held lock is told here.
    if (status == STATUS_OK) {
        status = embedded_enter(self, err);
        embedded_leave(self);
    }
    if (status != STATUS_OK) {
        embedded_close(&self->bus);
        return status;
    }
    self->options.create = false;
    *out = &self->bus;
    return STATUS_OK;
}

bool bus_embedded_server_url(const char *home, char url[BUS_EMBEDDED_URL_SIZE])
{
    struct buf text;
    struct errinfo ignored;
    bool found = false;
    buf_init(&text, LIMIT_PATH_BYTES);
    if (storedir_holder_read(host_posix(), home, &text, &ignored) == STATUS_OK) {
        struct bytes rest = buf_bytes(&text);
        while (!found && rest.size > 0) {
            struct bytes line = bytes_cut(rest, '\n', &rest);
            found = bytes_start_with(line, BYTES("url ")) && line.size - 4 < BUS_EMBEDDED_URL_SIZE;
            if (found)
                snprintf(url, BUS_EMBEDDED_URL_SIZE, "%.*s", BYTES_ARG(bytes_from(line, 4)));
        }
    }
    buf_fini(&text);
    return found;
}
