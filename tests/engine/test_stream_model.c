// SPDX-License-Identifier: Apache-2.0
// Thousands of random operations on a stream and on a naive model of it, with closing, opening and
// giving space back in between. AGOG_TEST_SEED chooses the first seed.
#include "stream_fixture.h"

#include "wire/subject.h"

enum { MESSAGES_MAX = 4000, STEPS = 1500, SUBJECTS = 7, ROUNDS = 12 };

static const char *const subject_names[SUBJECTS] = {"a.x", "a.y", "a.z",  "b.x",
                                                    "b.y", "c",   "d.e.f"};
static const char *const patterns[] = {">", "a.*", "*.x", "b.>", "c", "d.*.f", "none", "a.y"};

struct model_message {
    bool live;
    int subject;
    int64_t time_ns;
    uint32_t number; // of which the body is made
    size_t size;
    int id;        // 0 for none
    bool id_known; // in the duplicate window, as far as that reaches
};

// Sequence n stands at n - 1.
struct model {
    struct model_message messages[MESSAGES_MAX];
    uint64_t last_seq;
    int64_t last_time_ns;
    struct stream_config config;
    bool ids_loaded; // the first publish with an id after opening finds the ids of live messages
};

struct run {
    struct fixture *at;
    struct model model;
    uint64_t seed; // of the round, to be printed
    uint64_t state;
};

#define CHECK(run, condition)                                                                      \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_msg("AGOG_TEST_SEED=%llu, line %d: %s", (unsigned long long)(run)->seed,          \
                     __LINE__, #condition);                                                        \
    } while (0)

static uint64_t below(struct run *run, uint64_t bound)
{
    return simhost_random(&run->state) % bound;
}

static void make_body(uint32_t number, size_t size, char *out)
{
    for (size_t i = 0; i < size; i++)
        out[i] = (char)('a' + (number * 31 + i * 7) % 26);
}

static uint64_t size_of(const struct model_message *message)
{
    char id[48];
    size_t headers = 0;
    if (message->id != 0)
        headers = (size_t)snprintf(id, sizeof id, "NATS/1.0\r\nNats-Msg-Id: %d\r\n\r\n",
                                   message->id);
    return msglog_message_bytes(strlen(subject_names[message->subject]), headers, message->size);
}

static uint64_t model_count(const struct model *model, int subject)
{
    uint64_t count = 0;
    for (uint64_t i = 0; i < model->last_seq; i++)
        count += model->messages[i].live && (subject < 0 || model->messages[i].subject == subject);
    return count;
}

static uint64_t model_bytes(const struct model *model)
{
    uint64_t bytes = 0;
    for (uint64_t i = 0; i < model->last_seq; i++)
        bytes += model->messages[i].live ? size_of(&model->messages[i]) : 0;
    return bytes;
}

static void drop_oldest(struct model *model, int subject)
{
    for (uint64_t i = 0; i < model->last_seq; i++) {
        if (model->messages[i].live && (subject < 0 || model->messages[i].subject == subject)) {
            model->messages[i].live = false;
            return;
        }
    }
}

static void model_expire(struct model *model, int64_t now_ns)
{
    for (uint64_t i = 0; model->config.max_age_ns > 0 && i < model->last_seq; i++) {
        if (model->messages[i].time_ns <= now_ns - model->config.max_age_ns)
            model->messages[i].live = false;
    }
}

static void model_enforce(struct model *model)
{
    const struct stream_config *config = &model->config;
    for (int subject = 0; config->max_msgs_per_subject > 0 && subject < SUBJECTS; subject++) {
        while (model_count(model, subject) > (uint64_t)config->max_msgs_per_subject)
            drop_oldest(model, subject);
    }
    if (config->discard == STREAM_DISCARD_NEW)
        return;
    while (config->max_msgs > 0 && model_count(model, -1) > (uint64_t)config->max_msgs)
        drop_oldest(model, -1);
    while (config->max_bytes > 0 && model_bytes(model) > (uint64_t)config->max_bytes)
        drop_oldest(model, -1);
}

static bool model_has_room(const struct model *model, const struct model_message *message)
{
    const struct stream_config *config = &model->config;
    uint64_t bytes = size_of(message);
    uint64_t replaced = 0;
    if (config->max_bytes > 0 && bytes > (uint64_t)config->max_bytes)
        return false;
    if (config->discard == STREAM_DISCARD_OLD)
        return true;
    bool replaces = config->max_msgs_per_subject > 0 &&
                    model_count(model, message->subject) >= (uint64_t)config->max_msgs_per_subject;
    for (uint64_t i = 0; replaces && replaced == 0; i++) {
        if (model->messages[i].live && model->messages[i].subject == message->subject)
            replaced = size_of(&model->messages[i]);
    }
    if (config->max_msgs > 0 && !replaces && model_count(model, -1) >= (uint64_t)config->max_msgs)
        return false;
    return config->max_bytes <= 0 || model_bytes(model) + bytes <= (uint64_t)config->max_bytes ||
           replaced >= bytes;
}

static uint64_t model_find_id(struct model *model, int id, int64_t now_ns)
{
    uint64_t found = 0;
    for (uint64_t i = 0; i < model->last_seq; i++) {
        struct model_message *message = &model->messages[i];
        if (!model->ids_loaded)
            message->id_known = message->live;
        // What is once outside of the window is forgotten, also when the clock is set back.
        if (message->time_ns <= now_ns - model->config.duplicate_window_ns)
            message->id_known = false;
        if (message->id == id && message->id_known && found == 0)
            found = i + 1;
    }
    model->ids_loaded = true;
    return found;
}

static void step_publish(struct run *run)
{
    struct model *model = &run->model;
    struct fixture *at = run->at;
    char headers[64] = "";
    char body[2000];
    struct model_message message = {
        .live = true,
        .subject = (int)below(run, SUBJECTS),
        .time_ns = at->now_ns > model->last_time_ns ? at->now_ns : model->last_time_ns,
        .number = (uint32_t)below(run, 1000),
        .size = (size_t)below(run, below(run, 20) == 0 ? 2000 : 200),
        // A new id each time, now and then one that is there.
        .id = below(run, 4) == 0 ? (int)model->last_seq + 1 : 0,
    };
    uint64_t duplicate_of = 0;
    if (model->last_seq > 0 && below(run, 8) == 0) {
        uint64_t seq = 1 + below(run, model->last_seq);
        if (model->messages[seq - 1].live && model->messages[seq - 1].id != 0)
            message.id = model->messages[seq - 1].id;
    }
    if (message.id != 0)
        snprintf(headers, sizeof headers, "Nats-Msg-Id: %d\r\n", message.id);
    make_body(message.number, message.size, body);
    model_expire(model, at->now_ns);
    if (message.id != 0)
        duplicate_of = model_find_id(model, message.id, at->now_ns);
    enum status status = stage_with(at, subject_names[message.subject],
                                    message.id != 0 ? headers : NULL, bytes_of(body, message.size));
    if (duplicate_of != 0) {
        CHECK(run, status == STATUS_OK && at->ack.duplicate && at->ack.seq == duplicate_of);
        return;
    }
    bool fits = model_has_room(model, &message);
    CHECK(run, status == (fits ? STATUS_OK : STATUS_LIMIT));
    if (!fits)
        return;
    CHECK(run, !at->ack.duplicate && at->ack.seq == model->last_seq + 1);
    message.id_known = true;
    model->messages[model->last_seq++] = message;
    model->last_time_ns = message.time_ns;
    model_enforce(model);
}

static void step_delete(struct run *run)
{
    struct model *model = &run->model;
    uint64_t seq = 1 + below(run, model->last_seq + 2);
    bool live = seq <= model->last_seq && model->messages[seq - 1].live;
    enum status status = stream_delete_message(run->at->stream, seq, below(run, 2) == 0, NULL);
    CHECK(run, status == (live ? STATUS_OK : STATUS_NOT_FOUND));
    if (live)
        model->messages[seq - 1].live = false;
}

static bool matches(const char *pattern, int subject)
{
    return subject_matches(bytes_of_string(pattern), bytes_of_string(subject_names[subject]));
}

static void step_purge(struct run *run)
{
    struct model *model = &run->model;
    const char *pattern = patterns[below(run, sizeof patterns / sizeof patterns[0])];
    struct stream_purge what = {.filter = bytes_of_string(pattern)};
    uint64_t purged, matching = 0, wanted = 0;
    switch (below(run, 3)) {
    case 0: what.keep = 1 + below(run, 5); break;
    case 1: what.up_to_seq = 1 + below(run, model->last_seq + 2); break;
    default: break;
    }
    for (uint64_t i = 0; i < model->last_seq; i++)
        matching += model->messages[i].live && matches(pattern, model->messages[i].subject);
    uint64_t most = matching > what.keep ? matching - what.keep : 0;
    for (uint64_t i = 0; i < model->last_seq && wanted < most; i++) {
        struct model_message *message = &model->messages[i];
        if (!message->live || !matches(pattern, message->subject) ||
            (what.up_to_seq > 0 && i + 1 >= what.up_to_seq))
            continue;
        message->live = false;
        wanted++;
    }
    CHECK(run, stream_purge(run->at->stream, &what, &purged, NULL) == STATUS_OK);
    CHECK(run, purged == wanted);
}

static void give_space_back(struct run *run)
{
    struct msglog *log = stream_get_log(run->at->stream);
    struct msglog_reclaim *work;
    commit_all(run->at);
    CHECK(run, msglog_erase_pending(log, NULL) == STATUS_OK);
    while ((work = msglog_reclaim_take(log)) != NULL) {
        msglog_reclaim_run(work);
        CHECK(run, msglog_reclaim_done(log, work, NULL) == STATUS_OK);
    }
}

static void reopen(struct run *run)
{
    commit_all(run->at);
    fixture_reopen(run->at);
    struct model *model = &run->model;
    model->ids_loaded = false;
    // Opening knows the times of what is still there.
    model->last_time_ns = 0;
    for (uint64_t i = 0; i < model->last_seq; i++) {
        if (model->messages[i].live)
            model->last_time_ns = model->messages[i].time_ns;
    }
    model_expire(model, run->at->now_ns);
}

static void check_message(struct run *run, uint64_t seq)
{
    const struct model_message *message = &run->model.messages[seq - 1];
    char body[2000];
    enum status status = get(run->at, seq);
    CHECK(run, status == (message->live ? STATUS_OK : STATUS_NOT_FOUND));
    if (!message->live)
        return;
    const struct msglog_message *is = &run->at->message;
    make_body(message->number, message->size, body);
    CHECK(run, is->seq == seq && is->time_ns == message->time_ns);
    CHECK(run, bytes_equal(is->subject, bytes_of_string(subject_names[message->subject])));
    CHECK(run, bytes_equal(is->body, bytes_of(body, message->size)));
}

static void check_pattern(struct run *run, const char *pattern)
{
    const struct model *model = &run->model;
    uint64_t from = below(run, model->last_seq + 2);
    uint64_t last = 0, next = 0;
    for (uint64_t i = model->last_seq; i > 0; i--) {
        if (!model->messages[i - 1].live || !matches(pattern, model->messages[i - 1].subject))
            continue;
        last = last == 0 ? i : last;
        next = i >= from ? i : next;
    }
    CHECK(run, stream_find_next(run->at->stream, from, bytes_of_string(pattern)) == next);
    enum status status = get_last(run->at, pattern);
    CHECK(run, status == (last != 0 ? STATUS_OK : STATUS_NOT_FOUND));
    CHECK(run, last == 0 || run->at->message.seq == last);
}

static enum status count_subject(void *context, struct bytes subject, uint64_t count)
{
    struct run *run = context;
    int at = 0;
    while (!bytes_equal(bytes_of_string(subject_names[at]), subject))
        at++;
    CHECK(run, model_count(&run->model, at) == count);
    return STATUS_OK;
}

static void check_lists(struct run *run)
{
    struct model *model = &run->model;
    struct stream_last *list;
    size_t count;
    uint64_t before = 0, subjects = 0;
    CHECK(run, stream_find_last_each(run->at->stream, BYTES(""), &list, &count, NULL) == STATUS_OK);
    for (size_t i = 0; i < count; i++) {
        CHECK(run, list[i].seq > before && model->messages[list[i].seq - 1].live);
        before = list[i].seq;
    }
    free(list);
    for (int i = 0; i < SUBJECTS; i++)
        subjects += model_count(model, i) > 0;
    CHECK(run, count == subjects);
    CHECK(run, stream_subjects(run->at->stream, BYTES(""), count_subject, run, NULL) == STATUS_OK);
    struct stream_state is;
    stream_state_get(run->at->stream, &is);
    CHECK(run, is.messages == model_count(model, -1));
    CHECK(run, is.bytes == model_bytes(model));
    CHECK(run, is.last_seq == model->last_seq);
    CHECK(run, is.num_subjects == subjects);
}

static void check_all(struct run *run)
{
    commit_all(run->at);
    CHECK(run, stream_expire(run->at->stream, run->at->now_ns, NULL) == STATUS_OK);
    commit_all(run->at);
    model_expire(&run->model, run->at->now_ns);
    for (uint64_t seq = 1; seq <= run->model.last_seq; seq++)
        check_message(run, seq);
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++)
        check_pattern(run, patterns[i]);
    check_lists(run);
}

static void step(struct run *run)
{
    uint64_t what = below(run, 100);
    if (what < 70)
        step_publish(run);
    else if (what < 80)
        step_delete(run);
    else if (what < 83)
        step_purge(run);
    else if (what < 88)
        commit_all(run->at);
    else if (what < 92)
        run->at->now_ns += (int64_t)below(run, 20) * SECOND;
    else if (what < 93)
        run->at->now_ns -= (int64_t)below(run, 5) * SECOND;
    else if (what < 95)
        reopen(run);
    else if (what < 96)
        give_space_back(run);
    else if (what < 98)
        check_all(run);
}

static const char *const configs[] = {
    "{\"name\":\"S\",\"subjects\":[\"a.*\",\"b.*\",\"c\",\"d.>\"],"
    "\"duplicate_window\":60000000000}",
    "{\"name\":\"S\",\"subjects\":[\"a.*\",\"b.*\",\"c\",\"d.>\"],\"max_msgs\":60,"
    "\"max_bytes\":9000,\"max_age\":600000000000,\"duplicate_window\":60000000000}",
    "{\"name\":\"S\",\"subjects\":[\"a.*\",\"b.*\",\"c\",\"d.>\"],\"max_msgs_per_subject\":3,"
    "\"max_age\":100000000000,\"duplicate_window\":50000000000}",
    "{\"name\":\"S\",\"subjects\":[\"a.*\",\"b.*\",\"c\",\"d.>\"],\"max_msgs_per_subject\":6,"
    "\"max_msgs\":30,\"max_bytes\":6000,\"discard\":\"new\",\"duplicate_window\":60000000000}",
};

static void run_round(uint64_t seed)
{
    struct run *run = calloc(1, sizeof *run);
    assert_non_null(run);
    const char *json = configs[seed % (sizeof configs / sizeof configs[0])];
    run->seed = run->state = seed;
    run->at = fixture_new(json);
    run->model.config = config_of(json);
    for (int i = 0; i < STEPS; i++)
        step(run);
    check_all(run);
    reopen(run);
    check_all(run);
    stream_config_fini(&run->model.config);
    fixture_free(run->at);
    free(run);
}

static void a_stream_is_what_a_naive_model_of_it_says(void **state)
{
    (void)state;
    const char *chosen = getenv("AGOG_TEST_SEED");
    uint64_t first = chosen != NULL ? strtoull(chosen, NULL, 10) : 1;
    for (uint64_t i = 0; i < (chosen != NULL ? 1 : ROUNDS); i++)
        run_round(first + i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_is_what_a_naive_model_of_it_says),
    };
    return cmocka_run_group_tests_name("stream_model", tests, NULL, NULL);
}
