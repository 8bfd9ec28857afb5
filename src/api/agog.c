// SPDX-License-Identifier: Apache-2.0
// include/agog.h over the rooms below: conversions at the border and nothing else.
#include "agog.h"

#include "api/hub.h"
#include "base/assert.h"
#include "base/clock.h"
#include "base/limits.h"
#include "bus/kv.h"
#include "deliver/describe.h"
#include "deliver/publish.h"
#include "deliver/read.h"
#include "deliver/tokens.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The public numbers are the internal ones: each is held to its value.
#define SAME(name)                                                                                 \
    _Static_assert((int)AGOG_##name == (int)STATUS_##name, "AGOG_" #name " differs from its "      \
                                                           "status")
SAME(OK);
SAME(BUG);
SAME(USAGE);
SAME(INVALID);
SAME(NOT_FOUND);
SAME(EXPIRED);
SAME(CONFLICT);
SAME(EXISTS);
SAME(DENIED);
SAME(LIMIT);
SAME(IO);
SAME(NO_SPACE);
SAME(NO_ACCESS);
SAME(READ_ONLY);
SAME(NO_MEMORY);
SAME(CORRUPT);
SAME(FORMAT);
SAME(BUSY);
SAME(UNAVAILABLE);
SAME(SPOOLED);
SAME(TIMEOUT);
SAME(UNHEALTHY);

struct agog {
    struct hub *hub;
};

struct agog_report {
    struct buf storage;
    struct report report;
    char ref[REF_TEXT_SIZE];
    char *json;
};

static enum agog_status finish(enum status status, const struct errinfo *err,
                               struct agog_error *error)
{
    if (error != NULL) {
        error->status = (enum agog_status)status;
        snprintf(error->text, sizeof error->text, "%s",
                 status == STATUS_OK ? ""
                                     : (err->text[0] == '\0' ? status_name(status) : err->text));
    }
    return (enum agog_status)status;
}

const char *agog_version(void)
{
    return AGOG_VERSION;
}

const char *agog_status_name(enum agog_status status)
{
    return status > AGOG_UNHEALTHY ? "unknown" : status_name((enum status)status);
}

int agog_status_exit_code(enum agog_status status)
{
    return status > AGOG_UNHEALTHY ? 1 : status_exit_code((enum status)status);
}

void agog_free(void *memory)
{
    free(memory);
}

// An option struct of an older or newer caller: the fields both know, the rest at their defaults.
static void take_options(void *to, size_t to_size, const void *from)
{
    memset(to, 0, to_size);
    if (from == NULL)
        return;
    size_t given;
    memcpy(&given, from, sizeof given);
    memcpy(to, from, given < to_size ? given : to_size);
}

enum agog_status agog_open(const struct agog_open_options *given, struct agog **out,
                           struct agog_error *error)
{
    struct agog_open_options options;
    struct errinfo err;
    errinfo_clear(&err);
    take_options(&options, sizeof options, given);
    struct agog *agog = calloc(1, sizeof *agog);
    if (agog == NULL)
        return finish(errinfo_set(&err, STATUS_NO_MEMORY, "no memory to begin"), &err, error);
    struct hub_options hub = {
        .home = options.home,
        .author = options.author,
        .lock_wait_ms = options.lock_wait_ms == 0 ? -1 : options.lock_wait_ms,
        .nats = {.url = options.url,
                 .context = options.context,
                 .user = options.user,
                 .password = options.password,
                 .token = options.token,
                 .creds = options.creds,
                 .nkey = options.nkey,
                 .ca = options.tls_ca,
                 .cert = options.tls_cert,
                 .key = options.tls_key},
    };
    enum status status = hub_open(&hub, &agog->hub, &err);
    if (status == STATUS_OK)
        *out = agog;
    else
        free(agog);
    return finish(status, &err, error);
}

void agog_close(struct agog *agog)
{
    if (agog == NULL)
        return;
    hub_close(agog->hub);
    free(agog);
}

enum agog_status agog_init(struct agog *agog, struct agog_error *error)
{
    struct errinfo err;
    struct bus *bus;
    errinfo_clear(&err);
    return finish(hub_bus(agog->hub, HUB_CREATE, &bus, &err), &err, error);
}

static enum status source_open(struct agog *agog, enum hub_need need, struct read_source *source,
                               struct errinfo *err)
{
    enum status status = hub_registry(agog->hub, need, &source->registry, err);
    return status != STATUS_OK ? status : hub_bus(agog->hub, need, &source->bus, err);
}

static enum status notice_of(const struct read_source *source, const struct ref *ref, char **notice,
                             struct errinfo *err)
{
    struct buf storage, text;
    struct report report;
    buf_init(&storage, LIMIT_MESSAGE_BYTES);
    buf_init(&text, LIMIT_HEADER_BYTES);
    enum status status = read_report(source, ref, BUS_HEAD, &storage, &report, err);
    if (status == STATUS_OK)
        status = read_notice(&report, NOTICE_COMPACT, &text, err);
    if (status == STATUS_OK && buf_string(&text) == NULL)
        status = errinfo_set(err, STATUS_NO_MEMORY, "no memory for the notice");
    if (status == STATUS_OK) {
        *notice = text.data;
        buf_init(&text, 0);
    }
    buf_fini(&storage);
    buf_fini(&text);
    return status;
}

static enum status take_inputs(const struct agog_publication *publication,
                               struct bytes inputs[LIMIT_INPUTS], struct errinfo *err)
{
    if (publication->input_count > LIMIT_INPUTS)
        return errinfo_set(err, STATUS_LIMIT, "%zu inputs were given, the limit is %d",
                           publication->input_count, LIMIT_INPUTS);
    for (size_t i = 0; i < publication->input_count; i++)
        inputs[i] = bytes_of_string(publication->inputs[i]);
    return STATUS_OK;
}

static enum status publish(struct agog *agog, struct publish_request *request, char **notice,
                           struct errinfo *err)
{
    struct read_source source;
    struct publish_outcome outcome;
    struct ref ref;
    enum status status = source_open(agog, HUB_CREATE, &source, err);
    if (status != STATUS_OK)
        return status;
    request->author = bytes_of_string(hub_author(agog->hub));
    request->now_ns = clock_realtime_ns();
    status = publish_report(&source, request, &outcome, err);
    if (status != STATUS_OK || notice == NULL)
        return status;
    status = ref_of_names(request->agent, request->type, request->feature, &ref, err);
    if (status != STATUS_OK)
        return status;
    ref.rev = outcome.rev;
    return notice_of(&source, &ref, notice, err);
}

static enum status read_status(const char *word, enum notice_status *status, struct errinfo *err)
{
    *status = NOTICE_COMPLETE;
    return word == NULL ? STATUS_OK : notice_status_parse(bytes_of_string(word), status, err);
}

enum agog_status agog_publish(struct agog *agog, const struct agog_publication *given,
                              char **notice, struct agog_error *error)
{
    struct agog_publication what;
    struct bytes inputs[LIMIT_INPUTS];
    struct errinfo err;
    errinfo_clear(&err);
    take_options(&what, sizeof what, given);
    struct publish_request request = {
        .agent = bytes_of_string(what.agent),
        .type = bytes_of_string(what.type),
        .feature = bytes_of_string(what.feature),
        .body = bytes_of(what.report, what.report_size),
        .title = bytes_of_string(what.title),
        .summary = bytes_of_string(what.summary),
        .run = bytes_of_string(what.run),
        .key = bytes_of_string(what.key),
        .meta = bytes_of_string(what.meta_json),
        .inputs = inputs,
        .input_count = what.input_count,
        .base = what.expect_base != 0 ? what.base : PUBLISH_ANY_BASE,
        .allow_empty = what.allow_empty != 0,
    };
    enum status status = take_inputs(&what, inputs, &err);
    if (status == STATUS_OK)
        status = read_status(what.status, &request.status, &err);
    if (status == STATUS_OK)
        status = publish(agog, &request, notice, &err);
    return finish(status, &err, error);
}

enum agog_status agog_notice(struct agog *agog, const char *ref_text, char **notice,
                             struct agog_error *error)
{
    struct errinfo err;
    struct read_source source;
    struct ref ref;
    errinfo_clear(&err);
    enum status status = ref_parse(bytes_of_string(ref_text), &ref, &err);
    if (status == STATUS_OK)
        status = source_open(agog, HUB_READ, &source, &err);
    if (status == STATUS_OK)
        status = notice_of(&source, &ref, notice, &err);
    return finish(status, &err, error);
}

static char *json_of(const struct report *report)
{
    json_t *document = describe_report(report);
    char *text = document == NULL ? NULL : json_dumps(document, JSON_COMPACT);
    json_decref(document);
    return text;
}

enum agog_status agog_fetch(struct agog *agog, const char *ref_text, struct agog_report **out,
                            struct agog_error *error)
{
    struct errinfo err;
    struct read_source source;
    struct ref ref;
    errinfo_clear(&err);
    struct agog_report *report = calloc(1, sizeof *report);
    if (report == NULL)
        return finish(errinfo_set(&err, STATUS_NO_MEMORY, "no memory for a report"), &err, error);
    buf_init(&report->storage, LIMIT_MESSAGE_BYTES);
    enum status status = ref_parse(bytes_of_string(ref_text), &ref, &err);
    if (status == STATUS_OK)
        status = source_open(agog, HUB_READ, &source, &err);
    if (status == STATUS_OK)
        status = read_report(&source, &ref, BUS_ALL, &report->storage, &report->report, &err);
    if (status == STATUS_OK) {
        ref_format(&report->report.ref, REF_FORM_TEXT, report->ref);
        report->json = json_of(&report->report);
        if (report->json == NULL)
            status = errinfo_set(&err, STATUS_NO_MEMORY, "no memory for a report");
    }
    if (status == STATUS_OK)
        *out = report;
    else
        agog_report_free(report);
    return finish(status, &err, error);
}

void agog_report_free(struct agog_report *report)
{
    if (report == NULL)
        return;
    buf_fini(&report->storage);
    free(report->json);
    free(report);
}

const char *agog_report_content(const struct agog_report *report, size_t *size)
{
    *size = report->report.body.size;
    return report->report.body.data;
}

const char *agog_report_ref(const struct agog_report *report)
{
    return report->ref;
}

const char *agog_report_json(const struct agog_report *report)
{
    return report->json;
}

uint64_t agog_report_rev(const struct agog_report *report)
{
    return report->report.ref.rev;
}

uint64_t agog_report_tokens(const struct agog_report *report)
{
    return report->report.tokens;
}

struct walk {
    agog_visit visit;
    void *context;
    struct errinfo *err;
    bool ended;
};

static enum status visit_report(void *context, const struct report *report)
{
    struct walk *walk = context;
    if (walk->ended)
        return STATUS_OK;
    char *json = json_of(report);
    if (json == NULL)
        return errinfo_set(walk->err, STATUS_NO_MEMORY, "no memory for the list");
    walk->ended = walk->visit(walk->context, json) != 0;
    free(json);
    return STATUS_OK;
}

enum agog_status agog_list(struct agog *agog, const struct agog_filter *given, agog_visit visit,
                           void *context, struct agog_error *error)
{
    struct errinfo err;
    struct read_source source;
    struct agog_filter what;
    struct walk walk = {visit, context, &err, false};
    errinfo_clear(&err);
    take_options(&what, sizeof what, given);
    struct read_filter filter = {bytes_of_string(what.agent), bytes_of_string(what.type),
                                 bytes_of_string(what.feature)};
    enum status status = source_open(agog, HUB_READ, &source, &err);
    if (status == STATUS_OK)
        status = read_list(&source, &filter, visit_report, &walk, &err);
    return finish(status, &err, error);
}

enum agog_status agog_history(struct agog *agog, const char *ref_text, agog_visit visit,
                              void *context, struct agog_error *error)
{
    struct errinfo err;
    struct read_source source;
    struct ref ref;
    struct walk walk = {visit, context, &err, false};
    errinfo_clear(&err);
    enum status status = ref_parse(bytes_of_string(ref_text), &ref, &err);
    if (status == STATUS_OK)
        status = source_open(agog, HUB_READ, &source, &err);
    if (status == STATUS_OK)
        status = read_history(&source, &ref, visit_report, &walk, &err);
    return finish(status, &err, error);
}

enum agog_status agog_agent_add(struct agog *agog, const char *name, const char *type,
                                const char *role, struct agog_error *error)
{
    struct errinfo err;
    struct bus *bus;
    bool changed;
    struct agent agent = {.type_count = 1};
    errinfo_clear(&err);
    if (strlen(name) >= sizeof agent.name || strlen(type) >= sizeof agent.types[0] ||
        (role != NULL && strlen(role) >= sizeof agent.role))
        return finish(errinfo_set(&err, STATUS_LIMIT, "the agent's name, type or role is too long"),
                      &err, error);
    memcpy(agent.name, name, strlen(name));
    memcpy(agent.types[0], type, strlen(type));
    if (role != NULL)
        memcpy(agent.role, role, strlen(role));
    enum status status = hub_bus(agog->hub, HUB_CREATE, &bus, &err);
    if (status == STATUS_OK)
        status = registry_add(bus, &agent, &changed, &err);
    hub_forget_registry(agog->hub);
    return finish(status, &err, error);
}

enum agog_status agog_tokens(const void *text, size_t size, size_t *tokens,
                             struct agog_error *error)
{
    struct errinfo err;
    errinfo_clear(&err);
    enum status status = tokens_count(bytes_of(text, size), tokens);
    if (status != STATUS_OK)
        errinfo_set(&err, status, "no memory to count %zu bytes", size);
    return finish(status, &err, error);
}

enum agog_status agog_kv_bucket_create(struct agog *agog, const char *bucket, int history,
                                       struct agog_error *error)
{
    struct errinfo err;
    struct bus *bus;
    bool created;
    struct kv_config config = {.bucket = bytes_of_string(bucket), .history = history};
    errinfo_clear(&err);
    enum status status = hub_bus(agog->hub, HUB_CREATE, &bus, &err);
    if (status == STATUS_OK)
        status = kv_bucket_create(bus, &config, &created, &err);
    return finish(status, &err, error);
}

// Both sides know their struct's size: only the fields that the caller has are written back.
static void give_entry(struct agog_kv_entry *to, const struct agog_kv_entry *from)
{
    size_t size = to->size;
    memcpy(to, from, size < sizeof *from ? size : sizeof *from);
    to->size = size;
}

enum agog_status agog_kv_put(struct agog *agog, struct agog_kv_entry *given,
                             struct agog_error *error)
{
    struct errinfo err;
    struct bus *bus;
    struct agog_kv_entry entry;
    errinfo_clear(&err);
    take_options(&entry, sizeof entry, given);
    struct kv_write write = {.bucket = bytes_of_string(entry.bucket),
                             .key = bytes_of_string(entry.key),
                             .value = bytes_of(entry.value, entry.value_size),
                             .expected = entry.revision};
    enum status status = hub_bus(agog->hub, HUB_READ, &bus, &err);
    if (status == STATUS_OK)
        status = kv_write(bus, &write, &entry.revision, &err);
    if (status == STATUS_OK)
        give_entry(given, &entry);
    return finish(status, &err, error);
}

enum agog_status agog_kv_get(struct agog *agog, struct agog_kv_entry *given,
                             struct agog_error *error)
{
    struct errinfo err;
    struct bus *bus;
    struct buf storage;
    struct kv_entry found;
    struct agog_kv_entry entry;
    errinfo_clear(&err);
    take_options(&entry, sizeof entry, given);
    buf_init(&storage, LIMIT_MESSAGE_BYTES);
    struct kv_key key = {bytes_of_string(entry.bucket), bytes_of_string(entry.key), 0};
    enum status status = hub_bus(agog->hub, HUB_READ, &bus, &err);
    if (status == STATUS_OK)
        status = kv_get(bus, &key, &storage, &found, &err);
    char *copy = status == STATUS_OK ? malloc(found.value.size + 1) : NULL;
    if (status == STATUS_OK && copy == NULL)
        status = errinfo_set(&err, STATUS_NO_MEMORY, "no memory for the value");
    if (status == STATUS_OK) {
        if (found.value.size > 0)
            memcpy(copy, found.value.data, found.value.size);
        copy[found.value.size] = '\0';
        entry.value = copy;
        entry.value_size = found.value.size;
        entry.revision = found.revision;
        give_entry(given, &entry);
    }
    buf_fini(&storage);
    return finish(status, &err, error);
}
