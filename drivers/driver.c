/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/driver.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
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

int drivers_ask(const struct driver *const *drivers, size_t n, struct host *host, uint32_t wait_ms,
		struct error *err)
{
	int result = 0;

	for (size_t i = 0; i < n; i++) {
		struct error *first_err = result < 0 ? NULL : err;
		int r = drivers[i]->ask ? drivers[i]->ask(host, wait_ms, first_err) : 0;

		if (r >= 0)
			continue;
		(void)error_wrap(first_err, r, "driver '%s'", drivers[i]->name);
		result = result < 0 ? result : r;
	}
	return result;
}

uint64_t drivers_answer(const struct driver *const *drivers, size_t n, const struct host *host)
{
	uint64_t sum = 0; /* each only ever counts up */

	for (size_t i = 0; i < n; i++)
		if (drivers[i]->answer)
			sum += drivers[i]->answer(host);
	return sum;
}

const struct driver *driver_ref(const struct driver *driver)
{
	if (driver && driver->ref)
		driver->ref(driver);
	return driver;
}

void driver_unref(const struct driver *driver)
{
	if (driver && driver->unref)
		driver->unref(driver);
}

struct device_readings device_readings_none(void)
{
	return (struct device_readings) { -1, -1, -1, -1 };
}

static bool is_needed(const struct device_node *node, struct core_range cores)
{
	return node->shared || (cores.first <= node->cores.first && node->cores.last <= cores.last);
}

/* The directory of the file checked last: those of a device lie in one or two,
 * and a walk from the root for each of dozens is most of what a check costs. */
struct node_dir {
	int fd;
	const char *path; /* not NUL-terminated; NULL before the first */
	size_t len;
};

#define _cleanup_node_dir_ _cleanup_(node_dir_close)

static void node_dir_close(struct node_dir *dir)
{
	cleanup_closep(&dir->fd);
	dir->fd = -1;
}

/* Makes @dir the directory of @path, which is absolute. */
static int node_dir_enter(struct node_dir *dir, const struct host *host, const char *path)
{
	size_t len = (size_t)(strrchr(path, '/') - path);
	char name[PATH_MAX];

	if (dir->path && len == dir->len && memcmp(dir->path, path, len) == 0)
		return 0;
	node_dir_close(dir);
	/* Below the root: without the '/' in front, and "." for the root itself. */
	(void)snprintf(name, sizeof(name), ".%.*s", (int)len, path);
	dir->fd = openat(host->root_fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir->fd < 0)
		return -errno;
	dir->path = path;
	dir->len = len;
	return 0;
}

int driver_node_error(struct error *err, int r, const char *path)
{
	if (r == -ENOENT)
		return error_set(err, -r, "device node '%s' is missing", path);
	if (r == -ENODEV)
		return error_set(err, -r, "device node '%s' is not a character device", path);
	return error_set(err, -r, "device node '%s': %s", path, strerror(-r));
}

static int check_node(struct node_dir *dir, const struct host *host, const char *path,
		      struct error *err)
{
	int r = node_dir_enter(dir, host, path);

	if (r == 0)
		r = file_is_char_device(dir->fd, strrchr(path, '/') + 1);
	return r < 0 ? driver_node_error(err, r, path) : 0;
}

int driver_check_nodes(const struct host *host, const struct device *device,
		       struct core_range cores, struct error *err)
{
	_cleanup_node_dir_ struct node_dir dir = { .fd = -1 };

	for (size_t i = 0; i < device->n_nodes; i++) {
		int r;

		if (!is_needed(&device->nodes[i], cores))
			continue;
		r = check_node(&dir, host, device->nodes[i].path, err);
		if (r < 0)
			return r;
	}
	return 0;
}
