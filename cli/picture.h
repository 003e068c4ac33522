/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A picture of where the devices are: NUMA nodes, root complexes, bridges and links
 * of the vendors.
 *
 * Source: PCI paths are those of Linux's /sys/devices; the drawing is that of tree(1)
 */
#pragma once

#include <stdbool.h>

#include "base/strbuf.h"
#include "inventory/snapshot.h"

/**
 * picture_topology() - Draw the devices of a node as a tree.
 * @snapshot: the node
 * @utf8: draw with box-drawing characters instead of ASCII
 * @out: appended to
 *
 * Return: 0, or -ENOMEM.
 */
int picture_topology(const struct snapshot *snapshot, bool utf8, struct strbuf *out);

/**
 * picture_order() - List the devices of a node as the picture has them.
 * @snapshot: the node
 *
 * Return: array of as many pointers as there are devices, to be released with
 *   free(), or NULL when there is no memory.
 */
const struct device_state **picture_order(const struct snapshot *snapshot);
