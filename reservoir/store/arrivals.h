/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lies in the drop directory, as whoever watches it saw it last.
 *
 * The servers tell it to people and alerts, and need not be where the directory is.  It is a
 * note: nothing depends on it, and it is not synced to disk.
 *
 *	DIR/arrivals    "LOOKED WAITING FOREIGN REJECTED", in decimal
 *
 * Source: rename(2)
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "reservoir/store/store.h"

struct arrivals {
	int64_t looked;	   /* seconds since 1970 */
	uint64_t waiting;  /* files of bundles that are not applied yet */
	uint64_t foreign;  /* what is of no bundle, and is left alone */
	uint64_t rejected; /* files in rejected/ */
};

/**
 * arrivals_set() - Note what lies in the drop directory.
 * @store: store; the writer's lock is not needed, as one process watches
 * @arrivals: what it is
 * @err: set on failure
 *
 * Return: 0, or negative errno of the system.
 */
int arrivals_set(struct store *store, const struct arrivals *arrivals, struct error *err);

/**
 * arrivals_get() - What was noted last.
 * @store: store
 * @ret: receives it
 *
 * Return: true, or false when nobody has watched, or what is noted cannot be read.
 */
bool arrivals_get(const struct store *store, struct arrivals *ret);
