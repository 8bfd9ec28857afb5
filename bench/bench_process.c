// SPDX-License-Identifier: Apache-2.0
// Prints one JSON object about whole processes, as an agent with a shell starts them: `agog
// publish` and `agog fetch` of a 30 KB report on a store that has AGOG_BENCH_REPORTS reports of
// that size (default 6,000; the goal is stated for 60,000), beside a process that does nothing.
// Medians.
//
// The program is AGOG_BENCH_PROGRAM, else the agog beside this build's bench directory.
#include "api/hub.h"
#include "base/assert.h"
#include "base/clock.h"
#include "base/limits.h"
#include "bus/bus.h"

#include <fcntl.h>
#include <jansson.h>
#include <libgen.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RUNS = 21, REPORT_BYTES = 30000, WRITERS = 64 };

static const char *const agents[] = {"billy/qa",         "cynthia/research", "jen/frontend",
                                     "priya/statistics", "roy/backend",      "sylvia/critique"};

enum { AGENTS = sizeof agents / sizeof agents[0] };

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

// Runs a program with its output thrown away; milliseconds.
static double run_ms(const char *const *arguments)
{
    int64_t start_ns = clock_monotonic_ns();
    pid_t child = fork();
    ASSERT(child >= 0);
    if (child == 0) {
        int nowhere = open("/dev/null", O_RDWR);
        (void)dup2(nowhere, 1);
        (void)dup2(nowhere, 2);
        (void)execv(arguments[0], (char *const *)(uintptr_t)arguments);
        _exit(127);
    }
    int status;
    ASSERT(waitpid(child, &status, 0) == child);
    ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return (double)(clock_monotonic_ns() - start_ns) / 1e6;
}

static double median_ms(const char *const *arguments)
{
    double times[RUNS];
    for (int i = 0; i < RUNS; i++)
        times[i] = run_ms(arguments);
    qsort(times, RUNS, sizeof times[0], compare);
    return times[RUNS / 2];
}

struct filling {
    struct bus *bus;
    unsigned first;
    unsigned count;
    const char *body;
};

// One of many writers, so that they share syncs.
static void *fill(void *context)
{
    const struct filling *filling = context;
    for (unsigned i = filling->first; i < filling->count; i += WRITERS) {
        char name[32], subject[128];
        struct bus_ack ack;
        (void)snprintf(name, sizeof name, "%s", agents[i % AGENTS]);
        *strchr(name, '/') = '.';
        (void)snprintf(subject, sizeof subject, "agog.deliverables.%s.f%u", name, i);
        struct bus_message message = {.subject = bytes_of_string(subject),
                                      .body = bytes_of(filling->body, REPORT_BYTES)};
        ASSERT(filling->bus->operations->publish(filling->bus, &message, &ack, NULL) == STATUS_OK);
    }
    return NULL;
}

static void fill_store(const char *home, unsigned count, const char *body)
{
    struct hub *hub;
    struct bus *bus;
    pthread_t threads[WRITERS];
    struct filling fillings[WRITERS];
    struct hub_options options = {.home = home, .author = "bench", .lock_wait_ms = -1};
    ASSERT(hub_open(&options, &hub, NULL) == STATUS_OK);
    ASSERT(hub_bus(hub, HUB_CREATE, &bus, NULL) == STATUS_OK);
    for (unsigned i = 0; i < WRITERS; i++) {
        fillings[i] = (struct filling){bus, i, count, body};
        ASSERT(pthread_create(&threads[i], NULL, fill, &fillings[i]) == 0);
    }
    for (unsigned i = 0; i < WRITERS; i++)
        ASSERT(pthread_join(threads[i], NULL) == 0);
    hub_close(hub);
}

static void program_path(char *argv0, char *out, size_t size)
{
    const char *given = getenv("AGOG_BENCH_PROGRAM");
    if (given != NULL)
        (void)snprintf(out, size, "%s", given);
    else
        (void)snprintf(out, size, "%s/../agog", dirname(argv0));
}

static double publish_ms(const char *program, const char *home, const char *file)
{
    double times[RUNS];
    for (int i = 0; i < RUNS; i++) {
        char feature[32];
        (void)snprintf(feature, sizeof feature, "new-%d", i);
        const char *const arguments[] = {program, "publish", "cynthia", "research", feature,
                                         file,    "--home",  home,      NULL};
        times[i] = run_ms(arguments);
    }
    qsort(times, RUNS, sizeof times[0], compare);
    return times[RUNS / 2];
}

int main(int argc, char **argv)
{
    char home[] = "/tmp/agog-bench-XXXXXX";
    char program[4096], file[64], command[64];
    static char body[REPORT_BYTES];
    const char *given = getenv("AGOG_BENCH_REPORTS");
    unsigned count = given == NULL ? 6000 : (unsigned)strtoul(given, NULL, 10);
    ASSERT(argc >= 1 && mkdtemp(home) != NULL);
    program_path(argv[0], program, sizeof program);
    for (size_t i = 0; i < sizeof body; i++)
        body[i] = "the quick brown fox jumps\n"[i % 26];
    fill_store(home, count, body);
    (void)snprintf(file, sizeof file, "%s.md", home);
    FILE *report = fopen(file, "wb");
    ASSERT(report != NULL && fwrite(body, 1, sizeof body, report) == sizeof body);
    ASSERT(fclose(report) == 0);

    const char *const nothing[] = {"/bin/true", NULL};
    const char *const version[] = {program, "version", NULL};
    const char *const fetch[] = {program, "fetch", "cynthia/research/f1", "--no-receipt", "--home",
                                 home,    NULL};
    const char *const receipt[] = {program, "fetch", "cynthia/research/f1", "--home", home, NULL};
    double nothing_ms = median_ms(nothing);
    double version_ms = median_ms(version);
    double fetch_ms = median_ms(fetch);
    double receipt_ms = median_ms(receipt);
    double published_ms = publish_ms(program, home, file);
    json_t *result = json_pack("{s:s, s:i, s:i, s:f, s:f, s:f, s:f, s:f}", "bench", "process",
                               "reports", (int)count, "report_bytes", REPORT_BYTES, "true_ms",
                               nothing_ms, "agog_version_ms", version_ms, "agog_fetch_ms", fetch_ms,
                               "agog_fetch_with_receipt_ms", receipt_ms, "agog_publish_ms",
                               published_ms);
    (void)json_dumpf(result, stdout, JSON_COMPACT);
    (void)putchar('\n');
    json_decref(result);
    (void)remove(file);
    (void)snprintf(command, sizeof command, "rm -r %s", home);
    return system(command) == 0 ? 0 : 1;
}
