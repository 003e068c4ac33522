/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "device-plugin/socket_dir.h"
#include "tests/test.h"

#define GIVE_UP_MS 20000

struct fixture {
	char parent[32];
	char path[64];
	char file[128];
	struct loop *loop;
	struct loop_source *give_up;
	struct socket_dir *dir;
	unsigned int n_looks;
	char name[64]; /* of the last change */
	uint32_t mask;
};

static void on_changed(void *ctx, const char *name, uint32_t mask)
{
	struct fixture *fixture = ctx;

	(void)snprintf(fixture->name, sizeof(fixture->name), "%s", name);
	fixture->mask = mask;
	loop_stop(fixture->loop);
}

static void on_look_again(void *ctx)
{
	struct fixture *fixture = ctx;

	fixture->n_looks++;
	loop_stop(fixture->loop);
}

static const struct socket_dir_events events = { on_changed, on_look_again };

static void give_up(_unused_ void *ctx)
{
	fail_msg("nothing has happened for %d ms", GIVE_UP_MS);
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	(void)snprintf(fixture->parent, sizeof(fixture->parent), "/tmp/socket-dir-XXXXXX");
	assert_non_null(mkdtemp(fixture->parent));
	(void)snprintf(fixture->path, sizeof(fixture->path), "%s/sockets", fixture->parent);
	(void)snprintf(fixture->file, sizeof(fixture->file), "%s/a", fixture->path);
	assert_int_equal(loop_new(&fixture->loop, NULL), 0);
	assert_int_equal(loop_add_timer(fixture->loop, give_up, fixture, &fixture->give_up, NULL),
			 0);
	assert_int_equal(loop_timer_set(fixture->give_up, GIVE_UP_MS, 0), 0);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	socket_dir_free(fixture->dir);
	loop_source_free(fixture->give_up);
	loop_free(fixture->loop);
	(void)unlink(fixture->file);
	(void)rmdir(fixture->path);
	assert_int_equal(rmdir(fixture->parent), 0);
	free(fixture);
	return 0;
}

static void watch(struct fixture *fixture)
{
	assert_int_equal(
		socket_dir_new(fixture->loop, fixture->path, &events, fixture, &fixture->dir, NULL),
		0);
}

static void make_file(const struct fixture *fixture)
{
	int fd = open(fixture->file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	(void)close(fd);
}

static void run(struct fixture *fixture)
{
	assert_int_equal(loop_run(fixture->loop, NULL), 0);
}

static void entries_that_come_and_go_are_told(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(mkdir(fixture->path, 0700), 0);
	watch(fixture);
	assert_int_equal(fixture->n_looks, 1);
	make_file(fixture);
	run(fixture);
	assert_string_equal(fixture->name, "a");
	assert_true(fixture->mask & IN_CREATE);
	assert_int_equal(unlink(fixture->file), 0);
	run(fixture);
	assert_string_equal(fixture->name, "a");
	assert_true(fixture->mask & IN_DELETE);
}

static void a_missing_directory_is_waited_for(void **state)
{
	struct fixture *fixture = *state;

	watch(fixture);
	assert_int_equal(fixture->n_looks, 0);
	assert_int_equal(mkdir(fixture->path, 0700), 0);
	run(fixture);
	assert_int_equal(fixture->n_looks, 1);
	make_file(fixture);
	run(fixture);
	assert_string_equal(fixture->name, "a");
}

static void a_replaced_directory_is_watched_again(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(mkdir(fixture->path, 0700), 0);
	watch(fixture);
	assert_int_equal(rmdir(fixture->path), 0);
	assert_int_equal(mkdir(fixture->path, 0700), 0);
	run(fixture);
	assert_int_equal(fixture->n_looks, 2);
	make_file(fixture);
	run(fixture);
	assert_string_equal(fixture->name, "a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(entries_that_come_and_go_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(a_missing_directory_is_waited_for, setup, teardown),
		cmocka_unit_test_setup_teardown(a_replaced_directory_is_watched_again, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
