/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nodes for tests, made from short strings.
 *
 * A topology has one word per card: NUMA node ('-' when it is not known), root
 * complex and bridges, as in "0/a/b"; "0" and "-" tell no PCI path.  Behind a '@'
 * may stand the group of cards that the vendor has linked.  The cards get
 * the IDs "A", "B" and so on, then "A1"; they have eight cores, which can be opened
 * one by one, as pairs and as quads.
 */
#pragma once

#include "drivers/driver.h"
#include "inventory/snapshot.h"
#include "inventory/unit.h"

#define NODE_CORES 8

extern const struct driver node_driver;

/* One whole card, and partitions of one, two and four cores. */
extern const struct unit_rule node_whole;
extern const struct unit_rule node_cores_1;
extern const struct unit_rule node_cores_2;
extern const struct unit_rule node_cores_4;

/**
 * node_device() - Make a card.
 * @place: word of a topology
 * @number: its number, which makes its address and the end of its path
 *
 * Return: the device, with one reference; never NULL.
 */
struct device *node_device(const char *place, size_t number);

/**
 * node_snapshot() - Make a node of healthy cards.
 * @topology: words with one space between them
 *
 * Return: the snapshot, with one reference; never NULL.
 */
struct snapshot *node_snapshot(const char *topology);

/**
 * node_units() - Make the units of a snapshot.
 * @snapshot: the node
 * @rule: the only rule
 *
 * Return: the set, with one reference; never NULL.
 */
struct unit_set *node_units(struct snapshot *snapshot, const struct unit_rule *rule);
