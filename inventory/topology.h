/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How near two devices are: by PCI bridges and NUMA nodes, from cached paths.
 *
 * Source: the scores are those that Furiosa's tools use for link types
 */
#pragma once

#include "drivers/device.h"

/* Nearer is higher. */
enum topology_link {
	TOPOLOGY_LINK_SYSTEM = 10, /* across NUMA nodes, or not known */
	TOPOLOGY_LINK_NUMA = 20,   /* one NUMA node */
	TOPOLOGY_LINK_BRIDGE = 30, /* one PCI bridge or root complex */
	TOPOLOGY_LINK_VENDOR = 50, /* joined by links of the vendor's own */
	TOPOLOGY_LINK_SAME = 70,   /* one device */
};

/* Levels that one group of links is worth: more than there can be below a NUMA
 * node, for a PCI path has less than DEVICE_PCI_PATH_MAX / 13 components. */
#define TOPOLOGY_SHARED_LINK 16

/**
 * topology_link() - How near two devices are.
 * @a: a device
 * @b: a device
 *
 * Return: enum topology_link.
 */
enum topology_link topology_link(const struct device *a, const struct device *b);

/**
 * topology_shared() - How many levels of the tree two devices share.
 * @a: a device
 * @b: a device
 *
 * The levels are the group of the vendor's links, the NUMA node, the root complex
 * and every PCI bridge below it.
 * In the order of topology_compare(), two devices share as much as the pair of
 * neighbours between them that shares least.
 *
 * Return: 0 if they share the system only, 1 for the NUMA node, 2 for the root
 *   complex too, and one more for each bridge; all plus TOPOLOGY_SHARED_LINK in one
 *   group of links, which are nearer than any bridge.  Devices of different groups
 *   share the system only.
 */
unsigned int topology_shared(const struct device *a, const struct device *b);

/**
 * topology_compare() - Order devices so that near ones stand together.
 * @a: a device
 * @b: a device
 *
 * Return: negative, 0 or positive, by group of links, by NUMA node (an unknown one
 *   first) and then by PCI path, component by component; devices behind one bridge are
 *   neighbours.
 */
int topology_compare(const struct device *a, const struct device *b);
