/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads and hashes objects by several threads, and tells what was found in the order
 * in which they were asked for, from the thread that asks.
 *
 * Objects that were asked for and not told yet lie in a ring, so that memory is bounded
 * whatever their number.
 *
 * Source: POSIX.1-2017, pthread_cond_wait()
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "reservoir/store/digest.h"
#include "reservoir/store/store.h"

#define HASH_JOBS_MAX 256u /* threads; of the largest machines one for each core */

enum hashed_verdict {
	HASHED_GOOD,	   /* it hashes to its name */
	HASHED_GONE,	   /* there is none */
	HASHED_DAMAGED,	   /* it hashes to something else */
	HASHED_UNREADABLE, /* it was opened and cannot be read */
	HASHED_UNOPENED,   /* it cannot be opened */
};

struct hashed {
	struct digest digest;
	enum hashed_verdict verdict;
	ino_t inode;	  /* of what was read */
	uint64_t bytes;	  /* that were read */
	struct error err; /* of the last two */
};

/**
 * typedef hashed_fn - Takes what was found.
 * @ctx: as given to hash_pool_new()
 * @hashed: valid during the call
 *
 * Return: 0, or negative errno to end.
 */
typedef int (*hashed_fn)(void *ctx, const struct hashed *hashed);

struct hash_pool;

/**
 * hash_object() - Read and hash one object, without a pool.
 * @store: store
 * @hashed: its digest is set, all else zero; receives what was found
 * @err: set on failure
 *
 * Return: 0 whatever was found, or -ENOMEM.
 */
int hash_object(struct store *store, struct hashed *hashed, struct error *err);

/**
 * hash_pool_new() - Start the threads.
 * @store: store; borrowed
 * @jobs: threads; 0: one for each processor
 * @fn: told of each object, in the order of hash_pool_add()
 * @ctx: given to @fn
 * @ret: the pool, to be released with hash_pool_free()
 * @err: set on failure
 *
 * Return: 0, -ENOMEM, or -EAGAIN when not one thread can be started.
 */
int hash_pool_new(struct store *store, unsigned int jobs, hashed_fn fn, void *ctx,
		  struct hash_pool **ret, struct error *err);

/**
 * hash_pool_free() - End the threads; what was not told is dropped.
 * @pool: pool or NULL
 */
void hash_pool_free(struct hash_pool *pool);
DEFINE_CLEANUP(struct hash_pool, hash_pool_free);

/**
 * hash_pool_add() - Ask for an object; of earlier ones some may be told.
 * @pool: pool
 * @digest: object
 *
 * Return: 0, or what the function returned.
 */
int hash_pool_add(struct hash_pool *pool, const struct digest *digest);

/**
 * hash_pool_finish() - Wait for all, and tell them.
 * @pool: pool
 *
 * Return: 0, or what the function returned.
 */
int hash_pool_finish(struct hash_pool *pool);
