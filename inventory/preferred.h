/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of the free units a container should get.
 *
 * Units are leaves of a tree: links of the vendor, NUMA node, PCI bridges, device,
 * and partition or share.  An aligned choice takes the smallest part of the tree that
 * can hold the whole request, of equal ones the fullest, so that started cards are
 * finished first and large free parts stay whole.  Partitions come from as few cards
 * as possible, before anything else.  O(n log n) in the number of candidates.
 *
 * The weakest link between two whole cards of the choice is as strong as it can
 * be, where cards that the vendor has linked to different groups count as far
 * from each other.  The sum of all links is not always the highest: of two NUMA nodes that
 * can hold the request the fuller one is taken, even if the other has more of
 * the cards behind one bridge.
 *
 * Source: Kubernetes device plugin API v1beta1, GetPreferredAllocation; that the
 * cards of included partitions come first is how Furiosa's plugin packs them
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "inventory/unit.h"

/* What a choice is to be good for; all take as few devices as can hold a request. */
enum preferred_policy {
	PREFERRED_ALIGNED,     /* devices near each other, then the fuller ones */
	PREFERRED_PACKED,      /* the fuller ones, then near each other */
	PREFERRED_DISTRIBUTED, /* the emptier ones, over all NUMA nodes, the emptier first */
	_PREFERRED_POLICY_MAX,
};

struct candidate {
	const struct unit *unit; /* NULL for an ID that the set does not know */
	bool must_include;
};

/**
 * preferred_choose() - Choose units for one container.
 * @set: set of the units
 * @policy: what the choice is to be good for
 * @candidates: array of @n different candidates
 * @n: number of candidates
 * @size: how many to choose, the ones that must be included among them
 * @ret_chosen: array of at least min(@size, @n) indices into @candidates; the
 *	ones that must be included come first
 *
 * Unhealthy and unknown candidates are taken only when nothing else is left.
 * If more must be included than @size, the first @size of them are chosen.
 *
 * Return: number of indices written, min(@size, @n), or -ENOMEM.
 */
int preferred_choose(const struct unit_set *set, enum preferred_policy policy,
		     const struct candidate *candidates, size_t n, size_t size, size_t *ret_chosen);
