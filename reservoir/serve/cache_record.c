/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/serve/cache_record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "reservoir/store/manifest.h"
#include "reservoir/store/object.h"

#define RECORD_VERSION 2u
#define SPACE_MAX (STORE_NAME_MAX + 8)
#define HOLDS "holds"
#define BYTES "bytes"
#define USE_MS 1000 /* how exactly it is known when a path was asked for */

struct cache_records {
	struct store *store;
	struct catalogue *catalogue;
	struct digest *dead;
	size_t n_dead, cap;
};

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void space_of(const char *repository, char ret[SPACE_MAX])
{
	(void)snprintf(ret, SPACE_MAX, "cache/%s", repository);
}

int cache_records_new(struct store *store, struct catalogue *catalogue, struct cache_records **ret,
		      struct error *err)
{
	struct cache_records *records = calloc(1, sizeof(*records));

	if (!records)
		return error_set(err, ENOMEM, "no memory for what a cache has");
	records->store = store;
	records->catalogue = catalogue;
	*ret = records;
	return 0;
}

void cache_records_free(struct cache_records *records)
{
	if (!records)
		return;
	free(records->dead);
	free(records);
}

static uint64_t get_number(struct cache_records *records, const char *space, const char *key)
{
	_cleanup_strbuf_ struct strbuf value = STRBUF_INIT(sizeof(uint64_t));
	struct error err;
	uint64_t number = 0;

	if (catalogue_get(records->catalogue, space, key, &value, &err) == 0 &&
	    value.len == sizeof(number))
		memcpy(&number, value.data, sizeof(number));
	return number;
}

static int put_number(struct cache_records *records, const char *space, const char *key,
		      uint64_t number, struct error *err)
{
	return catalogue_put(records->catalogue, space, key, number ? &number : NULL,
			     sizeof(number), err);
}

static int add_dead(struct cache_records *records, const struct digest *digest, struct error *err)
{
	if (records->n_dead == records->cap) {
		size_t cap = records->cap ? records->cap * 2 : 64;
		struct digest *dead = reallocarray(records->dead, cap, sizeof(*dead));

		if (!dead)
			return error_set(err, ENOMEM, "no memory for what a cache drops");
		records->dead = dead;
		records->cap = cap;
	}
	records->dead[records->n_dead++] = *digest;
	return 0;
}

/* Counts one more record that needs an object, or one less. */
static int count_object(struct cache_records *records, const struct digest *digest, bool more,
			struct error *err)
{
	char key[DIGEST_TEXT_SIZE];
	uint64_t n = get_number(records, HOLDS, digest_format(digest, key));

	if (!more && n <= 1) {
		int r = add_dead(records, digest, err);

		if (r < 0)
			return r;
	}
	n = more ? n + 1 : n > 0 ? n - 1 : 0;
	return put_number(records, HOLDS, key, n, err);
}

/* Counts the objects of a record. */
static int count_record(struct cache_records *records, const struct digest *digest, bool more,
			uint64_t *ret_bytes, struct error *err)
{
	_cleanup_(manifest_freep) struct manifest *manifest = NULL;
	struct manifest_cursor cursor;
	struct manifest_entry entry;
	uint64_t bytes = 0;
	int r = manifest_open(records->store, digest, &manifest, more ? err : NULL);

	if (r < 0 && more)
		return r;
	r = count_object(records, digest, more, err);
	if (manifest)
		manifest_seek(manifest, "", &cursor);
	while (manifest && r >= 0 && manifest_next(&cursor, &entry)) {
		bytes += entry.size;
		r = count_object(records, &entry.digest, more, err);
	}
	if (r >= 0 && ret_bytes)
		*ret_bytes = bytes;
	return r;
}

static int add_bytes(struct cache_records *records, const char *repository, uint64_t more,
		     uint64_t less, struct error *err)
{
	uint64_t bytes = get_number(records, BYTES, repository) + more;

	return put_number(records, BYTES, repository, bytes > less ? bytes - less : 0, err);
}

bool cache_record_get(struct cache_records *records, const char *repository, const char *path,
		      struct cache_record *ret)
{
	_cleanup_strbuf_ struct strbuf value = STRBUF_INIT(sizeof(*ret));
	char space[SPACE_MAX];
	struct error err;

	space_of(repository, space);
	if (catalogue_get(records->catalogue, space, path, &value, &err) < 0 ||
	    value.len != sizeof(*ret))
		return false;
	memcpy(ret, value.data, sizeof(*ret));
	return ret->version == RECORD_VERSION;
}

static int write_record(struct cache_records *records, const char *repository, const char *path,
			const struct cache_record *record, struct error *err)
{
	char space[SPACE_MAX];

	space_of(repository, space);
	return catalogue_put(records->catalogue, space, path, record, sizeof(*record), err);
}

int cache_record_put(struct cache_records *records, const char *repository, const char *path,
		     struct cache_record *record, struct error *err)
{
	struct cache_record old = { 0 };
	bool has = cache_record_get(records, repository, path, &old);
	int r = 0;

	record->version = RECORD_VERSION;
	record->used_ms = now_ms();
	record->bytes = old.bytes;
	if (!has || !digest_equal(&old.manifest, &record->manifest)) {
		r = count_record(records, &record->manifest, true, &record->bytes, err);
		if (r >= 0 && has)
			r = count_record(records, &old.manifest, false, NULL, err);
		if (r >= 0)
			r = add_bytes(records, repository, record->bytes, old.bytes, err);
	}
	return r < 0 ? r : write_record(records, repository, path, record, err);
}

int cache_record_drop(struct cache_records *records, const char *repository, const char *path,
		      struct error *err)
{
	struct cache_record old;
	char space[SPACE_MAX];
	int r;

	if (!cache_record_get(records, repository, path, &old))
		return 0;
	space_of(repository, space);
	r = count_record(records, &old.manifest, false, NULL, err);
	if (r >= 0)
		r = add_bytes(records, repository, 0, old.bytes, err);
	return r < 0 ? r : catalogue_put(records->catalogue, space, path, NULL, 0, err);
}

void cache_record_use(struct cache_records *records, const char *repository, const char *path,
		      struct cache_record *record)
{
	int64_t now = now_ms();
	struct error err;

	/* A clock that was set back is not waited for. */
	if (now >= record->used_ms && now - record->used_ms < USE_MS)
		return;
	record->used_ms = now;
	if (write_record(records, repository, path, record, &err) < 0)
		log_debug("serve", "%s", err.msg);
}

/* -- What goes ------------------------------------------------------------ */

struct row {
	char *path;
	int64_t used_ms;
	uint64_t bytes;
};

struct rows {
	struct row *items;
	size_t n, cap;
};

static void rows_done(struct rows *rows)
{
	for (size_t i = 0; i < rows->n; i++)
		free(rows->items[i].path);
	free(rows->items);
}

static int add_row(void *ctx, const char *key, const void *value, size_t len)
{
	struct rows *rows = ctx;
	struct cache_record record;

	if (len != sizeof(record))
		return 0;
	memcpy(&record, value, sizeof(record));
	if (record.version != RECORD_VERSION)
		return 0;
	if (rows->n == rows->cap) {
		size_t cap = rows->cap ? rows->cap * 2 : 256;
		struct row *items = reallocarray(rows->items, cap, sizeof(*items));

		if (!items)
			return -ENOMEM;
		rows->items = items;
		rows->cap = cap;
	}
	rows->items[rows->n] = (struct row) { strdup(key), record.used_ms, record.bytes };
	return rows->items[rows->n].path ? (int)(rows->n++, 0) : -ENOMEM;
}

static int by_use(const void *a, const void *b)
{
	int64_t x = ((const struct row *)a)->used_ms, y = ((const struct row *)b)->used_ms;

	return (x > y) - (x < y);
}

int cache_records_shrink(struct cache_records *records, const char *repository, uint64_t max,
			 const char *keep, struct error *err)
{
	_cleanup_(rows_done) struct rows rows = { 0 };
	uint64_t bytes = get_number(records, BYTES, repository);
	char space[SPACE_MAX];
	int r;

	if (max == 0 || bytes <= max)
		return 0;
	max -= max / 10; /* so that not each fetch has to look through all */
	space_of(repository, space);
	r = catalogue_each(records->catalogue, space, add_row, &rows, err);
	if (r < 0)
		return r;
	if (rows.n > 0)
		qsort(rows.items, rows.n, sizeof(*rows.items), by_use);
	for (size_t i = 0; r >= 0 && i < rows.n && bytes > max; i++) {
		if (strcmp(rows.items[i].path, keep) == 0)
			continue;
		bytes -= bytes < rows.items[i].bytes ? bytes : rows.items[i].bytes;
		r = cache_record_drop(records, repository, rows.items[i].path, err);
	}
	return r;
}

bool cache_records_have_dead(const struct cache_records *records)
{
	return records->n_dead > 0;
}

void cache_records_sweep(struct cache_records *records)
{
	for (size_t i = 0; i < records->n_dead; i++) {
		char key[DIGEST_TEXT_SIZE];
		struct error err;

		/* It may be needed again. */
		if (get_number(records, HOLDS, digest_format(&records->dead[i], key)) > 0)
			continue;
		if (object_remove(records->store, &records->dead[i], &err) < 0)
			log_warning("serve", "the cache cannot shrink: %s", err.msg);
	}
	records->n_dead = 0;
}
