// SPDX-License-Identifier: Apache-2.0
#include "wire/pull_request.h"

#include "wire/jsonfields.h"

#include <stdlib.h>
#include <string.h>

// As the JSON has it: its strings are owned.
struct document {
    int64_t batch;
    int64_t expires_ns;
    int64_t max_bytes;
    int64_t heartbeat_ns;
    bool no_wait;
    uint64_t min_pending;
    uint64_t min_ack_pending;
    int priority;
    char *group;
    char *id;
};

#define AT(member) offsetof(struct document, member)

static const struct jsonfield fields[] = {
    {"batch", JSONFIELD_INTEGER, AT(batch), NULL, false},
    {"expires", JSONFIELD_INTEGER, AT(expires_ns), NULL, false},
    {"max_bytes", JSONFIELD_INTEGER, AT(max_bytes), NULL, false},
    {"idle_heartbeat", JSONFIELD_INTEGER, AT(heartbeat_ns), NULL, false},
    {"no_wait", JSONFIELD_BOOL, AT(no_wait), NULL, false},
    {"min_pending", JSONFIELD_UNSIGNED, AT(min_pending), NULL, false},
    {"min_ack_pending", JSONFIELD_UNSIGNED, AT(min_ack_pending), NULL, false},
    {"priority", JSONFIELD_INT, AT(priority), NULL, false},
    {"group", JSONFIELD_STRING, AT(group), NULL, false},
    {"id", JSONFIELD_STRING, AT(id), NULL, false},
};
enum { FIELD_COUNT = sizeof fields / sizeof fields[0] };

static bool fits(const char *text, char *to, size_t size)
{
    if (text == NULL)
        return true;
    if (strlen(text) >= size)
        return false;
    memcpy(to, text, strlen(text) + 1);
    return true;
}

static int64_t at_least(int64_t least, int64_t value)
{
    return value < least ? least : value;
}

static enum status read_object(const json_t *object, struct pull_request *request,
                               struct errinfo *err)
{
    struct document document = {.batch = 0};
    enum status status = jsonfields_read(fields, FIELD_COUNT, object, &document, err);
    struct pull_request read = {
        .batch = at_least(1, document.batch),
        // A time that lies behind has run out.
        .expires_ns = document.expires_ns < 0 ? 1 : document.expires_ns,
        .max_bytes = at_least(0, document.max_bytes),
        .heartbeat_ns = at_least(0, document.heartbeat_ns),
        .no_wait = document.no_wait,
        .is_object = true,
        .min_pending = document.min_pending,
        .min_ack_pending = document.min_ack_pending,
        .priority = document.priority,
    };
    if (status == STATUS_OK && read.heartbeat_ns > read.expires_ns / 2)
        status = errinfo_set(err, STATUS_INVALID, "heartbeat value too large");
    if (status == STATUS_OK && (!fits(document.group, read.group, sizeof read.group) ||
                                !fits(document.id, read.id, sizeof read.id)))
        status = errinfo_set(err, STATUS_INVALID, "group or id is too long");
    jsonfields_free(fields, FIELD_COUNT, &document);
    if (status == STATUS_OK)
        *request = read;
    return status;
}

enum status pull_request_read(struct bytes body, struct pull_request *request, struct errinfo *err)
{
    struct bytes text = bytes_trim(body);
    uint64_t batch;
    json_t *object;
    if (text.size == 0 || text.data[0] != '{') {
        if (!bytes_to_u64(text, &batch) || batch == 0 || batch > INT64_MAX)
            batch = 1;
        *request = (struct pull_request){.batch = (int64_t)batch};
        return STATUS_OK;
    }
    enum status status = jsonfields_parse(text, "pull request", &object, err);
    if (status != STATUS_OK)
        return status;
    status = read_object(object, request, err);
    json_decref(object);
    return status;
}

// One number with its unit, as "1.5s", off the front of a text.
static bool take_duration(struct bytes *text, double *ns)
{
    static const struct {
        const char *unit;
        double ns;
    } units[] = {{"ns", 1},   {"us", 1e3}, {"\302\265s", 1e3}, {"\316\274s", 1e3},
                 {"ms", 1e6}, {"s", 1e9},  {"m", 60e9},        {"h", 3600e9}};
    size_t digits = 0;
    double number = 0;
    double place = 0; // of the next digit behind the point
    while (text->size > 0 && (text->data[0] == '.' || (*text->data >= '0' && *text->data <= '9'))) {
        char c = text->data[0];
        *text = bytes_from(*text, 1);
        if (c == '.' && place > 0)
            return false;
        if (c == '.') {
            place = 0.1;
            continue;
        }
        digits++;
        number = place > 0 ? number + (c - '0') * place : number * 10 + (c - '0');
        place /= 10;
    }
    for (size_t i = 0; digits > 0 && i < sizeof units / sizeof units[0]; i++) {
        struct bytes unit = bytes_of_string(units[i].unit);
        if (!bytes_start_with(*text, unit))
            continue;
        *text = bytes_from(*text, unit.size);
        *ns += number * units[i].ns;
        return true;
    }
    return false;
}

static int64_t delay_of(double ns)
{
    return ns < 9e18 ? (int64_t)(ns + 0.5) : 0;
}

int64_t pull_request_nak_delay(struct bytes argument)
{
    struct bytes text = bytes_trim(argument);
    double ns = 0;
    if (text.size > 0 && text.data[0] == '{') {
        json_t *object = json_loadb(text.data, text.size, 0, NULL);
        json_int_t delay = json_integer_value(json_object_get(object, "delay"));
        json_decref(object);
        return delay > 0 ? delay : 0;
    }
    while (text.size > 0)
        if (!take_duration(&text, &ns))
            return 0;
    return delay_of(ns);
}
