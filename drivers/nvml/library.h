/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NVML's shared library: where it lies and which functions it has.
 *
 * To be used in a process of its own only (drivers/nvml/child.h): what the library
 * does to the process that has loaded it is out of our hands.
 *
 * Source: NVIDIA, "NVML API Reference Guide"; ld.so(8) for the search of a library
 * by its name
 */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "drivers/nvml/abi.h"

/* NVML's functions; those that an older driver may lack are NULL then. */
struct nvml_library {
	int (*init)(void);
	const char *(*error_string)(int result);
	int (*driver_version)(char *version, unsigned int size);
	int (*cuda_version)(int *version);
	int (*device_count)(unsigned int *count);
	int (*device_by_index)(unsigned int index, struct nvml_handle **device);
	int (*uuid)(struct nvml_handle *device, char *uuid, unsigned int size);
	int (*pci_info)(struct nvml_handle *device, struct nvml_pci_info *info);
	int (*minor)(struct nvml_handle *device, unsigned int *minor);
	int (*name)(struct nvml_handle *device, char *name, unsigned int size);
	int (*memory)(struct nvml_handle *device, struct nvml_memory *memory);
	int (*memory_v2)(struct nvml_handle *device, struct nvml_memory_v2 *memory);
	int (*compute_capability)(struct nvml_handle *device, int *major, int *minor);
	int (*utilization)(struct nvml_handle *device, struct nvml_utilization *utilization);
	int (*temperature)(struct nvml_handle *device, unsigned int sensor, unsigned int *celsius);
	int (*temperature_v1)(struct nvml_handle *device, struct nvml_temperature *temperature);
	int (*power)(struct nvml_handle *device, unsigned int *milliwatts);
	int (*ecc_errors)(struct nvml_handle *device, unsigned int type, unsigned int counter,
			  unsigned long long *count);
	int (*field_values)(struct nvml_handle *device, int count, struct nvml_field *fields);
	int (*mig_mode)(struct nvml_handle *device, unsigned int *current, unsigned int *pending);
	int (*mig_count)(struct nvml_handle *device, unsigned int *count);
	int (*mig_by_index)(struct nvml_handle *device, unsigned int index,
			    struct nvml_handle **mig);
	int (*gpu_instance)(struct nvml_handle *mig, unsigned int *id);
	int (*compute_instance)(struct nvml_handle *mig, unsigned int *id);
	int (*attributes)(struct nvml_handle *mig, struct nvml_attributes *attributes);
	int (*link_state)(struct nvml_handle *device, unsigned int link, unsigned int *active);
	int (*link_remote)(struct nvml_handle *device, unsigned int link,
			   struct nvml_pci_info *info);
	int (*link_type)(struct nvml_handle *device, unsigned int link, unsigned int *type);
	int (*event_set_create)(struct nvml_event_set **set);
	int (*register_events)(struct nvml_handle *device, unsigned long long types,
			       struct nvml_event_set *set);
	int (*event_wait)(struct nvml_event_set *set, struct nvml_event_data *data,
			  unsigned int timeout_ms);
};

/**
 * nvml_library_open() - Find and load the library; it stays loaded.
 * @root: directory that stands for the host's root
 * @ret: its functions
 * @err: set on failure
 *
 * A root other than "/" is searched first, as its driver is the one that runs; then
 * the loader looks, for it may be that a container runtime has put the library in.
 *
 * Return: 0, or
 *   -ENOENT   there is no such library
 *   -ELIBBAD  there is one, and it cannot be loaded or lacks what is needed
 */
int nvml_library_open(const char *root, struct nvml_library *ret, struct error *err);

/**
 * nvml_library_error() - NVML's words for one of its results.
 * @library: opened library
 * @result: as one of its functions has returned it
 *
 * Return: borrowed text, fit to be shown.
 */
const char *nvml_library_error(const struct nvml_library *library, int result);
