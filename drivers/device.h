/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a driver says about one device: facts, in plain fields.
 *
 * A device is immutable once its driver has handed it over, and is shared by
 * reference between snapshots.  It knows Linux and its vendor, and no
 * Kubernetes word.
 *
 * Source: the PCI facts are those of Linux Documentation/ABI/testing/sysfs-bus-pci
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

struct driver;

/* Maxima in bytes, each with its NUL.  Longer values are refused, not cut. */
#define DEVICE_NAME_MAX 32	  /* "rngd/npu0"; as long as a kernel class name gets in practice */
#define DEVICE_BDF_MAX 20	  /* "0000:27:00.0"; a domain may have 8 digits (VMD) */
#define DEVICE_UUID_MAX 48	  /* 36 characters of a UUID, and room for a vendor's prefix */
#define DEVICE_SERIAL_MAX 48	  /* as printed on the card */
#define DEVICE_PRODUCT_MAX 64	  /* "NVIDIA-RTX-PRO-6000-Blackwell-Max-Q-Workstation-Edition" */
#define DEVICE_VERSION_MAX 64	  /* "2025.4.0-dev2+0e9e56a" */
#define DEVICE_PATH_MAX 128	  /* "sys/class/rngd_mgmt/rngd!npu0mgmt" */
#define DEVICE_PCI_PATH_MAX 128	  /* "pci0000:16/0000:16:01.0/..." with up to eight bridges */
#define DEVICE_NODES_MAX 128	  /* an RNGD has 36 */
#define DEVICE_CORES_MAX 64	  /* an RNGD has 8 */
#define DEVICE_CORE_RANGES_MAX 32 /* an RNGD has 14 */
#define DEVICE_PARTITIONS_MAX 32  /* an RNGD has 14, a MIG GPU up to 7, an MI300X up to 8 */
#define DEVICE_PROFILE_MAX 24	  /* "1g.10gb+me.all", "cpx_nps4" */
#define DEVICE_LINK_GROUP_MAX 32  /* an XGMI hive is named by 64 bits */
#define DEVICE_FACTS_MAX 32	  /* of a MIG GPU: 5, and one for each of its profiles */
#define DEVICE_FACT_MAX 64	  /* name or value of one: "AMD Instinct MI300X OAM" */
#define DEVICES_MAX 16384	  /* per node and driver; bounds a scan of a hostile tree */

#define DEVICE_NUMA_UNKNOWN (-1)
#define DEVICE_INDEX_UNKNOWN (-1)

/* Consecutive cores, both ends included: { 2, 3 } is two cores. */
struct core_range {
	uint8_t first;
	uint8_t last;
};

/*
 * A part of a device that can be handed out by itself.  Cores are the smallest
 * parts that can be told apart: processing elements of an NPU, instances of a
 * MIG GPU.  Two partitions overlap if they have a core in common.
 */
struct device_partition {
	const char *id;		 /* the vendor's identity of it, "" where the cores are one */
	const char *profile;	 /* what kind of part, as in "1g.10gb" or "2core.12gb" */
	struct core_range cores; /* of the device */
	uint64_t memory_bytes;	 /* 0 when not known */
};

/* A device file that a container needs to use the device. */
struct device_node {
	const char *path;	 /* on the host, as in "/dev/rngd/npu0pe0" */
	bool shared;		 /* needed by every partition of the device */
	struct core_range cores; /* the cores that it opens; only when not shared */
};

/* What nothing but labels of the vendor's own shows, as in { "compute.major", "9" }. */
struct device_fact {
	const char *name; /* a word of the driver's */
	const char *value;
};

/* What a device says of its load; a field is negative where it says nothing. */
struct device_readings {
	double temperature_celsius;
	double power_watts;
	double utilization_ratio; /* 0 to 1 */
	double memory_used_bytes;
};

struct device_pci {
	uint16_t vendor; /* 0 in all four: not known */
	uint16_t device;
	uint16_t subsystem_vendor;
	uint16_t subsystem_device;
	uint32_t class; /* 24 bits, as in 0x120000 */
	/* Bridges from the root down and the device itself, separated by '/', as in
	 * "pci0000:16/0000:16:01.0/0000:17:00.0"; "" when sysfs does not tell. */
	char path[DEVICE_PCI_PATH_MAX];
};

struct device {
	int refs; /* atomic; use device_ref() and device_unref() */
	const struct driver *driver;
	char name[DEVICE_NAME_MAX];		   /* the kernel's name now; not an identity */
	char sysfs_path[DEVICE_PATH_MAX];	   /* class entry, relative to the host root */
	char bdf[DEVICE_BDF_MAX];		   /* "" when not known */
	char uuid[DEVICE_UUID_MAX];		   /* "" when absent or unfit */
	char serial[DEVICE_SERIAL_MAX];		   /* "" when absent or unfit */
	const char *architecture;		   /* static, as in "rngd" */
	char product[DEVICE_PRODUCT_MAX];	   /* as in "rngd-s" */
	char driver_version[DEVICE_VERSION_MAX];   /* as the kernel gives it; "" when unfit */
	char firmware_version[DEVICE_VERSION_MAX]; /* the same */
	int numa_node;				   /* or DEVICE_NUMA_UNKNOWN */
	struct device_pci pci;
	uint64_t memory_bytes;
	unsigned int cores; /* 0 where the vendor's driver tells none apart */
	int index;	    /* number by which the vendor's runtime knows it now,
						* or DEVICE_INDEX_UNKNOWN; not an identity */
	char link_group[DEVICE_LINK_GROUP_MAX]; /* devices with the same are joined by links of
						* the vendor's own; "" for none */
	bool partitioned; /* cut by the hardware: only partitions are usable */
	const struct device_partition *partitions; /* that it is, or can be, cut into */
	size_t n_partitions;
	bool partitions_owned; /* by the device, one block with the strings; else static */
	struct core_range core_ranges[DEVICE_CORE_RANGES_MAX]; /* that can be opened as one */
	size_t n_core_ranges;
	const struct device_node *nodes; /* one block with the strings, owned by the device */
	size_t n_nodes;
	const struct device_fact *facts; /* one block with the strings, owned by the device */
	size_t n_facts;
	char fault[ERROR_TEXT_MAX / 2]; /* why the scan found it unusable; "" when usable */
};

/* Devices that a scan has found. */
struct device_list {
	struct device **devices;
	size_t n;
	size_t cap;
};

/**
 * device_new() - Make an empty device with one reference.
 * @driver: its driver; referred to for the life of the device
 *
 * Return: the device, or NULL when there is no memory.
 */
struct device *device_new(const struct driver *driver);

/**
 * device_ref() - Take another reference.
 * @device: device to share
 *
 * Context: any thread.
 * Return: @device.
 */
const struct device *device_ref(const struct device *device);

/**
 * device_unref() - Give back a reference; the last one releases the device.
 * @device: device or NULL
 *
 * Context: any thread.
 */
void device_unref(const struct device *device);

/**
 * device_cleanupp() - device_unref() for use with _cleanup_().
 * @device: address of an owned reference, which may be NULL
 */
void device_cleanupp(struct device **device);

/**
 * device_set_nodes() - Give a device its device files.
 * @device: device that has none yet
 * @nodes: @n nodes; the strings are copied
 * @n: number of nodes, at most DEVICE_NODES_MAX
 *
 * Return: 0, or -ENOMEM, or -E2BIG.
 */
int device_set_nodes(struct device *device, const struct device_node *nodes, size_t n);

/**
 * device_set_partitions() - Give a device the partitions that its hardware has.
 * @device: device that has none yet
 * @partitions: @n partitions, each with a different range of cores; copied with
 *	their strings
 * @n: number of partitions, at most DEVICE_PARTITIONS_MAX
 *
 * A driver whose partitions are the same for every card sets a static table
 * instead.
 *
 * Return: 0, or
 *   -ENOMEM  no memory
 *   -E2BIG   too many, or a string that is too long
 */
int device_set_partitions(struct device *device, const struct device_partition *partitions,
			  size_t n);

/**
 * device_set_facts() - Give a device the facts that only its vendor's labels show.
 * @device: device that has none yet
 * @facts: @n facts, each with a name of its own; copied with their strings
 * @n: number of facts, at most DEVICE_FACTS_MAX
 *
 * Return: 0, or
 *   -ENOMEM  no memory
 *   -E2BIG   too many, or a string of DEVICE_FACT_MAX bytes or more
 */
int device_set_facts(struct device *device, const struct device_fact *facts, size_t n);

/**
 * device_fact() - Look such a fact up.
 * @device: device
 * @name: name of the fact
 *
 * Return: its value, or NULL; borrowed from @device.
 */
const char *device_fact(const struct device *device, const char *name);

/**
 * device_set_fault() - Note why a device cannot be used; the first reason stays.
 * @device: device that is being made
 * @fmt: printf format of the reason, without a newline
 */
void device_set_fault(struct device *device, const char *fmt, ...) _printf_(2, 3);

/**
 * device_equal() - Whether two devices carry the same facts.
 * @a: a device
 * @b: a device
 *
 * Return: true if every field but the reference count is equal.
 */
bool device_equal(const struct device *a, const struct device *b);

/**
 * device_has_core_range() - Whether cores can be opened as one.
 * @device: device
 * @range: cores
 *
 * Return: true if @range is one of the device's core ranges.
 */
bool device_has_core_range(const struct device *device, struct core_range range);

/**
 * core_ranges_overlap() - Whether two ranges have a core in common.
 * @a: cores
 * @b: cores
 *
 * Return: true if they have.
 */
bool core_ranges_overlap(struct core_range a, struct core_range b);

/**
 * device_list_add() - Append a device.
 * @list: list, all-zero when empty
 * @device: on success the list owns the caller's reference
 *
 * Return: 0, or -ENOMEM, or -E2BIG past DEVICES_MAX.
 */
int device_list_add(struct device_list *list, struct device *device);

/**
 * device_list_done() - Release a list and its references.
 * @list: list, all-zero when empty
 */
void device_list_done(struct device_list *list);
#define _cleanup_device_list_ _cleanup_(device_list_done)
