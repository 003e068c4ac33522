/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What waits is a list of fetches, each with those that wait for it.  The thread takes
 * them when its fetcher asks for more, and begins another run when the list was
 * empty.  The writer's handle of the store and the catalogue belong to that thread,
 * but for catalogue_get(), under the lock; readers have a handle of their own.
 */
#include "reservoir/serve/cache.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/macro.h"
#include "base/parse.h"
#include "reservoir/serve/cache_private.h"
#include "reservoir/serve/origin.h"
#include "reservoir/store/object.h"

#define FETCHES_MAX 4096u	     /* waiting or going on */
#define DOWN_NS UINT64_C(5000000000) /* how long an upstream is left alone that failed */

/* --- what there is; all with the lock --- */

static bool is_down(const struct cache *cache, const char *repository)
{
	if (clock_ns() < cache->unwritable_until_ns)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(cache->down); i++)
		if (strcmp(cache->down[i].repository, repository) == 0 &&
		    clock_ns() < cache->down[i].until_ns)
			return true;
	return false;
}

static void set_down(struct cache *cache, const char *repository)
{
	struct down *down = &cache->down[cache->next_down++ % ARRAY_SIZE(cache->down)];

	memcpy(down->repository, repository, sizeof(down->repository));
	down->until_ns = clock_ns() + DOWN_NS;
}

static bool is_package(const struct ecosystem *ecosystem, const char *path)
{
	char name[STORE_PATH_MAX];

	return ecosystem->package && ecosystem->package(path, name, sizeof(name));
}

static bool is_fresh(const struct repository *config, int64_t since)
{
	int64_t age = (int64_t)time(NULL) - since;

	/* A clock that was set back is not waited for. */
	return age >= 0 && age < (int64_t)(config->cache_for_ms / 1000);
}

/* Looks for a file that an index vouches for.  One that the upstream lacks may be on its way
 * there: it is asked for each time. */
static enum cache_outcome look_vouched(struct cache *cache, const char *name, const char *path,
				       bool waited, const struct cache_record *record,
				       const struct vouched *vouched)
{
	int64_t since;

	if (record && digest_equal(&record->sha256, &vouched->sha256))
		return CACHE_FOUND;
	if (waited && absent_find(cache->absent, name, path, &since))
		return CACHE_ABSENT;
	return waited || is_down(cache, name) ? CACHE_FAILED : CACHE_ASK;
}

/* Looks for what may vouch for a package that no index has spoken of: a client may know of it
 * from another server, or have written down where it is.  Sets @origin to that index. */
static enum cache_outcome look_index(struct cache *cache,
				     const struct picture_repository *repository, bool waited,
				     struct origin *origin)
{
	const struct ecosystem *ecosystem = repository->ecosystem;
	const struct repository *config = repository->setup->config;
	const char *name = repository->info.name;
	char path[STORE_PATH_MAX];
	struct cache_record record;
	int64_t since = 0;
	bool known;

	if (!ecosystem->index || !ecosystem->index(origin->path, path) ||
	    !origin_find(ecosystem, config, path, origin))
		return CACHE_REFUSED;
	known = cache_record_get(cache->records, name, origin->path, &record);
	if (known)
		since = record.fetched;
	else
		known = absent_find(cache->absent, name, origin->path, &since);
	if (known && (waited || is_fresh(config, since)))
		return CACHE_REFUSED;
	return waited || is_down(cache, name) ? CACHE_FAILED : CACHE_ASK_INDEX;
}

static enum cache_outcome look(struct cache *cache, const struct picture_repository *repository,
			       struct origin *origin, enum cache_waited has_waited,
			       struct cache_record *ret)
{
	bool waited = has_waited == CACHE_WAITED;
	const char *path = origin->path;
	const struct repository *config = repository->setup->config;
	const char *name = repository->info.name;
	bool has = cache_record_get(cache->records, name, path, ret), absent;
	struct vouched vouched;
	char url[FETCH_URL_MAX];
	int64_t since = has ? ret->fetched : 0;

	if (vouched_get(cache->catalogue, name, path, &vouched, url))
		return look_vouched(cache, name, path, waited, has ? ret : NULL, &vouched);
	if (is_package(repository->ecosystem, path))
		return look_index(cache, repository, has_waited != CACHE_WAITED_NOT, origin);
	if (!origin->url[0])
		return CACHE_REFUSED;
	absent = !has && absent_find(cache->absent, name, path, &since);
	if (!((has || absent) && is_fresh(config, since)) && !waited && !is_down(cache, name))
		return CACHE_ASK;
	if (absent)
		return CACHE_ABSENT;
	return has ? CACHE_FOUND : CACHE_FAILED;
}

static int open_manifest(struct cache *cache, const struct digest *digest,
			 struct shared_manifest **ret, struct error *err)
{
	int r = shared_open(cache->reader, digest, ret, err);

	if (r < 0)
		return r;
	(void)pthread_mutex_lock(&cache->lock);
	shared_note(&cache->recent, *ret);
	(void)pthread_mutex_unlock(&cache->lock);
	return 0;
}

enum cache_outcome cache_look(struct cache *cache, const struct picture_repository *repository,
			      const char *path, enum cache_waited waited,
			      struct shared_manifest **ret, struct origin *origin)
{
	struct shared_manifest *shared = NULL;
	enum cache_outcome outcome;
	struct cache_record record = { 0 };
	struct error err = { 0 };

	if (!origin_find(repository->ecosystem, repository->setup->config, path, origin))
		return is_package(repository->ecosystem, path) ? CACHE_REFUSED : CACHE_ABSENT;
	if (strcmp(origin->path, path) != 0)
		return CACHE_ELSEWHERE;
	(void)pthread_mutex_lock(&cache->lock);
	outcome = look(cache, repository, origin, waited, &record);
	if (outcome == CACHE_FOUND) {
		cache_record_use(cache->records, repository->info.name, path, &record);
		shared = shared_find(&cache->recent, &record.manifest);
		if (shared && manifest_is_lost(shared->manifest)) {
			shared_unref(shared);
			shared = NULL;
		}
	}
	(void)pthread_mutex_unlock(&cache->lock);
	if (outcome == CACHE_FAILED && atomic_load(&cache->trouble.code) < 0)
		return CACHE_UNWRITABLE;
	if (outcome != CACHE_FOUND)
		return outcome;
	if (!shared && open_manifest(cache, &record.manifest, &shared, &err) < 0) {
		log_warning("serve", "the cache has lost '%s' of '%s': %s", path,
			    repository->info.name, err.msg);
		return waited == CACHE_WAITED ? CACHE_FAILED : CACHE_ASK;
	}
	*ret = shared;
	return CACHE_FOUND;
}

/* --- what is fetched; in the thread --- */

/* Takes a fetch out of those going on, tells who waits, and releases it. */
static void end_fetch(struct fetch *fetch)
{
	struct cache *cache = fetch->cache;
	struct fetch **at = &cache->going;
	struct cache_wait *wait;

	(void)pthread_mutex_lock(&cache->lock);
	while (*at && *at != fetch)
		at = &(*at)->next;
	if (*at)
		*at = fetch->next;
	cache->n_fetches--;
	wait = fetch->waits;
	(void)pthread_mutex_unlock(&cache->lock);
	while (wait) {
		struct cache_wait *next = wait->next;

		wait->done(wait);
		wait = next;
	}
	free(fetch);
}

/* Nothing is fetched for a while that could not be kept. */
static void set_unwritable(struct cache *cache, int r, const struct error *err)
{
	trouble_note(&cache->trouble, r, err);
	(void)pthread_mutex_lock(&cache->lock);
	cache->unwritable_until_ns = clock_ns() + DOWN_NS;
	(void)pthread_mutex_unlock(&cache->lock);
}

/* Whether it is this machine that fails, and not what was fetched. */
static bool is_own_fault(const struct fetch_result *result, int r)
{
	static const int codes[] = { ENOSPC, EDQUOT, EROFS, EACCES, EIO, EMFILE, ENFILE, ENOMEM };

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (r == -codes[i])
			return result->status != FETCH_FAILED;
	return false;
}

/* What was noted of a fetch that failed is undone. */
static void take_failure(struct fetch *fetch, const struct fetch_result *result, int r,
			 const struct error *err)
{
	struct cache *cache = fetch->cache;
	bool own = is_own_fault(result, r);

	if (own)
		set_unwritable(cache, r, err);
	else
		log_warning("serve", "repository '%s', path '%s': %s", fetch->repository,
			    fetch->path, error_text(err, r));
	(void)pthread_mutex_lock(&cache->lock);
	catalogue_rollback(cache->catalogue);
	if (result->status == FETCH_FAILED && result->http == 0 && result->error.code != EBADMSG)
		set_down(cache, fetch->repository);
	(void)pthread_mutex_unlock(&cache->lock);
}

static void on_done(void *ctx, _unused_ const struct fetch_request *request,
		    const struct fetch_result *result)
{
	struct fetch *fetch = ctx;
	struct error err = { 0 };
	int r;

	/* It was dropped: end_all() tells who waits once it is known why. */
	if (result->status == FETCH_FAILED && result->error.code == ECANCELED)
		return;
	r = cache_take(fetch, result, &err);
	if (r < 0)
		take_failure(fetch, result, r, &err);
	else if (result->status != FETCH_ABSENT)
		trouble_note(&fetch->cache->trouble, 0, NULL);
	end_fetch(fetch);
}

static void remove_object(struct fetch *fetch, const struct digest *digest)
{
	struct error err;

	if (object_remove(fetch->cache->writer, digest, &err) < 0)
		log_warning("serve", "the cache cannot remove what is damaged: %s", err.msg);
}

/* Whether what there is of the path can be read.  What cannot is removed: it would be taken for
 * what is fetched now. */
static bool is_whole(struct fetch *fetch)
{
	_cleanup_(manifest_freep) struct manifest *manifest = NULL;
	struct digest *name = &fetch->record.manifest;
	int r = manifest_open(fetch->cache->writer, name, &manifest, NULL);

	if (fetch->is_damaged)
		remove_object(fetch, &fetch->damaged);
	if (r == -EBADMSG)
		remove_object(fetch, name);
	return r >= 0 && !fetch->is_damaged;
}

/* Reads what is known of the path, with the lock. */
static void prepare(struct fetch *fetch)
{
	char url[FETCH_URL_MAX] = "";

	fetch->has_record = cache_record_get(fetch->cache->records, fetch->repository, fetch->path,
					     &fetch->record);
	fetch->is_vouched = vouched_get(fetch->cache->catalogue, fetch->repository, fetch->path,
					&fetch->vouched, url);
	if (url[0])
		memcpy(fetch->url, url, sizeof(url));
	fetch->is_package = is_package(fetch->ecosystem, fetch->path);
	/* What was lost is not asked for on condition. */
	if (fetch->has_record)
		fetch->has_record = is_whole(fetch);
	if (!fetch->has_record)
		fetch->record = (struct cache_record) { 0 };
}

/* The one that has waited longest, which goes on; or NULL.  Called with the lock. */
static struct fetch *take_waiting(struct cache *cache)
{
	struct fetch *fetch = cache->waiting;

	if (!fetch)
		return NULL;
	cache->waiting = fetch->next;
	if (!cache->waiting)
		cache->last = &cache->waiting;
	fetch->next = cache->going;
	cache->going = fetch;
	return fetch;
}

static bool more(void *ctx, struct fetcher *fetcher)
{
	struct cache *cache = ctx;
	struct fetch_request request;
	struct fetch *fetch;
	struct error err = { 0 };

	(void)pthread_mutex_lock(&cache->lock);
	fetch = cache->stops ? NULL : take_waiting(cache);
	if (fetch)
		prepare(fetch);
	(void)pthread_mutex_unlock(&cache->lock);
	if (!fetch)
		return false;
	request = (struct fetch_request) {
		.url = fetch->url,
		.to_memory = !fetch->is_vouched,
		.sha256 = fetch->is_vouched ? &fetch->vouched.sha256 : NULL,
		.size = fetch->is_vouched ? fetch->vouched.size : 0,
		.max = fetch->is_vouched ? 0 : CACHE_INDEX_MAX,
		.accept = fetch->accept[0] ? fetch->accept : NULL,
		.etag = !fetch->is_vouched && fetch->record.etag[0] ? fetch->record.etag : NULL,
		.since = fetch->is_vouched || fetch->record.etag[0] ? 0 : fetch->record.mtime,
		.urgent = !fetch->is_package,
		.compressed = !fetch->is_vouched,
		.label = fetch->repository,
		.done = on_done,
		.ctx = fetch,
	};
	if (fetcher_add(fetcher, &request, &err) < 0) {
		log_warning("serve", "repository '%s', path '%s': %s", fetch->repository,
			    fetch->path, err.msg);
		end_fetch(fetch);
	}
	return true;
}

/* What the fetcher has dropped, or nobody will take any more. */
static void end_all(struct cache *cache, bool waiting)
{
	for (;;) {
		struct fetch *fetch;

		(void)pthread_mutex_lock(&cache->lock);
		fetch = cache->going;
		if (!fetch && waiting)
			fetch = take_waiting(cache);
		(void)pthread_mutex_unlock(&cache->lock);
		if (!fetch)
			return;
		end_fetch(fetch);
	}
}

/* Waits for something to fetch; false at the end. */
static bool wait_for_work(struct cache *cache)
{
	bool goes_on;

	(void)pthread_mutex_lock(&cache->lock);
	while (!cache->waiting && !cache->stops)
		(void)pthread_cond_wait(&cache->wake, &cache->lock);
	goes_on = !cache->stops;
	(void)pthread_mutex_unlock(&cache->lock);
	return goes_on;
}

static void *run(void *ctx)
{
	struct cache *cache = ctx;

	while (wait_for_work(cache)) {
		struct error err = { 0 };
		int r = fetcher_run(cache->fetcher, more, cache, &err);

		if (r < 0 && r != -EINTR)
			set_unwritable(cache, r, &err);
		end_all(cache, r < 0);
	}
	end_all(cache, true);
	return NULL;
}

/* --- from outside --- */

static struct fetch *find_fetch(struct fetch *list, const char *repository, const char *path)
{
	for (; list; list = list->next)
		if (strcmp(list->path, path) == 0 && strcmp(list->repository, repository) == 0)
			return list;
	return NULL;
}

static struct fetch *new_fetch(struct cache *cache, const struct picture_repository *repository,
			       const char *path, const struct digest *damaged)
{
	struct origin origin;
	struct fetch *fetch;

	if (cache->stops || cache->n_fetches >= FETCHES_MAX ||
	    !origin_find(repository->ecosystem, repository->setup->config, path, &origin))
		return NULL;
	fetch = calloc(1, sizeof(*fetch));
	if (!fetch)
		return NULL;
	fetch->cache = cache;
	fetch->ecosystem = repository->ecosystem;
	fetch->max_size = repository->setup->config->max_size;
	fetch->is_damaged = damaged;
	if (damaged)
		fetch->damaged = *damaged;
	(void)str_copy(fetch->repository, sizeof(fetch->repository), repository->info.name);
	(void)str_copy(fetch->path, sizeof(fetch->path), path);
	(void)str_copy(fetch->url, sizeof(fetch->url), origin.url);
	(void)str_copy(fetch->accept, sizeof(fetch->accept), origin.accept ? origin.accept : "");
	if (repository->ecosystem->keyring)
		(void)str_copy(fetch->keyring, sizeof(fetch->keyring),
			       repository->ecosystem->keyring(repository->setup->config));
	*cache->last = fetch;
	cache->last = &fetch->next;
	cache->n_fetches++;
	return fetch;
}

void cache_fetch(struct cache *cache, const struct picture_repository *repository, const char *path,
		 const struct digest *damaged, struct cache_wait *wait)
{
	struct fetch *fetch;

	(void)pthread_mutex_lock(&cache->lock);
	fetch = find_fetch(cache->going, repository->info.name, path);
	if (!fetch)
		fetch = find_fetch(cache->waiting, repository->info.name, path);
	if (!fetch)
		fetch = new_fetch(cache, repository, path, damaged);
	if (fetch) {
		wait->next = fetch->waits;
		fetch->waits = wait;
		(void)pthread_cond_signal(&cache->wake);
	}
	(void)pthread_mutex_unlock(&cache->lock);
	if (!fetch)
		wait->done(wait);
}

static int open_stores(struct cache *cache, const char *dir, struct error *err)
{
	int r = store_open(dir, STORE_WRITE, &cache->writer, err);

	if (r == -ENOENT) {
		r = store_create(dir, err);
		if (r >= 0)
			r = store_open(dir, STORE_WRITE, &cache->writer, err);
	}
	if (r >= 0)
		r = store_open(dir, STORE_READ, &cache->reader, err);
	if (r >= 0)
		r = catalogue_open(cache->writer, &cache->catalogue, err);
	return r < 0 ? r : cache_records_new(cache->writer, cache->catalogue, &cache->records, err);
}

static int make_fetcher(struct cache *cache, const struct config_sync *config, struct error *err)
{
	struct fetch_settings settings = {
		.per_host = config->per_host,
		.total = config->total,
		.attempts = MIN(config->attempts, 2u), /* somebody waits */
		.timeout_ms = MIN(config->timeout_ms, 10000u),
		.bytes_per_second = config->bytes_per_second,
		.keep_free = config->keep_free,
		.ca_file = config->ca_file.text[0] ? config->ca_file.text : NULL,
		.proxy = config->proxy[0] ? config->proxy : NULL,
		.netrc_file = config->netrc_file.text[0] ? config->netrc_file.text : NULL,
	};

	return fetcher_new(cache->writer, &settings, &cache->fetcher, err);
}

/* Readers that come one after the other must not keep the writer away for good. */
static void init_readers(pthread_rwlock_t *lock)
{
	pthread_rwlockattr_t attributes;

	(void)pthread_rwlockattr_init(&attributes);
	(void)pthread_rwlockattr_setkind_np(&attributes,
					    PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	(void)pthread_rwlock_init(lock, &attributes);
	(void)pthread_rwlockattr_destroy(&attributes);
}

int cache_new(const char *dir, const struct config_sync *config, uint64_t memory,
	      struct cache **ret, struct error *err)
{
	_cleanup_(cache_freep) struct cache *cache = calloc(1, sizeof(*cache));
	int r;

	if (!cache)
		return error_set(err, ENOMEM, "no memory for the cache");
	cache->trouble.what = "the cache";
	init_readers(&cache->readers);
	cache->last = &cache->waiting;
	cache->absent = absent_new();
	if (!cache->absent)
		return error_set(err, ENOMEM, "no memory for the cache");
	(void)pthread_mutex_init(&cache->lock, NULL);
	(void)pthread_cond_init(&cache->wake, NULL);
	r = open_stores(cache, dir, err);
	if (r >= 0)
		r = make_fetcher(cache, config, err);
	if (r >= 0)
		r = hot_new(cache->reader, memory, &cache->hot, err);
	if (r < 0)
		return error_wrap(err, r, "the cache '%s'", dir);
	if (pthread_create(&cache->thread, NULL, run, cache) != 0)
		return error_set(err, EAGAIN, "no thread for the cache");
	cache->runs = true;
	*ret = TAKE_PTR(cache);
	return 0;
}

void cache_stop(struct cache *cache)
{
	if (!cache || !cache->runs)
		return;
	(void)pthread_mutex_lock(&cache->lock);
	cache->stops = true;
	(void)pthread_cond_signal(&cache->wake);
	(void)pthread_mutex_unlock(&cache->lock);
	fetcher_stop(cache->fetcher);
	(void)pthread_join(cache->thread, NULL);
	cache->runs = false;
}

void cache_free(struct cache *cache)
{
	if (!cache)
		return;
	cache_stop(cache);
	fetcher_free(cache->fetcher);
	hot_free(cache->hot);
	cache_records_free(cache->records);
	free(cache->absent);
	shared_forget(&cache->recent);
	catalogue_close(cache->catalogue);
	store_close(cache->reader);
	store_close(cache->writer);
	(void)pthread_cond_destroy(&cache->wake);
	(void)pthread_mutex_destroy(&cache->lock);
	(void)pthread_rwlock_destroy(&cache->readers);
	free(cache);
}

void cache_hold(struct cache *cache)
{
	(void)pthread_rwlock_rdlock(&cache->readers);
}

void cache_release(struct cache *cache)
{
	(void)pthread_rwlock_unlock(&cache->readers);
}

const struct trouble *cache_trouble(const struct cache *cache)
{
	return &cache->trouble;
}

struct hot *cache_hot(struct cache *cache)
{
	return cache->hot;
}
