/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/store/unfinished.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "reservoir/store/store_private.h"

#define UNFINISHED_DIR "unfinished"
#define PATH_SIZE (sizeof(UNFINISHED_DIR) + 1 + STORE_NAME_MAX)

static void put_path(char path[PATH_SIZE], const char *name)
{
	(void)snprintf(path, PATH_SIZE, UNFINISHED_DIR "/%.*s", STORE_NAME_MAX - 1, name);
}

static bool is_young(const struct stat *st, int64_t now)
{
	return st->st_mtim.tv_sec > now - UNFINISHED_S;
}

int unfinished_begin(struct store *store, const char *name, struct error *err)
{
	_cleanup_close_ int fd = -1;
	int dirfd = store_dirfd(store);
	char path[PATH_SIZE];
	/* What this process has found already was touched since then. */
	const struct timespec times[2] = { store->since, store->since };
	struct stat st;

	put_path(path, name);
	if (fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    is_young(&st, (int64_t)time(NULL)))
		return 0;
	if (mkdirat(dirfd, UNFINISHED_DIR, 0755) < 0 && errno != EEXIST)
		return error_set(err, errno, "make '" UNFINISHED_DIR "' in the store: %m");
	fd = openat(dirfd, path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0 || futimens(fd, times) < 0)
		return error_set(err, errno, "write '%s' in the store: %m", path);
	return 0;
}

void unfinished_end(struct store *store, const char *name)
{
	char path[PATH_SIZE];

	put_path(path, name);
	(void)unlinkat(store_dirfd(store), path, 0);
}

static bool is_earlier(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

struct timespec unfinished_since(const struct store *store, int64_t now)
{
	_cleanup_closedir_ DIR *dir = file_open_dir(store_dirfd(store), UNFINISHED_DIR);
	struct timespec earliest = { 0 };
	const struct dirent *entry;
	struct stat st;

	if (!dir)
		return earliest;
	for (entry = readdir(dir); entry; entry = readdir(dir))
		if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode) && is_young(&st, now) &&
		    (earliest.tv_sec == 0 || is_earlier(&st.st_mtim, &earliest)))
			earliest = st.st_mtim;
	return earliest;
}
