/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The row that every vendor fills in.
 *
 * A vendor is one file that ends in one `const struct driver` with designated
 * initialisers, declared at the end of this header, and one line in registry.c.
 * Its functions take the host as an argument, keep no state and may be called
 * from several threads.
 *
 * Source: the form of udev's table of built-ins and libpci's of access methods
 */
#pragma once

#include <stddef.h>

#include "drivers/device.h"
#include "drivers/host.h"

struct driver {
	const char *name;   /* short and lower case, as in "furiosa"; used by selectors */
	const char *vendor; /* for people, as in "FuriosaAI" */

	/*
	 * Appends the vendor's devices to @list.  A device that is there but cannot
	 * be used is listed with its fault; one that vanishes while it is read is
	 * left out.  Returns 0 also when there is none.  Fails with -ENOMEM, -E2BIG,
	 * or the errno that kept it from looking (as -EMFILE); @list may then hold
	 * some of the devices.
	 */
	int (*scan)(const struct host *host, struct device_list *list, struct error *err);

	/*
	 * Tells whether a device works at this moment; cheap, called twice a second.
	 * Returns 0 if it does, else a negative errno with the reason in @err.
	 */
	int (*probe)(const struct host *host, const struct device *device, struct error *err);

	/* Directories in which its device files come and go, relative to the host
	 * root, and udev subsystems that announce its devices; both end with NULL. */
	const char *const *node_dirs;
	const char *const *subsystems;
};

/**
 * driver_registry() - All drivers, in detection order.
 * @ret_n: number of drivers
 *
 * Return: array of @ret_n pointers to constant drivers; static.
 */
const struct driver *const *driver_registry(size_t *ret_n);

/**
 * driver_find() - Look a driver up.
 * @name: its name, as in "furiosa"
 *
 * Return: the driver, or NULL if there is none of that name.
 */
const struct driver *driver_find(const char *name);

/**
 * driver_node_error() - Say why a device file cannot be handed out.
 * @err: set
 * @r: negative errno of file_is_char_device()
 * @path: the file, as on the host
 *
 * Return: @r.
 */
int driver_node_error(struct error *err, int r, const char *path);

/**
 * driver_check_nodes() - Whether every file of a set of cores can be handed out.
 * @host: host of @device
 * @device: device to look at
 * @cores: only the shared files and those that lie within these cores count
 * @err: set on failure; names the file
 *
 * Context: any thread; blocks on fstatat(2).
 * Return: 0, or
 *   -ENOENT  a file is missing
 *   -ENODEV  something that is no character device has its name
 *   -errno   as fstatat(2) leaves it
 */
int driver_check_nodes(const struct host *host, const struct device *device,
		       struct core_range cores, struct error *err);

/* The rows, for registry.c; everyone else asks driver_registry(). */
extern const struct driver furiosa_driver;
