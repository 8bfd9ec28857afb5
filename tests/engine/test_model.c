// SPDX-License-Identifier: Apache-2.0
// Random operations on a stream, and on a list of messages that says what the stream should have
// done. The list is searched from end to end for everything, and keeps a copy of what it was at the
// last commit: that is what a reopen brings back.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "streamkit.h"
#include "wire/subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RUNS = 24, STEPS = 3000, MESSAGES_MAX = 1024, IDS_MAX = 4096, ID_COUNT = 12 };

static const char *const subjects[] = {"m.a", "m.b", "m.c", "m.a.x", "m.a.y", "m.b.x.1"};
static const char *const patterns[] = {"m.a", "m.b.x.1", "m.*",   "m.a.*", "m.>",
                                       ">",   "m.*.x.>", "m.zzz", "m.a.y", "*.c"};

enum { SUBJECTS = 6, PATTERNS = 10 };

struct entry {
    uint64_t seq;
    int64_t time_ns;
    int subject;
    int id; // -1 is none
    uint64_t bytes;
    char body[48];
};

struct list {
    struct entry entries[MESSAGES_MAX];
    size_t count;
    uint64_t last_seq;
    int64_t last_time_ns;
};

struct seen {
    int id;
    uint64_t seq;
    int64_t time_ns;
};

struct run {
    struct streamkit *kit;
    uint64_t random;
    uint64_t seed;
    int step;
    struct stream_config config;
    struct list now;
    struct list committed; // as of the last commit
    struct seen seen[IDS_MAX];
    size_t seen_count;
    bool seen_loaded;
    int last_id; // -1 none, -2 not known
};

static uint32_t dice(struct run *run, uint32_t sides)
{
    run->random = run->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(run->random >> 33) % sides;
}

static void check(const struct run *run, bool right, const char *what)
{
    if (!right)
        fail_msg("seed %llu step %d: %s; %s", (unsigned long long)run->seed, run->step, what,
                 run->kit->err.text);
}

static bool is_committed(const struct run *run, const struct entry *entry)
{
    return entry->seq <= run->committed.last_seq;
}

static bool matches(const char *pattern, const struct entry *entry)
{
    return subject_matches(bytes_of_string(pattern), bytes_of_string(subjects[entry->subject]));
}

static void remove_at(struct list *list, size_t at)
{
    memmove(&list->entries[at], &list->entries[at + 1],
            (list->count - at - 1) * sizeof list->entries[0]);
    list->count--;
}

static void model_commit(struct run *run)
{
    run->committed = run->now;
}

static void model_expire(struct run *run)
{
    int64_t age = run->config.max_age_ns;
    while (age > 0 && run->now.count > 0 && is_committed(run, &run->now.entries[0]) &&
           run->now.entries[0].time_ns <= run->kit->now_ns - age)
        remove_at(&run->now, 0);
}

static uint64_t total_bytes(const struct list *list)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < list->count; i++)
        bytes += list->entries[i].bytes;
    return bytes;
}

static size_t first_of(const struct list *list, int subject, size_t *count)
{
    size_t first = SIZE_MAX;
    *count = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (list->entries[i].subject != subject)
            continue;
        if (first == SIZE_MAX)
            first = i;
        ++*count;
    }
    return first;
}

static void model_enforce(struct run *run)
{
    const struct stream_config *config = &run->config;
    for (int subject = 0; subject < SUBJECTS && config->max_msgs_per_subject > 0; subject++) {
        size_t count;
        size_t first;
        while ((first = first_of(&run->now, subject, &count)) != SIZE_MAX &&
               count > (uint64_t)config->max_msgs_per_subject)
            remove_at(&run->now, first);
    }
    while (config->discard == STREAM_DISCARD_OLD && run->now.count > 0 &&
           ((config->max_msgs > 0 && run->now.count > (uint64_t)config->max_msgs) ||
            (config->max_bytes > 0 && total_bytes(&run->now) > (uint64_t)config->max_bytes)))
        remove_at(&run->now, 0);
}

static void model_reopen(struct run *run)
{
    run->now = run->committed;
    run->now.last_time_ns = run->now.count == 0 ? 0 : run->now.entries[run->now.count - 1].time_ns;
    run->seen_count = 0;
    run->seen_loaded = false;
    run->last_id = -2;
    model_expire(run);
    model_enforce(run);
}

static uint64_t model_purge(struct run *run, const char *filter, uint64_t below, uint64_t keep)
{
    uint64_t matching = 0;
    uint64_t purged = 0;
    for (size_t i = 0; i < run->now.count; i++)
        matching += matches(filter, &run->now.entries[i]);
    for (size_t i = 0; i < run->now.count && purged + keep < matching;) {
        const struct entry *entry = &run->now.entries[i];
        if (!matches(filter, entry) || (below > 0 && entry->seq >= below)) {
            i++;
            continue;
        }
        remove_at(&run->now, i);
        purged++;
    }
    return purged;
}

static void remember(struct run *run, int id, uint64_t seq, int64_t time_ns)
{
    check(run, run->seen_count < IDS_MAX, "too many ids");
    run->seen[run->seen_count++] = (struct seen){id, seq, time_ns};
}

// What the publish asks for.
struct request {
    int subject;
    int id; // -1 none
    char body[48];
    long long last;         // -1 none
    long long subject_last; // -1 none
    const char *subject_pattern;
    int expected_id; // -1 none
    const char *rollup;
    uint64_t bytes;
    size_t size; // headers and body
};

static uint64_t model_seen(struct run *run, int id)
{
    uint64_t found = 0;
    int64_t window = run->config.duplicate_window_ns;
    if (!run->seen_loaded) {
        for (size_t i = 0; i < run->now.count; i++) {
            const struct entry *entry = &run->now.entries[i];
            if (entry->id >= 0 && entry->time_ns >= run->kit->now_ns - window)
                remember(run, entry->id, entry->seq, entry->time_ns);
        }
        run->seen_loaded = true;
    }
    size_t kept = 0;
    for (size_t i = 0; i < run->seen_count; i++) {
        if (run->kit->now_ns - run->seen[i].time_ns < window)
            run->seen[kept++] = run->seen[i];
    }
    run->seen_count = kept;
    for (size_t i = 0; i < kept; i++)
        found = run->seen[i].id == id ? run->seen[i].seq : found;
    return found;
}

static int model_expectations(struct run *run, const struct request *request)
{
    uint64_t last = 0;
    const char *pattern = request->subject_pattern != NULL ? request->subject_pattern
                                                           : subjects[request->subject];
    for (size_t i = 0; i < run->now.count; i++)
        last = matches(pattern, &run->now.entries[i]) ? run->now.entries[i].seq : last;
    if (request->subject_last >= 0 && (uint64_t)request->subject_last != last)
        return 10071;
    if (request->subject_last < 0 && request->subject_pattern != NULL)
        return 10193;
    if (request->last >= 0 && (uint64_t)request->last != run->now.last_seq)
        return 10071;
    if (request->expected_id < 0)
        return 0;
    if (run->last_id == -2) {
        const struct list *list = &run->now;
        bool there = list->count > 0 && list->entries[list->count - 1].seq == list->last_seq;
        run->last_id = there ? list->entries[list->count - 1].id : -1;
    }
    return request->expected_id == run->last_id ? 0 : 10070;
}

static int model_room(const struct run *run, const struct request *request)
{
    const struct stream_config *config = &run->config;
    size_t count;
    size_t first = first_of(&run->now, request->subject, &count);
    uint64_t bytes = total_bytes(&run->now) + request->bytes;
    bool replaces = config->max_msgs_per_subject > 0 &&
                    count >= (uint64_t)config->max_msgs_per_subject;
    if (config->max_bytes > 0 && request->bytes > (uint64_t)config->max_bytes)
        return 10077;
    if (config->discard == STREAM_DISCARD_OLD)
        return 0;
    if (replaces && config->discard_new_per_subject && request->rollup == NULL)
        return 10077;
    if (config->max_msgs > 0 && run->now.count >= (uint64_t)config->max_msgs && !replaces)
        return 10077;
    if (config->max_bytes > 0 && bytes > (uint64_t)config->max_bytes &&
        (!replaces || run->now.entries[first].bytes < request->bytes))
        return 10077;
    return 0;
}

static int model_checks(struct run *run, const struct request *request)
{
    int code = model_expectations(run, request);
    if (code == 0 && request->rollup != NULL && !run->config.allow_rollup)
        code = 10111;
    if (code == 0 && run->config.max_msg_size > 0 &&
        request->size > (uint64_t)run->config.max_msg_size)
        code = 10054;
    return code != 0 ? code : model_room(run, request);
}

// The code it fails with, or 0 with the ack.
static int model_publish(struct run *run, const struct request *request, struct stream_ack *ack)
{
    model_expire(run);
    uint64_t first = request->id >= 0 ? model_seen(run, request->id) : 0;
    *ack = (struct stream_ack){.seq = first, .duplicate = first != 0};
    int code = first != 0 ? 0 : model_checks(run, request);
    if (first != 0 || code != 0)
        return code;
    struct list *list = &run->now;
    if (run->kit->now_ns > list->last_time_ns)
        list->last_time_ns = run->kit->now_ns;
    check(run, list->count < MESSAGES_MAX, "too many messages");
    struct entry *entry = &list->entries[list->count++];
    *entry = (struct entry){.seq = ++list->last_seq,
                            .time_ns = list->last_time_ns,
                            .subject = request->subject,
                            .id = request->id,
                            .bytes = request->bytes};
    memcpy(entry->body, request->body, sizeof entry->body);
    ack->seq = entry->seq;
    run->last_id = request->id;
    if (request->id >= 0)
        remember(run, request->id, entry->seq, entry->time_ns);
    model_enforce(run);
    if (request->rollup != NULL)
        model_purge(run, request->rollup[0] == 's' ? subjects[request->subject] : ">", 0, 1);
    return 0;
}

static void draw_expectations(struct run *run, struct request *request)
{
    if (dice(run, 8) == 0)
        request->last = (long long)(run->now.last_seq + (dice(run, 3) == 0));
    if (dice(run, 4) == 0) {
        size_t at = run->now.count == 0 ? 0 : dice(run, (uint32_t)run->now.count);
        request->subject_last = run->now.count == 0 ? 0 : (long long)run->now.entries[at].seq;
        if (run->now.count > 0 && dice(run, 3) > 0)
            request->subject = run->now.entries[at].subject;
    }
    if (dice(run, 10) == 0)
        request->subject_pattern = patterns[dice(run, PATTERNS)];
    if (dice(run, 12) == 0)
        request->expected_id = (int)dice(run, ID_COUNT);
    if (dice(run, 8) == 0)
        request->rollup = dice(run, 4) == 0 ? "all" : "sub";
}

static void draw(struct run *run, struct request *request)
{
    size_t size = dice(run, 40);
    *request = (struct request){.subject = (int)dice(run, SUBJECTS),
                                .id = dice(run, 3) == 0 ? (int)dice(run, ID_COUNT) : -1,
                                .last = -1,
                                .subject_last = -1,
                                .expected_id = -1};
    draw_expectations(run, request);
    for (size_t i = 0; i < size; i++)
        request->body[i] = (char)('a' + dice(run, 26));
}

static void put_number(struct buf *to, const char *name, long long number)
{
    if (number >= 0)
        buf_printf(to, "%s: %lld\r\n", name, number);
}

static void step_publish(struct run *run)
{
    struct request request;
    struct stream_ack ack = {0}, expected;
    struct streamkit *kit = run->kit;
    struct buf *headers = &kit->headers;
    draw(run, &request);
    buf_clear(headers);
    buf_append_string(headers, "NATS/1.0\r\n");
    put_number(headers, "Nats-Msg-Id", request.id);
    put_number(headers, "Nats-Expected-Last-Sequence", request.last);
    put_number(headers, "Nats-Expected-Last-Subject-Sequence", request.subject_last);
    put_number(headers, "Nats-Expected-Last-Msg-Id", request.expected_id);
    if (request.subject_pattern != NULL)
        buf_printf(headers, "Nats-Expected-Last-Subject-Sequence-Subject: %s\r\n",
                   request.subject_pattern);
    if (request.rollup != NULL)
        buf_printf(headers, "Nats-Rollup: %s\r\n", request.rollup);
    if (headers->size == 10)
        buf_clear(headers);
    else
        buf_append_string(headers, "\r\n");
    struct stream_input input = {.subject = bytes_of_string(subjects[request.subject]),
                                 .headers = buf_bytes(headers),
                                 .body = bytes_of_string(request.body),
                                 .now_ns = kit->now_ns};
    request.size = headers->size + input.body.size;
    request.bytes = 22 + input.subject.size + (headers->size > 0 ? 4 : 0) + request.size + 8;
    errinfo_clear(&kit->err);
    enum status status = stream_publish(kit->stream, &input, &ack, &kit->err);
    int code = model_publish(run, &request, &expected);
    check(run, kit->err.protocol_code == code && (status == STATUS_OK) == (code == 0), "publish");
    if (status == STATUS_OK)
        check(run, ack.seq == expected.seq && ack.duplicate == expected.duplicate, "ack");
}

static void step_delete(struct run *run)
{
    uint64_t seq = run->now.last_seq == 0 ? 1 : 1 + dice(run, (uint32_t)run->now.last_seq);
    if (run->now.count > 0 && dice(run, 2) == 0)
        seq = run->now.entries[dice(run, (uint32_t)run->now.count)].seq;
    enum status expected = STATUS_NOT_FOUND;
    for (size_t i = 0; i < run->now.count; i++) {
        if (run->now.entries[i].seq != seq)
            continue;
        remove_at(&run->now, i);
        expected = STATUS_OK;
        break;
    }
    bool erase = dice(run, 4) == 0;
    check(run, stream_delete_message(run->kit->stream, seq, erase, &run->kit->err) == expected,
          "delete");
}

static void step_purge(struct run *run)
{
    struct stream_purge purge = {.keep = 0};
    uint64_t purged = 0;
    const char *filter = ">";
    if (dice(run, 3) > 0) {
        filter = patterns[dice(run, PATTERNS)];
        purge.filter = bytes_of_string(filter);
    }
    if (dice(run, 2) == 0)
        purge.keep = dice(run, 6);
    else if (dice(run, 3) > 0)
        purge.up_to_seq = dice(run, (uint32_t)run->now.last_seq + 3);
    check(run, stream_purge(run->kit->stream, &purge, &purged, &run->kit->err) == STATUS_OK,
          "purge");
    check(run, purged == model_purge(run, filter, purge.up_to_seq, purge.keep), "purged");
}

static int64_t one_of(struct run *run, int64_t a, int64_t b, int64_t c)
{
    const int64_t choice[] = {a, b, c};
    return choice[dice(run, 3)];
}

static void draw_config(struct run *run, struct stream_config *config)
{
    streamkit_config(config, "{\"name\":\"S\",\"subjects\":[\"m.>\"]}");
    config->max_msgs = one_of(run, -1, 5, 60);
    config->max_bytes = one_of(run, -1, 400, 4000);
    config->max_msgs_per_subject = one_of(run, -1, 1, 4);
    config->max_msg_size = one_of(run, -1, -1, 50);
    config->max_age_ns = one_of(run, 0, 5, 100) * SECOND;
    config->duplicate_window_ns = one_of(run, 1, 2, 5) * SECOND;
    config->allow_rollup = dice(run, 3) > 0;
    config->discard = dice(run, 2) == 0 ? STREAM_DISCARD_NEW : STREAM_DISCARD_OLD;
    config->discard_new_per_subject = config->discard == STREAM_DISCARD_NEW &&
                                      config->max_msgs_per_subject > 0 && dice(run, 2) == 0;
}

static void step_update(struct run *run)
{
    struct stream_config config;
    draw_config(run, &config);
    check(run,
          stream_update(run->kit->stream, &config, run->kit->now_ns, &run->kit->err) == STATUS_OK,
          "update");
    model_expire(run);
    model_commit(run);
    stream_config_fini(&run->config);
    run->config = config;
    model_expire(run);
    model_enforce(run);
}

static void step_commit(struct run *run)
{
    check(run, stream_commit(run->kit->stream, &run->kit->err) == STATUS_OK, "commit");
    if (dice(run, 4) == 0)
        check(run, msglog_erase_pending(stream_get_log(run->kit->stream), NULL) == STATUS_OK,
              "erase");
    model_commit(run);
}

static void step_expire(struct run *run)
{
    run->kit->now_ns += (int64_t)dice(run, 3) * SECOND / 2;
    check(run, stream_expire(run->kit->stream, run->kit->now_ns, NULL) == STATUS_OK, "expire");
    model_expire(run);
}

static void step_reclaim(struct run *run)
{
    struct msglog *log = stream_get_log(run->kit->stream);
    struct msglog_reclaim *work = msglog_reclaim_take(log);
    if (work == NULL)
        return;
    msglog_reclaim_run(work);
    check(run, msglog_reclaim_done(log, work, &run->kit->err) == STATUS_OK, "reclaim");
}

static void step(struct run *run)
{
    uint32_t what = dice(run, 100);
    if (what < 60)
        step_publish(run);
    else if (what < 66)
        step_delete(run);
    else if (what < 69)
        step_purge(run);
    else if (what < 71)
        step_update(run);
    else if (what < 86)
        step_commit(run);
    else if (what < 95)
        step_expire(run);
    else if (what < 97)
        step_reclaim(run);
    else {
        streamkit_reopen(run->kit);
        model_reopen(run);
    }
}

static void compare_state(struct run *run)
{
    struct stream_state is = streamkit_state(run->kit);
    struct stream_state should = {.last_seq = run->committed.last_seq};
    bool there[SUBJECTS] = {false};
    for (size_t i = 0; i < run->now.count; i++) {
        const struct entry *entry = &run->now.entries[i];
        if (!is_committed(run, entry))
            break;
        if (should.messages++ == 0) {
            should.first_seq = entry->seq;
            should.first_time_ns = entry->time_ns;
        }
        should.bytes += entry->bytes;
        should.num_subjects += !there[entry->subject];
        there[entry->subject] = true;
    }
    if (should.messages == 0)
        should.first_seq = should.last_seq + 1;
    should.num_deleted = should.last_seq + 1 - should.first_seq - should.messages;
    check(run, is.messages == should.messages, "messages");
    check(run, is.bytes == should.bytes, "bytes");
    if (should.last_seq == 0)
        should.first_seq = 0; // there never was a message
    check(run, is.first_seq == should.first_seq, "first sequence");
    check(run, is.last_seq == should.last_seq, "last sequence");
    check(run, is.first_time_ns == should.first_time_ns, "first time");
    check(run, is.num_subjects == should.num_subjects, "subjects");
    check(run, is.num_deleted == should.num_deleted, "deleted");
}

static void compare_searches(struct run *run)
{
    const char *pattern = patterns[dice(run, PATTERNS)];
    uint64_t from = dice(run, (uint32_t)run->now.last_seq + 2);
    uint64_t last = 0;
    uint64_t next = 0;
    struct msglog_message message;
    for (size_t i = 0; i < run->now.count && is_committed(run, &run->now.entries[i]); i++) {
        const struct entry *entry = &run->now.entries[i];
        if (!matches(pattern, entry))
            continue;
        last = entry->seq;
        if (next == 0 && entry->seq >= from)
            next = entry->seq;
    }
    check(run, stream_find_next(run->kit->stream, from, bytes_of_string(pattern)) == next, "next");
    enum status status = stream_get_last(run->kit->stream, bytes_of_string(pattern), MSGLOG_HEAD,
                                         &run->kit->storage, &message, NULL);
    check(run, (status == STATUS_OK) == (last != 0), "last is there");
    check(run, status != STATUS_OK || message.seq == last, "last");
}

static void compare_messages(struct run *run)
{
    size_t at = 0;
    for (uint64_t seq = 1; seq <= run->now.last_seq; seq++) {
        const struct entry *entry = &run->now.entries[at];
        bool there = at < run->now.count && entry->seq == seq;
        at += there;
        there = there && is_committed(run, entry);
        struct msglog_message message;
        enum status status = stream_get(run->kit->stream, seq, MSGLOG_ALL, &run->kit->storage,
                                        &message, NULL);
        check(run, status == (there ? STATUS_OK : STATUS_NOT_FOUND), "message is there");
        check(run, !there || bytes_equal(message.body, bytes_of_string(entry->body)), "body");
        check(run, !there || message.time_ns == entry->time_ns, "time");
    }
}

static void run_once(struct streamkit *kit, uint64_t seed)
{
    struct run *run = calloc(1, sizeof *run);
    assert_non_null(run);
    run->kit = kit;
    run->seed = run->random = seed;
    run->last_id = -1;
    run->seen_loaded = true;
    streamkit_config(&run->config, "{\"name\":\"S\",\"subjects\":[\"m.>\"],"
                                   "\"allow_rollup_hdrs\":true,\"duplicate_window\":1000000000}");
    streamkit_create(kit, "{\"name\":\"S\",\"subjects\":[\"m.>\"],"
                          "\"allow_rollup_hdrs\":true,\"duplicate_window\":1000000000}");
    for (run->step = 0; run->step < STEPS; run->step++) {
        step(run);
        compare_state(run);
        compare_searches(run);
        if (run->step % 50 == 0)
            compare_messages(run);
    }
    compare_messages(run);
    stream_config_fini(&run->config);
    free(run);
}

static void the_stream_agrees_with_a_plain_list_after_every_random_step(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < RUNS; i++) {
        void *kit;
        streamkit_setup(&kit);
        run_once(kit, 20251123 + i);
        streamkit_teardown(&kit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_stream_agrees_with_a_plain_list_after_every_random_step),
    };
    return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
