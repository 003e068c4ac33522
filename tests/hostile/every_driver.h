/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every driver that a node can have: those of the registry, and those of the
 * descriptions that Silica brings along.
 *
 * Source: none outside the project
 */
#pragma once

#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "drivers/driver.h"

#define EVERY_DRIVER_MAX 64 /* several times those there are */

struct every_driver {
	const struct driver *drivers[EVERY_DRIVER_MAX];
	size_t n;
	struct driver *declared[EVERY_DRIVER_MAX]; /* those of the above that are owned */
	size_t n_declared;
};

/**
 * every_driver_init() - Collect them.
 * @every: filled; to be released with every_driver_done(), on failure too
 * @err: set on failure
 *
 * Return: 0, or -E2BIG, or as declared_from_config().
 */
int every_driver_init(struct every_driver *every, struct error *err);

/**
 * every_driver_done() - Release them.
 * @every: drivers, all-zero when empty
 */
void every_driver_done(struct every_driver *every);
#define _cleanup_every_driver_ _cleanup_(every_driver_done)

/**
 * every_driver_scan() - Scan with each of them.
 * @every: drivers
 * @host: host
 * @list: appended to
 * @err: set on failure, by the last that failed
 *
 * Return: 0, or a negative errno if one of them has failed.
 */
int every_driver_scan(const struct every_driver *every, const struct host *host,
		      struct device_list *list, struct error *err);
