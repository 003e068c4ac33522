/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/strindex.h"

#define MANY 60000
#define KEY_MAX 32

static bool out_of_memory;

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

void *__wrap_calloc(size_t n, size_t size)
{
	return out_of_memory ? NULL : __real_calloc(n, size);
}

static int restore_memory(void **state)
{
	(void)state;
	out_of_memory = false;
	return 0;
}

static const char *key_of_list(const void *table, uint32_t row)
{
	const char *const *list = table;

	return list[row];
}

static void finds_rows_by_key(void **state)
{
	static const char *const table[] = { "alpha", "beta", "", "beta", "gamma" };
	static const struct {
		const char *key;
		int64_t row;
	} cases[] = {
		{ "alpha", 0 },	       { "beta", 1 },	     { "", 2 },
		{ "gamma", 4 },	       { "delta", -ENOENT }, { "alph", -ENOENT },
		{ "alphaa", -ENOENT },
	};
	struct strindex index;

	(void)state;
	assert_int_equal(strindex_init(&index, table, ARRAY_SIZE(table), key_of_list), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(strindex_find(&index, cases[i].key), cases[i].row);
	strindex_done(&index);
}

static void an_empty_index_finds_nothing(void **state)
{
	struct strindex index = { 0 };

	(void)state;
	assert_int_equal(strindex_find(&index, "alpha"), -ENOENT);
	assert_int_equal(strindex_init(&index, NULL, 0, key_of_list), 0);
	assert_int_equal(strindex_find(&index, "alpha"), -ENOENT);
	strindex_done(&index);
	strindex_done(&index);
	assert_int_equal(strindex_find(&index, "alpha"), -ENOENT);
}

static const char *key_of_many(const void *table, uint32_t row)
{
	return (const char *)table + (size_t)row * KEY_MAX;
}

static int make_many(void **state)
{
	char(*keys)[KEY_MAX] = malloc((size_t)MANY * KEY_MAX);

	if (!keys)
		return -1;
	for (int i = 0; i < MANY; i++)
		(void)snprintf(keys[i], KEY_MAX, "card-%d_cores_%d", i / 8, i % 8);
	*state = keys;
	return 0;
}

static int free_many(void **state)
{
	free(*state);
	return 0;
}

static void finds_every_one_of_many(void **state)
{
	struct strindex index;

	assert_int_equal(strindex_init(&index, *state, MANY, key_of_many), 0);
	for (uint32_t i = 0; i < MANY; i++)
		assert_int_equal(strindex_find(&index, key_of_many(*state, i)), i);
	assert_int_equal(strindex_find(&index, "card-7500_cores_0"), -ENOENT);
	strindex_done(&index);
}

static void refuses_too_many_rows(void **state)
{
	struct strindex index;

	(void)state;
	assert_int_equal(strindex_init(&index, NULL, (size_t)1 << 31, key_of_list), -E2BIG);
}

static void reports_missing_memory(void **state)
{
	static const char *const table[] = { "alpha" };
	struct strindex index;
	int r;

	(void)state;
	out_of_memory = true;
	r = strindex_init(&index, table, 1, key_of_list);
	out_of_memory = false;
	assert_int_equal(r, -ENOMEM);
	assert_int_equal(strindex_find(&index, "alpha"), -ENOENT);
	strindex_done(&index);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_rows_by_key),
		cmocka_unit_test(an_empty_index_finds_nothing),
		cmocka_unit_test_setup_teardown(finds_every_one_of_many, make_many, free_many),
		cmocka_unit_test(refuses_too_many_rows),
		cmocka_unit_test_teardown(reports_missing_memory, restore_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
