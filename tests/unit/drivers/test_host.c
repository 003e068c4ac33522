/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "drivers/host.h"
#include "tests/test.h"
#include "tests/unit/drivers/tree.h"

static void a_directory_is_a_host(void **state)
{
	const struct tree *tree = *state;
	struct host host;

	tree_puts(tree, "sys/here", "");
	assert_int_equal(host_open(&host, tree->root, NULL), 0);
	assert_string_equal(host.root, tree->root);
	assert_int_equal(faccessat(host.root_fd, "sys/here", F_OK, 0), 0);
	host_close(&host);
}

static void anything_else_is_refused(void **state)
{
	const struct tree *tree = *state;
	char file[64];
	const struct {
		const char *root;
		int code;
	} cases[] = { { "/nonexistent", -ENOENT }, { file, -ENOTDIR } };

	tree_puts(tree, "file", "");
	(void)snprintf(file, sizeof(file), "%s/file", tree->root);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct host host = { .root_fd = -1 };
		struct error err = { 0 };

		assert_int_equal(host_open(&host, cases[i].root, &err), cases[i].code);
		assert_non_null(strstr(err.msg, cases[i].root));
		assert_int_equal(host.root_fd, -1);
	}
}

static void a_host_that_was_never_opened_can_be_closed(_unused_ void **state)
{
	struct host host = { .root_fd = -1 };

	host_close(&host);
	assert_int_equal(host.root_fd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(a_directory_is_a_host),
		TREE_TEST(anything_else_is_refused),
		cmocka_unit_test(a_host_that_was_never_opened_can_be_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
