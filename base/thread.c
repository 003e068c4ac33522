/* SPDX-License-Identifier: Apache-2.0 */
#include "base/thread.h"

#include <sched.h>
#include <signal.h>
#include <time.h>

#include "base/macro.h"

/* Of this size the C library keeps those of ended threads for the next ones. */
#define STACK_BYTES ((size_t)512 * 1024)
#define SECOND_NS UINT64_C(1000000000)

int thread_start(pthread_t *ret, void *(*run)(void *ctx), void *ctx)
{
	sigset_t every, before;
	pthread_attr_t attr;
	int r;

	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setstacksize(&attr, STACK_BYTES);
	(void)sigfillset(&every);
	(void)pthread_sigmask(SIG_SETMASK, &every, &before);
	r = pthread_create(ret, &attr, run, ctx);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)pthread_attr_destroy(&attr);
	return -r;
}

int thread_wait(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t until_ns)
{
	struct timespec until = { .tv_sec = (time_t)(until_ns / SECOND_NS),
				  .tv_nsec = (long)(until_ns % SECOND_NS) };

	return -pthread_cond_clockwait(cond, lock, CLOCK_MONOTONIC, &until);
}

unsigned int thread_processors(void)
{
	cpu_set_t cpus;
	unsigned int n = 1;

	if (sched_getaffinity(0, sizeof(cpus), &cpus) == 0)
		n = (unsigned int)CPU_COUNT(&cpus);
	return MAX(1u, n);
}
