/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/fetch/flusher.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/thread.h"
#include "reservoir/store/object.h"

struct flusher {
	struct store *store;
	pthread_t thread;
	bool is_started;
	pthread_mutex_t mutex; /* of what follows */
	pthread_cond_t woken;
	bool is_wanted, is_ending;
	int result;
	struct error err;
};

/* Whether there is something to do; waits until it is known. */
static bool wait(struct flusher *flusher)
{
	bool is_ending;

	(void)pthread_mutex_lock(&flusher->mutex);
	while (!flusher->is_wanted && !flusher->is_ending)
		(void)pthread_cond_wait(&flusher->woken, &flusher->mutex);
	flusher->is_wanted = false;
	is_ending = flusher->is_ending;
	(void)pthread_mutex_unlock(&flusher->mutex);
	return !is_ending;
}

static void keep_result(struct flusher *flusher, int r, const struct error *err)
{
	(void)pthread_mutex_lock(&flusher->mutex);
	flusher->result = r;
	flusher->err = *err;
	(void)pthread_mutex_unlock(&flusher->mutex);
}

static void *run(void *ctx)
{
	struct flusher *flusher = ctx;
	struct error err = { 0 };
	int r = 0;

	while (r == 0 && wait(flusher))
		r = object_land_all(flusher->store, &err);
	if (r < 0)
		keep_result(flusher, r, &err);
	return NULL;
}

int flusher_new(struct store *store, struct flusher **ret, struct error *err)
{
	_cleanup_(flusher_freep) struct flusher *flusher = calloc(1, sizeof(*flusher));
	int r;

	if (!flusher)
		return error_set(err, ENOMEM, "no memory for a thread");
	flusher->store = store;
	(void)pthread_mutex_init(&flusher->mutex, NULL);
	(void)pthread_cond_init(&flusher->woken, NULL);
	r = thread_start(&flusher->thread, run, flusher);
	if (r < 0)
		return error_set(err, -r, "start a thread");
	flusher->is_started = true;
	*ret = TAKE_PTR(flusher);
	return 0;
}

void flusher_free(struct flusher *flusher)
{
	if (!flusher)
		return;
	(void)pthread_mutex_lock(&flusher->mutex);
	flusher->is_ending = true;
	(void)pthread_cond_signal(&flusher->woken);
	(void)pthread_mutex_unlock(&flusher->mutex);
	if (flusher->is_started)
		(void)pthread_join(flusher->thread, NULL);
	(void)pthread_cond_destroy(&flusher->woken);
	(void)pthread_mutex_destroy(&flusher->mutex);
	free(flusher);
}

void flusher_wake(struct flusher *flusher)
{
	(void)pthread_mutex_lock(&flusher->mutex);
	flusher->is_wanted = true;
	(void)pthread_cond_signal(&flusher->woken);
	(void)pthread_mutex_unlock(&flusher->mutex);
}

int flusher_check(struct flusher *flusher, struct error *err)
{
	int r;

	(void)pthread_mutex_lock(&flusher->mutex);
	r = flusher->result;
	if (r < 0 && err)
		*err = flusher->err;
	(void)pthread_mutex_unlock(&flusher->mutex);
	return r;
}
