/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "drivers/declared_path.h"
#include "tests/test.h"
#include "tests/unit/drivers/tree.h"

static const struct {
	const char *template;
	const char *path; /* NULL: refused with @result */
	int result;
} expansions[] = {
	{ "/dev/acme", "/dev/acme", 0 },
	{ "/dev/acme{index}", "/dev/acme7", 0 },
	{ "/dev/{name}", "/dev/acme/card7", 0 },
	{ "/dev/{name}_{index}.x", "/dev/acme/card7_7.x", 0 },
	{ "/dev/acme/{bdf}", NULL, -ENODATA },
	{ "/dev/acme/{name}/{name}/{name}/{name}/{name}/{name}/{name}/{name}/{name}", NULL,
	  -ENAMETOOLONG },
};

static void test_expand(void **state)
{
	_cleanup_(device_cleanupp) struct device *device = device_new(NULL);

	(void)state;
	assert_non_null(device);
	(void)str_copy(device->name, sizeof(device->name), "acme/card7");
	device->index = 7;
	for (size_t i = 0; i < ARRAY_SIZE(expansions); i++) {
		char path[NODE_PATH_MAX] = "";
		int r = declared_template_expand(expansions[i].template, device, path);

		assert_int_equal(r, expansions[i].result);
		if (expansions[i].path)
			assert_string_equal(path, expansions[i].path);
	}
}

static const struct {
	const char *path;
	const char *dir, *prefix, *suffix;
} patterns[] = {
	{ "/dev/ipu{index}", "dev", "ipu", "" },
	{ "/dev/groq{index}.pci", "dev", "groq", ".pci" },
	{ "/dev/acme/{index}", "dev/acme", "", "" },
};

static void test_patterns(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		struct declared_pattern pattern;

		assert_int_equal(declared_pattern_parse(patterns[i].path, &pattern, NULL), 0);
		assert_string_equal(pattern.dir, patterns[i].dir);
		assert_string_equal(pattern.prefix, patterns[i].prefix);
		assert_string_equal(pattern.suffix, patterns[i].suffix);
	}
}

static const struct {
	const char *attribute;
	const char *path; /* NULL: fails with @result */
	int result;
} attributes[] = {
	{ "status", "status", 0 },	   { "one/*/temp", "one/hwmon5/temp", 0 },
	{ "none/*/temp", NULL, -ENOENT },  { "missing/*/temp", NULL, -ENOENT },
	{ "two/*/temp", NULL, -ENOTUNIQ }, { "long/*/temp", NULL, -ENAMETOOLONG },
};

static void test_resolve(void **state)
{
	const struct tree *tree = *state;

	tree_mkdir(tree, "one/hwmon5");
	tree_puts(tree, "one/uevent", "");
	tree_puts(tree, "none/uevent", "");
	tree_mkdir(tree, "two/hwmon5");
	tree_mkdir(tree, "two/hwmon6");
	tree_mkdir(tree, "long/"
			 "0123456789012345678901234567890123456789012345678901234567890123456789"
			 "0123456789012345678901234567890123456789012345678901234567890123456789");
	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
		char path[DECLARED_RESOLVED_MAX] = "";
		int r = declared_attribute_resolve(tree->host.root_fd, attributes[i].attribute,
						   path);

		assert_int_equal(r, attributes[i].result);
		if (attributes[i].path)
			assert_string_equal(path, attributes[i].path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expand),
		cmocka_unit_test(test_patterns),
		TREE_TEST(test_resolve),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
