/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each thread that answers has for itself: the picture that it serves from, and
 * its counters.  No two threads write the same bytes.
 *
 * Source: per-CPU counters of the Linux kernel
 */
#pragma once

#include <stdint.h>

#include "reservoir/serve/follow.h"
#include "reservoir/serve/memo.h"

#define WORKERS_MAX 130u  /* threads that answer, twice: old ones end while new ones begin */
#define STATUS_CLASSES 6u /* status / 100 */

struct worker_counts {
	uint64_t requests[STATUS_CLASSES];
	uint64_t unchanged; /* 304 */
	uint64_t bytes;
};

struct worker_totals {
	struct worker_counts repositories[PICTURE_SLOTS];
	uint64_t begun; /* requests */
	uint64_t ended; /* of these */
	uint64_t logins_failed;
	uint64_t throttled;   /* 429 */
	uint64_t unavailable; /* objects that were not there or not whole */
	uint64_t aborted;     /* answers that were not taken to their end */
};

struct worker {
	unsigned int number;
	uint64_t version;
	struct picture *picture;
	struct memo *memo; /* or NULL */
	struct worker_totals totals;
};

struct workers;

/**
 * workers_new() - Make a place for threads.
 * @follow: where pictures come from; borrowed
 * @ret: the place, to be released with workers_free()
 * @err: set on failure
 *
 * Return: 0, -ENOMEM or -EAGAIN.
 */
int workers_new(struct follow *follow, struct workers **ret, struct error *err);

/**
 * workers_free() - Release the place; no thread may answer any more.
 * @workers: place or NULL
 */
void workers_free(struct workers *workers);
DEFINE_CLEANUP(struct workers, workers_free);

/**
 * workers_mine() - What the calling thread has.
 * @workers: place
 *
 * Return: the thread's own, taken at the first call; or NULL if there are too many.
 */
struct worker *workers_mine(struct workers *workers);

/**
 * worker_picture() - The picture that is served now.
 * @workers: place
 * @worker: of the calling thread
 *
 * Return: borrowed until the thread's next call; or NULL.
 */
struct picture *worker_picture(struct workers *workers, struct worker *worker);

/**
 * worker_add() - Count in a counter of the calling thread.
 * @counter: member of its struct worker_totals
 * @n: how much
 */
static inline void worker_add(uint64_t *counter, uint64_t n)
{
	/* One writer: no locked addition is needed, only that readers see no half. */
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

/**
 * workers_sum() - Add all threads up.
 * @workers: place
 * @ret: sums
 *
 * Context: any thread.
 */
void workers_sum(struct workers *workers, struct worker_totals *ret);
