/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Group commit of small objects: one syncfs() for all their content, then their
 * names, then one for the names.  A few are synced one by one, so that a recall does
 * not wait for a large download.
 *
 * After a failed sync nobody knows what the disk has, and a second sync that
 * succeeds proves nothing; what waited is thrown away.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/parse.h"
#include "reservoir/store/durable.h"
#include "reservoir/store/object.h"
#include "reservoir/store/store_private.h"

#define WHOLE ".whole"
/* More cost more than one syncfs(), which also waits for what others write. */
#define FEW 8
#define READ_BYTES ((size_t)64 * 1024)

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

static void forget(struct pending *pending)
{
	memset(pending->slots, 0, sizeof(pending->slots));
	pending->n = 0;
	pending->bytes = 0;
}

static int drop(struct store *store, int code, struct error *err)
{
	char path[OBJECT_PATH_MAX];

	for (size_t i = 0; i < store->pending.n; i++)
		(void)unlinkat(store->fd, pending_path(&store->pending.digests[i], path), 0);
	forget(&store->pending);
	errno = code;
	return error_set(err, code, "sync the file system of the store: %m");
}

static int sync_one(const struct store *store, const struct digest *digest)
{
	char path[OBJECT_PATH_MAX];
	_cleanup_close_ int fd =
		openat(store->fd, pending_path(digest, path), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

static int sync_content(const struct store *store)
{
	const struct pending *pending = &store->pending;
	int r = 0;

	if (pending->n > FEW)
		return syncfs(store->fd) < 0 ? -errno : 0;
	for (size_t i = 0; r == 0 && i < pending->n; i++)
		r = sync_one(store, &pending->digests[i]);
	return r;
}

static int land_all(struct store *store, struct error *err)
{
	struct pending *pending = &store->pending;
	char path[OBJECT_PATH_MAX];
	int r;

	if (pending->n == 0)
		return 0;
	r = sync_content(store);
	if (r < 0)
		return drop(store, -r, err);
	for (size_t i = 0; r == 0 && i < pending->n; i++)
		r = object_land(store, pending_path(&pending->digests[i], path),
				&pending->digests[i], err);
	/* What has no name yet lies where the next writer takes it up. */
	forget(pending);
	return r;
}

static int sync_names(struct store *store, struct error *err)
{
	struct pending *pending = &store->pending;
	char path[OBJECT_PATH_MAX];
	int r = 0;

	if (pending->n_dirty > FEW) {
		if (syncfs(store->fd) < 0)
			return error_set(err, errno, "sync the file system of the store: %m");
	}
	for (unsigned int i = 0; r == 0 && i < OBJECT_FANOUT && pending->n_dirty <= FEW; i++) {
		if (!pending->dirty[i])
			continue;
		(void)snprintf(path, sizeof(path), "objects/%02x", i);
		r = durable_sync_dir(store->fd, path, err);
	}
	if (r < 0)
		return r;
	memset(pending->dirty, 0, sizeof(pending->dirty));
	pending->n_dirty = 0;
	return 0;
}

int object_flush(struct store *store, struct error *err)
{
	int r;

	(void)pthread_mutex_lock(&store->mutex);
	r = land_all(store, err);
	if (r == 0)
		r = sync_names(store, err);
	(void)pthread_mutex_unlock(&store->mutex);
	return r;
}

int pending_add(struct store *store, const struct digest *digest, uint64_t size, struct error *err)
{
	struct pending *pending = &store->pending;
	size_t slot = slot_of(pending, digest);

	pending->digests[pending->n++] = *digest;
	pending->slots[slot] = (uint16_t)pending->n;
	pending->bytes += size;
	if (pending->n < PENDING_MAX && pending->bytes < PENDING_BYTES_MAX)
		return 0;
	return land_all(store, err);
}

/* -- After a crash ------------------------------------------------------ */

static int hash_file(int dirfd, const char *path, struct digest *ret, uint64_t *ret_size,
		     struct error *err)
{
	_cleanup_close_ int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	_cleanup_(hasher_freep) struct hasher *hasher = NULL;
	char buffer[READ_BYTES];
	int r = fd < 0 ? error_set(err, errno, "open '%s': %m", path) : hasher_new(&hasher, err);

	*ret_size = 0;
	while (r == 0) {
		ssize_t n = read(fd, buffer, sizeof(buffer));

		if (n == 0)
			break;
		if (n < 0)
			return error_set(err, errno, "read '%s': %m", path);
		hasher_add(hasher, buffer, (size_t)n);
		*ret_size += (uint64_t)n;
	}
	if (r == 0)
		*ret = hasher_end(hasher);
	return r;
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
	struct error local = { 0 };
	struct digest digest;
	uint64_t size;
	int r;

	(void)snprintf(path, sizeof(path), "staging/%.80s", name);
	r = hash_file(store->fd, path, &digest, &size, &local);
	if (r == -ENOMEM)
		return error_set(err, ENOMEM, "%s", local.msg);
	if (r == 0 && digest_equal(&digest, expected))
		return pending_add(store, expected, size, err);
	return discard(store, path, err);
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
	_cleanup_closedir_ DIR *dir = NULL;
	_cleanup_close_ int fd = openat(store->fd, "staging", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = 0;

	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return error_set(err, errno, "open 'staging': %m");
	(void)TAKE_FD(fd);
	(void)pthread_mutex_lock(&store->mutex);
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
	(void)pthread_mutex_unlock(&store->mutex);
	return r;
}
