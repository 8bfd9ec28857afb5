// SPDX-License-Identifier: Apache-2.0
// bench-bus [directory]: how fast the embedded bus stores and reads. Prints JSON, one object a
// line.
//
// Publishing with 1, 16 and 256 messages in flight (one thread each) is measured in turns with a
// plain loop that writes the same bytes into a reserved file and syncs after each message, so that
// both see the same machine; medians of the turns. The directory (default: /tmp) decides which disk
// is measured.
#include "base/clock.h"
#include "bus/bus_embedded.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    TURNS = 7,
    REPORT_BYTES = 30 * 1024,
    READ_TURNS = 101,
    READS = 200,
};

static char payload[REPORT_BYTES];

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

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare);
    return values[count / 2];
}

static double seconds_since(int64_t start_ns)
{
    return (double)(clock_monotonic_ns() - start_ns) / 1e9;
}

static struct bus *open_bus(const char *home)
{
    struct bus *bus;
    struct errinfo err;
    struct bus_embedded_options options = {.home = home, .create = true, .holder = "bench"};
    check(bus_embedded_open(&options, &bus, &err), &err);
    return bus;
}

static void create_stream(struct bus *bus, const char *name, const char *subject)
{
    struct stream_config config;
    struct errinfo err;
    bool created;
    stream_config_init(&config);
    check(stream_config_set_string(&config.name, bytes_of_string(name)), &err);
    check(stream_config_add_subject(&config, bytes_of_string(subject), &err), &err);
    check(bus->operations->stream_create(bus, &config, &created, &err), &err);
    stream_config_fini(&config);
}

struct publisher {
    struct bus *bus;
    pthread_barrier_t *start; // all threads are there
    pthread_t thread;
    size_t count;
    size_t size;
};

static void *publish_all(void *context)
{
    const struct publisher *self = context;
    struct bus_message message = {.subject = BYTES("bench.a"),
                                  .body = bytes_of(payload, self->size)};
    pthread_barrier_wait(self->start);
    for (size_t i = 0; i < self->count; i++) {
        struct bus_ack ack;
        struct errinfo err;
        check(self->bus->operations->publish(self->bus, &message, &ack, &err), &err);
    }
    return NULL;
}

// Messages a second with that many in flight.
static double publish_turn(struct bus *bus, size_t threads, size_t count, size_t size)
{
    struct publisher *publishers = calloc(threads, sizeof *publishers);
    must(publishers != NULL, "calloc");
    pthread_barrier_t ready;
    pthread_barrier_init(&ready, NULL, (unsigned)threads + 1);
    for (size_t i = 0; i < threads; i++) {
        publishers[i] = (struct publisher){
            .bus = bus, .start = &ready, .count = count / threads, .size = size};
        must(pthread_create(&publishers[i].thread, NULL, publish_all, &publishers[i]) == 0,
             "pthread_create");
    }
    pthread_barrier_wait(&ready);
    int64_t start = clock_monotonic_ns();
    for (size_t i = 0; i < threads; i++)
        pthread_join(publishers[i].thread, NULL);
    double seconds = seconds_since(start);
    pthread_barrier_destroy(&ready);
    free(publishers);
    return (double)(count / threads * threads) / seconds;
}

// The same bytes, one message a sync, into a file whose blocks are there already.
static double plain_turn(const char *directory, size_t count, size_t size)
{
    char path[512];
    snprintf(path, sizeof path, "%s/plain", directory);
    int file = open(path, O_CREAT | O_TRUNC | O_RDWR, 0600);
    must(file >= 0, path);
    must(posix_fallocate(file, 0, (off_t)(count * size)) == 0, "posix_fallocate");
    must(fsync(file) == 0, "fsync");
    int64_t start = clock_monotonic_ns();
    for (size_t i = 0; i < count; i++) {
        must(pwrite(file, payload, size, (off_t)(i * size)) == (ssize_t)size, "pwrite");
        must(fdatasync(file) == 0, "fdatasync");
    }
    double rate = (double)count / seconds_since(start);
    close(file);
    unlink(path);
    return rate;
}

static void bench_publish(struct bus *bus, const char *directory, size_t threads, size_t size)
{
    double ours[TURNS], plain[TURNS], ratios[TURNS];
    size_t count = threads == 1 ? 200 : threads * 20;
    for (int i = 0; i < TURNS; i++) {
        plain[i] = plain_turn(directory, 100, size);
        ours[i] = publish_turn(bus, threads, count, size);
        ratios[i] = ours[i] / plain[i];
    }
    printf("{\"bench\":\"publish\",\"in_flight\":%zu,\"bytes\":%zu,\"messages_per_s\":%.0f,"
           "\"plain_loop_per_s\":%.0f,\"ratio\":%.2f}\n",
           threads, size, median(ours, TURNS), median(plain, TURNS), median(ratios, TURNS));
    fflush(stdout);
}

static void bench_read(struct bus *bus)
{
    struct buf storage;
    struct bus_message message;
    struct errinfo err;
    double times[READ_TURNS], copies[READ_TURNS];
    struct bus_get last = {.subject = BYTES("bench.a"), .part = BUS_ALL};
    static char copy[REPORT_BYTES];
    buf_init(&storage, 1 << 20);
    publish_turn(bus, 1, 1, REPORT_BYTES);
    for (int i = 0; i < READ_TURNS; i++) {
        int64_t start = clock_monotonic_ns();
        for (int k = 0; k < READS; k++)
            check(bus->operations->get(bus, "BENCH", &last, &storage, &message, &err), &err);
        times[i] = seconds_since(start) / READS * 1e6;
        start = clock_monotonic_ns();
        for (int k = 0; k < READS; k++) {
            memcpy(copy, message.body.data, REPORT_BYTES);
            payload[0] = copy[k];
        }
        copies[i] = seconds_since(start) / READS * 1e6;
    }
    printf("{\"bench\":\"get_last\",\"bytes\":%d,\"us\":%.2f,\"memcpy_us\":%.2f}\n", REPORT_BYTES,
           median(times, READ_TURNS), median(copies, READ_TURNS));
    fflush(stdout);
    buf_fini(&storage);
}

int main(int argc, char **argv)
{
    static const size_t in_flight[] = {1, 16, 256};
    static const size_t sizes[] = {1024, REPORT_BYTES};
    char home[256], command[300];
    snprintf(home, sizeof home, "%s/agog-bench-XXXXXX", argc > 1 ? argv[1] : "/tmp");
    must(mkdtemp(home) != NULL, home);
    memset(payload, 'x', sizeof payload);
    struct bus *bus = open_bus(home);
    create_stream(bus, "BENCH", "bench.>");
    for (size_t s = 0; s < 2; s++) {
        for (size_t i = 0; i < 3; i++)
            bench_publish(bus, home, in_flight[i], sizes[s]);
    }
    bench_read(bus);
    bus_close(bus);
    snprintf(command, sizeof command, "rm -rf '%s'", home);
    must(system(command) == 0, "rm");
    return 0;
}
