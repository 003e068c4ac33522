/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process that is started is this program; what it shall do is given to it where
 * the host's root would be.
 */
#include "drivers/nvml/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drivers/nvml/child.h"
#include "tests/test.h"

#define LONG_MS 20000 /* only ever waited out by a test that fails */

static int act(char *const *argv)
{
	if (strcmp(argv[1], "exit") == 0)
		return 7;
	if (strcmp(argv[1], "signal") == 0)
		return raise(SIGKILL);
	if (strcmp(argv[1], "tell") == 0)
		return dprintf(NVML_CHILD_FD, "%s", argv[2]) > 0 ? 0 : 1;
	if (strcmp(argv[1], "files") == 0) { /* whether it has inherited one too many */
		char open = fcntl(NVML_CHILD_FD + 1, F_GETFD) < 0 && fcntl(64, F_GETFD) < 0 &&
					    fcntl(STDIN_FILENO, F_GETFD) >= 0
				    ? 'n'
				    : 'y';

		return write(NVML_CHILD_FD, &open, 1) == 1 ? 0 : 1;
	}
	for (;;)
		(void)pause();
}

/* Reads until the process closes its end; returns the number of bytes. */
static size_t hear(const struct nvml_process *process, char *buffer, size_t size)
{
	size_t len = 0;

	for (;;) {
		struct pollfd pollfd = { .fd = process->fd, .events = POLLIN };
		ssize_t n;

		assert_int_equal(poll(&pollfd, 1, LONG_MS), 1);
		n = read(process->fd, buffer + len, size - len);
		if (n <= 0)
			return len;
		len += (size_t)n;
	}
}

static void test_end(void **state)
{
	static const struct {
		const char *act;
		uint32_t grace_ms;
		const char *how;
	} cases[] = {
		{ "exit", LONG_MS, "ended with status 7" },
		{ "signal", LONG_MS, "ended by signal 9" },
		{ "hang", 0, "ended by signal 9" },
		{ "hang", 20, "ended by signal 9" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nvml_process process;
		char how[64];

		assert_int_equal(nvml_process_start(cases[i].act, 1, &process, NULL), 0);
		assert_true(process.pid > 0);
		assert_int_equal(nvml_process_end(&process, cases[i].grace_ms, how, sizeof(how)),
				 0);
		assert_string_equal(how, cases[i].how);
		assert_int_equal(process.pid, 0);
		assert_int_equal(process.fd, -1);
		/* Once more does no harm. */
		assert_int_equal(nvml_process_end(&process, 0, how, sizeof(how)), 0);
		assert_string_equal(how, "");
	}
}

/* While it is set, processes do not die. */
static bool immortal;

int __real_kill(pid_t pid, int signo);
int __wrap_kill(pid_t pid, int signo);
int __wrap_kill(pid_t pid, int signo)
{
	return immortal ? 0 : __real_kill(pid, signo);
}

static void test_stuck(void **state)
{
	struct nvml_process process;
	char how[64];
	pid_t pid;

	(void)state;
	assert_int_equal(nvml_process_start("hang", 1, &process, NULL), 0);
	pid = process.pid;
	immortal = true;
	assert_int_equal(nvml_process_end(&process, 0, how, sizeof(how)), -EBUSY);
	assert_int_equal(process.pid, pid);
	assert_int_equal(process.fd, -1);
	assert_string_equal(how, "");
	immortal = false;
	assert_int_equal(nvml_process_end(&process, 0, how, sizeof(how)), 0);
	assert_string_equal(how, "ended by signal 9");
}

static void test_tell(void **state)
{
	struct nvml_process process;
	char text[64], how[64];
	size_t len;

	(void)state;
	assert_int_equal(nvml_process_start("tell", 1234, &process, NULL), 0);
	len = hear(&process, text, sizeof(text));
	assert_int_equal(len, 4);
	assert_memory_equal(text, "1234", 4);
	assert_int_equal(nvml_process_end(&process, LONG_MS, how, sizeof(how)), 0);
	assert_string_equal(how, "ended with status 0");
}

static void test_files(void **state)
{
	int inheritable = fcntl(STDERR_FILENO, F_DUPFD, 64);
	struct nvml_process process;
	char open = 0, how[64];

	(void)state;
	assert_int_equal(inheritable, 64);
	assert_int_equal(nvml_process_start("files", 1, &process, NULL), 0);
	assert_int_equal(hear(&process, &open, 1), 1);
	assert_int_equal(open, 'n');
	assert_int_equal(nvml_process_end(&process, LONG_MS, how, sizeof(how)), 0);
	assert_int_equal(close(inheritable), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_stuck),
		cmocka_unit_test(test_tell),
		cmocka_unit_test(test_files),
	};

	if (nvml_child_is_asked(argc, argv))
		_exit(act(argv));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
