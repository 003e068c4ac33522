/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "api/cdi/directory.h"
#include "base/cleanup.h"
#include "base/file.h"

#define NPU_FILE "silica-furiosa.ai_npu.json"
#define NOBODY 65534

/* A folder for a test, and in it the directory `cdi`, which is not made yet. */
struct fixture {
	char root[64];
	char path[80];
	int fd; /* of root */
	struct cdi_directory *dir;
};

static const struct cdi_device_node nodes[] = {
	{ .path = "/dev/npu0", .permissions = "rw" },
	{ .path = "/dev/npu1", .permissions = "rw" },
};
static const struct cdi_device npus[] = {
	{ .name = "npu0", .edits = { .device_nodes = &nodes[0], .n_device_nodes = 1 } },
	{ .name = "npu1", .edits = { .device_nodes = &nodes[1], .n_device_nodes = 1 } },
};
static const struct cdi_device broken[] = { { .name = "npu:0" } };

static const struct cdi_file one_npu = {
	.spec = { .kind = "furiosa.ai/npu", .devices = npus, .n_devices = 1 },
};
static const struct cdi_file two_npus = {
	.spec = { .kind = "furiosa.ai/npu", .devices = npus, .n_devices = 2 },
};
static const struct cdi_file no_npus = {
	.spec = { .kind = "furiosa.ai/npu", .devices = npus, .n_devices = 0 },
};
static const struct cdi_file half_npus = {
	.resource = "furiosa.ai/npu-half",
	.spec = { .kind = "furiosa.ai/npu-half", .devices = npus, .n_devices = 2 },
};
static const struct cdi_file broken_npus = {
	.spec = { .kind = "furiosa.ai/npu", .devices = broken, .n_devices = 1 },
};

static int set_up(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture) { .root = "/tmp/test_directory.XXXXXX" };
	if (!mkdtemp(fixture.root) || chmod(fixture.root, 0755) < 0)
		return -1;
	(void)snprintf(fixture.path, sizeof(fixture.path), "%s/cdi", fixture.root);
	fixture.fd = open(fixture.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = &fixture;
	return fixture.fd < 0
		       ? -1
		       : cdi_directory_new(fixture.path, CDI_DIRECTORY_PREFIX, &fixture.dir, NULL);
}

static void remove_entries(int dirfd)
{
	DIR *stream = fdopendir(dirfd);

	for (struct dirent *entry = stream ? readdir(stream) : NULL; entry;
	     entry = readdir(stream)) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd, entry->d_name, 0) < 0)
			(void)unlinkat(dirfd, entry->d_name, AT_REMOVEDIR);
	}
	if (stream)
		(void)closedir(stream);
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	int cdi = openat(fixture->fd, "cdi", O_RDONLY | O_DIRECTORY | O_NOFOLLOW);

	cdi_directory_free(fixture->dir);
	if (cdi >= 0)
		remove_entries(cdi);
	remove_entries(fixture->fd);
	return rmdir(fixture->root);
}

/* The path of an entry of the directory; valid until the next call. */
static const char *entry(const struct fixture *fixture, const char *name)
{
	static char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/%s", fixture->path, name);
	return path;
}

static void put(const struct fixture *fixture, const char *name, const char *text)
{
	assert_int_equal(file_publish(entry(fixture, name), text, strlen(text), 0644, NULL), 0);
}

static bool exists(const struct fixture *fixture, const char *name)
{
	struct stat st;

	return lstat(entry(fixture, name), &st) == 0;
}

static struct stat status(const struct fixture *fixture, const char *name)
{
	struct stat st = { 0 };

	assert_int_equal(lstat(entry(fixture, name), &st), 0);
	return st;
}

static size_t count_entries(const struct fixture *fixture)
{
	_cleanup_closedir_ DIR *stream = opendir(fixture->path);
	size_t n = 0;

	assert_non_null(stream);
	while (readdir(stream))
		n++;
	return n - 2; /* "." and ".." */
}

static void assert_holds(const struct fixture *fixture, const char *name,
			 const struct cdi_file *file)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(CDI_SPEC_MAX);
	char contents[4096];
	ssize_t len = file_read(AT_FDCWD, entry(fixture, name), contents, sizeof(contents), NULL);

	assert_int_equal(cdi_encode(&file->spec, &text, NULL), 0);
	assert_int_equal(len, text.len);
	assert_memory_equal(contents, text.data, text.len);
}

static int publish(const struct fixture *fixture, const struct cdi_file *file, struct error *err)
{
	return cdi_directory_publish(fixture->dir, file, 1, err);
}

static void writes_specs_into_a_new_directory(void **state)
{
	const struct fixture *fixture = *state;
	const struct cdi_file files[] = { one_npu, half_npus };
	mode_t mask = umask(077);
	int r = cdi_directory_publish(fixture->dir, files, 2, NULL);

	(void)umask(mask);
	assert_int_equal(r, 2);
	assert_holds(fixture, NPU_FILE, &one_npu);
	assert_holds(fixture, "silica-furiosa.ai_npu-half@furiosa.ai_npu-half.json", &half_npus);
	assert_int_equal(status(fixture, NPU_FILE).st_mode & 07777, 0644);
	assert_int_equal(count_entries(fixture), 2);
}

static void writes_only_what_changes(void **state)
{
	const struct fixture *fixture = *state;
	struct cdi_file files[] = { one_npu, half_npus };
	struct cdi_directory *again = NULL;
	ino_t first, other;

	assert_int_equal(cdi_directory_publish(fixture->dir, files, 2, NULL), 2);
	first = status(fixture, NPU_FILE).st_ino;
	other = status(fixture, "silica-furiosa.ai_npu-half@furiosa.ai_npu-half.json").st_ino;
	assert_int_equal(cdi_directory_publish(fixture->dir, files, 2, NULL), 0);
	/* Also by a program that has just started. */
	assert_int_equal(cdi_directory_new(fixture->path, CDI_DIRECTORY_PREFIX, &again, NULL), 0);
	assert_int_equal(cdi_directory_publish(again, files, 2, NULL), 0);
	cdi_directory_free(again);
	assert_int_equal(status(fixture, NPU_FILE).st_ino, first);
	files[0] = two_npus;
	assert_int_equal(cdi_directory_publish(fixture->dir, files, 2, NULL), 1);
	assert_int_not_equal(status(fixture, NPU_FILE).st_ino, first);
	assert_int_equal(
		status(fixture, "silica-furiosa.ai_npu-half@furiosa.ai_npu-half.json").st_ino,
		other);
	assert_holds(fixture, NPU_FILE, &two_npus);
}

static void puts_right_what_others_have_done(void **state)
{
	const struct fixture *fixture = *state;
	struct stat st;

	assert_int_equal(publish(fixture, &one_npu, NULL), 1);
	st = status(fixture, NPU_FILE);
	assert_int_equal(truncate(entry(fixture, NPU_FILE), st.st_size - 1), 0);
	assert_int_equal(publish(fixture, &one_npu, NULL), 1);
	assert_int_equal(truncate(entry(fixture, NPU_FILE), 0), 0);
	assert_int_equal(truncate(entry(fixture, NPU_FILE), st.st_size), 0);
	assert_int_equal(publish(fixture, &one_npu, NULL), 1);
	assert_int_equal(chmod(entry(fixture, NPU_FILE), 0600), 0);
	assert_int_equal(publish(fixture, &one_npu, NULL), 1);
	assert_int_equal(status(fixture, NPU_FILE).st_mode & 07777, 0644);
	assert_int_equal(unlink(entry(fixture, NPU_FILE)), 0);
	assert_int_equal(publish(fixture, &one_npu, NULL), 1);
	assert_holds(fixture, NPU_FILE, &one_npu);
	assert_int_equal(publish(fixture, &one_npu, NULL), 0);
}

static void removes_what_nobody_owns(void **state)
{
	static const struct {
		const char *name;
		bool stays;
	} cases[] = {
		{ NPU_FILE, true },
		{ "silica-furiosa.ai_warboy.json", false },
		{ "silica-.json", false },
		{ "silica-notes.txt", true },
		{ "silica-furiosa.ai_npu.yaml", true },
		{ "silica.json", true },
		{ "nvidia.com-gpu.json", true },
		{ "furiosa.json", true },
		{ "x-silica-furiosa.ai_npu.json", true },
		{ NPU_FILE ".a1B2c3", true }, /* young: somebody may be writing it */
		{ NPU_FILE ".a1B2c", true },
	};
	const struct fixture *fixture = *state;

	assert_int_equal(mkdir(fixture->path, 0755), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		put(fixture, cases[i].name, "{}");
	assert_int_equal(publish(fixture, &one_npu, NULL), 3);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(exists(fixture, cases[i].name), cases[i].stays);
}

static void removes_old_temporary_files(void **state)
{
	static const char name[] = NPU_FILE ".a1B2c3";
	const struct fixture *fixture = *state;
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = time(NULL) - 3600 } };

	assert_int_equal(publish(fixture, &one_npu, NULL), 1);
	put(fixture, name, "{");
	assert_int_equal(utimensat(AT_FDCWD, entry(fixture, name), times, 0), 0);
	assert_int_equal(publish(fixture, &one_npu, NULL), 1);
	assert_false(exists(fixture, name));
	assert_true(exists(fixture, NPU_FILE));
}

static void removes_no_links_and_no_directories(void **state)
{
	const struct fixture *fixture = *state;

	assert_int_equal(publish(fixture, &one_npu, NULL), 1);
	assert_int_equal(symlinkat(NPU_FILE, fixture->fd, "cdi/silica-link.json"), 0);
	assert_int_equal(mkdirat(fixture->fd, "cdi/silica-folder.json", 0755), 0);
	assert_int_equal(publish(fixture, &no_npus, NULL), 1);
	assert_true(exists(fixture, "silica-link.json"));
	assert_true(exists(fixture, "silica-folder.json"));
	assert_false(exists(fixture, NPU_FILE));
}

static void a_resource_without_devices_has_no_file(void **state)
{
	const struct fixture *fixture = *state;

	assert_int_equal(publish(fixture, &no_npus, NULL), 0);
	assert_int_equal(access(fixture->path, F_OK), -1);
	assert_int_equal(publish(fixture, &one_npu, NULL), 1);
	assert_int_equal(publish(fixture, &no_npus, NULL), 1);
	assert_int_equal(count_entries(fixture), 0);
	assert_int_equal(publish(fixture, &one_npu, NULL), 1);
	assert_int_equal(cdi_directory_publish(fixture->dir, NULL, 0, NULL), 1);
	assert_int_equal(count_entries(fixture), 0);
}

static void replaces_a_link_and_leaves_its_target(void **state)
{
	const struct fixture *fixture = *state;
	char contents[16];

	assert_int_equal(mkdir(fixture->path, 0755), 0);
	put(fixture, "target", "untouched");
	assert_int_equal(symlinkat("target", fixture->fd, "cdi/" NPU_FILE), 0);
	assert_int_equal(publish(fixture, &one_npu, NULL), 1);
	assert_true(S_ISREG(status(fixture, NPU_FILE).st_mode));
	assert_int_equal(file_read(fixture->fd, "cdi/target", contents, sizeof(contents), NULL), 9);
	assert_string_equal(contents, "untouched");
}

/* A spec that fails, for whatever reason, keeps its former file, the others are
 * written, and what would be removed waits. */
static void a_failure_leaves_the_former_spec(void **state)
{
	const struct fixture *fixture = *state;
	const struct cdi_file files[] = { broken_npus, half_npus };
	struct error err = { 0 };

	assert_int_equal(publish(fixture, &one_npu, NULL), 1);
	put(fixture, "silica-orphan.json", "{}");
	assert_int_equal(cdi_directory_publish(fixture->dir, files, 2, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "'npu:0'"));
	assert_holds(fixture, NPU_FILE, &one_npu);
	assert_true(exists(fixture, "silica-furiosa.ai_npu-half@furiosa.ai_npu-half.json"));
	assert_true(exists(fixture, "silica-orphan.json"));
}

static void a_full_disk_leaves_the_former_spec(void **state)
{
	const struct fixture *fixture = *state;
	struct rlimit saved, limit;
	struct error err = { 0 };
	int r;

	assert_int_equal(publish(fixture, &one_npu, NULL), 1);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &saved), 0);
	limit = (struct rlimit) { .rlim_cur = 64, .rlim_max = saved.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	r = publish(fixture, &two_npus, &err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &saved), 0);
	assert_int_equal(r, -EFBIG);
	assert_non_null(strstr(err.msg, "furiosa.ai/npu"));
	assert_non_null(strstr(err.msg, entry(fixture, NPU_FILE)));
	assert_non_null(strstr(err.msg, "raise the limit"));
	assert_holds(fixture, NPU_FILE, &one_npu);
	assert_int_equal(count_entries(fixture), 1);
	assert_int_equal(publish(fixture, &two_npus, &err), 1);
	assert_holds(fixture, NPU_FILE, &two_npus);
}

/* Root may write anywhere, so it becomes somebody else for the moment. */
static void a_directory_it_may_not_write_to(void **state)
{
	const struct fixture *fixture = *state;
	uid_t user = geteuid();
	struct error changed = { 0 }, gone = { 0 };
	int r_changed, r_gone;

	assert_int_equal(publish(fixture, &one_npu, NULL), 1);
	assert_int_equal(chmod(fixture->path, 0555), 0);
	if (user == 0 && seteuid(NOBODY) < 0)
		skip();
	r_changed = publish(fixture, &two_npus, &changed);
	r_gone = publish(fixture, &no_npus, &gone);
	assert_int_equal(seteuid(user), 0);
	assert_int_equal(chmod(fixture->path, 0755), 0);
	assert_int_equal(r_changed, -EACCES);
	assert_non_null(strstr(changed.msg, "could not be renewed; let the program's user write"));
	assert_int_equal(r_gone, -EACCES);
	assert_non_null(strstr(gone.msg, "no longer wanted but stays; let the program's user"));
	assert_holds(fixture, NPU_FILE, &one_npu);
}

static void a_directory_in_the_place_of_a_file(void **state)
{
	const struct fixture *fixture = *state;
	struct error err = { 0 };

	assert_int_equal(mkdir(fixture->path, 0755), 0);
	assert_int_equal(mkdirat(fixture->fd, "cdi/" NPU_FILE, 0755), 0);
	assert_int_equal(publish(fixture, &one_npu, &err), -EISDIR);
	assert_non_null(strstr(err.msg, "remove the directory in the file's place"));
	assert_non_null(strstr(err.msg, entry(fixture, NPU_FILE)));
	assert_int_equal(count_entries(fixture), 1);
}

static void refuses_what_is_no_directory(void **state)
{
	const struct fixture *fixture = *state;
	struct cdi_directory *dir = NULL;
	struct error err = { 0 };
	char path[128];

	assert_int_equal(mkdirat(fixture->fd, "elsewhere", 0755), 0);
	assert_int_equal(symlinkat("elsewhere", fixture->fd, "cdi"), 0);
	assert_int_equal(publish(fixture, &one_npu, &err), -ELOOP);
	assert_non_null(strstr(err.msg, "symbolic link"));
	/* A slash at the end does not help it through. */
	(void)snprintf(path, sizeof(path), "%s//", fixture->path);
	assert_int_equal(cdi_directory_new(path, "silica-", &dir, NULL), 0);
	assert_int_equal(cdi_directory_publish(dir, &one_npu, 1, &err), -ELOOP);
	cdi_directory_free(dir);
	assert_int_equal(count_entries(fixture), 0);
	assert_int_equal(unlinkat(fixture->fd, "elsewhere", AT_REMOVEDIR), 0);
	assert_int_equal(publish(fixture, &no_npus, &err), -ELOOP);
	assert_int_equal(unlinkat(fixture->fd, "cdi", 0), 0);
	assert_int_equal(file_publish(fixture->path, "x", 1, 0644, NULL), 0);
	assert_int_equal(publish(fixture, &one_npu, &err), -ENOTDIR);
	assert_non_null(strstr(err.msg, fixture->path));
}

static void makes_no_parents(void **state)
{
	const struct fixture *fixture = *state;
	_cleanup_(cdi_directory_freep) struct cdi_directory *dir = NULL;
	struct error err = { 0 };

	assert_int_equal(cdi_directory_new(entry(fixture, "below"), "silica-", &dir, NULL), 0);
	assert_int_equal(cdi_directory_publish(dir, &one_npu, 1, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "create its parent directory first"));
	assert_int_equal(mkdir(fixture->path, 0755), 0);
	assert_int_equal(cdi_directory_publish(dir, &one_npu, 1, &err), 1);
	assert_int_equal(unlinkat(fixture->fd, "cdi/below/" NPU_FILE, 0), 0);
}

static void refuses_sets_that_do_not_go_together(void **state)
{
	const struct cdi_file named = {
		.resource = "a.b/c",
		.spec = { .kind = "furiosa.ai/npu", .devices = &npus[1], .n_devices = 1 }
	};
	const struct {
		struct cdi_file files[2];
		int r;
		const char *text;
	} cases[] = {
		{ { one_npu, named }, 2, NULL },
		{ { one_npu, two_npus }, -EEXIST, "'" NPU_FILE "'" },
		{ { two_npus, named }, -EEXIST, "'furiosa.ai/npu=npu1' is there twice" },
	};
	const struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = { 0 };

		assert_int_equal(cdi_directory_publish(fixture->dir, cases[i].files, 2, &err),
				 cases[i].r);
		if (cases[i].text)
			assert_non_null(strstr(err.msg, cases[i].text));
	}
	assert_int_equal(cdi_directory_publish(fixture->dir, &one_npu, CDI_FILES_MAX + 1, NULL),
			 -E2BIG);
	assert_int_equal(count_entries(fixture), 2);
}

static void checks_what_names_a_file(void **state)
{
	static const struct {
		const char *kind, *resource;
		int r;
	} cases[] = {
		{ "furiosa.ai/npu", NULL, 1 },
		{ "furiosa.ai/npu", "furiosa.ai/npu_4-core", 2 },
		{ "furiosa.ai", NULL, -EINVAL },
		{ "../npu", NULL, -EINVAL },
		{ "furiosa.ai/npu", "", -EINVAL },
		{ "furiosa.ai/npu", "npu", -EINVAL },
		{ "furiosa.ai/npu", "/npu", -EINVAL },
		{ "furiosa.ai/npu", "furiosa.ai/", -EINVAL },
		{ "furiosa.ai/npu", "a/b/c", -EINVAL },
		{ "furiosa.ai/npu", "a_b/c", -EINVAL },
		{ "furiosa.ai/npu", "a/b@c", -EINVAL },
	};
	const struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct cdi_file file = {
			.resource = cases[i].resource,
			.spec = { .kind = cases[i].kind, .devices = npus, .n_devices = 1 },
		};

		assert_int_equal(publish(fixture, &file, NULL), cases[i].r);
	}
}

/* Room is left for what file_publish() puts behind a name. */
static void refuses_names_past_the_file_system(void **state)
{
	enum { LONGEST = NAME_MAX - 7 - (int)sizeof("silica-furiosa.ai_npu@a_.json") + 1 };
	const struct fixture *fixture = *state;
	char resource[NAME_MAX] = "a/";
	const struct cdi_file file = {
		.resource = resource,
		.spec = { .kind = "furiosa.ai/npu", .devices = npus, .n_devices = 1 },
	};
	struct error err = { 0 };

	memset(resource + 2, 'n', LONGEST);
	assert_int_equal(publish(fixture, &file, NULL), 1);
	resource[2 + LONGEST] = 'n';
	assert_int_equal(publish(fixture, &file, &err), -ENAMETOOLONG);
	assert_non_null(strstr(err.msg, "too long for the name of a file"));
}

static void checks_paths_and_prefixes(void **state)
{
	static const struct {
		const char *path, *prefix;
		int r;
	} cases[] = {
		{ "/var/run/cdi", "silica-", 0 },	 { "/", "s", 0 },
		{ "var/run/cdi", "silica-", -EINVAL },	 { "", "silica-", -EINVAL },
		{ "/var/run/cdi", "", -EINVAL },	 { "/var/run/cdi", "../silica-", -EINVAL },
		{ "/var/run/cdi", ".silica-", -EINVAL }, { "/var/run/cdi", "silica/", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(cdi_directory_freep) struct cdi_directory *dir = NULL;

		assert_int_equal(cdi_directory_new(cases[i].path, cases[i].prefix, &dir, NULL),
				 cases[i].r);
		assert_int_equal(dir != NULL, cases[i].r == 0);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(writes_specs_into_a_new_directory),
		TEST(writes_only_what_changes),
		TEST(puts_right_what_others_have_done),
		TEST(removes_what_nobody_owns),
		TEST(removes_old_temporary_files),
		TEST(removes_no_links_and_no_directories),
		TEST(a_resource_without_devices_has_no_file),
		TEST(replaces_a_link_and_leaves_its_target),
		TEST(a_failure_leaves_the_former_spec),
		TEST(a_full_disk_leaves_the_former_spec),
		TEST(a_directory_it_may_not_write_to),
		TEST(a_directory_in_the_place_of_a_file),
		TEST(refuses_what_is_no_directory),
		TEST(makes_no_parents),
		TEST(refuses_sets_that_do_not_go_together),
		TEST(checks_what_names_a_file),
		TEST(refuses_names_past_the_file_system),
		cmocka_unit_test(checks_paths_and_prefixes),
	};
	const struct sigaction ignore = { .sa_handler = SIG_IGN };

	/* Else a write past RLIMIT_FSIZE ends the process. */
	(void)sigaction(SIGXFSZ, &ignore, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
