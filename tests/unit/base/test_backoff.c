/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/backoff.h"

/* The random number that makes the delay the floor, and the one for the ceiling. */
#define LOWEST UINT32_C(0)
#define HIGHEST(ceiling) ((ceiling) - (ceiling) / 2)

static void ceilings_double_up_to_the_maximum(void **state)
{
	static const uint32_t ceilings[] = { 100, 200, 400, 800, 1000, 1000, 1000 };
	struct backoff low = { .min_ms = 100, .max_ms = 1000 };
	struct backoff high = low;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ceilings); i++) {
		assert_int_equal(backoff_next_ms(&low, LOWEST), ceilings[i] / 2);
		assert_int_equal(backoff_next_ms(&high, HIGHEST(ceilings[i])), ceilings[i]);
	}
}

static void every_random_number_stays_within(void **state)
{
	static const struct {
		uint32_t min_ms;
		uint32_t max_ms;
		uint32_t attempt;
		uint32_t ceiling;
	} cases[] = {
		{ 100, 1000, 0, 100 },
		{ 100, 1000, 3, 800 },
		{ 100, 1000, UINT32_MAX, 1000 },
		{ 1, 1, 0, 1 },
		{ 3, 7, 1, 6 },
		{ 500, 100, 0, 100 },
		{ 1, UINT32_MAX, 1000, UINT32_MAX },
	};
	static const uint32_t randoms[] = { 0, 1, 2, 99, 0x7fffffff, 0x80000000, UINT32_MAX };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (size_t j = 0; j < ARRAY_SIZE(randoms); j++) {
			struct backoff backoff = { cases[i].min_ms, cases[i].max_ms,
						   cases[i].attempt };

			assert_in_range(backoff_next_ms(&backoff, randoms[j]), cases[i].ceiling / 2,
					cases[i].ceiling);
		}
}

static void the_attempt_never_wraps(void **state)
{
	struct backoff backoff = { .min_ms = 100, .max_ms = 1000, .attempt = UINT32_MAX };

	(void)state;
	assert_int_equal(backoff_next_ms(&backoff, LOWEST), 500);
	assert_int_equal(backoff_next_ms(&backoff, LOWEST), 500);
}

static void reset_begins_anew(void **state)
{
	struct backoff backoff = { .min_ms = 100, .max_ms = 1000 };

	(void)state;
	(void)backoff_next_ms(&backoff, LOWEST);
	assert_int_equal(backoff_next_ms(&backoff, LOWEST), 100);
	backoff_reset(&backoff);
	assert_int_equal(backoff_next_ms(&backoff, LOWEST), 50);
}

/* 64 equal numbers of 32 random bits come once in 2^2016 runs. */
static void random_numbers_differ(void **state)
{
	uint32_t first = random_u32();
	int same = 0;

	(void)state;
	for (int i = 0; i < 63; i++)
		same += random_u32() == first;
	assert_int_not_equal(same, 63);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(ceilings_double_up_to_the_maximum),
		cmocka_unit_test(every_random_number_stays_within),
		cmocka_unit_test(the_attempt_never_wraps),
		cmocka_unit_test(reset_begins_anew),
		cmocka_unit_test(random_numbers_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
