/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who holds what of this node's devices: the kubelet's table joined with the units
 * that the node offers.
 *
 * Source: none outside the project
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/kubelet/podresources.h"
#include "base/cleanup.h"
#include "cli/text.h"
#include "cli/view.h"
#include "inventory/unit.h"

/* A device of the kubelet's table that is about a device of this node. */
struct holding {
	const struct podresources_holding *row;
	const struct unit_set *set;	  /* of its resource; NULL if that is not offered */
	const struct unit *unit;	  /* NULL if the set does not have it */
	const struct device_state *state; /* the device; NULL if there is none */
	struct core_range cores;	  /* of the device, that it takes */
};

/* The units that one resource has of one device. */
struct card_use {
	const struct unit_set *set;
	const struct device_state *state;
	size_t first_unit; /* of the set; they lie side by side */
	size_t n_units;
	struct text_bar bar; /* how many are what */
};

struct holdings {
	struct holding *list; /* by namespace, pod, container, resource and ID */
	size_t n;
	struct card_use *uses; /* in the order of the offer, then of its units */
	size_t n_uses;
};

/**
 * holdings_join() - Join what is held with what is offered.
 * @view: built view; must outlive the result
 * @held: who holds what, must outlive the result; NULL when that is not known
 * @ret: the result, to be released with holdings_done()
 * @err: set on failure
 *
 * Devices of other plugins, which this node's drivers do not know, are left out.
 *
 * Return: 0, or -ENOMEM.
 */
int holdings_join(const struct view *view, const struct podresources *held, struct holdings *ret,
		  struct error *err);

/**
 * holdings_find() - Find the holding that an entry of the kubelet's table is.
 * @holdings: result
 * @row: entry of the table that it was made from
 *
 * Return: the holding, or NULL if it is of no device of this node.
 */
const struct holding *holdings_find(const struct holdings *holdings,
				    const struct podresources_holding *row);

/**
 * holdings_overlap() - Whether two containers hold the same part of a device.
 * @a: a holding
 * @b: a holding
 *
 * Two shares of one part, of one resource, do not overlap, and neither do two
 * entries of the same device, which are a conflict of another kind.
 *
 * Return: true if they do.
 */
bool holdings_overlap(const struct holding *a, const struct holding *b);

/**
 * holdings_done() - Release a result.
 * @holdings: result, or all-zero
 */
void holdings_done(struct holdings *holdings);
#define _cleanup_holdings_ _cleanup_(holdings_done)
