/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GPUs of i915 and xe, and NPUs, device files as links.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "drivers/driver.h"
#include "tests/test.h"
#include "tests/unit/drivers/card.h"

#define BDF "0000:27:00.0"
#define PCI "sys/devices/pci0000:16/" BDF "/"
#define CARD PCI "drm/card1/"
#define GPU_NODES "/dev/dri/card1 * /dev/dri/renderD128 * "
#define NPU_NODES "/dev/accel/accel0 * "

static void add_gpu(const struct tree *tree, const struct card_pci *pci)
{
	card_add_pci(tree, pci);
	card_add_entry(tree, "pci0000:16/" BDF, "drm", "card1");
	card_add_entry(tree, "pci0000:16/" BDF, "drm", "renderD128");
	card_add_nodes(tree, GPU_NODES);
}

static void add_flex(const struct tree *tree)
{
	static const struct card_pci flex = { BDF, "0x8086", "0x56c0", "0x038000", "i915" };

	add_gpu(tree, &flex);
	card_set(tree, CARD "lmem_total_bytes", "14248050688\n");
	card_set(tree, "sys/module/i915/version", "1.23.10.54\n");
}

static void add_xe(const struct tree *tree)
{
	static const struct card_pci max = { BDF, "0x8086", "0x0bd5", "0x038000", "xe" };

	add_gpu(tree, &max);
	card_set(tree, PCI "tile0/physical_vram_size_bytes", "68719476736\n");
	card_set(tree, PCI "tile1/physical_vram_size_bytes", "68719476736\n");
}

static void add_npu(const struct tree *tree)
{
	static const struct card_pci npu = { BDF, "0x8086", "0x7d1d", "0x120000", "intel_vpu" };

	card_add_pci(tree, &npu);
	card_add_entry(tree, "pci0000:16/" BDF, "accel", "accel0");
	card_add_nodes(tree, NPU_NODES);
}

static const struct {
	void (*add)(const struct tree *tree);
	const char *name;
	const char *sysfs_path;
	const char *architecture;
	const char *product;
	const char *driver_version;
	uint64_t memory_bytes;
	int index;
	const char *nodes;
} kinds[] = {
	{ add_flex, "dri/card1", "sys/class/drm/card1", "i915", "Data-Center-GPU-Flex-170",
	  "1.23.10.54", 14248050688, DEVICE_INDEX_UNKNOWN, GPU_NODES },
	{ add_xe, "dri/card1", "sys/class/drm/card1", "xe", "Data-Center-GPU-Max-1550", "",
	  UINT64_C(128) << 30, DEVICE_INDEX_UNKNOWN, GPU_NODES },
	{ add_npu, "accel/accel0", "sys/class/accel/accel0", "npu", "npu", "", 0, 0, NPU_NODES },
};

static void test_kinds(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(1024);

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct device *device;

		card_reset(tree);
		kinds[i].add(tree);
		device = class_card_scan_one(tree, &intel_driver, &list);
		assert_string_equal(device->fault, "");
		assert_string_equal(device->name, kinds[i].name);
		assert_string_equal(device->sysfs_path, kinds[i].sysfs_path);
		assert_string_equal(device->bdf, BDF);
		assert_string_equal(device->architecture, kinds[i].architecture);
		assert_string_equal(device->product, kinds[i].product);
		assert_string_equal(device->driver_version, kinds[i].driver_version);
		assert_true(device->memory_bytes == kinds[i].memory_bytes);
		assert_int_equal(device->index, kinds[i].index);
		assert_int_equal(device->numa_node, 1);
		card_print_nodes(device, &text);
		assert_string_equal(strbuf_str(&text), kinds[i].nodes);
	}
}

static void test_nothing(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };

	class_card_scan(tree, &intel_driver, &list);
	assert_int_equal(list.n, 0);
	tree_mkdir(tree, "sys/class/drm");
	tree_mkdir(tree, "sys/class/accel");
	class_card_scan(tree, &intel_driver, &list);
	assert_int_equal(list.n, 0);
}

/* What else is in the two classes, and what is bound to something else. */
static const struct {
	struct card_pci pci;
	const char *class_name;
	const char *entry;
	size_t n;
} stranger_cases[] = {
	{ { BDF, "0x8086", "0x56c0", "0x038000", "i915" }, "drm", "card1", 1 },
	{ { BDF, "0x8086", "0x46a6", "0x030000", "i915" }, "drm", "card0", 1 },
	{ { BDF, "0x8086", "0x56c0", "garbage", "i915" }, "drm", "card1", 1 },
	{ { BDF, "0x1002", "0x740f", "0x038000", "amdgpu" }, "drm", "card1", 0 },
	{ { BDF, "0x1002", "0x740f", "0x038000", "i915" }, "drm", "card1", 0 },
	{ { BDF, "garbage", "0x56c0", "0x038000", "i915" }, "drm", "card1", 0 },
	{ { BDF, "0x8086", "0x56c0", "0x038000", NULL }, "drm", "card1", 0 },
	{ { BDF, "0x8086", "0x56c0", "0x038000", "vfio-pci" }, "drm", "card1", 0 },
	{ { BDF, "0x8086", "0x0b73", "0x120000", "xe" }, "drm", "card1", 0 },
	{ { BDF, "0x8086", "0x56c0", "0x038000", "i915" }, "drm", "card1-DP-1", 0 },
	{ { BDF, "0x8086", "0x56c0", "0x038000", "i915" }, "drm", "renderD128", 0 },
	{ { BDF, "0x8086", "0x643e", "0x120000", "intel_vpu" }, "accel", "accel3", 1 },
	{ { BDF, "0x8086", "0x643e", "0x120000", "vfio-pci" }, "accel", "accel3", 0 },
	{ { BDF, "0x1da3", "0x1020", "0x120000", "habanalabs" }, "accel", "accel0", 0 },
	{ { BDF, "0x17cb", "0xa100", "0x120000", "intel_vpu" }, "accel", "accel0", 0 },
};

static void test_strangers(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(stranger_cases); i++) {
		card_reset(tree);
		card_add_pci(tree, &stranger_cases[i].pci);
		card_add_entry(tree, "pci0000:16/" BDF, stranger_cases[i].class_name,
			       stranger_cases[i].entry);
		class_card_scan(tree, &intel_driver, &list);
		if (list.n != stranger_cases[i].n)
			fail_msg("case %zu gives %zu devices", i, list.n);
	}
}

/* DRM has devices without a bus, as vgem. */
static void test_virtual_card(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };

	add_flex(tree);
	card_add_entry(tree, "platform/vgem", "drm", "card0");
	assert_string_equal(class_card_scan_one(tree, &intel_driver, &list)->name, "dri/card1");
}

static void test_product(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };

	add_flex(tree);
	card_set(tree, PCI "device", "0x9999");
	assert_string_equal(class_card_scan_one(tree, &intel_driver, &list)->product, "i915");
	card_set(tree, PCI "device", "0x56c1");
	assert_string_equal(class_card_scan_one(tree, &intel_driver, &list)->product,
			    "Data-Center-GPU-Flex-140");
}

static void test_memory(void **state)
{
	static const char *const unfit[] = { NULL,
					     "",
					     "x",
					     CARD_GARBAGE,
					     CARD_HUGE,
					     "18446744073709551616",
					     "18446744073709551615" };
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(unfit); i++) {
		card_reset(tree);
		add_flex(tree);
		card_set(tree, CARD "lmem_total_bytes", unfit[i]);
		assert_true(class_card_scan_one(tree, &intel_driver, &list)->memory_bytes == 0);
		card_reset(tree);
		add_xe(tree);
		card_set(tree, PCI "tile1/physical_vram_size_bytes", unfit[i]);
		assert_true(class_card_scan_one(tree, &intel_driver, &list)->memory_bytes ==
			    UINT64_C(64) << 30);
		assert_string_equal(list.devices[0]->fault, "");
	}
}

/* The function that has given itself away is hidden, its virtual functions are not. */
static void test_virtual_functions(void **state)
{
	static const struct card_pci vf = { "0000:27:00.1", "0x8086", "0x56c0", "0x038000",
					    "i915" };
	static const struct {
		const char *n;
		size_t n_devices;
	} cases[] = {
		{ "0\n", 2 }, { "1\n", 1 }, { "63", 1 }, { "", 2 }, { NULL, 2 }, { "many", 2 },
	};
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };

	add_flex(tree);
	card_add_pci(tree, &vf);
	card_add_entry(tree, "pci0000:16/0000:27:00.1", "drm", "card2");
	card_add_entry(tree, "pci0000:16/0000:27:00.1", "drm", "renderD129");
	card_add_nodes(tree, "/dev/dri/card2 /dev/dri/renderD129");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		card_set(tree, PCI "sriov_numvfs", cases[i].n);
		class_card_scan(tree, &intel_driver, &list);
		assert_int_equal(list.n, cases[i].n_devices);
		assert_string_equal(list.devices[list.n - 1]->bdf, "0000:27:00.1");
		assert_string_equal(list.devices[list.n - 1]->fault, "");
	}
}

static void test_nodes(void **state)
{
	static const struct {
		void (*add)(const struct tree *tree);
		const char *removed;
		const char *fault;
	} cases[] = {
		{ add_flex, "dev/dri/card1", "device node '/dev/dri/card1' is missing" },
		{ add_flex, "dev/dri/renderD128", "device node '/dev/dri/renderD128' is missing" },
		{ add_flex, PCI "drm/renderD128", "it has no render node" },
		{ add_npu, "dev/accel/accel0", "device node '/dev/accel/accel0' is missing" },
	};
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		card_reset(tree);
		cases[i].add(tree);
		tree_remove(tree, cases[i].removed);
		assert_string_equal(class_card_scan_one(tree, &intel_driver, &list)->fault,
				    cases[i].fault);
	}
}

static const struct card_probe_case gpu_probes[] = {
	{ { PCI "config", "anything else" }, 0, "" },
	{ { PCI "config", "\xff\xff\xff\xff\xff\xff" }, -EIO, "PCI device '" BDF "' does not" },
	{ { PCI "config", "\xff\xff\xff" }, 0, "" },
	{ { PCI "config", NULL }, 0, "" },
	{ { PCI "driver", NULL }, -ENODEV, "kernel driver 'i915' is not bound to '" BDF "'" },
	{ { CARD "device", NULL }, -ENODEV, "gone from sysfs" },
	{ { "sys/class/drm/card1", NULL }, -ENODEV, "gone from sysfs" },
	{ { "sys/class", NULL }, -ENODEV, "gone from sysfs" },
};

static const struct card_probe_case npu_probes[] = {
	{ { PCI "driver", NULL }, -ENODEV, "kernel driver 'intel_vpu' is not bound" },
	{ { PCI "config", "\xff\xff\xff\xff" }, -EIO, "PCI device '" BDF "' does not answer" },
	{ { "sys/class/accel/accel0", NULL }, -ENODEV, "gone from sysfs" },
};

static void test_probe(void **state)
{
	card_check_probe(*state, &intel_driver, add_flex, gpu_probes, ARRAY_SIZE(gpu_probes));
	card_check_probe(*state, &intel_driver, add_xe, gpu_probes, 4);
	card_check_probe(*state, &intel_driver, add_npu, npu_probes, ARRAY_SIZE(npu_probes));
}

/* One that sleeps reads as all ones as well, and is not woken to be asked. */
static void test_probe_asleep(void **state)
{
	static const struct {
		const char *status;
		int expected;
	} cases[] = {
		{ "suspended\n", 0 },
		{ "active\n", -EIO },
		{ "error\n", -EIO },
		{ "", -EIO },
	};
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };

	add_flex(tree);
	(void)class_card_scan_one(tree, &intel_driver, &list);
	card_set(tree, PCI "config", "\xff\xff\xff\xff");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		card_set(tree, PCI "power/runtime_status", cases[i].status);
		assert_int_equal(intel_driver.probe(&tree->host, list.devices[0], NULL),
				 cases[i].expected);
	}
}

static void test_measure(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	struct device_readings readings;

	add_xe(tree);
	(void)class_card_scan_one(tree, &intel_driver, &list);
	card_set(tree, PCI "hwmon/hwmon3/temp2_input", "52000\n");
	card_set(tree, PCI "hwmon/hwmon3/temp3_input", "61500\n");
	card_set(tree, PCI "npu_memory_utilization", "7");
	assert_int_equal(intel_driver.measure(&tree->host, list.devices[0], &readings, NULL), 0);
	assert_true(readings.temperature_celsius == 61.5 && readings.power_watts < 0);
	assert_true(readings.utilization_ratio < 0 && readings.memory_used_bytes < 0);
	tree_remove(tree, "sys/class/drm/card1");
	assert_int_equal(intel_driver.measure(&tree->host, list.devices[0], &readings, NULL),
			 -ENODEV);
}

static void test_measure_npu(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	struct device_readings readings;

	add_npu(tree);
	(void)class_card_scan_one(tree, &intel_driver, &list);
	assert_int_equal(intel_driver.measure(&tree->host, list.devices[0], &readings, NULL), 0);
	assert_true(readings.memory_used_bytes < 0);
	card_set(tree, PCI "npu_memory_utilization", "4096\n");
	assert_int_equal(intel_driver.measure(&tree->host, list.devices[0], &readings, NULL), 0);
	assert_true(readings.memory_used_bytes == 4096 && readings.temperature_celsius < 0);
}

static void test_descriptors_run_out(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		card_reset(*state);
		kinds[i].add(*state);
		card_check_descriptors(*state, &intel_driver);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(test_kinds),
		TREE_TEST(test_nothing),
		TREE_TEST(test_strangers),
		TREE_TEST(test_virtual_card),
		TREE_TEST(test_product),
		TREE_TEST(test_memory),
		TREE_TEST(test_virtual_functions),
		TREE_TEST(test_nodes),
		TREE_TEST(test_probe),
		TREE_TEST(test_probe_asleep),
		TREE_TEST(test_measure),
		TREE_TEST(test_measure_npu),
		TREE_TEST(test_descriptors_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
