// SPDX-License-Identifier: Apache-2.0
// The way in. Order matters: measure, look at what is there, reserve a revision, commit the report
// expecting exactly what was looked at. Whoever loses that race looks again; whoever said --base is
// told who won.
//
// The default idempotency key is a digest over subject, revision followed and report, not over the
// report alone: two features may carry the same text, and going back to an earlier text is a new
// revision. A repeated publish of the latest bytes is recognised by their digest before anything is
// written.
#include "deliver/publish.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/sha256.h"
#include "deliver/envelope.h"
#include "deliver/outline.h"
#include "deliver/plain.h"
#include "deliver/revision.h"
#include "deliver/shelf.h"
#include "deliver/summary.h"
#include "deliver/tokens.h"
#include "wire/headers.h"

#include <stdio.h>
#include <string.h>

enum { CODE_STREAM_NOT_FOUND = 10059 };

// What is known of a report before it is stored.
struct draft {
    const struct publish_request *request;
    const struct agent *agent;
    struct ref ref;
    char subject[REF_TEXT_SIZE];
    char digest[REPORT_DIGEST_SIZE];
    size_t tokens;
    size_t sections;
    char title[LIMIT_TITLE_BYTES + 1];
    char summary[LIMIT_SUMMARY_BYTES + 1];
    struct outline outline;
    struct buf inputs;
    struct buf envelope; // the body that is stored, when the request wants the envelope
};

// What is there already.
struct latest {
    bool found;
    uint64_t seq;
    uint64_t rev;
    int64_t time_ns;
    char digest[REPORT_DIGEST_SIZE];
    char author[256];
};

static void draft_fini(struct draft *draft)
{
    outline_fini(&draft->outline);
    buf_fini(&draft->inputs);
    buf_fini(&draft->envelope);
}

static enum status check_names(struct draft *draft, const struct registry *registry,
                               struct errinfo *err)
{
    const struct publish_request *request = draft->request;
    enum status status = registry_find(registry, request->agent, &draft->agent, err);
    if (status == STATUS_OK)
        status = registry_check_type(draft->agent, request->type, err);
    if (status == STATUS_OK)
        status = ref_of_names(request->agent, request->type, request->feature, &draft->ref, err);
    if (status == STATUS_OK)
        ref_format(&draft->ref, REF_FORM_SUBJECT, draft->subject);
    return status;
}

static enum status check_body(const struct publish_request *request, struct errinfo *err)
{
    if (request->body.size == 0 && !request->allow_empty)
        return errinfo_set(err, STATUS_INVALID,
                           "the report is empty: nothing was published (--allow-empty publishes "
                           "it all the same)");
    if (request->body.size > LIMIT_REPORT_BYTES)
        return errinfo_set(err, STATUS_LIMIT,
                           "the report has %zu bytes, %zu more than the limit of %d (10 MiB): "
                           "split it into several reports",
                           request->body.size, request->body.size - (size_t)LIMIT_REPORT_BYTES,
                           LIMIT_REPORT_BYTES);
    if (request->meta.size > LIMIT_META_BYTES)
        return errinfo_set(err, STATUS_LIMIT, "the metadata has %zu bytes, the limit is %d",
                           request->meta.size, LIMIT_META_BYTES);
    return STATUS_OK;
}

// Title, summary and counts. What the publisher said goes before what the text says.
static enum status measure(struct draft *draft, struct errinfo *err)
{
    const struct publish_request *request = draft->request;
    struct outline outline;
    report_digest(request->body, draft->digest);
    enum status status = outline_build(request->body, &outline, err);
    if (status != STATUS_OK)
        return status;
    status = outline_count(&outline, request->body, tokens_count);
    if (status != STATUS_OK) {
        outline_fini(&outline);
        return errinfo_set(err, status, "no memory to count the report's sections");
    }
    draft->sections = outline.count;
    draft->tokens = outline.tokens;
    struct buf clean;
    buf_init(&clean, LIMIT_MESSAGE_BYTES);
    plain_clean(request->title, &clean);
    if (request->title.size > 0)
        plain_shorten(buf_bytes(&clean), LIMIT_TITLE_BYTES, draft->title);
    else
        summary_title(&outline, request->body, draft->title);
    summary_text(&outline, request->body, request->summary, draft->summary);
    status = buf_status(&clean);
    buf_fini(&clean);
    draft->outline = outline;
    return status;
}

static const int64_t expiring_ns = INT64_C(86400000000000); // a day

// Inputs are pinned to the revision that is there now, so that lineage never changes afterwards.
static enum status pin_inputs(const struct read_source *source, struct draft *draft,
                              struct errinfo *err)
{
    const struct publish_request *request = draft->request;
    if (request->input_count > LIMIT_INPUTS)
        return errinfo_set(err, STATUS_LIMIT, "%zu inputs were given, the limit is %d",
                           request->input_count, LIMIT_INPUTS);
    enum status status = STATUS_OK;
    struct buf storage;
    buf_init(&storage, LIMIT_MESSAGE_BYTES);
    for (size_t i = 0; status == STATUS_OK && i < request->input_count; i++) {
        struct ref ref;
        struct report report;
        char text[REF_TEXT_SIZE];
        status = ref_parse(request->inputs[i], &ref, err);
        if (status == STATUS_OK)
            status = read_report(source, &ref, BUS_HEAD, &storage, &report, err);
        if (status != STATUS_OK) {
            char quoted[ERRINFO_QUOTED_MAX];
            status = errinfo_wrap(err, status, "input %s",
                                  errinfo_quote(request->inputs[i], quoted));
            break;
        }
        ref_format(&report.ref, REF_FORM_TEXT, text);
        int64_t left_ns = report.expires_ns - request->now_ns;
        if (request->on_expiring != NULL && report.expires_ns != 0 && left_ns < expiring_ns)
            request->on_expiring(request->context, text, left_ns);
        if (i > 0)
            buf_append_byte(&draft->inputs, ' ');
        buf_append_string(&draft->inputs, text);
    }
    buf_fini(&storage);
    return status != STATUS_OK ? status : buf_status(&draft->inputs);
}

static enum status look(struct bus *bus, const struct draft *draft, struct latest *latest,
                        struct errinfo *err)
{
    struct buf storage;
    struct bus_message message;
    struct report report;
    struct errinfo why;
    struct bus_get get = {.subject = bytes_of_string(draft->subject), .part = BUS_HEAD};
    errinfo_clear(&why);
    *latest = (struct latest){.found = false};
    buf_init(&storage, LIMIT_MESSAGE_BYTES);
    enum status status = bus->operations->get(bus, draft->agent->stream, &get, &storage, &message,
                                              &why);
    if (status == STATUS_OK)
        status = read_of_message(bus,
                                 &(struct read_message){draft->agent->stream, &message, BUS_HEAD},
                                 &storage, &report, err);
    else if (status == STATUS_NOT_FOUND && why.protocol_code != CODE_STREAM_NOT_FOUND) {
        buf_fini(&storage);
        return STATUS_OK;
    } else if (err != NULL) {
        *err = why;
    }
    if (status == STATUS_OK) {
        latest->found = true;
        latest->seq = report.seq;
        latest->rev = report.ref.rev;
        latest->time_ns = report.time_ns;
        memcpy(latest->digest, report.digest, sizeof latest->digest);
        snprintf(latest->author, sizeof latest->author, "%.*s", BYTES_ARG(report.author));
    }
    buf_fini(&storage);
    return status;
}

static enum status base_conflict(const struct draft *draft, const struct latest *latest,
                                 struct errinfo *err)
{
    unsigned long long base = (unsigned long long)draft->request->base;
    char ref[REF_TEXT_SIZE];
    char time[CLOCK_RFC3339_SIZE];
    ref_format(&draft->ref, REF_FORM_TEXT, ref);
    if (!latest->found)
        return errinfo_set(err, STATUS_CONFLICT,
                           "%s has no revision %llu to follow: it has none yet (--base 0 says so)",
                           ref, base);
    return errinfo_set(err, STATUS_CONFLICT,
                       "somebody came first: %s is at revision %llu, published by %s at %s, not "
                       "at %llu. Fetch it, merge, and publish with --base %llu",
                       ref, (unsigned long long)latest->rev,
                       latest->author[0] == '\0' ? "an unnamed publisher" : latest->author,
                       clock_format_seconds(latest->time_ns, time), base,
                       (unsigned long long)latest->rev);
}

static void message_id(const struct draft *draft, uint64_t follows, char hex[SHA256_HEX_SIZE])
{
    struct sha256 hash;
    unsigned char digest[SHA256_BYTES];
    char number[24];
    snprintf(number, sizeof number, "%llu", (unsigned long long)follows);
    sha256_init(&hash);
    sha256_update(&hash, bytes_of(draft->subject, strlen(draft->subject) + 1));
    sha256_update(&hash, bytes_of(number, strlen(number) + 1));
    sha256_update(&hash, bytes_of_string(draft->digest));
    sha256_final(&hash, digest);
    sha256_to_hex(digest, hex);
}

static enum status add_number(struct buf *out, struct bytes name, uint64_t value,
                              struct errinfo *err)
{
    char number[24];
    snprintf(number, sizeof number, "%llu", (unsigned long long)value);
    return headers_add(out, name, bytes_of_string(number), err);
}

static enum status add_text(struct buf *out, struct bytes name, struct bytes value,
                            struct errinfo *err)
{
    return value.size == 0 ? STATUS_OK : headers_add(out, name, value, err);
}

static enum status write_headers(struct buf *out, const struct draft *draft,
                                 const struct latest *latest, uint64_t rev, struct errinfo *err)
{
    const struct publish_request *request = draft->request;
    char id[SHA256_HEX_SIZE];
    message_id(draft, latest->rev, id);
    struct {
        struct bytes name;
        struct bytes value;
    } const texts[] = {
        {BYTES("Nats-Msg-Id"), request->key.size > 0 ? request->key : bytes_of_string(id)},
        {BYTES("Agog-Digest"), bytes_of_string(draft->digest)},
        {BYTES("Agog-Title"), bytes_of_string(draft->title)},
        {BYTES("Agog-Summary"), bytes_of_string(draft->summary)},
        {BYTES("Agog-Status"), bytes_of_string(notice_status_name(request->status))},
        {BYTES("Agog-Author"), request->author},
        {BYTES("Agog-Inputs"), buf_bytes(&draft->inputs)},
        {BYTES("Agog-Run"), request->run},
        {BYTES("Agog-Meta"), request->meta},
        {BYTES("Agog-Form"), request->envelope ? BYTES("envelope") : BYTES("")},
    };
    headers_begin(out);
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < sizeof texts / sizeof texts[0]; i++)
        status = add_text(out, texts[i].name, texts[i].value, err);
    if (status == STATUS_OK)
        status = add_number(out, BYTES("Nats-Expected-Last-Subject-Sequence"), latest->seq, err);
    if (status == STATUS_OK)
        status = add_number(out, BYTES("Agog-Rev"), rev, err);
    if (status == STATUS_OK)
        status = add_number(out, BYTES("Agog-Bytes"), request->body.size, err);
    if (status == STATUS_OK)
        status = add_number(out, BYTES("Agog-Tokens"), draft->tokens, err);
    if (status == STATUS_OK)
        status = add_number(out, BYTES("Agog-Sections"), draft->sections, err);
    headers_end(out);
    if (status == STATUS_OK && buf_status(out) != STATUS_OK)
        status = errinfo_set(err, STATUS_LIMIT,
                             "title, summary, inputs and metadata together are over %d bytes",
                             LIMIT_HEADER_BYTES);
    return status;
}

static enum status store(struct bus *bus, const struct draft *draft, const struct latest *latest,
                         uint64_t rev, struct bus_ack *ack, struct errinfo *err)
{
    struct buf headers;
    buf_init(&headers, LIMIT_HEADER_BYTES);
    enum status status = write_headers(&headers, draft, latest, rev, err);
    if (status == STATUS_OK) {
        struct bus_message message = {
            .subject = bytes_of_string(draft->subject),
            .headers = buf_bytes(&headers),
            .body = draft->request->envelope ? buf_bytes(&draft->envelope) : draft->request->body,
        };
        status = bus->operations->publish(bus, &message, ack, err);
    }
    buf_fini(&headers);
    return status;
}

// The server has seen the idempotency key before: what it stored then is the answer, if it is what
// we were asked to store.
static enum status of_duplicate(struct bus *bus, const struct draft *draft,
                                const struct bus_ack *ack, struct publish_outcome *outcome,
                                struct errinfo *err)
{
    struct buf storage;
    struct bus_message message;
    struct report report;
    struct bus_get get = {.seq = ack->seq, .part = BUS_HEAD};
    buf_init(&storage, LIMIT_MESSAGE_BYTES);
    enum status status = bus->operations->get(bus, draft->agent->stream, &get, &storage, &message,
                                              err);
    if (status == STATUS_OK)
        status = read_of_message(bus,
                                 &(struct read_message){draft->agent->stream, &message, BUS_HEAD},
                                 &storage, &report, err);
    if (status == STATUS_OK && (strcmp(report.digest, draft->digest) != 0 ||
                                !ref_same_deliverable(&report.ref, &draft->ref))) {
        char ref[REF_TEXT_SIZE];
        ref_format(&report.ref, REF_FORM_TEXT, ref);
        status = errinfo_set(err, STATUS_CONFLICT,
                             "the idempotency key was used for other bytes: they are %s", ref);
    }
    if (status == STATUS_OK)
        *outcome = (struct publish_outcome){
            .rev = report.ref.rev, .seq = report.seq, .unchanged = true};
    buf_fini(&storage);
    return status;
}

// One try: look, reserve, commit. STATUS_CONFLICT without a base means "look again".
static enum status attempt(struct bus *bus, const struct draft *draft, bool *lost_race,
                           struct publish_outcome *outcome, struct errinfo *err)
{
    const struct publish_request *request = draft->request;
    struct latest latest;
    struct bus_ack ack;
    uint64_t rev;
    *lost_race = false;
    enum status status = look(bus, draft, &latest, err);
    if (status != STATUS_OK)
        return status;
    if (latest.found && strcmp(latest.digest, draft->digest) == 0) {
        *outcome = (struct publish_outcome){
            .rev = latest.rev, .seq = latest.seq, .unchanged = true};
        return STATUS_OK;
    }
    if (request->base != PUBLISH_ANY_BASE && request->base != latest.rev)
        return base_conflict(draft, &latest, err);
    status = revision_reserve(bus, &draft->ref, latest.rev, &rev, err);
    if (status != STATUS_OK)
        return status;
    status = store(bus, draft, &latest, rev, &ack, err);
    if (status == STATUS_CONFLICT)
        *lost_race = true;
    if (status != STATUS_OK)
        return status;
    if (ack.duplicate)
        return of_duplicate(bus, draft, &ack, outcome, err);
    *outcome = (struct publish_outcome){.rev = rev, .seq = ack.seq, .unchanged = false};
    // The report is on disk: an outline that cannot be kept costs later readers time, nothing else.
    shelf_put(bus, draft->digest, &draft->outline, NULL);
    return STATUS_OK;
}

static enum status wrap_envelope(struct draft *draft, struct errinfo *err)
{
    const struct publish_request *request = draft->request;
    char time[CLOCK_RFC3339_SIZE];
    struct envelope envelope = {
        .agent = request->agent,
        .type = request->type,
        .feature = request->feature,
        .content = request->body,
        .timestamp = bytes_of_string(clock_format(request->now_ns, time)),
        .metadata = request->meta,
    };
    return envelope_write(&envelope, &draft->envelope, err);
}

enum status publish_report(const struct read_source *source, const struct publish_request *request,
                           struct publish_outcome *outcome, struct errinfo *err)
{
    struct draft draft = {.request = request};
    buf_init(&draft.inputs, LIMIT_HEADER_BYTES);
    buf_init(&draft.envelope, LIMIT_MESSAGE_BYTES);
    enum status status = check_names(&draft, source->registry, err);
    if (status == STATUS_OK)
        status = check_body(request, err);
    if (status == STATUS_OK)
        status = measure(&draft, err);
    if (status == STATUS_OK)
        status = pin_inputs(source, &draft, err);
    if (status == STATUS_OK && request->envelope)
        status = wrap_envelope(&draft, err);
    bool lost_race = status == STATUS_OK;
    for (int tries = 0; lost_race && tries < LIMIT_CONFLICT_RETRIES; tries++)
        status = attempt(source->bus, &draft, &lost_race, outcome, err);
    draft_fini(&draft);
    return status;
}
