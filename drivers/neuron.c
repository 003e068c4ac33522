/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AWS Neuron: Inferentia and Trainium.
 *
 * A chip is an entry neuronN of the class neuron_device and the device file
 * /dev/neuronN.  The entry has no PCI parent and no attribute that names one, so
 * neither PCI address nor NUMA node is known, and the serial number is all the
 * identity there is.
 *
 * A chip has cores, each of which can be handed out as a partition.  They share
 * the device file: what keeps two containers apart is the variable
 * NEURON_RT_VISIBLE_CORES that the vendor's runtime obeys, and no part of the
 * hardware.  It counts cores in ways that depend on the runtime's version and
 * mode, so it is left to the workload.
 *
 * Chips that are wired to each other, directly or over others, are one link group.
 *
 * Source: aws-neuron/aws-neuron-sdk at 81ce03a, the Neuron sysfs user guide;
 * aws-neuron/aws-neuron-driver at 6bbfbe2, neuron_cdev.c and
 * neuron_sysfs_metrics.c (contents of the attributes); pci.ids, vendor 1d0f
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "base/parse.h"
#include "drivers/class_device.h"
#include "drivers/driver.h"
#include "drivers/sysfs.h"

#define PCI_VENDOR_AMAZON 0x1d0f
#define NEIGHBOURS_MAX 32 /* of one chip; the largest machine has 16 chips */
/* Each core, and all of them, are core ranges; a Trainium2 has 8 cores. */
#define PARTITIONED_CORES_MAX (DEVICE_CORE_RANGES_MAX - 1)
_Static_assert(PARTITIONED_CORES_MAX <= DEVICE_PARTITIONS_MAX, "a partition for each core");

/* The names are the vendor's, `info/architecture/device_name`. */
static const struct {
	const char *device_name;
	const char *architecture;
} architectures[] = {
	{ "Inferentia", "inferentia" }, { "Inferentia2", "inferentia2" },
	{ "Trainium1", "trainium1" },	{ "Trainium2", "trainium2" },
	{ "Trainium3", "trainium3" },
};

static const char serial_attribute[] = "info/serial_number";

/* Errors that no code could correct.  A driver that does not count them says
 * nothing about the chip. */
static const char *const error_counters[] = {
	"stats/hardware/mem_ecc_uncorrected",
	"stats/hardware/sram_ecc_uncorrected",
};

static int find_product(int dirfd, struct device *device, struct error *err)
{
	int r = sysfs_read_text(dirfd, "info/architecture/device_name", class_device_is_word,
				device->product, sizeof(device->product), err);

	for (size_t i = 0; r > 0 && i < ARRAY_SIZE(architectures); i++)
		if (strcmp(architectures[i].device_name, device->product) == 0)
			device->architecture = architectures[i].architecture;
	return r < 0 ? r : 0;
}

static int set_cores(struct device *device, unsigned int cores, struct error *err)
{
	struct device_partition partitions[PARTITIONED_CORES_MAX];
	int r;

	device->cores = cores;
	if (cores > PARTITIONED_CORES_MAX)
		return 0;
	for (unsigned int i = 0; i < cores; i++) {
		struct core_range core = { (uint8_t)i, (uint8_t)i };

		partitions[i] = (struct device_partition) { "", "1core", core, 0 };
		device->core_ranges[device->n_core_ranges++] = core;
	}
	if (cores > 1)
		device->core_ranges[device->n_core_ranges++] =
			(struct core_range) { 0, (uint8_t)(cores - 1) };
	r = device_set_partitions(device, partitions, cores);
	if (r < 0)
		return error_set(err, -r, "partitions of '%s': %s", device->name, strerror(-r));
	return 0;
}

static int read_facts(const struct class_entry *entry, struct device *device, struct error *err)
{
	uint64_t cores;
	int r;

	r = sysfs_read_text(entry->dirfd, serial_attribute, sysfs_is_id, device->serial,
			    sizeof(device->serial), err);
	if (r < 0)
		return r;
	r = sysfs_read_text(entry->host->root_fd, "sys/module/neuron/version", NULL,
			    device->driver_version, sizeof(device->driver_version), err);
	if (r < 0)
		return r;
	r = find_product(entry->dirfd, device, err);
	if (r < 0)
		return r;
	r = sysfs_read_u64(entry->dirfd, "core_count", DEVICE_CORES_MAX, &cores, err);
	return r > 0 ? set_cores(device, (unsigned int)cores, err) : r;
}

static int read_chip(const struct class_entry *entry, struct device *device, struct error *err)
{
	int r;

	r = read_facts(entry, device, err);
	if (r < 0)
		return r;
	return class_device_take(entry, device, err);
}

/* --- links --- */

/* "1, 3" into numbers; returns how many, or -EINVAL if it is no such list. */
static int parse_neighbours(char *text, uint32_t *ret)
{
	int n = 0;

	if (text[0] == '\0')
		return 0;
	for (char *item = strsep(&text, ","); item; item = strsep(&text, ",")) {
		(void)str_trim(item);
		if (n == NEIGHBOURS_MAX || parse_u32(item, SYSFS_INDEX_MAX, &ret[n]) < 0)
			return -EINVAL;
		n++;
	}
	return n;
}

/* The chips of a scan, in order of their numbers. */
struct chips {
	struct device **devices;
	size_t n;
	size_t *parents; /* towards the first chip of the same group; its own is itself */
};

static size_t find_first(const struct chips *chips, size_t i)
{
	while (chips->parents[i] != i) {
		chips->parents[i] = chips->parents[chips->parents[i]]; /* a shorter way */
		i = chips->parents[i];
	}
	return i;
}

static void join(const struct chips *chips, size_t i, size_t k)
{
	size_t a = find_first(chips, i);
	size_t b = find_first(chips, k);

	chips->parents[MAX(a, b)] = MIN(a, b);
}

static void join_neighbour(const struct chips *chips, size_t i, uint32_t index)
{
	size_t low = 0;
	size_t high = chips->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (chips->devices[middle]->index < (int)index)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < chips->n && chips->devices[low]->index == (int)index)
		join(chips, i, low);
}

static int join_neighbours(const struct host *host, const struct chips *chips, size_t i,
			   struct error *err)
{
	char path[DEVICE_PATH_MAX + sizeof("/connected_devices")];
	uint32_t neighbours[NEIGHBOURS_MAX];
	char text[SYSFS_LINE_MAX];
	int n;

	(void)snprintf(path, sizeof(path), "%s/connected_devices", chips->devices[i]->sysfs_path);
	n = sysfs_read_fact(host->root_fd, path, text, err);
	if (n <= 0)
		return n;
	n = parse_neighbours(text, neighbours);
	for (int k = 0; k < n; k++)
		join_neighbour(chips, i, neighbours[k]);
	return 0;
}

/* A group is named by its first chip; one that is alone has no group. */
static void name_groups(const struct chips *chips)
{
	for (size_t i = 0; i < chips->n; i++) {
		struct device *first = chips->devices[find_first(chips, i)];

		if (first == chips->devices[i])
			continue;
		(void)str_copy(first->link_group, sizeof(first->link_group), first->name);
		(void)str_copy(chips->devices[i]->link_group, sizeof(first->link_group),
			       first->name);
	}
}

static int find_links(const struct host *host, struct device **devices, size_t n, struct error *err)
{
	_cleanup_free_ size_t *parents = calloc(n + 1, sizeof(*parents));
	struct chips chips = { devices, n, parents };
	int r = 0;

	if (!parents)
		return error_set(err, ENOMEM, "no memory for the links of %zu chips", n);
	for (size_t i = 0; i < n; i++)
		parents[i] = i;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = join_neighbours(host, &chips, i, err);
	if (r < 0)
		return r;
	name_groups(&chips);
	return 0;
}

/* --- scan and probe --- */

#define NEURON_CLASS(DIR)                                                              \
	{                                                                              \
		.class_dir = DIR, .entry_prefix = "neuron", .name_prefix = "neuron",   \
		.pci_vendor = PCI_VENDOR_AMAZON, .own_class = true, .read = read_chip, \
	}

/* Two ways to the same entries; the second is for a tree without the links. */
static const struct class_device neuron_classes[] = {
	NEURON_CLASS("sys/class/neuron_device"),
	NEURON_CLASS("sys/devices/virtual/neuron_device"),
};

static int neuron_scan(const struct driver *driver, const struct host *host,
		       struct device_list *list, struct error *err)
{
	size_t before = list->n;
	int r = 0;

	for (size_t i = 0; r == 0 && list->n == before && i < ARRAY_SIZE(neuron_classes); i++)
		r = class_device_scan(&neuron_classes[i], driver, host, list, err);
	if (r < 0 || list->n == before)
		return r;
	return find_links(host, list->devices + before, list->n - before, err);
}

/* Between two scans another chip may have taken the entry's name. */
static int probe_identity(const struct host *host, const struct device *device, struct error *err)
{
	char text[SYSFS_LINE_MAX];
	int r;

	if (device->serial[0] == '\0')
		return 0;
	r = sysfs_probe_line(host, device, serial_attribute, text, err);
	if (r < 0)
		return r;
	if (strcmp(text, device->serial) != 0)
		return error_set(err, ENODEV, "serial number is '%s', expected '%s'", text,
				 device->serial);
	return 0;
}

static int neuron_probe(const struct host *host, const struct device *device, struct error *err)
{
	_cleanup_close_ int dirfd = class_device_open(host, device, err);
	uint64_t errors;
	int r;

	if (dirfd < 0)
		return dirfd;
	r = probe_identity(host, device, err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(error_counters); i++) {
		r = sysfs_read_u64(dirfd, error_counters[i], UINT64_MAX, &errors, err);
		if (r > 0 && errors > 0)
			return error_set(err, EIO, "%s is %" PRIu64 ", expected 0",
					 error_counters[i], errors);
		r = MIN(r, 0);
	}
	return r;
}

/* What is allocated on the chip is counted for each core. */
static int neuron_measure(const struct host *host, const struct device *device,
			  struct device_readings *ret, struct error *err)
{
	struct device_readings readings = device_readings_none();
	_cleanup_close_ int dirfd = class_device_open(host, device, err);
	double sum = 0;
	bool complete = device->cores > 0;

	if (dirfd < 0)
		return dirfd;
	for (unsigned int i = 0; complete && i < device->cores; i++) {
		char name[64];
		uint64_t used = 0;
		int r;

		(void)snprintf(name, sizeof(name),
			       "neuron_core%u/stats/memory_usage/device_mem/total", i);
		r = sysfs_read_u64(dirfd, name, UINT64_MAX, &used, err);
		if (r < 0)
			return r;
		complete = r > 0;
		sum += (double)used;
	}
	if (complete)
		readings.memory_used_bytes = sum;
	*ret = readings;
	return 0;
}

static const struct driver_env neuron_env[] = {
	{ "AWS_NEURON_VISIBLE_DEVICES", DRIVER_ENV_INDEX },
	{ 0 },
};

static const char *const neuron_node_dirs[] = { "dev", NULL };
static const char *const neuron_subsystems[] = { "neuron_device", NULL };

const struct driver neuron_driver = {
	.name = "neuron",
	.vendor = "AWS Neuron",
	.partition_isolation = DRIVER_ISOLATION_COOPERATIVE,
	.env = neuron_env,
	.doc = {
		.hardware = "Inferentia, Inferentia2, Trainium1, Trainium2, Trainium3",
		.reads = "`/sys/class/neuron_device/neuronN`, else "
			"`/sys/devices/virtual/neuron_device/neuronN`",
		.identity = "`info/serial_number`; a chip without one has no identity",
		.health = "`mem_ecc_uncorrected` and `sram_ecc_uncorrected` below "
			"`stats/hardware` are 0, where the kernel driver has them; the serial "
			"number is the same; the device file is there",
		.nodes = "`/dev/neuronN`; a partition (`1core`) gets the same file, and only the "
			"workload's `NEURON_RT_VISIBLE_CORES` keeps two of them apart",
		.evidence = "vendor documentation and kernel driver source; PCI address and NUMA "
			"node of a chip in sysfs: not found",
	},
	.scan = neuron_scan,
	.probe = neuron_probe,
	.measure = neuron_measure,
	.node_dirs = neuron_node_dirs,
	.subsystems = neuron_subsystems,
};
