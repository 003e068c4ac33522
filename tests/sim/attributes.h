/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attributes of sysfs, from a table.
 *
 * Source: Linux Documentation/filesystems/sysfs.rst, "Attributes"
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/strbuf.h"
#include "tests/sim/sim.h"

/* A value that never differs, or a function that appends it; the function gives
 * false when the card has no such attribute. */
struct attribute {
	const char *name; /* a path, where it lies in a directory of its own */
	const char *value;
	bool (*print)(struct strbuf *sb, const struct sim *sim, const struct card *card);
};

/**
 * attributes_write() - Make attributes; directories that are missing too.
 * @sim: simulated node, whose description may ask for no newline at the end
 * @card: card that they belong to
 * @dir: directory, relative to the root of the sim
 * @rows: array of @n attributes
 * @n: number of attributes
 * @err: set on failure
 *
 * Return: 0, or -ENOMEM, -E2BIG when one is longer than sysfs has them, or -errno
 *   of the call that failed.
 */
int attributes_write(const struct sim *sim, const struct card *card, const char *dir,
		     const struct attribute *rows, size_t n, struct error *err);

/**
 * attributes_remove() - Remove attributes, with the directories they lie in.
 * @sim: simulated node
 * @dir: directory, relative to the root of the sim; stays itself
 * @rows: array of @n attributes
 * @n: number of attributes
 * @err: set on failure
 *
 * Return: 0, or -errno as tree_remove().
 */
int attributes_remove(const struct sim *sim, const char *dir, const struct attribute *rows,
		      size_t n, struct error *err);
