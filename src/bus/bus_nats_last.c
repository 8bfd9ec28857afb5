// SPDX-License-Identifier: Apache-2.0
// The last message of each subject. A consumer gives them all in one stream of deliveries, which is
// what makes it fast; but on a cluster the consumer may live beside a replica that does not know
// yet what was acknowledged a moment ago. So the stream's leader is asked first which sequence the
// newest of all these messages has, and the list is not complete before it has been seen. What the
// replica learns meanwhile replaces what it gave before.
//
// Servers up to 2.9 can lose track of the last message of a subject from which messages were
// deleted: the consumer then announces one and never gives it. The subjects are then listed and
// each one's last message is read.
#include "bus/bus_nats_follow.h"

#include "base/clock.h"
#include "base/map.h"

#include <stdlib.h>
#include <string.h>

enum {
    KEPT_BYTES_MAX = 64 << 20, // beyond this a message is read again when it is shown
    STEP_MS = 500,             // how long a replica may lag before the leader is asked again
    STEPS_MAX = 6,             // and how often, before everything is asked of the leader
};

struct last {
    struct bus_message message;
    bool kept; // else only the subject is
    char bytes[];
};

struct last_list {
    struct nats_bus *self;
    const char *stream;
    const struct bus_get *filter;
    struct map by_subject;
    uint64_t kept_bytes;
    uint64_t newest;
};

static enum status no_memory(const struct last_list *list, struct errinfo *err)
{
    return errinfo_set(err, STATUS_NO_MEMORY, "no memory to list %s", list->stream);
}

static void empty(struct last_list *list)
{
    size_t at = 0;
    struct last *last;
    while ((last = map_next(&list->by_subject, &at)) != NULL)
        free(last);
    map_fini(&list->by_subject);
    map_init(&list->by_subject, (uint64_t)clock_monotonic_ns());
    list->kept_bytes = 0;
    list->newest = 0;
}

static char *put(char *to, struct bytes from, struct bytes *view)
{
    if (from.size > 0)
        memcpy(to, from.data, from.size);
    *view = bytes_of(to, from.size);
    return to + from.size;
}

static enum status add(struct last_list *list, const struct bus_message *message,
                       struct errinfo *err)
{
    uint64_t size = message->subject.size + message->headers.size + message->body.size;
    bool kept = list->kept_bytes + size <= KEPT_BYTES_MAX;
    struct last *last = malloc(sizeof *last + (kept ? (size_t)size : message->subject.size));
    if (last == NULL)
        return no_memory(list, err);
    *last = (struct last){.message = {.seq = message->seq, .time_ns = message->time_ns},
                          .kept = kept};
    char *to = put(last->bytes, message->subject, &last->message.subject);
    if (kept) {
        to = put(to, message->headers, &last->message.headers);
        put(to, message->body, &last->message.body);
        list->kept_bytes += size;
    }
    free(map_take(&list->by_subject, message->subject));
    if (map_add(&list->by_subject, last->message.subject, last) != STATUS_OK) {
        free(last);
        return no_memory(list, err);
    }
    if (message->seq > list->newest)
        list->newest = message->seq;
    return STATUS_OK;
}

// The sequence of the newest message that matches, as the leader knows it; 0 when there is none.
static enum status ask_newest(struct last_list *list, uint64_t *seq, struct errinfo *err)
{
    struct buf storage;
    struct bus_message message;
    struct errinfo why;
    struct bus_get get = {.subject = list->filter->subject, .part = BUS_HEAD};
    errinfo_clear(&why);
    buf_init(&storage, LIMIT_MESSAGE_BYTES);
    enum status status = bus_nats_get(&list->self->bus, list->stream, &get, &storage, &message,
                                      &why);
    buf_fini(&storage);
    if (status == STATUS_OK)
        *seq = message.seq;
    if (status == STATUS_NOT_FOUND && why.protocol_code == CODE_NO_MESSAGE) {
        *seq = 0;
        return STATUS_OK;
    }
    if (status != STATUS_OK && err != NULL)
        *err = why;
    return status;
}

static bool is_complete(const struct last_list *list, const struct nats_follow *follow,
                        uint64_t newest)
{
    const struct nats_source *source = &follow->sources[0];
    return source->running && source->pending == 0 &&
           (!source->clustered || list->newest >= newest);
}

// *stuck is set when the consumer does not give what it announced, or its replica does not catch
// up.
static enum status collect_from(struct last_list *list, struct nats_follow *follow, uint64_t newest,
                                bool *stuck, struct errinfo *err)
{
    struct buf storage;
    enum status status = STATUS_OK;
    unsigned restarts = follow->restarts;
    int steps = 0;
    buf_init(&storage, LIMIT_MESSAGE_BYTES);
    while (status == STATUS_OK && !*stuck && !is_complete(list, follow, newest)) {
        struct bus_message message;
        size_t source;
        bool announced = follow->sources[0].pending > 0;
        status = bus_nats_follow_next(&follow->follow, STEP_MS, &storage, &message, &source, err);
        if (follow->restarts != restarts)
            empty(list);
        restarts = follow->restarts;
        if (status == STATUS_OK) {
            status = add(list, &message, err);
            steps = 0;
        } else if (status == STATUS_TIMEOUT) {
            *stuck = announced || ++steps >= STEPS_MAX;
            // The newest one may have been deleted meanwhile.
            status = ask_newest(list, &newest, err);
        }
    }
    buf_fini(&storage);
    return status;
}

struct singly {
    struct last_list *list;
    struct errinfo *err;
};

static enum status add_last(void *context, struct bytes subject, uint64_t count)
{
    struct singly *singly = context;
    struct buf storage;
    struct bus_message message;
    struct bus_get get = {.subject = subject, .part = singly->list->filter->part};
    (void)count;
    buf_init(&storage, LIMIT_MESSAGE_BYTES);
    enum status status = bus_nats_get(&singly->list->self->bus, singly->list->stream, &get,
                                      &storage, &message, singly->err);
    if (status == STATUS_OK)
        status = add(singly->list, &message, singly->err);
    else if (status == STATUS_NOT_FOUND)
        status = STATUS_OK; // deleted since
    buf_fini(&storage);
    return status;
}

static enum status collect_singly(struct last_list *list, struct errinfo *err)
{
    struct singly singly = {list, err};
    empty(list);
    return bus_nats_subjects(&list->self->bus, list->stream, list->filter->subject, add_last,
                             &singly, err);
}

static enum status collect(struct last_list *list, struct errinfo *err)
{
    struct nats_follow *follow;
    struct bus_source source = {.stream = list->stream, .filter = list->filter->subject};
    struct nats_follow_options options = {.part = list->filter->part, .last_each = true};
    uint64_t newest;
    enum status status = ask_newest(list, &newest, err);
    if (status != STATUS_OK || newest == 0)
        return status;
    status = bus_nats_follow_begin(list->self, &source, 1, &options, &follow, err);
    if (status != STATUS_OK)
        return status;
    bool stuck = false;
    status = collect_from(list, follow, newest, &stuck, err);
    bus_nats_follow_end(follow);
    return stuck ? collect_singly(list, err) : status;
}

static int by_seq(const void *a, const void *b)
{
    uint64_t left = (*(const struct last *const *)a)->message.seq;
    uint64_t right = (*(const struct last *const *)b)->message.seq;
    return left < right ? -1 : left > right;
}

// Reads one that was not kept; it may have been replaced or deleted since.
static enum status show_again(struct last_list *list, const struct last *last,
                              bus_visit_message visit, void *context, struct errinfo *err)
{
    struct buf storage;
    struct bus_message message;
    struct bus_get get = {.subject = last->message.subject, .part = list->filter->part};
    buf_init(&storage, LIMIT_MESSAGE_BYTES);
    enum status status = bus_nats_get(&list->self->bus, list->stream, &get, &storage, &message,
                                      err);
    if (status == STATUS_OK)
        status = visit(context, &message);
    else if (status == STATUS_NOT_FOUND)
        status = STATUS_OK;
    buf_fini(&storage);
    return status;
}

static enum status show(struct last_list *list, bus_visit_message visit, void *context,
                        struct errinfo *err)
{
    size_t at = 0, count = 0;
    struct last *last;
    const struct last **sorted = calloc(list->by_subject.count + 1, sizeof *sorted);
    if (sorted == NULL)
        return no_memory(list, err);
    while ((last = map_next(&list->by_subject, &at)) != NULL)
        sorted[count++] = last;
    qsort(sorted, count, sizeof *sorted, by_seq);
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < count; i++)
        status = sorted[i]->kept ? visit(context, &sorted[i]->message)
                                 : show_again(list, sorted[i], visit, context, err);
    free(sorted);
    return status;
}

enum status bus_nats_last_each(struct bus *bus, const char *stream, const struct bus_get *filter,
                               bus_visit_message visit, void *context, struct errinfo *err)
{
    struct bus_get wanted = *filter;
    if (wanted.subject.size == 0)
        wanted.subject = BYTES(">");
    struct last_list list = {.self = nats_of(bus), .stream = stream, .filter = &wanted};
    map_init(&list.by_subject, (uint64_t)clock_monotonic_ns());
    enum status status = collect(&list, err);
    if (status == STATUS_OK)
        status = show(&list, visit, context, err);
    empty(&list);
    map_fini(&list.by_subject);
    return status;
}
