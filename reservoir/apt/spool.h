/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries that wait, in a file without a name: however many there are, they take no
 * memory, and a crash leaves nothing of them.
 *
 * Source: O_TMPFILE in open(2)
 */
#pragma once

#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "reservoir/store/manifest.h"

struct spool;

/**
 * spool_new() - Make an empty spool.
 * @store: store opened with STORE_WRITE; the file is on its disk
 * @ret: the spool, to be released with spool_free()
 * @err: set on failure
 *
 * Return: 0, or negative errno of the system.
 */
int spool_new(struct store *store, struct spool **ret, struct error *err);

/**
 * spool_free() - Release a spool.
 * @spool: spool or NULL
 */
void spool_free(struct spool *spool);
DEFINE_CLEANUP(struct spool, spool_free);

/**
 * spool_add() - Append an entry; not after the first spool_next().
 * @spool: spool
 * @entry: entry; copied
 * @err: set on failure
 *
 * Return: 0, or negative errno of the system.
 */
int spool_add(struct spool *spool, const struct manifest_entry *entry, struct error *err);

/**
 * spool_count() - How many entries were appended.
 * @spool: spool
 *
 * Return: number.
 */
uint64_t spool_count(const struct spool *spool);

/**
 * spool_next() - Give the entries in the order in which they were appended.
 * @spool: spool
 * @ret: the entry; its path is valid until the next call
 * @err: set on failure
 *
 * Return: 1, 0 at the end, or negative errno of the system.
 */
int spool_next(struct spool *spool, struct manifest_entry *ret, struct error *err);

/**
 * spool_rewind() - Give the entries from the first again.
 * @spool: spool
 * @err: set on failure
 *
 * Return: 0, or negative errno of the system.
 */
int spool_rewind(struct spool *spool, struct error *err);
