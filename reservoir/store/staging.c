/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/parse.h"
#include "reservoir/store/durable.h"
#include "reservoir/store/object.h"
#include "reservoir/store/spiller.h"
#include "reservoir/store/store_private.h"

#define KEY_CHARACTERS "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._-"
#define STAGING_PATH_MAX (STAGING_KEY_MAX + 16)

/*
 * Bytes are written so many at once.  The page cache keeps them in pieces as large as
 * they were written, and is faster at reading, sending and syncing a few large ones.
 */
#define BUFFER_BYTES ((size_t)128 * 1024)

struct staging {
	struct store *store;
	struct staging *next; /* of those open in this process */
	struct hasher *hasher;
	int fd;	       /* -1 when there is no file */
	uint64_t size; /* of the file, and of what is on its way there */
	unsigned char *buffer, *other;
	size_t buffered;    /* bytes of the buffer */
	struct spill spill; /* of the other buffer: the last that was to be written */
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

static int take_buffer(struct store *store, unsigned char **buffer, struct error *err)
{
	if (*buffer)
		return 0;
	(void)pthread_mutex_lock(&store->mutex);
	if (store->n_buffers > 0)
		*buffer = store->buffers[--store->n_buffers];
	(void)pthread_mutex_unlock(&store->mutex);
	if (!*buffer)
		*buffer = malloc(BUFFER_BYTES);
	return *buffer ? 0 : error_set(err, ENOMEM, "no memory to stage bytes");
}

static void give_buffer(struct store *store, unsigned char *buffer)
{
	(void)pthread_mutex_lock(&store->mutex);
	if (buffer && store->n_buffers < BUFFERS_MAX)
		store->buffers[store->n_buffers++] = TAKE_PTR(buffer);
	(void)pthread_mutex_unlock(&store->mutex);
	free(buffer);
}

/* Without a thread it takes longer. */
static struct spiller *spiller_of(struct store *store)
{
	struct spiller *spiller;

	(void)pthread_mutex_lock(&store->mutex);
	if (!store->spiller)
		store->spiller = spiller_new();
	spiller = store->spiller;
	(void)pthread_mutex_unlock(&store->mutex);
	return spiller;
}

/* Waits for what is being written; that it failed stays so until all is thrown away. */
static int wait_written(struct staging *staging, struct error *err)
{
	int r = spiller_wait(staging->store->spiller, &staging->spill);

	return r < 0 ? error_set(err, -r, "write '%s': %s", staging->path, strerror(-r)) : 0;
}

/* Has the buffer written, and goes on with the other one. */
static int hand_over(struct staging *staging, struct error *err)
{
	unsigned char *full = staging->buffer;
	int r = wait_written(staging, err);

	if (r == 0)
		r = take_buffer(staging->store, &staging->other, err);
	if (r == 0 && staging->fd < 0)
		r = open_part(staging, O_CREAT | O_EXCL, err);
	if (r < 0)
		return r;
	staging->spill = (struct spill) {
		.fd = staging->fd, .hasher = staging->hasher, .data = full, .len = staging->buffered
	};
	spiller_write(spiller_of(staging->store), &staging->spill);
	staging->buffer = staging->other;
	staging->other = full;
	staging->buffered = 0;
	return 0;
}

int staging_spill(struct staging *staging, struct error *err)
{
	int r = staging->buffered > 0 ? hand_over(staging, err) : 0;

	return r < 0 ? r : wait_written(staging, err);
}

void staging_free(struct staging *staging)
{
	if (!staging)
		return;
	if (staging->store) {
		/* What cannot be written is fetched again. */
		(void)staging_spill(staging, NULL);
		leave(staging);
		give_buffer(staging->store, staging->buffer);
		give_buffer(staging->store, staging->other);
	}
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
	const unsigned char *p = data;
	int r = take_buffer(staging->store, &staging->buffer, err);

	while (r == 0 && len > 0) {
		size_t n = MIN(len, BUFFER_BYTES - staging->buffered);

		memcpy(staging->buffer + staging->buffered, p, n);
		staging->buffered += n;
		staging->size += n;
		p += n;
		len -= n;
		if (staging->buffered == BUFFER_BYTES)
			r = hand_over(staging, err);
	}
	return r;
}

int staging_sync(struct staging *staging, struct error *err)
{
	int r = staging_spill(staging, err);

	if (r < 0 || staging->fd < 0)
		return r;
	return fdatasync(staging->fd) < 0 ? error_set(err, errno, "sync '%s': %m", staging->path)
					  : 0;
}

static void forget(struct staging *staging)
{
	if (staging->fd >= 0)
		(void)close(staging->fd);
	staging->fd = -1;
	staging->size = staging->buffered = 0;
	staging->spill = (struct spill) { 0 };
	(void)hasher_end(staging->hasher);
}

int staging_restart(struct staging *staging, struct error *err)
{
	(void)wait_written(staging, NULL);
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

	/* Most never had a file. */
	if (staging->fd < 0)
		return pending_put(store, staging->buffer, staging->buffered, digest, err);
	if (pending_has(&store->pending, digest)) {
		(void)unlinkat(store->fd, staging->path, 0);
		return 0;
	}
	if (renameat(store->fd, staging->path, store->fd, pending_path(digest, path)) < 0)
		return error_set(err, errno, "rename '%s': %m", staging->path);
	pending_add(store, digest, staging->size, TAKE_FD(staging->fd));
	return 0;
}

/* What goes on in a file is to be whole there. */
static int complete(struct staging *staging, struct digest *ret, struct error *err)
{
	int r;

	if (staging->fd < 0) {
		*ret = digest_of(staging->buffer, staging->buffered);
		return 0;
	}
	r = staging_spill(staging, err);
	if (r < 0)
		return r;
	*ret = hasher_peek(staging->hasher);
	return fchmod(staging->fd, 0444) < 0
		       ? error_set(err, errno, "make '%s' read-only: %m", staging->path)
		       : 0;
}

static int finish(struct staging *staging, const struct digest *digest, struct error *err)
{
	struct store *store = staging->store;
	int r;

	if (object_exists(store, digest))
		return staging_restart(staging, err);
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
	int r = complete(staging, &digest, err);

	if (r < 0)
		return r;
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
