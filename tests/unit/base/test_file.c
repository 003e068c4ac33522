/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

struct directory {
	char path[64];
	int fd;
};

static int make_directory(void **state)
{
	static struct directory dir;

	(void)snprintf(dir.path, sizeof(dir.path), "/tmp/test_file.XXXXXX");
	if (!mkdtemp(dir.path))
		return -1;
	dir.fd = open(dir.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = &dir;
	return dir.fd < 0 ? -1 : 0;
}

static int remove_directory(void **state)
{
	struct directory *dir = *state;
	DIR *entries = opendir(dir->path);
	struct dirent *entry;

	while (entries && (entry = readdir(entries)))
		if (unlinkat(dir->fd, entry->d_name, 0) < 0)
			(void)unlinkat(dir->fd, entry->d_name, AT_REMOVEDIR);
	if (entries)
		(void)closedir(entries);
	(void)close(dir->fd);
	return rmdir(dir->path);
}

static void put(const struct directory *dir, const char *name, const char *data, size_t len)
{
	_cleanup_close_ int fd = openat(dir->fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
}

static void reads_whole_files(void **state)
{
	static const struct {
		const char *data;
		size_t len;
		ssize_t r;
	} cases[] = {
		{ "", 0, 0 },
		{ "1234567", 7, 7 },
		{ "a\0b\n", 4, 4 },
		{ "12345678", 8, -EFBIG },
		{ "123456789", 9, -EFBIG },
	};
	const struct directory *dir = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = { 0 };
		char buf[8];

		put(dir, "file", cases[i].data, cases[i].len);
		assert_int_equal(file_read(dir->fd, "file", buf, sizeof(buf), &err), cases[i].r);
		assert_int_equal(err.code, cases[i].r < 0 ? -cases[i].r : 0);
		if (cases[i].r < 0)
			assert_string_equal(err.msg, "'file' is longer than 7 bytes");
		else
			assert_memory_equal(buf, cases[i].data, cases[i].len + 1);
	}
}

static void says_why_it_cannot_read(void **state)
{
	const struct directory *dir = *state;
	struct error err = { 0 };
	char buf[8];

	assert_int_equal(file_read(dir->fd, "none", buf, sizeof(buf), &err), -ENOENT);
	assert_non_null(strstr(err.msg, "'none'"));
	assert_int_equal(mkdirat(dir->fd, "folder", 0755), 0);
	assert_int_equal(file_read(dir->fd, "folder", buf, sizeof(buf), &err), -EISDIR);
	assert_non_null(strstr(err.msg, "'folder'"));
	assert_int_equal(file_read(-1, "relative", buf, sizeof(buf), NULL), -EBADF);
}

/* What is no file might block, or do things: a FIFO, a device. */
static void reads_only_files(void **state)
{
	static const char *const names[] = { "fifo", "to_zero" };
	const struct directory *dir = *state;
	char buf[8];

	assert_int_equal(mkfifoat(dir->fd, "fifo", 0644), 0);
	assert_int_equal(symlinkat("/dev/zero", dir->fd, "to_zero"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct error err = { 0 };

		assert_int_equal(file_read(dir->fd, names[i], buf, sizeof(buf), &err), -EINVAL);
		assert_non_null(strstr(err.msg, "is no regular file"));
	}
}

/* --- what lies below --- */

static const struct {
	const char *path;
	int r;	      /* 0 for a descriptor */
	bool outside; /* leads to a file outside, where nobody watches */
} below_cases[] = {
	{ "in/file", 0, false },
	{ "in/../in/file", 0, false },
	{ "in/to_file", 0, false },
	{ "in/none", -ENOENT, false },
	{ "in/file/file", -ENOTDIR, false },
	{ "in/loop", -ELOOP, false },
	{ "../outside", -EXDEV, true },
	{ "in/to_outside", -EXDEV, true },
	{ "in/to_parent/outside", -EXDEV, true },
	{ "in/absolute", -EXDEV, true },
	{ "/dev/null", -EXDEV, true },
};

/* DIR/root is what to stay below of, DIR/outside what is not to be reached. */
static void make_links(const struct directory *dir)
{
	static const struct {
		const char *name;
		const char *target;
	} links[] = {
		{ "root/in/to_file", "../in/file" },	   { "root/in/loop", "loop" },
		{ "root/in/to_outside", "../../outside" }, { "root/in/to_parent", "../.." },
		{ "root/in/absolute", "/dev/null" },
	};

	assert_int_equal(mkdirat(dir->fd, "root", 0755), 0);
	assert_int_equal(mkdirat(dir->fd, "root/in", 0755), 0);
	put(dir, "outside", "x", 1);
	put(dir, "root/in/file", "x", 1);
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		assert_int_equal(symlinkat(links[i].target, dir->fd, links[i].name), 0);
}

static void remove_links(const struct directory *dir)
{
	static const char *const names[] = { "file",	   "to_file",	"loop",
					     "to_outside", "to_parent", "absolute" };
	char path[64];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		(void)snprintf(path, sizeof(path), "root/in/%s", names[i]);
		assert_int_equal(unlinkat(dir->fd, path, 0), 0);
	}
	assert_int_equal(unlinkat(dir->fd, "root/in", AT_REMOVEDIR), 0);
}

static void stays_below_a_directory(void **state)
{
	const struct directory *dir = *state;
	_cleanup_close_ int root = -1;

	make_links(dir);
	root = openat(dir->fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < ARRAY_SIZE(below_cases); i++) {
		_cleanup_close_ int fd = file_open_below(root, below_cases[i].path, O_RDONLY);
		char buf[8];

		assert_int_equal(MIN(fd, 0), below_cases[i].r);
		if (fd >= 0)
			assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
		assert_int_equal(file_read_text(root, below_cases[i].path, buf, sizeof(buf), NULL),
				 below_cases[i].r == 0 ? 1 : below_cases[i].r);
	}
	remove_links(dir);
}

/* Makes openat2(2) fail with @code for the rest of this process, as an old kernel or
 * container engine does. */
static bool forbid_openat2(unsigned int code)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | code),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { ARRAY_SIZE(filter), filter };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* Returns how many cases are not as they are without openat2(2), or -1. */
static int count_wrong_without_openat2(int root, unsigned int code)
{
	int wrong = 0;

	if (!forbid_openat2(code))
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(below_cases); i++) {
		_cleanup_close_ int fd = file_open_below(root, below_cases[i].path, O_RDONLY);

		wrong += MIN(fd, 0) != (below_cases[i].outside ? 0 : below_cases[i].r);
	}
	return wrong;
}

/* Without openat2(2) links are followed as ever, and all else is the same. */
static void does_without_openat2(void **state)
{
	static const unsigned int codes[] = { ENOSYS, EPERM };
	const struct directory *dir = *state;
	_cleanup_close_ int root = -1;

	make_links(dir);
	root = openat(dir->fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		pid_t child = fork();
		int status;

		assert_true(child >= 0);
		if (child == 0)
			_exit(count_wrong_without_openat2(root, codes[i]));
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
	remove_links(dir);
}

static void reads_text(void **state)
{
	static const struct {
		const char *data;
		size_t len;
		ssize_t r;
		const char *expected; /* text, or what the error says */
	} cases[] = {
		{ "FuriosaAI\n", 10, 9, "FuriosaAI" },
		{ "0000:27:00.0", 12, 12, "0000:27:00.0" },
		{ " \n\t", 3, 0, "" },
		{ "", 0, 0, "" },
		{ "a\nb\n", 4, 3, "a\nb" },
		{ "a\0b", 3, -EILSEQ, "'file' has byte 0x00 at offset 1" },
		{ "\x7f", 1, -EILSEQ, "'file' has byte 0x7f at offset 0" },
		{ "ab\xff", 3, -EILSEQ, "'file' has byte 0xff at offset 2" },
		{ "0123456789abcdef", 16, -EFBIG, "'file' is longer than 15 bytes" },
	};
	const struct directory *dir = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = { 0 };
		char buf[16];

		put(dir, "file", cases[i].data, cases[i].len);
		assert_int_equal(file_read_text(dir->fd, "file", buf, sizeof(buf), &err),
				 cases[i].r);
		assert_string_equal(cases[i].r < 0 ? err.msg : buf, cases[i].expected);
	}
}

static size_t count_entries(const struct directory *dir)
{
	_cleanup_closedir_ DIR *entries = opendir(dir->path);
	size_t n = 0;

	assert_non_null(entries);
	while (readdir(entries))
		n++;
	return n - 2; /* "." and ".." */
}

static void publishes_and_replaces(void **state)
{
	const struct directory *dir = *state;
	char path[PATH_MAX], buf[16];
	struct error err = { 0 };
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/published", dir->path);
	assert_int_equal(file_publish(path, "first", 5, 0640, &err), 0);
	assert_int_equal(file_publish(path, "then\0this", 9, 0444, &err), 0);
	assert_int_equal(file_read(dir->fd, "published", buf, sizeof(buf), &err), 9);
	assert_memory_equal(buf, "then\0this", 10);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0444);
	assert_int_equal(file_publish(path, NULL, 0, 0600, &err), 0);
	assert_int_equal(file_read(dir->fd, "published", buf, sizeof(buf), &err), 0);
	assert_int_equal(count_entries(dir), 1);
}

static void publishes_in_the_current_directory(void **state)
{
	const struct directory *dir = *state;
	_cleanup_close_ int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	assert_true(here >= 0);
	assert_int_equal(fchdir(dir->fd), 0);
	r = file_publish("plain", "x", 1, 0600, NULL);
	assert_int_equal(fchdir(here), 0);
	assert_int_equal(r, 0);
	assert_int_equal(faccessat(dir->fd, "plain", F_OK, 0), 0);
}

/* A folder of the target's name makes the rename fail after the writing. */
static void a_failed_publication_leaves_nothing_behind(void **state)
{
	const struct directory *dir = *state;
	struct error err = { 0 };
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/folder", dir->path);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(file_publish(path, "x", 1, 0600, &err), -EISDIR);
	assert_non_null(strstr(err.msg, path));
	assert_int_equal(count_entries(dir), 1);
	(void)snprintf(path, sizeof(path), "%s/none/file", dir->path);
	assert_int_equal(file_publish(path, "x", 1, 0600, &err), -ENOENT);
}

static void refuses_an_endless_path(void **state)
{
	char path[PATH_MAX + 1];

	(void)state;
	memset(path, 'a', PATH_MAX);
	path[PATH_MAX] = '\0';
	assert_int_equal(file_publish(path, "x", 1, 0600, NULL), -E2BIG);
}

static void lists_a_directory(void **state)
{
	const struct directory *dir = *state;
	_cleanup_closedir_ DIR *stream = NULL;

	put(dir, "plain", "x", 1);
	stream = file_open_dir(dir->fd, ".");
	assert_non_null(stream);
	assert_null(file_open_dir(dir->fd, "plain"));
	assert_int_equal(errno, ENOTDIR);
	assert_null(file_open_dir(dir->fd, "none"));
	assert_int_equal(errno, ENOENT);
}

static void syncs_what_holds_a_name(void **state)
{
	static const char *const good[] = { "plain", "folder/x", "folder/", "./plain", "/none" };
	const struct directory *dir = *state;

	assert_int_equal(mkdirat(dir->fd, "folder", 0755), 0);
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_int_equal(file_sync_parent(dir->fd, good[i]), 0);
	assert_int_equal(file_sync_parent(dir->fd, "none/x"), -ENOENT);
}

static void writes_all_or_says_why(void **state)
{
	const struct directory *dir = *state;
	_cleanup_close_ int fd = openat(dir->fd, "new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	_cleanup_close_ int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	char buf[16];

	assert_int_equal(file_write_all(fd, "some", 4), 0);
	assert_int_equal(file_write_all(fd, NULL, 0), 0);
	assert_int_equal(file_read(dir->fd, "new", buf, sizeof(buf), NULL), 4);
	assert_int_equal(file_write_all(full, "some", 4), -ENOSPC);
}

static void knows_char_devices(void **state)
{
	static const struct {
		const char *name;
		int r;
	} cases[] = {
		{ "/dev/null", 0 }, { "to_null", 0 },	    { "file", -ENODEV },
		{ ".", -ENODEV },   { "nothing", -ENOENT }, { "dangling", -ENOENT },
	};
	const struct directory *dir = *state;

	put(dir, "file", "", 0);
	assert_int_equal(symlinkat("/dev/null", dir->fd, "to_null"), 0);
	assert_int_equal(symlinkat("nowhere", dir->fd, "dangling"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(file_is_char_device(dir->fd, cases[i].name), cases[i].r);
}

static void reads_at_a_place(void **state)
{
	const struct directory *dir = *state;
	_cleanup_close_ int fd = -1;
	char buf[8] = { 0 };

	put(dir, "a", "abcdef", 6);
	fd = openat(dir->fd, "a", O_RDONLY | O_CLOEXEC);
	assert_int_equal(file_pread(fd, buf, 3, 2), 3);
	assert_memory_equal(buf, "cde", 3);
	assert_int_equal(file_pread(fd, buf, 8, 4), 2);
	assert_int_equal(file_pread(fd, buf, 8, 6), 0);
	assert_int_equal(file_pread(dir->fd, buf, 8, 0), -EISDIR);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_directory, remove_directory)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(reads_at_a_place),
		TEST(reads_whole_files),
		TEST(says_why_it_cannot_read),
		TEST(reads_only_files),
		TEST(stays_below_a_directory),
		TEST(does_without_openat2),
		TEST(reads_text),
		TEST(publishes_and_replaces),
		TEST(publishes_in_the_current_directory),
		TEST(a_failed_publication_leaves_nothing_behind),
		TEST(refuses_an_endless_path),
		TEST(lists_a_directory),
		TEST(syncs_what_holds_a_name),
		TEST(writes_all_or_says_why),
		TEST(knows_char_devices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
