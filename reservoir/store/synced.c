/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/store/synced.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/macro.h"
#include "base/parse.h"

#define SYNCED_DIR "synced"
#define SYNCED_NEW SYNCED_DIR "/.new" /* no repository is called that */
#define PATH_SIZE (sizeof(SYNCED_DIR) + 1 + STORE_NAME_MAX)

static void put_path(char path[PATH_SIZE], const char *name)
{
	(void)snprintf(path, PATH_SIZE, SYNCED_DIR "/%.*s", STORE_NAME_MAX - 1, name);
}

static int write_note(int dirfd, int64_t when, struct error *err)
{
	_cleanup_close_ int fd = openat(
		dirfd, SYNCED_NEW, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);

	if (fd < 0 || dprintf(fd, "%" PRId64 "\n", when) < 0)
		return error_set(err, errno, "write '" SYNCED_NEW "' in the store: %m");
	return 0;
}

int synced_set(struct store *store, const char *name, int64_t when, struct error *err)
{
	int dirfd = store_dirfd(store);
	char path[PATH_SIZE];
	int r;

	if (mkdirat(dirfd, SYNCED_DIR, 0755) < 0 && errno != EEXIST)
		return error_set(err, errno, "make '" SYNCED_DIR "' in the store: %m");
	r = write_note(dirfd, when, err);
	if (r < 0)
		return r;
	put_path(path, name);
	if (renameat(dirfd, SYNCED_NEW, dirfd, path) < 0)
		return error_set(err, errno, "write '%s' in the store: %m", path);
	return 0;
}

int64_t synced_at(const struct store *store, const struct generation_repository *repository)
{
	char path[PATH_SIZE];
	char text[32];
	uint64_t when;

	put_path(path, repository->name);
	if (file_read_text(store_dirfd(store), path, text, sizeof(text), NULL) < 0 ||
	    parse_u64(text, 10, &when) < 0 || when > INT64_MAX)
		return repository->synced;
	return MAX((int64_t)when, repository->synced);
}
