/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "cli/idle.h"
#include "drivers/driver.h"
#include "tests/unit/cli/scene.h"
#include "tests/unit/inventory/node.h"

static int measure_half(_unused_ const struct host *host, _unused_ const struct device *device,
			struct device_readings *ret, _unused_ struct error *err)
{
	*ret = device_readings_none();
	ret->utilization_ratio = 0.5;
	return 0;
}

static int measure_nothing(_unused_ const struct host *host, _unused_ const struct device *device,
			   struct device_readings *ret, _unused_ struct error *err)
{
	*ret = device_readings_none();
	return 0;
}

static int measure_gone(_unused_ const struct host *host, _unused_ const struct device *device,
			_unused_ struct device_readings *ret, _unused_ struct error *err)
{
	return -ENODEV;
}

static void samples_what_is_said(void **state)
{
	static const struct driver half = { .name = "half", .measure = measure_half };
	static const struct driver nothing = { .name = "nothing", .measure = measure_nothing };
	static const struct driver gone = { .name = "gone", .measure = measure_gone };
	static const struct driver never = { .name = "never" };
	static const struct driver *const drivers[] = { &half, &nothing, &gone, &never };
	struct device_state states[ARRAY_SIZE(drivers)] = { 0 };
	struct load loads[ARRAY_SIZE(drivers)] = { 0 };
	struct idle_watch watch = { .grace_ms = 1,
				    .window_ms = 2 * IDLE_INTERVAL_MIN_MS,
				    .loads = loads,
				    .n_loads = ARRAY_SIZE(loads) };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++) {
		states[i].device = device_new(drivers[i]);
		assert_non_null(states[i].device);
		loads[i].state = &states[i];
	}
	assert_int_equal(idle_watch(&watch, NULL), 0);
	assert_int_equal(loads[0].n_samples, 3);
	assert_true(loads[0].ratio_sum == 1.5);
	for (size_t i = 1; i < ARRAY_SIZE(loads); i++)
		assert_int_equal(loads[i].n_samples, 0);
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
		device_unref(states[i].device);
}

static void takes_one_sample_without_a_window(void **state)
{
	static const struct driver driver = { .name = "half", .measure = measure_half };
	struct device_state device = { .device = device_new(&driver) };
	struct load load = { .state = &device };
	struct idle_watch watch = { .loads = &load, .n_loads = 1 };

	(void)state;
	assert_non_null(device.device);
	assert_int_equal(idle_watch(&watch, NULL), 0);
	assert_int_equal(load.n_samples, 1);
	device_unref(device.device);
}

static void spreads_samples(void **state)
{
	static const struct {
		uint32_t window_ms;
		uint32_t interval_ms;
	} cases[] = {
		{ 0, IDLE_INTERVAL_MIN_MS },
		{ 10, IDLE_INTERVAL_MIN_MS },
		{ 10000, 500 },
		{ 3600000, 180000 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(idle_interval_ms(cases[i].window_ms), cases[i].interval_ms);
}

#define ROWS_MAX 3

/* Two cards are held and have a sample each; what is left of these afterwards. */
static void judges_who_held_it_all_the_time(void **state)
{
	static const struct scene_row before[] = { { "p", "node/whole", "A" },
						   { "p", "node/2", "B_cores_0-1" } };
	static const struct {
		const char *topology; /* of the node afterwards */
		struct scene_row after[ROWS_MAX];
		size_t n_after;
		size_t n_loads;
		bool judged[2];
	} cases[] = {
		{ "0 0",
		  { { "p", "node/whole", "A" }, { "p", "node/2", "B_cores_0-1" } },
		  2,
		  2,
		  { true, true } },
		{ "0 0", { { "p", "node/whole", "A" } }, 1, 2, { true, false } },
		{ "0 0",
		  { { "q", "node/whole", "A" }, { "p", "node/2", "B_cores_0-1" } },
		  2,
		  2,
		  { false, true } },
		{ "0 0",
		  { { "p", "node/whole", "A" },
		    { "p", "node/2", "B_cores_0-1" },
		    { "q", "node/2", "B_cores_2-3" } },
		  3,
		  2,
		  { true, false } },
		{ "0",
		  { { "p", "node/whole", "A" }, { "p", "node/2", "B_cores_0-1" } },
		  2,
		  1,
		  { true } },
		{ "0 0", { { "q", "other/gpu", "GPU-1" } }, 1, 2, { false, false } },
	};
	_cleanup_podresources_ struct podresources held = scene_table(before, 2);
	_cleanup_(snapshot_unrefp) struct snapshot *first = node_snapshot("0 0");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_podresources_ struct podresources after =
			scene_table(cases[i].after, cases[i].n_after);
		_cleanup_(snapshot_unrefp) struct snapshot *now = node_snapshot(cases[i].topology);
		struct idle_watch watch = { 0 };

		watch.loads = idle_loads(first, &held, &watch.n_loads);
		assert_non_null(watch.loads);
		assert_int_equal(watch.n_loads, 2);
		watch.loads[0].n_samples = watch.loads[1].n_samples = 1;
		assert_int_equal(idle_settle(&watch, now, &held, &after, NULL), 0);
		assert_int_equal(watch.n_loads, cases[i].n_loads);
		for (size_t j = 0; j < watch.n_loads; j++) {
			assert_ptr_equal(watch.loads[j].state, &now->devices[j]);
			assert_int_equal(watch.loads[j].n_samples, cases[i].judged[j]);
		}
		free(watch.loads);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples_what_is_said),
		cmocka_unit_test(takes_one_sample_without_a_window),
		cmocka_unit_test(spreads_samples),
		cmocka_unit_test(judges_who_held_it_all_the_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
