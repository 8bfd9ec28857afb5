// SPDX-License-Identifier: Apache-2.0
// What the catalog's tests share: a home in a directory of its own, a bus in memory with the
// agents' streams, and short forms that fail the test when something unexpected comes back.
#pragma once

#include "bus/fakebus.h"
#include "catalog/catalog.h"

enum { KIT_HITS_MAX = 64 };

struct kit_hit {
    char ref[REF_TEXT_SIZE];
    char report_title[400];
    char section_title[400];
    char snippet[600];
    double score;
    size_t tokens;
    int64_t time_ns;
    bool latest;
};

struct kit {
    char home[64];
    struct bus *bus;
    struct registry *registry;
    struct read_source source;
    struct catalog *catalog;
    struct kit_hit hits[KIT_HITS_MAX]; // of the last search
    size_t count;
    struct catalog_found found;
    struct errinfo err;
};

// cmocka's setup and teardown; *state becomes the kit, its catalog open.
int kit_setup(void **state);
int kit_teardown(void **state);

// Publishes as roy/backend/<feature>, or as "agent/type/feature"; returns the sequence.
uint64_t kit_publish(struct kit *kit, const char *name, const char *text);

struct catalog *kit_open(struct kit *kit);
void kit_reopen(struct kit *kit);
struct catalog_update kit_update(struct kit *kit);

// Updates and searches; the hits are in the kit.
void kit_search(struct kit *kit, const char *text);
void kit_query(struct kit *kit, const struct catalog_query *query); // without an update

// Expects the refs of the last search, separated by blanks, in this order.
void kit_expect(const struct kit *kit, const char *refs);

// The path of the catalog's file.
const char *kit_path(const struct kit *kit, char path[128]);
