/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/strbuf.h"

/* Neither waits for the other end of a FIFO nor takes a terminal for ours. */
#define READ_FLAGS (O_RDONLY | O_NONBLOCK | O_NOCTTY)

/* A rename or a mount anywhere on the machine, at the moment when ".." is passed,
 * makes openat2(2) give up; several in a row are an attack. */
#define OPEN_ATTEMPTS_MAX 32

int file_open_below(int dirfd, const char *path, int flags)
{
	struct open_how how = { .flags = (unsigned int)flags | O_CLOEXEC,
				.resolve = RESOLVE_BENEATH };
	long fd = -1;

	for (int i = 0; i < OPEN_ATTEMPTS_MAX; i++) {
		fd = syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	/* Old container engines forbid with EPERM what they do not know. */
	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		fd = openat(dirfd, path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : (int)fd;
}

DIR *file_open_dir(int dirfd, const char *path)
{
	_cleanup_close_ int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir)
		(void)TAKE_FD(fd);
	return dir;
}

/* Anything else than a regular file may block, or do things when it is read. */
static int check_regular(int fd, const char *path, struct error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return error_set(err, errno, "stat '%s': %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return error_set(err, EISDIR, "'%s' is a directory", path);
	if (!S_ISREG(st.st_mode))
		return error_set(err, EINVAL, "'%s' is no regular file", path);
	return 0;
}

static ssize_t read_open_file(int fd, const char *path, char *buf, size_t size, struct error *err)
{
	size_t len = 0;
	int r = check_regular(fd, path, err);

	if (r < 0)
		return r;
	while (len < size) {
		ssize_t n = read(fd, buf + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set(err, errno, "read '%s': %s", path, strerror(errno));
		len += (size_t)n;
		/* Less than asked for is the end of a file; one more read() to
		 * hear it would cost as much as the first. */
		if (len < size)
			break;
	}
	if (len >= size)
		return error_set(err, EFBIG, "'%s' is longer than %zu bytes", path, size - 1);
	buf[len] = '\0';
	return (ssize_t)len;
}

ssize_t file_read(int dirfd, const char *path, char *buf, size_t size, struct error *err)
{
	_cleanup_close_ int fd = openat(dirfd, path, READ_FLAGS | O_CLOEXEC);

	if (fd < 0)
		return error_set(err, errno, "open '%s': %s", path, strerror(errno));
	return read_open_file(fd, path, buf, size, err);
}

static bool is_text_byte(char c)
{
	return (c >= 0x20 && c <= 0x7e) || (c >= '\t' && c <= '\r');
}

ssize_t file_read_text(int dirfd, const char *path, char *buf, size_t size, struct error *err)
{
	_cleanup_close_ int fd = file_open_below(dirfd, path, READ_FLAGS);
	ssize_t len;

	if (fd < 0)
		return error_set(err, -fd, "open '%s': %s", path, strerror(-fd));
	len = read_open_file(fd, path, buf, size, err);
	if (len < 0)
		return len;
	for (ssize_t i = 0; i < len; i++)
		if (!is_text_byte(buf[i]))
			return error_set(err, EILSEQ, "'%s' has byte 0x%02x at offset %zd", path,
					 (unsigned char)buf[i], i);
	return (ssize_t)str_trim(buf);
}

ssize_t file_pread(int fd, void *buf, size_t len, uint64_t offset)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n = pread(fd, (char *)buf + got, len - got, (off_t)(offset + got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

int file_write_all(int fd, const void *data, size_t len)
{
	const char *rest = data;

	while (len > 0) {
		ssize_t n = write(fd, rest, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		rest += n;
		len -= (size_t)n;
	}
	return 0;
}

static int write_and_sync(int fd, const void *data, size_t len, mode_t mode)
{
	int r = file_write_all(fd, data, len);

	if (r < 0)
		return r;
	if (fchmod(fd, mode) < 0 || fsync(fd) < 0)
		return -errno;
	return 0;
}

int file_sync_parent(int dirfd, const char *path)
{
	_cleanup_free_ char *dir = strdup(path);
	_cleanup_close_ int fd = -1;
	char *slash = NULL;

	if (!dir)
		return -ENOMEM;
	for (char *p = dir; *p; p++)
		if (*p == '/' && p[1] != '\0')
			slash = p;
	if (slash == dir)
		slash++;
	if (slash)
		*slash = '\0';
	fd = openat(dirfd, slash ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return -errno;
	return 0;
}

int file_publish(const char *path, const void *data, size_t len, mode_t mode, struct error *err)
{
	_cleanup_strbuf_ struct strbuf temporary = STRBUF_INIT(PATH_MAX);
	_cleanup_close_ int fd = -1;
	int r;

	strbuf_printf(&temporary, "%s.XXXXXX", path);
	r = strbuf_error(&temporary);
	if (r < 0)
		return error_set(err, -r, "publish '%s': %s", path, strerror(-r));
	fd = mkostemp(temporary.data, O_CLOEXEC);
	if (fd < 0)
		return error_set(err, errno, "create '%s': %s", temporary.data, strerror(errno));
	r = write_and_sync(fd, data, len, mode);
	if (r == 0 && rename(temporary.data, path) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlink(temporary.data);
		return error_set(err, -r, "publish '%s': %s", path, strerror(-r));
	}
	/* Makes the rename itself survive a power cut. */
	r = file_sync_parent(AT_FDCWD, path);
	if (r < 0)
		return error_set(err, -r, "sync the directory of '%s': %s", path, strerror(-r));
	return 0;
}

int file_is_char_device(int dirfd, const char *path)
{
	struct statx st;

	/* Cheaper than fstatat(2): only the type is asked for. */
	if (statx(dirfd, path, AT_STATX_DONT_SYNC, STATX_TYPE, &st) < 0)
		return -errno;
	return S_ISCHR(st.stx_mode) ? 0 : -ENODEV;
}
