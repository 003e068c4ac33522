/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/loop.h"
#include "daemon/config_watch.h"
#include "tests/test.h"
#include "tests/unit/drivers/tree.h"

#define GIVE_UP_MS 30000
#define QUIET_MS 400 /* some times as long as a change is waited out */

struct fixture {
	struct tree *tree;
	char path[64];
	struct loop *loop;
	struct loop_source *give_up;
	struct loop_source *quiet;
	struct config_watch *watch;
	unsigned int n_calls;
};

static void on_changed(void *ctx)
{
	struct fixture *fixture = ctx;

	fixture->n_calls++;
	loop_stop(fixture->loop);
}

static void on_give_up(_unused_ void *ctx)
{
	fail_msg("no change was noticed for %d ms", GIVE_UP_MS);
}

static void on_quiet(void *ctx)
{
	const struct fixture *fixture = ctx;

	loop_stop(fixture->loop);
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	void *tree;

	if (!fixture || tree_setup(&tree) < 0)
		return -1;
	fixture->tree = tree;
	(void)snprintf(fixture->path, sizeof(fixture->path), "%s/dir/config.yaml",
		       fixture->tree->root);
	assert_int_equal(loop_new(&fixture->loop, NULL), 0);
	assert_int_equal(loop_add_timer(fixture->loop, on_give_up, NULL, &fixture->give_up, NULL),
			 0);
	assert_int_equal(loop_add_timer(fixture->loop, on_quiet, fixture, &fixture->quiet, NULL),
			 0);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	void *tree = fixture->tree;

	config_watch_free(fixture->watch);
	loop_source_free(fixture->give_up);
	loop_source_free(fixture->quiet);
	loop_free(fixture->loop);
	free(fixture);
	return tree_teardown(&tree);
}

static void watch(struct fixture *fixture)
{
	assert_int_equal(config_watch_new(fixture->loop, fixture->path, on_changed, fixture,
					  &fixture->watch, NULL),
			 0);
}

static void await_call(struct fixture *fixture)
{
	unsigned int n_calls = fixture->n_calls;

	assert_int_equal(loop_timer_set(fixture->give_up, GIVE_UP_MS, 0), 0);
	assert_int_equal(loop_run(fixture->loop, NULL), 0);
	loop_timer_stop(fixture->give_up);
	assert_int_equal(fixture->n_calls, n_calls + 1);
}

static void await_no_call(struct fixture *fixture)
{
	unsigned int n_calls = fixture->n_calls;

	assert_int_equal(loop_timer_set(fixture->quiet, QUIET_MS, 0), 0);
	assert_int_equal(loop_run(fixture->loop, NULL), 0);
	assert_int_equal(fixture->n_calls, n_calls);
}

static void a_file_that_is_written_is_noticed(void **state)
{
	struct fixture *fixture = *state;

	tree_puts(fixture->tree, "dir/config.yaml", "one");
	watch(fixture);
	await_no_call(fixture);
	tree_puts(fixture->tree, "dir/config.yaml", "two");
	await_call(fixture);
	await_no_call(fixture);
}

static void a_file_that_is_replaced_is_noticed(void **state)
{
	struct fixture *fixture = *state;

	tree_puts(fixture->tree, "dir/config.yaml", "one");
	watch(fixture);
	assert_int_equal(file_publish(fixture->path, "two", 3, 0600, NULL), 0);
	await_call(fixture);
	assert_int_equal(file_publish(fixture->path, "one", 3, 0600, NULL), 0);
	await_call(fixture);
}

/* As the kubelet puts a new version of a ConfigMap in place. */
static void a_configmap_that_is_swapped_is_noticed(void **state)
{
	struct fixture *fixture = *state;
	int root_fd = fixture->tree->host.root_fd;

	tree_puts(fixture->tree, "dir/..1/config.yaml", "one");
	tree_link(fixture->tree, "dir/..data", "..1");
	tree_link(fixture->tree, "dir/config.yaml", "..data/config.yaml");
	watch(fixture);
	tree_puts(fixture->tree, "dir/..2/config.yaml", "two");
	tree_link(fixture->tree, "dir/..data_tmp", "..2");
	await_no_call(fixture);
	assert_int_equal(renameat(root_fd, "dir/..data_tmp", root_fd, "dir/..data"), 0);
	tree_remove(fixture->tree, "dir/..1");
	await_call(fixture);
	/* A new version with the same contents is none. */
	tree_puts(fixture->tree, "dir/..3/config.yaml", "two");
	tree_link(fixture->tree, "dir/..data_tmp", "..3");
	assert_int_equal(renameat(root_fd, "dir/..data_tmp", root_fd, "dir/..data"), 0);
	await_no_call(fixture);
}

static void a_file_that_goes_and_comes_is_noticed(void **state)
{
	struct fixture *fixture = *state;

	tree_puts(fixture->tree, "dir/config.yaml", "one");
	watch(fixture);
	tree_remove(fixture->tree, "dir/config.yaml");
	await_call(fixture);
	tree_puts(fixture->tree, "dir/config.yaml", "one");
	await_call(fixture);
}

/* A directory that cannot be watched is looked at from time to time. */
static void a_directory_that_goes_and_comes_is_noticed(void **state)
{
	struct fixture *fixture = *state;

	tree_puts(fixture->tree, "dir/config.yaml", "one");
	watch(fixture);
	tree_remove(fixture->tree, "dir");
	await_call(fixture);
	tree_puts(fixture->tree, "dir/config.yaml", "two");
	await_call(fixture);
	/* It is watched again. */
	tree_puts(fixture->tree, "dir/config.yaml", "three");
	await_call(fixture);
}

static void what_leaves_the_contents_as_they_are_is_none(void **state)
{
	struct fixture *fixture = *state;

	tree_puts(fixture->tree, "dir/config.yaml", "one");
	watch(fixture);
	assert_int_equal(utimensat(AT_FDCWD, fixture->path, NULL, 0), 0);
	assert_int_equal(chmod(fixture->path, 0640), 0);
	tree_puts(fixture->tree, "dir/another.yaml", "two");
	tree_remove(fixture->tree, "dir/another.yaml");
	assert_int_equal(file_publish(fixture->path, "one", 3, 0600, NULL), 0);
	await_no_call(fixture);
	tree_puts(fixture->tree, "dir/config.yaml", "two");
	await_call(fixture);
}

static void a_file_of_this_directory_is_watched(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_close_ int before = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	tree_puts(fixture->tree, "dir/config.yaml", "one");
	(void)snprintf(fixture->path, sizeof(fixture->path), "config.yaml");
	assert_int_equal(fchdir(fixture->tree->host.root_fd), 0);
	assert_int_equal(chdir("dir"), 0);
	watch(fixture);
	tree_puts(fixture->tree, "dir/config.yaml", "two");
	await_call(fixture);
	assert_int_equal(fchdir(before), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_file_that_is_written_is_noticed, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_that_is_replaced_is_noticed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_configmap_that_is_swapped_is_noticed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_file_that_goes_and_comes_is_noticed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_directory_that_goes_and_comes_is_noticed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_leaves_the_contents_as_they_are_is_none, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_file_of_this_directory_is_watched, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
