/* SPDX-License-Identifier: Apache-2.0 */
#include "node-labeller/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

#include "base/cleanup.h"
#include "base/file.h"

int lock_try(const struct host *host, int *ret_fd, struct error *err)
{
	_cleanup_close_ int fd = file_open_below(host->root_fd, LOCK_PATH, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return error_set(err, -fd, "cannot open '%s' below the host root: %s", LOCK_PATH,
				 strerror(-fd));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			return 0;
		return error_set(err, errno, "cannot lock '%s': %m", LOCK_PATH);
	}
	*ret_fd = TAKE_FD(fd);
	return 1;
}
