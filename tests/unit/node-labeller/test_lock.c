/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node-labeller/lock.h"
#include "tests/test.h"

struct fixture {
	char root[32];
	struct host host;
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	(void)snprintf(fixture->root, sizeof(fixture->root), "/tmp/lock-XXXXXX");
	assert_non_null(mkdtemp(fixture->root));
	assert_int_equal(host_open(&fixture->host, fixture->root, NULL), 0);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	(void)unlinkat(fixture->host.root_fd, LOCK_PATH, AT_REMOVEDIR);
	host_close(&fixture->host);
	assert_int_equal(rmdir(fixture->root), 0);
	free(fixture);
	return 0;
}

/* Locks of one process by two descriptors are as those of two processes. */
static void one_has_it_until_it_closes(void **state)
{
	const struct fixture *fixture = *state;
	int first = -1, second = -1;

	assert_int_equal(mkdirat(fixture->host.root_fd, LOCK_PATH, 0555), 0);
	assert_int_equal(lock_try(&fixture->host, &first, NULL), 1);
	assert_int_equal(lock_try(&fixture->host, &second, NULL), 0);
	assert_int_equal(second, -1);
	assert_int_equal(close(first), 0);
	assert_int_equal(lock_try(&fixture->host, &second, NULL), 1);
	assert_int_equal(close(second), 0);
}

static void a_host_without_device_files_cannot_be_locked(void **state)
{
	const struct fixture *fixture = *state;
	struct error err = { 0 };
	int fd = -1;

	assert_int_equal(lock_try(&fixture->host, &fd, &err), -ENOENT);
	assert_string_equal(err.msg, "cannot open 'dev' below the host root: No such file or "
				     "directory");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_has_it_until_it_closes, setup, teardown),
		cmocka_unit_test_setup_teardown(a_host_without_device_files_cannot_be_locked, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
