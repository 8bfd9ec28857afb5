// SPDX-License-Identifier: Apache-2.0
// bench-server [directory]: `agog serve` beside Debian's nats-server, with the same client library,
// on the same disk, in turns. Prints JSON, one object a line: medians of the turns and their ratio.
//
// nats-server is measured twice where it stores: as it comes, which acknowledges before the disk
// has it, and with sync_interval "always", which syncs each message as ours does in groups.
#include "base/clock.h"

#include <fcntl.h>
#include <nats/nats.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    TURNS = 5,
    CORE_MESSAGES = 500000,
    CORE_BYTES = 128,
    REPORT_BYTES = 30 * 1024,
    IN_FLIGHT = 256,
    ONE_AT_A_TIME = 300,
    READS = 3000,
    IDLE_CONNECTIONS = 1000,
    TIMEOUT_MS = 60000,
    PATH_SIZE = 512,
};

enum kind { AGOG, NATS, SYNC_EACH, KINDS };
static const char *const kind_names[] = {"agog", "nats", "sync_each"};

struct peer {
    enum kind kind;
    pid_t process;
    int port;
    char directory[PATH_SIZE];
    natsConnection *connection;
    jsCtx *jetstream;
};

static char payload[REPORT_BYTES];

static void must(bool good, const char *what)
{
    if (good)
        return;
    perror(what);
    exit(1);
}

static void check(natsStatus status, const char *what)
{
    if (status == NATS_OK)
        return;
    fprintf(stderr, "%s: %s\n", what, natsStatus_GetText(status));
    exit(1);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(double *values)
{
    qsort(values, TURNS, sizeof *values, compare);
    return values[TURNS / 2];
}

static double seconds_since(int64_t start_ns)
{
    return (double)(clock_monotonic_ns() - start_ns) / 1e9;
}

static long resident_kib(pid_t process)
{
    char path[64];
    char line[256];
    long kib = 0;
    snprintf(path, sizeof path, "/proc/%ld/status", (long)process);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "VmRSS: %ld", &kib) == 1)
            break;
    if (file != NULL)
        fclose(file);
    return kib;
}

// Servers

static natsConnection *connect_to(const struct peer *peer)
{
    natsOptions *options;
    natsConnection *connection = NULL;
    char url[64];
    snprintf(url, sizeof url, "nats://127.0.0.1:%d", peer->port);
    check(natsOptions_Create(&options), "options");
    natsOptions_SetURL(options, url);
    for (int i = 0; i < 500 && connection == NULL; i++) {
        if (natsConnection_Connect(&connection, options) != NATS_OK)
            clock_pause(10);
    }
    natsOptions_Destroy(options);
    return connection;
}

static void launch(struct peer *peer, const char *agog)
{
    char store[PATH_SIZE + 8];
    char port[16];
    snprintf(store, sizeof store, "%s/store", peer->directory);
    snprintf(port, sizeof port, "%d", peer->port);
    peer->process = fork();
    must(peer->process >= 0, "fork");
    if (peer->process == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        if (peer->kind == AGOG)
            execlp(agog, agog, "serve", "-a", "127.0.0.1", "-p", port, "-sd", store, (char *)NULL);
        execlp("nats-server", "nats-server", "-a", "127.0.0.1", "-p", port, "-js", "-sd", store,
               (char *)NULL);
        _exit(127);
    }
}

static bool start(struct peer *peer, const char *agog)
{
    int64_t begun_ns = clock_monotonic_ns();
    launch(peer, agog);
    peer->connection = connect_to(peer);
    if (peer->connection == NULL || waitpid(peer->process, NULL, WNOHANG) != 0)
        return false;
    check(natsConnection_JetStream(&peer->jetstream, peer->connection, NULL), "jetstream");
    printf("{\"bench\":\"server\",\"case\":\"start\",\"peer\":\"%s\",\"ms\":%.1f}\n",
           kind_names[peer->kind], seconds_since(begun_ns) * 1e3);
    return true;
}

static void stop(struct peer *peer)
{
    jsCtx_Destroy(peer->jetstream);
    natsConnection_Destroy(peer->connection);
    if (peer->process > 0) {
        kill(peer->process, SIGTERM);
        waitpid(peer->process, NULL, 0);
    }
}

static void make_stream(struct peer *peer)
{
    jsStreamConfig config;
    const char *subjects[] = {"bench.>"};
    jsErrCode code;
    jsStreamConfig_Init(&config);
    config.Name = "BENCH";
    config.Subjects = subjects;
    config.SubjectsLen = 1;
    config.AllowDirect = true;
    check(js_AddStream(NULL, peer->jetstream, &config, NULL, &code), "stream");
}

// Cases: each gives a number for one turn

static double core(struct peer *peer)
{
    natsSubscription *subscription;
    natsConnection *other = connect_to(peer);
    check(natsConnection_SubscribeSync(&subscription, other, "core"), "subscribe");
    natsSubscription_SetPendingLimits(subscription, -1, -1);
    check(natsConnection_Flush(other), "flush");
    int64_t begun_ns = clock_monotonic_ns();
    for (int i = 0; i < CORE_MESSAGES; i++)
        check(natsConnection_Publish(peer->connection, "core", payload, CORE_BYTES), "publish");
    for (int i = 0; i < CORE_MESSAGES; i++) {
        natsMsg *message;
        check(natsSubscription_NextMsg(&message, subscription, TIMEOUT_MS), "next");
        natsMsg_Destroy(message);
    }
    double rate = CORE_MESSAGES / seconds_since(begun_ns);
    natsSubscription_Destroy(subscription);
    natsConnection_Destroy(other);
    return rate;
}

// Messages a second of a plain loop that syncs each.
static double sync_each(const struct peer *peer, int size, int count)
{
    char path[PATH_SIZE + 8];
    snprintf(path, sizeof path, "%s/raw", peer->directory);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    must(file >= 0, path);
    must(posix_fallocate(file, 0, (off_t)size * count) == 0, path);
    int64_t begun_ns = clock_monotonic_ns();
    for (int i = 0; i < count; i++)
        must(pwrite(file, payload, (size_t)size, (off_t)size * i) == size && fdatasync(file) == 0,
             path);
    double rate = count / seconds_since(begun_ns);
    close(file);
    return rate;
}

static double publish_many(struct peer *peer, int size, int count)
{
    if (peer->kind == SYNC_EACH)
        return sync_each(peer, size, count / 10);
    jsOptions options;
    jsCtx *jetstream;
    jsPubOptions wait;
    jsOptions_Init(&options);
    options.PublishAsync.MaxPending = IN_FLIGHT;
    options.PublishAsync.StallWait = TIMEOUT_MS;
    check(natsConnection_JetStream(&jetstream, peer->connection, &options), "jetstream");
    jsPubOptions_Init(&wait);
    wait.MaxWait = TIMEOUT_MS;
    int64_t begun_ns = clock_monotonic_ns();
    for (int i = 0; i < count; i++)
        check(js_PublishAsync(jetstream, "bench.many", payload, size, NULL), "publish");
    check(js_PublishAsyncComplete(jetstream, &wait), "complete");
    double rate = count / seconds_since(begun_ns);
    jsCtx_Destroy(jetstream);
    return rate;
}

static double publish_1k(struct peer *peer)
{
    return publish_many(peer, 1024, 20000);
}

static double publish_30k(struct peer *peer)
{
    return publish_many(peer, REPORT_BYTES, 4000);
}

// Microseconds of one publish, with nothing else under way.
static double publish_one(struct peer *peer)
{
    if (peer->kind == SYNC_EACH)
        return 1e6 / sync_each(peer, 1024, ONE_AT_A_TIME);
    int64_t begun_ns = clock_monotonic_ns();
    for (int i = 0; i < ONE_AT_A_TIME; i++) {
        jsPubAck *ack;
        jsErrCode code;
        check(js_Publish(&ack, peer->jetstream, "bench.one", payload, 1024, NULL, &code),
              "publish");
        jsPubAck_Destroy(ack);
    }
    return seconds_since(begun_ns) * 1e6 / ONE_AT_A_TIME;
}

static double read_last(struct peer *peer, const char *subject, const char *body)
{
    int64_t begun_ns = clock_monotonic_ns();
    for (int i = 0; i < READS; i++) {
        natsMsg *message;
        check(natsConnection_RequestString(&message, peer->connection, subject, body, TIMEOUT_MS),
              "request");
        must(natsMsg_GetDataLength(message) >= REPORT_BYTES, "the answer is too short");
        natsMsg_Destroy(message);
    }
    return READS / seconds_since(begun_ns);
}

static double get_last(struct peer *peer)
{
    return read_last(peer, "$JS.API.STREAM.MSG.GET.BENCH", "{\"last_by_subj\":\"bench.last\"}");
}

static double get_direct(struct peer *peer)
{
    return read_last(peer, "$JS.API.DIRECT.GET.BENCH.bench.last", "");
}

struct bench {
    const char *name;
    const char *unit;
    double (*measure)(struct peer *peer);
    bool stores; // measured beside the limit of the disk as well
};

static void run(struct peer peers[KINDS], const struct bench *bench)
{
    double values[KINDS][TURNS] = {{0}};
    int kinds = bench->stores ? KINDS : NATS + 1;
    for (int turn = 0; turn < TURNS; turn++)
        for (int kind = 0; kind < kinds; kind++)
            values[kind][turn] = bench->measure(&peers[kind]);
    printf("{\"bench\":\"server\",\"case\":\"%s\",\"unit\":\"%s\"", bench->name, bench->unit);
    double ours = median(values[AGOG]);
    printf(",\"agog\":%.1f", ours);
    for (int kind = NATS; kind < kinds; kind++) {
        double theirs = median(values[kind]);
        printf(",\"%s\":%.1f,\"ratio_to_%s\":%.2f", kind_names[kind], theirs, kind_names[kind],
               ours / theirs);
    }
    printf("}\n");
    fflush(stdout);
}

static void measure_idle(struct peer peers[KINDS])
{
    for (int kind = AGOG; kind <= NATS; kind++) {
        static natsConnection *idle[IDLE_CONNECTIONS];
        long before = resident_kib(peers[kind].process);
        for (int i = 0; i < IDLE_CONNECTIONS; i++)
            idle[i] = connect_to(&peers[kind]);
        long after = resident_kib(peers[kind].process);
        printf("{\"bench\":\"server\",\"case\":\"idle\",\"peer\":\"%s\",\"resident_kib\":%ld,"
               "\"connections\":%d,\"kib_a_connection\":%.2f}\n",
               kind_names[kind], before, IDLE_CONNECTIONS,
               (double)(after - before) / IDLE_CONNECTIONS);
        for (int i = 0; i < IDLE_CONNECTIONS; i++)
            natsConnection_Destroy(idle[i]);
    }
}

static void print_resident(struct peer peers[KINDS], const char *when)
{
    for (int kind = AGOG; kind <= NATS; kind++)
        printf("{\"bench\":\"server\",\"case\":\"resident_%s\",\"peer\":\"%s\",\"kib\":%ld}\n",
               when, kind_names[kind], resident_kib(peers[kind].process));
}

int main(int argc, char **argv)
{
    static const struct bench benches[] = {
        {"core_publish_subscribe_128", "messages/s", core, false},
        {"publish_1k_256_in_flight", "messages/s", publish_1k, true},
        {"publish_30k_256_in_flight", "messages/s", publish_30k, true},
        {"publish_1k_one_at_a_time", "us", publish_one, true},
        {"message_get_last_30k", "requests/s", get_last, false},
        {"direct_get_last_30k", "requests/s", get_direct, false},
    };
    struct peer peers[KINDS];
    char template[PATH_SIZE];
    const char *agog = getenv("AGOG_BENCH_PROGRAM") != NULL ? getenv("AGOG_BENCH_PROGRAM") : "agog";
    snprintf(template, sizeof template, "%s/agog-bench-XXXXXX", argc > 1 ? argv[1] : "/tmp");
    must(mkdtemp(template) != NULL, template);
    memset(payload, 'x', sizeof payload);
    for (int kind = 0; kind < KINDS; kind++) {
        peers[kind] = (struct peer){.kind = (enum kind)kind,
                                    .port = 21000 + getpid() % 9000 + kind};
        snprintf(peers[kind].directory, PATH_SIZE, "%.400s/%s", template, kind_names[kind]);
        char command[PATH_SIZE + 32];
        snprintf(command, sizeof command, "mkdir -p %s", peers[kind].directory);
        must(system(command) == 0, command);
        if (kind == SYNC_EACH)
            continue;
        if (!start(&peers[kind], agog)) {
            fprintf(stderr, "bench-server: %s does not start\n", kind_names[kind]);
            return 1;
        }
        make_stream(&peers[kind]);
        jsErrCode code;
        check(js_Publish(NULL, peers[kind].jetstream, "bench.last", payload, REPORT_BYTES, NULL,
                         &code),
              "publish");
    }
    print_resident(peers, "at_start");
    for (size_t i = 0; i < sizeof benches / sizeof benches[0]; i++)
        run(peers, &benches[i]);
    print_resident(peers, "after_publishing");
    measure_idle(peers);
    stop(&peers[AGOG]);
    stop(&peers[NATS]);
    char command[PATH_SIZE + 32];
    snprintf(command, sizeof command, "rm -rf %s", template);
    must(system(command) == 0, command);
    nats_Close();
    return 0;
}
