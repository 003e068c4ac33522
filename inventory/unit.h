/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From devices to what can be allocated: units.
 *
 * A rule says which devices a resource is made of and how they are cut.  Each
 * device goes to the first rule that matches it.  The result is a pure function
 * of snapshot and rules, immutable, shared by reference.
 *
 * Unit IDs: a whole card has the device's ID; a partition has "<id>_cores_2-3",
 * or "<id>_cores_2" when it is one core.
 *
 * Source: the ID format is that of Furiosa's partitioned devices, which its
 * metrics exporter parses
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/strindex.h"
#include "inventory/snapshot.h"

#define UNIT_ID_MAX 80	 /* bytes with the NUL: DEVICE_ID_MAX and "_cores_63-63" */
#define UNITS_MAX 262144 /* of one resource; above what a kubelet takes (4 MiB) by a factor */

enum unit_kind {
	UNIT_WHOLE,
	UNIT_PARTITION,
	_UNIT_KIND_MAX,
};

struct unit_rule {
	const char *resource; /* as in "furiosa.ai/npu" */
	const char *vendor;   /* name of a driver, or NULL for any */
	const char *product;  /* as in "rngd", or NULL for any */
	enum unit_kind kind;
	unsigned int cores; /* of one partition; only for UNIT_PARTITION */
};

struct unit {
	const char *id;		 /* in the set's own block */
	uint32_t device;	 /* index into the snapshot's devices */
	struct core_range cores; /* of the device; all of them when whole */
	bool healthy;
};

struct unit_set {
	int refs;		      /* atomic; use unit_set_ref() and unit_set_unref() */
	const struct unit_rule *rule; /* borrowed */
	struct snapshot *snapshot;    /* a reference of the set's own */
	struct unit *units;	      /* by NUMA node, PCI path, device ID, first core */
	size_t n_units;
	struct strindex index; /* from unit ID to number */
	char *ids;	       /* the block that the IDs lie in */
};

/**
 * unit_set_build() - Make the units of one resource.
 * @snapshot: the node; a reference is taken
 * @rules: array of @n_rules rules; must outlive the set
 * @n_rules: number of rules
 * @rule: index of the rule whose units are wanted
 * @ret: the set, to be released with unit_set_unref()
 * @err: set on failure
 *
 * Return: 0, or
 *   -EINVAL  there is no such rule
 *   -E2BIG   there would be more than UNITS_MAX units
 *   -ENOMEM  no memory
 */
int unit_set_build(struct snapshot *snapshot, const struct unit_rule *rules, size_t n_rules,
		   size_t rule, struct unit_set **ret, struct error *err);

/**
 * unit_set_ref() - Take another reference.
 * @set: set to share
 *
 * Context: any thread.
 * Return: @set.
 */
struct unit_set *unit_set_ref(struct unit_set *set);

/**
 * unit_set_unref() - Give back a reference; the last one releases the set.
 * @set: set or NULL
 *
 * Context: any thread.
 */
void unit_set_unref(struct unit_set *set);
DEFINE_CLEANUP(struct unit_set, unit_set_unref);

/**
 * unit_set_find() - Look a unit up.
 * @set: set
 * @id: ID of the unit
 *
 * Return: the unit, or NULL; borrowed from @set.
 */
const struct unit *unit_set_find(const struct unit_set *set, const char *id);

/**
 * unit_set_equal() - Whether two sets look the same to a kubelet.
 * @a: a set
 * @b: a set
 *
 * Return: true if IDs, health and NUMA nodes are equal.
 */
bool unit_set_equal(const struct unit_set *a, const struct unit_set *b);

/**
 * unit_state() - The device that a unit is cut from.
 * @set: set of @unit
 * @unit: unit
 *
 * Return: its state; borrowed from the set's snapshot.
 */
const struct device_state *unit_state(const struct unit_set *set, const struct unit *unit);

/**
 * unit_reason() - Why a unit is unhealthy.
 * @set: set of @unit
 * @unit: unit
 * @buf: buffer of @size bytes for the text
 * @size: size of @buf
 *
 * Return: @buf; "" for a healthy unit.
 */
const char *unit_reason(const struct unit_set *set, const struct unit *unit, char *buf,
			size_t size);

/**
 * unit_rule_matches() - Whether a rule is about a device.
 * @rule: rule
 * @device: device
 *
 * Return: true if vendor and product agree.
 */
bool unit_rule_matches(const struct unit_rule *rule, const struct device *device);

/**
 * unit_rule_fits() - Whether a device can be cut as a rule says.
 * @rule: rule that matches @device
 * @device: device
 * @err: set if not; says which sizes there are
 *
 * Return: 0, or -EINVAL; such a device gives no units.
 */
int unit_rule_fits(const struct unit_rule *rule, const struct device *device, struct error *err);
