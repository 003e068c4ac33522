/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removes what labellers have left on the nodes of a cluster, when Silica goes.
 *
 * Source: none outside the project
 */
#pragma once

#include "base/error.h"
#include "node-labeller/options.h"

/**
 * cleanup_all_nodes() - Clean every node that has something of Silica's.
 * @options: command line
 * @err: set on failure
 *
 * Looks until a look finds nothing any more: a labeller that has not ended yet may put
 * back what was removed.
 *
 * Return: 0, or
 *   -EINVAL  the API server's place is not known or not usable
 *   -EIO     the nodes cannot be listed or changed; the log says which
 *   -EBUSY   something was put back again and again
 *   -ENOMEM  no memory
 */
int cleanup_all_nodes(const struct options *options, struct error *err);
