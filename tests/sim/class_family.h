/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Families whose kernel driver shows a card as one entry of a class: what the
 * vendors' files have in common.
 *
 *	sys/devices/pci.../0000:19:00.0/rebellions/rbln0/	attributes
 *	sys/class/rebellions/rbln0 -> ../../devices/pci.../rebellions/rbln0
 *	sys/devices/pci.../rebellions/rbln0/device -> ../../../0000:19:00.0
 *
 * A family that is virtual has its entries in sys/devices/virtual, without the
 * link `device`.
 *
 * Source: Linux Documentation/admin-guide/sysfs-rules.rst
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/strbuf.h"
#include "tests/sim/sim.h"

/* A value that never differs, or a function that appends it; the function gives
 * false when the card has no such attribute. */
struct class_attribute {
	const char *name; /* relative to the entry or the PCI device; may name directories */
	const char *value;
	bool (*print)(struct strbuf *sb, const struct sim *sim, const struct card *card);
};

/* What struct layout points to as its vendor. */
struct class_family {
	const char *entry_name; /* in the class directory, without the index */
	bool is_virtual;
	const struct class_attribute *attributes; /* of the entry */
	size_t n_attributes;
	const struct class_attribute *pci_attributes; /* that the driver adds to the PCI device */
	size_t n_pci_attributes;
	/* The attribute that shows the state, of the entry or of the PCI device. */
	const char *state_attribute;
	bool state_is_pci;
	const char *healthy; /* its values */
	const char *failed;
	const char *module; /* whose version is in sys/module; NULL for none */
	const char *module_version;
};

/**
 * class_family_create() - create() of struct layout.
 * @sim: simulated node
 * @card: card of a family of this kind
 * @err: set on failure
 *
 * Return: 0, or -errno.
 */
int class_family_create(const struct sim *sim, const struct card *card, struct error *err);

/**
 * class_family_remove() - remove() of struct layout.
 * @sim: simulated node
 * @card: card of a family of this kind
 * @err: set on failure
 *
 * Return: 0, or -errno.
 */
int class_family_remove(const struct sim *sim, const struct card *card, struct error *err);

/**
 * class_family_set_state() - set_state() of struct layout.
 * @sim: simulated node
 * @card: card of a family of this kind
 * @err: set on failure
 *
 * Return: 0, or -errno.
 */
int class_family_set_state(const struct sim *sim, const struct card *card, struct error *err);

/**
 * class_family_attribute_dir() - attribute_dir() of struct layout.
 * @sim: simulated node
 * @card: card of a family of this kind
 *
 * Return: directory of the class entry, relative to the root of the sim.
 */
struct tree_path class_family_attribute_dir(const struct sim *sim, const struct card *card);

/**
 * class_family_print_state() - print() of the attribute that shows the state.
 * @sb: string to append to
 * @sim: simulated node
 * @card: card of a family of this kind
 *
 * Return: true.
 */
bool class_family_print_state(struct strbuf *sb, const struct sim *sim, const struct card *card);

/**
 * class_family_print_dev() - print() of the attribute `dev`.
 * @sb: string to append to
 * @sim: simulated node
 * @card: card
 *
 * Return: true.
 */
bool class_family_print_dev(struct strbuf *sb, const struct sim *sim, const struct card *card);
