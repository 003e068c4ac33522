/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects: bytes under the name that they hash to.
 *
 * New bytes are staged: they grow in DIR/staging under a key of the caller's, which
 * finds them again after a crash, and become an object when they are whole and
 * durable.  They wait for one another, as syncs beside each other cost less than one
 * after the other; object_flush() ends the wait.  Until then they are no objects for
 * anybody.
 *
 * Source: fsync(2), sync_file_range(2), rename(2)
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"
#include "reservoir/store/store.h"

#define STAGING_KEY_MAX 128 /* bytes with the NUL: a digest in hex and a word */

struct staging;

/**
 * staging_open() - Begin, or go on with, bytes that are to become an object.
 * @store: store opened with STORE_WRITE
 * @key: what finds the bytes again: [0-9A-Za-z._-], the expected digest if it is known
 * @ret: the staging, to be released with staging_free()
 * @err: set on failure
 *
 * What an earlier run has left is hashed again, and staging_size() says how much it is.
 *
 * Return: 0, or
 *   -EBUSY   this process has the key open
 *   negative errno of the system
 */
int staging_open(struct store *store, const char *key, struct staging **ret, struct error *err);

/**
 * staging_free() - Release a staging; its bytes stay for a later staging_open(), but for
 *   those that the disk has no room for.
 * @staging: staging or NULL
 */
void staging_free(struct staging *staging);
DEFINE_CLEANUP(struct staging, staging_free);

/**
 * staging_size() - How many bytes there are.
 * @staging: staging
 *
 * Return: bytes.
 */
uint64_t staging_size(const struct staging *staging);

/**
 * staging_write() - Append bytes.
 * @staging: staging
 * @data: @len bytes
 * @len: number of bytes
 * @err: set on failure
 *
 * Up to 128 KiB wait in memory for more, and are lost when the process is killed.
 *
 * Return: 0, or
 *   -ENOMEM
 *   -ENOSPC, -EDQUOT  the disk is full; what is there stays
 *   negative errno of the system
 */
int staging_write(struct staging *staging, const void *data, size_t len, struct error *err);

/**
 * staging_spill() - Write what waits in memory, so that it outlives the process.
 * @staging: staging
 * @err: set on failure
 *
 * Return: 0, or negative errno of the system; what could not be written waits.
 */
int staging_spill(struct staging *staging, struct error *err);

/**
 * staging_sync() - Make durable what there is; a crash leaves it to a later staging_open().
 * @staging: staging
 * @err: set on failure
 *
 * Return: 0, or negative errno of the system.
 */
int staging_sync(struct staging *staging, struct error *err);

/**
 * staging_restart() - Throw the bytes away and begin again.
 * @staging: staging
 * @err: set on failure
 *
 * Return: 0, or negative errno of the system.
 */
int staging_restart(struct staging *staging, struct error *err);

/**
 * staging_finish() - Make an object of the bytes; the staging has none afterwards.
 * @staging: staging
 * @expected: what they must hash to, or NULL
 * @ret: what they hash to, or NULL
 * @err: set on failure
 *
 * The object has its name after the next object_flush() at the latest.  An object that
 * is there already is left as it is.
 *
 * Return: 0, or
 *   -EBADMSG  they hash to something else; they are thrown away
 *   negative errno of the system
 */
int staging_finish(struct staging *staging, const struct digest *expected, struct digest *ret,
		   struct error *err);

/**
 * object_flush() - Make all objects finished so far durable, under their names.
 * @store: store opened with STORE_WRITE
 * @err: set on failure
 *
 * Return: 0, or negative errno of the system.
 */
int object_flush(struct store *store, struct error *err);

/**
 * object_land_all() - Make the content of all objects finished so far durable, and give
 *   them their names, which object_flush() makes durable.
 * @store: store opened with STORE_WRITE
 * @err: set on failure
 *
 * Return: 0, or negative errno of the system.
 */
int object_land_all(struct store *store, struct error *err);

/**
 * object_put() - Make an object of bytes in memory.
 * @store: store opened with STORE_WRITE
 * @data: @len bytes
 * @len: number of bytes
 * @ret: what they hash to, or NULL
 * @err: set on failure
 *
 * As with staging_finish(), the name comes with object_flush().
 *
 * Return: 0, or negative errno of the system.
 */
int object_put(struct store *store, const void *data, size_t len, struct digest *ret,
	       struct error *err);

/**
 * object_exists() - Whether an object is there, or finished and not yet flushed.
 * @store: store
 * @digest: its name
 *
 * For a writer the object is then kept by a garbage collection that runs beside it.
 *
 * Return: true if so.
 */
bool object_exists(struct store *store, const struct digest *digest);

/**
 * object_remove() - Remove an object that nothing needs; one that is not there is none.
 * @store: store
 * @digest: its name
 * @err: set on failure
 *
 * Context: who calls knows that no writer is about to need it.
 * Return: 0, or negative errno of the system.
 */
int object_remove(struct store *store, const struct digest *digest, struct error *err);

/**
 * object_open() - Open an object for reading.
 * @store: store
 * @digest: its name
 * @ret_size: its bytes, or NULL
 * @err: set on failure
 *
 * Return: file descriptor, or
 *   -ENOENT  there is none
 *   negative errno of the system
 */
int object_open(struct store *store, const struct digest *digest, uint64_t *ret_size,
		struct error *err);

/**
 * object_read() - Read a small object, and see that it is what its name says.
 * @store: store
 * @digest: its name
 * @max: bytes that are accepted
 * @ret: appended to
 * @err: set on failure
 *
 * Return: 0, or
 *   -ENOENT   there is none
 *   -EFBIG    it has more than @max bytes
 *   -EBADMSG  it does not hash to its name
 *   negative errno of the system
 */
int object_read(struct store *store, const struct digest *digest, size_t max, struct strbuf *ret,
		struct error *err);

/**
 * typedef object_fn - Takes the name of an object.
 * @ctx: as given to object_each()
 * @digest: name
 *
 * Return: 0, or negative errno to end the walk.
 */
typedef int (*object_fn)(void *ctx, const struct digest *digest);

/**
 * object_each() - Tell the names of all objects, ascending.
 * @store: store
 * @fn: called for each; a negative return ends the walk
 * @ctx: given to @fn
 * @err: set on failure of the system
 *
 * Return: 0, what @fn returned, or negative errno of the system.
 */
int object_each(struct store *store, object_fn fn, void *ctx, struct error *err);

/**
 * quarantine_each() - Tell the names of what was found damaged, ascending.
 * @store: store
 * @fn: called for each; a negative return ends the walk
 * @ctx: given to @fn
 * @err: set on failure of the system
 *
 * Return: 0, what @fn returned, or negative errno of the system.
 */
int quarantine_each(struct store *store, object_fn fn, void *ctx, struct error *err);

/**
 * quarantine_has() - Whether an object was found damaged, and put aside.
 * @store: store
 * @digest: its name
 *
 * Return: true if so.
 */
bool quarantine_has(const struct store *store, const struct digest *digest);
