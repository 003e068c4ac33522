/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/nvml/report.h"

#include <errno.h>
#include <stdio.h>

#include "tests/test.h"

static void test_parts(void **state)
{
	_cleanup_(nvml_report_unrefp) struct nvml_report *report = nvml_report_new();
	struct nvml_gpu gpu = { .bdf = "0000:3b:00.0", .n_migs = 9, .first_link = 9 };
	const struct nvml_mig migs[] = { { .gpu_instance = 1 }, { .gpu_instance = 2 } };
	const struct nvml_link link = { .bdf = "0000:a0:00.0", .count = 1 };

	(void)state;
	assert_non_null(report);
	assert_int_equal(nvml_report_add_gpu(report, &gpu), 0);
	assert_int_equal(nvml_report_add_mig(report, &migs[0]), 0);
	assert_int_equal(nvml_report_add_mig(report, &migs[1]), 0);
	(void)snprintf(gpu.bdf, sizeof(gpu.bdf), "0000:5d:00.0");
	assert_int_equal(nvml_report_add_gpu(report, &gpu), 0);
	assert_int_equal(nvml_report_add_mig(report, &migs[0]), 0);
	assert_int_equal(nvml_report_add_link(report, &link), 0);

	assert_int_equal(report->n_gpus, 2);
	assert_int_equal(report->gpus[0].n_migs, 2);
	assert_int_equal(report->gpus[0].n_links, 0);
	assert_int_equal(report->gpus[1].first_mig, 2);
	assert_int_equal(report->gpus[1].n_migs, 1);
	assert_int_equal(report->gpus[1].first_link, 0);
	assert_int_equal(report->gpus[1].n_links, 1);
	assert_int_equal(report->migs[1].gpu_instance, 2);

	assert_ptr_equal(nvml_report_find(report, "0000:5d:00.0"), &report->gpus[1]);
	assert_null(nvml_report_find(report, "0000:5d:00.1"));
}

static void test_maxima(void **state)
{
	_cleanup_(nvml_report_unrefp) struct nvml_report *report = nvml_report_new();
	const struct nvml_gpu gpu = { 0 };
	const struct nvml_mig mig = { 0 };
	const struct nvml_link link = { 0 };

	(void)state;
	for (int i = 0; i < NVML_GPUS_MAX; i++)
		assert_int_equal(nvml_report_add_gpu(report, &gpu), 0);
	assert_int_equal(nvml_report_add_gpu(report, &gpu), -E2BIG);
	for (int i = 0; i < NVML_MIGS_MAX; i++)
		assert_int_equal(nvml_report_add_mig(report, &mig), 0);
	assert_int_equal(nvml_report_add_mig(report, &mig), -E2BIG);
	for (int i = 0; i < NVML_LINKS_MAX; i++)
		assert_int_equal(nvml_report_add_link(report, &link), 0);
	assert_int_equal(nvml_report_add_link(report, &link), -E2BIG);
}

static void test_references(void **state)
{
	struct nvml_report *report = nvml_report_new();

	(void)state;
	assert_ptr_equal(nvml_report_ref(report), report);
	nvml_report_unref(report);
	assert_int_equal(report->refs, 1);
	nvml_report_unref(report);
	nvml_report_unref(NULL);
}

static void test_xids(void **state)
{
	static const struct {
		uint64_t xid;
		bool application;
	} cases[] = {
		{ 13, true },
		{ 31, true },
		{ 43, true },
		{ 45, true },
		{ 68, true },
		{ 109, true },
		{ 48, false },
		{ 79, false },
		{ 94, false },
		{ 0, false },
		{ NVML_UNKNOWN, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(nvml_xid_is_application(cases[i].xid), cases[i].application);
}

/* A report with two of each, so that the last of a list counts too. */
static struct nvml_report *full_report(void)
{
	struct nvml_report *report = nvml_report_new();

	assert_non_null(report);
	for (unsigned int i = 0; i < 2; i++) {
		struct nvml_gpu gpu = { .minor = i, .memory_bytes = 1 << 30 };
		struct nvml_mig mig = { .gpu_instance = i };
		struct nvml_link link = { .type = NVML_LINK_GPU, .count = 1 };

		(void)snprintf(gpu.bdf, sizeof(gpu.bdf), "0000:3%x:00.0", i);
		assert_int_equal(nvml_report_add_gpu(report, &gpu), 0);
		assert_int_equal(nvml_report_add_mig(report, &mig), 0);
		assert_int_equal(nvml_report_add_link(report, &link), 0);
	}
	return report;
}

static void change_driver(struct nvml_report *report)
{
	report->driver_version[0] = '5';
}

static void change_gpu(struct nvml_report *report)
{
	report->gpus[1].mig_mode = 1;
}

static void change_memory(struct nvml_report *report)
{
	report->gpus[1].memory_bytes = 2;
}

static void change_mig(struct nvml_report *report)
{
	report->migs[1].uuid[0] = 'M';
}

static void change_multiprocessors(struct nvml_report *report)
{
	report->migs[1].multiprocessors = 16;
}

static void change_link(struct nvml_report *report)
{
	report->links[1].count = 2;
}

static void add_gpu(struct nvml_report *report)
{
	const struct nvml_gpu gpu = { 0 };

	assert_int_equal(nvml_report_add_gpu(report, &gpu), 0);
}

static void change_load(struct nvml_report *report)
{
	report->gpus[1].temperature_celsius = 80;
	report->gpus[1].memory_used_bytes = 7;
	report->migs[1].memory_used_bytes = 7;
}

static void change_health(struct nvml_report *report)
{
	report->lost = 1;
	report->gpus[1].recovery_action = NVML_RECOVERY_RESET_GPU;
	report->gpus[1].ecc_uncorrected = 1;
}

static void test_same_facts(void **state)
{
	static const struct {
		void (*change)(struct nvml_report *report);
		bool same;
	} cases[] = {
		{ change_driver, false },
		{ change_gpu, false },
		{ change_memory, false },
		{ change_mig, false },
		{ change_multiprocessors, false },
		{ change_link, false },
		{ add_gpu, false },
		{ change_load, true },
		{ change_health, true },
	};
	struct nvml_report *before = full_report();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nvml_report *after = full_report();

		assert_true(nvml_report_same_facts(before, after));
		cases[i].change(after);
		assert_int_equal(nvml_report_same_facts(before, after), cases[i].same);
		assert_int_equal(nvml_report_same_facts(after, before), cases[i].same);
		nvml_report_unref(after);
	}
	nvml_report_unref(before);
}

static void test_wants_reset(void **state)
{
	static const struct {
		uint64_t action;
		bool wants;
	} cases[] = {
		{ NVML_RECOVERY_NONE, false },
		{ NVML_RECOVERY_RESET_GPU, true },
		{ NVML_RECOVERY_REBOOT_NODE, false },
		{ NVML_RECOVERY_DRAIN_P2P, false },
		{ NVML_RECOVERY_DRAIN_AND_RESET, true },
		{ NVML_RECOVERY_IMEX_DOMAIN, false },
		{ NVML_RECOVERY_RESET_BUS, true },
		{ NVML_RECOVERY_REBOOT_SYSTEM, false },
		{ 8, false },
		{ NVML_UNKNOWN, false },
	};
	struct nvml_report *report = full_report();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		report->gpus[1].recovery_action = cases[i].action;
		assert_int_equal(nvml_report_wants_reset(report), cases[i].wants);
	}
	nvml_report_unref(report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts),	   cmocka_unit_test(test_maxima),
		cmocka_unit_test(test_references), cmocka_unit_test(test_xids),
		cmocka_unit_test(test_same_facts), cmocka_unit_test(test_wants_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
