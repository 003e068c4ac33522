/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cards whose class entries hang below their PCI device, as most drivers make
 * them:
 *
 *	sys/devices/pci0000:16/.../0000:19:00.0/accel/accel0/device -> ../../../0000:19:00.0
 *	sys/class/accel/accel0 -> ../../devices/pci0000:16/.../0000:19:00.0/accel/accel0
 *
 * Source: Linux Documentation/admin-guide/sysfs-rules.rst
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "tests/sim/attributes.h"
#include "tests/sim/sim.h"
#include "tests/sim/tree.h"

/* A class entry of every card of a family, in the family's class. */
struct entry_template {
	const char *name; /* without the number, as in "renderD" */
	uint32_t offset;  /* of its number from the card's index */
	uint32_t part;	  /* 0: below the PCI device; else below a device of its own */
};

/* What layout->vendor points to for such a family. */
struct below_pci {
	const char *kernel_driver; /* that is bound to the PCI device */
	const struct entry_template *entries;
	size_t n_entries;
	const struct attribute *attributes; /* of the PCI device */
	size_t n_attributes;
	const struct attribute *entry_attributes; /* of the first entry */
	size_t n_entry_attributes;
	/* The attribute of the PCI device that tells the card's health; NULL where a
	 * card that fails does not answer on the bus. */
	const char *state_attribute;
	const char *healthy; /* its values */
	const char *failed;
	/* Directory of a part that is no PCI device; NULL where there is none. */
	struct tree_path (*part_dir)(const struct card *card, uint32_t part);
	const void *vendor; /* for the vendor's own functions */
};

/**
 * below_pci_create() - The create() of struct layout.
 * @sim: simulated node
 * @card: card whose PCI device is there
 * @err: set on failure
 *
 * Return: 0, or -errno of the call that failed.
 */
int below_pci_create(const struct sim *sim, const struct card *card, struct error *err);

/**
 * below_pci_remove() - The remove() of struct layout.
 * @sim: simulated node
 * @card: card
 * @err: set on failure
 *
 * Return: 0, or -errno of the call that failed.
 */
int below_pci_remove(const struct sim *sim, const struct card *card, struct error *err);

/**
 * below_pci_set_state() - The set_state() of struct layout.
 * @sim: simulated node
 * @card: card
 * @err: set on failure
 *
 * Return: 0, or -errno of the call that failed.
 */
int below_pci_set_state(const struct sim *sim, const struct card *card, struct error *err);
