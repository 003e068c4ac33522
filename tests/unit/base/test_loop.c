/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each test runs a loop until what it waits for has happened.  A timer of its
 * own ends a loop that would wait in vain, and the test then fails.
 */
#include "tests/test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/loop.h"

#define PATIENCE_MS 20000
#define POSTS 1000
#define POSTERS 4

static bool out_of_memory;

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

void *__wrap_calloc(size_t n, size_t size)
{
	return out_of_memory ? NULL : __real_calloc(n, size);
}

struct fixture {
	struct loop *loop;
	struct loop_source *patience;
	struct loop_source *source; /* the one under test */
	struct loop_source *other;
	int pipe[2];
	char directory[64];
	int calls;
	int last;	/* descriptor or signal of the last call */
	char names[64]; /* of watch events */
	bool impatient;
};

static void lose_patience(void *ctx)
{
	struct fixture *f = ctx;

	f->impatient = true;
	loop_stop(f->loop);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	if (!f || loop_new(&f->loop, NULL) < 0 || pipe2(f->pipe, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	(void)snprintf(f->directory, sizeof(f->directory), "/tmp/test_loop.XXXXXX");
	if (!mkdtemp(f->directory))
		return -1;
	if (loop_add_timer(f->loop, lose_patience, f, &f->patience, NULL) < 0)
		return -1;
	return loop_timer_set(f->patience, PATIENCE_MS, 0);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	out_of_memory = false;
	loop_source_free(f->source);
	loop_source_free(f->other);
	loop_source_free(f->patience);
	loop_free(f->loop);
	(void)close(f->pipe[0]);
	(void)close(f->pipe[1]);
	(void)rmdir(f->directory);
	free(f);
	return 0;
}

static void run(struct fixture *f)
{
	struct error err = { 0 };

	assert_int_equal(loop_run(f->loop, &err), 0);
	assert_false(f->impatient);
}

static void on_fd(void *ctx, int fd)
{
	struct fixture *f = ctx;
	char byte;

	f->calls++;
	f->last = fd;
	if (read(fd, &byte, 1) <= 0 || byte == '.')
		loop_stop(f->loop);
}

static void tells_of_readable_descriptors(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(loop_add_fd(f->loop, f->pipe[0], on_fd, f, &f->source, NULL), 0);
	assert_int_equal(write(f->pipe[1], "ab.", 3), 3);
	run(f);
	assert_int_equal(f->calls, 3);
	assert_int_equal(f->last, f->pipe[0]);
}

static void tells_of_hang_up(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(loop_add_fd(f->loop, f->pipe[0], on_fd, f, &f->source, NULL), 0);
	(void)close(f->pipe[1]);
	f->pipe[1] = -1;
	run(f);
	assert_int_equal(f->calls, 1);
}

static void refuses_a_bad_descriptor(void **state)
{
	struct fixture *f = *state;
	struct error err = { 0 };

	assert_int_equal(loop_add_fd(f->loop, -1, on_fd, f, &f->source, &err), -EBADF);
	assert_null(f->source);
	assert_int_equal(err.code, EBADF);
}

/* The bytes left in the pipe would call again if the source were still there. */
static void free_and_stop_later(void *ctx, int fd)
{
	struct fixture *f = ctx;

	(void)fd;
	f->calls++;
	loop_source_free(TAKE_PTR(f->source));
	assert_int_equal(loop_timer_set(f->other, 20, 0), 0);
}

static void fill_and_stop(void *ctx, int fd)
{
	struct fixture *f = ctx;

	f->calls++;
	assert_int_equal(write(fd, "x", 1), 1);
	loop_stop(f->loop);
}

static void tells_of_room_to_write_when_asked(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(loop_add_fd(f->loop, f->pipe[1], fill_and_stop, f, &f->source, NULL), 0);
	assert_int_equal(loop_fd_set_events(f->source, EPOLLOUT), 0);
	run(f);
	assert_int_equal(f->calls, 1);
}

static void stop(void *ctx)
{
	struct fixture *f = ctx;

	loop_stop(f->loop);
}

/* What is not asked for is not told, though there is something to read. */
static void a_descriptor_that_is_not_asked_about_is_quiet(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(loop_add_fd(f->loop, f->pipe[0], on_fd, f, &f->source, NULL), 0);
	assert_int_equal(loop_add_timer(f->loop, stop, f, &f->other, NULL), 0);
	assert_int_equal(write(f->pipe[1], ".", 1), 1);
	assert_int_equal(loop_fd_set_events(f->source, 0), 0);
	assert_int_equal(loop_timer_set(f->other, 50, 0), 0);
	run(f);
	assert_int_equal(f->calls, 0);
	assert_int_equal(loop_fd_set_events(f->source, EPOLLIN), 0);
	run(f);
	assert_int_equal(f->calls, 1);
}

static void a_source_may_be_freed_in_its_callback(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(loop_add_fd(f->loop, f->pipe[0], free_and_stop_later, f, &f->source, NULL),
			 0);
	assert_int_equal(loop_add_timer(f->loop, stop, f, &f->other, NULL), 0);
	assert_int_equal(write(f->pipe[1], "ab", 2), 2);
	run(f);
	assert_int_equal(f->calls, 1);
}

static void free_twin(struct fixture *f, struct loop_source **twin, int fd)
{
	char byte;

	f->calls++;
	assert_int_equal(read(fd, &byte, 1), 1);
	loop_source_free(TAKE_PTR(*twin));
	loop_stop(f->loop);
}

static void free_other(void *ctx, int fd)
{
	struct fixture *f = ctx;

	free_twin(f, &f->other, fd);
}

static void free_source(void *ctx, int fd)
{
	struct fixture *f = ctx;

	free_twin(f, &f->source, fd);
}

/* Both are ready at once; whichever is called first frees one that has an event. */
static void another_source_may_be_freed_in_a_callback(void **state)
{
	_cleanup_close_ int twin = -1;
	struct fixture *f = *state;

	twin = dup(f->pipe[0]);
	assert_true(twin >= 0);
	assert_int_equal(loop_add_fd(f->loop, f->pipe[0], free_other, f, &f->source, NULL), 0);
	assert_int_equal(loop_add_fd(f->loop, twin, free_source, f, &f->other, NULL), 0);
	assert_int_equal(write(f->pipe[1], "abc", 3), 3);
	run(f);
	assert_int_equal(f->calls, 1);
	assert_true(!f->source != !f->other);
	run(f);
	assert_int_equal(f->calls, 2);
}

static void count_to_three(void *ctx)
{
	struct fixture *f = ctx;

	if (++f->calls == 3)
		loop_stop(f->loop);
}

static void an_interval_timer_fires_again(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(loop_add_timer(f->loop, count_to_three, f, &f->source, NULL), 0);
	assert_int_equal(loop_timer_set(f->source, 0, 5), 0);
	run(f);
	assert_int_equal(f->calls, 3);
}

static void count(void *ctx)
{
	struct fixture *f = ctx;

	f->calls++;
}

/* The second timer is due long after the first would have fired. */
static void a_stopped_timer_does_not_fire(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(loop_add_timer(f->loop, count, f, &f->source, NULL), 0);
	assert_int_equal(loop_add_timer(f->loop, stop, f, &f->other, NULL), 0);
	assert_int_equal(loop_timer_set(f->source, 1, 1), 0);
	loop_timer_stop(f->source);
	assert_int_equal(loop_timer_set(f->other, 50, 0), 0);
	run(f);
	assert_int_equal(f->calls, 0);
}

static void a_timer_fires_once_unless_told(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(loop_add_timer(f->loop, count, f, &f->source, NULL), 0);
	assert_int_equal(loop_add_timer(f->loop, stop, f, &f->other, NULL), 0);
	assert_int_equal(loop_timer_set(f->source, 1, 0), 0);
	assert_int_equal(loop_timer_set(f->other, 50, 0), 0);
	run(f);
	assert_int_equal(f->calls, 1);
}

static void free_timer(void *ctx)
{
	struct fixture *f = ctx;

	f->calls++;
	loop_source_free(TAKE_PTR(f->source));
	loop_stop(f->loop);
}

static void a_timer_may_free_itself(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(loop_add_timer(f->loop, free_timer, f, &f->source, NULL), 0);
	assert_int_equal(loop_timer_set(f->source, 0, 1), 0);
	run(f);
	assert_int_equal(f->calls, 1);
}

static void on_signal(void *ctx, int signo)
{
	struct fixture *f = ctx;

	f->calls++;
	f->last = signo;
	if (signo == SIGUSR2)
		loop_stop(f->loop);
}

static void signals_are_events(void **state)
{
	static const int signals[] = { SIGUSR1, SIGUSR2, 0 };
	struct fixture *f = *state;

	assert_int_equal(loop_add_signals(f->loop, signals, on_signal, f, &f->source, NULL), 0);
	assert_int_equal(raise(SIGUSR1), 0);
	assert_int_equal(raise(SIGUSR2), 0);
	run(f);
	assert_int_equal(f->calls, 2);
	assert_int_equal(f->last, SIGUSR2);
}

static void free_on_signal(void *ctx, int signo)
{
	struct fixture *f = ctx;

	f->last = signo;
	loop_source_free(TAKE_PTR(f->source));
	loop_stop(f->loop);
}

static void a_signal_source_may_free_itself(void **state)
{
	static const int signals[] = { SIGUSR1, 0 };
	struct fixture *f = *state;

	assert_int_equal(loop_add_signals(f->loop, signals, free_on_signal, f, &f->source, NULL),
			 0);
	assert_int_equal(raise(SIGUSR1), 0);
	run(f);
	assert_int_equal(f->last, SIGUSR1);
}

static void touch(const struct fixture *f, const char *name)
{
	char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", f->directory, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(unlink(path), 0);
}

static void collect_names(void *ctx, const char *name, uint32_t mask)
{
	struct fixture *f = ctx;
	size_t len = strlen(f->names);

	f->calls++;
	(void)snprintf(f->names + len, sizeof(f->names) - len, "%s%s", name,
		       mask & IN_CREATE ? "+" : "-");
	if (strcmp(name, "last") == 0 && mask & IN_DELETE)
		loop_stop(f->loop);
}

static void watches_a_directory(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(loop_add_watch(f->loop, f->directory, IN_CREATE | IN_DELETE, collect_names,
					f, &f->source, NULL),
			 0);
	touch(f, "a");
	touch(f, "last");
	run(f);
	assert_string_equal(f->names, "a+a-last+last-");
}

static void stop_when_ignored(void *ctx, const char *name, uint32_t mask)
{
	struct fixture *f = ctx;

	assert_string_equal(name, "");
	f->calls++;
	if (mask & IN_IGNORED)
		loop_stop(f->loop);
}

static void a_watch_tells_that_its_directory_is_gone(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(loop_add_watch(f->loop, f->directory, IN_DELETE_SELF, stop_when_ignored, f,
					&f->source, NULL),
			 0);
	assert_int_equal(rmdir(f->directory), 0);
	run(f);
	assert_int_equal(f->calls, 2);
}

static void refuses_to_watch_what_is_no_directory(void **state)
{
	static const struct {
		const char *path;
		int r;
	} cases[] = { { "/nonexistent", -ENOENT }, { "/dev/null", -ENOTDIR } };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = { 0 };

		assert_int_equal(loop_add_watch(f->loop, cases[i].path, IN_CREATE, collect_names, f,
						&f->source, &err),
				 cases[i].r);
		assert_non_null(strstr(err.msg, cases[i].path));
		assert_null(f->source);
	}
}

static void free_watch(void *ctx, const char *name, uint32_t mask)
{
	struct fixture *f = ctx;

	(void)name;
	(void)mask;
	f->calls++;
	loop_source_free(TAKE_PTR(f->source));
	loop_stop(f->loop);
}

/* Several events lie in the buffer that was read when the first frees the watch. */
static void a_watch_may_free_itself_between_events(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(loop_add_watch(f->loop, f->directory, IN_CREATE | IN_DELETE, free_watch, f,
					&f->source, NULL),
			 0);
	touch(f, "a");
	touch(f, "b");
	run(f);
	assert_int_equal(f->calls, 1);
}

static void keep_watch(void *ctx, const char *name, uint32_t mask)
{
	(void)name;
	(void)mask;
	count_to_three(ctx);
}

/* The flag that tells of a freed watch must not outlive the dispatching. */
static void a_watch_may_be_freed_after_events(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
		loop_add_watch(f->loop, f->directory, IN_CREATE, keep_watch, f, &f->source, NULL),
		0);
	touch(f, "a");
	touch(f, "b");
	touch(f, "c");
	run(f);
	loop_source_free(TAKE_PTR(f->source));
	assert_int_equal(f->calls, 3);
}

/* One of the threads that post; the posted calls check their order. */
struct poster {
	struct fixture *fixture;
	int next;
	struct posted {
		struct poster *poster;
		int number;
	} posts[POSTS];
};

static void take_post(void *ctx)
{
	struct posted *posted = ctx;

	assert_int_equal(posted->number, posted->poster->next);
	posted->poster->next++;
	if (++posted->poster->fixture->calls == POSTERS * POSTS)
		loop_stop(posted->poster->fixture->loop);
}

static void *post_all(void *ctx)
{
	struct poster *poster = ctx;

	for (int i = 0; i < POSTS; i++) {
		poster->posts[i] = (struct posted) { .poster = poster, .number = i };
		if (loop_post(poster->fixture->loop, take_post, &poster->posts[i]) < 0)
			break;
	}
	return NULL;
}

static void posted_calls_come_in_order(void **state)
{
	static struct poster posters[POSTERS];
	pthread_t threads[POSTERS];
	struct fixture *f = *state;

	for (int i = 0; i < POSTERS; i++) {
		posters[i].fixture = f;
		assert_int_equal(pthread_create(&threads[i], NULL, post_all, &posters[i]), 0);
	}
	run(f);
	for (int i = 0; i < POSTERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(f->calls, POSTERS * POSTS);
}

static void post_again(void *ctx)
{
	struct fixture *f = ctx;

	f->calls++;
	assert_int_equal(loop_post(f->loop, stop, f), 0);
}

static void a_posted_call_may_post(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(loop_post(f->loop, post_again, f), 0);
	run(f);
	assert_int_equal(f->calls, 1);
}

/* The leak sanitizer is the judge of the memory, the counter that of the call. */
static void calls_that_never_ran_are_dropped(void **state)
{
	struct loop *loop = NULL;

	assert_int_equal(loop_new(&loop, NULL), 0);
	assert_int_equal(loop_post(loop, count, *state), 0);
	assert_int_equal(loop_post(loop, count, *state), 0);
	loop_free(loop);
	assert_int_equal(((struct fixture *)*state)->calls, 0);
}

static void a_loop_runs_again_after_a_stop(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 3; i++) {
		assert_int_equal(loop_post(f->loop, stop, f), 0);
		run(f);
	}
}

static void reports_missing_memory(void **state)
{
	struct fixture *f = *state;
	struct error err = { 0 };
	struct loop *loop = NULL;
	int added, made, posted;

	out_of_memory = true;
	posted = loop_post(f->loop, stop, f);
	added = loop_add_timer(f->loop, stop, f, &f->source, &err);
	made = loop_new(&loop, &err);
	out_of_memory = false;
	assert_int_equal(posted, -ENOMEM);
	assert_int_equal(added, -ENOMEM);
	assert_int_equal(made, -ENOMEM);
	assert_null(f->source);
	assert_null(loop);
}

static void nothing_is_freed_for_null(void **state)
{
	(void)state;
	errno = EXDEV;
	loop_source_free(NULL);
	loop_free(NULL);
	assert_int_equal(errno, EXDEV);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(tells_of_readable_descriptors),
		TEST(tells_of_hang_up),
		TEST(tells_of_room_to_write_when_asked),
		TEST(a_descriptor_that_is_not_asked_about_is_quiet),
		TEST(refuses_a_bad_descriptor),
		TEST(a_source_may_be_freed_in_its_callback),
		TEST(another_source_may_be_freed_in_a_callback),
		TEST(an_interval_timer_fires_again),
		TEST(a_stopped_timer_does_not_fire),
		TEST(a_timer_fires_once_unless_told),
		TEST(a_timer_may_free_itself),
		TEST(signals_are_events),
		TEST(a_signal_source_may_free_itself),
		TEST(watches_a_directory),
		TEST(a_watch_tells_that_its_directory_is_gone),
		TEST(refuses_to_watch_what_is_no_directory),
		TEST(a_watch_may_free_itself_between_events),
		TEST(a_watch_may_be_freed_after_events),
		TEST(posted_calls_come_in_order),
		TEST(a_posted_call_may_post),
		TEST(calls_that_never_ran_are_dropped),
		TEST(a_loop_runs_again_after_a_stop),
		TEST(reports_missing_memory),
		TEST(nothing_is_freed_for_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
