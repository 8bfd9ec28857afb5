// SPDX-License-Identifier: Apache-2.0
#include "api/setup.h"

#include "deliver/pin.h"
#include "deliver/receipt.h"
#include "deliver/registry.h"
#include "deliver/revision.h"
#include "deliver/shelf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char events_stream[] = "agog_orchestration_events";

static enum status events_config(struct stream_config *config, struct errinfo *err)
{
    const int64_t day_ns = INT64_C(86400000000000);
    stream_config_init(config);
    enum status status = stream_config_set_string(&config->name, bytes_of_string(events_stream));
    if (status == STATUS_OK)
        status = stream_config_add_subject(config, BYTES("agog.orchestration.events.>"), err);
    config->max_msgs = 10000;
    config->max_bytes = 100 << 20;
    config->max_age_ns = 7 * day_ns;
    config->duplicate_window_ns = INT64_C(120000000000);
    config->allow_direct = true;
    return status;
}

struct check {
    struct bus *bus;
    enum setup_mode mode;
    setup_visit visit;
    void *context;
    struct errinfo *err;
};

struct drift {
    char *text;
    size_t size;
    size_t used;
};

static void differ(struct drift *drift, const char *format, ...) AGOG_PRINTF(2, 3);

static void differ(struct drift *drift, const char *format, ...)
{
    char part[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(part, sizeof part, format, arguments);
    va_end(arguments);
    int size = snprintf(drift->text + drift->used, drift->size - drift->used, "%s%s",
                        drift->used == 0 ? "" : ", ", part);
    drift->used += (size_t)size < drift->size - drift->used ? (size_t)size : 0;
}

static void compare_number(struct drift *drift, const char *name, int64_t is, int64_t should)
{
    if (is != should)
        differ(drift, "%s is %lld, should be %lld", name, (long long)is, (long long)should);
}

static bool listens_to(const struct stream_config *config, const char *subject)
{
    for (size_t i = 0; i < config->subject_count; i++) {
        if (strcmp(config->subjects[i], subject) == 0)
            return true;
    }
    return false;
}

static void compare(struct drift *drift, const struct stream_config *is,
                    const struct stream_config *should)
{
    for (size_t i = 0; i < should->subject_count; i++) {
        if (!listens_to(is, should->subjects[i]))
            differ(drift, "does not listen to %s", should->subjects[i]);
    }
    compare_number(drift, "max_msgs", is->max_msgs, should->max_msgs);
    compare_number(drift, "max_bytes", is->max_bytes, should->max_bytes);
    compare_number(drift, "max_age", is->max_age_ns, should->max_age_ns);
    compare_number(drift, "max_msg_size", is->max_msg_size, should->max_msg_size);
    compare_number(drift, "duplicate_window", is->duplicate_window_ns, should->duplicate_window_ns);
    compare_number(drift, "discard", (int64_t)is->discard, (int64_t)should->discard);
    compare_number(drift, "retention", (int64_t)is->retention, (int64_t)should->retention);
    compare_number(drift, "storage", (int64_t)is->storage, (int64_t)should->storage);
}

// What the stream becomes: its own settings where we have no opinion, ours where we have one, and
// every subject that either of us knows.
static enum status repair(const struct check *check, struct stream_config *is,
                          const struct stream_config *should)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < should->subject_count; i++) {
        if (!listens_to(is, should->subjects[i]))
            status = stream_config_add_subject(is, bytes_of_string(should->subjects[i]),
                                               check->err);
    }
    is->max_msgs = should->max_msgs;
    is->max_bytes = should->max_bytes;
    is->max_age_ns = should->max_age_ns;
    is->max_msg_size = should->max_msg_size;
    is->duplicate_window_ns = should->duplicate_window_ns;
    is->discard = should->discard;
    is->retention = should->retention;
    is->storage = should->storage;
    if (status == STATUS_OK)
        status = check->bus->operations->stream_update(check->bus, is, check->err);
    if (status != STATUS_OK)
        return errinfo_wrap(check->err, status, "stream %s cannot be repaired", is->name);
    return STATUS_OK;
}

static enum status make_missing(const struct check *check, const struct stream_config *should,
                                enum setup_state *state)
{
    bool created;
    *state = SETUP_MISSING;
    if (check->mode == SETUP_LOOK)
        return STATUS_OK;
    *state = SETUP_CREATED;
    return check->bus->operations->stream_create(check->bus, should, &created, check->err);
}

static enum status check_stream(const struct check *check, const struct stream_config *should)
{
    struct stream_info info;
    struct setup_finding finding = {.stream = should->name, .state = SETUP_OK};
    finding.bytes_max = should->max_bytes > 0 ? (uint64_t)should->max_bytes : 0;
    enum status status = check->bus->operations->stream_info(check->bus, should->name, &info,
                                                             check->err);
    if (status == STATUS_NOT_FOUND) {
        status = make_missing(check, should, &finding.state);
    } else if (status == STATUS_OK) {
        struct drift drift = {finding.drift, sizeof finding.drift, 0};
        compare(&drift, &info.config, should);
        if (drift.used > 0)
            finding.state = check->mode == SETUP_REPAIR ? SETUP_REPAIRED : SETUP_DIFFERS;
        if (finding.state == SETUP_REPAIRED)
            status = repair(check, &info.config, should);
        stream_config_fini(&info.config);
    }
    if (status == STATUS_OK && check->visit != NULL)
        check->visit(check->context, &finding);
    return status;
}

static enum status check_agents(const struct check *check)
{
    struct registry *registry;
    enum status status = registry_load(check->bus, &registry, check->err);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; status == STATUS_OK && i < registry_count(registry); i++) {
        struct stream_config config;
        status = registry_stream_config(registry_at(registry, i), &config, check->err);
        if (status != STATUS_OK)
            break;
        status = check_stream(check, &config);
        stream_config_fini(&config);
    }
    registry_free(registry);
    return status;
}

static enum status check_made(const struct check *check,
                              enum status (*make)(struct stream_config *config,
                                                  struct errinfo *err))
{
    struct stream_config config;
    enum status status = make(&config, check->err);
    if (status == STATUS_OK)
        status = check_stream(check, &config);
    stream_config_fini(&config);
    return status;
}

enum status setup_check(struct bus *bus, enum setup_mode mode, setup_visit visit, void *context,
                        struct errinfo *err)
{
    struct check check = {bus, mode, visit, context, err};
    bool changed;
    enum status status = STATUS_OK;
    if (mode != SETUP_LOOK)
        status = registry_init(bus, &changed, err);
    if (status == STATUS_OK && mode != SETUP_LOOK)
        status = revision_init(bus, &changed, err);
    if (status == STATUS_OK)
        status = check_agents(&check);
    if (status == STATUS_OK)
        status = check_made(&check, shelf_stream_config);
    if (status == STATUS_OK)
        status = check_made(&check, receipt_stream_config);
    if (status == STATUS_OK)
        status = check_made(&check, pin_stream_config);
    // The stream of events is made last: a store that has it has everything.
    return status != STATUS_OK ? status : check_made(&check, events_config);
}

enum status setup_make(struct bus *bus, struct errinfo *err)
{
    struct stream_info info;
    enum status status = bus->operations->stream_info(bus, events_stream, &info, err);
    if (status == STATUS_OK) {
        stream_config_fini(&info.config);
        return STATUS_OK;
    }
    if (status != STATUS_NOT_FOUND)
        return status;
    return setup_check(bus, SETUP_MAKE, NULL, NULL, err);
}

const char *setup_state_name(enum setup_state state)
{
    static const char *const names[] = {"ok", "missing", "created", "differs", "repaired"};
    return names[state];
}
