// SPDX-License-Identifier: Apache-2.0
// Prints JSON, one object a line, about the wire and the subscription index, all on one core:
// operations a second that are parsed and messages that are written, beside the copying of the same
// bytes; and matches a second with a million subscriptions, beside walking through the subjects
// only, with what one subscription costs in memory.
#include "base/assert.h"
#include "base/buf.h"
#include "base/clock.h"
#include "server/sublist.h"
#include "wire/parser.h"
#include "wire/proto.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    INPUT_BYTES = 64 * 1024, // what a loop reads at once
    ROUNDS = 2000,
    SUBSCRIPTIONS = 1000000,
    PATTERNS = 100000,
    MATCHES = 2000000,
    HOT_SUBJECTS = 500,
    SUBJECT_MAX = 64,
};

static double per_s(double count, int64_t ns)
{
    return count * 1e9 / (double)ns;
}

// As many of one publish as fit into one read.
static size_t fill(struct buf *out, size_t body_size)
{
    size_t count = 0;
    char *body = calloc(1, body_size + 1);
    ASSERT(body != NULL);
    memset(body, 'x', body_size);
    while (out->size + body_size + 64 < INPUT_BYTES || count == 0) {
        buf_printf(out, "PUB bench.subject.a %zu\r\n%s\r\n", body_size, body);
        count++;
    }
    free(body);
    return count;
}

static double parse_speed(size_t body_size)
{
    struct parser parser;
    struct parser_limits limits = {4096, 1 << 20};
    struct parser_op op;
    struct buf input;
    uint64_t bytes = 0;
    parser_init(&parser, &limits);
    buf_init(&input, SIZE_MAX);
    size_t count = fill(&input, body_size);
    int64_t start = clock_monotonic_ns();
    for (size_t round = 0; round < ROUNDS; round++) {
        struct bytes rest = buf_bytes(&input);
        while (parser_next(&parser, &rest, &op) == PARSER_OP)
            bytes += op.body.size;
        ASSERT(rest.size == 0);
    }
    int64_t ns = clock_monotonic_ns() - start;
    ASSERT(bytes == (uint64_t)count * ROUNDS * body_size);
    buf_fini(&input);
    return per_s((double)(count * ROUNDS), ns);
}

static double write_speed(size_t body_size)
{
    char body[4096];
    struct proto_message message = {.subject = BYTES("bench.subject.a"), .sid = BYTES("12")};
    struct buf out;
    size_t count = (size_t)ROUNDS * 400;
    memset(body, 'x', sizeof body);
    message.body = bytes_of(body, body_size);
    buf_init(&out, SIZE_MAX);
    int64_t start = clock_monotonic_ns();
    for (size_t i = 0; i < count; i++) {
        proto_put_message(&out, &message);
        if (out.size > INPUT_BYTES)
            buf_clear(&out);
    }
    int64_t ns = clock_monotonic_ns() - start;
    buf_fini(&out);
    return per_s((double)count, ns);
}

// The limit: the same bytes copied, one message at a time.
static double copy_speed(size_t body_size)
{
    char *from = calloc(1, INPUT_BYTES);
    char *to = malloc(INPUT_BYTES);
    ASSERT(from != NULL && to != NULL);
    size_t size = body_size + 30;
    size_t in_one = INPUT_BYTES / size;
    int64_t start = clock_monotonic_ns();
    for (size_t round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < in_one; i++)
            memcpy(to + i * size, from + i * size, size);
        from[round % INPUT_BYTES] = to[0];
    }
    int64_t ns = clock_monotonic_ns() - start;
    free(from);
    free(to);
    return per_s((double)(in_one * ROUNDS), ns);
}

struct listener {
    struct subscription subscription;
    char subject[SUBJECT_MAX];
};

static struct listener *listeners;

static void subscribe(struct sublist *list, size_t i, const char *queue)
{
    struct listener *listener = &listeners[i];
    bool pattern = i < PATTERNS;
    (void)snprintf(listener->subject, sizeof listener->subject,
                   pattern ? "inbox.%zu.*" : "orders.region.%zu", i);
    listener->subscription = (struct subscription){.subject = bytes_of_string(listener->subject),
                                                   .queue = bytes_of_string(queue)};
    ASSERT(sublist_insert(list, &listener->subscription) == STATUS_OK);
}

// Walking through the subjects, as every match has to.
static double touch_speed(char (*subjects)[SUBJECT_MAX], size_t among)
{
    uint64_t sum = 0;
    int64_t start = clock_monotonic_ns();
    for (size_t i = 0; i < MATCHES; i++)
        sum += bytes_hash(bytes_of_string(subjects[i % among]), sum);
    int64_t ns = clock_monotonic_ns() - start;
    ASSERT(sum != 0);
    return per_s(MATCHES, ns);
}

// Subjects are chosen among so many, one after the other.
static void print_matches(struct sublist *list, const char *what, const char *format, size_t among)
{
    struct sublist_result result;
    uint64_t found = 0;
    char(*subjects)[SUBJECT_MAX] = calloc(among, SUBJECT_MAX);
    ASSERT(subjects != NULL);
    for (size_t i = 0; i < among; i++)
        (void)snprintf(subjects[i], SUBJECT_MAX, format, (i * 7919) % PATTERNS);
    sublist_result_init(&result);
    int64_t start = clock_monotonic_ns();
    for (size_t i = 0; i < MATCHES; i++) {
        const char *subject = subjects[i % among];
        ASSERT(sublist_match(list, bytes_of_string(subject), &result) == STATUS_OK);
        found += result.plain_count + result.member_count;
    }
    int64_t ns = clock_monotonic_ns() - start;
    ASSERT(found == MATCHES);
    printf("{\"what\": \"match\", \"of\": \"%s\", \"per_s\": %.0f, \"touch_per_s\": %.0f}\n", what,
           per_s(MATCHES, ns), touch_speed(subjects, among));
    sublist_result_fini(&result);
    free(subjects);
}

static size_t used_memory(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static void print_sublist(void)
{
    struct sublist *list = NULL;
    struct listener service = {.subject = "service.>"};
    listeners = calloc(SUBSCRIPTIONS, sizeof *listeners);
    ASSERT(listeners != NULL);
    size_t before = used_memory();
    ASSERT(sublist_new(&list) == STATUS_OK);
    int64_t start = clock_monotonic_ns();
    for (size_t i = 0; i < SUBSCRIPTIONS; i++)
        subscribe(list, i, i % 10 == 9 ? "workers" : "");
    int64_t insert_ns = clock_monotonic_ns() - start;
    size_t memory = used_memory() - before;
    service.subscription.subject = bytes_of_string(service.subject);
    ASSERT(sublist_insert(list, &service.subscription) == STATUS_OK);
    printf("{\"what\": \"insert\", \"subscriptions\": %d, \"per_s\": %.0f, \"bytes_each\": %.1f}\n",
           SUBSCRIPTIONS, per_s(SUBSCRIPTIONS, insert_ns), (double)memory / SUBSCRIPTIONS);
    print_matches(list, "hot subjects, from the cache", "service.%zu.x", HOT_SUBJECTS);
    print_matches(list, "100,000 patterns", "inbox.%zu.reply", PATTERNS);
    print_matches(list, "100,000 literal subjects", "orders.region.9%05zu", PATTERNS);
    start = clock_monotonic_ns();
    for (size_t i = 0; i < SUBSCRIPTIONS; i++)
        sublist_remove(list, &listeners[i].subscription);
    printf("{\"what\": \"remove\", \"subscriptions\": %d, \"per_s\": %.0f}\n", SUBSCRIPTIONS,
           per_s(SUBSCRIPTIONS, clock_monotonic_ns() - start));
    sublist_free(list);
    free(listeners);
}

int main(void)
{
    static const size_t sizes[] = {0, 128, 1024};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        double copy = copy_speed(sizes[i]);
        printf("{\"what\": \"parse PUB\", \"bytes\": %zu, \"per_s\": %.0f, \"copy_per_s\": %.0f}\n",
               sizes[i], parse_speed(sizes[i]), copy);
        printf("{\"what\": \"write MSG\", \"bytes\": %zu, \"per_s\": %.0f, \"copy_per_s\": %.0f}\n",
               sizes[i], write_speed(sizes[i]), copy);
    }
    print_sublist();
    return 0;
}
