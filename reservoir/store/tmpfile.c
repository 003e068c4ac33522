/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "reservoir/store/store.h"
#include "reservoir/store/store_private.h"

/* NFS has no O_TMPFILE. */
int store_tmpfile(struct store *store, struct error *err)
{
	char name[64];
	int fd = openat(store->fd, "staging", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
		return fd >= 0 ? fd : error_set(err, errno, "open a file in 'staging': %m");
	(void)snprintf(name, sizeof(name), "staging/run.%" PRIu64 ".tmp", store_next(store));
	(void)unlinkat(store->fd, name, 0);
	fd = openat(store->fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_set(err, errno, "open '%s': %m", name);
	(void)unlinkat(store->fd, name, 0);
	return fd;
}
