/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The little of NVML's binary interface that is used here: what its functions
 * take and give, under names of our own.
 *
 * Source: NVIDIA, "NVML API Reference Guide"; layouts and numbers as the ctypes
 * declarations of the package nvidia-ml-py 13 (pynvml.py) have them
 */
#pragma once

#include <stdint.h>

/* nvmlDevice_t and nvmlEventSet_t point to these, which only NVML knows. */
struct nvml_handle;
struct nvml_event_set;

/* nvmlReturn_t, as far as it matters which error it is. */
enum {
	NVML_SUCCESS = 0,
	NVML_ERROR_NOT_FOUND = 6,
	NVML_ERROR_TIMEOUT = 10,
};

/* Sizes with which NVML's text functions are called. */
#define NVML_VERSION_BYTES 80 /* NVML_SYSTEM_DRIVER_VERSION_BUFFER_SIZE */
#define NVML_UUID_BYTES 96    /* NVML_DEVICE_UUID_V2_BUFFER_SIZE */
#define NVML_NAME_BYTES 96    /* NVML_DEVICE_NAME_V2_BUFFER_SIZE */

#define NVML_SENSOR_GPU 0U			/* NVML_TEMPERATURE_GPU */
#define NVML_ECC_UNCORRECTED 1U			/* NVML_MEMORY_ERROR_TYPE_UNCORRECTED */
#define NVML_ECC_VOLATILE 0U			/* NVML_VOLATILE_ECC: since the driver was loaded */
#define NVML_EVENT_XID 8ULL			/* nvmlEventTypeXidCriticalError */
#define NVML_FIELD_RECOVERY_ACTION 230U		/* NVML_FI_DEV_GET_GPU_RECOVERY_ACTION */
#define NVML_MEMORY_V2_VERSION 0x02000028U	/* nvmlMemory_v2 */
#define NVML_TEMPERATURE_V1_VERSION 0x0100000cU /* nvmlTemperature_v1 */
#define NVML_INSTANCE_NONE UINT32_MAX		/* an event that concerns no single instance */

/* nvmlPciInfo_t */
struct nvml_pci_info {
	char legacy_bus_id[16];
	unsigned int domain;
	unsigned int bus;
	unsigned int device;
	unsigned int device_id;
	unsigned int subsystem_id;
	char bus_id[32]; /* "00000000:3B:00.0" */
};

/* nvmlMemory_t and nvmlMemory_v2_t, in bytes */
struct nvml_memory {
	unsigned long long total;
	unsigned long long free;
	unsigned long long used; /* what the driver keeps for itself included */
};

struct nvml_memory_v2 {
	unsigned int version;
	unsigned long long total;
	unsigned long long reserved;
	unsigned long long free;
	unsigned long long used;
};

/* nvmlUtilization_t, in percent */
struct nvml_utilization {
	unsigned int gpu;
	unsigned int memory;
};

/* nvmlTemperature_v1_t */
struct nvml_temperature {
	unsigned int version;
	unsigned int sensor;
	int celsius;
};

/* nvmlDeviceAttributes_t */
struct nvml_attributes {
	unsigned int multiprocessors;
	unsigned int copy_engines;
	unsigned int decoders;
	unsigned int encoders;
	unsigned int jpeg;
	unsigned int ofa;
	unsigned int gpu_instance_slices;
	unsigned int compute_instance_slices;
	unsigned long long memory_mib;
};

/* nvmlFieldValue_t; the value is a union of at most eight bytes */
struct nvml_field {
	uint32_t id;
	uint32_t scope;
	int64_t timestamp;
	int64_t latency_us;
	unsigned int type;
	unsigned int result;
	union {
		unsigned int number;
		unsigned long long longest;
	} value;
};

/* nvmlEventData_t */
struct nvml_event_data {
	struct nvml_handle *device;
	unsigned long long type;
	unsigned long long data; /* the XID of an NVML_EVENT_XID */
	unsigned int gpu_instance;
	unsigned int compute_instance;
};
