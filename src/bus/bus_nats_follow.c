// SPDX-License-Identifier: Apache-2.0
#include "bus/bus_nats_follow.h"

#include "base/clock.h"
#include "wire/subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SILENCE_MS = 7000, // two heartbeats and a little: the consumer is not there any more
    RETRY_MS = 1000,   // before a server that could not make a consumer is asked again
    WAIT_MS_MAX = 3600000,
    LAST_PATIENCE_MS = 3000,
    PENDING_BYTES_MAX = 256 << 20,
};

// Added by the server to what it delivers without bodies.
static const char *const added_by_head[] = {"Nats-Msg-Size", NULL};
static const char *const added_by_none[] = {NULL};

void bus_nats_follow_wake_all(struct nats_bus *self)
{
    pthread_mutex_lock(&self->lock);
    self->reconnects++;
    for (const struct nats_follow *follow = self->follows; follow != NULL; follow = follow->next) {
        char subject[160];
        snprintf(subject, sizeof subject, "%s.wake", follow->inbox);
        natsConnection_PublishString(self->connection, subject, "");
    }
    pthread_mutex_unlock(&self->lock);
}

static void enlist(struct nats_bus *self, struct nats_follow *follow)
{
    pthread_mutex_lock(&self->lock);
    follow->next = self->follows;
    self->follows = follow;
    follow->reconnects_seen = self->reconnects;
    snprintf(follow->prefix, sizeof follow->prefix, "agog-%s-%llu", self->inbox + self->inbox_name,
             (unsigned long long)++self->follow_count);
    snprintf(follow->inbox, sizeof follow->inbox, "%s.%llu", self->inbox,
             (unsigned long long)self->follow_count);
    pthread_mutex_unlock(&self->lock);
}

static void delist(struct nats_bus *self, const struct nats_follow *follow)
{
    pthread_mutex_lock(&self->lock);
    for (struct nats_follow **at = &self->follows; *at != NULL; at = &(*at)->next) {
        if (*at == follow) {
            *at = follow->next;
            break;
        }
    }
    pthread_mutex_unlock(&self->lock);
}

void bus_nats_follow_end(struct nats_follow *follow)
{
    for (size_t i = 0; i < follow->count; i++)
        bus_nats_consumer_drop(follow, &follow->sources[i]);
    delist(nats_of(follow->follow.bus), follow);
    natsSubscription_Destroy(follow->subscription);
    buf_fini(&follow->headers);
    free(follow->sources);
    free(follow);
}

void bus_nats_follow_close(struct bus_follow *base)
{
    bus_nats_follow_end((struct nats_follow *)base);
}

static enum status begin_source(struct nats_follow *follow, struct nats_source *source,
                                const struct bus_source *wanted, struct errinfo *err)
{
    struct stream_info info;
    enum status status = STATUS_OK;
    if (wanted->filter.size > 0)
        status = subject_check(wanted->filter, true, err);
    if (status == STATUS_OK && wanted->filter.size >= sizeof source->filter)
        status = errinfo_set(err, STATUS_LIMIT, "the filter has %zu bytes, the limit is %d",
                             wanted->filter.size, LIMIT_SUBJECT_BYTES);
    if (status != STATUS_OK)
        return status;
    snprintf(source->stream, sizeof source->stream, "%s", wanted->stream);
    snprintf(source->filter, sizeof source->filter, "%.*s", BYTES_ARG(wanted->filter));
    source->next_seq = wanted->start_seq;
    if (wanted->start_seq == 0 && !follow->last_each) {
        status = bus_nats_stream_info(follow->follow.bus, wanted->stream, &info, err);
        if (status != STATUS_OK)
            return status;
        source->next_seq = info.state.last_seq + 1;
        stream_config_fini(&info.config);
    }
    return bus_nats_consumer_start(follow, source, err);
}

static enum status subscribe(struct nats_bus *self, struct nats_follow *follow, struct errinfo *err)
{
    char subject[160];
    snprintf(subject, sizeof subject, "%s.>", follow->inbox);
    natsStatus done = natsConnection_SubscribeSync(&follow->subscription, self->connection,
                                                   subject);
    if (done == NATS_OK)
        done = natsSubscription_SetPendingLimits(follow->subscription, -1, PENDING_BYTES_MAX);
    if (done == NATS_OK)
        return STATUS_OK;
    return errinfo_set(err, done == NATS_NO_MEMORY ? STATUS_NO_MEMORY : STATUS_UNAVAILABLE,
                       "cannot listen at NATS at %s: %s", self->location, natsStatus_GetText(done));
}

enum status bus_nats_follow_begin(struct nats_bus *self, const struct bus_source *sources,
                                  size_t count, const struct nats_follow_options *options,
                                  struct nats_follow **out, struct errinfo *err)
{
    if (count == 0 || count > BUS_FOLLOW_SOURCES_MAX)
        return errinfo_set(err, STATUS_LIMIT, "1 to %d streams can be followed at once",
                           BUS_FOLLOW_SOURCES_MAX);
    struct nats_follow *follow = calloc(1, sizeof *follow);
    struct nats_source *list = calloc(count, sizeof *list);
    if (follow == NULL || list == NULL) {
        free(follow);
        free(list);
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory to follow streams");
    }
    follow->follow.bus = &self->bus;
    follow->sources = list;
    follow->count = count;
    follow->part = options->part;
    follow->last_each = options->last_each;
    follow->patience_ms = options->last_each ? LAST_PATIENCE_MS : self->request_timeout_ms;
    buf_init(&follow->headers, LIMIT_MESSAGE_BYTES);
    enlist(self, follow);
    enum status status = subscribe(self, follow, err);
    for (size_t i = 0; status == STATUS_OK && i < count; i++)
        status = begin_source(follow, &list[i], &sources[i], err);
    if (status == STATUS_OK)
        *out = follow;
    else
        bus_nats_follow_end(follow);
    return status;
}

enum status bus_nats_follow_open(struct bus *bus, const struct bus_source *sources, size_t count,
                                 enum bus_part part, struct bus_follow **out, struct errinfo *err)
{
    struct nats_follow *follow;
    struct nats_follow_options options = {.part = part};
    enum status status = bus_nats_follow_begin(nats_of(bus), sources, count, &options, &follow,
                                               err);
    if (status == STATUS_OK)
        *out = &follow->follow;
    return status;
}

// A new consumer for a source that lost its own. A server that is away is no error: it is asked
// again later.
static enum status restart(struct nats_follow *follow, struct nats_source *source,
                           struct errinfo *err)
{
    struct errinfo why;
    errinfo_clear(&why);
    if (follow->last_each) {
        follow->restarts++;
        source->next_seq = 0;
    }
    enum status status = bus_nats_consumer_start(follow, source, &why);
    if (status == STATUS_UNAVAILABLE && !bus_nats_is_closed(nats_of(follow->follow.bus))) {
        source->heard_ns = clock_monotonic_ns();
        return STATUS_OK;
    }
    if (status != STATUS_OK && err != NULL)
        *err = why;
    return status;
}

// Looks after the sources: those without a consumer, and those not heard of for too long.
static enum status look_after(struct nats_follow *follow, struct errinfo *err)
{
    struct nats_bus *self = nats_of(follow->follow.bus);
    int64_t now_ns = clock_monotonic_ns();
    enum status status = STATUS_OK;
    pthread_mutex_lock(&self->lock);
    bool came_back = follow->reconnects_seen != self->reconnects;
    bool away = self->away && !self->closed;
    follow->reconnects_seen = self->reconnects;
    pthread_mutex_unlock(&self->lock);
    for (size_t i = 0; status == STATUS_OK && i < follow->count; i++) {
        struct nats_source *source = &follow->sources[i];
        int64_t silent_ms = (now_ns - source->heard_ns) / 1000000;
        bool lost = source->running ? silent_ms >= SILENCE_MS : silent_ms >= RETRY_MS;
        // While the connection is away there is nobody to ask; it wakes us when it comes back.
        if (!away && (came_back || lost))
            status = restart(follow, source, err);
    }
    return status;
}

// When a source will have been silent for too long.
static int64_t next_look_ns(const struct nats_follow *follow)
{
    int64_t at_ns = INT64_MAX;
    for (size_t i = 0; i < follow->count; i++) {
        const struct nats_source *source = &follow->sources[i];
        int64_t ms = source->running ? SILENCE_MS : RETRY_MS;
        int64_t due_ns = source->heard_ns + ms * 1000000;
        at_ns = due_ns < at_ns ? due_ns : at_ns;
    }
    return at_ns;
}

static bool is_pending(const struct nats_follow *follow)
{
    bool pending = false;
    for (size_t i = 0; i < follow->count; i++)
        pending = pending || follow->sources[i].pending > 0;
    return pending;
}

// A heartbeat, or the end of the open request: its time was up (408), its bytes were used up (409),
// another server leads now (409), the consumer is gone (409). What is not known ends in the silence
// that is looked after.
static enum status take_status(struct nats_follow *follow, struct nats_source *source,
                               natsMsg *message, struct errinfo *err)
{
    uint64_t delivered;
    int code = bus_nats_message_status(message);
    const char *text = bus_nats_message_header(message, "Description");
    const char *last = bus_nats_message_header(message, "Nats-Last-Consumer");
    bool gone = text != NULL && code == 409 &&
                (strstr(text, "Deleted") != NULL || strstr(text, "Leadership") != NULL);
    bool used_up = code == 408 || (code == 409 && text != NULL && strstr(text, "MaxBytes") != NULL);
    bool hole = code == 100 && last != NULL && bytes_to_u64(bytes_of_string(last), &delivered) &&
                delivered != source->delivered;
    if (gone || hole)
        return restart(follow, source, err);
    if (used_up)
        bus_nats_consumer_pull(follow, source);
    if (used_up || code == 100)
        source->heard_ns = clock_monotonic_ns();
    return STATUS_OK;
}

static enum status take_delivery(struct nats_follow *follow, const struct nats_delivery *delivery,
                                 natsMsg *from, struct buf *storage, struct bus_message *message,
                                 struct errinfo *err)
{
    bool head = follow->part == BUS_HEAD;
    enum status status = bus_nats_message_headers(from, head ? added_by_head : added_by_none,
                                                  &follow->headers, err);
    if (status != STATUS_OK)
        return status;
    struct bus_message read = {
        .seq = delivery->stream_seq,
        .time_ns = delivery->time_ns,
        .subject = bytes_of_string(natsMsg_GetSubject(from)),
        .headers = buf_bytes(&follow->headers),
        .body = bytes_of(natsMsg_GetData(from), head ? 0 : (size_t)natsMsg_GetDataLength(from)),
    };
    return bus_nats_message_store(&read, storage, message, err);
}

static bool is_wanted(const struct nats_source *source, const struct nats_delivery *delivery,
                      natsMsg *message)
{
    if (delivery->stream_seq < source->next_seq)
        return false;
    return !source->filter_here || subject_matches(bytes_of_string(source->filter),
                                                   bytes_of_string(natsMsg_GetSubject(message)));
}

// Where the caller wants his next message.
struct wanted {
    struct buf *storage;
    struct bus_message *message;
    size_t *source;
    bool given;
};

// One message from the subscription, which may be one for the caller.
static enum status take(struct nats_follow *follow, natsMsg *from, struct wanted *to,
                        struct errinfo *err)
{
    struct nats_delivery delivery;
    struct nats_source *source = bus_nats_consumer_of(follow, from);
    if (source == NULL)
        return STATUS_OK;
    if (!bus_nats_consumer_delivery(from, &delivery))
        return take_status(follow, source, from, err);
    source->heard_ns = clock_monotonic_ns();
    if (delivery.consumer_seq != source->delivered + 1)
        return restart(follow, source, err);
    source->delivered = delivery.consumer_seq;
    source->pending = delivery.pending;
    if (--source->wanted == 0)
        bus_nats_consumer_pull(follow, source);
    if (!is_wanted(source, &delivery, from))
        return STATUS_OK;
    enum status status = take_delivery(follow, &delivery, from, to->storage, to->message, err);
    if (status != STATUS_OK)
        return status;
    source->next_seq = delivery.stream_seq + 1;
    *to->source = (size_t)(source - follow->sources);
    to->given = true;
    return STATUS_OK;
}

static enum status timed_out(struct nats_follow *follow, struct errinfo *err)
{
    struct nats_bus *self = nats_of(follow->follow.bus);
    for (size_t i = 0; i < follow->count; i++)
        follow->sources[i].pending = 0;
    if (bus_nats_is_away(self))
        return errinfo_set(err, STATUS_TIMEOUT,
                           "nothing came, and the connection to NATS at %s is down",
                           self->location);
    return errinfo_set(err, STATUS_TIMEOUT, "nothing came in time");
}

// How long to wait for the next message. What the server has for us already is waited for even when
// the caller's time is up: it was there before he asked.
static int64_t wait_ms_of(const struct nats_follow *follow, int64_t deadline_ns,
                          int64_t patience_ns)
{
    if (is_pending(follow) && patience_ns > deadline_ns)
        deadline_ns = patience_ns;
    // While the connection is away there is nobody to look after; the wake-up call says when it is
    // back.
    bool away = bus_nats_is_away(nats_of(follow->follow.bus));
    int64_t look_ns = away ? INT64_MAX : next_look_ns(follow);
    int64_t until_ns = look_ns < deadline_ns ? look_ns : deadline_ns;
    int64_t left_ms = (until_ns - clock_monotonic_ns()) / 1000000 + 1;
    return left_ms < 1 ? 1 : left_ms > WAIT_MS_MAX ? WAIT_MS_MAX : left_ms;
}

enum status bus_nats_follow_next(struct bus_follow *base, int64_t timeout_ms, struct buf *storage,
                                 struct bus_message *message, size_t *source, struct errinfo *err)
{
    struct nats_follow *follow = (struct nats_follow *)base;
    struct nats_bus *self = nats_of(base->bus);
    int64_t now_ns = clock_monotonic_ns();
    bool endless = timeout_ms < 0 || timeout_ms > INT32_MAX;
    int64_t deadline_ns = endless ? INT64_MAX : now_ns + timeout_ms * 1000000;
    int64_t patience_ns = now_ns + follow->patience_ms * 1000000;
    for (;;) {
        natsMsg *from = NULL;
        struct wanted to = {storage, message, source, false};
        int64_t wait_ms = wait_ms_of(follow, deadline_ns, patience_ns);
        natsStatus got = natsSubscription_NextMsg(&from, follow->subscription, wait_ms);
        enum status status = STATUS_OK;
        if (got == NATS_OK)
            status = take(follow, from, &to, err);
        natsMsg_Destroy(from);
        if (status != STATUS_OK || to.given)
            return status;
        if (got == NATS_CONNECTION_CLOSED || got == NATS_INVALID_SUBSCRIPTION)
            return bus_nats_wait_connected(self, 0, err);
        // Looked after also between messages that are nobody's, such as the wake-up call.
        status = look_after(follow, err);
        if (status != STATUS_OK)
            return status;
        now_ns = clock_monotonic_ns();
        if (got == NATS_TIMEOUT && now_ns >= deadline_ns &&
            (!is_pending(follow) || now_ns >= patience_ns))
            return timed_out(follow, err);
    }
}
