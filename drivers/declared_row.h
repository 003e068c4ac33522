/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The functions of a declared driver's row, whose data is its declared_spec.
 *
 * Source: none outside the project
 */
#pragma once

#include "base/error.h"
#include "drivers/declared.h"
#include "drivers/device.h"
#include "drivers/driver.h"
#include "drivers/host.h"

/* What a device is made of; follows from the match. */
enum declared_source {
	DECLARED_SOURCE_PCI,   /* a PCI device */
	DECLARED_SOURCE_CLASS, /* an entry of a class */
	DECLARED_SOURCE_FILE,  /* a device file */
	_DECLARED_SOURCE_MAX,
};

/**
 * declared_source() - What the devices of a description are made of.
 * @spec: description
 *
 * Return: the source.
 */
enum declared_source declared_source(const struct declared_spec *spec);

/**
 * declared_scan() - struct driver's scan.
 * @driver: declared driver
 * @host: host to look at
 * @list: devices are appended to it
 * @err: set on failure
 *
 * Return: as struct driver says.
 */
int declared_scan(const struct driver *driver, const struct host *host, struct device_list *list,
		  struct error *err);

/**
 * declared_probe() - struct driver's probe.
 * @host: host of @device
 * @device: device of a declared driver
 * @err: set on failure, with the reason for people
 *
 * Return: 0, or a negative errno.
 */
int declared_probe(const struct host *host, const struct device *device, struct error *err);

/**
 * declared_measure() - struct driver's measure: the temperature.
 * @host: host of @device
 * @device: device of a declared driver
 * @ret: what could be read
 * @err: set on failure
 *
 * Return: 0, or -ENODEV if the device is gone, or a negative errno that
 *   sysfs_is_shortage().
 */
int declared_measure(const struct host *host, const struct device *device,
		     struct device_readings *ret, struct error *err);
