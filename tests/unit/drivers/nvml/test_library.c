/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/nvml/library.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#include "tests/test.h"
#include "tests/unit/drivers/tree.h"

static void test_found(void **state)
{
	static const char *const places[] = {
		"usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1",
		"usr/lib64/libnvidia-ml.so.1",
		"run/nvidia/driver/usr/lib64/libnvidia-ml.so.1",
		"home/kubernetes/bin/nvidia/lib64/libnvidia-ml.so.1",
	};
	struct tree *tree = *state;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct nvml_library library;
		struct error err = { 0 };

		tree_link(tree, places[i], FAKE_NVML);
		assert_int_equal(nvml_library_open(tree->root, &library, &err), 0);
		assert_non_null(library.init);
		assert_non_null(library.mig_count);
		assert_non_null(library.event_wait);
		tree_remove(tree, places[i]);
	}
}

static void test_older(void **state)
{
	struct tree *tree = *state;
	struct nvml_library library;

	tree_link(tree, "usr/lib64/libnvidia-ml.so.1", FAKE_NVML_OLDER);
	assert_int_equal(nvml_library_open(tree->root, &library, NULL), 0);
	assert_non_null(library.init);
	assert_non_null(library.memory);
	assert_null(library.memory_v2);
	assert_null(library.mig_count);
	assert_null(library.event_wait);
}

static void test_absent(void **state)
{
	struct tree *tree = *state;
	struct nvml_library library;
	struct error err = { 0 };

	if (dlopen("libnvidia-ml.so.1", RTLD_LAZY)) {
		skip(); /* the loader's own search finds one on this machine */
		return;
	}
	assert_int_equal(nvml_library_open(tree->root, &library, &err), -ENOENT);
	assert_string_equal(err.msg, "there is no libnvidia-ml.so.1");
	assert_int_equal(nvml_library_open("/", &library, &err), -ENOENT);
}

static void test_unfit(void **state)
{
	struct tree *tree = *state;
	struct nvml_library library;
	struct error err = { 0 };

	if (dlopen("libnvidia-ml.so.1", RTLD_LAZY)) {
		skip();
		return;
	}
	tree_puts(tree, "usr/lib64/libnvidia-ml.so.1", "no library");
	assert_int_equal(nvml_library_open(tree->root, &library, &err), -ELIBBAD);
	assert_non_null(strstr(err.msg, "usr/lib64/libnvidia-ml.so.1"));

	/* A library, but of something else. */
	tree_remove(tree, "usr/lib64/libnvidia-ml.so.1");
	tree_link(tree, "usr/lib64/libnvidia-ml.so.1", "/proc/self/exe");
	assert_int_equal(nvml_library_open(tree->root, &library, &err), -ELIBBAD);

	/* One that is unfit does not hide another. */
	tree_link(tree, "usr/lib/libnvidia-ml.so.1", FAKE_NVML);
	assert_int_equal(nvml_library_open(tree->root, &library, &err), 0);
}

static const char *no_text(int result)
{
	static const char *const texts[] = { NULL, "\033[2J", "GPU is lost" };

	return texts[result];
}

static void test_error(void **state)
{
	struct nvml_library library = { 0 };

	(void)state;
	assert_string_equal(nvml_library_error(&library, 2), "an error without a text");
	library.error_string = no_text;
	assert_string_equal(nvml_library_error(&library, 0), "an error without a text");
	assert_string_equal(nvml_library_error(&library, 1), "an error without a text");
	assert_string_equal(nvml_library_error(&library, 2), "GPU is lost");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(test_found), TREE_TEST(test_older),	     TREE_TEST(test_absent),
		TREE_TEST(test_unfit), cmocka_unit_test(test_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
