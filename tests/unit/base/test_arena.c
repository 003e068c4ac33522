/* SPDX-License-Identifier: Apache-2.0 */
#include <stdalign.h>
#include <string.h>

#include "base/arena.h"
#include "tests/test.h"

static void pieces_are_apart_and_aligned(_unused_ void **state)
{
	static const size_t sizes[] = { 1, 3, 16, 17, 100, 4096, 5000, 300000, 0, 1 };
	struct arena arena = arena_init(8 * 1024 * 1024);
	unsigned char *pieces[ARRAY_SIZE(sizes)];

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		pieces[i] = arena_alloc(&arena, sizes[i]);
		assert_non_null(pieces[i]);
		assert_int_equal((uintptr_t)pieces[i] % alignof(max_align_t), 0);
		memset(pieces[i], (int)i, sizes[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		for (size_t j = 0; j < sizes[i]; j++)
			assert_int_equal(pieces[i][j], i);
	arena_done(&arena);
	assert_null(arena.blocks);
}

static void the_maximum_holds(_unused_ void **state)
{
	struct arena arena = arena_init(10000);
	size_t n = 0;

	while (arena_alloc(&arena, 100))
		n++;
	assert_true(arena.exceeded);
	assert_in_range(n, 80, 10000 / 112 + 1); /* a piece takes 112 bytes */
	arena_done(&arena);

	arena = arena_init(10000);
	assert_null(arena_alloc(&arena, 10001));
	assert_true(arena.exceeded);
	assert_null(arena_alloc(&arena, SIZE_MAX));
	/* A smaller one still fits. */
	assert_non_null(arena_alloc(&arena, 5000));
	arena_done(&arena);
}

static void an_unused_arena_can_be_released(_unused_ void **state)
{
	struct arena arena = arena_init(100);
	struct arena zero = { 0 };

	arena_done(&arena);
	arena_done(&zero);
	assert_null(arena_alloc(&zero, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_apart_and_aligned),
		cmocka_unit_test(the_maximum_holds),
		cmocka_unit_test(an_unused_arena_can_be_released),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
