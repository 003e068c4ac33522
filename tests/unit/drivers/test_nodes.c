/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "drivers/driver.h"
#include "drivers/nodes.h"
#include "tests/test.h"
#include "tests/unit/drivers/tree.h"

static const struct driver some_driver = { .name = "some" };

struct fixture {
	struct tree *tree;
	struct device *device;
	struct node_list list;
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	void *tree;

	if (!fixture || tree_setup(&tree) < 0)
		return -1;
	fixture->tree = tree;
	fixture->device = device_new(&some_driver);
	assert_non_null(fixture->device);
	(void)snprintf(fixture->device->name, sizeof(fixture->device->name), "some0");
	node_list_init(&fixture->list, &fixture->tree->host, fixture->device);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	void *tree = fixture->tree;

	device_unref(fixture->device);
	free(fixture);
	return tree_teardown(&tree);
}

/* The files of the device, as in "/dev/a* /dev/b0-1": shared ones, and those of cores. */
static void assert_files(const struct fixture *fixture, const char *expected)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(4096);

	for (size_t i = 0; i < fixture->device->n_nodes; i++) {
		const struct device_node *node = &fixture->device->nodes[i];

		strbuf_printf(&text, "%s%s", i > 0 ? " " : "", node->path);
		if (node->shared)
			strbuf_puts(&text, "*");
		else
			strbuf_printf(&text, ":%u-%u", node->cores.first, node->cores.last);
	}
	assert_string_equal(strbuf_str(&text), expected);
}

static void a_device_gets_its_files(void **state)
{
	static const struct core_range pair = { 2, 3 };
	struct fixture *fixture = *state;

	for (int i = 0; i < 3; i++) {
		char path[16];

		(void)snprintf(path, sizeof(path), "dev/some%d", i);
		tree_link(fixture->tree, path, "/dev/null");
	}
	node_list_need(&fixture->list, NULL, "/dev/some%d", 0);
	node_list_need(&fixture->list, &pair, "/dev/some%d", 1);
	assert_true(node_list_take(&fixture->list, NULL, "/dev/%s", "some2"));
	assert_false(node_list_take(&fixture->list, &pair, "/dev/some3"));
	assert_int_equal(node_list_finish(&fixture->list, NULL), 0);
	assert_files(fixture, "/dev/some0* /dev/some1:2-3 /dev/some2*");
	assert_string_equal(fixture->device->fault, "");
}

static void a_device_may_have_none(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(node_list_finish(&fixture->list, NULL), 0);
	assert_files(fixture, "");
	assert_string_equal(fixture->device->fault, "");
}

/* They stay listed: the files may come, and then the device works. */
static void missing_files_are_its_fault(void **state)
{
	static const struct {
		const char *file; /* NULL: there is none */
		const char *fault;
	} cases[] = {
		{ NULL, "device node '/dev/some0' is missing" },
		{ "", "device node '/dev/some0' is not a character device" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture *fixture = *state;

		if (cases[i].file)
			tree_puts(fixture->tree, "dev/some0", cases[i].file);
		node_list_need(&fixture->list, NULL, "/dev/some0");
		node_list_need(&fixture->list, NULL, "/dev/another");
		assert_int_equal(node_list_finish(&fixture->list, NULL), 0);
		assert_files(fixture, "/dev/some0* /dev/another*");
		assert_string_equal(fixture->device->fault, cases[i].fault);
		/* A file that is no device is not taken either. */
		assert_false(node_list_take(&fixture->list, NULL, "/dev/some0"));
		assert_int_equal(teardown(state), 0);
		assert_int_equal(setup(state), 0);
	}
}

static void names_that_are_there_are_told(void **state)
{
	struct fixture *fixture = *state;

	tree_link(fixture->tree, "dev/some0", "/dev/null");
	tree_puts(fixture->tree, "dev/file", "");
	assert_true(node_list_exists(&fixture->list, "/dev/some%d", 0));
	assert_true(node_list_exists(&fixture->list, "/dev/file"));
	assert_false(node_list_exists(&fixture->list, "/dev/some%d", 1));
	assert_false(node_list_exists(&fixture->list, "/dev/%0*d", NODE_PATH_MAX, 0));
	assert_false(node_list_exists(&fixture->list, "%s", ""));
}

static void files_have_a_maximum(void **state)
{
	struct fixture *fixture = *state;
	struct error err = { 0 };

	for (int i = 0; i < DEVICE_NODES_MAX; i++)
		node_list_need(&fixture->list, NULL, "/dev/some%d", i);
	assert_int_equal(node_list_finish(&fixture->list, NULL), 0);
	assert_int_equal(fixture->device->n_nodes, DEVICE_NODES_MAX);
	assert_false(node_list_take(&fixture->list, NULL, "/dev/more"));
	assert_int_equal(node_list_finish(&fixture->list, &err), -E2BIG);
	assert_string_equal(err.msg, "device nodes of 'some0': Argument list too long");
}

static void paths_have_a_maximum(void **state)
{
	static const int lens[] = { NODE_PATH_MAX - 1, NODE_PATH_MAX };

	for (size_t i = 0; i < ARRAY_SIZE(lens); i++) {
		struct fixture *fixture = *state;

		node_list_need(&fixture->list, NULL, "/dev/%0*d", lens[i] - (int)strlen("/dev/"),
			       0);
		assert_int_equal(node_list_finish(&fixture->list, NULL),
				 lens[i] < NODE_PATH_MAX ? 0 : -E2BIG);
		assert_int_equal(teardown(state), 0);
		assert_int_equal(setup(state), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_device_gets_its_files, setup, teardown),
		cmocka_unit_test_setup_teardown(a_device_may_have_none, setup, teardown),
		cmocka_unit_test_setup_teardown(missing_files_are_its_fault, setup, teardown),
		cmocka_unit_test_setup_teardown(names_that_are_there_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(files_have_a_maximum, setup, teardown),
		cmocka_unit_test_setup_teardown(paths_have_a_maximum, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
