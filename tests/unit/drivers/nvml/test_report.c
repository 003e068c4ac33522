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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_maxima),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_xids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
