/* SPDX-License-Identifier: Apache-2.0 */
/* Simulated GPUs, with and without a report of NVML; no process is started. */
#include "drivers/nvidia.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "drivers/driver.h"
#include "drivers/nvidia_nvml.h"
#include "tests/test.h"
#include "tests/unit/drivers/card.h"
#include "tests/unit/drivers/gpu.h"

#define NOW_MS UINT64_C(1000000)
#define OTHER_MIG_UUID "MIG-00000000-0000-0000-0000-000000000001"

static void scan(const struct tree *tree, const struct nvml_report *report,
		 struct device_list *list)
{
	struct error err = { 0 };
	int r;

	device_list_done(list);
	r = nvidia_scan_with(&tree->host, report, list, &err);
	if (r < 0)
		fail_msg("scan: %s", error_text(&err, r));
	assert_int_equal(err.code, 0);
}

static const struct device *scan_one(const struct tree *tree, const struct nvml_report *report,
				     struct device_list *list)
{
	scan(tree, report, list);
	assert_int_equal(list->n, 1);
	return list->devices[0];
}

static void add_one(const struct tree *tree)
{
	tree_remove(tree, "proc");
	gpu_add(tree, 0);
}

static void assert_nodes(const struct device *device, const char *expected)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(4096);

	card_print_nodes(device, &text);
	assert_string_equal(strbuf_str(&text), expected);
}

static void test_facts(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	const struct device *device;

	gpu_add(tree, 0);
	device = scan_one(tree, NULL, &list);
	assert_string_equal(device->fault, "");
	assert_ptr_equal(device->driver, driver_find("nvidia"));
	assert_string_equal(device->name, "nvidia0");
	assert_string_equal(device->sysfs_path, "proc/driver/nvidia/gpus/" GPU_BDF);
	assert_string_equal(device->bdf, GPU_BDF);
	assert_string_equal(device->uuid, GPU_UUID);
	assert_string_equal(device->serial, "");
	assert_string_equal(device->product, "NVIDIA-H200");
	assert_string_equal(device->driver_version, "570.86.15");
	assert_string_equal(device->firmware_version, "96.00.74.00.1F");
	assert_string_equal(device->architecture, "");
	assert_string_equal(device->link_group, "");
	assert_int_equal(device->index, 0);
	assert_int_equal(device->numa_node, 1);
	assert_int_equal(device->pci.vendor, 0x10de);
	assert_int_equal(device->pci.class, 0x030200);
	assert_int_equal(device->memory_bytes, 0);
	assert_int_equal(device->n_partitions, 0);
	assert_false(device->partitioned);
	assert_nodes(device, GPU_NODES);
}

static void test_facts_of_nvml(void **state)
{
	_cleanup_(nvml_report_unrefp) struct nvml_report *report = gpu_report(2);
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };

	gpu_report_add_link(report, GPU_BDF, NVML_LINK_GPU);
	gpu_add(tree, 1);
	gpu_add(tree, 0);
	scan(tree, report, &list);
	assert_int_equal(list.n, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(list.devices[i]->index, i);
		assert_string_equal(list.devices[i]->architecture, "hopper");
		assert_true(list.devices[i]->memory_bytes == UINT64_C(143771) << 20);
		assert_string_equal(list.devices[i]->link_group, "nvlink-" GPU_BDF);
	}
}

/* NVML knows a GPU that the kernel driver has not initialised yet. */
static void test_uninitialised(void **state)
{
	_cleanup_(nvml_report_unrefp) struct nvml_report *report = gpu_report(1);
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	const struct device *device;

	gpu_add(tree, 0);
	gpu_set(tree, "GPU UUID", "GPU-\?\?\?\?\?\?\?\?-\?\?\?\?-\?\?\?\?-\?\?\?\?-\?\?\?\?");
	gpu_set(tree, "Model", NULL);
	gpu_set(tree, "Device Minor", NULL);
	device = scan_one(tree, NULL, &list);
	assert_string_equal(device->uuid, "");
	assert_string_equal(device->product, "");
	assert_string_equal(device->name, GPU_BDF);
	assert_int_equal(device->index, DEVICE_INDEX_UNKNOWN);
	assert_string_equal(device->fault, "its device file is not known: no Device Minor");
	device = scan_one(tree, report, &list);
	assert_string_equal(device->fault, "");
	assert_string_equal(device->uuid, GPU_UUID);
	assert_string_equal(device->product, "NVIDIA-H200");
	assert_string_equal(device->name, "nvidia0");
	assert_nodes(device, GPU_NODES);
}

/* A report of a card that was there before says nothing of the one that is. */
static void test_other_card(void **state)
{
	_cleanup_(nvml_report_unrefp) struct nvml_report *report = gpu_report(1);
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	const struct device *device;

	gpu_add(tree, 0);
	gpu_set(tree, "GPU UUID", "GPU-11111111-0000-0000-0000-000000000000");
	report->gpus[0].mig_mode = 1;
	device = scan_one(tree, report, &list);
	assert_string_equal(device->uuid, "GPU-11111111-0000-0000-0000-000000000000");
	assert_int_equal(device->memory_bytes, 0);
	assert_false(device->partitioned);
}

static void test_unfit_facts(void **state)
{
	static const char *const values[] = { NULL, "", CARD_GARBAGE, CARD_HUGE };
	static const struct {
		const char *key;
		size_t offset;
	} keys[] = {
		{ "GPU UUID", offsetof(struct device, uuid) },
		{ "Video BIOS", offsetof(struct device, firmware_version) },
		{ "Model", offsetof(struct device, product) },
	};
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		for (size_t j = 0; j < ARRAY_SIZE(values); j++) {
			const struct device *device;

			card_reset(tree);
			add_one(tree);
			gpu_set(tree, keys[i].key, values[j]);
			device = scan_one(tree, NULL, &list);
			assert_string_equal((const char *)device + keys[i].offset, "");
			assert_string_equal(device->fault, "");
			assert_string_equal(device->bdf, GPU_BDF);
		}
}

static void test_unreadable(void **state)
{
	static const struct {
		const char *text; /* of information; NULL: there is none */
		const char *fault;
	} cases[] = {
		{ NULL, "information cannot be read: " },
		{ "", "its device file is not known: no Device Minor" },
		{ CARD_GARBAGE, "its device file is not known: no Device Minor" },
		{ "Device Minor: x\n", "its device file is not known: no Device Minor" },
	};
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct device *device;

		card_reset(tree);
		add_one(tree);
		card_set(tree, GPU_DIR "information", cases[i].text);
		device = scan_one(tree, NULL, &list);
		assert_string_equal(device->bdf, GPU_BDF);
		assert_int_equal(strncmp(device->fault, cases[i].fault, strlen(cases[i].fault)), 0);
	}
}

static void test_left_out(void **state)
{
	static const char PCI[] = "sys/devices/pci0000:16/" GPU_BDF "/sriov_numvfs";
	static const char LINK[] = "sys/devices/pci0000:16/" GPU_BDF "/driver";
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };

	scan(tree, NULL, &list);
	assert_int_equal(list.n, 0);
	gpu_add(tree, 0);
	gpu_set(tree, "GPU Excluded", "Yes");
	scan(tree, NULL, &list);
	assert_int_equal(list.n, 0);
	gpu_set(tree, "GPU Excluded", "No");
	(void)scan_one(tree, NULL, &list);

	tree_puts(tree, PCI, "4\n");
	scan(tree, NULL, &list);
	assert_int_equal(list.n, 0);
	tree_puts(tree, PCI, "0\n");
	(void)scan_one(tree, NULL, &list);

	tree_remove(tree, LINK);
	tree_link(tree, LINK, "../../../bus/pci/drivers/vfio-pci");
	scan(tree, NULL, &list);
	assert_int_equal(list.n, 0);

	/* Nothing tells of another driver where the bus is not shown. */
	tree_remove(tree, "sys");
	(void)scan_one(tree, NULL, &list);
}

static void test_other_entries(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };

	gpu_add(tree, 0);
	tree_puts(tree, "proc/driver/nvidia/gpus/file", "");
	tree_mkdir(tree, "proc/driver/nvidia/gpus/0");
	tree_mkdir(tree, "proc/driver/nvidia/gpus/0000:3C:00.0");
	tree_mkdir(tree, "proc/driver/nvidia/gpus/3c:00.0");
	tree_puts(tree, "proc/driver/nvidia/gpus/0000:3d:00.0", "");
	(void)scan_one(tree, NULL, &list);
}

static void test_nodes(void **state)
{
	static const struct {
		const char *remove;
		const char *add;
		const char *nodes;
		const char *fault;
	} cases[] = {
		{ NULL, "/dev/nvidia-uvm", GPU_NODES "/dev/nvidia-uvm * ", "" },
		{ NULL, "/dev/nvidia-modeset /dev/nvidia-uvm-tools /dev/nvidia-uvm",
		  GPU_NODES "/dev/nvidia-uvm * /dev/nvidia-uvm-tools * /dev/nvidia-modeset * ",
		  "" },
		{ "dev/nvidia0", "", GPU_NODES, "device node '/dev/nvidia0' is missing" },
		{ "dev/nvidiactl", "", GPU_NODES, "device node '/dev/nvidiactl' is missing" },
	};
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct device *device;

		card_reset(tree);
		add_one(tree);
		if (cases[i].remove)
			tree_remove(tree, cases[i].remove);
		card_add_nodes(tree, cases[i].add);
		device = scan_one(tree, NULL, &list);
		assert_nodes(device, cases[i].nodes);
		assert_string_equal(device->fault, cases[i].fault);
	}
}

static void test_partitions(void **state)
{
	_cleanup_(nvml_report_unrefp) struct nvml_report *report = gpu_report(1);
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	const struct device *device;

	gpu_add(tree, 0);
	gpu_add_instance(tree, 9, 0);
	gpu_add_instance(tree, 2, 0);
	gpu_add_instance(tree, 2, 1);
	gpu_report_add_mig(report, "MIG-c", "1g.18gb", 9, 0);
	gpu_report_add_mig(report, "MIG-b", "1c.2g.35gb", 2, 1);
	gpu_report_add_mig(report, "MIG-a", "1c.2g.35gb", 2, 0);
	gpu_report_add_link(report, GPU_BDF, NVML_LINK_SWITCH);
	device = scan_one(tree, report, &list);
	assert_string_equal(device->fault, "");
	assert_true(device->partitioned);
	assert_int_equal(device->cores, 3);
	assert_int_equal(device->n_partitions, 3);
	assert_string_equal(device->link_group, "");
	for (uint8_t i = 0; i < 3; i++) {
		const struct device_partition *partition = &device->partitions[i];
		const char id[] = { 'M', 'I', 'G', '-', (char)('a' + i), '\0' };

		assert_string_equal(partition->id, id);
		assert_string_equal(partition->profile, i < 2 ? "1c.2g.35gb" : "1g.18gb");
		assert_int_equal(partition->cores.first, i);
		assert_int_equal(partition->cores.last, i);
		assert_true(partition->memory_bytes == UINT64_C(16384) << 20);
	}
	assert_nodes(device, GPU_NODES "/dev/nvidia-caps/nvidia-cap20 0-0 "
				       "/dev/nvidia-caps/nvidia-cap21 0-0 "
				       "/dev/nvidia-caps/nvidia-cap20 1-1 "
				       "/dev/nvidia-caps/nvidia-cap22 1-1 "
				       "/dev/nvidia-caps/nvidia-cap90 2-2 "
				       "/dev/nvidia-caps/nvidia-cap91 2-2 ");
}

/* NVIDIA's runtime makes these files when it needs them. */
static void test_missing_cap_nodes(void **state)
{
	_cleanup_(nvml_report_unrefp) struct nvml_report *report = gpu_report(1);
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	const struct device *device;

	gpu_add(tree, 0);
	gpu_add_instance(tree, 7, 0);
	tree_remove(tree, "dev/nvidia-caps/nvidia-cap71");
	gpu_report_add_mig(report, GPU_MIG_UUID, "1g.18gb", 7, 0);
	device = scan_one(tree, report, &list);
	assert_string_equal(device->fault, "");
	assert_int_equal(device->n_partitions, 1);
	assert_nodes(device, GPU_NODES "/dev/nvidia-caps/nvidia-cap70 0-0 ");
	tree_remove(tree, "proc/driver/nvidia/capabilities");
	device = scan_one(tree, report, &list);
	assert_int_equal(device->n_partitions, 1);
	assert_nodes(device, GPU_NODES);
}

static void test_unfit_partitions(void **state)
{
	static const struct {
		const char *uuid;
		const char *profile;
		bool listed;
	} cases[] = {
		{ GPU_MIG_UUID, "1g.18gb", true },
		{ GPU_MIG_UUID, "1c.3g.71gb+me", true },
		{ "", "1g.18gb", false },
		{ "MIG-GPU-edfee158-11c1-52b8-0517-92f30e7fac88/1/0", "1g.18gb", false },
		{ "MIG-00000000/1/0", "1g.18gb", false },
		{ GPU_MIG_UUID, "", false },
		{ GPU_MIG_UUID, "1g 18gb", false },
		{ GPU_MIG_UUID, "1g.18gb+and+so+on+and+on", false },
		{ GPU_MIG_UUID "000000000", "1g.18gb", false },
	};
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };

	gpu_add(tree, 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nvml_report *report = gpu_report(1);
		const struct device *device;

		gpu_report_add_mig(report, cases[i].uuid, cases[i].profile, 7, 0);
		device = scan_one(tree, report, &list);
		assert_true(device->partitioned);
		assert_int_equal(device->n_partitions, cases[i].listed);
		assert_string_equal(device->fault,
				    cases[i].listed ? ""
						    : "MIG is on, and NVML does not tell the "
						      "partitions");
		gpu_report_add_mig(report, OTHER_MIG_UUID, "1g.18gb", 8, 0);
		device = scan_one(tree, report, &list);
		assert_int_equal(device->n_partitions, 1 + cases[i].listed);
		assert_string_equal(device->fault, "");
		nvml_report_unref(report);
	}
}

/* MIG is on by what files say, by what NVML says, or is not. */
static void test_partitioned(void **state)
{
	static const struct {
		uint64_t mig_mode; /* 2: there is no report */
		uint64_t mig_listed;
		bool instances;
		bool partitioned;
		bool fault;
	} cases[] = {
		{ 2, 0, false, false, false }, { 2, 0, true, true, true },
		{ 0, 0, false, false, false }, { NVML_UNKNOWN, 0, false, false, false },
		{ 1, 1, false, true, false },  { 1, 0, false, true, true },
		{ 0, 0, true, true, true },    { 1, 1, true, true, false },
	};
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nvml_report *report = gpu_report(1);
		const struct device *device;

		card_reset(tree);
		add_one(tree);
		if (cases[i].instances)
			gpu_add_instance(tree, 7, 0);
		report->gpus[0].mig_mode = cases[i].mig_mode;
		report->gpus[0].mig_listed = cases[i].mig_listed;
		device = scan_one(tree, cases[i].mig_mode == 2 ? NULL : report, &list);
		assert_int_equal(device->partitioned, cases[i].partitioned);
		assert_int_equal(device->fault[0] != '\0', cases[i].fault);
		assert_int_equal(device->n_partitions, 0);
		nvml_report_unref(report);
	}
}

/* --- probe --- */

static void test_probe(void **state)
{
	static const struct card_probe_case cases[] = {
		{ { "proc/driver/nvidia/gpus/" GPU_BDF, NULL },
		  -ENODEV,
		  "gone from /proc/driver/nvidia/gpus" },
		{ { GPU_DIR "information", NULL }, -ENOENT, "information cannot be read: " },
		{ { GPU_DIR "information", "GPU UUID: GPU-1\n" },
		  -ENODEV,
		  "GPU UUID is 'GPU-1', expected '" GPU_UUID "'" },
		{ { GPU_DIR "information", "Device Minor: 4\n" },
		  -ENODEV,
		  "Device Minor is 4, expected 0" },
		{ { "sys/devices/pci0000:16/" GPU_BDF "/config", "\xff\xff\xff\xff" },
		  -EIO,
		  "PCI device '" GPU_BDF "' does not answer" },
		/* What is not known speaks against nothing. */
		{ { GPU_DIR "information", "GPU UUID: GPU-\?\?\?\?\n" }, 0, "" },
		{ { "sys", NULL }, 0, "" },
	};

	card_check_probe(*state, &nvidia_driver, add_one, cases, ARRAY_SIZE(cases));
}

/* While NVML speaks of a GPU, the kernel driver is not asked, which might take long. */
static void test_probe_by_report(void **state)
{
	_cleanup_(nvml_report_unrefp) struct nvml_report *report = gpu_report(1);
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	const struct device *device;
	struct error err = { 0 };

	gpu_add(tree, 0);
	device = scan_one(tree, report, &list);
	report->taken_ms = NOW_MS;
	tree_remove(tree, GPU_DIR "information");
	assert_int_equal(nvidia_probe_with(&tree->host, report, device, NOW_MS, NULL), 0);
	assert_int_equal(
		nvidia_probe_with(&tree->host, report, device, NOW_MS + NVIDIA_READINGS_MS, NULL),
		-ENOENT);
	assert_int_equal(nvidia_probe_with(&tree->host, NULL, device, NOW_MS, NULL), -ENOENT);

	report->gpus[0].recovery_action = NVML_RECOVERY_RESET_GPU;
	assert_int_equal(nvidia_probe_with(&tree->host, report, device, NOW_MS, &err), -EIO);
	assert_string_equal(err.msg, "NVML asks to reset the GPU (nvidia-smi --gpu-reset)");
	report->gpus[0].recovery_action = NVML_RECOVERY_NONE;
	assert_int_equal(nvidia_probe_with(&tree->host, report, device, NOW_MS, NULL), 0);

	tree_remove(tree, "proc/driver/nvidia/gpus/" GPU_BDF);
	assert_int_equal(nvidia_probe_with(&tree->host, report, device, NOW_MS, NULL), -ENODEV);
}

static void test_measure(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	struct device_readings readings = { 0 };
	const struct device *device;

	gpu_add(tree, 0);
	device = scan_one(tree, NULL, &list);
	assert_int_equal(nvidia_driver.measure(&tree->host, device, &readings, NULL), 0);
	assert_true(readings.temperature_celsius < 0 && readings.power_watts < 0);
	tree_remove(tree, "proc");
	assert_int_equal(nvidia_driver.measure(&tree->host, device, &readings, NULL), -ENODEV);
}

/* The driver may be loaded again and give its GPUs other numbers. */
static void test_renumbered(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	const struct device *device;

	gpu_add(tree, 0);
	gpu_set(tree, "Device Minor", "5");
	card_add_nodes(tree, "/dev/nvidia5");
	device = scan_one(tree, NULL, &list);
	assert_string_equal(device->name, "nvidia5");
	assert_int_equal(device->index, 5);
	assert_string_equal(device->uuid, GPU_UUID);
	assert_nodes(device, "/dev/nvidia5 * /dev/nvidiactl * ");
}

static void test_descriptors(void **state)
{
	gpu_add(*state, 0);
	gpu_add_instance(*state, 7, 0);
	card_check_descriptors(*state, &nvidia_driver);
}

/* This program cannot be the process for NVML, and so none is started. */
static void test_ask(void **state)
{
	struct tree *tree = *state;

	gpu_add(tree, 0);
	assert_int_equal(nvidia_driver.ask(&tree->host, 0, NULL), 0);
	assert_null(tree->host.nvml);
	assert_int_equal(nvidia_driver.answer(&tree->host), 0);
}

#define TEST(function) TREE_TEST(function)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_facts),
		TEST(test_facts_of_nvml),
		TEST(test_uninitialised),
		TEST(test_other_card),
		TEST(test_unfit_facts),
		TEST(test_unreadable),
		TEST(test_left_out),
		TEST(test_other_entries),
		TEST(test_nodes),
		TEST(test_partitions),
		TEST(test_missing_cap_nodes),
		TEST(test_unfit_partitions),
		TEST(test_partitioned),
		TEST(test_probe),
		TEST(test_probe_by_report),
		TEST(test_measure),
		TEST(test_renumbered),
		TEST(test_descriptors),
		TEST(test_ask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
