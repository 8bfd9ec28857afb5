// SPDX-License-Identifier: Apache-2.0
// Prints one JSON object about reading: the outline with exact counts of a 30 KB report, beside one
// plain pass over the same bytes; a section of a 10 MiB report out of the store in this process,
// beside the whole report; and how long after another process's commit a wait wakes, beside that
// process's own publish. Medians over several runs.
#include "api/hub.h"
#include "base/assert.h"
#include "base/clock.h"
#include "base/limits.h"
#include "deliver/publish.h"
#include "deliver/shelf.h"
#include "deliver/tokens.h"
#include "deliver/wait.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { RUNS = 31, SMALL_BYTES = 30000, WAKE_RUNS = 15 };

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare);
    return values[count / 2];
}

// A report of sections with prose, a table and code in each, of about `size` bytes.
static void make_report(struct buf *out, size_t size)
{
    buf_init(out, LIMIT_REPORT_BYTES);
    buf_append_string(out, "# A report\n\n## Summary\n\nWhat was found, in two sentences.\n");
    for (unsigned i = 1; out->size + 1200 < size; i++) {
        buf_printf(out, "\n## Part %u of the work\n\n", i);
        for (unsigned j = 0; j < 6; j++)
            buf_printf(out,
                       "The order desk asks for customer %u by town, and the index answers in %u "
                       "milliseconds; row %u is where it does not.\n",
                       i * 7 + j, j * 3 + 1, i);
        buf_printf(out, "\n| key | value |\n|---|---|\n| size | %u |\n\n```sql\nSELECT %u;\n```\n",
                   i, i);
    }
    ASSERT(buf_status(out) == STATUS_OK);
}

static double outline_ms(struct bytes report)
{
    double times[RUNS];
    for (int i = 0; i < RUNS; i++) {
        struct outline outline;
        int64_t start_ns = clock_monotonic_ns();
        ASSERT(outline_build(report, &outline, NULL) == STATUS_OK);
        ASSERT(outline_count(&outline, report, tokens_count) == STATUS_OK);
        times[i] = (double)(clock_monotonic_ns() - start_ns) / 1e6;
        outline_fini(&outline);
    }
    return median(times, RUNS);
}

static double pass_ms(struct bytes report)
{
    double times[RUNS];
    volatile unsigned sum = 0;
    for (int i = 0; i < RUNS; i++) {
        int64_t start_ns = clock_monotonic_ns();
        for (size_t at = 0; at < report.size; at++)
            sum = sum + (unsigned char)report.data[at];
        times[i] = (double)(clock_monotonic_ns() - start_ns) / 1e6;
    }
    return median(times, RUNS);
}

struct place {
    struct hub *hub;
    struct read_source source;
};

static void place_open(struct place *place, const char *home)
{
    struct hub_options options = {.home = home, .author = "bench", .lock_wait_ms = -1};
    ASSERT(hub_open(&options, &place->hub, NULL) == STATUS_OK);
    ASSERT(hub_bus(place->hub, HUB_CREATE, &place->source.bus, NULL) == STATUS_OK);
    ASSERT(hub_registry(place->hub, HUB_CREATE, &place->source.registry, NULL) == STATUS_OK);
}

static void publish(const struct place *place, const char *feature, struct bytes body)
{
    struct publish_outcome outcome;
    struct publish_request request = {
        .agent = BYTES("cynthia"),
        .type = BYTES("research"),
        .feature = bytes_of_string(feature),
        .body = body,
        .base = PUBLISH_ANY_BASE,
        .status = NOTICE_COMPLETE,
        .now_ns = clock_realtime_ns(),
    };
    ASSERT(publish_report(&place->source, &request, &outcome, NULL) == STATUS_OK);
}

// One section out of the middle of a large report, and the whole report.
static void read_large(const struct place *place, double *section_us, double *whole_us)
{
    struct ref ref;
    struct report report;
    struct outline outline;
    struct buf storage, part;
    double times[RUNS];
    buf_init(&storage, LIMIT_MESSAGE_BYTES);
    buf_init(&part, LIMIT_MESSAGE_BYTES);
    ASSERT(ref_parse(BYTES("cynthia/research/large"), &ref, NULL) == STATUS_OK);
    ASSERT(read_report(&place->source, &ref, BUS_HEAD, &storage, &report, NULL) == STATUS_OK);
    ASSERT(shelf_outline(place->source.bus, &report, &storage, &outline, NULL) == STATUS_OK);
    uint32_t middle = outline.count / 2;
    struct section_range range = {outline.sections[middle].from, outline.sections[middle].to};
    for (int i = 0; i < RUNS; i++) {
        struct bytes text;
        int64_t start_ns = clock_monotonic_ns();
        ASSERT(shelf_range(place->source.bus, &report, range, &part, &text, NULL) == STATUS_OK);
        times[i] = (double)(clock_monotonic_ns() - start_ns) / 1e3;
        ASSERT(text.size == range.to - range.from);
    }
    *section_us = median(times, RUNS);
    for (int i = 0; i < RUNS; i++) {
        int64_t start_ns = clock_monotonic_ns();
        ASSERT(read_report(&place->source, &ref, BUS_ALL, &part, &report, NULL) == STATUS_OK);
        times[i] = (double)(clock_monotonic_ns() - start_ns) / 1e3;
    }
    *whole_us = median(times, RUNS);
    outline_fini(&outline);
    buf_fini(&part);
    buf_fini(&storage);
}

// What is waited for is told here; that the kernel takes its time to close a watch comes later.
static enum status woken(void *context, size_t index, const struct report *report)
{
    int64_t *woke_ns = context;
    (void)index;
    (void)report;
    *woke_ns = clock_monotonic_ns();
    return STATUS_OK;
}

struct wake {
    int64_t published_ns; // when the writer's publish returned
    int64_t publish_ns;   // how long it took
};

// The writer: its own process, its own opening of the store.
static void write_from_child(const char *home, const char *feature, int out)
{
    struct place place;
    struct wake wake;
    const struct timespec pause = {.tv_nsec = 20000000};
    (void)nanosleep(&pause, NULL); // until the reader waits
    int64_t start_ns = clock_monotonic_ns();
    place_open(&place, home);
    publish(&place, feature, BYTES("# Done\n"));
    wake.published_ns = clock_monotonic_ns();
    wake.publish_ns = wake.published_ns - start_ns;
    hub_close(place.hub);
    ASSERT(write(out, &wake, sizeof wake) == (ssize_t)sizeof wake);
    _exit(0);
}

static void wake_once(const char *home, unsigned run, double *wake_ms, double *publish_ms)
{
    int ends[2];
    char feature[32], text[64];
    struct ref ref;
    struct wake wake;
    struct place place;
    (void)snprintf(feature, sizeof feature, "wake-%u", run);
    (void)snprintf(text, sizeof text, "cynthia/research/%s", feature);
    ASSERT(ref_parse(bytes_of_string(text), &ref, NULL) == STATUS_OK);
    ASSERT(pipe(ends) == 0);
    pid_t child = fork();
    ASSERT(child >= 0);
    if (child == 0)
        write_from_child(home, feature, ends[1]);
    place_open(&place, home);
    struct wait_request request = {
        .refs = &ref, .count = 1, .quorum = 1, .any_status = true, .timeout_ms = 10000};
    int64_t woke_ns = 0;
    ASSERT(wait_for(&place.source, &request, woken, &woke_ns, NULL) == STATUS_OK);
    ASSERT(read(ends[0], &wake, sizeof wake) == (ssize_t)sizeof wake);
    ASSERT(waitpid(child, NULL, 0) == child);
    hub_close(place.hub);
    (void)close(ends[0]);
    (void)close(ends[1]);
    *wake_ms = (double)(woke_ns - wake.published_ns) / 1e6;
    *publish_ms = (double)wake.publish_ns / 1e6;
}

int main(void)
{
    char home[] = "/tmp/agog-bench-XXXXXX";
    struct place place;
    struct buf small, large;
    double section_us, whole_us, wake_ms[WAKE_RUNS], publish_ms[WAKE_RUNS];
    ASSERT(mkdtemp(home) != NULL);
    make_report(&small, SMALL_BYTES);
    make_report(&large, LIMIT_REPORT_BYTES);
    double outlined = outline_ms(buf_bytes(&small));
    double passed = pass_ms(buf_bytes(&small));
    place_open(&place, home);
    publish(&place, "large", buf_bytes(&large));
    read_large(&place, &section_us, &whole_us);
    hub_close(place.hub);
    for (unsigned i = 0; i < WAKE_RUNS; i++)
        wake_once(home, i, &wake_ms[i], &publish_ms[i]);
    json_t *result = json_pack("{s:s, s:i, s:f, s:f, s:i, s:f, s:f, s:f, s:f}", "bench", "reading",
                               "report_bytes", (int)small.size, "outline_and_counts_ms", outlined,
                               "one_plain_pass_ms", passed, "large_report_bytes", (int)large.size,
                               "section_of_large_us", section_us, "whole_large_us", whole_us,
                               "wait_wakes_after_commit_ms", median(wake_ms, WAKE_RUNS),
                               "that_publish_ms", median(publish_ms, WAKE_RUNS));
    (void)json_dumpf(result, stdout, JSON_COMPACT);
    (void)putchar('\n');
    json_decref(result);
    buf_fini(&small);
    buf_fini(&large);
    char command[64];
    (void)snprintf(command, sizeof command, "rm -r %s", home);
    return system(command) == 0 ? 0 : 1;
}
