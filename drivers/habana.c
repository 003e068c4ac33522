/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intel Gaudi accelerators, and the Goya and Greco cards of the same kernel
 * driver, habanalabs.
 *
 * Newer drivers show a card in the class that all accelerators share, with its
 * attributes at the PCI device; older ones in a class of their own, as a virtual
 * device that names its PCI address:
 *
 *	/sys/class/accel/accel0/device/status		/dev/accel/accel0
 *	/sys/class/habanalabs/hl0/status		/dev/hl0
 *
 * Both have a second device file, for control.
 *
 * Source: HabanaAI/habanalabs-k8s-device-plugin at 6b77f8c, server.go; Linux
 * drivers/accel/habanalabs/common/sysfs.c and Documentation/ABI/testing/
 * sysfs-driver-habanalabs; pci.ids, vendor 1da3
 */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "base/parse.h"
#include "drivers/class_device.h"
#include "drivers/driver.h"
#include "drivers/hwmon.h"
#include "drivers/nodes.h"
#include "drivers/pci.h"
#include "drivers/sysfs.h"

#define PCI_VENDOR_HABANA 0x1da3
#define OPERATIONAL "Operational"
#define UNKNOWN_PRODUCT "habana" /* of a card that neither its id nor itself names */

static int read_accel(const struct class_entry *entry, struct device *device, struct error *err);
static int read_hl(const struct class_entry *entry, struct device *device, struct error *err);

/* The two generations of the kernel driver. */
enum generation {
	GENERATION_ACCEL,
	GENERATION_HL,
	_GENERATION_MAX,
};

static const struct class_device classes[_GENERATION_MAX] = {
	[GENERATION_ACCEL] = {
		.class_dir = "sys/class/accel",
		.entry_prefix = "accel",
		.name_prefix = "accel/accel",
		.pci_vendor = PCI_VENDOR_HABANA,
		.read = read_accel,
	},
	[GENERATION_HL] = {
		.class_dir = "sys/class/habanalabs",
		.entry_prefix = "hl",
		.name_prefix = "hl",
		.pci_vendor = PCI_VENDOR_HABANA,
		.own_class = true,
		.read = read_hl,
	},
};

/* Below the class entry, where the card's attributes are. */
static const char *const attribute_dirs[_GENERATION_MAX] = {
	[GENERATION_ACCEL] = "device/",
	[GENERATION_HL] = "",
};

static const struct class_product products[] = {
	{ 0x0001, 0, "goya", "goya" },	   { 0x0030, 0, "greco", "greco" },
	{ 0x1000, 0, "gaudi", "gaudi" },   { 0x1010, 0, "gaudi-sec", "gaudi" },
	{ 0x1020, 0, "gaudi2", "gaudi2" }, { 0x1060, 0, "gaudi3", "gaudi3" },
	{ 0x1063, 0, "gaudi3", "gaudi3" }, { 0 },
};

/* By what `device_type` begins with, the longer ones first: "GAUDI2D" is a Gaudi 2. */
static const struct {
	const char *type;
	const char *architecture;
} architectures[] = {
	{ "gaudi3", "gaudi3" }, { "gaudi2", "gaudi2" }, { "gaudi", "gaudi" },
	{ "greco", "greco" },	{ "goya", "goya" },
};

/* The path of an attribute below the class entry. */
struct attribute_path {
	char text[64];
};

static struct attribute_path attribute_path(enum generation generation, const char *name)
{
	struct attribute_path path;

	(void)snprintf(path.text, sizeof(path.text), "%s%s", attribute_dirs[generation], name);
	return path;
}

/* --- product --- */

/* "GAUDI SEC" into "gaudi-sec"; false if it is no word then. */
static bool make_product(char *type)
{
	for (char *c = type; *c; c++) {
		*c = (char)tolower((unsigned char)*c);
		if (*c == ' ')
			*c = '-';
	}
	return class_device_is_word(type);
}

static const char *architecture_of(const char *product)
{
	for (size_t i = 0; i < ARRAY_SIZE(architectures); i++)
		if (str_starts_with(product, architectures[i].type))
			return architectures[i].architecture;
	return NULL;
}

/* The card's own word goes first: its PCI id is that of a whole family. */
static int find_product(enum generation generation, int dirfd, struct device *device,
			struct error *err)
{
	const struct class_product *row = NULL;
	char type[SYSFS_LINE_MAX];
	int r = sysfs_read_fact(dirfd, attribute_path(generation, "device_type").text, type, err);

	if (r < 0)
		return r;
	if (device->pci.vendor == PCI_VENDOR_HABANA)
		row = class_product_find(products, &device->pci);
	(void)str_copy(device->product, sizeof(device->product),
		       row ? row->product : UNKNOWN_PRODUCT);
	device->architecture = row ? row->architecture : UNKNOWN_PRODUCT;
	if (r == 0 || strlen(type) >= sizeof(device->product) || !make_product(type))
		return 0;
	(void)str_copy(device->product, sizeof(device->product), type);
	if (architecture_of(type))
		device->architecture = architecture_of(type);
	return 0;
}

/* --- scan --- */

static int read_versions(const struct class_entry *entry, enum generation generation,
			 struct device *device, struct error *err)
{
	int r = sysfs_read_text(entry->dirfd, attribute_path(generation, "cpucp_ver").text, NULL,
				device->firmware_version, sizeof(device->firmware_version), err);

	if (r < 0)
		return r;
	return sysfs_read_text(entry->host->root_fd, "sys/module/habanalabs/version", NULL,
			       device->driver_version, sizeof(device->driver_version), err);
}

static int find_nodes(const struct host *host, enum generation generation, struct device *device,
		      struct error *err)
{
	struct node_list list;

	node_list_init(&list, host, device);
	node_list_need(&list, NULL, "/dev/%s", device->name);
	if (generation == GENERATION_ACCEL)
		node_list_need(&list, NULL, "/dev/accel/accel_controlD%d", device->index);
	else
		node_list_need(&list, NULL, "/dev/hl_controlD%d", device->index);
	return node_list_finish(&list, err);
}

static int read_card(const struct class_entry *entry, enum generation generation,
		     struct device *device, struct error *err)
{
	int r = find_product(generation, entry->dirfd, device, err);

	if (r >= 0)
		r = read_versions(entry, generation, device, err);
	if (r >= 0)
		r = find_nodes(entry->host, generation, device, err);
	return r < 0 ? r : 1;
}

static int read_accel(const struct class_entry *entry, struct device *device, struct error *err)
{
	return read_card(entry, GENERATION_ACCEL, device, err);
}

static int read_hl(const struct class_entry *entry, struct device *device, struct error *err)
{
	char text[SYSFS_LINE_MAX];
	int r = sysfs_read_fact(entry->dirfd, "pci_addr", text, err);

	if (r < 0)
		return r;
	if (r == 0 || pci_bdf_parse(text, device->bdf) < 0)
		device_set_fault(device, "pci_addr is not a PCI address");
	r = sysfs_join_pci(entry->pci, device, err);
	return r < 0 ? r : read_card(entry, GENERATION_HL, device, err);
}

static int habana_scan(const struct driver *driver, const struct host *host,
		       struct device_list *list, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(classes); i++)
		r = class_device_scan(&classes[i], driver, host, list, err);
	return r;
}

/* --- probe --- */

static enum generation generation_of(const struct device *device)
{
	return str_starts_with(device->sysfs_path, classes[GENERATION_HL].class_dir)
		       ? GENERATION_HL
		       : GENERATION_ACCEL;
}

/* Between two scans another card may have taken the entry's name. */
static int probe_identity(const struct host *host, enum generation generation,
			  const struct device *device, struct error *err)
{
	char text[SYSFS_LINE_MAX];
	char bdf[DEVICE_BDF_MAX];
	int r;

	if (generation == GENERATION_ACCEL)
		return sysfs_probe_parent(host, device, err);
	r = sysfs_probe_line(host, device, "pci_addr", text, err);
	if (r < 0)
		return r;
	if (pci_bdf_parse(text, bdf) < 0)
		return error_set(err, EINVAL, "pci_addr '%s' is not a PCI address", text);
	if (strcmp(bdf, device->bdf) != 0)
		return error_set(err, ENODEV, "pci_addr is '%s', expected '%s'", bdf, device->bdf);
	return 0;
}

/* "In reset" and the like pass by themselves; until then the card cannot be opened. */
static int habana_probe(const struct host *host, const struct device *device, struct error *err)
{
	enum generation generation = generation_of(device);
	struct attribute_path status = attribute_path(generation, "status");
	char text[SYSFS_LINE_MAX];
	int r;

	r = probe_identity(host, generation, device, err);
	if (r < 0)
		return r;
	r = sysfs_probe_line(host, device, status.text, text, err);
	if (r < 0)
		return r;
	if (strcmp(text, OPERATIONAL) != 0)
		return error_set(err, EIO, "status is '%s', expected '" OPERATIONAL "'", text);
	return pci_probe(host, device->bdf, NULL, err);
}

static int habana_measure(const struct host *host, const struct device *device,
			  struct device_readings *ret, struct error *err)
{
	enum generation generation = generation_of(device);
	struct device_readings readings = device_readings_none();
	char dir[DEVICE_PATH_MAX + 16];
	int r;

	r = probe_identity(host, generation, device, err);
	if (r < 0)
		return r;
	(void)snprintf(dir, sizeof(dir), "%s/%s", device->sysfs_path, attribute_dirs[generation]);
	r = hwmon_read_load(host, dir, &readings, err);
	if (r == 0)
		*ret = readings;
	return r;
}

static const struct driver_env habana_env[] = {
	{ "HABANA_VISIBLE_DEVICES", DRIVER_ENV_INDEX },
	{ "HL_VISIBLE_DEVICES", DRIVER_ENV_NODE },
	{ 0 },
};

static const char *const habana_node_dirs[] = { "dev/accel", "dev", NULL };
static const char *const habana_subsystems[] = { "accel", "habanalabs", NULL };

const struct driver habana_driver = {
	.name = "habana",
	.vendor = "Intel Gaudi",
	.doc = {
		.hardware = "Gaudi, Gaudi 2, Gaudi 3, Goya, Greco",
		.reads = "`/sys/class/accel` with PCI vendor `1da3`, or "
			 "`/sys/class/habanalabs`",
		.identity = "PCI address; the serial number needs the vendor's library",
		.health = "`status` is `Operational`; the PCI device answers; both device "
			  "files are there. A reset, also the one after a job, makes it "
			  "unhealthy for as long as it takes; the critical events of the "
			  "vendor's library are not seen",
		.nodes = "`/dev/accel/accelN` and `/dev/accel/accel_controlDN`, or `/dev/hlN` "
			 "and `/dev/hl_controlDN`",
		.evidence = "vendor source and kernel source; memory size: not found; "
			    "`HABANA_VISIBLE_MODULES` is not set",
	},
	.scan = habana_scan,
	.probe = habana_probe,
	.measure = habana_measure,
	.env = habana_env,
	.node_dirs = habana_node_dirs,
	.subsystems = habana_subsystems,
};
