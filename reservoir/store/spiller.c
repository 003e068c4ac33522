/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/store/spiller.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/thread.h"

struct spiller {
	pthread_t thread;
	pthread_mutex_t mutex; /* of what follows */
	pthread_cond_t given, done;
	struct spill *spill; /* what the thread is at; NULL: nothing */
	bool is_ending;
};

static int write_bytes(const struct spill *spill)
{
	hasher_add(spill->hasher, spill->data, spill->len);
	return file_write_all(spill->fd, spill->data, spill->len);
}

/* NULL at the end. */
static struct spill *take(struct spiller *spiller)
{
	while (!spiller->spill && !spiller->is_ending)
		(void)pthread_cond_wait(&spiller->given, &spiller->mutex);
	return spiller->spill;
}

static void *run(void *ctx)
{
	struct spiller *spiller = ctx;
	struct spill *spill;

	(void)pthread_mutex_lock(&spiller->mutex);
	for (spill = take(spiller); spill; spill = take(spiller)) {
		int r;

		(void)pthread_mutex_unlock(&spiller->mutex);
		r = write_bytes(spill);
		(void)pthread_mutex_lock(&spiller->mutex);
		spill->result = r;
		spill->is_away = false;
		spiller->spill = NULL;
		(void)pthread_cond_broadcast(&spiller->done);
	}
	(void)pthread_mutex_unlock(&spiller->mutex);
	return NULL;
}

struct spiller *spiller_new(void)
{
	struct spiller *spiller = calloc(1, sizeof(*spiller));

	if (!spiller)
		return NULL;
	(void)pthread_mutex_init(&spiller->mutex, NULL);
	(void)pthread_cond_init(&spiller->given, NULL);
	(void)pthread_cond_init(&spiller->done, NULL);
	if (thread_start(&spiller->thread, run, spiller) == 0)
		return spiller;
	free(spiller);
	return NULL;
}

void spiller_free(struct spiller *spiller)
{
	if (!spiller)
		return;
	(void)pthread_mutex_lock(&spiller->mutex);
	spiller->is_ending = true;
	(void)pthread_cond_signal(&spiller->given);
	(void)pthread_mutex_unlock(&spiller->mutex);
	(void)pthread_join(spiller->thread, NULL);
	(void)pthread_cond_destroy(&spiller->given);
	(void)pthread_cond_destroy(&spiller->done);
	(void)pthread_mutex_destroy(&spiller->mutex);
	free(spiller);
}

/* Whether the thread takes it. */
static bool give(struct spiller *spiller, struct spill *spill)
{
	bool is_idle;

	(void)pthread_mutex_lock(&spiller->mutex);
	is_idle = !spiller->spill;
	if (is_idle) {
		spill->is_away = true;
		spiller->spill = spill;
		(void)pthread_cond_signal(&spiller->given);
	}
	(void)pthread_mutex_unlock(&spiller->mutex);
	return is_idle;
}

void spiller_write(struct spiller *spiller, struct spill *spill)
{
	if (!spiller || !give(spiller, spill))
		spill->result = write_bytes(spill);
}

int spiller_wait(struct spiller *spiller, struct spill *spill)
{
	if (!spiller)
		return spill->result;
	(void)pthread_mutex_lock(&spiller->mutex);
	while (spill->is_away)
		(void)pthread_cond_wait(&spiller->done, &spiller->mutex);
	(void)pthread_mutex_unlock(&spiller->mutex);
	return spill->result;
}
