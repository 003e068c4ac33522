/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the cache share, and nobody else.
 *
 * Source: reservoir/serve/cache.h
 */
#pragma once

#include <pthread.h>

#include "reservoir/fetch/fetch.h"
#include "reservoir/serve/absent.h"
#include "reservoir/serve/cache.h"
#include "reservoir/serve/cache_record.h"
#include "reservoir/serve/vouched.h"
#include "reservoir/store/catalogue.h"

#define CACHE_INDEX_MAX ((size_t)64 * 1024 * 1024) /* Packages of Debian main has 50 MB */

struct fetch {
	struct fetch *next;
	struct cache *cache;
	struct cache_wait *waits;
	const struct ecosystem *ecosystem;
	char repository[STORE_NAME_MAX];
	char path[STORE_PATH_MAX];
	char url[FETCH_URL_MAX];
	char accept[256];
	char keyring[CONFIG_PATH_SIZE]; /* "" when nobody looks at signatures */
	bool has_record, is_vouched, is_package;
	bool is_damaged; /* @damaged is to be fetched anew */
	struct digest damaged;
	struct cache_record record; /* what there was, and what there will be */
	uint64_t max_size;	    /* of the repository, 0 for no limit */
	struct vouched vouched;
};

struct down {
	char repository[STORE_NAME_MAX];
	uint64_t until_ns;
};

struct cache {
	struct store *writer, *reader;
	struct catalogue *catalogue;
	struct fetcher *fetcher;
	struct hot *hot;
	pthread_t thread;
	bool runs;
	pthread_rwlock_t readers; /* taken before @lock */
	pthread_mutex_t lock;	  /* of what follows, and of the catalogue */
	struct cache_records *records;
	struct absent *absent;
	struct shared_recent recent;
	pthread_cond_t wake;
	struct fetch *waiting, *going;
	struct fetch **last; /* where the next one that waits goes */
	size_t n_fetches;
	bool stops;
	struct down down[16]; /* upstreams that failed a moment ago */
	size_t next_down;
	struct trouble trouble; /* of its own disk */
	uint64_t unwritable_until_ns;
};

/**
 * cache_take() - Keep what was fetched; in the thread of the cache.
 * @fetch: what was asked for; its record is set
 * @result: what came of it
 * @err: set on failure; then what was noted so far is to be undone
 *
 * Return: 0, or
 *   -EBADMSG        it is not what an index vouches for, or no index
 *   -EKEYREJECTED   no key of the keyring has signed it
 *   negative errno of the fetch, of the store or of the system
 */
int cache_take(struct fetch *fetch, const struct fetch_result *result, struct error *err);
