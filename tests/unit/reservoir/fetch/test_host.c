/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "reservoir/fetch/host.h"

static void test_starts_at_the_ceiling(_unused_ void **state)
{
	struct host_load load;

	host_load_init(&load, 8, 30000);
	load.active = 7;
	assert_true(host_load_may_start(&load, 0));
	load.active = 8;
	assert_false(host_load_may_start(&load, 0));
}

static void test_refusals_halve_once_a_second(_unused_ void **state)
{
	struct host_load load;

	host_load_init(&load, 8, 30000);
	host_load_refused(&load, 5000, 0);
	assert_int_equal(load.limit, 4);
	host_load_refused(&load, 5000 + HOST_CUT_MS - 1, 0);
	assert_int_equal(load.limit, 4);
	host_load_refused(&load, 5000 + HOST_CUT_MS, 0);
	assert_int_equal(load.limit, 2);
	host_load_refused(&load, 9000, 0);
	host_load_refused(&load, 12000, 0);
	assert_int_equal(load.limit, 1);
}

static void test_answers_raise_it_again(_unused_ void **state)
{
	struct host_load load;

	host_load_init(&load, 4, 30000);
	host_load_refused(&load, 5000, 0);
	assert_int_equal(load.limit, 2);
	host_load_answered(&load);
	assert_int_equal(load.limit, 2);
	host_load_answered(&load);
	assert_int_equal(load.limit, 3);
	for (int i = 0; i < 100; i++)
		host_load_answered(&load);
	assert_int_equal(load.limit, 4);
}

static void test_waits_as_asked_but_not_for_ever(_unused_ void **state)
{
	struct host_load load;

	host_load_init(&load, 4, 30000);
	host_load_refused(&load, 1000, 3000);
	assert_false(host_load_may_start(&load, 3999));
	assert_true(host_load_may_start(&load, 4000));
	host_load_refused(&load, 5000, UINT64_MAX);
	assert_false(host_load_may_start(&load, 5000 + HOST_PAUSE_MAX_MS - 1));
	assert_true(host_load_may_start(&load, 5000 + HOST_PAUSE_MAX_MS));
}

static void test_gives_up_a_host_that_never_answers(_unused_ void **state)
{
	struct host_load load;
	uint64_t now = 1000;

	host_load_init(&load, 4, 30000);
	for (int i = 0; i < 100; i++)
		host_load_unreached(&load, now); /* sent together */
	assert_int_equal(load.unreached, 1);
	assert_false(host_load_may_start(&load, now));
	for (; load.unreached < HOST_GIVE_UP - 1; now = load.paused_until_ms)
		host_load_unreached(&load, now);
	assert_false(host_load_is_dead(&load));
	assert_true(now < 30000);
	host_load_answered(&load);
	assert_int_equal(load.unreached, 0);
	for (int i = 0; i < HOST_GIVE_UP; i++)
		host_load_unreached(&load, load.paused_until_ms);
	assert_true(host_load_is_dead(&load));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_starts_at_the_ceiling),
		cmocka_unit_test(test_refusals_halve_once_a_second),
		cmocka_unit_test(test_answers_raise_it_again),
		cmocka_unit_test(test_waits_as_asked_but_not_for_ever),
		cmocka_unit_test(test_gives_up_a_host_that_never_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
