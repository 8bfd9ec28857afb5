// SPDX-License-Identifier: Apache-2.0
// Random operations on a stream with consumers, beside a list of messages that knows for each
// consumer which was delivered how often, which is acknowledged and when it is due again. Whatever
// a consumer sends is held against that list, and whatever it should have sent and did not. The
// list keeps a copy of what it was at the last commit: that is what a crash brings back.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "consumerkit.h"
#include "wire/subject.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RUNS = 30, STEPS = 2500, MESSAGES_MAX = 4000, CONSUMERS = 3, SUBJECTS = 5 };

static const char *const subjects[SUBJECTS] = {"m.a", "m.b", "m.c", "m.a.x", "m.b.y"};
static const char *const filters[] = {"", "m.a", "m.*", "m.b.>", "m.*.*"};

enum mark { MARK_NEW, MARK_PENDING, MARK_DONE, MARK_SPENT };

struct delivery {
    enum mark mark;
    uint64_t deliveries;
    int64_t due_ns;       // not before
    int64_t due_at_last;  // and by then
    int64_t due_as_noted; // by then after a crash
};

struct taker {
    const char *filter;
    int64_t ack_wait_ns;
    int64_t max_deliver; // -1 without limit
    uint64_t max_pending;
    bool all; // acknowledges all below
    uint64_t last_new;
    uint64_t consumer_seq;
    uint64_t pending;
    struct delivery of[MESSAGES_MAX + 1];
};

struct messages {
    uint64_t last_seq;
    int subject[MESSAGES_MAX + 1];
    bool live[MESSAGES_MAX + 1];
};

struct run {
    struct consumerkit *kit;
    uint64_t random;
    uint64_t seed;
    int step;
    bool interest;
    struct messages now;
    struct messages committed;
    struct taker takers[CONSUMERS];
    struct taker noted[CONSUMERS]; // as of the last commit of the consumers
    struct consumer *consumers[CONSUMERS];
};

static uint64_t pick(struct run *run, uint64_t below)
{
    return simhost_random(&run->random) % below;
}

#define CHECK(run, condition)                                                                      \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_msg("seed %" PRIu64 ", step %d: %s", (run)->seed, (run)->step, #condition);       \
    } while (0)

static bool wants(const struct run *run, const struct taker *taker, uint64_t seq)
{
    return taker->filter[0] == '\0' ||
           subject_matches(bytes_of_string(taker->filter),
                           bytes_of_string(subjects[run->now.subject[seq]]));
}

static bool is_there(const struct run *run, uint64_t seq)
{
    return seq <= run->committed.last_seq && run->now.live[seq];
}

static uint64_t left(const struct run *run, const struct taker *taker)
{
    uint64_t count = 0;
    for (uint64_t seq = taker->last_new + 1; seq <= run->committed.last_seq; seq++)
        count += is_there(run, seq) && wants(run, taker, seq);
    return count;
}

// A message is gone: nobody waits for it any more.
static void forget(struct run *run, uint64_t seq)
{
    run->now.live[seq] = false;
    for (int i = 0; i < CONSUMERS; i++) {
        struct taker *taker = &run->takers[i];
        taker->pending -= taker->of[seq].mark == MARK_PENDING;
        if (taker->of[seq].mark == MARK_PENDING)
            taker->of[seq].mark = MARK_DONE;
    }
}

static void release(struct run *run, uint64_t seq)
{
    bool needed = false;
    for (int i = 0; i < CONSUMERS; i++)
        needed = needed ||
                 (wants(run, &run->takers[i], seq) && run->takers[i].of[seq].mark != MARK_DONE);
    if (run->interest && !needed && run->now.live[seq])
        forget(run, seq);
}

static void settle(struct run *run, struct taker *taker, uint64_t seq)
{
    if (taker->of[seq].mark != MARK_PENDING)
        return;
    taker->of[seq].mark = MARK_DONE;
    taker->pending--;
    release(run, seq);
}

// Operations

static void publish(struct run *run)
{
    struct stream_ack ack;
    if (run->now.last_seq == MESSAGES_MAX)
        return;
    int subject = (int)pick(run, SUBJECTS);
    CHECK(run, streamkit_try(run->kit->stream, subjects[subject], "", NULL, &ack) == STATUS_OK);
    CHECK(run, ack.seq == run->now.last_seq + 1);
    run->now.last_seq = ack.seq;
    run->now.subject[ack.seq] = subject;
    run->now.live[ack.seq] = true;
    for (int i = 0; i < CONSUMERS; i++)
        run->takers[i].of[ack.seq] = (struct delivery){.mark = MARK_NEW};
    release(run, ack.seq);
}

static void commit_stream(struct run *run)
{
    streamkit_commit(run->kit->stream);
    run->committed = run->now;
}

static void commit(struct run *run)
{
    consumerkit_commit(run->kit);
    run->committed = run->now;
    memcpy(run->noted, run->takers, sizeof run->noted);
}

static void find_consumers(struct run *run)
{
    char name[8];
    for (int i = 0; i < CONSUMERS; i++) {
        snprintf(name, sizeof name, "C%d", i);
        run->consumers[i] = consumerkit_find(run->kit, name);
    }
}

static void crash(struct run *run)
{
    consumerkit_reopen(run->kit);
    run->now = run->committed;
    memcpy(run->takers, run->noted, sizeof run->takers);
    for (int i = 0; i < CONSUMERS; i++) {
        struct taker *taker = &run->takers[i];
        for (uint64_t seq = 1; seq <= MESSAGES_MAX; seq++) {
            struct delivery *of = &taker->of[seq];
            of->due_at_last = of->due_as_noted;
            if (of->mark == MARK_PENDING && !run->now.live[seq]) {
                of->mark = MARK_DONE;
                taker->pending--;
            }
        }
    }
    find_consumers(run);
}

static void delete_one(struct run *run)
{
    if (run->now.last_seq == 0)
        return;
    uint64_t seq = 1 + pick(run, run->now.last_seq);
    enum status status = stream_delete_message(run->kit->stream->stream, seq, false,
                                               &run->kit->err);
    CHECK(run, (status == STATUS_OK) == run->now.live[seq]);
    if (status == STATUS_OK)
        forget(run, seq);
}

static void spend(struct taker *taker, uint64_t seq)
{
    taker->of[seq].mark = MARK_SPENT;
    taker->pending--;
}

static void acknowledge(struct run *run, int i)
{
    struct taker *taker = &run->takers[i];
    int64_t now_ns = run->kit->stream->now_ns;
    if (taker->last_new == 0)
        return;
    uint64_t seq = 1 + pick(run, taker->last_new);
    struct delivery *of = &taker->of[seq];
    bool pending = of->mark == MARK_PENDING;
    switch (pick(run, 6)) {
    case 0:
        consumerkit_ack(run->kit, run->consumers[i], seq, "-NAK");
        if (pending && of->deliveries == (uint64_t)taker->max_deliver)
            spend(taker, seq);
        else if (pending)
            of->due_ns = of->due_at_last = now_ns;
        break;
    case 1:
        consumerkit_ack(run->kit, run->consumers[i], seq, "-NAK 700ms");
        if (pending)
            of->due_ns = of->due_at_last = of->due_as_noted = now_ns + 700 * MILLISECOND;
        break;
    case 2:
        consumerkit_ack(run->kit, run->consumers[i], seq, "+WPI");
        // One that is queued already comes all the same.
        if (pending)
            of->due_at_last = of->due_as_noted = now_ns + taker->ack_wait_ns;
        if (pending && of->due_ns > now_ns)
            of->due_ns = of->due_at_last;
        break;
    default:
        consumerkit_ack(run->kit, run->consumers[i], seq, pick(run, 8) == 0 ? "+TERM" : "+ACK");
        if (!taker->all)
            settle(run, taker, seq);
        for (uint64_t below = 1; taker->all && below <= seq; below++)
            settle(run, taker, below);
    }
}

// What comes

static void check_new(struct run *run, struct taker *taker, uint64_t seq)
{
    CHECK(run, seq > taker->last_new);
    CHECK(run, taker->pending < taker->max_pending);
    for (uint64_t before = taker->last_new + 1; before < seq; before++)
        CHECK(run, !is_there(run, before) || !wants(run, taker, before));
    taker->last_new = seq;
    taker->pending++;
}

static void check_message(struct run *run, struct taker *taker, const struct consumer_out *out)
{
    struct bytes rest = out->reply;
    uint64_t numbers[9];
    int64_t now_ns = run->kit->stream->now_ns;
    for (int i = 0; i < 9; i++)
        if (!bytes_to_u64(bytes_cut(rest, '.', &rest), &numbers[i]))
            numbers[i] = 0;
    uint64_t seq = numbers[5];
    struct delivery *of = &taker->of[seq];
    CHECK(run, is_there(run, seq) && wants(run, taker, seq));
    CHECK(run, of->mark == MARK_NEW || of->mark == MARK_PENDING);
    if (of->mark == MARK_NEW)
        check_new(run, taker, seq);
    else
        CHECK(run, of->due_ns <= now_ns);
    of->mark = MARK_PENDING;
    of->deliveries++;
    of->due_ns = of->due_at_last = of->due_as_noted = now_ns + taker->ack_wait_ns;
    CHECK(run, numbers[4] == of->deliveries);
    CHECK(run, taker->max_deliver < 0 || of->deliveries <= (uint64_t)taker->max_deliver);
    CHECK(run, numbers[6] == ++taker->consumer_seq);
    CHECK(run, numbers[8] == left(run, taker));
}

static void check_advisory(struct run *run, struct taker *taker, const struct consumer_out *out)
{
    uint64_t seq = 0;
    if (strcmp(out->type, "advisory.v1.max_deliver") != 0)
        return;
    size_t at = bytes_find(out->body, BYTES("\"stream_seq\":"));
    struct bytes number = bytes_from(out->body, at + strlen("\"stream_seq\":"));
    CHECK(run, bytes_to_u64(bytes_cut(number, ',', &number), &seq));
    // One that was refused is known to be.
    if (taker->of[seq].mark == MARK_SPENT)
        return;
    CHECK(run, taker->of[seq].mark == MARK_PENDING);
    CHECK(run, taker->of[seq].deliveries == (uint64_t)taker->max_deliver);
    CHECK(run, taker->of[seq].due_ns <= run->kit->stream->now_ns);
    spend(taker, seq);
}

// Nothing is kept back from somebody who waits, and the clock is set for what comes later.
static void check_rest(struct run *run, const struct taker *taker, struct consumer *consumer)
{
    int64_t now_ns = run->kit->stream->now_ns;
    int64_t due_ns = INT64_MAX;
    struct consumer_info info = consumerkit_info(run->kit, consumer);
    uint64_t floor = taker->last_new;
    CHECK(run, info.pending == left(run, taker));
    CHECK(run, info.ack_pending == taker->pending);
    for (uint64_t seq = taker->last_new; seq > 0; seq--) {
        const struct delivery *of = &taker->of[seq];
        if (of->mark != MARK_PENDING)
            continue;
        floor = seq - 1;
        CHECK(run, info.waiting == 0 || of->due_at_last > now_ns);
        // One that may stand in the queue already needs no clock, only somebody who pulls.
        if (of->due_ns > now_ns && of->due_at_last == of->due_ns && of->due_ns < due_ns)
            due_ns = of->due_ns;
    }
    CHECK(run, taker->pending == 0 || info.ack_floor.stream_seq == floor);
    CHECK(run, info.waiting == 0 || info.pending == 0 || taker->pending >= taker->max_pending);
    CHECK(run, consumer_deadline(consumer, now_ns) <= due_ns);
}

static void poll(struct run *run, int i)
{
    struct consumer_out out;
    struct consumer *consumer = run->consumers[i];
    struct taker *taker = &run->takers[i];
    while (consumer_poll(consumer, run->kit->stream->now_ns, &run->kit->storage, &out)) {
        if (out.kind == CONSUMER_ADVISORY)
            check_advisory(run, taker, &out);
        else if (bytes_start_with(out.reply, BYTES("$JS.ACK.")))
            check_message(run, taker, &out);
    }
    check_rest(run, taker, consumer);
}

static void pull(struct run *run, int i)
{
    char body[64];
    snprintf(body, sizeof body, "{\"batch\":%d%s}", 1 + (int)pick(run, 20),
             pick(run, 2) == 0 ? ",\"no_wait\":true" : "");
    consumerkit_pull(run->kit, run->consumers[i], body, "in");
}

static void step(struct run *run)
{
    int i = (int)pick(run, CONSUMERS);
    switch (pick(run, 16)) {
    case 0:
    case 1:
    case 2: publish(run); break;
    case 3: commit_stream(run); break;
    case 4: commit(run); break;
    case 5:
        if (pick(run, 8) == 0)
            crash(run);
        break;
    case 6:
        if (pick(run, 4) == 0)
            delete_one(run);
        break;
    case 7: consumerkit_wait(run->kit, (int64_t)pick(run, 900)); break;
    case 8:
    case 9: pull(run, i); break;
    case 10:
    case 11:
    case 12: poll(run, i); break;
    default: acknowledge(run, i);
    }
}

static void make_taker(struct run *run, int i)
{
    static const char *const policies[] = {"explicit", "all"};
    struct taker *taker = &run->takers[i];
    char json[512];
    *taker = (struct taker){
        .filter = filters[pick(run, sizeof filters / sizeof filters[0])],
        .ack_wait_ns = (500 + (int64_t)pick(run, 1000)) * MILLISECOND,
        .max_deliver = pick(run, 2) == 0 ? -1 : 1 + (int64_t)pick(run, 4),
        .max_pending = 1 + pick(run, 30),
        .all = pick(run, 4) == 0,
    };
    snprintf(json, sizeof json,
             "{\"durable_name\":\"C%d\",\"ack_policy\":\"%s\",\"filter_subject\":\"%s\","
             "\"ack_wait\":%" PRId64 ",\"max_deliver\":%" PRId64 ",\"max_ack_pending\":%" PRIu64
             "}",
             i, policies[taker->all], taker->filter, taker->ack_wait_ns, taker->max_deliver,
             taker->max_pending);
    consumerkit_make(run->kit, json);
}

// At the end everybody gets everything: what was not given up is acknowledged.
static void drain(struct run *run)
{
    commit(run);
    for (int round = 0; round < 4 * MESSAGES_MAX; round++) {
        bool more = false;
        consumerkit_wait(run->kit, 400);
        for (int i = 0; i < CONSUMERS; i++) {
            consumerkit_pull(run->kit, run->consumers[i], "50", "in");
            poll(run, i);
            for (uint64_t seq = 1; seq <= run->takers[i].last_new; seq++) {
                if (run->takers[i].of[seq].mark != MARK_PENDING)
                    continue;
                consumerkit_ack(run->kit, run->consumers[i], seq, "");
                settle(run, &run->takers[i], seq);
            }
            more = more || left(run, &run->takers[i]) > 0;
        }
        commit(run);
        if (!more)
            break;
    }
    for (int i = 0; i < CONSUMERS; i++) {
        CHECK(run, left(run, &run->takers[i]) == 0);
        CHECK(run, run->takers[i].pending == 0);
    }
    uint64_t live = 0;
    for (uint64_t seq = 1; seq <= run->now.last_seq; seq++)
        live += run->now.live[seq];
    CHECK(run, streamkit_state(run->kit->stream).messages == live);
}

static void one_run(uint64_t seed)
{
    struct run *run = calloc(1, sizeof *run);
    void *kit;
    assert_non_null(run);
    assert_int_equal(consumerkit_setup(&kit), 0);
    run->kit = kit;
    run->seed = seed;
    run->random = seed;
    run->interest = seed % 3 == 0;
    consumerkit_create(run->kit, run->interest ? "{\"name\":\"S\",\"subjects\":[\"m.>\"],"
                                                 "\"retention\":\"interest\"}"
                                               : "{\"name\":\"S\",\"subjects\":[\"m.>\"]}");
    for (int i = 0; i < CONSUMERS; i++)
        make_taker(run, i);
    find_consumers(run);
    commit(run);
    for (run->step = 0; run->step < STEPS; run->step++)
        step(run);
    drain(run);
    consumerkit_teardown(&kit);
    free(run);
}

static void consumers_do_what_a_list_of_messages_says(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= RUNS; seed++)
        one_run(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(consumers_do_what_a_list_of_messages_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
