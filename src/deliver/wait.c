// SPDX-License-Identifier: Apache-2.0
#include "deliver/wait.h"

#include "base/clock.h"
#include "base/limits.h"
#include "deliver/name.h"
#include "wire/subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct waiting {
    const struct read_source *source;
    const struct wait_request *request;
    wait_visit visit;
    void *context;
    struct buf storage;
    char subjects[WAIT_REFS_MAX][REF_TEXT_SIZE];
    const char *streams[WAIT_REFS_MAX];
    bool there[WAIT_REFS_MAX];
    size_t there_count;
};

static bool satisfies(const struct wait_request *request, const struct report *report)
{
    return report->ref.rev > request->after_rev &&
           (request->any_status || report->status == request->status);
}

static enum status mark(struct waiting *waiting, size_t index, const struct report *report)
{
    if (waiting->there[index] || !satisfies(waiting->request, report))
        return STATUS_OK;
    waiting->there[index] = true;
    waiting->there_count++;
    return waiting->visit(waiting->context, index, report);
}

static enum status locate(struct waiting *waiting, size_t index, struct errinfo *err)
{
    const struct ref *ref = &waiting->request->refs[index];
    const struct agent *agent;
    if (ref->kind != REF_DELIVERABLE)
        return errinfo_set(err, STATUS_USAGE,
                           "waiting is for agent/type/feature, not for the message %s.%llu",
                           ref->stream, (unsigned long long)ref->seq);
    enum status status = registry_find(waiting->source->registry, bytes_of_string(ref->agent),
                                       &agent, err);
    if (status == STATUS_OK)
        status = registry_check_type(agent, bytes_of_string(ref->type), err);
    if (status != STATUS_OK)
        return status;
    waiting->streams[index] = agent->stream;
    ref_format(ref, REF_FORM_SUBJECT, waiting->subjects[index]);
    return STATUS_OK;
}

// The follow is opened before anything is looked at: nothing can fall in between.
static enum status start(struct waiting *waiting, struct bus_follow **follow, struct errinfo *err)
{
    struct bus_source sources[WAIT_REFS_MAX];
    enum status status = STATUS_OK;
    size_t count = waiting->request->count;
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        status = locate(waiting, i, err);
        sources[i] = (struct bus_source){.stream = waiting->streams[i],
                                         .filter = bytes_of_string(waiting->subjects[i])};
    }
    if (status == STATUS_OK)
        status = waiting->source->bus->operations->follow_open(waiting->source->bus, sources, count,
                                                               BUS_HEAD, follow, err);
    return status;
}

static enum status look(struct waiting *waiting, struct errinfo *err)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < waiting->request->count; i++) {
        struct report report;
        struct ref latest = waiting->request->refs[i];
        latest.rev = 0;
        status = read_report(waiting->source, &latest, BUS_HEAD, &waiting->storage, &report, err);
        if (status == STATUS_OK)
            status = mark(waiting, i, &report);
        else if (status == STATUS_NOT_FOUND || status == STATUS_EXPIRED)
            status = STATUS_OK;
    }
    return status;
}

static enum status timed_out(const struct waiting *waiting, struct errinfo *err)
{
    char missing[512] = "";
    size_t size = 0;
    for (size_t i = 0; i < waiting->request->count && size < sizeof missing - 80; i++) {
        char ref[REF_TEXT_SIZE];
        if (waiting->there[i])
            continue;
        ref_format(&waiting->request->refs[i], REF_FORM_TEXT, ref);
        int added = snprintf(missing + size, sizeof missing - size, "%s%s", size == 0 ? "" : ", ",
                             ref);
        size += (size_t)added < sizeof missing - size ? (size_t)added : 0;
    }
    return errinfo_set(err, STATUS_TIMEOUT, "the time was up with %zu of %zu there; missing: %s",
                       waiting->there_count, waiting->request->quorum, missing);
}

static enum status follow_on(struct waiting *waiting, struct bus_follow *follow,
                             struct errinfo *err)
{
    struct bus *bus = waiting->source->bus;
    const struct wait_request *request = waiting->request;
    int64_t deadline_ms = clock_monotonic_ns() / 1000000 + request->timeout_ms;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && waiting->there_count < request->quorum) {
        struct bus_message message;
        struct report report;
        size_t source;
        int64_t left_ms = deadline_ms - clock_monotonic_ns() / 1000000;
        status = bus->operations->follow_next(follow,
                                              request->timeout_ms < 0 ? -1
                                              : left_ms < 0           ? 0
                                                                      : left_ms,
                                              &waiting->storage, &message, &source, err);
        if (status == STATUS_OK)
            status = read_of_message(
                bus, &(struct read_message){waiting->streams[source], &message, BUS_HEAD},
                &waiting->storage, &report, err);
        if (status == STATUS_OK)
            status = mark(waiting, source, &report);
    }
    return status == STATUS_TIMEOUT ? timed_out(waiting, err) : status;
}

enum status wait_for(const struct read_source *source, const struct wait_request *request,
                     wait_visit visit, void *context, struct errinfo *err)
{
    struct bus_follow *follow = NULL;
    struct waiting *waiting = calloc(1, sizeof *waiting);
    if (waiting == NULL)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory to wait");
    waiting->source = source;
    waiting->request = request;
    waiting->visit = visit;
    waiting->context = context;
    buf_init(&waiting->storage, LIMIT_MESSAGE_BYTES);
    enum status status = start(waiting, &follow, err);
    if (status == STATUS_OK)
        status = look(waiting, err);
    if (status == STATUS_OK)
        status = follow_on(waiting, follow, err);
    bus_follow_close(follow);
    buf_fini(&waiting->storage);
    free(waiting);
    return status;
}

struct wait_watch {
    struct bus *bus;
    struct bus_follow *follow;
    char filter[LIMIT_SUBJECT_BYTES + 1];
    struct bus_source sources[BUS_FOLLOW_SOURCES_MAX];
    char streams[BUS_FOLLOW_SOURCES_MAX][BUS_STREAM_NAME_SIZE];
    uint64_t seen[BUS_FOLLOW_SOURCES_MAX]; // last sequence given, or where the watch began
    size_t count;
    struct buf cursor;
};

static uint64_t cursor_of(struct bytes cursor, const char *stream)
{
    while (cursor.size > 0) {
        struct bytes value, rest;
        uint64_t seq;
        struct bytes item = bytes_cut(cursor, ',', &rest);
        struct bytes name = bytes_cut(item, '=', &value);
        if (bytes_equal(name, bytes_of_string(stream)) && bytes_to_u64(value, &seq))
            return seq;
        cursor = rest;
    }
    return UINT64_MAX;
}

static enum status check_cursor(struct bytes cursor, struct errinfo *err)
{
    char quoted[ERRINFO_QUOTED_MAX];
    struct bytes whole = cursor;
    while (cursor.size > 0) {
        struct bytes value, rest;
        uint64_t seq;
        struct bytes item = bytes_cut(cursor, ',', &rest);
        bytes_cut(item, '=', &value);
        if (value.data == NULL || !bytes_to_u64(value, &seq))
            return errinfo_set(err, STATUS_USAGE,
                               "%s is no cursor: give what agog watch printed as one",
                               errinfo_quote(whole, quoted));
        cursor = rest;
    }
    return STATUS_OK;
}

static enum status add_stream(struct wait_watch *watch, const char *stream, struct bytes cursor,
                              struct errinfo *err)
{
    struct stream_info info;
    size_t at = watch->count;
    enum status status = watch->bus->operations->stream_info(watch->bus, stream, &info, err);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    if (status != STATUS_OK)
        return status;
    uint64_t seen = cursor_of(cursor, stream);
    watch->seen[at] = seen == UINT64_MAX ? info.state.last_seq : seen;
    stream_config_fini(&info.config);
    snprintf(watch->streams[at], BUS_STREAM_NAME_SIZE, "%s", stream);
    watch->sources[at] = (struct bus_source){.stream = watch->streams[at],
                                             .filter = bytes_of_string(watch->filter),
                                             .start_seq = watch->seen[at] + 1};
    watch->count++;
    return STATUS_OK;
}

static enum status add_streams(struct wait_watch *watch, const struct registry *registry,
                               const struct read_filter *filter, struct bytes cursor,
                               struct errinfo *err)
{
    enum status status = check_cursor(cursor, err);
    for (size_t i = 0; status == STATUS_OK && i < registry_count(registry); i++) {
        const struct agent *agent = registry_at(registry, i);
        bool wanted = filter->agent.size == 0 ||
                      bytes_equal(filter->agent, bytes_of_string(agent->name));
        bool known = false;
        for (size_t j = 0; j < watch->count; j++)
            known = known || strcmp(watch->streams[j], agent->stream) == 0;
        if (wanted && !known && watch->count < BUS_FOLLOW_SOURCES_MAX)
            status = add_stream(watch, agent->stream, cursor, err);
    }
    return status;
}

static enum status make_filter(struct wait_watch *watch, const struct read_filter *filter,
                               struct errinfo *err)
{
    char token[NAME_TOKEN_SIZE] = "*";
    enum status status = STATUS_OK;
    if (filter->feature.size > 0) {
        status = name_check_feature(filter->feature, err);
        if (status == STATUS_OK)
            name_encode(filter->feature, token);
    }
    snprintf(watch->filter, sizeof watch->filter, REF_SUBJECT_PREFIX "%.*s.%.*s.%s",
             filter->agent.size == 0 ? 1 : (int)filter->agent.size,
             filter->agent.size == 0 ? "*" : filter->agent.data,
             filter->type.size == 0 ? 1 : (int)filter->type.size,
             filter->type.size == 0 ? "*" : filter->type.data, token);
    if (status == STATUS_OK)
        status = subject_check(bytes_of_string(watch->filter), true, err);
    return status;
}

enum status wait_watch_open(const struct read_source *source, const struct read_filter *filter,
                            struct bytes cursor, struct wait_watch **out, struct errinfo *err)
{
    struct wait_watch *watch = calloc(1, sizeof *watch);
    if (watch == NULL)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory to watch");
    watch->bus = source->bus;
    buf_init(&watch->cursor, LIMIT_HEADER_BYTES);
    enum status status = make_filter(watch, filter, err);
    if (status == STATUS_OK)
        status = add_streams(watch, source->registry, filter, cursor, err);
    if (status == STATUS_OK)
        status = watch->bus->operations->follow_open(watch->bus, watch->sources, watch->count,
                                                     BUS_HEAD, &watch->follow, err);
    if (status != STATUS_OK) {
        wait_watch_close(watch);
        return status;
    }
    *out = watch;
    return STATUS_OK;
}

enum status wait_watch_next(struct wait_watch *watch, int64_t timeout_ms, struct buf *storage,
                            struct report *report, struct errinfo *err)
{
    struct bus_message message;
    size_t source;
    enum status status = watch->bus->operations->follow_next(watch->follow, timeout_ms, storage,
                                                             &message, &source, err);
    if (status != STATUS_OK)
        return status;
    watch->seen[source] = message.seq;
    return read_of_message(watch->bus,
                           &(struct read_message){watch->streams[source], &message, BUS_HEAD},
                           storage, report, err);
}

const char *wait_watch_cursor(struct wait_watch *watch)
{
    buf_clear(&watch->cursor);
    for (size_t i = 0; i < watch->count; i++)
        buf_printf(&watch->cursor, "%s%s=%llu", i == 0 ? "" : ",", watch->streams[i],
                   (unsigned long long)watch->seen[i]);
    const char *text = buf_string(&watch->cursor);
    return text == NULL ? "" : text;
}

void wait_watch_close(struct wait_watch *watch)
{
    if (watch == NULL)
        return;
    bus_follow_close(watch->follow);
    buf_fini(&watch->cursor);
    free(watch);
}
