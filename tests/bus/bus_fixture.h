// SPDX-License-Identifier: Apache-2.0
// A bus on a store of its own, and short forms of what the tests do with a bus. Include cmocka.h
// before it.
#pragma once

#include "../tempdir.h"
#include "bus/bus_embedded.h"
#include "wire/headers.h"

static inline void *fixture_make_place(void)
{
    char *home = malloc(TEMPDIR_SIZE);
    assert_non_null(home);
    tempdir_make(home);
    return home;
}

static inline const char *fixture_address(void *place)
{
    return place;
}

static inline struct bus *fixture_open_place(const char *place)
{
    struct bus *bus = NULL;
    struct errinfo err = {.text = ""};
    struct bus_embedded_options options = {
        .home = place, .create = true, .lock_wait_ms = 60000, .holder = "test"};
    if (bus_embedded_open(&options, &bus, &err) != STATUS_OK)
        fprintf(stderr, "open: %s\n", err.text);
    return bus;
}

static inline void fixture_remove_place(void *place)
{
    tempdir_remove(place);
    free(place);
}

static inline enum status bus_create_replicated(struct bus *bus, const char *json, int replicas,
                                                bool *created, struct errinfo *err)
{
    struct stream_config config;
    stream_config_init(&config);
    enum status status = stream_config_from_json(&config, bytes_of_string(json), err);
    if (replicas > 0)
        config.replicas = replicas;
    if (status == STATUS_OK)
        status = bus->operations->stream_create(bus, &config, created, err);
    stream_config_fini(&config);
    return status;
}

// `json` is the configuration as the JetStream API has it.
static inline enum status bus_create(struct bus *bus, const char *json, bool *created,
                                     struct errinfo *err)
{
    return bus_create_replicated(bus, json, 0, created, err);
}

// `lines` are header lines as "A: b\r\n", NULL for none.
static inline enum status bus_put(struct bus *bus, const char *subject, const char *lines,
                                  struct bytes body, struct bus_ack *ack, struct errinfo *err)
{
    struct buf headers;
    buf_init(&headers, SIZE_MAX);
    if (lines != NULL) {
        headers_begin(&headers);
        buf_append_string(&headers, lines);
        headers_end(&headers);
    }
    struct bus_message message = {
        .subject = bytes_of_string(subject), .headers = buf_bytes(&headers), .body = body};
    enum status status = bus->operations->publish(bus, &message, ack, err);
    buf_fini(&headers);
    return status;
}
