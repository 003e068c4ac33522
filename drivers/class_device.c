/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/class_device.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "drivers/nodes.h"
#include "drivers/sysfs.h"

struct scan {
	const struct class_device *class;
	const struct driver *driver;
	const struct host *host;
	struct pci_reader *pci;
	struct device_list *list;
};

static void set_names(const struct class_device *class, uint32_t index, struct device *device)
{
	(void)snprintf(device->name, sizeof(device->name), "%s%" PRIu32, class->name_prefix, index);
	(void)snprintf(device->sysfs_path, sizeof(device->sysfs_path), "%s/%s%" PRIu32,
		       class->class_dir, class->entry_prefix, index);
	device->index = (int)index;
}

/* Whether the device belongs to the vendor, by its PCI id or by its class. */
static bool is_ours(const struct class_device *class, const struct device *device)
{
	if (device->pci.vendor == 0)
		return class->own_class;
	return device->pci.vendor == class->pci_vendor;
}

/*
 * Whether an entry of a class that several vendors share is another's; told by two
 * reads, where all facts of a card are two dozen.  Returns 1 if it is.
 */
static int is_foreign(const struct scan *scan, const struct device *device, struct error *err)
{
	char path[DEVICE_PATH_MAX + sizeof("/device")];
	char name[SYSFS_LINE_MAX], bdf[DEVICE_BDF_MAX];
	uint16_t vendor;
	int r;

	if (scan->class->own_class)
		return 0;
	(void)snprintf(path, sizeof(path), "%s/device", device->sysfs_path);
	r = sysfs_link_name(scan->host->root_fd, path, name, sizeof(name));
	if (sysfs_is_shortage(r))
		return error_set(err, -r, "read the link '%s': %s", path, strerror(-r));
	if (r < 0 || pci_bdf_parse(name, bdf) < 0)
		return 1;
	r = pci_vendor(scan->host, bdf, &vendor, err);
	return r < 0 ? r : r == 0 || vendor != scan->class->pci_vendor;
}

/* Returns 1 to list the device, 0 to leave it out. */
static int read_entry(const struct scan *scan, int dirfd, struct device *device, struct error *err)
{
	const struct class_entry entry = { scan->class, scan->host, scan->pci, dirfd };
	int r;

	r = sysfs_read_parent(dirfd, device, err);
	if (r < 0)
		return r;
	r = sysfs_join_pci(scan->pci, device, err);
	if (r < 0)
		return r;
	if (!is_ours(scan->class, device))
		return 0;
	r = pci_has_vfs(scan->host, device->bdf, err);
	if (r != 0)
		return r < 0 ? r : 0;
	return scan->class->read(&entry, device, err);
}

static int scan_entry(const struct scan *scan, uint32_t index, struct error *err)
{
	_cleanup_(device_cleanupp) struct device *device = device_new(scan->driver);
	_cleanup_close_ int dirfd = -1;
	int r;

	if (!device)
		return error_set(err, ENOMEM, "no memory for a device");
	set_names(scan->class, index, device);
	r = is_foreign(scan, device, err);
	if (r != 0)
		return r < 0 ? r : 0;
	dirfd = sysfs_open(scan->host, device->sysfs_path, err);
	if (dirfd < 0)
		return dirfd == -ENOENT ? 0 : dirfd;
	r = read_entry(scan, dirfd, device, err);
	if (r <= 0)
		return r;
	if (!sysfs_is_still(scan->host, device->sysfs_path, dirfd))
		return 0;
	r = device_list_add(scan->list, device);
	if (r < 0)
		return error_set(err, -r, "list '%s': %s", device->name, strerror(-r));
	(void)TAKE_PTR(device);
	return 0;
}

int class_device_scan(const struct class_device *class, const struct driver *driver,
		      const struct host *host, struct device_list *list, struct error *err)
{
	static const char *const no_suffix[] = { "", NULL };
	_cleanup_(pci_reader_freep) struct pci_reader *pci = NULL;
	_cleanup_sysfs_entries_ struct sysfs_entries entries = { 0 };
	struct scan scan = { class, driver, host, NULL, list };
	int r;

	r = sysfs_list(host, class->class_dir, class->entry_prefix, no_suffix, &entries, err);
	if (r < 0 || entries.n == 0)
		return r;
	r = pci_reader_new(host, &pci, err);
	if (r < 0)
		return r;
	scan.pci = pci;
	for (size_t i = 0; r == 0 && i < entries.n; i++)
		r = scan_entry(&scan, entries.entries[i].index, err);
	return r;
}

int class_device_take(const struct class_entry *entry, struct device *device, struct error *err)
{
	struct node_list list;
	int r;

	node_list_init(&list, entry->host, device);
	node_list_need(&list, NULL, "/dev/%s", device->name);
	r = node_list_finish(&list, err);
	return r < 0 ? r : 1;
}

int class_device_open(const struct host *host, const struct device *device, struct error *err)
{
	int r = sysfs_probe_parent(host, device, err);
	int fd;

	if (r < 0)
		return r;
	fd = sysfs_open(host, device->sysfs_path, err);
	if (fd == -ENOENT)
		return error_set(err, ENODEV, "gone from sysfs");
	return fd;
}

int class_device_probe(const struct host *host, const struct device *device, const char *name,
		       const char *good, struct error *err)
{
	char text[SYSFS_LINE_MAX];
	int r;

	r = sysfs_probe_parent(host, device, err);
	if (r < 0)
		return r;
	r = pci_probe(host, device->bdf, NULL, err);
	if (r < 0)
		return r;
	r = sysfs_probe_line(host, device, name, text, err);
	if (r < 0)
		return r;
	if (strcmp(text, good) != 0)
		return error_set(err, EIO, "%s is '%s', expected '%s'", name, text, good);
	return 0;
}

bool class_device_is_word(const char *text)
{
	return sysfs_consists_of(text, SYSFS_LETTERS SYSFS_DIGITS "-._");
}

const struct class_product *class_product_find(const struct class_product *table,
					       const struct device_pci *pci)
{
	for (; table->product || table->architecture; table++)
		if (table->pci_device == pci->device &&
		    (table->subsystem == 0 || table->subsystem == pci->subsystem_device))
			return table;
	return NULL;
}
