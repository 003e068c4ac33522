/* SPDX-License-Identifier: Apache-2.0 */
#include "device-plugin/stale_sockets.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/parse.h"

#define COMPONENT "registration"

static bool is_old_socket(int dirfd, const char *name, int64_t min_age_s)
{
	struct stat st;

	return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISSOCK(st.st_mode) &&
	       time(NULL) - st.st_ctim.tv_sec >= min_age_s;
}

static bool is_refused(const char *path)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (fd < 0 || str_copy(address.sun_path, sizeof(address.sun_path), path) < 0)
		return false;
	return connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 &&
	       errno == ECONNREFUSED;
}

static bool remove_if_stale(const char *dir, int dirfd, const char *name, int64_t min_age_s)
{
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];

	if (!str_starts_with(name, SOCKET_PREFIX) || !is_old_socket(dirfd, name, min_age_s))
		return false;
	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) >= sizeof(path))
		return false;
	if (!is_refused(path) || unlinkat(dirfd, name, 0) < 0)
		return false;
	log_info(COMPONENT, "removed '%s', which nobody serves", path);
	return true;
}

size_t stale_sockets_remove(const char *dir, int64_t min_age_s)
{
	_cleanup_closedir_ DIR *stream = opendir(dir);
	size_t n = 0;

	if (!stream)
		return 0;
	for (const struct dirent *entry = readdir(stream); entry; entry = readdir(stream))
		n += remove_if_stale(dir, dirfd(stream), entry->d_name, min_age_s);
	return n;
}
