/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The families whose class entries hang below a PCI device: what of them is in
 * the tree, and that their drivers see it so.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/driver.h"
#include "drivers/host.h"
#include "tests/sim/commands.h"
#include "tests/sim/state.h"
#include "tests/test.h"
#include "tests/unit/sim/node.h"

#define PCI0 "sys/bus/pci/devices/0000:19:00.0/"
#define MI300X_NODES 17 /* two for each of eight parts, and /dev/kfd */

typedef int (*command_fn)(const struct request *request, struct error *err);

struct family {
	const char *name;
	const char *handle; /* of the first of two cards */
	const struct driver *driver;
	const char *device_name; /* of it */
	const char *renumbered;	 /* the same, with the number 64 */
	const char *product;
	size_t n_nodes;
	size_t n_partitions;
	const char *reason; /* of one that fails; begins so */
};

static const struct family families[] = {
	{ "h200", "h200-0", &nvidia_driver, "nvidia0", "nvidia64", "NVIDIA-H200", 5, 0,
	  "PCI device '0000:19:00.0' does not answer" },
	{ "mi210", "mi210-0", &amd_driver, "dri/renderD128", "dri/renderD192", "AMD-Instinct-MI210",
	  3, 0, "PCI device '0000:19:00.0' does not answer" },
	{ "mi300x", "mi300x0", &amd_driver, "dri/renderD128", "dri/renderD192",
	  "AMD-Instinct-MI300X-OAM", 3, 0, "PCI device '0000:19:00.0' does not answer" },
	{ "mi300x-cpx", "mi300x-cpx0", &amd_driver, "dri/renderD128", "dri/renderD192",
	  "AMD-Instinct-MI300X-OAM", MI300X_NODES, 8, "PCI device '0000:19:00.0' does not answer" },
	{ "gaudi2", "gaudi2-0", &habana_driver, "accel/accel0", "accel/accel64", "gaudi2", 2, 0,
	  "status is 'Malfunction', expected 'Operational'" },
	{ "flex170", "flex170-0", &intel_driver, "dri/card0", "dri/card64",
	  "Data-Center-GPU-Flex-170", 2, 0, "PCI device '0000:19:00.0' does not answer" },
	{ "npu", "npu0", &intel_driver, "accel/accel0", "accel/accel64", "npu", 1, 0,
	  "PCI device '0000:19:00.0' does not answer" },
};

static void run(const struct node *node, command_fn command, const char *card, const char *second,
		const char *third)
{
	struct request request = { .dir = node->dir, .args = { card, second, third } };
	struct error err = { 0 };

	if (command(&request, &err) < 0)
		fail_msg("%s: %s", card, err.msg);
}

/* Scans with the family's driver; devices come in the order of numbers or places. */
static void scan(const struct node *node, const struct driver *driver, struct device_list *list)
{
	const struct host host = { .root_fd = node->root_fd, .root = node->dir };
	struct error err = { 0 };

	device_list_done(list);
	if (driver->scan(driver, &host, list, &err) < 0)
		fail_msg("scan: %s", err.msg);
}

static int probe(const struct node *node, const struct device *device, struct error *err)
{
	const struct host host = { .root_fd = node->root_fd, .root = node->dir };

	return device->driver->probe(&host, device, err);
}

static void create_two(const struct node *node, const struct family *family)
{
	struct tree_path text = tree_path("%s x2, numa 0/1", family->name);

	node_create(node, text.text);
}

static void test_found(void **state)
{
	const struct node *node = *state;

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		_cleanup_device_list_ struct device_list list = { 0 };
		const struct device *device;

		create_two(node, &families[i]);
		scan(node, families[i].driver, &list);
		assert_int_equal(list.n, 2);
		device = list.devices[0];
		assert_string_equal(device->fault, "");
		assert_string_equal(device->name, families[i].device_name);
		assert_string_equal(device->product, families[i].product);
		assert_string_equal(device->bdf, "0000:19:00.0");
		assert_int_equal(device->numa_node, 0);
		assert_int_equal(list.devices[1]->numa_node, 1);
		assert_int_equal(device->n_nodes, families[i].n_nodes);
		assert_int_equal(device->n_partitions, families[i].n_partitions);
		assert_int_equal(probe(node, device, NULL), 0);
		assert_int_equal(node_teardown(state), 0);
		assert_int_equal(node_setup(state), 0);
	}
}

static void test_fail_and_recover(void **state)
{
	const struct node *node = *state;

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		_cleanup_device_list_ struct device_list list = { 0 };
		struct error err = { 0 };

		create_two(node, &families[i]);
		scan(node, families[i].driver, &list);
		run(node, command_fail, families[i].handle, NULL, NULL);
		assert_int_equal(probe(node, list.devices[0], &err), -EIO);
		assert_string_equal(err.msg, families[i].reason);
		assert_int_equal(probe(node, list.devices[1], NULL), 0);
		run(node, command_unplug, families[i].handle, NULL, NULL);
		assert_int_equal(probe(node, list.devices[0], NULL), -ENODEV);
		run(node, command_plug, families[i].handle, NULL, NULL);
		assert_int_equal(probe(node, list.devices[0], NULL), -EIO);
		run(node, command_recover, families[i].handle, NULL, NULL);
		assert_int_equal(probe(node, list.devices[0], NULL), 0);
		assert_int_equal(node_teardown(state), 0);
		assert_int_equal(node_setup(state), 0);
	}
}

static const struct device *find(const struct device_list *list, const char *bdf)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->devices[i]->bdf, bdf) == 0)
			return list->devices[i];
	fail_msg("no device at '%s'", bdf);
	return NULL;
}

/* A card that is moved to another number is the same one, and nothing is left of it
 * where it was. */
static void test_renumber_and_unplug(void **state)
{
	const struct node *node = *state;

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		_cleanup_device_list_ struct device_list before = { 0 };
		_cleanup_device_list_ struct device_list after = { 0 };
		struct tree_path path = tree_path("dev/%s", families[i].device_name);
		const struct device *moved;

		create_two(node, &families[i]);
		scan(node, families[i].driver, &before);
		run(node, command_renumber, families[i].handle, "64", NULL);
		assert_false(node_exists(node, path.text));
		assert_int_equal(probe(node, before.devices[0], NULL), -ENODEV);
		scan(node, families[i].driver, &after);
		assert_int_equal(after.n, 2);
		moved = find(&after, before.devices[0]->bdf);
		assert_string_equal(moved->name, families[i].renumbered);
		assert_string_equal(moved->uuid, before.devices[0]->uuid);
		assert_string_equal(moved->fault, "");
		run(node, command_unplug, families[i].handle, NULL, NULL);
		scan(node, families[i].driver, &after);
		assert_int_equal(after.n, 1);
		assert_false(node_exists(node, PCI0));
		assert_int_equal(node_teardown(state), 0);
		assert_int_equal(node_setup(state), 0);
	}
}

/* A driver leaves nothing below the PCI device, and takes it all back. */
static void test_nothing_left(void **state)
{
	const struct node *node = *state;

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		int n, n_class, n_dev;

		create_two(node, &families[i]);
		n = node_count(node, PCI0, "");
		n_class = node_count(node, "sys/class/drm", "") +
			  node_count(node, "sys/class/accel", "");
		n_dev = node_count(node, "dev/dri", "") + node_count(node, "dev/accel", "");
		run(node, command_renumber, families[i].handle, "64", NULL);
		run(node, command_renumber, families[i].handle, "0", NULL);
		assert_int_equal(node_count(node, PCI0, ""), n);
		assert_int_equal(node_count(node, "sys/class/drm", "") +
					 node_count(node, "sys/class/accel", ""),
				 n_class);
		assert_int_equal(
			node_count(node, "dev/dri", "") + node_count(node, "dev/accel", ""), n_dev);
		assert_int_equal(node_teardown(state), 0);
		assert_int_equal(node_setup(state), 0);
	}
}

/* Families of one class are numbered together, and do not take each other's numbers. */
static void test_shared_numbers(void **state)
{
	static const struct {
		const char *card;
		const char *index;
		int expected;
	} cases[] = {
		{ "mi210-0", "0", -EEXIST }, { "mi210-0", "7", -EEXIST },
		{ "mi210-0", "8", 0 },	     { "mi210-0", "9", -EEXIST },
		{ "mi210-0", "10", 0 },	     { "mi300x0", "3", -EEXIST },
		{ "mi300x0", "1", 0 },	     { "gaudi2-0", "1", -EEXIST },
		{ "gaudi2-0", "9", 0 },
	};
	const struct node *node = *state;
	_cleanup_device_list_ struct device_list list = { 0 };

	node_create(node, "mi300x x1, mi210 x1, flex170 x1, gaudi2 x1, npu x1");
	scan(node, &amd_driver, &list);
	assert_int_equal(list.n, 2);
	assert_string_equal(list.devices[1]->name, "dri/renderD136");
	scan(node, &intel_driver, &list);
	assert_int_equal(list.n, 2);
	assert_string_equal(list.devices[0]->name, "dri/card9");
	assert_string_equal(list.devices[1]->name, "accel/accel1");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct request request = { .dir = node->dir,
					   .args = { cases[i].card, cases[i].index } };
		int r = command_renumber(&request, NULL);

		if (r != cases[i].expected)
			fail_msg("%s to %s: %d", cases[i].card, cases[i].index, r);
	}
	assert_contents(node, "proc/devices",
			"Character devices:\n  1 mem\n  5 /dev/tty\n226 drm\n509 kfd\n261 accel\n"
			"\nBlock devices:\n259 blkext\n");
}

/* The kernel makes the files of all eight parts; KFD says which of them are any. */
static void test_parts(void **state)
{
	const struct node *node = *state;

	node_create(node, "mi300x x1");
	assert_int_equal(node_count(node, "dev/dri", ""), 16);
	assert_int_equal(node_count(node, "sys/devices/platform", "amdgpu_xcp_"), 7);
	assert_int_equal(node_count(node, "sys/class/kfd/kfd/topology/nodes", ""), 2);
	assert_int_equal(node_teardown(state), 0);
	assert_int_equal(node_setup(state), 0);
	node_create(node, "mi300x-cpx x2");
	assert_int_equal(node_count(node, "dev/dri", ""), 32);
	assert_int_equal(node_count(node, "sys/devices/platform", "amdgpu_xcp_"), 14);
	assert_int_equal(node_count(node, "sys/class/kfd/kfd/topology/nodes", ""), 17);
	run(node, command_unplug, "mi300x-cpx0", NULL, NULL);
	assert_int_equal(node_count(node, "sys/devices/platform", "amdgpu_xcp_"), 7);
	assert_int_equal(node_count(node, "sys/class/kfd/kfd/topology/nodes", ""), 9);
	assert_true(node_exists(node, "dev/kfd"));
}

/* The files that are named otherwise than the family can be damaged by name, too. */
static void test_device_files(void **state)
{
	static const struct {
		const char *card;
		const char *node;
		const char *path;
	} cases[] = {
		{ "mi300x-cpx0", "card", "dev/dri/card0" },
		{ "mi300x-cpx0", "render7", "dev/dri/renderD135" },
		{ "mi300x-cpx0", "kfd", "dev/kfd" },
		{ "flex170-0", "render", "dev/dri/renderD136" },
		{ "gaudi2-0", "control", "dev/accel/accel_controlD0" },
		{ "npu0", "accel", "dev/accel/accel1" },
	};
	const struct node *node = *state;

	node_create(node, "mi300x-cpx x1, flex170 x1, gaudi2 x1, npu x1");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		run(node, command_remove_node, cases[i].card, cases[i].node, NULL);
		assert_false(node_exists(node, cases[i].path));
		run(node, command_restore_node, cases[i].card, cases[i].node, NULL);
		assert_int_equal(file_is_char_device(node->root_fd, cases[i].path), 0);
		run(node, command_break_node, cases[i].card, cases[i].node, NULL);
		assert_int_equal(file_is_char_device(node->root_fd, cases[i].path), -ENODEV);
	}
}

static void test_attributes(void **state)
{
	static const struct {
		const char *description;
		const char *path;
		const char *value; /* NULL: there is none */
	} cases[] = {
		{ "h200 x1", "proc/driver/nvidia/gpus/0000:19:00.0/information",
		  "Model: \t\t NVIDIA H200\nIRQ:   \t\t 300\n"
		  "GPU UUID: \t GPU-e5f7a89b-d105-49d0-818d-1ab3c245ebb4\n"
		  "Video BIOS: \t 96.00.74.00.1F\nBus Type: \t PCIe\nDMA Size: \t 52 bits\n"
		  "DMA Mask: \t 0xfffffffffffff\nBus Location: \t 0000:19:00.0\n"
		  "Device Minor: \t 0\nGPU Firmware: \t 570.86.15\nGPU Excluded:\t No\n" },
		{ "h200 x1", "proc/driver/nvidia/capabilities/gpu0/mig/gi7/access", NULL },
		{ "h200-mig x1", "proc/driver/nvidia/capabilities/gpu0/mig/gi7/access",
		  "DeviceFileMinor: 66\nDeviceFileMode: 292\nDeviceFileModify: 1\n" },
		{ "h200-mig x2", "proc/driver/nvidia/capabilities/gpu1/mig/gi13/ci0/access",
		  "DeviceFileMinor: 256\nDeviceFileMode: 292\nDeviceFileModify: 1\n" },
		{ "mi210 x1", PCI0 "unique_id", "96e5276597aa1975\n" },
		{ "mi210 x1", PCI0 "serial_number", "692200000001\n" },
		{ "mi210 x1, serial none", PCI0 "serial_number", NULL },
		{ "mi210 x1, serial empty", PCI0 "serial_number", "" },
		{ "mi210 x1", PCI0 "current_compute_partition", NULL },
		{ "mi210 x1", PCI0 "mem_info_vram_total", "68719476736\n" },
		{ "mi300x x1", PCI0 "current_compute_partition", "SPX\n" },
		{ "mi300x x1, newlines off", PCI0 "current_compute_partition", "SPX" },
		{ "mi300x-cpx x1", PCI0 "current_compute_partition", "CPX\n" },
		{ "mi300x-cpx x1", PCI0 "current_memory_partition", "NPS1\n" },
		{ "mi300x-cpx x1", "sys/class/kfd/kfd/topology/nodes/2/mem_banks/0/properties",
		  "size_in_bytes 25769803776\nflags 0\nwidth 4096\n" },
		{ "gaudi2 x1", PCI0 "status", "Operational\n" },
		{ "gaudi2 x1, newlines off", PCI0 "status", "Operational" },
		{ "gaudi2 x1", PCI0 "device_type", "GAUDI2\n" },
		{ "gaudi2 x1", PCI0 "pci_addr", "0000:19:00.0\n" },
		{ "flex170 x1", "sys/class/drm/card0/lmem_total_bytes", "14248050688\n" },
		{ "flex170 x1", PCI0 "sriov_numvfs", "0\n" },
		{ "npu x1", PCI0 "npu_memory_utilization", "4096\n" },
	};
	const struct node *node = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		node_create(node, cases[i].description);
		assert_contents(node, cases[i].path, cases[i].value);
		assert_int_equal(node_teardown(state), 0);
		assert_int_equal(node_setup(state), 0);
	}
}

#define NODE_TEST(name) cmocka_unit_test_setup_teardown(name, node_setup, node_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		NODE_TEST(test_found),
		NODE_TEST(test_fail_and_recover),
		NODE_TEST(test_renumber_and_unplug),
		NODE_TEST(test_nothing_left),
		NODE_TEST(test_shared_numbers),
		NODE_TEST(test_parts),
		NODE_TEST(test_device_files),
		NODE_TEST(test_attributes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
