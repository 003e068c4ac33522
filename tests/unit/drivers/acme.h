/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A card that nobody has heard of, as a description and as a tree, for the tests
 * of declared drivers.
 *
 * Source: none; the card is invented
 */
#pragma once

#include "drivers/declared.h"
#include "tests/unit/drivers/tree.h"

#define ACME_BDF "0000:27:00.0"
#define ACME_BDF_2 "0000:28:00.0"
#define ACME_ENTRY "sys/class/acme/acme!card0"
#define ACME_PCI_VENDOR 0xacce

/**
 * acme_spec() - The description: an entry of the class `acme`, "acme!card0".
 * @ret: description
 */
void acme_spec(struct declared_spec *ret);

/**
 * acme_add_pci() - Add a PCI device.
 * @tree: tree
 * @bdf: its address
 * @vendor: contents of `vendor`, as in "0xacce"
 * @device: contents of `device`
 * @class: contents of `class`
 */
void acme_add_pci(const struct tree *tree, const char *bdf, const char *vendor, const char *device,
		  const char *class);

/**
 * acme_add_card() - Add a card: PCI device, entry of the class, device file.
 * @tree: tree
 * @index: number of the card
 * @bdf: its address
 */
void acme_add_card(const struct tree *tree, unsigned int index, const char *bdf);
