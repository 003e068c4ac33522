/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/serve/worker.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct seat {
	struct worker *worker; /* stays for its counters when the thread has ended */
	bool taken;
	struct workers *workers;
};

struct workers {
	struct follow *follow;
	pthread_key_t key;
	pthread_mutex_t lock;
	struct seat seats[WORKERS_MAX];
};

/* A thread has ended: its seat is for another one. */
static void leave(void *value)
{
	struct seat *seat = value;

	(void)pthread_mutex_lock(&seat->workers->lock);
	picture_unref(seat->worker->picture);
	seat->worker->picture = NULL;
	seat->worker->version = 0;
	seat->taken = false;
	(void)pthread_mutex_unlock(&seat->workers->lock);
}

int workers_new(struct follow *follow, struct workers **ret, struct error *err)
{
	struct workers *workers = calloc(1, sizeof(*workers));

	if (!workers)
		return error_set(err, ENOMEM, "no memory for threads");
	workers->follow = follow;
	if (pthread_key_create(&workers->key, leave) != 0) {
		free(workers);
		return error_set(err, EAGAIN, "no key for what a thread has");
	}
	(void)pthread_mutex_init(&workers->lock, NULL);
	*ret = workers;
	return 0;
}

void workers_free(struct workers *workers)
{
	if (!workers)
		return;
	for (size_t i = 0; i < WORKERS_MAX; i++) {
		if (!workers->seats[i].worker)
			continue;
		picture_unref(workers->seats[i].worker->picture);
		free(workers->seats[i].worker->memo);
		free(workers->seats[i].worker);
	}
	(void)pthread_key_delete(workers->key);
	(void)pthread_mutex_destroy(&workers->lock);
	free(workers);
}

/* A free seat; called with the lock. */
static struct seat *take(struct workers *workers)
{
	for (unsigned int i = 0; i < WORKERS_MAX; i++) {
		struct seat *seat = &workers->seats[i];

		if (seat->taken)
			continue;
		if (!seat->worker)
			seat->worker = calloc(1, sizeof(*seat->worker));
		if (!seat->worker)
			return NULL;
		if (!seat->worker->memo)
			seat->worker->memo = memo_new();
		seat->worker->number = i;
		seat->workers = workers;
		seat->taken = true;
		return seat;
	}
	return NULL;
}

struct worker *workers_mine(struct workers *workers)
{
	struct seat *seat = pthread_getspecific(workers->key);

	if (seat)
		return seat->worker;
	(void)pthread_mutex_lock(&workers->lock);
	seat = take(workers);
	(void)pthread_mutex_unlock(&workers->lock);
	if (!seat || pthread_setspecific(workers->key, seat) != 0)
		return NULL;
	return seat->worker;
}

struct picture *worker_picture(struct workers *workers, struct worker *worker)
{
	if (worker->version == follow_version(workers->follow))
		return worker->picture;
	picture_unref(worker->picture);
	worker->picture = follow_picture(workers->follow, &worker->version);
	return worker->picture;
}

static void add(uint64_t *sum, const uint64_t *counter)
{
	*sum += __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static void sum_one(const struct worker_totals *from, struct worker_totals *to)
{
	/* Both are nothing but counters. */
	const uint64_t *counters = (const uint64_t *)(const void *)from;
	uint64_t *sums = (uint64_t *)(void *)to;

	for (size_t i = 0; i < sizeof(*from) / sizeof(*counters); i++)
		add(&sums[i], &counters[i]);
}

void workers_sum(struct workers *workers, struct worker_totals *ret)
{
	*ret = (struct worker_totals) { 0 };
	(void)pthread_mutex_lock(&workers->lock);
	for (size_t i = 0; i < WORKERS_MAX; i++)
		if (workers->seats[i].worker)
			sum_one(&workers->seats[i].worker->totals, ret);
	(void)pthread_mutex_unlock(&workers->lock);
}
