// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "catalogkit.h"

#include "deliver/publish.h"
#include "deliver/revision.h"
#include "deliver/shelf.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void create_stream(struct kit *kit, struct stream_config *config)
{
    bool created;
    assert_int_equal(kit->bus->operations->stream_create(kit->bus, config, &created, &kit->err),
                     STATUS_OK);
    stream_config_fini(config);
}

static void create_streams(struct kit *kit)
{
    bool changed;
    struct stream_config config;
    assert_int_equal(revision_init(kit->bus, &changed, &kit->err), STATUS_OK);
    assert_int_equal(shelf_stream_config(&config, &kit->err), STATUS_OK);
    create_stream(kit, &config);
    for (size_t i = 0; i < registry_count(kit->registry); i++) {
        assert_int_equal(registry_stream_config(registry_at(kit->registry, i), &config, &kit->err),
                         STATUS_OK);
        create_stream(kit, &config);
    }
}

int kit_setup(void **state)
{
    struct kit *kit = calloc(1, sizeof *kit);
    assert_non_null(kit);
    strcpy(kit->home, "/tmp/agog-catalog-XXXXXX");
    assert_non_null(mkdtemp(kit->home));
    kit->bus = fakebus_new();
    assert_non_null(kit->bus);
    assert_int_equal(registry_load(kit->bus, &kit->registry, &kit->err), STATUS_OK);
    create_streams(kit);
    kit->source = (struct read_source){kit->bus, kit->registry};
    kit->catalog = kit_open(kit);
    *state = kit;
    return 0;
}

static void remove_file(const struct kit *kit, const char *suffix)
{
    char path[128];
    char name[160];
    snprintf(name, sizeof name, "%s%s", kit_path(kit, path), suffix);
    unlink(name);
}

int kit_teardown(void **state)
{
    char path[128];
    struct kit *kit = *state;
    catalog_close(kit->catalog);
    registry_free(kit->registry);
    bus_close(kit->bus);
    remove_file(kit, "");
    remove_file(kit, "-wal");
    remove_file(kit, "-shm");
    snprintf(path, sizeof path, "%s/catalog", kit->home);
    rmdir(path);
    rmdir(kit->home);
    free(kit);
    return 0;
}

uint64_t kit_publish(struct kit *kit, const char *name, const char *text)
{
    struct publish_outcome outcome;
    struct bytes parts[3] = {BYTES("roy"), BYTES("backend"), bytes_of_string(name)};
    struct bytes rest;
    struct bytes agent = bytes_cut(bytes_of_string(name), '/', &rest);
    if (rest.data != NULL) {
        parts[0] = agent;
        parts[1] = bytes_cut(rest, '/', &parts[2]);
    }
    struct publish_request request = {.agent = parts[0],
                                      .type = parts[1],
                                      .feature = parts[2],
                                      .body = bytes_of_string(text),
                                      .author = BYTES("test"),
                                      .base = PUBLISH_ANY_BASE,
                                      .now_ns = 1};
    enum status status = publish_report(&kit->source, &request, &outcome, &kit->err);
    if (status != STATUS_OK)
        fail_msg("publishing %s: %s", name, kit->err.text);
    return outcome.seq;
}

struct catalog *kit_open(struct kit *kit)
{
    struct catalog *catalog;
    enum status status = catalog_open(kit->home, &kit->source, &catalog, &kit->err);
    if (status != STATUS_OK)
        fail_msg("opening: %s", kit->err.text);
    return catalog;
}

void kit_reopen(struct kit *kit)
{
    catalog_close(kit->catalog);
    kit->catalog = kit_open(kit);
}

struct catalog_update kit_update(struct kit *kit)
{
    struct catalog_update update;
    if (catalog_update(kit->catalog, &update, &kit->err) != STATUS_OK)
        fail_msg("updating: %s", kit->err.text);
    return update;
}

static void copy(char *to, size_t size, struct bytes text)
{
    assert_true(text.size < size);
    memcpy(to, text.data == NULL ? "" : text.data, text.size);
    to[text.size] = '\0';
}

static enum status keep(void *context, const struct catalog_hit *hit)
{
    struct kit *kit = context;
    assert_true(kit->count < KIT_HITS_MAX);
    struct kit_hit *kept = &kit->hits[kit->count++];
    ref_format(&hit->ref, REF_FORM_TEXT, kept->ref);
    copy(kept->report_title, sizeof kept->report_title, hit->report_title);
    copy(kept->section_title, sizeof kept->section_title, hit->section_title);
    copy(kept->snippet, sizeof kept->snippet, hit->snippet);
    kept->score = hit->score;
    kept->tokens = hit->tokens;
    kept->time_ns = hit->time_ns;
    kept->latest = hit->latest;
    return STATUS_OK;
}

void kit_query(struct kit *kit, const struct catalog_query *query)
{
    kit->count = 0;
    enum status status = catalog_search(kit->catalog, query, keep, kit, &kit->found, &kit->err);
    if (status != STATUS_OK)
        fail_msg("searching %.*s: %s", BYTES_ARG(query->text), kit->err.text);
}

void kit_search(struct kit *kit, const char *text)
{
    kit_update(kit);
    kit_query(kit, &(struct catalog_query){.text = bytes_of_string(text)});
}

void kit_expect(const struct kit *kit, const char *refs)
{
    char got[4096] = "";
    for (size_t i = 0; i < kit->count; i++) {
        strncat(got, i == 0 ? "" : " ", sizeof got - strlen(got) - 1);
        strncat(got, kit->hits[i].ref, sizeof got - strlen(got) - 1);
    }
    assert_string_equal(got, refs);
}

const char *kit_path(const struct kit *kit, char path[128])
{
    snprintf(path, 128, "%s/catalog/catalog.db", kit->home);
    return path;
}
