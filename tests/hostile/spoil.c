/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/hostile/spoil.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"
#include "tests/sim/tree.h"

#define CUT_MAX 4096		 /* bytes of a file that is cut; an attribute has a page at most */
#define SPARSE_BYTES (1LL << 34) /* more than anyone may read */
/* Up from the deepest entry of a node, and from the node to "/". */
#define UP "../../../../../../../../../../../../../../../../../../../../../../../.."

#define TEXT(NAME, DATA)                                                                 \
	{                                                                                \
		.name = NAME, .kind = SPOIL_TEXT, .data = DATA, .len = sizeof(DATA) - 1, \
	}
#define LINK(NAME, TARGET)                                       \
	{                                                        \
		.name = NAME, .kind = SPOIL_LINK, .data = TARGET \
	}

static const struct spoil table[] = {
	{ .name = "removed", .kind = SPOIL_REMOVED },
	{ .name = "cut", .kind = SPOIL_CUT },
	TEXT("empty", ""),
	TEXT("space", " \t\n"),
	TEXT("garbage", "\x7f\x01\xff\x80\n"),
	TEXT("NUL", "1\0002\n"),
	TEXT("lines", "1\n2\n3\n"),
	TEXT("negative", "-1\n"),
	TEXT("zero", "0\n"),
	TEXT("largest", "18446744073709551615\n"),
	TEXT("too large", "18446744073709551616\n"),
	TEXT("hexadecimal", "0xffffffffffffffff\n"),
	TEXT("format", "%s%n%s%n\n"),
	TEXT("path", "../../../etc/passwd\n"),
	TEXT("quotes", "\"',;$(id)`\\\n"),
	TEXT("UTF-8", "\xc3\xa9\n"),
	{ .name = "line of 255", .kind = SPOIL_FILL, .len = 255 },
	{ .name = "line of 256", .kind = SPOIL_FILL, .len = 256 },
	{ .name = "line of 64 KiB", .kind = SPOIL_FILL, .len = 1 << 16 },
	{ .name = "sparse", .kind = SPOIL_SPARSE },
	{ .name = "directory", .kind = SPOIL_DIRECTORY },
	{ .name = "FIFO", .kind = SPOIL_FIFO },
	{ .name = "socket", .kind = SPOIL_SOCKET },
	LINK("dangling", "nowhere"),
	LINK("loop", "../loop/../loop"),
	LINK("itself", "."),
	LINK("parent", ".."),
	LINK("another address", "../../../0000:ff:1f.7"),
	LINK("endless", "/dev/zero"),
	LINK("root", "/"),
	{ .name = "outside", .kind = SPOIL_OUTSIDE },
	{ .name = "up and outside", .kind = SPOIL_UP_OUTSIDE },
	{ .name = "forbidden", .kind = SPOIL_FORBIDDEN },
};

const struct spoil *spoil_table(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(table);
	return table;
}

/* What a spoil is made of. */
struct work {
	const struct spoil_site *site;
	const struct spoil *spoil;
	const char *path;
	char aside[16]; /* name of what was there, in the directory aside */
};

static int put_nothing(const struct work *work, struct error *err)
{
	(void)work;
	(void)err;
	return 0;
}

static int put_text(const struct work *work, struct error *err)
{
	return tree_write(work->site->root_fd, work->path, work->spoil->data, work->spoil->len,
			  err);
}

static int put_fill(const struct work *work, struct error *err)
{
	_cleanup_free_ char *data = malloc(work->spoil->len);

	if (!data)
		return error_set(err, ENOMEM, "no memory to fill '%s'", work->path);
	memset(data, 'x', work->spoil->len);
	return tree_write(work->site->root_fd, work->path, data, work->spoil->len, err);
}

static int put_cut(const struct work *work, struct error *err)
{
	_cleanup_close_ int fd = -1;
	char data[CUT_MAX];
	ssize_t len = readlinkat(work->site->aside_fd, work->aside, data, sizeof(data) - 1);

	if (len >= 0) {
		data[len - len / 2] = '\0';
		return tree_link(data, work->site->root_fd, work->path, err);
	}
	fd = openat(work->site->aside_fd, work->aside, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	len = fd < 0 ? 0 : read(fd, data, sizeof(data));
	return tree_write(work->site->root_fd, work->path, data, (size_t)MAX(len, 0) / 2, err);
}

static int fail(const struct work *work, struct error *err)
{
	int code = errno;

	return error_set(err, code, "spoil '%s' (%s): %s", work->path, work->spoil->name,
			 strerror(code));
}

static int put_sparse(const struct work *work, struct error *err)
{
	_cleanup_close_ int fd = openat(work->site->root_fd, work->path,
					O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	return fd < 0 || ftruncate(fd, SPARSE_BYTES) < 0 ? fail(work, err) : 0;
}

static int put_directory(const struct work *work, struct error *err)
{
	struct tree_path inner = tree_path("%s/0", work->path);
	int r = tree_mkdirs(work->site->root_fd, inner.text, err);

	if (r < 0)
		return r;
	inner = tree_path("%s/device", work->path);
	return tree_puts(work->site->root_fd, inner.text, "1\n", err);
}

static int put_fifo(const struct work *work, struct error *err)
{
	return mkfifoat(work->site->root_fd, work->path, 0644) < 0 ? fail(work, err) : 0;
}

static int put_socket(const struct work *work, struct error *err)
{
	return mknodat(work->site->root_fd, work->path, S_IFSOCK | 0644, 0) < 0 ? fail(work, err)
										: 0;
}

static int put_link(const struct work *work, struct error *err)
{
	return tree_link(work->spoil->data, work->site->root_fd, work->path, err);
}

static int put_outside(const struct work *work, struct error *err)
{
	const char *up = work->spoil->kind == SPOIL_UP_OUTSIDE ? UP : "";
	struct tree_path target = tree_path("%s%s/%s", up, work->site->aside, work->aside);

	return tree_link(target.text, work->site->root_fd, work->path, err);
}

static int put_forbidden(const struct work *work, struct error *err)
{
	int root_fd = work->site->root_fd;
	struct stat st;
	int r;

	if (fstatat(work->site->aside_fd, work->aside, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(work, err);
	r = S_ISDIR(st.st_mode) ? tree_mkdir(root_fd, work->path, err)
				: tree_puts(root_fd, work->path, "1\n", err);
	if (r < 0)
		return r;
	return fchmodat(root_fd, work->path, 0, 0) < 0 ? fail(work, err) : 0;
}

static int (*const puts_of[_SPOIL_KIND_MAX])(const struct work *work, struct error *err) = {
	[SPOIL_REMOVED] = put_nothing,	  [SPOIL_TEXT] = put_text,
	[SPOIL_FILL] = put_fill,	  [SPOIL_CUT] = put_cut,
	[SPOIL_SPARSE] = put_sparse,	  [SPOIL_DIRECTORY] = put_directory,
	[SPOIL_FIFO] = put_fifo,	  [SPOIL_SOCKET] = put_socket,
	[SPOIL_LINK] = put_link,	  [SPOIL_OUTSIDE] = put_outside,
	[SPOIL_UP_OUTSIDE] = put_outside, [SPOIL_FORBIDDEN] = put_forbidden,
};

int spoil_put(const struct spoil_site *site, const struct spoil *spoil, const char *path,
	      unsigned int slot, struct error *err)
{
	struct work work = { .site = site, .spoil = spoil, .path = path };
	int r;

	(void)snprintf(work.aside, sizeof(work.aside), "%u", slot);
	if (renameat(site->root_fd, path, site->aside_fd, work.aside) < 0)
		return fail(&work, err);
	r = puts_of[spoil->kind](&work, err);
	if (r < 0)
		(void)spoil_undo(site, path, slot, NULL);
	return r;
}

int spoil_undo(const struct spoil_site *site, const char *path, unsigned int slot,
	       struct error *err)
{
	char aside[16];
	struct stat st;
	int r;

	(void)snprintf(aside, sizeof(aside), "%u", slot);
	if (fstatat(site->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
		(void)fchmodat(site->root_fd, path, 0755, 0);
	r = tree_remove(site->root_fd, path, err);
	if (r < 0)
		return r;
	if (renameat(site->aside_fd, aside, site->root_fd, path) < 0)
		return error_set(err, errno, "put back '%s': %s", path, strerror(errno));
	return 0;
}

/* --- paths --- */

void spoil_paths_done(struct spoil_paths *paths)
{
	for (size_t i = 0; i < paths->n; i++)
		free(paths->paths[i]);
	free(paths->paths);
	*paths = (struct spoil_paths) { 0 };
}

bool spoil_paths_has(const struct spoil_paths *paths, const char *path)
{
	for (size_t i = 0; i < paths->n; i++)
		if (strcmp(paths->paths[i], path) == 0)
			return true;
	return false;
}

static int add_path(struct spoil_paths *paths, const char *path)
{
	char *copy;

	if (paths->n >= SPOIL_PATHS_MAX)
		return -E2BIG;
	if (paths->n == paths->cap) {
		size_t cap = paths->cap > 0 ? paths->cap * 2 : 64;
		char **grown = reallocarray(paths->paths, cap, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		paths->paths = grown;
		paths->cap = cap;
	}
	copy = strdup(path);
	if (!copy)
		return -ENOMEM;
	paths->paths[paths->n++] = copy;
	return 0;
}

/* Adds the entries of one directory. */
static int list_directory(struct spoil_paths *paths, int root_fd, const char *dir)
{
	int fd = openat(root_fd, dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_closedir_ DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int r = 0;

	if (!stream) /* no directory: nothing lies below it */
		return 0;
	for (entry = readdir(stream); r == 0 && entry; entry = readdir(stream))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			r = add_path(paths, tree_path("%s/%s", dir, entry->d_name).text);
	return r;
}

static int compare_paths(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

int spoil_paths_list(struct spoil_paths *paths, int root_fd, const char *dir, struct error *err)
{
	size_t first = paths->n;
	int r = list_directory(paths, root_fd, dir);

	/* Each new path may be a directory itself. */
	for (size_t i = first; r == 0 && i < paths->n; i++)
		r = list_directory(paths, root_fd, paths->paths[i]);
	if (r < 0)
		return error_set(err, -r, "list '%s': %s", dir, strerror(-r));
	/* In an order that does not depend on the file system. */
	if (paths->n > first)
		qsort(paths->paths + first, paths->n - first, sizeof(*paths->paths), compare_paths);
	return 0;
}
