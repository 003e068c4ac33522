/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which parts of a device a rule gets, given the rules before it.
 *
 * Source: none outside the project
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/device.h"
#include "inventory/unit.h"

struct part {
	struct core_range cores;
	uint8_t partition; /* index into the device's partitions; 0 for the whole device */
};

struct parts {
	struct part list[DEVICE_PARTITIONS_MAX];
	size_t n;
	uint64_t taken; /* the cores that this rule and those before it have, a bit each */
	bool withheld;	/* no rule gets anything of the device */
};

/**
 * parts_of() - Cut a device as a rule says.
 * @device: device
 * @rules: rules, those before @rule among them
 * @rule: index of the rule
 * @ret: the parts that are left for it, in the order of the device's partitions
 */
void parts_of(const struct device *device, const struct unit_rule *rules, size_t rule,
	      struct parts *ret);

/**
 * parts_contested() - Which cores of a device more than one unit can have.
 * @device: device
 * @rules: all rules
 * @n_rules: number of rules
 *
 * Return: a bit for each such core; 0 as long as no rule may overlap.
 */
uint64_t parts_contested(const struct device *device, const struct unit_rule *rules,
			 size_t n_rules);

/**
 * parts_mask() - A bit for each of some cores.
 * @cores: cores below 64
 *
 * Return: the bits.
 */
uint64_t parts_mask(struct core_range cores);
