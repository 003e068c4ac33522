/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the catalogue need not remember any more.
 *
 * Source: reservoir/store/catalogue.h
 */
#pragma once

#include "reservoir/config/config.h"
#include "reservoir/store/catalogue.h"
#include "reservoir/store/generation.h"

/**
 * prune_catalogue() - Forget what upstreams said of repositories that there are none of.
 * @store: store opened with STORE_WRITE
 * @catalogue: its catalogue, of which nothing waits to be committed
 * @config: configuration
 * @current: generation that is published
 * @err: set on failure
 *
 * Of one that is published or in the configuration, all stays; so does what a cache has,
 * whose objects it counts.
 *
 * Return: 0, or negative errno.
 */
int prune_catalogue(struct store *store, struct catalogue *catalogue,
		    const struct reservoir_config *config, const struct generation *current,
		    struct error *err);
