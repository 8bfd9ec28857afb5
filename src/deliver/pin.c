// SPDX-License-Identifier: Apache-2.0
#include "deliver/pin.h"

#include "base/limits.h"
#include "wire/headers.h"

#include <stdio.h>
#include <string.h>

static const char stream_name[] = "agog_pins";
static const struct bytes prefix = {"agog.pins.", sizeof "agog.pins." - 1};

enum { SUBJECT_SIZE = REF_TEXT_SIZE + 32 };

enum status pin_stream_config(struct stream_config *config, struct errinfo *err)
{
    stream_config_init(config);
    enum status status = stream_config_set_string(&config->name, bytes_of_string(stream_name));
    if (status == STATUS_OK)
        status = stream_config_add_subject(config, BYTES("agog.pins.>"), err);
    config->max_msgs_per_subject = 1;
    config->max_msg_size = LIMIT_MESSAGE_BYTES;
    config->duplicate_window_ns = INT64_C(120000000000);
    config->allow_direct = true;
    return status;
}

// rev 0 stands for every revision.
static void subject_of(const struct ref *ref, uint64_t rev, char subject[SUBJECT_SIZE])
{
    char deliverable[REF_TEXT_SIZE];
    char number[24] = "*";
    ref_format(ref, REF_FORM_SUBJECT, deliverable);
    if (rev > 0)
        snprintf(number, sizeof number, "%llu", (unsigned long long)rev);
    snprintf(subject, SUBJECT_SIZE, "agog.pins.%s.%s", deliverable + strlen(REF_SUBJECT_PREFIX),
             number);
}

// "agog.pins.<agent>.<type>.<feature>.<rev>" back to a ref.
static bool ref_of(struct bytes subject, struct ref *ref)
{
    char deliverable[SUBJECT_SIZE];
    size_t dot = subject.size;
    uint64_t rev;
    if (!bytes_start_with(subject, prefix) || subject.size >= REF_TEXT_SIZE)
        return false;
    while (dot > prefix.size && subject.data[dot - 1] != '.')
        dot--;
    if (dot <= prefix.size || !bytes_to_u64(bytes_from(subject, dot), &rev))
        return false;
    int size = snprintf(deliverable, sizeof deliverable, REF_SUBJECT_PREFIX "%.*s",
                        (int)(dot - 1 - prefix.size), subject.data + prefix.size);
    if (ref_of_subject(bytes_of(deliverable, (size_t)size), ref, NULL) != STATUS_OK)
        return false;
    ref->rev = rev;
    return true;
}

// The report's own headers, but for those that would act on the copy.
static enum status copy_headers(struct bytes headers, int64_t time_ns, struct buf *out,
                                struct errinfo *err)
{
    struct bytes name, value;
    char time[24];
    enum status status = STATUS_OK;
    headers_begin(out);
    while (status == STATUS_OK && headers_next(&headers, &name, &value)) {
        if (!bytes_start_with(name, BYTES("Nats-")))
            status = headers_add(out, name, value, err);
    }
    snprintf(time, sizeof time, "%lld", (long long)time_ns);
    if (status == STATUS_OK)
        status = headers_add(out, BYTES("Agog-Published"), bytes_of_string(time), err);
    headers_end(out);
    return status != STATUS_OK ? status : buf_status(out);
}

static enum status copy_message(struct bus *bus, const struct report *report, const char *subject,
                                struct errinfo *err)
{
    struct buf storage, headers;
    struct bus_message message;
    struct bus_ack ack;
    struct bus_get get = {.seq = report->seq, .part = BUS_ALL};
    buf_init(&storage, LIMIT_MESSAGE_BYTES);
    buf_init(&headers, LIMIT_HEADER_BYTES);
    enum status status = bus->operations->get(bus, report->stream, &get, &storage, &message, err);
    if (status == STATUS_OK)
        status = copy_headers(message.headers, message.time_ns, &headers, err);
    if (status == STATUS_OK) {
        struct bus_message copy = {.subject = bytes_of_string(subject),
                                   .headers = buf_bytes(&headers),
                                   .body = message.body};
        status = bus->operations->publish(bus, &copy, &ack, err);
    }
    buf_fini(&headers);
    buf_fini(&storage);
    return status;
}

enum status pin_put(struct bus *bus, const struct report *report, bool *changed,
                    struct errinfo *err)
{
    char subject[SUBJECT_SIZE];
    struct buf storage;
    struct bus_message message;
    subject_of(&report->ref, report->ref.rev, subject);
    struct bus_get get = {.subject = bytes_of_string(subject), .part = BUS_HEAD};
    buf_init(&storage, LIMIT_MESSAGE_BYTES);
    enum status status = bus->operations->get(bus, stream_name, &get, &storage, &message, err);
    buf_fini(&storage);
    *changed = status == STATUS_NOT_FOUND;
    return status == STATUS_NOT_FOUND ? copy_message(bus, report, subject, err) : status;
}

enum status pin_remove(struct bus *bus, const struct ref *ref, struct errinfo *err)
{
    char subject[SUBJECT_SIZE];
    char text[REF_TEXT_SIZE];
    uint64_t purged;
    subject_of(ref, ref->rev, subject);
    ref_format(ref, REF_FORM_TEXT, text);
    struct bus_purge purge = {.filter = bytes_of_string(subject)};
    enum status status = bus->operations->stream_purge(bus, stream_name, &purge, &purged, err);
    if (status == STATUS_OK && purged == 0)
        return errinfo_set(err, STATUS_NOT_FOUND, "%s is not pinned (agog pin lists what is)",
                           text);
    return status;
}

struct highest {
    uint64_t rev;
};

static enum status find_highest(void *context, struct bytes subject, uint64_t count)
{
    struct highest *highest = context;
    struct ref ref;
    (void)count;
    if (ref_of(subject, &ref) && ref.rev > highest->rev)
        highest->rev = ref.rev;
    return STATUS_OK;
}

enum status pin_read(struct bus *bus, const struct ref *ref, enum bus_part part,
                     struct buf *storage, struct report *report, struct errinfo *err)
{
    char subject[SUBJECT_SIZE];
    struct highest highest = {ref->rev};
    struct bus_message message;
    struct bytes published;
    uint64_t time_ns;
    enum status status = STATUS_OK;
    subject_of(ref, 0, subject);
    if (ref->rev == 0)
        status = bus->operations->subjects(bus, stream_name, bytes_of_string(subject), find_highest,
                                           &highest, err);
    if (status == STATUS_OK && highest.rev == 0)
        return errinfo_set(err, STATUS_NOT_FOUND, "not pinned");
    subject_of(ref, highest.rev, subject);
    struct bus_get get = {.subject = bytes_of_string(subject), .part = part};
    if (status == STATUS_OK)
        status = bus->operations->get(bus, stream_name, &get, storage, &message, err);
    if (status != STATUS_OK)
        return status;
    // The copy is read as the deliverable's message that it was.
    char deliverable[REF_TEXT_SIZE];
    ref_format(ref, REF_FORM_SUBJECT, deliverable);
    message.subject = bytes_of_string(deliverable);
    status = report_of_message(stream_name, &message, part, report, err);
    if (status != STATUS_OK)
        return status;
    report->subject = (struct bytes){NULL, 0};
    if (headers_find(message.headers, BYTES("Agog-Published"), &published) &&
        bytes_to_u64(published, &time_ns))
        report->time_ns = (int64_t)time_ns;
    return STATUS_OK;
}

struct walk {
    pin_visit visit;
    void *context;
};

static enum status show(void *context, struct bytes subject, uint64_t count)
{
    const struct walk *walk = context;
    struct ref ref;
    (void)count;
    return ref_of(subject, &ref) ? walk->visit(walk->context, &ref) : STATUS_OK;
}

enum status pin_walk(struct bus *bus, pin_visit visit, void *context, struct errinfo *err)
{
    struct walk walk = {visit, context};
    return bus->operations->subjects(bus, stream_name, BYTES("agog.pins.>"), show, &walk, err);
}
