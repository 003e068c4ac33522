/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "drivers/driver.h"
#include "tests/test.h"
#include "tests/unit/drivers/tree.h"

static const struct driver some_driver = { .name = "some" };

static const struct device_node nodes[] = {
	{ .path = "/dev/some0mgmt", .shared = true },
	{ .path = "/dev/some0pe0", .cores = { 0, 0 } },
	{ .path = "/dev/some0pe1", .cores = { 1, 1 } },
	{ .path = "/dev/some0pe2", .cores = { 2, 2 } },
	{ .path = "/dev/some0pe0-1", .cores = { 0, 1 } },
	{ .path = "/dev/some0pe0-3", .cores = { 0, 3 } },
};

enum damage {
	REMOVED,
	REGULAR_FILE,
	DANGLING_LINK,
	LOOP,
};

static const struct {
	const char *node; /* NULL: nothing is wrong */
	enum damage damage;
	struct core_range cores;
	int expected;
	const char *text;
} cases[] = {
	{ NULL, REMOVED, { 0, 3 }, 0, NULL },
	{ "dev/some0mgmt", REMOVED, { 2, 2 }, -ENOENT, "device node '/dev/some0mgmt' is missing" },
	{ "dev/some0pe0", REMOVED, { 0, 1 }, -ENOENT, "device node '/dev/some0pe0' is missing" },
	{ "dev/some0pe0-1",
	  REMOVED,
	  { 0, 1 },
	  -ENOENT,
	  "device node '/dev/some0pe0-1' is missing" },
	{ "dev/some0pe0-1", REMOVED, { 0, 0 }, 0, NULL },
	{ "dev/some0pe0-1", REMOVED, { 1, 3 }, 0, NULL },
	{ "dev/some0pe0", REMOVED, { 1, 1 }, 0, NULL },
	{ "dev/some0pe0-3", REMOVED, { 0, 2 }, 0, NULL },
	{ "dev/some0pe0-3",
	  REMOVED,
	  { 0, 3 },
	  -ENOENT,
	  "device node '/dev/some0pe0-3' is missing" },
	{ "dev/some0pe1",
	  REGULAR_FILE,
	  { 0, 1 },
	  -ENODEV,
	  "device node '/dev/some0pe1' is not a character device" },
	{ "dev/some0pe1", REGULAR_FILE, { 2, 3 }, 0, NULL },
	{ "dev/some0pe1",
	  DANGLING_LINK,
	  { 1, 1 },
	  -ENOENT,
	  "device node '/dev/some0pe1' is missing" },
	{ "dev/some0pe1",
	  LOOP,
	  { 1, 1 },
	  -ELOOP,
	  "device node '/dev/some0pe1': Too many levels of symbolic links" },
};

static void break_node(const struct tree *tree, const char *node, enum damage damage)
{
	tree_remove(tree, node);
	if (damage == REGULAR_FILE)
		tree_puts(tree, node, "");
	else if (damage == DANGLING_LINK)
		tree_link(tree, node, "/nowhere");
	else if (damage == LOOP)
		tree_link(tree, node, strrchr(node, '/') + 1);
}

static void test_check_nodes(void **state)
{
	const struct tree *tree = *state;
	_cleanup_(device_cleanupp) struct device *device = device_new(&some_driver);

	assert_int_equal(device_set_nodes(device, nodes, ARRAY_SIZE(nodes)), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = { 0 };

		tree_remove(tree, "dev");
		for (size_t j = 0; j < ARRAY_SIZE(nodes); j++)
			tree_link(tree, nodes[j].path + 1, "/dev/null");
		if (cases[i].node)
			break_node(tree, cases[i].node, cases[i].damage);
		assert_int_equal(driver_check_nodes(&tree->host, device, cases[i].cores, &err),
				 cases[i].expected);
		assert_string_equal(err.msg, cases[i].text ? cases[i].text : "");
	}
}

static void test_no_nodes(void **state)
{
	const struct tree *tree = *state;
	_cleanup_(device_cleanupp) struct device *device = device_new(&some_driver);

	assert_int_equal(
		driver_check_nodes(&tree->host, device, (struct core_range) { 0, 7 }, NULL), 0);
}

static void test_host_open(void **state)
{
	const struct tree *tree = *state;
	struct host host = { .root_fd = -1 };
	struct error err = { 0 };

	assert_int_equal(host_open(&host, "/nowhere/at/all", &err), -ENOENT);
	assert_non_null(strstr(err.msg, "/nowhere/at/all"));
	assert_int_equal(host.root_fd, -1);
	host_close(&host);
	tree_puts(tree, "file", "");
	assert_int_equal(host_open(&host, "/dev/null", NULL), -ENOTDIR);
	assert_int_equal(host_open(&host, tree->root, NULL), 0);
	assert_string_equal(host.root, tree->root);
	host_close(&host);
	assert_int_equal(host.root_fd, -1);
}

static uint32_t waited_ms;

static int ask_well(_unused_ struct host *host, uint32_t wait_ms, _unused_ struct error *err)
{
	waited_ms += wait_ms;
	return 0;
}

static int ask_in_vain(_unused_ struct host *host, _unused_ uint32_t wait_ms, struct error *err)
{
	return error_set(err, EIO, "silence");
}

static int ask_for_memory(_unused_ struct host *host, _unused_ uint32_t wait_ms, struct error *err)
{
	return error_set(err, ENOMEM, "no memory");
}

static uint64_t answer_two(_unused_ const struct host *host)
{
	return 2;
}

static uint64_t answer_three(_unused_ const struct host *host)
{
	return 3;
}

/* All are asked, and the first that gets no answer is told of. */
static void test_ask(void **state)
{
	static const struct driver mute = { .name = "mute" };
	static const struct driver well = { .name = "well", .ask = ask_well, .answer = answer_two };
	static const struct driver vain = { .name = "vain", .ask = ask_in_vain };
	static const struct driver poor = { .name = "poor",
					    .ask = ask_for_memory,
					    .answer = answer_three };
	static const struct driver *const good[] = { &mute, &well, &mute };
	static const struct driver *const bad[] = { &well, &vain, &poor, &well };
	struct tree *tree = *state;
	struct error err = { 0 };

	assert_int_equal(drivers_ask(NULL, 0, &tree->host, 1, &err), 0);
	assert_int_equal(drivers_answer(NULL, 0, &tree->host), 0);
	assert_int_equal(drivers_ask(good, ARRAY_SIZE(good), &tree->host, 7, &err), 0);
	assert_int_equal(err.code, 0);
	assert_int_equal(waited_ms, 7);
	assert_int_equal(drivers_answer(good, ARRAY_SIZE(good), &tree->host), 2);
	assert_int_equal(drivers_ask(bad, ARRAY_SIZE(bad), &tree->host, 1, &err), -EIO);
	assert_string_equal(err.msg, "driver 'vain': silence");
	assert_int_equal(waited_ms, 9);
	assert_int_equal(drivers_answer(bad, ARRAY_SIZE(bad), &tree->host), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(test_check_nodes),
		TREE_TEST(test_no_nodes),
		TREE_TEST(test_host_open),
		TREE_TEST(test_ask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
