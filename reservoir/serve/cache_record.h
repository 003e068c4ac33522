/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a cache has of each path, in its catalogue, and how much that is.
 *
 *	space "cache/<repository>"  path -> struct cache_record
 *	space "holds"               SHA-256 of an object -> how many records need it
 *	space "bytes"               repository -> bytes of all its records
 *
 * An object that no record needs any more is dead; it is removed when no reader is
 * about to open it.  All functions are called with the lock of the catalogue.
 *
 * Source: reservoir/store/catalogue.h
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "reservoir/fetch/fetch.h"
#include "reservoir/store/catalogue.h"

struct cache_record {
	uint32_t version;
	uint32_t unused;	/* 0 */
	int64_t fetched;	/* seconds since 1970; when it was last found to be so */
	int64_t mtime;		/* as the upstream says, or of the first sight */
	int64_t used_ms;	/* since 1970; when it was last asked for, about */
	uint64_t bytes;		/* of its forms */
	struct digest manifest; /* of its forms */
	struct digest sha256;	/* of what was fetched */
	char etag[FETCH_ETAG_MAX];
};

struct cache_records;

/**
 * cache_records_new() - Begin with what a catalogue has.
 * @store: store, opened with STORE_WRITE; borrowed
 * @catalogue: its catalogue; borrowed
 * @ret: the records, to be released with cache_records_free()
 * @err: set on failure
 *
 * Return: 0, or -ENOMEM.
 */
int cache_records_new(struct store *store, struct catalogue *catalogue, struct cache_records **ret,
		      struct error *err);

/**
 * cache_records_free() - Release records.
 * @records: records or NULL
 */
void cache_records_free(struct cache_records *records);
DEFINE_CLEANUP(struct cache_records, cache_records_free);

/**
 * cache_record_get() - What there is of a path.
 * @records: records
 * @repository: name of the repository
 * @path: path below it
 * @ret: the record
 *
 * Return: true if there is one.
 */
bool cache_record_get(struct cache_records *records, const char *repository, const char *path,
		      struct cache_record *ret);

/**
 * cache_record_put() - Note what there is of a path, in place of what there was.
 * @records: records
 * @repository: name of the repository
 * @path: path below it
 * @record: record, whose objects are flushed; its version and bytes are set
 * @err: set on failure
 *
 * Return: 0, or negative errno of the catalogue or a manifest.
 */
int cache_record_put(struct cache_records *records, const char *repository, const char *path,
		     struct cache_record *record, struct error *err);

/**
 * cache_record_drop() - Note that there is nothing of a path.
 * @records: records
 * @repository: name of the repository
 * @path: path below it
 * @err: set on failure
 *
 * Return: 0, or negative errno of the catalogue.
 */
int cache_record_drop(struct cache_records *records, const char *repository, const char *path,
		      struct error *err);

/**
 * cache_record_use() - Note that a path was asked for.
 * @records: records
 * @repository: name of the repository
 * @path: path below it
 * @record: its record
 */
void cache_record_use(struct cache_records *records, const char *repository, const char *path,
		      struct cache_record *record);

/**
 * cache_records_shrink() - Drop what was not asked for longest.
 * @records: records
 * @repository: name of the repository
 * @max: bytes that it may have; 0 for no limit
 * @keep: path that stays
 * @err: set on failure
 *
 * Return: 0, or negative errno of the catalogue.
 */
int cache_records_shrink(struct cache_records *records, const char *repository, uint64_t max,
			 const char *keep, struct error *err);

/**
 * cache_records_have_dead() - Whether objects are dead.
 * @records: records
 *
 * Return: true if cache_records_sweep() has something to do.
 */
bool cache_records_have_dead(const struct cache_records *records);

/**
 * cache_records_sweep() - Remove the objects that are dead.
 * @records: records, committed
 *
 * Context: no reader is between a look at a record and opening its objects.
 */
void cache_records_sweep(struct cache_records *records);
