/* SPDX-License-Identifier: Apache-2.0 */
#include "base/thread.h"

#include "tests/test.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>

#include "base/clock.h"

static void *look(void *ctx)
{
	(void)pthread_sigmask(SIG_BLOCK, NULL, ctx);
	return NULL;
}

static void gets_no_signals(_unused_ void **state)
{
	sigset_t there, before, after;
	pthread_t thread;

	(void)pthread_sigmask(SIG_BLOCK, NULL, &before);
	assert_int_equal(thread_start(&thread, look, &there), 0);
	(void)pthread_sigmask(SIG_BLOCK, NULL, &after);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(sigismember(&there, SIGTERM), 1);
	assert_int_equal(sigismember(&there, SIGINT), 1);
	assert_int_equal(sigismember(&after, SIGTERM), sigismember(&before, SIGTERM));
	assert_int_equal(sigismember(&after, SIGINT), sigismember(&before, SIGINT));
}

/* Not those of the machine. */
static void counts_what_may_be_used(_unused_ void **state)
{
	cpu_set_t all, one;
	size_t first = 0;

	assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
	assert_int_equal(thread_processors(), CPU_COUNT(&all));
	while (!CPU_ISSET(first, &all))
		first++;
	CPU_ZERO(&one);
	CPU_SET(first, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	assert_int_equal(thread_processors(), 1);
	assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
}

static void *wake(void *ctx)
{
	(void)pthread_cond_broadcast(ctx);
	return NULL;
}

static void waits_until_a_time_or_until_it_is_woken(_unused_ void **state)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
	pthread_t thread;

	(void)pthread_mutex_lock(&lock);
	assert_int_equal(thread_wait(&cond, &lock, clock_ns()), -ETIMEDOUT);
	assert_int_equal(thread_wait(&cond, &lock, clock_ns() + 20000000), -ETIMEDOUT);
	assert_int_equal(thread_start(&thread, wake, &cond), 0);
	/* It may have been woken before it waits: then nothing wakes it any more. */
	(void)thread_wait(&cond, &lock, clock_ns() + 20000000);
	assert_int_equal(pthread_join(thread, NULL), 0);
	(void)pthread_mutex_unlock(&lock);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(gets_no_signals),
		cmocka_unit_test(waits_until_a_time_or_until_it_is_woken),
		cmocka_unit_test(counts_what_may_be_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
