/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/nvml/process.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "drivers/nvml/child.h"

#define PROGRAM "/proc/self/exe"
#define KILL_MS 100 /* a process that can be killed is gone long before */
#define LOOK_MS 5

/* Its standard error stays: what a vendor's library has to say goes where logs go. */
static int set_files(posix_spawn_file_actions_t *files, int fd)
{
	/* First, as the descriptor may be one of those that follow. */
	int r = posix_spawn_file_actions_adddup2(files, fd, NVML_CHILD_FD);

	if (r == 0)
		r = posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDWR, 0);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(files, STDIN_FILENO, STDOUT_FILENO);
	if (r == 0)
		r = posix_spawn_file_actions_addclosefrom_np(files, NVML_CHILD_FD + 1);
	return r;
}

/* The signals of a process that has just begun; this one may have blocked some. */
static int set_signals(posix_spawnattr_t *attributes)
{
	sigset_t none, all;
	int r;

	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	r = posix_spawnattr_setsigmask(attributes, &none);
	if (r == 0)
		r = posix_spawnattr_setsigdefault(attributes, &all);
	if (r == 0)
		r = posix_spawnattr_setflags(attributes,
					     POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	return r;
}

static int spawn(const char *root, uint32_t interval_ms, int fd, pid_t *ret)
{
	char name[] = NVML_CHILD_NAME, interval[16];
	_cleanup_free_ char *root_copy = strdup(root);
	char *argv[NVML_CHILD_ARGUMENTS + 1] = { name, root_copy, interval, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	int r;

	if (!root_copy)
		return ENOMEM;
	(void)snprintf(interval, sizeof(interval), "%" PRIu32, interval_ms);
	r = posix_spawn_file_actions_init(&files);
	if (r != 0)
		return r;
	r = posix_spawnattr_init(&attributes);
	if (r == 0) {
		r = set_files(&files, fd);
		if (r == 0)
			r = set_signals(&attributes);
		if (r == 0)
			r = posix_spawn(ret, PROGRAM, &files, &attributes, argv, environ);
		(void)posix_spawnattr_destroy(&attributes);
	}
	(void)posix_spawn_file_actions_destroy(&files);
	return r;
}

int nvml_process_start(const char *root, uint32_t interval_ms, struct nvml_process *ret,
		       struct error *err)
{
	_cleanup_close_ int ours = -1;
	_cleanup_close_ int theirs = -1;
	int fds[2];
	pid_t pid;
	int r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return error_set(err, errno, "make a socket for NVML: %s", strerror(errno));
	ours = fds[0];
	theirs = fds[1];
	if (fcntl(ours, F_SETFL, O_NONBLOCK) < 0)
		return error_set(err, errno, "make a socket for NVML: %s", strerror(errno));
	r = spawn(root, interval_ms, theirs, &pid);
	if (r != 0)
		return error_set(err, r, "start the process for NVML: %s", strerror(r));
	*ret = (struct nvml_process) { .pid = pid, .fd = TAKE_FD(ours) };
	return 0;
}

static void describe(int status, char *how, size_t size)
{
	if (WIFSIGNALED(status))
		(void)snprintf(how, size, "ended by signal %d", WTERMSIG(status));
	else
		(void)snprintf(how, size, "ended with status %d", WEXITSTATUS(status));
}

/* Whether the process has ended within a time. */
static bool reap(struct nvml_process *process, uint32_t within_ms, char *how, size_t size)
{
	for (uint32_t waited = 0;; waited += LOOK_MS) {
		int status = 0;
		pid_t pid = waitpid(process->pid, &status, WNOHANG);

		if (pid == process->pid)
			describe(status, how, size);
		if (pid != 0) { /* -1: there is no such child any more */
			process->pid = 0;
			return true;
		}
		if (waited >= within_ms)
			return false;
		(void)poll(NULL, 0, LOOK_MS);
	}
}

int nvml_process_end(struct nvml_process *process, uint32_t grace_ms, char *how, size_t size)
{
	how[0] = '\0';
	cleanup_closep(&process->fd);
	process->fd = -1;
	if (process->pid == 0 || reap(process, grace_ms, how, size))
		return 0;
	(void)kill(process->pid, SIGKILL);
	return reap(process, KILL_MS, how, size) ? 0 : -EBUSY;
}
