/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A writer and a collector of garbage that are killed at any instant, again and again.
 * What the writer has told to be published is published afterwards, all of it is there,
 * and nothing is damaged.
 *
 * What is left of a power cut is not seen by this: for that there is test_durability.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "reservoir/store/gc.h"
#include "reservoir/store/scrub.h"
#include "tests/unit/reservoir/store/content.h"

#define KILLS 200
#define FILES 8
#define NUMBERS 40 /* files that are used again and again */
#define SEED 20261122u
#define WAIT_MAX_MS 25
#define BIG ((size_t)1024 * 1024 + 4096)

static unsigned int next_random(unsigned int *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 16 & 0x7fff;
}

/* In pieces, so that there is something half. */
static int stage(struct store *store, struct error *err)
{
	static char piece[16384];
	_cleanup_(staging_freep) struct staging *staging = NULL;
	int r = staging_open(store, "big", &staging, err);

	while (r == 0 && staging_size(staging) < BIG)
		r = staging_write(staging, piece, MIN(sizeof(piece), BIG - staging_size(staging)),
				  err);
	return r < 0 ? r : staging_finish(staging, NULL, NULL, err);
}

/* Tells each generation that is published. */
static int write_on(const struct scratch *scratch, unsigned int seed, int told)
{
	for (;;) {
		struct store *store = NULL;
		unsigned int numbers[FILES];
		uint64_t number;
		struct error err = { 0 };
		int r = store_open(scratch->store, STORE_WRITE, &store, &err);

		for (unsigned int i = 0; i < FILES; i++)
			numbers[i] = i * NUMBERS + next_random(&seed) % NUMBERS;
		if (r == 0 && next_random(&seed) % 4 == 0)
			r = stage(store, &err);
		if (r == 0)
			r = content_publish(store, "a", numbers, FILES, &err);
		if (r == 0)
			r = generation_current_number(store, &number, &err);
		if (r < 0 || write(told, &number, sizeof(number)) != (ssize_t)sizeof(number)) {
			(void)fprintf(stderr, "%s\n", err.msg);
			return 1;
		}
		store_close(store);
	}
}

static int collect_on(const struct scratch *scratch)
{
	for (;;) {
		struct gc_settings settings = { .keep_generations = 2, .now = (int64_t)time(NULL) };
		struct store *store = NULL;
		struct gc_report report;
		struct error err = { 0 };
		int r = store_open(scratch->store, STORE_READ, &store, &err);

		if (r == 0)
			r = gc_collect(store, &settings, &report, &err);
		if (r < 0) {
			(void)fprintf(stderr, "%s\n", err.msg);
			return 1;
		}
		store_close(store);
	}
}

/* Alive until now: it had nothing to complain of. */
static void end(pid_t pid)
{
	int status = 0;

	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

static uint64_t read_told(int fd, uint64_t told)
{
	uint64_t number;

	while (read(fd, &number, sizeof(number)) == (ssize_t)sizeof(number))
		told = number;
	return told;
}

static int complain(void *ctx, const struct scrub_finding *finding)
{
	(void)fprintf(stderr, "fault %d: %s %s\n", (int)finding->fault,
		      finding->path ? finding->path : "", finding->text ? finding->text : "");
	(*(unsigned int *)ctx)++;
	return 0;
}

/* Returns which generation is current. */
static uint64_t check(const struct scratch *scratch, uint64_t told)
{
	unsigned int faults = 0;
	const struct scrub_settings settings = { .found = complain, .ctx = &faults };
	struct store *store = scratch_open(scratch, STORE_WRITE);
	struct scrub_report report;
	uint64_t number = 0;
	struct error err = { 0 };

	assert_int_equal(generation_current_number(store, &number, &err), 0);
	/* One may have been published and not told. */
	assert_in_range(number, told, told + 1);
	if (number > 0)
		assert_int_equal(content_check(store, "current"), FILES);
	assert_int_equal(object_flush(store, &err), 0);
	if (scrub(store, &settings, &report, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(faults, 0);
	store_close(store);
	return number;
}

static void nothing_is_lost(void **state)
{
	unsigned int seed = SEED;
	uint64_t told = 0;

	(void)fprintf(stderr, "seed %u\n", seed);
	for (unsigned int i = 0; i < KILLS; i++) {
		int fds[2];
		pid_t writer;
		pid_t collector;

		assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
		writer = fork();
		if (writer == 0)
			_exit(write_on(*state, seed, fds[1]));
		collector = i % 2 ? fork() : -1;
		if (collector == 0)
			_exit(collect_on(*state));
		(void)close(fds[1]);
		(void)poll(NULL, 0, (int)(next_random(&seed) % WAIT_MAX_MS));
		end(writer);
		if (collector > 0)
			end(collector);
		told = read_told(fds[0], told);
		(void)close(fds[0]);
		told = check(*state, told);
	}
	assert_true(told > 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(nothing_is_lost) };

	return cmocka_run_group_tests_name("kill", tests, NULL, NULL);
}
