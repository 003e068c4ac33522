/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "inventory/health.h"

/* A run of probes: '+' good, '-' bad; and the health after each: 'h' or 'u'. */
static const struct {
	uint32_t unhealthy_after;
	uint32_t healthy_after;
	const char *probes;
	const char *health;
} cases[] = {
	{ 1, 1, "+-+-", "huhu" },
	{ 1, 1, "-+-+", "uhuh" },
	{ 1, 3, "+-+++", "huuuh" },
	{ 1, 3, "+-++-+++", "huuuuuuh" },
	{ 3, 1, "+--+", "hhhh" },
	{ 3, 1, "+---+", "hhhuh" },
	{ 3, 1, "+--+--+---", "hhhhhhhhhu" },
	{ 2, 2, "-+-++--", "uuuuhhu" },
	{ UINT32_MAX, 1, "+----", "hhhhh" },
};

static void follows_probes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct health_policy policy = { cases[i].unhealthy_after, cases[i].healthy_after };
		struct health health = health_init(cases[i].probes[0] == '+');

		assert_int_equal(health.healthy, cases[i].health[0] == 'h');
		for (size_t j = 1; cases[i].probes[j] != '\0'; j++) {
			bool changes = cases[i].health[j] != cases[i].health[j - 1];
			bool changed;

			changed = health_step(&health, &policy, cases[i].probes[j] == '+');
			assert_int_equal(changed, changes);
			assert_int_equal(health.healthy, cases[i].health[j] == 'h');
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_probes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
