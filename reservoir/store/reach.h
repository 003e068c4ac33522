/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What generations reach: their manifests and the objects that these name.
 *
 * Generations share nearly all of what they have, so each is only compared with the
 * one before: a hundred of a million files cost little more than one.
 *
 * Source: mark and sweep, McCarthy 1960
 */
#pragma once

#include <stdint.h>

#include "reservoir/store/generation.h"
#include "reservoir/store/manifest.h"

struct reach_item {
	uint64_t generation;
	const char *repository;
	const struct digest *digest;
	const struct manifest_entry *entry; /* NULL of a manifest */
};

/**
 * typedef reach_fn - Takes a manifest, or an entry of one.
 * @ctx: as given to reach_each()
 * @item: manifest or entry
 *
 * Return: 0 to go on; of a manifest -ENOENT or -EBADMSG to leave out what it names; another
 *   negative errno to end the walk.
 */
typedef int (*reach_fn)(void *ctx, const struct reach_item *item);

/**
 * reach_each() - Tell what a generation reaches that another does not.
 * @store: store
 * @before: generation whose objects were told already, or NULL
 * @generation: generation
 * @fn: called for each manifest before it is opened, and for each entry
 * @ctx: given to @fn
 * @err: set on failure
 *
 * What is reached by several paths is told several times.
 *
 * Return: 0, what @fn returned, or
 *   -ENOENT   a manifest is not there
 *   -EBADMSG  a manifest is damaged
 *   negative errno of the system
 */
int reach_each(struct store *store, const struct generation *before,
	       const struct generation *generation, reach_fn fn, void *ctx, struct error *err);

/* Numbers of generations. */
struct generation_list {
	uint64_t *numbers; /* ascending */
	size_t n;
	size_t cap;
};

/**
 * generation_list_add() - Append a number.
 * @list: all-zero at first
 * @number: number
 * @err: set on failure
 *
 * Return: 0, or -ENOMEM.
 */
int generation_list_add(struct generation_list *list, uint64_t number, struct error *err);

/**
 * generation_list_has() - Whether a number is in a list.
 * @list: list
 * @number: number
 *
 * Return: true if so.
 */
bool generation_list_has(const struct generation_list *list, uint64_t number);

/**
 * generation_list_done() - Release a list.
 * @list: list
 */
void generation_list_done(struct generation_list *list);
#define _cleanup_generation_list_ _cleanup_(generation_list_done)

/**
 * generation_list_all() - All generations.
 * @store: store
 * @ret: all-zero; receives their numbers; to be released with generation_list_done()
 * @err: set on failure
 *
 * Return: 0, or negative errno.
 */
int generation_list_all(struct store *store, struct generation_list *ret, struct error *err);
