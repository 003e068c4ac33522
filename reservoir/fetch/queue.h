/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jobs that wait: those of each host in two rows, the urgent first, and those that
 * wait for their time.
 *
 * Source: a plain list; the number of jobs is bounded by the fetcher
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reservoir/fetch/transfer.h"

#define QUEUE_HOSTS_MAX 256 /* an index names a handful; what is more shares the last */

struct job_list {
	struct job *first;
	struct job *last;
};

struct host {
	char name[URL_HOST_MAX];
	struct host_load load;
	struct job_list urgent;
	struct job_list other;
};

struct queue {
	struct host *hosts;
	size_t n_hosts;
	struct job_list delayed;
	uint64_t due_ms;  /* none of @delayed is due before */
	size_t n_waiting; /* jobs in all lists */
	uint32_t per_host;
	uint32_t patience_ms;
};

/**
 * job_new() - Copy a request.
 * @request: request
 * @ret: the job, to be released with job_free()
 *
 * Return: 0, or -ENOMEM.
 */
int job_new(const struct fetch_request *request, struct job **ret);

/**
 * job_free() - Release a job.
 * @job: job or NULL
 */
void job_free(struct job *job);
DEFINE_CLEANUP(struct job, job_free);

/**
 * queue_done() - Release a queue and all jobs in it.
 * @queue: queue, or all-zero
 */
void queue_done(struct queue *queue);

/**
 * queue_host() - Find a host, or begin one.
 * @queue: queue
 * @name: as url_check() writes it
 * @ret: index of the host; indices stay
 *
 * Return: 0, or -ENOMEM.
 */
int queue_host(struct queue *queue, const char *name, size_t *ret);

/**
 * queue_add() - Let a job wait for its host, or for its time if that is still to come.
 * @queue: queue
 * @job: job; owned by the queue from here on
 * @now_ms: monotonic time
 */
void queue_add(struct queue *queue, struct job *job, uint64_t now_ms);

/**
 * queue_take() - Take the job that may start next.
 * @queue: queue
 * @now_ms: monotonic time
 *
 * Return: the job, owned by the caller, or NULL.
 */
struct job *queue_take(struct queue *queue, uint64_t now_ms);

/**
 * queue_take_any() - Take a job, whatever it waits for.
 * @queue: queue
 *
 * Return: the job, owned by the caller, or NULL.
 */
struct job *queue_take_any(struct queue *queue);

/**
 * queue_next_ms() - When something may start that may not now.
 * @queue: queue
 * @now_ms: monotonic time
 *
 * Return: milliseconds from now, UINT64_MAX when only a transfer's end can change it.
 */
uint64_t queue_next_ms(const struct queue *queue, uint64_t now_ms);
