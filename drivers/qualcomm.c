/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Qualcomm Cloud AI accelerators: AIC100, AIC080 and AIC200.
 *
 * The kernel driver qaic shows each system-on-chip as an entry of the class
 * `accel`, which it shares with other vendors' drivers; an Ultra card has four.
 *
 * The entry is no proof of readiness: newer kernels keep it for as long as the
 * PCI device is there, and tell of readiness in the uevents KOBJ_ONLINE and
 * KOBJ_OFFLINE only, which someone who looks later has missed (older ones remove
 * the entry while the chip resets).  What stays to be seen is the channel that
 * the driver waits for: below the PCI device is the MHI bus of the chip, on which
 * <mhi>/<mhi>_QAIC_CONTROL exists while its firmware is up.  Where no MHI bus is
 * shown nothing is concluded from it.
 *
 * Source: Linux drivers/accel/qaic/qaic_drv.c, Documentation/accel/qaic/qaic.rst,
 * drivers/bus/mhi/host/main.c (the names of channels)
 */
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "drivers/class_device.h"
#include "drivers/driver.h"
#include "drivers/sysfs.h"

#define PCI_VENDOR_QUALCOMM 0x17cb
#define MHI_PATH_MAX (DEVICE_PATH_MAX + 64) /* "<entry>/device/mhi65535/mhi65535_QAIC_CONTROL" */

static const struct class_product products[] = {
	{ 0xa080, 0, "AIC080", "aic080" },
	{ 0xa100, 0, "AIC100", "aic100" },
	{ 0xa110, 0, "AIC200", "aic200" },
	{ 0 },
};

/* Other chips of the vendor may be in the class; those of this driver name it. */
static bool is_cloud_ai(const struct class_entry *entry, const struct class_product *known)
{
	char name[SYSFS_LINE_MAX];

	return known || (sysfs_link_name(entry->dirfd, "device/driver", name, sizeof(name)) == 0 &&
			 strcmp(name, "qaic") == 0);
}

static int read_chip(const struct class_entry *entry, struct device *device, struct error *err)
{
	const struct class_product *known = class_product_find(products, &device->pci);

	if (!is_cloud_ai(entry, known))
		return 0;
	device->index = DEVICE_INDEX_UNKNOWN; /* the entry's number is not the runtime's */
	if (known)
		device->architecture = known->architecture;
	(void)str_copy(device->product, sizeof(device->product), known ? known->product : "qaic");
	return class_device_take(entry, device, err);
}

static const struct class_device qualcomm_class = {
	.class_dir = "sys/class/accel",
	.entry_prefix = "accel",
	.name_prefix = "accel/accel",
	.pci_vendor = PCI_VENDOR_QUALCOMM,
	.read = read_chip,
};

static int qualcomm_scan(const struct driver *driver, const struct host *host,
			 struct device_list *list, struct error *err)
{
	return class_device_scan(&qualcomm_class, driver, host, list, err);
}

static int check_online(const struct host *host, const struct device *device, struct error *err)
{
	static const char *const no_suffix[] = { "", NULL };
	_cleanup_sysfs_entries_ struct sysfs_entries buses = { 0 };
	char path[MHI_PATH_MAX];
	uint32_t bus;
	int r;

	(void)snprintf(path, sizeof(path), "%s/device", device->sysfs_path);
	r = sysfs_list(host, path, "mhi", no_suffix, &buses, err);
	if (r < 0)
		return r;
	if (buses.n == 0)
		return 0;
	bus = buses.entries[0].index;
	(void)snprintf(path, sizeof(path), "%s/device/mhi%" PRIu32 "/mhi%" PRIu32 "_QAIC_CONTROL",
		       device->sysfs_path, bus, bus);
	if (faccessat(host->root_fd, path, F_OK, 0) < 0 && errno == ENOENT)
		return error_set(err, EIO, "offline: its control channel is missing");
	return 0;
}

static int qualcomm_probe(const struct host *host, const struct device *device, struct error *err)
{
	int r = sysfs_probe_parent(host, device, err);

	if (r < 0)
		return r;
	r = pci_probe(host, device->bdf, NULL, err);
	return r < 0 ? r : check_online(host, device, err);
}

static const char *const qualcomm_node_dirs[] = { "dev/accel", "dev", NULL };
static const char *const qualcomm_subsystems[] = { "accel", NULL };

const struct driver qualcomm_driver = {
	.name = "qualcomm",
	.vendor = "Qualcomm",
	.doc = {
		.hardware = "Cloud AI AIC100, AIC080, AIC200; an Ultra card is four devices",
		.reads = "`/sys/class/accel/accelN` below a PCI device of vendor 17cb that the "
			"kernel driver qaic has",
		.identity = "PCI address",
		.health = "the class entry belongs to the same PCI device, which answers on the "
			"bus; the chip's MHI bus, where one is shown, has the channel "
			"`QAIC_CONTROL`, which it has while the chip is online; the device "
			"file is there",
		.nodes = "`/dev/accel/accelN`",
		.evidence = "Linux kernel source, no vendor plugin to compare with; the older "
			"driver's `/dev/qaic*`, serial number, memory size, temperature: not "
			"found in sysfs",
	},
	.scan = qualcomm_scan,
	.probe = qualcomm_probe,
	.node_dirs = qualcomm_node_dirs,
	.subsystems = qualcomm_subsystems,
};
