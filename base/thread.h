/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads beside the one that waits for signals.
 *
 * Source: pthread_create(3), pthread_sigmask(3), pthread_cond_clockwait(3),
 * sched_getaffinity(2)
 */
#pragma once

#include <pthread.h>
#include <stdint.h>

/**
 * thread_start() - Start a thread that gets no signals: those are for whoever waits for them.
 * @ret: the thread, to be joined
 * @run: what it does
 * @ctx: given to @run
 *
 * Return: 0, or negative errno of pthread_create().
 */
int thread_start(pthread_t *ret, void *(*run)(void *ctx), void *ctx);

/**
 * thread_wait() - Wait to be woken, or until a time that no setting of the clock moves.
 * @cond: what wakes
 * @lock: held; released meanwhile
 * @until_ns: by clock_ns()
 *
 * Return: 0, also when nothing woke it, or -ETIMEDOUT.
 */
int thread_wait(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t until_ns);

/**
 * thread_processors() - How many processors this process may use.
 *
 * Return: at least 1.
 */
unsigned int thread_processors(void);
