/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The driver's row with a real process and a stand-in for NVML's library: what is told
 * there arrives in scans and probes.  What shall happen is waited for.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "drivers/driver.h"
#include "drivers/nvml/child.h"
#include "drivers/nvml/nvml.h"
#include "tests/test.h"
#include "tests/unit/drivers/gpu.h"

#define LIBRARY "usr/lib64/libnvidia-ml.so.1"
#define TOLD "usr/lib64/nvml.txt"
#define WAIT_MS 60000 /* only ever waited out by a test that fails */
#define LOOK_MS 5

static const struct nvml_times quick = {
	.interval_ms = 50,
	.start_ms = 2000,
	.silence_ms = 500,
	.absent_ms = 20,
	.release_ms = 20,
	.retry_min_ms = 10,
	.retry_max_ms = 50,
};

static const struct driver *const drivers[] = { &furiosa_driver, &nvidia_driver };

static void tell(const struct tree *tree, int migs, const char *fault)
{
	char text[128];

	(void)snprintf(text, sizeof(text),
		       "gpus=2 migs=%d xid=0 instance=-1 serial=0 fault=%s end\n", migs, fault);
	tree_puts(tree, TOLD, text);
}

static void tell_xid(const struct tree *tree, int migs, int xid, int instance)
{
	char text[128];

	(void)snprintf(text, sizeof(text),
		       "gpus=2 migs=%d xid=%d instance=%d serial=%d fault=none end\n", migs, xid,
		       instance, xid);
	tree_puts(tree, TOLD, text);
}

/* As nvidia_driver.ask() does, but in less time. */
static void start(struct tree *tree)
{
	struct error err = { 0 };

	gpu_add(tree, 0);
	gpu_add(tree, 1);
	tree_link(tree, LIBRARY, FAKE_NVML);
	if (nvml_start(&tree->host, &quick, &tree->host.nvml, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(drivers_ask(drivers, ARRAY_SIZE(drivers), &tree->host, WAIT_MS, &err), 0);
}

static uint64_t answer(const struct tree *tree)
{
	return drivers_answer(drivers, ARRAY_SIZE(drivers), &tree->host);
}

static void wait_for_answer(const struct tree *tree, uint64_t before)
{
	for (int waited = 0; answer(tree) == before; waited += LOOK_MS) {
		assert_true(waited < WAIT_MS);
		(void)poll(NULL, 0, LOOK_MS);
	}
}

static const struct device *scan(const struct tree *tree, struct device_list *list)
{
	device_list_done(list);
	assert_int_equal(nvidia_driver.scan(&nvidia_driver, &tree->host, list, NULL), 0);
	assert_int_equal(list->n, 2);
	return list->devices[0];
}

/* Until the probe of a device says what it shall: "" when it is well. */
static void wait_for_probe(const struct tree *tree, const struct device *device, const char *reason)
{
	struct error err;

	for (int waited = 0; waited < WAIT_MS; waited += LOOK_MS) {
		int r;

		err = (struct error) { 0 };
		r = nvidia_driver.probe(&tree->host, device, &err);
		if ((r < 0) == (reason[0] != '\0') && strncmp(err.msg, reason, strlen(reason)) == 0)
			return;
		(void)poll(NULL, 0, LOOK_MS);
	}
	fail_msg("'%s', not '%s'", err.msg, reason);
}

static void test_scan(void **state)
{
	struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	struct device_readings readings;
	const struct device *device;

	tell(tree, 0, "none");
	start(tree);
	assert_int_equal(answer(tree), 1);
	device = scan(tree, &list);
	assert_string_equal(device->fault, "");
	assert_string_equal(device->architecture, "hopper");
	assert_true(device->memory_bytes == UINT64_C(143771) << 20);
	assert_string_equal(device->link_group, "nvlink-" GPU_BDF);
	assert_string_equal(list.devices[1]->link_group, "nvlink-" GPU_BDF);
	wait_for_probe(tree, device, "");
	assert_int_equal(nvidia_driver.measure(&tree->host, device, &readings, NULL), 0);
	assert_true(readings.temperature_celsius > 41.9 && readings.temperature_celsius < 42.1);
}

/* Instances that are made while the program runs, and gone again. */
static void test_partitions_come_and_go(void **state)
{
	struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	const struct device *device;
	uint64_t before;

	tell(tree, 0, "none");
	start(tree);
	assert_false(scan(tree, &list)->partitioned);
	gpu_add_instance(tree, 7, 0);
	device = scan(tree, &list); /* files are faster than NVML */
	assert_true(device->partitioned && device->n_partitions == 0);
	assert_string_equal(device->fault, "MIG is on, and NVML does not tell the partitions");

	before = answer(tree);
	tell(tree, 2, "none");
	wait_for_answer(tree, before);
	device = scan(tree, &list);
	assert_string_equal(device->fault, "");
	assert_int_equal(device->n_partitions, 2);
	assert_string_equal(device->partitions[1].id, "MIG-00000000-0000-0000-0001-000000000000");
	assert_string_equal(device->partitions[1].profile, "1g.18gb");
	assert_string_equal(device->nodes[2].path, "/dev/nvidia-caps/nvidia-cap70");

	before = answer(tree);
	tree_remove(tree, "proc/driver/nvidia/capabilities");
	tell(tree, 0, "none");
	wait_for_answer(tree, before);
	device = scan(tree, &list);
	assert_false(device->partitioned);
	assert_int_equal(device->n_partitions, 0);
}

static void test_recovery_action(void **state)
{
	struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	const struct device *device;

	tell(tree, 0, "none");
	start(tree);
	device = scan(tree, &list);
	tell(tree, 0, "reset");
	wait_for_probe(tree, device, "NVML asks to reset the GPU");
	wait_for_probe(tree, list.devices[1], "");
	tell(tree, 0, "none");
	wait_for_probe(tree, device, "");
}

static void test_lost(void **state)
{
	struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };

	tell(tree, 0, "none");
	start(tree);
	(void)scan(tree, &list);
	tell(tree, 0, "lost");
	wait_for_probe(tree, list.devices[1], "NVML has lost the GPU");
	wait_for_probe(tree, list.devices[0], "");
	tell(tree, 0, "none");
	wait_for_probe(tree, list.devices[1], "");
}

/* When it counts no more is a matter of time, and so of test_nvidia_nvml.c. */
static void test_xid(void **state)
{
	struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	const struct device *device;

	tell(tree, 0, "none");
	start(tree);
	device = scan(tree, &list);
	tell_xid(tree, 0, 79, -1);
	wait_for_probe(tree, device, "XID 79, reported 1 time");
	wait_for_probe(tree, list.devices[1], "");
}

static void test_xid_of_an_instance(void **state)
{
	struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	const struct device *device;

	tell(tree, 2, "none");
	start(tree);
	device = scan(tree, &list);
	tell_xid(tree, 2, 94, 8);
	wait_for_probe(tree, device, "XID 94 in GPU instance 8, reported 1 time");
	wait_for_probe(tree, list.devices[1], "");
}

/* Without NVML the GPUs stay what they were; it is only said. */
static void test_nvml_fails(void **state)
{
	struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	const struct device *device;
	struct error err = { 0 };
	int r = 0;

	tell(tree, 0, "none");
	start(tree);
	device = scan(tree, &list);
	tell(tree, 0, "crash");
	for (int waited = 0; r == 0 && waited < WAIT_MS; waited += LOOK_MS) {
		r = drivers_ask(drivers, ARRAY_SIZE(drivers), &tree->host, 0, &err);
		(void)poll(NULL, 0, LOOK_MS);
	}
	assert_int_equal(r, -EIO);
	assert_string_equal(err.msg,
			    "driver 'nvidia': NVML: the process that asks NVML ended by signal 11");
	wait_for_probe(tree, device, "");
	device = scan(tree, &list);
	assert_string_equal(device->architecture, "hopper");

	/* Once NVIDIA's driver has been unloaded, there is nothing to complain about. */
	tree_remove(tree, "proc/driver/nvidia");
	assert_int_equal(drivers_ask(drivers, ARRAY_SIZE(drivers), &tree->host, 0, NULL), 0);
}

static void test_ask(void **state)
{
	struct tree *tree = *state;

	assert_int_equal(nvidia_driver.ask(&tree->host, 0, NULL), 0);
	assert_null(tree->host.nvml); /* the kernel driver is not loaded */
	assert_int_equal(answer(tree), 0);
	gpu_add(tree, 0);
	tree_link(tree, LIBRARY, FAKE_NVML);
	tell(tree, 0, "none");
	assert_int_equal(nvidia_driver.ask(&tree->host, WAIT_MS, NULL), 0);
	assert_non_null(tree->host.nvml);
	assert_int_equal(answer(tree), 1);
}

#define TEST(function) TREE_TEST(function)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(test_scan),
		TEST(test_partitions_come_and_go),
		TEST(test_recovery_action),
		TEST(test_lost),
		TEST(test_xid),
		TEST(test_xid_of_an_instance),
		TEST(test_nvml_fails),
		TEST(test_ask),
	};

	if (nvml_child_is_asked(argc, argv))
		return nvml_child_main(argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
