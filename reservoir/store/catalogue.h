/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the writer of a store remembers beside it: what upstream said last (entity
 * tags, serials), which bundles were applied, and the audit log.  A store without its
 * catalogue still serves; the next sync only asks more.
 *
 * One SQLite database with a write-ahead log, opened by the one writer.
 *
 * Source: sqlite.org/wal.html
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"
#include "reservoir/store/store.h"

#define CATALOGUE_KEY_MAX 2048	  /* bytes with the NUL; a URL */
#define CATALOGUE_VALUE_MAX 65536 /* bytes */

struct catalogue;

/**
 * catalogue_open() - Open the catalogue of a store, made if it is not there.
 * @store: store opened with STORE_WRITE; borrowed
 * @ret: the catalogue, to be released with catalogue_close()
 * @err: set on failure
 *
 * One that is damaged is moved aside and begun anew; err then says so although 0 is
 * returned.
 *
 * Return: 0, or negative errno.
 */
int catalogue_open(struct store *store, struct catalogue **ret, struct error *err);

/**
 * catalogue_close() - Release a catalogue; what was not committed is lost.
 * @catalogue: catalogue or NULL
 */
void catalogue_close(struct catalogue *catalogue);
DEFINE_CLEANUP(struct catalogue, catalogue_close);

/**
 * catalogue_get() - Read a value.
 * @catalogue: catalogue
 * @space: what kind of key it is, as in "fetch" or "pypi/NAME"
 * @key: key
 * @ret: appended to
 * @err: set on failure
 *
 * Return: 0, -ENOENT, or negative errno.
 */
int catalogue_get(struct catalogue *catalogue, const char *space, const char *key,
		  struct strbuf *ret, struct error *err);

/**
 * catalogue_put() - Write a value; it is durable after catalogue_commit().
 * @catalogue: catalogue
 * @space: what kind of key it is
 * @key: key
 * @value: @len bytes, or NULL to remove the key
 * @len: number of bytes
 * @err: set on failure
 *
 * Return: 0, -E2BIG, or negative errno.
 */
int catalogue_put(struct catalogue *catalogue, const char *space, const char *key,
		  const void *value, size_t len, struct error *err);

/**
 * typedef catalogue_fn - Takes a key and its value.
 * @ctx: as given to catalogue_each()
 * @key: key
 * @value: @len bytes; NULL when there are none
 * @len: number of bytes
 *
 * Return: 0, or negative errno to end the walk.
 */
typedef int (*catalogue_fn)(void *ctx, const char *key, const void *value, size_t len);

/**
 * catalogue_each() - Tell all keys of a kind, sorted.
 * @catalogue: catalogue
 * @space: what kind of key it is
 * @fn: called for each; a negative return ends the walk; must not write
 * @ctx: given to @fn
 * @err: set on failure of the database
 *
 * Return: 0, what @fn returned, or negative errno.
 */
int catalogue_each(struct catalogue *catalogue, const char *space, catalogue_fn fn, void *ctx,
		   struct error *err);

/**
 * catalogue_next_space() - Find the kinds of keys that there are, one after the other.
 * @catalogue: catalogue
 * @after: the kind before, or "" for the first
 * @ret: appended to
 * @err: set on failure
 *
 * Return: 0, -ENOENT when there is none behind it, or negative errno.
 */
int catalogue_next_space(struct catalogue *catalogue, const char *after, struct strbuf *ret,
			 struct error *err);

/**
 * catalogue_forget() - Remove all keys of a kind; catalogue_commit() gives the room back.
 * @catalogue: catalogue
 * @space: what kind of key it is
 * @err: set on failure
 *
 * Return: 0, or negative errno.
 */
int catalogue_forget(struct catalogue *catalogue, const char *space, struct error *err);

/**
 * catalogue_rollback() - Give up what was not committed.
 * @catalogue: catalogue
 */
void catalogue_rollback(struct catalogue *catalogue);

/**
 * catalogue_commit() - Make all values durable at once.
 * @catalogue: catalogue
 * @err: set on failure
 *
 * Return: 0, or negative errno; then nothing of it was written.
 */
int catalogue_commit(struct catalogue *catalogue, struct error *err);

/**
 * catalogue_audit() - Append a line to the audit log, chained by hash to the one before.
 * @catalogue: catalogue
 * @event: one word, as in "publish", "import", "quarantine"
 * @text: what happened
 * @err: set on failure
 *
 * Return: 0, or negative errno.
 */
int catalogue_audit(struct catalogue *catalogue, const char *event, const char *text,
		    struct error *err);
