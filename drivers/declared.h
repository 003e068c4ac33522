/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cards that are described instead of programmed: a description says which
 * entries of sysfs or /dev are cards, where their facts stand and what makes one
 * unhealthy, and a driver is made of it at run time.
 *
 * A description comes from outside.  declared_spec_check() refuses what would
 * lead a driver out of sysfs and /dev, and every text and list has a maximum.
 *
 * A driver that was made here counts its references: the owner has one, and each
 * device of it, so it lives until the last snapshot that lists one is released.
 *
 * Source: Linux Documentation/admin-guide/sysfs-rules.rst; Documentation/ABI/testing
 * of the same, sysfs-bus-pci and sysfs-dev
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "drivers/device.h"
#include "drivers/driver.h"
#include "drivers/nodes.h"

/* Maxima in bytes, each with its NUL. */
#define DECLARED_NAME_MAX 32   /* as long as a vendor in a selector */
#define DECLARED_VENDOR_MAX 64 /* a name for people */
#define DECLARED_CLASS_MAX 64  /* the kernel's class names have up to 20 */
#define DECLARED_AFFIX_MAX 32  /* around the number of an entry; no longer than DEVICE_NAME_MAX */
#define DECLARED_ATTRIBUTE_MAX 64 /* "device/hwmon/hwmon3/temp1_input", and room */
#define DECLARED_VALUE_MAX 64	  /* what an attribute is compared with */
#define DECLARED_ENV_NAME_MAX 64  /* "ACME_VISIBLE_DEVICES" */
#define DECLARED_MOUNT_MAX 256	  /* path of a library on the host */
#define DECLARED_EVIDENCE_MAX 512 /* a few sentences */
/* Maxima of lists. */
#define DECLARED_IDS_MAX 32    /* PCI device ids; the widest family known has 20 */
#define DECLARED_FILES_MAX 4   /* spellings of one device file */
#define DECLARED_NODES_MAX 16  /* device files of a card without partitions have up to 3 */
#define DECLARED_ENV_MAX 4     /* a runtime has one or two such variables */
#define DECLARED_MOUNTS_MAX 16 /* libraries and headers of one runtime */

/* A PCI device id, and the product that it is. */
struct declared_id {
	uint16_t device;
	char product[DEVICE_PRODUCT_MAX]; /* "" when the id tells none */
};

/* What makes a device; all that is written must hold. */
struct declared_match {
	uint16_t pci_vendor;			  /* 0: not asked */
	uint32_t pci_class;			  /* 24 bits */
	uint32_t pci_class_mask;		  /* which of them count; 0: not asked */
	struct declared_id ids[DECLARED_IDS_MAX]; /* none: every one */
	size_t n_ids;

	/* Entries of sys/class/<class_name>, <prefix>N<suffix>; "" for none. */
	char class_name[DECLARED_CLASS_MAX];
	char prefix[DECLARED_AFFIX_MAX];
	char suffix[DECLARED_AFFIX_MAX];

	/* Device files, as in "/dev/acme{index}"; only without a class. */
	char files[DECLARED_FILES_MAX][NODE_PATH_MAX];
	size_t n_files;
};

/* A device file that is handed out.  Its path may have the placeholders {index},
 * {name} and {bdf}; one without any is shared by all devices. */
struct declared_node {
	char path[NODE_PATH_MAX];
	bool optional;
};

/* Facts that an attribute may tell. */
enum declared_fact {
	DECLARED_UUID,
	DECLARED_SERIAL,
	DECLARED_PRODUCT,
	DECLARED_DRIVER_VERSION,
	DECLARED_FIRMWARE_VERSION,
	DECLARED_BDF, /* for an entry that does not hang below its PCI device */
	_DECLARED_FACT_MAX,
};

enum declared_test {
	DECLARED_TEST_NONE,
	DECLARED_TEST_EQUALS,	  /* as text */
	DECLARED_TEST_NOT_EQUALS, /* as text */
	DECLARED_TEST_LESS_THAN,  /* as whole numbers */
	_DECLARED_TEST_MAX,
};

/* What must hold of a healthy device, beside that it is there. */
struct declared_health {
	char exists[DEVICE_PATH_MAX];		/* a path below /sys; "" for none */
	char attribute[DECLARED_ATTRIBUTE_MAX]; /* what is tested */
	enum declared_test test;
	char value[DECLARED_VALUE_MAX];	    /* with this */
	char other[DECLARED_ATTRIBUTE_MAX]; /* or with what this attribute holds */
};

struct declared_env {
	char name[DECLARED_ENV_NAME_MAX];
	enum driver_env_value value;
};

struct declared_mount {
	char path[DECLARED_MOUNT_MAX];
	bool read_only;
};

/*
 * The description.  All-zero means that a thing is not known.
 *
 * An attribute is a path below the entry of the class, below the PCI device
 * where there is no class, or below the entry of sys/dev/char that belongs to a
 * device file.  One component of it may be "*", for a directory that is the only
 * one: "device/hwmon/", the star, "/temp1_input".
 */
struct declared_spec {
	char name[DECLARED_NAME_MAX];
	char vendor[DECLARED_VENDOR_MAX];
	bool opt_in;
	struct declared_match match;
	struct declared_node nodes[DECLARED_NODES_MAX]; /* none: the matched file alone */
	size_t n_nodes;
	char attributes[_DECLARED_FACT_MAX][DECLARED_ATTRIBUTE_MAX]; /* "" for none */
	char product[DEVICE_PRODUCT_MAX]; /* where neither attribute nor PCI id tells */
	uint64_t memory_bytes;
	unsigned int cores;
	struct declared_health health;
	char temperature[DECLARED_ATTRIBUTE_MAX];
	bool temperature_milli; /* it is in thousandths of a degree, as hwmon's are */
	struct declared_env env[DECLARED_ENV_MAX];
	size_t n_env;
	struct declared_mount mounts[DECLARED_MOUNTS_MAX];
	size_t n_mounts;
	bool identity_by_index; /* as a last resort; a renumbering is then not seen */
	char evidence[DECLARED_EVIDENCE_MAX];
};

/**
 * declared_spec_check() - Whether a driver can be made of a description.
 * @spec: description; every text NUL-terminated, every count within its maximum
 * @err: set if not; names the part, for a person who wrote it
 *
 * Return: 0, or
 *   -EINVAL  something is missing, malformed or contradictory
 *   -E2BIG   a count is above its maximum
 */
int declared_spec_check(const struct declared_spec *spec, struct error *err);

/**
 * declared_driver_new() - Make a driver of a description.
 * @spec: description, copied
 * @ret: the driver, with one reference that declared_driver_free() gives back
 * @err: set on failure
 *
 * Return: 0, or
 *   -EINVAL, -E2BIG  as declared_spec_check()
 *   -ENOMEM          no memory
 */
int declared_driver_new(const struct declared_spec *spec, struct driver **ret, struct error *err);

/**
 * declared_driver_free() - Give back the owner's reference.
 * @driver: driver made by declared_driver_new(), or NULL
 *
 * Its devices may outlive this call.
 */
void declared_driver_free(struct driver *driver);
DEFINE_CLEANUP(struct driver, declared_driver_free);

/**
 * declared_driver_spec() - The description that a driver was made of.
 * @driver: any driver
 *
 * Return: the description, owned by @driver; NULL if it was not made here.
 */
const struct declared_spec *declared_driver_spec(const struct driver *driver);

/**
 * declared_driver_equal() - Whether two drivers look for the same in the same way.
 * @a: any driver
 * @b: any driver
 *
 * Return: true if they are one, or were made of equal descriptions.
 */
bool declared_driver_equal(const struct driver *a, const struct driver *b);

/**
 * declared_driver_warning() - What an operator should know of a driver.
 * @driver: any driver
 *
 * Return: a sentence that names a risk which the description has chosen; static;
 *   NULL if there is none.
 */
const char *declared_driver_warning(const struct driver *driver);
