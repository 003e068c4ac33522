/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Repositories that are fetched when a client asks for them.
 *
 * They lie in a store of their own, which the server writes: each server has one, and
 * what it has fetched it serves without its upstream.  One thread fetches.  Who asks for
 * what is not there sleeps until it is; who asks for the same waits for the same fetch.
 *
 * A file is taken only if an index that was fetched says what it must hash to; where the
 * ecosystem knows which index that is, it is fetched first.  An
 * index that no other vouches for (InRelease, PyPI's pages) is as trustworthy as the
 * connection, and is asked for again after `cacheFor`; when the upstream does not
 * answer, the old one is served.
 *
 * What was replaced, and beyond `maxSize` what was not asked for longest, is removed; a
 * reader holds the cache from its look at a path until it has opened what it sends.
 *
 *	catalogue, spaces of reservoir/serve/cache_record.h
 *	catalogue, space "expect/<repository>"  path -> SHA-256, size, URL
 *
 * What the upstream does not have is known in memory only.
 *
 * Source: RFC 9111 for the words; reservoir/fetch/fetch.h
 */
#pragma once

#include <stdbool.h>

#include "reservoir/serve/hot.h"
#include "reservoir/serve/picture.h"
#include "reservoir/serve/trouble.h"

enum cache_outcome {
	CACHE_FOUND,	  /* the manifest has it */
	CACHE_ABSENT,	  /* the upstream has it not */
	CACHE_ASK,	  /* it is to be fetched: cache_fetch() */
	CACHE_ASK_INDEX,  /* what may vouch for it is to be fetched first */
	CACHE_ELSEWHERE,  /* it is spelt otherwise */
	CACHE_REFUSED,	  /* no index vouches for it */
	CACHE_FAILED,	  /* it is not here, and the upstream does not answer */
	CACHE_UNWRITABLE, /* it is not here, and cannot be kept, as on a full disk */
	_CACHE_OUTCOME_MAX,
};

/* What a client has waited for. */
enum cache_waited {
	CACHE_WAITED_NOT,
	CACHE_WAITED_INDEX, /* the index was fetched just now, or could not be */
	CACHE_WAITED,	    /* it was itself: what there is must do */
	_CACHE_WAITED_MAX,
};

/* Who waits for a fetch. */
struct cache_wait {
	struct cache_wait *next;
	void (*done)(struct cache_wait *wait); /* from the thread that fetches */
};

struct cache;

/**
 * cache_new() - Open the cache of a server, and start the thread that fetches.
 * @dir: directory of its store, made if it is not there
 * @config: what to fetch with; borrowed for the call
 * @memory: bytes for answers kept ready
 * @ret: the cache, to be released with cache_free()
 * @err: set on failure
 *
 * Return: 0, or
 *   -EBUSY  another server has it
 *   negative errno of the system
 */
int cache_new(const char *dir, const struct config_sync *config, uint64_t memory,
	      struct cache **ret, struct error *err);

/**
 * cache_stop() - Fetch no more; who waits is told.
 * @cache: cache or NULL
 */
void cache_stop(struct cache *cache);

/**
 * cache_free() - Release a cache.
 * @cache: cache or NULL
 */
void cache_free(struct cache *cache);
DEFINE_CLEANUP(struct cache, cache_free);

/**
 * cache_hold() - Keep what is there until cache_release().
 * @cache: cache
 *
 * Context: any thread; not twice in one.
 */
void cache_hold(struct cache *cache);

/**
 * cache_release() - The end of cache_hold().
 * @cache: cache
 */
void cache_release(struct cache *cache);

/**
 * cache_look() - Look for a path.
 * @cache: cache
 * @repository: repository that caches
 * @path: path below it
 * @waited: what the client has waited for
 * @ret: the manifest of CACHE_FOUND, to be given back with shared_unref()
 * @origin: how it is spelt, of CACHE_ELSEWHERE; the index, of CACHE_ASK_INDEX
 *
 * Context: any thread; between cache_hold() and cache_release() when it is to be opened.
 * Return: enum cache_outcome.
 */
enum cache_outcome cache_look(struct cache *cache, const struct picture_repository *repository,
			      const char *path, enum cache_waited waited,
			      struct shared_manifest **ret, struct origin *origin);

/**
 * cache_fetch() - Have a path fetched.
 * @cache: cache
 * @repository: repository that caches
 * @path: path below it, as it is spelt
 * @damaged: what of it was found damaged or missing, and is to be removed; or NULL
 * @wait: told when it is over, at once if nothing can be fetched; stays until then
 *
 * Context: any thread.
 */
void cache_fetch(struct cache *cache, const struct picture_repository *repository, const char *path,
		 const struct digest *damaged, struct cache_wait *wait);

/**
 * cache_trouble() - Say how writing it goes.
 * @cache: cache
 *
 * Return: borrowed from @cache.
 */
const struct trouble *cache_trouble(const struct cache *cache);

/**
 * cache_hot() - Where answers of the cache are kept ready.
 * @cache: cache
 *
 * Return: borrowed.
 */
struct hot *cache_hot(struct cache *cache);
