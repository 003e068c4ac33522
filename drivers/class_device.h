/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices that a kernel driver shows as numbered entries of a class: what is
 * the same for every vendor whose driver does so.
 *
 *	/sys/class/rebellions/rbln0/device -> ../../../0000:27:00.0
 *
 * The entry leads to the PCI device, the PCI device says whose it is, and a
 * physical function that has virtual functions is left out: those are devices
 * of their own, and it is no longer usable by itself.
 *
 * Source: Linux Documentation/admin-guide/sysfs-rules.rst;
 * Documentation/PCI/pci-iov-howto.rst
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "drivers/device.h"
#include "drivers/driver.h"
#include "drivers/host.h"
#include "drivers/pci.h"

struct class_device;

/* An entry while it is read. */
struct class_entry {
	const struct class_device *class; /* as given to class_device_scan() */
	const struct host *host;
	struct pci_reader *pci;
	int dirfd; /* the entry's directory */
};

struct class_device {
	const char *class_dir;	  /* relative to the host root, as in "sys/class/accel" */
	const char *entry_prefix; /* of an entry, before its number, as in "tenstorrent!" */
	const char *name_prefix;  /* of its device file below /dev, as in "tenstorrent/" */
	uint16_t pci_vendor;	  /* whose PCI devices these are */
	/* No other vendor's driver makes this class: an entry is taken, too, when
	 * no PCI device is shown for it. */
	bool own_class;

	/*
	 * Fills in what is the vendor's.  Name, sysfs_path and index are set, and
	 * what PCI tells.  Returns 1 to list the device, 0 to leave it out, or a
	 * negative errno with which the scan fails.
	 */
	int (*read)(const struct class_entry *entry, struct device *device, struct error *err);
};

/**
 * class_device_scan() - List the devices of a class.
 * @class: class
 * @driver: driver of the devices
 * @host: host to look at
 * @list: gets the devices, in order of their numbers
 * @err: set on failure
 *
 * Return: 0, also when there is no such class; or as the scan() of a driver.
 */
int class_device_scan(const struct class_device *class, const struct driver *driver,
		      const struct host *host, struct device_list *list, struct error *err);

/**
 * class_device_take() - List a device whose only file is the one of its name.
 * @entry: entry that is read
 * @device: device; gets the file, which it cannot be used without
 * @err: set on failure
 *
 * The last step of a class's read().
 *
 * Return: 1, or a negative errno as node_list_finish().
 */
int class_device_take(const struct class_entry *entry, struct device *device, struct error *err);

/**
 * class_device_open() - Open the entry of a listed device, to measure it.
 * @host: host of @device
 * @device: device
 * @err: set on failure
 *
 * Return: a descriptor for the *at() calls, or
 *   -ENODEV  the device is gone from sysfs, or its name is another device's
 *   -errno   that sysfs_is_shortage()
 */
int class_device_open(const struct host *host, const struct device *device, struct error *err);

/**
 * class_device_probe() - Whether a listed device answers on the bus, and an attribute of
 *	it has the one good value.
 * @host: host of @device
 * @device: device
 * @name: attribute of its class entry
 * @good: value that it has while the device works
 * @err: set on failure
 *
 * Return: 0, or
 *   -EIO     another value, or no answer on the bus
 *   -errno   as sysfs_probe_parent(), pci_probe() and sysfs_probe_line()
 */
int class_device_probe(const struct host *host, const struct device *device, const char *name,
		       const char *good, struct error *err);

/**
 * class_device_is_word() - Whether a text will do as a product.
 * @text: text
 *
 * Return: true if it has only letters, digits, '-', '.' and '_'.
 */
bool class_device_is_word(const char *text);

/* A product by its PCI ids, for tables that end with { 0 }. */
struct class_product {
	uint16_t pci_device;
	uint16_t subsystem; /* 0 for any */
	const char *product;
	const char *architecture;
};

/**
 * class_product_find() - Look a product up.
 * @table: rows, ended by one with neither product nor architecture
 * @pci: ids
 *
 * Return: the first row that fits, or NULL; static.
 */
const struct class_product *class_product_find(const struct class_product *table,
					       const struct device_pci *pci);
