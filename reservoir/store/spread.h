/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work on many things that mostly waits for the disk, in a few threads that end with it.
 *
 * Source: pthread_create(3)
 */
#pragma once

#include <stddef.h>

/**
 * typedef spread_fn - Works on one thing, beside others.
 * @ctx: as given to spread()
 * @i: which one
 *
 * Return: 0, or negative errno.
 */
typedef int (*spread_fn)(void *ctx, size_t i);

/**
 * spread() - Work on some things, beside each other.
 * @n: number of things
 * @ways: threads at most, with the caller's; fewer when there are no more
 * @fn: called once for each of 0 to @n - 1, also after one has failed
 * @ctx: given to @fn
 *
 * Return: 0 when all of it is done, or what one that failed has returned.
 */
int spread(size_t n, size_t ways, spread_fn fn, void *ctx);
