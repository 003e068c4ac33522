/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"

#define DEPTH_MAX 16 /* a card hangs six directories below sys */

/* Takes the errno of the call that just failed. */
static int fail(struct error *err, const char *what, const char *path)
{
	int code = errno;

	return error_set(err, code, "%s '%s': %s", what, path, strerror(code));
}

struct tree_path tree_path(const char *fmt, ...)
{
	struct tree_path path;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(path.text, sizeof(path.text), fmt, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof(path.text))
		path.text[0] = '\0';
	return path;
}

int tree_mkdir(int dirfd, const char *path, struct error *err)
{
	if (mkdirat(dirfd, path, 0755) == 0)
		return 1;
	return errno == EEXIST ? 0 : fail(err, "make directory", path);
}

int tree_mkdirs(int dirfd, const char *path, struct error *err)
{
	char part[TREE_PATH_MAX];
	int r;

	if (path[0] == '\0' || str_copy(part, sizeof(part), path) < 0)
		return error_set(err, ENAMETOOLONG, "path '%s' is empty or too long", path);
	/* The first byte may be the slash of an absolute path: that one is there. */
	for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		r = tree_mkdir(dirfd, part, err);
		if (r < 0)
			return r;
		*slash = '/';
	}
	r = tree_mkdir(dirfd, part, err);
	return r < 0 ? r : 0;
}

int tree_open(int dirfd, const char *path, struct error *err)
{
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? fail(err, "open directory", path) : fd;
}

static int write_file(int dirfd, const char *path, int flags, const char *data, size_t len,
		      struct error *err)
{
	_cleanup_close_ int fd = openat(dirfd, path, O_WRONLY | O_CLOEXEC | flags, 0644);

	if (fd < 0)
		return fail(err, "open", path);
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(err, "write", path);
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

int tree_write(int dirfd, const char *path, const void *data, size_t len, struct error *err)
{
	return write_file(dirfd, path, O_CREAT | O_EXCL, data, len, err);
}

int tree_puts(int dirfd, const char *path, const char *text, struct error *err)
{
	return tree_write(dirfd, path, text, strlen(text), err);
}

int tree_overwrite(int dirfd, const char *path, const void *data, size_t len, struct error *err)
{
	return write_file(dirfd, path, O_TRUNC, data, len, err);
}

int tree_rename_temporary(int root_fd, const char *path, struct error *err)
{
	int r;

	if (renameat(root_fd, TREE_TEMPORARY, root_fd, path) == 0)
		return 0;
	r = fail(err, "rename to", path);
	(void)unlinkat(root_fd, TREE_TEMPORARY, 0);
	return r;
}

int tree_replace(int root_fd, const char *path, const void *data, size_t len, struct error *err)
{
	/* O_TRUNC and no O_EXCL: a run that was killed may have left one behind. */
	int r = write_file(root_fd, TREE_TEMPORARY, O_CREAT | O_TRUNC, data, len, err);

	return r < 0 ? r : tree_rename_temporary(root_fd, path, err);
}

int tree_link(const char *target, int dirfd, const char *path, struct error *err)
{
	return symlinkat(target, dirfd, path) < 0 ? fail(err, "link", path) : 0;
}

/* Does not follow a link: what it leads to is not ours to empty. */
static DIR *open_stream(int parent_fd, const char *path)
{
	_cleanup_close_ int fd =
		openat(parent_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir)
		(void)TAKE_FD(fd);
	return dir;
}

static int remove_entry(int parent_fd, const char *path, unsigned int depth, struct error *err);

static int remove_contents(int parent_fd, const char *path, unsigned int depth, struct error *err)
{
	_cleanup_closedir_ DIR *dir = open_stream(parent_fd, path);
	const struct dirent *entry;
	int r;

	if (!dir)
		return fail(err, "open directory", path);
	for (entry = readdir(dir); entry; entry = readdir(dir)) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		r = remove_entry(dirfd(dir), entry->d_name, depth + 1, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int remove_entry(int parent_fd, const char *path, unsigned int depth, struct error *err)
{
	int r;

	if (unlinkat(parent_fd, path, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR)
		return fail(err, "remove", path);
	if (depth == DEPTH_MAX)
		return error_set(err, ELOOP, "'%s' is too deep", path);
	r = remove_contents(parent_fd, path, depth, err);
	if (r < 0)
		return r;
	return unlinkat(parent_fd, path, AT_REMOVEDIR) < 0 ? fail(err, "remove", path) : 0;
}

int tree_remove(int dirfd, const char *path, struct error *err)
{
	return remove_entry(dirfd, path, 0, err);
}
