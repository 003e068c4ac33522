/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Group commit of objects: the content of all is synced, then they get their names,
 * then the directories of the names are synced.  The syncs of a group run beside each
 * other, as a journal commits those that wait together at once: that costs what one
 * syncfs() does, which would also wait for all that others have written to the disk.
 *
 * The files stay open until they are synced, so that an error of the disk in between
 * is heard of.  After a failed sync nobody knows what the disk has, and a second sync
 * that succeeds proves nothing; what waited is thrown away.
 *
 * While a group is synced, under `landing`, others may add to the next one.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/macro.h"
#include "base/parse.h"
#include "reservoir/store/durable.h"
#include "reservoir/store/object.h"
#include "reservoir/store/spread.h"
#include "reservoir/store/store_private.h"

#define WHOLE ".whole"
#define SYNC_WAYS 16  /* beside each other: most have the disk wait, not a core */
#define SYNC_SHARE 8u /* for each way: a thread is to be worth its start */
#define PENDING_EARLY ((uint64_t)256 * 1024)

static size_t slot_of(const struct pending *pending, const struct digest *digest)
{
	size_t slot = ((size_t)digest->bytes[1] << 8 | digest->bytes[2]) % PENDING_SLOTS;

	while (pending->slots[slot] != 0 &&
	       !digest_equal(&pending->digests[pending->slots[slot] - 1], digest))
		slot = (slot + 1) % PENDING_SLOTS;
	return slot;
}

bool pending_has(const struct pending *pending, const struct digest *digest)
{
	return pending->slots[slot_of(pending, digest)] != 0;
}

const char *pending_path(const struct digest *digest, char ret[OBJECT_PATH_MAX])
{
	char text[DIGEST_TEXT_SIZE];

	(void)snprintf(ret, OBJECT_PATH_MAX, "staging/%s" WHOLE, digest_format(digest, text));
	return ret;
}

static void index_all(struct pending *pending)
{
	memset(pending->slots, 0, sizeof(pending->slots));
	for (size_t i = 0; i < pending->n; i++)
		pending->slots[slot_of(pending, &pending->digests[i])] = (uint16_t)(i + 1);
}

/* Forgets the first @n, which have their names or are thrown away. */
static void forget(struct pending *pending, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		(void)close(pending->files[i].fd);
		pending->bytes -= pending->files[i].size;
	}
	pending->n -= n;
	memmove(pending->digests, pending->digests + n, pending->n * sizeof(*pending->digests));
	memmove(pending->files, pending->files + n, pending->n * sizeof(*pending->files));
	index_all(pending);
}

void pending_done(struct pending *pending)
{
	forget(pending, pending->n);
}

static int drop(struct store *store, size_t n, int code, struct error *err)
{
	char path[OBJECT_PATH_MAX];

	for (size_t i = 0; i < n; i++)
		(void)unlinkat(store->fd, pending_path(&store->pending.digests[i], path), 0);
	forget(&store->pending, n);
	errno = code;
	return error_set(err, code, "sync an object of the store: %m");
}

static size_t sync_ways(size_t n)
{
	return MIN(1 + n / SYNC_SHARE, (size_t)SYNC_WAYS);
}

static int sync_file(void *ctx, size_t i)
{
	const struct store *store = ctx;

	return fsync(store->pending.files[i].fd) < 0 ? -errno : 0;
}

/* All are on their way to the disk before the first is waited for. */
static int sync_content(struct store *store, size_t n)
{
	for (size_t i = 0; n > 1 && i < n; i++)
		(void)sync_file_range(store->pending.files[i].fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	return spread(n, sync_ways(n), sync_file, store);
}

static int name_all(struct store *store, size_t n, struct error *err)
{
	struct pending *pending = &store->pending;
	char path[OBJECT_PATH_MAX];
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = object_land(store, pending_path(&pending->digests[i], path),
				&pending->digests[i], err);
	/* What has no name yet lies where the next writer takes it up. */
	forget(pending, n);
	return r;
}

/* With `landing` held: nobody else removes one of those that wait. */
static int land_all(struct store *store, struct error *err)
{
	size_t n;
	int r;

	(void)pthread_mutex_lock(&store->mutex);
	n = store->pending.n;
	(void)pthread_mutex_unlock(&store->mutex);
	if (n == 0)
		return 0;
	r = sync_content(store, n);
	(void)pthread_mutex_lock(&store->mutex);
	r = r < 0 ? drop(store, n, -r, err) : name_all(store, n, err);
	(void)pthread_mutex_unlock(&store->mutex);
	return r;
}

struct names {
	const struct store *store;
	uint8_t dirs[OBJECT_FANOUT];
	size_t n;
};

static int sync_dir(void *ctx, size_t i)
{
	const struct names *names = ctx;
	char path[OBJECT_PATH_MAX];

	(void)snprintf(path, sizeof(path), "objects/%02x", (unsigned int)names->dirs[i]);
	return durable_sync_dir(names->store->fd, path, NULL);
}

static void take_dirty(struct store *store, struct names *ret)
{
	struct pending *pending = &store->pending;

	*ret = (struct names) { .store = store };
	(void)pthread_mutex_lock(&store->mutex);
	for (unsigned int i = 0; i < OBJECT_FANOUT; i++)
		if (pending->dirty[i])
			ret->dirs[ret->n++] = (uint8_t)i;
	memset(pending->dirty, 0, sizeof(pending->dirty));
	(void)pthread_mutex_unlock(&store->mutex);
}

static int sync_names(struct store *store, struct error *err)
{
	struct names names;
	int r;

	take_dirty(store, &names);
	r = spread(names.n, sync_ways(names.n), sync_dir, &names);
	if (r == 0)
		return 0;
	(void)pthread_mutex_lock(&store->mutex);
	for (size_t i = 0; i < names.n; i++)
		store->pending.dirty[names.dirs[i]] = true;
	(void)pthread_mutex_unlock(&store->mutex);
	errno = -r;
	return error_set(err, -r, "sync a directory of objects: %m");
}

int object_land_all(struct store *store, struct error *err)
{
	int r;

	(void)pthread_mutex_lock(&store->landing);
	r = land_all(store, err);
	(void)pthread_mutex_unlock(&store->landing);
	return r;
}

int object_flush(struct store *store, struct error *err)
{
	int r;

	(void)pthread_mutex_lock(&store->landing);
	r = land_all(store, err);
	if (r == 0)
		r = sync_names(store, err);
	(void)pthread_mutex_unlock(&store->landing);
	return r;
}

static bool is_full(const struct pending *pending)
{
	return pending->n >= PENDING_MAX || pending->bytes >= PENDING_BYTES_MAX;
}

int pending_enter(struct store *store, struct error *err)
{
	int r = 0;

	for (;;) {
		(void)pthread_mutex_lock(&store->mutex);
		if (r == 0 && !is_full(&store->pending))
			return 0;
		(void)pthread_mutex_unlock(&store->mutex);
		if (r < 0)
			return r;
		r = object_land_all(store, err);
	}
}

void pending_add(struct store *store, const struct digest *digest, uint64_t size, int fd)
{
	struct pending *pending = &store->pending;
	size_t slot = slot_of(pending, digest);

	/* A large one is on its way while others come. */
	if (size >= PENDING_EARLY)
		(void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	pending->digests[pending->n] = *digest;
	pending->files[pending->n++] = (struct pending_file) { .fd = fd, .size = size };
	pending->slots[slot] = (uint16_t)pending->n;
	pending->bytes += size;
}

/* -- After a crash ------------------------------------------------------ */

static int hash_file(int fd, const char *path, struct digest *ret, uint64_t *ret_size,
		     struct error *err)
{
	_cleanup_(hasher_freep) struct hasher *hasher = NULL;
	int r = fd < 0 ? error_set(err, errno, "open '%s': %m", path) : hasher_new(&hasher, err);

	*ret_size = 0;
	if (r < 0)
		return r;
	r = hasher_add_file(hasher, fd, UINT64_MAX, ret_size);
	if (r < 0)
		return error_set(err, -r, "read '%s': %s", path, strerror(-r));
	*ret = hasher_end(hasher);
	return 0;
}

/* What cannot be removed is no file of ours, and is left. */
static int discard(struct store *store, const char *path, struct error *err)
{
	if (unlinkat(store->fd, path, 0) < 0 && errno != EISDIR && errno != EPERM)
		return error_set(err, errno, "remove '%s': %m", path);
	return 0;
}

/* Takes a file up if it can be read and still is what its name says; else it is removed. */
static int recover(struct store *store, const char *name, const struct digest *expected,
		   struct error *err)
{
	char path[OBJECT_PATH_MAX];
	_cleanup_close_ int fd = -1;
	struct error local = { 0 };
	struct digest digest;
	uint64_t size;
	int r;

	(void)snprintf(path, sizeof(path), "staging/%.80s", name);
	fd = openat(store->fd, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	r = hash_file(fd, path, &digest, &size, &local);
	if (r == -ENOMEM)
		return error_set(err, ENOMEM, "%s", local.msg);
	if (r < 0 || !digest_equal(&digest, expected))
		return discard(store, path, err);
	r = pending_enter(store, err);
	if (r < 0)
		return r;
	pending_add(store, expected, size, TAKE_FD(fd));
	(void)pthread_mutex_unlock(&store->mutex);
	return 0;
}

static int recover_entry(struct store *store, const char *name, struct error *err)
{
	char text[DIGEST_TEXT_SIZE];
	struct digest digest;
	size_t len = strlen(name);

	if (len != DIGEST_TEXT_SIZE - 1 + strlen(WHOLE) ||
	    strcmp(name + DIGEST_TEXT_SIZE - 1, WHOLE) != 0)
		return 0;
	(void)snprintf(text, sizeof(text), "%.64s", name);
	return digest_parse(text, &digest) < 0 ? 0 : recover(store, name, &digest, err);
}

int pending_recover(struct store *store, struct error *err)
{
	_cleanup_closedir_ DIR *dir = file_open_dir(store->fd, "staging");
	int r = 0;

	if (!dir)
		return error_set(err, errno, "open 'staging': %m");
	while (r == 0) {
		const struct dirent *entry;

		errno = 0;
		entry = readdir(dir);
		if (!entry) {
			r = errno ? error_set(err, errno, "read 'staging': %m") : 0;
			break;
		}
		r = recover_entry(store, entry->d_name, err);
	}
	return r;
}
