/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/serve/pace.h"

#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/macro.h"
#include "base/thread.h"

#define BLOCK_SIZE 32768u
#define LEAST 1024u		   /* bytes that are worth waking up for */
#define TICK_NS UINT64_C(10000000) /* how often sleepers are looked at */
#define KEY_OF_ALL ((struct limit_key) { { 0 } })

struct body {
	struct paced_body paced;
	struct pacer *pacer;
	struct body *next;
	uint64_t wake_ns;
};

struct pacer {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct body *sleepers;
	atomic_bool ends; /* no limits any more */
	bool stops;	  /* the thread */
};

/* Takes those out that may go on, and returns them as a list. */
static struct body *take_due(struct pacer *pacer)
{
	struct body **at = &pacer->sleepers;
	struct body *due = NULL;
	uint64_t now = clock_ns();

	while (*at) {
		struct body *body = *at;

		if (!pacer->ends && body->wake_ns > now) {
			at = &body->next;
			continue;
		}
		*at = body->next;
		body->next = due;
		due = body;
	}
	return due;
}

static void resume(struct body *body)
{
	while (body) {
		struct body *next = body->next; /* it may be gone once it goes on */

		MHD_resume_connection(body->paced.connection);
		body = next;
	}
}

static void wait(struct pacer *pacer)
{
	if (pacer->sleepers)
		(void)thread_wait(&pacer->wake, &pacer->lock, clock_ns() + TICK_NS);
	else
		(void)pthread_cond_wait(&pacer->wake, &pacer->lock);
}

static void *run(void *ctx)
{
	struct pacer *pacer = ctx;

	(void)pthread_mutex_lock(&pacer->lock);
	while (!pacer->stops) {
		struct body *due = take_due(pacer);

		if (!due) {
			wait(pacer);
			continue;
		}
		(void)pthread_mutex_unlock(&pacer->lock);
		resume(due);
		(void)pthread_mutex_lock(&pacer->lock);
	}
	(void)pthread_mutex_unlock(&pacer->lock);
	return NULL;
}

int pacer_new(struct pacer **ret, struct error *err)
{
	struct pacer *pacer = calloc(1, sizeof(*pacer));

	if (!pacer)
		return error_set(err, ENOMEM, "no memory to pace answers");
	(void)pthread_mutex_init(&pacer->lock, NULL);
	(void)pthread_cond_init(&pacer->wake, NULL);
	if (pthread_create(&pacer->thread, NULL, run, pacer) != 0) {
		free(pacer);
		return error_set(err, EAGAIN, "no thread to pace answers");
	}
	*ret = pacer;
	return 0;
}

void pacer_end(struct pacer *pacer)
{
	if (!pacer)
		return;
	(void)pthread_mutex_lock(&pacer->lock);
	pacer->ends = true;
	(void)pthread_cond_signal(&pacer->wake);
	(void)pthread_mutex_unlock(&pacer->lock);
}

void pacer_free(struct pacer *pacer)
{
	if (!pacer)
		return;
	(void)pthread_mutex_lock(&pacer->lock);
	pacer->stops = true;
	(void)pthread_cond_signal(&pacer->wake);
	(void)pthread_mutex_unlock(&pacer->lock);
	(void)pthread_join(pacer->thread, NULL);
	(void)pthread_cond_destroy(&pacer->wake);
	(void)pthread_mutex_destroy(&pacer->lock);
	free(pacer);
}

/* How many bytes may be sent now; 0: wait. */
static uint64_t allowed(struct body *body, uint64_t most, uint32_t *ret_wait_ms)
{
	const struct paced_body *paced = &body->paced;
	uint64_t least = MIN(most, LEAST), now = clock_ns(), mine, shared;

	if (atomic_load_explicit(&body->pacer->ends, memory_order_relaxed))
		return most;
	mine = limit_take(paced->client, &paced->key, least, most, now, ret_wait_ms);
	if (mine == 0)
		return 0;
	shared = limit_take(paced->shared, &KEY_OF_ALL, MIN(least, mine), mine, now, ret_wait_ms);
	limit_give(paced->client, &paced->key, mine - shared, now);
	return shared;
}

static void sleep_for(struct body *body, uint32_t ms)
{
	struct pacer *pacer = body->pacer;

	body->wake_ns = clock_ns() + (uint64_t)ms * 1000000u;
	MHD_suspend_connection(body->paced.connection);
	(void)pthread_mutex_lock(&pacer->lock);
	body->next = pacer->sleepers;
	pacer->sleepers = body;
	(void)pthread_cond_signal(&pacer->wake);
	(void)pthread_mutex_unlock(&pacer->lock);
}

static ssize_t read_body(void *cls, uint64_t pos, char *buf, size_t max)
{
	struct body *body = cls;
	uint64_t left = body->paced.length - pos;
	uint32_t wait_ms = 1;
	uint64_t n = allowed(body, MIN((uint64_t)max, left), &wait_ms);
	ssize_t got;

	if (n == 0) {
		sleep_for(body, wait_ms);
		return 0;
	}
	got = pread(body->paced.fd, buf, (size_t)n, (off_t)(body->paced.first + pos));
	if (got <= 0)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	*body->paced.sent += (uint64_t)got;
	return got;
}

static void free_body(void *cls)
{
	struct body *body = cls;

	(void)close(body->paced.fd);
	picture_unref(body->paced.picture);
	free(body);
}

int pacer_response(struct pacer *pacer, const struct paced_body *paced, struct MHD_Response **ret,
		   struct error *err)
{
	struct body *body = calloc(1, sizeof(*body));

	if (!body)
		return error_set(err, ENOMEM, "no memory for an answer");
	body->paced = *paced;
	body->pacer = pacer;
	*ret = MHD_create_response_from_callback(paced->length, BLOCK_SIZE, read_body, body,
						 free_body);
	if (!*ret) {
		free(body);
		return error_set(err, ENOMEM, "no memory for an answer");
	}
	(void)picture_ref(paced->picture);
	return 0;
}
