/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/char_device.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/parse.h"
#include "drivers/sysfs.h"

#define CHAR_DIR "sys/dev/char"
#define NUMBER_MAX 24 /* bytes with the NUL of "4095:1048575" */

struct row {
	char name[DEVICE_NAME_MAX]; /* of the device, as the kernel spells it */
	char number[NUMBER_MAX];
};

struct char_devices {
	const struct host *host;
	bool loaded; /* the rows are there */
	struct row *rows;
	size_t n;
	size_t cap;
};

int char_devices_new(const struct host *host, struct char_devices **ret, struct error *err)
{
	struct char_devices *devices = calloc(1, sizeof(*devices));

	if (!devices)
		return error_set(err, ENOMEM, "no memory to look device files up");
	devices->host = host;
	*ret = devices;
	return 0;
}

void char_devices_free(struct char_devices *devices)
{
	if (!devices)
		return;
	free(devices->rows);
	free(devices);
}

int char_device_entry(const struct host *host, const char *name, char *ret)
{
	char path[DEVICE_PATH_MAX];
	struct stat st;

	(void)snprintf(path, sizeof(path), "dev/%.*s", DEVICE_NAME_MAX, name);
	if (fstatat(host->root_fd, path, &st, 0) < 0)
		return -errno;
	if (!S_ISCHR(st.st_mode))
		return -ENODEV;
	(void)snprintf(path, sizeof(path), CHAR_DIR "/%u:%u", major(st.st_rdev), minor(st.st_rdev));
	if (faccessat(host->root_fd, path, F_OK, 0) < 0)
		return -errno;
	return str_copy(ret, DEVICE_PATH_MAX, path);
}

static int add_row(struct char_devices *devices, int dirfd, const char *number)
{
	struct row row;

	if (!sysfs_consists_of(number, SYSFS_DIGITS ":") ||
	    sysfs_link_name(dirfd, number, row.name, sizeof(row.name)) < 0 ||
	    str_copy(row.number, sizeof(row.number), number) < 0)
		return 0; /* no entry that a device file could have */
	if (devices->n >= SYSFS_ENTRIES_MAX)
		return -E2BIG;
	if (devices->n == devices->cap) {
		size_t cap = devices->cap > 0 ? devices->cap * 2 : 64;
		struct row *rows = reallocarray(devices->rows, cap, sizeof(*rows));

		if (!rows)
			return -ENOMEM;
		devices->rows = rows;
		devices->cap = cap;
	}
	devices->rows[devices->n++] = row;
	return 0;
}

static int compare_rows(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int read_rows(struct char_devices *devices, DIR *dir)
{
	for (;;) {
		const struct dirent *entry;
		int r;

		errno = 0;
		entry = readdir(dir);
		if (!entry)
			return -errno;
		r = add_row(devices, dirfd(dir), entry->d_name);
		if (r < 0)
			return r;
	}
}

/* Fails only on a shortage or a tree that is too big: without rows nothing is found. */
static int load(struct char_devices *devices, struct error *err)
{
	_cleanup_closedir_ DIR *dir = NULL;
	int fd, r = 0;

	if (devices->loaded)
		return 0;
	fd = openat(devices->host->root_fd, CHAR_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (dir)
		r = read_rows(devices, dir);
	else
		r = -errno;
	if (!dir)
		cleanup_closep(&fd);
	if (sysfs_is_shortage(r) || r == -E2BIG)
		return error_set(err, -r, "list '" CHAR_DIR "': %s", strerror(-r));
	if (devices->n > 0)
		qsort(devices->rows, devices->n, sizeof(*devices->rows), compare_rows);
	devices->loaded = true;
	return 0;
}

/* The only row of that name, or NULL. */
static const struct row *find_row(const struct char_devices *devices, const struct row *key)
{
	const struct row *row, *end;

	if (devices->n == 0)
		return NULL;
	row = bsearch(key, devices->rows, devices->n, sizeof(*key), compare_rows);
	end = devices->rows + devices->n;
	if (!row || (row > devices->rows && compare_rows(row - 1, key) == 0) ||
	    (row + 1 < end && compare_rows(row + 1, key) == 0))
		return NULL;
	return row;
}

int char_devices_find(struct char_devices *devices, const char *name, char *ret, struct error *err)
{
	const struct row *row;
	struct row key;
	int r;

	r = char_device_entry(devices->host, name, ret);
	if (r == 0)
		return 1;
	if (sysfs_is_shortage(r))
		return error_set(err, -r, "look '/dev/%s' up: %s", name, strerror(-r));
	if (str_copy(key.name, sizeof(key.name), name) < 0)
		return 0;
	for (char *c = key.name; *c; c++)
		if (*c == '/')
			*c = '!';
	r = load(devices, err);
	if (r < 0)
		return r;
	row = find_row(devices, &key);
	if (!row)
		return 0;
	(void)snprintf(ret, DEVICE_PATH_MAX, CHAR_DIR "/%s", row->number);
	return 1;
}
