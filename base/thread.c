/* SPDX-License-Identifier: Apache-2.0 */
#include "base/thread.h"

#include <sched.h>
#include <signal.h>

#include "base/macro.h"

int thread_start(pthread_t *ret, void *(*run)(void *ctx), void *ctx)
{
	sigset_t every, before;
	int r;

	(void)sigfillset(&every);
	(void)pthread_sigmask(SIG_SETMASK, &every, &before);
	r = pthread_create(ret, NULL, run, ctx);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -r;
}

unsigned int thread_processors(void)
{
	cpu_set_t cpus;
	unsigned int n = 1;

	if (sched_getaffinity(0, sizeof(cpus), &cpus) == 0)
		n = (unsigned int)CPU_COUNT(&cpus);
	return MAX(1u, n);
}
