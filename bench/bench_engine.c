// SPDX-License-Identifier: Apache-2.0
// bench-engine [directory [reports a stream]]: publishing, opening and fetching through streams.
// Prints JSON.
//
// A publish has an id and its subject's expected sequence, as agog's own have. Beside it stands a
// plain loop that writes the same bytes into a reserved file and syncs after each message; beside a
// fetch, a plain pread of as many bytes from the page cache. The directory (default: a new one in
// the current) decides which disk is measured; 2.2 GB must fit there.
#include "base/clock.h"
#include "engine/engine.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    ROUNDS = 9,
    STREAMS = 6,
    REPORTS_IN_STREAM = 10000,
    REPORT_BYTES = 30 * 1024,
    PLAIN_COUNT = 50,
    FETCH_TURNS = 201,
    FETCHES = 100,
    SUBJECTS = 1000, // of one stream
};

static char payload[REPORT_BYTES];

struct house {
    struct storedir *store;
    struct engine *engine;
};

static void must(bool good, const char *what)
{
    if (good)
        return;
    perror(what);
    exit(1);
}

static void check(enum status status, const struct errinfo *err)
{
    if (status == STATUS_OK)
        return;
    fprintf(stderr, "%s: %s\n", status_name(status), err->text);
    exit(1);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, compare);
    return values[count / 2];
}

static double seconds_since(int64_t start)
{
    return (double)(clock_monotonic_ns() - start) / 1e9;
}

static void open_house(struct house *house, const char *home)
{
    struct errinfo err = {.text = ""};
    struct storedir_options options = {.create = true, .holder = "bench-engine\n"};
    check(storedir_open(&house->store, host_posix(), home, &options, &err), &err);
    check(engine_open(&house->engine, host_posix(), house->store, &err), &err);
}

static void close_house(struct house *house)
{
    engine_close(house->engine);
    storedir_close(house->store);
}

static struct stream *get(const struct house *house, int number)
{
    char name[16];
    struct errinfo err = {.text = ""};
    struct stream *stream;
    snprintf(name, sizeof name, "s%d", number);
    check(engine_stream(house->engine, bytes_of_string(name), clock_realtime_ns(), &stream, &err),
          &err);
    return stream;
}

static void create(const struct house *house, int number)
{
    char json[160];
    bool created;
    struct errinfo err = {.text = ""};
    struct stream_config config;
    snprintf(json, sizeof json,
             "{\"name\":\"s%d\",\"subjects\":[\"agog.%d.>\"],\"max_msgs\":10000,"
             "\"max_bytes\":1073741824,\"max_age\":604800000000000}",
             number, number);
    stream_config_init(&config);
    check(stream_config_from_json(&config, bytes_of_string(json), &err), &err);
    check(engine_create(house->engine, &config, clock_realtime_ns(), &created, &err), &err);
    stream_config_fini(&config);
}

static void publish(struct stream *stream, int number, uint64_t *id, size_t size)
{
    char subject[64], headers[128];
    struct stream_ack ack;
    struct errinfo err = {.text = ""};
    snprintf(subject, sizeof subject, "agog.%d.backend.feature-%llu", number,
             (unsigned long long)(*id % SUBJECTS));
    snprintf(headers, sizeof headers, "NATS/1.0\r\nNats-Msg-Id: %llu\r\nAgog-Rev: 1\r\n\r\n",
             (unsigned long long)++*id);
    struct stream_input input = {.subject = bytes_of_string(subject),
                                 .headers = bytes_of_string(headers),
                                 .body = bytes_of(payload, size),
                                 .now_ns = clock_realtime_ns()};
    check(stream_publish(stream, &input, &ack, &err), &err);
}

static double publish_rate(struct stream *stream, uint64_t *id, size_t size, int together)
{
    struct errinfo err = {.text = ""};
    int count = together == 1 ? PLAIN_COUNT : together * 4;
    int64_t start = clock_monotonic_ns();
    for (int done = 0; done < count; done += together) {
        for (int i = 0; i < together; i++)
            publish(stream, 0, id, size);
        check(stream_commit(stream, &err), &err);
    }
    return count / seconds_since(start);
}

static double plain_rate(int fd, off_t *at, size_t size)
{
    int64_t start = clock_monotonic_ns();
    for (int i = 0; i < PLAIN_COUNT; i++) {
        must(pwrite(fd, payload, size, *at) == (ssize_t)size, "pwrite");
        must(fdatasync(fd) == 0, "fdatasync");
        *at += (off_t)size;
    }
    return PLAIN_COUNT / seconds_since(start);
}

static void bench_publish(const char *root, size_t size, int together)
{
    double rates[ROUNDS], plains[ROUNDS], ratios[ROUNDS];
    char home[512], plain[512];
    struct house house;
    uint64_t id = 0;
    off_t at = 0;
    snprintf(home, sizeof home, "%s/publish-%zu-%d", root, size, together);
    snprintf(plain, sizeof plain, "%s/plain", root);
    open_house(&house, home);
    create(&house, 0);
    struct stream *stream = get(&house, 0);
    int fd = open(plain, O_RDWR | O_CREAT | O_TRUNC, 0600);
    must(fd >= 0, plain);
    must(posix_fallocate(fd, 0, (off_t)size * PLAIN_COUNT * ROUNDS) == 0, "fallocate");
    must(fsync(fd) == 0, "fsync");
    for (int i = 0; i < ROUNDS; i++) {
        plains[i] = plain_rate(fd, &at, size);
        rates[i] = publish_rate(stream, &id, size, together);
        ratios[i] = rates[i] / plains[i];
    }
    close(fd);
    unlink(plain);
    close_house(&house);
    double ratio = median(ratios, ROUNDS);
    printf("{\"what\": \"publish\", \"bytes\": %zu, \"in_flight\": %d, \"per_s\": %.0f, "
           "\"plain_per_s\": %.0f, \"time_to_plain\": %.2f, \"rate_to_plain\": %.1f}\n",
           size, together, median(rates, ROUNDS), median(plains, ROUNDS), 1 / ratio, ratio);
    fflush(stdout);
}

// The work of staging alone, with the writing left out of the count.
static void bench_staging(const char *root)
{
    enum { COUNT = 1000 };
    double times[ROUNDS];
    char home[512];
    struct house house;
    struct errinfo err = {.text = ""};
    uint64_t id = 0;
    snprintf(home, sizeof home, "%s/staging", root);
    open_house(&house, home);
    create(&house, 0);
    struct stream *stream = get(&house, 0);
    for (int i = 0; i < ROUNDS; i++) {
        int64_t start = clock_monotonic_ns();
        for (int k = 0; k < COUNT; k++)
            publish(stream, 0, &id, 1024);
        times[i] = seconds_since(start) / COUNT;
        check(stream_commit(stream, &err), &err);
    }
    close_house(&house);
    printf("{\"what\": \"stage\", \"bytes\": 1024, \"us\": %.2f}\n", median(times, ROUNDS) * 1e6);
    fflush(stdout);
}

static void fill(const char *home, uint64_t reports)
{
    struct errinfo err = {.text = ""};
    struct house house;
    open_house(&house, home);
    for (int number = 0; number < STREAMS; number++) {
        uint64_t id = 0;
        create(&house, number);
        struct stream *stream = get(&house, number);
        while (id < reports) {
            publish(stream, number, &id, REPORT_BYTES);
            if (id % 500 == 0 || id == reports)
                check(stream_commit(stream, &err), &err);
        }
    }
    close_house(&house);
}

// Milliseconds to open the store, and as many of its streams.
static double bench_open(const char *home, int streams)
{
    double times[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        struct house house;
        int64_t start = clock_monotonic_ns();
        open_house(&house, home);
        for (int number = 0; number < streams; number++)
            get(&house, number);
        times[i] = seconds_since(start);
        close_house(&house);
    }
    return median(times, ROUNDS) * 1e3;
}

// Microseconds to fetch a subject's last message: of a thousand in turn, or of always the same.
static double bench_fetch(const char *home, uint64_t subjects)
{
    double times[FETCH_TURNS];
    struct errinfo err = {.text = ""};
    struct msglog_message message;
    struct buf storage;
    struct house house;
    uint64_t n = 0;
    open_house(&house, home);
    struct stream *stream = get(&house, 0);
    buf_init(&storage, SIZE_MAX);
    for (int i = -1; i < FETCH_TURNS; i++) {
        int64_t start = clock_monotonic_ns();
        for (int k = 0; k < FETCHES; k++) {
            char subject[64];
            int size = snprintf(subject, sizeof subject, "agog.0.backend.feature-%llu",
                                (unsigned long long)(n++ % subjects));
            check(stream_get_last(stream, bytes_of(subject, (size_t)size), MSGLOG_ALL, &storage,
                                  &message, &err),
                  &err);
        }
        if (i >= 0)
            times[i] = seconds_since(start) / FETCHES;
    }
    buf_fini(&storage);
    close_house(&house);
    return median(times, FETCH_TURNS) * 1e6;
}

static double bench_pread(const char *root)
{
    double times[FETCH_TURNS];
    static char to[REPORT_BYTES];
    char path[512];
    snprintf(path, sizeof path, "%s/plain", root);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    must(fd >= 0 && write(fd, payload, sizeof payload) == (ssize_t)sizeof payload, path);
    for (int i = 0; i < FETCH_TURNS; i++) {
        int64_t start = clock_monotonic_ns();
        for (int k = 0; k < FETCHES; k++)
            must(pread(fd, to, sizeof to, 0) == (ssize_t)sizeof to, "pread");
        times[i] = seconds_since(start) / FETCHES;
    }
    close(fd);
    unlink(path);
    return median(times, FETCH_TURNS) * 1e6;
}

static void bench_full_store(const char *root, uint64_t reports)
{
    char home[512];
    snprintf(home, sizeof home, "%s/full", root);
    fill(home, reports);
    bench_open(home, STREAMS); // warms the cache
    printf("{\"what\": \"open\", \"streams\": %d, \"reports\": %llu, \"all_ms\": %.2f, "
           "\"one_ms\": %.2f, \"names_ms\": %.2f}\n",
           STREAMS, (unsigned long long)reports * STREAMS, bench_open(home, STREAMS),
           bench_open(home, 1), bench_open(home, 0));
    printf("{\"what\": \"fetch_last\", \"bytes\": %d, \"same_us\": %.2f, \"of_1000_us\": %.2f, "
           "\"pread_us\": %.2f}\n",
           REPORT_BYTES, bench_fetch(home, 1), bench_fetch(home, SUBJECTS), bench_pread(root));
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static const size_t sizes[] = {1024, REPORT_BYTES};
    static const int flights[] = {1, 16, 256};
    char root[256] = "bench-engine-XXXXXX";
    char command[300];
    uint64_t reports = REPORTS_IN_STREAM;
    if (argc > 3 || (argc == 3 && !bytes_to_u64(bytes_of_string(argv[2]), &reports))) {
        fprintf(stderr, "usage: bench-engine [directory [reports a stream]]\n");
        return 2;
    }
    if (argc > 1)
        snprintf(root, sizeof root, "%.200s/bench-engine-XXXXXX", argv[1]);
    must(mkdtemp(root) != NULL, root);
    for (size_t i = 0; i < sizeof payload; i++)
        payload[i] = (char)(i * 2654435761U >> 11);
    for (int i = 0; i < 6; i++)
        bench_publish(root, sizes[i / 3], flights[i % 3]);
    bench_staging(root);
    bench_full_store(root, reports);
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    must(system(command) == 0, command);
    return 0;
}
