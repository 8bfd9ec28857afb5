// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"

#include <string.h>

static void pieces_are_apart_aligned_and_zero(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    char *before = NULL;
    for (size_t i = 1; i <= 300; i++) {
        char *piece = arena_alloc(&arena, i);
        assert_non_null(piece);
        assert_int_equal((uintptr_t)piece % alignof(max_align_t), 0);
        for (size_t j = 0; j < i; j++)
            assert_int_equal(piece[j], 0);
        memset(piece, 0xFF, i);
        if (before != NULL)
            assert_int_equal((unsigned char)before[i - 2], 0xFF);
        before = piece;
    }
    arena_fini(&arena);
}

static void a_piece_larger_than_a_block_has_its_own(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    char *piece = arena_alloc(&arena, 100000);
    assert_non_null(piece);
    memset(piece, 1, 100000);
    assert_non_null(arena_alloc(&arena, 8));
    arena_fini(&arena);
}

static void the_maximum_holds(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 64);
    assert_null(arena_alloc(&arena, 65));
    assert_true(arena_full(&arena, 65));
    assert_non_null(arena_alloc(&arena, 64));
    assert_null(arena_alloc(&arena, 1));
    assert_null(arena_copy(&arena, BYTES("x")).data);
    assert_true(arena_full(&arena, SIZE_MAX));
    arena_fini(&arena);
    assert_non_null(arena_alloc(&arena, 64));
    arena_fini(&arena);
}

static void a_copy_has_a_nul_behind_it(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1000);
    struct bytes copy = arena_copy(&arena, BYTES("abc"));
    assert_string_equal(copy.data, "abc");
    assert_int_equal(copy.size, 3);
    assert_string_equal(arena_copy(&arena, (struct bytes){NULL, 0}).data, "");
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_apart_aligned_and_zero),
        cmocka_unit_test(a_piece_larger_than_a_block_has_its_own),
        cmocka_unit_test(the_maximum_holds),
        cmocka_unit_test(a_copy_has_a_nul_behind_it),
    };
    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
