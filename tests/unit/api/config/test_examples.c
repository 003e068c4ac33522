/* SPDX-License-Identifier: Apache-2.0 */
/* The configurations of other plugins, translated by hand, as docs/migrating.md shows them. */
#include "tests/test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/config/config.h"

static const struct {
	const char *file;
	const char *name; /* of the first resource */
	size_t n_resources, n_exclude, n_notes;
	enum config_unit unit;
	uint32_t cores, shares;
	bool mps;
} examples[] = {
	{ "amd-mixed.yaml", "amd.com/gpu", .unit = CONFIG_UNIT_WHOLE, .n_resources = 2 },
	{ "furiosa-2025.1-pasted.yaml", "furiosa.ai/{product}-4core.24gb",
	  .unit = CONFIG_UNIT_PARTITION, .cores = 4, .n_resources = 14, .n_exclude = 1,
	  .n_notes = 3 },
	{ "furiosa-2025.1.yaml", "furiosa.ai/rngd-4core.24gb", .unit = CONFIG_UNIT_PARTITION,
	  .cores = 4, .n_resources = 1 },
	{ "furiosa-2025.3-pasted.yaml", "furiosa.ai/{product}-2core.12gb",
	  .unit = CONFIG_UNIT_PARTITION, .cores = 2, .n_resources = 15, .n_exclude = 1,
	  .n_notes = 3 },
	{ "furiosa-2025.3.yaml", "furiosa.ai/{product}-2core.12gb", .unit = CONFIG_UNIT_PARTITION,
	  .cores = 2, .n_resources = 1, .n_exclude = 1 },
	{ "furiosa-2026.1.yaml", "furiosa.ai/{product}", .unit = CONFIG_UNIT_WHOLE,
	  .n_resources = 1 },
	{ "intel-shared.yaml", "gpu.intel.com/{architecture}", .unit = CONFIG_UNIT_SHARE,
	  .shares = 10, .n_resources = 1 },
	{ "nvidia-mig-mixed-time-slicing.yaml", "nvidia.com/gpu", .unit = CONFIG_UNIT_SHARE,
	  .shares = 2, .n_resources = 3 },
	{ "nvidia-mig-mixed.yaml", "nvidia.com/gpu", .unit = CONFIG_UNIT_WHOLE, .n_resources = 2 },
	{ "nvidia-mig-single.yaml", "nvidia.com/gpu", .unit = CONFIG_UNIT_PARTITION,
	  .n_resources = 1 },
	{ "nvidia-mps.yaml", "nvidia.com/gpu", .unit = CONFIG_UNIT_SHARE, .shares = 10,
	  .n_resources = 1, .mps = true },
	{ "nvidia-per-node.yaml", "nvidia.com/gpu", .unit = CONFIG_UNIT_SHARE, .shares = 4,
	  .n_resources = 2 },
	{ "nvidia-time-slicing-renamed.yaml", "nvidia.com/gpu.shared", .unit = CONFIG_UNIT_SHARE,
	  .shares = 4, .n_resources = 1 },
	{ "nvidia-time-slicing.yaml", "nvidia.com/gpu", .unit = CONFIG_UNIT_SHARE, .shares = 10,
	  .n_resources = 1 },
};

static void load(const char *file, struct config *ret)
{
	struct error err = { 0 };
	char path[512];

	(void)snprintf(path, sizeof(path), EXAMPLES "/%s", file);
	if (config_load(path, ret, &err) != 0)
		fail_msg("%s", err.msg);
}

static void reads_every_example(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		_cleanup_config_ struct config config = { 0 };
		const struct config_resource *resource;

		load(examples[i].file, &config);
		assert_int_equal(config.n_resources, examples[i].n_resources);
		assert_int_equal(config.n_exclude, examples[i].n_exclude);
		assert_int_equal(config.n_notes, examples[i].n_notes);
		resource = &config.resources[0];
		assert_string_equal(resource->name, examples[i].name);
		assert_int_equal(resource->unit, examples[i].unit);
		assert_int_equal(resource->cores, examples[i].cores);
		assert_int_equal(resource->shares, examples[i].shares);
		assert_int_equal(resource->mps.pipe_directory[0] != '\0', examples[i].mps);
	}
}

static int is_listed(const char *file)
{
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++)
		if (strcmp(examples[i].file, file) == 0)
			return 1;
	return 0;
}

static void knows_every_example(void **state _unused_)
{
	_cleanup_closedir_ DIR *dir = opendir(EXAMPLES);
	const struct dirent *entry;
	size_t n = 0;

	assert_non_null(dir);
	for (entry = readdir(dir); entry; entry = readdir(dir)) {
		if (entry->d_name[0] == '.')
			continue;
		if (!is_listed(entry->d_name))
			fail_msg("%s is not tested", entry->d_name);
		n++;
	}
	assert_int_equal(n, ARRAY_SIZE(examples));
}

/* What is pasted and what it is translated to by hand are the same for Furiosa's cards. */
static void pasted_and_translated_agree(void **state _unused_)
{
	_cleanup_config_ struct config pasted = { 0 }, translated = { 0 };
	const struct config_resource *a, *b;

	load("furiosa-2025.3-pasted.yaml", &pasted);
	load("furiosa-2025.3.yaml", &translated);
	a = &pasted.resources[0];
	b = &translated.resources[0];
	assert_string_equal(a->name, b->name);
	assert_int_equal(a->unit, b->unit);
	assert_int_equal(a->cores, b->cores);
	assert_string_equal(a->devices.product.items[0].text, b->devices.product.items[0].text);
	assert_string_equal(pasted.exclude[0].devices.uuid.items[0].text,
			    translated.exclude[0].devices.uuid.items[0].text);
	assert_string_equal(pasted.exclude[0].nodes.names[0].text,
			    translated.exclude[0].nodes.names[0].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_example),
		cmocka_unit_test(knows_every_example),
		cmocka_unit_test(pasted_and_translated_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
