/* SPDX-License-Identifier: Apache-2.0 */
/* Makes pages and files of a cache out of what was fetched. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/macro.h"
#include "base/parse.h"
#include "reservoir/serve/cache_private.h"
#include "reservoir/store/object.h"

struct page_builder {
	struct fetch *fetch;
	struct manifest_builder *builder;
	int64_t mtime;
	struct error *err;
};

static int add_page(void *ctx, enum media media, enum encoding encoding, const void *data,
		    size_t len)
{
	struct page_builder *pages = ctx;
	struct manifest_entry entry = {
		.path = pages->fetch->path,
		.media = media,
		.encoding = encoding,
		.size = len,
		.mtime = pages->mtime,
	};
	int r = object_put(pages->fetch->cache->writer, data, len, &entry.digest, pages->err);

	return r < 0 ? r : manifest_add(pages->builder, &entry, pages->err);
}

static int put_vouched(void *ctx, const struct expectation *expectation)
{
	struct fetch *fetch = ctx;
	struct vouched vouched = { expectation->sha256, expectation->size };
	char url[FETCH_URL_MAX] = "";
	int r = 0;

	if (expectation->url)
		r = fetch_url_join(fetch->url, expectation->url, url, NULL);
	if (r < 0 || strlen(expectation->path) >= STORE_PATH_MAX)
		return 0; /* such a file cannot be asked for */
	(void)pthread_mutex_lock(&fetch->cache->lock);
	r = vouched_put(fetch->cache->catalogue, fetch->repository, expectation->path, &vouched,
			url);
	(void)pthread_mutex_unlock(&fetch->cache->lock);
	return r;
}

/* Keeps what an index vouches for. */
static int read_index(struct fetch *fetch, const void *data, size_t len, struct error *err)
{
	if (!fetch->ecosystem->expect)
		return 0;
	return fetch->ecosystem->expect(fetch->path, data, len, put_vouched, fetch, err);
}

/* Removes what no record needs, when no reader is about to open it. */
static void sweep(struct cache *cache)
{
	(void)pthread_rwlock_wrlock(&cache->readers);
	(void)pthread_mutex_lock(&cache->lock);
	cache_records_sweep(cache->records);
	(void)pthread_mutex_unlock(&cache->lock);
	(void)pthread_rwlock_unlock(&cache->readers);
}

/* Commits what was noted of a fetch. */
static int commit(struct fetch *fetch, struct error *err)
{
	int r = catalogue_commit(fetch->cache->catalogue, err);
	bool dead = cache_records_have_dead(fetch->cache->records);

	(void)pthread_mutex_unlock(&fetch->cache->lock);
	if (r >= 0 && dead)
		sweep(fetch->cache);
	return r;
}

static int put_record(struct fetch *fetch, struct error *err)
{
	struct cache *cache = fetch->cache;
	int r;

	fetch->record.fetched = (int64_t)time(NULL);
	(void)pthread_mutex_lock(&cache->lock);
	absent_forget(cache->absent, fetch->repository, fetch->path);
	r = cache_record_put(cache->records, fetch->repository, fetch->path, &fetch->record, err);
	if (r >= 0)
		r = cache_records_shrink(cache->records, fetch->repository, fetch->max_size,
					 fetch->path, err);
	if (r >= 0)
		return commit(fetch, err);
	(void)pthread_mutex_unlock(&cache->lock);
	return r;
}

static int put_absent(struct fetch *fetch, struct error *err)
{
	struct cache *cache = fetch->cache;
	int r;

	(void)pthread_mutex_lock(&cache->lock);
	absent_note(cache->absent, fetch->repository, fetch->path, (int64_t)time(NULL));
	r = cache_record_drop(cache->records, fetch->repository, fetch->path, err);
	if (r >= 0)
		return commit(fetch, err);
	(void)pthread_mutex_unlock(&cache->lock);
	return r;
}

/* What clients hold against their copy: without a time of the upstream's, that of the
 * first sight of these bytes.  Sets what the record says of them. */
static int64_t note_bytes(struct fetch *fetch, const struct digest *digest, int64_t mtime)
{
	struct cache_record *record = &fetch->record;

	if (mtime == 0 && record->mtime > 0 && digest_equal(&record->sha256, digest))
		mtime = record->mtime;
	record->sha256 = *digest;
	record->mtime = mtime > 0 ? mtime : (int64_t)time(NULL);
	return record->mtime;
}

static int finish_manifest(struct fetch *fetch, struct manifest_builder *builder,
			   const struct fetch_result *result, struct error *err)
{
	int r = manifest_finish(builder, &fetch->record.manifest, err);

	if (r >= 0)
		r = object_flush(fetch->cache->writer, err);
	memcpy(fetch->record.etag, result->etag, sizeof(fetch->record.etag));
	return r < 0 ? r : put_record(fetch, err);
}

static int take_index(struct fetch *fetch, const struct fetch_result *result, struct error *err)
{
	_cleanup_(manifest_builder_freep) struct manifest_builder *builder = NULL;
	struct digest digest = digest_of(result->data, (size_t)result->size);
	struct page_builder pages = {
		.fetch = fetch,
		.mtime = note_bytes(fetch, &digest, result->mtime),
		.err = err,
	};
	const struct ecosystem *ecosystem = fetch->ecosystem;
	int r = 0;

	if (fetch->keyring[0])
		r = ecosystem->check(fetch->keyring, fetch->path, result->data,
				     (size_t)result->size, err);
	if (r >= 0)
		r = manifest_builder_new(fetch->cache->writer, &builder, err);
	pages.builder = builder;
	(void)str_copy(fetch->url, sizeof(fetch->url), result->url ? result->url : fetch->url);
	if (r >= 0)
		r = read_index(fetch, result->data, (size_t)result->size, err);
	if (r >= 0)
		r = ecosystem->pages
			    ? ecosystem->pages(fetch->path, fetch->url, result->data,
					       (size_t)result->size, add_page, &pages, err)
			    : add_page(&pages, media_of_path(fetch->path), ENCODING_IDENTITY,
				       result->data, (size_t)result->size);
	return r < 0 ? r : finish_manifest(fetch, builder, result, err);
}

static int take_file(struct fetch *fetch, const struct fetch_result *result, struct error *err)
{
	_cleanup_(manifest_builder_freep) struct manifest_builder *builder = NULL;
	_cleanup_strbuf_ struct strbuf data = STRBUF_INIT(CACHE_INDEX_MAX);
	struct manifest_entry entry = {
		.path = fetch->path,
		.media = media_of_path(fetch->path),
		.digest = fetch->vouched.sha256,
		.size = result->size,
		.mtime = note_bytes(fetch, &fetch->vouched.sha256, result->mtime),
	};
	int r = object_flush(fetch->cache->writer, err);

	if (r >= 0 && !fetch->is_package && result->size <= CACHE_INDEX_MAX)
		r = object_read(fetch->cache->writer, &entry.digest, CACHE_INDEX_MAX, &data, err);
	if (r >= 0 && data.len > 0)
		r = read_index(fetch, data.data, data.len, err);
	if (r >= 0)
		r = manifest_builder_new(fetch->cache->writer, &builder, err);
	if (r >= 0)
		r = manifest_add(builder, &entry, err);
	return r < 0 ? r : finish_manifest(fetch, builder, result, err);
}

int cache_take(struct fetch *fetch, const struct fetch_result *result, struct error *err)
{
	switch (result->status) {
	case FETCH_DONE:
		return fetch->is_vouched ? take_file(fetch, result, err)
					 : take_index(fetch, result, err);
	case FETCH_UNCHANGED:
		return put_record(fetch, err);
	case FETCH_ABSENT:
		return put_absent(fetch, err);
	case FETCH_FAILED:
	case _FETCH_STATUS_MAX:
	default:
		*err = result->error;
		return result->error.code ? -result->error.code : -EIO;
	}
}
