/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/store/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

#define NAME_MAX_BYTES 256 /* a name in a directory */

int durable_sync_dir(int dirfd, const char *path, struct error *err)
{
	_cleanup_close_ int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return error_set(err, errno, "open directory '%s': %m", path);
	if (fsync(fd) < 0)
		return error_set(err, errno, "sync directory '%s': %m", path);
	return 0;
}

int durable_mkdir(int dirfd, const char *path, struct error *err)
{
	int r;

	if (mkdirat(dirfd, path, 0755) < 0) {
		if (errno == EEXIST)
			return 0;
		return error_set(err, errno, "make directory '%s': %m", path);
	}
	r = file_sync_parent(dirfd, path);
	return r < 0 ? error_set(err, -r, "sync the directory of '%s': %s", path, strerror(-r)) : 0;
}

static int write_new(int dirfd, const char *name, const void *data, size_t len, mode_t mode)
{
	_cleanup_close_ int fd = -1;
	int r;

	(void)unlinkat(dirfd, name, 0);
	fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = file_write_all(fd, data, len);
	if (r < 0)
		return r;
	return fchmod(fd, mode) < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* Renames what was made under another name, and takes it away if that fails. */
static int replace(int dirfd, const char *temporary, const char *name, int r)
{
	if (r == 0 && renameat(dirfd, temporary, dirfd, name) < 0)
		r = -errno;
	if (r < 0)
		(void)unlinkat(dirfd, temporary, 0);
	if (r == 0 && fsync(dirfd) < 0)
		r = -errno;
	return r;
}

static int open_dir(int dirfd, const char *dir, const char *name, char temporary[NAME_MAX_BYTES],
		    struct error *err)
{
	int fd = openat(dirfd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return error_set(err, errno, "open directory '%s': %m", dir);
	(void)snprintf(temporary, NAME_MAX_BYTES, ".%s.new", name);
	return fd;
}

int durable_publish(int dirfd, const char *dir, const char *name, const void *data, size_t len,
		    mode_t mode, struct error *err)
{
	char temporary[NAME_MAX_BYTES];
	_cleanup_close_ int fd = open_dir(dirfd, dir, name, temporary, err);
	int r;

	if (fd < 0)
		return fd;
	r = replace(fd, temporary, name, write_new(fd, temporary, data, len, mode));
	if (r < 0) {
		errno = -r;
		return error_set(err, errno, "write '%s/%s': %m", dir, name);
	}
	return 0;
}

int durable_link(int dirfd, const char *dir, const char *name, const char *target,
		 struct error *err)
{
	char temporary[NAME_MAX_BYTES];
	_cleanup_close_ int fd = open_dir(dirfd, dir, name, temporary, err);
	int r;

	if (fd < 0)
		return fd;
	(void)unlinkat(fd, temporary, 0);
	r = symlinkat(target, fd, temporary) < 0 ? -errno : 0;
	r = replace(fd, temporary, name, r);
	if (r < 0) {
		errno = -r;
		return error_set(err, errno, "write link '%s/%s': %m", dir, name);
	}
	return 0;
}
