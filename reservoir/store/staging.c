/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/parse.h"
#include "reservoir/store/durable.h"
#include "reservoir/store/object.h"
#include "reservoir/store/store_private.h"

#define KEY_CHARACTERS "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._-"
#define STAGING_PATH_MAX (STAGING_KEY_MAX + 16)

struct staging {
	struct store *store;
	struct staging *next; /* of those open in this process */
	struct hasher *hasher;
	int fd; /* -1 when there are no bytes */
	uint64_t size;
	char key[STAGING_KEY_MAX];
	char path[STAGING_PATH_MAX];
};

static int rehash(struct staging *staging, struct error *err)
{
	int r = hasher_add_file(staging->hasher, staging->fd, UINT64_MAX, &staging->size);

	return r < 0 ? error_set(err, -r, "read '%s': %s", staging->path, strerror(-r)) : 0;
}

static int open_part(struct staging *staging, int flags, struct error *err)
{
	staging->fd = openat(staging->store->fd, staging->path,
			     O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0644);
	if (staging->fd < 0 && !(flags & O_CREAT) && errno == ENOENT)
		return 0;
	return staging->fd < 0 ? error_set(err, errno, "open '%s': %m", staging->path) : 0;
}

static bool is_open(const struct store *store, const char *key)
{
	for (const struct staging *staging = store->stagings; staging; staging = staging->next)
		if (strcmp(staging->key, key) == 0)
			return true;
	return false;
}

static int enter(struct staging *staging, struct error *err)
{
	struct store *store = staging->store;
	bool taken;

	(void)pthread_mutex_lock(&store->mutex);
	taken = is_open(store, staging->key);
	if (!taken) {
		staging->next = store->stagings;
		store->stagings = staging;
	}
	(void)pthread_mutex_unlock(&store->mutex);
	if (!taken)
		return 0;
	/* So that staging_free() does not look for it. */
	staging->store = NULL;
	return error_set(err, EBUSY, "'%s' is being staged", staging->key);
}

static void leave(struct staging *staging)
{
	struct store *store = staging->store;
	struct staging **link = &store->stagings;

	(void)pthread_mutex_lock(&store->mutex);
	while (*link && *link != staging)
		link = &(*link)->next;
	if (*link)
		*link = staging->next;
	(void)pthread_mutex_unlock(&store->mutex);
}

static int staging_new(struct store *store, const char *key, struct staging **ret,
		       struct error *err)
{
	struct staging *staging = NULL;

	if (key[0] == '\0' || key[0] == '.' || strlen(key) >= STAGING_KEY_MAX ||
	    strspn(key, KEY_CHARACTERS) != strlen(key))
		return error_set(err, EINVAL, "'%.64s' is no key of a staging", key);
	staging = calloc(1, sizeof(*staging));
	if (!staging)
		return error_set(err, ENOMEM, "no memory for a staging");
	staging->fd = -1;
	(void)str_copy(staging->key, sizeof(staging->key), key);
	(void)snprintf(staging->path, sizeof(staging->path), "staging/%s.part", key);
	staging->store = store;
	*ret = staging;
	return 0;
}

int staging_open(struct store *store, const char *key, struct staging **ret, struct error *err)
{
	_cleanup_(staging_freep) struct staging *staging = NULL;
	int r = staging_new(store, key, &staging, err);

	if (r == 0)
		r = enter(staging, err);
	if (r == 0)
		r = hasher_new(&staging->hasher, err);
	if (r == 0)
		r = open_part(staging, 0, err);
	if (r == 0 && staging->fd >= 0)
		r = rehash(staging, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(staging);
	return 0;
}

void staging_free(struct staging *staging)
{
	if (!staging)
		return;
	if (staging->store)
		leave(staging);
	hasher_free(staging->hasher);
	if (staging->fd >= 0)
		(void)close(staging->fd);
	free(staging);
}

uint64_t staging_size(const struct staging *staging)
{
	return staging->size;
}

int staging_write(struct staging *staging, const void *data, size_t len, struct error *err)
{
	size_t done = 0;
	int r = 0;

	if (staging->fd < 0)
		r = open_part(staging, O_CREAT | O_EXCL, err);
	if (r < 0)
		return r;
	r = durable_write(staging->fd, data, len, &done);
	hasher_add(staging->hasher, data, done);
	staging->size += done;
	if (r < 0) {
		errno = -r;
		return error_set(err, errno, "write '%s': %m", staging->path);
	}
	return 0;
}

static void forget(struct staging *staging)
{
	if (staging->fd >= 0)
		(void)close(staging->fd);
	staging->fd = -1;
	staging->size = 0;
	(void)hasher_end(staging->hasher);
}

int staging_restart(struct staging *staging, struct error *err)
{
	/* Without a descriptor there is no file: the key is this staging's alone. */
	if (staging->fd >= 0 && unlinkat(staging->store->fd, staging->path, 0) < 0 &&
	    errno != ENOENT)
		return error_set(err, errno, "remove '%s': %m", staging->path);
	forget(staging);
	return 0;
}

/* The bytes leave their key, and wait under their digest. */
static int settle(struct staging *staging, const struct digest *digest, struct error *err)
{
	struct store *store = staging->store;
	char path[OBJECT_PATH_MAX];

	if (pending_has(&store->pending, digest)) {
		(void)unlinkat(store->fd, staging->path, 0);
		return 0;
	}
	if (renameat(store->fd, staging->path, store->fd, pending_path(digest, path)) < 0)
		return error_set(err, errno, "rename '%s': %m", staging->path);
	pending_add(store, digest, staging->size, TAKE_FD(staging->fd));
	return 0;
}

static int finish(struct staging *staging, const struct digest *digest, struct error *err)
{
	struct store *store = staging->store;
	int r;

	if (object_exists(store, digest))
		return staging_restart(staging, err);
	if (fchmod(staging->fd, 0444) < 0)
		return error_set(err, errno, "make '%s' read-only: %m", staging->path);
	r = pending_enter(store, err);
	if (r < 0)
		return r;
	r = settle(staging, digest, err);
	(void)pthread_mutex_unlock(&store->mutex);
	if (r < 0)
		(void)staging_restart(staging, NULL);
	else
		forget(staging);
	return r;
}

int staging_finish(struct staging *staging, const struct digest *expected, struct digest *ret,
		   struct error *err)
{
	char text[2][DIGEST_TEXT_SIZE];
	struct digest digest;
	int r = staging->fd < 0 ? open_part(staging, O_CREAT | O_EXCL, err) : 0;

	if (r < 0)
		return r;
	digest = hasher_peek(staging->hasher);
	if (expected && !digest_equal(&digest, expected)) {
		r = staging_restart(staging, err);
		return r < 0 ? r
			     : error_set(err, EBADMSG, "the bytes hash to %s, not to %s",
					 digest_format(&digest, text[0]),
					 digest_format(expected, text[1]));
	}
	r = finish(staging, &digest, err);
	if (r == 0 && ret)
		*ret = digest;
	return r;
}
