/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/sysfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/parse.h"

#define SYSFS_PATH_MAX (DEVICE_PATH_MAX + 96) /* a device's path, and what lies below it */
#define INDEX_DIGITS_MAX 8 /* bytes with the NUL; SYSFS_INDEX_MAX has five digits */

bool sysfs_is_shortage(int r)
{
	return r == -EMFILE || r == -ENFILE || r == -ENOMEM;
}

bool sysfs_consists_of(const char *text, const char *characters)
{
	return text[0] != '\0' && text[strspn(text, characters)] == '\0';
}

bool sysfs_is_id(const char *text)
{
	return sysfs_consists_of(text, SYSFS_ID_CHARACTERS);
}

/* What leads out of a class entry without leaving sysfs. */
#define PARENT_LINK "device"

int sysfs_read_line(int dirfd, const char *name, char *buf, struct error *err)
{
	const char *rest = str_starts_with(name, PARENT_LINK "/");
	_cleanup_close_ int parent = -1;
	ssize_t len;

	/* sysfs_open() has seen where this link leads. */
	if (rest)
		parent = openat(dirfd, PARENT_LINK, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (rest && parent < 0)
		return error_set(err, errno, "open '" PARENT_LINK "': %s", strerror(errno));
	len = file_read_text(rest ? parent : dirfd, rest ? rest : name, buf, SYSFS_LINE_MAX, err);
	if (len < 0)
		return (int)len;
	if (!str_is_printable(buf))
		return error_set(err, EILSEQ, "'%s' has more than one line", name);
	return 0;
}

int sysfs_read_fact(int dirfd, const char *name, char *buf, struct error *err)
{
	int r = sysfs_read_line(dirfd, name, buf, NULL);

	if (sysfs_is_shortage(r))
		return error_set(err, -r, "read '%s': %s", name, strerror(-r));
	return r == 0;
}

int sysfs_read_text(int dirfd, const char *name, bool (*fits)(const char *text), char *dst,
		    size_t size, struct error *err)
{
	char text[SYSFS_LINE_MAX];
	int r = sysfs_read_fact(dirfd, name, text, err);

	if (r <= 0)
		return r;
	/* str_copy() empties the field when it refuses. */
	if ((fits && !fits(text)) || strlen(text) >= size)
		return 0;
	return str_copy(dst, size, text) == 0;
}

int sysfs_read_u64(int dirfd, const char *name, uint64_t max, uint64_t *ret, struct error *err)
{
	char text[SYSFS_LINE_MAX];
	uint64_t value;
	int r = sysfs_read_fact(dirfd, name, text, err);

	if (r <= 0)
		return r;
	if (parse_u64(text, 10, &value) < 0 || value > max)
		return 0;
	*ret = value;
	return 1;
}

static int open_below(const struct host *host, const char *path, struct error *err)
{
	int fd = file_open_below(host->root_fd, path, O_PATH | O_DIRECTORY);

	if (sysfs_is_shortage(fd))
		return error_set(err, -fd, "open '%s': %s", path, strerror(-fd));
	return fd;
}

/*
 * No link of sysfs leads out of it, or is absolute; one that does is of somebody's
 * making.  What is read below the entry later is read through `device`, too, so
 * that one is looked at here, where the root is known.
 */
int sysfs_open(const struct host *host, const char *path, struct error *err)
{
	_cleanup_close_ int fd = open_below(host, path, err);
	_cleanup_close_ int parent = -1;
	char link[SYSFS_PATH_MAX];
	int n;

	if (fd < 0)
		return sysfs_is_shortage(fd) ? fd : -ENOENT;
	n = snprintf(link, sizeof(link), "%s/" PARENT_LINK, path);
	if (n < 0 || (size_t)n >= sizeof(link))
		return -ENOENT;
	parent = open_below(host, link, err);
	if (sysfs_is_shortage(parent))
		return parent;
	return parent == -EXDEV ? -ENOENT : TAKE_FD(fd);
}

bool sysfs_is_still(const struct host *host, const char *path, int dirfd)
{
	struct stat opened, now;

	return fstat(dirfd, &opened) == 0 && fstatat(host->root_fd, path, &now, 0) == 0 &&
	       opened.st_dev == now.st_dev && opened.st_ino == now.st_ino;
}

/* --- entries of a class --- */

void sysfs_entries_done(struct sysfs_entries *entries)
{
	free(entries->entries);
	*entries = (struct sysfs_entries) { 0 };
}

int sysfs_parse_entry(const char *name, const char *prefix, const char *const *suffixes,
		      struct sysfs_entry *ret)
{
	const char *text = str_starts_with(name, prefix);
	size_t n = text ? strspn(text, SYSFS_DIGITS) : 0;
	char digits[INDEX_DIGITS_MAX];
	uint32_t index;

	if (n == 0 || n >= sizeof(digits) || (n > 1 && text[0] == '0'))
		return -EINVAL;
	memcpy(digits, text, n);
	digits[n] = '\0';
	if (parse_u32(digits, SYSFS_INDEX_MAX, &index) < 0)
		return -EINVAL;
	for (uint32_t i = 0; suffixes[i]; i++) {
		if (strcmp(text + n, suffixes[i]) != 0)
			continue;
		*ret = (struct sysfs_entry) { .index = index, .suffix = i };
		return 0;
	}
	return -EINVAL;
}

static int add_entry(struct sysfs_entries *list, struct sysfs_entry entry)
{
	if (list->n >= SYSFS_ENTRIES_MAX)
		return -E2BIG;
	if (list->n == list->cap) {
		size_t cap = list->cap > 0 ? list->cap * 2 : 16;
		struct sysfs_entry *entries = reallocarray(list->entries, cap, sizeof(*entries));

		if (!entries)
			return -ENOMEM;
		list->entries = entries;
		list->cap = cap;
	}
	list->entries[list->n++] = entry;
	return 0;
}

static int compare_entries(const void *a, const void *b)
{
	const struct sysfs_entry *x = a, *y = b;

	if (x->index != y->index)
		return x->index < y->index ? -1 : 1;
	return x->suffix < y->suffix ? -1 : x->suffix > y->suffix;
}

static int read_entries(DIR *dir, const char *prefix, const char *const *suffixes,
			struct sysfs_entries *list)
{
	for (;;) {
		const struct dirent *dirent;
		struct sysfs_entry entry;
		int r;

		errno = 0;
		dirent = readdir(dir);
		if (!dirent)
			return -errno;
		if (sysfs_parse_entry(dirent->d_name, prefix, suffixes, &entry) < 0)
			continue;
		r = add_entry(list, entry);
		if (r < 0)
			return r;
	}
}

static DIR *open_dir(int root_fd, const char *path)
{
	_cleanup_close_ int fd = file_open_below(root_fd, path, O_RDONLY | O_DIRECTORY);
	DIR *dir;

	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	dir = fdopendir(fd);
	if (dir)
		(void)TAKE_FD(fd);
	return dir;
}

int sysfs_list(const struct host *host, const char *path, const char *prefix,
	       const char *const *suffixes, struct sysfs_entries *ret, struct error *err)
{
	_cleanup_closedir_ DIR *dir = open_dir(host->root_fd, path);
	int r;

	if (!dir && errno == ENOENT)
		return 0;
	if (!dir)
		return error_set(err, errno, "open '%s': %s", path, strerror(errno));
	r = read_entries(dir, prefix, suffixes, ret);
	if (r < 0)
		return error_set(err, -r, "list '%s': %s", path, strerror(-r));
	if (ret->n > 0)
		qsort(ret->entries, ret->n, sizeof(*ret->entries), compare_entries);
	return 0;
}

/* --- the PCI device of an entry --- */

int sysfs_link_name(int dirfd, const char *name, char *dst, size_t size)
{
	char target[PATH_MAX];
	ssize_t len = readlinkat(dirfd, name, target, sizeof(target));
	const char *slash;

	if (len < 0)
		return -errno;
	if ((size_t)len >= sizeof(target))
		return -ENAMETOOLONG;
	target[len] = '\0';
	slash = strrchr(target, '/');
	return str_copy(dst, size, slash ? slash + 1 : target) < 0 ? -ENAMETOOLONG : 0;
}

int sysfs_read_parent(int dirfd, struct device *device, struct error *err)
{
	char name[SYSFS_LINE_MAX];
	int r = sysfs_link_name(dirfd, "device", name, sizeof(name));

	if (sysfs_is_shortage(r))
		return error_set(err, -r, "read the link 'device': %s", strerror(-r));
	return r == 0 && pci_bdf_parse(name, device->bdf) == 0;
}

int sysfs_join_pci(struct pci_reader *reader, struct device *device, struct error *err)
{
	struct error reason = { 0 };
	int r;

	if (device->bdf[0] == '\0')
		return 0;
	r = pci_read(reader, device->bdf, &device->pci, &device->numa_node, &reason);
	if (sysfs_is_shortage(r))
		return error_set(err, -r, "%s", error_text(&reason, r));
	return 0;
}

/* --- probing --- */

int sysfs_probe_line(const struct host *host, const struct device *device, const char *name,
		     char *buf, struct error *err)
{
	char path[DEVICE_PATH_MAX + 64];
	int r;

	(void)snprintf(path, sizeof(path), "%s/%s", device->sysfs_path, name);
	r = sysfs_read_line(host->root_fd, path, buf, err);
	if (r == 0)
		return 0;
	if (faccessat(host->root_fd, device->sysfs_path, F_OK, 0) < 0 && errno == ENOENT)
		return error_set(err, ENODEV, "gone from sysfs");
	if (r == -ENOENT)
		return error_set(err, ENOENT, "%s is missing", name);
	return error_wrap(err, r, "%s cannot be read", name);
}

int sysfs_probe_parent(const struct host *host, const struct device *device, struct error *err)
{
	char path[DEVICE_PATH_MAX + sizeof("/device")];
	char name[SYSFS_LINE_MAX];
	char bdf[DEVICE_BDF_MAX];

	if (device->bdf[0] == '\0')
		return 0;
	(void)snprintf(path, sizeof(path), "%s/device", device->sysfs_path);
	if (sysfs_link_name(host->root_fd, path, name, sizeof(name)) < 0)
		return error_set(err, ENODEV, "gone from sysfs");
	if (pci_bdf_parse(name, bdf) < 0 || strcmp(bdf, device->bdf) != 0)
		return error_set(err, ENODEV, "belongs to '%s' now, expected '%s'", name,
				 device->bdf);
	return 0;
}
