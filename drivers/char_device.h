/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a device file to its entry in sysfs: /sys/dev/char/MAJOR:MINOR.
 *
 * In a tree that was captured or built without privileges the device files are
 * not those that the kernel made, and their numbers lead nowhere.  There the
 * entry is found by its name, which is the file's with '!' for '/'.
 *
 * Source: Linux Documentation/ABI/testing/sysfs-dev; drivers/base/core.c,
 * device_get_devnode()
 */
#pragma once

#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "drivers/device.h"
#include "drivers/host.h"

struct char_devices;

/**
 * char_devices_new() - Begin to look device files up.
 * @host: host; borrowed, must outlive the object
 * @ret: the object, to be released with char_devices_free()
 * @err: set on failure
 *
 * It serves one scan.
 *
 * Return: 0, or -ENOMEM.
 */
int char_devices_new(const struct host *host, struct char_devices **ret, struct error *err);

/**
 * char_devices_free() - Release what char_devices_new() made.
 * @devices: object or NULL
 */
void char_devices_free(struct char_devices *devices);
DEFINE_CLEANUP(struct char_devices, char_devices_free);

/**
 * char_devices_find() - Find the entry of a device file.
 * @devices: object
 * @name: the file, relative to /dev, as in "accel/accel0"
 * @ret: buffer of DEVICE_PATH_MAX bytes; relative to the host root, as in
 *	"sys/dev/char/240:0"
 * @err: set on failure
 *
 * Return: 1 if @ret holds it, 0 if there is none or several have that name, or
 *   -E2BIG   more than SYSFS_ENTRIES_MAX entries
 *   -errno   that sysfs_is_shortage()
 */
int char_devices_find(struct char_devices *devices, const char *name, char *ret, struct error *err);

/**
 * char_device_entry() - The entry that the number of a device file leads to.
 * @host: host
 * @name: the file, relative to /dev
 * @ret: buffer of DEVICE_PATH_MAX bytes, as char_devices_find()
 *
 * Return: 0, or
 *   -ENOENT  the file is missing, or sysfs has no such entry
 *   -ENODEV  it is no character device
 *   -errno   as fstatat(2) leaves it
 */
int char_device_entry(const struct host *host, const char *name, char *ret);
