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
	TOPOLOGY_LINK_SAME = 70,   /* one device */
};

/**
 * topology_link() - How near two devices are.
 * @a: a device
 * @b: a device
 *
 * Return: enum topology_link.
 */
enum topology_link topology_link(const struct device *a, const struct device *b);

/**
 * topology_compare() - Order devices so that near ones stand together.
 * @a: a device
 * @b: a device
 *
 * Return: negative, 0 or positive, by NUMA node and then by PCI path, component
 *   by component; devices behind one bridge are neighbours.
 */
int topology_compare(const struct device *a, const struct device *b);
