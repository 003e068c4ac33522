/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/nvml/query.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "tests/test.h"

#define MIB (UINT64_C(1) << 20)

/* Memory sizes are those that the cards tell. */
static void test_profile(void **state)
{
	static const struct {
		const char *name;
		struct nvml_attributes attributes;
		uint64_t gpu_mib;
		const char *profile;
	} cases[] = {
		{ "NVIDIA H200 MIG 1g.18gb", { 0 }, 0, "1g.18gb" },
		{ "NVIDIA H200 MIG 1c.3g.71gb", { 0 }, 0, "1c.3g.71gb" },
		{ "NVIDIA H100 MIG 1g.10gb+me", { 0 }, 0, "1g.10gb+me" },
		{ "NVIDIA A100 MIG 1g.5gb, which goes on and on and on", { 0 }, 0, "" },
		/* A name without it: from the parts. */
		{ "",
		  { .gpu_instance_slices = 1, .compute_instance_slices = 1, .memory_mib = 16384 },
		  143771,
		  "1g.18gb" },
		{ "",
		  { .gpu_instance_slices = 3, .compute_instance_slices = 3, .memory_mib = 71424 },
		  143771,
		  "3g.71gb" },
		{ "",
		  { .gpu_instance_slices = 1, .compute_instance_slices = 1, .memory_mib = 4864 },
		  40960,
		  "1g.5gb" },
		{ "",
		  { .gpu_instance_slices = 3, .compute_instance_slices = 1, .memory_mib = 20096 },
		  40960,
		  "1c.3g.20gb" },
		{ "",
		  { .gpu_instance_slices = 1, .compute_instance_slices = 1, .memory_mib = 19968 },
		  81559,
		  "1g.20gb" },
		/* Parts that cannot be. */
		{ "", { 0 }, 143771, "" },
		{ "", { .gpu_instance_slices = 1, .memory_mib = 16384 }, 143771, "" },
		{ "", { .gpu_instance_slices = 1, .compute_instance_slices = 1 }, 143771, "" },
		{ "",
		  { .gpu_instance_slices = 1, .compute_instance_slices = 1, .memory_mib = 16384 },
		  0,
		  "" },
		{ "",
		  { .gpu_instance_slices = 1, .compute_instance_slices = 1, .memory_mib = 16384 },
		  16383,
		  "" },
		{ "",
		  { .gpu_instance_slices = UINT_MAX,
		    .compute_instance_slices = UINT_MAX,
		    .memory_mib = ULLONG_MAX },
		  143771,
		  "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char profile[NVML_PROFILE_MAX];

		nvml_mig_profile(cases[i].name, &cases[i].attributes, cases[i].gpu_mib * MIB,
				 profile);
		assert_string_equal(profile, cases[i].profile);
	}
}

static void test_profile_unknown_memory(void **state)
{
	const struct nvml_attributes attributes = { .gpu_instance_slices = 1,
						    .compute_instance_slices = 1,
						    .memory_mib = ULLONG_MAX };
	char profile[NVML_PROFILE_MAX];

	(void)state;
	nvml_mig_profile("", &attributes, NVML_UNKNOWN, profile);
	assert_string_equal(profile, "");
}

/* A library that has nothing leaves everything unknown. */
static void test_nothing(void **state)
{
	const struct nvml_library library = { 0 };
	struct nvml_report report = { 0 };
	struct nvml_links links = { .n = 1 };
	struct nvml_gpu gpu;
	struct nvml_mig mig;

	(void)state;
	nvml_query_versions(&library, &report);
	assert_string_equal(report.driver_version, "");
	assert_true(report.cuda_version == NVML_UNKNOWN);
	nvml_query_gpu(&library, NULL, &gpu);
	assert_string_equal(gpu.uuid, "");
	assert_string_equal(gpu.bdf, "");
	assert_true(gpu.minor == NVML_UNKNOWN && gpu.memory_bytes == NVML_UNKNOWN);
	assert_true(gpu.mig_mode == NVML_UNKNOWN && gpu.temperature_celsius == NVML_UNKNOWN);
	nvml_query_mig(&library, NULL, &gpu, &mig);
	assert_string_equal(mig.profile, "");
	assert_true(mig.gpu_instance == NVML_UNKNOWN && mig.memory_bytes == NVML_UNKNOWN);
	nvml_query_links(&library, NULL, &links);
	assert_int_equal(links.n, 0);
}

static int every_link_active(_unused_ struct nvml_handle *device, _unused_ unsigned int link,
			     unsigned int *active)
{
	*active = 1;
	return NVML_SUCCESS;
}

static int one_remote_each(_unused_ struct nvml_handle *device, unsigned int link,
			   struct nvml_pci_info *info)
{
	(void)snprintf(info->bus_id, sizeof(info->bus_id), "00000000:%02X:00.0", link);
	return NVML_SUCCESS;
}

/* Links without an end, and as many other ends as there can be. */
static void test_links_endless(void **state)
{
	const struct nvml_library library = { .link_state = every_link_active,
					      .link_remote = one_remote_each };
	struct nvml_links links;

	(void)state;
	nvml_query_links(&library, NULL, &links);
	assert_int_equal(links.n, NVML_LINKS_MAX);
	assert_string_equal(links.links[0x3f].bdf, "0000:3f:00.0");
	assert_int_equal(links.links[0x3f].count, 1);
	assert_true(links.links[0x3f].type == NVML_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_profile),
		cmocka_unit_test(test_profile_unknown_memory),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_links_endless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
