/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <stdio.h>

#include "reservoir/fetch/queue.h"

static struct job *add(struct queue *queue, const char *url, const char *host, bool urgent)
{
	const struct fetch_request request = { .url = url, .urgent = urgent };
	struct job *job = NULL;

	assert_int_equal(job_new(&request, &job), 0);
	assert_int_equal(queue_host(queue, host, &job->host), 0);
	queue_add(queue, job, 0);
	return job;
}

static void expect(struct queue *queue, uint64_t now_ms, const char *url)
{
	_cleanup_(job_freep) struct job *job = queue_take(queue, now_ms);

	if (!url) {
		assert_null(job);
		return;
	}
	assert_non_null(job);
	assert_string_equal(job->url, url);
}

static void test_urgent_ones_go_first(_unused_ void **state)
{
	struct queue queue = { .per_host = 4 };

	add(&queue, "a1", "a", false);
	add(&queue, "a2", "a", false);
	add(&queue, "a3", "a", true);
	add(&queue, "b1", "b", true);
	assert_int_equal(queue.n_waiting, 4);
	expect(&queue, 0, "a3");
	expect(&queue, 0, "b1");
	expect(&queue, 0, "a1");
	expect(&queue, 0, "a2");
	expect(&queue, 0, NULL);
	assert_int_equal(queue.n_waiting, 0);
	queue_done(&queue);
}

static void test_a_busy_host_does_not_hold_others_back(_unused_ void **state)
{
	struct queue queue = { .per_host = 1 };

	add(&queue, "a1", "a", false);
	add(&queue, "b1", "b", false);
	queue.hosts[0].load.active = 1;
	expect(&queue, 0, "b1");
	expect(&queue, 0, NULL);
	queue.hosts[0].load.active = 0;
	expect(&queue, 0, "a1");
	queue_done(&queue);
}

static void test_a_delayed_one_waits_for_its_time(_unused_ void **state)
{
	struct queue queue = { .per_host = 1 };
	struct job *job = add(&queue, "a1", "a", false);

	assert_ptr_equal(queue_take(&queue, 0), job);
	job->due_ms = 500;
	queue_add(&queue, job, 100);
	assert_int_equal(queue_next_ms(&queue, 100), 400);
	expect(&queue, 499, NULL);
	expect(&queue, 500, "a1");
	assert_true(queue_next_ms(&queue, 500) == UINT64_MAX);
	queue_done(&queue);
}

static void test_hosts_are_bounded(_unused_ void **state)
{
	struct queue queue = { .per_host = 1 };
	size_t index = 0;

	for (unsigned int i = 0; i < 2 * QUEUE_HOSTS_MAX; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "h%u", i);
		assert_int_equal(queue_host(&queue, name, &index), 0);
	}
	assert_int_equal(queue.n_hosts, QUEUE_HOSTS_MAX);
	assert_int_equal(index, QUEUE_HOSTS_MAX - 1);
	assert_int_equal(queue_host(&queue, "h7", &index), 0);
	assert_int_equal(index, 7);
	queue_done(&queue);
}

static void test_a_queue_releases_what_waits(_unused_ void **state)
{
	struct queue queue = { .per_host = 1 };

	add(&queue, "a1", "a", false);
	add(&queue, "a2", "a", true);
	add(&queue, "a3", "a", true)->due_ms = 1000;
	queue_done(&queue);
	assert_int_equal(queue.n_waiting, 0);
	expect(&queue, 2000, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_urgent_ones_go_first),
		cmocka_unit_test(test_a_busy_host_does_not_hold_others_back),
		cmocka_unit_test(test_a_delayed_one_waits_for_its_time),
		cmocka_unit_test(test_hosts_are_bounded),
		cmocka_unit_test(test_a_queue_releases_what_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
