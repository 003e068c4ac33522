/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a command whose disk fails: `reservoir-fault --below DIR --fail N=ERRNO COMMAND ...`.
 *
 * A seccomp filter has every call that changes a file system (or, with --reads, reads)
 * wait for this program, which sees whose path lies below DIR, counts those, and answers
 * the N-th one (with `N+` that and all that follow) with the error, or with HANG not at
 * all.  With --asleep none fails until SIGUSR1 comes, nor after the next one.  So nothing of
 * the command is changed: libraries, stdio, sanitizers and children are seen alike.  With
 * --report each counted call is a line "NUMBER CALL PATH", with "!"
 * where it failed.
 *
 * The exit status is the command's, 128 + signal if it was killed by one, and 77 where the
 * kernel has no such filter.
 *
 * Source: seccomp_unotify(2)
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "base/parse.h"

#define BELOW_MAX 8
#define TEXT_MAX 4096 /* PATH_MAX of the kernel */
#define SKIPPED 77
#define HANGS (-1)
#define FULL_STATUS 127		       /* nothing was run */
#define CREATING (O_CREAT | 020000000) /* the bit of O_TMPFILE that is not O_DIRECTORY */

/* Where a call says which file it is about. */
enum subject {
	OF_FD,	/* a descriptor */
	OF_AT,	/* a directory's descriptor, and a path in the next argument */
	OF_PATH /* a path */
};

enum kind {
	WRITES,	 /* what a full disk refuses */
	CHANGES, /* what only a broken or read-only one refuses */
	READS,
};

static const struct call {
	const char *name;
	int number;
	enum subject subject;
	unsigned int argument;
	enum kind kind;
} calls[] = {
	{ "write", SYS_write, OF_FD, 0, WRITES },
	{ "writev", SYS_writev, OF_FD, 0, WRITES },
	{ "pwrite", SYS_pwrite64, OF_FD, 0, WRITES },
	{ "pwritev", SYS_pwritev, OF_FD, 0, WRITES },
	{ "copy_file_range", SYS_copy_file_range, OF_FD, 2, WRITES },
	{ "ftruncate", SYS_ftruncate, OF_FD, 0, WRITES },
	{ "fallocate", SYS_fallocate, OF_FD, 0, WRITES },
	{ "fsync", SYS_fsync, OF_FD, 0, WRITES },
	{ "fdatasync", SYS_fdatasync, OF_FD, 0, WRITES },
	{ "syncfs", SYS_syncfs, OF_FD, 0, WRITES },
	{ "openat", SYS_openat, OF_AT, 0, WRITES },
	{ "mkdirat", SYS_mkdirat, OF_AT, 0, WRITES },
	{ "symlinkat", SYS_symlinkat, OF_AT, 1, WRITES },
	{ "linkat", SYS_linkat, OF_AT, 2, WRITES },
	{ "renameat", SYS_renameat, OF_AT, 2, WRITES },
	{ "renameat2", SYS_renameat2, OF_AT, 2, WRITES },
#ifdef SYS_mkdir
	{ "mkdir", SYS_mkdir, OF_PATH, 0, WRITES },
	{ "rename", SYS_rename, OF_PATH, 1, WRITES },
	{ "unlink", SYS_unlink, OF_PATH, 0, CHANGES },
	{ "rmdir", SYS_rmdir, OF_PATH, 0, CHANGES },
#endif
	{ "unlinkat", SYS_unlinkat, OF_AT, 0, CHANGES },
	{ "fchmod", SYS_fchmod, OF_FD, 0, CHANGES },
	{ "utimensat", SYS_utimensat, OF_AT, 0, CHANGES },
	{ "read", SYS_read, OF_FD, 0, READS },
	{ "pread", SYS_pread64, OF_FD, 0, READS },
	{ "sendfile", SYS_sendfile, OF_FD, 1, READS },
};

static const struct {
	const char *name;
	int code;
} codes[] = {
	{ "ENOSPC", ENOSPC }, { "EIO", EIO },	    { "EDQUOT", EDQUOT },
	{ "EROFS", EROFS },   { "EMFILE", EMFILE }, { "HANG", HANGS },
};

static struct {
	const char *below[BELOW_MAX];
	size_t n_below;
	bool reads;
	uint64_t nth; /* 0: none */
	bool onwards;
	volatile sig_atomic_t sleeps;
	int code;
	FILE *report;
	uint64_t counted;
} fault;

_Noreturn static void fail(int status, const char *what)
{
	(void)fprintf(stderr, "reservoir-fault: %s: %s\n", what, strerror(errno));
	_exit(status);
}

/* -- The filter --------------------------------------------------------- */

#define LOAD(field)          \
	(struct sock_filter) \
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(what) (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, what)
#define UNLESS_EQUAL(value, skip) \
	(struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip)
#define UNLESS_ANY_OF(bits, skip) \
	(struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 0, skip)

static int listen_to_calls(void)
{
	struct sock_filter filter[8 + 4 * ARRAY_SIZE(calls)];
	struct sock_fprog program = { .filter = filter };
	unsigned short n = 0;

	filter[n++] = LOAD(nr);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		bool opens = calls[i].number == SYS_openat;

		if (calls[i].kind == READS && !fault.reads)
			continue;
		filter[n++] = UNLESS_EQUAL((uint32_t)calls[i].number, opens ? 4 : 1);
		if (opens) {
			filter[n++] = LOAD(args[2]);
			filter[n++] = UNLESS_ANY_OF(CREATING, 1);
		}
		filter[n++] = RETURN(SECCOMP_RET_USER_NOTIF);
		if (opens)
			filter[n++] = RETURN(SECCOMP_RET_ALLOW);
	}
	filter[n++] = RETURN(SECCOMP_RET_ALLOW);
	program.len = n;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
			    &program);
}

static bool send_fd(int channel, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec byte = { .iov_base = control.bytes, .iov_len = 1 };
	struct msghdr message = { .msg_iov = &byte,
				  .msg_iovlen = 1,
				  .msg_control = control.bytes,
				  .msg_controllen = sizeof(control.bytes) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	return sendmsg(channel, &message, 0) == 1;
}

static int receive_fd(int channel)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	char byte;
	struct iovec part = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = control.bytes,
				  .msg_controllen = sizeof(control.bytes) };
	const struct cmsghdr *header;
	int fd;

	if (recvmsg(channel, &message, MSG_CMSG_CLOEXEC) != 1)
		return -1;
	header = CMSG_FIRSTHDR(&message);
	if (!header)
		return -1;
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

_Noreturn static void run(char **words, int channel)
{
	int fd;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		fail(FULL_STATUS, "prctl");
	fd = listen_to_calls();
	if (fd < 0)
		fail(SKIPPED, "seccomp");
	if (!send_fd(channel, fd))
		fail(FULL_STATUS, "sendmsg");
	(void)close(fd);
	(void)close(channel);
	(void)execvp(words[0], words);
	fail(FULL_STATUS, words[0]);
}

/* -- Each call ---------------------------------------------------------- */

static const struct call *find_call(int number)
{
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (calls[i].number == number)
			return &calls[i];
	return NULL;
}

static bool path_of_fd(uint32_t pid, int fd, char *ret)
{
	char link[64];
	ssize_t n;

	if (fd == AT_FDCWD)
		(void)snprintf(link, sizeof(link), "/proc/%u/cwd", pid);
	else
		(void)snprintf(link, sizeof(link), "/proc/%u/fd/%d", pid, fd);
	n = readlink(link, ret, TEXT_MAX - 1);
	ret[MAX(n, 0)] = '\0';
	return n > 0;
}

/* A path may end just before a page that is not there: so a part of it is read, too. */
static bool read_text(uint32_t pid, uint64_t address, char *ret)
{
	_cleanup_close_ int fd = -1;
	char path[64];
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%u/mem", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : pread(fd, ret, TEXT_MAX - 1, (off_t)address);
	ret[MAX(n, 0)] = '\0';
	return n > 0;
}

static bool path_of(const struct seccomp_notif *asked, const struct call *call, char *ret)
{
	const __u64 *args = asked->data.args + call->argument;
	char text[TEXT_MAX];
	size_t len;

	if (call->subject == OF_FD)
		return path_of_fd(asked->pid, (int)args[0], ret);
	if (call->subject == OF_AT && args[1] == 0)
		return path_of_fd(asked->pid, (int)args[0], ret);
	if (!read_text(asked->pid, args[call->subject == OF_AT], text))
		return false;
	if (text[0] == '/')
		return str_copy(ret, TEXT_MAX, text) == 0;
	if (!path_of_fd(asked->pid, call->subject == OF_AT ? (int)args[0] : AT_FDCWD, ret))
		return false;
	len = strlen(ret);
	return snprintf(ret + len, TEXT_MAX - len, "/%s", text) < (int)(TEXT_MAX - len);
}

static bool is_below(const char *path)
{
	for (size_t i = 0; i < fault.n_below; i++) {
		const char *rest = str_starts_with(path, fault.below[i]);

		if (rest && (*rest == '/' || *rest == '\0' || *rest == ' '))
			return true;
	}
	return false;
}

/* What frees room succeeds on a full disk. */
static bool is_spared(const struct call *call)
{
	return call->kind == CHANGES && (fault.code == ENOSPC || fault.code == EDQUOT);
}

/* Returns the error that the call is answered with, or 0. */
static int judge(const struct seccomp_notif *asked)
{
	const struct call *call = find_call(asked->data.nr);
	char path[TEXT_MAX];
	bool fails;

	if (!call || !path_of(asked, call, path) || !is_below(path))
		return 0;
	if (fault.reads != (call->kind == READS))
		return 0;
	fault.counted++;
	fails = fault.nth != 0 && !fault.sleeps && !is_spared(call) &&
		(fault.onwards ? fault.counted >= fault.nth : fault.counted == fault.nth);
	if (fault.report)
		(void)fprintf(fault.report, "%llu %s%s %s\n", (unsigned long long)fault.counted,
			      call->name, fails ? "!" : "", path);
	return fails ? fault.code : 0;
}

static void answer(int listener)
{
	struct seccomp_notif asked = { 0 };
	struct seccomp_notif_resp said = { 0 };
	int code;

	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) < 0)
		return;
	code = judge(&asked);
	if (code == HANGS)
		return;
	said.id = asked.id;
	said.error = -code;
	said.flags = code ? 0 : (__u32)SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	(void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &said);
}

/* -- Begin and end ------------------------------------------------------ */

static volatile sig_atomic_t child;

static void pass_on(int signo)
{
	if (child > 0)
		(void)kill((pid_t)child, signo);
}

static void wake_or_sleep(int signo)
{
	(void)signo;
	fault.sleeps = !fault.sleeps;
}

static int supervise(int channel)
{
	_cleanup_close_ int listener = receive_fd(channel);
	int status;

	while (listener >= 0) {
		struct pollfd waited = { .fd = listener, .events = POLLIN };

		if (poll(&waited, 1, -1) < 0 && errno != EINTR)
			fail(FULL_STATUS, "poll");
		if (waited.revents & POLLIN)
			answer(listener);
		else if (waited.revents & (POLLHUP | POLLERR))
			break;
	}
	while (waitpid((pid_t)child, &status, 0) < 0)
		if (errno != EINTR)
			fail(FULL_STATUS, "waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static bool parse_fault(char *text)
{
	char *equals = strchr(text, '=');
	size_t len = equals ? (size_t)(equals - text) : 0;

	if (len == 0)
		return false;
	*equals = '\0';
	fault.onwards = text[len - 1] == '+';
	if (fault.onwards)
		text[len - 1] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (strcmp(codes[i].name, equals + 1) == 0)
			fault.code = codes[i].code;
	return fault.code != 0 && parse_u64(text, 10, &fault.nth) == 0;
}

static bool parse_option(int option, char *value)
{
	switch (option) {
	case 'b':
		if (fault.n_below == BELOW_MAX)
			return false;
		fault.below[fault.n_below++] = value;
		return true;
	case 'f':
		return parse_fault(value);
	case 'p':
		fault.report = fopen(value, "we");
		return fault.report && setvbuf(fault.report, NULL, _IOLBF, 0) == 0;
	case 'r':
		fault.reads = true;
		return true;
	case 'a':
		fault.sleeps = true;
		return true;
	default:
		return false;
	}
}

static bool parse_words(int argc, char **argv)
{
	static const struct option options[] = {
		{ "below", required_argument, NULL, 'b' },
		{ "fail", required_argument, NULL, 'f' },
		{ "report", required_argument, NULL, 'p' },
		{ "reads", no_argument, NULL, 'r' },
		{ "asleep", no_argument, NULL, 'a' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "+", options, NULL)) >= 0)
		if (!parse_option(option, optarg))
			return false;
	return optind < argc && fault.n_below > 0;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = pass_on };
	struct sigaction toggle = { .sa_handler = wake_or_sleep };
	int channel[2];
	int status;

	if (!parse_words(argc, argv)) {
		(void)fputs("reservoir-fault --below DIR [--below DIR ...] [--fail N[+]=ERRNO] "
			    "[--reads] [--asleep] "
			    "[--report FILE] COMMAND ...\n",
			    stderr);
		return FULL_STATUS;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) < 0)
		fail(FULL_STATUS, "socketpair");
	child = fork();
	if (child < 0)
		fail(FULL_STATUS, "fork");
	if (child == 0)
		run(argv + optind, channel[1]);
	(void)close(channel[1]);
	(void)sigaction(SIGTERM, &action, NULL);
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGHUP, &action, NULL);
	(void)sigaction(SIGUSR1, &toggle, NULL);
	status = supervise(channel[0]);
	if (fault.report)
		(void)fclose(fault.report);
	return status;
}
