/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Furiosa NPUs: RNGD and Warboy.
 *
 * A card is one management entry of a class of the vendor's kernel driver,
 *
 *	/sys/class/rngd_mgmt/rngd!npu0mgmt/     RNGD
 *	/sys/class/npu_mgmt/npu0_mgmt/          Warboy
 *
 * whose attributes give its facts.  The class devices have no PCI parent, so
 * the `busname` attribute leads to the PCI device.  Device files carry the name
 * of the card and a suffix: /dev/rngd/npu0pe2-3.  What differs between the two
 * architectures is data, below; the code is shared.
 *
 * Attributes may be empty, cut or garbage: a fact that does not parse is left
 * unknown, and only one without which the card cannot be used is a fault.
 *
 * Source: furiosa-ai/device-api, its sysfs and devfs modules and test data;
 * Furiosa developer docs 2026.3, "Container Support" (the 35 device files) and
 * "RNGD overview"; pci.ids, vendor 1ed2
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/macro.h"
#include "base/parse.h"
#include "drivers/driver.h"
#include "drivers/hwmon.h"
#include "drivers/nodes.h"
#include "drivers/pci.h"
#include "drivers/sysfs.h"

#define GIB (UINT64_C(1) << 30)
#define PCI_VENDOR_FURIOSA 0x1ed2

#define VERSION_NUMBER_MAX 9 /* digits, so that a number fits in 32 bits */

struct architecture {
	const char *name;
	const char *class_dir;	  /* relative to the host root */
	const char *entry_prefix; /* of a class entry, before the index */
	const char *name_prefix;  /* of a device file below /dev, before the index */
	/* Behind the index, of the class entry and of its device file: the spelling
	 * has changed between releases of the kernel driver. */
	const char *const *mgmt_suffixes;
	const char *const *shared_suffixes; /* of device files that every partition needs */
	const char *optional_suffix;	    /* of one that not every driver makes; NULL for none */
	bool optional_shared;		    /* whether partitions get that one */
	const char *health_attribute;	    /* "1" while the card works */
	const char *core_ranges_attribute;  /* lists the core ranges; NULL where there is none */
	const struct core_range *core_ranges;
	size_t n_core_ranges;
	unsigned int cores;
	uint64_t memory_bytes;
	const struct device_partition *partitions; /* that a card can be cut into */
	size_t n_partitions;
};

static const char *const rngd_mgmt[] = { "mgmt", "_mgmt", NULL };
static const char *const rngd_shared[] = {
	"bar0", "bar2", "bar4", "dmar", "ch0",	"ch1",	"ch2",	"ch3",	"ch4",	"ch5", "ch6",
	"ch7",	"ch0r", "ch1r", "ch2r", "ch3r", "ch4r", "ch5r", "ch6r", "ch7r", NULL,
};
static const struct core_range rngd_core_ranges[] = {
	{ 0, 0 }, { 1, 1 }, { 2, 2 }, { 3, 3 }, { 4, 4 }, { 5, 5 }, { 6, 6 },
	{ 7, 7 }, { 0, 1 }, { 2, 3 }, { 4, 5 }, { 6, 7 }, { 0, 3 }, { 4, 7 },
};
/* Profiles are named as Furiosa's resources are: cores, and their part of the memory. */
#define PARTITION(FIRST, LAST, PROFILE, GIBS)            \
	{                                                \
		"", PROFILE, { FIRST, LAST }, (GIBS)*GIB \
	}
static const struct device_partition rngd_partitions[] = {
	PARTITION(0, 0, "1core.6gb", 6),   PARTITION(1, 1, "1core.6gb", 6),
	PARTITION(2, 2, "1core.6gb", 6),   PARTITION(3, 3, "1core.6gb", 6),
	PARTITION(4, 4, "1core.6gb", 6),   PARTITION(5, 5, "1core.6gb", 6),
	PARTITION(6, 6, "1core.6gb", 6),   PARTITION(7, 7, "1core.6gb", 6),
	PARTITION(0, 1, "2core.12gb", 12), PARTITION(2, 3, "2core.12gb", 12),
	PARTITION(4, 5, "2core.12gb", 12), PARTITION(6, 7, "2core.12gb", 12),
	PARTITION(0, 3, "4core.24gb", 24), PARTITION(4, 7, "4core.24gb", 24),
};

static const char *const warboy_mgmt[] = { "_mgmt", NULL };
static const char *const warboy_shared[] = { "ch0", "ch1", "ch2", "ch3", NULL };
static const struct core_range warboy_core_ranges[] = { { 0, 0 }, { 1, 1 }, { 0, 1 } };
static const struct device_partition warboy_partitions[] = {
	PARTITION(0, 0, "1core.8gb", 8),
	PARTITION(1, 1, "1core.8gb", 8),
	PARTITION(0, 1, "2core.16gb", 16),
};

static const struct architecture architectures[] = {
	{
		.name = "rngd",
		.class_dir = "sys/class/rngd_mgmt",
		.entry_prefix = "rngd!npu",
		.name_prefix = "rngd/npu",
		.mgmt_suffixes = rngd_mgmt,
		.shared_suffixes = rngd_shared,
		.optional_suffix = "p2pmem",
		.optional_shared = true,
		.health_attribute = "device_state",
		.core_ranges_attribute = "cur_pe_ids",
		.core_ranges = rngd_core_ranges,
		.n_core_ranges = ARRAY_SIZE(rngd_core_ranges),
		.cores = 8,
		.memory_bytes = 48 * GIB,
		.partitions = rngd_partitions,
		.n_partitions = ARRAY_SIZE(rngd_partitions),
	},
	{
		.name = "warboy",
		.class_dir = "sys/class/npu_mgmt",
		.entry_prefix = "npu",
		.name_prefix = "npu",
		.mgmt_suffixes = warboy_mgmt,
		.shared_suffixes = warboy_shared,
		/* /dev/npu0 opens all cores, so only a whole card may get it. */
		.optional_suffix = "",
		.optional_shared = false,
		.health_attribute = "alive",
		.core_ranges = warboy_core_ranges,
		.n_core_ranges = ARRAY_SIZE(warboy_core_ranges),
		.cores = 2,
		.memory_bytes = 16 * GIB,
		.partitions = warboy_partitions,
		.n_partitions = ARRAY_SIZE(warboy_partitions),
	},
};

static const struct {
	uint16_t pci_device;
	const char *product;
} products[] = {
	{ 0x0000, "warboy" },
	{ 0x0001, "rngd" },
	{ 0x0002, "rngd-plus" },
	{ 0x2222, "rngd-s" },
};

/* --- attribute texts --- */

/* Skips "1.6.0"; NULL if the text does not begin so. */
static const char *skip_version_core(const char *text)
{
	for (int i = 0; i < 3; i++) {
		size_t n = strspn(text, SYSFS_DIGITS);

		if (n == 0 || n > VERSION_NUMBER_MAX)
			return NULL;
		text += n;
		if (i < 2 && *text++ != '.')
			return NULL;
	}
	return text;
}

/* "2025.4.0-dev2+0e9e56a" as in semver.org 2.0.0, or the older "1.6.0, c1bebfd". */
static bool is_version(const char *text)
{
	const char *rest = skip_version_core(text);
	const char *hash = rest ? str_starts_with(rest, ", ") : NULL;
	size_t n;

	if (!rest)
		return false;
	if (hash)
		return sysfs_consists_of(hash, SYSFS_LETTERS SYSFS_DIGITS);
	if (*rest == '-') {
		n = strspn(rest + 1, SYSFS_LETTERS SYSFS_DIGITS ".-");
		if (n == 0)
			return false;
		rest += 1 + n;
	}
	return *rest == '\0' ||
	       (*rest == '+' && sysfs_consists_of(rest + 1, SYSFS_LETTERS SYSFS_DIGITS ".-"));
}

/* "3" or "2-3"; the text is changed. */
static int parse_core_range(char *text, unsigned int cores, struct core_range *ret)
{
	char *dash = strchr(text, '-');
	uint32_t first, last;
	int r;

	if (dash)
		*dash = '\0';
	r = parse_u32(text, cores - 1, &first);
	if (r < 0)
		return r;
	r = parse_u32(dash ? dash + 1 : text, cores - 1, &last);
	if (r < 0)
		return r;
	if (first > last)
		return -EINVAL;
	*ret = (struct core_range) { (uint8_t)first, (uint8_t)last };
	return 0;
}

/* "0,1,0-1" into the core ranges of a device, which are not to be used on failure. */
static int parse_core_ranges(char *text, struct device *device)
{
	device->n_core_ranges = 0;
	for (char *item = strsep(&text, ","); item; item = strsep(&text, ",")) {
		struct core_range range;
		int r = parse_core_range(item, device->cores, &range);

		if (r < 0)
			return r;
		if (device_has_core_range(device, range))
			continue;
		if (device->n_core_ranges == DEVICE_CORE_RANGES_MAX)
			return -E2BIG;
		device->core_ranges[device->n_core_ranges++] = range;
	}
	return 0;
}

/* --- attribute files --- */

/* Emulators have the same class entries; they say so here. */
static int is_furiosa_platform(int dirfd, struct error *err)
{
	char text[SYSFS_LINE_MAX];
	int r = sysfs_read_fact(dirfd, "platform_type", text, err);

	return r > 0 ? strcmp(text, "FuriosaAI") == 0 : r;
}

static const struct {
	const char *attribute;
	size_t offset;
	size_t size;
	bool (*fits)(const char *text);
} facts[] = {
	{ "device_uuid", offsetof(struct device, uuid), DEVICE_UUID_MAX, sysfs_is_id },
	{ "device_sn", offsetof(struct device, serial), DEVICE_SERIAL_MAX, sysfs_is_id },
	{ "version", offsetof(struct device, driver_version), DEVICE_VERSION_MAX, is_version },
	{ "fw_version", offsetof(struct device, firmware_version), DEVICE_VERSION_MAX, is_version },
};

static int read_facts(int dirfd, struct device *device, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
		int r = sysfs_read_text(dirfd, facts[i].attribute, facts[i].fits,
					(char *)device + facts[i].offset, facts[i].size, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int read_core_ranges(int dirfd, const struct architecture *arch, struct device *device,
			    struct error *err)
{
	char text[SYSFS_LINE_MAX];
	int r = 0;

	if (arch->core_ranges_attribute)
		r = sysfs_read_fact(dirfd, arch->core_ranges_attribute, text, err);
	if (r < 0)
		return r;
	if (r > 0 && parse_core_ranges(text, device) == 0)
		return 0;
	memcpy(device->core_ranges, arch->core_ranges,
	       arch->n_core_ranges * sizeof(*arch->core_ranges));
	device->n_core_ranges = arch->n_core_ranges;
	return 0;
}

/* --- place on the PCI bus, and product --- */

static int read_bdf(int dirfd, struct device *device, struct error *err)
{
	char text[SYSFS_LINE_MAX];
	struct error reason = { 0 };
	int r;

	r = sysfs_read_line(dirfd, "busname", text, &reason);
	if (sysfs_is_shortage(r))
		return error_set(err, -r, "%s", error_text(&reason, r));
	if (r == -ENOENT)
		device_set_fault(device, "busname is missing");
	else if (r < 0)
		device_set_fault(device, "busname cannot be read: %s", error_text(&reason, r));
	else if (pci_bdf_parse(text, device->bdf) < 0)
		device_set_fault(device, "busname '%s' is not a PCI address", text);
	return 0;
}

static const char *product_by_pci(const struct device_pci *pci)
{
	if (pci->vendor != PCI_VENDOR_FURIOSA)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(products); i++)
		if (products[i].pci_device == pci->device)
			return products[i].product;
	return NULL;
}

/* "RNGD" into the product "rngd"; false if the text is no name. */
static bool set_product_by_type(struct device *device, char *type)
{
	if (!sysfs_consists_of(type, SYSFS_LETTERS SYSFS_DIGITS "._-"))
		return false;
	for (char *c = type; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return str_copy(device->product, sizeof(device->product), type) == 0;
}

static int find_product(int dirfd, const struct architecture *arch, struct device *device,
			struct error *err)
{
	const char *product = product_by_pci(&device->pci);
	char type[SYSFS_LINE_MAX];
	int r = 0;

	if (!product)
		r = sysfs_read_fact(dirfd, "device_type", type, err);
	if (r < 0)
		return r;
	if (r > 0 && set_product_by_type(device, type))
		return 0;
	return str_copy(device->product, sizeof(device->product), product ? product : arch->name);
}

/* --- device files --- */

/* The most that a list gets: management, shared, optional and core ranges. */
_Static_assert(1 + ARRAY_SIZE(rngd_shared) + 1 + DEVICE_CORE_RANGES_MAX <= DEVICE_NODES_MAX,
	       "all device files of a card fit");

/* The first spelling that is there, else the first of all as the missing one. */
static void need_mgmt_node(struct node_list *list, const char *const *suffixes)
{
	const char *name = list->device->name;

	for (const char *const *suffix = suffixes; *suffix; suffix++)
		if (node_list_exists(list, "/dev/%s%s", name, *suffix)) {
			node_list_need(list, NULL, "/dev/%s%s", name, *suffix);
			return;
		}
	node_list_need(list, NULL, "/dev/%s%s", name, suffixes[0]);
}

static void take_optional_node(struct node_list *list, const struct architecture *arch)
{
	const struct core_range all = { 0, (uint8_t)(arch->cores - 1) };

	if (arch->optional_suffix)
		(void)node_list_take(list, arch->optional_shared ? NULL : &all, "/dev/%s%s",
				     list->device->name, arch->optional_suffix);
}

static void need_core_node(struct node_list *list, const struct core_range *cores)
{
	const char *name = list->device->name;

	if (cores->first == cores->last)
		node_list_need(list, cores, "/dev/%spe%u", name, cores->first);
	else
		node_list_need(list, cores, "/dev/%spe%u-%u", name, cores->first, cores->last);
}

static int find_nodes(const struct host *host, const struct architecture *arch,
		      struct device *device, struct error *err)
{
	struct node_list list;

	node_list_init(&list, host, device);
	need_mgmt_node(&list, arch->mgmt_suffixes);
	for (const char *const *suffix = arch->shared_suffixes; *suffix; suffix++)
		node_list_need(&list, NULL, "/dev/%s%s", device->name, *suffix);
	for (size_t i = 0; i < device->n_core_ranges; i++)
		need_core_node(&list, &device->core_ranges[i]);
	take_optional_node(&list, arch);
	return node_list_finish(&list, err);
}

/* --- scan --- */

struct scan {
	const struct host *host;
	struct pci_reader *pci;
	struct device_list *list;
};

static void set_architecture(const struct architecture *arch, struct sysfs_entry entry,
			     struct device *device)
{
	(void)snprintf(device->name, sizeof(device->name), "%s%" PRIu32, arch->name_prefix,
		       entry.index);
	(void)snprintf(device->sysfs_path, sizeof(device->sysfs_path), "%s/%s%" PRIu32 "%s",
		       arch->class_dir, arch->entry_prefix, entry.index,
		       arch->mgmt_suffixes[entry.suffix]);
	device->architecture = arch->name;
	device->cores = arch->cores;
	device->memory_bytes = arch->memory_bytes;
	device->partitions = arch->partitions;
	device->n_partitions = arch->n_partitions;
	device->index = (int)entry.index;
}

static int read_device(const struct scan *scan, const struct architecture *arch, int dirfd,
		       struct device *device, struct error *err)
{
	int r;

	r = read_facts(dirfd, device, err);
	if (r < 0)
		return r;
	r = read_bdf(dirfd, device, err);
	if (r < 0)
		return r;
	r = sysfs_join_pci(scan->pci, device, err);
	if (r < 0)
		return r;
	r = find_product(dirfd, arch, device, err);
	if (r < 0)
		return r;
	r = read_core_ranges(dirfd, arch, device, err);
	if (r < 0)
		return r;
	return find_nodes(scan->host, arch, device, err);
}

/* Returns 1 if the entry was listed, 0 if it is no card of ours or has vanished. */
static int scan_entry(const struct scan *scan, const struct architecture *arch,
		      struct sysfs_entry entry, struct error *err)
{
	_cleanup_(device_cleanupp) struct device *device = device_new(&furiosa_driver);
	_cleanup_close_ int dirfd = -1;
	int r;

	if (!device)
		return error_set(err, ENOMEM, "no memory for a device");
	set_architecture(arch, entry, device);
	dirfd = sysfs_open(scan->host, device->sysfs_path, err);
	if (dirfd < 0)
		return dirfd == -ENOENT ? 0 : dirfd;
	r = is_furiosa_platform(dirfd, err);
	if (r <= 0)
		return r;
	r = read_device(scan, arch, dirfd, device, err);
	if (r < 0)
		return r;
	if (!sysfs_is_still(scan->host, device->sysfs_path, dirfd))
		return 0;
	r = device_list_add(scan->list, device);
	if (r < 0)
		return error_set(err, -r, "list '%s': %s", device->name, strerror(-r));
	(void)TAKE_PTR(device);
	return 1;
}

static int scan_architecture(const struct scan *scan, const struct architecture *arch,
			     struct error *err)
{
	_cleanup_sysfs_entries_ struct sysfs_entries list = { 0 };
	int64_t listed = -1; /* index of the last card */
	int r;

	r = sysfs_list(scan->host, arch->class_dir, arch->entry_prefix, arch->mgmt_suffixes, &list,
		       err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < list.n; i++) {
		if (list.entries[i].index == listed) /* the other spelling */
			continue;
		r = scan_entry(scan, arch, list.entries[i], err);
		if (r < 0)
			return r;
		if (r > 0)
			listed = list.entries[i].index;
	}
	return 0;
}

static int furiosa_scan(_unused_ const struct driver *driver, const struct host *host,
			struct device_list *list, struct error *err)
{
	_cleanup_(pci_reader_freep) struct pci_reader *pci = NULL;
	struct scan scan = { .host = host, .list = list };
	int r;

	r = pci_reader_new(host, &pci, err);
	if (r < 0)
		return r;
	scan.pci = pci;
	for (size_t i = 0; i < ARRAY_SIZE(architectures); i++) {
		r = scan_architecture(&scan, &architectures[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* --- probe --- */

static const struct architecture *find_architecture(const struct device *device)
{
	for (size_t i = 0; i < ARRAY_SIZE(architectures); i++)
		if (strcmp(architectures[i].name, device->architecture) == 0)
			return &architectures[i];
	return NULL;
}

/* Between two scans another card may have taken the entry's name. */
static int probe_identity(const struct host *host, const struct device *device, struct error *err)
{
	char text[SYSFS_LINE_MAX];
	char bdf[DEVICE_BDF_MAX];
	int r;

	r = sysfs_probe_line(host, device, "busname", text, err);
	if (r < 0)
		return r;
	if (pci_bdf_parse(text, bdf) < 0)
		return error_set(err, EINVAL, "busname '%s' is not a PCI address", text);
	if (strcmp(bdf, device->bdf) != 0)
		return error_set(err, ENODEV, "busname is '%s', expected '%s'", bdf, device->bdf);
	return 0;
}

static int furiosa_probe(const struct host *host, const struct device *device, struct error *err)
{
	const struct architecture *arch = find_architecture(device);
	char text[SYSFS_LINE_MAX];
	int r;

	if (!arch)
		return error_set(err, EINVAL, "no Furiosa device: '%s'", device->name);
	r = probe_identity(host, device, err);
	if (r < 0)
		return r;
	r = sysfs_probe_line(host, device, arch->health_attribute, text, err);
	if (r < 0)
		return r;
	if (strcmp(text, "1") != 0)
		return error_set(err, EIO, "%s is '%s', expected '1'", arch->health_attribute,
				 text);
	return 0;
}

/* --- load --- */

/* "pe_occupancy" has a line for each core, 1 while a program runs on it. */
static bool parse_occupancy(const char *text, double *ret)
{
	unsigned int n = 0, busy = 0;

	for (; *text; text++) {
		if (*text == '\n' || *text == ' ')
			continue;
		if (*text != '0' && *text != '1')
			return false;
		busy += *text == '1';
		n++;
	}
	if (n == 0)
		return false;
	*ret = (double)busy / n;
	return true;
}

static void read_occupancy(const struct host *host, const struct device *device,
			   struct device_readings *readings)
{
	char path[DEVICE_PATH_MAX + sizeof("/pe_occupancy")];
	char text[SYSFS_LINE_MAX];

	(void)snprintf(path, sizeof(path), "%s/pe_occupancy", device->sysfs_path);
	if (file_read_text(host->root_fd, path, text, sizeof(text), NULL) >= 0)
		(void)parse_occupancy(text, &readings->utilization_ratio);
}

/* The sensors belong to the PCI device. */
static int furiosa_measure(const struct host *host, const struct device *device,
			   struct device_readings *ret, struct error *err)
{
	struct device_readings readings = device_readings_none();
	char dir[DEVICE_PATH_MAX];
	int r = probe_identity(host, device, err);

	if (r < 0)
		return r;
	read_occupancy(host, device, &readings);
	(void)snprintf(dir, sizeof(dir), "sys/bus/pci/devices/%s", device->bdf);
	r = hwmon_read_load(host, dir, &readings, err);
	if (r < 0)
		return r;
	*ret = readings;
	return 0;
}

static const char *const furiosa_node_dirs[] = { "dev/rngd", "dev", NULL };

/* Not "pci": a card that comes or goes takes its class entry along, and other
 * cards of the bus are none of our business. */
static const char *const furiosa_subsystems[] = { "rngd_mgmt", "npu_mgmt", NULL };

const struct driver furiosa_driver = {
	.name = "furiosa",
	.vendor = "FuriosaAI",
	.partition_isolation = DRIVER_ISOLATION_DRIVER,
	.doc = {
		.hardware = "RNGD, RNGD-S, RNGD-Plus, Warboy",
		.reads = "`/sys/class/rngd_mgmt`, `/sys/class/npu_mgmt`, PCI ids through `busname`",
		.identity = "`device_uuid`, else `device_sn`, else PCI address",
		.health = "`device_state` (RNGD) or `alive` (Warboy) is `1`; every device file is "
			  "there",
		.nodes = "`/dev/rngd/npuN*` (35 files, `p2pmem` when present), `/dev/npuN*`; a "
			 "partition gets the processing elements within it and the shared files",
		.evidence = "vendor source and documentation; `pe_occupancy`, by which the load is "
			    "told, from third parties; names of VF devices: not found",
	},
	.scan = furiosa_scan,
	.probe = furiosa_probe,
	.measure = furiosa_measure,
	.node_dirs = furiosa_node_dirs,
	.subsystems = furiosa_subsystems,
};
