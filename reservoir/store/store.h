/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store: immutable objects named by what they hash to, and generations that name
 * objects by path.
 *
 *	DIR/format                     version of the layout, and the store's own id
 *	DIR/objects/ab/<sha256>        content, mode 0444, never changed
 *	DIR/staging/<key>.part         what is being written; survives a crash
 *	DIR/staging/<sha256>.whole     what is whole, and waits for its sync
 *	DIR/quarantine/<sha256>        content that no longer hashes to its name
 *	DIR/generations/<number>       what was published, never changed
 *	DIR/current                    symbolic link to a generation; renamed over
 *	DIR/snapshots/<name>           symbolic links to generations that are kept
 *	DIR/catalogue.sqlite           what only the writer needs (catalogue.h)
 *	DIR/synced/<name>              when a repository was last what upstream is (synced.h)
 *	DIR/unfinished/<name>          since when a repository is fetched (unfinished.h)
 *	DIR/verified                   touched when all was read (scrub.h)
 *	DIR/lock                       held by the one writer, says who it is
 *	DIR/gate                       held for moments: to publish, and to remove
 *
 * One process writes.  Any number reads, on other machines too: readers take no
 * lock and need nothing but read access.  What is durable when: an object before it
 * has its name, a manifest before a generation names it, a generation before
 * `current` does.
 *
 * Source: the layout is that of git's objects and of OSTree's deployments
 */
#pragma once

#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "reservoir/store/digest.h"

#define STORE_FORMAT 1	     /* newer ones are refused */
#define STORE_ID_MAX 64	     /* bytes with the NUL */
#define STORE_NAME_MAX 64    /* bytes with the NUL of a repository or snapshot */
#define STORE_WRITER_MAX 256 /* bytes with the NUL: who writes, in words */
#define STORE_PATH_MAX \
	1024 /* bytes with the NUL of a path in a repository; PyPI's and Debian's are below 300 */

enum store_access {
	STORE_READ,
	STORE_WRITE, /* takes the lock */
};

struct store;

/**
 * store_create() - Make an empty store with generation 0, which has no repository.
 * @dir: directory, made if it is not there; must be empty
 * @err: set on failure
 *
 * Return: 0, or
 *   -EEXIST  there is something in the directory
 *   negative errno of the system
 */
int store_create(const char *dir, struct error *err);

/**
 * store_open() - Open a store.
 * @dir: directory of a store
 * @access: whether to write
 * @ret: the store, to be released with store_close()
 * @err: set on failure; of -EBUSY it names the writer (process, host, command, since)
 *
 * Return: 0, or
 *   -ENOENT  no store is there
 *   -ENOTSUP the store has a newer format
 *   -EBUSY   another process writes
 *   -EROFS   STORE_WRITE of what cannot be written
 *   negative errno of the system
 */
int store_open(const char *dir, enum store_access access, struct store **ret, struct error *err);

/**
 * store_close() - Release a store, and its lock.
 * @store: store or NULL
 */
void store_close(struct store *store);
DEFINE_CLEANUP(struct store, store_close);

/**
 * store_id() - The id that the store was made with.
 * @store: store
 *
 * Return: 32 random hex digits.
 */
const char *store_id(const struct store *store);

/**
 * store_dirfd() - The directory of a store.
 * @store: store
 *
 * Return: file descriptor, borrowed.
 */
int store_dirfd(const struct store *store);

/**
 * store_tmpfile() - Make a file without a name, on the disk of a store.
 * @store: store opened with STORE_WRITE
 * @err: set on failure
 *
 * A crash leaves nothing of it.
 *
 * Return: file descriptor, or negative errno of the system.
 */
int store_tmpfile(struct store *store, struct error *err);

/**
 * store_free_bytes() - How much a store can still grow.
 * @store: store
 * @ret: bytes free to this process on the file system
 * @err: set on failure
 *
 * Return: 0, or negative errno of the system.
 */
int store_free_bytes(const struct store *store, uint64_t *ret, struct error *err);

/**
 * store_writer() - Who writes at the moment; takes no lock.
 * @store: store, also of a reader
 * @ret: receives the process, host, command and since when; "" if nobody writes
 * @ret_since: when it began, seconds since 1970; untouched if nobody writes; or NULL
 *
 * Return: 1 if somebody writes, 0 if not, or negative errno of the system.
 */
int store_writer(const struct store *store, char ret[STORE_WRITER_MAX], int64_t *ret_since);
