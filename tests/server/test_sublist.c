// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_faults.h"
#include "server/sublist.h"
#include "wire/subject.h"

enum { TEXT_MAX = 64 };

// A subscription with memory of its own, so that what is read after it has gone is found out.
struct listener {
    struct subscription subscription; // first
    char subject[TEXT_MAX];
    char queue[TEXT_MAX];
    bool seen;
};

static struct listener *new_listener(const char *subject, const char *queue)
{
    struct listener *listener = calloc(1, sizeof *listener);
    assert_non_null(listener);
    (void)snprintf(listener->subject, sizeof listener->subject, "%s", subject);
    (void)snprintf(listener->queue, sizeof listener->queue, "%s", queue);
    listener->subscription.subject = bytes_of_string(listener->subject);
    listener->subscription.queue = bytes_of_string(listener->queue);
    return listener;
}

static struct listener *listen_to(struct sublist *list, const char *subject, const char *queue)
{
    struct listener *listener = new_listener(subject, queue);
    assert_int_equal(sublist_insert(list, &listener->subscription), STATUS_OK);
    return listener;
}

static void stop_listening(struct sublist *list, struct listener *listener)
{
    sublist_remove(list, &listener->subscription);
    assert_false(subscription_is_listed(&listener->subscription));
    free(listener);
}

static struct sublist *new_list(void)
{
    struct sublist *list = NULL;
    assert_int_equal(sublist_new(&list), STATUS_OK);
    return list;
}

static struct sublist_result match(struct sublist *list, const char *subject)
{
    struct sublist_result result;
    sublist_result_init(&result);
    assert_int_equal(sublist_match(list, bytes_of_string(subject), &result), STATUS_OK);
    assert_int_equal(sublist_has_interest(list, bytes_of_string(subject)),
                     result.plain_count + result.member_count > 0);
    return result;
}

static void assert_matches(struct sublist *list, const char *subject, size_t plain, size_t members)
{
    struct sublist_result result = match(list, subject);
    assert_int_equal(result.plain_count, plain);
    assert_int_equal(result.member_count, members);
    sublist_result_fini(&result);
}

static void a_literal_subject_matches_itself_only(void **state)
{
    (void)state;
    struct sublist *list = new_list();
    struct listener *listener = listen_to(list, "a.b", "");
    assert_matches(list, "a.b", 1, 0);
    assert_matches(list, "a", 0, 0);
    assert_matches(list, "a.b.c", 0, 0);
    assert_matches(list, "a.c", 0, 0);
    stop_listening(list, listener);
    assert_matches(list, "a.b", 0, 0);
    sublist_free(list);
}

static void wildcards_match_as_subjects_say(void **state)
{
    (void)state;
    struct sublist *list = new_list();
    struct listener *listeners[] = {
        listen_to(list, "*", ""),     listen_to(list, "a.*", ""), listen_to(list, "a.>", ""),
        listen_to(list, "*.b.*", ""), listen_to(list, ">", ""),
    };
    assert_matches(list, "x", 2, 0);
    assert_matches(list, "a", 2, 0);
    assert_matches(list, "a.x", 3, 0);
    assert_matches(list, "a.b.c", 3, 0);
    assert_matches(list, "x.b.c", 2, 0);
    assert_matches(list, "x.y.z.w", 1, 0);
    for (size_t i = 0; i < sizeof listeners / sizeof listeners[0]; i++)
        stop_listening(list, listeners[i]);
    assert_matches(list, "a.x", 0, 0);
    sublist_free(list);
}

static void wildcards_in_a_published_subject_are_plain_tokens(void **state)
{
    (void)state;
    struct sublist *list = new_list();
    struct listener *star = listen_to(list, "a.*", "");
    struct listener *rest = listen_to(list, "a.>", "");
    struct listener *literal = listen_to(list, "a.b", "");
    struct listener *deeper = listen_to(list, "a.b.*", "");
    assert_matches(list, "a.*", 2, 0);
    assert_matches(list, "a.>", 2, 0);
    assert_matches(list, "*.b", 0, 0);
    stop_listening(list, star);
    stop_listening(list, rest);
    stop_listening(list, literal);
    stop_listening(list, deeper);
    sublist_free(list);
}

static void a_subject_with_an_empty_token_matches_nothing(void **state)
{
    (void)state;
    static const char *const subjects[] = {"", ".", "a.", ".a", "a..b", "a.b..", "..a"};
    struct sublist *list = new_list();
    struct listener *all = listen_to(list, ">", "");
    struct listener *stars = listen_to(list, "*.*", "");
    for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++) {
        assert_matches(list, subjects[i], 0, 0);
        assert_matches(list, subjects[i], 0, 0);
    }
    stop_listening(list, all);
    stop_listening(list, stars);
    sublist_free(list);
}

static void a_token_longer_than_any_subscribed_one_matches_wildcards(void **state)
{
    (void)state;
    enum { LONG = 5000 };
    char *subject = malloc(LONG + 3);
    assert_non_null(subject);
    memset(subject, 'x', LONG);
    memcpy(subject + LONG, ".a", 3);
    struct sublist *list = new_list();
    struct listener *star = listen_to(list, "*.a", "");
    struct listener *other = listen_to(list, "y.*", "");
    assert_matches(list, subject, 1, 0);
    stop_listening(list, star);
    stop_listening(list, other);
    sublist_free(list);
    free(subject);
}

static void members_of_a_queue_are_one_group_whatever_pattern_they_came_by(void **state)
{
    (void)state;
    struct sublist *list = new_list();
    struct listener *listeners[] = {
        listen_to(list, "a.b", "q1"), listen_to(list, "a.*", "q1"), listen_to(list, "a.>", "q2"),
        listen_to(list, "a.*", "q2"), listen_to(list, ">", "q1"),   listen_to(list, "x", "q1"),
    };
    struct sublist_result result = match(list, "a.b");
    assert_int_equal(result.plain_count, 0);
    assert_int_equal(result.group_count, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct sublist_group *group = &result.groups[i];
        assert_int_equal(group->count, bytes_equal(group->queue, BYTES("q1")) ? 3 : 2);
        for (size_t k = group->from; k < group->from + group->count; k++)
            assert_true(bytes_equal(result.members[k]->queue, group->queue));
    }
    sublist_result_fini(&result);
    for (size_t i = 0; i < sizeof listeners / sizeof listeners[0]; i++)
        stop_listening(list, listeners[i]);
    sublist_free(list);
}

static void a_result_outlives_changes_of_the_list(void **state)
{
    (void)state;
    struct sublist *list = new_list();
    struct listener *first = listen_to(list, "a", "");
    struct listener *second = listen_to(list, "*", "");
    struct sublist_result result = match(list, "a");
    sublist_remove(list, &first->subscription);
    sublist_remove(list, &second->subscription);
    assert_int_equal(result.plain_count, 2);
    for (size_t i = 0; i < 2; i++)
        assert_false(subscription_is_listed(result.plain[i]));
    sublist_result_fini(&result);
    free(first);
    free(second);
    sublist_free(list);
}

static struct sublist_numbers numbers_of(const struct sublist *list)
{
    struct sublist_numbers numbers;
    sublist_numbers_get(list, &numbers);
    return numbers;
}

static void what_is_asked_for_twice_comes_from_the_cache(void **state)
{
    (void)state;
    struct sublist *list = new_list();
    struct listener *star = listen_to(list, "a.*", "");
    struct listener *member = listen_to(list, "a.>", "q");
    for (size_t i = 0; i < 5; i++)
        assert_matches(list, "a.b", 1, 1);
    struct sublist_numbers numbers = numbers_of(list);
    assert_int_equal(numbers.matches, 5);
    assert_int_equal(numbers.cache_hits, 3);
    assert_int_equal(numbers.cached, 1);
    assert_int_equal(numbers.fanout_max, 2);
    assert_int_equal(numbers.fanout_total, 2);
    stop_listening(list, star);
    assert_int_equal(numbers_of(list).cached, 0);
    stop_listening(list, member);
    sublist_free(list);
}

static void the_cache_forgets_what_a_change_makes_wrong(void **state)
{
    (void)state;
    struct sublist *list = new_list();
    struct listener *star = listen_to(list, "a.*", "");
    for (size_t i = 0; i < 3; i++)
        assert_matches(list, "a.b", 1, 0);
    struct listener *literal = listen_to(list, "a.b", "");
    for (size_t i = 0; i < 3; i++)
        assert_matches(list, "a.b", 2, 0);
    struct listener *rest = listen_to(list, ">", "q");
    for (size_t i = 0; i < 3; i++)
        assert_matches(list, "a.b", 2, 1);
    stop_listening(list, literal);
    for (size_t i = 0; i < 3; i++)
        assert_matches(list, "a.b", 1, 1);
    stop_listening(list, rest);
    assert_matches(list, "a.b", 1, 0);
    stop_listening(list, star);
    assert_matches(list, "a.b", 0, 0);
    sublist_free(list);
}

static void a_change_of_one_literal_subject_leaves_the_others_in_the_cache(void **state)
{
    (void)state;
    struct sublist *list = new_list();
    struct listener *star = listen_to(list, "a.*", "");
    for (size_t i = 0; i < 3; i++)
        assert_matches(list, "a.b", 1, 0);
    struct listener *literal = listen_to(list, "a.c", "");
    assert_int_equal(numbers_of(list).cached, 1);
    assert_matches(list, "a.b", 1, 0);
    assert_int_equal(numbers_of(list).cache_hits, 2);
    stop_listening(list, star);
    stop_listening(list, literal);
    sublist_free(list);
}

static void the_cache_is_bounded(void **state)
{
    (void)state;
    enum { SUBJECTS = 20000, BOUND = 2048 };
    struct sublist *list = new_list();
    struct listener *star = listen_to(list, "a.*", "");
    for (size_t i = 0; i < SUBJECTS; i++) {
        char subject[TEXT_MAX];
        (void)snprintf(subject, sizeof subject, "a.%zu", i);
        assert_matches(list, subject, 1, 0);
        assert_matches(list, subject, 1, 0);
    }
    uint64_t cached = numbers_of(list).cached;
    assert_true(cached > BOUND / 2 && cached <= BOUND);
    stop_listening(list, star);
    sublist_free(list);
}

static void a_large_result_is_not_cached(void **state)
{
    (void)state;
    enum { MANY = 129 };
    struct listener *listeners[MANY];
    struct sublist *list = new_list();
    for (size_t i = 0; i < MANY; i++)
        listeners[i] = listen_to(list, "a.*", i % 2 == 0 ? "" : "q");
    for (size_t i = 0; i < 3; i++)
        assert_matches(list, "a.b", MANY / 2 + 1, MANY / 2);
    assert_int_equal(numbers_of(list).cached, 0);
    stop_listening(list, listeners[MANY - 1]);
    for (size_t i = 0; i < 3; i++)
        assert_matches(list, "a.b", MANY / 2, MANY / 2);
    assert_int_equal(numbers_of(list).cached, 1);
    for (size_t i = 0; i < MANY - 1; i++)
        stop_listening(list, listeners[i]);
    sublist_free(list);
}

static void removing_one_that_is_in_no_list_changes_nothing(void **state)
{
    (void)state;
    struct sublist *list = new_list();
    struct listener *listener = new_listener("a", "");
    sublist_remove(list, &listener->subscription);
    assert_int_equal(numbers_of(list).removes, 0);
    free(listener);
    sublist_free(list);
}

static bool mark(void *context, struct subscription *subscription)
{
    struct listener *listener = (struct listener *)subscription;
    assert_false(listener->seen);
    listener->seen = true;
    return --*(size_t *)context > 0;
}

static void all_subscriptions_can_be_walked_and_the_walk_stopped(void **state)
{
    (void)state;
    struct sublist *list = new_list();
    struct listener *listeners[] = {
        listen_to(list, "a", ""),     listen_to(list, "a", ""),    listen_to(list, "a", "q"),
        listen_to(list, "a.*.b", ""), listen_to(list, ">", "q"),   listen_to(list, ">", ""),
        listen_to(list, "*", "q"),    listen_to(list, "a.>", "p"),
    };
    size_t count = sizeof listeners / sizeof listeners[0];
    size_t left = count + 1;
    sublist_each(list, mark, &left);
    assert_int_equal(left, 1);
    size_t most = 3;
    for (size_t i = 0; i < count; i++) {
        assert_true(listeners[i]->seen);
        listeners[i]->seen = false;
    }
    sublist_each(list, mark, &most);
    assert_int_equal(most, 0);
    for (size_t i = 0; i < count; i++)
        stop_listening(list, listeners[i]);
    sublist_free(list);
}

static void freeing_a_list_leaves_its_subscriptions_untouched(void **state)
{
    (void)state;
    struct sublist *list = new_list();
    struct listener *listeners[] = {listen_to(list, "a", ""), listen_to(list, "a", ""),
                                    listen_to(list, "b.*", "q"), listen_to(list, "b.>", "")};
    for (size_t i = 0; i < 4; i++)
        free(listeners[i]);
    sublist_free(list);
}

// Against a plain comparison with every subscription

enum { LISTENERS = 300, STEPS = 20000, SEEDS = 6, RANDOM_SUBJECT_TOKENS = 4 };

static uint32_t random_next(uint64_t *random)
{
    *random = *random * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t)(*random >> 33);
}

// From few tokens, so that much matches; now and then one that is broken.
static void random_subject(uint64_t *random, bool wildcards, char out[TEXT_MAX])
{
    static const char *const tokens[] = {"a", "b", "c", "aa", "a*", "*", "*"};
    size_t choices = wildcards ? 7 : 5;
    size_t count = 1 + random_next(random) % RANDOM_SUBJECT_TOKENS;
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        bool rest = wildcards && i + 1 == count && random_next(random) % 4 == 0;
        const char *token = rest ? ">" : tokens[random_next(random) % choices];
        used += (size_t)snprintf(out + used, TEXT_MAX - used, "%s%s", i == 0 ? "" : ".", token);
    }
}

static bool is_right(const struct listener *listener, struct bytes subject)
{
    return listener != NULL && subject_matches(listener->subscription.subject, subject);
}

static bool result_is_right(struct listener **all, const struct sublist_result *result,
                            struct bytes subject)
{
    size_t plain = 0;
    size_t members = 0;
    for (size_t i = 0; i < LISTENERS; i++) {
        if (all[i] != NULL)
            all[i]->seen = false;
        if (is_right(all[i], subject) && all[i]->queue[0] == '\0')
            plain++;
        else if (is_right(all[i], subject))
            members++;
    }
    if (result->plain_count != plain || result->member_count != members)
        return false;
    for (size_t i = 0; i < plain + members; i++) {
        struct subscription *found = i < plain ? result->plain[i] : result->members[i - plain];
        struct listener *listener = (struct listener *)found;
        if (listener->seen || !is_right(listener, subject) ||
            (listener->queue[0] == '\0') != (i < plain))
            return false;
        listener->seen = true;
    }
    return true;
}

static bool groups_are_right(const struct sublist_result *result)
{
    size_t at = 0;
    for (size_t i = 0; i < result->group_count; i++) {
        const struct sublist_group *group = &result->groups[i];
        if (group->from != at || group->count == 0)
            return false;
        for (size_t k = 0; k < i; k++) {
            if (bytes_equal(result->groups[k].queue, group->queue))
                return false;
        }
        for (; at < group->from + group->count; at++) {
            if (!bytes_equal(result->members[at]->queue, group->queue))
                return false;
        }
    }
    return at == result->member_count;
}

static void change_one(struct sublist *list, struct listener **all, uint64_t *random)
{
    static const char *const queues[] = {"", "", "q", "r", "s"};
    struct listener **place = &all[random_next(random) % LISTENERS];
    if (*place != NULL) {
        stop_listening(list, *place);
        *place = NULL;
        return;
    }
    char subject[TEXT_MAX];
    random_subject(random, random_next(random) % 2 == 0, subject);
    *place = listen_to(list, subject, queues[random_next(random) % 5]);
}

static void run_seed(uint64_t seed)
{
    uint64_t random = seed;
    struct listener *all[LISTENERS] = {NULL};
    struct sublist *list = new_list();
    struct sublist_result result;
    sublist_result_init(&result);
    for (size_t step = 0; step < STEPS; step++) {
        char text[TEXT_MAX];
        if (random_next(&random) % 8 == 0)
            change_one(list, all, &random);
        random_subject(&random, false, text);
        struct bytes subject = bytes_of_string(text);
        assert_int_equal(sublist_match(list, subject, &result), STATUS_OK);
        bool any = result.plain_count + result.member_count > 0;
        if (!result_is_right(all, &result, subject) || !groups_are_right(&result) ||
            sublist_has_interest(list, subject) != any)
            fail_msg("seed %llu, step %zu: wrong match of %s", (unsigned long long)seed, step,
                     text);
    }
    assert_true(numbers_of(list).cache_hits > STEPS / 20);
    for (size_t i = 0; i < LISTENERS; i++) {
        if (all[i] != NULL)
            stop_listening(list, all[i]);
    }
    assert_int_equal(numbers_of(list).subscriptions, 0);
    sublist_result_fini(&result);
    sublist_free(list);
}

static void matches_agree_with_a_comparison_of_every_subscription(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        run_seed(seed);
}

// Memory that runs out

static const char *const fault_subjects[][2] = {{"a.b", ""},  {"a.b", ""},   {"a.b", "q"},
                                                {"a.b", "q"}, {"a.*.c", ""}, {"a.*.c", "q"},
                                                {"a.>", "r"}, {">", ""},     {"x.y.*", ""}};

enum { FAULT_SUBJECTS = sizeof fault_subjects / sizeof fault_subjects[0] };

// Inserts all, each as often as it takes, and matches; true while an allocation failed.
static bool walk_faults(size_t n)
{
    struct sublist *list = new_list();
    struct listener *all[FAULT_SUBJECTS];
    struct sublist_result result;
    sublist_result_init(&result);
    for (size_t i = 0; i < FAULT_SUBJECTS; i++)
        all[i] = new_listener(fault_subjects[i][0], fault_subjects[i][1]);
    alloc_faults_start(n, 1);
    for (size_t i = 0; i < FAULT_SUBJECTS; i++) {
        enum status status = sublist_insert(list, &all[i]->subscription);
        assert_true(status == STATUS_OK || status == STATUS_NO_MEMORY);
        assert_int_equal(subscription_is_listed(&all[i]->subscription), status == STATUS_OK);
        if (status != STATUS_OK)
            i--;
    }
    for (size_t i = 0; i < 4; i++) {
        enum status status = sublist_match(list, BYTES("a.b"), &result);
        assert_int_equal(result.plain_count, status == STATUS_OK ? 3 : 0);
        assert_int_equal(result.member_count, status == STATUS_OK ? 3 : 0);
        assert_int_equal(result.group_count, status == STATUS_OK ? 2 : 0);
    }
    bool failed = alloc_faults_stop();
    assert_matches(list, "a.x.c", 2, 2);
    assert_matches(list, "x.y.z", 2, 0);
    for (size_t i = 0; i < FAULT_SUBJECTS; i++)
        stop_listening(list, all[i]);
    assert_matches(list, "a.b", 0, 0);
    sublist_result_fini(&result);
    sublist_free(list);
    return failed;
}

static void a_lack_of_memory_at_any_point_is_told_and_changes_nothing(void **state)
{
    (void)state;
    size_t n = 0;
    while (walk_faults(n))
        n++;
    assert_true(n > FAULT_SUBJECTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_literal_subject_matches_itself_only),
        cmocka_unit_test(wildcards_match_as_subjects_say),
        cmocka_unit_test(wildcards_in_a_published_subject_are_plain_tokens),
        cmocka_unit_test(a_subject_with_an_empty_token_matches_nothing),
        cmocka_unit_test(a_token_longer_than_any_subscribed_one_matches_wildcards),
        cmocka_unit_test(members_of_a_queue_are_one_group_whatever_pattern_they_came_by),
        cmocka_unit_test(a_result_outlives_changes_of_the_list),
        cmocka_unit_test(what_is_asked_for_twice_comes_from_the_cache),
        cmocka_unit_test(the_cache_forgets_what_a_change_makes_wrong),
        cmocka_unit_test(a_change_of_one_literal_subject_leaves_the_others_in_the_cache),
        cmocka_unit_test(the_cache_is_bounded),
        cmocka_unit_test(a_large_result_is_not_cached),
        cmocka_unit_test(removing_one_that_is_in_no_list_changes_nothing),
        cmocka_unit_test(all_subscriptions_can_be_walked_and_the_walk_stopped),
        cmocka_unit_test(freeing_a_list_leaves_its_subscriptions_untouched),
        cmocka_unit_test(matches_agree_with_a_comparison_of_every_subscription),
        cmocka_unit_test(a_lack_of_memory_at_any_point_is_told_and_changes_nothing),
    };
    return cmocka_run_group_tests_name("sublist", tests, NULL, NULL);
}
