/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Since when a repository is being fetched that is not published yet.  What a sync has
 * fetched that was interrupted, or that misses something, is reached by no generation: the
 * next sync goes on with it, and a garbage collection in between has to leave it there.
 *
 * Source: reservoir/store/gc.h
 */
#pragma once

#include <time.h>

#include "reservoir/store/store.h"

#define UNFINISHED_S ((int64_t)14 * 24 * 3600) /* nobody goes on with what is older */

/**
 * unfinished_begin() - Note that a repository is being fetched, unless that is noted.
 * @store: store opened with STORE_WRITE
 * @name: repository
 * @err: set on failure
 *
 * Return: 0, or negative errno of the system.
 */
int unfinished_begin(struct store *store, const char *name, struct error *err);

/**
 * unfinished_end() - Note that a repository is published, or what it was.
 * @store: store opened with STORE_WRITE
 * @name: repository
 */
void unfinished_end(struct store *store, const char *name);

/**
 * unfinished_since() - Since when something is not finished.
 * @store: store
 * @now: seconds since 1970; what began UNFINISHED_S before is not gone on with
 *
 * Return: the earliest time, by the file system; all-zero when all is finished.
 */
struct timespec unfinished_since(const struct store *store, int64_t now);
