/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads beside the one that waits for signals.
 *
 * Source: pthread_create(3), pthread_sigmask(3), sched_getaffinity(2)
 */
#pragma once

#include <pthread.h>

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
 * thread_processors() - How many processors this process may use.
 *
 * Return: at least 1.
 */
unsigned int thread_processors(void);
