// SPDX-License-Identifier: Apache-2.0
#include "crashsim.h"

#include "simhost.h"
#include "store/msglog.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGES_MAX = 400, STEPS = 60, SEGMENT_BYTES = 4096, BODY_MAX = 6000 };

static const char directory[] = "store/log";

enum certainty { NO, PERHAPS, YES };

// What the user of the log knows of one sequence.
struct known {
    enum certainty stored;
    enum certainty removed;
    bool erase;  // it was removed with erase
    bool erased; // and the log said that the bytes are gone
};

struct walk {
    uint64_t seed; // of the workload
    uint64_t random;
    uint64_t crash_random;
    struct simhost *sim;
    struct msglog *log;
    struct known known[MESSAGES_MAX + 8];
    uint64_t last;       // staged
    uint64_t last_acked; // committed
    bool created;
    uint64_t points;
    bool violated;
};

static void violation(struct walk *walk, const char *what, uint64_t seq, const char *detail)
{
    if (!walk->violated)
        fprintf(stderr, "seed %" PRIu64 ", point %" PRIu64 ": %s (message %" PRIu64 ") %s\n",
                walk->seed, walk->points, what, seq, detail);
    walk->violated = true;
}

static uint64_t below(uint64_t *random, uint64_t end)
{
    return simhost_random(random) % end;
}

static size_t make_mark(const struct walk *walk, uint64_t seq, char mark[48])
{
    return (size_t)snprintf(mark, 48, "[%" PRIu64 ".%" PRIu64 "]", walk->seed, seq);
}

// The body of a message follows from the workload and the sequence alone.
static size_t make_body(const struct walk *walk, uint64_t seq, char body[BODY_MAX])
{
    char mark[48];
    uint64_t random = walk->seed * 1000003 + seq;
    size_t mark_size = make_mark(walk, seq, mark);
    size_t size = below(&random, 12) == 0 ? below(&random, BODY_MAX) : below(&random, 700);
    for (size_t i = 0; i < size; i++)
        body[i] = mark[i % mark_size];
    return size;
}

static bool same(const struct walk *walk, const struct msglog_message *message, uint64_t seq)
{
    char body[BODY_MAX];
    char subject[32];
    size_t size = make_body(walk, seq, body);
    snprintf(subject, sizeof subject, "s.%" PRIu64, seq % 7);
    return message->seq == seq && message->time_ns == (int64_t)(seq * 10) &&
           bytes_equal(message->subject, bytes_of_string(subject)) &&
           bytes_equal(message->headers, seq % 2 == 0 ? BYTES("NATS/1.0\r\n\r\n") : BYTES("")) &&
           bytes_equal(message->body, bytes_of(body, size));
}

static void append(struct walk *walk)
{
    char body[BODY_MAX];
    char subject[32];
    struct errinfo err = {0};
    uint64_t seq = walk->last + 1;
    if (seq >= MESSAGES_MAX)
        return;
    snprintf(subject, sizeof subject, "s.%" PRIu64, seq % 7);
    struct msglog_message message = {
        .seq = seq,
        .time_ns = (int64_t)(seq * 10),
        .subject = bytes_of_string(subject),
        .headers = seq % 2 == 0 ? BYTES("NATS/1.0\r\n\r\n") : BYTES(""),
        .body = bytes_of(body, make_body(walk, seq, body)),
    };
    walk->known[seq].stored = PERHAPS;
    walk->last = seq;
    if (msglog_append(walk->log, &message, &err) != STATUS_OK)
        violation(walk, "append failed", seq, err.text);
}

static void remove_range(struct walk *walk, uint64_t first, uint64_t last, bool erase)
{
    struct errinfo err = {0};
    for (uint64_t seq = first; seq <= last && seq <= walk->last; seq++) {
        if (walk->known[seq].stored == NO || walk->known[seq].removed != NO)
            continue;
        walk->known[seq].removed = PERHAPS;
        walk->known[seq].erase = erase;
    }
    if (msglog_remove(walk->log, first, last, erase, &err) != STATUS_OK)
        violation(walk, "remove failed", first, err.text);
}

static void commit(struct walk *walk)
{
    struct errinfo err = {0};
    if (msglog_commit(walk->log, &err) != STATUS_OK)
        violation(walk, "commit failed", 0, err.text);
    for (uint64_t seq = 1; seq <= walk->last; seq++) {
        struct known *known = &walk->known[seq];
        known->stored = known->stored == PERHAPS ? YES : known->stored;
        known->removed = known->removed == PERHAPS ? YES : known->removed;
    }
    walk->last_acked = walk->last;
}

// A commit whose batch is written while more is staged behind it, as another thread would do it.
static void overlapped_commit(struct walk *walk)
{
    struct errinfo err = {0};
    struct msglog_batch *batch = msglog_batch_take(walk->log);
    if (batch == NULL)
        return;
    struct known taken[MESSAGES_MAX + 8];
    memcpy(taken, walk->known, sizeof taken);
    uint64_t last = walk->last;
    for (uint64_t n = below(&walk->random, 12); n > 0; n--)
        append(walk);
    uint64_t first = 1 + below(&walk->random, walk->last);
    if (below(&walk->random, 2) == 0)
        remove_range(walk, first, first + 2, false);
    if (below(&walk->random, 2) == 0)
        remove_range(walk, 1, first, false);
    msglog_batch_write(batch);
    if (msglog_batch_done(walk->log, batch, &err) != STATUS_OK)
        violation(walk, "commit failed", 0, err.text);
    for (uint64_t seq = 1; seq <= last; seq++) {
        if (taken[seq].stored == PERHAPS)
            walk->known[seq].stored = YES;
        if (taken[seq].removed == PERHAPS)
            walk->known[seq].removed = YES;
    }
    walk->last_acked = last;
}

static void erase_pending(struct walk *walk)
{
    struct errinfo err = {0};
    if (msglog_erase_pending(walk->log, &err) != STATUS_OK)
        violation(walk, "erase failed", 0, err.text);
    for (uint64_t seq = 1; seq <= walk->last; seq++)
        walk->known[seq].erased |= walk->known[seq].erase && walk->known[seq].removed == YES;
}

static void reclaim(struct walk *walk)
{
    struct errinfo err = {0};
    struct msglog_reclaim *work = msglog_reclaim_take(walk->log);
    if (work == NULL)
        return;
    msglog_reclaim_run(work);
    if (msglog_reclaim_done(walk->log, work, &err) != STATUS_OK)
        violation(walk, "reclaim failed", 0, err.text);
}

static struct msglog *open_log(struct walk *walk, struct simhost *sim)
{
    struct errinfo err = {0};
    struct msglog *log = NULL;
    struct msglog_options options = {.segment_bytes = SEGMENT_BYTES};
    if (msglog_open(&log, simhost_host(sim), directory, &options, &err) != STATUS_OK)
        violation(walk, "open failed", 0, err.text);
    return log;
}

static void reopen(struct walk *walk)
{
    commit(walk);
    msglog_close(walk->log);
    walk->log = open_log(walk, walk->sim);
}

static void check_message(struct walk *walk, struct msglog *log, uint64_t seq, struct buf *storage)
{
    struct errinfo err = {0};
    struct msglog_message message;
    const struct known *known = &walk->known[seq];
    enum status status = msglog_read(log, seq, MSGLOG_ALL, storage, &message, &err);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND) {
        violation(walk, "damaged", seq, err.text);
        return;
    }
    bool found = status == STATUS_OK;
    if (found && !same(walk, &message, seq))
        violation(walk, "wrong content", seq, "");
    if (!found && known->stored == YES && known->removed == NO)
        violation(walk, "an acknowledged message is lost", seq, "");
    if (found && known->removed == YES)
        violation(walk, "a removed message is back", seq, "");
    if (found && known->stored == NO)
        violation(walk, "a message that nobody stored", seq, "");
}

// A crash is no damage: whatever it leaves, nothing may be reported but an index made anew.
static void no_damage(void *context, const struct msglog_damage *damage)
{
    if (strstr(damage->file, ".idx") == NULL)
        violation(context, "reported as damaged", damage->seq, damage->text);
}

static void compare(struct walk *walk, struct msglog *log)
{
    struct buf storage;
    struct msglog_state state;
    buf_init(&storage, SIZE_MAX);
    msglog_state_get(log, &state);
    if (state.last_seq < walk->last_acked || state.last_seq > walk->last)
        violation(walk, "the last sequence is wrong", state.last_seq, "");
    for (uint64_t seq = 1; seq <= walk->last + 4; seq++)
        check_message(walk, log, seq, &storage);
    uint64_t count = 0;
    struct msglog_entry entry = {.seq = 0};
    while (msglog_entry_next(log, entry.seq + 1, &entry))
        count++;
    if (count != state.messages)
        violation(walk, "the count of messages is wrong", count, "");
    if (msglog_check(log, no_damage, walk, NULL) != STATUS_OK)
        violation(walk, "check failed", 0, "");
    buf_fini(&storage);
}

// After recovery what was to be erased is not to be found in any file.
static void compare_erased(struct walk *walk, const struct simhost *sim)
{
    for (uint64_t seq = 1; seq <= walk->last; seq++) {
        char body[BODY_MAX];
        char mark[48];
        size_t mark_size = make_mark(walk, seq, mark);
        if (!walk->known[seq].erase || walk->known[seq].removed != YES)
            continue;
        if (make_body(walk, seq, body) >= mark_size &&
            simhost_contains(sim, bytes_of(mark, mark_size)))
            violation(walk, "erased bytes are still there", seq, "");
    }
}

// The recovered log must take new messages and lose nothing by it, and bear another crash.
static void go_on(const struct walk *walk, struct simhost *sim, struct walk *after)
{
    struct msglog_state state;
    *after = *walk;
    after->sim = sim;
    after->log = open_log(after, sim);
    if (after->log == NULL)
        return;
    compare(after, after->log);
    erase_pending(after);
    compare_erased(after, sim);
    msglog_state_get(after->log, &state);
    // What the recovery decided is settled now: what it shows was synced, what it does not show
    // is gone for good.
    struct msglog_entry entry;
    for (uint64_t seq = 1; seq <= after->last; seq++) {
        bool there = msglog_entry_get(after->log, seq, &entry);
        after->known[seq].stored = there ? YES : NO;
        after->known[seq].removed = NO;
    }
    after->last = state.last_seq;
    append(after);
    append(after);
    if (after->last > 4 && below(&after->crash_random, 2) == 0)
        remove_range(after, after->last / 2, after->last / 2 + 1, false);
    commit(after);
    compare(after, after->log);
    enum simhost_crash_mode mode = (enum simhost_crash_mode)below(&after->crash_random,
                                                                  SIM_CRASH_MODES);
    struct simhost *second = simhost_crash(sim, mode, &after->crash_random);
    struct msglog *log = open_log(after, second);
    if (log != NULL)
        compare(after, log);
    msglog_close(log);
    simhost_free(second);
    msglog_close(after->log);
}

static void power_fails(void *context)
{
    struct walk *walk = context;
    if (!walk->created || walk->violated)
        return;
    struct walk *after = malloc(sizeof *after);
    for (int mode = 0; mode < SIM_CRASH_MODES && after != NULL && !walk->violated; mode++) {
        struct simhost *image = simhost_crash(walk->sim, (enum simhost_crash_mode)mode,
                                              &walk->crash_random);
        walk->points++;
        go_on(walk, image, after);
        walk->violated |= after->violated;
        walk->crash_random = after->crash_random;
        simhost_free(image);
    }
    free(after);
}

static void step(struct walk *walk)
{
    uint64_t *random = &walk->random;
    uint64_t first = 1 + below(random, walk->last + 1);
    switch (below(random, 13)) {
    case 0: remove_range(walk, first, first + below(random, 4), false); break;
    case 1: remove_range(walk, first, first, true); break;
    case 2: remove_range(walk, 1, walk->last * 3 / 4, false); break;
    case 3: commit(walk); break;
    case 4: erase_pending(walk); break;
    case 5:
    case 6: reclaim(walk); break;
    case 7: reopen(walk); break;
    case 12: overlapped_commit(walk); break;
    case 8:
        remove_range(walk, 1, below(random, 3) == 0 ? UINT64_MAX : first, false);
        append(walk);
        remove_range(walk, 1, first, false);
        break;
    default:
        for (uint64_t n = 1 + below(random, 4); n > 0; n--)
            append(walk);
        if (below(random, 2) == 0)
            commit(walk);
    }
}

static bool one_workload(uint64_t seed, uint64_t *points)
{
    struct walk *walk = calloc(1, sizeof *walk);
    if (walk == NULL)
        return false;
    walk->seed = seed;
    walk->random = seed;
    walk->crash_random = seed ^ 0x5bd1e995;
    walk->sim = simhost_new();
    const struct host *host = simhost_host(walk->sim);
    host->make_directory(host->context, "store");
    host->sync_directory(host->context, ".");
    simhost_set_hook(walk->sim, power_fails, walk);
    if (msglog_create(host, directory, 1, NULL) != STATUS_OK)
        violation(walk, "create failed", 0, "");
    walk->created = true;
    walk->log = open_log(walk, walk->sim);
    for (int i = 0; i < STEPS && !walk->violated; i++)
        step(walk);
    if (!walk->violated)
        reopen(walk);
    if (!walk->violated)
        compare(walk, walk->log);
    bool sound = !walk->violated;
    *points += walk->points;
    msglog_close(walk->log);
    simhost_free(walk->sim);
    free(walk);
    return sound;
}

bool crashsim_run(uint64_t seed, uint64_t points, uint64_t *tried)
{
    *tried = 0;
    while (*tried < points) {
        if (!one_workload(seed++, tried))
            return false;
    }
    return true;
}
