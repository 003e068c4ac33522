/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/host.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "drivers/nvml/nvml.h"

int host_open(struct host *host, const char *root, struct error *err)
{
	/* O_PATH: to pass through the directory is enough, nothing lists it. */
	int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return error_set(err, errno, "open host root '%s': %s", root, strerror(errno));
	*host = (struct host) { .root_fd = fd, .root = root };
	return 0;
}

void host_close(struct host *host)
{
	nvml_stop(host->nvml); /* first: it looks below the root */
	host->nvml = NULL;
	cleanup_closep(&host->root_fd);
	host->root_fd = -1;
}
