/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A card that a kernel driver shows as an entry of a class, in a tree, and what
 * has to hold for every driver of such cards.
 *
 * Source: Linux Documentation/admin-guide/sysfs-rules.rst for how entry, PCI
 * device and class hang together
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "drivers/driver.h"
#include "tests/unit/drivers/tree.h"

struct card_file {
	const char *path;
	const char *text;
};

struct class_card {
	const struct driver *driver;
	const char *class_name; /* as in "rebellions" */
	const char *entry;	/* as in "rbln0" */
	const char *bdf;	/* NULL for a device without a PCI parent */
	uint16_t pci_vendor;
	uint16_t pci_device;
	uint16_t subsystem;
	const struct card_file *attributes; /* relative to the entry */
	size_t n_attributes;
	const char *node; /* device file, relative to the root */
};

/**
 * class_card_add() - Plug a card in.
 * @tree: tree
 * @card: card
 */
void class_card_add(const struct tree *tree, const struct class_card *card);

/**
 * class_card_reset() - Empty the tree, and plug one card in.
 * @tree: tree
 * @card: card
 */
void class_card_reset(const struct tree *tree, const struct class_card *card);

/**
 * class_card_set() - Replace an attribute.
 * @tree: tree
 * @card: card that has a class entry
 * @name: attribute, relative to the entry
 * @text: contents; NULL removes it
 */
void class_card_set(const struct tree *tree, const struct class_card *card, const char *name,
		    const char *text);

/**
 * class_card_set_pci() - Replace an attribute of the PCI device.
 * @tree: tree
 * @card: card
 * @name: attribute
 * @text: contents; NULL removes it
 */
void class_card_set_pci(const struct tree *tree, const struct class_card *card, const char *name,
			const char *text);

/**
 * class_card_remove() - Take the class entry of a card away; the PCI device stays.
 * @tree: tree
 * @card: card
 */
void class_card_remove(const struct tree *tree, const struct class_card *card);

/**
 * class_card_scan() - Scan, and demand that it succeeds.
 * @tree: tree
 * @driver: driver to scan with
 * @list: emptied, then filled; to be released with device_list_done()
 */
void class_card_scan(const struct tree *tree, const struct driver *driver,
		     struct device_list *list);

/**
 * class_card_scan_one() - Scan, and demand that there is one device.
 * @tree: tree
 * @driver: driver to scan with
 * @list: as for class_card_scan()
 *
 * Return: the device; borrowed from @list.
 */
const struct device *class_card_scan_one(const struct tree *tree, const struct driver *driver,
					 struct device_list *list);

/**
 * class_card_check_probe() - Probe, and demand a result.
 * @tree: tree
 * @device: device
 * @expected: what probe() is to return
 * @reason: what it is to say
 */
void class_card_check_probe(const struct tree *tree, const struct device *device, int expected,
			    const char *reason);

/**
 * class_card_check_garbage() - Whatever an attribute holds, the card stays listed,
 *	with its place and its files and without a fault.
 * @tree: tree
 * @card: card
 */
void class_card_check_garbage(const struct tree *tree, const struct class_card *card);

/**
 * class_card_check_vendor() - A card of another vendor is none of ours, and without a
 *	PCI device only the class can tell.
 * @tree: tree
 * @card: card
 * @own_class: whether the class is the vendor's own
 */
void class_card_check_vendor(const struct tree *tree, const struct class_card *card,
			     bool own_class);

/**
 * class_card_check_functions() - A physical function with virtual ones is left out.
 * @tree: tree
 * @card: physical function
 * @vf: virtual function of it
 */
void class_card_check_functions(const struct tree *tree, const struct class_card *card,
				const struct class_card *vf);

/**
 * class_card_check_places() - A card whose entry goes, or becomes another card's, is
 *	gone; it is well when it is back.
 * @tree: tree
 * @card: card
 */
void class_card_check_places(const struct tree *tree, const struct class_card *card);

/**
 * class_card_check_bus() - A card that has fallen off the bus is not well until it
 *	answers again; a virtual function has no ids to read, and is.
 * @tree: tree
 * @card: card
 */
void class_card_check_bus(const struct tree *tree, const struct class_card *card);

/**
 * class_card_check_node() - A card without its device file is listed with the fault, and
 *	well when the file is back.
 * @tree: tree
 * @card: card
 */
void class_card_check_node(const struct tree *tree, const struct class_card *card);

/**
 * class_card_check_descriptors() - A want of descriptors fails a scan; it takes no facts
 *	away.
 * @tree: tree
 * @card: card
 */
void class_card_check_descriptors(const struct tree *tree, const struct class_card *card);

/**
 * class_card_check_common() - All that has to hold for a card with a PCI device.
 * @tree: tree
 * @card: physical function
 * @vf: virtual function of it
 * @own_class: as for class_card_check_vendor()
 */
void class_card_check_common(const struct tree *tree, const struct class_card *card,
			     const struct class_card *vf, bool own_class);
