/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/serve/helpers.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#define THREADS_MAX 16u

struct helpers {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct job *first, **last;
	bool ends;
	unsigned int n_threads;
	pthread_t threads[THREADS_MAX];
};

/* The next job, or NULL at the end; called with the lock. */
static struct job *take(struct helpers *helpers)
{
	struct job *job;

	while (!helpers->first && !helpers->ends)
		(void)pthread_cond_wait(&helpers->wake, &helpers->lock);
	job = helpers->first;
	if (!job)
		return NULL;
	helpers->first = job->next;
	if (!helpers->first)
		helpers->last = &helpers->first;
	return job;
}

static void *run(void *ctx)
{
	struct helpers *helpers = ctx;

	for (;;) {
		struct job *job;

		(void)pthread_mutex_lock(&helpers->lock);
		job = take(helpers);
		(void)pthread_mutex_unlock(&helpers->lock);
		if (!job)
			return NULL;
		job->run(job);
	}
}

int helpers_new(unsigned int threads, struct helpers **ret, struct error *err)
{
	_cleanup_(helpers_freep) struct helpers *helpers = calloc(1, sizeof(*helpers));

	if (!helpers)
		return error_set(err, ENOMEM, "no memory for threads");
	(void)pthread_mutex_init(&helpers->lock, NULL);
	(void)pthread_cond_init(&helpers->wake, NULL);
	helpers->last = &helpers->first;
	while (helpers->n_threads < threads && helpers->n_threads < THREADS_MAX) {
		if (pthread_create(&helpers->threads[helpers->n_threads], NULL, run, helpers) != 0)
			return error_set(err, EAGAIN, "no more threads");
		helpers->n_threads++;
	}
	*ret = TAKE_PTR(helpers);
	return 0;
}

void helpers_free(struct helpers *helpers)
{
	if (!helpers)
		return;
	(void)pthread_mutex_lock(&helpers->lock);
	helpers->ends = true;
	(void)pthread_cond_broadcast(&helpers->wake);
	(void)pthread_mutex_unlock(&helpers->lock);
	for (unsigned int i = 0; i < helpers->n_threads; i++)
		(void)pthread_join(helpers->threads[i], NULL);
	(void)pthread_cond_destroy(&helpers->wake);
	(void)pthread_mutex_destroy(&helpers->lock);
	free(helpers);
}

void helpers_add(struct helpers *helpers, struct job *job)
{
	job->next = NULL;
	(void)pthread_mutex_lock(&helpers->lock);
	*helpers->last = job;
	helpers->last = &job->next;
	(void)pthread_cond_signal(&helpers->wake);
	(void)pthread_mutex_unlock(&helpers->lock);
}
