/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/store/arrivals.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"

#define NAME "arrivals"
#define NAME_NEW ".arrivals.new"
#define TEXT_MAX 128 /* four numbers */

static int write_note(int dirfd, const struct arrivals *arrivals, struct error *err)
{
	_cleanup_close_ int fd = openat(
		dirfd, NAME_NEW, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);

	if (fd < 0 ||
	    dprintf(fd, "%" PRId64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", arrivals->looked,
		    arrivals->waiting, arrivals->foreign, arrivals->rejected) < 0)
		return error_set(err, errno, "write '" NAME_NEW "' in the store: %m");
	return 0;
}

int arrivals_set(struct store *store, const struct arrivals *arrivals, struct error *err)
{
	int dirfd = store_dirfd(store);
	int r = write_note(dirfd, arrivals, err);

	if (r == 0 && renameat(dirfd, NAME_NEW, dirfd, NAME) < 0)
		r = error_set(err, errno, "write '" NAME "' in the store: %m");
	if (r < 0)
		(void)unlinkat(dirfd, NAME_NEW, 0);
	return r;
}

bool arrivals_get(const struct store *store, struct arrivals *ret)
{
	struct arrivals arrivals;
	char text[TEXT_MAX];

	if (file_read_text(store_dirfd(store), NAME, text, sizeof(text), NULL) < 0 ||
	    sscanf(text, "%" SCNd64 " %" SCNu64 " %" SCNu64 " %" SCNu64, &arrivals.looked,
		   &arrivals.waiting, &arrivals.foreign, &arrivals.rejected) != 4)
		return false;
	*ret = arrivals;
	return true;
}
