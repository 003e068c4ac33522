/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The description of a card that Silica has no driver for, as it is written in
 * YAML: an item of `drivers.declare` in the configuration, and each description
 * that Silica brings along.
 *
 * What is left out stays all-zero, so that a description which extends another
 * one says only what differs.
 *
 * Source: the schema is Silica's own
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/config/schema.h"
#include "base/cleanup.h"
#include "base/error.h"

/* Bytes of one description by itself; the longest that is shipped has two thousand. */
#define CONFIG_DESCRIPTION_MAX (64 * 1024)
/* Maxima in bytes, each with its NUL. */
#define CONFIG_DRIVER_NAME_MAX 32      /* as of a vendor in a selector */
#define CONFIG_DRIVER_TEXT_MAX 64      /* a vendor, product or value */
#define CONFIG_DRIVER_PATH_MAX 96      /* a device file */
#define CONFIG_DRIVER_ATTRIBUTE_MAX 64 /* a path below a device */
#define CONFIG_DRIVER_EXISTS_MAX 128   /* a path below /sys */
#define CONFIG_DRIVER_MOUNT_MAX 256    /* a library on the host */
#define CONFIG_DRIVER_EVIDENCE_MAX 512 /* a few sentences */
#define CONFIG_HEX_MAX 9	       /* "0x120000" */
/* Maxima of lists. */
#define CONFIG_DECLARED_MAX 16	    /* drivers in one file; each is scanned every few seconds */
#define CONFIG_DRIVER_FILES_MAX 4   /* spellings of one device file */
#define CONFIG_DRIVER_NODES_MAX 16  /* device files of a card without partitions have up to 3 */
#define CONFIG_DRIVER_IDS_MAX 32    /* PCI device ids; the widest family known has 20 */
#define CONFIG_DRIVER_ENV_MAX 4	    /* a runtime has one or two such variables */
#define CONFIG_DRIVER_MOUNTS_MAX 16 /* libraries and headers of one runtime */
#define CONFIG_DRIVER_CORES_MAX 64  /* of one device */
#define CONFIG_DRIVER_MEMORY_MAX (UINT64_C(1) << 50) /* a PiB; no card has a hundredth */

/* A device file to look for. */
struct config_device_file {
	char path[CONFIG_DRIVER_PATH_MAX];
};

/* A PCI device id, and the product that it is. */
struct config_pci_id {
	char device[CONFIG_HEX_MAX];
	char product[CONFIG_DRIVER_TEXT_MAX];
};

struct config_pci_match {
	char vendor[CONFIG_HEX_MAX]; /* four hexadecimal digits, 0x in front or not */
	char class[CONFIG_HEX_MAX];  /* two, four or six */
	struct config_pci_id *devices;
	size_t n_devices;
};

struct config_class_match {
	char name[CONFIG_DRIVER_TEXT_MAX];
	char prefix[CONFIG_DRIVER_NAME_MAX];
	char suffix[CONFIG_DRIVER_NAME_MAX];
};

struct config_match {
	struct config_pci_match pci;
	struct config_class_match class;
	struct config_device_file *files;
	size_t n_files;
};

/* A device file that is handed out. */
struct config_node {
	char path[CONFIG_DRIVER_PATH_MAX];
	bool optional;
};

struct config_attributes {
	char uuid[CONFIG_DRIVER_ATTRIBUTE_MAX];
	char serial[CONFIG_DRIVER_ATTRIBUTE_MAX];
	char product[CONFIG_DRIVER_ATTRIBUTE_MAX];
	char driver_version[CONFIG_DRIVER_ATTRIBUTE_MAX];
	char firmware_version[CONFIG_DRIVER_ATTRIBUTE_MAX];
	char bdf[CONFIG_DRIVER_ATTRIBUTE_MAX];
};

enum config_health_test {
	CONFIG_TEST_NONE, /* not written */
	CONFIG_TEST_EQUALS,
	CONFIG_TEST_NOT_EQUALS,
	CONFIG_TEST_LESS_THAN,
	_CONFIG_TEST_MAX,
};

struct config_driver_health {
	char exists[CONFIG_DRIVER_EXISTS_MAX];
	char attribute[CONFIG_DRIVER_ATTRIBUTE_MAX];
	enum config_health_test test;
	char value[CONFIG_DRIVER_TEXT_MAX];
	char value_attribute[CONFIG_DRIVER_ATTRIBUTE_MAX];
};

enum config_temperature_unit {
	CONFIG_CELSIUS,
	CONFIG_MILLICELSIUS,
	_CONFIG_TEMPERATURE_UNIT_MAX,
};

struct config_temperature {
	char attribute[CONFIG_DRIVER_ATTRIBUTE_MAX];
	enum config_temperature_unit unit;
};

enum config_env_value {
	CONFIG_ENV_UUID,
	CONFIG_ENV_INDEX,
	CONFIG_ENV_NODE,
	CONFIG_ENV_BDF,
	_CONFIG_ENV_VALUE_MAX,
};

struct config_env {
	char name[CONFIG_DRIVER_TEXT_MAX];
	enum config_env_value value;
};

struct config_mount {
	char path[CONFIG_DRIVER_MOUNT_MAX];
	bool read_only;
};

enum config_identity {
	CONFIG_IDENTITY_HARDWARE, /* not written */
	CONFIG_IDENTITY_INDEX,
	_CONFIG_IDENTITY_MAX,
};

/* Moving the struct is fine: its lists stay where they are. */
struct config_driver {
	char name[CONFIG_DRIVER_NAME_MAX];
	char extends[CONFIG_DRIVER_NAME_MAX]; /* a description that Silica brings along */
	char vendor[CONFIG_DRIVER_TEXT_MAX];
	struct config_match match;
	struct config_node *nodes;
	size_t n_nodes;
	struct config_attributes attributes;
	char product[CONFIG_DRIVER_TEXT_MAX];
	uint64_t memory_bytes;
	uint32_t cores;
	struct config_driver_health health;
	struct config_temperature temperature;
	struct config_env *env;
	size_t n_env;
	struct config_mount *mounts;
	size_t n_mounts;
	enum config_identity identity;
	char evidence[CONFIG_DRIVER_EVIDENCE_MAX];
};

/* Describes struct config_driver, as the item of a list. */
extern const struct schema_key config_driver_item;

/**
 * config_driver_parse() - Read one description from memory.
 * @text: @len bytes of UTF-8, any value
 * @len: number of bytes
 * @name: what error messages call the text
 * @ret: description, to be released with config_driver_done(); untouched on failure
 * @err: set on failure, with line and column
 *
 * Return: 0, or
 *   -EINVAL  the text is refused
 *   -ENOMEM  no memory
 */
int config_driver_parse(const char *text, size_t len, const char *name, struct config_driver *ret,
			struct error *err);

/**
 * config_driver_done() - Release what a description owns.
 * @driver: description, or all-zero
 */
void config_driver_done(struct config_driver *driver);
#define _cleanup_config_driver_ _cleanup_(config_driver_done)
