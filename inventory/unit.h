/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From devices to what can be allocated: units.
 *
 * A rule says which devices a resource is made of and how they are cut: whole
 * devices, partitions of them, or shares of either.  The parts of a device (its
 * cores) go to the first rule that takes them, so two rules can divide a device
 * by profile; a rule that may overlap takes what others have as well.  Of units
 * that overlap only one is healthy at a time: a claim on one hides the others.
 *
 * The result is a pure function of snapshot, rules and claims, immutable, shared
 * by reference.
 *
 * Unit IDs: a whole card has the device's ID; a partition the vendor's ID of it,
 * or "<id>_cores_2-3", "<id>_cores_2" when it is one core; a share has "::3" behind.
 *
 * Source: "_cores_" is the form of Furiosa's partitioned devices, which its metrics
 * exporter parses, and "::" that of the replicas of NVIDIA's plugin
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/strindex.h"
#include "inventory/snapshot.h"

#define UNIT_ID_MAX 96	      /* bytes with the NUL: DEVICE_ID_MAX, "_cores_63-63", "::9999" */
#define UNIT_SHARES_MAX 10000 /* of one device or partition; four digits in an ID */
#define UNITS_MAX 262144      /* of one resource; above what a kubelet takes (4 MiB) by a factor */
#define UNIT_CLAIMS_MAX 65536 /* of a node: one for each unit that a container holds */

#define UNIT_HIDDEN_BLIND UINT32_MAX

enum unit_kind {
	UNIT_WHOLE,
	UNIT_PARTITION,
	_UNIT_KIND_MAX,
};

/* Which devices: each a NULL-terminated array of patterns with '*' and '?', of
 * which one has to match; NULL takes all. */
struct unit_selector {
	const char *const *vendors; /* names of drivers */
	const char *const *products;
	const char *const *architectures;
	const char *const *bdfs;
	const char *const *uuids; /* also compared with the serial number */
};

struct unit_rule {
	const char *resource; /* as in "furiosa.ai/npu"; NULL withholds the devices from all */
	struct unit_selector select;
	/* Exact words from a name with placeholders, further demands; NULL for none. */
	const char *product;
	const char *architecture;
	enum unit_kind kind;
	unsigned int cores;  /* of one partition; 0 for any; only for UNIT_PARTITION */
	const char *profile; /* pattern of the partition's profile, or NULL for any */
	unsigned int shares; /* that each is divided into; 0 when it is not shared */
	bool overlap;	     /* takes also what an earlier rule has */
};

/* Somebody has a unit of some resource, which may overlap units of another. */
struct unit_claim {
	const char *resource;
	const char *unit;   /* ID */
	const char *holder; /* for people, as in "pod a/b, container c" */
};

struct unit {
	const char *id;		 /* in the set's own block */
	uint32_t device;	 /* index into the snapshot's devices */
	struct core_range cores; /* of the device; all of them when whole */
	uint8_t partition;	 /* index into the device's partitions; only of a partition */
	bool healthy;
	uint16_t share;	 /* number of the share, 0 when not shared */
	uint32_t hidden; /* index into the set's claims, plus one: what it overlaps; 0: none;
			  * UNIT_HIDDEN_BLIND: what it may overlap is not known */
};

struct unit_set {
	int refs;		   /* atomic; use unit_set_ref() and unit_set_unref() */
	struct unit_rule rule;	   /* without its patterns; the name is in @ids */
	struct snapshot *snapshot; /* a reference of the set's own */
	struct unit *units;	   /* by NUMA node, PCI path, device ID, first core, share */
	size_t n_units;
	struct strindex index;	   /* from unit ID to number */
	char *ids;		   /* the block that the IDs lie in */
	struct unit_claim *claims; /* those that hide units of the set */
	size_t n_claims;
};

/* What a set is made of. */
struct unit_plan {
	struct snapshot *snapshot;     /* the node; the set takes a reference */
	const struct unit_rule *rules; /* in order of precedence; borrowed during the call */
	size_t n_rules;
	const struct unit_claim *claims; /* copied as far as they matter; NULL with none */
	size_t n_claims;
	bool blind; /* it is not known yet who holds what: units that can overlap are hidden */
};

/**
 * unit_claims_copy() - Copy claims with their strings.
 * @claims: array of @n claims
 * @n: number of claims
 *
 * Return: one block, to be released with free(), or NULL when there is no memory.
 */
struct unit_claim *unit_claims_copy(const struct unit_claim *claims, size_t n);

/**
 * unit_set_build() - Make the units of one resource.
 * @plan: node, rules and claims
 * @rule: index of the rule whose units are wanted
 * @ret: the set, to be released with unit_set_unref()
 * @err: set on failure
 *
 * Return: 0, or
 *   -EINVAL  there is no such rule
 *   -E2BIG   there would be more than UNITS_MAX units
 *   -ENOMEM  no memory
 */
int unit_set_build(const struct unit_plan *plan, size_t rule, struct unit_set **ret,
		   struct error *err);

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
 * unit_memory_bytes() - How much of the device's memory a unit stands for.
 * @set: set of @unit
 * @unit: unit
 *
 * Return: bytes: of the device, of the partition, or the part of one share; 0 when
 *   not known.
 */
uint64_t unit_memory_bytes(const struct unit_set *set, const struct unit *unit);

/**
 * unit_conflict() - Look for a claim that forbids to hand a unit out.
 * @set: set of @unit
 * @unit: unit
 * @claims: array of @n claims
 * @n: number of claims
 *
 * A claim on the unit itself, or on another share of the same part in the same
 * resource, is none: those the kubelet counts.
 *
 * Return: the claim, or NULL; borrowed from @claims.
 */
const struct unit_claim *unit_conflict(const struct unit_set *set, const struct unit *unit,
				       const struct unit_claim *claims, size_t n);

/**
 * unit_locate() - Find the part of a device that a unit ID means.
 * @snapshot: node
 * @id: ID of a unit of any resource, also of one that is no longer configured
 * @ret_cores: the cores that it takes
 *
 * Return: state of the device, borrowed from @snapshot, or NULL if there is none.
 */
const struct device_state *unit_locate(const struct snapshot *snapshot, const char *id,
				       struct core_range *ret_cores);

/**
 * unit_rule_matches() - Whether a rule is about a device.
 * @rule: rule
 * @device: device
 *
 * Return: true if every pattern that it has agrees.
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

/**
 * unit_rule_wants() - Whether a partition is of the kind that a rule is about.
 * @rule: rule of kind UNIT_PARTITION that matches @device
 * @device: device
 * @partition: one of its partitions
 *
 * A rule that names no kind means those that the hardware has been cut into, not
 * all that it could be.
 *
 * Return: true if profile and number of cores agree.
 */
bool unit_rule_wants(const struct unit_rule *rule, const struct device *device,
		     const struct device_partition *partition);

/**
 * unit_pattern_matches() - Whether a text is as a pattern says.
 * @pattern: text in which '*' stands for any characters and '?' for one
 * @text: text; case counts
 *
 * Takes time in proportion to the product of the lengths.
 *
 * Return: true if all of @text matches.
 */
bool unit_pattern_matches(const char *pattern, const char *text);
