/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The node as the rows of labels see it: a list of cards and of the partitions that the
 * hardware has cut cards into, each with what offers it.
 *
 * Source: none outside the project
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "drivers/driver.h"
#include "inventory/snapshot.h"
#include "node-labeller/labels.h"
#include "policy/terms.h"

/* As what a card, or its parts, are offered; bits of a set. */
enum label_mode {
	LABEL_MODE_WHOLE = 1 << 0,
	LABEL_MODE_PARTITION = 1 << 1,
	LABEL_MODE_SHARE = 1 << 2, /* of either */
};

struct label_item {
	const struct device_state *state;
	const struct device *device;
	const struct device_partition *partition; /* NULL: the card itself */
	/* The first resource that offers it, as a whole; NULL for none. */
	const struct offer_resource *resource;
	const struct unit_rule *rule; /* of @resource */
	/* Of a card, what comes of its parts as well. */
	const struct offer_resource *part_resource; /* first that offers one of its parts */
	unsigned int modes;			    /* of enum label_mode */
	enum terms_tier tier;			    /* weakest; _TERMS_TIER_MAX: not offered */
};

struct label_view {
	const struct labels_input *input;
	struct label_item *items; /* all cards in order of the snapshot, then the parts */
	size_t n_cards;
	size_t n_items;
	const struct driver **drivers; /* those that have cards, in order of their names */
	size_t n_drivers;
};

/* Items that a label is about. */
struct label_group {
	const struct label_view *view;
	const struct driver *driver; /* NULL: whole node */
	const struct label_item **items;
	size_t n;
};

/**
 * label_view_make() - Look at a node.
 * @input: the node; must outlive the view
 * @ret: the view, to be released with label_view_done(), on failure too
 * @err: set on failure
 *
 * Return: 0, or
 *   -E2BIG   a resource has more than UNITS_MAX units
 *   -ENOMEM  no memory
 */
int label_view_make(const struct labels_input *input, struct label_view *ret, struct error *err);

/**
 * label_view_done() - Release a view.
 * @view: made or all-zero
 */
void label_view_done(struct label_view *view);
#define _cleanup_label_view_ _cleanup_(label_view_done)
