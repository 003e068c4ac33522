/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The watch over a simulated node.  Rescans by timer are an hour apart, so what
 * is noticed is noticed by probes, by events of directories, or on request.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/loop.h"
#include "daemon/node.h"
#include "drivers/driver.h"
#include "tests/sim/commands.h"
#include "tests/sim/tree.h"
#include "tests/test.h"

#define HOUR_MS (60 * 60 * 1000)
#define PROBE_MS 20
#define GIVE_UP_MS 20000

struct fixture {
	char root[32];
	struct host host;
	struct loop *loop;
	struct loop_source *give_up;
	const struct driver *drivers[1];
	struct node *node;
	size_t n_changes;
	/* The loop ends when the node has so many healthy and listed devices. */
	size_t wanted_healthy;
	size_t wanted_listed;
};

static void command(const struct fixture *fixture,
		    int (*fn)(const struct request *, struct error *), const char *arg,
		    const char *value)
{
	const struct request request = { .dir = fixture->root,
					 .args = { arg, value, "" },
					 .nodes = NODES_LINKS };
	struct error err = { 0 };

	if (fn(&request, &err) < 0)
		fail_msg("%s", err.msg);
}

static size_t count_healthy(const struct snapshot *snapshot)
{
	size_t n = 0;

	for (size_t i = 0; i < snapshot->n_devices; i++)
		n += snapshot->devices[i].healthy;
	return n;
}

static void on_changed(void *ctx, struct snapshot *before, struct snapshot *after)
{
	struct fixture *fixture = ctx;

	assert_true(after->generation > before->generation);
	fixture->n_changes++;
	if (after->n_devices == fixture->wanted_listed &&
	    count_healthy(after) == fixture->wanted_healthy)
		loop_stop(fixture->loop);
}

static void on_rescanned(_unused_ void *ctx)
{
	fail_msg("a rescan by timer, before an hour has passed");
}

static void give_up(void *ctx)
{
	const struct fixture *fixture = ctx;

	fail_msg("the node never has %zu devices, %zu of them healthy", fixture->wanted_listed,
		 fixture->wanted_healthy);
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	(void)snprintf(fixture->root, sizeof(fixture->root), "/tmp/node-XXXXXX");
	assert_non_null(mkdtemp(fixture->root));
	assert_int_equal(host_open(&fixture->host, fixture->root, NULL), 0);
	command(fixture, command_create, "rngd x1, warboy x1", NULL);
	fixture->drivers[0] = driver_find("furiosa");
	assert_non_null(fixture->drivers[0]);
	assert_int_equal(loop_new(&fixture->loop, NULL), 0);
	assert_int_equal(loop_add_timer(fixture->loop, give_up, fixture, &fixture->give_up, NULL),
			 0);
	assert_int_equal(loop_timer_set(fixture->give_up, GIVE_UP_MS, 0), 0);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	node_free(fixture->node);
	loop_source_free(fixture->give_up);
	loop_free(fixture->loop);
	host_close(&fixture->host);
	assert_int_equal(tree_remove(AT_FDCWD, fixture->root, NULL), 0);
	free(fixture);
	return 0;
}

static void watch_with(struct fixture *fixture, const struct driver *const *drivers, size_t n)
{
	const struct node_setup setup = {
		.drivers = drivers,
		.n_drivers = n,
		.loop = fixture->loop,
		.host = &fixture->host,
		.policy = { .health = { 1, 2 }, .forget_after_ms = HOUR_MS },
		.probe_interval_ms = PROBE_MS,
		.rescan_interval_ms = HOUR_MS,
		.changed = on_changed,
		.rescanned = on_rescanned,
		.ctx = fixture,
	};

	assert_int_equal(node_new(&setup, &fixture->node, NULL), 0);
}

static void watch(struct fixture *fixture)
{
	watch_with(fixture, fixture->drivers, ARRAY_SIZE(fixture->drivers));
}

static void await(struct fixture *fixture, size_t healthy, size_t listed)
{
	fixture->wanted_healthy = healthy;
	fixture->wanted_listed = listed;
	assert_int_equal(loop_run(fixture->loop, NULL), 0);
}

static void devices_are_found_at_once(void **state)
{
	struct fixture *fixture = *state;

	watch(fixture);
	assert_int_equal(fixture->n_changes, 1);
}

static void probes_notice_failure_and_recovery(void **state)
{
	struct fixture *fixture = *state;

	watch(fixture);
	command(fixture, command_fail, "rngd0", NULL);
	await(fixture, 1, 2);
	command(fixture, command_recover, "rngd0", NULL);
	await(fixture, 2, 2);
}

static void events_of_device_files_bring_a_rescan(void **state)
{
	struct fixture *fixture = *state;

	watch(fixture);
	command(fixture, command_unplug, "warboy0", NULL);
	await(fixture, 1, 2);
	command(fixture, command_plug, "warboy0", NULL);
	await(fixture, 2, 2);
	/* The only card of its directory takes that away, and brings it back. */
	command(fixture, command_unplug, "rngd0", NULL);
	await(fixture, 1, 2);
	command(fixture, command_plug, "rngd0", NULL);
	await(fixture, 2, 2);
}

static void a_missing_device_file_is_noticed(void **state)
{
	struct fixture *fixture = *state;

	watch(fixture);
	command(fixture, command_remove_node, "rngd0", "ch3");
	await(fixture, 1, 2);
	command(fixture, command_restore_node, "rngd0", "ch3");
	await(fixture, 2, 2);
}

static void a_rescan_on_request_sees_new_facts(void **state)
{
	struct fixture *fixture = *state;

	watch(fixture);
	command(fixture, command_set, "warboy0", "device_uuid");
	node_rescan(fixture->node);
	/* An empty UUID leaves the identity as it was while the card is listed. */
	assert_int_equal(fixture->n_changes, 2);
}

/* A driver that is told of its only device, and does not see it in files. */
static struct {
	uint64_t answers;
	size_t n_asked;
	uint32_t longest_wait_ms;
} told;

static int told_ask(_unused_ struct host *host, uint32_t wait_ms, struct error *err)
{
	bool first = told.n_asked++ == 0;

	if (first)
		told.longest_wait_ms = MAX(told.longest_wait_ms, wait_ms);
	return told.answers > 0 ? 0 : error_set(err, EIO, "no answer");
}

static uint64_t told_answer(_unused_ const struct host *host)
{
	return told.answers;
}

static int told_probe(_unused_ const struct host *host, _unused_ const struct device *device,
		      _unused_ struct error *err)
{
	return 0;
}

static int told_scan(const struct driver *driver, _unused_ const struct host *host,
		     struct device_list *list, _unused_ struct error *err)
{
	struct device *device;

	if (told.answers == 0)
		return 0;
	device = device_new(driver);
	assert_non_null(device);
	(void)snprintf(device->uuid, sizeof(device->uuid), "told");
	device->memory_bytes = told.answers;
	return device_list_add(list, device);
}

static const char *const nowhere[] = { NULL };

static const struct driver told_driver = {
	.name = "told",
	.vendor = "Told",
	.ask = told_ask,
	.answer = told_answer,
	.scan = told_scan,
	.probe = told_probe,
	.node_dirs = nowhere,
	.subsystems = nowhere,
};

static void an_answer_brings_a_rescan(void **state)
{
	static const struct driver *const drivers[] = { &told_driver };
	struct fixture *fixture = *state;
	struct snapshot *snapshot;

	watch_with(fixture, drivers, ARRAY_SIZE(drivers));
	assert_int_equal(fixture->n_changes, 0);
	assert_true(told.n_asked > 0 && told.longest_wait_ms > 0);
	told.answers = 1;
	await(fixture, 1, 1);
	assert_int_equal(fixture->n_changes, 1);
	told.answers = 2;
	await(fixture, 1, 1);
	assert_int_equal(fixture->n_changes, 2);
	snapshot = node_snapshot(fixture->node);
	assert_int_equal(snapshot->devices[0].device->memory_bytes, 2);
	snapshot_unref(snapshot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(devices_are_found_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(probes_notice_failure_and_recovery, setup,
						teardown),
		cmocka_unit_test_setup_teardown(events_of_device_files_bring_a_rescan, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_missing_device_file_is_noticed, setup, teardown),
		cmocka_unit_test_setup_teardown(a_rescan_on_request_sees_new_facts, setup,
						teardown),
		cmocka_unit_test_setup_teardown(an_answer_brings_a_rescan, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
