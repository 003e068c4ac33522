/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "device-plugin/stale_sockets.h"
#include "tests/test.h"

struct fixture {
	char dir[32];
	char path[64];
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	(void)snprintf(fixture->dir, sizeof(fixture->dir), "/tmp/stale-XXXXXX");
	assert_non_null(mkdtemp(fixture->dir));
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	(void)unlink(fixture->path);
	assert_int_equal(rmdir(fixture->dir), 0);
	free(fixture);
	return 0;
}

/* Makes a socket, and returns its descriptor. */
static int bind_socket(struct fixture *fixture, const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(fixture->path, sizeof(fixture->path), "%s/%s", fixture->dir, name);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", fixture->path);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static bool is_there(const struct fixture *fixture)
{
	return access(fixture->path, F_OK) == 0;
}

static void a_dead_socket_is_removed(void **state)
{
	struct fixture *fixture = *state;

	(void)close(bind_socket(fixture, "silica-npu-0.sock"));
	assert_int_equal(stale_sockets_remove(fixture->dir, 0), 1);
	assert_false(is_there(fixture));
}

static void a_served_socket_stays(void **state)
{
	struct fixture *fixture = *state;
	int fd = bind_socket(fixture, "silica-npu-0.sock");

	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(stale_sockets_remove(fixture->dir, 0), 0);
	assert_true(is_there(fixture));
	(void)close(fd);
}

static void a_young_socket_stays(void **state)
{
	struct fixture *fixture = *state;

	(void)close(bind_socket(fixture, "silica-npu-0.sock"));
	assert_int_equal(stale_sockets_remove(fixture->dir, STALE_SOCKET_AGE_S), 0);
	assert_true(is_there(fixture));
}

static void sockets_of_others_stay(void **state)
{
	struct fixture *fixture = *state;

	(void)close(bind_socket(fixture, "kubelet.sock"));
	assert_int_equal(stale_sockets_remove(fixture->dir, 0), 0);
	assert_true(is_there(fixture));
}

static void a_file_is_no_socket(void **state)
{
	struct fixture *fixture = *state;
	int fd;

	(void)snprintf(fixture->path, sizeof(fixture->path), "%s/silica-file.sock", fixture->dir);
	fd = open(fixture->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(stale_sockets_remove(fixture->dir, 0), 0);
	assert_true(is_there(fixture));
}

static void a_missing_directory_has_none(_unused_ void **state)
{
	assert_int_equal(stale_sockets_remove("/nonexistent", 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_dead_socket_is_removed, setup, teardown),
		cmocka_unit_test_setup_teardown(a_served_socket_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(a_young_socket_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(sockets_of_others_stay, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_is_no_socket, setup, teardown),
		cmocka_unit_test(a_missing_directory_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
