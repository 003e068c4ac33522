/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks over the names of objects, directory by directory: the names of one are sorted,
 * so that a walk of all is in the order of digests.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "reservoir/store/object.h"
#include "reservoir/store/store_private.h"

struct names {
	struct digest *list;
	size_t n;
	size_t cap;
};

static void names_done(struct names *names)
{
	free(names->list);
}

static int add(struct names *names, const struct digest *digest, struct error *err)
{
	if (names->n == names->cap) {
		size_t cap = names->cap ? names->cap * 2 : 1024;
		struct digest *list = reallocarray(names->list, cap, sizeof(*list));

		if (!list)
			return error_set(err, ENOMEM, "no memory for the names of objects");
		names->list = list;
		names->cap = cap;
	}
	names->list[names->n++] = *digest;
	return 0;
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, DIGEST_SIZE);
}

/* Reads a directory; one that is missing has none. */
static int read_names(const struct store *store, const char *path, struct names *names,
		      struct error *err)
{
	_cleanup_closedir_ DIR *dir = file_open_dir(store->fd, path);
	int r = 0;

	if (!dir && errno == ENOENT)
		return 0;
	if (!dir)
		return error_set(err, errno, "open '%s': %m", path);
	while (r == 0) {
		const struct dirent *entry;
		struct digest digest;

		errno = 0;
		entry = readdir(dir);
		if (!entry)
			return errno ? error_set(err, errno, "read '%s': %m", path) : 0;
		if (strlen(entry->d_name) == DIGEST_TEXT_SIZE - 1 &&
		    digest_parse(entry->d_name, &digest) == 0)
			r = add(names, &digest, err);
	}
	return r;
}

static int walk(const struct store *store, const char *path, struct names *names, object_fn fn,
		void *ctx, struct error *err)
{
	int r;

	names->n = 0;
	r = read_names(store, path, names, err);
	if (r < 0)
		return r;
	if (names->n > 1)
		qsort(names->list, names->n, sizeof(names->list[0]), compare);
	for (size_t i = 0; r >= 0 && i < names->n; i++)
		r = fn(ctx, &names->list[i]);
	return r < 0 ? r : 0;
}

int object_each(struct store *store, object_fn fn, void *ctx, struct error *err)
{
	_cleanup_(names_done) struct names names = { 0 };
	int r = 0;

	for (unsigned int i = 0; r == 0 && i < OBJECT_FANOUT; i++) {
		char path[OBJECT_PATH_MAX];

		(void)snprintf(path, sizeof(path), "objects/%02x", i);
		r = walk(store, path, &names, fn, ctx, err);
	}
	return r;
}

int quarantine_each(struct store *store, object_fn fn, void *ctx, struct error *err)
{
	_cleanup_(names_done) struct names names = { 0 };

	return walk(store, "quarantine", &names, fn, ctx, err);
}

bool quarantine_has(const struct store *store, const struct digest *digest)
{
	char hex[DIGEST_TEXT_SIZE];
	char path[OBJECT_PATH_MAX];

	(void)snprintf(path, sizeof(path), "quarantine/%s", digest_format(digest, hex));
	return faccessat(store->fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}
