/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where objects can be fetched again: at their path below the upstream of their
 * repository, or where an index of the upstream says that its files are, which is asked
 * for.  Nothing is remembered of where they came from: the upstream may have moved.
 *
 * Source: reservoir/ecosystem.h
 */
#pragma once

#include "reservoir/command/repair.h"
#include "reservoir/config/config.h"
#include "reservoir/fetch/fetch.h"

/**
 * source_find_all() - Find out where objects can be fetched.
 * @config: configuration: the upstreams
 * @fetcher: what asks for indexes
 * @list: objects, sorted by digest; sets the url of those that can be fetched
 * @err: set on failure
 *
 * Return: 0, also when nothing says where some are; or negative errno.
 */
int source_find_all(const struct reservoir_config *config, struct fetcher *fetcher,
		    struct repair_list *list, struct error *err);
