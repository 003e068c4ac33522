/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/store/spread.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/macro.h"
#include "base/thread.h"

#define WAYS_MAX 32 /* threads: more of them wait for the same disk */

struct spread {
	size_t n;
	spread_fn fn;
	void *ctx;
	atomic_size_t next;
	atomic_int failed; /* what the last that failed has returned */
};

static void *work(void *ctx)
{
	struct spread *all = ctx;

	for (size_t i = all->next++; i < all->n; i = all->next++) {
		int r = all->fn(all->ctx, i);

		if (r < 0)
			all->failed = r;
	}
	return NULL;
}

int spread(size_t n, size_t ways, spread_fn fn, void *ctx)
{
	struct spread all = { .n = n, .fn = fn, .ctx = ctx };
	size_t most = MIN(ways, (size_t)WAYS_MAX);
	size_t wanted = MIN(n, most);
	pthread_t threads[WAYS_MAX];
	size_t started = 0;

	while (started + 1 < wanted && thread_start(&threads[started], work, &all) == 0)
		started++;
	(void)work(&all);
	for (size_t i = 0; i < started; i++)
		(void)pthread_join(threads[i], NULL);
	return all.failed;
}
