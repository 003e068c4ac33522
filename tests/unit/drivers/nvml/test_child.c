/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/nvml/child.h"

#include <stdlib.h>
#include <string.h>

#include "tests/test.h"

static void test_is_asked(void **state)
{
	static const struct {
		const char *argv[5];
		bool asked;
	} cases[] = {
		{ { NVML_CHILD_NAME, "/", "5000" }, true },
		{ { NVML_CHILD_NAME, "/", "5000", "more" }, false },
		{ { NVML_CHILD_NAME, "/" }, false },
		{ { NVML_CHILD_NAME }, false },
		{ { "silica-device-plugin", "/", "5000" }, false },
		{ { "/usr/bin/silica-nvml", "/", "5000" }, false },
		{ { NULL }, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *argv[5] = { NULL };
		int argc = 0;

		for (; cases[i].argv[argc]; argc++)
			argv[argc] = strdup(cases[i].argv[argc]);
		assert_int_equal(nvml_child_is_asked(argc, argv), cases[i].asked);
		for (int j = 0; j < argc; j++)
			free(argv[j]);
	}
}

/* Before anything has asked, this program could not be the process for NVML. */
static void test_is_possible(void **state)
{
	char name[] = "test_child";
	char *argv[] = { name, NULL };

	(void)state;
	assert_false(nvml_child_is_possible());
	assert_false(nvml_child_is_asked(1, argv));
	assert_true(nvml_child_is_possible());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_possible),
		cmocka_unit_test(test_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
