// SPDX-License-Identifier: Apache-2.0
#include "deliver/read.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/nearest.h"
#include "deliver/envelope.h"
#include "deliver/name.h"
#include "deliver/pin.h"
#include "deliver/revision.h"
#include "deliver/tokens.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The place of a message among those of its subject, counting from 1.
static enum status ordinal(struct bus *bus, const char *stream, struct bytes subject, uint64_t seq,
                           uint64_t *place, struct errinfo *err)
{
    struct buf storage;
    char copy[LIMIT_SUBJECT_BYTES + 1];
    snprintf(copy, sizeof copy, "%.*s", BYTES_ARG(subject));
    uint64_t count = 0;
    uint64_t at = 1;
    enum status status = STATUS_OK;
    buf_init(&storage, LIMIT_MESSAGE_BYTES);
    while (status == STATUS_OK && at <= seq) {
        struct bus_message message;
        struct bus_get what = {.seq = at, .subject = bytes_of_string(copy), .part = BUS_HEAD};
        status = bus->operations->get(bus, stream, &what, &storage, &message, err);
        if (status == STATUS_OK) {
            at = message.seq + 1;
            count += message.seq <= seq;
        }
    }
    buf_fini(&storage);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    *place = count;
    return STATUS_OK;
}

// The first system's envelope is seen through: the report is its content, which takes the place of
// the body in the same storage, so that all views stay good. An envelope is always longer than what
// it holds.
static void open_envelope(struct report *report, struct buf *storage)
{
    struct envelope envelope;
    if (!envelope_read(report->body, &envelope))
        return;
    size_t offset = (size_t)(report->body.data - storage->data);
    if (envelope.content.size > 0)
        memcpy(storage->data + offset, envelope.content.data, envelope.content.size);
    report->body = bytes_of(storage->data + offset, envelope.content.size);
    report->enveloped = true;
    envelope_fini(&envelope);
}

enum status read_of_message(struct bus *bus, const struct read_message *read, struct buf *storage,
                            struct report *report, struct errinfo *err)
{
    const char *stream = read->stream;
    enum bus_part part = read->part;
    struct bus_message whole = *read->message;
    bool numbered = report_is_numbered(read->message);
    enum status status = STATUS_OK;
    if (!numbered && part == BUS_HEAD) {
        struct bus_get what = {.seq = whole.seq, .part = BUS_ALL};
        status = bus->operations->get(bus, stream, &what, storage, &whole, err);
        part = BUS_ALL;
    }
    if (status == STATUS_OK)
        status = report_of_message(stream, &whole, part, report, err);
    if (status == STATUS_OK && part == BUS_ALL)
        open_envelope(report, storage);
    if (status == STATUS_OK && !numbered) {
        status = report_measure(report, err);
        if (status == STATUS_OK)
            status = ordinal(bus, stream, report->subject, report->seq, &report->ref.rev, err);
    }
    return status;
}

enum status read_body(struct bus *bus, struct report *report, struct buf *storage,
                      struct errinfo *err)
{
    struct bus_message message;
    struct report whole;
    char stream[BUS_STREAM_NAME_SIZE];
    char subject[REF_TEXT_SIZE];
    struct bus_get what = {.seq = report->seq, .part = BUS_ALL};
    memcpy(stream, report->stream, sizeof stream);
    enum status status = bus->operations->get(bus, stream, &what, storage, &message, err);
    // The copy of a pinned report stands under another subject.
    ref_format(&report->ref, REF_FORM_SUBJECT, subject);
    message.subject = bytes_of_string(subject);
    if (status == STATUS_OK)
        status = read_of_message(bus, &(struct read_message){stream, &message, BUS_ALL}, storage,
                                 &whole, err);
    if (status != STATUS_OK)
        return status;
    whole.subject = (struct bytes){NULL, 0};
    whole.time_ns = report->time_ns;
    whole.expires_ns = report->expires_ns;
    *report = whole;
    return STATUS_OK;
}

static enum status set_expiry(struct bus *bus, struct report *report, struct errinfo *err)
{
    struct stream_info info;
    enum status status = bus->operations->stream_info(bus, report->stream, &info, err);
    if (status != STATUS_OK)
        return status;
    if (info.config.max_age_ns > 0)
        report->expires_ns = report->time_ns + info.config.max_age_ns;
    stream_config_fini(&info.config);
    return STATUS_OK;
}

struct search {
    struct bus *bus;
    const struct ref *ref;
    const struct agent *agent;
    char subject[REF_TEXT_SIZE];
};

static enum status search_init(struct search *search, const struct read_source *source,
                               const struct ref *ref, struct errinfo *err)
{
    *search = (struct search){.bus = source->bus, .ref = ref};
    enum status status = registry_find(source->registry, bytes_of_string(ref->agent),
                                       &search->agent, err);
    if (status == STATUS_OK)
        status = registry_check_type(search->agent, bytes_of_string(ref->type), err);
    if (status == STATUS_OK)
        ref_format(ref, REF_FORM_SUBJECT, search->subject);
    return status;
}

struct hint {
    struct nearest nearest;
    const struct ref *ref;
};

static enum status offer_feature(void *context, struct bytes subject, uint64_t count)
{
    struct hint *hint = context;
    struct ref found;
    (void)count;
    if (ref_of_subject(subject, &found, NULL) == STATUS_OK)
        nearest_offer(&hint->nearest, bytes_of_string(found.feature));
    return STATUS_OK;
}

// Nothing was ever published under this name: say what was, nearest first.
static enum status no_deliverable(const struct search *search, struct errinfo *err)
{
    struct hint hint = {.ref = search->ref};
    char filter[LIMIT_SUBJECT_BYTES];
    char near[NEAREST_HINT_SIZE];
    char ref[REF_TEXT_SIZE];
    struct ref plain = *search->ref;
    plain.rev = 0;
    plain.section[0] = '\0';
    nearest_init(&hint.nearest, bytes_of_string(search->ref->feature));
    snprintf(filter, sizeof filter, REF_SUBJECT_PREFIX "%s.%s.*", search->ref->agent,
             search->ref->type);
    search->bus->operations->subjects(search->bus, search->agent->stream, bytes_of_string(filter),
                                      offer_feature, &hint, NULL);
    ref_format(&plain, REF_FORM_TEXT, ref);
    return errinfo_set(err, STATUS_NOT_FOUND,
                       "nothing is published as %s%s (agog ls %s/%s lists what is)", ref,
                       nearest_hint(&hint.nearest, near), search->ref->agent, search->ref->type);
}

// Why a revision that was given once is not there any more, as far as it can still be told.
static enum status expired(const struct search *search, uint64_t rev, struct errinfo *err)
{
    struct stream_info info;
    char ref[REF_TEXT_SIZE];
    struct ref pinned = *search->ref;
    pinned.rev = rev;
    pinned.section[0] = '\0';
    ref_format(&pinned, REF_FORM_TEXT, ref);
    enum status status = search->bus->operations->stream_info(search->bus, search->agent->stream,
                                                              &info, err);
    if (status != STATUS_OK)
        return status;
    int64_t max_age_ns = info.config.max_age_ns;
    long long max_msgs = (long long)info.config.max_msgs;
    long long max_bytes = (long long)info.config.max_bytes;
    stream_config_fini(&info.config);
    int64_t given_ns;
    bool known = revision_time(search->bus, search->ref, rev, &given_ns, NULL) == STATUS_OK;
    char published[CLOCK_RFC3339_SIZE] = "an unknown time";
    char went[CLOCK_RFC3339_SIZE];
    if (known)
        clock_format_seconds(given_ns, published);
    if (known && max_age_ns > 0 && given_ns + max_age_ns <= clock_realtime_ns())
        return errinfo_set(
            err, STATUS_EXPIRED,
            "%s is gone: published %s, it expired %s, when it was %lld days old, the "
            "limit of stream %s (agog stream update %s --max-age raises it)",
            ref, published, clock_format_seconds(given_ns + max_age_ns, went),
            (long long)(max_age_ns / INT64_C(86400000000000)), search->agent->stream,
            search->agent->stream);
    return errinfo_set(err, STATUS_EXPIRED,
                       "%s is gone: published %s, it was deleted, or made room when stream %s "
                       "reached %lld messages or %lld bytes",
                       ref, published, search->agent->stream, max_msgs, max_bytes);
}

// No message carries the revision: it is pinned, or it went, or it never was.
static enum status no_revision(const struct search *search, uint64_t latest, enum bus_part part,
                               struct buf *storage, struct report *report, struct errinfo *err)
{
    if (pin_read(search->bus, search->ref, part, storage, report, NULL) == STATUS_OK)
        return STATUS_OK;

    uint64_t highest = 0;
    uint64_t rev = search->ref->rev;
    enum status status = revision_highest(search->bus, search->ref, &highest, err);
    if (status != STATUS_OK)
        return status;
    if (rev == 0 && highest > 0)
        return expired(search, highest, err);
    if (rev == 0 || (highest == 0 && latest == 0))
        return no_deliverable(search, err);
    if (rev <= highest || rev <= latest)
        return expired(search, rev, err);
    char ref[REF_TEXT_SIZE];
    struct ref plain = *search->ref;
    plain.rev = 0;
    plain.section[0] = '\0';
    ref_format(&plain, REF_FORM_TEXT, ref);
    return errinfo_set(
        err, STATUS_NOT_FOUND, "%s has no revision %llu: the latest is %llu (agog history %s)", ref,
        (unsigned long long)rev, (unsigned long long)(latest > highest ? latest : highest), ref);
}

typedef enum status (*message_visit)(void *context, const struct bus_message *message,
                                     struct buf *storage, bool *stop);

// Every message of the deliverable, oldest first, heads only.
static enum status walk(const struct search *search, message_visit visit, void *context,
                        struct errinfo *err)
{
    struct buf storage;
    uint64_t at = 1;
    bool stop = false;
    enum status status = STATUS_OK;
    buf_init(&storage, LIMIT_MESSAGE_BYTES);
    while (status == STATUS_OK && !stop) {
        struct bus_message message;
        struct bus_get what = {
            .seq = at, .subject = bytes_of_string(search->subject), .part = BUS_HEAD};
        status = search->bus->operations->get(search->bus, search->agent->stream, &what, &storage,
                                              &message, err);
        if (status != STATUS_OK)
            break;
        at = message.seq + 1;
        status = visit(context, &message, &storage, &stop);
    }
    buf_fini(&storage);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

struct revision_search {
    const struct search *search;
    struct errinfo *err;
    uint64_t seq; // of the wanted revision, 0 until it is found
    uint64_t latest;
};

static enum status match_revision(void *context, const struct bus_message *message,
                                  struct buf *storage, bool *stop)
{
    struct revision_search *wanted = context;
    struct report report;
    struct read_message read = {wanted->search->agent->stream, message, BUS_HEAD};
    enum status status = read_of_message(wanted->search->bus, &read, storage, &report, wanted->err);
    if (status != STATUS_OK)
        return status;
    wanted->latest = report.ref.rev;
    if (report.ref.rev == wanted->search->ref->rev) {
        wanted->seq = report.seq;
        *stop = true;
    }
    return STATUS_OK;
}

static enum status read_found(const struct search *search, const struct bus_get *what,
                              struct buf *storage, struct report *report, struct errinfo *err)
{
    struct bus_message message;
    enum status status = search->bus->operations->get(search->bus, search->agent->stream, what,
                                                      storage, &message, err);
    if (status == STATUS_NOT_FOUND)
        return no_revision(search, 0, what->part, storage, report, err);
    if (status == STATUS_OK)
        status = read_of_message(
            search->bus, &(struct read_message){search->agent->stream, &message, what->part},
            storage, report, err);
    return status != STATUS_OK ? status : set_expiry(search->bus, report, err);
}

static enum status read_deliverable(const struct read_source *source, const struct ref *ref,
                                    enum bus_part part, struct buf *storage, struct report *report,
                                    struct errinfo *err)
{
    struct search search;
    enum status status = search_init(&search, source, ref, err);
    if (status != STATUS_OK)
        return status;
    struct bus_get what = {.subject = bytes_of_string(search.subject), .part = part};
    if (ref->rev > 0) {
        struct revision_search wanted = {.search = &search, .err = err};
        status = walk(&search, match_revision, &wanted, err);
        if (status != STATUS_OK)
            return status;
        if (wanted.seq == 0)
            return no_revision(&search, wanted.latest, part, storage, report, err);
        what = (struct bus_get){.seq = wanted.seq, .part = part};
    }
    return read_found(&search, &what, storage, report, err);
}

// A ref of the form stream.seq.
static enum status read_stored(const struct read_source *source, const struct ref *ref,
                               enum bus_part part, struct buf *storage, struct report *report,
                               struct errinfo *err)
{
    struct bus *bus = source->bus;
    struct bus_message message;
    struct bus_get what = {.seq = ref->seq, .part = part};
    if (registry_of_stream(source->registry, bytes_of_string(ref->stream)) == NULL)
        return errinfo_set(err, STATUS_NOT_FOUND,
                           "stream %s is no agent's (agog agent ls lists them)", ref->stream);
    enum status status = bus->operations->get(bus, ref->stream, &what, storage, &message, err);
    if (status == STATUS_NOT_FOUND)
        return errinfo_set(err, STATUS_NOT_FOUND,
                           "stream %s has no message %llu: it never had, or retention took it",
                           ref->stream, (unsigned long long)ref->seq);
    if (status == STATUS_OK)
        status = read_of_message(bus, &(struct read_message){ref->stream, &message, part}, storage,
                                 report, err);
    return status != STATUS_OK ? status : set_expiry(bus, report, err);
}

enum status read_report(const struct read_source *source, const struct ref *ref, enum bus_part part,
                        struct buf *storage, struct report *report, struct errinfo *err)
{
    if (ref->kind == REF_MESSAGE)
        return read_stored(source, ref, part, storage, report, err);
    return read_deliverable(source, ref, part, storage, report, err);
}

struct listing {
    struct bus *bus;
    const char *stream;
    const struct read_filter *filter;
    read_visit visit;
    void *context;
    struct errinfo *err;
    int64_t max_age_ns;
};

static bool passes(const struct read_filter *filter, const struct ref *ref)
{
    return (filter->agent.size == 0 || bytes_equal(filter->agent, bytes_of_string(ref->agent))) &&
           (filter->type.size == 0 || bytes_equal(filter->type, bytes_of_string(ref->type))) &&
           (filter->feature.size == 0 ||
            bytes_equal(filter->feature, bytes_of_string(ref->feature)));
}

static enum status list_message(void *context, const struct bus_message *message)
{
    const struct listing *listing = context;
    struct report report;
    struct ref ref;
    struct buf storage;
    // What is no deliverable's subject is none of ours, wherever it came from.
    if (ref_of_subject(message->subject, &ref, NULL) != STATUS_OK || !passes(listing->filter, &ref))
        return STATUS_OK;
    buf_init(&storage, LIMIT_MESSAGE_BYTES);
    enum status status = read_of_message(listing->bus,
                                         &(struct read_message){listing->stream, message, BUS_HEAD},
                                         &storage, &report, listing->err);
    if (status == STATUS_OK && listing->max_age_ns > 0)
        report.expires_ns = report.time_ns + listing->max_age_ns;
    if (status == STATUS_OK)
        status = listing->visit(listing->context, &report);
    buf_fini(&storage);
    return status;
}

static enum status list_stream(struct listing *listing)
{
    struct bus *bus = listing->bus;
    struct stream_info info;
    enum status status = bus->operations->stream_info(bus, listing->stream, &info, listing->err);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    if (status != STATUS_OK)
        return status;
    listing->max_age_ns = info.config.max_age_ns;
    stream_config_fini(&info.config);
    struct bus_get all = {.subject = BYTES(REF_SUBJECT_PREFIX ">"), .part = BUS_HEAD};
    return bus->operations->last_each(bus, listing->stream, &all, list_message, listing,
                                      listing->err);
}

enum status read_list(const struct read_source *source, const struct read_filter *filter,
                      read_visit visit, void *context, struct errinfo *err)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < registry_count(source->registry); i++) {
        const struct agent *agent = registry_at(source->registry, i);
        // Agents may share a stream: it is listed with the first of them.
        bool first = registry_of_stream(source->registry, bytes_of_string(agent->stream)) == agent;
        struct listing listing = {.bus = source->bus,
                                  .stream = agent->stream,
                                  .filter = filter,
                                  .visit = visit,
                                  .context = context,
                                  .err = err};
        if (first)
            status = list_stream(&listing);
    }
    return status;
}

static enum status visit_revision(void *context, const struct bus_message *message,
                                  struct buf *storage, bool *stop)
{
    struct listing *listing = context;
    struct report report;
    enum status status = read_of_message(listing->bus,
                                         &(struct read_message){listing->stream, message, BUS_HEAD},
                                         storage, &report, listing->err);
    if (status == STATUS_OK && listing->max_age_ns > 0)
        report.expires_ns = report.time_ns + listing->max_age_ns;
    *stop = false;
    return status != STATUS_OK ? status : listing->visit(listing->context, &report);
}

enum status read_history(const struct read_source *source, const struct ref *ref, read_visit visit,
                         void *context, struct errinfo *err)
{
    struct bus *bus = source->bus;
    struct search search;
    struct stream_info info;
    struct buf storage;
    struct report latest;
    enum status status = search_init(&search, source, ref, err);
    if (status != STATUS_OK)
        return status;
    // That there is something at all is asked first, for the same errors as a fetch gives.
    buf_init(&storage, LIMIT_MESSAGE_BYTES);
    struct bus_get last = {.subject = bytes_of_string(search.subject), .part = BUS_HEAD};
    status = read_found(&search, &last, &storage, &latest, err);
    buf_fini(&storage);
    if (status == STATUS_OK)
        status = bus->operations->stream_info(bus, search.agent->stream, &info, err);
    if (status != STATUS_OK)
        return status;
    struct listing listing = {.bus = bus,
                              .stream = search.agent->stream,
                              .visit = visit,
                              .context = context,
                              .err = err,
                              .max_age_ns = info.config.max_age_ns};
    stream_config_fini(&info.config);
    return walk(&search, visit_revision, &listing, err);
}

static bool json_text(const json_t *meta, const char *key, struct bytes *text)
{
    const json_t *value = json_object_get(meta, key);
    if (!json_is_string(value))
        return false;
    *text = bytes_of(json_string_value(value), json_string_length(value));
    return true;
}

// What the publisher said of the work goes into the notice's own fields; the rest of the metadata
// stays metadata.
static void take_meta(json_t *meta, struct notice *notice)
{
    const json_t *files = json_object_get(meta, "files_modified");
    json_text(meta, "complexity", &notice->complexity);
    json_text(meta, "blockers", &notice->blockers);
    notice->ready_for_next_stage = notice->status == NOTICE_COMPLETE &&
                                   !json_is_false(json_object_get(meta, "ready_for_next_stage"));
    if (json_is_integer(files) && json_integer_value(files) >= 0) {
        notice->has_files_modified = true;
        notice->files_modified = (uint64_t)json_integer_value(files);
    }
}

static char *other_meta(const json_t *meta)
{
    static const char *const own[] = {"complexity", "blockers", "ready_for_next_stage",
                                      "files_modified"};
    json_t *rest = json_copy((json_t *)(uintptr_t)meta);
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        json_object_del(rest, own[i]);
    char *text = json_object_size(rest) == 0 ? NULL : json_dumps(rest, JSON_COMPACT);
    json_decref(rest);
    return text;
}

enum status read_notice(const struct report *report, enum notice_form form, struct buf *out,
                        struct errinfo *err)
{
    char time[CLOCK_RFC3339_SIZE];
    json_t *meta = json_loadb(report->meta.data == NULL ? "" : report->meta.data, report->meta.size,
                              0, NULL);
    char *rest = other_meta(meta);
    struct notice notice = {
        .status = report->status,
        .ref = report->ref,
        .stream = bytes_of_string(report->stream),
        .seq = report->seq,
        .agent = bytes_of_string(report->ref.agent),
        .task = bytes_of_string(report->ref.feature),
        .summary = report->summary.size > 0 ? report->summary : report->title,
        .completion_time = bytes_of_string(clock_format_seconds(report->time_ns, time)),
        .metadata = bytes_of_string(rest),
        .digest = bytes_from(bytes_of_string(report->digest), strlen("sha256:")),
        .bytes = report->bytes,
        .tokens = report->tokens,
        .sections = report->sections,
        .expires_ns = report->expires_ns,
    };
    take_meta(meta, &notice);
    enum status status = notice_write(&notice, form, tokens_count, out, err);
    free(rest);
    json_decref(meta);
    return status;
}
