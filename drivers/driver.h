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

#include <stdbool.h>
#include <stddef.h>

#include "drivers/device.h"
#include "drivers/host.h"

/* What of a device a variable of the vendor's runtime names. */
enum driver_env_value {
	DRIVER_ENV_UUID,  /* of the device, or of its partition */
	DRIVER_ENV_INDEX, /* "0" */
	DRIVER_ENV_NODE,  /* its first device file, "/dev/accel/accel0" */
	DRIVER_ENV_BDF,	  /* "0000:27:00.0" */
	_DRIVER_ENV_VALUE_MAX,
};

/* A variable by which the vendor's runtime finds the devices of a container; the
 * values of several devices are separated by commas. */
struct driver_env {
	const char *name;
	enum driver_env_value value;
};

/* A file or directory of the host that the vendor's runtime needs beside the
 * device files.  It is mounted only where the host has it. */
struct driver_mount {
	const char *path; /* the same on the host and in the container */
	bool read_only;
};

/* What keeps a container within a partition that it was given. */
enum driver_isolation {
	DRIVER_ISOLATION_NONE,	      /* nothing */
	DRIVER_ISOLATION_COOPERATIVE, /* a variable that the vendor's runtime obeys */
	DRIVER_ISOLATION_DRIVER,      /* the kernel driver: its device files open that part only */
	DRIVER_ISOLATION_HARDWARE,    /* the hardware, memory included */
	_DRIVER_ISOLATION_MAX,
};

/* What the rows of docs/hardware.md say; Markdown, one line each. */
struct driver_doc {
	const char *hardware; /* "Gaudi 2, Gaudi 3" */
	const char *reads;    /* which files make a device */
	const char *identity; /* "UUID", or "serial number, else PCI address" */
	const char *health;   /* what makes it unhealthy */
	const char *nodes;    /* device files that are handed out */
	const char *evidence; /* what the facts rest on, and what was not found */
};

struct driver {
	const char *name;   /* short and lower case, as in "furiosa"; used by selectors */
	const char *vendor; /* for people, as in "FuriosaAI" */
	bool opt_in;	    /* known from third parties only: off unless it is asked for */
	const void *data;   /* of the driver itself, for rows that share their functions */

	/*
	 * Appends the vendor's devices to @list.  A device that is there but cannot
	 * be used is listed with its fault; one that vanishes while it is read is
	 * left out.  Returns 0 also when there is none.  Fails with -ENOMEM, -E2BIG,
	 * or the errno that kept it from looking (as -EMFILE); @list may then hold
	 * some of the devices.
	 */
	int (*scan)(const struct driver *driver, const struct host *host, struct device_list *list,
		    struct error *err);

	/*
	 * Begins to ask what files do not tell, once that is possible, and says how it
	 * goes; NULL where files tell all.  What it begins belongs to the host and ends
	 * with it.  Called before each scan; @wait_ms is how long it may wait for a
	 * first answer.  Fails with a negative errno when there should be answers and
	 * are none; the scan does without then.
	 */
	int (*ask)(struct host *host, uint32_t wait_ms, struct error *err);

	/* Number of what was answered: another one means that a scan would find
	 * something else.  Cheap, called twice a second; NULL where there is no ask(). */
	uint64_t (*answer)(const struct host *host);

	/*
	 * Tells whether a device works at this moment; cheap, called twice a second.
	 * Returns 0 if it does, else a negative errno with the reason in @err.  -EMFILE,
	 * -ENFILE and -ENOMEM are a want of our own, and say nothing about the device.
	 */
	int (*probe)(const struct host *host, const struct device *device, struct error *err);

	/*
	 * Reads what a device says of its load, without a vendor's tool; NULL where
	 * no device of the driver says anything.  Cheap, called every few seconds.
	 * Returns 0 with what could be read, the rest negative; or a negative errno
	 * when the device is gone.
	 */
	int (*measure)(const struct host *host, const struct device *device,
		       struct device_readings *ret, struct error *err);

	const struct driver_env *env;	   /* { 0 } ends; NULL for none */
	const struct driver_mount *mounts; /* { 0 } ends; NULL for none */
	enum driver_isolation partition_isolation;
	struct driver_doc doc;

	/* Directories in which its device files come and go, relative to the host
	 * root, and udev subsystems that announce its devices; both end with NULL. */
	const char *const *node_dirs;
	const char *const *subsystems;

	/* Of a driver that is made at run time: count those who refer to it, from
	 * any thread.  Every device does.  NULL for a constant row. */
	void (*ref)(const struct driver *driver);
	void (*unref)(const struct driver *driver);
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
 * drivers_ask() - Let drivers begin to ask what files do not tell; see ask() above.
 * @drivers: array of @n drivers
 * @n: number of drivers
 * @host: host
 * @wait_ms: longest wait of each driver for its first answer
 * @err: set on failure; names the driver
 *
 * Context: one thread at a time, and before the scan that shall profit from it.
 * Return: 0, or the negative errno of the first driver that gets no answer; the other
 *   drivers have been called all the same.
 */
int drivers_ask(const struct driver *const *drivers, size_t n, struct host *host, uint32_t wait_ms,
		struct error *err);

/**
 * drivers_answer() - A number that changes when a driver was answered something new.
 * @drivers: array of @n drivers
 * @n: number of drivers
 * @host: host
 *
 * Return: the number; the same as before as long as a scan would find the same.
 */
uint64_t drivers_answer(const struct driver *const *drivers, size_t n, const struct host *host);

/**
 * driver_ref() - Keep a driver; one that was made at run time lives on.
 * @driver: driver, or NULL
 *
 * Context: any thread.
 * Return: @driver.
 */
const struct driver *driver_ref(const struct driver *driver);

/**
 * driver_unref() - Give back what driver_ref() took.
 * @driver: driver, or NULL
 *
 * Context: any thread.
 */
void driver_unref(const struct driver *driver);

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
 * device_readings_none() - Readings that say nothing.
 *
 * Return: all fields negative.
 */
struct device_readings device_readings_none(void);

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
extern const struct driver amd_driver;
extern const struct driver coral_driver;
extern const struct driver furiosa_driver;
extern const struct driver habana_driver;
extern const struct driver intel_driver;
extern const struct driver neuron_driver;
extern const struct driver nvidia_driver;
extern const struct driver qualcomm_driver;
extern const struct driver rebellions_driver;
extern const struct driver tenstorrent_driver;
