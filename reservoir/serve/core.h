/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all parts of a running server share.
 *
 * Source: reservoir/serve/server.h
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "reservoir/serve/access_log.h"
#include "reservoir/serve/cache.h"
#include "reservoir/serve/follow.h"
#include "reservoir/serve/helpers.h"
#include "reservoir/serve/hot.h"
#include "reservoir/serve/pace.h"
#include "reservoir/serve/statistics.h"
#include "reservoir/serve/worker.h"

struct core {
	struct store *store;
	struct follow *follow;
	struct workers *workers;
	struct hot *hot;
	struct pacer *pacer;
	struct helpers *logins; /* passwords that are hashed */
	struct access_log *log; /* or NULL */
	struct statistics *statistics;
	struct cache *cache; /* of repositories that cache, or NULL */
	struct metrics *metrics;
	int64_t started;	      /* seconds since 1970 */
	atomic_uint_fast64_t told_ns; /* when it was logged last that a file cannot be sent */
	atomic_uint_fast64_t untold;  /* how often it was not, since */
	atomic_uint connections;
	atomic_bool draining; /* not ready any more, and connections end after their answer */
};
