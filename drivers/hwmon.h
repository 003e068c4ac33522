/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the sensors of a device say, by the kernel's hwmon interface.
 *
 * Source: Linux Documentation/hwmon/sysfs-interface.rst
 */
#pragma once

#include "base/error.h"
#include "drivers/device.h"
#include "drivers/host.h"

/* What one step of an attribute is. */
#define HWMON_MILLIDEGREE 1e-3 /* of Celsius: temp1_input, temp1_max */
#define HWMON_MICROWATT 1e-6   /* power1_input, power1_average */

/**
 * hwmon_open() - Open the sensors of a device.
 * @host: host
 * @dir: directory of the device that has them, relative to the host root
 * @err: set on failure
 *
 * A device may have several sets; the one with the lowest number is taken.
 *
 * Return: a descriptor, or
 *   -ENOENT  the device has no sensors
 *   -errno   as sysfs_list()
 */
int hwmon_open(const struct host *host, const char *dir, struct error *err);

/**
 * hwmon_read() - Read a sensor.
 * @fd: as hwmon_open() gave it
 * @name: attribute, as in "temp1_input"
 * @step: HWMON_MILLIDEGREE or HWMON_MICROWATT
 * @ret: the value in degrees Celsius or watts
 * @err: set on failure
 *
 * Return: as sysfs_read_fact().
 */
int hwmon_read(int fd, const char *name, double step, double *ret, struct error *err);

/**
 * hwmon_read_load() - Read what the sensors of a device say of its load.
 * @host: host
 * @dir: directory of the device that has them, relative to the host root
 * @ret: gets the temperature of the hottest sensor, and the power; what cannot be
 *	read stays as it is
 * @err: set on failure
 *
 * Which sensors there are differs between the products of a vendor: the hottest
 * one is the one that throttles.
 *
 * Return: 0, or a negative errno that sysfs_is_shortage().
 */
int hwmon_read_load(const struct host *host, const char *dir, struct device_readings *ret,
		    struct error *err);
