/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files below /proc/driver/nvidia: lines of "Key: value".
 *
 * They are the part of what is known of a GPU that needs no library.  A value that is
 * missing, garbage or too long is not known; the driver itself writes question marks
 * where it has not initialised a GPU yet.
 *
 * Source: NVIDIA driver README, "Using the /proc File System Interface"; NVIDIA MIG
 * User Guide, "Device Nodes and Capabilities"; nvidia-container-toolkit at d34b304,
 * internal/info/proc/information_files.go
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "drivers/device.h"
#include "drivers/host.h"

#define NVIDIA_PROC_DIR "proc/driver/nvidia"
#define NVIDIA_MODEL_MAX 96	  /* NVML_DEVICE_NAME_V2_BUFFER_SIZE: the same text */
#define NVIDIA_MINOR_MAX 0xfffff  /* MINORMASK in Linux include/linux/kdev_t.h */
#define NVIDIA_MINOR_UNKNOWN (-1) /* of struct nvidia_information */

/* /proc/driver/nvidia/gpus/<bdf>/information; "" where it does not tell. */
struct nvidia_information {
	char model[NVIDIA_MODEL_MAX];	     /* "NVIDIA H100 80GB HBM3" */
	char uuid[DEVICE_UUID_MAX];	     /* "GPU-" and a UUID */
	char video_bios[DEVICE_VERSION_MAX]; /* "96.00.74.00.1F" */
	int minor;			     /* of /dev/nvidia<minor>, or NVIDIA_MINOR_UNKNOWN */
	bool excluded;			     /* by a parameter of the kernel module */
};

/**
 * nvidia_parse_information() - Take the file of a GPU apart.
 * @text: its contents; changed
 * @ret: filled
 */
void nvidia_parse_information(char *text, struct nvidia_information *ret);

/**
 * nvidia_read_information() - Read the file of a GPU.
 * @dirfd: the GPU's directory
 * @ret: filled
 * @err: set on failure
 *
 * Context: blocks as long as the kernel driver likes, which may be long while it
 *	struggles with a GPU.
 * Return: 0, or
 *   -EFBIG   longer than the driver writes
 *   -errno   as open(2) and read(2) leave it
 */
int nvidia_read_information(int dirfd, struct nvidia_information *ret, struct error *err);

/**
 * nvidia_parse_version() - Find the version of the driver.
 * @text: contents of /proc/driver/nvidia/version
 * @ret: buffer of DEVICE_VERSION_MAX bytes; "535.104.05", or "" when there is none
 */
void nvidia_parse_version(const char *text, char *ret);

/**
 * nvidia_read_version() - Read the version of the driver.
 * @host: host
 * @ret: buffer of DEVICE_VERSION_MAX bytes; "" when it does not tell
 * @err: set on failure
 *
 * Return: 0, or a negative errno that sysfs_is_shortage().
 */
int nvidia_read_version(const struct host *host, char *ret, struct error *err);

/**
 * nvidia_read_cap_minor() - Number of the device file that opens a part of a GPU.
 * @host: host
 * @path: the `access` file of the part, relative to the host root
 * @ret: minor number of /dev/nvidia-caps/nvidia-cap<minor>
 * @err: set on failure
 *
 * Return: 1 if @ret was set, 0 if nothing tells, or a negative errno that
 *   sysfs_is_shortage().
 */
int nvidia_read_cap_minor(const struct host *host, const char *path, uint32_t *ret,
			  struct error *err);

/**
 * nvidia_product() - Make a word of the name of a model.
 * @model: "NVIDIA H100 80GB HBM3"
 * @ret: buffer of DEVICE_PRODUCT_MAX bytes; "NVIDIA-H100-80GB-HBM3", or "" when nothing
 *	is left or it is too long
 */
void nvidia_product(const char *model, char *ret);
