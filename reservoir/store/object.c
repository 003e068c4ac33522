/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/store/object.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/macro.h"
#include "reservoir/store/durable.h"
#include "reservoir/store/store_private.h"

#define READ_BYTES ((size_t)64 * 1024)

const char *object_path(const struct digest *digest, char ret[OBJECT_PATH_MAX])
{
	char text[DIGEST_TEXT_SIZE];

	(void)digest_format(digest, text);
	(void)snprintf(ret, OBJECT_PATH_MAX, "objects/%.2s/%s", text, text);
	return ret;
}

/* Of the directories of objects one may be missing, after a copy that left out what
 * is empty. */
static int make_fanout(struct store *store, const struct digest *digest, struct error *err)
{
	char path[OBJECT_PATH_MAX];

	(void)snprintf(path, sizeof(path), "objects/%02x", digest->bytes[0]);
	return durable_mkdir(store->fd, path, err);
}

int object_land(struct store *store, const char *name, const struct digest *digest,
		struct error *err)
{
	char path[OBJECT_PATH_MAX];
	int r = renameat(store->fd, name, store->fd, object_path(digest, path)) < 0 ? -errno : 0;

	if (r == -ENOENT) {
		r = make_fanout(store, digest, err);
		if (r < 0)
			return r;
		r = renameat(store->fd, name, store->fd, path) < 0 ? -errno : 0;
	}
	if (r < 0) {
		errno = -r;
		return error_set(err, errno, "rename '%s' to '%s': %m", name, path);
	}
	store->pending.dirty[digest->bytes[0]] = true;
	return 0;
}

static bool is_older(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

/* What a writer has seen is touched: see reservoir/store/gc.h. */
bool object_lies_there(struct store *store, const struct digest *digest)
{
	char path[OBJECT_PATH_MAX];
	struct stat st;

	if (fstatat(store->fd, object_path(digest, path), &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(st.st_mode))
		return false;
	if (store->access == STORE_READ || !is_older(&st.st_ctim, &store->since))
		return true;
	return utimensat(store->fd, path, NULL, AT_SYMLINK_NOFOLLOW) == 0;
}

int object_remove(struct store *store, const struct digest *digest, struct error *err)
{
	char path[OBJECT_PATH_MAX];

	if (unlinkat(store->fd, object_path(digest, path), 0) < 0 && errno != ENOENT)
		return error_set(err, errno, "remove '%s': %m", path);
	return 0;
}

bool object_exists(struct store *store, const struct digest *digest)
{
	bool waits = false;

	if (store->access == STORE_WRITE) {
		(void)pthread_mutex_lock(&store->mutex);
		waits = pending_has(&store->pending, digest);
		(void)pthread_mutex_unlock(&store->mutex);
	}
	return waits || object_lies_there(store, digest);
}

/* What is no file is found damaged by what it reads as: a FIFO is not waited for. */
static int open_read_only(struct store *store, const char *path)
{
	return openat(store->fd, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
}

static int open_path(struct store *store, const struct digest *digest)
{
	char path[OBJECT_PATH_MAX];
	bool waits;
	int fd = open_read_only(store, object_path(digest, path));

	if (fd >= 0 || errno != ENOENT || store->access == STORE_READ)
		return fd;
	(void)pthread_mutex_lock(&store->mutex);
	waits = pending_has(&store->pending, digest);
	if (waits)
		fd = open_read_only(store, pending_path(digest, path));
	else
		/* It may have got its name in between. */
		fd = open_read_only(store, path);
	(void)pthread_mutex_unlock(&store->mutex);
	return fd;
}

int object_open(struct store *store, const struct digest *digest, uint64_t *ret_size,
		struct error *err)
{
	char text[DIGEST_TEXT_SIZE];
	_cleanup_close_ int fd = open_path(store, digest);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return error_set(err, ENOENT, "there is no object %s", digest_format(digest, text));
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_set(err, errno, "open object %s: %m", digest_format(digest, text));
	if (ret_size)
		*ret_size = (uint64_t)st.st_size;
	return TAKE_FD(fd);
}

static int read_all(int fd, uint64_t size, struct strbuf *ret, struct error *err)
{
	char buffer[READ_BYTES];

	while (size > 0) {
		ssize_t n = read(fd, buffer, MIN(sizeof(buffer), (size_t)size));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set(err, errno, "%m");
		if (n == 0)
			return error_set(err, EBADMSG, "it has become shorter");
		strbuf_add(ret, buffer, (size_t)n);
		size -= (uint64_t)n;
	}
	return strbuf_error(ret) == 0
		       ? 0
		       : error_set(err, strbuf_error(ret) == -ENOMEM ? ENOMEM : EFBIG,
				   "it does not fit into memory");
}

int object_read(struct store *store, const struct digest *digest, size_t max, struct strbuf *ret,
		struct error *err)
{
	char text[DIGEST_TEXT_SIZE];
	uint64_t size = 0;
	size_t before = ret->len;
	_cleanup_close_ int fd = object_open(store, digest, &size, err);
	struct digest found;
	int r;

	(void)digest_format(digest, text);
	if (fd < 0)
		return fd;
	if (size > max)
		return error_set(err, EFBIG, "object %s has %" PRIu64 " bytes, above %zu", text,
				 size, max);
	r = read_all(fd, size, ret, err);
	if (r < 0)
		return error_wrap(err, r, "read object %s", text);
	found = digest_of(size ? ret->data + before : "", (size_t)size);
	if (!digest_equal(&found, digest))
		return error_set(err, EBADMSG, "object %s is damaged", text);
	return 0;
}

/* What lies there is of a run that failed. */
static int open_new(struct store *store, const char *path)
{
	static const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
	int fd = openat(store->fd, path, flags, 0644);

	if (fd >= 0 || errno != EEXIST || unlinkat(store->fd, path, 0) < 0)
		return fd;
	return openat(store->fd, path, flags, 0644);
}

/* Returns its descriptor. */
static int write_whole(struct store *store, const char *path, const void *data, size_t len)
{
	_cleanup_close_ int fd = -1;
	int r;

	fd = open_new(store, path);
	if (fd < 0)
		return -errno;
	r = file_write_all(fd, data, len);
	if (r == 0 && fchmod(fd, 0444) < 0)
		r = -errno;
	if (r < 0)
		(void)unlinkat(store->fd, path, 0);
	return r < 0 ? r : TAKE_FD(fd);
}

int pending_put(struct store *store, const void *data, size_t len, const struct digest *digest,
		struct error *err)
{
	char path[OBJECT_PATH_MAX];
	int fd;

	if (pending_has(&store->pending, digest) || object_lies_there(store, digest))
		return 0;
	fd = write_whole(store, pending_path(digest, path), data, len);
	if (fd < 0) {
		errno = -fd;
		return error_set(err, errno, "write '%s': %m", path);
	}
	pending_add(store, digest, len, fd);
	return 0;
}

int object_put(struct store *store, const void *data, size_t len, struct digest *ret,
	       struct error *err)
{
	struct digest digest = digest_of(data, len);
	int r;

	r = pending_enter(store, err);
	if (r < 0)
		return r;
	r = pending_put(store, data, len, &digest, err);
	(void)pthread_mutex_unlock(&store->mutex);
	if (r == 0 && ret)
		*ret = digest;
	return r;
}
