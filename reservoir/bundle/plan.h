/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which objects a bundle needs: those that the new generation names and the old one
 * does not, each once, in an order that is always the same.  What was recalled is not
 * among them.
 *
 * Memory is bounded whatever the number of objects: the digests are looked at in
 * passes, each of those that begin alike.
 *
 * Source: partitioned duplicate elimination, as of hash joins that do not fit
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "reservoir/store/generation.h"
#include "reservoir/store/manifest.h"

#define PLAN_PASS_ENTRIES 250000u /* of a pass: about 10 MiB */

struct plan_object {
	uint64_t ordinal; /* from 0, without a gap */
	struct digest digest;
	uint64_t size;
	bool is_manifest;
	enum media media;
	enum encoding encoding;
	/* An older version that lay at the same path. */
	bool has_base;
	struct digest base;
	uint64_t base_size;
	/* Of an encoding: the page that it is of. */
	bool has_source;
	struct digest source;
	uint64_t source_size;
};

/**
 * plan_fn() - Told of an object.
 * @ctx: as given in the plan
 * @object: object, borrowed for the call
 *
 * Return: 0, or negative errno, which ends the walk.
 */
typedef int (*plan_fn)(void *ctx, const struct plan_object *object);

struct plan {
	struct store *store;
	const struct generation *before; /* NULL: nothing is there */
	const struct generation *after;
	plan_fn fn; /* a negative return ends the walk */
	void *ctx;
	uint32_t pass_entries; /* 0: PLAN_PASS_ENTRIES */
	/* Whether a path is a package's, of plan_removed(); NULL: all are. */
	bool (*is_package)(const char *ecosystem, const char *path);
};

/**
 * plan_walk() - Tell each object that a bundle needs.
 * @plan: what to tell of, and to whom
 * @err: set on failure
 *
 * Return: 0, what the function returned, or
 *   -ENOENT   a manifest is not in the store
 *   negative errno of the system
 */
int plan_walk(const struct plan *plan, struct error *err);

/**
 * plan_removed() - How many packages that clients had are gone.
 * @plan: the same
 * @ret_removed: packages
 * @ret_added: packages that are new or other
 * @err: set on failure
 *
 * Return: as plan_walk().
 */
int plan_removed(const struct plan *plan, uint64_t *ret_removed, uint64_t *ret_added,
		 struct error *err);
