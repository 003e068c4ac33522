/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the store asks of the file system, and in which order: calls are watched, and
 * made to fail one after the other.
 *
 * The rules that are watched at every rename: content is synced before it has its
 * name; all names and the generation's file are synced before `current` is
 * changed; when a publish returns, `current` is synced too.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "tests/unit/reservoir/store/content.h"

#define DIRTY_MAX 4096
#define FILES 9
#define MANY 700u /* more than wait at once */
#define LARGE ((size_t)1024 * 1024 + 5)

enum call {
	CALL_FSYNC,
	CALL_SYNCFS,
	CALL_RENAMEAT,
	CALL_WRITE,
	CALL_OPENAT,
	CALL_SYMLINKAT,
	CALL_MKDIRAT,
	CALL_FCHMOD,
	_CALL_MAX,
};

/* What is synced is synced beside each other, and what is large is written so; all else
 * is the test's own thread. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static struct {
	bool watching;
	bool creating;
	unsigned int left; /* calls until one fails; 0 for none */
	int code;	   /* what it fails with */
	bool failed;
	unsigned int n[_CALL_MAX];
	ino_t dirty[DIRTY_MAX]; /* files and directories that changed since their sync */
	size_t n_dirty;
	unsigned int checked; /* renames */
} disk;

int __real_fsync(int fd);
int __real_syncfs(int fd);
int __real_renameat(int from_fd, const char *from, int to_fd, const char *to);
ssize_t __real_write(int fd, const void *data, size_t len);
int __real_openat(int fd, const char *path, int flags, ...);
int __real_symlinkat(const char *target, int fd, const char *path);
int __real_mkdirat(int fd, const char *path, mode_t mode);
int __real_fchmod(int fd, mode_t mode);
int __wrap_fsync(int fd);
int __wrap_syncfs(int fd);
int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to);
ssize_t __wrap_write(int fd, const void *data, size_t len);
int __wrap_openat(int fd, const char *path, int flags, ...);
int __wrap_symlinkat(const char *target, int fd, const char *path);
int __wrap_mkdirat(int fd, const char *path, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode);

static bool fails_now(enum call call)
{
	if (!disk.watching)
		return false;
	disk.n[call]++;
	if (disk.left == 0 || --disk.left > 0)
		return false;
	disk.failed = true;
	return true;
}

/* Whether this call is the one that fails. */
static bool fails(enum call call)
{
	bool failed;

	(void)pthread_mutex_lock(&mutex);
	failed = fails_now(call);
	(void)pthread_mutex_unlock(&mutex);
	if (failed)
		errno = disk.code;
	return failed;
}

static bool is_dirty(ino_t ino)
{
	for (size_t i = 0; i < disk.n_dirty; i++)
		if (disk.dirty[i] == ino)
			return true;
	return false;
}

static void make_dirty(ino_t ino)
{
	if (!disk.watching)
		return;
	(void)pthread_mutex_lock(&mutex);
	if (!is_dirty(ino)) {
		assert_true(disk.n_dirty < DIRTY_MAX);
		disk.dirty[disk.n_dirty++] = ino;
	}
	(void)pthread_mutex_unlock(&mutex);
}

static void make_clean(ino_t ino)
{
	(void)pthread_mutex_lock(&mutex);
	for (size_t i = 0; i < disk.n_dirty; i++)
		if (disk.dirty[i] == ino)
			disk.dirty[i--] = disk.dirty[--disk.n_dirty];
	(void)pthread_mutex_unlock(&mutex);
}

static ino_t ino_at(int fd, const char *path)
{
	struct stat st;

	return fstatat(fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ? 0 : st.st_ino;
}

static ino_t parent_ino(int fd, const char *path)
{
	char parent[256] = ".";
	const char *slash = strrchr(path, '/');

	if (slash)
		(void)snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path), path);
	return ino_at(fd, parent);
}

int __wrap_fsync(int fd)
{
	struct stat st;
	int r;

	if (fails(CALL_FSYNC) || fstat(fd, &st) < 0)
		return -1;
	r = __real_fsync(fd);
	if (r == 0)
		make_clean(st.st_ino);
	return r;
}

int __wrap_syncfs(int fd)
{
	if (fails(CALL_SYNCFS))
		return -1;
	disk.n_dirty = 0;
	return __real_syncfs(fd);
}

int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	/* Of a store that is being made, the last file. */
	bool is_last = strcmp(to, disk.creating ? "format" : "current") == 0;
	int r;

	if (fails(CALL_RENAMEAT))
		return -1;
	/* Waiting for a sync is no name. */
	if (disk.watching && !strstr(to, ".whole")) {
		assert_false(is_dirty(ino_at(from_fd, from)));
		disk.checked++;
	}
	if (disk.watching && is_last)
		assert_int_equal(disk.n_dirty, 0);
	r = __real_renameat(from_fd, from, to_fd, to);
	if (r == 0 && !strstr(to, ".whole"))
		make_dirty(parent_ino(to_fd, to));
	return r;
}

ssize_t __wrap_write(int fd, const void *data, size_t len)
{
	struct stat st;

	if (fails(CALL_WRITE))
		return -1;
	if (disk.watching && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink > 0)
		make_dirty(st.st_ino);
	return __real_write(fd, data, len);
}

int __wrap_openat(int fd, const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list args;

	va_start(args, flags);
	if (flags & (O_CREAT | __O_TMPFILE))
		mode = va_arg(args, mode_t);
	va_end(args);
	return fails(CALL_OPENAT) ? -1 : __real_openat(fd, path, flags, mode);
}

int __wrap_symlinkat(const char *target, int fd, const char *path)
{
	return fails(CALL_SYMLINKAT) ? -1 : __real_symlinkat(target, fd, path);
}

int __wrap_mkdirat(int fd, const char *path, mode_t mode)
{
	int r = fails(CALL_MKDIRAT) ? -1 : __real_mkdirat(fd, path, mode);

	if (r == 0)
		make_dirty(parent_ino(fd, path));
	return r;
}

int __wrap_fchmod(int fd, mode_t mode)
{
	return fails(CALL_FCHMOD) ? -1 : __real_fchmod(fd, mode);
}

/* -- One publish -------------------------------------------------------- */

static int put_large(struct store *store, unsigned int number, struct error *err)
{
	_cleanup_(staging_freep) struct staging *staging = NULL;
	_cleanup_free_ char *bytes = calloc(1, LARGE);
	int r = staging_open(store, "large", &staging, err);

	assert_non_null(bytes);
	(void)snprintf(bytes, LARGE, "large %u", number);
	if (r == 0)
		r = staging_restart(staging, err);
	if (r == 0)
		r = staging_write(staging, bytes, LARGE, err);
	return r < 0 ? r : staging_finish(staging, NULL, NULL, err);
}

/* Publishes files that no generation had; from opening the store on. */
static int publish(const struct scratch *scratch, unsigned int first, struct error *err)
{
	unsigned int numbers[FILES];
	_cleanup_(store_closep) struct store *store = NULL;
	int r = store_open(scratch->store, STORE_WRITE, &store, err);

	for (unsigned int i = 0; i < FILES; i++)
		numbers[i] = first + i;
	if (r == 0)
		r = put_large(store, first, err);
	return r < 0 ? r : content_publish(store, "a", numbers, FILES, err);
}

static void watch(unsigned int left, int code)
{
	memset(&disk, 0, sizeof(disk));
	disk.watching = true;
	disk.left = left;
	disk.code = code;
}

static unsigned int first_file(const struct scratch *scratch)
{
	_cleanup_(store_closep) struct store *store = scratch_open(scratch, STORE_READ);
	_cleanup_(generation_freep) struct generation *generation = NULL;
	_cleanup_(manifest_freep) struct manifest *manifest = NULL;
	struct manifest_cursor cursor;
	struct manifest_entry entry;
	struct error err = { 0 };
	unsigned int number = 0;

	assert_int_equal(content_check(store, "current"), FILES);
	assert_int_equal(generation_current(store, &generation, &err), 0);
	assert_int_equal(manifest_open(store, &generation->repositories[0].served, &manifest, &err),
			 0);
	manifest_seek(manifest, "", &cursor);
	assert_true(manifest_next(&cursor, &entry));
	assert_int_equal(sscanf(entry.path, "file-%u", &number), 1);
	return number;
}

static void keeps_the_order(void **state)
{
	struct error err = { 0 };

	watch(0, 0);
	if (publish(*state, 100, &err) < 0)
		fail_msg("%s", err.msg);
	disk.watching = false;
	assert_int_equal(disk.n_dirty, 0);
	/* Files, the large one, the manifest, the generation and `current`. */
	assert_int_equal(disk.checked, FILES + 1 + 1 + 1 + 1);
	/* Of nothing that others have written. */
	assert_int_equal(disk.n[CALL_SYNCFS], 0);
	assert_true(disk.n[CALL_FSYNC] >= FILES + 1);
	assert_int_equal(first_file(*state), 100);
}

/* More than fit into a group: the first ones have their names before the flush. */
static void keeps_the_order_of_groups(void **state)
{
	struct store *store = scratch_open(*state, STORE_WRITE);
	struct error err = { 0 };

	watch(0, 0);
	for (unsigned int i = 0; i < MANY; i++)
		assert_int_equal(object_put(store, &i, sizeof(i), NULL, &err), 0);
	assert_in_range(disk.checked, 1, MANY - 1);
	assert_int_equal(object_flush(store, &err), 0);
	disk.watching = false;
	assert_int_equal(disk.n_dirty, 0);
	assert_int_equal(disk.checked, MANY);
	for (unsigned int i = 0; i < MANY; i++) {
		struct digest digest = digest_of(&i, sizeof(i));

		assert_true(object_exists(store, &digest));
	}
	store_close(store);
}

static void remakes_a_directory_durably(void **state)
{
	const struct scratch *scratch = *state;
	struct error err = { 0 };
	char path[128];

	for (unsigned int i = 0; i < 256; i++) {
		(void)snprintf(path, sizeof(path), "%s/objects/%02x", scratch->store, i);
		assert_int_equal(rmdir(path), 0);
	}
	watch(0, 0);
	assert_int_equal(publish(scratch, 100, &err), 0);
	disk.watching = false;
	assert_true(disk.n[CALL_MKDIRAT] > 0);
	assert_int_equal(first_file(scratch), 100);
}

/* Each call fails once: the old generation is published or the new one, and the next
 * try succeeds. */
static void survives_every_failure(void **state)
{
	static const int codes[] = { ENOSPC, EIO };
	struct error err = { 0 };
	unsigned int old = 1000;

	assert_int_equal(publish(*state, old, &err), 0);
	for (unsigned int n = 1; n < 1000; n++) {
		unsigned int new = 1000 + n * 2 * FILES;
		unsigned int now;
		bool failed;
		int r;

		watch(n, codes[n % ARRAY_SIZE(codes)]);
		r = publish(*state, new, &err);
		failed = disk.failed;
		disk.watching = false;
		now = first_file(*state);
		assert_true(now == new || (r < 0 && now == old));
		assert_true(failed || r == 0);
		if (publish(*state, new + FILES, &err) < 0)
			fail_msg("after the failure of call %u: %s", n, err.msg);
		old = new + FILES;
		assert_int_equal(first_file(*state), old);
		if (!failed) {
			assert_true(n > 40);
			return;
		}
	}
	fail_msg("there is no end of calls");
}

static void creates_or_not(void **state)
{
	const struct scratch *scratch = *state;
	char dir[96];

	(void)snprintf(dir, sizeof(dir), "%s/other", scratch->dir);
	for (unsigned int n = 1;; n += n < 8 ? 1 : n < 260 ? 63 : 3) {
		struct store *store = NULL;
		struct error err = { 0 };
		bool failed;
		int r;

		watch(n, ENOSPC);
		disk.creating = true;
		r = store_create(dir, &err);
		failed = disk.failed;
		disk.watching = false;
		assert_true(failed || r == 0);
		/* A last sync that fails leaves a store, which is told the next time. */
		if (r < 0)
			r = store_create(dir, &err);
		assert_true(r == 0 || r == -EEXIST);
		assert_int_equal(store_open(dir, STORE_WRITE, &store, &err), 0);
		store_close(store);
		folder_remove(dir);
		if (!failed)
			return;
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keeps_the_order),
		TEST(keeps_the_order_of_groups),
		TEST(remakes_a_directory_durably),
		TEST(survives_every_failure),
		TEST(creates_or_not),
	};

	return cmocka_run_group_tests_name("durability", tests, NULL, NULL);
}
