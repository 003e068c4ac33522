/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/fetch/queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/parse.h"

#define BACKOFF_MIN_MS 200u
#define BACKOFF_MAX_MS 30000u

static int copy_text(const char *text, char **ret)
{
	if (!text)
		return 0;
	*ret = strdup(text);
	return *ret ? 0 : -ENOMEM;
}

void job_free(struct job *job)
{
	if (!job)
		return;
	free(job->url);
	free(job->accept);
	free(job->etag);
	free(job);
}

int job_new(const struct fetch_request *request, struct job **ret)
{
	_cleanup_(job_freep) struct job *job = calloc(1, sizeof(*job));

	if (!job || copy_text(request->url, &job->url) < 0 ||
	    copy_text(request->accept, &job->accept) < 0 ||
	    copy_text(request->etag, &job->etag) < 0)
		return -ENOMEM;
	job->request = *request;
	job->request.url = job->url;
	job->request.accept = job->accept;
	job->request.etag = job->etag;
	if (request->sha256) {
		job->sha256 = *request->sha256;
		job->request.sha256 = &job->sha256;
	}
	job->backoff = (struct backoff) { .min_ms = BACKOFF_MIN_MS, .max_ms = BACKOFF_MAX_MS };
	*ret = TAKE_PTR(job);
	return 0;
}

static void push(struct job_list *list, struct job *job)
{
	job->next = NULL;
	if (list->last)
		list->last->next = job;
	else
		list->first = job;
	list->last = job;
}

static struct job *pop(struct job_list *list)
{
	struct job *job = list->first;

	if (!job)
		return NULL;
	list->first = job->next;
	if (!list->first)
		list->last = NULL;
	job->next = NULL;
	return job;
}

static void drop(struct job_list *list)
{
	for (struct job *job = pop(list); job; job = pop(list))
		job_free(job);
}

void queue_done(struct queue *queue)
{
	for (size_t i = 0; i < queue->n_hosts; i++) {
		drop(&queue->hosts[i].urgent);
		drop(&queue->hosts[i].other);
	}
	drop(&queue->delayed);
	free(queue->hosts);
	*queue = (struct queue) { .per_host = queue->per_host, .patience_ms = queue->patience_ms };
}

int queue_host(struct queue *queue, const char *name, size_t *ret)
{
	struct host *hosts;

	for (size_t i = 0; i < queue->n_hosts; i++)
		if (strcmp(queue->hosts[i].name, name) == 0 || i + 1 == QUEUE_HOSTS_MAX) {
			*ret = i;
			return 0;
		}
	hosts = reallocarray(queue->hosts, queue->n_hosts + 1, sizeof(*hosts));
	if (!hosts)
		return -ENOMEM;
	queue->hosts = hosts;
	hosts += queue->n_hosts;
	*hosts = (struct host) { 0 };
	(void)str_copy(hosts->name, sizeof(hosts->name), name);
	host_load_init(&hosts->load, queue->per_host, queue->patience_ms);
	*ret = queue->n_hosts++;
	return 0;
}

static void push_to_host(struct queue *queue, struct job *job)
{
	struct host *host = &queue->hosts[job->host];

	push(job->request.urgent ? &host->urgent : &host->other, job);
}

static void delay(struct queue *queue, struct job *job)
{
	queue->due_ms = queue->delayed.first ? MIN(queue->due_ms, job->due_ms) : job->due_ms;
	push(&queue->delayed, job);
}

void queue_add(struct queue *queue, struct job *job, uint64_t now_ms)
{
	queue->n_waiting++;
	if (job->due_ms > now_ms)
		delay(queue, job);
	else
		push_to_host(queue, job);
}

/* Jobs whose time has come go to their hosts. */
static void wake(struct queue *queue, uint64_t now_ms)
{
	struct job_list sleeping = queue->delayed;

	if (now_ms < queue->due_ms)
		return;
	queue->delayed = (struct job_list) { 0 };
	for (struct job *job = pop(&sleeping); job; job = pop(&sleeping))
		if (job->due_ms > now_ms)
			delay(queue, job);
		else
			push_to_host(queue, job);
}

static struct job *take_from(struct queue *queue, bool urgent, uint64_t now_ms)
{
	for (size_t i = 0; i < queue->n_hosts; i++) {
		struct host *host = &queue->hosts[i];
		struct job *job = NULL;

		if (host_load_may_start(&host->load, now_ms))
			job = pop(urgent ? &host->urgent : &host->other);
		if (job)
			return job;
	}
	return NULL;
}

struct job *queue_take(struct queue *queue, uint64_t now_ms)
{
	struct job *job;

	wake(queue, now_ms);
	job = take_from(queue, true, now_ms);
	if (!job)
		job = take_from(queue, false, now_ms);
	if (job)
		queue->n_waiting--;
	return job;
}

struct job *queue_take_any(struct queue *queue)
{
	struct job *job = pop(&queue->delayed);

	for (size_t i = 0; !job && i < queue->n_hosts; i++) {
		job = pop(&queue->hosts[i].urgent);
		if (!job)
			job = pop(&queue->hosts[i].other);
	}
	if (job)
		queue->n_waiting--;
	return job;
}

uint64_t queue_next_ms(const struct queue *queue, uint64_t now_ms)
{
	uint64_t next = UINT64_MAX;

	for (const struct job *job = queue->delayed.first; job; job = job->next)
		next = MIN(next, job->due_ms > now_ms ? job->due_ms - now_ms : 0);
	for (size_t i = 0; i < queue->n_hosts; i++) {
		const struct host *host = &queue->hosts[i];

		if ((host->urgent.first || host->other.first) &&
		    host->load.paused_until_ms > now_ms)
			next = MIN(next, host->load.paused_until_ms - now_ms);
	}
	return next;
}
