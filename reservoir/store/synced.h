/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a repository was last seen to be what its upstream is.
 *
 * A generation says so of the moment it was made; as one that changes nothing is not
 * published, a sync that finds nothing new only moves this.  It is a note for people and
 * alerts: nothing depends on it, and it is not synced to disk.
 *
 *	DIR/synced/<repository>    seconds since 1970, in decimal
 *
 * Source: rename(2)
 */
#pragma once

#include <stdint.h>

#include "reservoir/store/generation.h"

/**
 * synced_set() - Note that a repository is what its upstream is.
 * @store: store opened with STORE_WRITE
 * @name: repository
 * @when: seconds since 1970
 * @err: set on failure
 *
 * Return: 0, or negative errno of the system.
 */
int synced_set(struct store *store, const char *name, int64_t when, struct error *err);

/**
 * synced_at() - When a repository was last seen to be what its upstream is.
 * @store: store
 * @repository: as its generation has it
 *
 * Return: seconds since 1970: the note's, or the generation's if that is later.
 */
int64_t synced_at(const struct store *store, const struct generation_repository *repository);
