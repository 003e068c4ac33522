/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container gets for its units: device files, variables, mounts and names
 * of CDI devices.  Pure functions of units and terms.
 *
 * Variables of Silica's own, for units that are partitions or shares; lists have
 * one item for each device, in the order of SILICA_DEVICES:
 *
 *	SILICA_DEVICES          IDs of the devices or partitions
 *	SILICA_SHARES           "2/5": shares that the container has, and that there are
 *	SILICA_MEMORY_BYTES     memory that goes with them; 0 when not known
 *	SILICA_ENFORCEMENT      none, cooperative, driver or hardware: what keeps to it
 *
 * Source: NVIDIA, "Multi-Process Service", environment variables, for CUDA_MPS_*;
 * Container Device Interface SPEC.md for the annotation
 */
#pragma once

#include <stddef.h>

#include "api/kubelet/messages.h"
#include "base/arena.h"
#include "base/error.h"
#include "drivers/host.h"
#include "inventory/unit.h"
#include "policy/terms.h"

/* The different units of one container, in the order of the set. */
struct chosen {
	const struct unit **units;
	size_t n;
};

/**
 * edits_make() - Put together what a container gets.
 * @arena: memory for all of it
 * @host: host, to see which of the vendor's mounts it has
 * @set: units of the resource
 * @chosen: units of the container, at least one
 * @terms: terms of the resource
 * @ret: what the container gets; lies in @arena
 * @err: set on failure
 *
 * Context: any thread; blocks on faccessat(2).
 * Return: 0, or
 *   -EINVAL  a CDI name cannot be made of a unit's ID
 *   -ENOMEM  no memory
 */
int edits_make(struct arena *arena, const struct host *host, const struct unit_set *set,
	       const struct chosen *chosen, const struct terms *terms,
	       struct kubelet_allocation *ret, struct error *err);

/**
 * edits_same_device() - Count the units of one device.
 * @chosen: units
 * @from: number of the first one of the device
 *
 * Return: how many of the units from @from on are of its device.
 */
size_t edits_same_device(const struct chosen *chosen, size_t from);
