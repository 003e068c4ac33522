/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Google Coral Edge TPUs on PCIe (Apex).
 *
 * A chip is an entry /sys/class/apex/apex_N below its PCI device and the device
 * file /dev/apex_N.  It has no serial number in sysfs, so the PCI address is the
 * identity.  An Edge TPU on USB has no kernel driver and is not seen.
 *
 * Source: google/gasket-driver at 5815ee3, apex_driver.c and gasket_core.c (names
 * of the attributes and of the states); pci.ids, 1ac1:089a
 */
#include <stdint.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "drivers/class_device.h"
#include "drivers/driver.h"
#include "drivers/hwmon.h"
#include "drivers/sysfs.h"

#define PCI_VENDOR_CORAL 0x1ac1
#define PCI_DEVICE_EDGE_TPU 0x089a
/* A sensor that is switched off says far less: the chip sleeps while nobody uses it. */
#define TEMPERATURE_MIN (-40.0)

static bool is_version(const char *text)
{
	return sysfs_consists_of(text, SYSFS_DIGITS ".");
}

static int read_chip(const struct class_entry *entry, struct device *device, struct error *err)
{
	int r;

	if (device->pci.vendor != 0 && device->pci.device != PCI_DEVICE_EDGE_TPU)
		return 0;
	device->architecture = "edge-tpu";
	(void)str_copy(device->product, sizeof(device->product), "edge-tpu");
	r = sysfs_read_text(entry->dirfd, "driver_version", is_version, device->driver_version,
			    sizeof(device->driver_version), err);
	if (r < 0)
		return r;
	return class_device_take(entry, device, err);
}

static const struct class_device coral_class = {
	.class_dir = "sys/class/apex",
	.entry_prefix = "apex_",
	.name_prefix = "apex_",
	.pci_vendor = PCI_VENDOR_CORAL,
	.own_class = true,
	.read = read_chip,
};

static int coral_scan(const struct driver *driver, const struct host *host,
		      struct device_list *list, struct error *err)
{
	return class_device_scan(&coral_class, driver, host, list, err);
}

static int coral_probe(const struct host *host, const struct device *device, struct error *err)
{
	return class_device_probe(host, device, "status", "ALIVE", err);
}

static int coral_measure(const struct host *host, const struct device *device,
			 struct device_readings *ret, struct error *err)
{
	struct device_readings readings = device_readings_none();
	_cleanup_close_ int dirfd = class_device_open(host, device, err);
	double temperature;
	int r;

	if (dirfd < 0)
		return dirfd;
	r = hwmon_read(dirfd, "temp", HWMON_MILLIDEGREE, &temperature, err);
	if (r < 0)
		return r;
	if (r > 0 && temperature >= TEMPERATURE_MIN)
		readings.temperature_celsius = temperature;
	*ret = readings;
	return 0;
}

static const char *const coral_node_dirs[] = { "dev", NULL };
static const char *const coral_subsystems[] = { "apex", NULL };

const struct driver coral_driver = {
	.name = "coral",
	.vendor = "Google Coral",
	.doc = {
		.hardware = "Coral Edge TPU on M.2 and Mini PCIe",
		.reads = "`/sys/class/apex/apex_N` below the PCI device 1ac1:089a",
		.identity = "PCI address",
		.health = "`status` is `ALIVE`; it answers on the PCI bus; the device file is "
			"there",
		.nodes = "`/dev/apex_N`",
		.evidence = "vendor source; the driver's `status` looks at no register of the "
			"chip, so a chip that hangs may stay healthy; a Kubernetes resource "
			"of the vendor's: not found",
	},
	.scan = coral_scan,
	.probe = coral_probe,
	.measure = coral_measure,
	.node_dirs = coral_node_dirs,
	.subsystems = coral_subsystems,
};
