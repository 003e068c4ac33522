/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PCI hierarchy of a simulated node.
 *
 *	pci0000:16				one root per NUMA node
 *	  0000:16:01.0				root port, one per switch
 *	    0000:17:00.0			upstream port of the switch
 *	      0000:18:00.0			downstream port, one per card
 *	        0000:19:00.0			card
 *	      0000:18:01.0
 *	        0000:1a:00.0
 *
 * A root has room for about fifty cards; when it is full, further roots in
 * further domains belong to the same NUMA node.  The first root also has a
 * network card, which is none of a device plugin's business.
 *
 * Source: Linux Documentation/ABI/testing/sysfs-bus-pci; PCI Local Bus
 * Specification 3.0, section 6.1, and PCI-to-PCI Bridge Architecture
 * Specification 1.2, section 3.2, for the configuration space
 */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "tests/sim/sim.h"

#define PCI_BDF_MAX 16 /* "0000:19:00.0" and the NUL, with room */

/**
 * pci_card_bdf() - Where a card is plugged in.
 * @sim: simulated node
 * @card: card
 * @ret: buffer of PCI_BDF_MAX bytes; as in "0000:19:00.0"
 */
void pci_card_bdf(const struct sim *sim, const struct card *card, char *ret);

/**
 * pci_card_location() - Where a card is plugged in, as a number.
 * @sim: simulated node
 * @card: card
 * @ret_domain: its PCI domain
 *
 * Return: bus in the upper byte, device and function, which are 0, in the lower.
 */
uint32_t pci_card_location(const struct sim *sim, const struct card *card, uint32_t *ret_domain);

/**
 * pci_card_dir() - Directory of a card's PCI device.
 * @sim: simulated node
 * @card: card
 *
 * Return: path relative to the root of the sim.
 */
struct tree_path pci_card_dir(const struct sim *sim, const struct card *card);

/**
 * pci_create() - Make what is there without any card: the bus and a NIC.
 * @sim: simulated node, whose tree is empty
 * @err: set on failure
 *
 * Return: 0, or -errno of the call that failed.
 */
int pci_create(const struct sim *sim, struct error *err);

/**
 * pci_plug() - Make the PCI device of a card, and missing bridges above it.
 * @sim: simulated node
 * @card: card that has none
 * @err: set on failure
 *
 * Return: 0, or -errno of the call that failed.
 */
int pci_plug(const struct sim *sim, const struct card *card, struct error *err);

/**
 * pci_unplug() - Remove the PCI device of a card; bridges stay.
 * @sim: simulated node
 * @card: card
 * @err: set on failure
 *
 * Return: 0, or -errno of the call that failed.
 */
int pci_unplug(const struct sim *sim, const struct card *card, struct error *err);

/**
 * pci_set_answer() - Let a card answer on the bus, or, when it has failed, not.
 * @sim: simulated node
 * @card: card whose PCI device is there
 * @err: set on failure
 *
 * Configuration space that nobody answers for reads as all ones.
 *
 * Return: 0, or -errno of the call that failed.
 */
int pci_set_answer(const struct sim *sim, const struct card *card, struct error *err);
