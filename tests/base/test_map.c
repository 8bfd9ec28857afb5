// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/map.h"

enum { KEYS = 2000, STEPS = 60000 };

static char keys[KEYS][16];
static bool present[KEYS];

static struct bytes key_of(size_t i)
{
    return bytes_of_string(keys[i]);
}

static void check_all(const struct map *map)
{
    size_t count = 0;
    for (size_t i = 0; i < KEYS; i++) {
        assert_ptr_equal(map_find(map, key_of(i)), present[i] ? keys[i] : NULL);
        count += present[i];
    }
    assert_int_equal(map->count, count);
    size_t at = 0, walked = 0;
    while (map_next(map, &at) != NULL)
        walked++;
    assert_int_equal(walked, count);
}

static void the_map_agrees_with_a_plain_table_after_many_random_changes(void **state)
{
    (void)state;
    struct map map;
    uint32_t random = 20251217;
    map_init(&map, 42);
    for (size_t i = 0; i < KEYS; i++)
        snprintf(keys[i], sizeof keys[i], "key.%zu", i);
    for (size_t step = 0; step < STEPS; step++) {
        random = random * 1664525 + 1013904223;
        size_t i = (random >> 8) % KEYS;
        if (present[i])
            assert_ptr_equal(map_take(&map, key_of(i)), keys[i]);
        else
            assert_int_equal(map_add(&map, key_of(i), keys[i]), STATUS_OK);
        present[i] = !present[i];
        if (step % 5000 == 0)
            check_all(&map);
    }
    check_all(&map);
    map_fini(&map);
}

static void what_is_not_there_is_not_found_and_not_taken(void **state)
{
    (void)state;
    struct map map;
    map_init(&map, 1);
    assert_null(map_find(&map, BYTES("a")));
    assert_null(map_take(&map, BYTES("a")));
    assert_int_equal(map_add(&map, BYTES("a"), &map), STATUS_OK);
    assert_null(map_find(&map, BYTES("b")));
    assert_ptr_equal(map_take(&map, BYTES("a")), &map);
    assert_null(map_find(&map, BYTES("a")));
    map_fini(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_map_agrees_with_a_plain_table_after_many_random_changes),
        cmocka_unit_test(what_is_not_there_is_not_found_and_not_taken),
    };
    return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}
