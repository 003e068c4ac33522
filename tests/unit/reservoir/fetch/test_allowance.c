/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "reservoir/fetch/allowance.h"

#define CHUNK 16384u /* that libcurl gives at once */
#define SECONDS 20u

/* Bytes taken by who wants as many as it may have, with a clock that ticks so often. */
static uint64_t take_all(uint64_t per_second, size_t chunk, uint64_t tick_ms)
{
	struct allowance allowance = { .per_second = per_second };
	uint64_t taken = 0;

	for (uint64_t now = 0; now <= SECONDS * 1000; now += tick_ms) {
		allowance_fill(&allowance, now);
		while (taken < UINT32_MAX && allowance_take(&allowance, chunk))
			taken += chunk;
	}
	return taken;
}

static void test_is_kept_to(_unused_ void **state)
{
	static const struct {
		uint64_t per_second;
		size_t chunk;
		uint64_t tick_ms;
	} cases[] = {
		{ 1000000, CHUNK, 1 }, { 1000000, CHUNK, 20 }, { 1000000, CHUNK, 200 / 4 },
		{ 50000, CHUNK, 1 },   { 500, 10, 1 },	       { 100, 1, 1 },
		{ 100, 1, 20 },	       { 1000, CHUNK, 3 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t wanted = cases[i].per_second * SECONDS;
		uint64_t taken = take_all(cases[i].per_second, cases[i].chunk, cases[i].tick_ms);

		/* A byte is lost now and then, and a chunk may be ahead. */
		assert_in_range(taken, wanted - wanted / 50, wanted + cases[i].chunk);
	}
}

static void test_no_limit(_unused_ void **state)
{
	struct allowance allowance = { 0 };

	for (size_t i = 0; i < 100; i++)
		assert_true(allowance_take(&allowance, SIZE_MAX / 2));
}

/* After an hour without a byte there is a tenth of a second to be had, and no more. */
static void test_a_pause_is_not_made_up_for(_unused_ void **state)
{
	struct allowance allowance = { .per_second = 1000000 };
	uint64_t taken = 0;

	allowance_fill(&allowance, 3600 * 1000);
	while (allowance_take(&allowance, 1000))
		taken += 1000;
	assert_in_range(taken, 100000, 101000);
	/* What was taken ahead is waited for. */
	assert_int_equal(allowance_take(&allowance, 1), false);
	allowance.left = -50000;
	allowance_fill(&allowance, 3600 * 1000 + 40);
	assert_false(allowance_take(&allowance, 1));
	allowance_fill(&allowance, 3600 * 1000 + 60);
	assert_true(allowance_take(&allowance, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_kept_to),
		cmocka_unit_test(test_no_limit),
		cmocka_unit_test(test_a_pause_is_not_made_up_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
