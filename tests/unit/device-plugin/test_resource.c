/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The units of a resource, without a kubelet.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/grpc/rpc.h"
#include "base/loop.h"
#include "device-plugin/resource.h"
#include "drivers/driver.h"
#include "tests/test.h"

#define CORES DEVICE_PARTITIONS_MAX
#define CARDS_TOO_MANY 2400 /* of 32 cores each: 76,800 units of 70 bytes pass 4 MiB */

static const struct driver card_driver = { .name = "fake", .vendor = "Fake" };
static const struct terms terms = { .ways = TERMS_DEVICE_NODES };
static const struct unit_rule rules[] = {
	{ .resource = "fake.io/core", .kind = UNIT_PARTITION, .cores = 1 },
};

struct fixture {
	struct loop *loop;
	struct rpc *rpc;
	struct resource *resource;
};

static void on_suspect(_unused_ void *ctx)
{
	fail_msg("nobody has called");
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct resource_setup setup = { .classic_dir = "/nonexistent", .suspect = on_suspect };

	assert_int_equal(loop_new(&fixture->loop, NULL), 0);
	assert_int_equal(rpc_new(&fixture->rpc, NULL), 0);
	setup.loop = fixture->loop;
	setup.rpc = fixture->rpc;
	assert_int_equal(resource_new(&setup, rules[0].resource, &fixture->resource, NULL), 0);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	resource_stop(fixture->resource);
	rpc_free(fixture->rpc);
	resource_free(fixture->resource);
	loop_free(fixture->loop);
	free(fixture);
	return 0;
}

/* As many partitions as a device may have, of one core each. */
static void add_cores(struct device *device)
{
	struct device_partition partitions[CORES];

	for (size_t i = 0; i < CORES; i++)
		partitions[i] =
			(struct device_partition) { "", "1core", { (uint8_t)i, (uint8_t)i }, 0 };
	assert_int_equal(device_set_partitions(device, partitions, CORES), 0);
}

/* Takes over a node of @n cards. */
static void update(const struct fixture *fixture, size_t n)
{
	struct unit_plan plan = { .rules = rules, .n_rules = ARRAY_SIZE(rules) };
	struct device_state *states = calloc(n + 1, sizeof(*states));
	struct snapshot *snapshot;

	for (size_t i = 0; i < n; i++) {
		struct device *device = device_new(&card_driver);

		device->cores = CORES;
		add_cores(device);
		device->numa_node = 0;
		states[i].device = device;
		states[i].present = true;
		states[i].healthy = true;
		(void)snprintf(states[i].id, sizeof(states[i].id), "00000000-0000-0000-0000-%012zu",
			       i);
	}
	snapshot = snapshot_new(1, states, n);
	for (size_t i = 0; i < n; i++)
		device_unref(states[i].device);
	plan.snapshot = snapshot;
	resource_update(fixture->resource, &plan, 0, &terms);
	snapshot_unref(snapshot);
	free(states);
}

static size_t count_units(const struct fixture *fixture)
{
	struct unit_set *units = resource_units(fixture->resource);
	size_t n = units ? units->n_units : 0;

	unit_set_unref(units);
	return n;
}

static void units_follow_the_snapshot(void **state)
{
	const struct fixture *fixture = *state;

	assert_null(resource_units(fixture->resource));
	update(fixture, 0);
	assert_int_equal(count_units(fixture), 0);
	update(fixture, 2);
	assert_int_equal(count_units(fixture), 2 * CORES);
	update(fixture, 1);
	assert_int_equal(count_units(fixture), CORES);
}

static void a_list_that_no_kubelet_accepts_is_refused(void **state)
{
	const struct fixture *fixture = *state;

	update(fixture, CARDS_TOO_MANY);
	assert_null(resource_units(fixture->resource));
	update(fixture, 3);
	assert_int_equal(count_units(fixture), 3 * CORES);
	/* The list of before stays. */
	update(fixture, CARDS_TOO_MANY);
	assert_int_equal(count_units(fixture), 3 * CORES);
}

static void a_withdrawn_resource_has_no_units(void **state)
{
	const struct fixture *fixture = *state;

	assert_string_equal(resource_name(fixture->resource), "fake.io/core");
	resource_withdraw(fixture->resource);
	assert_int_equal(count_units(fixture), 0);
	update(fixture, 2);
	assert_non_null(resource_endpoint(fixture->resource, LIFECYCLE_CLASSIC));
	assert_null(resource_endpoint(fixture->resource, LIFECYCLE_WATCHER));
	resource_withdraw(fixture->resource);
	assert_int_equal(count_units(fixture), 0);
	/* What was offered once stays known to the kubelet, and can come back. */
	assert_non_null(resource_endpoint(fixture->resource, LIFECYCLE_CLASSIC));
	update(fixture, 1);
	assert_int_equal(count_units(fixture), CORES);
}

static void terms_are_those_of_the_last_update(void **state)
{
	static const struct terms others = { .ways = TERMS_ENV, .one_share = true };
	const struct fixture *fixture = *state;
	struct unit_plan plan = { .rules = rules, .n_rules = ARRAY_SIZE(rules) };

	assert_int_equal(resource_terms(fixture->resource).ways, 0);
	update(fixture, 1);
	assert_int_equal(resource_terms(fixture->resource).ways, TERMS_DEVICE_NODES);
	plan.snapshot = snapshot_new(2, NULL, 0);
	resource_update(fixture->resource, &plan, 0, &others);
	snapshot_unref(plan.snapshot);
	assert_int_equal(resource_terms(fixture->resource).ways, TERMS_ENV);
	assert_true(resource_terms(fixture->resource).one_share);
	/* They stay for requests that are on their way. */
	resource_withdraw(fixture->resource);
	assert_int_equal(resource_terms(fixture->resource).ways, TERMS_ENV);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(units_follow_the_snapshot, setup, teardown),
		cmocka_unit_test_setup_teardown(a_list_that_no_kubelet_accepts_is_refused, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_withdrawn_resource_has_no_units, setup, teardown),
		cmocka_unit_test_setup_teardown(terms_are_those_of_the_last_update, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
