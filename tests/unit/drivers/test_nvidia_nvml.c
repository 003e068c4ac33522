/* SPDX-License-Identifier: Apache-2.0 */
/* What reports mean, without a tree and without a process. */
#include "drivers/nvidia_nvml.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "drivers/driver.h"
#include "tests/test.h"
#include "tests/unit/drivers/gpu.h"

#define NOW_MS (UINT64_C(100) * 60 * 1000)

static struct device *new_device(void)
{
	struct device *device = device_new(&nvidia_driver);

	assert_non_null(device);
	(void)snprintf(device->bdf, sizeof(device->bdf), "%s", GPU_BDF);
	(void)snprintf(device->uuid, sizeof(device->uuid), "%s", GPU_UUID);
	return device;
}

static void assert_near(double value, double expected)
{
	assert_true(value > expected - 1e-9 && value < expected + 1e-9);
}

static void test_find(void **state)
{
	_cleanup_(nvml_report_unrefp) struct nvml_report *report = gpu_report(2);
	_cleanup_(device_cleanupp) struct device *device = new_device();

	(void)state;
	assert_ptr_equal(nvidia_find_gpu(report, device), &report->gpus[0]);
	assert_null(nvidia_find_gpu(NULL, device));
	device->uuid[10] = '9';
	assert_null(nvidia_find_gpu(report, device));
	device->uuid[0] = '\0';
	assert_ptr_equal(nvidia_find_gpu(report, device), &report->gpus[0]);
	device->bdf[6] = '0';
	assert_null(nvidia_find_gpu(report, device));
}

static void test_architecture(void **state)
{
	static const struct {
		uint64_t major;
		uint64_t minor;
		const char *name;
	} cases[] = {
		{ 3, 7, "kepler" },	 { 5, 2, "maxwell" },	  { 6, 1, "pascal" },
		{ 7, 0, "volta" },	 { 7, 2, "volta" },	  { 7, 5, "turing" },
		{ 8, 0, "ampere" },	 { 8, 6, "ampere" },	  { 8, 9, "ada-lovelace" },
		{ 9, 0, "hopper" },	 { 10, 3, "blackwell" },  { 12, 0, "blackwell" },
		{ 11, 0, "" },		 { 13, 0, "" },		  { 0, 0, "" },
		{ NVML_UNKNOWN, 0, "" }, { 9, NVML_UNKNOWN, "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct nvml_gpu gpu = { .compute_major = cases[i].major,
					      .compute_minor = cases[i].minor };

		assert_string_equal(nvidia_architecture(&gpu), cases[i].name);
	}
}

static void assert_fact(const struct device *device, const char *name, const char *want)
{
	const char *value = device_fact(device, name);

	if ((value == NULL) != (want == NULL) || (value && strcmp(value, want) != 0))
		fail_msg("'%s' is '%s'", name, value ? value : "(none)");
}

static void test_label_facts(void **state)
{
	static const struct {
		uint64_t major, minor, cuda, mig_mode;
		const char *facts[4]; /* in the order of names */
	} cases[] = {
		{ 9, 0, 12040, 0, { "9", "0", "12.4", "true" } },
		{ 8, 9, 13000, 1, { "8", "9", "13.0", "true" } },
		{ 7, 5, 11080, NVML_UNKNOWN, { "7", "5", "11.8", "false" } },
		{ NVML_UNKNOWN, NVML_UNKNOWN, NVML_UNKNOWN, 0, { NULL, NULL, NULL, "true" } },
		{ 9, 0, 999, 0, { "9", "0", NULL, "true" } },
	};
	static const char *const names[] = { "compute.major", "compute.minor", "cuda.version",
					     "mig.capable" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(nvml_report_unrefp) struct nvml_report *report = gpu_report(1);
		_cleanup_(device_cleanupp) struct device *device = new_device();

		report->cuda_version = cases[i].cuda;
		report->gpus[0].compute_major = cases[i].major;
		report->gpus[0].compute_minor = cases[i].minor;
		report->gpus[0].mig_mode = cases[i].mig_mode;
		assert_int_equal(nvidia_set_facts(report, &report->gpus[0], device), 0);
		for (size_t j = 0; j < ARRAY_SIZE(names); j++)
			assert_fact(device, names[j], cases[i].facts[j]);
	}
}

/* As many MIG devices as there can be, one of which does not tell. */
static void test_label_facts_of_profiles(void **state)
{
	static const struct {
		const char *profile;
		uint64_t multiprocessors;
	} kinds[] = { { "1g.18gb", 16 }, { "2g.35gb", 32 }, { "3g.71gb", NVML_UNKNOWN } };
	_cleanup_(nvml_report_unrefp) struct nvml_report *report = gpu_report(1);
	_cleanup_(device_cleanupp) struct device *device = new_device();

	(void)state;
	for (unsigned int i = 0; i < NVML_MIGS_MAX; i++) {
		size_t kind = i % ARRAY_SIZE(kinds);

		gpu_report_add_mig(report, "MIG-x", kinds[kind].profile, i, 0);
		report->migs[i].multiprocessors = kinds[kind].multiprocessors;
	}
	device->partitioned = true;
	assert_int_equal(nvidia_set_facts(report, &report->gpus[0], device), 0);
	assert_fact(device, "1g.18gb.multiprocessors", "16");
	assert_fact(device, "2g.35gb.multiprocessors", "32");
	assert_fact(device, "3g.71gb.multiprocessors", NULL);
	assert_fact(device, "mig.capable", "true");
}

/* Links of each GPU: to GPU 0 to 5, to a switch "A" or "B"; and the groups then. */
static void test_link_groups(void **state)
{
	static const struct {
		const char *links[6]; /* of each GPU; NULL ends */
		const char *groups;   /* number of the first of each group, '-' for none */
	} cases[] = {
		{ { "", "", NULL }, "--" },
		{ { "1", "0", NULL }, "00" },
		{ { "1", "", NULL }, "00" },  /* told by one end only */
		{ { "9", "8", NULL }, "--" }, /* to what is not in the report */
		{ { "0", "", NULL }, "--" },  /* to itself */
		{ { "A", "A", "A", NULL }, "000" },
		{ { "A", "B", "A", "B", NULL }, "0101" },
		{ { "1", "02", "13", "2", NULL }, "0000" }, /* a chain */
		{ { "3", "2", "1", "0", "", NULL }, "0110-" },
		{ { "A", "AB", "B", NULL }, "000" },
		{ { "a", "a", NULL }, "--" }, /* something else that is not a switch */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nvml_report *report = gpu_report(0);

		for (unsigned int j = 0; cases[i].links[j]; j++) {
			struct nvml_report *one = gpu_report(j + 1);

			assert_int_equal(nvml_report_add_gpu(report, &one->gpus[j]), 0);
			nvml_report_unref(one);
			for (const char *c = cases[i].links[j]; *c; c++) {
				char bdf[DEVICE_BDF_MAX];
				bool gpu = *c >= '0' && *c <= '9';

				(void)snprintf(bdf, sizeof(bdf), "0000:%02x:00.0",
					       gpu ? 0x3b + (unsigned int)(*c - '0')
						   : (unsigned int)(*c & 0x7f));
				gpu_report_add_link(report, bdf,
						    gpu		? NVML_LINK_GPU
						    : *c == 'a' ? (enum nvml_link_type)1
								: NVML_LINK_SWITCH);
			}
		}
		for (size_t j = 0; j < report->n_gpus; j++) {
			char expected[DEVICE_LINK_GROUP_MAX] = "";
			char group[DEVICE_LINK_GROUP_MAX] = "before";
			char first = cases[i].groups[j];

			if (first != '-')
				(void)snprintf(expected, sizeof(expected), "nvlink-0000:%02x:00.0",
					       0x3b + (unsigned int)(first - '0'));
			nvidia_link_group(report, report->gpus[j].bdf, group);
			assert_string_equal(group, expected);
		}
		nvml_report_unref(report);
	}
}

static void test_most_links(void **state)
{
	_cleanup_(nvml_report_unrefp) struct nvml_report *report = nvml_report_new();
	char group[DEVICE_LINK_GROUP_MAX] = "";

	(void)state;
	for (unsigned int i = 0; i < NVML_GPUS_MAX; i++) {
		struct nvml_gpu gpu = { 0 };

		(void)snprintf(gpu.bdf, sizeof(gpu.bdf), "0000:%02x:00.0", i);
		assert_int_equal(nvml_report_add_gpu(report, &gpu), 0);
		for (unsigned int j = 0; j < NVML_LINKS_MAX; j++) {
			char bdf[DEVICE_BDF_MAX];

			(void)snprintf(bdf, sizeof(bdf), "%04x:%02x:00.0", i + 1, j);
			gpu_report_add_link(report, bdf, NVML_LINK_SWITCH);
		}
	}
	nvidia_link_group(report, report->gpus[0].bdf, group);
	assert_string_equal(group, "");
	(void)snprintf(group, sizeof(group), "before");
	nvidia_link_group(report, "0000:ff:00.0", group);
	assert_string_equal(group, "");
}

static void test_judge_report(void **state)
{
	static const struct {
		uint64_t action;
		uint64_t age_ms;
		int expected;
		const char *reason;
	} cases[] = {
		{ NVML_RECOVERY_NONE, 0, 0, "" },
		{ NVML_UNKNOWN, 0, 0, "" },
		{ NVML_RECOVERY_RESET_GPU, 0, -EIO,
		  "NVML asks to reset the GPU (nvidia-smi --gpu-reset)" },
		{ NVML_RECOVERY_REBOOT_NODE, 0, -EIO, "NVML asks to reboot the node" },
		{ NVML_RECOVERY_REBOOT_SYSTEM, 0, -EIO, "NVML asks to reboot the system" },
		{ 8, 0, -EIO, "NVML asks for recovery action 8" },
		/* it is not held against a GPU for ever that NVML has said so once */
		{ NVML_RECOVERY_RESET_GPU, NVIDIA_FAULT_MS - 1, -EIO, "NVML asks to reset" },
		{ NVML_RECOVERY_RESET_GPU, NVIDIA_FAULT_MS, 0, "" },
	};
	_cleanup_(device_cleanupp) struct device *device = new_device();
	_cleanup_(nvml_report_unrefp) struct nvml_report *report = gpu_report(2);

	(void)state;
	assert_int_equal(nvidia_judge_report(NULL, device, NOW_MS, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = { 0 };

		report->gpus[0].recovery_action = cases[i].action;
		report->taken_ms = NOW_MS - cases[i].age_ms;
		assert_int_equal(nvidia_judge_report(report, device, NOW_MS, &err),
				 cases[i].expected);
		assert_int_equal(strncmp(err.msg, cases[i].reason, strlen(cases[i].reason)), 0);
		assert_int_equal(err.code, -cases[i].expected);
	}
}

/* A GPU that is not in a report is lost only if the report says that one is. */
static void test_judge_lost(void **state)
{
	_cleanup_(device_cleanupp) struct device *device = new_device();
	_cleanup_(nvml_report_unrefp) struct nvml_report *report = gpu_report(2);
	struct error err = { 0 };

	(void)state;
	report->taken_ms = NOW_MS;
	report->lost = 1;
	assert_int_equal(nvidia_judge_report(report, device, NOW_MS, NULL), 0);
	device->bdf[6] = '0';
	assert_int_equal(nvidia_judge_report(report, device, NOW_MS, &err), -ENODEV);
	assert_string_equal(err.msg, "NVML has lost the GPU");
	assert_int_equal(nvidia_judge_report(report, device, NOW_MS + NVIDIA_FAULT_MS, NULL), 0);
	report->lost = 0;
	assert_int_equal(nvidia_judge_report(report, device, NOW_MS, NULL), 0);
}

static void test_judge_xid(void **state)
{
	static const struct {
		const char *what;
		uint64_t action;
		uint64_t fault_age_ms;
		uint64_t report_age_ms;
		int expected;
	} cases[] = {
		{ "just now", NVML_RECOVERY_NONE, 0, 0, -EIO },
		{ "not settled", NVML_RECOVERY_NONE, NVIDIA_SETTLE_MS - 1, 0, -EIO },
		{ "nothing to recover", NVML_RECOVERY_NONE, NVIDIA_SETTLE_MS, 0, 0 },
		{ "a report of before", NVML_RECOVERY_NONE, 60000, 60001, -EIO },
		{ "NVML is silent since", NVML_RECOVERY_NONE, 60000, 55000, -EIO },
		{ "needs a reset", NVML_RECOVERY_RESET_GPU, 60000, 0, -EIO },
		{ "cannot tell", NVML_UNKNOWN, NVIDIA_FAULT_MS - 1, 0, -EIO },
		{ "cannot tell, long ago", NVML_UNKNOWN, NVIDIA_FAULT_MS, 0, 0 },
		{ "silent, long ago", NVML_RECOVERY_NONE, NVIDIA_FAULT_MS, NVIDIA_FAULT_MS, 0 },
	};
	_cleanup_(device_cleanupp) struct device *device = new_device();
	_cleanup_(nvml_report_unrefp) struct nvml_report *report = gpu_report(1);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct nvml_xid xid = { .bdf = GPU_BDF,
					      .gpu_instance = NVML_UNKNOWN,
					      .xid = 79,
					      .count = 1,
					      .last_ms = NOW_MS - cases[i].fault_age_ms };
		struct error err = { 0 };
		int r;

		report->gpus[0].recovery_action = cases[i].action;
		report->taken_ms = NOW_MS - cases[i].report_age_ms;
		r = nvidia_judge_xid(&xid, report, device, NOW_MS, &err);
		if (r != cases[i].expected)
			fail_msg("%s: %d", cases[i].what, r);
		assert_string_equal(err.msg, r < 0 ? "XID 79, reported 1 time" : "");
	}
}

static void test_judge_xid_without_report(void **state)
{
	_cleanup_(device_cleanupp) struct device *device = new_device();
	const struct nvml_xid xid = {
		.bdf = GPU_BDF, .gpu_instance = 7, .xid = 94, .count = 3, .last_ms = NOW_MS
	};
	struct error err = { 0 };

	(void)state;
	assert_int_equal(nvidia_judge_xid(&xid, NULL, device, NOW_MS + 1, &err), -EIO);
	assert_string_equal(err.msg, "XID 94 in GPU instance 7, reported 3 times");
	assert_int_equal(nvidia_judge_xid(&xid, NULL, device, NOW_MS + NVIDIA_FAULT_MS, NULL), 0);
}

static void test_readings(void **state)
{
	_cleanup_(device_cleanupp) struct device *device = new_device();
	_cleanup_(nvml_report_unrefp) struct nvml_report *report = gpu_report(1);
	struct device_readings readings;

	(void)state;
	report->taken_ms = NOW_MS;
	readings = nvidia_readings(report, device, NOW_MS + NVIDIA_READINGS_MS - 1);
	assert_near(readings.temperature_celsius, 42);
	assert_near(readings.power_watts, 123.456);
	assert_near(readings.utilization_ratio, 0.37);
	assert_near(readings.memory_used_bytes, 1 << 20);

	report->gpus[0].utilization_percent = NVML_UNKNOWN;
	readings = nvidia_readings(report, device, NOW_MS);
	assert_true(readings.utilization_ratio < 0);
	assert_near(readings.temperature_celsius, 42);

	readings = nvidia_readings(report, device, NOW_MS + NVIDIA_READINGS_MS);
	assert_true(readings.temperature_celsius < 0 && readings.memory_used_bytes < 0);
	readings = nvidia_readings(NULL, device, NOW_MS);
	assert_true(readings.power_watts < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_architecture),
		cmocka_unit_test(test_label_facts),
		cmocka_unit_test(test_label_facts_of_profiles),
		cmocka_unit_test(test_link_groups),
		cmocka_unit_test(test_most_links),
		cmocka_unit_test(test_judge_report),
		cmocka_unit_test(test_judge_lost),
		cmocka_unit_test(test_judge_xid),
		cmocka_unit_test(test_judge_xid_without_report),
		cmocka_unit_test(test_readings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
