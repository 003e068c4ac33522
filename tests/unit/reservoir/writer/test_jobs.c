/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/writer/jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/test.h"

#define LOOK_MS 10
#define HOUR_MS 3600000u

struct fixture {
	char dir[64];
	char scripts[3][128];
	struct loop *loop;
	struct loop_source *signals;
	struct loop_source *look;
	struct jobs *jobs;
};

static bool is_there(const struct fixture *fixture, const char *name)
{
	char path[96];

	(void)snprintf(path, sizeof(path), "%s/%s", fixture->dir, name);
	return access(path, F_OK) == 0;
}

static void on_child(void *ctx, _unused_ int signo)
{
	const struct fixture *fixture = ctx;

	jobs_reap(fixture->jobs);
}

static void look(void *ctx)
{
	const struct fixture *fixture = ctx;

	if (is_there(fixture, "now") && is_there(fixture, "idle"))
		loop_stop(fixture->loop);
}

static int setup(void **state)
{
	static const int signals[] = { SIGCHLD, 0 };
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct error err = { 0 };

	assert_non_null(fixture);
	(void)snprintf(fixture->dir, sizeof(fixture->dir), "/tmp/silica-jobs-XXXXXX");
	assert_non_null(mkdtemp(fixture->dir));
	assert_int_equal(loop_new(&fixture->loop, &err), 0);
	assert_int_equal(loop_add_signals(fixture->loop, signals, on_child, fixture,
					  &fixture->signals, &err),
			 0);
	assert_int_equal(loop_add_timer(fixture->loop, look, fixture, &fixture->look, &err), 0);
	assert_int_equal(jobs_new(fixture->loop, "/bin/sh", &fixture->jobs, &err), 0);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = { "now", "idle" };
	struct fixture *fixture = *state;

	jobs_free(fixture->jobs);
	loop_source_free(fixture->look);
	loop_source_free(fixture->signals);
	loop_free(fixture->loop);
	for (size_t i = 0; i < 2; i++) {
		char path[96];

		(void)snprintf(path, sizeof(path), "%s/%s", fixture->dir, names[i]);
		(void)unlink(path);
	}
	(void)rmdir(fixture->dir);
	free(fixture);
	return 0;
}

/* A job that leaves its priority in a file of its name. */
static void add(struct fixture *fixture, size_t i, struct job job)
{
	struct error err = { 0 };

	(void)snprintf(fixture->scripts[i], sizeof(fixture->scripts[i]),
		       "cd %s && nice >%s.tmp && mv %s.tmp %s", fixture->dir, job.name, job.name,
		       job.name);
	job.argv[0] = "-c";
	job.argv[1] = fixture->scripts[i];
	job.interval_ms = HOUR_MS;
	assert_int_equal(jobs_add(fixture->jobs, &job, &err), 0);
}

static void runs_what_is_due(void **state)
{
	struct fixture *fixture = *state;
	char path[96];
	char text[16] = "";
	struct error err = { 0 };

	add(fixture, 0, (struct job) { .name = "idle", .idle = true });
	add(fixture, 1, (struct job) { .name = "now", .first_ms = LOOK_MS });
	add(fixture, 2, (struct job) { .name = "later", .first_ms = HOUR_MS });
	jobs_start(fixture->jobs);
	assert_int_equal(loop_timer_set(fixture->look, LOOK_MS, LOOK_MS), 0);
	assert_int_equal(loop_run(fixture->loop, &err), 0);
	assert_false(is_there(fixture, "later"));
	(void)snprintf(path, sizeof(path), "%s/idle", fixture->dir);
	assert_true(file_read(AT_FDCWD, path, text, sizeof(text), &err) > 0);
	assert_string_equal(text, "19\n");
}

/* What fails, as another was writing, is not left until its next time. */
static void tries_again_what_failed(void **state)
{
	struct fixture *fixture = *state;
	struct job job = { .name = "sync", .argv = { "-c", fixture->scripts[0] } };
	struct error err = { 0 };

	(void)snprintf(fixture->scripts[0], sizeof(fixture->scripts[0]),
		       "cd %s && mv idle now || { touch idle; exit 1; }; touch idle", fixture->dir);
	job.interval_ms = HOUR_MS;
	job.retry_ms = LOOK_MS;
	assert_int_equal(jobs_add(fixture->jobs, &job, &err), 0);
	jobs_start(fixture->jobs);
	assert_int_equal(loop_timer_set(fixture->look, LOOK_MS, LOOK_MS), 0);
	assert_int_equal(loop_run(fixture->loop, &err), 0);
}

static void has_a_limit(void **state)
{
	struct fixture *fixture = *state;
	const struct job job = { .name = "now" };
	struct error err = { 0 };

	for (size_t i = 0; i < JOBS_MAX; i++)
		assert_int_equal(jobs_add(fixture->jobs, &job, &err), 0);
	assert_int_equal(jobs_add(fixture->jobs, &job, &err), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(runs_what_is_due, setup, teardown),
		cmocka_unit_test_setup_teardown(tries_again_what_failed, setup, teardown),
		cmocka_unit_test_setup_teardown(has_a_limit, setup, teardown),
	};

	return cmocka_run_group_tests_name("jobs", tests, NULL, NULL);
}
