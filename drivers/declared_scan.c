/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the devices of a description.  Three sources name them, each in its own
 * order: the entries of a class, the files that a pattern fits, the PCI devices
 * of a vendor.  What follows is the same for all:
 *
 *	name, index, entry in sysfs -> PCI address -> the match -> facts -> files
 *
 * A condition of the match on the PCI device must be seen to hold for an entry of
 * a class, which vendors may share.  A device file's name is the vendor's own:
 * there, only what contradicts leaves a device out, as its place on the bus may
 * not be shown.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/macro.h"
#include "base/parse.h"
#include "drivers/char_device.h"
#include "drivers/declared_path.h"
#include "drivers/declared_row.h"
#include "drivers/nodes.h"
#include "drivers/pci.h"
#include "drivers/sysfs.h"

#define PCI_DIR "sys/bus/pci/devices"
#define PCI_CLASS_BRIDGE 0x060000 /* PCI Code and ID Assignment, base class 06h */
#define PCI_CLASS_BASE_MASK 0xff0000
#define PRODUCT_CHARACTERS SYSFS_LETTERS SYSFS_DIGITS "-._"

struct scan {
	const struct driver *driver;
	const struct declared_spec *spec;
	const struct host *host;
	struct pci_reader *pci;
	struct char_devices *chars;
	struct device_list *list;
};

enum declared_source declared_source(const struct declared_spec *spec)
{
	if (spec->match.class_name[0] != '\0')
		return DECLARED_SOURCE_CLASS;
	return spec->match.n_files > 0 ? DECLARED_SOURCE_FILE : DECLARED_SOURCE_PCI;
}

/* --- facts --- */

static bool is_product(const char *text)
{
	return sysfs_consists_of(text, PRODUCT_CHARACTERS);
}

static const struct {
	size_t offset;
	size_t size;
	bool (*fits)(const char *text);
} facts[] = {
	[DECLARED_UUID] = { offsetof(struct device, uuid), DEVICE_UUID_MAX, sysfs_is_id },
	[DECLARED_SERIAL] = { offsetof(struct device, serial), DEVICE_SERIAL_MAX, sysfs_is_id },
	[DECLARED_DRIVER_VERSION] = { offsetof(struct device, driver_version), DEVICE_VERSION_MAX,
				      NULL },
	[DECLARED_FIRMWARE_VERSION] = { offsetof(struct device, firmware_version),
					DEVICE_VERSION_MAX, NULL },
};

/* Reads an attribute of a description; as sysfs_read_fact(). */
static int read_attribute(int dirfd, const char *attribute, char *buf, struct error *err)
{
	char name[DECLARED_RESOLVED_MAX];
	int r;

	if (attribute[0] == '\0' || dirfd < 0)
		return 0;
	r = declared_attribute_resolve(dirfd, attribute, name);
	if (sysfs_is_shortage(r))
		return error_set(err, -r, "look for '%s': %s", attribute, strerror(-r));
	return r < 0 ? 0 : sysfs_read_fact(dirfd, name, buf, err);
}

static int read_facts(const struct scan *scan, int dirfd, struct device *device, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
		char text[SYSFS_LINE_MAX];
		int r;

		if (facts[i].size == 0)
			continue;
		r = read_attribute(dirfd, scan->spec->attributes[i], text, err);
		if (r < 0)
			return r;
		if (r > 0 && (!facts[i].fits || facts[i].fits(text)))
			(void)str_copy((char *)device + facts[i].offset, facts[i].size, text);
	}
	return 0;
}

static const char *product_by_id(const struct scan *scan, const struct device *device)
{
	const struct declared_match *match = &scan->spec->match;

	for (size_t i = 0; i < match->n_ids; i++)
		if (device->pci.vendor == match->pci_vendor &&
		    device->pci.device == match->ids[i].device && match->ids[i].product[0] != '\0')
			return match->ids[i].product;
	return scan->spec->product[0] != '\0' ? scan->spec->product : scan->spec->name;
}

/* What the card says, else its PCI id, else the description. */
static int find_product(const struct scan *scan, int dirfd, struct device *device,
			struct error *err)
{
	char text[SYSFS_LINE_MAX];
	int r = read_attribute(dirfd, scan->spec->attributes[DECLARED_PRODUCT], text, err);

	if (r < 0)
		return r;
	if (r > 0) {
		for (char *c = text; *c; c++)
			if (*c == ' ')
				*c = '-';
		if (is_product(text) &&
		    str_copy(device->product, sizeof(device->product), text) == 0)
			return 0;
	}
	return str_copy(device->product, sizeof(device->product), product_by_id(scan, device));
}

static void set_constants(const struct scan *scan, struct device *device)
{
	device->architecture = scan->spec->name;
	device->memory_bytes = scan->spec->memory_bytes;
	device->cores = scan->spec->cores;
}

/* An identity that was asked for although the next start may deal it anew. */
static void set_last_identity(const struct scan *scan, struct device *device)
{
	if (!scan->spec->identity_by_index || device->uuid[0] != '\0' ||
	    device->serial[0] != '\0' || device->bdf[0] != '\0')
		return;
	(void)str_copy(device->serial, sizeof(device->serial), device->name);
	for (char *c = device->serial; *c; c++)
		if (*c == '/')
			*c = '-';
}

/* --- place on the bus --- */

static int read_bdf(const struct scan *scan, int dirfd, struct device *device, struct error *err)
{
	const char *attribute = scan->spec->attributes[DECLARED_BDF];
	char text[SYSFS_LINE_MAX];
	int r;

	if (device->bdf[0] != '\0' || dirfd < 0)
		return 0;
	if (attribute[0] == '\0')
		return sysfs_read_parent(dirfd, device, err);
	r = read_attribute(dirfd, attribute, text, err);
	return r > 0 ? pci_bdf_parse(text, device->bdf) == 0 : r;
}

/* Whether a fact of the bus, 0 when not known, may belong to a device of ours. */
static bool may_be(const struct scan *scan, bool known, bool equal)
{
	return known ? equal : declared_source(scan->spec) == DECLARED_SOURCE_FILE;
}

static bool has_id(const struct declared_match *match, uint16_t id)
{
	for (size_t i = 0; i < match->n_ids; i++)
		if (match->ids[i].device == id)
			return true;
	return match->n_ids == 0;
}

static bool matches(const struct scan *scan, const struct device_pci *pci)
{
	const struct declared_match *match = &scan->spec->match;
	bool known = pci->vendor != 0;

	if (match->pci_vendor != 0 && !may_be(scan, known, pci->vendor == match->pci_vendor))
		return false;
	if (match->pci_vendor != 0 && known && !has_id(match, pci->device))
		return false;
	if (match->pci_class_mask != 0)
		return may_be(scan, pci->class != 0,
			      (pci->class & match->pci_class_mask) == match->pci_class);
	/* Cards with a switch on them show its ports under the same vendor. */
	return (pci->class & PCI_CLASS_BASE_MASK) != PCI_CLASS_BRIDGE;
}

/* --- device files --- */

static int add_node(struct node_list *list, const struct declared_node *node, struct error *err)
{
	char path[NODE_PATH_MAX];
	int r = declared_template_expand(node->path, list->device, path);

	if (sysfs_is_shortage(r))
		return error_set(err, -r, "device file '%s': %s", node->path, strerror(-r));
	if (r == -ENODATA)
		device_set_fault(list->device, "device file '%s': its PCI address is not known",
				 node->path);
	else if (r < 0)
		device_set_fault(list->device, "device file '%s': %s", node->path, strerror(-r));
	else if (node->optional)
		(void)node_list_take(list, NULL, "%s", path);
	else
		node_list_need(list, NULL, "%s", path);
	return 0;
}

static int find_nodes(const struct scan *scan, struct device *device, struct error *err)
{
	const struct declared_spec *spec = scan->spec;
	struct node_list list;
	int r = 0;

	node_list_init(&list, scan->host, device);
	for (size_t i = 0; r == 0 && i < spec->n_nodes; i++)
		r = add_node(&list, &spec->nodes[i], err);
	if (r < 0)
		return r;
	if (spec->n_nodes == 0 && declared_source(spec) == DECLARED_SOURCE_FILE)
		node_list_need(&list, NULL, "/dev/%s", device->name);
	else if (spec->n_nodes == 0)
		device_set_fault(device, "no device files are declared");
	return node_list_finish(&list, err);
}

/* --- one device --- */

static int read_device(const struct scan *scan, int dirfd, struct device *device, struct error *err)
{
	int r;

	r = read_facts(scan, dirfd, device, err);
	if (r < 0)
		return r;
	r = find_product(scan, dirfd, device, err);
	if (r < 0)
		return r;
	set_constants(scan, device);
	set_last_identity(scan, device);
	return find_nodes(scan, device, err);
}

/* Returns 1 if the device is one of ours, 0 if not. */
static int place_device(const struct scan *scan, int dirfd, struct device *device,
			struct error *err)
{
	int r;

	r = read_bdf(scan, dirfd, device, err);
	if (r < 0)
		return r;
	r = sysfs_join_pci(scan->pci, device, err);
	if (r < 0)
		return r;
	if (!matches(scan, &device->pci))
		return 0;
	r = pci_has_vfs(scan->host, device->bdf, err);
	return r < 0 ? r : r == 0;
}

/* Lists a device whose name, index and sysfs_path are set, if it is one of ours;
 * takes the reference to it in any case. */
static int list_device(const struct scan *scan, struct device *owned, struct error *err)
{
	_cleanup_(device_cleanupp) struct device *device = owned;
	_cleanup_close_ int dirfd = -1;
	int r;

	if (device->sysfs_path[0] != '\0') {
		dirfd = sysfs_open(scan->host, device->sysfs_path, err);
		if (dirfd < 0)
			return dirfd == -ENOENT ? 0 : dirfd;
	}
	r = place_device(scan, dirfd, device, err);
	if (r <= 0)
		return r;
	r = read_device(scan, dirfd, device, err);
	if (r < 0)
		return r;
	if (dirfd >= 0 && !sysfs_is_still(scan->host, device->sysfs_path, dirfd))
		return 0;
	r = device_list_add(scan->list, device);
	if (r < 0)
		return error_set(err, -r, "list '%s': %s", device->name, strerror(-r));
	(void)TAKE_PTR(device);
	return 0;
}

static struct device *new_device(const struct scan *scan, struct error *err)
{
	struct device *device = device_new(scan->driver);

	if (!device)
		(void)error_set(err, ENOMEM, "no memory for a device");
	return device;
}

/* --- the sources --- */

static int scan_entry(const struct scan *scan, uint32_t index, struct error *err)
{
	const struct declared_match *match = &scan->spec->match;
	_cleanup_(device_cleanupp) struct device *device = new_device(scan, err);
	int len;

	if (!device)
		return -ENOMEM;
	len = snprintf(device->name, sizeof(device->name), "%s%" PRIu32 "%s", match->prefix, index,
		       match->suffix);
	if (len < 0 || (size_t)len >= sizeof(device->name))
		return 0; /* the check of the description leaves no such one */
	(void)snprintf(device->sysfs_path, sizeof(device->sysfs_path), "sys/class/%s/%s",
		       match->class_name, device->name);
	for (char *c = device->name; *c; c++)
		if (*c == '!')
			*c = '/';
	device->index = (int)index;
	return list_device(scan, TAKE_PTR(device), err);
}

static int scan_class(const struct scan *scan, struct error *err)
{
	const struct declared_match *match = &scan->spec->match;
	const char *const suffixes[] = { match->suffix, NULL };
	_cleanup_sysfs_entries_ struct sysfs_entries entries = { 0 };
	char dir[sizeof("sys/class/") + DECLARED_CLASS_MAX];
	int r;

	(void)snprintf(dir, sizeof(dir), "sys/class/%s", match->class_name);
	r = sysfs_list(scan->host, dir, match->prefix, suffixes, &entries, err);
	for (size_t i = 0; r == 0 && i < entries.n; i++)
		r = scan_entry(scan, entries.entries[i].index, err);
	return r;
}

static int scan_file(const struct scan *scan, const struct declared_pattern *pattern,
		     uint32_t index, struct error *err)
{
	_cleanup_(device_cleanupp) struct device *device = new_device(scan, err);
	const char *subdir = str_starts_with(pattern->dir, "dev/");
	int r;

	if (!device)
		return -ENOMEM;
	r = snprintf(device->name, sizeof(device->name), "%s%s%s%" PRIu32 "%s",
		     subdir ? subdir : "", subdir ? "/" : "", pattern->prefix, index,
		     pattern->suffix);
	if (r < 0 || (size_t)r >= sizeof(device->name))
		return 0; /* the check of the description leaves no such one */
	device->index = (int)index;
	r = char_devices_find(scan->chars, device->name, device->sysfs_path, err);
	if (r < 0)
		return r;
	if (r == 0)
		device->sysfs_path[0] = '\0';
	return list_device(scan, TAKE_PTR(device), err);
}

static int scan_pattern(const struct scan *scan, const char *path, struct error *err)
{
	_cleanup_sysfs_entries_ struct sysfs_entries entries = { 0 };
	struct declared_pattern pattern;
	int r;

	r = declared_pattern_parse(path, &pattern, err);
	if (r == 0) {
		const char *const suffixes[] = { pattern.suffix, NULL };

		r = sysfs_list(scan->host, pattern.dir, pattern.prefix, suffixes, &entries, err);
	}
	for (size_t i = 0; r == 0 && i < entries.n; i++)
		r = scan_file(scan, &pattern, entries.entries[i].index, err);
	return r;
}

static int scan_files(const struct scan *scan, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < scan->spec->match.n_files; i++)
		r = scan_pattern(scan, scan->spec->match.files[i], err);
	return r;
}

/* A look at one file spares the rest of the bus all others. */
static int is_of_vendor(const struct scan *scan, const char *bdf, struct error *err)
{
	char path[sizeof(PCI_DIR) + DEVICE_BDF_MAX + sizeof("/vendor")];
	char text[SYSFS_LINE_MAX];
	uint64_t vendor;
	int r;

	(void)snprintf(path, sizeof(path), PCI_DIR "/%s/vendor", bdf);
	r = sysfs_read_fact(scan->host->root_fd, path, text, err);
	if (r <= 0)
		return r;
	return parse_u64(text, 16, &vendor) == 0 && vendor == scan->spec->match.pci_vendor;
}

static int scan_pci_device(const struct scan *scan, const char *bdf, struct error *err)
{
	struct device *device = new_device(scan, err);

	if (!device)
		return -ENOMEM;
	(void)str_copy(device->name, sizeof(device->name), bdf);
	(void)str_copy(device->bdf, sizeof(device->bdf), bdf);
	(void)snprintf(device->sysfs_path, sizeof(device->sysfs_path), PCI_DIR "/%s", bdf);
	return list_device(scan, device, err);
}

struct addresses {
	char (*rows)[DEVICE_BDF_MAX];
	size_t n;
	size_t cap;
};

static void addresses_done(struct addresses *addresses)
{
	free(addresses->rows);
}

static int add_address(struct addresses *list, const char *bdf)
{
	if (list->n >= SYSFS_ENTRIES_MAX)
		return -E2BIG;
	if (list->n == list->cap) {
		size_t cap = list->cap > 0 ? list->cap * 2 : 16;
		void *rows = reallocarray(list->rows, cap, sizeof(*list->rows));

		if (!rows)
			return -ENOMEM;
		list->rows = rows;
		list->cap = cap;
	}
	memcpy(list->rows[list->n++], bdf, DEVICE_BDF_MAX);
	return 0;
}

static int compare_addresses(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Collects the vendor's devices, in the order of their addresses. */
static int read_bus(const struct scan *scan, DIR *dir, struct addresses *list, struct error *err)
{
	for (;;) {
		const struct dirent *entry;
		char bdf[DEVICE_BDF_MAX] = { 0 };
		int r;

		errno = 0;
		entry = readdir(dir);
		if (!entry && errno != 0)
			return error_set(err, errno, "list '" PCI_DIR "': %s", strerror(errno));
		if (!entry)
			return 0;
		if (pci_bdf_parse(entry->d_name, bdf) < 0 || strcmp(bdf, entry->d_name) != 0)
			continue;
		r = is_of_vendor(scan, bdf, err);
		if (r < 0)
			return r;
		r = r > 0 ? add_address(list, bdf) : 0;
		if (r < 0)
			return error_set(err, -r, "list '" PCI_DIR "': %s", strerror(-r));
	}
}

static int scan_pci(const struct scan *scan, struct error *err)
{
	_cleanup_(addresses_done) struct addresses list = { 0 };
	_cleanup_closedir_ DIR *dir = file_open_dir(scan->host->root_fd, PCI_DIR);
	int r;

	if (!dir && errno == ENOENT)
		return 0;
	if (!dir)
		return error_set(err, errno, "open '" PCI_DIR "': %s", strerror(errno));
	r = read_bus(scan, dir, &list, err);
	if (r == 0 && list.n > 0)
		qsort(list.rows, list.n, sizeof(*list.rows), compare_addresses);
	for (size_t i = 0; r == 0 && i < list.n; i++)
		r = scan_pci_device(scan, list.rows[i], err);
	return r;
}

int declared_scan(const struct driver *driver, const struct host *host, struct device_list *list,
		  struct error *err)
{
	static int (*const sources[_DECLARED_SOURCE_MAX])(const struct scan *scan,
							  struct error *err) = {
		[DECLARED_SOURCE_PCI] = scan_pci,
		[DECLARED_SOURCE_CLASS] = scan_class,
		[DECLARED_SOURCE_FILE] = scan_files,
	};
	_cleanup_(pci_reader_freep) struct pci_reader *pci = NULL;
	_cleanup_(char_devices_freep) struct char_devices *chars = NULL;
	struct scan scan = { .driver = driver, .spec = driver->data, .host = host, .list = list };
	int r;

	r = pci_reader_new(host, &pci, err);
	if (r == 0)
		r = char_devices_new(host, &chars, err);
	if (r < 0)
		return r;
	scan.pci = pci;
	scan.chars = chars;
	return sources[declared_source(scan.spec)](&scan, err);
}
