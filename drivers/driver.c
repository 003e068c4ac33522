/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/driver.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/file.h"

const struct driver *driver_find(const char *name)
{
	size_t n;
	const struct driver *const *drivers = driver_registry(&n);

	for (size_t i = 0; i < n; i++)
		if (strcmp(drivers[i]->name, name) == 0)
			return drivers[i];
	return NULL;
}

static bool is_needed(const struct device_node *node, struct core_range cores)
{
	return node->shared || (cores.first <= node->cores.first && node->cores.last <= cores.last);
}

static int check_node(const struct host *host, const char *path, struct error *err)
{
	int r = file_is_char_device(host->root_fd, path + 1); /* below the root: no '/' in front */

	if (r == -ENOENT)
		return error_set(err, -r, "device node '%s' is missing", path);
	if (r == -ENODEV)
		return error_set(err, -r, "device node '%s' is not a character device", path);
	if (r < 0)
		return error_set(err, -r, "device node '%s': %s", path, strerror(-r));
	return 0;
}

int driver_check_nodes(const struct host *host, const struct device *device,
		       struct core_range cores, struct error *err)
{
	for (size_t i = 0; i < device->n_nodes; i++) {
		int r;

		if (!is_needed(&device->nodes[i], cores))
			continue;
		r = check_node(host, device->nodes[i].path, err);
		if (r < 0)
			return r;
	}
	return 0;
}
