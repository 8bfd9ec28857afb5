// SPDX-License-Identifier: Apache-2.0
// bench-store <directory> [rounds]: how fast the log stores, opens and reads. Prints JSON.
//
// Durable appends are measured in turns with a plain loop that writes the same bytes into a
// reserved file and syncs after each message, and with the raw sequential rate of the disk, so that
// all three see the same machine. The directory decides which disk is measured; 2 GB must fit
// there.
#include "base/clock.h"
#include "store/msglog.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    ROUNDS_MAX = 31,
    LOGS = 6,
    REPORTS_IN_LOG = 10000,
    REPORT_BYTES = 30 * 1024,
    RAW_BYTES = 64 * 1024 * 1024,
    RAW_STEP = 4 * 1024 * 1024,
    // Short turns: one that another process interrupts does not move the median.
    READ_TURNS = 201,
    READS = 100,
};

static char *payload;

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

static void remove_directory(const char *path)
{
    char command[512];
    snprintf(command, sizeof command, "rm -rf '%s'", path);
    must(system(command) == 0, command);
}

static struct msglog *open_log(const char *path, bool create)
{
    struct errinfo err = {0};
    struct msglog *log = NULL;
    if (create) {
        remove_directory(path);
        check(msglog_create(host_posix(), path, 1, &err), &err);
    }
    check(msglog_open(&log, host_posix(), path, NULL, &err), &err);
    return log;
}

static void append(struct msglog *log, uint64_t seq, size_t size)
{
    struct errinfo err = {0};
    struct msglog_message message = {.seq = seq,
                                     .time_ns = (int64_t)seq,
                                     .subject = BYTES("agog.deliverables.roy.backend.feature"),
                                     .body = bytes_of(payload, size)};
    check(msglog_append(log, &message, &err), &err);
}

// Messages a second through the log, `together` of them in a batch.
static double log_rate(struct msglog *log, uint64_t *seq, size_t size, int together, int count)
{
    struct errinfo err = {0};
    int64_t start = clock_monotonic_ns();
    for (int done = 0; done < count; done += together) {
        for (int i = 0; i < together; i++)
            append(log, ++*seq, size);
        check(msglog_commit(log, &err), &err);
    }
    return count / seconds_since(start);
}

// The same by hand: one message, one write, one sync, into a file that is reserved already.
static double plain_rate(int fd, off_t *at, size_t size, int count)
{
    int64_t start = clock_monotonic_ns();
    for (int i = 0; i < count; i++) {
        must(pwrite(fd, payload, size, *at) == (ssize_t)size, "pwrite");
        must(fdatasync(fd) == 0, "fdatasync");
        *at += (off_t)size;
    }
    return count / seconds_since(start);
}

// Bytes a second of large sequential writes with one sync behind them.
static double raw_rate(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    must(fd >= 0, path);
    must(posix_fallocate(fd, 0, RAW_BYTES) == 0, "fallocate");
    must(fsync(fd) == 0, "fsync");
    int64_t start = clock_monotonic_ns();
    for (off_t at = 0; at < RAW_BYTES; at += RAW_STEP)
        must(pwrite(fd, payload, RAW_STEP, at) == RAW_STEP, "pwrite");
    must(fdatasync(fd) == 0, "fdatasync");
    double rate = RAW_BYTES / seconds_since(start);
    close(fd);
    unlink(path);
    return rate;
}

static void bench_append(const char *root, size_t size, int together, int rounds, bool last)
{
    double logs[ROUNDS_MAX], plains[ROUNDS_MAX], raws[ROUNDS_MAX];
    double to_plain[ROUNDS_MAX], of_raw[ROUNDS_MAX];
    char path[256], plain_path[256], raw_path[256];
    snprintf(path, sizeof path, "%s/append", root);
    snprintf(plain_path, sizeof plain_path, "%s/plain", root);
    snprintf(raw_path, sizeof raw_path, "%s/raw", root);
    struct msglog *log = open_log(path, true);
    uint64_t seq = 0;
    off_t at = 0;
    int plain_count = 100;
    int fd = open(plain_path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    must(fd >= 0, plain_path);
    must(posix_fallocate(fd, 0, (off_t)size * plain_count * rounds) == 0, "fallocate");
    must(fsync(fd) == 0, "fsync");
    int count = together == 1 ? plain_count : together * 8;
    for (int i = 0; i < rounds; i++) {
        plains[i] = plain_rate(fd, &at, size, plain_count);
        logs[i] = log_rate(log, &seq, size, together, count);
        raws[i] = raw_rate(raw_path);
        to_plain[i] = logs[i] / plains[i];
        of_raw[i] = logs[i] * (double)size / raws[i];
    }
    close(fd);
    unlink(plain_path);
    msglog_close(log);
    remove_directory(path);
    double ratio = median(to_plain, rounds);
    printf("    {\"bytes\": %zu, \"in_flight\": %d, \"log_per_s\": %.0f, \"plain_per_s\": %.0f, "
           "\"raw_mb_per_s\": %.0f, \"time_to_plain\": %.2f, \"rate_to_plain\": %.1f, "
           "\"of_raw\": %.2f}%s\n",
           size, together, median(logs, rounds), median(plains, rounds), median(raws, rounds) / 1e6,
           1 / ratio, ratio, median(of_raw, rounds), last ? "" : ",");
    fflush(stdout);
}

static void fill(const char *path)
{
    struct errinfo err = {0};
    struct msglog *log = open_log(path, true);
    for (uint64_t seq = 1; seq <= REPORTS_IN_LOG; seq++) {
        append(log, seq, REPORT_BYTES);
        if (seq % 500 == 0)
            check(msglog_commit(log, &err), &err);
    }
    msglog_close(log);
}

static double bench_open(const char *root, int rounds)
{
    double times[ROUNDS_MAX];
    for (int i = 0; i < rounds; i++) {
        struct msglog *logs[LOGS];
        char path[256];
        int64_t start = clock_monotonic_ns();
        for (int k = 0; k < LOGS; k++) {
            snprintf(path, sizeof path, "%s/log%d", root, k);
            logs[k] = open_log(path, false);
        }
        times[i] = seconds_since(start);
        for (int k = 0; k < LOGS; k++)
            msglog_close(logs[k]);
    }
    return median(times, rounds);
}

static double bench_read(const char *root)
{
    double times[READ_TURNS];
    char path[256];
    struct errinfo err = {0};
    struct buf storage;
    struct msglog_message message;
    snprintf(path, sizeof path, "%s/log0", root);
    struct msglog *log = open_log(path, false);
    buf_init(&storage, SIZE_MAX);
    uint64_t seq = 1;
    for (int i = 0; i < READ_TURNS; i++) {
        int64_t start = clock_monotonic_ns();
        for (int k = 0; k < READS; k++) {
            seq = seq % 1000 + 1; // 30 MB that stay in the page cache
            check(msglog_read(log, seq, MSGLOG_ALL, &storage, &message, &err), &err);
        }
        times[i] = seconds_since(start) / READS;
    }
    buf_fini(&storage);
    msglog_close(log);
    return median(times, READ_TURNS);
}

int main(int argc, char **argv)
{
    static const size_t sizes[] = {1024, REPORT_BYTES};
    static const int flights[] = {1, 16, 256};
    uint64_t rounds = 9;
    if (argc < 2 || argc > 3 ||
        (argc == 3 &&
         (!bytes_to_u64(bytes_of_string(argv[2]), &rounds) || rounds < 1 || rounds > ROUNDS_MAX))) {
        fprintf(stderr, "usage: bench-store <directory> [rounds, 1 to %d]\n", ROUNDS_MAX);
        return 2;
    }
    payload = malloc(RAW_STEP);
    must(payload != NULL, "malloc");
    for (size_t i = 0; i < RAW_STEP; i++)
        payload[i] = (char)(i * 2654435761U >> 11);
    printf("{\n  \"append\": [\n");
    for (int i = 0; i < 6; i++)
        bench_append(argv[1], sizes[i / 3], flights[i % 3], (int)rounds, i == 5);
    for (int k = 0; k < LOGS; k++) {
        char path[256];
        snprintf(path, sizeof path, "%s/log%d", argv[1], k);
        fill(path);
    }
    bench_open(argv[1], 1); // warms the cache
    printf("  ],\n  \"open_60000_ms\": %.2f,\n", bench_open(argv[1], (int)rounds) * 1e3);
    bench_read(argv[1]);
    printf("  \"read_30k_us\": %.2f\n}\n", bench_read(argv[1]) * 1e6);
    for (int k = 0; k < LOGS; k++) {
        char path[256];
        snprintf(path, sizeof path, "%s/log%d", argv[1], k);
        remove_directory(path);
    }
    free(payload);
    return 0;
}
