// SPDX-License-Identifier: Apache-2.0
#include "engine/consumer_private.h"
#include "engine/jserror.h"
#include "wire/subject.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { EVENTS_BYTES_MAX = 64 * 1024 };

static const int64_t inactive_default_ns = INT64_C(5000000000);
static const uint64_t flow_window_start = UINT64_C(2) << 20;

// Life

struct consumer *consumer_new(struct stream *stream, struct bytes name,
                              const struct consumer_config *config, int64_t created_ns)
{
    struct consumer *consumer = calloc(1, sizeof *consumer);
    if (consumer == NULL)
        return NULL;
    consumer_config_init(&consumer->config);
    pending_init(&consumer->pending);
    list_init(&consumer->notices);
    list_init(&consumer->waiting);
    list_init(&consumer->link);
    buf_init(&consumer->reply, LIMIT_RECORD_SUBJECT_BYTES);
    buf_init(&consumer->headers, LIMIT_RECORD_BYTES);
    buf_init(&consumer->events, EVENTS_BYTES_MAX);
    if (jsonfields_set_string(&consumer->name, name) != STATUS_OK ||
        consumer_config_copy(&consumer->config, config) != STATUS_OK) {
        consumer_free(consumer);
        return NULL;
    }
    consumer->stream = stream;
    consumer->world = stream->world;
    consumer->created_ns = created_ns;
    consumer->active_ns = created_ns;
    consumer->heartbeat_due_ns = created_ns + config->heartbeat_ns;
    consumer->durable = config->durable != NULL && !config->memory_storage;
    consumer->next_seq = 1;
    consumer->flow_window = flow_window_start;
    consumer->again_ns = INT64_MAX;
    return consumer;
}

void consumer_free(struct consumer *consumer)
{
    if (consumer == NULL)
        return;
    while (!list_is_empty(&consumer->notices)) {
        struct notice *notice = LIST_ELEMENT(consumer->notices.next, struct notice, link);
        list_take_out(&notice->link);
        free(notice);
    }
    while (!list_is_empty(&consumer->waiting)) {
        struct waiting *waiting = LIST_ELEMENT(consumer->waiting.next, struct waiting, link);
        list_take_out(&waiting->link);
        free(waiting);
    }
    list_take_out(&consumer->link);
    pending_fini(&consumer->pending);
    consumer_config_fini(&consumer->config);
    buf_fini(&consumer->reply);
    buf_fini(&consumer->headers);
    buf_fini(&consumer->events);
    free(consumer->lasts);
    free(consumer->name);
    free(consumer);
}

struct consumer *consumer_find(struct stream *stream, struct bytes name)
{
    struct consumer *consumer = NULL;
    while ((consumer = consumer_next_of(stream, consumer)) != NULL)
        if (bytes_equal(bytes_of_string(consumer->name), name))
            return consumer;
    return NULL;
}

struct consumer *consumer_next_of(struct stream *stream, struct consumer *consumer)
{
    if (!stream->consumers_open)
        return NULL;
    struct list *next = consumer == NULL ? stream->consumers.next : consumer->link.next;
    return next == &stream->consumers ? NULL : LIST_ELEMENT(next, struct consumer, link);
}

size_t consumer_count_of(const struct stream *stream)
{
    size_t count = 0;
    for (struct list *at = stream->consumers_open ? stream->consumers.next : NULL;
         at != NULL && at != &stream->consumers; at = at->next)
        count++;
    return count;
}

bool consumer_is_durable(const struct consumer *consumer)
{
    return consumer->durable;
}

const char *consumer_name(const struct consumer *consumer)
{
    return consumer->name;
}

const struct consumer_config *consumer_get_config(const struct consumer *consumer)
{
    return &consumer->config;
}

// Where it begins

static enum status collect_lasts(struct consumer *consumer, struct errinfo *err)
{
    uint64_t last = consumer_last_committed(consumer);
    struct stream_last *all;
    size_t count;
    size_t kept = 0;
    enum status status = stream_find_last_each(consumer->stream, (struct bytes){NULL, 0}, &all,
                                               &count, err);
    if (status != STATUS_OK)
        return status;
    uint64_t *lasts = calloc(count + 1, sizeof *lasts);
    // What is only staged comes later, as new.
    for (size_t i = 0; lasts != NULL && i < count; i++)
        if (all[i].seq <= last && consumer_matches(consumer, all[i].subject))
            lasts[kept++] = all[i].seq;
    free(all);
    if (lasts == NULL)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory for a consumer");
    free(consumer->lasts);
    consumer->lasts = lasts;
    consumer->last_count = kept;
    consumer->last_at = 0;
    return STATUS_OK;
}

static uint64_t last_matching(struct consumer *consumer)
{
    uint64_t last = 0;
    size_t at = 0;
    const struct subject_entry *subject;
    uint64_t committed = consumer_last_committed(consumer);
    while ((subject = map_next(&consumer->stream->index.subjects, &at)) != NULL) {
        if (!consumer_matches(consumer, subject->text))
            continue;
        uint64_t seq = stream_find_last_up_to(consumer->stream, subject->text, committed);
        last = seq > last ? seq : last;
    }
    return last;
}

// The sequence that the configuration asks for, however far away.
static enum status find_start(struct consumer *consumer, uint64_t *start, struct errinfo *err)
{
    const struct consumer_config *config = &consumer->config;
    uint64_t after = consumer_last_committed(consumer) + 1;
    struct msglog_entry entry;
    *start = after;
    switch (config->deliver) {
    case DELIVER_ALL: *start = 1; break;
    case DELIVER_NEW: break;
    case DELIVER_BY_SEQUENCE: *start = config->start_seq; break;
    case DELIVER_LAST:
        *start = last_matching(consumer);
        if (*start == 0)
            *start = after;
        break;
    case DELIVER_BY_TIME:
        if (msglog_entry_since(consumer->stream->log, config->start_time_ns, &entry))
            *start = entry.seq;
        break;
    case DELIVER_LAST_PER_SUBJECT: return collect_lasts(consumer, err);
    }
    return STATUS_OK;
}

static enum status choose_start(struct consumer *consumer, struct errinfo *err)
{
    struct msglog_state log;
    uint64_t start;
    enum status status = find_start(consumer, &start, err);
    if (status != STATUS_OK)
        return status;
    msglog_state_get(consumer->stream->log, &log);
    // What is gone already was never to be delivered.
    consumer->next_seq = start > log.first_seq ? start : log.first_seq;
    consumer->replay_until_seq = log.last_seq;
    consumer->delivered_seq = consumer->next_seq - 1;
    if (consumer->last_count > 0)
        consumer->delivered_seq = consumer->lasts[0] - 1;
    consumer->floor_seq = consumer->delivered_seq;
    consumer_recount(consumer);
    return STATUS_OK;
}

// Making and changing

static void make_name(const struct consumer_world *world, char name[CONSUMER_ID_SIZE])
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    // As long as nats-server's: eight characters.
    for (int i = 0; i < 8; i++)
        name[i] = letters[world->random(world->context) % (sizeof letters - 1)];
    name[8] = '\0';
}

void consumer_make_id(const struct consumer_world *world, char id[CONSUMER_ID_SIZE])
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    for (int i = 0; i < CONSUMER_ID_SIZE - 1; i++)
        id[i] = digits[world->random(world->context) % (sizeof digits - 1)];
    id[CONSUMER_ID_SIZE - 1] = '\0';
}

void consumer_take_config(struct consumer *consumer)
{
    const struct consumer_config *config = &consumer->config;
    consumer->sample_percent = 0;
    if (config->sample_frequency != NULL)
        consumer->sample_percent = strtoull(config->sample_frequency, NULL, 10);
    consumer->has_interest = consumer_is_heard(consumer);
}

bool consumer_is_heard(const struct consumer *consumer)
{
    const char *subject = consumer->config.deliver_subject;
    return subject != NULL &&
           consumer->world->interest(consumer->world->context, bytes_of_string(subject));
}

int64_t consumer_inactive_ns(const struct consumer *consumer)
{
    const struct consumer_config *config = &consumer->config;
    if (config->inactive_threshold_ns > 0)
        return config->inactive_threshold_ns;
    return config->durable == NULL ? inactive_default_ns : INT64_MAX;
}

// On a work queue a message belongs to one consumer.
static enum status check_work_queue(struct stream *stream, const struct consumer_config *config,
                                    const char *name, struct errinfo *err)
{
    struct consumer *other = NULL;
    if (stream->config.retention != STREAM_RETAIN_WORKQUEUE)
        return STATUS_OK;
    if (config->ack != ACK_EXPLICIT)
        return errinfo_set_code(err, STATUS_INVALID, 10098,
                                "workqueue stream requires explicit ack");
    if (config->deliver != DELIVER_ALL)
        return errinfo_set_code(err, STATUS_INVALID, 10101,
                                "consumer must be deliver all on workqueue stream");
    size_t filters = consumer_config_filters(config);
    while ((other = consumer_next_of(stream, other)) != NULL) {
        size_t others = consumer_config_filters(&other->config);
        if (name != NULL && strcmp(other->name, name) == 0)
            continue;
        if (filters == 0)
            return errinfo_set_code(err, STATUS_INVALID, 10099,
                                    "multiple non-filtered consumers not allowed on workqueue "
                                    "stream");
        if (others == 0)
            return errinfo_set_code(err, STATUS_INVALID, 10100,
                                    "filtered consumer not unique on workqueue stream");
        for (size_t i = 0; i < filters * others; i++)
            if (subject_overlaps(consumer_config_filter(config, i % filters),
                                 consumer_config_filter(&other->config, i / filters)))
                return errinfo_set_code(err, STATUS_INVALID, 10100,
                                        "filtered consumer not unique on workqueue stream");
    }
    return STATUS_OK;
}

static enum status add(struct stream *stream, struct consumer_config *config, int64_t now_ns,
                       struct consumer **out, struct errinfo *err)
{
    char made_up[CONSUMER_ID_SIZE];
    const char *name = config->durable != NULL ? config->durable : config->name;
    int64_t most = stream->config.max_consumers;
    if (most > 0 && (int64_t)consumer_count_of(stream) >= most)
        return errinfo_set_code(err, STATUS_LIMIT, 10026, "maximum consumers limit reached");
    if (name == NULL) {
        make_name(stream->world, made_up);
        name = made_up;
    }
    struct consumer *consumer = consumer_new(stream, bytes_of_string(name), config, now_ns);
    if (consumer == NULL)
        return errinfo_set(err, STATUS_NO_MEMORY, "no memory for a consumer");
    enum status status = jsonfields_set_string(&consumer->config.name, bytes_of_string(name));
    if (status != STATUS_OK)
        errinfo_set(err, status, "no memory for a consumer");
    if (status == STATUS_OK)
        status = choose_start(consumer, err);
    if (status == STATUS_OK)
        status = consumer_log_make(consumer, err);
    if (status != STATUS_OK) {
        consumer_free(consumer);
        return status;
    }
    consumer_take_config(consumer);
    list_append(&stream->consumers, &consumer->link);
    *out = consumer;
    return STATUS_OK;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

// What a consumer is cannot change; how it goes about it can (nats-server's acceptable updates).
static const char *forbidden_change(const struct consumer_config *from,
                                    const struct consumer_config *to)
{
    if (from->deliver != to->deliver)
        return "deliver policy can not be updated";
    if (from->start_seq != to->start_seq)
        return "start sequence can not be updated";
    if (from->start_time_ns != to->start_time_ns)
        return "start time can not be updated";
    if (from->ack != to->ack)
        return "ack policy can not be updated";
    if (from->replay != to->replay)
        return "replay policy can not be updated";
    if (from->memory_storage != to->memory_storage)
        return "storage type can not be updated";
    if (from->direct != to->direct)
        return "direct can not be updated";
    if (from->heartbeat_ns != to->heartbeat_ns)
        return "heart beats can not be updated";
    if (from->flow_control != to->flow_control)
        return "flow control can not be updated";
    if ((from->deliver_subject == NULL) != (to->deliver_subject == NULL))
        return to->deliver_subject == NULL ? "can not update push consumer to pull based"
                                           : "can not update pull consumer to push based";
    if (from->max_waiting != to->max_waiting)
        return "max waiting can not be updated";
    if (!same_text(from->durable, to->durable))
        return "consumer durable name can not be updated";
    return NULL;
}

static bool same_filters(const struct consumer_config *a, const struct consumer_config *b)
{
    size_t count = consumer_config_filters(a);
    bool same = count == consumer_config_filters(b);
    for (size_t i = 0; same && i < count; i++)
        same = bytes_equal(consumer_config_filter(a, i), consumer_config_filter(b, i));
    return same;
}

static void queue_all(struct consumer *consumer)
{
    struct pending *pending = pending_first(&consumer->pending);
    while (pending != NULL) {
        uint64_t seq = pending->seq;
        // Without memory it is due at its time, as before.
        pending_enqueue(&consumer->pending, pending);
        pending = pending_after(&consumer->pending, seq);
    }
}

static enum status change(struct consumer *consumer, const struct consumer_config *config,
                          struct errinfo *err)
{
    struct consumer_config next;
    const char *forbidden = forbidden_change(&consumer->config, config);
    bool refilter = !same_filters(&consumer->config, config);
    if (forbidden != NULL)
        return errinfo_set_code(err, STATUS_INVALID, 10012, "%s", forbidden);
    if (consumer->config.deliver_subject != NULL &&
        strcmp(consumer->config.deliver_subject, config->deliver_subject) != 0 &&
        consumer_is_heard(consumer))
        return errinfo_set_code(err, STATUS_EXISTS, 10013, "consumer name already in use");
    enum status status = consumer_config_copy(&next, config);
    if (status == STATUS_OK)
        status = jsonfields_set_string(&next.name, bytes_of_string(consumer->name));
    if (status != STATUS_OK)
        return errinfo_set(err, status, "no memory for a consumer");
    struct consumer_config before = consumer->config;
    consumer->config = next;
    status = consumer_log_make(consumer, err);
    if (status != STATUS_OK) {
        consumer->config = before;
        consumer_config_fini(&next);
        return status;
    }
    bool moved = !same_text(before.deliver_subject, consumer->config.deliver_subject);
    consumer->pause_changed = consumer->pause_changed ||
                              before.pause_until_ns != consumer->config.pause_until_ns;
    consumer_config_fini(&before);
    consumer_take_config(consumer);
    // Whoever listens there now has got nothing of what is pending.
    if (moved)
        queue_all(consumer);
    if (refilter) {
        consumer_recount(consumer);
        consumer_release_all(consumer->stream);
    }
    return STATUS_OK;
}

static bool same_config(const struct consumer *consumer, const struct consumer_config *config)
{
    struct consumer_config named;
    if (consumer_config_copy(&named, config) != STATUS_OK)
        return false;
    bool same = jsonfields_set_string(&named.name, bytes_of_string(consumer->name)) == STATUS_OK;
    struct buf ours;
    struct buf theirs;
    buf_init(&ours, LIMIT_RECORD_BYTES);
    buf_init(&theirs, LIMIT_RECORD_BYTES);
    same = same && consumer_config_write(&consumer->config, &ours) == STATUS_OK &&
           consumer_config_write(&named, &theirs) == STATUS_OK &&
           bytes_equal(buf_bytes(&ours), buf_bytes(&theirs));
    buf_fini(&ours);
    buf_fini(&theirs);
    consumer_config_fini(&named);
    return same;
}

static enum status make_checked(struct stream *stream, struct consumer_config *config,
                                enum consumer_action action, int64_t now_ns,
                                struct consumer_made *made, struct errinfo *err)
{
    const char *name = config->durable != NULL ? config->durable : config->name;
    struct consumer *found = name == NULL ? NULL : consumer_find(stream, bytes_of_string(name));
    enum status status = check_work_queue(stream, config, name, err);
    if (status != STATUS_OK)
        return status;
    if (found == NULL) {
        if (action == CONSUMER_UPDATE)
            return errinfo_set_code(err, STATUS_NOT_FOUND, 10149, "consumer does not exist");
        status = add(stream, config, now_ns, &found, err);
        if (status == STATUS_OK)
            *made = (struct consumer_made){found, true};
        return status;
    }
    bool same = same_config(found, config);
    if (action == CONSUMER_CREATE && !same)
        return errinfo_set_code(err, STATUS_EXISTS, 10148, "consumer already exists");
    if (!same)
        status = change(found, config, err);
    if (status == STATUS_OK)
        *made = (struct consumer_made){found, false};
    return status;
}

enum status consumer_make(struct stream *stream, const struct consumer_config *config,
                          enum consumer_action action, int64_t now_ns, struct consumer_made *made,
                          struct errinfo *err)
{
    struct consumer_config checked;
    enum status status = consumer_config_copy(&checked, config);
    if (status != STATUS_OK)
        return errinfo_set(err, status, "no memory for a consumer");
    status = consumer_config_check(&checked, &stream->config, err);
    if (status == STATUS_OK)
        status = make_checked(stream, &checked, action, now_ns, made, err);
    consumer_config_fini(&checked);
    return status;
}

// State

int64_t consumer_wait_ns(const struct consumer *consumer, uint64_t deliveries)
{
    const struct jsonintegers *backoff = &consumer->config.backoff_ns;
    if (backoff->count == 0)
        return consumer->config.ack_wait_ns;
    uint64_t at = deliveries > 0 ? deliveries - 1 : 0;
    return backoff->items[at < backoff->count ? at : backoff->count - 1];
}

void consumer_forget_pending(struct consumer *consumer, struct pending *pending)
{
    consumer->redelivered -= pending->deliveries > 1;
    pending_remove(&consumer->pending, pending);
}

void consumer_update_floor(struct consumer *consumer)
{
    const struct pending *first = pending_first(&consumer->pending);
    if (first == NULL) {
        consumer->floor_seq = consumer->delivered_seq;
        consumer->floor_consumer_seq = consumer->delivered_consumer_seq;
    } else {
        consumer->floor_seq = first->seq - 1;
        consumer->floor_consumer_seq = first->consumer_seq - 1;
    }
}

enum status consumer_pause(struct consumer *consumer, int64_t until_ns, struct errinfo *err)
{
    int64_t before = consumer->config.pause_until_ns;
    consumer->config.pause_until_ns = until_ns;
    enum status status = consumer_log_make(consumer, err);
    if (status != STATUS_OK)
        consumer->config.pause_until_ns = before;
    else
        consumer->pause_changed = consumer->pause_changed || until_ns != before;
    return status;
}

static enum status refuse_reset(const char *why, struct errinfo *err)
{
    return errinfo_set_code(err, STATUS_INVALID, 10204, "invalid reset: %s", why);
}

// A consumer that was told where to begin does not go back before that.
static enum status check_reset(const struct consumer *consumer, uint64_t seq, struct errinfo *err)
{
    const struct consumer_config *config = &consumer->config;
    struct msglog_entry entry;
    uint64_t first = 0;
    if (seq == 0 || config->deliver == DELIVER_ALL)
        return STATUS_OK;
    if (config->deliver == DELIVER_BY_SEQUENCE)
        return seq < config->start_seq ? refuse_reset("below start seq", err) : STATUS_OK;
    if (config->deliver != DELIVER_BY_TIME)
        return refuse_reset("not allowed", err);
    first = consumer_last_committed(consumer) + 1;
    if (msglog_entry_since(consumer->stream->log, config->start_time_ns, &entry))
        first = entry.seq;
    return seq < first ? refuse_reset("below start time", err) : STATUS_OK;
}

enum status consumer_reset(struct consumer *consumer, uint64_t seq, struct errinfo *err)
{
    enum status status = check_reset(consumer, seq, err);
    if (status != STATUS_OK)
        return status;
    consumer_update_floor(consumer);
    uint64_t start = seq == 0 ? consumer->floor_seq + 1 : seq;
    pending_clear(&consumer->pending);
    consumer->redelivered = 0;
    consumer->last_count = consumer->last_at = 0;
    consumer->next_seq = start;
    consumer->delivered_seq = start - 1;
    consumer->delivered_consumer_seq = 0;
    consumer->delivered_ns = consumer->acked_ns = 0;
    consumer_update_floor(consumer);
    consumer_recount(consumer);
    consumer_release_all(consumer->stream);
    return consumer_log_state(consumer, err);
}

enum status consumer_unpin(struct consumer *consumer, struct bytes group, struct errinfo *err)
{
    const struct jsonstrings *groups = &consumer->config.priority_groups;
    for (size_t i = 0; i < groups->count; i++) {
        if (!bytes_equal(bytes_of_string(groups->items[i]), group))
            continue;
        consumer_forget_pin(consumer, "admin");
        return STATUS_OK;
    }
    return errinfo_set_code(err, STATUS_INVALID, 10160,
                            "Provided priority group does not exist for this consumer");
}

void consumer_info_get(struct consumer *consumer, int64_t now_ns, struct consumer_info *info)
{
    const struct consumer_config *config = &consumer->config;
    consumer_update_floor(consumer);
    *info = (struct consumer_info){
        .stream = consumer->stream->config.name,
        .name = consumer->name,
        .created_ns = consumer->created_ns,
        .config = config,
        .delivered = {consumer->delivered_consumer_seq, consumer->delivered_seq,
                      consumer->delivered_ns},
        .ack_floor = {consumer->floor_consumer_seq, consumer->floor_seq, consumer->acked_ns},
        .ack_pending = pending_count(&consumer->pending),
        .redelivered = consumer->redelivered,
        .waiting = consumer->waiting_count,
        .pending = consumer_left(consumer),
        .push_bound = consumer->has_interest,
        .now_ns = now_ns,
    };
    if (config->pause_until_ns > now_ns)
        info->pause_remaining_ns = config->pause_until_ns - now_ns;
    if (config->priority_groups.count > 0)
        info->pinned_group = config->priority_groups.items[0];
    if (consumer->pinned_id[0] != '\0') {
        info->pinned_id = consumer->pinned_id;
        info->pinned_ns = consumer->pinned_ns;
    }
}

void consumer_interest_changed(struct consumer *consumer, int64_t now_ns)
{
    const char *subject = consumer->config.deliver_subject;
    if (subject == NULL)
        return;
    bool before = consumer->has_interest;
    consumer->has_interest = consumer_is_heard(consumer);
    if (before == consumer->has_interest)
        return;
    consumer->active_ns = now_ns;
    // Whoever listens now has confirmed nothing of what went to somebody else.
    consumer->flow_unconfirmed = 0;
    consumer->flow_asked = 0;
    consumer->heartbeat_due_ns = now_ns + consumer->config.heartbeat_ns;
}
