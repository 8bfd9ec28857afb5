// SPDX-License-Identifier: Apache-2.0
// Prints one JSON object about search: how fast reports of 30 KB are indexed; the size of the
// index; and how long a query takes on that, for words from rare to everywhere, medians and the
// slowest. The number of reports is the first argument, 60,000 without one.
//
// Words are drawn by Zipf's law from a vocabulary of 50,000, in 40 sections a report.
#include "base/assert.h"
#include "base/clock.h"
#include "base/limits.h"
#include "catalog/catalog.h"
#include "deliver/shelf.h"
#include "deliver/tokens.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { REPORT_BYTES = 30000, SECTIONS = 40, VOCABULARY = 50000, TEXTS = 500, RUNS = 21 };

struct words {
    uint64_t state;
    double total;
    double *cumulated;
};

static uint64_t next(struct words *words)
{
    uint64_t z = words->state += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

static void words_init(struct words *words)
{
    *words = (struct words){.state = 1};
    words->cumulated = malloc(VOCABULARY * sizeof *words->cumulated);
    ASSERT(words->cumulated != NULL);
    for (size_t i = 0; i < VOCABULARY; i++) {
        words->total += 1.0 / (double)(i + 2);
        words->cumulated[i] = words->total;
    }
}

static size_t draw(struct words *words)
{
    double at = (double)(next(words) >> 11) / 9007199254740992.0 * words->total;
    size_t low = 0;
    size_t high = VOCABULARY - 1;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (words->cumulated[middle] < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// A word of the vocabulary: consonants and vowels in turn, so that no stem cuts much off.
static void append_word(struct buf *out, size_t rank)
{
    size_t rest = rank + 40;
    for (; rest > 0; rest /= 100) {
        buf_append_byte(out, "bcdfghjklmnpqrtvwxzk"[rest % 20]);
        buf_append_byte(out, "aouao"[rest / 20 % 5]);
    }
    buf_append_string(out, &"kumandok"[rank * 7 % 8]);
}

static void make_report(struct words *words, size_t number, struct buf *out)
{
    buf_clear(out);
    buf_printf(out, "# Report %zu\n\n", number);
    for (size_t i = 1; i < SECTIONS; i++) {
        buf_append_string(out, i % 3 == 0 ? "### " : "## ");
        append_word(out, draw(words));
        buf_append_byte(out, ' ');
        append_word(out, draw(words));
        buf_append_string(out, "\n\n");
        while (out->size < i * REPORT_BYTES / (SECTIONS - 1)) {
            append_word(out, draw(words));
            buf_append_string(out, next(words) % 12 == 0 ? ".\n" : " ");
        }
        buf_append_string(out, "\n\n");
    }
    ASSERT(buf_status(out) == STATUS_OK);
}

// A bus that holds only so many texts with their outlines, and gives each again and again: what is
// measured is not it.
struct endless {
    struct bus bus;
    uint64_t reports;
    struct buf texts[TEXTS];
    struct buf outlines[TEXTS];
    char outline_subjects[TEXTS][128];
    size_t outline_count;
};

static enum status keep_outline(struct bus *bus, const struct bus_message *message,
                                struct bus_ack *ack, struct errinfo *err)
{
    struct endless *endless = (struct endless *)(void *)bus;
    size_t at = endless->outline_count++;
    ASSERT(at < TEXTS);
    (void)err;
    snprintf(endless->outline_subjects[at], sizeof endless->outline_subjects[at], "%.*s",
             BYTES_ARG(message->subject));
    buf_init(&endless->outlines[at], LIMIT_MESSAGE_BYTES);
    buf_append(&endless->outlines[at], message->body);
    *ack = (struct bus_ack){.seq = at + 1};
    return buf_status(&endless->outlines[at]);
}

static enum status give_outline(const struct endless *endless, const struct bus_get *what,
                                struct buf *storage, struct bus_message *message,
                                struct errinfo *err)
{
    for (size_t i = 0; i < endless->outline_count; i++) {
        struct bytes subject = bytes_of_string(endless->outline_subjects[i]);
        if (!bytes_equal(subject, what->subject))
            continue;
        buf_clear(storage);
        buf_append(storage, buf_bytes(&endless->outlines[i]));
        *message = (struct bus_message){
            .seq = i + 1, .subject = subject, .body = buf_bytes(storage)};
        return STATUS_OK;
    }
    return errinfo_set(err, STATUS_NOT_FOUND, "no outline");
}

static const char bench_stream[] = "agog_features_backend";

static enum status info(struct bus *bus, const char *stream, struct stream_info *out,
                        struct errinfo *err)
{
    const struct endless *endless = (const struct endless *)(const void *)bus;
    if (strcmp(stream, bench_stream) != 0)
        return STATUS_NOT_FOUND;
    (void)err;
    *out = (struct stream_info){.created_ns = 1};
    stream_config_init(&out->config);
    out->state.messages = endless->reports;
    out->state.first_seq = 1;
    out->state.last_seq = endless->reports;
    return STATUS_OK;
}

static enum status get(struct bus *bus, const char *stream, const struct bus_get *what,
                       struct buf *storage, struct bus_message *message, struct errinfo *err)
{
    const struct endless *endless = (const struct endless *)(const void *)bus;
    if (strcmp(stream, "agog_outlines") == 0)
        return give_outline(endless, what, storage, message, err);
    if (strcmp(stream, bench_stream) != 0 || what->seq > endless->reports)
        return errinfo_set(err, STATUS_NOT_FOUND, "no message");
    const struct buf *text = &endless->texts[what->seq % TEXTS];
    size_t heads[3];
    buf_clear(storage);
    buf_printf(storage, "agog.deliverables.roy.backend.feature-%llu",
               (unsigned long long)what->seq);
    heads[0] = storage->size;
    buf_printf(storage,
               "NATS/1.0\r\nAgog-Rev: 1\r\nAgog-Digest: sha256:%064llu\r\nAgog-Bytes: %zu\r\n"
               "Agog-Title: Report %llu\r\n\r\n",
               (unsigned long long)what->seq % TEXTS, text->size, (unsigned long long)what->seq);
    heads[1] = storage->size;
    if (what->part == BUS_ALL)
        buf_append(storage, buf_bytes(text));
    if (what->part == BUS_RANGE)
        buf_append(storage, bytes_slice(buf_bytes(text), (size_t)what->range_from,
                                        (size_t)what->range_size));
    struct bytes all = buf_bytes(storage);
    *message = (struct bus_message){.seq = what->seq,
                                    .time_ns = (int64_t)what->seq * 1000000000,
                                    .subject = bytes_slice(all, 0, heads[0]),
                                    .headers = bytes_slice(all, heads[0], heads[1] - heads[0]),
                                    .body = bytes_from(all, heads[1])};
    return STATUS_OK;
}

static enum status last_each(struct bus *bus, const char *stream, const struct bus_get *filter,
                             bus_visit_message visit, void *context, struct errinfo *err)
{
    (void)bus;
    (void)filter;
    (void)visit;
    (void)context;
    return errinfo_set(err, STATUS_NOT_FOUND, "no stream %s", stream);
}

// What indexing and searching ask of a bus, and the registry, which finds none.
static const struct bus_operations operations = {
    .stream_info = info,
    .get = get,
    .publish = keep_outline,
    .last_each = last_each,
};

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static enum status count_hit(void *context, const struct catalog_hit *hit)
{
    (void)hit;
    ++*(size_t *)context;
    return STATUS_OK;
}

static void measure_query(struct catalog *catalog, json_t *results, const char *name,
                          const char *text)
{
    double times[RUNS];
    struct catalog_found found;
    struct errinfo err;
    for (int i = 0; i < RUNS; i++) {
        size_t hits = 0;
        struct catalog_query query = {.text = bytes_of_string(text)};
        int64_t before = clock_monotonic_ns();
        enum status status = catalog_search(catalog, &query, count_hit, &hits, &found, &err);
        times[i] = (double)(clock_monotonic_ns() - before) / 1e6;
        if (status != STATUS_OK)
            fprintf(stderr, "%s: %s\n", text, err.text);
    }
    qsort(times, RUNS, sizeof times[0], compare);
    json_object_set_new(results, name,
                        json_pack("{s:s, s:f, s:f, s:I, s:b}", "query", text, "median_ms",
                                  times[RUNS / 2], "slowest_ms", times[RUNS - 1], "matches",
                                  (json_int_t)found.matches, "more", found.more));
}

static void word_text(char *out, size_t size, size_t rank)
{
    struct buf buf;
    buf_init(&buf, 64);
    append_word(&buf, rank);
    snprintf(out, size, "%s", buf_string(&buf));
    buf_fini(&buf);
}

static json_t *measure_queries(struct catalog *catalog)
{
    char everywhere[32];
    char common[32];
    char rare[32];
    char text[128];
    json_t *results = json_object();
    word_text(everywhere, sizeof everywhere, 0);
    word_text(common, sizeof common, 200);
    word_text(rare, sizeof rare, 20000);
    measure_query(catalog, results, "rare", rare);
    measure_query(catalog, results, "common", common);
    measure_query(catalog, results, "everywhere", everywhere);
    snprintf(text, sizeof text, "%s %s", common, rare);
    measure_query(catalog, results, "common_and_rare", text);
    snprintf(text, sizeof text, "%s %s", everywhere, common);
    measure_query(catalog, results, "two_common", text);
    snprintf(text, sizeof text, "%s OR %s", everywhere, common);
    measure_query(catalog, results, "either", text);
    snprintf(text, sizeof text, "\"%s %s\"", everywhere, common);
    measure_query(catalog, results, "phrase", text);
    snprintf(text, sizeof text, "%.3s*", rare);
    measure_query(catalog, results, "prefix", text);
    snprintf(text, sizeof text, "%s -%s", rare, everywhere);
    measure_query(catalog, results, "excluded", text);
    return results;
}

static double file_bytes(const char *home, const char *name)
{
    char path[160];
    struct stat found;
    snprintf(path, sizeof path, "%s/catalog/%s", home, name);
    double size = stat(path, &found) == 0 ? (double)found.st_size : 0;
    unlink(path);
    return size;
}

static void fill_texts(struct endless *endless)
{
    struct words words;
    struct errinfo err;
    words_init(&words);
    for (size_t i = 0; i < TEXTS; i++) {
        char digest[REPORT_DIGEST_SIZE];
        struct outline outline;
        struct buf *text = &endless->texts[i];
        buf_init(text, 2 * (size_t)REPORT_BYTES);
        make_report(&words, i, text);
        snprintf(digest, sizeof digest, "sha256:%064zu", i);
        ASSERT(outline_build(buf_bytes(text), &outline, &err) == STATUS_OK);
        ASSERT(outline_count(&outline, buf_bytes(text), tokens_count) == STATUS_OK);
        ASSERT(shelf_put(&endless->bus, digest, &outline, &err) == STATUS_OK);
        outline_fini(&outline);
    }
    free(words.cumulated);
}

static void bench(struct endless *endless, const char *home)
{
    struct registry *registry;
    struct catalog *catalog;
    struct catalog_update update;
    struct errinfo err;
    ASSERT(registry_load(&endless->bus, &registry, &err) == STATUS_OK);
    struct read_source source = {&endless->bus, registry};
    ASSERT(catalog_open(home, &source, &catalog, &err) == STATUS_OK);
    int64_t before = clock_monotonic_ns();
    enum status status = catalog_update(catalog, &update, &err);
    double seconds = (double)(clock_monotonic_ns() - before) / 1e9;
    if (status != STATUS_OK)
        fprintf(stderr, "indexing: %s\n", err.text);
    before = clock_monotonic_ns();
    status = catalog_update(catalog, &update, &err);
    double again_us = (double)(clock_monotonic_ns() - before) / 1e3;
    json_t *queries = measure_queries(catalog);
    catalog_close(catalog);
    registry_free(registry);
    double index_bytes = file_bytes(home, "catalog.db");
    file_bytes(home, "catalog.db-wal");
    file_bytes(home, "catalog.db-shm");
    double reports = (double)endless->reports;
    json_t *document = json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:o}", "reports", reports,
                                 "indexing_s", seconds, "reports_per_s", reports / seconds,
                                 "text_mb_per_s", reports * REPORT_BYTES / seconds / 1e6,
                                 "index_share_of_text", index_bytes / (reports * REPORT_BYTES),
                                 "update_with_nothing_new_us", again_us, "queries", queries);
    json_dumpf(document, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(4));
    putchar('\n');
    json_decref(document);
}

int main(int argc, char **argv)
{
    char home[] = "/tmp/agog-bench-catalog-XXXXXX";
    char path[64];
    struct endless *endless = calloc(1, sizeof *endless);
    ASSERT(endless != NULL && mkdtemp(home) != NULL);
    endless->bus.operations = &operations;
    endless->reports = argc > 1 ? strtoull(argv[1], NULL, 10) : 60000;
    fill_texts(endless);
    bench(endless, home);
    for (size_t i = 0; i < TEXTS; i++) {
        buf_fini(&endless->texts[i]);
        buf_fini(&endless->outlines[i]);
    }
    free(endless);
    snprintf(path, sizeof path, "%s/catalog", home);
    rmdir(path);
    rmdir(home);
    return 0;
}
