/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/store/hash_pool.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/thread.h"
#include "reservoir/store/object.h"

#define RING 512u	       /* objects that are asked for and not told */
#define READ_AHEAD (64 * 1024) /* bytes, above which the kernel is told that all is read */

struct slot {
	struct hashed hashed;
	bool done;
};

struct hash_pool {
	struct store *store;
	hashed_fn fn;
	void *ctx;
	uint64_t told; /* of the caller alone, as is what follows of the ring's end */
	pthread_t threads[HASH_JOBS_MAX];
	unsigned int n_threads;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t work;
	pthread_cond_t done;
	uint64_t added;
	uint64_t taken;
	uint64_t awaited; /* the caller waits for this one */
	bool ending;
	struct slot slots[RING];
};

/* -- In a thread -------------------------------------------------------- */

static void hash_by(struct hasher *hasher, struct store *store, struct hashed *hashed)
{
	_cleanup_close_ int fd = object_open(store, &hashed->digest, NULL, &hashed->err);
	struct digest found;
	struct stat st;
	int r;

	hashed->verdict = fd == -ENOENT ? HASHED_GONE : HASHED_UNOPENED;
	if (fd < 0)
		return;
	if (fstat(fd, &st) < 0) {
		(void)error_set(&hashed->err, errno, "look at an object: %m");
		return;
	}
	hashed->inode = st.st_ino;
	if (st.st_size > READ_AHEAD)
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	r = hasher_add_file(hasher, fd, (uint64_t)st.st_size, &hashed->bytes);
	found = hasher_end(hasher);
	hashed->verdict = r < 0					  ? HASHED_UNREADABLE
			  : digest_equal(&found, &hashed->digest) ? HASHED_GOOD
								  : HASHED_DAMAGED;
	if (r < 0)
		(void)error_set(&hashed->err, -r, "%s", error_text(NULL, r));
}

int hash_object(struct store *store, struct hashed *hashed, struct error *err)
{
	_cleanup_(hasher_freep) struct hasher *hasher = NULL;
	int r = hasher_new(&hasher, err);

	if (r == 0)
		hash_by(hasher, store, hashed);
	return r;
}

/* The next object to hash, or NULL at the end; called with the lock. */
static struct slot *take(struct hash_pool *pool)
{
	while (pool->taken == pool->added && !pool->ending)
		(void)pthread_cond_wait(&pool->work, &pool->lock);
	return pool->ending ? NULL : &pool->slots[pool->taken++ % RING];
}

static void work(struct hash_pool *pool, struct hasher *hasher)
{
	struct slot *slot;

	(void)pthread_mutex_lock(&pool->lock);
	for (slot = take(pool); slot; slot = take(pool)) {
		(void)pthread_mutex_unlock(&pool->lock);
		hash_by(hasher, pool->store, &slot->hashed);
		(void)pthread_mutex_lock(&pool->lock);
		slot->done = true;
		if (slot == &pool->slots[pool->awaited % RING])
			(void)pthread_cond_signal(&pool->done);
	}
	(void)pthread_mutex_unlock(&pool->lock);
}

static void no_memory(struct hash_pool *pool)
{
	struct slot *slot;

	(void)pthread_mutex_lock(&pool->lock);
	for (slot = take(pool); slot; slot = take(pool)) {
		slot->hashed.verdict = HASHED_UNOPENED;
		(void)error_set(&slot->hashed.err, ENOMEM, "no memory to read");
		slot->done = true;
		(void)pthread_cond_signal(&pool->done);
	}
	(void)pthread_mutex_unlock(&pool->lock);
}

static void *run(void *ctx)
{
	struct hash_pool *pool = ctx;
	_cleanup_(hasher_freep) struct hasher *hasher = NULL;

	if (hasher_new(&hasher, NULL) == 0)
		work(pool, hasher);
	else
		no_memory(pool);
	return NULL;
}

/* -- In the thread that asks -------------------------------------------- */

int hash_pool_new(struct store *store, unsigned int jobs, hashed_fn fn, void *ctx,
		  struct hash_pool **ret, struct error *err)
{
	struct hash_pool *pool = calloc(1, sizeof(*pool));
	unsigned int wanted = MIN(jobs ? jobs : thread_processors(), HASH_JOBS_MAX);
	int r = 0;

	if (!pool)
		return error_set(err, ENOMEM, "no memory to hash");
	pool->store = store;
	pool->fn = fn;
	pool->ctx = ctx;
	(void)pthread_mutex_init(&pool->lock, NULL);
	(void)pthread_cond_init(&pool->work, NULL);
	(void)pthread_cond_init(&pool->done, NULL);
	while (r == 0 && pool->n_threads < wanted) {
		r = thread_start(&pool->threads[pool->n_threads], run, pool);
		pool->n_threads += r == 0;
	}
	/* Fewer than wanted only take longer. */
	if (pool->n_threads == 0) {
		hash_pool_free(pool);
		return error_set(err, -r, "start a thread: %s", strerror(-r));
	}
	*ret = pool;
	return 0;
}

void hash_pool_free(struct hash_pool *pool)
{
	if (!pool)
		return;
	(void)pthread_mutex_lock(&pool->lock);
	pool->ending = true;
	(void)pthread_cond_broadcast(&pool->work);
	(void)pthread_mutex_unlock(&pool->lock);
	for (unsigned int i = 0; i < pool->n_threads; i++)
		(void)pthread_join(pool->threads[i], NULL);
	(void)pthread_cond_destroy(&pool->work);
	(void)pthread_cond_destroy(&pool->done);
	(void)pthread_mutex_destroy(&pool->lock);
	free(pool);
}

static const struct hashed *await(struct hash_pool *pool, uint64_t number)
{
	struct slot *slot = &pool->slots[number % RING];

	(void)pthread_mutex_lock(&pool->lock);
	pool->awaited = number;
	while (!slot->done)
		(void)pthread_cond_wait(&pool->done, &pool->lock);
	(void)pthread_mutex_unlock(&pool->lock);
	return &slot->hashed;
}

static int tell_until(struct hash_pool *pool, uint64_t end)
{
	int r = 0;

	/* The last one first: then the others are done, or nearly, and it wakes up once. */
	if (pool->told < end)
		(void)await(pool, end - 1);
	while (r == 0 && pool->told < end)
		r = pool->fn(pool->ctx, await(pool, pool->told++));
	return r;
}

int hash_pool_add(struct hash_pool *pool, const struct digest *digest)
{
	struct slot *slot;
	int r = 0;

	if (pool->added - pool->told == RING)
		r = tell_until(pool, pool->told + RING / 2);
	if (r < 0)
		return r;
	slot = &pool->slots[pool->added % RING];
	*slot = (struct slot) { .hashed.digest = *digest };
	(void)pthread_mutex_lock(&pool->lock);
	pool->added++;
	(void)pthread_cond_signal(&pool->work);
	(void)pthread_mutex_unlock(&pool->lock);
	return 0;
}

int hash_pool_finish(struct hash_pool *pool)
{
	return tell_until(pool, pool->added);
}
