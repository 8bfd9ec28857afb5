// SPDX-License-Identifier: Apache-2.0
// Following streams without a server: look, and when there is nothing, give the store back and
// sleep until the operating system says that a file of a followed stream changed.
#include "bus/bus_embedded_private.h"

#include "base/clock.h"
#include "base/limits.h"
#include "bus/watch.h"
#include "engine/jserror.h"
#include "wire/subject.h"

#include <stdio.h>
#include <stdlib.h>

struct followed {
    char stream[BUS_STREAM_NAME_SIZE];
    char filter[LIMIT_SUBJECT_BYTES + 1];
    uint64_t next_seq;
};

struct embedded_follow {
    struct bus_follow follow;
    struct followed *sources;
    size_t count;
    size_t turn; // the source that is asked first: each gets its turn
    enum bus_part part;
    struct watch *watch;
};

static enum status start_following(struct embedded *self, const struct bus_source *source,
                                   struct embedded_follow *follow, struct followed *followed,
                                   struct errinfo *err)
{
    struct stream *stream;
    struct stream_state state;
    struct buf path;
    struct bytes name = bytes_of_string(source->stream);
    struct bytes filter = source->filter.size == 0 ? BYTES(">") : source->filter;
    enum status status = subject_check(filter, true, err);
    if (status == STATUS_OK)
        status = engine_stream(self->engine, name, clock_realtime_ns(), &stream, err);
    // Watched before it is looked at: what comes in between wakes the first wait.
    buf_init(&path, LIMIT_PATH_BYTES);
    if (status == STATUS_OK)
        status = storedir_stream_path(self->store, name, &path, err);
    if (status == STATUS_OK)
        status = watch_add(follow->watch, path.data, err);
    buf_fini(&path);
    if (status != STATUS_OK)
        return status;
    stream_state_get(stream, &state);
    followed->next_seq = source->start_seq == 0 ? state.last_seq + 1 : source->start_seq;
    snprintf(followed->stream, sizeof followed->stream, "%s", source->stream);
    snprintf(followed->filter, sizeof followed->filter, "%.*s", BYTES_ARG(filter));
    return STATUS_OK;
}

void bus_embedded_follow_close(struct bus_follow *base)
{
    struct embedded_follow *follow = (struct embedded_follow *)base;
    watch_close(follow->watch);
    free(follow->sources);
    free(follow);
}

enum status bus_embedded_follow_open(struct bus *bus, const struct bus_source *sources,
                                     size_t count, enum bus_part part, struct bus_follow **out,
                                     struct errinfo *err)
{
    struct embedded *self = embedded_of(bus);
    struct embedded_follow *follow = calloc(1, sizeof *follow);
    if (follow == NULL)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory to follow streams");
    if (count == 0 || count > BUS_FOLLOW_SOURCES_MAX) {
        free(follow);
        return errinfo_set(err, STATUS_LIMIT, "1 to %d streams can be followed at once",
                           BUS_FOLLOW_SOURCES_MAX);
    }
    follow->follow.bus = bus;
    follow->part = part;
    follow->count = count;
    follow->sources = calloc(count + 1, sizeof *follow->sources);
    enum status status = follow->sources == NULL
                             ? errinfo_set(err, STATUS_NO_MEMORY, "no memory to follow streams")
                             : watch_open(&follow->watch, err);
    if (status == STATUS_OK) {
        status = embedded_enter(self, err);
        for (size_t i = 0; status == STATUS_OK && i < count; i++)
            status = start_following(self, &sources[i], follow, &follow->sources[i], err);
        embedded_leave(self);
    }
    if (status != STATUS_OK) {
        bus_embedded_follow_close(&follow->follow);
        return status;
    }
    *out = &follow->follow;
    return STATUS_OK;
}

// Looks at every source once. STATUS_NOT_FOUND with 10037 when none has anything yet.
static enum status look(struct embedded_follow *follow, struct buf *storage,
                        struct bus_message *message, size_t *source, struct errinfo *err)
{
    enum status status = errinfo_set_code(err, STATUS_NOT_FOUND, JSERROR_NO_MESSAGE,
                                          "no message found");
    for (size_t i = 0; i < follow->count; i++) {
        size_t at = (follow->turn + i) % follow->count;
        struct followed *followed = &follow->sources[at];
        struct bus_get get = {.seq = followed->next_seq,
                              .subject = bytes_of_string(followed->filter),
                              .part = follow->part};
        status = embedded_get(follow->follow.bus, followed->stream, &get, storage, message, err);
        if (status == STATUS_OK) {
            followed->next_seq = message->seq + 1;
            follow->turn = at + 1;
            *source = at;
            return STATUS_OK;
        }
        // That a stream is gone is an error, that it has nothing new is not.
        if (status != STATUS_NOT_FOUND || err->protocol_code != JSERROR_NO_MESSAGE)
            return status;
    }
    return status;
}

enum status bus_embedded_follow_next(struct bus_follow *base, int64_t timeout_ms,
                                     struct buf *storage, struct bus_message *message,
                                     size_t *source, struct errinfo *err)
{
    struct embedded_follow *follow = (struct embedded_follow *)base;
    int64_t deadline_ms = timeout_ms < INT32_MAX ? clock_monotonic_ns() / 1000000 + timeout_ms
                                                 : INT64_MAX;
    for (;;) {
        struct errinfo why;
        errinfo_clear(&why);
        enum status status = look(follow, storage, message, source, &why);
        if (status != STATUS_NOT_FOUND || why.protocol_code != JSERROR_NO_MESSAGE) {
            if (status != STATUS_OK && err != NULL)
                *err = why;
            return status;
        }
        int64_t left_ms = deadline_ms - clock_monotonic_ns() / 1000000;
        embedded_release(embedded_of(base->bus));
        status = watch_wait(follow->watch, timeout_ms < 0 ? -1 : left_ms < 0 ? 0 : left_ms, err);
        if (status != STATUS_OK)
            return status;
    }
}
